//! Who may say what: forged roots, stolen grants, escalation, invitations, emergencies.

use super::stage::{Actor, Cast, END, Stage, grant_to, minute, stage};
use crate::admission::{Held, NotInserted, Refusal, SpaceLog, Verdict};
use crate::envelope;
use crate::id::{EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::invitation::{Draft, Invitee, Terms};
use crate::statement::{Audience, Body, Capability, Grant, GrantFlags, Statement};

fn refused(why: Refusal) -> Verdict {
    Verdict::Refused(why)
}

fn grant_by(
    stage: &mut Stage,
    issuer: &mut Actor,
    audience: &mut Actor,
    change: impl FnOnce(&mut Grant),
) -> Verdict {
    let id = stage.grant(issuer, audience, 10, change);
    stage.verdict(id, 10)
}

#[test]
pub(super) fn everyone_in_the_cast_may_do_what_they_were_granted() {
    let (mut stage, mut cast) = stage();
    let written = stage.write(&mut cast.bob, 1);
    let evaluation = stage.evaluate(2);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    let may = |actor: &Actor| evaluation.capability(actor.keys.author(), minute(2));
    assert_eq!(may(&cast.bob), Some(Capability::Write));
    assert_eq!(may(&cast.relay), Some(Capability::Relay));
    assert_eq!(may(&Actor::new(66)), None);
    assert_eq!(evaluation.members().len(), 6);
    assert_eq!(
        evaluation.best_grant(cast.carol.keys.author(), minute(2)),
        Some(cast.carol.grant)
    );
    assert_eq!(
        evaluation.capability(cast.bob.keys.author(), minute(END + 1)),
        None,
        "a grant ends by itself"
    );
}

#[test]
pub(super) fn a04_an_envelope_of_another_space_is_not_stored() {
    let (mut stage, cast) = stage();
    let envelope = stage.changes(&cast.bob, 1, &[]);
    let mut elsewhere = SpaceLog::new(SpaceId::from_bytes([3; 32]));
    let inserted = elsewhere.insert(&envelope, minute(1));
    assert_eq!(inserted, Err(NotInserted::WrongSpace));
}

#[test]
pub(super) fn a06_a_self_made_root_grant_is_refused() {
    let (mut stage, _cast) = stage();
    let mut mallory = Actor::new(66);
    let grant = grant_to(&mallory, Capability::Administer);
    let position = mallory.position(stage.space, 1);
    let envelope = envelope::control(&mallory.keys, position, &Statement::Grant(grant)).unwrap();
    mallory.said(&envelope);
    stage.deliver(&envelope, minute(1));
    mallory.grant = envelope.id();
    let written = stage.write(&mut mallory, 2);
    let evaluation = stage.evaluate(3);
    assert_eq!(
        evaluation.verdict(envelope.id()),
        refused(Refusal::FalseRoot)
    );
    assert_eq!(evaluation.verdict(written), refused(Refusal::FalseRoot));
    assert_eq!(
        evaluation.capability(mallory.keys.author(), minute(3)),
        None
    );
}

#[test]
pub(super) fn a07_a_grant_under_someone_elses_is_refused() {
    let (mut stage, mut cast) = stage();
    let mut mallory = Actor::new(66);
    mallory.grant = cast.alice.grant;
    let verdict = grant_by(&mut stage, &mut mallory, &mut cast.rita, |_grant| {});
    assert_eq!(verdict, refused(Refusal::SomeoneElses));
}

#[test]
pub(super) fn a08_a_grant_gives_nothing_that_its_parent_does_not_have() {
    let escalations: [fn(&mut Grant); 6] = [
        |grant| grant.capability = Capability::Administer,
        |grant| grant.end = minute(END + 1),
        |grant| grant.not_before = minute(-1),
        |grant| grant.depth_left = 2,
        |grant| grant.flags = GrantFlags::WITNESS,
        |grant| grant.principal = PrincipalId::from_bytes([77; 16]),
    ];
    for (which, escalate) in escalations.into_iter().enumerate() {
        let (mut stage, mut cast) = stage();
        let mut delegate = Actor::new(10);
        stage.grant(&mut cast.alice, &mut delegate, 1, |grant| {
            grant.depth_left = 2;
        });
        let principal = PrincipalId::from_bytes([10; 16]);
        let verdict = grant_by(&mut stage, &mut delegate, &mut cast.rita, |grant| {
            grant.principal = principal;
            grant.depth_left = 1;
            escalate(grant);
        });
        assert_eq!(verdict, refused(Refusal::Escalation), "escalation {which}");
    }
}

#[test]
pub(super) fn a08_depth_runs_out() {
    let (mut stage, mut cast) = stage();
    let verdict = grant_by(&mut stage, &mut cast.bob, &mut cast.rita, |grant| {
        grant.principal = PrincipalId::from_bytes([4; 16]);
    });
    assert_eq!(verdict, refused(Refusal::Escalation));
}

#[test]
pub(super) fn a09_an_outsider_with_a_stolen_grant_id_is_refused() {
    let (mut stage, cast) = stage();
    let mut mallory = Actor::new(66);
    mallory.grant = cast.bob.grant;
    let written = stage.write(&mut mallory, 1);
    assert_eq!(stage.verdict(written, 1), refused(Refusal::SomeoneElses));
}

#[test]
pub(super) fn a10_readers_and_relays_do_not_write() {
    let (mut stage, mut cast) = stage();
    let by_reader = stage.write(&mut cast.rita, 1);
    let by_relay = stage.write(&mut cast.relay, 1);
    let evaluation = stage.evaluate(1);
    assert_eq!(evaluation.verdict(by_reader), refused(Refusal::Capability));
    assert_eq!(evaluation.verdict(by_relay), refused(Refusal::Capability));
}

/// A body by an actor, heard at once.
fn says(stage: &mut Stage, actor: &mut Actor, at: i64, body: &Body) -> EnvelopeId {
    let envelope = stage.sealed(actor, actor.position(stage.space, at), body);
    actor.said(&envelope);
    stage.deliver(&envelope, minute(at));
    envelope.id()
}

#[test]
pub(super) fn a10_who_may_comment_adds_entries_and_changes_nothing() {
    let (mut stage, mut cast) = stage();
    let mut guest = Actor::new(60);
    stage.grant(&mut cast.alice, &mut guest, 1, |grant| {
        grant.capability = Capability::Comment;
    });
    let entries = Body::Entries(vec![serde_bytes::ByteBuf::from(*b"x")]);
    let entry = says(&mut stage, &mut guest, 2, &entries);
    let merge = says(&mut stage, &mut guest, 3, &Body::Merge);
    let by_reader = says(&mut stage, &mut cast.rita, 2, &entries);
    let changes = stage.write(&mut guest, 4);
    let evaluation = stage.evaluate(5);
    for counts in [entry, merge] {
        assert_eq!(evaluation.verdict(counts), Verdict::Admitted);
    }
    for refused_ in [changes, by_reader] {
        assert_eq!(evaluation.verdict(refused_), refused(Refusal::Capability));
    }
}

#[test]
pub(super) fn writers_do_not_configure_agents_or_name_relays() {
    let (mut stage, mut cast) = stage();
    let config = Body::AgentConfig(serde_bytes::ByteBuf::new());
    let position = cast.bob.position(stage.space, 1);
    let envelope = stage.sealed(&cast.bob, position, &config);
    cast.bob.said(&envelope);
    stage.deliver(&envelope, minute(1));
    let relays = stage.say(&mut cast.bob, 1, &Statement::Relays(Vec::new()));
    let evaluation = stage.evaluate(1);
    assert_eq!(
        evaluation.verdict(envelope.id()),
        refused(Refusal::Capability)
    );
    assert_eq!(evaluation.verdict(relays), refused(Refusal::Capability));
}

#[test]
pub(super) fn what_rests_on_refused_content_never_counts_and_is_never_named() {
    let (mut stage, mut cast) = stage();
    let bad = stage.write(&mut cast.rita, 1);
    let on_it = stage.write_on(&mut cast.bob, 2, 2, &[bad]);
    let evaluation = stage.evaluate(3);
    assert_eq!(evaluation.verdict(on_it), refused(Refusal::Ancestor));
    let frontier = evaluation.frontier(cast.carol.chain());
    assert!(!frontier.contains(&bad) && !frontier.contains(&on_it));
    assert!(!evaluation.is_chain_usable(&stage.log, cast.bob.chain()));
    assert!(evaluation.is_chain_usable(&stage.log, cast.carol.chain()));
}

#[test]
pub(super) fn content_waits_for_what_it_builds_on() {
    let (mut stage, mut cast) = stage();
    let below = stage.changes(&cast.carol, 1, &[]);
    let above = stage.write_on(&mut cast.bob, 2, 2, &[below.id()]);
    let waits = Verdict::Held(Held::AncestorMissing);
    assert_eq!(stage.verdict(above, 2), waits);
    cast.carol.said(&below);
    stage.deliver(&below, minute(3));
    assert_eq!(stage.verdict(above, 3), Verdict::Admitted);
}

fn invite(stage: &mut Stage, cast: &mut Cast, redemptions: u16) -> crate::invitation::Invitation {
    let terms = Terms {
        invitee: Invitee::Person,
        parent: cast.alice.grant,
        principal: PrincipalId::from_bytes([88; 16]),
        capability: Capability::Write,
        not_before: minute(1),
        end: minute(60),
        redeem_until: minute(60),
        redemptions,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut stage.entropy);
    let grant = stage.say(&mut cast.alice, 1, &draft.statement());
    draft.issued(stage.space, grant, Vec::new())
}

#[test]
pub(super) fn a26_an_invitation_is_redeemed_offline_cannot_outlive_itself_and_is_voided_from_zero()
{
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, 1);
    let mut guest = Actor::new(20);
    let redeemed = invitation
        .redeem(&guest.keys, Instance(5), minute(2))
        .unwrap();
    guest.grant = redeemed.id();
    stage.deliver(&redeemed, minute(3));
    let written = stage.write(&mut guest, 4);
    let evaluation = stage.evaluate(4);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    let member = evaluation
        .grants_of(guest.keys.author(), minute(4))
        .next()
        .unwrap();
    assert_eq!(member.guest_of, Some(invitation.grant));
    assert_eq!(evaluation.capability(guest.keys.author(), minute(61)), None);

    let mut longer = invitation.clone();
    longer.end = minute(61);
    let overstays = longer.redeem(&guest.keys, Instance(6), minute(2)).unwrap();
    stage.deliver(&overstays, minute(3));
    assert_eq!(
        stage.verdict(overstays.id(), 4),
        refused(Refusal::Escalation)
    );

    let target = invitation.grant;
    let void = Statement::Revoke {
        target,
        cuts: Vec::new(),
        reason: 0,
    };
    stage.say(&mut cast.alice, 5, &void);
    let evaluation = stage.evaluate(6);
    assert_eq!(evaluation.verdict(written), Verdict::Cut);
    assert_eq!(evaluation.capability(guest.keys.author(), minute(6)), None);
}

