//! Episodes: from when to when enough vantages saw a check's problem.

use aramaki_sync_core::{SpaceId, Timestamp};

use crate::alert::AlertId;
use crate::id::{CheckId, EntryId};
use crate::journal::{CheckRecord, Turn};
use crate::severity::Severity;
use crate::status::agreed;

/// What began an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// The transition that made enough vantages agree.
    Entry(EntryId),
    /// It is in a segment that is not here: what is known is since when it lasts.
    Carried(Timestamp),
}

/// A problem from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Episode {
    pub(crate) opening: Opening,
    pub(crate) opened: Timestamp,
    pub(crate) resolved: Option<Timestamp>,
    /// The state now, or the last one before the end.
    pub(crate) severity: Severity,
    /// Since when it was that.
    pub(crate) since: Timestamp,
    pub(crate) worst: Severity,
    /// What was said with the last change for the worse or better, not with the end.
    pub(crate) summary: String,
    /// Results in a row with the last state, by the check's interval.
    pub(crate) occurrences: u32,
    /// The longest such row.
    pub(crate) watermark: u32,
    attempt: u32,
}

impl Episode {
    pub(crate) fn id(&self, system: &SpaceId, check: &CheckId) -> AlertId {
        match self.opening {
            Opening::Entry(id) => AlertId::of(system, check, id.as_bytes()),
            Opening::Carried(since) => AlertId::of(system, check, &since.millis().to_be_bytes()),
        }
    }

    fn new(turn: &Turn, severity: Severity) -> Self {
        Self {
            opening: turn.id.map_or(Opening::Carried(turn.at), Opening::Entry),
            opened: turn.at,
            resolved: None,
            severity,
            since: turn.at,
            worst: severity,
            summary: turn.summary.clone(),
            occurrences: 0,
            watermark: 0,
            attempt: turn.attempt.max(1),
        }
    }

    /// Counts results from the last change up to `until`; with the one at `until` when that is the
    /// same state's.
    fn count(&mut self, until: Timestamp, interval_ms: u64, ends: Ends) {
        let span = u64::try_from(until.since(self.since).as_millis()).unwrap_or(u64::MAX);
        let interval_ms = interval_ms.max(1);
        // To the nearest: runs are never quite on time.
        let runs = span.saturating_add(interval_ms / 2) / interval_ms;
        let after = match ends {
            Ends::With => runs,
            Ends::Before => runs.saturating_sub(1),
        };
        let after = u32::try_from(after).unwrap_or(u32::MAX);
        self.occurrences = self.attempt.saturating_add(after);
        self.watermark = self.watermark.max(self.occurrences);
    }
}

/// Whether a row of results ends with the one at its last moment, or before it.
#[derive(Clone, Copy)]
enum Ends {
    With,
    Before,
}

/// The episodes of a check, oldest first; the last one may go on. `vantages` are all that look,
/// with what their journals say; `quorum` of them, or all if there are fewer, must see a problem.
/// `seen` is the last sign of the check, and `interval_ms` from one result to the next.
///
/// What vantages told is put in the order of time and entry, so every replica that has it finds
/// the same episodes.
pub(crate) fn episodes(
    vantages: &[Option<&CheckRecord>],
    quorum: u32,
    interval_ms: u64,
    seen: Option<Timestamp>,
) -> Vec<Episode> {
    let mut states = Vec::with_capacity(vantages.len());
    let mut turns = Vec::new();
    for (vantage, record) in vantages.iter().enumerate() {
        let first = record.and_then(|record| record.turns.first());
        states.push(first.map_or(Severity::Missing, |turn| turn.from));
        // Within one journal its own order holds, whatever its clock did.
        let mut latest = Timestamp::from_millis(i64::MIN);
        for turn in record.iter().flat_map(|record| &record.turns) {
            latest = latest.max(turn.at);
            turns.push(((latest, turn.id, vantage), turn));
        }
    }
    turns.sort_by_key(|(order, _)| *order);
    let mut found: Vec<Episode> = Vec::new();
    for ((_, _, vantage), turn) in turns {
        if let Some(state) = states.get_mut(vantage) {
            *state = turn.to;
        }
        let now = agreed(&states, quorum).unwrap_or_default();
        let open = found
            .last_mut()
            .filter(|episode| episode.resolved.is_none());
        match (open, is_problem(now)) {
            (None, true) => {
                found.push(Episode::new(turn, now));
            }
            (Some(episode), true) if now != episode.severity => {
                episode.count(turn.at, interval_ms, Ends::Before);
                episode.severity = now;
                episode.since = turn.at;
                episode.attempt = 1;
                episode.worst = episode.worst.max(now);
                episode.summary.clone_from(&turn.summary);
            }
            (Some(episode), false) => {
                episode.count(turn.at, interval_ms, Ends::Before);
                episode.resolved = Some(turn.at);
            }
            _ => {}
        }
    }
    if let Some(open) = found
        .last_mut()
        .filter(|episode| episode.resolved.is_none())
    {
        open.count(seen.unwrap_or(open.since), interval_ms, Ends::With);
        if let [Some(record)] = vantages {
            open.worst = open.worst.max(record.worst);
        }
    }
    found
}

