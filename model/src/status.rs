//! Status, derived at read time from facts and a clock that is passed in.

use aramaki_sync_core::Timestamp;

pub use crate::alert::AlertId;
use crate::beats::Beats;
use crate::check::Check;
use crate::day::Present;
use crate::entry::Acknowledgement;
use crate::heartbeat::{CheckBeat, HEARTBEAT_STALE_MS};
use crate::journal::{CheckRecord, Journal};
use crate::severity::Severity;
use crate::silence::{self, Matter, Silence};

/// Whether an agent is heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgentLife {
    /// Heard of within the last two minutes.
    Alive,
    /// It said that it stops.
    Stopped,
    /// Not heard of for too long.
    Stale,
    /// Never heard of.
    #[default]
    Unseen,
}

/// Whether an agent is heard of, by its heartbeats and its journal, at the moment up to which this
/// replica would have heard it.
pub fn agent_life(journal: &Journal, beats: &Beats, as_of: Timestamp) -> AgentLife {
    let last = beats.last().max(journal.last_at.map(|at| at.min(as_of)));
    match (last, journal.stopped_at) {
        (None, _) => AgentLife::Unseen,
        (Some(last), Some(stopped)) if stopped >= last => AgentLife::Stopped,
        (Some(last), _) if millis_since(as_of, last) > HEARTBEAT_STALE_MS => AgentLife::Stale,
        _ => AgentLife::Alive,
    }
}

/// The state of a check as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckStatus {
    /// The state that counts now: the agent's, or Missing when it is too old.
    pub raw: Severity,
    /// The same after acknowledgement and silence.
    pub effective: Severity,
    /// The last state that the agent told, however old; none when there is none.
    pub last: Option<Severity>,
    /// The state of the last result; differs from `last` while a change is soft.
    pub soft: Option<Severity>,
    /// Which attempt the last result is, while it differs from `last` and is heard of.
    pub attempt: Option<u32>,
    /// Since when the state that counts holds.
    pub since: Option<Timestamp>,
    /// The last sign of the check.
    pub seen: Option<Timestamp>,
    /// Why the effective state differs.
    pub handled: Option<Handled>,
}

impl CheckStatus {
    /// What is known of the check now, for the strip of its days.
    pub(crate) fn present(&self) -> Present {
        let is_heard = self.raw != Severity::Missing;
        Present {
            state: self.last.filter(|last| *last != Severity::Missing),
            // Of a check that is not heard the moment is that of its last sign.
            since: self.since.filter(|_| is_heard),
            seen: self.seen,
        }
    }
}

/// Why a problem does not ask for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Somebody knows.
    Acknowledged,
    /// It is silenced.
    Silenced,
    /// It is expected: a maintenance window is open.
    Maintenance,
    /// It is expected: whoever looks may be offline, and is not heard of.
    Offline,
}

/// All that the status of one check follows from.
#[derive(Clone, Copy, Debug)]
pub struct CheckFacts<'a> {
    /// Up to when the agent would have been heard.
    pub as_of: Timestamp,
    /// What is looked at.
    pub check: &'a Check,
    /// What the journal says.
    pub record: Option<&'a CheckRecord>,
    /// What the last heartbeat said.
    pub beat: Option<&'a CheckBeat>,
    /// When the last result of which a heartbeat told was, also before this replica was started.
    pub heard: Option<Timestamp>,
    /// Whether the agent that looks is heard of.
    pub life: AgentLife,
}

/// What several vantages see together: as bad as the `quorum` worst of them agree that it is at
/// least. A vantage that is Missing is no witness of a problem, but of nothing good either.
pub fn agreed(seen: &[Severity], quorum: u32) -> Option<Severity> {
    let mut sorted = seen.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let last = sorted.len().checked_sub(1)?;
    let at = usize::try_from(quorum).unwrap_or(usize::MAX).max(1) - 1;
    sorted.get(at.min(last)).copied()
}

