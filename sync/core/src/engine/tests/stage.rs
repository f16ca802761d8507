//! A few engines with a disk each, joined by lines; nothing happens between them but in [`Stage::play`].

use std::sync::Arc;
use std::time::Duration;

use serde_bytes::ByteBuf;

use crate::admission::wanted_bodies;
use crate::engine::*;
use crate::envelope::RawEnvelope;
use crate::id::{DocumentId, EnvelopeId, PrincipalId};
use crate::invitation::Invitation;
use crate::statement::{Audience, Body, Capability, Grant, GrantFlags, Statement};

/// When every play begins.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// What is durable.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pub(super) envelopes: Vec<Stored>,
    pub(super) ids: BTreeMap<EnvelopeId, usize>,
    pub(super) cursors: BTreeMap<(AuthorId, SpaceId), StoredCursor>,
    pub(super) counters: BTreeMap<(SpaceId, Chain), StoredCounter>,
    pub(super) follows: BTreeMap<SpaceId, Option<SecretSeed>>,
    pub(super) covered: BTreeMap<EnvelopeId, EnvelopeId>,
    pub(super) commits: usize,
    instance: Option<Instance>,
    life: u64,
}

impl Disk {
    pub(super) fn apply(&mut self, operations: Vec<StoreOperation>) {
        self.commits += 1;
        for operation in operations {
            match operation {
                StoreOperation::Put {
                    envelope, received, ..
                } => {
                    if !self.ids.contains_key(&envelope.id()) {
                        self.ids.insert(envelope.id(), self.envelopes.len());
                        let envelope = Arc::unwrap_or_clone(envelope);
                        self.envelopes.push(Stored { envelope, received });
                    }
                }
                StoreOperation::PutBody { id, body, .. } => {
                    let at = self.ids[&id];
                    self.envelopes[at].envelope.attach_body(body).unwrap();
                    self.covered.remove(&id);
                }
                StoreOperation::Cover { by, ids, .. } => {
                    let body = self.envelopes[self.ids[&by]].envelope.body();
                    assert!(body.is_some(), "covered by a snapshot that is not here");
                    for id in ids {
                        self.drop_body(id);
                        self.covered.insert(id, by);
                    }
                }
                StoreOperation::PutCursor(it) => {
                    self.cursors.insert((it.peer, it.space), it);
                }
                StoreOperation::PutCounter(it) => {
                    self.counters.insert((it.space, it.chain), it);
                }
                StoreOperation::Follow { space, invitation } => {
                    self.follows.insert(space, invitation);
                }
                StoreOperation::Unfollow { space } => {
                    self.follows.remove(&space);
                }
                StoreOperation::SetInstance(instance) => self.instance = Some(instance),
            }
        }
    }

    fn drop_body(&mut self, id: EnvelopeId) {
        let stored = &mut self.envelopes[self.ids[&id]];
        let mut raw = stored.envelope.raw().clone();
        raw.body = None;
        stored.envelope = raw.recall().unwrap();
    }

    /// The body of a stored envelope, out of its seal or out of the snapshot that holds it.
    pub(super) fn read(&self, engine: &Engine, space: SpaceId, id: EnvelopeId) -> Option<Body> {
        let envelope = &self.envelopes[*self.ids.get(&id)?].envelope;
        if envelope.body().is_some() {
            return engine.open_body(space, envelope);
        }
        let by = engine.covered_by(space, id)?;
        assert_eq!(self.covered.get(&id), Some(&by));
        let snapshot = &self.envelopes[self.ids[&by]].envelope;
        let keyring = engine.keyring(space)?;
        let key = keyring.get(envelope.header().epoch)?;
        let wanted = |listed| (listed == id).then_some((envelope.header(), key));
        let outer = keyring.get(snapshot.header().epoch)?;
        wanted_bodies(snapshot, outer, wanted).ok()?.remove(&id)
    }

    pub(super) fn load(&self, ids: &[EnvelopeId]) -> Vec<RawEnvelope> {
        ids.iter()
            .filter_map(|id| self.ids.get(id))
            .map(|at| self.envelopes[*at].envelope.raw().clone())
            .collect()
    }

