//! The recovery kit: the anchor key, sealed by a passphrase in a file that is kept offline, and where
//! its Spaces are kept.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aramaki_sync::keys::{self, KeyFileError, Passphrase};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, SpaceId};
use zeroize::Zeroizing;

use super::live::Live;
use super::profile::{Anchor, key_error, with_causes};
use crate::cli::{CliError, PassphraseSource, Sealed};

const KIT_LEN_BYTES_MAX: u64 = 1 << 20;
/// The first two lines are a sealed key, as in every key file.
const KEY_LINES: usize = 2;
const CHECK_WORD: &str = "check ";
const CHECK_LEN_CHARS: usize = 16;

/// A kit about to be written.
#[derive(Debug)]
pub(crate) struct RecoveryKit {
    file: PathBuf,
    passphrase: Passphrase,
}

impl RecoveryKit {
    /// Takes the passphrase and refuses a file that exists.
    ///
    /// # Errors
    /// When the passphrase is too short or the file is there already.
    pub(crate) fn prepare(file: &Path, passphrase: &PassphraseSource) -> Result<Self, CliError> {
        if file.exists() {
            return Err(CliError::File {
                action: "make",
                path: file.to_owned(),
                source: io::Error::from(io::ErrorKind::AlreadyExists),
            });
        }
        let folder = folder_of(file);
        if !folder.is_dir() {
            return Err(CliError::File {
                action: "write to",
                path: folder.to_owned(),
                source: io::Error::from(io::ErrorKind::NotFound),
            });
        }
        Ok(Self {
            file: file.to_owned(),
            passphrase: passphrase.new_one(Sealed::Kit)?,
        })
    }

    /// Draws the anchor key and writes it, sealed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&self) -> Result<Anchor, CliError> {
        let keys = keys::create(&self.file, Some(&self.passphrase))
            .map_err(|error| key_error(&self.file, &error))?;
        let kit = KitText {
            key: read(&self.file)?.trim_end().to_owned(),
            anchor: Some(keys.author()),
            relays: Vec::new(),
            spaces: Vec::new(),
        };
        kit.replace(&self.file)?;
        Ok(Anchor {
            author: keys.author(),
            box_key: keys.box_public(),
        })
    }

    /// Where it is written.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// What a kit says. Only the key is secret, and sealed.
#[derive(Debug)]
pub(crate) struct KitText {
    key: String,
    /// Whose kit it is, to know it without its passphrase.
    pub(crate) anchor: Option<AuthorId>,
    /// Where to look for its Spaces.
    pub(crate) relays: Vec<PeerAddress>,
    /// Which Spaces there were when it was written last.
    pub(crate) spaces: Vec<SpaceId>,
}

impl KitText {
    /// A kit without a key in it: that is at hand otherwise.
    pub(super) fn of(anchor: AuthorId) -> Self {
        Self {
            key: String::new(),
            anchor: Some(anchor),
            relays: Vec::new(),
            spaces: Vec::new(),
        }
    }

    /// Reads a kit; `-` is standard input.
    ///
    /// # Errors
    /// When others can read the file, or it is no kit.
    pub(crate) fn read(file: &Path) -> Result<Self, CliError> {
        if file != Path::new("-") {
            return Self::parse(file, &read(file)?);
        }
        let mut text = String::new();
        let read = io::stdin()
            .take(KIT_LEN_BYTES_MAX)
            .read_to_string(&mut text);
        read.map_err(|source| CliError::File {
            action: "read",
            path: PathBuf::from("standard input"),
            source,
        })?;
        Self::parse(file, &text)
    }

    /// The last line is a checksum of all before: a kit that lay in a drawer for years says that it is
    /// damaged, instead of refusing the right passphrase or naming no relay.
    fn parse(file: &Path, text: &str) -> Result<Self, CliError> {
        Self::parse_lines(file, &checked(file, text)?)
    }

    fn parse_lines(file: &Path, lines: &[&str]) -> Result<Self, CliError> {
        let key: Vec<&str> = lines.iter().take(KEY_LINES).copied().collect();
        let mut kit = Self {
            key: key.join("\n"),
            anchor: None,
            relays: Vec::new(),
            spaces: Vec::new(),
        };
        for (at, line) in lines.iter().enumerate().skip(KEY_LINES) {
            if line.trim().is_empty() {
                continue;
            }
            let (word, value) = line.trim().split_once(' ').unwrap_or((line, ""));
            let taken = match word {
                "anchor" => value.parse().map(|it| kit.anchor = Some(it)).is_ok(),
                "relay" => value.parse().map(|it| kit.relays.push(it)).is_ok(),
                "space" => value.parse().map(|it| kit.spaces.push(it)).is_ok(),
                // A newer program may say more.
                _ => true,
            };
            if !taken {
                let reason = format!("its line {} cannot be read", at + 1);
                return Err(unusable(file, reason));
            }
        }
        Ok(kit)
    }