#[test]
pub(super) fn a36_a_second_redemption_waits_whichever_a_witness_saw_first_counts() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, 1);
    let redeem = |stage: &mut Stage, seed: u8, at: i64| {
        let guest = Actor::new(seed);
        let instance = Instance(u64::from(seed));
        let envelope = invitation
            .redeem(&guest.keys, instance, minute(at))
            .unwrap();
        stage.deliver(&envelope, minute(at));
        let header = envelope.header();
        let cut = crate::statement::Cut {
            chain: header.chain,
            seq: 1,
            id: envelope.id(),
        };
        (envelope.id(), cut)
    };
    let (first, first_seen) = redeem(&mut stage, 20, 10);
    let (backdated, _unseen) = redeem(&mut stage, 21, 5);
    let receipt = Statement::Receipt {
        cuts: vec![first_seen],
        at: minute(11),
    };
    stage.say(&mut cast.relay, 11, &receipt);
    let evaluation = stage.evaluate(12);
    assert_eq!(evaluation.verdict(first), Verdict::Admitted);
    assert_eq!(evaluation.verdict(backdated), Verdict::Held(Held::Redeemed));
}

#[test]
pub(super) fn an_invitations_key_redeems_and_says_nothing_else() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, 1);
    let mut thief = Actor::new(30);
    thief.keys = invitation.keys();
    thief.grant = invitation.grant;
    let written = stage.write(&mut thief, 2);
    assert_eq!(stage.verdict(written, 2), refused(Refusal::Capability));
}

