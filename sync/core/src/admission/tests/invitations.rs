//! Access outlives the code that gave it, and the code is worthless afterwards.

use super::stage::{Actor, Cast, Stage, minute, stage};
use crate::admission::{Held, Refusal, Verdict};
use crate::envelope::Envelope;
use crate::id::{Instance, PrincipalId};
use crate::invitation::{Draft, Invitation, Invitee, Terms};
use crate::statement::{Capability, Cut, Grant, Statement};

/// The code's end and the access's, in minutes.
const REDEEM_UNTIL: i64 = 60;
const ACCESS_END: i64 = 900;

fn invite(stage: &mut Stage, cast: &mut Cast, redeem_until: i64, end: i64) -> Invitation {
    invite_several(stage, cast, (redeem_until, end), 2)
}

fn invite_several(
    stage: &mut Stage,
    cast: &mut Cast,
    ends: (i64, i64),
    redemptions: u16,
) -> Invitation {
    issue(stage, cast, ends, (redemptions, false))
}

fn issue(
    stage: &mut Stage,
    cast: &mut Cast,
    (redeem_until, end): (i64, i64),
    (redemptions, long_grace): (u16, bool),
) -> Invitation {
    let terms = Terms {
        invitee: Invitee::Person,
        parent: cast.alice.grant,
        principal: PrincipalId::from_bytes([88; 16]),
        capability: Capability::Write,
        not_before: minute(1),
        end: minute(end),
        redeem_until: minute(redeem_until),
        redemptions,
        long_grace,
    };
    let draft = Draft::new(&terms, &mut stage.entropy);
    let grant = stage.say(&mut cast.alice, 1, &draft.statement());
    draft.issued(stage.space, grant, Vec::new())
}

fn redeem(invitation: &Invitation, guest: &mut Actor, at: i64) -> Envelope {
    let instance = Instance(u64::from(guest.keys.expose_seed()[0]));
    let envelope = invitation
        .redeem(&guest.keys, instance, minute(at))
        .unwrap();
    guest.grant = envelope.id();
    envelope
}

#[test]
pub(super) fn a_guest_stays_after_the_code_has_ended_and_not_after_the_access_has() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    let mut agent = Actor::new(60);
    let redeemed = redeem(&invitation, &mut agent, 2);
    stage.deliver(&redeemed, minute(3));
    let late = stage.write(&mut agent, ACCESS_END - 1);
    let too_late = stage.write(&mut agent, ACCESS_END + 1);
    let evaluation = stage.evaluate(ACCESS_END + 1);
    assert_eq!(evaluation.verdict(late), Verdict::Admitted);
    let outside = Verdict::Refused(Refusal::OutsideInterval);
    assert_eq!(evaluation.verdict(too_late), outside);
    let agent = agent.keys.author();
    let may = |at| evaluation.capability(agent, minute(at));
    assert_eq!(may(ACCESS_END), Some(Capability::Write));
    assert_eq!(may(ACCESS_END + 1), None);
    let code = invitation.keys().author();
    assert_eq!(
        evaluation.capability(code, minute(REDEEM_UNTIL)),
        Some(Capability::Read)
    );
    assert_eq!(
        evaluation.capability(code, minute(REDEEM_UNTIL + 1)),
        None,
        "whoever finds the code later reads nothing"
    );
}

#[test]
pub(super) fn a26_a_code_redeemed_late_lets_nobody_in_whatever_its_finders_clock_says() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    let mut honest = Actor::new(61);
    let after = redeem(&invitation, &mut honest, REDEEM_UNTIL + 1);
    stage.deliver(&after, minute(REDEEM_UNTIL + 1));
    let outside = Verdict::Refused(Refusal::OutsideInterval);
    assert_eq!(stage.verdict(after.id(), REDEEM_UNTIL + 2), outside);

    let mut finder = Actor::new(62);
    let backdated = redeem(&invitation, &mut finder, 5);
    stage.deliver(&backdated, minute(REDEEM_UNTIL + 30));
    let forged = stage.write(&mut finder, 6);
    let evaluation = stage.evaluate(REDEEM_UNTIL + 30);
    let held = Verdict::Held(Held::RedeemedLate);
    assert_eq!(evaluation.verdict(backdated.id()), held);
    assert_eq!(evaluation.verdict(forged), held);
    let finder = finder.keys.author();
    assert_eq!(
        evaluation.capability(finder, minute(REDEEM_UNTIL + 30)),
        None
    );
}

