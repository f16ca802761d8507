//! What an agent's journal says: the present state of its checks, and how it came about.
//!
//! A journal only grows by entries, so states are not stored: they follow from the transitions,
//! and a new segment begins with the states carried over, which makes it readable alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use aramaki_sync_core::Timestamp;

use crate::absence::{Absence, Absences};
use crate::check::Check;
use crate::day::Days;
use crate::desired::{DESIRED_MAX, DesiredRun};
use crate::entry::{AgentStarted, CarriedState, JournalEntry};
use crate::evidence::KeptEvidence;
use crate::id::{CheckId, EntryId};
use crate::perfdata::Metric;
use crate::service::{SERVICES_MAX, ServiceClaim};
use crate::severity::Severity;
use crate::text::clean_line;
use crate::transition::{Hardness, Transition};

/// How many changes of state are remembered for each check.
const HISTORY_MAX: usize = 256;
/// How many changes of a check are remembered with what it said then.
const TURNS_MAX: usize = 64;
/// How much of that is remembered.
const TURN_SUMMARY_LEN_BYTES_MAX: usize = 128;
/// How many results before a problem counted are remembered.
const TRIES_MAX: usize = 16;
/// How many checks a machine may add to those of its System.
const DECLARED_MAX: usize = 1_024;
/// How many are remembered that it looks at no more.
const FORMER_MAX: usize = 1_024;
/// Of how many checks of an agent days are remembered.
const DAYS_CHECKS_MAX: usize = 2_048;

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

/// A change of a check's state that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When, by the agent's clock.
    pub at: Timestamp,
    /// The entry that tells of it; none when only states carried over do.
    pub id: Option<EntryId>,
    /// The state before.
    pub from: Severity,
    /// The state after.
    pub to: Severity,
    /// The attempt that made it count, from 1.
    pub attempt: u32,
    /// What the check said, cut short.
    pub summary: String,
}

/// A result that differs from the state that counts, before it counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// When, by the agent's clock.
    pub at: Timestamp,
    /// What came.
    pub to: Severity,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// How many make it count.
    pub attempts: u32,
    /// What the check said, cut short.
    pub summary: String,
}

/// Attempts before a state counted: one of which its agent told, or those after it that said the same, of
/// which nothing is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried<'a> {
    /// One that said something else than the one before.
    Other(&'a Try),
    /// The next ones, from and to, which said what the last one did.
    Same {
        /// The last of which something is told.
        of: &'a Try,
        /// The first of them.
        first: u32,
        /// The last of them.
        last: u32,
    },
}

/// All attempts before a state counted, in order.
pub fn tried(tries: &[Try]) -> Vec<Tried<'_>> {
    let mut all = Vec::new();
    for (place, it) in tries.iter().enumerate() {
        all.push(Tried::Other(it));
        let (first, next) = (it.attempt.saturating_add(1), tries.get(place + 1));
        // The one that counts is told as the change of state.
        let before = next.map_or(it.attempts, |next| next.attempt);
        let last = before.saturating_sub(1);
        if first <= last {
            all.push(Tried::Same {
                of: it,
                first,
                last,
            });
        }
    }
    all
}

/// What is known of a check from its agent's journal.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRecord {
    /// The state of the last result that changed anything.
    pub raw: Severity,
    /// Which attempt that was, from 1.
    pub attempt: u32,
    /// The state that counts.
    pub hard: Severity,
    /// Since when it holds.
    pub hard_since: Timestamp,
    /// Since when it has not been OK; none when it is.
    pub problem_since: Option<Timestamp>,
    /// The entry that opened the problem, if it is in a segment that is here.
    pub opened_by: Option<EntryId>,
    /// The worst state of the present problem; OK when there is none.
    pub worst: Severity,
    /// The last entry about it; none when only states carried over are.
    pub last_id: Option<EntryId>,
    /// The last result that the journal tells of.
    pub last_at: Timestamp,
    /// When it was last OK, as far as the journal tells.
    pub last_ok: Option<Timestamp>,
    /// What the check said.
    pub summary: String,
    /// Further lines.
    pub detail: String,
    /// Further lines of the result with which the present problem began, before it counted: a hook
    /// runs then. Kept until the problem is over.
    pub evidence: String,
    /// What stands for the whole of `detail`, if that is only its beginning.
    pub detail_kept: Option<KeptEvidence>,
    /// The same of `evidence`.
    pub evidence_kept: Option<KeptEvidence>,
    /// Values measured at the last transition.
    pub metrics: Vec<Metric>,
    /// Whether it changes too often.
    pub flapping: bool,
    /// Hard states by time, oldest first.
    pub history: Vec<(Timestamp, Severity)>,
    /// The last changes of the hard state, oldest first. The one that opened the present problem
    /// stays among them.
    pub turns: Vec<Turn>,
    /// With what the present problem began, before it counted, oldest first; kept until it is over.
    pub tries: Vec<Try>,
}

