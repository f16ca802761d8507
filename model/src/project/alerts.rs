//! Alerts of one System, from what its agents tell and people say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::care::Care;
use super::gone::{self, Gone};
use super::own::{DAY_MS, Next};
use super::silent::Silent;
use super::together::Past;
use super::vantage::{Vantage, machine_told, vantages_told};
use crate::alert::{
    Alert, AlertId, AlertKind, AlertState, RESOLVED_DAYS, RESOLVED_OF_CHECK_MAX, STRIP_DAYS,
};
use crate::check::Check;
use crate::day::Present;
use crate::episode::{Episode, episodes};
use crate::evidence::AgentEvidence;
use crate::family::family;
use crate::id::EntryId;
use crate::journal::CheckRecord;
use crate::observer::SeenFrom;
use crate::presence::Presence;
use crate::severity::Severity;
use crate::silence::Matter;
use crate::snapshot::Standing;
use crate::status::{CheckStatus, Handled};

/// What a check without a fresh result is grouped under.
const MISSING_WORDS: &str = "no result";

/// Until when a problem is shown that was over at a moment.
fn forgotten(resolved: Timestamp) -> Timestamp {
    resolved.plus(Duration::from_hours(24 * u64::from(RESOLVED_DAYS)))
}

/// The id of what began when nothing was heard any more after an entry.
pub(super) fn without_sign(
    system: &SpaceId,
    check: &crate::CheckId,
    last: Option<EntryId>,
) -> AlertId {
    let mut bytes = b"not heard".to_vec();
    bytes.extend(last.iter().flat_map(EntryId::as_bytes));
    AlertId::of(system, check, &bytes)
}

/// What follows from what people said about a matter; the rest is empty.
pub(super) fn said(
    care: &Care<'_>,
    system: SpaceId,
    title: &str,
    matter: &Matter<'_>,
    severity: Severity,
) -> Alert {
    let opened = matter.opened.unwrap_or(Timestamp::ZERO);
    let acknowledgements = care.acknowledged(matter);
    let holds = care.holds(matter);
    let is_known = acknowledgements.iter().any(|known| known.holds);
    let is_over = matter.resolved.is_some();
    Alert {
        id: matter.alert.unwrap_or(AlertId([0; 32])),
        system,
        title: title.to_owned(),
        kind: AlertKind::Problem,
        check: matter.check,
        name: String::new(),
        family: matter.family.to_owned(),
        state: match () {
            () if is_over => AlertState::Resolved,
            () if is_known => AlertState::Acknowledged,
            () => AlertState::Open,
        },
        severity,
        worst: severity,
        effective: if is_over || is_known || !holds.is_empty() {
            Severity::Ok
        } else {
            severity
        },
        opened,
        sure_from: Some(opened),
        since: opened,
        resolved: matter.resolved,
        seen: None,
        is_stale: false,
        acknowledgements,
        claims: care.claimed(matter),
        holds,
        is_flapping: false,
        summary: String::new(),
        detail: String::new(),
        evidence: Vec::new(),
        metrics: Vec::new(),
        occurrences: 1,
        watermark: 1,
        first_seen: None,
        last_ok: None,
        flaps: 0,
        transitions: Vec::new(),
        tries: Vec::new(),
        days: Arc::default(),
        present: Present::default(),
        machine: None,
        vantages: Vec::new(),
        seen_from: Vec::new(),
        blind: BTreeSet::new(),
        was_observed: None,
        concerns: Arc::default(),
    }
}

/// A check with what all vantages see of it.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    pub(super) space: SpaceId,
    pub(super) title: &'a str,
    pub(super) check: &'a Check,
    /// What they agree on.
    pub(super) raw: Severity,
    pub(super) judged: &'a [(CheckStatus, Vantage<'a>)],
    /// The one in whose words it is told.
    pub(super) told: usize,
    /// Agents that are not heard.
    pub(super) silent: &'a [Silent],
    /// From where it is seen, if agents of others look.
    pub(super) seen_from: &'a [SeenFrom],
    /// What those others' people said.
    pub(super) beside: &'a [Care<'a>],
    /// What agents told that were removed.
    pub(super) gone: &'a [Gone<'a>],
    /// What all who look know of it for long.
    pub(super) past: &'a Past,
    pub(super) now: Timestamp,
}

