//! A key that a service is given: a named file, or a systemd credential (TRUST §8).

use std::ffi::OsStr;
use std::path::Path;

use aramaki_sync_core::key::DeviceKeys;
use zeroize::Zeroizing;

use crate::keys::{self, KeyFileError};

/// Where systemd says that a service's credentials are.
const FOLDER_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// A key file is shorter.
const FILE_BYTES_MAX: u64 = 4 << 10;

/// Reads a key file that was named, which must be there: another key than the one that was meant is
/// never made in its stead.
///
/// # Errors
/// As [`keys::read`].
pub fn read_named(path: &Path) -> Result<DeviceKeys, KeyFileError> {
    let folder = std::env::var_os(FOLDER_VARIABLE);
    if is_credential(path, folder.as_deref()) {
        return read_credential(path);
    }
    keys::read(path, None)
}

/// systemd lets a service's user read a credential through an access list, whose mask the permission
/// bits show as group-readable although no group can read the file; its owner is root.
fn read_credential(path: &Path) -> Result<DeviceKeys, KeyFileError> {
    use std::io::Read as _;
    let failed = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bounded = file.take(FILE_BYTES_MAX);
    bounded.read_to_string(&mut text).map_err(failed)?;
    keys::parse(path, &text, None)
}

fn is_credential(path: &Path, folder: Option<&OsStr>) -> bool {
    folder.is_some_and(|folder| path.parent() == Some(Path::new(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_reads_as_the_key_file_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.key");
        let keys = keys::create(&path, None).unwrap();
        assert_eq!(read_credential(&path).unwrap().author(), keys.author());
        assert!(is_credential(&path, Some(folder.path().as_os_str())));
        assert!(!is_credential(&path, Some(OsStr::new("/run/credentials"))));
        assert!(!is_credential(&path, None));
    }

    #[test]
    fn a_named_key_that_is_missing_is_not_invented() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("relay.key");
        assert!(read_named(&named).is_err());
        assert!(!named.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_named_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("agent.key");
        keys::create(&named, None).unwrap();
        std::fs::set_permissions(&named, std::fs::Permissions::from_mode(0o440)).unwrap();
        let refused = read_named(&named);
        assert!(matches!(
            refused,
            Err(KeyFileError::ReadableByOthers { .. })
        ));
    }
}