/// Derives the status of a check, before anybody said anything about it.
///
/// It is Missing when there was never a result, when the agent was not heard of up to `as_of`, and
/// when the last sign was older then than the check's time to live.
pub fn check_status(facts: &CheckFacts<'_>, now: Timestamp) -> CheckStatus {
    let told = facts.record.map(|record| record.last_at.min(now));
    let seen = told.max(facts.heard.map(|at| at.min(now)));
    let Some(record) = facts.record else {
        return CheckStatus {
            raw: Severity::Missing,
            effective: Severity::Missing,
            last: None,
            soft: facts.beat.map(|beat| beat.raw),
            attempt: None,
            since: None,
            seen,
            handled: None,
        };
    };
    let is_old = seen.is_none_or(|seen| millis_since(facts.as_of, seen) > facts.check.ttl_ms());
    let is_missing = is_old || facts.life != AgentLife::Alive;
    let newer = facts.beat.filter(|beat| beat.at > record.last_at);
    // A heartbeat says nothing better than the journal. What is worse and no attempt counts at the agent: its
    // entry is on the way, or waits because the agent's clock was ahead.
    let worse = newer.filter(|beat| beat.attempt == 0 && beat.raw > record.hard);
    let worse = worse.filter(|beat| beat.raw > Severity::Missing);
    let raw = match worse {
        _ if is_missing => Severity::Missing,
        Some(beat) => beat.raw,
        None => record.hard,
    };
    let soft = newer.map_or(record.raw, |beat| beat.raw);
    // Of an agent that does not say it, it is at least that of the change.
    let told = newer
        .map(|beat| u32::from(beat.attempt))
        .filter(|it| *it > 0);
    let is_soft = !is_missing && soft != raw && !soft.is_ok();
    CheckStatus {
        raw,
        effective: raw,
        last: Some(record.hard),
        soft: Some(soft),
        attempt: is_soft.then_some(told.unwrap_or(record.attempt)),
        since: if is_missing {
            seen
        } else {
            Some(record.hard_since)
        },
        seen,
        handled: None,
    }
}

/// What people said about the problems of a System.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handling<'a> {
    pub(crate) silences: &'a [&'a Silence],
    pub(crate) acknowledgements: &'a [&'a Acknowledgement],
    pub(crate) maintenance: Option<Expected>,
}

/// A maintenance window is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected;