    /// Opens the key.
    ///
    /// # Errors
    /// When it is none, or the passphrase is missing or wrong.
    pub(crate) fn open(
        &self,
        file: &Path,
        passphrase: &PassphraseSource,
    ) -> Result<DeviceKeys, CliError> {
        let opened = match keys::parse(file, &self.key, None) {
            Err(KeyFileError::PassphraseMissing { .. }) => {
                let passphrase = passphrase.known(Sealed::Kit)?;
                keys::parse(file, &self.key, Some(&passphrase))
            }
            opened => opened,
        };
        opened.map_err(|error| match error {
            KeyFileError::PassphraseWrong { .. } => CliError::PassphraseWrong { of: Sealed::Kit },
            // Whoever names another file is not helped by a word about its owner.
            _ if !begins_as_kit(file) => unusable(file, "it is no kit".to_owned()),
            other => unusable(file, with_causes(&other)),
        })
    }

    /// Writes it in place of what is there: whole, or not at all; readable by its owner alone.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn replace(&self, file: &Path) -> Result<(), CliError> {
        let lines = std::iter::once(self.key.clone())
            .chain(self.anchor.iter().map(|it| format!("anchor {it}")))
            .chain(self.relays.iter().map(|it| format!("relay {it}")))
            .chain(self.spaces.iter().map(|it| format!("space {it}")));
        let text: String = lines.map(|line| line + "\n").collect();
        write(file, text, |new| {
            new.persist(file).map(drop).map_err(|error| error.error)
        })
    }
}

/// Lines without the last, which is a checksum of all before.
fn checked<'a>(file: &Path, text: &'a str) -> Result<Vec<&'a str>, CliError> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let last = lines.iter().rposition(|line| !line.is_empty());
    let sum = last.and_then(|at| lines.get(at)?.strip_prefix(CHECK_WORD));
    let (Some(last), Some(sum)) = (last, sum) else {
        return Err(unusable(
            file,
            "it is no kit, or its end is missing".to_owned(),
        ));
    };
    lines.truncate(last);
    if sum.trim() != checksum(&lines) {
        let reason = "it is damaged: its checksum is another one".to_owned();
        return Err(unusable(file, reason));
    }
    Ok(lines)
}

/// Reads lines that only their owner can read, and whose checksum is right.
pub(super) fn read_checked(file: &Path) -> Result<Vec<String>, CliError> {
    let text = read(file)?;
    let lines = checked(file, &text)?;
    Ok(lines.into_iter().map(str::to_owned).collect())
}

/// Writes lines and their checksum into a new file that only its owner can read.
pub(super) fn write_checked(file: &Path, lines: &[String]) -> Result<(), CliError> {
    write(file, lines.join("\n") + "\n", |new| {
        let kept = new.persist_noclobber(file);
        kept.map(drop).map_err(|error| error.error)
    })
}

fn write(
    file: &Path,
    mut text: String,
    keep: impl FnOnce(tempfile::NamedTempFile) -> io::Result<()>,
) -> Result<(), CliError> {
    let sum = checksum(&text.lines().collect::<Vec<_>>());
    text.extend([CHECK_WORD, &sum, "\n"]);
    let text = Zeroizing::new(text);
    let folder = folder_of(file);
    let write = || -> io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        keep(new)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| CliError::File {
        action: "write",
        path: file.to_owned(),
        source,
    })
}

