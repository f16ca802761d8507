//! Which revocations and closes an envelope builds on: nobody vouches for what a statement that they
//! know of cuts.
//!
//! Only statements that cut content of this log are told apart, and of those the first by id, so that
//! equal logs tell the same ones apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::EnvelopeId;

/// Statements that are told apart; what only later ones cut is vouched for by whoever builds on it.
pub(super) const TOLD_APART_MAX: usize = 64 * WORDS;
const WORDS: usize = 8;

/// A set of the statements that are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Bits([u64; WORDS]);

/// Names one of the sets that occurred. The first is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Knowledge(u32);

/// The statements that are told apart, and the sets of them that occurred.
#[derive(Clone, Debug)]
pub(super) struct Known {
    numbers: BTreeMap<EnvelopeId, usize>,
    sets: Vec<Bits>,
    names: BTreeMap<Bits, Knowledge>,
}

impl Default for Known {
    fn default() -> Self {
        Self::of(&BTreeSet::new())
    }
}

impl Known {
    /// Tells these statements apart.
    pub(super) fn of(cutting: &BTreeSet<EnvelopeId>) -> Self {
        let first = cutting.iter().copied().take(TOLD_APART_MAX);
        Self {
            numbers: first.zip(0..).collect(),
            sets: vec![Bits::default()],
            names: BTreeMap::from([(Bits::default(), Knowledge::default())]),
        }
    }

    /// Whether it tells a statement apart, or has no room for it.
    pub(super) fn covers(&self, statement: EnvelopeId) -> bool {
        self.numbers.contains_key(&statement) || self.numbers.len() == TOLD_APART_MAX
    }

    /// The set of these statements, without those that are not told apart.
    pub(super) fn set(&mut self, statements: impl IntoIterator<Item = EnvelopeId>) -> Knowledge {
        let mut bits = Bits::default();
        for statement in statements {
            if let Some(number) = self.numbers.get(&statement)
                && let Some(word) = bits.0.get_mut(number / 64)
            {
                *word |= 1 << (number % 64);
            }
        }
        self.name(bits)
    }

    /// What is known to whoever knows both.
    pub(super) fn union(&mut self, a: Knowledge, b: Knowledge) -> Knowledge {
        if a == b || b == Knowledge::default() {
            return a;
        }
        let (mut bits, other) = (self.bits(a), self.bits(b));
        for (word, more) in bits.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        self.name(bits)
    }

    /// Whether everything in `a` is in `b`.
    pub(super) fn is_within(&self, a: Knowledge, b: Knowledge) -> bool {
        let (a, b) = (self.bits(a), self.bits(b));
        a.0.iter().zip(b.0).all(|(a, b)| a & !b == 0)
    }

    /// Whether something is in both.
    pub(super) fn meet(&self, a: Knowledge, b: Knowledge) -> bool {
        let (a, b) = (self.bits(a), self.bits(b));
        a.0.iter().zip(b.0).any(|(a, b)| a & b != 0)
    }

    fn bits(&self, of: Knowledge) -> Bits {
        let at = usize::try_from(of.0).ok();
        at.and_then(|at| self.sets.get(at).copied())
            .unwrap_or_default()
    }

    fn name(&mut self, bits: Bits) -> Knowledge {
        if let Some(name) = self.names.get(&bits) {
            return *name;
        }
        let name = Knowledge(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        self.sets.push(bits);
        self.names.insert(bits, name);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> EnvelopeId {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        EnvelopeId::from_bytes(bytes)
    }

    #[test]
    fn sets_are_compared_and_beyond_the_bound_nothing_is_told_apart() {
        let many: BTreeSet<_> = (0..600).map(id).collect();
        let mut known = Known::of(&many);
        let (one, two) = (known.set([id(1)]), known.set([id(2), id(511)]));
        let both = known.union(one, two);
        assert_eq!(both, known.set([id(511), id(1), id(2)]));
        assert!(known.is_within(one, both) && !known.is_within(both, one));
        assert!(known.meet(two, both) && !known.meet(one, two));
        assert_eq!(known.set([id(512)]), Knowledge::default());
        assert!(
            known.covers(id(599)),
            "there is no room, so it is not asked for"
        );
        assert!(!Known::default().covers(id(1)));
        assert!(known.is_within(Knowledge::default(), one));
    }
}
