//! What a relay takes, and how it says *later*.

use std::time::Duration;

use super::carry::{bring, file, take};
use super::stage::Stage;
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::id::PrincipalId;
use crate::invitation::{Draft, Invitation, Invitee, Terms};
use crate::statement::Capability;

fn limited(quotas: Quotas) -> (Stage, SpaceId) {
    let (mut stage, space) = Stage::gathered(1, 1);
    stage.peers[1].engine.role = Role::Relay(quotas);
    (stage, space)
}

fn refusals(stage: &Stage) -> Vec<Refusal> {
    let frames = stage.peers[1].frames().into_iter();
    let refused = frames.filter_map(|frame| match frame {
        Frame::Acknowledge(answer) => Some(answer.refused),
        _ => None,
    });
    refused.flatten().map(|(_id, why)| why).collect()
}

/// What the relay told its operator.
fn told(stage: &Stage) -> Vec<QuotaName> {
    let events = stage.peers[1].events.iter();
    let over = events.filter_map(|event| match event {
        Event::OverQuota {
            quota,
            would_be,
            most,
            ..
        } => {
            assert!(would_be > most, "{event:?}");
            Some(*quota)
        }
        _ => None,
    });
    over.collect()
}

#[test]
fn an_author_beyond_its_pace_is_told_later_and_everything_arrives() {
    let (mut stage, space) = limited(Quotas {
        envelopes_per_second_max: 2,
        envelopes_burst_max: 20,
        ..Quotas::default()
    });
    let before = stage.len(1, space);
    for _ in 0..300 {
        stage.change(0, space, &[7; 16 << 10]);
    }
    assert_eq!(stage.len(1, space), before + 20);
    assert_eq!(stage.peers[0].engine.over_quota_at(space).len(), 1);
    assert_eq!(told(&stage), [QuotaName::EnvelopesPerSecond]);
    assert!(refusals(&stage).contains(&Refusal::Quota));
    assert!(!refusals(&stage).contains(&Refusal::Form));
    stage.peers[0].sent.clear();
    stage.wait(Duration::from_secs(20));
    assert!(stage.len(1, space) <= before + 20 + 2 * 20);
    let sent = stage.peers[0].sent.iter();
    let bytes: usize = sent.map(|(_connection, frame)| frame.len()).sum();
    assert!(
        bytes < 16 << 20,
        "{bytes} bytes in 20 s to a peer that said later"
    );
    stage.wait(Duration::from_mins(3));
    assert!(stage.agree(space), "later never came");
    let put_off = stage.peers[0].engine.over_quota_at(space);
    assert_eq!(put_off, [], "it takes everything again");
}

#[test]
fn a_space_beyond_its_bytes_of_a_day_goes_on_the_next_day() {
    let (mut stage, space) = limited(Quotas {
        space_bytes_per_day_max: 40 << 10,
        ..Quotas::default()
    });
    for _ in 0..10 {
        stage.change(0, space, &[7; 8 << 10]);
    }
    let first_day = stage.len(1, space);
    assert!(refusals(&stage).contains(&Refusal::Quota));
    let relay = stage.author(1);
    let since = |stage: &Stage| stage.peers[0].engine.over_quota_at(space);
    assert!(matches!(since(&stage)[..], [(peer, _)] if peer == relay));
    assert_eq!(
        told(&stage),
        [QuotaName::SpaceBytesPerDay],
        "its operator, once"
    );
    stage.wait(Duration::from_mins(1));
    assert_eq!(stage.len(1, space), first_day);
    stage.now = stage.now.plus(Duration::from_hours(23));
    stage.restart(0);
    stage.restart(1);
    stage.connect(0, 1);
    stage.wait(Duration::from_mins(1));
    assert!(
        stage.len(1, space) > first_day,
        "forgotten instead of put off"
    );
}

/// What comes in one batch is not looked at one by one beside what was there before it.
#[test]
fn one_batch_does_not_pass_the_bytes_of_a_space() {
    let most = 60 << 10;
    let (mut stage, space) = limited(Quotas {
        space_bytes_max: most,
        ..Quotas::default()
    });
    stage.restart(0);
    for _ in 0..40 {
        stage.change(0, space, &[7; 8 << 10]);
    }
    stage.connect(0, 1);
    stage.wait(Duration::from_secs(5));
    let held = stage.peers[1].engine.spaces[&space].bytes;
    assert!(held <= most, "{held} bytes of {most}");
    assert!(held > most / 2, "{held} bytes: nothing is taken");
}

