//! What was heard of an agent between the entries of its journal.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_sync_core::Timestamp;

use crate::absence::{Absence, Absences};
use crate::hearing::Stretch;
use crate::heartbeat::{CheckBeat, HEARTBEAT_STALE_MS, Heartbeat};
use crate::id::CheckId;

/// How many checks of an agent are remembered.
const CHECKS_MAX: usize = 1_000;

/// The last signs of an agent, as whoever runs a replica may keep them over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastHeard {
    /// When it was heard itself.
    pub at: Option<Timestamp>,
    /// When each of its checks gave the last result that was heard of; of those alone whose results are in heartbeats.
    pub checks: BTreeMap<CheckId, Timestamp>,
    /// When it was listened to, oldest first.
    pub listened: Vec<Stretch>,
}

impl LastHeard {
    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.at.is_none() && self.checks.is_empty() && self.listened.is_empty()
    }

    fn sign(&mut self, check: CheckId, at: Timestamp) {
        let is_full = self.checks.len() >= CHECKS_MAX;
        match self.checks.get_mut(&check) {
            Some(known) => *known = at.max(*known),
            None if !is_full => {
                self.checks.insert(check, at);
            }
            None => {}
        }
    }

    fn take(&mut self, other: &Self) {
        self.at = self.at.max(other.at);
        for (check, at) in &other.checks {
            self.sign(*check, *at);
        }
    }
}

/// What was heard of an agent since this replica runs: heartbeats are not stored. Whoever runs the replica
/// may remember when the last came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beats {
    /// The newest heartbeat.
    pub at: Option<Timestamp>,
    /// The oldest since this replica runs.
    pub(crate) begun: Option<Timestamp>,
    /// What was heard before this replica was started, if that is known.
    pub(crate) before: LastHeard,
    /// The configuration it works by, from the newest heartbeat.
    pub generation: Option<u64>,
    /// When no heartbeat came for longer than an agent may be silent.
    pub(crate) gaps: Absences,
    /// The newest result of each check.
    pub checks: BTreeMap<CheckId, CheckBeat>,
}

impl Beats {
    /// The newest heartbeat, also of before.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.at.max(self.before.at)
    }

    /// The newest result of a check of which a heartbeat told, also of before.
    pub(crate) fn last_of(&self, check: &CheckId) -> Option<Timestamp> {
        let now = self.checks.get(check).map(|beat| beat.at);
        now.max(self.before.checks.get(check).copied())
    }

    /// The last moment before another one at which it surely was heard of.
    pub(crate) fn heard_before(&self, moment: Timestamp) -> Option<Timestamp> {
        let (Some(begun), Some(at)) = (self.begun.filter(|at| *at < moment), self.at) else {
            return self.before.at.filter(|at| *at < moment);
        };
        if at < moment {
            return Some(at);
        }
        match self.gaps.around(moment) {
            Some(gap) => gap.from,
            // Between two heartbeats is no more than that.
            None => Some(begun.max(moment.minus(Duration::from_millis(HEARTBEAT_STALE_MS)))),
        }
    }

    /// All of that.
    pub(crate) fn last_heard(&self) -> LastHeard {
        let mut all = self.before.clone();
        all.at = self.last();
        for beat in self.checks.values() {
            all.sign(beat.check, beat.at);
        }
        all
    }

    /// Takes in what was heard before this replica was started.
    pub(crate) fn remember(&mut self, before: &LastHeard) {
        self.before.take(before);
    }

    /// Takes a heartbeat in. An older one changes nothing; times after `now` count as now, so
    /// that a wrong clock cannot keep an agent alive.
    pub fn take(&mut self, heartbeat: &Heartbeat, now: Timestamp) {
        let at = heartbeat.at.min(now);
        if self.at.is_none_or(|newest| newest <= at) {
            if let Some(last) = self.at
                && at.since(last).as_millis() > u128::from(HEARTBEAT_STALE_MS)
            {
                self.gaps.add(Absence {
                    from: Some(last),
                    until: at,
                });
            }
            self.at = Some(at);
            self.begun = self.begun.or(self.at);
            self.generation = Some(heartbeat.generation);
        }
        // A result after the heartbeat that tells of it is of a clock that was ahead.
        let told = heartbeat.checks.iter();
        for beat in told.filter(|beat| beat.at <= heartbeat.at) {
            let beat = CheckBeat {
                at: beat.at.min(now),
                ..*beat
            };
            let is_full = self.checks.len() >= CHECKS_MAX;
            match self.checks.get_mut(&beat.check) {
                Some(known) if known.at <= beat.at => *known = beat,
                None if !is_full => {
                    self.checks.insert(beat.check, beat);
                }
                _ => {}
            }
        }
    }
}