/// A check without a fresh result, of an agent that is heard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Unheard {
    since: Timestamp,
    /// The last entry about it.
    last: Option<EntryId>,
    /// From when people may be told.
    sure_from: Option<Timestamp>,
    /// The last sign.
    seen: Option<Timestamp>,
}

/// The alerts of a check, and what may be said of its state.
#[derive(Default)]
pub(super) struct Found {
    pub(super) alerts: Vec<Alert>,
    /// The alert of the problem that is there, even if nothing is heard since.
    pub(super) open: Option<AlertId>,
    /// That problem, if what is heard now is not as bad.
    pub(super) stands: Option<Standing>,
    /// Why the state of the check does not ask for attention.
    pub(super) handled: Option<Handled>,
}

impl<'a> Looked<'a> {
    /// Finds its alerts.
    pub(super) fn alerts(&self, care: &Care<'_>, next: &mut Next) -> Found {
        let mut found = Found::default();
        self.problems(care, next, &mut found);
        self.past(care, next, &mut found);
        if self.raw == Severity::Missing {
            self.missing(care, next, &mut found);
        }
        found
    }

    fn record(&self) -> Option<&'a CheckRecord> {
        let (_, vantage) = self.judged.get(self.told)?;
        vantage.record
    }

    /// What the agent in whose words it is told keeps of them whole.
    fn kept(&self, record: Option<&CheckRecord>) -> Vec<AgentEvidence> {
        let told = self.judged.get(self.told);
        let agent = told.and_then(|(_, vantage)| vantage.agent);
        let kept = record.into_iter().flat_map(CheckRecord::kept);
        let of_agent = |kept| {
            Some(AgentEvidence {
                agent: agent?,
                kept,
            })
        };
        kept.filter_map(of_agent).collect()
    }

    /// Problems that are there or were lately.
    fn problems(&self, care: &Care<'_>, next: &mut Next, found: &mut Found) {
        let judged = self.judged.iter();
        let seen = judged.clone().filter_map(|(status, _)| status.seen).max();
        let records: Vec<_> = judged.map(|(_, vantage)| vantage.record).collect();
        let quorum = self.check.quorum.unwrap_or(1);
        let mut resolved = 0;
        for episode in episodes(&records, quorum, self.check.interval_ms, seen)
            .iter()
            .rev()
        {
            let family = family(&self.check.name, &episode.summary);
            let matter = Matter {
                alert: Some(episode.id(&self.space, &self.check.id)),
                check: self.check.id,
                family: &family,
                opened: Some(episode.opened),
                resolved: episode.resolved,
                heard: None,
            };
            if let Some(at) = episode.resolved {
                let forgotten = forgotten(at);
                if forgotten <= self.now || resolved >= RESOLVED_OF_CHECK_MAX {
                    break;
                }
                next.consider(forgotten);
                resolved += 1;
            } else {
                found.open = matter.alert;
                found.handled = care.handled(self.raw, &[matter]);
            }
            if episode.resolved.is_some() || self.check.enabled {
                let alert = self.problem(care, episode, &matter, seen);
                let stands = alert.is_open() && alert.severity > self.raw;
                found.stands = found.stands.or(stands.then_some(Standing {
                    severity: alert.severity,
                    effective: alert.effective,
                    since: alert.since,
                }));
                found.alerts.push(alert);
            }
        }
    }

    /// Problems that agents saw which were removed since.
    fn past(&self, care: &Care<'_>, next: &mut Next, found: &mut Found) {
        let records = self.judged.iter().filter_map(|(_, vantage)| vantage.record);
        let begins = records.filter_map(|record| record.history.first());
        let begins = begins.map(|(at, _)| *at).min();
        let rule = (self.check.quorum, self.check.interval_ms);
        let past = gone::past_episodes(self.gone, rule, begins);
        let mut shown = 0;
        for (episode, was) in past.iter().rev() {
            let family = family(&self.check.name, &episode.summary);
            let matter = Matter {
                alert: Some(episode.id(&self.space, &self.check.id)),
                check: self.check.id,
                family: &family,
                opened: Some(episode.opened),
                resolved: episode.resolved,
                heard: None,
            };
            let Some(forgotten) = episode.resolved.map(forgotten) else {
                continue;
            };
            if forgotten <= self.now || shown >= RESOLVED_OF_CHECK_MAX {
                continue;
            }
            next.consider(forgotten);
            shown += 1;
            found.alerts.push(Alert {
                was_observed: Some(was.clone()),
                ..self.problem(care, episode, &matter, None)
            });
        }
    }

    fn problem(
        &self,
        care: &Care<'_>,
        episode: &Episode,
        matter: &Matter<'_>,
        seen: Option<Timestamp>,
    ) -> Alert {
        let record = self.record();
        let is_open = episode.resolved.is_none();
        // What was said last is of the last problem only while that is there.
        let last = record.filter(|_| is_open);
        Alert {
            worst: episode.worst,
            since: episode.since,
            seen,
            is_stale: is_open && self.raw == Severity::Missing,
            is_flapping: last.is_some_and(|record| record.flapping),
            summary: last
                .map_or(&episode.summary, |record| &record.summary)
                .clone(),
            detail: last.map(CheckRecord::lines).unwrap_or_default(),
            evidence: self.kept(last),
            metrics: last
                .map(|record| record.metrics.clone())
                .unwrap_or_default(),
            tries: last.map(|record| record.tries.clone()).unwrap_or_default(),
            occurrences: episode.occurrences,
            watermark: episode.watermark,
            ..self.told(said(care, self.space, self.title, matter, episode.severity))
        }
    }

    /// That an agent which is heard gives no fresh result.
    ///
    /// It is named after whoever saw nothing for longest, also of those whose silence says nothing here yet: whoever
    /// begins to listen names it as all others do.
    fn unheard(&self, next: &mut Next) -> Option<Unheard> {
        let (mut first, mut sure_from): (Option<Unheard>, Option<Option<Timestamp>>) = (None, None);
        for (status, vantage) in self.judged {
            let Some(unheard) = self.unheard_by(status, vantage, next) else {
                continue;
            };
            let judged = match vantage.record {
                Some(_) => vantage.judged,
                None => vantage.as_of,
            };
            if status.raw == Severity::Missing && Some(unheard.since) < judged {
                let known = sure_from.flatten().into_iter();
                sure_from = Some(known.chain(vantage.sure_from).min());
            } else if judged >= Some(self.now) {
                continue;
            }
            first = first.into_iter().chain([unheard]).min();
        }
        Some(Unheard {
            sure_from: sure_from?,
            ..first?
        })
    }

    /// The same of one agent, if it is not heard of by now.
    fn unheard_by(
        &self,
        status: &CheckStatus,
        vantage: &Vantage<'_>,
        next: &mut Next,
    ) -> Option<Unheard> {
        if vantage.presence == Presence::MayBeOffline {
            return None;
        }
        let ttl_ms = vantage.ttl_ms();
        let from = vantage.awaited_from(status.seen);
        next.old(from, ttl_ms);
        let since = from?.plus(Duration::from_millis(ttl_ms));
        // Whoever dies or stops tells nothing of its checks either. That is told of the agent, which is given longer.
        // What was missed while it was there is missed still.
        if since >= self.now || vantage.heard < Some(since) {
            return None;
        }
        Some(Unheard {
            since,
            last: vantage.record.and_then(|record| record.last_id),
            sure_from: None,
            seen: status.seen,
        })
    }

    /// That nothing fresh is heard of the check, though its agent was when that was due.
    fn missing(&self, care: &Care<'_>, next: &mut Next, found: &mut Found) {
        let family = family(&self.check.name, MISSING_WORDS);
        let first = self.unheard(next);
        let matter = first.map(|first| Matter {
            alert: Some(without_sign(&self.space, &self.check.id, first.last)),
            check: self.check.id,
            family: &family,
            opened: Some(first.since),
            resolved: None,
            heard: first.seen,
        });
        // What is silenced by the check's name is quiet also when its agent is not heard.
        let unheard = Matter {
            alert: None,
            check: self.check.id,
            family: &family,
            opened: None,
            resolved: None,
            heard: None,
        };
        let looks = |silent: &&Silent| {
            let mut agents = self.judged.iter().filter_map(|(_, vantage)| vantage.agent);
            agents.any(|agent| agent == silent.agent)
        };
        let mut matters = vec![matter.unwrap_or(unheard)];
        for silent in self.silent.iter().filter(looks) {
            matters.push(silent.matter());
        }
        let missing = self.judged.iter();
        let mut missing = missing.filter(|(status, _)| status.raw == Severity::Missing);
        // A problem that was told last is still one.
        let is_offline = found.open.is_none() && missing.all(|(_, vantage)| vantage.is_offline());
        let handled = care.handled(self.raw, &matters);
        // That an observer's agent is not heard is theirs to know.
        let theirs = || {
            let silent = matters.get(1..).filter(|silent| !silent.is_empty())?;
            let mut beside = self.beside.iter();
            beside.find_map(|care| care.handled(self.raw, silent))
        };
        found.handled = handled
            .or_else(theirs)
            .or(is_offline.then_some(Handled::Offline));
        if let Some(matter) = matter.filter(|_| self.check.enabled) {
            let record = self.record();
            let (summary, detail) = record.map_or_else(Default::default, |record| {
                (record.summary.clone(), record.lines())
            });
            let alert = said(care, self.space, self.title, &matter, Severity::Missing);
            found.alerts.push(Alert {
                kind: AlertKind::Missing,
                sure_from: first.and_then(|first| first.sure_from),
                seen: first.and_then(|first| first.seen),
                is_stale: true,
                summary,
                detail,
                evidence: self.kept(record),
                ..self.told(alert)
            });
        }
    }

    /// Adds what is known of the check for long.
    fn told(&self, alert: Alert) -> Alert {
        let history = &self.past.history;
        let is_problem = |(_, severity): &&(Timestamp, Severity)| *severity > Severity::Missing;
        let today = self.now.millis().div_euclid(DAY_MS);
        let days = today.saturating_sub(i64::from(STRIP_DAYS) - 1);
        let begin = Timestamp::from_millis(days.saturating_mul(DAY_MS));
        let before = history.partition_point(|(at, _)| *at < begin);
        let strip = history.get(before.saturating_sub(1)..).unwrap_or_default();
        let flaps = strip.windows(2).filter(|pair| match pair {
            [one, other] => !is_problem(&one) && is_problem(&other),
            _ => false,
        });
        let first = strip.first().filter(is_problem);
        let began = usize::from(first.is_some_and(|(at, _)| *at >= begin));
        Alert {
            name: self.check.name.clone(),
            first_seen: history.iter().find(is_problem).map(|(at, _)| *at),
            last_ok: self.past.last_ok,
            flaps: u32::try_from(flaps.count() + began).unwrap_or(u32::MAX),
            transitions: strip.to_vec(),
            days: Arc::clone(&self.past.days),
            present: self.past.present,
            machine: machine_told(self.judged),
            vantages: vantages_told(self.judged, self.seen_from),
            seen_from: self.seen_from.to_vec(),
            ..alert
        }
    }
}
