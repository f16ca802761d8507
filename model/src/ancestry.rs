//! Which envelopes of a Space build on which: what a change may depend on (TRUST §3, §4).
//!
//! Admission judges by the headers alone: an envelope stands on its predecessor in its chain and
//! on the ancestors that it names. A body that depends on more would bring in what nobody vouched
//! for, so [`Workspace`](crate::Workspace) asks here before Automerge sees it. Control envelopes
//! and those of other documents count too: the way from a change to what it builds on often leads
//! through them.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::EnvelopeId;

/// What the header of an envelope says it builds on. Only headers that the replica verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeLinks {
    /// The envelope.
    pub id: EnvelopeId,
    /// The one before it in its chain; zero at the chain's begin.
    pub previous: EnvelopeId,
    /// The heads of other chains that it names.
    pub ancestors: Vec<EnvelopeId>,
}

impl EnvelopeLinks {
    fn all(&self) -> impl Iterator<Item = EnvelopeId> + '_ {
        let previous = Some(self.previous).filter(|id| !id.is_zero());
        previous.into_iter().chain(self.ancestors.iter().copied())
    }
}

/// Where an envelope stands: in which lane, and at which place in it.
#[derive(Clone, Copy, Debug)]
struct Place {
    lane: usize,
    at: usize,
}

/// Envelopes that follow each other without a fork; the second branch of a fork is another lane.
#[derive(Clone, Debug, Default)]
struct Lane {
    len: usize,
    /// For each other lane the places here from which on more of it is built on, and how much.
    past: BTreeMap<usize, Vec<(usize, usize)>>,
}

impl Lane {
    /// How many envelopes of another lane the one at this place builds on.
    fn reaches(&self, lane: usize, at: usize) -> usize {
        let steps = self.past.get(&lane).map_or(&[][..], Vec::as_slice);
        let after = steps.partition_point(|(from, _)| *from <= at);
        after
            .checked_sub(1)
            .and_then(|last| steps.get(last))
            .map_or(0, |(_, count)| *count)
    }

    /// From this place on, so many of another lane are built on.
    fn reach(&mut self, lane: usize, at: usize, count: usize) {
        if count <= self.reaches(lane, at) {
            return;
        }
        let steps = self.past.entry(lane).or_default();
        match steps.last_mut() {
            Some((from, known)) if *from == at => *known = count,
            _ => steps.push((at, count)),
        }
    }
}

/// The envelopes of a Space and what each builds on.
///
/// **Invariant:** an envelope has its place only when all that it builds on has; so the answer
/// about an envelope never changes, whatever arrives in which order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ancestry {
    places: BTreeMap<EnvelopeId, Place>,
    lanes: Vec<Lane>,
    /// Those that lack something, by what they lack.
    waiting: BTreeMap<EnvelopeId, Vec<EnvelopeLinks>>,
    told: BTreeSet<EnvelopeId>,
}

impl Ancestry {
    /// How many envelopes were told of.
    pub(crate) fn len(&self) -> usize {
        self.told.len()
    }

    /// Takes in what a header says; returns the envelopes that all is known of from now on.
    pub(crate) fn link(&mut self, links: &EnvelopeLinks) -> Vec<EnvelopeId> {
        let mut placed = Vec::new();
        if !self.told.insert(links.id) {
            return placed;
        }
        let mut open = vec![links.clone()];
        while let Some(links) = open.pop() {
            let missing = links.all().find(|id| !self.places.contains_key(id));
            if let Some(missing) = missing {
                self.waiting.entry(missing).or_default().push(links);
                continue;
            }
            self.place(&links);
            placed.push(links.id);
            open.extend(self.waiting.remove(&links.id).unwrap_or_default());
        }
        placed
    }

