//! What this agent did with requests, on its own disk before it does it.
//!
//! One small file beside the replica, replaced atomically and synced: a row is there before a program
//! starts, so that no crash, replay or restored backup runs a request a second time.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync::text_file::{self, TextFileError};
use aramaki_sync_core::{EnvelopeId, Instance, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempts::Attempts;

const VERSION: u32 = 1;
const FILE_NAME: &str = "agent-actions.json";
const FILE_LEN_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Rows are kept for so long after a request could still be run.
const KEEP: Duration = Duration::from_hours(72);
/// How far the host's clock may go back.
pub(crate) const CLOCK_BACK_MAX: Duration = Duration::from_mins(5);

/// Why the journal cannot be used: without it nothing is run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error(transparent)]
    Read(#[from] TextFileError),
    #[error("{} is damaged; move it away: no request from before that is run then", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{} has version {found}, this program knows {VERSION}: run a newer one", path.display())]
    Newer { path: PathBuf, found: u32 },
    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// When it was taken, by this host's clock.
    pub(crate) at: Timestamp,
    /// Which action.
    pub(crate) action: String,
    /// Action and arguments, to find the same again.
    pub(crate) same: [u8; 32],
    /// What was said of it; none while the program runs, and after a crash in between.
    pub(crate) result: Option<Vec<u8>>,
    /// Whether it was run, or begun.
    pub(crate) ran: bool,
    /// Whether that is in the Space.
    pub(crate) told: bool,
    /// How often it may be begun, if it is for a maintenance window.
    #[serde(default)]
    pub(crate) attempts: Option<Attempts>,
    /// What was said of attempts before the last, and is not in the Space.
    #[serde(default)]
    pub(crate) untold: Vec<Vec<u8>>,
}

impl Row {
    /// Whether its program runs, or ran when the agent ended.
    pub(crate) fn is_open(&self) -> bool {
        self.ran && self.result.is_none() && self.again_at().is_none()
    }

    /// When it is tried again, if it waits for that.
    pub(crate) fn again_at(&self) -> Option<Timestamp> {
        self.attempts.and_then(|attempts| attempts.again_at)
    }
}

/// All rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    version: u32,
    /// The life of the store under which the rows were written.
    instance: Instance,
    /// No request from before this is run: the records begin here.
    pub(crate) since: Timestamp,
    /// The highest that the host's clock was seen at.
    clock: Timestamp,
    /// The digest of the catalogue that was told last.
    pub(crate) told_catalogue: Option<[u8; 32]>,
    #[serde(with = "by_id")]
    pub(crate) rows: BTreeMap<EnvelopeId, Row>,
}

/// Ids as people read them: keys in JSON are text.
mod by_id {
    use std::collections::BTreeMap;

    use aramaki_sync_core::EnvelopeId;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Row;

