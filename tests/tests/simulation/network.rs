//! A network that loses, delays, reorders, repeats and parts; and the dice of a run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use aramaki_sync_core::engine::ConnectionId;

/// Random numbers from a seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}

/// Events by time, those of one time in the order in which they were put.
pub(crate) struct Agenda<E> {
    order: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, E>,
    next: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self {
            order: BinaryHeap::new(),
            events: BTreeMap::new(),
            next: 0,
        }
    }
}

impl<E> Agenda<E> {
    pub(crate) fn put(&mut self, at: u64, event: E) {
        self.order.push(Reverse((at, self.next)));
        self.events.insert(self.next, event);
        self.next += 1;
    }

    pub(crate) fn take(&mut self) -> Option<(u64, E)> {
        let Reverse((at, number)) = self.order.pop()?;
        Some((at, self.events.remove(&number)?))
    }
}

/// One side of a connection.
#[derive(Clone, Copy)]
pub(crate) struct End {
    pub(crate) peer: usize,
    /// The peer's incarnation when it connected.
    pub(crate) peer_life: u64,
    pub(crate) peer_connection: ConnectionId,
    pub(crate) frames: u64,
}

/// Which connections there are, and how bad the lines.
pub(crate) struct Network {
    pub(crate) ends: BTreeMap<ConnectionId, End>,
    /// The newest connection of each line, seen from its lower and its higher side.
    pub(crate) current: BTreeMap<(usize, usize), (ConnectionId, ConnectionId)>,
    pub(crate) cut: std::collections::BTreeSet<(usize, usize)>,
    pub(crate) loss_percent: u64,
    pub(crate) repeat_percent: u64,
    pub(crate) delay_max: u64,
    next: u64,
}

impl Network {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            ends: BTreeMap::new(),
            current: BTreeMap::new(),
            cut: std::collections::BTreeSet::new(),
            loss_percent: dice.below(10),
            repeat_percent: dice.below(10),
            delay_max: 5 + dice.below(200),
            next: 1,
        }
    }

    pub(crate) fn line(a: usize, b: usize) -> (usize, usize) {
        (a.min(b), a.max(b))
    }

    /// A new connection on a line; gives its two numbers and those of the one that it replaces.
    pub(crate) fn connect(
        &mut self,
        (a, life_a): (usize, u64),
        (b, life_b): (usize, u64),
    ) -> (
        (ConnectionId, ConnectionId),
        Option<(ConnectionId, ConnectionId)>,
    ) {
        let (at_a, at_b) = (ConnectionId(self.next), ConnectionId(self.next + 1));
        self.next += 2;
        let end = |peer, peer_life, peer_connection| End {
            peer,
            peer_life,
            peer_connection,
            frames: 0,
        };
        self.ends.insert(at_a, end(b, life_b, at_b));
        self.ends.insert(at_b, end(a, life_a, at_a));
        let old = self.current.insert((a, b), (at_a, at_b));
        ((at_a, at_b), old)
    }
}
