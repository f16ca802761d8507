//! The stored set: gaps, branches, summaries, ancestry.

use std::collections::BTreeMap;

use super::stage::{Actor, minute, stage};
use crate::admission::{ChainSummary, Inserted, NotInserted, SpaceLog};
use crate::ephemeral::{self, EphemeralError, Slot};
use crate::id::DocumentId;
use crate::statement::Capability;

#[test]
pub(super) fn a_gap_names_the_head_and_the_order_of_chains_is_free() {
    let (stage, cast) = stage();
    let mut log = SpaceLog::new(stage.space);
    let alice: Vec<_> = stage
        .all
        .iter()
        .filter(|(envelope, _at)| envelope.header().chain == cast.alice.chain())
        .collect();
    let gap = |head_seq| Err(NotInserted::Gap { head_seq });
    assert_eq!(log.insert(&alice[2].0, minute(1)), gap(0));
    assert_eq!(log.insert(&alice[0].0, minute(1)), Ok(Inserted::New));
    assert_eq!(log.insert(&alice[2].0, minute(1)), gap(1));
    assert_eq!(log.insert(&alice[0].0, minute(9)), Ok(Inserted::Duplicate));
    assert_eq!(log.get(alice[0].0.id()).unwrap().received(), minute(1));
    assert_eq!(log.len(), 1);
}

#[test]
pub(super) fn equal_sets_have_equal_digests_and_one_envelope_more_changes_them() {
    let (mut stage, mut cast) = stage();
    let before = (stage.log.summary(), stage.log.digest());
    let copy = stage.log.clone();
    stage.write(&mut cast.bob, 1);
    assert_ne!(stage.log.digest(), before.1);
    assert_eq!(copy.digest(), before.1);
    let bob = ChainSummary {
        chain: cast.bob.chain(),
        seq: 1,
        heads: vec![cast.bob.previous],
    };
    assert!(!before.0.contains(&bob) && stage.log.summary().contains(&bob));
    assert!(stage.log.summary().is_sorted());
}

#[test]
pub(super) fn ranges_and_branches_are_read_by_position() {
    let (mut stage, mut cast) = stage();
    let ids: Vec<_> = (1..=4).map(|at| stage.write(&mut cast.bob, at)).collect();
    let after: Vec<_> = stage
        .log
        .after(cast.bob.chain(), 2)
        .map(super::super::Entry::id)
        .collect();
    assert_eq!(after, ids[2..]);
    assert_eq!(stage.log.after(cast.bob.chain(), u64::MAX).count(), 0);
    assert_eq!(stage.log.below(ids[3], 2), Some(ids[1]));
    assert_eq!(stage.log.below(ids[1], 3), None);
    assert_eq!(stage.log.head(cast.bob.chain()), Some((4, ids[3])));
    assert_eq!(stage.log.head(Actor::new(99).chain()), None);
}

#[test]
pub(super) fn ancestors_reach_through_chains_and_the_frontier_names_each_once() {
    let (mut stage, mut cast) = stage();
    let first = stage.write(&mut cast.bob, 1);
    let second = stage.write_on(&mut cast.carol, 2, 2, &[first]);
    let third = stage.write_on(&mut cast.alice, 3, 3, &[second]);
    let later = stage.write(&mut cast.bob, 4);
    let log = &stage.log;
    assert!(log.is_ancestor(first, third) && log.is_ancestor(second, third));
    assert!(!log.is_ancestor(third, first) && !log.is_ancestor(later, third));
    assert!(!log.is_ancestor(third, third));
    let evaluation = stage.evaluate(5);
    let frontier = evaluation.frontier(cast.rita.chain());
    assert!(frontier.contains(&third) && frontier.contains(&later));
    assert!(!frontier.contains(&first) && !frontier.contains(&second));
    assert!(frontier.is_sorted());
    let order: BTreeMap<_, _> = evaluation.in_order().into_iter().zip(0..).collect();
    assert!(order[&first] < order[&second] && order[&second] < order[&third]);
}

#[test]
pub(super) fn an_ephemeral_is_heard_from_a_live_reader_only() {
    let (mut stage, cast) = stage();
    let evaluation = stage.evaluate(1);
    let mut hear = |actor: &Actor, authority: &Actor| {
        let slot = Slot {
            space: stage.space,
            instance: actor.instance,
            authority: authority.grant,
            document: DocumentId::named("system"),
            counter: 1,
            time: minute(1),
        };
        let epoch = (cast.bob.grant, &stage.epoch);
        let message =
            ephemeral::seal(&actor.keys, &slot, b"here", epoch, &mut stage.entropy).unwrap();
        message.check(&evaluation, 0, minute(1))
    };
    assert_eq!(hear(&cast.rita, &cast.rita), Ok(()));
    let refused = Err(EphemeralError::Authority);
    assert_eq!(hear(&cast.relay, &cast.relay), refused);
    assert_eq!(hear(&Actor::new(66), &cast.rita), refused);
    let capability = evaluation.capability(cast.relay.keys.author(), minute(1));
    assert_eq!(capability, Some(Capability::Relay));
}
