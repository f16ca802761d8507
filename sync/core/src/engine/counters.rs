//! Ephemeral counters: what was heard once is never heard again, also after a restart (TRUST §3).
//!
//! A counter is reserved ahead on disk before a message above the last reservation is heard. So a
//! restart, which takes the reservation for what was heard, accepts no replay (A53), and most
//! messages cost no write.

use std::collections::BTreeMap;

use crate::id::{AuthorId, Chain, Instance};

/// How far a reservation goes beyond the counter that needed it. Counters of this program are
/// milliseconds: one write a minute and chain, and after a restart a chain is heard again after a
/// minute at most, before its heartbeats count as missing.
const RESERVE_AHEAD: u64 = 60_000;
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
}

/// What to reserve for a counter.
pub(super) const fn reservation(counter: u64) -> u64 {
    counter.saturating_add(RESERVE_AHEAD)
}

impl Counters {
    /// Takes up a reservation of an earlier run: all of it may have been heard.
    pub(super) fn restore(&mut self, chain: Chain, reserved: u64) {
        let last = reserved;
        self.0.insert(chain, Counter { last, reserved });
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
        self.0.entry(chain).or_default().last = counter;
    }

    /// A reservation is durable.
    pub(super) fn reserve(&mut self, chain: Chain, reserved: u64) {
        let counter = self.0.entry(chain).or_default();
        counter.reserved = counter.reserved.max(reserved);
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
