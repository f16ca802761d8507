//! What the agents that look at a check say of it.

use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::admission::CLOCK_AHEAD_MAX;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use super::alerts::Found;
use super::gone::Gone;
use super::own::Next;
use super::together::Past;
use crate::absence::awaited_from;
use crate::beats::Beats;
use crate::check::{Check, CheckKind};
use crate::day::Days;
use crate::heartbeat::CheckBeat;
use crate::journal::{CheckRecord, Journal};
use crate::observer::SeenFrom;
use crate::presence::Presence;
use crate::severity::Severity;
use crate::snapshot::CheckView;
use crate::status::{AgentLife, CheckFacts, CheckStatus, agent_life, check_status};
use crate::system::{AgentRef, NAME_LEN_BYTES_MAX, System};
use crate::text::clean_line;
use crate::workspace::OpenSpace;

impl Seen<'_> {
    /// What every agent of one System says of a check.
    fn vantages_of<'a>(&'a self, looking: Looking<'a>) -> impl Iterator<Item = Vantage<'a>> {
        let Looking {
            system,
            check,
            observer,
        } = looking;
        let vantage = move |(agent, link): (&'a SpaceId, &'a AgentRef)| {
            let (open, journal) = self.agent(agent, link)?;
            // What one machine adds to the checks of its System, the others do not look at.
            let is_declared = !system.checks.contains_key(&check.id);
            if is_declared && !journal.declared.contains_key(&check.id) {
                return None;
            }
            let as_of = self.as_of(open, journal).unwrap_or(self.now);
            let beats = &open.beats;
            let (record, beat) = (journal.checks.get(&check.id), beats.checks.get(&check.id));
            let told = record.map(|record| record.last_at);
            let of_beats = beats.last_of(&check.id);
            let sign = told.max(of_beats);
            Some(Vantage {
                agent: Some(*agent),
                observer,
                link: Some(link),
                is_own: is_declared && system.agents.len() > 1,
                check: Some(check),
                presence: system.presence_of(agent),
                as_of: Some(as_of),
                turned_on: system
                    .lives
                    .checks_on
                    .get(&check.id)
                    .copied()
                    .filter(|at| *at <= self.now.plus(CLOCK_AHEAD_MAX)),
                heard: beats.last().max(journal.last_at.map(|at| at.min(as_of))),
                judged: open
                    .hearing
                    .as_of_check((sign, beat.is_some()), check.ttl_ms(), self.now),
                sure_from: open.hearing.sure_from(self.now),
                life: agent_life(journal, beats, as_of),
                journal: Some(journal),
                beats: Some(beats),
                record,
                beat,
                of_beats,
                listens: open.hearing.since(),
            })
        };
        system.agents.iter().filter_map(vantage)
    }

    /// What every agent that looks says of a check; one without agents has one empty vantage.
    fn vantages<'a>(&'a self, lookings: &[Looking<'a>]) -> Vec<Vantage<'a>> {
        let mut vantages = Vec::new();
        for looking in lookings {
            let before = vantages.len();
            vantages.extend(self.vantages_of(*looking));
            if vantages.len() == before && looking.observer.is_some() {
                // That nobody there can be read here is a vantage that sees nothing.
                vantages.push(Vantage::nobody(*looking));
            }
        }
        // Of what is sent to one machine the others know nothing.
        let is_sent = lookings
            .iter()
            .all(|looking| looking.check.kind == (CheckKind::External {}));
        if is_sent && vantages.iter().any(|vantage| vantage.record.is_some()) {
            vantages.retain(|vantage| vantage.record.is_some());
        }
        if let (true, Some(looking)) = (vantages.is_empty(), lookings.first()) {
            vantages.push(Vantage::nobody(*looking));
        }
        vantages
    }

    pub(super) fn agent(&self, agent: &SpaceId, link: &AgentRef) -> Option<(&OpenSpace, &Journal)> {
        let journal = self.view.journals.get(&(*agent, link.author))?;
        Some((self.workspace.spaces.get(agent)?, journal))
    }

    /// How each vantage sees a check.
    pub(super) fn judged<'a>(
        &'a self,
        lookings: &[Looking<'a>],
        next: &mut Next,
    ) -> Vec<(CheckStatus, Vantage<'a>)> {
        let judge = |vantage: Vantage<'a>| {
            let check = vantage.check?;
            let facts = CheckFacts {
                as_of: vantage.judged.unwrap_or(self.now),
                check,
                record: vantage.record,
                beat: vantage.beat,
                heard: vantage.of_beats,
                life: vantage.life,
            };
            Some((check_status(&facts, self.now), vantage))
        };
        let vantages = self.vantages(lookings).into_iter();
        let judged: Vec<_> = vantages.filter_map(judge).collect();
        for (_, vantage) in &judged {
            let ttl_ms = vantage.ttl_ms();
            next.old(vantage.record.map(|record| record.last_at), ttl_ms);
            next.old(vantage.of_beats, ttl_ms);
            next.old(vantage.listens, ttl_ms);
        }
        judged
    }
}

/// A check as one System has it, whose agents look.
#[derive(Clone, Copy)]
pub(super) struct Looking<'a> {
    pub(super) system: &'a System,
    pub(super) check: &'a Check,
    /// That System, if the check is about another one.
    pub(super) observer: Option<SpaceId>,
}

