//! What of one alert is to be told: each state, step and repetition, with the moment it is due.

use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::facts::{AlertFact, Facts, Muted, Recurrence};
use super::id::NotificationId;
use super::plan::{Held, Item};
use super::policy::Grouping;
use super::receipt::{Stage, State, Target};
use super::record::{Mark, Whose};
use super::route::{Chain, ChainStep, chains, chosen};
use crate::graph::Concerned;
use crate::severity::Severity;

/// How often an open problem is told again at most, if its policy sets no number.
const REPEATS_MAX: u16 = 1_000;
/// The shortest time between two tellings, whatever a document says.
const EVERY_MIN_MS: u64 = 60_000;
/// After this time a channel that did not take a message is tried again, so often at most.
pub(super) const RETRY_MS: u64 = 300_000;
const FAILED_MAX: usize = 12;
/// So often a message may be sent whose arrival is not known: once, and once more.
const UNSURE_MAX: usize = 2;
/// So far clocks of notifiers and agents may be apart.
const CLOCKS_APART_MAX: Duration = Duration::from_mins(1);
/// Of what was over for longer, nobody is told any more.
const RESOLVED_AGE_MAX: Duration = Duration::from_hours(7 * 24);

/// Something to tell, and when.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) item: Item,
    pub(super) target: Target,
    pub(super) receiver: String,
    pub(super) policy: SpaceId,
    pub(super) group: SpaceId,
    pub(super) grouping: Grouping,
    /// When it is due; none: when something other than time changes.
    pub(super) due: Option<Timestamp>,
    /// Why it is not to be sent, if so.
    pub(super) held: Option<Held>,
}

impl Pending {
    /// Whether it waits for others of its group: escalations and repetitions do not.
    pub(super) fn is_grouped(&self) -> bool {
        self.item.step == 0 && self.item.repeat == 0
    }

    fn hold(&mut self, why: Held, until: Option<Timestamp>) {
        self.held = Some(why);
        self.due = until;
    }
}

/// Everything that is to be told of an alert and was not told yet.
pub(super) fn pending(
    facts: &Facts<'_>,
    alert: &AlertFact,
    concerned: &[Concerned],
) -> Vec<Pending> {
    let mut found = match (alert.resolved, &alert.acknowledged) {
        (Some(at), _) if facts.now.since(at) > RESOLVED_AGE_MAX => Vec::new(),
        (Some(at), _) => afterwards(facts, alert, State::Resolved, at),
        (None, taken) => {
            let mut found = problem(facts, alert, concerned);
            let told = taken.iter();
            found.extend(
                told.flat_map(|taken| afterwards(facts, alert, State::Acknowledged, taken.at)),
            );
            found
        }
    };
    found.retain_mut(|pending| is_untold(facts, alert, pending));
    for pending in &mut found {
        pending.item.told_first = told_first(facts, alert, &pending.target);
        let unsettled = [alert.system, pending.policy];
        let opens = unsettled
            .iter()
            .filter_map(|space| facts.unsettled.get(space));
        if let (None, Some(opens)) = (pending.held, opens.max()) {
            pending.hold(Held::Unsettled, Some(*opens));
        }
    }
    found
}

/// What was told of this alert since it opened.
fn marks<'a>(facts: &'a Facts<'_>, alert: &AlertFact) -> impl Iterator<Item = &'a Mark> + Clone {
    let from = told_from(facts, alert);
    let marks = facts.record.of(&alert.alert).iter();
    marks.filter(move |mark| from.is_none_or(|from| mark.at >= from))
}

/// From when on what was told of an open alert was told of this time; none when there is no other.
fn told_from(facts: &Facts<'_>, alert: &AlertFact) -> Option<Timestamp> {
    if alert.recurrence == Recurrence::Never || alert.resolved.is_some() {
        return None;
    }
    // Whoever was told that it is over hears of it anew. A receipt to come is of a clock that is ahead.
    let marks = facts.record.of(&alert.alert).iter();
    let ends = marks.filter(|mark| mark.state == Some(State::Resolved) && mark.at <= facts.now);
    let ended = ends.map(|mark| mark.at).max();
    // What is missed after less time than clocks may be apart is over with its next sign all the same.
    let begun = alert.heard.max(Some(alert.opened.minus(CLOCKS_APART_MAX)));
    begun.max(ended)
}

/// How bad it was when a target was told of it first.
fn told_first(facts: &Facts<'_>, alert: &AlertFact, target: &Target) -> Option<Severity> {
    let told = marks(facts, alert).filter(|mark| mark.target == *target);
    let told = told.filter_map(|mark| match mark.state {
        Some(State::Problem(severity)) => Some((mark.at, mark.id, severity)),
        _ => None,
    });
    told.min_by_key(|(at, id, _)| (*at, *id))
        .map(|(_, _, severity)| severity)
}

