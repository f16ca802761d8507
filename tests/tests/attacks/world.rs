//! Honest engines in one Space, and a peer that says whatever it likes.
//!
//! Nothing is random and nothing waits: what an engine asks for is done at once, and time is what a
//! story says. The Byzantine peer signs with real keys and speaks the real protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::admission::{Evaluation, Keyring, Verdict, wanted_bodies};
use aramaki_sync_core::engine::{
    ConnectionId, Engine, EngineOptions, Event, Input, Output, Quotas, Refusal, Restored, Role,
    StoreEpoch, StoreOperation, Stored, WriteError, WriteId, Written,
};
use aramaki_sync_core::envelope::{Envelope, RawEnvelope};
use aramaki_sync_core::key::{DeviceKeys, EpochKey, PublicKeys};
use aramaki_sync_core::statement::{Audience, Body, Capability, Cut, Grant, GrantFlags, Statement};
use aramaki_sync_core::{
    AuthorId, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId, Timestamp,
};
use serde_bytes::ByteBuf;

use crate::actor::Actor;

/// The founder's device: it administers under the anchor.
pub(crate) const ALICE: usize = 0;
/// Writes.
pub(crate) const BOB: usize = 1;
/// Reads.
pub(crate) const RITA: usize = 2;
/// Stores, forwards and witnesses.
pub(crate) const RELAY: usize = 3;
/// The honest ones.
pub(crate) const HONEST: [usize; 4] = [ALICE, BOB, RITA, RELAY];
/// The device that attacks; it has no engine.
pub(crate) const MALLORY: usize = 4;

const START_MS: i64 = 1_800_000_000_000;
const EVENTS_MAX: usize = 100_000;
/// Seeds of keys, by place in the cast; the last is the recovery kit's.
const SEEDS: [u8; 5] = [1, 2, 3, 4, 5];
const KIT_SEED: u8 = 9;
const CARRIER_SEED: u8 = 60;

/// Minutes after the story began.
pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(START_MS + minute * 60_000)
}

pub(crate) struct Peer {
    pub(crate) keys: DeviceKeys,
    pub(crate) engine: Option<Engine>,
    pub(crate) store: Vec<Stored>,
    pub(crate) written: BTreeMap<WriteId, Result<Written, WriteError>>,
    pub(crate) refused: Vec<(EnvelopeId, Refusal)>,
    /// What was said of snapshots: whose, which, in words.
    pub(crate) snapshots: Vec<(AuthorId, EnvelopeId, String)>,
    pub(crate) whispers: Vec<Vec<u8>>,
    pub(crate) instances: u32,
    /// What a peer without an engine was sent.
    pub(crate) inbox: Vec<Vec<u8>>,
}

pub(crate) struct World {
    pub(crate) peers: Vec<Peer>,
    pub(crate) space: SpaceId,
    pub(crate) now: Timestamp,
    lines: BTreeMap<ConnectionId, [usize; 2]>,
    next: u64,
    carrier: bool,
}

fn keys(seed: u8) -> DeviceKeys {
    DeviceKeys::from_seed([seed; 32])
}

/// The recovery kit, which the story may take out of its drawer.
pub(crate) fn kit() -> Actor {
    Actor::new(keys(KIT_SEED), 900)
}

