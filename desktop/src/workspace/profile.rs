//! Who uses this device: kept beside the store, readable by its owner alone.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aramaki_sync::keys::{self, KeyFileError, Passphrase};
use aramaki_sync::replica::ReplicaError;
use aramaki_sync::store::{Folder, RedbStore, StoreError};
use aramaki_sync::text_file;
use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::{AuthorId, PrincipalId, SpaceId};
use serde::{Deserialize, Serialize};

use super::recovery::RecoveryKit;
use crate::cli::{CliError, PassphraseSource, Sealed};

const PROFILE_FILE: &str = "profile.toml";
const PROFILE_LEN_BYTES_MAX: u64 = 64 * 1024;
const KEY_FILE: &str = "device.key";
/// The folder of the replica's store, inside the data folder.
const STORE_FOLDER: &str = "store";

/// Who uses this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// What others see beside what this person does.
    pub(crate) name: String,
    /// The device's signing key.
    pub(crate) device: AuthorId,
    /// The person behind the device, the same on all their devices.
    pub(crate) principal: PrincipalId,
    /// The key that stands above all devices, if there is a recovery kit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) anchor: Option<Anchor>,
    /// The key of the emergency envelope in that kit, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) emergency: Option<Anchor>,
    /// The Space that the person's own devices share, if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<SpaceId>,
}

/// The public half of a key in the recovery kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    /// Its signing key.
    pub(crate) author: AuthorId,
    /// Its box key.
    pub(crate) box_key: [u8; 32],
}

impl From<Anchor> for PublicKeys {
    fn from(anchor: Anchor) -> Self {
        Self {
            author: anchor.author,
            box_key: anchor.box_key,
        }
    }
}

impl From<PublicKeys> for Anchor {
    fn from(keys: PublicKeys) -> Self {
        Self {
            author: keys.author,
            box_key: keys.box_key,
        }
    }
}

/// The profile in a data folder, if there is a workspace.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn profile_of(data: &Path) -> Result<Option<Profile>, CliError> {
    match Profile::load(data) {
        Err(CliError::NoWorkspace { .. }) => Ok(None),
        loaded => loaded.map(Some),
    }
}

impl Profile {
    /// Reads the profile in a data folder.
    ///
    /// # Errors
    /// [`CliError::NoWorkspace`] when there is none.
    pub(crate) fn load(data: &Path) -> Result<Self, CliError> {
        let path = data.join(PROFILE_FILE);
        let text = match text_file::read(&path, PROFILE_LEN_BYTES_MAX) {
            Err(error) if error.is_not_found() => {
                return Err(CliError::NoWorkspace {
                    data: data.to_owned(),
                });
            }
            read => read?,
        };
        toml::from_str(&text).map_err(|error| CliError::Config {
            file: path,
            line: None,
            message: error.message().to_owned(),
        })
    }

    /// Writes it into a data folder; a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn save(&self, data: &Path) -> Result<(), CliError> {
        let path = data.join(PROFILE_FILE);
        let text = toml::to_string(self).map_err(|error| CliError::Bug(error.to_string()))?;
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(data)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            fs::File::open(data)?.sync_all()
        };
        write().map_err(|source| CliError::File {
            action: "write",
            path: path.clone(),
            source,
        })
    }
}

/// Makes a workspace in a folder that has none.
///
/// # Errors
/// When there is one already, or the disk refuses.
pub(crate) fn create(
    data: &Path,
    name: &str,
    kit: Option<&RecoveryKit>,
    passphrase: Option<&Passphrase>,
) -> Result<Profile, CliError> {
    refuse_existing(data)?;
    private_folder(data)?;
    let drawn = kit.map(RecoveryKit::write).transpose()?;
    let keys =
        keys::create(&key_file(data), passphrase).map_err(|error| key_error(data, &error))?;
    // Before the profile: a workspace without a store is one that lost it.
    Folder::open(&store(data))
        .and_then(|folder| RedbStore::open(folder, &keys))
        .map_err(|error| store_error(data, &error.into()))?;
    let principal = keys::random_seed().map_err(|error| key_error(data, &error))?;
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&principal[..16]);
    let profile = Profile {
        name: name.to_owned(),
        device: keys.author(),
        principal: PrincipalId::from_bytes(bytes),
        anchor: drawn.map(|it| it.anchor),
        emergency: drawn.map(|it| it.emergency),
        home: None,
    };
    profile.save(data)?;
    Ok(profile)
}

