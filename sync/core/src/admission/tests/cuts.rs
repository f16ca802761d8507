//! Revocations, duels, forks and vouching.

use super::stage::{Actor, Cast, END, Stage, minute, stage};
use crate::admission::{
    BRANCHES_MAX, Fork, Held, Inserted, NotInserted, Outsiders, Refusal, Verdict, evaluate,
};
use crate::envelope::{self, Envelope};
use crate::id::EnvelopeId;
use crate::statement::{Body, Capability, Cut, Statement};

fn revoke(target: EnvelopeId, cuts: &[Cut]) -> Statement {
    Statement::Revoke {
        target,
        cuts: cuts.to_vec(),
        reason: 1,
    }
}

fn receipt(stage: &mut Stage, witness: &mut Actor, at: i64, cuts: &[Cut]) -> EnvelopeId {
    let statement = Statement::Receipt {
        cuts: cuts.to_vec(),
        at: minute(at),
    };
    stage.say(witness, at, &statement)
}

#[test]
pub(super) fn a12_a13_what_a_revoked_writer_backdates_is_cut_on_every_replica() {
    let (mut stage, mut cast) = stage();
    let kept = stage.write(&mut cast.bob, 1);
    let cut = cast.bob.cut();
    stage.say(&mut cast.alice, 5, &revoke(cast.bob.grant, &[cut]));
    let backdated = stage.write_on(&mut cast.bob, 2, 6, &[]);
    let evaluation = stage.evaluate(7);
    assert_eq!(evaluation.verdict(kept), Verdict::Admitted);
    assert_eq!(evaluation.verdict(backdated), Verdict::Cut);
    assert_eq!(
        evaluation.capability(cast.bob.keys.author(), minute(7)),
        None
    );
    let mut other_database = cast.bob.twin();
    other_database.instance.0 += 1;
    (other_database.seq, other_database.previous) = (0, EnvelopeId::ZERO);
    let new_chain = stage.write_on(&mut other_database, 2, 6, &[]);
    assert_eq!(
        stage.verdict(new_chain, 7),
        Verdict::Cut,
        "unnamed chains are cut at 0"
    );
}

#[test]
pub(super) fn a14_who_may_comment_vouches_for_nothing() {
    let (mut stage, mut cast) = stage();
    let mut guest = Actor::new(60);
    stage.grant(&mut cast.alice, &mut guest, 1, |grant| {
        grant.capability = Capability::Comment;
    });
    let cut = cast.bob.cut();
    let late = stage.write(&mut cast.bob, 2);
    let mut position = guest.position(stage.space, 3);
    position.ancestors = vec![late];
    let entry = Body::Entries(vec![serde_bytes::ByteBuf::from(*b"x")]);
    let on_it = stage.sealed(&guest, position, &entry);
    guest.said(&on_it);
    stage.deliver(&on_it, minute(3));
    stage.say(&mut cast.alice, 4, &revoke(cast.bob.grant, &[cut]));
    let evaluation = stage.evaluate(5);
    assert_eq!(evaluation.verdict(late), Verdict::Cut);
    assert_eq!(evaluation.verdict(on_it.id()), Verdict::Admitted);
    // Nobody names it, so that nobody takes the cut work in with it.
    let frontier = evaluation.frontier(cast.alice.chain());
    assert!(!frontier.contains(&on_it.id()));
}

#[test]
pub(super) fn a14_honest_work_on_top_of_a_cut_write_survives_and_vouches_for_it() {
    let (mut stage, mut cast) = stage();
    let cut = cast.bob.cut();
    let late = stage.write(&mut cast.bob, 2);
    let on_it = stage.write_on(&mut cast.carol, 3, 3, &[late]);
    stage.say(&mut cast.alice, 4, &revoke(cast.bob.grant, &[cut]));
    let later = stage.write(&mut cast.bob, 2);
    let evaluation = stage.evaluate(5);
    assert_eq!(evaluation.verdict(late), Verdict::Vouched);
    assert_eq!(evaluation.verdict(on_it), Verdict::Admitted);
    assert_eq!(evaluation.verdict(later), Verdict::Cut);
    let frontier = evaluation.frontier(cast.alice.chain());
    assert!(frontier.contains(&on_it) && !frontier.contains(&later));
}