/// For somebody without a network: that they came has three days to arrive, as what they wrote has.
#[test]
pub(super) fn the_use_of_a_code_that_lasts_as_long_as_its_access_may_come_as_late_as_its_guests_work()
 {
    let hours_after = |hours: i64| ACCESS_END + hours * 60;
    for (redeem_until, long_grace, known, expected) in [
        (ACCESS_END, true, hours_after(71), Verdict::Admitted),
        (
            ACCESS_END,
            true,
            hours_after(73),
            Verdict::Held(Held::Expired),
        ),
        (
            ACCESS_END,
            false,
            hours_after(1),
            Verdict::Held(Held::Expired),
        ),
        // Whoever finds a code that has ended would be let in for as long as its access lasts.
        (
            REDEEM_UNTIL,
            true,
            REDEEM_UNTIL + 30,
            Verdict::Held(Held::RedeemedLate),
        ),
    ] {
        let (mut stage, mut cast) = stage();
        let ends = (redeem_until, ACCESS_END);
        let invitation = issue(&mut stage, &mut cast, ends, (1, long_grace));
        let mut guest = Actor::new(64);
        let redeemed = redeem(&invitation, &mut guest, 5);
        stage.deliver(&redeemed, minute(known));
        let written = stage.write_on(&mut guest, 6, known, &[]);
        let evaluation = stage.evaluate(known);
        assert_eq!(
            evaluation.verdict(redeemed.id()),
            expected,
            "after {known} minutes"
        );
        assert_eq!(
            evaluation.verdict(written),
            expected,
            "after {known} minutes"
        );
    }
}

/// Others may not know that the code was used in time, and would hold all that is written under it.
#[test]
fn a_guest_who_was_let_in_directly_too_writes_under_that_grant_until_it_has_ended() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    let mut guest = Actor::new(64);
    let redeemed = redeem(&invitation, &mut guest, 2);
    stage.deliver(&redeemed, minute(2));
    let best = |stage: &Stage, guest: &Actor, at| {
        let evaluation = stage.evaluate(at);
        evaluation.best_grant(guest.keys.author(), minute(at))
    };
    assert_eq!(best(&stage, &guest, 3), Some(redeemed.id()));
    let ends_sooner = |grant: &mut Grant| grant.end = minute(ACCESS_END - 100);
    let direct = stage.grant(&mut cast.alice, &mut guest, 3, ends_sooner);
    assert_eq!(best(&stage, &guest, 4), Some(direct));
    assert_eq!(
        best(&stage, &guest, ACCESS_END - 99),
        Some(redeemed.id()),
        "what is left"
    );
}

#[test]
pub(super) fn a_joiner_believes_the_witness_that_a_code_was_redeemed_in_time() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    let mut guest = Actor::new(63);
    let redeemed = redeem(&invitation, &mut guest, 5);
    // This store had it much later than the relay.
    stage.deliver(&redeemed, minute(500));
    let held = Verdict::Held(Held::RedeemedLate);
    assert_eq!(stage.verdict(redeemed.id(), 501), held);
    let header = redeemed.header();
    let cut = Cut {
        chain: header.chain,
        seq: 1,
        id: redeemed.id(),
    };
    let receipt = Statement::Receipt {
        cuts: vec![cut],
        at: minute(6),
    };
    stage.say_late(&mut cast.relay, 6, 501, &receipt);
    assert_eq!(stage.verdict(redeemed.id(), 502), Verdict::Admitted);
}

#[test]
pub(super) fn a_code_that_let_in_all_that_it_may_reads_nothing_more() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    let code = invitation.keys().author();
    for (seed, left) in [(65, Some(Capability::Read)), (66, None)] {
        let mut guest = Actor::new(seed);
        let redeemed = redeem(&invitation, &mut guest, 2);
        stage.deliver(&redeemed, minute(3));
        let evaluation = stage.evaluate(4);
        assert_eq!(evaluation.capability(code, minute(4)), left);
        let guest = evaluation.capability(guest.keys.author(), minute(4));
        assert_eq!(guest, Some(Capability::Write));
    }
}

#[test]
pub(super) fn who_was_sent_away_does_not_come_back_by_the_same_code() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    for seed in [67, 68] {
        let mut guest = Actor::new(seed);
        let redeemed = redeem(&invitation, &mut guest, 2);
        stage.deliver(&redeemed, minute(3));
        let revoke = Statement::Revoke {
            target: redeemed.id(),
            cuts: Vec::new(),
            reason: 0,
        };
        stage.say(&mut cast.alice, 4, &revoke);
    }
    let mut again = Actor::new(69);
    let redeemed = redeem(&invitation, &mut again, 5);
    stage.deliver(&redeemed, minute(5));
    let held = Verdict::Held(Held::Redeemed);
    assert_eq!(stage.verdict(redeemed.id(), 6), held);
}