/// What one agent says of a check.
#[derive(Clone, Copy, Default)]
pub(super) struct Vantage<'a> {
    pub(super) agent: Option<SpaceId>,
    /// Whose agent it is, if not that of the System that the check is about.
    pub(super) observer: Option<SpaceId>,
    link: Option<&'a AgentRef>,
    /// Whether it alone has the check, though its System has other agents.
    is_own: bool,
    /// The check as that System has it.
    pub(super) check: Option<&'a Check>,
    pub(super) presence: Presence,
    /// Up to when the agent would have been heard.
    pub(super) as_of: Option<Timestamp>,
    /// Up to when this check would have been heard of: never later than that.
    pub(super) judged: Option<Timestamp>,
    /// When somebody turned the check on.
    pub(super) turned_on: Option<Timestamp>,
    /// The last sign of the agent.
    pub(super) heard: Option<Timestamp>,
    /// From when people may be told of its silence; none while it was not listened to long enough.
    pub(super) sure_from: Option<Timestamp>,
    /// Since when this replica listens; none while it does not.
    pub(super) listens: Option<Timestamp>,
    pub(super) life: AgentLife,
    journal: Option<&'a Journal>,
    beats: Option<&'a Beats>,
    pub(super) record: Option<&'a CheckRecord>,
    pub(super) beat: Option<&'a CheckBeat>,
    /// The last result of which a heartbeat told, also before this replica was started.
    of_beats: Option<Timestamp>,
}

impl<'a> Vantage<'a> {
    /// That no agent can be read here.
    fn nobody(looking: Looking<'a>) -> Self {
        Self {
            observer: looking.observer,
            check: Some(looking.check),
            ..Self::default()
        }
    }

    /// What is known of the days of its check.
    pub(super) fn days(&self) -> Arc<Days> {
        let journal = self.journal.zip(self.check);
        let days = journal.and_then(|(journal, check)| journal.days.get(&check.id));
        days.cloned().unwrap_or_default()
    }

    /// Milliseconds after which what it says of its check is old.
    pub(super) fn ttl_ms(&self) -> u64 {
        self.check.map_or(0, Check::ttl_ms)
    }

    /// What the machine is called: by people, or by itself.
    pub(super) fn machine(&self) -> Option<String> {
        let agent = self.agent?;
        let label = self.link.map(|link| link.label.clone());
        let label = label.filter(|label| !label.is_empty());
        let clean = |name: String| clean_line(&name, NAME_LEN_BYTES_MAX);
        let host = || Some(self.journal?.started.as_ref()?.host.clone());
        let called = label.or_else(host).map(clean);
        called.or_else(|| Some(agent.short()))
    }

    /// Whether it is not heard of, and need not be. One that never was is no machine yet.
    pub(super) fn is_offline(&self) -> bool {
        let is_away = matches!(self.life, AgentLife::Stale | AgentLife::Stopped);
        is_away && self.presence == Presence::MayBeOffline
    }

    /// From when a result is awaited that is not there; `seen` is the last sign of the check.
    pub(super) fn awaited_from(&self, seen: Option<Timestamp>) -> Option<Timestamp> {
        let (journal, beats) = (self.journal?, self.beats?);
        let sign = if self.record.is_some() {
            seen
        } else {
            // It never said anything that counts.
            let sign = journal.configured_at.max(self.of_beats);
            sign.or(journal.stops.first_back())
        }?;
        // Nobody looked before the check was turned on.
        let sign = self.turned_on.map_or(sign, |at| at.max(sign));
        let ttl = Duration::from_millis(self.ttl_ms());
        let known = [&journal.stops, &beats.gaps];
        let heard_before = |moment| beats.heard_before(moment);
        Some(awaited_from(known, heard_before, sign, ttl))
    }
}

/// What each of several agents of a System sees; nothing where one looks, or those of other Systems do.
pub(super) fn vantages_told(
    judged: &[(CheckStatus, Vantage<'_>)],
    seen_from: &[SeenFrom],
) -> Vec<(SpaceId, Severity)> {
    if judged.len() < 2 || !seen_from.is_empty() {
        return Vec::new();
    }
    let told = judged.iter();
    told.filter_map(|(status, vantage)| Some((vantage.agent?, status.raw)))
        .collect()
}

/// The one machine that a check is about, where its System has others beside it.
pub(super) fn machine_told(judged: &[(CheckStatus, Vantage<'_>)]) -> Option<String> {
    let [(_, vantage)] = judged else {
        return None;
    };
    let is_one = vantage.is_own && vantage.observer.is_none();
    vantage.machine().filter(|_| is_one)
}

/// A check as several vantages see it together, told in the words of one that sees what is agreed.
pub(super) fn check_view(
    check: &Check,
    mut judged: Vec<(CheckStatus, Vantage<'_>)>,
    told: usize,
    (found, seen_from, before): (&Found, Vec<SeenFrom>, &[Gone<'_>]),
    past: Past,
) -> CheckView {
    let machine = machine_told(&judged);
    let vantages = vantages_told(&judged, &seen_from);
    let (mut status, vantage) = judged.swap_remove(told);
    status.handled = found.handled;
    status.since = past.since;
    if status.handled.is_some() {
        status.effective = Severity::Ok;
    }
    let record = vantage.record;
    CheckView {
        check: check.clone(),
        alert: found.open.filter(|_| !status.raw.is_ok()),
        stands: found.stands,
        status,
        summary: record
            .map(|record| record.summary.clone())
            .unwrap_or_default(),
        detail: record.map(CheckRecord::lines).unwrap_or_default(),
        flapping: record.is_some_and(|record| record.flapping),
        last_ok: past.last_ok,
        history: past.history,
        days: past.days,
        machine,
        vantages,
        seen_from,
        was_observed: before.last().filter(|_| record.is_none()).map(Gone::was),
    }
}
