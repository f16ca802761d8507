//! Work that was done in time and is handed in after the end: it is taken, and whoever hands it in gets
//! nothing for it.

use std::time::Duration;

use super::stage::{NOW, Stage};
use crate::admission::{DELIVERY_SPAN, Held, Verdict};
use crate::engine::frame::{Frame, Since};
use crate::engine::{ConnectionId, Input};
use crate::id::{EnvelopeId, PrincipalId, SpaceId};
use crate::key::DeviceKeys;
use crate::statement::{Audience, Capability, Cut, Grant, GrantFlags, Statement};
use crate::time::Timestamp;

const SOON: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);
const ADMINISTRATOR: usize = 0;
const CONTRACTOR: usize = 1;
const RELAY: usize = 2;

struct Contract {
    stage: Stage,
    space: SpaceId,
    grant: EnvelopeId,
    written: EnvelopeId,
    line: (ConnectionId, ConnectionId),
}

fn hang_up(stage: &mut Stage, (here, there): (ConnectionId, ConnectionId), peers: [usize; 2]) {
    stage.tear(here);
    for (peer, connection) in peers.into_iter().zip([here, there]) {
        stage.tell(peer, Input::Disconnected { connection });
    }
}

/// The administrator lets somebody in.
fn grant(
    stage: &mut Stage,
    space: SpaceId,
    to: usize,
    (capability, flags, end): (Capability, GrantFlags, Timestamp),
) -> EnvelopeId {
    let keys = DeviceKeys::from_seed([stage.peers[to].seed; 32]);
    let grant = Grant {
        audience: Audience::Author(keys.author()),
        box_key: keys.box_public(),
        principal: PrincipalId::from_bytes([stage.peers[to].seed; 16]),
        capability,
        flags,
        not_before: Timestamp::ZERO,
        end,
        depth_left: 0,
        redemptions: 0,
        redeem_until: Timestamp::ZERO,
        parent: stage.peers[ADMINISTRATOR].engine.best_grant(space),
    };
    stage.state(ADMINISTRATOR, space, Statement::Grant(grant));
    let written = stage.peers[ADMINISTRATOR].written.last().unwrap();
    written.as_ref().unwrap().id
}

impl Contract {
    /// A contractor for an hour, who wrote in it while the relay was out of reach.
    fn new(capability: Capability, flags: GrantFlags) -> Self {
        let mut stage = Stage::new(2, 1);
        let space = stage.found();
        let years = NOW.plus(DELIVERY_SPAN * 3);
        grant(
            &mut stage,
            space,
            RELAY,
            (Capability::Relay, GrantFlags::NONE, years),
        );
        let grant = grant(
            &mut stage,
            space,
            CONTRACTOR,
            (capability, flags, NOW.plus(HOUR)),
        );
        let write = stage.write_id();
        let invitation = None;
        stage.tell(
            CONTRACTOR,
            Input::Join {
                write,
                space,
                invitation,
            },
        );
        stage.change(ADMINISTRATOR, space, b"before");
        stage.connect(ADMINISTRATOR, RELAY);
        let line = stage.connect(RELAY, CONTRACTOR);
        stage.wait(SOON);
        assert!(stage.agree(space));
        hang_up(&mut stage, line, [RELAY, CONTRACTOR]);
        stage.change(CONTRACTOR, space, b"on a train");
        let written = stage.peers[CONTRACTOR].written.last().unwrap();
        let may = capability >= Capability::Comment;
        assert_eq!(written.is_ok(), may);
        let written = written.as_ref().map_or(EnvelopeId::ZERO, |it| it.id);
        let line = (ConnectionId(0), ConnectionId(0));
        Self {
            stage,
            space,
            grant,
            written,
            line,
        }
    }

    /// So long after the end the contractor reaches the relay, and what others wrote is there.
    fn comes_back(&mut self, after_end: Duration) {
        self.stage.now = NOW.plus(HOUR).plus(after_end);
        self.stage
            .change(ADMINISTRATOR, self.space, b"not for them");
        self.stage.wait(Duration::from_secs(1));
        self.stage.peers[RELAY].sent.clear();
        self.line = self.stage.connect(RELAY, CONTRACTOR);
        self.stage.wait(SOON);
    }

    fn verdict(&self) -> Option<Verdict> {
        let engine = &self.stage.peers[ADMINISTRATOR].engine;
        let log = engine.log(self.space)?;
        let verdict = engine.evaluation(self.space)?.verdict(self.written);
        log.contains(self.written).then_some(verdict)
    }