/// A code of the first peer for some who have it in hand.
fn invite(stage: &mut Stage, space: SpaceId, redemptions: u16) -> Invitation {
    let terms = Terms {
        invitee: Invitee::Person,
        parent: stage.peers[0].engine.best_grant(space).unwrap(),
        principal: PrincipalId::from_bytes([7; 16]),
        capability: Capability::Write,
        not_before: Timestamp::ZERO,
        end: stage.now.plus(Duration::from_hours(12)),
        redeem_until: stage.now.plus(Duration::from_hours(12)),
        redemptions,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([5; 32]));
    stage.state(0, space, draft.statement());
    let written = stage.peers[0].written.last().unwrap().clone().unwrap();
    draft.issued(space, written.id, Vec::new())
}

/// Hands the relay uses of a code by devices of these numbers, in one frame.
fn hand_in(
    stage: &mut Stage,
    connection: ConnectionId,
    invitation: &Invitation,
    guests: std::ops::Range<u8>,
) {
    let number = 900 + u64::from(guests.start);
    let uses = guests.map(|guest| {
        let keys = DeviceKeys::from_seed([50 + guest; 32]);
        let redemption = invitation.redeem(&keys, Instance(guest.into()), stage.now);
        redemption.unwrap().raw().clone()
    });
    let frame = Frame::Envelopes(frame::Envelopes {
        space: invitation.space,
        number,
        from: 0,
        to: 0,
        envelopes: uses.collect(),
    });
    let frame = frame.encode();
    stage.tell(1, Input::Received { connection, frame });
}

#[test]
fn a36_a_relay_refuses_a_second_redemption() {
    let (mut stage, space) = Stage::gathered(1, 1);
    let invitation = invite(&mut stage, space, 2);
    stage.add_member();
    let (connection, _there) = stage.connect_with(1, 2, &[invitation.keys().author()]);
    stage.play();
    let before = stage.len(1, space);
    hand_in(&mut stage, connection, &invitation, 0..4);
    assert_eq!(stage.len(1, space), before + 2);
    assert!(refusals(&stage).ends_with(&[Refusal::Quota; 2]));
    // The code opens nothing any more.
    hand_in(&mut stage, connection, &invitation, 4..5);
    assert_eq!(stage.len(1, space), before + 2);
}

#[test]
fn a36_what_members_bring_of_a_used_code_is_bounded() {
    let (mut stage, space) = Stage::gathered(1, 1);
    let invitation = invite(&mut stage, space, 1);
    let connection = stage.peers[1].engine.peers().next().unwrap().connection;
    let before = stage.len(1, space);
    for guest in 0..20 {
        hand_in(&mut stage, connection, &invitation, guest..guest + 1);
    }
    hand_in(&mut stage, connection, &invitation, 20..40);
    assert_eq!(stage.len(1, space), before + 1 + 16);
    assert_eq!(refusals(&stage).last(), Some(&Refusal::Quota));
}

/// Two use a code for one, both by files, and somebody works on with what the second brought before
/// anybody knows of the first.
#[test]
fn what_builds_on_a_used_code_that_came_by_a_file_arrives_through_a_relay() {
    let mut stage = Stage::new(4, 1);
    let (host, first, second, other, relay) = (0, 1, 2, 3, 4);
    let space = stage.found();
    stage.change(host, space, b"before");
    stage.let_in(space, relay);
    stage.let_in(space, other);
    let invitation = invite(&mut stage, space, 1);
    let carried = file(&stage, host);
    stage.connect(host, relay);
    stage.connect(other, relay);
    stage.play();
    assert_eq!(stage.len(other, space), stage.len(host, space));
    stage.restart(host);
    for guest in [first, second] {
        stage.join(guest, &invitation);
        take(&mut stage, guest, space, carried.clone());
        stage.change(guest, space, b"from a guest");
    }
    stage.connect(first, relay);
    stage.play();
    bring(&mut stage, second, host, space);
    stage.change(host, space, b"on top of it");
    let on_top = stage.peers[host]
        .written
        .last()
        .unwrap()
        .clone()
        .unwrap()
        .id;
    stage.connect(host, relay);
    stage.wait(Duration::from_mins(3));
    for peer in [host, relay, other] {
        let engine = &stage.peers[peer].engine;
        assert!(engine.log(space).unwrap().contains(on_top), "peer {peer}");
        let verdict = engine.evaluation(space).unwrap().verdict(on_top);
        assert!(verdict.counts(), "peer {peer}: {verdict:?}");
    }
    assert_eq!(stage.len(other, space), stage.len(host, space));
}