    pub(super) fn serialize<S: Serializer>(
        rows: &BTreeMap<EnvelopeId, Row>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(rows.iter().map(|(id, row)| (id.to_string(), row)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<EnvelopeId, Row>, D::Error> {
        let rows = BTreeMap::<String, Row>::deserialize(deserializer)?;
        let read = |(id, row): (String, Row)| Ok((id.parse().map_err(D::Error::custom)?, row));
        rows.into_iter().map(read).collect()
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Journal {
    /// Reads the journal of a data folder. Where there is none, or it belongs to another life of the
    /// store, as after a restored backup, the records begin now.
    ///
    /// # Errors
    /// When it cannot be read, is damaged or newer.
    pub(crate) fn read(
        folder: &Path,
        instance: Instance,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let path = folder.join(FILE_NAME);
        let begin = |rows| Self {
            version: VERSION,
            instance,
            since: now,
            clock: now,
            told_catalogue: None,
            rows,
        };
        let text = match text_file::read(&path, FILE_LEN_BYTES_MAX) {
            Err(error) if error.is_not_found() => return Ok(begin(BTreeMap::new())),
            read => read?,
        };
        let damaged = |source| JournalError::Damaged {
            path: path.clone(),
            source,
        };
        let Version { version } = serde_json::from_str(&text).map_err(damaged)?;
        if version > VERSION {
            let found = version;
            return Err(JournalError::Newer { path, found });
        }
        let journal: Self = serde_json::from_str(&text).map_err(damaged)?;
        if journal.instance == instance {
            Ok(journal)
        } else {
            Ok(Self {
                clock: journal.clock.max(now),
                ..begin(journal.rows)
            })
        }
    }

    /// Notices another life of the store: its records begin now. Whether it is another.
    pub(crate) fn begin_life(&mut self, instance: Instance, now: Timestamp) -> bool {
        let is_another = self.instance != instance;
        if is_another {
            self.instance = instance;
            self.since = now;
        }
        is_another
    }

    /// Takes the host's clock; false when it went back so far that nothing can be judged by it.
    pub(crate) fn tick(&mut self, now: Timestamp) -> bool {
        let went_back = now.plus(CLOCK_BACK_MAX) < self.clock;
        self.clock = self.clock.max(now);
        !went_back
    }

    /// Forgets rows that no request can ask for any more.
    fn prune(&mut self) {
        let oldest = self.clock.minus(KEEP);
        self.rows
            .retain(|_request, row| row.at >= oldest || !row.told);
    }

    /// Replaces the file; when this returns a crash loses none of it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&mut self, folder: &Path) -> Result<(), JournalError> {
        self.prune();
        let path = folder.join(FILE_NAME);
        let write = || -> io::Result<()> {
            let bytes = serde_json::to_vec(self)?;
            let new = folder.join(format!("{FILE_NAME}.new"));
            // It holds what programs printed.
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            crate::platform::owner_only(&mut options);
            let mut file = options.open(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| JournalError::Write {
            path: path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn instance(n: u8) -> Instance {
        Instance(u64::from(n))
    }

    fn request(n: u8) -> EnvelopeId {
        EnvelopeId::from_bytes([n; 32])
    }

    fn row() -> Row {
        Row {
            at: NOW,
            action: "flush".to_owned(),
            same: [7; 32],
            result: None,
            ran: true,
            told: false,
            attempts: None,
            untold: Vec::new(),
        }
    }

    #[test]
    fn rows_survive_and_another_life_of_the_store_begins_its_records_now() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::read(folder.path(), instance(1), NOW).unwrap();
        journal.rows.insert(request(1), row());
        journal.write(folder.path()).unwrap();
        let later = NOW.plus(Duration::from_mins(3));
        let read = Journal::read(folder.path(), instance(1), later).unwrap();
        assert_eq!((read.since, read.rows.len()), (NOW, 1));
        let restored = Journal::read(folder.path(), instance(2), later).unwrap();
        assert_eq!((restored.since, restored.rows.len()), (later, 1));
    }

    #[test]
    fn rows_of_an_older_program_still_read() {
        let row = serde_json::to_value(row()).unwrap();
        let mut old = row.clone();
        for later in ["attempts", "untold"] {
            old.as_object_mut().unwrap().remove(later).unwrap();
        }
        assert_eq!(serde_json::from_value::<Row>(old).unwrap(), self::row());
    }

    #[test]
    fn a_damaged_or_newer_file_is_refused_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for text in ["{", "{\"version\": 2}"] {
            std::fs::write(&path, text).unwrap();
            assert!(Journal::read(folder.path(), instance(1), NOW).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_clock_that_went_back_is_noticed_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::read(folder.path(), instance(1), NOW).unwrap();
        assert!(journal.tick(NOW));
        journal.write(folder.path()).unwrap();
        let mut journal = Journal::read(folder.path(), instance(1), NOW).unwrap();
        assert!(journal.tick(NOW.minus(Duration::from_mins(4))));
        assert!(!journal.tick(NOW.minus(Duration::from_mins(6))));
    }

    #[test]
    fn old_rows_go_once_they_were_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::read(folder.path(), instance(1), NOW).unwrap();
        journal.rows.insert(request(1), row());
        journal.rows.insert(
            request(2),
            Row {
                told: true,
                ..row()
            },
        );
        journal.tick(NOW.plus(KEEP).plus(Duration::from_hours(1)));
        journal.write(folder.path()).unwrap();
        assert_eq!(journal.rows.keys().collect::<Vec<_>>(), [&request(1)]);
    }
}