#[test]
pub(super) fn a52_no_second_principal_is_invented_under_an_invitation() {
    let (mut stage, mut cast) = stage();
    let invitation = invite(&mut stage, &mut cast, 2);
    let mut key = Actor::new(30);
    key.keys = invitation.keys();
    key.grant = invitation.grant;
    let mut guest = Actor::new(31);
    let verdict = grant_by(&mut stage, &mut key, &mut guest, |grant| {
        grant.end = minute(60);
    });
    assert_eq!(
        verdict,
        refused(Refusal::Escalation),
        "it names a principal"
    );
    let guests: Vec<_> = [32, 33]
        .map(|seed| {
            let guest = Actor::new(seed);
            let instance = Instance(u64::from(seed));
            let envelope = invitation.redeem(&guest.keys, instance, minute(2)).unwrap();
            stage.deliver(&envelope, minute(2));
            guest.keys.author()
        })
        .to_vec();
    let evaluation = stage.evaluate(3);
    let principals: std::collections::BTreeSet<_> = guests
        .iter()
        .flat_map(|author| evaluation.grants_of(*author, minute(3)))
        .map(|member| (member.principal, member.guest_of))
        .collect();
    assert_eq!(
        principals.len(),
        1,
        "all guests of one invitation are one principal"
    );
}

