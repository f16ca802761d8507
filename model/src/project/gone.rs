//! What agents saw that were removed since: it stays readable as past, and says nothing of now.

use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use crate::day::Days;
use crate::episode::{Episode, episodes};
use crate::id::CheckId;
use crate::journal::CheckRecord;
use crate::severity::Severity;
use crate::snapshot::WasObserved;
use crate::system::{AgentRef, NAME_LEN_BYTES_MAX, System};
use crate::text::clean_line;

/// Until when a removed agent's word counts: times of removals are whole seconds.
pub(super) fn looked_until(removed: Timestamp) -> Timestamp {
    removed.plus(Duration::from_secs(1))
}

/// What a machine was called.
pub(super) fn machine(agent: &SpaceId, link: &AgentRef) -> String {
    let label = clean_line(&link.label, NAME_LEN_BYTES_MAX);
    Some(label)
        .filter(|label| !label.is_empty())
        .unwrap_or_else(|| agent.short())
}

/// What an agent told of a check until it or the check was removed.
pub(super) struct Gone<'a> {
    name: String,
    removed: Timestamp,
    record: &'a CheckRecord,
    days: Option<&'a Arc<Days>>,
}

impl Gone<'_> {
    /// When it was last OK, as far as whoever was removed knew.
    pub(super) fn last_ok(&self) -> Option<Timestamp> {
        self.record.last_ok
    }

    pub(super) fn was(&self) -> WasObserved {
        WasObserved {
            by: self.name.clone(),
            until: self.removed,
        }
    }
}

impl Seen<'_> {
    /// What removed agents told of a check, who was removed last at the end.
    pub(super) fn gone(&self, system: &System, check: &CheckId) -> Vec<Gone<'_>> {
        let removed = system.removed_agents();
        let gone = removed.filter_map(|(agent, link, taken)| {
            let journal = self.view.journals.get(&(agent, link.author))?;
            Some(Gone {
                name: machine(&agent, link),
                removed: taken.at,
                record: journal.checks.get(check)?,
                days: journal.days.get(check),
            })
        });
        let mut gone: Vec<_> = gone.collect();
        gone.sort_by(|a, b| (a.removed, &a.name).cmp(&(b.removed, &b.name)));
        gone
    }
}

impl Seen<'_> {
    /// What agents told of a check until it was removed, who told of it for the longest time at the end.
    pub(super) fn told_until(
        &self,
        system: &System,
        (check, removed): (&CheckId, Timestamp),
    ) -> Vec<Gone<'_>> {
        let there = system.agents.iter().filter_map(|(agent, link)| {
            let journal = self.view.journals.get(&(*agent, link.author))?;
            Some(Gone {
                name: machine(agent, link),
                removed,
                record: journal.checks.get(check)?,
                days: journal.days.get(check),
            })
        });
        let mut told = self.gone(system, check);
        for gone in &mut told {
            gone.removed = gone.removed.min(removed);
        }
        told.extend(there);
        told
    }
}

impl Seen<'_> {
    /// What an agent told of a check until it looked at that no more.
    pub(super) fn before(
        &self,
        agent: &SpaceId,
        link: &AgentRef,
        (check, since): (&CheckId, Timestamp),
    ) -> Option<Gone<'_>> {
        let journal = self.view.journals.get(&(*agent, link.author))?;
        let record = journal.checks.get(check)?;
        // It wrote down first that the problem is looked at no more.
        let is_ended = record.hard == Severity::Missing;
        Some(Gone {
            name: machine(agent, link),
            removed: if is_ended {
                since.min(record.hard_since)
            } else {
                since
            },
            record,
            days: journal.days.get(check),
        })
    }
}

/// Hard states of a check, of removed agents before those of who looks now. Between them nobody looked.
pub(super) fn history(
    gone: &[Gone<'_>],
    own: Vec<(Timestamp, Severity)>,
) -> Vec<(Timestamp, Severity)> {
    if gone.is_empty() {
        return own;
    }
    let begins = own.first().map(|(at, _)| *at);
    let mut all = Vec::new();
    for gone in gone {
        let until = looked_until(gone.removed);
        let until = begins.map_or(until, |begins| begins.min(until));
        let states = gone.record.history.iter().filter(|(at, _)| *at < until);
        all.extend(states.copied());
        if begins.is_none_or(|begins| gone.removed < begins) {
            all.push((gone.removed, Severity::Missing));
        }
    }
    // Of several that looked at once the marks of who went first would lie between the states of the others.
    all.sort_by_key(|(at, _)| *at);
    all.extend(own);
    all
}

/// What is known of the days of a check from all of them.
pub(super) fn days(gone: &[Gone<'_>], now: Arc<Days>) -> Arc<Days> {
    let mut all = now;
    for days in gone.iter().filter_map(|gone| gone.days) {
        Arc::make_mut(&mut all).add(days);
    }
    all
}

/// Problems that removed agents saw before those began that look now; what was there when one was removed
/// ended then.
pub(super) fn past_episodes(
    gone: &[Gone<'_>],
    (quorum, interval_ms): (Option<u32>, u64),
    begins: Option<Timestamp>,
) -> Vec<(Episode, WasObserved)> {
    let mut found = Vec::new();
    let together: Vec<&[Gone<'_>]> = match quorum {
        None => gone.chunks(1).collect(),
        // Of several that had to agree the others still say what was.
        Some(_) if begins.is_some() => Vec::new(),
        Some(_) => vec![gone],
    };
    for group in together {
        let Some(last) = group.last() else {
            continue;
        };
        let records: Vec<_> = group.iter().map(|gone| Some(gone.record)).collect();
        let seen = group.iter().map(|gone| gone.record.last_at).max();
        let until = looked_until(last.removed);
        let all = episodes(&records, quorum.unwrap_or(1), interval_ms, seen);
        let until = begins.map_or(until, |begins| begins.min(until));
        for mut episode in all.into_iter().filter(|episode| episode.opened < until) {
            if episode.resolved.is_none_or(|at| at > last.removed) {
                episode.resolved = Some(last.removed.max(episode.opened));
            }
            found.push((episode, last.was()));
        }
    }
    found
}
