//! Ends, graces, witnesses and clocks.

use super::stage::{Actor, END, Stage, minute, stage};
use crate::admission::{Held, Refusal, Verdict};
use crate::id::EnvelopeId;
use crate::statement::{Capability, Cut, Grant, GrantFlags, Statement};

/// After the end and grace of most grants.
const LATE: i64 = END + 20;

fn close(target: EnvelopeId, cuts: &[Cut]) -> Statement {
    Statement::Close {
        target,
        cuts: cuts.to_vec(),
    }
}

#[test]
pub(super) fn a18_after_the_end_an_honest_clock_is_refused_and_a_backdated_one_waits() {
    let (mut stage, mut cast) = stage();
    let backdated = stage.write_on(&mut cast.bob, END - 1, LATE, &[]);
    let honest = stage.write_on(&mut cast.carol, END + 1, END + 1, &[]);
    let evaluation = stage.evaluate(LATE);
    assert_eq!(evaluation.verdict(backdated), Verdict::Held(Held::Expired));
    assert_eq!(
        evaluation.verdict(honest),
        Verdict::Refused(Refusal::OutsideInterval)
    );
}

#[test]
pub(super) fn a18_a_close_settles_what_came_late() {
    let (mut stage, mut cast) = stage();
    let in_time = stage.write(&mut cast.bob, 1);
    let seen = cast.bob.cut();
    let backdated = stage.write_on(&mut cast.bob, END - 1, LATE, &[]);
    stage.say(&mut cast.relay, LATE, &close(cast.bob.grant, &[seen]));
    let evaluation = stage.evaluate(LATE + 1);
    assert_eq!(evaluation.verdict(in_time), Verdict::Admitted);
    assert_eq!(evaluation.verdict(backdated), Verdict::Cut);
    stage.say(
        &mut cast.alice,
        LATE + 2,
        &close(cast.bob.grant, &[cast.bob.cut()]),
    );
    assert_eq!(
        stage.verdict(backdated, LATE + 3),
        Verdict::Admitted,
        "an administrator accepts it by a later close"
    );
}

#[test]
pub(super) fn a19_a_witness_cannot_close_early() {
    let (mut stage, mut cast) = stage();
    let written = stage.write(&mut cast.bob, 1);
    let early = stage.say(&mut cast.relay, END, &close(cast.bob.grant, &[]));
    let evaluation = stage.evaluate(END);
    assert_eq!(
        evaluation.verdict(early),
        Verdict::Refused(Refusal::TooEarly)
    );
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
}

