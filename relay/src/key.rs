//! Where the relay's key comes from: its data folder, a named file, or a systemd credential.

use std::io;
use std::path::Path;

use aramaki_sync::{credential, keys};
use aramaki_sync_core::key::DeviceKeys;

use crate::error::RelayError;

/// The key file in the data folder.
const KEY_FILE_NAME: &str = "device.key";

/// Reads the named key, or reads (at first start: creates) the one in the data folder.
///
/// # Errors
/// When a file cannot be read, is readable by others, or is no key.
pub(crate) fn open(data: &Path, named: Option<&Path>) -> Result<DeviceKeys, RelayError> {
    if let Some(path) = named {
        return Ok(credential::read_named(path)?);
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
}