/// They keep the code's key: it opens nothing that is sealed from then on. Others who came by it stay, also
/// when a witness hears of them later than of the revocation.
#[test]
pub(super) fn a24_when_a_guest_is_sent_away_their_code_opens_nothing_and_they_do_not_come_back() {
    let (mut stage, mut cast) = stage();
    let times = (REDEEM_UNTIL, ACCESS_END);
    let invitation = invite_several(&mut stage, &mut cast, times, 9);
    let mut guest = Actor::new(67);
    let first = redeem(&invitation, &mut guest, 2);
    stage.deliver(&first, minute(2));
    let written = stage.write(&mut guest, 3);
    let mut other = Actor::new(68);
    let stays = redeem(&invitation, &mut other, 3);
    stage.deliver(&stays, minute(3));
    let code = invitation.keys().author();
    let reads = stage.evaluate(4).capability(code, minute(4));
    assert_eq!(reads, Some(Capability::Read));
    let revoke = Statement::Revoke {
        target: first.id(),
        cuts: vec![guest.cut()],
        reason: 0,
    };
    stage.say(&mut cast.alice, 4, &revoke);
    // Whoever still has the code can take another instance of its key, and date back.
    let comes_back = |stage: &mut Stage, cast: &mut Cast, (seed, instance), at: i64| {
        let device = Actor::new(seed);
        let back = invitation
            .redeem(&device.keys, Instance(instance), minute(at))
            .unwrap();
        stage.deliver(&back, minute(6));
        let receipt = Statement::Receipt {
            cuts: vec![Cut {
                chain: back.header().chain,
                seq: 1,
                id: back.id(),
            }],
            at: minute(6),
        };
        stage.say(&mut cast.relay, 6, &receipt);
        back.id()
    };
    let same_device = comes_back(&mut stage, &mut cast, (67, 167), 5);
    let backdated = comes_back(&mut stage, &mut cast, (67, 168), 3);
    let known_late = comes_back(&mut stage, &mut cast, (69, 169), 3);
    let evaluation = stage.evaluate(8);
    for back in [same_device, backdated] {
        let held = Verdict::Held(Held::Redeemed);
        assert_eq!(evaluation.verdict(back), held);
    }
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    assert_eq!(evaluation.verdict(known_late), Verdict::Admitted);
    let may = |author| evaluation.capability(author, minute(8));
    assert_eq!(may(guest.keys.author()), None);
    assert_eq!(may(code), None, "what follows is not sealed to it");
    assert_eq!(may(other.keys.author()), Some(Capability::Write));
}

/// The guest's grant ends with the invitation, so that the witness closes that one alone.
#[test]
pub(super) fn the_close_of_an_invitation_counts_for_the_work_of_its_guests() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    let mut guest = Actor::new(70);
    let redeemed = redeem(&invitation, &mut guest, 2);
    stage.deliver(&redeemed, minute(2));
    let late = ACCESS_END + 100;
    let written = stage.write_on(&mut guest, ACCESS_END - 1, late, &[]);
    assert_eq!(stage.verdict(written, late), Verdict::Held(Held::Expired));
    let cut = |chain, seq, id| Cut { chain, seq, id };
    let cuts = vec![guest.cut(), cut(redeemed.header().chain, 1, redeemed.id())];
    let target = invitation.grant;
    stage.say(
        &mut cast.relay,
        late + 1,
        &Statement::Close { target, cuts },
    );
    assert_eq!(stage.verdict(written, late + 2), Verdict::Admitted);
    let beyond = stage.write_on(&mut guest, ACCESS_END - 1, late + 2, &[]);
    assert_eq!(stage.verdict(beyond, late + 2), Verdict::Cut);
}

/// The witness who saw the guest come is gone before it said so; whoever ends the code names the guest.
#[test]
pub(super) fn the_end_of_an_invitation_says_who_came_by_it_in_time() {
    for revoked in [false, true] {
        let (mut stage, mut cast) = stage();
        let invitation = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
        let mut guest = Actor::new(72);
        let redeemed = redeem(&invitation, &mut guest, 5);
        let (known_late, why) = if revoked {
            (REDEEM_UNTIL + 100, Held::RedeemedLate)
        } else {
            (ACCESS_END + 100, Held::Expired)
        };
        stage.deliver(&redeemed, minute(known_late));
        let mut finder = Actor::new(73);
        let backdated = redeem(&invitation, &mut finder, 6);
        stage.deliver(&backdated, minute(known_late));
        let held = Verdict::Held(why);
        assert_eq!(stage.verdict(redeemed.id(), known_late), held);
        let cuts = vec![Cut {
            chain: redeemed.header().chain,
            seq: 1,
            id: redeemed.id(),
        }];
        let target = invitation.grant;
        let end = if revoked {
            let reason = 0;
            Statement::Revoke {
                target,
                cuts,
                reason,
            }
        } else {
            Statement::Close { target, cuts }
        };
        stage.say(&mut cast.alice, known_late, &end);
        assert_eq!(
            stage.verdict(redeemed.id(), known_late + 1),
            Verdict::Admitted
        );
        let finder = stage.verdict(backdated.id(), known_late + 1);
        assert_eq!(finder, Verdict::Cut, "revoked: {revoked}");
    }
}

#[test]
pub(super) fn a_code_cannot_be_redeemed_after_the_access_it_gives() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, 61, 60);
    let refused = stage.verdict(invitation.grant, 2);
    assert!(matches!(refused, Verdict::Refused(Refusal::Statement(_))));
    let mut stretched = invite(&mut stage, &mut cast, REDEEM_UNTIL, ACCESS_END);
    stretched.end = minute(ACCESS_END + 1);
    let mut guest = Actor::new(64);
    let redeemed = redeem(&stretched, &mut guest, 2);
    stage.deliver(&redeemed, minute(2));
    assert_eq!(
        stage.verdict(redeemed.id(), 3),
        Verdict::Refused(Refusal::Escalation)
    );
}