#[test]
pub(super) fn a43_an_emergency_grant_counts_only_after_its_reason_and_for_a_day() {
    let (mut stage, mut cast) = stage();
    let mut silent = Actor::new(40);
    let mut open = Actor::new(41);
    for actor in [&mut silent, &mut open] {
        stage.grant(&mut cast.anchor, actor, 1, |grant| {
            grant.flags = GrantFlags::BREAK_GLASS;
            grant.end = minute(5 * END);
            grant.depth_left = 1;
        });
    }
    let without = stage.write(&mut silent, 2);
    let reason = Statement::BreakGlass {
        reason: "storage is burning".to_owned(),
    };
    stage.say(&mut open, 2, &reason);
    let with = stage.write(&mut open, 3);
    let mut guest = |stage: &mut Stage, seed, end| {
        let mut guest = Actor::new(seed);
        stage.grant(&mut open, &mut guest, 4, |grant| {
            grant.end = minute(end);
            // Not one of another person: that is an escalation of its own.
            grant.principal = PrincipalId::from_bytes([41; 16]);
        });
        stage.write(&mut guest, 5)
    };
    let within = guest(&mut stage, 42, 2 + 24 * 60);
    let beyond = guest(&mut stage, 43, 3 + 24 * 60);
    let next_day = stage.write(&mut open, 3 + 24 * 60);
    let evaluation = stage.evaluate(3 + 24 * 60);
    assert_eq!(evaluation.verdict(without), refused(Refusal::NoReason));
    assert_eq!(evaluation.verdict(with), Verdict::Admitted);
    assert_eq!(evaluation.verdict(within), Verdict::Admitted);
    assert_eq!(evaluation.verdict(beyond), refused(Refusal::Escalation));
    assert_eq!(evaluation.verdict(next_day), refused(Refusal::NoReason));
}

/// Somebody with an emergency grant below the kit, until `end`.
fn sealed(stage: &mut Stage, anchor: &mut Actor, seed: u8) -> Actor {
    let mut sealed = Actor::new(seed);
    stage.grant(anchor, &mut sealed, 1, |grant| {
        grant.flags = GrantFlags::BREAK_GLASS;
        grant.end = minute(5 * END);
        grant.depth_left = 1;
    });
    sealed
}

fn why(text: &str) -> Statement {
    Statement::BreakGlass {
        reason: text.to_owned(),
    }
}

#[test]
pub(super) fn a43_an_emergency_is_not_dated_back_to_a_night_that_nobody_remembers() {
    const DAY: i64 = 24 * 60;
    let (mut stage, mut cast) = stage();
    let mut sealed = sealed(&mut stage, &mut cast.anchor, 40);
    let mut honest = sealed.twin();
    honest.instance = Instance(77);
    let reason = stage.say_late(&mut honest, 2, DAY + 10, &why("offline for a day"));
    let in_time = stage.write_on(&mut honest, 3, DAY + 10, &[]);
    let heard = 3 * DAY;
    let forged = stage.say_late(&mut sealed, 2, heard, &why("a false date"));
    let written = stage.write_on(&mut sealed, 3, heard, &[]);
    let more = stage.write_on(&mut honest, 4, heard, &[]);
    let mut guest = Actor::new(41);
    let mut below = grant_to(&guest, Capability::Write);
    below.parent = Some(sealed.grant);
    below.principal = PrincipalId::from_bytes([40; 16]);
    below.end = minute(2 + DAY);
    guest.grant = stage.say_late(&mut sealed, 4, heard, &Statement::Grant(below));
    let let_in = stage.write_on(&mut guest, 5, heard, &[]);
    let evaluation = stage.evaluate(heard);
    for counts in [reason, in_time] {
        assert_eq!(evaluation.verdict(counts), Verdict::Admitted);
    }
    for waits in [forged, written, more, let_in] {
        assert_eq!(evaluation.verdict(waits), Verdict::Held(Held::Expired));
    }
    // Whoever may end the grant says what of it counts.
    let revoke = Statement::Revoke {
        target: sealed.grant,
        cuts: vec![honest.cut()],
        reason: 0,
    };
    stage.say(&mut cast.anchor, heard, &revoke);
    let evaluation = stage.evaluate(heard);
    assert_eq!(evaluation.verdict(more), Verdict::Admitted);
    assert_eq!(evaluation.verdict(written), Verdict::Cut);
    assert_eq!(evaluation.verdict(let_in), Verdict::Cut);
}