/// Says a statement on top of others' envelopes, as an engine does.
fn say_on(
    stage: &mut Stage,
    actor: &mut Actor,
    at: i64,
    ancestors: &[EnvelopeId],
    statement: &Statement,
) -> EnvelopeId {
    let mut position = actor.position(stage.space, at);
    position.ancestors = ancestors.to_vec();
    let envelope = envelope::control(&actor.keys, position, statement).unwrap();
    actor.said(&envelope);
    stage.deliver(&envelope, minute(at));
    envelope.id()
}

/// Who revokes names what they had read. What they write afterwards brings none of it back, nor does
/// what others write on top of that; what was written before on top of it does.
#[test]
pub(super) fn a12_who_knows_of_a_revocation_brings_back_nothing_that_it_cuts() {
    let (mut stage, mut cast) = stage();
    let spam = stage.write(&mut cast.bob, 2);
    // A receipt is no work on top of it.
    let seen = Statement::Receipt {
        cuts: vec![cast.bob.cut()],
        at: minute(3),
    };
    say_on(&mut stage, &mut cast.alice, 3, &[spam], &seen);
    let more = stage.write(&mut cast.bob, 3);
    say_on(
        &mut stage,
        &mut cast.alice,
        4,
        &[more],
        &revoke(cast.bob.grant, &[]),
    );
    let next = stage.write(&mut cast.alice, 5);
    let on_it = stage.write_on(&mut cast.carol, 6, 6, &[next]);
    let evaluation = stage.evaluate(7);
    for cut in [spam, more] {
        assert_eq!(evaluation.verdict(cut), Verdict::Cut);
    }
    assert_eq!(evaluation.verdict(on_it), Verdict::Admitted);
    // What knows of the cut is named on.
    let guest = Actor::new(60);
    assert!(evaluation.frontier(guest.chain()).contains(&on_it));
    // Somebody had built on the first without knowing: it stands, and what came after it does not.
    let mut away = Actor::new(61);
    stage.grant(&mut cast.alice, &mut away, 7, |_grant| {});
    stage.write_on(&mut away, 8, 8, &[spam]);
    let evaluation = stage.evaluate(9);
    assert_eq!(evaluation.verdict(spam), Verdict::Vouched);
    assert_eq!(evaluation.verdict(more), Verdict::Cut);
}

/// What is carried carries what it was built on, although who carries it knows that this is cut.
#[test]
fn a14_what_is_vouched_for_vouches_as_one_who_knew_less() {
    let (mut stage, mut cast) = stage();
    let (mut dora, mut emil) = (Actor::new(62), Actor::new(63));
    for actor in [&mut dora, &mut emil] {
        stage.grant(&mut cast.alice, actor, 1, |_grant| {});
    }
    let spam = stage.write(&mut cast.bob, 2);
    let on_it = stage.write_on(&mut dora, 3, 3, &[spam]);
    let first = say_on(
        &mut stage,
        &mut cast.alice,
        4,
        &[spam],
        &revoke(cast.bob.grant, &[]),
    );
    assert_eq!(stage.verdict(spam, 5), Verdict::Vouched);
    let both = stage.write_on(&mut emil, 5, 5, &[first, on_it]);
    stage.say(&mut cast.alice, 6, &revoke(dora.grant, &[]));
    let evaluation = stage.evaluate(7);
    let verdicts = [spam, on_it, both].map(|id| evaluation.verdict(id));
    let expected = [Verdict::Vouched, Verdict::Vouched, Verdict::Admitted];
    assert_eq!(verdicts, expected);
}

