//! The recovery kit: the anchor key, sealed by a passphrase in a file that is kept offline.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use aramaki_sync::keys::{self, Passphrase};

use super::profile::{Anchor, key_error};
use crate::cli::CliError;

const PASSPHRASE_LEN_CHARS_MIN: usize = 12;
const PASSPHRASE_FILE_BYTES_MAX: u64 = 4_096;

/// A kit about to be written.
#[derive(Debug)]
pub(crate) struct RecoveryKit {
    file: PathBuf,
    passphrase: Passphrase,
}

impl RecoveryKit {
    /// Reads the passphrase and refuses a file that exists.
    ///
    /// # Errors
    /// When the passphrase is too short or the file is there already.
    pub(crate) fn prepare(file: &Path, passphrase: &Path) -> Result<Self, CliError> {
        let failed = |action, path: &Path, source| CliError::File {
            action,
            path: path.to_owned(),
            source,
        };
        if file.exists() {
            let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(failed("make", file, exists));
        }
        let mut text = String::new();
        let read = if passphrase == Path::new("-") {
            std::io::stdin()
                .take(PASSPHRASE_FILE_BYTES_MAX)
                .read_to_string(&mut text)
        } else {
            std::fs::File::open(passphrase).and_then(|file| {
                file.take(PASSPHRASE_FILE_BYTES_MAX)
                    .read_to_string(&mut text)
            })
        };
        read.map_err(|source| failed("read", passphrase, source))?;
        let first = text.lines().next().unwrap_or_default().to_owned();
        if first.chars().count() < PASSPHRASE_LEN_CHARS_MIN {
            return Err(CliError::Setting {
                what: "passphrase",
                value: "<secret>".to_owned(),
                reason: format!("at least {PASSPHRASE_LEN_CHARS_MIN} characters are expected"),
            });
        }
        Ok(Self {
            file: file.to_owned(),
            passphrase: Passphrase::new(first),
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
        let kit = RecoveryKit::prepare(&file, &passphrase).unwrap();
        let anchor = kit.write().unwrap();
        let opened = keys::read(&file, Some(&Passphrase::new("twelve letters".to_owned())));
        assert_eq!(opened.unwrap().author(), anchor.author);
        assert!(RecoveryKit::prepare(&file, &passphrase).is_err());
    }

    #[test]
    fn a_short_passphrase_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = folder.path().join("passphrase");
        std::fs::write(&passphrase, "short\n").unwrap();
        let refused = RecoveryKit::prepare(&folder.path().join("kit"), &passphrase).unwrap_err();
        assert!(!refused.message().contains("short\n") && refused.message().contains("<secret>"));
    }
}