    fn place(&mut self, links: &EnvelopeLinks) {
        let before = self.places.get(&links.previous).copied();
        let extended = before.filter(|before| {
            let lane = self.lanes.get(before.lane);
            lane.is_some_and(|lane| lane.len == before.at + 1)
        });
        let place = if let Some(before) = extended {
            Place {
                at: before.at + 1,
                ..before
            }
        } else {
            self.lanes.push(Lane::default());
            Place {
                lane: self.lanes.len() - 1,
                at: 0,
            }
        };
        let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
        for id in links.all() {
            let Some(Place { lane: from, at }) = self.places.get(&id).copied() else {
                continue;
            };
            let Some(lane) = self.lanes.get(from) else {
                continue;
            };
            let own = (from, at + 1);
            let others = lane
                .past
                .keys()
                .map(|other| (*other, lane.reaches(*other, at)));
            for (other, count) in others.chain([own]) {
                let known = reached.entry(other).or_default();
                *known = (*known).max(count);
            }
        }
        if let Some(lane) = self.lanes.get_mut(place.lane) {
            lane.len = place.at + 1;
            for (other, count) in reached {
                if other != place.lane {
                    lane.reach(other, place.at, count);
                }
            }
        }
        self.places.insert(links.id, place);
    }

    /// Whether one envelope builds on another, directly or through others; none while it is not
    /// known what they build on.
    pub(crate) fn builds_on(&self, one: EnvelopeId, other: EnvelopeId) -> Option<bool> {
        let (one, other) = (self.places.get(&one)?, self.places.get(&other)?);
        Some(if one.lane == other.lane {
            other.at < one.at
        } else {
            self.lanes.get(one.lane)?.reaches(other.lane, one.at) > other.at
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: usize) -> EnvelopeId {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
        EnvelopeId::from_bytes(bytes)
    }

    /// Envelopes of a few chains, forks among them, each building on earlier ones.
    fn envelopes(rolls: &[(u8, u8, u8)]) -> Vec<EnvelopeLinks> {
        let mut heads: BTreeMap<u8, usize> = BTreeMap::new();
        let mut all = Vec::new();
        for (n, (chain, ancestor, fork)) in rolls.iter().enumerate() {
            let chain = chain % 4;
            let head = heads.get(&chain).copied();
            let previous = match head {
                // Sometimes after an earlier one than the last: a fork.
                Some(_) if fork % 8 == 0 && n > 0 => id(usize::from(*fork) % n),
                Some(head) => id(head),
                None => EnvelopeId::ZERO,
            };
            let ancestors = if n > 0 && ancestor % 3 > 0 {
                vec![id(usize::from(*ancestor) % n)]
            } else {
                Vec::new()
            };
            heads.insert(chain, n);
            all.push(EnvelopeLinks {
                id: id(n),
                previous,
                ancestors,
            });
        }
        all
    }

    proptest! {
        #[test]
        fn what_is_built_on_is_what_a_walk_finds_in_any_order_of_arrival(
            rolls in proptest::collection::vec(any::<(u8, u8, u8)>(), 1..40),
            turn in 0..40_usize,
        ) {
            let all = envelopes(&rolls);
            let mut below: Vec<BTreeSet<EnvelopeId>> = Vec::new();
            for links in &all {
                let mut set = BTreeSet::new();
                for link in links.all() {
                    set.insert(link);
                    let place = all.iter().position(|other| other.id == link);
                    set.extend(place.and_then(|place| below.get(place)).into_iter().flatten());
                }
                below.push(set);
            }
            let mut order = all.clone();
            order.rotate_left(turn % all.len());
            if turn % 2 == 0 {
                order.reverse();
            }
            let mut ancestry = Ancestry::default();
            for links in &order {
                ancestry.link(links);
            }
            for (n, one) in all.iter().enumerate() {
                for other in &all {
                    let found = ancestry.builds_on(one.id, other.id);
                    prop_assert_eq!(found, Some(below[n].contains(&other.id)));
                }
            }
        }
    }

    #[test]
    fn nothing_is_said_about_an_envelope_whose_ancestors_are_missing() {
        let mut ancestry = Ancestry::default();
        let link = |n, ancestors: &[usize]| EnvelopeLinks {
            id: id(n),
            previous: EnvelopeId::ZERO,
            ancestors: ancestors.iter().map(|n| id(*n)).collect(),
        };
        assert_eq!(ancestry.link(&link(0, &[])), [id(0)]);
        assert_eq!(ancestry.link(&link(2, &[0, 1])), []);
        assert_eq!(ancestry.builds_on(id(2), id(0)), None);
        assert_eq!(ancestry.link(&link(1, &[])), [id(1), id(2)]);
        assert_eq!(ancestry.builds_on(id(2), id(0)), Some(true));
        assert_eq!(ancestry.builds_on(id(1), id(0)), Some(false));
    }
}
