//! Questions of who reads a Space through another one: heard by who writes it, of nobody else, once.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::*;
use crate::id::{DocumentId, PrincipalId};
use crate::statement::{Audience, Capability, Grant, GrantFlags, Statement};

const ADMIN: usize = 0;
const AGENT: usize = 1;
const GUEST: usize = 2;
const OTHER: usize = 3;
const RELAY: usize = 4;

/// A System with its agent, a guest who reads the System, somebody who reads another System, and the relay at
/// which all meet: the System, the agent's Space, the other System.
fn team() -> (Stage, [SpaceId; 3]) {
    let mut stage = Stage::new(4, 1);
    let (system, agent, other) = (stage.found(), stage.found(), stage.found());
    stage.let_in_as(system, AGENT, Capability::Relay);
    stage.let_in_as(system, GUEST, Capability::Read);
    stage.let_in(agent, AGENT);
    stage.let_in_as(other, OTHER, Capability::Read);
    stage.let_in_as(other, AGENT, Capability::Relay);
    for space in [system, agent, other] {
        stage.let_in(space, RELAY);
    }
    let readers = Grant {
        audience: Audience::ReadersOf(system),
        box_key: [0; 32],
        principal: PrincipalId::from_bytes([9; 16]),
        capability: Capability::Read,
        flags: GrantFlags::NONE,
        not_before: Timestamp::ZERO,
        end: stage.now.plus(Duration::from_hours(1)),
        depth_left: 0,
        redemptions: 0,
        redeem_until: Timestamp::ZERO,
        parent: stage.peers[ADMIN].engine.best_grant(agent),
    };
    stage.state(ADMIN, agent, Statement::Grant(readers));
    for peer in [GUEST, OTHER] {
        let write = stage.write_id();
        let join = Input::Join {
            write,
            space: agent,
            invitation: None,
        };
        stage.tell(peer, join);
    }
    for peer in [ADMIN, AGENT, GUEST, OTHER] {
        stage.connect(peer, RELAY);
    }
    stage.play();
    stage.change(ADMIN, agent, b"sealed to the readers too");
    stage.play();
    (stage, [system, agent, other])
}

fn ask(stage: &mut Stage, peer: usize, through: SpaceId, space: SpaceId) {
    let input = Input::Ask {
        through,
        space,
        document: DocumentId::named("question"),
        bytes: b"what was that".to_vec(),
    };
    stage.tell(peer, input);
    stage.play();
}

/// Of whom a peer heard questions, and about which Space.
fn asked(stage: &Stage, peer: usize) -> Vec<(SpaceId, SpaceId, AuthorId)> {
    let events = stage.peers[peer].events.iter();
    let asked = events.filter_map(|event| match event {
        Event::Asked {
            space,
            through,
            chain,
            bytes,
            ..
        } => {
            assert_eq!(bytes, b"what was that");
            Some((*space, *through, chain.author))
        }
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_reader_of_the_system_asks_the_agent_and_nobody_else_can() {
    let (mut stage, [system, agent, other]) = team();
    let guest = stage.author(GUEST);
    // As before: in the agent's own Space it has nothing to say.
    stage.whisper(GUEST, agent, b"hello");
    stage.play();
    assert!(stage.peers[AGENT].heard().is_empty());
    ask(&mut stage, GUEST, system, agent);
    assert_eq!(asked(&stage, AGENT), [(agent, system, guest)]);
    // Who reads the System hears nothing, nor does the relay; who administers both could answer too.
    assert!(stage.peers[OTHER].heard().is_empty() && asked(&stage, OTHER).is_empty());
    assert!(asked(&stage, RELAY).is_empty());
    assert_eq!(asked(&stage, ADMIN).len(), 1);
    // A System whose readers do not read the agent is no way to it.
    ask(&mut stage, OTHER, other, agent);
    assert_eq!(asked(&stage, AGENT).len(), 1);
}

#[test]
fn a_question_is_heard_once_and_not_after_the_reader_was_sent_away() {
    let (mut stage, [system, agent, _other]) = team();
    ask(&mut stage, GUEST, system, agent);
    let (_connection, said) = stage.peers[GUEST].datagrams.last().unwrap().clone();
    for _again in 0..2 {
        let (_from, ConnectionId(at)) = stage.connect(GUEST, AGENT);
        stage.play();
        let input = Input::Datagram {
            connection: ConnectionId(at),
            bytes: said.clone(),
        };
        stage.tell(AGENT, input);
        assert_eq!(asked(&stage, AGENT).len(), 1, "a replay");
    }
    // The readers' grant ends: who reads the System still does, and is not heard about the agent.
    stage.wait(Duration::from_mins(61));
    stage.play();
    ask(&mut stage, GUEST, system, agent);
    assert_eq!(asked(&stage, AGENT).len(), 1, "after its end");
}