    /// Content that is here without its body.
    pub(super) fn bodiless(&self) -> Vec<(SpaceId, EnvelopeId)> {
        let bodiless = self.envelopes.iter().map(|it| &it.envelope);
        bodiless
            .filter(|it| it.body().is_none() && !self.covered.contains_key(&it.id()))
            .map(|it| (it.header().space, it.id()))
            .collect()
    }

    fn covered(&self) -> Vec<(SpaceId, EnvelopeId, EnvelopeId)> {
        let covered = self.covered.iter();
        let space = |id| self.envelopes[self.ids[id]].envelope.header().space;
        covered.map(|(id, by)| (space(id), *id, *by)).collect()
    }

    pub(super) fn restored(&self) -> Restored {
        Restored {
            envelopes: self.envelopes.clone(),
            bodiless: self.bodiless(),
            covered: self.covered(),
            cursors: self.cursors.values().cloned().collect(),
            counters: self.counters.values().copied().collect(),
            follows: self
                .follows
                .iter()
                .map(|(space, seed)| (*space, seed.clone()))
                .collect(),
            ended: Vec::new(),
        }
    }
}

/// How a disk answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    Full,
    /// Commits wait in [`Peer::waiting`].
    Stuck,
}

/// An engine, its disk, and everything that came out of it.
pub(super) struct Peer {
    pub(super) seed: u8,
    role: Role,
    lives: u64,
    pub(super) engine: Engine,
    pub(super) disk: Disk,
    pub(super) mood: Mood,
    pub(super) waiting: VecDeque<(BatchId, Vec<StoreOperation>)>,
    pub(super) written: Vec<Result<Written, WriteError>>,
    pub(super) taken: Vec<Result<Taken, WriteError>>,
    pub(super) events: Vec<Event>,
    pub(super) sent: Vec<(ConnectionId, Vec<u8>)>,
    pub(super) datagrams: Vec<(ConnectionId, Vec<u8>)>,
    pub(super) closed: Vec<CloseReason>,
    /// Checks wait in [`Peer::checked`] while this is set.
    pub(super) checks_late: bool,
    pub(super) checked: Vec<Input>,
    /// How far its clock is ahead of the others'.
    pub(super) ahead: Duration,
}

fn open(seed: u8, role: Role, lives: u64, now: Timestamp, disk: &Disk) -> Engine {
    let keys = DeviceKeys::from_seed([seed; 32]);
    let entropy = [seed.wrapping_add(100).wrapping_add(lives.to_le_bytes()[0]); 32];
    let mut options = EngineOptions::new(
        keys,
        disk.instance.unwrap_or(Instance(u64::from(seed))),
        StoreEpoch(u64::from(seed) + 1_000 * disk.life),
        entropy,
    );
    options.role = role;
    Engine::open(options, now, disk.restored())
}

impl Peer {
    fn new(seed: u8, role: Role, now: Timestamp) -> Self {
        let disk = Disk::default();
        Self {
            seed,
            role,
            lives: 0,
            engine: open(seed, role, 0, now, &disk),
            disk,
            mood: Mood::Works,
            waiting: VecDeque::new(),
            written: Vec::new(),
            taken: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            datagrams: Vec::new(),
            closed: Vec::new(),
            checks_late: false,
            checked: Vec::new(),
            ahead: Duration::ZERO,
        }
    }

    /// The ephemeral messages that were heard.
    pub(super) fn heard(&self) -> Vec<Vec<u8>> {
        let heard = self.events.iter().filter_map(|event| match event {
            Event::Ephemeral { bytes, .. } => Some(bytes.clone()),
            _ => None,
        });
        heard.collect()
    }

    /// Frames that were sent, read.
    pub(super) fn frames(&self) -> Vec<frame::Frame> {
        let frames = self.sent.iter();
        frames
            .map(|(_connection, bytes)| frame::Frame::decode(bytes).unwrap())
            .collect()
    }
}