/// Whoever was let in again goes on in a new chain, and does not bring back what was cut.
#[test]
fn who_was_let_in_again_leaves_the_chain_that_was_cut() {
    let (mut stage, mut cast) = stage();
    let cut = stage.write(&mut cast.bob, 2);
    let ended = stage.say(&mut cast.alice, 3, &revoke(cast.bob.grant, &[]));
    let chain = cast.bob.chain();
    assert!(!stage.evaluate(4).is_chain_usable(&stage.log, chain));
    let mut again = cast.bob.twin();
    stage.grant(&mut cast.alice, &mut again, 5, |_grant| {});
    // An old program goes on in it all the same.
    let next = stage.write_on(&mut again, 6, 6, &[ended]);
    let evaluation = stage.evaluate(7);
    assert_eq!(evaluation.verdict(cut), Verdict::Cut);
    assert_eq!(evaluation.verdict(next), Verdict::Admitted);
}

#[test]
pub(super) fn control_is_never_vouched_for_and_does_not_vouch() {
    let (mut stage, mut cast) = stage();
    let cut = cast.carol.cut();
    let mut mallory = Actor::new(60);
    let granted = stage.grant(&mut cast.carol, &mut mallory, 2, |_grant| {});
    stage.write_on(&mut cast.bob, 3, 3, &[granted]);
    stage.say(&mut cast.alice, 4, &revoke(cast.carol.grant, &[cut]));
    let evaluation = stage.evaluate(5);
    assert_eq!(evaluation.verdict(granted), Verdict::Cut);
    assert_eq!(
        evaluation.capability(mallory.keys.author(), minute(5)),
        None
    );
}

#[test]
pub(super) fn a15_lower_and_equal_administrators_cannot_revoke() {
    let (mut stage, mut cast) = stage();
    let mut equal = Actor::new(61);
    stage.grant(&mut cast.alice, &mut equal, 1, |grant| {
        grant.capability = Capability::Administer;
    });
    let upwards = stage.say(&mut cast.carol, 2, &revoke(cast.alice.grant, &[]));
    let sideways = stage.say(&mut equal, 2, &revoke(cast.carol.grant, &[]));
    let by_writer = stage.say(&mut cast.bob, 2, &revoke(cast.rita.grant, &[]));
    let evaluation = stage.evaluate(3);
    for id in [upwards, sideways, by_writer] {
        assert!(matches!(evaluation.verdict(id), Verdict::Refused(_)));
    }
    let may = |actor: &Actor| evaluation.capability(actor.keys.author(), minute(3));
    assert_eq!(may(&cast.alice), Some(Capability::Administer));
    assert_eq!(may(&cast.carol), Some(Capability::Administer));
    assert_eq!(may(&cast.rita), Some(Capability::Read));
    let own = revoke(cast.bob.grant, &[cast.bob.cut()]);
    stage.say(&mut cast.bob, 3, &own);
    let evaluation = stage.evaluate(4);
    assert_eq!(
        evaluation.capability(cast.bob.keys.author(), minute(4)),
        None
    );
}

#[test]
pub(super) fn a16_a_backdated_grant_of_a_revoked_administrator_is_void() {
    let (mut stage, mut cast) = stage();
    stage.say(
        &mut cast.alice,
        5,
        &revoke(cast.carol.grant, &[cast.carol.cut()]),
    );
    let mut mallory = Actor::new(60);
    let granted = stage.grant(&mut cast.carol, &mut mallory, 2, |_grant| {});
    let written = stage.write(&mut mallory, 3);
    let evaluation = stage.evaluate(6);
    assert_eq!(evaluation.verdict(granted), Verdict::Cut);
    assert_eq!(evaluation.verdict(written), Verdict::Cut);
}

