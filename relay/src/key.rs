//! Where the relay's key comes from: its data folder, a named file, or a systemd credential.

use std::io;
use std::path::Path;

use aramaki_sync::keys::{self, KeyFileError};
use aramaki_sync_core::key::DeviceKeys;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::error::RelayError;

/// The key file in the data folder.
const KEY_FILE_NAME: &str = "device.key";
/// First line of a key file without a passphrase; the seed in base64 follows.
const KEY_FILE_PLAIN: &str = "aramaki key v1 plain";

/// Reads the named key, or reads (at first start: creates) the one in the data folder.
///
/// # Errors
/// When a file cannot be read, is readable by others, or is no key.
pub(crate) fn open(data: &Path, named: Option<&Path>) -> Result<DeviceKeys, RelayError> {
    if let Some(path) = named {
        return Ok(read_named(path)?);
    }
    create_folder(data).map_err(|cause| RelayError::Data {
        path: data.to_owned(),
        cause,
    })?;
    Ok(keys::read_or_create(&data.join(KEY_FILE_NAME), None)?)
}

/// Whether a key was made in the data folder.
pub(crate) fn is_there(data: &Path) -> bool {
    data.join(KEY_FILE_NAME).exists()
}

/// systemd lets a service's user read a credential through an access list, whose mask the permission
/// bits show as group-readable although no group can read the file.
fn read_named(path: &Path) -> Result<DeviceKeys, KeyFileError> {
    match keys::read(path, None) {
        Err(KeyFileError::ReadableByOthers { mode: 0o440, .. })
            if is_credential(path, std::env::var_os("CREDENTIALS_DIRECTORY").as_deref()) =>
        {
            read_credential(path)
        }
        other => other,
    }
}

fn is_credential(path: &Path, credentials: Option<&std::ffi::OsStr>) -> bool {
    credentials.is_some_and(|folder| path.parent() == Some(Path::new(folder)))
}

fn read_credential(path: &Path) -> Result<DeviceKeys, KeyFileError> {
    let malformed = || KeyFileError::Malformed {
        path: path.to_owned(),
        why: "a credential is a key file without a passphrase",
    };
    let text = std::fs::read_to_string(path).map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    let text = Zeroizing::new(text);
    let seed = text
        .strip_prefix(KEY_FILE_PLAIN)
        .and_then(|rest| BASE64.decode(rest.trim().as_bytes()).ok())
        .map(Zeroizing::new)
        .ok_or_else(malformed)?;
    let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_length| malformed())?;
    Ok(DeviceKeys::from_seed(seed))
}

fn create_folder(data: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(data)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn first_start_makes_a_key_and_the_next_one_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("relay");
        let first = open(&data, None).unwrap();
        assert_eq!(open(&data, None).unwrap().author(), first.author());
        let named = open(&data, Some(&data.join(KEY_FILE_NAME))).unwrap();
        assert_eq!(named.author(), first.author());
    }

    #[test]
    fn named_key_that_is_missing_is_not_invented() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("relay.key");
        assert!(open(folder.path(), Some(&named)).is_err());
        assert!(!named.exists());
    }

    #[test]
    fn credential_reads_as_the_key_file_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.key");
        let keys = keys::create(&path, None).unwrap();
        assert_eq!(read_credential(&path).unwrap().author(), keys.author());
        assert!(is_credential(&path, Some(folder.path().as_os_str())));
        assert!(!is_credential(&path, Some(OsStr::new("/run/credentials"))));
        assert!(!is_credential(&path, None));
    }
}
