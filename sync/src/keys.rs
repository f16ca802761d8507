//! The key file: a device's 32-byte seed on disk, readable by its owner alone (TRUST §8).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aramaki_sync_core::key::DeviceKeys;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use data_encoding::BASE64;
use thiserror::Error;
use zeroize::Zeroizing;

const PLAIN: &str = "aramaki key v1 plain";
const SEALED: &str = "aramaki key v1 argon2id-64mib-3";
const FILE_BYTES_MAX: u64 = 4 << 10;
const ARGON2_MEMORY_KIB: u32 = 64 << 10;
const ARGON2_PASSES: u32 = 3;
const ARGON2_LANES: u32 = 1;
const SALT_LEN_BYTES: usize = 16;
const NONCE_LEN_BYTES: usize = 24;

/// A key file that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file system refused.
    #[error("key file {path}: cannot be read or written")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("key file {path} has mode {mode:03o}: others can read it; run `chmod 600` on it")]
    ReadableByOthers {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another user owns it, and so may know or change the key.
    #[error("key file {path} belongs to user {owner}: run `chown` on it if the key in it is yours")]
    OwnedByAnother {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others can change what is in its folder, so they can put another key, or another profile, there.
    #[error(
        "folder {path} has mode {mode:04o}: others can change what is in it; run `chmod go-w` on it"
    )]
    FolderOpenToOthers {
        /// Which folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its text is no key.
    #[error("key file {path} is not a key file of this program: {why}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// It is sealed and no passphrase was given.
    #[error("key file {path} is sealed by a passphrase, and none was given")]
    PassphraseMissing {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase is another one.
    #[error("key file {path} does not open with this passphrase")]
    PassphraseWrong {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// A passphrase, wiped when dropped and never printed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes over the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(<secret>)")
    }
}

/// A random seed from the operating system.
///
/// # Errors
/// [`KeyFileError::NoRandomness`], which a running Linux never gives.
pub fn random_seed() -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_cause| KeyFileError::NoRandomness)?;
    Ok(seed)
}

/// Makes a new device and writes its key file, which must not exist yet.
///
/// # Errors
/// When the file exists or cannot be made durable; nothing is left behind then but what was there.
pub fn create(path: &Path, passphrase: Option<&Passphrase>) -> Result<DeviceKeys, KeyFileError> {
    let seed = random_seed()?;
    write(path, &seed, passphrase)?;
    Ok(DeviceKeys::from_seed(*seed))
}

/// The text of a key file: what [`parse`] reads.
///
/// # Errors
/// [`KeyFileError::NoRandomness`].
pub fn text(
    seed: &[u8; 32],
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, KeyFileError> {
    Ok(match passphrase {
        None => Zeroizing::new(format!("{PLAIN}\n{}\n", &*encoded(seed))),
        Some(passphrase) => Zeroizing::new(format!(
            "{SEALED}\n{}\n",
            BASE64.encode(&sealed(seed, passphrase)?)
        )),
    })
}

/// Writes a seed into a new key file (mode 0600) and makes it durable.
///
/// # Errors
/// As [`create`].
pub fn write(
    path: &Path,
    seed: &[u8; 32],
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    let text = text(seed, passphrase)?;
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path).map_err(failed)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_folder(path));
    if let Err(source) = written {
        // Half a key is worse than none; the first error is the one that matters.
        drop(std::fs::remove_file(path));
        return Err(failed(source));
    }
    Ok(())
}