/// Engines and the lines between them.
pub(super) struct Stage {
    pub(super) now: Timestamp,
    pub(super) peers: Vec<Peer>,
    lines: BTreeMap<ConnectionId, (usize, ConnectionId)>,
    next_connection: u64,
    next_write: u64,
    under_way: VecDeque<(usize, Input)>,
    /// Frames in either direction are lost while this is set.
    pub(super) lossy: bool,
}

impl Stage {
    /// Members, then relays.
    pub(super) fn new(members: u8, relays: u8) -> Self {
        let role = |seed| {
            if seed <= members {
                Role::Member
            } else {
                Role::Relay(Quotas::default())
            }
        };
        let peers = (1..=members + relays).map(|seed| Peer::new(seed, role(seed), NOW));
        Self {
            now: NOW,
            peers: peers.collect(),
            lines: BTreeMap::new(),
            next_connection: 1,
            next_write: 1,
            under_way: VecDeque::new(),
            lossy: false,
        }
    }

    /// Everyone in one Space of the first peer, connected to it.
    pub(super) fn gathered(members: u8, relays: u8) -> (Self, SpaceId) {
        let mut stage = Self::new(members, relays);
        let space = stage.found();
        for peer in 1..stage.peers.len() {
            stage.let_in(space, peer);
            stage.connect(0, peer);
        }
        stage.play();
        (stage, space)
    }

    /// One more member, who knows nobody.
    pub(super) fn add_member(&mut self) {
        let seed = u8::try_from(self.peers.len() + 1).unwrap();
        self.peers.push(Peer::new(seed, Role::Member, self.now));
    }

    /// Bytes as a frame and as a datagram on a new line, which is gone afterwards.
    pub(super) fn shout(&mut self, from: usize, to: usize, bytes: &[u8]) {
        let (here, connection) = self.connect(from, to);
        self.play();
        let frame = bytes.to_vec();
        self.tell(to, Input::Received { connection, frame });
        let bytes = bytes.to_vec();
        self.tell(to, Input::Datagram { connection, bytes });
        self.tear(connection);
        self.tell(to, Input::Disconnected { connection });
        let connection = here;
        self.tell(from, Input::Disconnected { connection });
    }

    pub(super) fn author(&self, peer: usize) -> AuthorId {
        self.peers[peer].engine.author()
    }

    pub(super) fn write_id(&mut self) -> WriteId {
        self.next_write += 1;
        WriteId(self.next_write)
    }

    /// The first peer makes a Space.
    pub(super) fn found(&mut self) -> SpaceId {
        let write = self.write_id();
        let input = Input::CreateSpace {
            write,
            anchor: None,
            principal: PrincipalId::from_bytes([1; 16]),
            end: Timestamp::MAX,
        };
        self.tell(0, input);
        let written = self.peers[0].written.last().unwrap();
        written.as_ref().unwrap().space
    }

    /// The first peer grants another access for a day.
    pub(super) fn let_in(&mut self, space: SpaceId, peer: usize) {
        let capability = match self.peers[peer].role {
            Role::Member => Capability::Write,
            Role::Relay(_) => Capability::Relay,
        };
        self.let_in_as(space, peer, capability);
    }

    pub(super) fn let_in_as(&mut self, space: SpaceId, peer: usize, capability: Capability) {
        self.let_in_from(space, peer, (capability, Timestamp::ZERO));
    }

    /// The same from a time on.
    pub(super) fn let_in_from(
        &mut self,
        space: SpaceId,
        peer: usize,
        (capability, begin): (Capability, Timestamp),
    ) {
        let keys = DeviceKeys::from_seed([self.peers[peer].seed; 32]);
        let grant = Grant {
            audience: Audience::Author(keys.author()),
            box_key: keys.box_public(),
            principal: PrincipalId::from_bytes([self.peers[peer].seed; 16]),
            capability,
            flags: GrantFlags::NONE,
            not_before: begin,
            end: self.now.plus(DAY),
            depth_left: 0,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: self.peers[0].engine.best_grant(space),
        };
        self.state(0, space, Statement::Grant(grant));
        self.play();
        if self.peers[peer].role == Role::Member {
            let write = self.write_id();
            let join = Input::Join {
                write,
                space,
                invitation: None,
            };
            self.tell(peer, join);
        }
    }