#[test]
pub(super) fn a17_a_revoked_administrator_takes_nobody_along() {
    let (mut stage, mut cast) = stage();
    let mut dave = Actor::new(62);
    stage.grant(&mut cast.carol, &mut dave, 1, |_grant| {});
    stage.say(
        &mut cast.alice,
        5,
        &revoke(cast.carol.grant, &[cast.carol.cut(), dave.cut()]),
    );
    let revenge = stage.say(&mut cast.carol, 2, &revoke(dave.grant, &[]));
    let evaluation = stage.evaluate(6);
    assert_eq!(evaluation.verdict(revenge), Verdict::Cut);
}

/// Whether a writer far from the root still writes although `by`, whose grant does not stand but
/// would be near enough, revoked it.
fn victim_survives(stage: &mut Stage, cast: &mut Cast, by: &mut Actor, at: i64) -> bool {
    let mut victim = Actor::new(65);
    stage.grant(&mut cast.carol, &mut victim, 1, |_grant| {});
    let revoked = stage.say_late(by, at, at, &revoke(victim.grant, &[]));
    let evaluation = stage.evaluate(at);
    let verdict = evaluation.verdict(revoked);
    assert_ne!(verdict, Verdict::Admitted);
    assert_ne!(
        verdict,
        Verdict::Refused(Refusal::Capability),
        "near enough"
    );
    let may = evaluation.capability(victim.keys.author(), minute(500));
    may == Some(Capability::Write)
}

fn administer(grant: &mut crate::statement::Grant) {
    grant.capability = Capability::Administer;
    grant.depth_left = 1;
    grant.end = minute(END);
}

#[test]
pub(super) fn a07_who_holds_a_grant_from_a_stranger_revokes_nobody() {
    let (mut stage, mut cast) = stage();
    let (mut mallory, mut eve) = (Actor::new(60), Actor::new(61));
    mallory.grant = cast.anchor.grant;
    stage.grant(&mut mallory, &mut eve, 1, administer);
    assert!(victim_survives(&mut stage, &mut cast, &mut eve, 2));
    mallory.grant = cast.carol.grant;
    let named = cast.alice.grant;
    stage.grant(&mut cast.carol, &mut eve, 3, |grant| {
        administer(grant);
        grant.parent = Some(named);
    });
    assert!(victim_survives(&mut stage, &mut cast, &mut eve, 4));
}

#[test]
pub(super) fn a_grant_given_before_its_issuers_own_revokes_nobody() {
    let (mut stage, mut cast) = stage();
    let (mut dave, mut eve) = (Actor::new(60), Actor::new(61));
    stage.grant(&mut cast.anchor, &mut dave, 1, |grant| {
        administer(grant);
        grant.depth_left = 3;
        grant.not_before = minute(50);
    });
    stage.grant(&mut dave, &mut eve, 2, |grant| {
        administer(grant);
        grant.not_before = minute(50);
    });
    assert!(victim_survives(&mut stage, &mut cast, &mut eve, 51));
}

#[test]
pub(super) fn a_grant_on_an_open_fork_revokes_nobody() {
    let (mut stage, mut cast) = stage();
    let (mut dave, mut eve) = (Actor::new(60), Actor::new(61));
    stage.grant(&mut cast.anchor, &mut dave, 1, |grant| {
        administer(grant);
        grant.depth_left = 3;
    });
    let mut twin = dave.twin();
    stage.grant(&mut dave, &mut eve, 2, administer);
    stage.write(&mut twin, 3);
    assert!(victim_survives(&mut stage, &mut cast, &mut eve, 4));
}

#[test]
pub(super) fn a_grant_that_came_after_its_issuers_end_revokes_nobody() {
    let (mut stage, mut cast) = stage();
    let (mut dave, mut eve) = (Actor::new(60), Actor::new(61));
    stage.grant(&mut cast.anchor, &mut dave, 1, |grant| {
        administer(grant);
        grant.depth_left = 3;
        grant.end = minute(100);
    });
    let mut grant = super::stage::grant_to(&eve, Capability::Administer);
    grant.parent = Some(dave.grant);
    grant.end = minute(100);
    eve.grant = stage.say_late(&mut dave, 99, 200, &Statement::Grant(grant));
    let mut victim = Actor::new(65);
    stage.grant(&mut cast.carol, &mut victim, 1, |_grant| {});
    let heard = stage.say_late(&mut eve, 99, 200, &revoke(victim.grant, &[]));
    let evaluation = stage.evaluate(201);
    assert_eq!(evaluation.verdict(heard), Verdict::Held(Held::Expired));
    let may = evaluation.capability(victim.keys.author(), minute(201));
    assert_eq!(may, Some(Capability::Write));
}

