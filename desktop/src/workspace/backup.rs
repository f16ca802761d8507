//! A backup: one file with the profile, the key file and the store, and a checksum over all of it.
//!
//! `aramaki backup v2`, a line feed, the length of the head (4 bytes, big-endian), the head as JSON, the
//! store, and BLAKE3 (32 bytes) of everything before. A flipped bit or a lost end is found before
//! anything is made of it.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::path::Path;

use aramaki_sync::replica::{Replica, ReplicaError};
use aramaki_sync::store::StoreError;
use serde::{Deserialize, Serialize};

use super::live::Live;
use super::profile::{self, Profile, store_error, with_causes};
use crate::cli::{CliError, PassphraseSource, block_on};

const MAGIC: &str = "aramaki backup v2\n";
const CHECKSUM_LEN_BYTES: u64 = 32;
const HEAD_LEN_BYTES_MAX: u64 = 64 * 1024;

/// The first part of a backup; the store follows it.
#[derive(Serialize, Deserialize)]
struct Head {
    profile: Profile,
    /// The key file as it is: a sealed one stays sealed.
    key: String,
}

impl Live {
    /// Checks everything, then writes a copy of it to a new file and says how long that is.
    ///
    /// # Errors
    /// When the store has faults, the file exists, or a disk refuses.
    pub(crate) async fn backup(&self, file: &Path) -> Result<u64, CliError> {
        self.flush().await;
        let failed = |source| CliError::File {
            action: "write",
            path: file.to_owned(),
            source,
        };
        if file.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        // A backup of a damaged store would be taken for a good one on the day it is needed.
        let verified = self.verify().await?;
        if !verified.faults.is_empty() {
            return Err(CliError::Verify {
                count: verified.faults.len(),
                faults: verified.faults,
            });
        }
        let folder = file.parent().unwrap_or_else(|| Path::new("/"));
        let store = tempfile::Builder::new()
            .prefix(".aramaki-backup-")
            .tempdir_in(folder)
            .map_err(failed)?;
        let copy = store.path().join("store");
        let copied = self.replica().backup(&copy).await;
        copied.map_err(|error| match error {
            // What is full or cannot be written is where the backup goes.
            ReplicaError::Store(StoreError::Full) => failed(io::ErrorKind::StorageFull.into()),
            ReplicaError::Store(StoreError::Io { source, .. }) => failed(source),
            error => store_error(&self.shared.data, &error),
        })?;
        let key = profile::key_file(&self.shared.data);
        let head = Head {
            profile: self.profile_now(),
            key: fs::read_to_string(&key).map_err(|source| CliError::File {
                action: "read",
                path: key,
                source,
            })?,
        };
        write(file, &head, &copy).map_err(failed)
    }
}

