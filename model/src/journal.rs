//! What an agent's journal says: the present state of its checks, and how it came about.
//!
//! A journal only grows by entries, so states are not stored: they follow from the transitions,
//! and a new segment begins with the states carried over, which makes it readable alone.

use std::collections::BTreeMap;

use aramaki_sync_core::Timestamp;

use crate::check::Check;
use crate::entry::{AgentStarted, CarriedState, JournalEntry};
use crate::id::{CheckId, EntryId};
use crate::severity::Severity;
use crate::transition::{Hardness, Transition};

/// How many changes of state are remembered for each check.
const HISTORY_MAX: usize = 256;
/// How many checks a machine may add to those of its System.
const DECLARED_MAX: usize = 1_024;

/// An entry as it stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<E> {
    /// Its key.
    pub id: EntryId,
    /// The Automerge actor that wrote it: who that is, the Workspace knows.
    pub actor: [u8; 16],
    /// What it says.
    pub entry: E,
}

/// What is known of a check from its agent's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRecord {
    /// The state of the last result that changed anything.
    pub raw: Severity,
    /// The state that counts.
    pub hard: Severity,
    /// Since when it holds.
    pub hard_since: Timestamp,
    /// Since when it has not been OK; none when it is.
    pub problem_since: Option<Timestamp>,
    /// The entry that opened the problem, if it is in a segment that is here.
    pub opened_by: Option<EntryId>,
    /// The last result that the journal tells of.
    pub last_at: Timestamp,
    /// When it was last OK, as far as the journal tells.
    pub last_ok: Option<Timestamp>,
    /// What the check said.
    pub summary: String,
    /// Further lines.
    pub detail: String,
    /// Whether it changes too often.
    pub flapping: bool,
    /// Hard states by time, oldest first.
    pub history: Vec<(Timestamp, Severity)>,
}

/// What all segments of an agent's journal say together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// Its checks.
    pub checks: BTreeMap<CheckId, CheckRecord>,
    /// Checks of the machine's own file, which the System does not name.
    pub declared: BTreeMap<CheckId, Check>,
    declared_at: Option<Timestamp>,
    /// The machine and program, from when it last started.
    pub started: Option<AgentStarted>,
    /// When it last stopped in good order, if it did not start again.
    pub stopped_at: Option<Timestamp>,
    /// The configuration that it works by.
    pub generation: Option<u64>,
    /// The newest entry's time.
    pub last_at: Option<Timestamp>,
}

impl Journal {
    /// Reads entries of any number of segments in any order; the same entries give the same
    /// journal on every replica.
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a Written<JournalEntry>>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        // A key is written once; should one have two entries, their actors order them.
        entries.sort_by_key(|written| (written.id, written.actor));
        let mut journal = Self::default();
        for written in entries {
            journal.take(written);
        }
        journal
    }

    fn take(&mut self, written: &Written<JournalEntry>) {
        self.last_at = self.last_at.max(written.entry.at());
        match &written.entry {
            JournalEntry::Transition(transition) => self.transition(written.id, transition),
            JournalEntry::States(states) => {
                for state in states {
                    self.carried(state);
                }
            }
            JournalEntry::Started(started) => {
                self.started = Some(started.clone());
                self.stopped_at = None;
            }
            JournalEntry::Stopped { at } => self.stopped_at = Some(*at),
            JournalEntry::ConfigApplied { generation, .. } => self.generation = Some(*generation),
            JournalEntry::Declared { at, checks } => self.declared(*at, checks),
            JournalEntry::Unknown(_) => {}
        }
    }

    fn declared(&mut self, at: Timestamp, checks: &[Check]) {
        if self.declared_at > Some(at) {
            return;
        }
        if self.declared_at < Some(at) {
            self.declared.clear();
            self.declared_at = Some(at);
        }
        let room = DECLARED_MAX.saturating_sub(self.declared.len());
        let checks = checks
            .iter()
            .take(room)
            .map(|check| (check.id, check.clone()));
        self.declared.extend(checks);
    }

    fn transition(&mut self, id: EntryId, transition: &Transition) {
        let record = self
            .checks
            .entry(transition.check)
            .or_insert_with(|| CheckRecord {
                raw: Severity::Missing,
                hard: Severity::Missing,
                hard_since: transition.at,
                problem_since: None,
                opened_by: None,
                last_at: transition.at,
                last_ok: None,
                summary: String::new(),
                detail: String::new(),
                flapping: false,
                history: Vec::new(),
            });
        record.raw = transition.to;
        record.last_at = transition.at;
        record.summary.clone_from(&transition.summary);
        record.detail.clone_from(&transition.detail);
        record.flapping = transition.flapping;
        if transition.to.is_ok() || transition.from.is_ok() {
            record.last_ok = Some(transition.at);
        }
        if transition.hardness == Hardness::Soft {
            return;
        }
        record.hard = transition.to;
        record.hard_since = transition.at;
        if transition.to.is_ok() {
            record.problem_since = None;
            record.opened_by = None;
        } else if record.problem_since.is_none() {
            record.problem_since = Some(transition.at);
            record.opened_by = Some(id);
        }
        remember(record, transition.at, transition.to);
    }

    fn carried(&mut self, state: &CarriedState) {
        let before = self.checks.remove(&state.check);
        let mut record = CheckRecord {
            raw: state.raw,
            hard: state.hard,
            hard_since: state.hard_since,
            problem_since: state.problem_since,
            opened_by: None,
            last_at: state.at,
            last_ok: state.last_ok,
            summary: state.summary.clone(),
            detail: String::new(),
            flapping: false,
            history: Vec::new(),
        };
        if let Some(before) = before {
            if before.problem_since == state.problem_since {
                record.opened_by = before.opened_by;
            }
            if before.hard == state.hard && before.hard_since == state.hard_since {
                record.summary = before.summary;
                record.detail = before.detail;
                record.flapping = before.flapping;
            }
            record.history = before.history;
        }
        let is_new = record
            .history
            .last()
            .is_none_or(|(_, severity)| *severity != state.hard);
        if is_new && state.hard != Severity::Missing {
            remember(&mut record, state.hard_since, state.hard);
        }
        self.checks.insert(state.check, record);
    }
}

