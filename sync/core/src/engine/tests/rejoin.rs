//! A second invitation for the same Space: it lets in whatever became of the first.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::frame::{Ended, Frame, Introduction};
use crate::engine::{AccessEnd, Input};
use crate::entropy::Entropy;
use crate::envelope::{Envelope, Position, RawEnvelope, control};
use crate::id::{EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::invitation::{Draft, Invitation, Invitee, Terms};
use crate::statement::{Audience, Capability, Statement};
use crate::time::Timestamp;

const SOON: Duration = Duration::from_secs(30);

fn invite(stage: &mut Stage, space: SpaceId, seed: u8) -> Invitation {
    invite_some(stage, space, seed, 1)
}

fn invite_some(stage: &mut Stage, space: SpaceId, seed: u8, redemptions: u16) -> Invitation {
    let end = stage.now.plus(Duration::from_hours(8));
    let terms = Terms {
        invitee: Invitee::Person,
        parent: stage.peers[0].engine.best_grant(space).unwrap(),
        principal: PrincipalId::from_bytes([1; 16]),
        capability: Capability::Write,
        not_before: Timestamp::ZERO,
        end,
        redeem_until: end,
        redemptions,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([seed; 32]));
    stage.state(0, space, draft.statement());
    let grant = stage.peers[0].written.last().unwrap().clone().unwrap().id;
    draft.issued(space, grant, Vec::new())
}

/// The guest's grants in the first peer's eyes that stand.
fn stands(stage: &Stage, space: SpaceId) -> Vec<EnvelopeId> {
    let guest = stage.author(1);
    let members = stage.peers[0].engine.members(space).iter();
    members
        .filter(|member| member.author == guest && member.is_live(stage.now))
        .map(|member| member.grant)
        .collect()
}

fn revoke(stage: &mut Stage, space: SpaceId, target: EnvelopeId) {
    let statement = Statement::Revoke {
        target,
        cuts: Vec::new(),
        reason: 0,
    };
    stage.state(0, space, statement);
}

fn sent_away(told: bool) -> (Stage, SpaceId) {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    stage.change(0, space, b"before");
    let first = invite(&mut stage, space, 5);
    stage.join(1, &first);
    let (here, there) = stage.connect_with(0, 1, &[first.keys().author()]);
    stage.wait(SOON);
    assert_eq!(stands(&stage, space).len(), 1);
    if !told {
        stage.tear(here);
        for (peer, connection) in [(0, here), (1, there)] {
            stage.tell(peer, Input::Disconnected { connection });
        }
    }
    revoke(&mut stage, space, first.grant);
    stage.wait(SOON);
    assert_eq!(stands(&stage, space), []);
    assert_eq!(stage.peers[1].engine.ended_elsewhere(space).is_some(), told);
    (stage, space)
}

/// Whoever was revoked comes back by the first new code, whether or not they heard of it.
#[test]
fn who_was_revoked_is_let_in_by_the_next_invitation() {
    for told in [false, true] {
        for restarts in [false, true] {
            let (mut stage, space) = sent_away(told);
            if restarts {
                stage.restart(1);
            }
            let second = invite(&mut stage, space, 6);
            stage.join(1, &second);
            stage.connect_with(0, 1, &[second.keys().author()]);
            stage.wait(SOON);
            let grants = stands(&stage, space);
            assert_eq!(grants.len(), 1, "told: {told}, restarts: {restarts}");
            let members = stage.peers[0].engine.members(space).iter();
            let by: Vec<_> = members.filter(|it| it.grant == grants[0]).collect();
            assert_eq!(by[0].guest_of, Some(second.grant));
            let before = stage.len(0, space);
            stage.change(1, space, b"back again");
            assert!(stage.peers[1].written.last().unwrap().is_ok());
            stage.wait(SOON);
            assert!(stage.agree(space) && stage.len(0, space) > before);
            let log = stage.peers[0].engine.log(space).unwrap();
            let evaluation = stage.peers[0].engine.evaluation(space).unwrap();
            let last = log
                .iter()
                .filter(|it| it.header().chain.author == stage.author(1));
            let (last, verdict) = last
                .map(|it| (it.header().seq, evaluation.verdict(it.id())))
                .max()
                .unwrap();
            assert!(verdict.counts(), "{last} {verdict:?}");
        }
    }
}

/// A member takes another code, for instance to do more: it counts at once, and once.
#[test]
fn a_member_redeems_another_invitation_once() {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    stage.change(0, space, b"before");
    let first = invite(&mut stage, space, 5);
    stage.join(1, &first);
    stage.connect_with(0, 1, &[first.keys().author()]);
    stage.wait(SOON);
    let second = invite(&mut stage, space, 6);
    for _again in 0..2 {
        stage.join(1, &second);
        stage.wait(SOON);
    }
    stage.restart(1);
    stage.join(1, &second);
    stage.connect_with(0, 1, &[second.keys().author()]);
    stage.wait(SOON);
    assert_eq!(stands(&stage, space).len(), 2);
    assert!(stage.agree(space));
}

/// A peer that said that access is over, and then is in step again, hears this device after all.
#[test]
fn an_end_is_forgotten_when_whoever_said_it_is_in_step_again() {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.wait(SOON);
    let connection = stage.peers[1].engine.peers().next().unwrap().connection;
    let why = AccessEnd::Over;
    let frame = Frame::Ended(Ended { space, why }).encode();
    stage.tell(1, Input::Received { connection, frame });
    assert_eq!(stage.peers[1].engine.ended_elsewhere(space), Some(why));
    stage.change(0, space, b"for all");
    stage.wait(SOON);
    assert_eq!(stage.peers[1].engine.ended_elsewhere(space), None);
}

/// Grants from the root down as they travel, by the first peer.
fn row(stage: &Stage, space: SpaceId, grant: EnvelopeId) -> Vec<RawEnvelope> {
    let held = &stage.peers[0].engine.spaces[&space];
    let path = held.evaluation.path(&held.log, grant).unwrap();
    path.iter().map(|id| held.grants[id].clone()).collect()
}

/// A grant like one that came of an invitation, to the second peer, signed by the invitation's key.
fn redeemed(stage: &Stage, invitation: &Invitation, like: EnvelopeId) -> Envelope {
    let space = invitation.space;
    let held = &stage.peers[0].engine.spaces[&space];
    let Some(Statement::Grant(grant)) = held.log.get(like).unwrap().statement() else {
        panic!("no grant");
    };
    let mut grant = grant.clone();
    grant.audience = Audience::Author(stage.author(1));
    let position = Position {
        space,
        instance: Instance(77),
        seq: 1,
        previous: EnvelopeId::ZERO,
        authority: invitation.grant,
        ancestors: Vec::new(),
        time: stage.now,
    };
    control(&invitation.keys(), position, &Statement::Grant(grant)).unwrap()
}

/// A grant of an invitation that is not here yet is taken for what it says, unless what is here says that
/// the invitation is worth nothing more, or that this very device was sent away.
#[test]
fn a_redemption_that_is_shown_opens_nothing_that_the_roster_closed() {
    for (redemptions, guest_ends, opens) in [(1, false, false), (5, true, false), (5, false, true)]
    {
        let mut stage = Stage::new(3, 0);
        let space = stage.found();
        let code = invite_some(&mut stage, space, 5, redemptions);
        // Another device uses the code once; or the guest does, and is sent away.
        let comes = if guest_ends { 1 } else { 2 };
        stage.join(comes, &code);
        let (here, there) = stage.connect_with(0, comes, &[code.keys().author()]);
        stage.wait(SOON);
        stage.tear(here);
        stage.tell(0, Input::Disconnected { connection: here });
        stage.tell(comes, Input::Disconnected { connection: there });
        let author = stage.author(comes);
        let guest = stage.peers[0]
            .engine
            .members(space)
            .iter()
            .find(|it| it.author == author);
        let guest = guest.unwrap().grant;
        if guest_ends {
            revoke(&mut stage, space, guest);
        }
        let again = redeemed(&stage, &code, guest);
        let mut grants = row(&stage, space, code.grant);
        grants.push(again.raw().clone());
        let (here, _there) = stage.connect(0, 1);
        stage.play();
        let introduction = Introduction { space, grants };
        let frame = Frame::Introduction(introduction).encode();
        stage.tell(
            0,
            Input::Received {
                connection: here,
                frame,
            },
        );
        let hears = stage.peers[0].engine.may_hear_of(here, space);
        assert_eq!(hears, opens, "of {redemptions}, ended: {guest_ends}");
    }
}
