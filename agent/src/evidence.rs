//! Evidence that is too long for transitions: kept in files named by its hash, told to who may read the agent's Space.
//!
//! A file is whole or not there: it is written under another name, flushed and renamed. The oldest go first.

mod answer;

pub(crate) use answer::Answers;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aramaki_model::evidence::{EVIDENCE_LEN_BYTES_MAX, EvidenceId, WholeEvidence};
use aramaki_sync_core::Timestamp;

use crate::platform;

/// Where evidence lies in the data folder.
const FOLDER: &str = "evidence";
/// Bytes of all files together.
const FILES_LEN_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How many files there are.
const FILES_MAX: usize = 4_096;
/// How long one is kept since it was last said: as long as transitions are looked back at.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// What a file is called while it is written.
const UNFINISHED: &str = ".new";

/// The files. A handle: clones mean the same folder.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
}

impl Kept {
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            folder: data.join(FOLDER),
        }
    }

    /// Keeps a text; what is too old or too much goes. The same text again is as new.
    ///
    /// # Errors
    /// When it cannot be written; what was there is there.
    pub(crate) fn keep(&self, whole: &WholeEvidence, now: Timestamp) -> io::Result<()> {
        platform::private_folder(&self.folder)?;
        let path = self.path(whole.kept.id);
        if self.read(whole.kept.id).is_none() {
            let new = path.with_extension(UNFINISHED.trim_start_matches('.'));
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            platform::owner_only(&mut options);
            let mut file = options.open(&new)?;
            file.write_all(whole.text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
        }
        // By the agent's clock: it is what age is counted by.
        let file = OpenOptions::new().write(true).open(&path)?;
        file.set_modified(time(now))?;
        File::open(&self.folder)?.sync_all()?;
        self.drop_old(whole.kept.id, now)
    }

    /// A text, if it is there and is what its name says.
    pub(crate) fn read(&self, id: EvidenceId) -> Option<Vec<u8>> {
        let file = File::open(self.path(id)).ok()?;
        let mut text = Vec::new();
        let limit = u64::try_from(EVIDENCE_LEN_BYTES_MAX).unwrap_or(u64::MAX);
        file.take(limit.saturating_add(1))
            .read_to_end(&mut text)
            .ok()?;
        (EvidenceId::of(&text) == id).then_some(text)
    }

    fn path(&self, id: EvidenceId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Drops what is too old, what a crash left half, and the oldest of what is too much; never the one just kept.
    fn drop_old(&self, just_kept: EvidenceId, now: Timestamp) -> io::Result<()> {
        let just_kept = self.path(just_kept);
        let oldest = time(now)
            .checked_sub(KEPT)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if path == just_kept {
                continue;
            }
            let about = entry.metadata()?;
            let at = about.modified()?;
            let is_unfinished = path.extension().is_some();
            if is_unfinished || at < oldest {
                fs::remove_file(&path)?;
            } else {
                files.push((at, path, about.len()));
            }
        }
        files.sort();
        let own = fs::metadata(&just_kept)?.len();
        let mut len: u64 = files.iter().map(|(_, _, len)| len).sum::<u64>() + own;
        let mut count = files.len() + 1;
        for (_, path, file_len) in files {
            if len <= FILES_LEN_BYTES_MAX && count <= FILES_MAX {
                break;
            }
            fs::remove_file(path)?;
            len = len.saturating_sub(file_len);
            count -= 1;
        }
        Ok(())
    }
}

fn time(at: Timestamp) -> SystemTime {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn text(n: usize, len: usize) -> WholeEvidence {
        let mut text = format!("{n} ");
        text.extend(std::iter::repeat_n('x', len));
        WholeEvidence::of(&text, "").unwrap()
    }

    fn at(days: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).plus(Duration::from_hours(24 * days))
    }

    #[test]
    fn what_is_kept_is_read_back_by_its_hash_and_nobody_else_reads_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path());
        let one = text(1, 60_000);
        assert_eq!(kept.read(one.kept.id), None);
        kept.keep(&one, at(0)).unwrap();
        let read = Kept::new(folder.path()).read(one.kept.id);
        assert_eq!(read, Some(one.text.clone().into_bytes()));
        let path = kept.path(one.kept.id);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&kept.folder)), (0o600, 0o700));
        // Damaged: it is not what its name says, and is written anew when it is said again.
        fs::write(&path, "torn").unwrap();
        assert_eq!(kept.read(one.kept.id), None);
        kept.keep(&one, at(0)).unwrap();
        assert!(kept.read(one.kept.id).is_some());
    }

    #[test]
    fn the_oldest_go_and_what_is_said_again_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path());
        let (old, again, new) = (text(1, 5_000), text(2, 5_000), text(3, 5_000));
        kept.keep(&old, at(0)).unwrap();
        kept.keep(&again, at(0)).unwrap();
        kept.keep(&again, at(20)).unwrap();
        let left = kept.folder.join("half.new");
        fs::write(&left, "half").unwrap();
        kept.keep(&new, at(31)).unwrap();
        assert_eq!(kept.read(old.kept.id), None);
        assert!(kept.read(again.kept.id).is_some() && kept.read(new.kept.id).is_some());
        assert!(!left.exists(), "what a crash left");
        // Of too much, the oldest.
        let count = 32 * 1024 * 1024 / 250_000 + 3;
        for n in 0..count {
            kept.keep(&text(100 + n, 250_000), at(32)).unwrap();
        }
        assert_eq!(
            (kept.read(again.kept.id), kept.read(new.kept.id)),
            (None, None)
        );
        let files = fs::read_dir(&kept.folder).unwrap();
        let lens = files.map(|file| file.unwrap().metadata().unwrap().len());
        assert!(lens.sum::<u64>() <= FILES_LEN_BYTES_MAX);
    }
}