/// Reads this device's keys; the passphrase is asked for only if they are sealed.
///
/// # Errors
/// When the file is missing, readable by others, none of ours, or does not open.
pub(crate) fn device_keys(
    data: &Path,
    passphrase: &PassphraseSource,
) -> Result<DeviceKeys, CliError> {
    let file = key_file(data);
    let read = match keys::read(&file, None) {
        Err(KeyFileError::PassphraseMissing { .. }) => {
            if *passphrase == PassphraseSource::Terminal
                && let Some(keys) = super::seal::by_keyring(data)
            {
                return Ok(keys);
            }
            let passphrase = passphrase.known(Sealed::Device)?;
            keys::read(&file, Some(&passphrase))
        }
        read => read,
    };
    read.map_err(|error| key_error(data, &error))
}

/// Refuses a folder with a workspace: what is there is never overwritten.
///
/// # Errors
/// [`CliError::WorkspaceExists`].
pub(crate) fn refuse_existing(data: &Path) -> Result<(), CliError> {
    if data.join(PROFILE_FILE).exists() || key_file(data).exists() || store(data).exists() {
        return Err(CliError::WorkspaceExists {
            data: data.to_owned(),
        });
    }
    Ok(())
}

/// The key file of a data folder.
pub(super) fn key_file(data: &Path) -> PathBuf {
    data.join(KEY_FILE)
}

/// The store of a data folder.
pub(crate) fn store(data: &Path) -> PathBuf {
    data.join(STORE_FOLDER)
}

/// Refuses a workspace whose store is gone: to begin an empty one would look as if nothing had ever
/// been written.
///
/// # Errors
/// [`CliError::Store`].
pub(crate) fn refuse_lost(data: &Path) -> Result<(), CliError> {
    let store = store(data);
    if Folder::is_used(&store) {
        return Ok(());
    }
    Err(CliError::Store {
        data: data.to_owned(),
        reason: format!("{} is missing, or there is no store in it", store.display()),
        hint: "bring the folder back, or `aramaki restore` a backup into another --data; keep \
               device.key: it says who this device is",
    })
}

/// Makes a folder that only its owner enters.
pub(super) fn private_folder(folder: &Path) -> Result<(), CliError> {
    keys::refuse_open_folder(folder).map_err(|error| key_error(folder, &error))?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| CliError::File {
        action: "make",
        path: folder.to_owned(),
        source,
    })
}

/// A key file's error as a verb says it.
pub(super) fn key_error(data: &Path, error: &KeyFileError) -> CliError {
    if matches!(error, KeyFileError::PassphraseWrong { .. }) {
        return CliError::PassphraseWrong { of: Sealed::Device };
    }
    if let KeyFileError::FolderOpenToOthers { .. } | KeyFileError::OwnedByAnother { .. } = error {
        return CliError::Store {
            data: data.to_owned(),
            reason: with_causes(error),
            hint: "look first whether what is in the folder is yours: others could have put it there",
        };
    }
    CliError::Store {
        data: data.to_owned(),
        reason: with_causes(error),
        hint: "the message names the key file; keep a copy before you change anything",
    }
}

/// A store's error as a verb says it, with what helps against just that.
pub(super) fn store_error(data: &Path, error: &ReplicaError) -> CliError {
    if matches!(error, ReplicaError::Store(StoreError::InUse { .. })) {
        return CliError::InUse {
            data: data.to_owned(),
            reason: with_causes(error),
        };
    }
    let hint = match error {
        ReplicaError::Store(StoreError::Io { source, .. })
            if source.kind() == io::ErrorKind::PermissionDenied
                || source.kind() == io::ErrorKind::ReadOnlyFilesystem =>
        {
            "this user may not write there: check who owns the folder, and its permissions"
        }
        ReplicaError::Store(StoreError::Newer { .. }) => {
            "install the newer version; nothing was changed"
        }
        ReplicaError::Store(StoreError::Full) => "make room on the disk",
        ReplicaError::Store(StoreError::Foreign { .. }) => {
            "this store goes with another key: put store and key of one backup together"
        }
        ReplicaError::Transport(_) => "check `[network] bind` in the configuration",
        _ => "keep the folder as it is and restore a backup beside it",
    };
    CliError::Store {
        data: data.to_owned(),
        reason: with_causes(error),
        hint,
    }
}

/// An error and everything behind it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_reads_back_and_is_never_made_twice() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let made = create(&data, "duty operator", None, None).unwrap();
        assert_eq!(Profile::load(&data).unwrap(), made);
        refuse_lost(&data).unwrap();
        let nobody = PassphraseSource::File(data.join("none"));
        assert_eq!(device_keys(&data, &nobody).unwrap().author(), made.device);
        assert!(matches!(
            create(&data, "x", None, None),
            Err(CliError::WorkspaceExists { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_enters_the_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        create(&data, "duty operator", None, None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join(PROFILE_FILE)), 0o600);
    }

    #[test]
    fn an_empty_folder_has_no_workspace() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Profile::load(folder.path()),
            Err(CliError::NoWorkspace { .. })
        ));
    }
}
