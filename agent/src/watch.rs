//! Which checks are due, what their states are, and what must enter the journal: no I/O, no clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use aramaki_model::cron::CronPlan;
use aramaki_model::entry::CarriedState;
use aramaki_model::{
    Check, CheckBeat, CheckId, CheckKind, CheckState, EntryId, JournalEntry, Observation, Severity,
    Transition,
};
use aramaki_sync_core::{AuthorId, Timestamp};

use crate::schedule::{self, Splay};
use crate::state::Pending;

/// Entries that wait for the journal; above it the oldest are given up, and the loss is reported.
pub(crate) const PENDING_MAX: usize = 10_000;

/// A run that would say nothing yet is put off for so long.
const PUT_OFF: Duration = Duration::from_secs(1);

/// One check under observation.
#[derive(Debug)]
struct Watched {
    check: Check,
    splay: Splay,
    /// Over how long runs by the clock are spread.
    cron_splay: Duration,
    /// When it runs by the clock of a place; none: at an interval.
    times: Option<CronPlan>,
    state: CheckState,
    /// A run has begun and not ended: the next one waits for it.
    running: bool,
    due: Timestamp,
}

/// The checks of an agent, their states, and entries on their way into the journal.
///
/// **Invariant:** ids of entries only grow, whatever the clock does, so that a journal has one order.
#[derive(Debug)]
pub(crate) struct Watch {
    agent: AuthorId,
    cron_splay: Duration,
    watched: BTreeMap<CheckId, Watched>,
    /// States of checks that are not configured yet: known from the last run of the program.
    remembered: BTreeMap<CheckId, CheckState>,
    pending: VecDeque<Pending>,
    last_entry_at: Timestamp,
    lost: u64,
}

impl Watch {
    pub(crate) fn new(agent: AuthorId, states: Vec<CheckState>, pending: Vec<Pending>) -> Self {
        Self {
            agent,
            cron_splay: Duration::from_millis(schedule::TIME_SPLAY_MS),
            watched: BTreeMap::new(),
            remembered: states
                .into_iter()
                .map(|state| (state.check, state))
                .collect(),
            last_entry_at: pending
                .iter()
                .map(|pending| pending.id.at())
                .max()
                .unwrap_or(Timestamp::ZERO),
            pending: pending.into(),
            lost: 0,
        }
    }

    /// Spreads runs by the clock over so long.
    pub(crate) fn with_cron_splay(self, cron_splay: Duration) -> Self {
        Self { cron_splay, ..self }
    }

    /// Observes exactly these checks from now on. A check that stays keeps its state and its time; returns
    /// the ends of problems of which nobody will know any more.
    #[must_use = "a problem that nobody looks at is over for whoever reads the journal"]
    pub(crate) fn configure(&mut self, checks: Vec<Check>, now: Timestamp) -> Vec<Transition> {
        let mut before = std::mem::take(&mut self.watched);
        for check in checks.into_iter().filter(|check| check.enabled) {
            let kept = before.remove(&check.id);
            self.put(check, kept, now);
        }
        let remembered = std::mem::take(&mut self.remembered).into_values();
        let gone = before.into_values().map(|watched| watched.state);
        let gone = gone.chain(remembered);
        gone.filter_map(|mut state| state.end(now)).collect()
    }

    /// Observes this check too, or in this way from now on.
    pub(crate) fn add(&mut self, check: Check, now: Timestamp) {
        let kept = self.watched.remove(&check.id);
        self.put(check, kept, now);
    }

    /// Observes these checks no longer; returns as [`Watch::configure`] does.
    #[must_use = "a problem that nobody looks at is over for whoever reads the journal"]
    pub(crate) fn remove(&mut self, checks: &BTreeSet<CheckId>, now: Timestamp) -> Vec<Transition> {
        let gone = self.watched.extract_if(.., |id, _| checks.contains(id));
        gone.filter_map(|(_, mut watched)| watched.state.end(now))
            .collect()
    }

