//! Where passphrases come from: a file for programs, the terminal without echo for people.

use std::fmt;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use aramaki_sync::keys::Passphrase;

use super::CliError;
use crate::view::new_kit::KIT_PASSPHRASE_LEN_CHARS_MIN as LEN_CHARS_MIN;

const FILE_LEN_BYTES_MAX: u64 = 4_096;

/// Where a passphrase comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum PassphraseSource {
    /// Asked for, without echo; an error where there is no terminal.
    #[default]
    Terminal,
    /// The first line of a file; `-` is standard input.
    File(PathBuf),
}

/// What a passphrase seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// This device's key.
    Device,
    /// The recovery kit.
    Kit,
    /// The emergency envelope in it.
    Emergency,
}

impl Sealed {
    /// The option that names a file with its passphrase.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Device => "--passphrase-file",
            Self::Kit => "--kit-passphrase-file",
            Self::Emergency => "--emergency-passphrase-file",
        }
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device => "this device's key",
            Self::Kit => "the recovery kit",
            Self::Emergency => "the emergency envelope",
        })
    }
}

impl From<Option<&PathBuf>> for PassphraseSource {
    fn from(file: Option<&PathBuf>) -> Self {
        file.map_or(Self::Terminal, |file| Self::File(file.clone()))
    }
}

impl PassphraseSource {
    /// The passphrase of something that is sealed; `of` says of what.
    ///
    /// # Errors
    /// When the file cannot be read, or there is no terminal.
    pub(crate) fn known(&self, of: Sealed) -> Result<Passphrase, CliError> {
        let text = match self {
            Self::File(file) => first_line(file)?,
            Self::Terminal => ask(of, &format!("Passphrase of {of}: "))?,
        };
        Ok(Passphrase::new(text))
    }

    /// A new passphrase; a person types it twice.
    ///
    /// # Errors
    /// As [`PassphraseSource::known`]; also when it is too short or the second is another one than the first.
    pub(crate) fn new_one(&self, of: Sealed) -> Result<Passphrase, CliError> {
        let unusable = |reason: String| CliError::Passphrase { reason };
        let text = match self {
            Self::File(file) => first_line(file)?,
            Self::Terminal => {
                let text = ask(of, &format!("New passphrase of {of}: "))?;
                if ask(of, "Once more: ")? != text {
                    return Err(unusable(
                        "the second is another one than the first".to_owned(),
                    ));
                }
                text
            }
        };
        Self::checked(text)
    }

    /// One that was typed elsewhere.
    ///
    /// # Errors
    /// When it is too short.
    pub(crate) fn checked(text: String) -> Result<Passphrase, CliError> {
        if text.chars().count() < LEN_CHARS_MIN {
            let reason =
                format!("it is too short: at least {LEN_CHARS_MIN} characters are expected");
            return Err(CliError::Passphrase { reason });
        }
        Ok(Passphrase::new(text))
    }
}

fn first_line(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin()
            .take(FILE_LEN_BYTES_MAX)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(FILE_LEN_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|source| CliError::File {
        action: "read",
        path: file.to_owned(),
        source,
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn ask(of: Sealed, prompt: &str) -> Result<String, CliError> {
    let missing = |reason: String| CliError::PassphraseMissing { of, reason };
    if !io::stdin().is_terminal() {
        return Err(missing("there is no terminal to ask on".to_owned()));
    }
    rpassword::prompt_password(prompt).map_err(|error| missing(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line_of_its_file_and_not_too_short() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        let source = PassphraseSource::File(file.clone());
        assert!(matches!(
            source.known(Sealed::Kit),
            Err(CliError::File { .. })
        ));
        std::fs::write(&file, "twelve letters\r\nmore\n").unwrap();
        assert_eq!(first_line(&file).unwrap(), "twelve letters");
        assert!(source.new_one(Sealed::Kit).is_ok());
        std::fs::write(&file, "short\n").unwrap();
        let refused = source.new_one(Sealed::Kit).unwrap_err().message();
        assert!(refused.contains("12 characters") && !refused.contains("`short`"));
        assert!(source.known(Sealed::Kit).is_ok(), "an old one may be short");
    }
}
