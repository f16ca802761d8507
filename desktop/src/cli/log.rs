//! Where logs go: verbs write to standard error, the app to a file that does not grow for ever.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
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
        .with_writer(io::stderr)
        .finish();
    // A second call, as in tests, keeps the first subscriber.
    drop(tracing::subscriber::set_global_default(subscriber));
    Ok(())
}

/// Logs to `PROFILE.log`; the last files are kept as `PROFILE.log.1` and so on.
///
/// # Errors
/// When the filter is malformed or the folder cannot be written.
pub(crate) fn start_file(config: &Config) -> Result<(), CliError> {
    let path = config.logs.join(format!("{}.log", config.profile));
    let file = open(&config.logs, &path).map_err(|source| CliError::File {
        action: "write",
        path: path.clone(),
        source,
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(config)?)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .finish();
    drop(tracing::subscriber::set_global_default(subscriber));
    Ok(())
}

fn open(folder: &Path, path: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    if std::fs::metadata(path).is_ok_and(|file| file.len() > LOG_LEN_BYTES_MAX) {
        let older = |n: usize| path.with_extension(format!("log.{n}"));
        for n in (1..LOGS_MAX - 1).rev() {
            if older(n).exists() {
                std::fs::rename(older(n), older(n + 1))?;
            }
        }
        std::fs::rename(path, older(1))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_files_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("default.log");
        for _ in 0..5 {
            open(folder.path(), &path)
                .unwrap()
                .set_len(LOG_LEN_BYTES_MAX + 1)
                .unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), LOGS_MAX);
    }
}