#[test]
pub(super) fn an_emergency_lasts_as_long_as_what_it_opened_and_a_day_at_most() {
    let (mut stage, mut cast) = stage();
    let mut open = sealed(&mut stage, &mut cast.anchor, 40);
    let seen = |stage: &Stage, at| stage.evaluate(at).emergencies(&stage.log, minute(at));
    assert!(seen(&stage, 1).is_empty(), "it is sealed");
    let reason = stage.say(&mut open, 2, &why("storage is burning"));
    stage.say(&mut open, 2, &why("and the office too"));
    let uses = seen(&stage, 3);
    let [one] = uses.as_slice() else {
        panic!("{uses:?}")
    };
    assert_eq!((one.statement, one.grant), (reason, open.grant));
    assert_eq!(one.reason, "storage is burning");
    assert_eq!((one.since, one.until), (minute(2), minute(2 + 24 * 60)));
    let mut guest = Actor::new(41);
    stage.grant(&mut open, &mut guest, 4, |grant| {
        grant.end = minute(10);
        grant.principal = PrincipalId::from_bytes([40; 16]);
    });
    let uses = seen(&stage, 5);
    assert_eq!(uses[0].until, minute(10));
    assert_eq!(uses[0].opened_to, [guest.keys.author()]);
    assert!(seen(&stage, 11).is_empty(), "everyone's time is over");
    // Its own key writes: that is for a day.
    stage.write(&mut open, 12);
    assert_eq!(seen(&stage, 13)[0].until, minute(2 + 24 * 60));
    let revoke = Statement::Revoke {
        target: open.grant,
        cuts: vec![open.cut(), guest.cut()],
        reason: 0,
    };
    stage.say(&mut cast.anchor, 14, &revoke);
    assert!(seen(&stage, 15).is_empty(), "it was ended");
    // A reason under an ordinary grant opens nothing.
    stage.say(&mut cast.alice, 16, &why("nothing"));
    assert!(seen(&stage, 17).is_empty());
}

#[test]
pub(super) fn readers_of_another_space_may_read_while_they_read_there_and_write_nothing() {
    use crate::admission::{OutsideSpace, Outsiders, evaluate};
    let (mut stage, mut cast) = stage();
    let system = SpaceId::from_bytes([50; 32]);
    let mut nobody = Actor::new(51);
    stage.grant(&mut cast.alice, &mut nobody, 1, |grant| {
        grant.audience = Audience::ReadersOf(system);
        grant.capability = Capability::Read;
    });
    let reader = Actor::new(52);
    let mut outsiders = Outsiders::none();
    let mut outside = OutsideSpace::default();
    outside.readers.insert(reader.keys.author(), minute(30));
    outsiders.0.insert(system, outside);
    let evaluation = evaluate(&stage.log, &outsiders, minute(2));
    let may = |at| evaluation.capability(reader.keys.author(), minute(at));
    assert_eq!(may(2), Some(Capability::Read));
    assert_eq!(may(31), None);
    assert_eq!(evaluation.audiences().len(), 1);
    let mut writer = Actor::new(52);
    writer.grant = nobody.grant;
    let written = stage.write(&mut writer, 3);
    assert_eq!(stage.verdict(written, 3), refused(Refusal::SomeoneElses));
}

#[test]
pub(super) fn only_the_genesis_needs_no_grant() {
    let (mut stage, cast) = stage();
    let genesis = stage.all[0].0.header().clone();
    assert_eq!(genesis.authority, EnvelopeId::ZERO);
    let mut unauthorised = cast.bob.twin();
    unauthorised.grant = EnvelopeId::ZERO;
    let written = stage.write(&mut unauthorised, 1);
    assert_eq!(stage.verdict(written, 1), refused(Refusal::NoAuthority));
}