impl World {
    /// A Space under a kept-offline anchor, its people connected through the relay.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            peers: SEEDS.iter().map(|seed| peer(*seed)).collect(),
            space: SpaceId::ZERO,
            now: minute(0),
            lines: BTreeMap::new(),
            next: 0,
            carrier: false,
        };
        let write = world.number();
        let founding = Input::CreateSpace {
            write: WriteId(write),
            anchor: Some(keys(KIT_SEED).public()),
            principal: PrincipalId::from_bytes([SEEDS[ALICE]; 16]),
            end: minute(1_000_000),
        };
        world.handle(ALICE, founding);
        world.settle();
        world.space = world.written(ALICE, WriteId(write)).unwrap().space;
        world.grant(BOB, Capability::Write, GrantFlags::NONE, 10_000);
        world.grant(RITA, Capability::Read, GrantFlags::NONE, 10_000);
        world.grant(RELAY, Capability::Relay, GrantFlags::WITNESS, 1_000_000);
        for other in [BOB, RITA] {
            world.follow(other);
        }
        for line in [[RELAY, ALICE], [RELAY, BOB], [RELAY, RITA], [BOB, RITA]] {
            world.connect(line[0], line[1]);
        }
        world.write(ALICE, "alice was here");
        world.pass(Duration::from_secs(30));
        world
    }

    /// As [`World::new`], and the attacker is a member who writes until a minute.
    pub(crate) fn with_insider(end: i64) -> (Self, Actor) {
        Self::with_member(Capability::Write, GrantFlags::NONE, end)
    }

    /// The same with another capability.
    pub(crate) fn with_member(
        capability: Capability,
        flags: GrantFlags,
        end: i64,
    ) -> (Self, Actor) {
        let mut world = Self::new();
        let grant = world.grant(MALLORY, capability, flags, end);
        world.write(ALICE, "welcome");
        world.pass(Duration::from_secs(30));
        let mut mallory = world.attacker();
        mallory.grant = grant;
        (world, mallory)
    }

    /// The relay starts anew with other settings, and everybody comes back.
    pub(crate) fn reopen_relay(&mut self, change: impl FnOnce(&mut EngineOptions)) {
        let people = [ALICE, BOB, RITA];
        for other in people {
            self.disconnect(RELAY, other);
        }
        let restored = Restored {
            envelopes: self.peers[RELAY].store.clone(),
            ..Restored::default()
        };
        self.peers[RELAY].engine = Some(open_with(SEEDS[RELAY], restored, change));
        for other in people {
            self.connect(RELAY, other);
        }
        self.pass(Duration::from_secs(30));
    }

    /// Alice makes one more Space and lets the relay keep it.
    pub(crate) fn found_another(&mut self) -> SpaceId {
        let write = WriteId(self.number());
        let founding = Input::CreateSpace {
            write,
            anchor: None,
            principal: PrincipalId::from_bytes([SEEDS[ALICE]; 16]),
            end: minute(1_000_000),
        };
        self.handle(ALICE, founding);
        self.settle();
        let space = self.written(ALICE, write).unwrap().space;
        let first = std::mem::replace(&mut self.space, space);
        self.grant(RELAY, Capability::Relay, GrantFlags::NONE, 1_000_000);
        self.space = first;
        space
    }

    /// The attacker's keys as somebody who signs by hand; it is connected to bob and the relay.
    pub(crate) fn attacker(&mut self) -> Actor {
        for other in [BOB, RELAY] {
            if !self.lines.values().any(|line| *line == [MALLORY, other]) {
                self.connect(MALLORY, other);
            }
        }
        Actor::new(keys(SEEDS[MALLORY]), 500)
    }

    /// A member whom alice lets relay carries for the attacker from now on.
    pub(crate) fn let_in_to_relay(&mut self) {
        self.carrier = true;
        drop(self.attacker());
        let grant = self.statement_to(keys(CARRIER_SEED).public(), Capability::Relay, 1_000_000);
        self.say(ALICE, Statement::Grant(grant));
        self.pass(Duration::from_secs(15));
        let lines: Vec<_> = self.lines.values().copied().collect();
        for [a, b] in lines.into_iter().filter(|line| line[0] == MALLORY) {
            self.disconnect(a, b);
            self.connect(a, b);
        }
    }

    /// Alice lets a key write until a minute.
    pub(crate) fn grant_key(&mut self, to: &DeviceKeys, end: i64) -> EnvelopeId {
        let grant = self.statement_to(to.public(), Capability::Write, end);
        self.say(ALICE, Statement::Grant(grant))
    }

    /// Alice lets a key administer until a minute.
    pub(crate) fn administrator(&mut self, to: &DeviceKeys, end: i64) -> EnvelopeId {
        let grant = self.statement_to(to.public(), Capability::Administer, end);
        self.say(ALICE, Statement::Grant(grant))
    }

    /// Who is behind a key.
    pub(crate) fn principal_of(&self, key: &DeviceKeys) -> PrincipalId {
        let members = self.engine(ALICE).members(self.space).iter();
        let mut found = members.filter(|member| member.author == key.author());
        found.next().map_or(PrincipalId::ZERO, |it| it.principal)
    }

    /// The grant of a key.
    pub(crate) fn grant_named(&self, to: &DeviceKeys) -> EnvelopeId {
        let evaluation = self.engine(BOB).evaluation(self.space).unwrap();
        evaluation.best_grant(to.author(), self.now).unwrap()
    }

    /// Cuts that leave everything that bob has.
    pub(crate) fn heads(&self) -> Vec<Cut> {
        let log = self.engine(BOB).log(self.space).unwrap();
        log.heads()
            .map(|(chain, seq, id)| Cut { chain, seq, id })
            .collect()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn engine(&self, at: usize) -> &Engine {
        self.peers[at].engine.as_ref().unwrap()
    }

    pub(crate) fn handle(&mut self, at: usize, input: Input) {
        let now = self.now;
        if let Some(engine) = &mut self.peers[at].engine {
            engine.handle(now, input);
        }
    }

    /// Connects two peers; one without an engine greets by hand.
    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        let connection = ConnectionId(self.number());
        self.lines.insert(connection, [a, b]);
        for (at, other) in [(a, b), (b, a)] {
            let peer = self.peers[other].keys.author();
            let mut authors = BTreeSet::from([peer]);
            if other == MALLORY && self.carrier {
                authors.insert(keys(CARRIER_SEED).author());
            }
            self.handle(
                at,
                Input::Connected {
                    connection,
                    peer,
                    authors,
                },
            );
        }
        if self.peers[a].engine.is_none() {
            let hello = (1_u16, StoreEpoch(77), 0_u64);
            self.send_frame(a, b, 0, &hello);
        }
        self.settle();
    }

    pub(crate) fn disconnect(&mut self, a: usize, b: usize) {
        let ended: Vec<_> = self
            .lines
            .iter()
            .filter(|(_id, line)| line.contains(&a) && line.contains(&b))
            .map(|(id, line)| (*id, *line))
            .collect();
        for (connection, line) in ended {
            self.lines.remove(&connection);
            for at in line {
                self.handle(at, Input::Disconnected { connection });
            }
        }
        self.settle();
    }

    pub(crate) fn line(&self, a: usize, b: usize) -> Option<ConnectionId> {
        let found = self.lines.iter().find(|(_id, line)| **line == [a, b]);
        found.map(|(id, _line)| *id)
    }

    fn follow(&mut self, at: usize) {
        let write = WriteId(self.number());
        let space = self.space;
        self.handle(
            at,
            Input::Join {
                write,
                space,
                invitation: None,
            },
        );
        self.settle();
    }

    /// Says a frame of a kind by hand, from the attacker.
    pub(crate) fn send_frame<T: serde::Serialize>(
        &mut self,
        from: usize,
        to: usize,
        kind: u8,
        body: &T,
    ) {
        let mut frame = vec![kind];
        frame.extend(postcard::to_stdvec(body).unwrap());
        self.send_bytes(from, to, frame);
    }

    pub(crate) fn send_bytes(&mut self, from: usize, to: usize, frame: Vec<u8>) {
        if let Some(connection) = self.line(from, to) {
            self.handle(to, Input::Received { connection, frame });
            self.settle();
        }
    }

    /// The attacker hands envelopes to an honest peer.
    pub(crate) fn inject_raw(&mut self, to: usize, envelopes: Vec<RawEnvelope>) {
        let number = self.number();
        let body = (self.space, number, 0_u64, 0_u64, envelopes);
        self.send_frame(MALLORY, to, 4, &body);
    }

    pub(crate) fn inject(&mut self, to: usize, envelopes: &[&Envelope]) {
        let raw = envelopes.iter().map(|it| it.raw().clone()).collect();
        self.inject_raw(to, raw);
    }

    /// The attacker hands envelopes to bob; everyone exchanges for half a minute.
    pub(crate) fn spread(&mut self, envelopes: &[&Envelope]) {
        self.inject(BOB, envelopes);
        self.pass(Duration::from_secs(30));
    }

    /// Does all that engines ask for, until they ask for nothing.
    pub(crate) fn settle(&mut self) {
        for _event in 0..EVENTS_MAX {
            let next = (0..self.peers.len()).find_map(|at| {
                let engine = self.peers[at].engine.as_mut()?;
                engine.poll_output().map(|output| (at, output))
            });
            let Some((at, output)) = next else { return };
            self.carry_out(at, output);
        }
        panic!("the engines never come to rest");
    }

    fn carry_out(&mut self, at: usize, output: Output) {
        match output {
            Output::Send { connection, frame } => {
                self.deliver(at, connection, frame, |connection, frame| Input::Received {
                    connection,
                    frame,
                });
            }
            Output::SendDatagram { connection, bytes } => {
                self.deliver(at, connection, bytes, |connection, bytes| Input::Datagram {
                    connection,
                    bytes,
                });
            }
            Output::Commit { batch, operations } => {
                for operation in operations {
                    self.peers[at].keep(operation);
                }
                let result = Ok(());
                self.handle(at, Input::Committed { batch, result });
            }
            Output::Load { request, ids, .. } => {
                let store = &self.peers[at].store;
                let raw = |id: &EnvelopeId| {
                    let found = store.iter().find(|it| it.envelope.id() == *id);
                    found.map(|it| it.envelope.raw().clone())
                };
                let envelopes = ids.iter().filter_map(raw).collect();
                self.handle(at, Input::Loaded { request, envelopes });
            }
            Output::Verify { request, envelopes } => {
                let envelopes = envelopes.into_iter().map(RawEnvelope::verify).collect();
                self.handle(at, Input::Verified { request, envelopes });
            }
            Output::Close { connection, .. } => {
                if let Some(line) = self.lines.remove(&connection) {
                    for other in line {
                        self.handle(other, Input::Disconnected { connection });
                    }
                }
            }
            Output::Written { write, result } => {
                self.peers[at].written.insert(write, result);
            }
            Output::Event(Event::Refused { id, reason, .. }) => {
                self.peers[at].refused.push((id, reason));
            }
            Output::Event(Event::Snapshot {
                id,
                author,
                finding,
                ..
            }) => {
                let told = (author, id, finding.to_string());
                self.peers[at].snapshots.push(told);
            }
            Output::Event(Event::Ephemeral { bytes, .. }) => self.peers[at].whispers.push(bytes),
            Output::Event(Event::NewInstance { .. }) => self.peers[at].instances += 1,
            _ => {}
        }
    }

    fn deliver(
        &mut self,
        from: usize,
        connection: ConnectionId,
        bytes: Vec<u8>,
        input: impl FnOnce(ConnectionId, Vec<u8>) -> Input,
    ) {
        let Some(line) = self.lines.get(&connection) else {
            return;
        };
        let to = if line[0] == from { line[1] } else { line[0] };
        if self.peers[to].engine.is_some() {
            self.handle(to, input(connection, bytes));
        } else {
            self.peers[to].inbox.push(bytes);
        }
    }

    /// Time passes and timers ring.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        loop {
            let next = (0..self.peers.len())
                .filter_map(|at| {
                    let engine = self.peers[at].engine.as_ref()?;
                    Some((engine.next_deadline()?, at))
                })
                .min();
            let Some((then, at)) = next.filter(|(then, _at)| *then <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(then);
            self.handle(at, Input::Timeout);
            self.settle();
        }
    }

    /// It becomes that minute; then everyone has a minute and a half to exchange and witness.
    pub(crate) fn at(&mut self, at: i64) {
        self.now = self.now.max(minute(at));
        for peer in HONEST {
            self.handle(peer, Input::Timeout);
        }
        self.settle();
        self.pass(Duration::from_secs(90));
    }

    pub(crate) fn written(&self, at: usize, write: WriteId) -> Result<Written, WriteError> {
        self.peers[at].written[&write].clone()
    }

    pub(crate) fn try_write(&mut self, at: usize, text: &str) -> Result<Written, WriteError> {
        self.write_body(at, note(), changes(text))
    }

    /// A peer writes any body in any document.
    pub(crate) fn write_body(
        &mut self,
        at: usize,
        document: DocumentId,
        body: Body,
    ) -> Result<Written, WriteError> {
        let write = WriteId(self.number());
        let space = self.space;
        self.handle(
            at,
            Input::Write {
                write,
                space,
                document,
                body,
                made_in: None,
            },
        );
        self.settle();
        self.written(at, write)
    }

    pub(crate) fn write(&mut self, at: usize, text: &str) -> EnvelopeId {
        self.try_write(at, text).unwrap().id
    }

    pub(crate) fn say(&mut self, at: usize, statement: Statement) -> EnvelopeId {
        let write = WriteId(self.number());
        let space = self.space;
        self.handle(
            at,
            Input::WriteControl {
                write,
                space,
                statement,
            },
        );
        self.settle();
        self.written(at, write).unwrap().id
    }

    /// Alice lets somebody in until a minute.
    pub(crate) fn grant(
        &mut self,
        to: usize,
        capability: Capability,
        flags: GrantFlags,
        end: i64,
    ) -> EnvelopeId {
        let keys = self.peers[to].keys.public();
        let mut grant = self.statement_to(keys, capability, end);
        grant.flags = flags;
        self.say(ALICE, Statement::Grant(grant))
    }

    fn statement_to(&self, to: PublicKeys, capability: Capability, end: i64) -> Grant {
        let mut principal = [0; 16];
        principal.copy_from_slice(&to.author.as_bytes()[..16]);
        Grant {
            audience: Audience::Author(to.author),
            box_key: to.box_key,
            principal: PrincipalId::from_bytes(principal),
            capability,
            flags: GrantFlags::NONE,
            not_before: minute(-5),
            end: minute(end),
            depth_left: 2,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: self.engine(ALICE).best_grant(self.space),
        }
    }

    /// The newest epoch that somebody can open.
    pub(crate) fn epoch(&self, keys: &DeviceKeys) -> (EnvelopeId, EpochKey) {
        let engine = self.engine(ALICE);
        let log = engine.log(self.space).unwrap();
        let mut ring = Keyring::default();
        ring.learn(log, keys, &BTreeMap::new());
        let evaluation = engine.evaluation(self.space).unwrap();
        let (id, key) = ring.in_force(log, evaluation).unwrap();
        (id, key.clone())
    }

    /// What an honest peer shows of the note, in order.
    pub(crate) fn shown(&self, at: usize) -> Vec<String> {
        let engine = self.engine(at);
        let admitted = engine.admitted(self.space, note());
        let opened = admitted
            .into_iter()
            .filter_map(|entry| match self.body(at, entry.id)? {
                Body::Changes(changes) => Some(changes),
                _ => None,
            });
        opened
            .flatten()
            .map(|change| String::from_utf8(change.into_vec()).unwrap())
            .collect()
    }

    /// A body as an honest peer reads it: out of its seal, or out of the snapshot that holds it.
    pub(crate) fn body(&self, at: usize, id: EnvelopeId) -> Option<Body> {
        let (engine, peer) = (self.engine(at), &self.peers[at]);
        let envelope = peer.stored(id)?;
        if envelope.body().is_some() {
            return engine.open_body(self.space, envelope);
        }
        let snapshot = peer.stored(engine.covered_by(self.space, id)?)?;
        let keyring = engine.keyring(self.space)?;
        let key = keyring.get(envelope.header().epoch)?;
        let wanted = |listed| (listed == id).then_some((envelope.header(), key));
        let outer = keyring.get(snapshot.header().epoch)?;
        wanted_bodies(snapshot, outer, wanted).ok()?.remove(&id)
    }

    pub(crate) fn shows(&self, at: usize, text: &str) -> bool {
        self.shown(at).iter().any(|shown| shown == text)
    }

    pub(crate) fn verdict(&self, at: usize, id: EnvelopeId) -> Verdict {
        self.engine(at).evaluation(self.space).unwrap().verdict(id)
    }

    /// The one verdict of all honest peers, who hold the same.
    pub(crate) fn agreed(&self, id: EnvelopeId) -> Verdict {
        let verdict = self.verdict(ALICE, id);
        let digest = self.digest(ALICE);
        for at in HONEST {
            assert_eq!(self.digest(at), digest, "peer {at} holds something else");
            assert_eq!(self.verdict(at, id), verdict, "peer {at} judges otherwise");
        }
        verdict
    }

    /// Everybody who looks is told that an envelope counts for nothing, by its id and with the verdict of all.
    pub(crate) fn told_of(&self, id: EnvelopeId) {
        let verdict = self.agreed(id);
        assert!(!verdict.counts(), "{verdict:?}");
        for at in HONEST {
            let told = self.engine(at).not_counting(self.space);
            let is_told = told
                .iter()
                .any(|it| it.verdict == verdict && it.newest.contains(&id));
            assert!(is_told, "peer {at} says nothing of it: {told:?}");
        }
    }

    /// Nobody stored it, and honest work goes on.
    pub(crate) fn nobody_has(&mut self, id: EnvelopeId) {
        for at in HONEST {
            let log = self.engine(at).log(self.space).unwrap();
            assert!(!log.contains(id), "peer {at} stored it");
        }
        self.goes_on();
    }

    /// What honest peers answered the attacker about an envelope.
    pub(crate) fn answers(&self, at: usize, id: &EnvelopeId) -> Vec<Refusal> {
        let inbox = self.peers[at].inbox.iter();
        let answers = inbox.filter(|frame| frame.first() == Some(&5));
        answers
            .filter_map(|frame| {
                postcard::from_bytes::<(u64, Vec<(EnvelopeId, Refusal)>)>(&frame[1..]).ok()
            })
            .flat_map(|(_number, refused)| refused)
            .filter(|(refused, _reason)| refused == id)
            .map(|(_id, reason)| reason)
            .collect()
    }

    /// What bob writes now reaches everyone who reads.
    pub(crate) fn goes_on(&mut self) {
        self.write(BOB, "life goes on");
        self.pass(Duration::from_secs(15));
        for at in [ALICE, BOB, RITA] {
            assert!(self.shows(at, "life goes on"), "peer {at} is stuck");
        }
    }

    pub(crate) fn digest(&self, at: usize) -> [u8; 32] {
        self.engine(at).log(self.space).unwrap().digest()
    }

    /// How many envelopes a peer holds.
    pub(crate) fn count(&self, at: usize) -> usize {
        self.engine(at).log(self.space).unwrap().len()
    }

    /// What a key may do by bob's evaluation.
    pub(crate) fn capability(&self, of: &DeviceKeys) -> Option<Capability> {
        self.evaluation(BOB).capability(of.author(), self.now)
    }

    pub(crate) fn evaluation(&self, at: usize) -> &Evaluation {
        self.engine(at).evaluation(self.space).unwrap()
    }

    /// The grant under which a peer acts.
    pub(crate) fn grant_of(&self, at: usize) -> EnvelopeId {
        self.engine(at).best_grant(self.space).unwrap()
    }
}

