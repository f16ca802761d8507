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
    /// The aggregates that keep the groups, one each, in the same order. Written after the fields above,
    /// which older programs read alone; of what those wrote it is empty.
    #[serde(skip)]
    pub keepers: Vec<SpaceId>,
}

impl GroupsHeld {
    /// What to tell an agent that was told something before: what is not readable here stays as others
    /// told it, so that two who read different things agree after each told once.
    #[must_use]
    pub fn with_told(
        mut self,
        told: &Self,
        now: Timestamp,
        is_readable: impl Fn(&SpaceId) -> bool,
    ) -> Self {
        if told.system != self.system {
            return self;
        }
        for ((name, group), keeper) in told.groups.iter().zip(&told.keepers) {
            let has_place = self.groups.len() < GROUPS_MAX;
            if has_place && !is_readable(keeper) && group.members.contains(&self.system) {
                self.groups.push((name.clone(), group.clone()));
                self.keepers.push(*keeper);
            }
        }
        let members = self.groups.iter().flat_map(|(_, group)| &group.members);
        let members: BTreeSet<_> = members.filter(|it| **it != self.system).copied().collect();
        for member in members {
            let known = told.members.get(&member).filter(|_| !is_readable(&member));
            if let (Some(known), false) = (known, self.members.contains_key(&member)) {
                self.members.insert(member, known.open(now));
            }
        }
        self
    }

    /// Whether both say the same now, whoever told it when.
    #[must_use]
    pub fn says_same(&self, other: &Self, now: Timestamp) -> bool {
        let open = |it: &Self| -> Vec<_> {
            let members = it.members.iter();
            members
                .map(|(id, member)| (*id, member.open(now)))
                .collect()
        };
        let named = |it: &Self| -> BTreeSet<_> {
            let keepers = it.keepers.iter().copied().map(Some);
            let keepers = keepers.chain(std::iter::repeat(None));
            let groups = it.groups.iter().zip(keepers);
            let named = groups.map(|((name, group), keeper)| {
                (keeper, name.clone(), group.at_least, group.members.clone())
            });
            named.collect()
        };
        self.system == other.system && named(self) == named(other) && open(self) == open(other)
    }

    /// Whether an agent that was told this stops all work that `current` would have it stop in a window.
    #[must_use]
    pub fn knows(&self, current: &Self, window: Window) -> bool {
        let kept = |(_, group): &(String, Redundancy)| {
            let mut told = self.groups.iter();
            let is_told = told.any(|(_, told)| told == group);
            let broken = |it: &Self| {
                let broken = group.broken_by(it.system, window, &it.members, None);
                broken.is_some()
            };
            is_told && (broken(self) || !broken(current))
        };
        current.groups.is_empty()
            || (self.system == current.system && current.groups.iter().all(kept))
    }

    /// Encodes it as the body of an `AgentConfig` envelope, in a document of its own.
    ///
    /// # Errors
    /// When it is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_GROUPS, &(self, &self.keepers), GROUPS_LEN_BYTES_MAX)
    }

    /// Reads what an administrator wrote.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, GROUPS_LEN_BYTES_MAX)? {
            (KIND_GROUPS, body) => {
                let (held, keepers) = versioned::body_and_later(KIND_GROUPS, body)?;
                Ok(Self { keepers, ..held })
            }
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

    /// The same without times that are over, in one order.
    fn open(&self, now: Timestamp) -> Self {
        let out = self.out.iter().filter(|it| now < it.end).copied();
        let reserved = self.reserved.iter().filter(|it| now < it.window.end);
        let mut open = Self {
            out: out.collect(),
            reserved: reserved.copied().collect(),
        };
        open.out.sort_by_key(|it| (it.begin, it.end));
        open.reserved.sort();
        open
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

    fn held(groups: &[(u8, Redundancy)], readable: &[u8]) -> GroupsHeld {
        GroupsHeld {
            generation: 0,
            system: space(1),
            groups: groups
                .iter()
                .map(|(keeper, group)| (format!("of {keeper}"), group.clone()))
                .collect(),
            members: readable
                .iter()
                .map(|n| (space(*n), Member::default()))
                .collect(),
            keepers: groups.iter().map(|(keeper, _)| space(*keeper)).collect(),
        }
    }

    #[test]
    fn what_was_told_before_keepers_still_reads_and_older_agents_read_what_is_told() {
        let new = held(&[(9, group(1, 3))], &[2, 3]);
        let bytes = new.encode().unwrap();
        assert_eq!(GroupsHeld::decode(&bytes), Ok(new.clone()));
        let old = versioned::encode(KIND_GROUPS, &new, GROUPS_LEN_BYTES_MAX).unwrap();
        assert!(bytes.starts_with(&old), "an older agent reads the same");
        let read = GroupsHeld::decode(&old).unwrap();
        assert_eq!((read.groups, read.keepers), (new.groups, Vec::new()));
    }

    /// One reads the aggregate 8 and the System 2, the other 9 and 3.
    #[test]
    fn two_who_read_different_things_agree_after_each_told_once() {
        let readable = |own: [u8; 2]| move |it: &SpaceId| own.map(space).contains(it);
        let one = held(&[(8, group(1, 2))], &[2]);
        let mut other = held(&[(9, group(2, 3))], &[3]);
        let out = window(1, 100);
        other.members.get_mut(&space(3)).unwrap().out.push(out);
        let first = one
            .clone()
            .with_told(&GroupsHeld::default(), at(1), readable([8, 2]));
        assert!(first.says_same(&one, at(1)));
        let second = other.clone().with_told(&first, at(1), readable([9, 3]));
        assert_eq!(second.groups.len(), 2);
        let third = one.with_told(&second, at(1), readable([8, 2]));
        assert!(third.says_same(&second, at(1)), "nothing more is told");
        assert!(
            other
                .clone()
                .with_told(&third, at(1), readable([9, 3]))
                .says_same(&third, at(1))
        );
        assert_eq!(third.members[&space(3)].out, [out]);
        // Who reads the aggregate knows when its group is gone, and what is over is not told anew.
        let gone = held(&[], &[]).with_told(&third, at(1), readable([8, 9]));
        assert!(gone.groups.is_empty() && gone.members.is_empty());
        let over = held(&[(8, group(1, 2))], &[2]).with_told(&third, at(100), readable([8, 2]));
        assert!(over.says_same(&third, at(100)));
        assert!(over.members[&space(3)].out.is_empty());
    }

    #[test]
    fn an_agent_that_was_told_less_would_let_too_much_run() {
        let night = window(10, 12);
        let current = held(&[(8, group(2, 3))], &[2, 3]);
        assert!(current.knows(&current, night));
        assert!(!GroupsHeld::default().knows(&current, night), "no group");
        assert!(
            !held(&[(8, group(1, 3))], &[2, 3]).knows(&current, night),
            "another"
        );
        let mut out = current.clone();
        out.members
            .get_mut(&space(2))
            .unwrap()
            .out
            .push(window(9, 11));
        assert!(!current.knows(&out, night), "it believes that 2 serves");
        assert!(current.knows(&out, window(20, 21)), "then it does");
        assert!(
            out.knows(&current, night),
            "it stops more than it would have to"
        );
        assert!(GroupsHeld::default().knows(&held(&[], &[]), night));
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
