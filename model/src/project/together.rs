//! What all who look at a check know of its past: always broken, or just happened?

use std::sync::Arc;

use aramaki_sync_core::Timestamp;

use super::gone::{self, Gone};
use super::vantage::Vantage;
use crate::check::Check;
use crate::day::{Days, Present};
use crate::journal::CheckRecord;
use crate::severity::Severity;
use crate::status::{CheckStatus, agreed};

/// Hard states of a check by time, oldest first.
type History = Vec<(Timestamp, Severity)>;

/// What is known of a check for long. Whoever looks beside others adds to it, and hides nothing of what they saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// What they agreed on, by time.
    pub(super) history: History,
    /// When it was last OK.
    pub(super) last_ok: Option<Timestamp>,
    /// Since when it is what it is; none while that is not heard.
    pub(super) since: Option<Timestamp>,
    pub(super) days: Arc<Days>,
    pub(super) present: Present,
}

impl Past {
    /// Of a check at which nobody looks any more.
    pub(super) fn only(before: &[Gone<'_>]) -> Self {
        Self {
            history: gone::history(before, Vec::new()),
            last_ok: last_ok_before(before),
            days: gone::days(before, Arc::default()),
            ..Self::default()
        }
    }

    /// Of a check that is told in the words of one of them.
    pub(super) fn of(
        check: &Check,
        (judged, told): (&[(CheckStatus, Vantage<'_>)], usize),
        before: &[Gone<'_>],
    ) -> Self {
        let Some((status, vantage)) = judged.get(told) else {
            return Self::default();
        };
        let mut present = status.present();
        let is_heard = status.raw != Severity::Missing;
        let (own, last_ok, since) = if let [_] = judged {
            let record = vantage.record;
            let own = record.map(|record| record.history.clone());
            let last_ok = record.and_then(|record| record.last_ok);
            let last_ok = last_ok.max(heard_ok(status, record));
            (own.unwrap_or_default(), last_ok, status.since)
        } else {
            let own = together(check.quorum.unwrap_or(1), judged);
            let since = own.last().filter(|(_, state)| *state == status.raw);
            let since = since.map(|(at, _)| *at).or(status.since);
            if is_heard {
                present.since = since;
                present.seen = judged.iter().filter_map(|(status, _)| status.seen).max();
            }
            let mut last_ok = last_ok(&own, judged);
            if own.last().is_some_and(|(_, state)| state.is_ok()) {
                let heard = judged.iter();
                let heard = heard.filter_map(|(status, it)| heard_ok(status, it.record));
                last_ok = last_ok.max(heard.max());
            }
            (own, last_ok, since)
        };
        let mut days = vantage.days();
        for (place, (_, other)) in judged.iter().enumerate() {
            if place != told {
                Arc::make_mut(&mut days).add(&other.days());
            }
        }
        Self {
            history: gone::history(before, own),
            last_ok: last_ok.or_else(|| last_ok_before(before)),
            since: since.filter(|_| is_heard).or(status.since),
            days: gone::days(before, days),
            present,
        }
    }
}

/// When a check was heard last, if it was OK then: of a result that changed nothing heartbeats alone tell.
fn heard_ok(status: &CheckStatus, record: Option<&CheckRecord>) -> Option<Timestamp> {
    let is_ok = record.is_some_and(|record| record.hard.is_ok());
    let said_ok = status.soft.is_some_and(Severity::is_ok);
    status.seen.filter(|_| is_ok && said_ok)
}

/// When those last knew it to be OK who looked before.
fn last_ok_before(before: &[Gone<'_>]) -> Option<Timestamp> {
    before.iter().filter_map(Gone::last_ok).max()
}

/// What all saw together at each time. Who had not looked yet is no witness, of anything.
fn together(quorum: u32, judged: &[(CheckStatus, Vantage<'_>)]) -> History {
    let mut turns = Vec::new();
    for (place, (_, vantage)) in judged.iter().enumerate() {
        // Within one journal its own order holds, whatever its clock did.
        let mut latest = Timestamp::from_millis(i64::MIN);
        for (at, state) in vantage.record.iter().flat_map(|record| &record.history) {
            latest = latest.max(*at);
            turns.push((latest, place, *state));
        }
    }
    turns.sort_by_key(|(at, place, _)| (*at, *place));
    let mut seen: Vec<Option<Severity>> = vec![None; judged.len()];
    let mut states: Vec<Severity> = Vec::with_capacity(judged.len());
    let mut history: History = Vec::new();
    for (at, place, state) in turns {
        if let Some(seen) = seen.get_mut(place) {
            *seen = Some(state);
        }
        states.clear();
        states.extend(seen.iter().flatten());
        let now = agreed(&states, quorum).unwrap_or_default();
        if history.last().is_none_or(|(_, last)| *last != now) {
            history.push((at, now));
        }
    }
    history
}

/// When it last ceased to be OK; while it is, the last change that is known to say so.
fn last_ok(
    history: &[(Timestamp, Severity)],
    judged: &[(CheckStatus, Vantage<'_>)],
) -> Option<Timestamp> {
    let of_records = || {
        let records = judged.iter().filter_map(|(_, vantage)| vantage.record);
        records.filter_map(|record| record.last_ok)
    };
    if history.last().is_some_and(|(_, state)| state.is_ok()) {
        return of_records().max();
    }
    let mut pairs = history.windows(2).rev();
    let ceased = pairs.find_map(|pair| match pair {
        [(_, one), (at, _)] if one.is_ok() => Some(*at),
        _ => None,
    });
    // Of what lies before all that is kept only the latest word is known.
    let begins = history.first().map(|(at, _)| *at);
    ceased.or_else(|| of_records().filter(|at| Some(*at) <= begins).max())
}