impl Peer {
    pub(crate) fn stored(&self, id: EnvelopeId) -> Option<&Envelope> {
        let mut stored = self.store.iter();
        let found = stored.find(|it| it.envelope.id() == id);
        found.map(|it| &it.envelope)
    }

    fn keep(&mut self, operation: StoreOperation) {
        match operation {
            StoreOperation::Put {
                envelope, received, ..
            } => {
                let envelope = Arc::unwrap_or_clone(envelope);
                self.store.push(Stored { envelope, received });
            }
            StoreOperation::PutBody { id, body, .. } => {
                let mut stored = self.store.iter_mut();
                let found = stored.find(|it| it.envelope.id() == id);
                found.unwrap().envelope.attach_body(body).unwrap();
            }
            _ => {}
        }
    }
}

fn peer(seed: u8) -> Peer {
    let index = usize::from(seed) - 1;
    Peer {
        keys: keys(seed),
        engine: (index != MALLORY).then(|| open(seed, Restored::default())),
        store: Vec::new(),
        written: BTreeMap::new(),
        refused: Vec::new(),
        snapshots: Vec::new(),
        whispers: Vec::new(),
        instances: 0,
        inbox: Vec::new(),
    }
}

/// An engine on what a store held.
pub(crate) fn open(seed: u8, restored: Restored) -> Engine {
    open_with(seed, restored, |_options| {})
}

fn open_with(seed: u8, restored: Restored, change: impl FnOnce(&mut EngineOptions)) -> Engine {
    let number = u64::from(seed);
    let entropy = [seed.wrapping_add(100); 32];
    let mut options = EngineOptions::new(
        keys(seed),
        Instance(number),
        StoreEpoch(1_000 + number),
        entropy,
    );
    if usize::from(seed) - 1 == RELAY {
        options.role = Role::Relay(Quotas::default());
    }
    change(&mut options);
    Engine::open(options, minute(0), restored)
}

/// Where people write.
pub(crate) fn note() -> DocumentId {
    DocumentId::named("note/1")
}

pub(crate) fn changes(text: &str) -> Body {
    Body::Changes(vec![ByteBuf::from(text.as_bytes())])
}
