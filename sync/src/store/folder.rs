//! The data folder: private to its owner, held by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{FORMAT_VERSION, StoreError};
use crate::keys::private;

const LOCK: &str = "lock";
const FORMAT: &str = "format";
const DATABASE: &str = "store.redb";

/// A locked data folder. The lock goes with the value, and with the process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder (0700) if there is none, and locks it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] names the process that holds it; [`StoreError::Newer`] leaves a later
    /// program's store as it is.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| io_error(path, source);
        create_private(path).map_err(failed)?;
        let lock = lock(path)?;
        refuse_newer(path)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Whether a store was ever made in a folder.
    pub fn is_used(path: &Path) -> bool {
        path.join(FORMAT).exists()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file in it.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// A folder that has been used and whose database is gone is no new one: to begin anew there would
    /// look like a workspace without anything in it.
    pub(super) fn refuse_lost(&self) -> Result<(), StoreError> {
        let database = self.database();
        let used = Self::is_used(&self.path);
        let is_there = fs::metadata(&database).is_ok_and(|file| file.len() > 0);
        if used && !is_there {
            return Err(StoreError::Corrupt(format!(
                "{} is missing or empty, though this folder was in use",
                database.display()
            )));
        }
        Ok(())
    }

    /// States the format, before there is anything in it.
    pub(super) fn write_format(&self) -> Result<(), StoreError> {
        let path = self.path.join(FORMAT);
        let failed = |source| io_error(&path, source);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        private(&mut options);
        let mut file = options.open(&path).map_err(failed)?;
        writeln!(file, "{FORMAT_VERSION}").map_err(failed)?;
        file.sync_all().map_err(failed)
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io {
            path: path.to_owned(),
            source,
        },
    }
}

fn refuse_newer(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(FORMAT);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io_error(&path, source)),
    };
    match text.trim().parse::<u32>() {
        Ok(found) if found <= FORMAT_VERSION => Ok(()),
        Ok(found) => Err(StoreError::Newer {
            path: folder.to_owned(),
            found,
            known: FORMAT_VERSION,
        }),
        Err(_cause) => Err(StoreError::Corrupt(format!(
            "{} holds no format number",
            path.display()
        ))),
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let failed = |source| io_error(&path, source);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let mut file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The lock is the fact; who holds it is only said for people.
            if file.take(32).read_to_string(&mut pid).is_err() || pid.trim().is_empty() {
                "unknown".clone_into(&mut pid);
            }
            return Err(StoreError::InUse {
                path: folder.to_owned(),
                pid: pid.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}