impl CheckRecord {
    /// Of a check without any result.
    fn new(at: Timestamp) -> Self {
        Self {
            raw: Severity::Missing,
            attempt: 1,
            hard: Severity::Missing,
            hard_since: at,
            problem_since: None,
            opened_by: None,
            worst: Severity::Ok,
            last_id: None,
            last_at: at,
            last_ok: None,
            summary: String::new(),
            detail: String::new(),
            evidence: String::new(),
            detail_kept: None,
            evidence_kept: None,
            metrics: Vec::new(),
            flapping: false,
            history: Vec::new(),
            turns: Vec::new(),
            tries: Vec::new(),
        }
    }

    /// The further lines that people are shown: of the last change, and of the problem's beginning.
    pub(crate) fn lines(&self) -> String {
        let parts = [&self.detail, &self.evidence];
        match parts.map(String::as_str) {
            [detail, evidence] if detail.contains(evidence) => detail.to_owned(),
            ["", evidence] => evidence.to_owned(),
            [detail, evidence] => format!("{detail}\n{evidence}"),
        }
    }

    /// Remembers with what a problem begins, until it is over.
    fn begin_evidence(&mut self, transition: &Transition) {
        if transition.to <= Severity::Missing {
            self.evidence = String::new();
            self.evidence_kept = None;
        } else if self.raw <= Severity::Missing {
            self.evidence.clone_from(&transition.detail);
            self.evidence_kept = transition.evidence;
        }
    }

    /// What its agent keeps whole of those lines: of the last change, and of the problem's beginning.
    pub(crate) fn kept(&self) -> impl Iterator<Item = KeptEvidence> {
        let began = self
            .evidence_kept
            .filter(|it| Some(*it) != self.detail_kept);
        self.detail_kept.into_iter().chain(began)
    }

    /// Remembers a change of the hard state.
    fn turn(&mut self, turn: Turn) {
        if self.history.len() >= HISTORY_MAX {
            self.history.remove(0);
        }
        self.history.push((turn.at, turn.to));
        if self.turns.len() >= TURNS_MAX {
            self.forget_turn();
        }
        self.turns.push(turn);
    }

    /// Forgets the oldest change that is not the beginning of the present problem.
    fn forget_turn(&mut self) {
        let first = self.turns.remove(0);
        let opened = self.problem_since.is_some_and(|since| since == first.at);
        if opened && let Some(second) = self.turns.first_mut() {
            let to = second.to;
            *second = Turn { to, ..first };
        }
    }
}

/// A check of the machine's own file at which it looks no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Former {
    /// As it was.
    pub check: Check,
    /// Since when it does not look, by the agent's clock.
    pub since: Timestamp,
}

/// What all segments of an agent's journal say together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// Its checks.
    pub checks: BTreeMap<CheckId, CheckRecord>,
    /// What is known of the days of checks.
    pub days: BTreeMap<CheckId, Arc<Days>>,
    /// Checks of the machine's own file, which the System does not name.
    pub declared: BTreeMap<CheckId, Check>,
    /// Those that it declared before and looks at no more.
    pub former: BTreeMap<CheckId, Former>,
    declared_at: Option<Timestamp>,
    /// Services that run on the machine, by name.
    pub services: BTreeMap<String, ServiceClaim>,
    services_at: Option<Timestamp>,
    /// What the agent last did on what is desired, by the path that its host watches.
    pub desired: BTreeMap<String, DesiredRun>,
    /// Checks that could be made of what is on the machine: people decide.
    pub proposed: Vec<Check>,
    proposed_at: Option<Timestamp>,
    /// The machine and program, from when it last started.
    pub started: Option<AgentStarted>,
    /// When it last stopped in good order, if it did not start again.
    pub stopped_at: Option<Timestamp>,
    /// When it did not run. Of one that died, all is counted since the entry before.
    pub(crate) stops: Absences,
    /// The configuration that it works by.
    pub generation: Option<u64>,
    /// Since when it does.
    pub configured_at: Option<Timestamp>,
    /// The newest entry.
    pub last_id: Option<EntryId>,
    /// The newest entry's time.
    pub last_at: Option<Timestamp>,
}