/// Of lines without what ends them, which mail and editors change.
fn checksum(lines: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(CHECK_LEN_CHARS);
    hex
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// What a kit names after it was brought up to date.
#[derive(Debug)]
pub(crate) struct KitNamed {
    /// The Spaces that it can recover.
    pub(crate) spaces: Vec<SpaceId>,
    /// Where they are kept.
    pub(crate) relays: Vec<PeerAddress>,
    /// Those that no relay keeps.
    pub(crate) unrelayed: Vec<SpaceId>,
}

impl Live {
    /// Names the Spaces and relays of now in a kit.
    ///
    /// # Errors
    /// When it is another workspace's, cannot be read, or the disk refuses.
    pub(crate) async fn renew_kit(&self, file: &Path) -> Result<KitNamed, CliError> {
        let mut kit = KitText::read(file)?;
        let Some(anchor) = self
            .profile()
            .anchor
            .filter(|it| kit.anchor == Some(it.author))
        else {
            let reason = "it is not the kit of this workspace".to_owned();
            return Err(unusable(file, reason));
        };
        let mut spaces = self.spaces().await;
        spaces.retain(|space| {
            let mut members = space.members.iter();
            members.any(|it| it.author == anchor.author && it.capability == Capability::Administer)
        });
        let unrelayed = spaces.iter().filter(|space| space.relays.is_empty());
        let unrelayed = unrelayed.map(|space| space.id).collect();
        kit.spaces = spaces.iter().map(|space| space.id).collect();
        kit.relays.clear();
        for relay in spaces.iter().flat_map(|space| &space.relays) {
            let address = PeerAddress::from(relay);
            if !kit.relays.contains(&address) {
                kit.relays.push(address);
            }
        }
        kit.replace(file)?;
        Ok(KitNamed {
            spaces: kit.spaces,
            relays: kit.relays,
            unrelayed,
        })
    }
}

/// A kit that cannot be used, and why.
pub(super) fn unusable(file: &Path, reason: String) -> CliError {
    CliError::Kit {
        file: file.to_owned(),
        reason,
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    let read = keys::read_text(file, KIT_LEN_BYTES_MAX);
    read.map(|text| text.to_string())
        .map_err(|error| match error {
            KeyFileError::Io { source, .. } => CliError::File {
                action: "read",
                path: file.to_owned(),
                source,
            },
            other => unusable(file, with_causes(&other)),
        })
}

fn begins_as_kit(file: &Path) -> bool {
    let mut begin = [0; b"aramaki ".len()];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *b"aramaki "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_opens_with_its_passphrase_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, passphrase) = (folder.path().join("kit"), folder.path().join("passphrase"));
        std::fs::write(&passphrase, "twelve letters\n").unwrap();
        let passphrase = PassphraseSource::File(passphrase);
        let kit = RecoveryKit::prepare(&file, &passphrase).unwrap();
        let anchor = kit.write().unwrap();
        let read = KitText::read(&file).unwrap();
        assert_eq!(read.anchor, Some(anchor.author));
        let opened = read.open(&file, &passphrase).unwrap();
        assert_eq!(opened.author(), anchor.author);
        assert!(RecoveryKit::prepare(&file, &passphrase).is_err());
    }

    #[test]
    fn what_a_kit_names_reads_back_and_damage_is_told_from_a_wrong_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kit");
        let keys = keys::create(&file, None).unwrap();
        let relay = format!("{}@127.0.0.1:7410", keys.author());
        let kit = KitText {
            key: std::fs::read_to_string(&file)
                .unwrap()
                .trim_end()
                .to_owned(),
            anchor: Some(keys.author()),
            relays: vec![relay.parse().unwrap()],
            spaces: vec![SpaceId::from_bytes([7; 32])],
        };
        kit.replace(&file).unwrap();
        let read = KitText::read(&file).unwrap();
        assert_eq!((&read.relays, &read.spaces), (&kit.relays, &kit.spaces));
        let opened = read.open(&file, &PassphraseSource::Terminal).unwrap();
        assert_eq!(opened.author(), keys.author());

        let text = std::fs::read_to_string(&file).unwrap();
        let mailed = text.replace('\n', "\r\n") + "\r\n";
        assert!(KitText::parse(&file, &mailed).is_ok());
        let reason = |text: &str| KitText::parse(&file, text).unwrap_err().message();
        // All but the last line's end.
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let damaged = String::from_utf8(bytes).unwrap();
            let said = reason(&damaged);
            assert!(
                said.contains("damaged") || said.contains("end is missing"),
                "{said}"
            );
            let cut = reason(&text[..at]);
            assert!(
                cut.contains("end is missing") || cut.contains("damaged"),
                "{cut}"
            );
        }
        let lines = [kit.key.as_str(), "space here"].join("\n");
        let lines: Vec<&str> = lines.lines().collect();
        let error = KitText::parse_lines(&file, &lines).unwrap_err();
        assert!(error.message().contains("line 3"), "{}", error.message());
    }
}
