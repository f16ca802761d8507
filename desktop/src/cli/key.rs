//! `aramaki key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Config, PassphraseSource, Report, Sealed};
use crate::workspace::{self, Seal};

/// How this device's key is kept: as it is, by a passphrase, or by this computer's keyring.
///
/// Whoever can read a key that is not sealed can act as this device. A sealed one needs its passphrase
/// at every start; in the keyring it is given by your desktop session while that is unlocked.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    Show(Show),
    Seal(SealKey),
    Unseal(Unseal),
}

/// Say how it is kept.
#[derive(Debug, Args)]
pub(crate) struct Show {}

/// Seal it, or seal it by another passphrase.
///
/// --passphrase-file, or the terminal, gives the passphrase that it has now.
#[derive(Debug, Args)]
#[command(name = "seal")]
pub(crate) struct SealKey {
    /// By a random passphrase that the keyring of this computer keeps.
    #[arg(long, conflicts_with = "new_passphrase_file")]
    keyring: bool,
    /// A file whose first line is the new passphrase, of at least 12 characters; `-` is standard
    /// input. Without it a terminal is asked.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

/// Seal it no longer.
#[derive(Debug, Args)]
pub(crate) struct Unseal {}

impl Key {
    /// Does what was asked; the store stays closed, so this works while the app runs.
    pub(crate) fn run(&self, config: &Config) -> Result<Report, CliError> {
        let data = &config.data;
        match self {
            Self::Show(Show {}) => {}
            Self::Seal(seal) => {
                let new = (!seal.keyring)
                    .then(|| PassphraseSource::from(seal.new_passphrase_file.as_ref()));
                let keys = workspace::device_keys(data, &config.passphrase)?;
                let new = new.map(|new| new.new_one(Sealed::Device)).transpose();
                let new = new.map_err(|error| match error {
                    CliError::PassphraseMissing { .. } => CliError::Usage(
                        "there is no terminal to ask for the new passphrase on: name a file with \
                         --new-passphrase-file FILE"
                            .to_owned(),
                    ),
                    error => error,
                })?;
                workspace::seal(data, &keys, new.as_ref())?;
            }
            Self::Unseal(Unseal {}) => {
                let keys = workspace::device_keys(data, &config.passphrase)?;
                workspace::unseal(data, &keys)?;
            }
        }
        let (profile, seal) = workspace::sealing(data)?;
        let (word, text) = match seal {
            Seal::None => (
                "no",
                "is not sealed: whoever can read its file can act as this device",
            ),
            Seal::Passphrase => ("passphrase", "is sealed by a passphrase"),
            Seal::Keyring => (
                "keyring",
                "is sealed by a passphrase that this computer's keyring keeps: a backup opens \
                 nowhere else, the recovery kit does",
            ),
        };
        Ok(Report::new(
            format!(
                "The key of this device, {}, {text}.",
                profile.device.short()
            ),
            &json!({"device": profile.device.to_string(), "sealed": word}),
        ))
    }
}