    /// The check with this id, if it is observed.
    pub(crate) fn check(&self, id: &CheckId) -> Option<&Check> {
        self.watched.get(id).map(|watched| &watched.check)
    }

    /// The state of a check that counts.
    pub(crate) fn hard(&self, id: &CheckId) -> Option<Severity> {
        self.watched.get(id).map(|watched| watched.state.hard)
    }

    /// The checks that are observed.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &Check> {
        self.watched.values().map(|watched| &watched.check)
    }

    /// How many checks are observed.
    pub(crate) fn len(&self) -> usize {
        self.watched.len()
    }

    fn put(&mut self, check: Check, kept: Option<Watched>, now: Timestamp) {
        let id = check.id;
        let running = kept.as_ref().is_some_and(|kept| kept.running);
        // A time of the clock that has come is not lost because something else changed just then.
        let came = kept
            .as_ref()
            .filter(|kept| check.cron.is_some() && kept.check.cron == check.cron)
            .map(|kept| kept.due)
            .filter(|due| *due <= now);
        let state = kept
            .map(|kept| kept.state)
            .or_else(|| self.remembered.remove(&id))
            .unwrap_or_else(|| CheckState::new(id));
        let splay = Splay::of(self.agent, &id.to_string());
        // One that cannot be meant is looked at at its interval, and says why it is not run.
        let times = check.cron.as_ref().and_then(|cron| cron.plan().ok());
        let mut watched = Watched {
            check,
            splay,
            cron_splay: self.cron_splay,
            times,
            state,
            running,
            due: now,
        };
        watched.due = came.unwrap_or_else(|| watched.due(now));
        self.watched.insert(id, watched);
    }

    /// At most `max` checks whose time has come, each with the state of its last result; they are
    /// running from now on.
    pub(crate) fn take_due(&mut self, now: Timestamp, max: usize) -> Vec<(Check, Severity)> {
        let due = self
            .watched
            .values_mut()
            .filter(|watched| !watched.running && watched.due <= now);
        due.take(max)
            .map(|watched| {
                watched.running = true;
                (watched.check.clone(), watched.state.raw)
            })
            .collect()
    }

    /// A run that would say nothing yet was not begun: it is soon tried again.
    pub(crate) fn put_off(&mut self, check: &CheckId, now: Timestamp) {
        if let Some(watched) = self.watched.get_mut(check) {
            watched.running = false;
            watched.due = now.plus(PUT_OFF);
        }
    }

    /// When the next check is due; none when all are running or there is none.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.watched
            .values()
            .filter(|watched| !watched.running)
            .map(|watched| watched.due)
            .min()
    }

    /// Takes a result in. A change of state becomes an entry and is returned.
    pub(crate) fn observed(
        &mut self,
        observation: &Observation,
        now: Timestamp,
        random: [u8; 10],
    ) -> Option<Transition> {
        // A result of a check that was removed meanwhile says nothing any more.
        let watched = self.watched.get_mut(&observation.check)?;
        watched.running = false;
        let transition = watched.state.observe(&watched.check, observation);
        watched.due = watched.due(now);
        let transition = transition?;
        self.enter(
            &JournalEntry::Transition(transition.clone()),
            transition.at,
            random,
        );
        Some(transition)
    }

    /// Puts an entry on its way into the journal.
    pub(crate) fn enter(&mut self, entry: &JournalEntry, at: Timestamp, random: [u8; 10]) {
        let at = if at > self.last_entry_at {
            at
        } else {
            self.last_entry_at.plus(Duration::from_millis(1))
        };
        self.last_entry_at = at;
        match entry.encode() {
            Ok(bytes) => self.pending.push_back(Pending {
                id: EntryId::new(at, random),
                entry: bytes,
            }),
            Err(error) => tracing::error!(%error, "an entry cannot be encoded and is lost"),
        }
        while self.pending.len() > PENDING_MAX {
            self.pending.pop_front();
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// Entries that wait, oldest first.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.iter()
    }

    /// These entries are durable in the journal.
    pub(crate) fn written(&mut self, ids: &[EntryId]) {
        self.pending.retain(|pending| !ids.contains(&pending.id));
    }

    /// How many entries were given up since this was asked last.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// The states to keep.
    pub(crate) fn states(&self) -> Vec<CheckState> {
        self.watched
            .values()
            .map(|watched| watched.state.clone())
            .collect()
    }

    /// The states that a new segment of the journal begins with.
    pub(crate) fn carried(&self) -> Vec<CarriedState> {
        self.with_results().map(CheckState::carried).collect()
    }

    /// The clock was ahead and is right now.
    pub(crate) fn put_right(&mut self, now: Timestamp) {
        for watched in self.watched.values_mut() {
            watched.state.put_right(now);
        }
    }

    /// The last results, for a heartbeat.
    pub(crate) fn beats(&self) -> Vec<CheckBeat> {
        self.with_results()
            .map(|state| CheckBeat {
                check: state.check,
                at: state.last_at,
                raw: state.raw,
                attempt: if state.is_soft() && !state.raw.is_ok() {
                    u8::try_from(state.attempt).unwrap_or(u8::MAX)
                } else {
                    0
                },
            })
            .collect()
    }

    fn with_results(&self) -> impl Iterator<Item = &CheckState> {
        self.watched
            .values()
            .map(|watched| &watched.state)
            .filter(|state| state.raw != Severity::Missing)
    }
}

