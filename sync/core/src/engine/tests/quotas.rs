//! What a relay takes, and how it says *later*.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::id::PrincipalId;
use crate::invitation::{Draft, Invitee, Terms};
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

#[test]
fn a36_a_relay_refuses_a_second_redemption() {
    let (mut stage, space) = Stage::gathered(1, 1);
    let terms = Terms {
        invitee: Invitee::Person,
        parent: stage.peers[0].engine.best_grant(space).unwrap(),
        principal: PrincipalId::from_bytes([7; 16]),
        capability: Capability::Write,
        not_before: Timestamp::ZERO,
        end: stage.now.plus(Duration::from_hours(12)),
        redeem_until: stage.now.plus(Duration::from_hours(12)),
        redemptions: 1,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([5; 32]));
    stage.state(0, space, draft.statement());
    let written = stage.peers[0].written.last().unwrap().clone().unwrap();
    let invitation = draft.issued(space, written.id, Vec::new());
    let connection = stage.peers[1].engine.peers().next().unwrap().connection;
    let before = stage.len(1, space);
    for guest in 0..2 {
        let keys = DeviceKeys::from_seed([50 + guest; 32]);
        let instance = Instance(guest.into());
        let redemption = invitation.redeem(&keys, instance, stage.now);
        let frame = Frame::Envelopes(frame::Envelopes {
            space,
            number: 900 + u64::from(guest),
            from: 0,
            to: 0,
            envelopes: vec![redemption.unwrap().raw().clone()],
        });
        let frame = frame.encode();
        stage.tell(1, Input::Received { connection, frame });
    }
    assert_eq!(stage.len(1, space), before + 1);
    assert_eq!(refusals(&stage).last(), Some(&Refusal::Quota));
}