#[test]
pub(super) fn a20_a_second_lower_close_erases_nothing() {
    let (mut stage, mut cast) = stage();
    let written = stage.write(&mut cast.bob, 1);
    stage.say(
        &mut cast.relay,
        LATE,
        &close(cast.bob.grant, &[cast.bob.cut()]),
    );
    stage.say(&mut cast.relay, LATE + 1, &close(cast.bob.grant, &[]));
    assert_eq!(stage.verdict(written, LATE + 2), Verdict::Admitted);
    let revoke = Statement::Revoke {
        target: cast.bob.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    stage.say(&mut cast.alice, LATE + 3, &revoke);
    assert_eq!(
        stage.verdict(written, LATE + 4),
        Verdict::Cut,
        "a revocation does"
    );
}

#[test]
pub(super) fn a21_without_a_witness_nothing_seen_in_time_vanishes() {
    let (mut stage, mut cast) = stage();
    let written = stage.write(&mut cast.bob, 1);
    let in_grace = stage.write_on(&mut cast.bob, END - 1, END + 14, &[]);
    let evaluation = stage.evaluate(9 * END);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    assert_eq!(evaluation.verdict(in_grace), Verdict::Admitted);
}

#[test]
pub(super) fn a_joiner_believes_the_witness_about_when_something_came() {
    let (mut stage, mut cast) = stage();
    let written = stage.write_on(&mut cast.bob, 1, 2 * END, &[]);
    let waits = Verdict::Held(Held::Expired);
    assert_eq!(stage.verdict(written, 2 * END), waits);
    let receipt = Statement::Receipt {
        cuts: vec![cast.bob.cut()],
        at: minute(2),
    };
    stage.say_late(&mut cast.relay, 2, 2 * END, &receipt);
    let evaluation = stage.evaluate(2 * END);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    let receipts = evaluation.receipts(cast.bob.chain());
    assert_eq!(receipts, [(cast.relay.keys.author(), 1, minute(2))]);
}

#[test]
pub(super) fn a50_an_expired_administrators_backdated_revocation_does_not_silence_the_witness() {
    let (mut stage, mut cast) = stage();
    let mut witness = Actor::new(70);
    stage.grant(&mut cast.carol, &mut witness, 1, |grant| {
        grant.capability = Capability::Relay;
        grant.flags = GrantFlags::WITNESS;
    });
    let mut long_lived = cast.relay.twin();
    let seen = cast.carol.cut();
    let revoke = |target| Statement::Revoke {
        target,
        cuts: Vec::new(),
        reason: 1,
    };
    let backdated = stage.say_late(&mut cast.carol, END - 1, LATE, &revoke(witness.grant));
    let cuts = [seen, witness.cut()];
    let closed = stage.say(&mut long_lived, LATE, &close(cast.carol.grant, &cuts));
    let evaluation = stage.evaluate(LATE + 1);
    assert_eq!(evaluation.verdict(backdated), Verdict::Cut);
    assert_eq!(evaluation.verdict(closed), Verdict::Admitted);
}

#[test]
pub(super) fn a50_a_witness_survives_the_one_it_closes() {
    let (mut stage, mut cast) = stage();
    let mut deep = Actor::new(71);
    stage.grant(&mut cast.carol, &mut deep, 1, |grant| {
        grant.capability = Capability::Administer;
        grant.depth_left = 4;
        grant.end = minute(END - 100);
    });
    let mut witness = Actor::new(72);
    stage.grant(&mut cast.carol, &mut witness, 1, |grant| {
        grant.flags = GrantFlags::WITNESS;
        grant.capability = Capability::Relay;
        grant.depth_left = 0;
    });
    // Deeper than the one who revokes it, so that the revocation is allowed by rank.
    let mut below = Actor::new(73);
    stage.grant(&mut deep, &mut below, 2, |grant| {
        grant.flags = GrantFlags::WITNESS;
        grant.capability = Capability::Relay;
        grant.end = minute(END - 100);
    });
    let seen = deep.cut();
    let revoke = Statement::Revoke {
        target: below.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    stage.say_late(&mut deep, END - 101, END - 50, &revoke);
    let closed = stage.say(&mut witness, END - 50, &close(deep.grant, &[seen]));
    assert_eq!(stage.verdict(closed, END - 49), Verdict::Admitted);
}

#[test]
pub(super) fn a51_a_future_dated_close_waits_for_its_time() {
    let (mut stage, mut cast) = stage();
    let written = stage.write(&mut cast.bob, 1);
    let ahead = stage.say_late(&mut cast.relay, LATE, 2, &close(cast.bob.grant, &[]));
    let evaluation = stage.evaluate(3);
    assert_eq!(evaluation.verdict(ahead), Verdict::Held(Held::Future));
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    assert_eq!(evaluation.next_change(), Some(minute(LATE - 5)));
    stage.say(
        &mut cast.alice,
        LATE,
        &close(cast.bob.grant, &[cast.bob.cut()]),
    );
    assert_eq!(
        stage.verdict(written, LATE + 1),
        Verdict::Admitted,
        "the honest close is larger"
    );
}

#[test]
pub(super) fn a_time_far_ahead_waits_and_counts_when_the_clock_gets_there() {
    use crate::admission::{Evaluation, Outsiders};
    let (mut stage, mut cast) = stage();
    let ahead = stage.write_on(&mut cast.bob, 30, 1, &[]);
    let mut evaluation = Evaluation::default();
    let none = Outsiders::none();
    evaluation.refresh(&stage.log, &none, minute(1));
    assert_eq!(evaluation.verdict(ahead), Verdict::Held(Held::Future));
    let due = evaluation.next_change().unwrap();
    let refreshed = evaluation.refresh(&stage.log, &none, due);
    assert_eq!(refreshed.admitted, [ahead]);
    assert_eq!(evaluation.next_change(), None);
}

/// Its author's documents are without it, so that what they write next would take its number.
#[test]
pub(super) fn a_chain_with_work_of_the_future_goes_on_when_its_time_has_come() {
    let (mut stage, mut cast) = stage();
    stage.write_on(&mut cast.bob, 60, 1, &[]);
    let usable = |now| {
        stage
            .evaluate(now)
            .is_chain_usable(&stage.log, cast.bob.chain())
    };
    assert!(!usable(2));
    assert!(usable(60));
}

#[test]
pub(super) fn ordinary_content_does_not_evaluate_control_again() {
    use crate::admission::{Evaluation, Outsiders};
    let (mut stage, mut cast): (Stage, _) = stage();
    let mut evaluation = Evaluation::default();
    let none = Outsiders::none();
    assert!(evaluation.refresh(&stage.log, &none, minute(1)).control);
    let written = stage.write(&mut cast.bob, 1);
    let refreshed = evaluation.refresh(&stage.log, &none, minute(1));
    assert_eq!(refreshed.admitted, [written]);
    assert!(!refreshed.control && refreshed.withdrawn.is_empty());
    let revoke = Statement::Revoke {
        target: cast.bob.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    let said = stage.say(&mut cast.alice, 2, &revoke);
    let refreshed = evaluation.refresh(&stage.log, &none, minute(2));
    assert_eq!(refreshed.withdrawn, [written]);
    assert_eq!(refreshed.admitted, [said]);
}

/// Both grants end at one time, and the witness closes the upper one: that names what is left of all below.
#[test]
pub(super) fn the_close_of_a_grant_counts_for_revocations_under_grants_below_it() {
    let (mut stage, mut cast) = stage();
    let (mut dave, mut erin, mut finn) = (Actor::new(74), Actor::new(75), Actor::new(76));
    let administers = |depth_left| {
        move |grant: &mut Grant| {
            grant.capability = Capability::Administer;
            grant.end = minute(100);
            grant.depth_left = depth_left;
        }
    };
    stage.grant(&mut cast.alice, &mut dave, 1, administers(2));
    stage.grant(&mut dave, &mut erin, 1, administers(1));
    stage.grant(&mut erin, &mut finn, 1, |grant| {
        grant.end = minute(100);
        grant.depth_left = 0;
    });
    let written = stage.write(&mut finn, 2);
    let revoke = Statement::Revoke {
        target: finn.grant,
        cuts: Vec::new(),
        reason: 0,
    };
    stage.say_late(&mut erin, 99, 130, &revoke);
    assert_eq!(
        stage.verdict(written, 130),
        Verdict::Admitted,
        "it came late"
    );
    let close = Statement::Close {
        target: dave.grant,
        cuts: vec![dave.cut(), erin.cut(), finn.cut()],
    };
    let closed = stage.say(&mut cast.relay, 131, &close);
    assert_eq!(stage.verdict(closed, 132), Verdict::Admitted);
    assert_eq!(stage.verdict(written, 132), Verdict::Cut);
}

#[test]
pub(super) fn a50_a_revocation_beyond_the_close_does_not_void_that_close() {
    let (mut stage, mut cast) = stage();
    let (mut dave, mut witness) = (Actor::new(74), Actor::new(75));
    stage.grant(&mut cast.alice, &mut dave, 1, |grant| {
        grant.capability = Capability::Administer;
        grant.end = minute(100);
    });
    stage.grant(&mut cast.carol, &mut witness, 1, |grant| {
        grant.capability = Capability::Relay;
        grant.flags = GrantFlags::WITNESS;
    });
    let seen = dave.cut();
    let revoke = |target| Statement::Revoke {
        target,
        cuts: Vec::new(),
        reason: 1,
    };
    let backdated = stage.say_late(&mut dave, 99, 110, &revoke(witness.grant));
    assert_eq!(stage.verdict(backdated, 111), Verdict::Admitted);
    let closed = stage.say(&mut witness, 115, &close(dave.grant, &[seen]));
    let evaluation = stage.evaluate(116);
    assert_eq!(evaluation.verdict(backdated), Verdict::Cut);
    assert_eq!(evaluation.verdict(closed), Verdict::Admitted);
}

#[test]
pub(super) fn a_revoked_witness_closes_nothing() {
    let (mut stage, mut cast) = stage();
    let written = stage.write(&mut cast.bob, 1);
    let revoke = Statement::Revoke {
        target: cast.relay.grant,
        cuts: vec![cast.relay.cut()],
        reason: 1,
    };
    stage.say(&mut cast.alice, 2, &revoke);
    stage.say(&mut cast.relay, LATE, &close(cast.bob.grant, &[]));
    assert_eq!(stage.verdict(written, LATE + 1), Verdict::Admitted);
}

#[test]
pub(super) fn a_contractors_grace_is_long_for_work_and_for_closes() {
    let (mut stage, mut cast) = stage();
    let mut contractor = Actor::new(71);
    stage.grant(&mut cast.alice, &mut contractor, 1, |grant| {
        grant.flags = GrantFlags::LONG_GRACE;
    });
    let two_days_late = END + 2 * 24 * 60;
    let brought_back = stage.write_on(&mut contractor, END - 1, two_days_late, &[]);
    let nobodys = stage.write_on(&mut cast.bob, END - 1, two_days_late, &[]);
    let early = stage.say(&mut cast.relay, LATE, &close(contractor.grant, &[]));
    let evaluation = stage.evaluate(two_days_late);
    assert_eq!(evaluation.verdict(brought_back), Verdict::Admitted);
    assert_eq!(evaluation.verdict(nobodys), Verdict::Held(Held::Expired));
    let too_early = Verdict::Refused(Refusal::TooEarly);
    assert_eq!(evaluation.verdict(early), too_early);
}

#[test]
pub(super) fn a51_a_close_that_came_late_closes_nothing() {
    let (mut stage, mut cast) = stage();
    let mut witness = Actor::new(72);
    stage.grant(&mut cast.alice, &mut witness, 1, |grant| {
        grant.capability = Capability::Relay;
        grant.flags = GrantFlags::WITNESS;
        grant.end = minute(LATE + 10);
    });
    let written = stage.write(&mut cast.bob, 2);
    // Dated back to when its author was a witness still.
    let backdated = close(cast.bob.grant, &[]);
    let backdated = stage.say_late(&mut witness, LATE, 2 * END, &backdated);
    let evaluation = stage.evaluate(2 * END);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    assert_eq!(evaluation.verdict(backdated), Verdict::Held(Held::Expired));
}

#[test]
pub(super) fn a50_a_revocation_that_came_late_ends_nothing_until_somebody_accepts_it() {
    let (mut stage, mut cast) = stage();
    let mut dora = Actor::new(73);
    stage.grant(&mut cast.carol, &mut dora, 1, |_grant| {});
    let written = stage.write(&mut dora, 2);
    let revoke = Statement::Revoke {
        target: dora.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    stage.say_late(&mut cast.carol, END - 1, LATE, &revoke);
    assert_eq!(stage.verdict(written, LATE), Verdict::Admitted);
    let cuts = [cast.carol.cut(), dora.cut()];
    let accepted = close(cast.carol.grant, &cuts);
    stage.say(&mut cast.alice, LATE + 1, &accepted);
    assert_eq!(stage.verdict(written, LATE + 2), Verdict::Cut);
}