impl Journal {
    /// Checks of the machine's own file, also those at which it looks no more.
    pub fn had(&self) -> impl Iterator<Item = (&CheckId, &Check)> {
        let former = self.former.iter().map(|(id, it)| (id, &it.check));
        self.declared.iter().chain(former)
    }

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
        let before = self.last_at;
        self.last_at = self.last_at.max(written.entry.at());
        self.last_id = Some(written.id);
        match &written.entry {
            JournalEntry::Transition(transition) => self.transition(written.id, transition),
            JournalEntry::States(states) => {
                for state in states {
                    self.carried(state);
                }
            }
            JournalEntry::Started(started) => {
                self.stops.add(Absence {
                    from: self.stopped_at.or(before),
                    until: started.at,
                });
                self.started = Some(started.clone());
                self.stopped_at = None;
            }
            JournalEntry::Stopped { at } => self.stopped_at = Some(*at),
            JournalEntry::ConfigApplied { at, generation } => {
                self.generation = Some(*generation);
                self.configured_at = Some(*at);
            }
            JournalEntry::Declared { at, checks } => self.declared(*at, checks),
            JournalEntry::Proposed { at, checks } => {
                if self.proposed_at <= Some(*at) {
                    self.proposed_at = Some(*at);
                    self.proposed.clone_from(checks);
                }
            }
            JournalEntry::Services { at, services } => self.services(*at, services),
            JournalEntry::DesiredRun(run) => {
                let is_newer = self.desired.get(&run.path).is_none_or(|it| it.at <= run.at);
                if is_newer
                    && (self.desired.len() < DESIRED_MAX || self.desired.contains_key(&run.path))
                {
                    self.desired.insert(run.path.clone(), run.clone());
                }
            }
            JournalEntry::Days { days, .. } => {
                for (check, day) in days {
                    if let Some(days) = self.days_of(*check) {
                        days.count(day.clone());
                    }
                }
            }
            JournalEntry::Unknown(_) => {}
        }
    }

    /// The days of a check; none when there are too many checks.
    fn days_of(&mut self, check: CheckId) -> Option<&mut Days> {
        let is_full = self.days.len() >= DAYS_CHECKS_MAX;
        if is_full && !self.days.contains_key(&check) {
            return None;
        }
        Some(Arc::make_mut(self.days.entry(check).or_default()))
    }

    fn services(&mut self, at: Timestamp, services: &[ServiceClaim]) {
        if self.services_at > Some(at) {
            return;
        }
        if self.services_at < Some(at) {
            self.services.clear();
            self.services_at = Some(at);
        }
        for service in services {
            let is_known = self.services.contains_key(&service.name);
            if is_known || self.services.len() < SERVICES_MAX {
                self.services.insert(service.name.clone(), service.clone());
            }
        }
    }

    fn declared(&mut self, at: Timestamp, checks: &[Check]) {
        if self.declared_at > Some(at) {
            return;
        }
        if self.declared_at < Some(at) {
            for (id, check) in std::mem::take(&mut self.declared) {
                if self.former.len() < FORMER_MAX {
                    self.former.insert(id, Former { check, since: at });
                }
            }
            self.declared_at = Some(at);
        }
        let room = DECLARED_MAX.saturating_sub(self.declared.len());
        let checks = checks
            .iter()
            .take(room)
            .map(|check| (check.id, check.clone()));
        self.declared.extend(checks);
        self.former.retain(|id, _| !self.declared.contains_key(id));
    }

    fn transition(&mut self, id: EntryId, transition: &Transition) {
        let at = transition.at;
        let record = self.checks.entry(transition.check);
        let record = record.or_insert_with(|| CheckRecord::new(at));
        record.begin_evidence(transition);
        if transition.to <= Severity::Missing {
            record.tries.clear();
        } else if transition.hardness == Hardness::Soft
            && record.hard <= Severity::Missing
            && record.raw != transition.to
            && record.tries.len() < TRIES_MAX
        {
            record.tries.push(Try {
                at,
                to: transition.to,
                attempt: transition.attempt,
                attempts: transition.attempts,
                summary: clean_line(&transition.summary, TURN_SUMMARY_LEN_BYTES_MAX),
            });
        }
        record.raw = transition.to;
        record.attempt = transition.attempt;
        record.last_at = at;
        record.last_id = Some(id);
        record.summary.clone_from(&transition.summary);
        record.detail.clone_from(&transition.detail);
        record.detail_kept = transition.evidence;
        record.metrics.clone_from(&transition.metrics);
        record.flapping = transition.flapping;
        if transition.to.is_ok() || transition.from.is_ok() {
            record.last_ok = Some(at);
        }
        if transition.hardness == Hardness::Soft {
            let hard = record.hard;
            if let Some(days) = self.days_of(transition.check) {
                days.sign(at, hard);
            }
            return;
        }
        let from = record.hard;
        let before = (from, record.hard_since);
        record.hard = transition.to;
        record.hard_since = at;
        if transition.to <= Severity::Missing {
            record.problem_since = None;
            record.opened_by = None;
            record.worst = Severity::Ok;
        } else {
            if record.problem_since.is_none() {
                record.problem_since = Some(at);
                record.opened_by = Some(id);
            }
            record.worst = record.worst.max(transition.to);
        }
        record.turn(Turn {
            at,
            id: Some(id),
            from,
            to: transition.to,
            attempt: transition.attempt,
            summary: clean_line(&transition.summary, TURN_SUMMARY_LEN_BYTES_MAX),
        });
        if let Some(days) = self.days_of(transition.check) {
            days.turn(at, before, transition.to);
        }
    }

    fn carried(&mut self, state: &CarriedState) {
        let known = self.checks.remove(&state.check);
        let mut record = known.unwrap_or_else(|| CheckRecord::new(state.at));
        let before = (record.hard, record.hard_since, record.problem_since);
        let is_same = before == (state.hard, state.hard_since, state.problem_since);
        record.raw = state.raw;
        record.last_at = state.at;
        record.last_ok = state.last_ok;
        if !is_same {
            let summary = clean_line(&state.summary, TURN_SUMMARY_LEN_BYTES_MAX);
            record.summary.clone_from(&state.summary);
            record.detail = String::new();
            record.detail_kept = None;
            record.metrics = Vec::new();
            record.flapping = false;
            record.hard = state.hard;
            record.hard_since = state.hard_since;
            let mut from = before.0;
            if before.2 != state.problem_since {
                record.evidence = String::new();
                record.evidence_kept = None;
                record.tries.clear();
                record.opened_by = None;
                record.worst = Severity::Ok;
                record.problem_since = state.problem_since;
                if let (Some(_), Some(since)) = (before.2, state.problem_since) {
                    // What was a problem before ended in a segment that is not here.
                    record.turn(Turn {
                        at: since,
                        id: None,
                        from,
                        to: Severity::Ok,
                        attempt: 1,
                        summary: String::new(),
                    });
                    from = Severity::Ok;
                }
            }
            if !state.hard.is_ok() {
                record.worst = record.worst.max(state.hard);
            }
            if from != state.hard && state.hard != Severity::Missing {
                let is_new_problem = from.is_ok() || from == Severity::Missing;
                let since = state.problem_since.filter(|_| is_new_problem);
                record.turn(Turn {
                    at: since.unwrap_or(state.hard_since),
                    id: None,
                    from,
                    to: state.hard,
                    attempt: 1,
                    summary,
                });
            }
        }
        self.checks.insert(state.check, record);
        if let Some(days) = self.days_of(state.check) {
            days.sign(state.at, state.hard);
        }
    }
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
    fn attempts_of_which_nothing_is_told_said_what_the_one_before_did() {
        let one = |attempt: u32, to: Severity| Try {
            at: Timestamp::from_millis(1),
            to,
            attempt,
            attempts: 5,
            summary: String::new(),
        };
        let tries = [one(1, Warning), one(3, Critical)];
        let said: Vec<_> = tried(&tries)
            .into_iter()
            .map(|it| match it {
                Tried::Other(it) => (it.to, it.attempt, it.attempt),
                Tried::Same { of, first, last } => (of.to, first, last),
            })
            .collect();
        assert_eq!(
            said,
            [
                (Warning, 1, 1),
                (Warning, 2, 2),
                (Critical, 3, 3),
                (Critical, 4, 4),
            ]
        );
        let all = [one(u32::MAX, Warning), one(0, Warning)];
        assert_eq!(tried(&all).len(), 3, "absurd numbers end");
        assert!(tried(&[]).is_empty());
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
    fn the_newest_claims_replace_all_before_in_any_order() {
        let claim = |name: &str, since| ServiceClaim {
            name: name.to_owned(),
            since: Timestamp::from_millis(since),
            ..ServiceClaim::default()
        };
        let at = Timestamp::from_millis;
        let mut entries = JournalEntry::register(at(5), &[claim("old", 5), claim("kept", 5)]);
        entries.extend(JournalEntry::register(
            at(7),
            &[claim("kept", 5), claim("new", 7)],
        ));
        let written = |entries: &[JournalEntry]| -> Vec<_> {
            let written = (0..).zip(entries).map(|(n, entry)| Written {
                id: EntryId::new(at(n), [0; 10]),
                actor: [0; 16],
                entry: JournalEntry::decode(&entry.encode().unwrap()),
            });
            written.collect()
        };
        let names = |entries: &[JournalEntry]| -> Vec<String> {
            Journal::read(&written(entries))
                .services
                .into_keys()
                .collect()
        };
        assert_eq!(names(&entries), ["kept", "new"]);
        entries.reverse();
        assert_eq!(names(&entries), ["kept", "new"]);
        entries.extend(JournalEntry::register(at(9), &[]));
        assert!(names(&entries).is_empty());
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