fn remember(record: &mut CheckRecord, at: Timestamp, severity: Severity) {
    if record.history.len() >= HISTORY_MAX {
        record.history.remove(0);
    }
    record.history.push((at, severity));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, CheckKind, Thresholds};
    use crate::{CheckState, Observation};
    use Severity::{Critical, Ok, Warning};

    fn story(states: &[Severity]) -> (CheckState, Vec<Written<JournalEntry>>) {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        let check = Check {
            attempts: 2,
            ..Check::new(CheckId::from_bytes([1; 16]), "c", kind)
        };
        let mut state = CheckState::new(check.id);
        let mut entries = Vec::new();
        for (at, severity) in (1_i64..).zip(states) {
            let at = Timestamp::from_millis(at);
            let observation = Observation::of_builtin(check.id, at, *severity, "said");
            if let Some(transition) = state.observe(&check, &observation) {
                entries.push(Written {
                    id: EntryId::new(at, [0; 10]),
                    actor: [0; 16],
                    entry: JournalEntry::Transition(transition),
                });
            }
        }
        (state, entries)
    }

    #[test]
    fn the_newest_declaration_names_the_checks_of_the_machine_in_any_order() {
        let check = |n: u8| {
            let kind = CheckKind::Command {
                program: "/usr/lib/nagios/plugins/check_pgsql".to_owned(),
                arguments: vec!["--password".to_owned(), "secret".to_owned()],
            };
            Check::new(CheckId::from_bytes([n; 16]), "database", kind)
        };
        let at = Timestamp::from_millis;
        // So many do not fit one entry.
        let many: Vec<_> = (1..=250).map(check).collect();
        let mut entries = JournalEntry::declare(at(5), &[check(251)]);
        entries.extend(JournalEntry::declare(at(7), &many));
        assert!(entries.len() > 2);
        let written = |entries: Vec<JournalEntry>| -> Vec<_> {
            let written = (0..).zip(entries).map(|(n, entry)| Written {
                id: EntryId::new(at(n), [0; 10]),
                actor: [0; 16],
                entry: JournalEntry::decode(&entry.encode().unwrap()),
            });
            written.collect()
        };
        let journal = Journal::read(&written(entries.clone()));
        assert_eq!(journal.declared.len(), 250);
        assert_eq!(
            journal.declared[&check(3).id],
            check(3).without_arguments(),
            "arguments stay on the machine"
        );
        entries.reverse();
        assert_eq!(Journal::read(&written(entries)).declared, journal.declared);
    }

    #[test]
    fn the_journal_knows_the_hard_state_that_the_agent_had() {
        let (state, mut entries) = story(&[Ok, Warning, Warning, Critical, Ok, Critical, Critical]);
        entries.reverse();
        let journal = Journal::read(&entries);
        let record = &journal.checks[&state.check];
        assert_eq!(
            (record.hard, record.hard_since),
            (state.hard, state.hard_since)
        );
        assert_eq!(record.problem_since, state.problem_since);
        assert_eq!(
            record.opened_by,
            Some(EntryId::new(Timestamp::from_millis(7), [0; 10]))
        );
        let history: Vec<_> = record
            .history
            .iter()
            .map(|(_, severity)| *severity)
            .collect();
        assert_eq!(history, [Ok, Warning, Critical, Ok, Critical]);
    }

    #[test]
    fn a_new_segment_alone_tells_the_same_state() {
        let (state, _) = story(&[Ok, Warning, Warning, Critical]);
        let entries: Vec<_> = JournalEntry::carry(&[state.carried()])
            .into_iter()
            .map(|entry| Written {
                id: EntryId::default(),
                actor: [0; 16],
                entry,
            })
            .collect();
        let record = &Journal::read(&entries).checks[&state.check];
        assert_eq!(
            (record.hard, record.hard_since),
            (state.hard, state.hard_since)
        );
        assert_eq!(record.problem_since, state.problem_since);
        assert_eq!(record.last_ok, state.last_ok);
    }
}