/// Writes a key file anew under another passphrase, or none; a crash leaves the old one or the new. Where the
/// path is a symbolic link the file that it leads to is written anew: else the plain key stayed there, and
/// a sealed one stood in the link's place.
///
/// # Errors
/// When the disk refuses; then the old one stays.
pub fn reseal(
    path: &Path,
    keys: &DeviceKeys,
    passphrase: Option<&Passphrase>,
) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let path = &path.canonicalize().map_err(failed)?;
    refuse_other_names(path)?;
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    write(&new, keys.expose_seed(), passphrase)?;
    std::fs::rename(&new, path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// Refuses a file with further hard links: the key would stay under them as it was.
#[cfg(unix)]
fn refuse_other_names(path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    if metadata.nlink() > 1 {
        return Err(KeyFileError::Malformed {
            path: path.to_owned(),
            why: "it has another name on this disk (a hard link) under which the key would stay as it is; \
                  remove that first",
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_other_names(_path: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

/// Whether a key file is sealed by a passphrase.
///
/// # Errors
/// When it cannot be read, or others can read it.
pub fn is_sealed(path: &Path) -> Result<bool, KeyFileError> {
    let text = read_text(path, FILE_BYTES_MAX)?;
    Ok(text.lines().next() == Some(SEALED))
}

/// Reads a key file.
///
/// # Errors
/// When others can read it, when another user owns it, when it is none, or when its passphrase is missing or
/// wrong.
pub fn read(path: &Path, passphrase: Option<&Passphrase>) -> Result<DeviceKeys, KeyFileError> {
    let (text, file) = open_text(path, FILE_BYTES_MAX)?;
    refuse_of_another(path, &file)?;
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        refuse_open_folder(folder)?;
    }
    parse(path, &text, passphrase)
}

/// Refuses a folder in which others may put, remove or rename files. A sticky one, as `/tmp`, lets nobody touch
/// the files of others; a folder that is not there is made private later.
///
/// # Errors
/// [`KeyFileError::FolderOpenToOthers`], or when it cannot be looked at.
#[cfg(unix)]
pub fn refuse_open_folder(folder: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = match std::fs::metadata(folder) {
        Ok(metadata) => metadata.mode() & 0o7777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            let path = folder.to_owned();
            return Err(KeyFileError::Io { path, source });
        }
    };
    if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        return Err(KeyFileError::FolderOpenToOthers {
            path: folder.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// Refuses a folder in which others may put, remove or rename files: elsewhere its own rights must do that.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub fn refuse_open_folder(_folder: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

/// Reads the text of a key file, or of one that says more after its two lines; what is longer than
/// `bytes_max` is left out.
///
/// # Errors
/// When it cannot be read, or others can read it.
pub fn read_text(path: &Path, bytes_max: u64) -> Result<Zeroizing<String>, KeyFileError> {
    open_text(path, bytes_max).map(|(text, _file)| text)
}

fn open_text(path: &Path, bytes_max: u64) -> Result<(Zeroizing<String>, File), KeyFileError> {
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(KeyFileError::Malformed {
            path: path.to_owned(),
            why: "it is not a regular file",
        });
    }
    let file = File::open(path).map_err(failed)?;
    refuse_readable_by_others(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    (&file)
        .take(bytes_max)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok((text, file))
}

/// Takes the keys from the text of a key file; `path` is for errors alone.
///
/// # Errors
/// When it is none, or when its passphrase is missing or wrong.
pub fn parse(
    path: &Path,
    text: &str,
    passphrase: Option<&Passphrase>,
) -> Result<DeviceKeys, KeyFileError> {
    let malformed = |why| KeyFileError::Malformed {
        path: path.to_owned(),
        why,
    };
    if text.trim().is_empty() {
        return Err(malformed("it is empty"));
    }
    let mut lines = text.lines();
    let (first, second) = (lines.next(), lines.next());
    let bytes = second
        .and_then(|line| BASE64.decode(line.trim().as_bytes()).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| malformed("the second line is not base64"))?;
    let seed = match first {
        Some(PLAIN) => bytes,
        Some(SEALED) => {
            let passphrase = passphrase.ok_or_else(|| KeyFileError::PassphraseMissing {
                path: path.to_owned(),
            })?;
            opened(&bytes, passphrase)?.ok_or_else(|| KeyFileError::PassphraseWrong {
                path: path.to_owned(),
            })?
        }
        _ => {
            return Err(malformed(
                "the first line names no format that is known here",
            ));
        }
    };
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(
        seed.as_slice()
            .try_into()
            .map_err(|_length| malformed("a key has 32 bytes"))?,
    );
    Ok(DeviceKeys::from_seed(*seed))
}

/// Reads a key file, or creates it when there is none.
///
/// # Errors
/// As [`read`] and [`create`].
pub fn read_or_create(
    path: &Path,
    passphrase: Option<&Passphrase>,
) -> Result<DeviceKeys, KeyFileError> {
    match create(path, passphrase) {
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            read(path, passphrase)
        }
        other => other,
    }
}

fn encoded(seed: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(seed))
}

fn stretched(passphrase: &Passphrase, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let parameters = argon2::Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, Some(32))
        .map_err(|_cause| KeyFileError::NoRandomness)?;
    let argon = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        parameters,
    );
    let mut key = Zeroizing::new([0; 32]);
    argon
        .hash_password_into(passphrase.0.as_bytes(), salt, &mut *key)
        .map_err(|_cause| KeyFileError::NoRandomness)?;
    Ok(key)
}

fn sealed(seed: &[u8; 32], passphrase: &Passphrase) -> Result<Vec<u8>, KeyFileError> {
    let mut random = [0; SALT_LEN_BYTES + NONCE_LEN_BYTES];
    getrandom::fill(&mut random).map_err(|_cause| KeyFileError::NoRandomness)?;
    let (salt, nonce) = random.split_at(SALT_LEN_BYTES);
    let nonce: [u8; NONCE_LEN_BYTES] = nonce
        .try_into()
        .map_err(|_length| KeyFileError::NoRandomness)?;
    let key = stretched(passphrase, salt)?;
    let body = XChaCha20Poly1305::new((&*key).into())
        .encrypt(
            &nonce.into(),
            Payload {
                msg: seed,
                aad: SEALED.as_bytes(),
            },
        )
        .map_err(|_cause| KeyFileError::NoRandomness)?;
    Ok([&random[..], &body].concat())
}

fn opened(
    bytes: &[u8],
    passphrase: &Passphrase,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
    let Some((salt, rest)) = bytes.split_at_checked(SALT_LEN_BYTES) else {
        return Ok(None);
    };
    let Some((nonce, body)) = rest.split_at_checked(NONCE_LEN_BYTES) else {
        return Ok(None);
    };
    let Ok(nonce) = <[u8; NONCE_LEN_BYTES]>::try_from(nonce) else {
        return Ok(None);
    };
    let key = stretched(passphrase, salt)?;
    let plain = XChaCha20Poly1305::new((&*key).into()).decrypt(
        &nonce.into(),
        Payload {
            msg: body,
            aad: SEALED.as_bytes(),
        },
    );
    Ok(plain.ok().map(Zeroizing::new))
}

/// Makes the entry in the folder durable too, not only the file.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
pub(crate) fn private(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn refuse_readable_by_others(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::ReadableByOthers {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// Whoever owns a file may read and change it, whatever its mode says: a program that runs as root would
/// otherwise take a key that somebody else put there. The administrator's own files are taken.
#[cfg(unix)]
fn refuse_of_another(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(KeyFileError::OwnedByAnother {
            path: path.to_owned(),
            owner,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_of_another(_path: &Path, _file: &File) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_path: &Path, _file: &File) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let keys = create(&path, None).unwrap();
        assert_eq!(read(&path, None).unwrap().author(), keys.author());
        assert!(create(&path, None).is_err());
        assert_eq!(read_or_create(&path, None).unwrap().author(), keys.author());
    }

    #[test]
    fn secrets_are_never_printed() {
        let word = "correct horse battery staple";
        let stored = crate::store::Secret(Zeroizing::new(word.as_bytes().to_vec()));
        let printed = format!("{:?} {stored:?}", Passphrase::new(word.to_owned()));
        assert!(
            !printed.contains("horse") && !printed.contains("104, 111"),
            "{printed}"
        );
    }

    #[test]
    fn a_sealed_key_file_opens_with_its_passphrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let passphrase = Passphrase::new("correct horse".to_owned());
        let keys = create(&path, Some(&passphrase)).unwrap();
        let wrong = Passphrase::new("another".to_owned());
        assert_eq!(
            read(&path, Some(&passphrase)).unwrap().author(),
            keys.author()
        );
        assert!(matches!(
            read(&path, Some(&wrong)),
            Err(KeyFileError::PassphraseWrong { .. })
        ));
        assert!(matches!(
            read(&path, None),
            Err(KeyFileError::PassphraseMissing { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a41_a_key_file_in_a_folder_that_others_can_change_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        create(&path, None).unwrap();
        for (mode, usable) in [
            (0o700, true),
            (0o755, true),
            (0o1777, true),
            (0o777, false),
            (0o720, false),
        ] {
            let rights = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path(), rights).unwrap();
            assert_eq!(read(&path, None).is_ok(), usable, "{mode:o}");
        }
    }

    /// Only the administrator can give a file away, and only a program of theirs could be given one.
    #[cfg(unix)]
    #[test]
    fn a41_a_key_file_that_another_user_owns_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        create(&path, None).unwrap();
        read(&path, None).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            let refused = read(&path, None);
            assert!(
                matches!(
                    refused,
                    Err(KeyFileError::OwnedByAnother { owner: 65_534, .. })
                ),
                "{refused:?}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a41_sealing_through_a_link_leaves_no_plain_key_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (link, elsewhere) = (
            folder.path().join("device.key"),
            folder.path().join("stick"),
        );
        std::fs::create_dir(&elsewhere).unwrap();
        let target = elsewhere.join("key");
        let keys = create(&target, None).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let passphrase = Passphrase::new("correct horse".to_owned());
        reseal(&link, &keys, Some(&passphrase)).unwrap();
        for path in [&link, &target] {
            assert!(is_sealed(path).unwrap(), "{}", path.display());
        }
        assert!(link.is_symlink());
        let again = read(&link, Some(&passphrase)).unwrap();
        assert_eq!(again.author(), keys.author());
    }

    #[cfg(unix)]
    #[test]
    fn a41_a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        create(&path, None).unwrap();
        for mode in [0o644, 0o640, 0o604] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(
                read(&path, None),
                Err(KeyFileError::ReadableByOthers { .. })
            ));
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_by_name() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "",
            "aramaki key v9\nAAAA\n",
            "aramaki key v1 plain\nnot base64!\n",
        ] {
            let path = folder.path().join("device.key");
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            private(&mut options);
            options
                .open(&path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
            assert!(matches!(
                read(&path, None),
                Err(KeyFileError::Malformed { .. })
            ));
        }
    }
}