fn fork(stage: &mut Stage, cast: &mut Cast) -> (Envelope, Envelope) {
    let twin = cast.bob.twin();
    let left = stage.changes(&cast.bob, 1, &[]);
    let right = stage.changes(&twin, 2, &[]);
    stage.deliver(&left, minute(2));
    let inserted = stage.log.insert(&right, minute(3));
    assert_eq!(inserted, Ok(Inserted::Fork));
    stage.all.push((right.clone(), minute(3)));
    (left, right)
}

fn seen(envelope: &Envelope) -> Cut {
    Cut {
        chain: envelope.header().chain,
        seq: envelope.header().seq,
        id: envelope.id(),
    }
}

#[test]
pub(super) fn a22_an_unwitnessed_fork_counts_on_neither_branch() {
    let (mut stage, mut cast) = stage();
    let below = stage.write(&mut cast.bob, 1);
    let (left, right) = fork(&mut stage, &mut cast);
    let evaluation = stage.evaluate(4);
    assert_eq!(evaluation.verdict(below), Verdict::Admitted);
    assert_eq!(evaluation.verdict(left.id()), Verdict::Cut);
    assert_eq!(evaluation.verdict(right.id()), Verdict::Cut);
    let summary = stage.log.summary();
    let chain = summary
        .iter()
        .find(|it| it.chain == cast.bob.chain())
        .unwrap();
    assert!(chain.is_forked() && chain.seq == 2 && chain.heads.len() == 2);
}

/// Where one branch alone is here, a proof says that there is another: the verdicts are those of who
/// holds both, whoever published it.
#[test]
pub(super) fn a22_a_proof_counts_where_one_branch_alone_is_here() {
    let (mut stage, mut cast) = stage();
    let below = stage.write(&mut cast.bob, 1);
    let twin = cast.bob.twin();
    let left = stage.changes(&cast.bob, 1, &[]);
    let right = stage.changes(&twin, 2, &[]);
    stage.deliver(&left, minute(2));
    assert_eq!(stage.verdict(left.id(), 3), Verdict::Admitted);
    let proof = Fork::statement(right.raw(), left.raw()).unwrap();
    let said = stage.say(&mut cast.rita, 3, &proof);
    let evaluation = stage.evaluate(4);
    assert_eq!(evaluation.verdict(said), Verdict::Admitted);
    assert_eq!(evaluation.verdict(below), Verdict::Admitted);
    assert_eq!(evaluation.verdict(left.id()), Verdict::Cut);
    assert_eq!(stage.log.forked_at(cast.bob.chain()), Some(2));
    assert_eq!(stage.log.unproven_forks().count(), 0);
    // What a witness saw of one branch stands, until one saw the other, which is not here.
    receipt(&mut stage, &mut cast.relay, 5, &[seen(&left)]);
    assert_eq!(stage.verdict(left.id(), 6), Verdict::Admitted);
    receipt(&mut stage, &mut cast.alice, 6, &[seen(&right)]);
    assert_eq!(stage.verdict(left.id(), 7), Verdict::Cut);
    stage.deliver(&right, minute(8));
    let evaluation = stage.evaluate(9);
    let both = [left.id(), right.id()].map(|id| evaluation.verdict(id));
    assert_eq!(both, [Verdict::Cut; 2], "the same with both");
}

