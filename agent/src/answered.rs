//! Results that were answered and that the agent's state on disk does not have yet: one record behind the other,
//! on disk before the answer. Once the state has them the file begins anew.
//!
//! **Invariant:** what was answered with `ok` outlives a crash at any moment.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::listen::ExternalResult;
use crate::platform;

const FILE_NAME: &str = "agent-results.log";
/// What does not fit is kept with the whole state instead: some ten seconds of 2,000 results each.
const FILE_LEN_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Hexadecimal digits before each record that say whether it is whole.
const SUM_LEN_CHARS: usize = 16;

/// A result that was taken in.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// One more than that of the record before; the state names the last one that it has.
    number: u64,
    /// When it came.
    pub(crate) at: Timestamp,
    pub(crate) result: ExternalResult,
}

/// Why results are not in the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// It would become too long.
    #[error("there is no room for more results beside the state")]
    Full,
    /// What it has is not in the state yet, and its end may be torn.
    #[error("the end of the file may be torn")]
    Torn,
    /// The file system refused.
    #[error("the file system refuses")]
    Io(#[from] io::Error),
}

/// The file of answered results.
#[derive(Debug)]
pub(crate) struct Answered {
    folder: PathBuf,
    /// Open while records may follow those that it has.
    file: Option<File>,
    len: u64,
    /// The number of the last record, here or in the state.
    last: u64,
    /// Whether the state has all that was read or written before the file was opened.
    is_spare: bool,
}

impl Answered {
    /// The file of a data folder whose state has everything up to a record.
    pub(crate) fn new(folder: &Path, last: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            file: None,
            len: 0,
            last,
            is_spare: false,
        }
    }

    /// The number of the last record: what a state that is kept now has.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// What the state lacks, oldest first; a torn end is left out, for nobody was answered about it.
    pub(crate) fn read(&mut self) -> io::Result<Vec<Record>> {
        let mut bytes = Vec::new();
        match File::open(self.path()) {
            Ok(file) => file.take(FILE_LEN_BYTES_MAX).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let records = bytes.split_inclusive(|byte| *byte == b'\n');
        let records = records.map_while(record);
        let lacking: Vec<_> = records.filter(|record| record.number > self.last).collect();
        self.last = lacking.last().map_or(self.last, |record| record.number);
        Ok(lacking)
    }

    /// Appends what was taken in, and returns when it is on disk.
    ///
    /// # Errors
    /// When it is not: whoever has to answer keeps the whole state first.
    pub(crate) fn append(
        &mut self,
        taken: impl IntoIterator<Item = (Timestamp, ExternalResult)>,
    ) -> Result<(), NotKept> {
        let mut bytes = Vec::new();
        for (at, result) in taken {
            self.last = self.last.saturating_add(1);
            let record = Record {
                number: self.last,
                at,
                result,
            };
            let json = serde_json::to_vec(&record).map_err(io::Error::from)?;
            bytes.extend_from_slice(sum(&json).as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(&json);
            bytes.push(b'\n');
        }
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.len.saturating_add(len) > FILE_LEN_BYTES_MAX {
            return Err(NotKept::Full);
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None if self.is_spare => self.begin()?,
            None => return Err(NotKept::Torn),
        };
        // After a failure nothing may follow: what is behind a torn record is not read.
        self.is_spare = false;
        file.write_all(&bytes)?;
        file.sync_data()?;
        self.file = Some(file);
        self.len = self.len.saturating_add(len);
        Ok(())
    }

    /// The state on disk has everything: the file begins anew.
    pub(crate) fn is_in_state(&mut self) {
        self.is_spare = true;
        if self.len > 0
            && let Some(file) = &mut self.file
            && let Err(error) = file.set_len(0).and_then(|()| file.rewind())
        {
            tracing::debug!(%error, "answered results are not cut off: their file is made anew");
            self.file = None;
        }
        self.len = 0;
    }

    fn begin(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        platform::owner_only(&mut options);
        let file = options.open(self.path())?;
        File::open(&self.folder)?.sync_all()?;
        Ok(file)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }
}

/// The record of a line; none if it is torn.
fn record(line: &[u8]) -> Option<Record> {
    let line = line.strip_suffix(b"\n")?;
    let (said, json) = line.split_at_checked(SUM_LEN_CHARS)?;
    let json = json.strip_prefix(b" ")?;
    (said == sum(json).as_bytes())
        .then(|| serde_json::from_slice(json).ok())
        .flatten()
}

fn sum(json: &[u8]) -> String {
    let mut sum = blake3::hash(json).to_hex().to_string();
    sum.truncate(SUM_LEN_CHARS);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::Said;

    fn result(name: &str) -> (Timestamp, ExternalResult) {
        let result = ExternalResult {
            key: name.to_owned(),
            name: name.to_owned(),
            about: None,
            said: Said::Plugin {
                status: 2,
                output: "two\nlines".to_owned(),
            },
            metrics: Vec::new(),
            at: None,
            ttl_ms: Some(1),
            ends: None,
        };
        (Timestamp::from_millis(7), result)
    }

    fn begun(folder: &Path) -> Answered {
        let mut answered = Answered::new(folder, 0);
        assert_eq!(answered.read().unwrap(), []);
        answered.is_in_state();
        answered
    }

    fn names(folder: &Path, last: u64) -> Vec<String> {
        let records = Answered::new(folder, last).read().unwrap();
        records.into_iter().map(|it| it.result.name).collect()
    }

    #[test]
    fn what_the_state_lacks_is_read_again_and_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let mut answered = begun(folder.path());
        answered.append([result("a"), result("b")]).unwrap();
        answered.append([result("c")]).unwrap();
        assert_eq!(names(folder.path(), 0), ["a", "b", "c"]);
        // The state was kept, and the program ended before the file began anew.
        assert_eq!(names(folder.path(), 2), ["c"]);
        answered.is_in_state();
        answered.append([result("d")]).unwrap();
        assert_eq!(names(folder.path(), 3), ["d"]);
        let mut again = Answered::new(folder.path(), 3);
        let read = again.read().unwrap();
        assert_eq!((read.len(), again.last()), (1, 4));
        assert_eq!(read[0].result, result("d").1);
    }

    #[test]
    fn a_torn_end_is_left_out_wherever_it_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        begun(folder.path())
            .append([result("a"), result("b")])
            .unwrap();
        let path = folder.path().join(FILE_NAME);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for len in 0..whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            let expected = usize::from(len >= first);
            assert_eq!(names(folder.path(), 0).len(), expected, "{len}");
        }
        // Blocks of the end may be there without those before them.
        let mut holed = whole;
        holed[first + 30..].fill(0);
        std::fs::write(&path, &holed).unwrap();
        assert_eq!(names(folder.path(), 0), ["a"]);
    }

    #[test]
    fn nothing_is_cut_off_before_the_state_has_it_and_the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        begun(folder.path()).append([result("a")]).unwrap();
        let mut answered = Answered::new(folder.path(), 0);
        assert_eq!(answered.read().unwrap().len(), 1);
        let refused = answered.append([result("b")]);
        assert!(matches!(refused, Err(NotKept::Torn)), "{refused:?}");
        answered.is_in_state();
        answered.append([result("c")]).unwrap();
        assert_eq!(names(folder.path(), answered.last() - 1), ["c"]);
        let mut long = result("long");
        long.1.key = "x".repeat(usize::try_from(FILE_LEN_BYTES_MAX).unwrap());
        assert!(matches!(answered.append([long]), Err(NotKept::Full)));
        answered.is_in_state();
        answered.append([result("d")]).unwrap();
    }
}
