//! Systems of which so many must stay in service, and which are not in service.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::request::Window;
use crate::versioned::{self, DecodeError, EncodeError};

const KIND_GROUPS: u16 = 72;
const GROUPS_LEN_BYTES_MAX: usize = 192 * 1_024;
/// Groups of one aggregate that are read.
pub const GROUPS_MAX: usize = 64;
/// Members of one group.
pub const MEMBERS_MAX: usize = 64;
/// Marks of one System that it is out of service.
pub const OUT_MAX: usize = 64;

/// Systems that stand in for each other. It is kept by an aggregate, under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redundancy {
    /// How many must stay in service.
    pub at_least: u16,
    /// Which Systems.
    pub members: BTreeSet<SpaceId>,
}

/// Somebody took a System out of service by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutOfService {
    /// From when on.
    pub since: Timestamp,
    /// Until when; none: until somebody puts it back.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

impl OutOfService {
    /// The time in which it is out.
    #[must_use]
    pub fn window(&self) -> Window {
        Window {
            begin: self.since,
            end: self.until.unwrap_or(Timestamp::MAX),
        }
    }
}

/// A time that a signed request holds for the work on a System.
///
/// Two people who do not hear of each other may hold times that break a group together. Whoever reads
/// both sees the same: the one that was signed first, by its time and then its id, holds, and the other
/// does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reservation {
    /// When it was signed.
    pub at: Timestamp,
    /// By which envelope.
    pub id: EnvelopeId,
    /// The System that is out meanwhile.
    pub system: SpaceId,
    /// When.
    pub window: Window,
}

/// What is known of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Times in which it is out by hand.
    pub out: Vec<Window>,
    /// Times that are held for work on it.
    pub reserved: Vec<Reservation>,
}

/// What an agent is told of the groups of its System: it refuses work that would break one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsHeld {
    /// Grows with every change; the highest counts.
    pub generation: u64,
    /// The agent's System.
    pub system: SpaceId,
    /// The groups in which it is, by name.
    pub groups: Vec<(String, Redundancy)>,
    /// What is known of the others in them.
    pub members: BTreeMap<SpaceId, Member>,
}

impl GroupsHeld {
    /// Encodes it as the body of an `AgentConfig` envelope, in a document of its own.
    ///
    /// # Errors
    /// When it is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_GROUPS, self, GROUPS_LEN_BYTES_MAX)
    }

    /// Reads what an administrator wrote.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, GROUPS_LEN_BYTES_MAX)? {
            (KIND_GROUPS, body) => versioned::body(KIND_GROUPS, body),
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}

/// A group that work would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// How many must stay.
    pub at_least: usize,
    /// How many would.
    pub in_service: usize,
    /// Members that would not be in service, beside the one that is worked on. Those of which nothing
    /// can be read here count among them.
    pub out: BTreeSet<SpaceId>,
}

impl Redundancy {
    /// Whether work on a System in a window would leave too few in service. `before`: what was signed
    /// later than this does not count, as its host does not begin it.
    #[must_use]
    pub fn broken_by(
        &self,
        system: SpaceId,
        window: Window,
        known: &BTreeMap<SpaceId, Member>,
        before: Option<(Timestamp, EnvelopeId)>,
    ) -> Option<Broken> {
        if !self.members.contains(&system) {
            return None;
        }
        let others = self.members.iter().filter(|member| **member != system);
        let out: BTreeSet<_> = others
            .filter(|member| {
                known
                    .get(*member)
                    .is_none_or(|it| it.is_out(window, before))
            })
            .copied()
            .collect();
        let in_service = self.members.len().saturating_sub(out.len() + 1);
        let at_least = usize::from(self.at_least);
        (in_service < at_least).then_some(Broken {
            at_least,
            in_service,
            out,
        })
    }
}

impl Member {
    /// Whether it is in service all through a window; `before` as for [`Redundancy::broken_by`].
    #[must_use]
    pub fn is_in_service(&self, window: Window, before: Option<(Timestamp, EnvelopeId)>) -> bool {
        !self.is_out(window, before)
    }