/// When somebody was told last of a problem whose end they were told before: it begins and ends again
/// under one id.
fn told_again(facts: &Facts<'_>, alert: &AlertFact, pending: &Pending) -> Option<Timestamp> {
    if alert.recurrence == Recurrence::Never || pending.item.state != State::Resolved {
        return None;
    }
    let marks = facts.record.of(&alert.alert).iter();
    let problems = marks.filter(|mark| {
        let is_problem = matches!(mark.state, Some(State::Problem(_)));
        is_problem && mark.target == pending.target && mark.at <= facts.now
    });
    problems.map(|mark| mark.at).max()
}

/// Leaves out what was told; holds what somebody else is at, and what failed.
fn is_untold(facts: &Facts<'_>, alert: &AlertFact, pending: &mut Pending) -> bool {
    let id = pending.item.id;
    let from = told_again(facts, alert, pending).max(told_from(facts, alert));
    let marks = facts.record.of(&alert.alert).iter();
    let (marks, before): (Vec<&Mark>, Vec<&Mark>) = marks
        .filter(|mark| mark.id == id)
        .partition(|mark| from.is_none_or(|from| mark.at >= from));
    if let Some(before) = before.iter().map(|mark| mark.at).max() {
        pending.item.sent_as = id.again(before);
    }
    if facts.busy.contains(&id) || marks.iter().any(|mark| mark.stage == Stage::Sent) {
        return false;
    }
    let own = |stage: Stage| {
        let own = marks
            .iter()
            .filter(move |mark| mark.whose == Whose::Own && mark.stage == stage);
        (own.clone().count(), own.map(|mark| mark.at).max())
    };
    let trying = marks.iter().filter_map(|mark| match mark.stage {
        Stage::Trying { until } if mark.whose == Whose::Other => Some(until),
        _ => None,
    });
    // Nobody holds a message for longer than a notifier may: its clock may be anywhere.
    let limit = facts.now.plus(Duration::from_millis(RETRY_MS));
    let trying = trying
        .max()
        .filter(|until| *until > facts.now && *until <= limit);
    let ((failed, failed_at), (unsure, _)) = (own(Stage::Failed), own(Stage::Unsure));
    if pending.held.is_some() {
        return true;
    }
    if failed >= FAILED_MAX || unsure >= UNSURE_MAX {
        pending.hold(Held::GivenUp, None);
    } else if let Some(until) = trying {
        pending.hold(Held::Trying, Some(until));
    } else if let Some(again) = failed_at.map(|at| at.plus(Duration::from_millis(RETRY_MS)))
        && again > facts.now
    {
        pending.hold(Held::Failed, Some(again));
    }
    true
}

/// What is told to everybody who may have got the problem, whatever the policy says by now.
fn afterwards(facts: &Facts<'_>, alert: &AlertFact, state: State, at: Timestamp) -> Vec<Pending> {
    let pending = |mark: &Mark| {
        let policy = facts.policies.get(&mark.policy);
        let paths = facts
            .graph
            .concerned_with(alert.system, &alert.blind)
            .into_iter();
        let path = paths
            .filter(|it| it.system == mark.policy)
            .map(|it| it.path)
            .next();
        Pending {
            item: item(
                alert,
                state,
                &mark.target,
                (0, 0),
                path.unwrap_or(vec![alert.system]),
            ),
            target: mark.target.clone(),
            receiver: mark.receiver.clone(),
            policy: mark.policy,
            group: mark.group,
            grouping: policy.map(|fact| fact.policy.group).unwrap_or_default(),
            due: Some(at),
            held: None,
        }
    };
    // Whoever was told of an outage before, and not yet of this one, need not hear that somebody knows of it.
    let from = match state {
        State::Acknowledged => told_from(facts, alert),
        _ => None,
    };
    let told = facts.record.told(&alert.alert).into_iter();
    told.filter(|mark| from.is_none_or(|from| mark.at >= from))
        .map(pending)
        .collect()
}

fn problem(facts: &Facts<'_>, alert: &AlertFact, concerned: &[Concerned]) -> Vec<Pending> {
    let chains = chains(facts, alert, concerned);
    let chosen = chosen(&chains);
    let mut found = Vec::new();
    for (place, chain) in chains.iter().enumerate() {
        for (number, step) in chain.steps.iter().enumerate() {
            for (receiver, target) in &step.targets {
                if chosen.get(target) == Some(&place) {
                    found.push(one(facts, alert, chain, number, (receiver, target)));
                }
            }
        }
    }
    found
}