/// A proof is two headers that one author signed for one position: nothing else forks anything.
#[test]
pub(super) fn a22_a_false_proof_forks_nothing() {
    let (mut stage, mut cast) = stage();
    let one = stage.changes(&cast.bob, 1, &[]);
    cast.bob.said(&one);
    stage.deliver(&one, minute(1));
    let two = stage.changes(&cast.bob, 2, &[]);
    cast.bob.said(&two);
    stage.deliver(&two, minute(2));
    let other = stage.changes(&cast.carol, 2, &[]);
    cast.carol.said(&other);
    stage.deliver(&other, minute(2));
    let mut forged = stage.changes(&cast.bob.twin(), 3, &[]).raw().clone();
    forged.signature[7] ^= 1;
    for (left, right) in [
        (one.raw(), two.raw()),
        (one.raw(), one.raw()),
        (one.raw(), other.raw()),
        (&forged, two.raw()),
    ] {
        let proof = Fork::statement(left, right).unwrap();
        assert_eq!(Fork::proven(stage.space, &proof), None);
        stage.say(&mut cast.rita, 4, &proof);
    }
    let elsewhere = crate::id::SpaceId::from_bytes([9; 32]);
    let twin = stage.changes(&cast.carol.twin(), 5, &[]);
    let real = Fork::statement(twin.raw(), stage.changes(&cast.carol, 6, &[]).raw()).unwrap();
    assert!(Fork::proven(stage.space, &real).is_some());
    assert_eq!(Fork::proven(elsewhere, &real), None);
    let evaluation = stage.evaluate(5);
    for envelope in [&one, &two, &other] {
        assert_eq!(evaluation.verdict(envelope.id()), Verdict::Admitted);
    }
    assert_eq!(stage.log.forked_chains().count(), 0);
}

#[test]
pub(super) fn a23_a_witnessed_history_survives_a_fork() {
    let (mut stage, mut cast) = stage();
    let (left, right) = fork(&mut stage, &mut cast);
    receipt(&mut stage, &mut cast.relay, 4, &[seen(&left)]);
    let evaluation = stage.evaluate(5);
    assert_eq!(evaluation.verdict(left.id()), Verdict::Admitted);
    assert_eq!(evaluation.verdict(right.id()), Verdict::Cut);
    receipt(&mut stage, &mut cast.alice, 6, &[seen(&right)]);
    let evaluation = stage.evaluate(7);
    let both = [left.id(), right.id()].map(|id| evaluation.verdict(id));
    assert_eq!(
        both,
        [Verdict::Cut; 2],
        "witnesses of both branches settle nothing"
    );
}

#[test]
pub(super) fn a_receipt_by_nobody_settles_no_fork() {
    let (mut stage, mut cast) = stage();
    let (left, _right) = fork(&mut stage, &mut cast);
    receipt(&mut stage, &mut cast.carol.twin(), 4, &[]);
    receipt(&mut stage, &mut cast.rita, 4, &[seen(&left)]);
    assert_eq!(stage.verdict(left.id(), 5), Verdict::Cut);
}

#[test]
pub(super) fn of_two_vouched_branches_the_lower_id_stands_and_the_other_waits() {
    let (mut stage, mut cast) = stage();
    let (left, right) = fork(&mut stage, &mut cast);
    let on_left = stage.write_on(&mut cast.carol, 4, 4, &[left.id()]);
    let on_right = stage.write_on(&mut cast.alice, 4, 4, &[right.id()]);
    let evaluation = stage.evaluate(5);
    let (stands, waits) = if left.id() < right.id() {
        ((left.id(), on_left), (right.id(), on_right))
    } else {
        ((right.id(), on_right), (left.id(), on_left))
    };
    assert_eq!(evaluation.verdict(stands.0), Verdict::Vouched);
    assert_eq!(evaluation.verdict(stands.1), Verdict::Admitted);
    let quarantined = Verdict::Held(Held::Quarantined);
    assert_eq!(evaluation.verdict(waits.0), quarantined);
    assert_eq!(evaluation.verdict(waits.1), quarantined);
}