    /// A peer uses a code.
    pub(super) fn join(&mut self, peer: usize, invitation: &Invitation) {
        let write = self.write_id();
        let input = Input::Join {
            write,
            space: invitation.space,
            invitation: Some(Box::new(invitation.keys())),
        };
        self.tell(peer, input);
    }

    pub(super) fn state(&mut self, peer: usize, space: SpaceId, statement: Statement) {
        let write = self.write_id();
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.tell(peer, input);
    }

    pub(super) fn change(&mut self, peer: usize, space: SpaceId, text: &[u8]) {
        let document = DocumentId::named("system");
        self.change_in(peer, space, document, text);
    }

    pub(super) fn change_in(
        &mut self,
        peer: usize,
        space: SpaceId,
        document: DocumentId,
        text: &[u8],
    ) {
        let write = self.write_id();
        let body = Body::Changes(vec![ByteBuf::from(text)]);
        let input = Input::Write {
            write,
            space,
            document,
            body,
            made_in: None,
        };
        self.tell(peer, input);
    }

    pub(super) fn whisper(&mut self, peer: usize, space: SpaceId, bytes: &[u8]) {
        self.whisper_about(peer, (space, "system"), bytes);
    }

    /// The same about a document of this name.
    pub(super) fn whisper_about(
        &mut self,
        peer: usize,
        (space, document): (SpaceId, &str),
        bytes: &[u8],
    ) {
        let input = Input::SendEphemeral {
            space,
            document: DocumentId::named(document),
            bytes: bytes.to_vec(),
        };
        self.tell(peer, input);
    }

    /// A line between two peers; gives the numbers that each has for it.
    pub(super) fn connect(&mut self, a: usize, b: usize) -> (ConnectionId, ConnectionId) {
        self.connect_with(a, b, &[])
    }

    /// The same; the second proves these keys besides its own.
    pub(super) fn connect_with(
        &mut self,
        a: usize,
        b: usize,
        proven: &[AuthorId],
    ) -> (ConnectionId, ConnectionId) {
        let (at_a, at_b) = (
            ConnectionId(self.next_connection),
            ConnectionId(self.next_connection + 1),
        );
        self.next_connection += 2;
        self.lines.insert(at_a, (b, at_b));
        self.lines.insert(at_b, (a, at_a));
        for (peer, other, connection) in [(a, b, at_a), (b, a, at_b)] {
            let input = Input::Connected {
                connection,
                peer: self.author(other),
                authors: if peer == a {
                    proven.iter().copied().collect()
                } else {
                    BTreeSet::new()
                },
            };
            self.under_way.push_back((peer, input));
        }
        (at_a, at_b)
    }

    /// Everything that goes over a line is lost from now on, and nobody is told.
    pub(super) fn tear(&mut self, connection: ConnectionId) {
        if let Some((_peer, other)) = self.lines.remove(&connection) {
            self.lines.remove(&other);
        }
    }

    /// An input, and all that follows from it.
    pub(super) fn tell(&mut self, peer: usize, input: Input) {
        self.under_way.push_back((peer, input));
        self.play();
    }

    /// Plays until nothing is under way.
    pub(super) fn play(&mut self) {
        loop {
            for peer in 0..self.peers.len() {
                while let Some(output) = self.peers[peer].engine.poll_output() {
                    self.perform(peer, output);
                }
            }
            let Some((peer, input)) = self.under_way.pop_front() else {
                return;
            };
            let it = &mut self.peers[peer];
            it.engine.handle(self.now.plus(it.ahead), input);
        }
    }