/// One step for one receiver.
fn one(
    facts: &Facts<'_>,
    alert: &AlertFact,
    chain: &Chain<'_>,
    number: usize,
    (receiver, target): (&str, &Target),
) -> Pending {
    let state = State::Problem(alert.worst);
    let step = chain.steps.get(number);
    let begins = begins(facts, alert, chain, number);
    let (repeat, due, again) = turn(facts.now, chain, step, begins);
    let place = (u16::try_from(number).unwrap_or(u16::MAX), repeat);
    let mut pending = Pending {
        item: item(alert, state, target, place, chain.path.clone()),
        target: target.clone(),
        receiver: receiver.to_owned(),
        policy: chain.policy,
        group: chain.group(),
        grouping: chain.grouping,
        due,
        held: None,
    };
    // What was told is told again later; that it is held now says nothing of then.
    let marks = marks(facts, alert);
    let told = marks.filter(|mark| mark.id == pending.item.id);
    if let Some(again) = again
        && told.clone().any(|mark| mark.stage == Stage::Sent)
    {
        let place = (place.0, repeat.saturating_add(1));
        pending.item = item(alert, state, target, place, chain.path.clone());
        pending.due = Some(again);
    }
    let step = step.map(|step| step.step);
    let although = step.is_some_and(|step| step.although_acknowledged);
    let hours = step.and_then(|step| step.hours.as_ref());
    // Whoever silenced a System with its subtree muted it there and for those above, not below.
    let is_quiet = chain.path.iter().any(|system| alert.quiet.contains(system));
    if let Some(muted) = alert.muted.or(is_quiet.then_some(Muted::Silenced)) {
        pending.hold(Held::Muted(muted), None);
    } else if alert.acknowledged.is_some() && !although {
        pending.hold(Held::Acknowledged, None);
    } else if begins.is_none() {
        pending.hold(Held::Step, None);
    } else if pending.due.is_some_and(|due| due <= facts.now)
        && let Some(hours) = hours.filter(|hours| !hours.covers(facts.now))
    {
        pending.hold(Held::Hours, hours.next(facts.now));
    }
    pending
}

/// When a step is told for the first time; none while one before it comes first.
fn begins(
    facts: &Facts<'_>,
    alert: &AlertFact,
    chain: &Chain<'_>,
    number: usize,
) -> Option<Timestamp> {
    let state = Some(State::Problem(alert.worst));
    let told = |earlier: usize| {
        let step = chain.steps.get(earlier);
        let names = |target: &Target| {
            step.is_some_and(|step| step.targets.iter().any(|(_, other)| other == target))
        };
        let marks = marks(facts, alert);
        let of_step = marks.filter(|mark| {
            let same = mark.policy == chain.policy && usize::from(mark.step) == earlier;
            mark.state == state && (same || names(&mark.target))
        });
        of_step.map(|mark| mark.at).min()
    };
    for earlier in (0..number).rev() {
        if let Some(at) = told(earlier) {
            let waits = chain.waits(earlier + 1, number);
            return Some(at.plus(Duration::from_millis(waits)));
        }
    }
    let before = chain.steps.get(..number).unwrap_or_default();
    if before.iter().any(|step| step.is_able(facts.now)) {
        return None;
    }
    Some(
        alert
            .since
            .plus(Duration::from_millis(chain.offset(number))),
    )
}

/// Which repetition of a step is the newest that is due, since when, and when the next one is.
fn turn(
    now: Timestamp,
    chain: &Chain<'_>,
    step: Option<&ChainStep<'_>>,
    begins: Option<Timestamp>,
) -> (u16, Option<Timestamp>, Option<Timestamp>) {
    let Some(begins) = begins else {
        return (0, None, None);
    };
    let every = step
        .and_then(|step| step.step.every)
        .unwrap_or(chain.grouping.repeat);
    let every = every.millis().max(EVERY_MIN_MS);
    let most = step
        .and_then(|step| step.step.repeat)
        .unwrap_or(REPEATS_MAX);
    let since = u64::try_from(now.since(begins).as_millis()).unwrap_or(u64::MAX);
    let repeat = u16::try_from(since / every).unwrap_or(u16::MAX).min(most);
    let after = |times: u16| {
        begins.plus(Duration::from_millis(
            every.saturating_mul(u64::from(times)),
        ))
    };
    let again = (repeat < most).then(|| after(repeat + 1));
    (repeat, Some(after(repeat)), again)
}

fn item(
    alert: &AlertFact,
    state: State,
    target: &Target,
    (step, repeat): (u16, u16),
    path: Vec<SpaceId>,
) -> Item {
    let taken = alert.acknowledged.as_ref();
    let id = NotificationId::new(&alert.alert, state, target, step, repeat);
    Item {
        id,
        sent_as: id,
        alert: alert.alert,
        system: alert.system,
        check: alert.check,
        name: alert.name.clone(),
        machine: alert.machine.clone(),
        told_first: None,
        summary: alert.summary.clone(),
        severity: alert.severity,
        opened: alert.opened,
        resolved: alert.resolved,
        state,
        acknowledged: taken.map(|taken| (taken.by.clone(), taken.text.clone())),
        step,
        repeat,
        path,
    }
}