#[test]
pub(super) fn branches_are_bounded_and_a_named_one_comes_in() {
    let (mut stage, mut cast) = stage();
    fork(&mut stage, &mut cast);
    let third = stage.changes(&cast.bob, 3, &[]);
    let inserted = stage.log.insert(&third, minute(4));
    assert_eq!(inserted, Err(NotInserted::ForkLimit));
    receipt(&mut stage, &mut cast.relay, 5, &[seen(&third)]);
    stage.deliver(&third, minute(6));
    assert_eq!(stage.verdict(third.id(), 7), Verdict::Admitted);
    let many: Vec<_> = (0..12)
        .map(|at| stage.changes(&cast.bob, 10 + at, &[]))
        .collect();
    let cuts: Vec<_> = many.iter().map(seen).collect();
    receipt(&mut stage, &mut cast.relay, 30, &cuts);
    let stored = many
        .iter()
        .filter(|envelope| stage.log.insert(envelope, minute(31)).is_ok())
        .count();
    assert_eq!(stored, BRANCHES_MAX - 3);
}

#[test]
pub(super) fn a_revocation_undone_by_a_new_grant_lets_its_holder_write_again() {
    let (mut stage, mut cast) = stage();
    stage.say(
        &mut cast.alice,
        5,
        &revoke(cast.bob.grant, &[cast.bob.cut()]),
    );
    stage.grant(&mut cast.alice, &mut cast.bob, 6, |grant| {
        grant.end = minute(2 * END);
    });
    let written = stage.write(&mut cast.bob, 7);
    let evaluation = stage.evaluate(8);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    assert_eq!(
        evaluation.capability(cast.bob.keys.author(), minute(8)),
        Some(Capability::Write)
    );
}

/// Content that settled a fork used to leave the Space without members until the next control
/// statement.
#[test]
pub(super) fn content_that_settles_a_fork_leaves_everyone_in() {
    let (mut stage, mut cast) = stage();
    let mut twin = cast.bob.twin();
    stage.write(&mut cast.bob, 1);
    stage.write(&mut twin, 2);
    let awaited = stage.changes(&cast.carol, 2, &[]);
    let above = stage.write_on(&mut cast.bob, 3, 3, &[awaited.id()]);
    let seen = Statement::Receipt {
        cuts: vec![cast.bob.cut()],
        at: minute(3),
    };
    stage.say(&mut cast.relay, 3, &seen);
    let none = Outsiders::none();
    let mut evaluation = evaluate(&stage.log, &none, minute(4));
    let waits = Verdict::Held(Held::AncestorMissing);
    assert_eq!(evaluation.verdict(above), waits);
    stage.log.insert(&awaited, minute(4)).unwrap();
    evaluation.refresh(&stage.log, &none, minute(4));
    assert_eq!(evaluation.verdict(above), Verdict::Admitted);
    assert!(!evaluation.members().is_empty());
}

#[test]
pub(super) fn of_several_revocations_the_one_that_leaves_least_counts() {
    let (mut stage, mut cast) = stage();
    let first = stage.write(&mut cast.bob, 1);
    let short = cast.bob.cut();
    let second = stage.write(&mut cast.bob, 2);
    let long = cast.bob.cut();
    let mut laptop = cast.bob.twin();
    laptop.instance.0 += 1;
    (laptop.seq, laptop.previous) = (0, EnvelopeId::ZERO);
    let elsewhere = stage.write(&mut laptop, 2);
    let target = cast.bob.grant;
    stage.say(&mut cast.anchor, 3, &revoke(target, &[short]));
    stage.say(&mut cast.alice, 3, &revoke(target, &[long, laptop.cut()]));
    let evaluation = stage.evaluate(4);
    assert_eq!(evaluation.verdict(first), Verdict::Admitted);
    assert_eq!(evaluation.verdict(second), Verdict::Cut);
    assert_eq!(evaluation.verdict(elsewhere), Verdict::Cut);
}
