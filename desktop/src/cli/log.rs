//! Where logs go: verbs write to standard error, the app to a file that does not grow for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::{CliError, Config};

const LOG_LEN_BYTES_MAX: u64 = 10 * 1024 * 1024;
const LOGS_MAX: usize = 3;

fn filter(config: &Config) -> Result<EnvFilter, CliError> {
    EnvFilter::try_new(&config.log).map_err(|error| CliError::Setting {
        what: "log filter",
        value: config.log.clone(),
        reason: error.to_string(),
    })
}

/// Logs to standard error.
///
/// # Errors
/// When the filter is malformed.
pub(crate) fn start(config: &Config) -> Result<(), CliError> {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(config)?)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .finish();
    // A second call, as in tests, keeps the first subscriber.
    drop(tracing::subscriber::set_global_default(subscriber));
    Ok(())
}

/// Logs to `PROFILE.log`; the last files are kept as `PROFILE.log.1` and so on. Where that cannot
/// be written the log goes to standard error: the app is worth more than its log.
///
/// # Errors
/// When the filter is malformed.
pub(crate) fn start_file(config: &Config) -> Result<(), CliError> {
    let path = config.logs.join(format!("{}.log", config.profile));
    let file = match Rotating::open(&config.logs, path.clone()) {
        Ok(file) => file,
        Err(error) => {
            start(config)?;
            tracing::warn!(%error, path = %path.display(), "the log file cannot be written");
            return Ok(());
        }
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(config)?)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    drop(tracing::subscriber::set_global_default(subscriber));
    Ok(())
}

/// A log file that makes room for a new one when it is full.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Rotating {
    fn open(folder: &Path, path: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = append(&path)?;
        let len = file.metadata()?.len();
        Ok(Self { path, file, len })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let older = |n: usize| self.path.with_extension(format!("log.{n}"));
        for n in (1..LOGS_MAX - 1).rev() {
            if older(n).exists() {
                std::fs::rename(older(n), older(n + 1))?;
            }
        }
        std::fs::rename(&self.path, older(1))?;
        self.file = append(&self.path)?;
        self.len = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.len > LOG_LEN_BYTES_MAX {
            self.rotate()?;
        }
        let written = self.file.write(bytes)?;
        self.len += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_runs_for_months_keeps_three_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("default.log");
        let mut log = Rotating::open(folder.path(), path.clone()).unwrap();
        for line in 0..5_u8 {
            log.file.set_len(LOG_LEN_BYTES_MAX + 1).unwrap();
            log.len = LOG_LEN_BYTES_MAX + 1;
            log.write_all(&[line]).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), LOGS_MAX);
        assert_eq!(std::fs::read(path).unwrap(), [4], "the newest is the first");
        let again = Rotating::open(folder.path(), folder.path().join("default.log")).unwrap();
        assert_eq!(again.len, 1, "a new run writes on");
    }
}
