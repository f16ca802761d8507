//! Closing grants that ended by time (TRUST §7): a witness states the last that it had of whoever used
//! one, so that what comes later under it is settled for everyone and a newcomer need not wonder.
//!
//! A close that knows less than others do would cut what came in time. So nobody closes before it had
//! time to hear of the others, a device only while it is connected to one that holds the same, and
//! nobody where something came late: whether that is to be accepted a person decides. What is late is
//! judged by this store's own clock alone: else a witness that lies of an earlier arrival had its lie
//! stated by honest ones, and nobody could take it back.
//! Relays do it first, then the others one after another, so that one statement is made where one
//! suffices. More of them contradict nothing: the larger counts. So whoever had in time what the others
//! left out says so when its turn comes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Engine;
use super::options::Role;
use super::queue::Work;
use super::space::Space;
use crate::admission::{Member, Verdict};
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::statement::{Capability, Cut, Statement};
use crate::time::Timestamp;

/// How long each witness waits for the one before it, and the first for what others have.
const TURN: Duration = Duration::from_mins(10);
/// When it is out of touch it looks again after this long.
const RETRY: Duration = Duration::from_mins(1);
/// Nobody waits longer than for so many others.
const TURNS_MAX: u32 = 12;

impl Engine {
    /// Sets the time at which the next grant of a Space is to be closed here.
    pub(super) fn plan_close(&mut self, space: SpaceId) {
        let (author, now) = (self.author, self.now);
        if let Some(held) = self.spaces.get_mut(&space) {
            let from = *held.closes_from.get_or_insert(now.plus(TURN));
            held.next_close = next_close(held, author, now).map(|due| due.max(from));
        }
    }

    /// Whether what is here of a Space is what a connected peer has, or nobody else is left who could
    /// have more. A relay is where they meet: who is connected has told it.
    fn is_in_touch(&self, space: SpaceId) -> bool {
        let Some(held) = self.spaces.get(&space) else {
            return false;
        };
        let digest = Some(held.log.digest());
        let agrees = self.connections.values().any(|connection| {
            let feed = connection.feeds.get(&space);
            feed.is_some_and(|feed| feed.agreed == digest)
        });
        let mut others = held.evaluation.members().iter();
        let is_alone = !others.any(|member| {
            member.author != self.author && !member.is_invitation() && member.is_live(self.now)
        });
        matches!(self.role, Role::Relay(_)) || agrees || is_alone
    }

    /// States what is due.
    pub(super) fn state_closes(&mut self) {
        let due: Vec<_> = self
            .spaces
            .iter()
            .filter(|(_space, held)| held.next_close.is_some_and(|then| then <= self.now))
            .map(|(space, _held)| *space)
            .collect();
        for space in due {
            let in_touch = self.is_in_touch(space);
            let later = self.now.plus(RETRY);
            let Some(held) = self.spaces.get_mut(&space) else {
                continue;
            };
            if !in_touch {
                held.next_close = Some(later);
                continue;
            }
            let statements = closes(held, self.author, self.now);
            for statement in statements {
                self.queue.push(Work::Control {
                    write: None,
                    space,
                    statement,
                });
            }
            self.plan_close(space);
        }
    }
}

fn next_close(held: &Space, author: AuthorId, now: Timestamp) -> Option<Timestamp> {
    let wait = turn(held, author, now)?;
    let members = held.evaluation.members().iter();
    let open = members
        .filter(|member| is_open(held, member))
        .map(|member| due(member, wait));
    let small = too_small(held).into_values();
    open.chain(small.map(|end| end.plus(wait))).min()
}

/// After what time this device closes what ended; none when it is no witness.
fn turn(held: &Space, author: AuthorId, now: Timestamp) -> Option<Duration> {
    if !held.evaluation.is_witness(author, now) {
        return None;
    }
    let witnesses: BTreeSet<(bool, AuthorId)> = held
        .evaluation
        .members()
        .iter()
        .filter(|member| member.is_live(now) && member.is_witness())
        .map(|member| (member.capability != Capability::Relay, member.author))
        .collect();
    let place = witnesses.iter().position(|(_later, it)| *it == author)?;
    Some(TURN * u32::try_from(place).unwrap_or(TURNS_MAX).min(TURNS_MAX))
}

fn is_open(held: &Space, member: &Member) -> bool {
    member.end < Timestamp::MAX && !held.closed.contains(&member.grant)
}

fn due(member: &Member, wait: Duration) -> Timestamp {
    member.end.plus(member.grace).plus(wait)
}

