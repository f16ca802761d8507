//! The state machine of one notifier: facts in, a plan out.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::facts::Facts;
use super::id::NotificationId;
use super::pending::{Pending, pending};
use super::plan::{Held, MESSAGE_ITEMS_MAX, Message, Plan, Waiting};
use super::receipt::Target;
use crate::graph::Concerned;

/// How long each notifier waits for the one before it.
pub const STANDBY_MS: u64 = 15_000;
/// The last place of a notifier.
pub const RANK_MAX: u8 = 15;

/// One of the notifiers of a team.
///
/// It remembers only since when it has seen something wait; all else is in the facts. So one that
/// is started anew plans what the others plan, once it has their receipts.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    rank: u8,
    seen: BTreeMap<NotificationId, Timestamp>,
}

impl Notifier {
    /// The notifier of this rank: 0 sends at once, each further one 15 s after the one before.
    pub fn new(rank: u8) -> Self {
        Self {
            rank: rank.min(RANK_MAX),
            seen: BTreeMap::new(),
        }
    }

    /// What is due now.
    pub fn look(&mut self, facts: &Facts<'_>) -> Plan {
        let mut plan = Plan::default();
        let mut groups: BTreeMap<(Target, SpaceId), Vec<Pending>> = BTreeMap::new();
        let mut ways: BTreeMap<SpaceId, Vec<Concerned>> = BTreeMap::new();
        let mut seen = BTreeMap::new();
        for alert in facts.alerts {
            let way = ways
                .entry(alert.system)
                .or_insert_with(|| facts.graph.concerned(alert.system));
            let all = (!alert.blind.is_empty())
                .then(|| facts.graph.concerned_with(alert.system, &alert.blind));
            for mut pending in pending(facts, alert, all.as_ref().unwrap_or(way)) {
                let is_due = pending.due.is_some_and(|due| due <= facts.now);
                if pending.held.is_none() && is_due {
                    let id = pending.item.id;
                    let since = self.seen.get(&id).copied().unwrap_or(facts.now);
                    seen.insert(id, since.min(facts.now));
                    let group = (pending.target.clone(), pending.group);
                    groups.entry(group).or_default().push(pending);
                } else {
                    let why = pending.held.take().unwrap_or(Held::Time);
                    let at = pending.due;
                    plan.wait(pending, at, why);
                }
            }
        }
        self.seen = seen;
        for ((target, group), pending) in groups {
            self.flush(facts, &mut plan, (&target, group), pending);
        }
        let times = plan.waiting.iter().filter_map(|waiting| waiting.at);
        plan.next = times.filter(|at| *at > facts.now).min();
        plan
    }

    /// Sends what is pending of a group, or lets it wait.
    fn flush(
        &self,
        facts: &Facts<'_>,
        plan: &mut Plan,
        (target, group): (&Target, SpaceId),
        mut pending: Vec<Pending>,
    ) {
        let ready = self.ready(facts, target, group, &pending);
        let since = pending.iter().filter_map(|it| self.seen.get(&it.item.id));
        let since = since.min().copied().unwrap_or(facts.now);
        let standby = Duration::from_millis(STANDBY_MS * u64::from(self.rank));
        let sends = ready.max(since).plus(standby);
        if sends > facts.now {
            let why = if ready > facts.now {
                Held::Group
            } else {
                Held::Standby
            };
            for pending in pending {
                plan.wait(pending, Some(sends), why);
            }
            return;
        }
        pending.sort_by_key(|it| {
            (
                std::cmp::Reverse(it.item.severity),
                it.item.opened,
                it.item.id,
            )
        });
        // Two policies may have named the same receiver at the same step.
        pending.dedup_by_key(|it| it.item.id);
        let mut rest = pending.into_iter().peekable();
        while let Some(first) = rest.peek() {
            let (receiver, policy) = (first.receiver.clone(), first.policy);
            let items = rest.by_ref().take(MESSAGE_ITEMS_MAX).map(|it| it.item);
            plan.due.push(Message {
                target: target.clone(),
                receiver,
                policy,
                group,
                items: items.collect(),
            });
        }
    }

    /// When a group's message goes: after its wait, and not too soon after the one before. What is told
    /// again or to the next step goes at once, and takes the others along.
    fn ready(
        &self,
        facts: &Facts<'_>,
        target: &Target,
        group: SpaceId,
        pending: &[Pending],
    ) -> Timestamp {
        let flushed = facts
            .record
            .flushed(target, group)
            .filter(|at| *at <= facts.now);
        let first = pending.iter().filter(|it| it.is_grouped());
        let first = first.filter_map(|it| {
            // Since when something is over that is only heard again may move with each sign.
            let due = it
                .due?
                .min(self.seen.get(&it.item.id).copied().unwrap_or(facts.now));
            let waited = due.plus(it.grouping.wait.duration());
            let spaced = flushed.map(|at| at.plus(it.grouping.interval.duration()));
            Some(spaced.map_or(waited, |spaced| spaced.max(waited)))
        });
        let at_once = pending.iter().filter(|it| !it.is_grouped());
        let at_once = at_once.filter_map(|it| it.due);
        first.chain(at_once).min().unwrap_or(facts.now)
    }
}

impl Plan {
    fn wait(&mut self, pending: Pending, at: Option<Timestamp>, why: Held) {
        self.waiting.push(Waiting {
            item: pending.item,
            target: pending.target,
            receiver: pending.receiver,
            policy: pending.policy,
            at,
            why,
        });
    }
}
