//! Text files that people write, read whole and never without bound: configurations, checks, notes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a text file is not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextFileError {
    /// The operating system refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A pipe, a device or a folder: opening or reading it could wait for ever.
    #[error("{} is not a regular file", path.display())]
    NotRegular {
        /// Which file.
        path: PathBuf,
    },
    /// Reading stopped at the limit.
    #[error("{} is larger than {bytes_max} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// What is read at most.
        bytes_max: u64,
    },
    /// Not text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
    },
}

impl TextFileError {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a regular file of at most `bytes_max` bytes. What it is, is asked before it is opened: to open
/// a pipe waits for its writer.
///
/// # Errors
/// When it cannot be read, is no regular file, is longer, or is no UTF-8.
pub fn read(path: &Path, bytes_max: u64) -> Result<String, TextFileError> {
    as_text(path, read_bytes(path, bytes_max)?)
}

/// Reads a file that may be left out: none if it is not there.
///
/// # Errors
/// As [`read`], except for a file that does not exist.
pub fn read_if_there(path: &Path, bytes_max: u64) -> Result<Option<String>, TextFileError> {
    match read(path, bytes_max) {
        Err(error) if error.is_not_found() => Ok(None),
        read => read.map(Some),
    }
}

/// As [`read`] for what is text to people and bytes to programs, such as certificates.
///
/// # Errors
/// When it cannot be read, is no regular file, or is longer.
pub fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, TextFileError> {
    let failed = |source| TextFileError::Io {
        path: path.to_owned(),
        source,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(TextFileError::NotRegular {
            path: path.to_owned(),
        });
    }
    bounded(path, File::open(path).map_err(failed)?, bytes_max)
}

/// Reads at most `bytes_max` bytes of a stream to its end; `path` is what it is called in errors.
///
/// # Errors
/// When it cannot be read, is longer, or is no UTF-8.
pub fn read_stream(
    path: &Path,
    stream: impl Read,
    bytes_max: u64,
) -> Result<String, TextFileError> {
    as_text(path, bounded(path, stream, bytes_max)?)
}

/// A device has no length and no end: what is read is bounded, not what is said of it.
fn bounded(path: &Path, stream: impl Read, bytes_max: u64) -> Result<Vec<u8>, TextFileError> {
    let path = path.to_owned();
    let mut bytes = Vec::new();
    let read = stream
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes);
    if let Err(source) = read {
        return Err(TextFileError::Io { path, source });
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(TextFileError::TooLarge { path, bytes_max });
    }
    Ok(bytes)
}

fn as_text(path: &Path, bytes: Vec<u8>) -> Result<String, TextFileError> {
    String::from_utf8(bytes).map_err(|_not_text| TextFileError::NotText {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        read(path, 4).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        assert!(read(&path, 4).unwrap_err().is_not_found());
        assert_eq!(read_if_there(&path, 4).unwrap(), None);
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), "four");
        assert_eq!(read_if_there(&path, 4).unwrap().as_deref(), Some("four"));
        std::fs::write(&path, "fives").unwrap();
        assert!(read_if_there(&path, 4).is_err());
        assert!(refusal(&path).ends_with("x.toml is larger than 4 bytes"));
        std::fs::write(&path, [b'a', 0xff]).unwrap();
        assert!(refusal(&path).ends_with("x.toml is not UTF-8 text"));
        assert!(refusal(folder.path()).ends_with("is not a regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_and_a_pipe_without_a_writer_are_refused_at_once() {
        assert!(refusal(Path::new("/dev/zero")).ends_with("/dev/zero is not a regular file"));
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        // To open it would wait for ever.
        assert!(refusal(&pipe).ends_with("pipe is not a regular file"));
    }

    #[test]
    fn a_stream_without_an_end_is_given_up_at_the_limit() {
        let error = read_stream(Path::new("-"), io::repeat(b'a'), 9).unwrap_err();
        assert!(matches!(
            error,
            TextFileError::TooLarge { bytes_max: 9, .. }
        ));
    }
}
