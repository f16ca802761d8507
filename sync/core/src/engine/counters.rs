//! Ephemeral counters: what was heard once is never heard again, also after a restart (TRUST §3).
//!
//! A counter is reserved ahead on disk before a message above the last reservation is heard. So a
//! restart, which takes the reservation for what was heard, accepts no replay (A53), and most
//! messages cost no write.
//!
//! So after a restart a chain that speaks all the time is refused until it is above the reservation:
//! its silence says nothing until then ([`Counters::refuses_until`]). What is refused is passed on all
//! the same: those who come to hear it judge by their own counters. A process that ends in order stores
//! exactly what it heard, so that the next one refuses nothing new.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ephemeral::CLOCK_TOLERANCE;
use crate::id::{AuthorId, Chain, Instance};
use crate::time::Timestamp;

/// How far a reservation goes beyond the counter that needed it. Counters of this program are
/// milliseconds, so after a restart a chain is heard again after as long, or twice that when its author
/// restarted too and counts on from a reservation of its own.
///
/// A heartbeat (20 s) and a bit: what is used half goes along with what another chain needs, so all that are
/// heard cost three writes a minute together, however many they are. With less each would need its own.
const RESERVE_AHEAD: u64 = 25_000;
/// Who lives speaks again within this time: what comes first above a reservation is up to one
/// heartbeat (20 s) away, and a moment on the way.
const SPEAKS_AGAIN_WITHIN: Duration = Duration::from_secs(25);
/// Chains of one author whose counters are kept in a Space. An author who makes up more is not
/// heard under those.
const CHAINS_PER_AUTHOR_MAX: usize = 64;

/// The counters of a Space.
#[derive(Debug, Default)]
pub(super) struct Counters(BTreeMap<Chain, Counter>);

/// **Invariant:** what was accepted from a peer is at or below `reserved`, and that is durable.
#[derive(Debug, Default)]
struct Counter {
    last: u64,
    reserved: u64,
    /// The highest that was passed on in this life; no less than what was heard in it.
    passed: u64,
    /// Whether `last` is the reservation of an earlier life: all up to it is refused.
    is_restored: bool,
}

/// What to reserve for a counter.
pub(super) const fn reservation(counter: u64) -> u64 {
    counter.saturating_add(RESERVE_AHEAD)
}

impl Counters {
    /// Takes up a reservation of an earlier run: all of it may have been heard.
    pub(super) fn restore(&mut self, chain: Chain, (reserved, exact): (u64, bool)) {
        let counter = Counter {
            last: reserved,
            reserved,
            passed: 0,
            is_restored: !exact,
        };
        self.0.insert(chain, counter);
    }

    /// Until when another author than `own` may speak and be refused, because this device does not
    /// know whether it heard that before it began anew at `begun`. None once each was heard.
    ///
    /// A reservation is a time by its author's clock, which is as far from ours as any that is
    /// heard; one of a counter that is no time, or far ahead, refuses for no longer than that.
    pub(super) fn refuses_until(&self, own: AuthorId, begun: Timestamp) -> Option<Timestamp> {
        let refuses = |(chain, counter): (&Chain, &Counter)| {
            let is_other = counter.is_restored && chain.author != own;
            let reserved = i64::try_from(counter.reserved).unwrap_or(i64::MAX);
            let from = Timestamp::from_millis(reserved).min(begun);
            is_other.then(|| from.plus(CLOCK_TOLERANCE).plus(SPEAKS_AGAIN_WITHIN))
        };
        self.0.iter().filter_map(refuses).max()
    }

    /// The highest counter that was passed on in this life.
    pub(super) fn passed(&self, chain: Chain) -> u64 {
        self.0.get(&chain).map_or(0, |counter| counter.passed)
    }

    /// A message is passed on that may have been heard in an earlier life.
    pub(super) fn pass(&mut self, chain: Chain, counter: u64) {
        self.0.entry(chain).or_default().passed = counter;
    }

    /// The highest counter that was heard.
    pub(super) fn last(&self, chain: Chain) -> u64 {
        self.0.get(&chain).map_or(0, |counter| counter.last)
    }

    /// Whether one more chain of this author fits.
    pub(super) fn has_room(&self, chain: Chain) -> bool {
        self.0.contains_key(&chain) || self.of(chain.author) < CHAINS_PER_AUTHOR_MAX
    }

    fn of(&self, author: AuthorId) -> usize {
        let at = |instance| Chain { author, instance };
        self.0
            .range(at(Instance(0))..=at(Instance(u64::MAX)))
            .count()
    }

    pub(super) fn is_reserved(&self, chain: Chain, counter: u64) -> bool {
        self.0.get(&chain).is_some_and(|it| counter <= it.reserved)
    }

    pub(super) fn hear(&mut self, chain: Chain, counter: u64) {
        let it = self.0.entry(chain).or_default();
        (it.last, it.passed, it.is_restored) = (counter, counter, false);
    }

    /// A reservation is durable.
    pub(super) fn reserve(&mut self, chain: Chain, reserved: u64) {
        let counter = self.0.entry(chain).or_default();
        counter.reserved = counter.reserved.max(reserved);
    }

    /// What was heard, or said, in this life: at an orderly end it is stored instead of the reservations,
    /// and nothing new is refused at the next start.
    pub(super) fn exact(&self) -> impl Iterator<Item = (Chain, u64)> + '_ {
        let used = |it: &&Counter| !it.is_restored && it.last > 0 && it.last <= it.reserved;
        let heard = self.0.iter();
        heard
            .filter(move |(_chain, it)| used(it))
            .map(|(chain, it)| (*chain, it.last))
    }

    /// Chains that will need a reservation soon, and which.
    pub(super) fn half_used(&self) -> impl Iterator<Item = (Chain, u64)> + '_ {
        let half_used =
            |it: &&Counter| it.last < it.reserved && it.reserved - it.last < RESERVE_AHEAD / 2;
        self.0
            .iter()
            .filter(move |(_chain, it)| half_used(it))
            .map(|(chain, it)| (*chain, reservation(it.last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes in ten minutes in which so many agents tell every 20 s that they live, each at its own time.
    fn writes(agents: u64) -> usize {
        let (span, beat) = (600_000, 20_000);
        let chain = |n: u64| {
            let mut author = [0; 32];
            author[..8].copy_from_slice(&n.to_be_bytes());
            Chain {
                author: AuthorId::from_bytes(author),
                instance: Instance(1),
            }
        };
        let mut beats: Vec<_> = (0..agents)
            .flat_map(|n| {
                let times = (0..span / beat).map(move |round| round * beat + n * beat / agents);
                times.map(move |at| (at + 1, n))
            })
            .collect();
        beats.sort_unstable();
        let (mut counters, mut writes) = (Counters::default(), 0);
        for (at, n) in beats {
            if !counters.is_reserved(chain(n), at) {
                let mut due: BTreeMap<_, _> = counters.half_used().collect();
                due.insert(chain(n), reservation(at));
                for (it, to) in due {
                    counters.reserve(it, to);
                }
                writes += 1;
            }
            counters.hear(chain(n), at);
        }
        writes
    }

    #[test]
    fn a_thousand_agents_cost_no_more_writes_than_three() {
        for (agents, first) in [(1, 0), (3, 3), (100, 100), (1_000, 1_000)] {
            let writes = writes(agents);
            // At the beginning each is heard for the first time.
            assert!(writes <= first + 10 * 4, "{agents} agents: {writes} writes");
        }
    }
}
