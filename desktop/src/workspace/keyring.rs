//! The keyring of this computer, which can keep the passphrase of this device's key: Secret Service
//! on Linux, Keychain on macOS, Credential Manager on Windows.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use aramaki_sync::keys::Passphrase;
use aramaki_sync_core::AuthorId;
use keyring::v1::{Entry, Error};
use zeroize::Zeroizing;

/// What its entries are called.
const SERVICE: &str = "aramaki";
/// After this long it is said who is waited for.
const QUIET_TIME: Duration = Duration::from_secs(1);
/// A locked keyring asks the person; nobody may be there.
const LIMIT: Duration = Duration::from_mins(1);

/// The passphrase of a device's key, if the keyring has it. That there is no keyring is no error:
/// whoever asks has another way.
pub(crate) fn passphrase(device: AuthorId) -> Option<Passphrase> {
    match ask(device, |entry| entry.get_password().map(Zeroizing::new)) {
        Ok(text) => Some(Passphrase::new(text.to_string())),
        Err(reason) => {
            tracing::info!(%reason, "the keyring has no passphrase of this device's key");
            None
        }
    }
}

/// Keeps the passphrase of a device's key.
///
/// # Errors
/// Why not, in words.
pub(crate) fn keep(device: AuthorId, passphrase: &str) -> Result<(), String> {
    let passphrase = Zeroizing::new(passphrase.to_owned());
    ask(device, move |entry| entry.set_password(&passphrase))
}

/// Forgets the passphrase of a device's key.
///
/// # Errors
/// Why not, in words; none when it had none.
pub(crate) fn forget(device: AuthorId) -> Result<(), String> {
    ask(device, |entry| match entry.delete_credential() {
        Err(Error::NoEntry) => Ok(()),
        done => done,
    })
}

/// Asks on a thread of its own: it blocks, for as long as a person thinks about it.
fn ask<T, F>(device: AuthorId, question: F) -> Result<T, String>
where
    T: Send + 'static,
    F: FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
{
    let (tell, told) = mpsc::channel();
    let asked = move || {
        let entry = Entry::new(SERVICE, &device.to_string());
        drop(tell.send(entry.and_then(|entry| question(&entry))));
    };
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(asked)
        .map_err(|error| error.to_string())?;
    let mut answer = told.recv_timeout(QUIET_TIME);
    if matches!(answer, Err(RecvTimeoutError::Timeout)) {
        tracing::warn!("waiting for the keyring: unlock it if it asks");
        answer = told.recv_timeout(LIMIT);
    }
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Error::NoEntry)) => Err("it has no entry for this device".to_owned()),
        Ok(Err(Error::NoDefaultStore)) => Err("there is no keyring in this session".to_owned()),
        Ok(Err(error)) => Err(super::with_causes(&error)),
        Err(_nobody) => Err(format!("it did not answer within {} s", LIMIT.as_secs())),
    }
}