    /// What the relay said to the contractor.
    fn told(&self) -> Vec<Frame> {
        let sent = self.stage.peers[RELAY].sent.iter();
        let told = sent.filter(|(connection, _bytes)| *connection == self.line.0);
        told.map(|(_connection, bytes)| Frame::decode(bytes).unwrap())
            .collect()
    }

    /// Nothing that the contractor does not say itself was said to it.
    fn nothing_was_told(&self) {
        let log = self.stage.peers[CONTRACTOR].engine.log(self.space).unwrap();
        for frame in self.told() {
            match frame {
                Frame::Hello(_) | Frame::Ended(_) | Frame::Acknowledge(_) => {}
                Frame::Digests(said) => assert_eq!(said, [(self.space, [0; 32])]),
                Frame::Heads(heads) => {
                    let mut named = heads.chains.iter().flat_map(|chain| &chain.heads);
                    assert!(named.all(|head| log.contains(*head)), "{heads:?}");
                }
                told => panic!("{told:?}"),
            }
        }
        let here = self.stage.len(CONTRACTOR, self.space);
        assert!(
            here < self.stage.len(RELAY, self.space),
            "it was sent something"
        );
    }
}

#[test]
fn what_was_written_in_time_is_taken_after_the_end() {
    let days = |count: u64| Duration::from_hours(24 * count);
    let (none, long) = (GrantFlags::NONE, GrantFlags::LONG_GRACE);
    for (flags, after_end, counts) in [
        (none, Duration::from_mins(10), true),
        (none, days(1), false),
        (long, days(1), true),
        (long, days(4), false),
    ] {
        let mut contract = Contract::new(Capability::Write, flags);
        contract.comes_back(after_end);
        let verdict = contract.verdict().expect("it reaches the administrator");
        assert_eq!(verdict.counts(), counts, "{verdict:?} after {after_end:?}");
        assert!(counts || matches!(verdict, Verdict::Held(Held::Expired) | Verdict::Cut));
        contract.nothing_was_told();
        // Whoever wrote it knows that it is not on this disk alone any more.
        let engine = &contract.stage.peers[CONTRACTOR].engine;
        let holders = engine.holders(contract.space);
        let relay = contract.stage.author(RELAY);
        let holder = holders.iter().find(|it| it.peer == relay).unwrap();
        let chain = contract.stage.peers[CONTRACTOR]
            .engine
            .log(contract.space)
            .unwrap();
        let header = chain.get(contract.written).unwrap().header();
        assert_eq!(holder.heads.get(&header.chain), Some(&header.seq));
        assert!(engine.ended_elsewhere(contract.space).is_some());
        // And it is not asked for over and over.
        let before = contract.told().len();
        contract.stage.wait(Duration::from_mins(10));
        assert!(contract.told().len() <= before + 2, "{:?}", contract.told());
    }
}

/// Whoever was revoked, had nothing to write or comes years later hands in nothing and hears of nothing.
#[test]
fn nothing_is_taken_of_who_was_revoked_or_comes_too_late() {
    for (capability, revoked, after_end) in [
        (Capability::Write, true, Duration::from_mins(10)),
        (Capability::Read, false, Duration::from_mins(10)),
        (Capability::Write, false, DELIVERY_SPAN + HOUR),
    ] {
        let mut contract = Contract::new(capability, GrantFlags::NONE);
        if revoked {
            let relays = contract.stage.peers[RELAY]
                .engine
                .log(contract.space)
                .unwrap();
            let cuts = relays
                .heads()
                .map(|(chain, seq, id)| Cut { chain, seq, id });
            let revocation = Statement::Revoke {
                target: contract.grant,
                cuts: cuts.collect(),
                reason: 0,
            };
            contract
                .stage
                .state(ADMINISTRATOR, contract.space, revocation);
            contract.stage.wait(SOON);
        }
        contract.comes_back(after_end);
        assert_eq!(contract.verdict(), None, "{capability:?}");
        let told = contract.told();
        let said = |frame: &Frame| matches!(frame, Frame::Hello(_) | Frame::Ended(_));
        assert!(told.iter().all(said), "{told:?}");
    }
}