    fn perform(&mut self, peer: usize, output: Output) {
        let it = &mut self.peers[peer];
        match output {
            Output::Send { connection, frame } => {
                it.sent.push((connection, frame.clone()));
                if let Some((to, connection)) = self.lines.get(&connection).copied()
                    && !self.lossy
                {
                    let input = Input::Received { connection, frame };
                    self.under_way.push_back((to, input));
                }
            }
            Output::SendDatagram { connection, bytes } => {
                it.datagrams.push((connection, bytes.clone()));
                if let Some((to, connection)) = self.lines.get(&connection).copied() {
                    let input = Input::Datagram { connection, bytes };
                    self.under_way.push_back((to, input));
                }
            }
            Output::Commit { batch, operations } => match it.mood {
                Mood::Works => self.commit(peer, batch, operations),
                Mood::Full => {
                    let result = Err(StoreFailure::Full);
                    let input = Input::Committed { batch, result };
                    self.under_way.push_back((peer, input));
                }
                Mood::Stuck => it.waiting.push_back((batch, operations)),
            },
            Output::Load { request, ids, .. } => {
                let envelopes = it.disk.load(&ids);
                let input = Input::Loaded { request, envelopes };
                self.under_way.push_back((peer, input));
            }
            Output::Verify { request, envelopes } => {
                let envelopes = envelopes.into_iter().map(RawEnvelope::verify).collect();
                let input = Input::Verified { request, envelopes };
                if it.checks_late {
                    it.checked.push(input);
                } else {
                    self.under_way.push_back((peer, input));
                }
            }
            Output::Close { reason, .. } => it.closed.push(reason),
            Output::Written { result, .. } => it.written.push(result),
            Output::Taken { result, .. } => it.taken.push(result),
            Output::Event(event) => it.events.push(event),
        }
    }

    fn commit(&mut self, peer: usize, batch: BatchId, operations: Vec<StoreOperation>) {
        self.peers[peer].disk.apply(operations);
        let result = Ok(());
        let input = Input::Committed { batch, result };
        self.under_way.push_back((peer, input));
    }

    /// A stuck disk makes one batch durable, and is stuck again.
    pub(super) fn commit_one(&mut self, peer: usize) -> bool {
        let Some((batch, operations)) = self.peers[peer].waiting.pop_front() else {
            return false;
        };
        self.commit(peer, batch, operations);
        self.play();
        true
    }

    /// A stuck disk works again: what waits becomes durable.
    pub(super) fn unstick(&mut self, peer: usize) {
        self.peers[peer].mood = Mood::Works;
        for (batch, operations) in std::mem::take(&mut self.peers[peer].waiting) {
            self.commit(peer, batch, operations);
        }
        self.play();
    }

    /// Time passes, second by second.
    pub(super) fn wait(&mut self, span: Duration) {
        self.play();
        let end = self.now.plus(span);
        while self.now < end {
            self.now = self.now.plus(Duration::from_secs(1));
            for peer in 0..self.peers.len() {
                let due = self.peers[peer].engine.next_deadline();
                let now = self.now.plus(self.peers[peer].ahead);
                if due.is_some_and(|due| due <= now) {
                    self.tell(peer, Input::Timeout);
                }
            }
        }
    }

    /// A peer's process ends and begins again with what its disk holds. Its lines are torn.
    pub(super) fn restart(&mut self, peer: usize) {
        let torn: Vec<_> = self
            .lines
            .iter()
            .filter(|(_id, (to, _other))| *to == peer)
            .map(|(id, _to)| *id)
            .collect();
        for line in torn {
            self.tear(line);
        }
        let it = &mut self.peers[peer];
        it.lives += 1;
        it.waiting.clear();
        let limits = it.engine.limits;
        it.engine = open(it.seed, it.role, it.lives, self.now, &it.disk);
        it.engine.limits = limits;
    }

    /// A peer's disk is replaced by an empty one of another life.
    pub(super) fn replace_disk(&mut self, peer: usize) {
        let it = &mut self.peers[peer];
        it.disk = Disk {
            life: it.disk.life + 1,
            ..Disk::default()
        };
        self.restart(peer);
    }

    pub(super) fn len(&self, peer: usize, space: SpaceId) -> usize {
        self.peers[peer]
            .engine
            .log(space)
            .map_or(0, crate::admission::SpaceLog::len)
    }

    /// Whether all hold the same.
    pub(super) fn agree(&self, space: SpaceId) -> bool {
        let mut digests = self
            .peers
            .iter()
            .map(|it| it.engine.log(space).map(crate::admission::SpaceLog::digest));
        let first = digests.next().flatten();
        first.is_some() && digests.all(|digest| digest == first)
    }
}