fn is_problem(severity: Severity) -> bool {
    severity > Severity::Missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, Check, CheckKind, Thresholds};
    use crate::entry::JournalEntry;
    use crate::journal::{Journal, Written};
    use crate::{CheckState, Observation};
    use Severity::{Critical, Missing, Ok, Warning};

    const INTERVAL_MS: u64 = 60_000;

    fn check() -> Check {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check::new(CheckId::from_bytes([1; 16]), "c", kind)
    }

    fn at(run: i64) -> Timestamp {
        Timestamp::from_millis(run * i64::try_from(INTERVAL_MS).unwrap())
    }

    /// One result at each run; none where it is Missing.
    fn record(vantage: u8, results: &[Severity]) -> CheckRecord {
        let mut state = CheckState::new(check().id);
        let mut entries = Vec::new();
        for (run, severity) in (1..).zip(results) {
            if *severity == Missing {
                continue;
            }
            let said = Observation::of_builtin(check().id, at(run), *severity, severity.word());
            let transition = state.observe(&check(), &said);
            entries.extend(transition.map(|transition| Written {
                id: EntryId::new(at(run), [vantage; 10]),
                actor: [vantage; 16],
                entry: JournalEntry::Transition(transition),
            }));
        }
        Journal::read(&entries).checks[&check().id].clone()
    }

    fn of(records: &[CheckRecord], quorum: u32, runs: usize) -> Vec<Episode> {
        let vantages: Vec<_> = records.iter().map(Some).collect();
        let seen = at(i64::try_from(runs).unwrap());
        episodes(&vantages, quorum, INTERVAL_MS, Some(seen))
    }

    #[test]
    fn occurrences_and_watermark_are_those_of_sensu() {
        let results = [
            Ok, Ok, Warning, Warning, Warning, Critical, Critical, Critical, Critical, Ok, Critical,
        ];
        let occurrences = [1, 2, 1, 2, 3, 1, 2, 3, 4, 1, 1];
        let watermarks = [1, 2, 1, 2, 3, 3, 3, 3, 4, 4, 1];
        for runs in 3..=results.len() {
            let found = of(&[record(1, &results[..runs])], 1, runs);
            let last = found.last().unwrap();
            assert_eq!(last.watermark, watermarks[runs - 1], "after {runs}");
            if last.resolved.is_none() {
                assert_eq!(last.occurrences, occurrences[runs - 1], "after {runs}");
            }
        }
    }

    #[test]
    fn an_episode_goes_from_the_first_problem_to_the_next_ok() {
        let found = of(&[record(1, &[Ok, Warning, Critical, Ok, Critical])], 1, 5);
        let brief: Vec<_> = found
            .iter()
            .map(|e| {
                (
                    e.opened,
                    e.resolved,
                    e.severity,
                    e.worst,
                    e.summary.as_str(),
                )
            })
            .collect();
        assert_eq!(
            brief,
            [
                (at(2), Some(at(4)), Critical, Critical, "critical"),
                (at(5), None, Critical, Critical, "critical"),
            ]
        );
        assert_ne!(found[0].opening, found[1].opening);
    }

    #[test]
    fn with_several_vantages_it_opens_with_the_transition_that_completes_the_quorum() {
        let records = [
            record(1, &[Ok, Critical, Critical, Critical, Ok, Ok]),
            record(2, &[Ok, Ok, Critical, Critical, Critical, Ok]),
            record(3, &[Ok, Ok, Ok, Critical, Critical, Critical]),
        ];
        for n in [4, 5] {
            let found = of(&records, 2, n);
            assert_eq!(
                found[0].opened,
                at(3),
                "the third does not move it, nor who leaves"
            );
            assert_eq!(
                found[0].opening,
                Opening::Entry(EntryId::new(at(3), [2; 10]))
            );
        }
        let found = of(&records, 2, 6);
        assert_eq!((found.len(), found[0].resolved), (1, Some(at(6))));
        let mut turned = records.to_vec();
        turned.reverse();
        assert_eq!(
            of(&turned, 2, 6),
            found,
            "the order of vantages does not matter"
        );
        assert_eq!(
            of(&records, 9, 6)[0].opened,
            at(4),
            "all when there are fewer"
        );
        assert_eq!(of(&records[..1], 2, 6)[0].opened, at(2));
    }

    #[test]
    fn a_vantage_that_never_told_is_no_witness() {
        let seen = record(1, &[Ok, Critical]);
        let found = episodes(&[Some(&seen), None], 2, INTERVAL_MS, None);
        assert_eq!(found, []);
        let found = episodes(&[Some(&seen), None], 1, INTERVAL_MS, None);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn of_a_problem_that_changes_for_ever_its_beginning_is_kept() {
        let mut results = vec![Ok];
        results.extend([Warning, Critical].repeat(200));
        let runs = results.len();
        let found = of(&[record(1, &results)], 1, runs);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].opening,
            Opening::Entry(EntryId::new(at(2), [1; 10]))
        );
        assert_eq!(found[0].worst, Critical);
    }

    #[test]
    fn a_problem_whose_beginning_is_not_here_is_known_by_its_time() {
        let record = record(1, &[Ok, Critical, Critical]);
        let carried = crate::entry::CarriedState {
            check: check().id,
            at: at(3),
            raw: Critical,
            hard: Critical,
            hard_since: record.hard_since,
            problem_since: record.problem_since,
            last_ok: record.last_ok,
            summary: "still".to_owned(),
        };
        let alone: Vec<_> = JournalEntry::carry(&[carried])
            .into_iter()
            .map(|entry| Written {
                id: EntryId::new(at(4), [9; 10]),
                actor: [1; 16],
                entry,
            })
            .collect();
        let read = Journal::read(&alone).checks[&check().id].clone();
        let found = of(&[read], 1, 4);
        assert_eq!(found[0].opening, Opening::Carried(at(2)));
        assert_eq!(found[0].opened, at(2));
    }

    #[test]
    fn a_second_vantage_that_sees_the_same_is_no_change_and_runs_are_never_quite_on_time() {
        let first = record(1, &[Ok, Ok, Critical, Critical, Critical]);
        let second = record(2, &[Ok, Ok, Ok, Ok, Critical]);
        let open = of(&[first.clone(), second], 1, 5).pop().unwrap();
        assert_eq!((open.since, open.occurrences), (at(3), 3));
        let seen = |ms: u64| Some(at(5).minus(std::time::Duration::from_millis(ms)));
        let counted = |seen| {
            let found = episodes(&[Some(&first)], 1, INTERVAL_MS, seen);
            found.last().unwrap().occurrences
        };
        assert_eq!(counted(seen(INTERVAL_MS / 2)), 3);
        assert_eq!(counted(seen(INTERVAL_MS / 2 + 1)), 2);
    }
}
