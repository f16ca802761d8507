//! When agents were heard last, and of their checks, and until when it was listened to them, over a restart:
//! heartbeats are not stored. Who dies meanwhile would seem silent since its journal's last entry, what was said of
//! one outage would hold for the next, and what was missing would be shown as recorded until somebody listened again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aramaki_model::snapshot::Snapshot;
use aramaki_model::{AlertId, AlertKind, CheckId, LastHeard, Stretch};
use aramaki_sync::text_file;
use aramaki_sync_core::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use super::whole::write_whole;
use crate::cli::CliError;

/// By Space.
const FILE: &str = "heard.json";
/// Two hundred thousand checks.
const FILE_LEN_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// A device that dies knows no more than so long ago.
const KEPT_EVERY: Duration = Duration::from_mins(10);
/// Of outages that are over it knows more.
const KEPT_AFTER_OUTAGE: Duration = Duration::from_secs(5);

/// What was written down, and what is to be.
#[derive(Debug)]
pub(super) struct Kept {
    at: Instant,
    /// Alerts without a sign that were there when somebody looked last.
    outages: BTreeSet<AlertId>,
    /// Whether one of them is over since.
    is_news: bool,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::now(),
            outages: BTreeSet::new(),
            is_news: false,
        }
    }

    fn is_due(&self) -> bool {
        let age = self.at.elapsed();
        age >= KEPT_EVERY || self.is_news && age >= KEPT_AFTER_OUTAGE
    }
}

/// The last signs of an agent, in milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Row {
    /// As it was written before checks were.
    Agent(i64),
    Whole {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<i64>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        checks: BTreeMap<String, i64>,
        /// From when to when it was listened to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        listened: Vec<(i64, i64)>,
    },
}

impl Row {
    fn of(heard: &LastHeard) -> Self {
        let checks = heard.checks.iter();
        let checks = checks.map(|(check, at)| (check.to_string(), at.millis()));
        let listened = heard.listened.iter();
        let listened = listened.map(|it| (it.from.millis(), it.until.millis()));
        Self::Whole {
            at: heard.at.map(Timestamp::millis),
            checks: checks.collect(),
            listened: listened.collect(),
        }
    }

    /// What it says, without times to come: those are of a clock that was wrong.
    fn heard(self, now: Timestamp) -> LastHeard {
        let (at, checks, listened) = match self {
            Self::Agent(at) => (Some(at), BTreeMap::new(), Vec::new()),
            Self::Whole {
                at,
                checks,
                listened,
            } => (at, checks, listened),
        };
        let past = |millis| Some(Timestamp::from_millis(millis)).filter(|at| *at <= now);
        let checks = checks
            .into_iter()
            .filter_map(|(check, at)| Some((check.parse::<CheckId>().ok()?, past(at)?)));
        let listened = listened.into_iter().filter_map(|(from, until)| {
            let (from, until) = (past(from)?, past(until)?);
            Some(Stretch { from, until })
        });
        LastHeard {
            at: at.and_then(past),
            checks: checks.collect(),
            listened: listened.collect(),
        }
    }
}

impl Live {
    fn heard_file(&self) -> PathBuf {
        self.shared.data.join(FILE)
    }

    /// Remembers when agents were heard before. What cannot be read is not known.
    pub(super) fn recall_heard(&self) {
        let path = self.heard_file();
        if !path.exists() {
            return;
        }
        let rows = match text_file::read(&path, FILE_LEN_BYTES_MAX) {
            Ok(text) => serde_json::from_str::<BTreeMap<String, Row>>(&text)
                .map_err(|error| with_causes(&error)),
            Err(error) => Err(with_causes(&error)),
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                let path = path.display();
                tracing::warn!(error, %path, "when agents were heard last is not known");
                return;
            }
        };
        let now = fresh::now();
        let agents = self.agents();
        let mut model = self.model();
        for (space, row) in rows {
            // Of a Space that went nobody asks.
            let space = space.parse::<SpaceId>().ok();
            if let Some(space) = space.filter(|it| agents.contains(it)) {
                model.heard_before(space, &row.heard(now));
            }
        }
    }

    /// Takes in which outages somebody sees. With the sign that ended one, nobody takes what was said of it for a
    /// word on the next, so that is not forgotten.
    pub(crate) fn keep_ends_of_outages(&self, snapshot: &Snapshot) {
        let outages = snapshot.alerts.iter().filter(|alert| {
            let is_silent = matches!(alert.kind, AlertKind::Missing | AlertKind::Silent { .. });
            is_silent && alert.is_open()
        });
        let outages: BTreeSet<AlertId> = outages.map(|alert| alert.id).collect();
        let mut kept = self.heard_kept();
        kept.is_news |= !kept.outages.is_subset(&outages);
        kept.outages = outages;
        drop(kept);
        self.keep_heard_soon();
    }

    /// Writes down when agents were heard, if the last time is a while ago.
    pub(super) fn keep_heard_soon(&self) {
        if self.heard_kept().is_due() {
            self.keep_heard();
        }
    }

    /// Writes down when agents were heard. It is not worth an error.
    pub(super) fn keep_heard(&self) {
        let mut kept = self.heard_kept();
        kept.at = Instant::now();
        kept.is_news = false;
        drop(kept);
        if let Err(error) = self.write_heard() {
            tracing::warn!(
                error = error.message(),
                "when agents were heard last is not kept"
            );
        }
    }

    fn write_heard(&self) -> Result<(), CliError> {
        let mut heard: Vec<(SpaceId, LastHeard)> = self.model().last_heard(fresh::now()).collect();
        if heard.is_empty() {
            return Ok(());
        }
        let mut text = rows(&heard)?;
        if text.len() as u64 > FILE_LEN_BYTES_MAX {
            for (_, heard) in &mut heard {
                heard.checks.clear();
            }
            text = rows(&heard)?;
        }
        let path = self.heard_file();
        // Most verbs hear nobody.
        if text_file::read(&path, FILE_LEN_BYTES_MAX).is_ok_and(|before| before == text) {
            return Ok(());
        }
        write_whole(&path, text.as_bytes())
    }
}

fn rows(heard: &[(SpaceId, LastHeard)]) -> Result<String, CliError> {
    let rows = heard
        .iter()
        .map(|(space, heard)| (space.to_string(), Row::of(heard)));
    let rows: BTreeMap<String, Row> = rows.collect();
    serde_json::to_string(&rows).map_err(|error| CliError::Bug(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_so_is_what_was_written_before() {
        let space = SpaceId::from_bytes([7; 32]);
        let check = CheckId::from_bytes([1; 16]);
        let at = Timestamp::from_millis;
        let heard = LastHeard {
            at: Some(at(5_000)),
            checks: BTreeMap::from([(check, at(4_000))]),
            listened: vec![Stretch {
                from: at(1_000),
                until: at(5_000),
            }],
        };
        let text = rows(&[(space, heard.clone())]).unwrap();
        let read = |text: &str, now| {
            let mut rows: BTreeMap<String, Row> = serde_json::from_str(text).unwrap();
            rows.remove(&space.to_string()).unwrap().heard(at(now))
        };
        assert_eq!(read(&text, 5_000), heard);
        let of_a_wrong_clock = read(&text, 4_500);
        assert_eq!(of_a_wrong_clock.at, None);
        assert_eq!(of_a_wrong_clock.checks, heard.checks);
        assert_eq!(of_a_wrong_clock.listened, []);
        let before = read(&format!("{{\"{space}\":5000}}"), 6_000);
        assert_eq!((before.at, before.checks.len()), (Some(at(5_000)), 0));
    }
}