/// The statements for grants whose time has come, which are not looked at again while this runs.
fn closes(held: &mut Space, author: AuthorId, now: Timestamp) -> Vec<Statement> {
    let Some(wait) = turn(held, author, now) else {
        return Vec::new();
    };
    let members: BTreeMap<EnvelopeId, &Member> = held
        .evaluation
        .members()
        .iter()
        .map(|member| (member.grant, member))
        .collect();
    let ended: BTreeSet<EnvelopeId> = members
        .values()
        .filter(|member| is_open(held, member) && due(member, wait) <= now)
        .map(|member| member.grant)
        .collect();
    let stated = stated(held);
    // A grant that ended with the one above it is closed by that one's close.
    let unstated = ended.iter().filter(|grant| {
        let Some(member) = members.get(*grant) else {
            return false;
        };
        let above = member.through.last().and_then(|above| members.get(above));
        !stated.contains(*grant) && above.is_none_or(|above| above.end != member.end)
    });
    let small = too_small(held).into_iter();
    let small = small.filter(|(_grant, end)| end.plus(wait) <= now);
    let small: BTreeSet<EnvelopeId> = small.map(|(grant, _end)| grant).collect();
    let targets: BTreeSet<EnvelopeId> = unstated.chain(&small).copied().collect();
    let last = last_in_time(held, &targets);
    held.closed.extend(ended);
    held.closed.extend(small);
    last.into_iter()
        .map(|(target, chains)| Statement::Close {
            target,
            cuts: chains
                .into_iter()
                .map(|(chain, (seq, id))| Cut { chain, seq, id })
                .collect(),
        })
        .collect()
}

/// Which grants are closed by closes that count.
fn stated(held: &Space) -> BTreeSet<EnvelopeId> {
    let counts = |id| held.evaluation.verdict(id).counts();
    let closes = held.log.control();
    closes
        .filter_map(|(entry, statement)| match statement {
            Statement::Close { target, .. } if counts(entry.id()) => Some(*target),
            _ => None,
        })
        .collect()
}

/// Closed grants, which are nobody's any more, of which closes left out what came here in time, and when they
/// and their grace were over; without those that were looked at.
fn too_small(held: &Space) -> BTreeMap<EnvelopeId, Timestamp> {
    let left_out = held.evaluation.left_out(&held.log);
    let in_time = left_out.iter().filter(|it| it.in_time);
    let above: BTreeSet<EnvelopeId> = in_time.flat_map(|it| &it.path).copied().collect();
    if above.is_empty() {
        return BTreeMap::new();
    }
    let stated = stated(held);
    above
        .into_iter()
        .filter(|grant| stated.contains(grant) && !held.closed.contains(grant))
        .filter_map(|grant| Some((grant, held.evaluation.ends_with_grace(&held.log, grant)?)))
        .collect()
}

/// The last of each chain under grants that are to be closed. Of a grant under which something waits, or counts
/// although it came here late, there is nothing: a person decides.
fn last_in_time(
    held: &Space,
    targets: &BTreeSet<EnvelopeId>,
) -> BTreeMap<EnvelopeId, BTreeMap<Chain, (u64, EnvelopeId)>> {
    let mut late = BTreeSet::new();
    let mut last: BTreeMap<EnvelopeId, BTreeMap<Chain, (u64, EnvelopeId)>> = BTreeMap::new();
    if targets.is_empty() {
        return last;
    }
    let left_out = held.evaluation.left_out(&held.log).into_iter();
    let left_out: BTreeSet<EnvelopeId> = left_out.filter(|it| it.in_time).map(|it| it.id).collect();
    for entry in held.log.iter() {
        let (id, header) = (entry.id(), entry.header());
        let Some(path) = held.evaluation.path(&held.log, header.authority) else {
            continue;
        };
        let mut of = path.iter().filter(|it| targets.contains(it)).peekable();
        if of.peek().is_none() {
            continue;
        }
        let verdict = held.evaluation.verdict(id);
        let in_time = || held.evaluation.came_in_time(&held.log, id);
        let came_late = verdict == Verdict::Admitted && !in_time();
        let waits = came_late || matches!(verdict, Verdict::Held(_));
        for target in of {
            if waits {
                late.insert(*target);
            } else if verdict.counts() || left_out.contains(&id) {
                let reached = last.entry(*target).or_default().entry(header.chain);
                let here = (header.seq, id);
                reached
                    .and_modify(|it| *it = (*it).max(here))
                    .or_insert(here);
            }
        }
    }
    last.retain(|target, _chains| !late.contains(target));
    last
}
