//! What an agent remembers between runs: its Space, its last configuration, states, and entries
//! that are not in the journal yet. One small file beside the replica, replaced atomically.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aramaki_model::service::ServiceClaim;
use aramaki_model::{AgentConfig, CheckId, CheckState, EntryId};
use aramaki_sync_core::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::days::SavedDays;
use crate::desired::SavedWatch;
use crate::external::{Learned, RefusedName};

/// The form of the file. A newer one is refused unchanged.
const VERSION: u32 = 1;
const FILE_NAME: &str = "agent-state.json";
/// The file is not longer; a thousand checks take about a megabyte.
const FILE_LEN_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why the state cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file system refused.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is not what this program wrote.
    #[error("{} is damaged; move it away to begin anew: states and entries not sent yet are lost then", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Results that were answered cannot be read.
    #[error("results that were answered before cannot be read in {}", folder.display())]
    Answered {
        /// In which folder.
        folder: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A newer program wrote it.
    #[error("{} has version {found}, this program knows {VERSION}: run a newer one", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// An entry on its way into the journal. Its id is fixed, so that writing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) id: EntryId,
    pub(crate) entry: Vec<u8>,
}

/// What an agent remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    version: u32,
    /// The agent's own Space, once it has joined.
    pub(crate) space: Option<SpaceId>,
    /// The configuration of the highest generation seen.
    pub(crate) config: Option<AgentConfig>,
    pub(crate) states: Vec<CheckState>,
    pub(crate) pending: Vec<Pending>,
    /// Checks that came to be because somebody sent a result.
    #[serde(default)]
    pub(crate) learned: Vec<Learned>,
    /// Names whose results were not taken.
    #[serde(default)]
    pub(crate) refused: Vec<RefusedName>,
    /// The checks that were proposed last.
    #[serde(default)]
    pub(crate) proposed: Vec<CheckId>,
    /// The services that were told last, and when.
    #[serde(default)]
    pub(crate) services: Vec<ServiceClaim>,
    #[serde(default = "never")]
    pub(crate) services_at: Timestamp,
    /// What is desired and not yet done, or was done.
    #[serde(default)]
    pub(crate) desired: Vec<SavedWatch>,
    /// What days were like that are not summed up yet.
    #[serde(default)]
    pub(crate) days: SavedDays,
    /// The day on which all states were last told.
    #[serde(default)]
    pub(crate) told_on: i32,
    /// The chain in which states are told.
    #[serde(default)]
    pub(crate) told_in: Option<u64>,
    /// The last answered result that is in here.
    #[serde(default)]
    pub(crate) answered: u64,
}

/// Of a state in which nothing was told.
const fn never() -> Timestamp {
    Timestamp::ZERO
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Saved {
    /// Reads the state of a data folder; without a file it is empty.
    pub(crate) fn read(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(FILE_NAME);
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(FILE_LEN_BYTES_MAX).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(StateError::Io {
                    verb: "read",
                    path,
                    source,
                });
            }
            Ok(_len) => {}
        }
        let damaged = |source| StateError::Damaged {
            path: path.clone(),
            source,
        };
        let Version { version } = serde_json::from_str(&text).map_err(damaged)?;
        if version > VERSION {
            return Err(StateError::Newer {
                path,
                found: version,
            });
        }
        serde_json::from_str(&text).map_err(damaged)
    }

    /// Replaces the file: whoever reads sees the old state or the new one, also after a crash.
    pub(crate) fn write(&mut self, folder: &Path) -> Result<(), StateError> {
        self.version = VERSION;
        let path = folder.join(FILE_NAME);
        let new = folder.join(format!("{FILE_NAME}.new"));
        let fail = |source| StateError::Io {
            verb: "write",
            path: path.clone(),
            source,
        };
        let text = serde_json::to_vec(self).map_err(|source| StateError::Damaged {
            path: path.clone(),
            source,
        })?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        crate::platform::owner_only(&mut options);
        let mut file = options.open(&new).map_err(fail)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .map_err(fail)?;
        std::fs::rename(&new, &path).map_err(fail)?;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_reads_back_and_a_missing_file_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Saved::read(folder.path()).unwrap(), Saved::default());
        let mut saved = Saved {
            space: Some(SpaceId::from_bytes([3; 32])),
            states: vec![CheckState::new(CheckId::from_bytes([1; 16]))],
            pending: vec![Pending {
                id: EntryId::from_bytes([2; 16]),
                entry: vec![1, 2, 255],
            }],
            ..Saved::default()
        };
        saved.write(folder.path()).unwrap();
        assert_eq!(Saved::read(folder.path()).unwrap(), saved);
    }

    #[test]
    fn what_an_older_program_remembered_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"version":1,"space":null,"config":null,"states":[],"pending":[]}"#;
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let read = Saved::read(folder.path()).unwrap();
        assert_eq!((read.learned, read.refused), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_damaged_or_newer_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for (text, words) in [
            ("{\"version\":", "is damaged"),
            ("", "is damaged"),
            ("{\"version\":9}", "has version 9"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Saved::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
