//! The recovery kit: the anchor key, sealed by a passphrase in a file that is kept offline.

use std::path::{Path, PathBuf};

use aramaki_sync::keys::{self, Passphrase};

use super::profile::{Anchor, key_error};
use crate::cli::{CliError, PassphraseSource};

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
                source: std::io::Error::from(std::io::ErrorKind::AlreadyExists),
            });
        }
        Ok(Self {
            file: file.to_owned(),
            passphrase: passphrase.new_one("the recovery kit")?,
        })
    }

    /// Draws the anchor key and writes it, sealed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&self) -> Result<Anchor, CliError> {
        let keys = keys::create(&self.file, Some(&self.passphrase))
            .map_err(|error| key_error(&self.file, &error))?;
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
        let opened = keys::read(&file, Some(&Passphrase::new("twelve letters".to_owned())));
        assert_eq!(opened.unwrap().author(), anchor.author);
        assert!(RecoveryKit::prepare(&file, &passphrase).is_err());
    }
}