/// Why a state does not ask for attention, if it does not. `matters` are what it may be taken for:
/// an acknowledgement is of a problem that was seen, so one of a problem says nothing of silence.
pub(crate) fn handled(
    raw: Severity,
    matters: &[Matter<'_>],
    said: &Handling<'_>,
    now: Timestamp,
) -> Option<Handled> {
    if raw.is_ok() {
        return None;
    }
    let any = |of: &dyn Fn(&Matter<'_>) -> bool| matters.iter().any(of);
    let is_silent = |silence: &&Silence| any(&|matter| matter.is_covered_by(silence, now));
    let is_known = |known: &&Acknowledgement| {
        silence::holds(known, now) && any(&|matter| matter.is_known_by(known))
    };
    if said.silences.iter().any(is_silent) {
        Some(Handled::Silenced)
    } else if said.maintenance.is_some() {
        Some(Handled::Maintenance)
    } else {
        let is_known = said.acknowledgements.iter().any(is_known);
        is_known.then_some(Handled::Acknowledged)
    }
}

fn millis_since(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(now.since(then).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, CheckKind, Thresholds};
    use crate::entry::JournalEntry;
    use crate::heartbeat::Heartbeat;
    use crate::id::CheckId;
    use crate::id::EntryId;
    use crate::journal::Written;
    use crate::transition::{Hardness, Transition};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn check() -> Check {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check {
            ttl_ms: Some(60_000),
            ..Check::new(CheckId::from_bytes([1; 16]), "c", kind)
        }
    }

    fn critical() -> CheckRecord {
        let transition = Transition {
            check: check().id,
            at: at(100),
            from: Severity::Missing,
            to: Severity::Critical,
            hardness: Hardness::Hard,
            attempt: 1,
            attempts: 1,
            flapping: false,
            raw_exit: None,
            summary: String::new(),
            detail: String::new(),
            metrics: Vec::new(),
            evidence: None,
        };
        let written = Written {
            id: EntryId::new(at(100), [0; 10]),
            actor: [0; 16],
            entry: JournalEntry::Transition(transition),
        };
        Journal::read([&written]).checks[&check().id].clone()
    }

    fn status(
        beat: Option<i64>,
        life: AgentLife,
        silence: Option<(i64, i64)>,
        acknowledged: Option<(i64, Option<i64>)>,
        now: i64,
    ) -> (Severity, Severity) {
        let (check, record) = (check(), critical());
        let beat = beat.map(|seconds| CheckBeat {
            check: check.id,
            at: at(seconds),
            raw: Severity::Critical,
            attempt: 0,
        });
        let silence = silence.map(|(from, until)| Silence {
            from: at(from),
            until: at(until),
            ..Silence::default()
        });
        let acknowledgement = acknowledged.map(|(when, until)| Acknowledgement {
            at: at(when),
            check: Some(check.id),
            until: until.map(at),
            ..Acknowledgement::default()
        });
        let facts = CheckFacts {
            as_of: at(now),
            check: &check,
            record: Some(&record),
            beat: beat.as_ref(),
            heard: beat.as_ref().map(|beat| beat.at),
            life,
        };
        let raw = check_status(&facts, at(now)).raw;
        let is_missing = raw == Severity::Missing;
        let matter = Matter {
            alert: None,
            check: check.id,
            family: "c",
            opened: Some(if is_missing { at(160) } else { at(100) }),
            resolved: None,
            heard: None,
        };
        let said = Handling {
            silences: &silence.iter().collect::<Vec<_>>(),
            acknowledgements: &acknowledgement.iter().collect::<Vec<_>>(),
            maintenance: None,
        };
        match handled(raw, &[matter], &said, at(now)) {
            Some(_) => (raw, Severity::Ok),
            None => (raw, raw),
        }
    }

    #[test]
    fn a_check_is_missing_after_its_time_to_live_and_a_heartbeat_keeps_it() {
        use AgentLife::{Alive, Stale};
        use Severity::{Critical, Missing};
        assert_eq!(status(None, Alive, None, None, 160), (Critical, Critical));
        assert_eq!(status(None, Alive, None, None, 161), (Missing, Missing));
        assert_eq!(
            status(Some(150), Alive, None, None, 200),
            (Critical, Critical)
        );
        assert_eq!(
            status(Some(150), Stale, None, None, 200),
            (Missing, Missing)
        );
    }

    #[test]
    fn acknowledgements_and_silences_act_for_their_time_only() {
        use AgentLife::Alive;
        use Severity::{Critical, Missing, Ok};
        assert_eq!(
            status(None, Alive, Some((90, 120)), None, 110),
            (Critical, Ok)
        );
        assert_eq!(
            status(None, Alive, Some((90, 120)), None, 120),
            (Critical, Critical)
        );
        assert_eq!(
            status(None, Alive, None, Some((105, None)), 110),
            (Critical, Ok)
        );
        assert_eq!(
            status(None, Alive, None, Some((99, None)), 110),
            (Critical, Critical)
        );
        assert_eq!(
            status(None, Alive, None, Some((105, Some(109))), 110),
            (Critical, Critical)
        );
        assert_eq!(
            status(None, Alive, None, Some((105, None)), 200),
            (Missing, Missing)
        );
        assert_eq!(
            status(None, Alive, None, Some((170, None)), 200),
            (Missing, Ok),
            "that nothing is heard was seen and acknowledged"
        );
    }

    #[test]
    fn so_many_vantages_must_agree() {
        use Severity::{Critical, Missing, Ok, Warning};
        let seen = [Critical, Ok, Warning];
        let agree = [1, 2, 3, 9].map(|quorum| agreed(&seen, quorum));
        assert_eq!(agree, [Some(Critical), Some(Warning), Some(Ok), Some(Ok)]);
        assert_eq!(agreed(&[Ok, Missing], 1), Some(Missing));
        assert_eq!(agreed(&[Missing, Missing], 2), Some(Missing));
        assert_eq!(agreed(&[], 1), None);
    }

    #[test]
    fn a_heartbeat_from_the_future_keeps_nothing_alive() {
        let mut beats = Beats::default();
        beats.take(
            &Heartbeat {
                at: at(9_999),
                generation: 1,
                checks: vec![],
            },
            at(10),
        );
        let journal = Journal::default();
        assert_eq!(agent_life(&journal, &beats, at(130)), AgentLife::Alive);
        assert_eq!(agent_life(&journal, &beats, at(131)), AgentLife::Stale);
        assert_eq!(
            agent_life(&journal, &Beats::default(), at(0)),
            AgentLife::Unseen
        );
    }

    #[test]
    fn a_heartbeat_says_no_more_than_that_it_is_worse_and_no_time_to_come() {
        use Severity::{Critical, Missing, Ok, Warning};
        let (check, critical) = (check(), critical());
        let fine = CheckRecord {
            raw: Ok,
            hard: Ok,
            ..critical.clone()
        };
        let seen = |record: &CheckRecord, beat: Option<Severity>, life, now| {
            let beat = beat.map(|raw| CheckBeat {
                check: check.id,
                at: at(120),
                raw,
                attempt: 0,
            });
            let facts = CheckFacts {
                as_of: at(now),
                check: &check,
                record: Some(record),
                beat: beat.as_ref(),
                heard: beat.as_ref().map(|beat| beat.at),
                life,
            };
            check_status(&facts, at(now))
        };
        let alive = |record: &CheckRecord, beat| seen(record, Some(beat), AgentLife::Alive, 130);
        assert_eq!(alive(&critical, Warning).raw, Critical, "no better");
        assert_eq!(alive(&fine, Missing).raw, Ok, "that is no result");
        assert_eq!(alive(&fine, Warning).raw, Warning);
        // What is over has no attempts, though its entry is not here yet.
        assert_eq!(alive(&critical, Ok).attempt, None);
        assert_eq!(alive(&fine, Warning).attempt, None, "it counts");
        let early = seen(&critical, None, AgentLife::Stale, 50);
        assert_eq!((early.raw, early.since), (Missing, Some(at(50))));
    }

    #[test]
    fn what_is_ok_needs_no_handling() {
        let said = Handling {
            silences: &[],
            acknowledgements: &[],
            maintenance: Some(Expected),
        };
        assert_eq!(handled(Severity::Ok, &[], &said, at(1)), None);
        let handled = handled(Severity::Warning, &[], &said, at(1));
        assert_eq!(handled, Some(Handled::Maintenance));
    }
}