/// Hands everything on and counts it into a checksum.
struct Summed<W> {
    inner: W,
    sum: blake3::Hasher,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a backup: readable by its owner alone, whole or not at all.
fn write(file: &Path, head: &Head, store: &Path) -> io::Result<u64> {
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let mut out = Summed {
        inner: tempfile::NamedTempFile::new_in(folder)?,
        sum: blake3::Hasher::new(),
    };
    let head = serde_json::to_vec(head)?;
    out.write_all(MAGIC.as_bytes())?;
    out.write_all(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    out.write_all(&head)?;
    io::copy(&mut File::open(store)?, &mut out)?;
    let Summed {
        inner: mut out,
        sum,
    } = out;
    out.write_all(sum.finalize().as_bytes())?;
    out.as_file().sync_all()?;
    let length = out.as_file().metadata()?.len();
    out.persist_noclobber(file).map_err(|error| error.error)?;
    Ok(length)
}

/// Makes a workspace from a backup in a folder that has none.
///
/// # Errors
/// When there is a workspace already, the file is none of ours or damaged, or a disk refuses. Then
/// the folder is as it was.
pub(crate) fn restore(
    file: &Path,
    data: &Path,
    passphrase: &PassphraseSource,
) -> Result<Profile, CliError> {
    profile::refuse_existing(data)?;
    let (head, mut store) = read(file)?;
    let was_there = data.exists();
    profile::private_folder(data)?;
    let made =
        unpack(file, &mut store, &head, data, passphrase).and_then(|()| head.profile.save(data));
    if made.is_err() {
        // Nothing was there before: nothing may stay.
        for path in [profile::key_file(data), profile::store(data)] {
            drop(fs::remove_file(&path).or_else(|_is_folder| fs::remove_dir_all(&path)));
        }
        if !was_there {
            drop(fs::remove_dir(data));
        }
    }
    made?;
    Ok(head.profile)
}

/// The head of a sound backup, and its store, yet to be read.
fn read(file: &Path) -> Result<(Head, io::Take<File>), CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: file.to_owned(),
        source,
    };
    let unusable = |reason: &str| CliError::Backup {
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(unusable("it is not a regular file"));
    }
    let mut input = File::open(file).map_err(failed)?;
    let length = input.metadata().map_err(failed)?.len();
    let mut magic = Vec::new();
    (&input)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut magic)
        .map_err(failed)?;
    if magic != MAGIC.as_bytes() {
        return Err(unusable("it is no backup of this program"));
    }
    let Some(body) = length.checked_sub(CHECKSUM_LEN_BYTES) else {
        return Err(unusable("its end is missing"));
    };
    input.rewind().map_err(failed)?;
    let mut sum = blake3::Hasher::new();
    io::copy(&mut (&input).take(body), &mut sum).map_err(failed)?;
    let mut stated = Vec::new();
    (&input).read_to_end(&mut stated).map_err(failed)?;
    if stated != sum.finalize().as_bytes() {
        return Err(unusable(
            "its checksum is another one: it is damaged, or its end is missing",
        ));
    }
    // From here on it is what this program once wrote.
    let malformed = || unusable("its head cannot be read");
    input
        .seek(io::SeekFrom::Start(MAGIC.len() as u64))
        .map_err(failed)?;
    let mut head_len = [0; 4];
    input
        .read_exact(&mut head_len)
        .map_err(|_short| malformed())?;
    let head_len = u64::from(u32::from_be_bytes(head_len));
    if head_len > HEAD_LEN_BYTES_MAX {
        return Err(malformed());
    }
    let mut head = Vec::new();
    (&input)
        .take(head_len)
        .read_to_end(&mut head)
        .map_err(failed)?;
    let head = serde_json::from_slice(&head).map_err(|_cause| malformed())?;
    let position = input.stream_position().map_err(failed)?;
    Ok((head, input.take(body.saturating_sub(position))))
}

fn unpack(
    backup: &Path,
    store: &mut impl Read,
    head: &Head,
    data: &Path,
    passphrase: &PassphraseSource,
) -> Result<(), CliError> {
    let failed = |source| CliError::File {
        action: "write",
        path: data.to_owned(),
        source,
    };
    let mut key = tempfile::NamedTempFile::new_in(data).map_err(failed)?;
    key.write_all(head.key.as_bytes()).map_err(failed)?;
    key.as_file().sync_all().map_err(failed)?;
    key.persist_noclobber(profile::key_file(data))
        .map_err(|error| failed(error.error))?;
    let mut file = tempfile::NamedTempFile::new_in(data).map_err(failed)?;
    io::copy(store, &mut file).map_err(failed)?;
    file.flush().map_err(failed)?;
    let keys = profile::device_keys(data, passphrase)?;
    let (copy, folder) = (file.path().to_owned(), profile::store(data));
    let restored = block_on(async move { Replica::restore(&copy, &folder, &keys).await })?;
    restored.map_err(|error| match error {
        ReplicaError::Store(StoreError::Full) => failed(io::ErrorKind::StorageFull.into()),
        ReplicaError::Store(StoreError::Io { source, .. }) => failed(source),
        error => CliError::Backup {
            file: backup.to_owned(),
            reason: with_causes(&error),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_backup_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, data) = (folder.path().join("file"), folder.path().join("data"));
        for bytes in [
            &b""[..],
            b"something else entirely",
            b"aramaki backup v2\n",
            b"aramaki backup v2\n\xff\xff\xff\xff and more than thirty-two bytes of nothing",
        ] {
            fs::write(&file, bytes).unwrap();
            assert!(matches!(
                restore(&file, &data, &PassphraseSource::Terminal),
                Err(CliError::Backup { .. })
            ));
            assert!(!data.exists());
        }
    }
}