    fn is_out(&self, window: Window, before: Option<(Timestamp, EnvelopeId)>) -> bool {
        let by_hand = self.out.iter().any(|out| out.overlaps(&window));
        let counts = |it: &&Reservation| before.is_none_or(|(at, id)| (it.at, it.id) < (at, id));
        let reserved = self.reserved.iter().filter(counts);
        by_hand || reserved.into_iter().any(|it| it.window.overlaps(&window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * 3_600_000)
    }

    fn window(begin: i64, end: i64) -> Window {
        Window {
            begin: at(begin),
            end: at(end),
        }
    }

    fn space(n: u8) -> SpaceId {
        SpaceId::from_bytes([n; 32])
    }

    fn group(at_least: u16, members: u8) -> Redundancy {
        Redundancy {
            at_least,
            members: (1..=members).map(space).collect(),
        }
    }

    fn reservation(signed: i64, system: u8, window: Window) -> Reservation {
        Reservation {
            at: at(signed),
            id: EnvelopeId::from_bytes([system; 32]),
            system: space(system),
            window,
        }
    }

    fn known(members: u8) -> BTreeMap<SpaceId, Member> {
        (1..=members)
            .map(|n| (space(n), Member::default()))
            .collect()
    }

    #[test]
    fn work_on_the_last_that_serves_breaks_the_group() {
        let mut known = known(3);
        let night = window(10, 12);
        assert_eq!(group(2, 3).broken_by(space(1), night, &known, None), None);
        let reserved = reservation(1, 2, window(11, 13));
        known.get_mut(&space(2)).unwrap().reserved.push(reserved);
        let broken = group(2, 3)
            .broken_by(space(1), night, &known, None)
            .unwrap();
        assert_eq!((broken.at_least, broken.in_service), (2, 1));
        assert_eq!(broken.out, [space(2)].into());
        assert_eq!(group(1, 3).broken_by(space(1), night, &known, None), None);
        let later = window(13, 14);
        assert_eq!(group(2, 3).broken_by(space(1), later, &known, None), None);
        assert_eq!(group(9, 3).broken_by(space(7), night, &known, None), None);
    }

    #[test]
    fn who_was_taken_out_by_hand_does_not_serve_until_put_back() {
        let mut known = known(2);
        let out = OutOfService {
            since: at(5),
            until: None,
            reason: "a broken disk".to_owned(),
        };
        known.get_mut(&space(2)).unwrap().out.push(out.window());
        let broken = group(1, 2).broken_by(space(1), window(100, 101), &known, None);
        assert_eq!(broken.unwrap().in_service, 0);
        known.get_mut(&space(2)).unwrap().out.clear();
        assert_eq!(
            group(1, 2).broken_by(space(1), window(100, 101), &known, None),
            None
        );
    }

    #[test]
    fn a_member_of_which_nothing_is_known_does_not_count_as_serving() {
        let broken = group(1, 2).broken_by(space(1), window(1, 2), &known(1), None);
        assert_eq!(broken.unwrap().out, [space(2)].into());
    }

    /// Two people on replicas that did not hear of each other confirmed one member each.
    #[test]
    fn of_two_that_break_a_group_together_the_first_holds_on_every_replica() {
        let (first, second) = (
            reservation(1, 1, window(10, 12)),
            reservation(2, 2, window(11, 13)),
        );
        for order in [[first, second], [second, first]] {
            let mut known = known(2);
            for it in order {
                known.get_mut(&it.system).unwrap().reserved.push(it);
            }
            let broken = |it: Reservation| {
                let before = Some((it.at, it.id));
                group(1, 2).broken_by(it.system, it.window, &known, before)
            };
            assert_eq!(broken(first), None, "it was signed first");
            assert_eq!(broken(second).unwrap().out, [space(1)].into());
        }
    }
}
