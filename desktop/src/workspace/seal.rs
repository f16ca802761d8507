//! How this device's key is kept: as it is, sealed by a passphrase that its person knows, or by one
//! that the keyring of this computer keeps.

use std::path::Path;

use aramaki_sync::keys::{self, Passphrase};
use aramaki_sync_core::key::DeviceKeys;

use super::keyring;
use super::profile::{Profile, key_error, key_file};
use crate::cli::CliError;

/// Random bytes of a passphrase that nobody types.
const PASSPHRASE_LEN_BYTES: usize = 32;

/// How a device's key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    /// Whoever can read the file can act as this device.
    None,
    /// By a passphrase that its person knows.
    Passphrase,
    /// By a passphrase in the keyring of this computer.
    Keyring,
}

/// How the key in a data folder is kept.
///
/// # Errors
/// When there is no workspace, or its key file cannot be used.
pub(crate) fn sealing(data: &Path) -> Result<(Profile, Seal), CliError> {
    let profile = Profile::load(data)?;
    let sealed = keys::is_sealed(&key_file(data)).map_err(|error| key_error(data, &error))?;
    let seal = match sealed {
        false => Seal::None,
        true if by_keyring(data).is_some() => Seal::Keyring,
        true => Seal::Passphrase,
    };
    Ok((profile, seal))
}

/// The keys in a data folder, if the keyring has their passphrase.
pub(super) fn by_keyring(data: &Path) -> Option<DeviceKeys> {
    let device = Profile::load(data).ok()?.device;
    let passphrase = keyring::passphrase(device)?;
    keys::read(&key_file(data), Some(&passphrase)).ok()
}

/// Seals the key by this passphrase; by one in the keyring without it. What sealed it before opens it
/// no more.
///
/// # Errors
/// When the keyring or the disk refuses; then it is kept as before.
pub(crate) fn seal(
    data: &Path,
    keys: &DeviceKeys,
    passphrase: Option<&Passphrase>,
) -> Result<(), CliError> {
    let (_profile, before) = sealing(data)?;
    let Some(passphrase) = passphrase else {
        if before == Seal::Keyring {
            return Ok(());
        }
        let random = super::random::<PASSPHRASE_LEN_BYTES>()?;
        let text = zeroize::Zeroizing::new(data_encoding::BASE64.encode(&random));
        // The keyring first: a passphrase that is nowhere opens nothing.
        keyring::keep(keys.author(), &text).map_err(|reason| CliError::Keyring { reason })?;
        return reseal(data, keys, Some(&Passphrase::new(text.to_string())));
    };
    reseal(data, keys, Some(passphrase))?;
    forget(keys, before)
}

/// Seals the key no longer.
///
/// # Errors
/// When the disk refuses; then it is kept as before.
pub(crate) fn unseal(data: &Path, keys: &DeviceKeys) -> Result<(), CliError> {
    let (_profile, before) = sealing(data)?;
    reseal(data, keys, None)?;
    forget(keys, before)
}

fn reseal(data: &Path, keys: &DeviceKeys, passphrase: Option<&Passphrase>) -> Result<(), CliError> {
    keys::reseal(&key_file(data), keys, passphrase).map_err(|error| key_error(data, &error))
}

fn forget(keys: &DeviceKeys, before: Seal) -> Result<(), CliError> {
    if before == Seal::Keyring {
        keyring::forget(keys.author()).map_err(|reason| CliError::Keyring { reason })?;
    }
    Ok(())
}