impl Watched {
    /// When it runs next: at its place in its interval or at its time of the clock, or sooner while a
    /// problem is soft.
    fn due(&self, now: Timestamp) -> Timestamp {
        if self.check.kind == (CheckKind::External {}) {
            return Timestamp::MAX;
        }
        let last = (self.state.raw != Severity::Missing).then_some(self.state.last_at);
        let planned = if let Some(times) = &self.times {
            schedule::next_time(self.splay, self.cron_splay, times, last, now)
        } else {
            let interval = Duration::from_millis(self.check.interval_ms);
            schedule::next_run(self.splay, interval, last, now)
        };
        let retried = self.state.is_soft() && !self.state.raw.is_ok();
        match last {
            Some(last) if retried && last <= now => {
                let retry = self.check.retry_interval_ms.max(1_000);
                let retry = Duration::from_millis(retry);
                planned.min(last.plus(retry)).max(now)
            }
            _ => planned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::{Builtin, Cron, Hardness, Thresholds};

    fn check(id: u8, attempts: u32) -> Check {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check {
            attempts,
            ..Check::new(CheckId::from_bytes([id; 16]), format!("c{id}"), kind)
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + ms)
    }

    fn watch(checks: Vec<Check>) -> Watch {
        let mut watch = Watch::new(AuthorId::ZERO, Vec::new(), Vec::new());
        assert_eq!(watch.configure(checks, at(0)), []);
        watch
    }

    fn says(id: u8, ms: i64, severity: Severity) -> Observation {
        Observation::of_builtin(CheckId::from_bytes([id; 16]), at(ms), severity, "said")
    }

    #[test]
    fn only_changes_become_entries_and_a_running_check_is_not_started_again() {
        let mut watch = watch(vec![check(1, 1)]);
        assert_eq!(watch.take_due(at(5_000), 9).len(), 1);
        assert_eq!(watch.take_due(at(500_000), 9), []);
        assert_eq!(watch.next_due(), None);
        assert!(
            watch
                .observed(&says(1, 5_000, Severity::Ok), at(5_000), [0; 10])
                .is_some()
        );
        assert!(
            watch
                .observed(&says(1, 65_000, Severity::Ok), at(65_000), [0; 10])
                .is_none()
        );
        let next = watch.next_due().unwrap();
        assert!(next > at(65_000) && next <= at(125_000));
        assert_eq!(watch.pending().count(), 1);
        assert_eq!(watch.beats().len(), 1);
    }

    #[test]
    fn a_soft_problem_is_retried_sooner_and_becomes_hard() {
        let mut watch = watch(vec![check(1, 3)]);
        watch.observed(&says(1, 0, Severity::Ok), at(0), [0; 10]);
        let soft = watch
            .observed(&says(1, 60_000, Severity::Critical), at(60_000), [1; 10])
            .unwrap();
        assert_eq!(soft.hardness, Hardness::Soft);
        assert!(watch.next_due().unwrap() <= at(80_000));
        assert_eq!(
            watch.observed(&says(1, 80_000, Severity::Critical), at(80_000), [2; 10]),
            None
        );
        let hard = watch
            .observed(&says(1, 100_000, Severity::Critical), at(100_000), [3; 10])
            .unwrap();
        assert_eq!(hard.hardness, Hardness::Hard);
    }

    #[test]
    fn a_check_by_the_clock_waits_for_its_time_also_after_a_restart() {
        let daily = || Check {
            cron: Some(Cron {
                // The first time is three hours after the beginning.
                expression: "0 11 * * *".to_owned(),
                zone: "UTC".to_owned(),
            }),
            ..check(1, 2)
        };
        let hour = |hour: i64| at(hour * 3_600_000);
        let says = |at: Timestamp, severity| {
            Observation::of_builtin(CheckId::from_bytes([1; 16]), at, severity, "said")
        };
        let mut before = watch(vec![daily()]);
        let first = before.next_due().unwrap();
        assert!(first >= hour(3) && first < hour(3).plus(Duration::from_mins(1)));
        before.observed(&says(first, Severity::Ok), first, [0; 10]);
        let second = before.next_due().unwrap();
        assert_eq!(second.since(first), Duration::from_hours(24));
        // Away over the second time: it is not made up for.
        let mut after = Watch::new(AuthorId::ZERO, before.states(), Vec::new());
        assert_eq!(after.configure(vec![daily()], hour(30)), []);
        assert_eq!(
            after.next_due().unwrap().since(second),
            Duration::from_hours(24)
        );
        // A soft problem is looked at again soon.
        let third = after.next_due().unwrap();
        after.observed(&says(third, Severity::Critical), third, [1; 10]);
        assert_eq!(
            after.next_due().unwrap().since(third),
            Duration::from_secs(20)
        );
    }

    #[test]
    fn what_others_send_is_never_due_and_keeps_its_state() {
        let external = |ttl_ms| Check {
            kind: CheckKind::External {},
            ttl_ms,
            ..check(1, 1)
        };
        let mut watch = watch(vec![external(None)]);
        assert_eq!(
            watch.take_due(Timestamp::MAX.minus(Duration::from_secs(1)), 9),
            []
        );
        assert!(
            watch
                .observed(&says(1, 5_000, Severity::Critical), at(5_000), [0; 10])
                .is_some()
        );
        watch.add(external(Some(90_000)), at(6_000));
        assert_eq!(
            watch.observed(&says(1, 7_000, Severity::Critical), at(7_000), [0; 10]),
            None
        );
        let id = CheckId::from_bytes([1; 16]);
        let ended = watch.remove(&BTreeSet::from([id]), at(8_000));
        let told: Vec<_> = ended.iter().map(|it| (it.check, it.from, it.to)).collect();
        assert_eq!(told, [(id, Severity::Critical, Severity::Missing)]);
        assert!(watch.check(&id).is_none());
        // Let in again, the same problem is another one.
        watch.add(external(None), at(9_000));
        let again = watch.observed(&says(1, 9_000, Severity::Critical), at(9_000), [0; 10]);
        assert_eq!(again.map(|it| it.from), Some(Severity::Missing));
    }

    #[test]
    fn a_restart_keeps_states_times_and_entries() {
        let mut before = watch(vec![check(1, 1), check(2, 1)]);
        before.observed(&says(1, 1_000, Severity::Warning), at(1_000), [0; 10]);
        let planned = before.watched[&CheckId::from_bytes([1; 16])].due;
        let pending = before.pending().cloned().collect();
        let mut after = Watch::new(AuthorId::ZERO, before.states(), pending);
        assert_eq!(after.configure(vec![check(1, 1)], at(2_000)), []);
        assert_eq!(after.next_due(), Some(planned));
        assert_eq!(
            after.observed(&says(1, 60_000, Severity::Warning), at(60_000), [1; 10]),
            None
        );
        assert_eq!(after.pending().count(), 1);
    }

    #[test]
    fn a_problem_ends_with_its_check_also_when_it_was_removed_while_nobody_looked() {
        let mut before = watch(vec![check(1, 1), check(2, 1), check(3, 1)]);
        for id in [1, 2] {
            before.observed(&says(id, 1_000, Severity::Warning), at(1_000), [0; 10]);
        }
        before.observed(&says(3, 1_000, Severity::Ok), at(1_000), [0; 10]);
        let told = |ended: &[Transition]| -> Vec<_> {
            ended
                .iter()
                .map(|it| (it.check.as_bytes()[0], it.to))
                .collect()
        };
        let ended = before.configure(vec![check(2, 1)], at(2_000));
        assert_eq!(
            told(&ended),
            [(1, Severity::Missing)],
            "what was well stays so"
        );
        let mut after = Watch::new(AuthorId::ZERO, before.states(), Vec::new());
        let ended = after.configure(Vec::new(), at(3_000));
        assert_eq!(told(&ended), [(2, Severity::Missing)]);
        assert_eq!(after.configure(Vec::new(), at(4_000)), [], "once");
    }

    #[test]
    fn entries_keep_their_order_when_the_clock_goes_back_and_leave_when_written() {
        let mut watch = watch(vec![check(1, 1)]);
        for (ms, severity) in [
            (5_000, Severity::Ok),
            (4_000, Severity::Critical),
            (4_000, Severity::Ok),
        ] {
            watch.observed(&says(1, ms, severity), at(ms), [0; 10]);
        }
        let ids: Vec<EntryId> = watch.pending().map(|pending| pending.id).collect();
        assert!(ids.is_sorted() && ids.iter().collect::<BTreeSet<_>>().len() == 3);
        watch.written(&ids[..2]);
        assert_eq!(
            watch
                .pending()
                .map(|pending| pending.id)
                .collect::<Vec<_>>(),
            ids[2..]
        );
    }

    #[test]
    fn what_waits_is_bounded_and_the_loss_is_counted() {
        let mut watch = watch(vec![check(1, 1)]);
        let entries = i64::try_from(PENDING_MAX).unwrap() + 5;
        for ms in 0..entries {
            watch.enter(&JournalEntry::Stopped { at: at(ms) }, at(ms), [0; 10]);
        }
        assert_eq!(watch.pending().count(), PENDING_MAX);
        assert_eq!(watch.take_lost(), 5);
        assert_eq!(watch.take_lost(), 0);
    }

    #[test]
    fn a_disabled_or_removed_check_does_not_run_and_its_late_result_is_dropped() {
        let mut watch = watch(vec![
            check(1, 1),
            Check {
                enabled: false,
                ..check(2, 1)
            },
        ]);
        assert_eq!(watch.take_due(at(5_000), 9).len(), 1);
        assert_eq!(watch.configure(Vec::new(), at(6_000)), []);
        assert_eq!(
            watch.observed(&says(1, 7_000, Severity::Critical), at(7_000), [0; 10]),
            None
        );
        assert_eq!(watch.pending().count(), 0);
    }
}