/// Whoever hands in hears the same word, whatever they say that they have: else they could try out by it
/// whether anything is new.
#[test]
fn a47_who_delivers_learns_by_no_digest_whether_anything_is_new() {
    let mut contract = Contract::new(Capability::Write, GrantFlags::NONE);
    contract.comes_back(Duration::from_mins(1));
    let space = contract.space;
    let log = contract.stage.peers[RELAY].engine.log(space).unwrap();
    let same = log.digest();
    for digest in [[7; 32], same] {
        for is_since in [false, true] {
            contract.stage.now = contract.stage.now.plus(Duration::from_mins(2));
            contract.stage.peers[RELAY].sent.clear();
            let since = Since {
                space,
                position: 0,
                digest,
            };
            let frame = if is_since {
                Frame::Since(since)
            } else {
                Frame::Digests(vec![(space, digest)])
            };
            let (connection, frame) = (contract.line.0, frame.encode());
            contract.stage.lossy = true;
            contract
                .stage
                .tell(RELAY, Input::Received { connection, frame });
            let word = Frame::Digests(vec![(space, [0; 32])]);
            assert_eq!(contract.told(), [word], "{digest:?} since: {is_since}");
        }
    }
    let contractor = contract.stage.author(CONTRACTOR);
    let relay = &contract.stage.peers[RELAY].engine;
    assert!(!relay.in_step(space).contains(&contractor));
}

/// What all who deliver bring in a day has a limit, on devices too; the rest is taken on another day.
#[test]
fn who_delivers_fills_no_disk() {
    let mut contract = Contract::new(Capability::Write, GrantFlags::LONG_GRACE);
    for _entry in 0..20 {
        contract
            .stage
            .change(CONTRACTOR, contract.space, &[9; 1_000]);
    }
    contract.stage.peers[RELAY]
        .engine
        .limits
        .delivered_bytes_per_day_max = 1_000;
    let theirs = |contract: &Contract| {
        let author = contract.stage.author(CONTRACTOR);
        let log = contract.stage.peers[RELAY].engine.log(contract.space);
        let theirs = log.unwrap().iter();
        theirs
            .filter(|it| it.header().chain.author == author)
            .count()
    };
    let before = theirs(&contract);
    contract.comes_back(Duration::from_mins(10));
    assert_eq!(contract.verdict(), None);
    assert_eq!(theirs(&contract), before);
    contract.stage.peers[RELAY]
        .engine
        .limits
        .delivered_bytes_per_day_max = 1 << 20;
    contract.stage.wait(Duration::from_mins(2));
    assert_eq!(contract.verdict(), Some(Verdict::Admitted));
}

/// Who ends an access accepts nothing by that: what waits is over, whether its grant is named or one above it,
/// and the preview says so.
#[test]
fn a18_a_revocation_accepts_nothing_that_waits() {
    let mut contract = Contract::new(Capability::Write, GrantFlags::NONE);
    contract.comes_back(HOUR);
    let Contract {
        stage,
        space,
        grant,
        written,
        ..
    } = &mut contract;
    let verdict = |stage: &Stage| {
        let evaluation = stage.peers[ADMINISTRATOR].engine.evaluation(*space);
        evaluation.unwrap().verdict(*written)
    };
    assert_eq!(verdict(stage), Verdict::Held(Held::Expired));
    let engine = &stage.peers[ADMINISTRATOR].engine;
    let statement = engine.revocation(*space, (*grant, true), 0).unwrap();
    let ended = engine.grants_below(*space, *grant);
    let foreseen = engine.foresee(*space, &statement, &ended).unwrap();
    assert_eq!((foreseen.discarded, foreseen.gone), (1, 0));
    stage.state(ADMINISTRATOR, *space, statement);
    stage.wait(SOON);
    assert_eq!(verdict(stage), Verdict::Cut);
}

/// A witness that was stopped before it said what it had says when that came, not when it began anew.
#[test]
fn a_receipt_says_when_something_came_although_its_witness_was_stopped_since() {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.wait(HOUR);
    stage.change(CONTRACTOR, space, b"in time");
    stage.wait(Duration::from_secs(5));
    let written = stage.peers[CONTRACTOR].written.last().unwrap();
    let written = written.as_ref().unwrap().id;
    let came = stage.now;
    stage.restart(ADMINISTRATOR);
    let log = stage.peers[ADMINISTRATOR].engine.log(space).unwrap();
    let chain = log.get(written).expect("it came").header().chain;
    stage.now = came.plus(HOUR * 10);
    stage.restart(ADMINISTRATOR);
    stage.wait(Duration::from_mins(2));
    let log = stage.peers[ADMINISTRATOR].engine.log(space).unwrap();
    let seen = log.control().filter_map(|(_entry, it)| match it {
        Statement::Receipt { cuts, at } => cuts.iter().any(|cut| cut.chain == chain).then_some(*at),
        _ => None,
    });
    let last = seen.max().expect("a receipt");
    assert!(last <= came, "{last} is after {came}");
}
