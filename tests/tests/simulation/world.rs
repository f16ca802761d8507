//! One run: a relay, two members, a late guest and a reader who forges, over 45 seconds of trouble
//! and as many of peace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_sync_core::engine::{
    BatchId, ConnectionId, Engine, EngineOptions, Event, Input, Limits, LoadId, Mutant, Output,
    Quotas, Role, StoreEpoch, WriteId,
};
use aramaki_sync_core::envelope::RawEnvelope;
use aramaki_sync_core::invitation::{Draft, Invitee, Terms};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Audience, Body, Capability, Grant, GrantFlags, Statement};
use aramaki_sync_core::{
    Chain, DocumentId, Entropy, EnvelopeId, Instance, PrincipalId, SpaceId, Timestamp, codec,
};

use crate::byzantine;
use crate::disk::{Disk, Image};
use crate::invariants::{self, Violation};
use crate::network::{Agenda, Dice, Network};

pub(crate) const RELAY: usize = 0;
pub(crate) const FOUNDER: usize = 1;
pub(crate) const MEMBER: usize = 2;
pub(crate) const GUEST: usize = 3;
pub(crate) const FORGER: usize = 4;
const NODES: usize = 5;
const LINES: [(usize, usize); 6] = [(0, 1), (0, 2), (1, 2), (0, 3), (0, 4), (2, 4)];
/// Trouble ends here, and the run there; milliseconds.
pub(crate) const PEACE_MS: u64 = 45_000;
const END_MS: u64 = 90_000;
const LAST_MS: u64 = 120_000;
const START: i64 = 1_800_000_000_000;
/// The frame that says whether bodies are missing.
const SNAPSHOTS_KIND: u8 = 12;
const YEAR_MS: i64 = 365 * 86_400_000;
pub(crate) const WINDOW_BYTES: usize = 48 << 10;
/// So that every run writes some.
const SNAPSHOT_TAIL: usize = 4;
const SNAPSHOT_SETTLE: Duration = Duration::from_secs(2);
/// What every honest change is made of.
pub(crate) const HONEST_BYTE: u8 = 9;
const BODY_BYTES_MAX: u64 = 12 << 10;

pub(crate) enum Happening {
    Input {
        node: usize,
        life: u64,
        input: Input,
    },
    Timer {
        node: usize,
        life: u64,
        at: i64,
    },
    Synced {
        node: usize,
        life: u64,
        batch: BatchId,
    },
    Loaded {
        node: usize,
        life: u64,
        request: LoadId,
        ids: Vec<EnvelopeId>,
    },
    Write {
        node: usize,
    },
    Crash {
        node: usize,
    },
    Restart {
        node: usize,
    },
    Backup {
        node: usize,
    },
    Rollback {
        node: usize,
    },
    Part,
    Heal,
    Redial {
        line: (usize, usize),
    },
    Invite,
    Forge,
    /// A writer lists in a snapshot what nobody wrote.
    Lie {
        node: usize,
    },
    /// Sealed bodies that snapshots hold are deleted.
    Compact {
        node: usize,
    },
    Peace,
}

pub(crate) struct Node {
    seed: [u8; 32],
    pub(crate) keys: DeviceKeys,
    pub(crate) engine: Option<Engine>,
    pub(crate) life: u64,
    pub(crate) disk: Disk,
    skew: i64,
    sync_ms: u64,
    timer: Option<i64>,
    /// Set back without knowing: writes nothing before it could have learned of it.
    quiet_until: u64,
    /// The instance of the image that was put back; what is learned of it is kept once that is another.
    set_back_at: Option<Instance>,
}

enum Wish {
    Found,
    Change,
    Invite(Draft),
    Grant(Box<Grant>),
    Join,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) network: Network,
    agenda: Agenda<Happening>,
    mutant: Option<Mutant>,
    pub(crate) space: Option<SpaceId>,
    wishes: BTreeMap<(usize, WriteId), Wish>,
    next_write: u64,
    /// Acknowledged writes that must be everywhere in the end.
    pub(crate) acknowledged: BTreeSet<EnvelopeId>,
    /// Whose bodies only disks had that were set back: nobody can give them.
    pub(crate) lost: BTreeSet<EnvelopeId>,
    invited: Option<[u8; 32]>,
    pub(crate) trace: u64,
    pub(crate) events: u64,
}

impl World {
    fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0xA5A5);
        let nodes = (0..NODES)
            .map(|_number| {
                let seed = dice.bytes();
                let mut disk = Disk::default();
                disk.image = Image::new(dice.next() | 1, dice.next());
                Node {
                    seed,
                    keys: DeviceKeys::from_seed(seed),
                    engine: None,
                    life: 0,
                    disk,
                    skew: i64::try_from(dice.below(60_000)).unwrap_or(i64::MAX) - 30_000,
                    sync_ms: 1 + dice.below(40),
                    timer: None,
                    quiet_until: 0,
                    set_back_at: None,
                }
            })
            .collect();
        let network = Network::new(&mut dice);
        let mut world = Self {
            dice,
            now: 0,
            nodes,
            network,
            agenda: Agenda::default(),
            mutant,
            space: None,
            wishes: BTreeMap::new(),
            next_write: 0,
            acknowledged: BTreeSet::new(),
            lost: BTreeSet::new(),
            invited: None,
            trace: 0xcbf2_9ce4_8422_2325,
            events: 0,
        };
        // One member's disk is so slow that its peers run into their windows.
        if world.dice.chance(50) {
            world.nodes[MEMBER].sync_ms = 800 + world.dice.below(1_500);
        }
        world.plan();
        world
    }

    fn plan(&mut self) {
        for node in 0..NODES {
            self.open(node);
        }
        for line in LINES {
            let at = 1 + self.dice.below(300);
            if line.1 != GUEST {
                self.agenda.put(at, Happening::Redial { line });
            }
        }
        let founding = WriteId(0);
        self.next_write = 1;
        self.wishes.insert((FOUNDER, founding), Wish::Found);
        let input = Input::CreateSpace {
            write: founding,
            anchor: None,
            principal: PrincipalId::from_bytes([7; 16]),
            end: Timestamp::from_millis(START + YEAR_MS),
        };
        self.input_at(400, FOUNDER, input);
        for _ in 0..26 {
            let at = 1_500 + self.dice.below(PEACE_MS - 1_500);
            let node = [FOUNDER, FOUNDER, MEMBER, GUEST][self.choose(4)];
            self.agenda.put(at, Happening::Write { node });
        }
        for _ in 0..2 + self.dice.below(3) {
            let node = self.choose(4);
            let at = self.trouble();
            self.agenda.put(at, Happening::Crash { node });
        }
        for _ in 0..3 {
            let (part, heal) = (self.trouble(), self.trouble());
            self.agenda.put(part, Happening::Part);
            self.agenda.put(heal, Happening::Heal);
            let line = LINES[self.choose(LINES.len())];
            let at = self.trouble();
            self.agenda.put(at, Happening::Redial { line });
            let at = self.trouble();
            self.agenda.put(at, Happening::Forge);
            let node = [FOUNDER, MEMBER][self.choose(2)];
            let at = self.trouble();
            self.agenda.put(at, Happening::Lie { node });
            let node = [FOUNDER, MEMBER, GUEST][self.choose(3)];
            let at = self.trouble();
            self.agenda.put(at, Happening::Compact { node });
        }
        let node = [RELAY, MEMBER][self.choose(2)];
        let backup = 4_000 + self.dice.below(10_000);
        let rollback = backup + 8_000 + self.dice.below(15_000);
        self.agenda.put(backup, Happening::Backup { node });
        self.agenda.put(rollback, Happening::Rollback { node });
        let invite = 5_000 + self.dice.below(10_000);
        self.agenda.put(invite, Happening::Invite);
        self.agenda.put(PEACE_MS, Happening::Peace);
    }

    fn choose(&mut self, count: usize) -> usize {
        let bound = u64::try_from(count).unwrap_or(u64::MAX);
        usize::try_from(self.dice.below(bound)).unwrap_or(usize::MAX)
    }

    fn trouble(&mut self) -> u64 {
        3_000 + self.dice.below(PEACE_MS - 4_000)
    }

    fn input_at(&mut self, at: u64, node: usize, input: Input) {
        let life = self.nodes[node].life;
        self.agenda.put(at, Happening::Input { node, life, input });
    }

    pub(crate) fn clock(&self, node: usize) -> Timestamp {
        let elapsed = i64::try_from(self.now).unwrap_or(i64::MAX);
        Timestamp::from_millis(START + elapsed + self.nodes[node].skew)
    }

    fn open(&mut self, node: usize) {
        let seed = self.dice.bytes();
        let now = self.clock(node);
        let it = &mut self.nodes[node];
        let keys = DeviceKeys::from_seed(it.seed);
        let image = &it.disk.image;
        let mut options = EngineOptions::new(keys, image.instance, image.store_epoch, seed);
        options.limits = Limits {
            window_bytes: WINDOW_BYTES,
            snapshot_tail_max: SNAPSHOT_TAIL,
            snapshot_settle: SNAPSHOT_SETTLE,
            ..Limits::default()
        };
        if node == RELAY {
            options.role = Role::Relay(Quotas::default());
        }
        // The forger's own engine is honest, so that it gets everything that a reader may get.
        options.mutant = self.mutant.filter(|_mutant| node != FORGER);
        it.engine = Some(Engine::open(options, now, image.restored()));
        it.timer = None;
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        match happening {
            Happening::Input { node, life, input }
                if self.nodes[node].life == life || is_wish(&input) =>
            {
                if self.nodes[node].engine.is_none() {
                    let later = Happening::Input { node, life, input };
                    self.agenda.put(self.now + 500, later);
                    return Ok(());
                }
                let told = self.is_told_of_its_past(node, &input);
                self.handle(node, input)?;
                if told {
                    self.nodes[node].quiet_until = 0;
                    return self.write(node);
                }
            }
            Happening::Timer { node, life, at }
                if self.nodes[node].life == life && self.nodes[node].timer == Some(at) =>
            {
                self.nodes[node].timer = None;
                return self.handle(node, Input::Timeout);
            }
            Happening::Synced { node, life, batch } if self.nodes[node].life == life => {
                let full = self.now < PEACE_MS && self.dice.chance(3);
                if self.nodes[node].disk.sync(batch, !full) {
                    let failure = aramaki_sync_core::engine::StoreFailure::Full;
                    let result = if full { Err(failure) } else { Ok(()) };
                    return self.handle(node, Input::Committed { batch, result });
                }
            }
            Happening::Loaded {
                node,
                life,
                request,
                ids,
            } if self.nodes[node].life == life => {
                let envelopes = self.nodes[node].disk.image.load(&ids);
                return self.handle(node, Input::Loaded { request, envelopes });
            }
            Happening::Write { node } => return self.write(node),
            Happening::Crash { node } if self.now < PEACE_MS => self.crash(node),
            Happening::Restart { node } => self.restart(node),
            Happening::Backup { node } => {
                self.nodes[node].disk.backup = Some(self.nodes[node].disk.image.clone());
            }
            Happening::Rollback { node } => self.roll_back(node),
            Happening::Part if self.now < PEACE_MS => {
                for (a, b) in LINES {
                    if self.dice.chance(35) {
                        self.network.cut.insert((a, b));
                    }
                }
            }
            Happening::Heal => self.heal(),
            Happening::Redial { line } => self.connect(line),
            Happening::Invite => self.invite(),
            Happening::Forge => self.forge(),
            Happening::Lie { node } => return self.lie(node),
            Happening::Compact { node } => return self.compact(node),
            Happening::Peace => self.make_peace(),
            _past => {}
        }
        Ok(())
    }

    /// A member whose disk was set back hears the heads of a peer that has all of its chain: from
    /// now on it could know better.
    fn is_told_of_its_past(&self, node: usize, input: &Input) -> bool {
        let Input::Received { connection, frame } = input else {
            return false;
        };
        let (Some(space), Some(end)) = (self.space, self.network.ends.get(connection)) else {
            return false;
        };
        let it = &self.nodes[node];
        if it.quiet_until <= self.now || frame.first() != Some(&3) {
            return false;
        }
        let chain = Chain {
            author: it.keys.author(),
            instance: it.disk.image.instance,
        };
        let highest = |node: &Node| {
            let positions = node.disk.image.positions.get(&(space, chain));
            positions.and_then(|positions| positions.last().copied())
        };
        let elsewhere = self.nodes.iter().map(highest).max().flatten();
        highest(&self.nodes[end.peer]) == elsewhere
    }

    fn handle(&mut self, node: usize, input: Input) -> Result<(), Violation> {
        let now = self.clock(node);
        let hello = matches!(&input, Input::Received { frame, .. } if frame.first() == Some(&0));
        let Some(engine) = &mut self.nodes[node].engine else {
            return Ok(());
        };
        engine.handle(now, input);
        loop {
            let engine = self.nodes[node].engine.as_mut();
            let Some(output) = engine.and_then(Engine::poll_output) else {
                break;
            };
            self.perform(node, output)?;
        }
        if node != FORGER {
            invariants::queues_are_bounded(self, node)?;
            if hello || self.events.is_multiple_of(64) {
                invariants::receipts_are_true(self, node)?;
            }
        }
        self.set_timer(node);
        Ok(())
    }

    fn set_timer(&mut self, node: usize) {
        let life = self.nodes[node].life;
        let deadline = self.nodes[node]
            .engine
            .as_ref()
            .and_then(Engine::next_deadline);
        let Some(deadline) = deadline else {
            return;
        };
        let at = deadline.millis();
        if self.nodes[node].timer.is_some_and(|planned| planned <= at) {
            return;
        }
        self.nodes[node].timer = Some(at);
        let wait = u64::try_from(at - self.clock(node).millis())
            .unwrap_or(0)
            .max(1);
        self.agenda
            .put(self.now + wait, Happening::Timer { node, life, at });
    }

    fn note(&mut self, node: usize, what: u64) {
        let node = u64::try_from(node).unwrap_or(u64::MAX);
        self.trace =
            (self.trace ^ (self.now << 8) ^ node ^ (what << 32)).wrapping_mul(0x100_0000_01b3);
    }

    fn perform(&mut self, node: usize, output: Output) -> Result<(), Violation> {
        let life = self.nodes[node].life;
        match output {
            Output::Send { connection, frame } => {
                self.note(node, u64::try_from(frame.len()).unwrap_or(u64::MAX));
                self.transmit(connection, &frame);
            }
            Output::SendDatagram { .. } | Output::Close { .. } => {}
            Output::Commit { batch, operations } => {
                self.note(
                    node,
                    1 + u64::try_from(operations.len()).unwrap_or(u64::MAX),
                );
                self.nodes[node].disk.write(batch, operations);
                let at = self.now + 1 + self.dice.below(self.nodes[node].sync_ms);
                self.agenda.put(at, Happening::Synced { node, life, batch });
            }
            Output::Load { request, ids, .. } => {
                let at = self.now + 1 + self.dice.below(5);
                let loaded = Happening::Loaded {
                    node,
                    life,
                    request,
                    ids,
                };
                self.agenda.put(at, loaded);
            }
            Output::Verify { request, envelopes } => {
                // Later frames are often checked first.
                let at = self.now + 1 + (request.0 * 5) % 7;
                let envelopes = envelopes.into_iter().map(RawEnvelope::verify).collect();
                let input = Input::Verified { request, envelopes };
                self.agenda.put(at, Happening::Input { node, life, input });
            }
            Output::Written { write, result } => {
                let wish = self.wishes.remove(&(node, write));
                match (wish, result) {
                    (Some(Wish::Found), Ok(written)) => self.founded(written.space),
                    (Some(Wish::Change), Ok(written)) if node != FORGER => {
                        self.acknowledged.insert(written.id);
                        if self.now < PEACE_MS && self.dice.chance(15) {
                            let at = self.now + self.dice.below(30);
                            self.agenda.put(at, Happening::Crash { node });
                        }
                    }
                    (Some(Wish::Invite(draft)), Ok(written)) => {
                        let issued = draft.issued(written.space, written.id, Vec::new());
                        self.join_by(*issued.seed);
                    }
                    (Some(wish), Err(_store)) => self.wish_again(node, wish),
                    _other => {}
                }
            }
            Output::Event(Event::Admitted { entries, .. }) if node != FORGER => {
                invariants::nothing_forged(self, node, entries.iter().map(|it| it.chain.author))?;
            }
            _event => {}
        }
        Ok(())
    }

    fn transmit(&mut self, connection: ConnectionId, frame: &[u8]) {
        let Some(end) = self.network.ends.get_mut(&connection) else {
            return;
        };
        end.frames += 1;
        let first = end.frames == 1;
        let end = *end;
        let sender = self
            .network
            .ends
            .get(&end.peer_connection)
            .map(|it| it.peer);
        let line = Network::line(end.peer, sender.unwrap_or(end.peer));
        let trouble = self.now < PEACE_MS;
        // What is lost stands for a torn line. On a stream this one comes before what follows it.
        let lacking = frame.first() == Some(&SNAPSHOTS_KIND);
        if !lacking
            && (self.network.cut.contains(&line)
                || (trouble && !first && self.dice.chance(self.network.loss_percent)))
        {
            return;
        }
        let copies = 1 + u64::from(trouble && self.dice.chance(self.network.repeat_percent));
        for _copy in 0..copies {
            let delay = if first || lacking {
                1
            } else {
                2 + self.dice.below(self.network.delay_max)
            };
            let received = Happening::Input {
                node: end.peer,
                life: end.peer_life,
                input: Input::Received {
                    connection: end.peer_connection,
                    frame: frame.to_vec(),
                },
            };
            self.agenda.put(self.now + delay, received);
        }
    }

    fn connect(&mut self, (a, b): (usize, usize)) {
        let up = self.nodes[a].engine.is_some() && self.nodes[b].engine.is_some();
        if !up || self.network.cut.contains(&(a, b)) {
            return;
        }
        let lives = (self.nodes[a].life, self.nodes[b].life);
        let ((at_a, at_b), old) = self.network.connect((a, lives.0), (b, lives.1));
        for (node, peer, connection) in [(a, b, at_a), (b, a, at_b)] {
            let author = self.nodes[peer].keys.author();
            let mut authors = BTreeSet::from([author]);
            if let Some(engine) = &self.nodes[peer].engine {
                authors.extend(engine.invitations().map(|(_space, keys)| keys.author()));
            }
            let input = Input::Connected {
                connection,
                peer: author,
                authors,
            };
            self.input_at(self.now, node, input);
        }
        // The end of the old connection is noticed after the new one is up.
        if let Some((old_a, old_b)) = old {
            for (node, connection) in [(a, old_a), (b, old_b)] {
                let at = self.now + 1 + self.dice.below(3_000);
                self.input_at(at, node, Input::Disconnected { connection });
            }
        }
    }

    fn founded(&mut self, space: SpaceId) {
        if self.space.is_some() {
            return;
        }
        self.space = Some(space);
        for (node, capability) in [
            (RELAY, Capability::Relay),
            (MEMBER, Capability::Write),
            (FORGER, Capability::Read),
        ] {
            let keys = &self.nodes[node].keys;
            let grant = Grant {
                audience: Audience::Author(keys.author()),
                box_key: keys.box_public(),
                principal: PrincipalId::from_bytes([u8::try_from(node).unwrap_or(u8::MAX); 16]),
                capability,
                flags: if node == RELAY {
                    GrantFlags::WITNESS
                } else {
                    GrantFlags::NONE
                },
                not_before: Timestamp::from_millis(START - YEAR_MS),
                end: Timestamp::from_millis(START + YEAR_MS),
                depth_left: 1,
                redemptions: 0,
                redeem_until: Timestamp::ZERO,
                parent: Some(EnvelopeId::ZERO),
            };
            self.grant_later(self.now, grant);
            if node != RELAY {
                self.join(self.now, node);
            }
        }
    }

    fn join(&mut self, at: u64, node: usize) {
        let Some(space) = self.space else {
            return;
        };
        let invited = self.invited.filter(|_seed| node == GUEST);
        if node == GUEST && invited.is_none() {
            return;
        }
        let write = self.next_write();
        self.wishes.insert((node, write), Wish::Join);
        let join = Input::Join {
            write,
            space,
            invitation: invited.map(|seed| Box::new(DeviceKeys::from_seed(seed))),
        };
        self.input_at(at, node, join);
    }

    /// What failed, or was cut short by the power, is wished again by whoever wished it.
    fn wish_again(&mut self, node: usize, wish: Wish) {
        let at = self.now + 8_000;
        match wish {
            Wish::Found => self.found_again(),
            Wish::Invite(_draft) => self.agenda.put(at, Happening::Invite),
            Wish::Grant(grant) => self.grant_later(at, *grant),
            Wish::Join => self.join(self.now + 1_500, node),
            Wish::Change => {}
        }
    }

    fn grant_later(&mut self, at: u64, mut grant: Grant) {
        let Some(space) = self.space else {
            return;
        };
        let engine = self.nodes[FOUNDER].engine.as_ref();
        grant.parent = engine
            .and_then(|engine| engine.best_grant(space))
            .or_else(|| {
                let mut stored = self.nodes[FOUNDER].disk.image.envelopes.iter();
                let genesis = stored.find(|stored| stored.envelope.header().space == space);
                genesis.map(|stored| stored.envelope.id())
            });
        let write = self.next_write();
        let again = Wish::Grant(Box::new(grant.clone()));
        self.wishes.insert((FOUNDER, write), again);
        let statement = Statement::Grant(grant);
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.input_at(at, FOUNDER, input);
    }

    fn found_again(&mut self) {
        let write = self.next_write();
        self.wishes.insert((FOUNDER, write), Wish::Found);
        let input = Input::CreateSpace {
            write,
            anchor: None,
            principal: PrincipalId::from_bytes([7; 16]),
            end: Timestamp::from_millis(START + YEAR_MS),
        };
        self.input_at(self.now + 1_200, FOUNDER, input);
    }

    fn next_write(&mut self) -> WriteId {
        self.next_write += 1;
        WriteId(self.next_write)
    }

    fn invite(&mut self) {
        let (Some(space), Some(engine)) = (self.space, &self.nodes[FOUNDER].engine) else {
            self.agenda.put(self.now + 2_000, Happening::Invite);
            return;
        };
        let Some(parent) = engine.best_grant(space) else {
            return;
        };
        let terms = Terms {
            invitee: Invitee::Person,
            parent,
            principal: PrincipalId::from_bytes([7; 16]),
            capability: Capability::Write,
            not_before: Timestamp::from_millis(START - YEAR_MS),
            end: Timestamp::from_millis(START + YEAR_MS / 2),
            redeem_until: Timestamp::from_millis(START + YEAR_MS / 2),
            redemptions: 1,
            long_grace: false,
        };
        let draft = Draft::new(&terms, &mut Entropy::from_seed(self.dice.bytes()));
        let statement = draft.statement();
        let write = self.next_write();
        self.wishes.insert((FOUNDER, write), Wish::Invite(draft));
        let input = Input::WriteControl {
            write,
            space,
            statement,
        };
        self.input_at(self.now, FOUNDER, input);
    }

    fn join_by(&mut self, seed: [u8; 32]) {
        self.invited = Some(seed);
        self.join(self.now + 1, GUEST);
        let line = (RELAY, GUEST);
        self.agenda.put(self.now + 500, Happening::Redial { line });
    }

    fn write(&mut self, node: usize) -> Result<(), Violation> {
        let (Some(space), Some(engine)) = (self.space, &self.nodes[node].engine) else {
            return Ok(());
        };
        let it = &self.nodes[node];
        let ready = engine.capability(space) >= Some(Capability::Write)
            && engine
                .keyring(space)
                .is_some_and(|keys| keys.iter().next().is_some());
        if !ready || it.quiet_until > self.now {
            return Ok(());
        }
        let write = self.next_write();
        self.wishes.insert((node, write), Wish::Change);
        let length = usize::try_from(self.dice.below(BODY_BYTES_MAX)).unwrap_or(usize::MAX);
        let body = Body::Changes(vec![serde_bytes::ByteBuf::from(vec![HONEST_BYTE; length])]);
        let document = DocumentId::named(["system", "note/1"][self.choose(2)]);
        let input = Input::Write {
            write,
            space,
            document,
            body,
            made_in: None,
        };
        self.handle(node, input)
    }

    fn lie(&mut self, node: usize) -> Result<(), Violation> {
        let (Some(space), Some(engine)) = (self.space, &self.nodes[node].engine) else {
            return Ok(());
        };
        if engine.capability(space) < Some(Capability::Write)
            || self.nodes[node].quiet_until > self.now
        {
            return Ok(());
        }
        let document = DocumentId::named("system");
        let listed = engine.admitted(space, document);
        let lie = Body::Changes(vec![serde_bytes::ByteBuf::from(vec![!HONEST_BYTE; 8])]);
        let lie = codec::encode(&lie).unwrap_or_default();
        let lie = || serde_bytes::ByteBuf::from(lie.clone());
        let mut lies: Vec<_> = listed.iter().map(|entry| (entry.id, lie())).collect();
        lies.sort_unstable();
        let write = self.next_write();
        let input = Input::Write {
            write,
            space,
            document,
            body: Body::Snapshot(lies),
            made_in: None,
        };
        self.handle(node, input)
    }

    fn compact(&mut self, node: usize) -> Result<(), Violation> {
        let (Some(space), Some(engine)) = (self.space, &self.nodes[node].engine) else {
            return Ok(());
        };
        let image = &self.nodes[node].disk.image;
        let droppable = engine.snapshots(space).into_iter().filter_map(|by| {
            let ids = engine.droppable(space, image.stored(by)?).ok()?;
            (!ids.is_empty()).then_some((by, ids))
        });
        let droppable: Vec<_> = droppable.collect();
        for (by, ids) in droppable {
            let write = self.next_write();
            let input = Input::Cover {
                write,
                space,
                by,
                ids,
            };
            self.handle(node, input)?;
        }
        Ok(())
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].engine.take().is_none() {
            return;
        }
        let survives = self.dice.chance(40);
        let it = &mut self.nodes[node];
        it.disk.crash(survives);
        it.life += 1;
        // What it was told was not on its disk yet.
        if it.set_back_at == Some(it.disk.image.instance) {
            it.quiet_until = PEACE_MS + 20_000;
        }
        let cut_short: Vec<_> = self
            .wishes
            .keys()
            .filter(|(of, _write)| *of == node)
            .copied()
            .collect();
        for key in cut_short {
            if let Some(wish) = self.wishes.remove(&key) {
                self.wish_again(node, wish);
            }
        }
        let at = self.now + 200 + self.dice.below(6_000);
        self.agenda.put(at, Happening::Restart { node });
    }

    fn restart(&mut self, node: usize) {
        if self.nodes[node].engine.is_some() {
            return;
        }
        self.open(node);
        self.set_timer(node);
        if [MEMBER, GUEST, FORGER].contains(&node) {
            self.join(self.now, node);
        }
        for line in LINES {
            if line.0 == node || line.1 == node {
                let at = self.now + 1 + self.dice.below(200);
                self.agenda.put(at, Happening::Redial { line });
            }
        }
    }

    /// A backup is put back. A relay's shell takes a new instance, as `restore` does; the member's
    /// image is copied back behind its shell's back, so the engine has to notice.
    fn roll_back(&mut self, node: usize) {
        if self.nodes[node].disk.backup.is_none() || self.now >= PEACE_MS {
            return;
        }
        self.crash(node);
        let (store_epoch, instance) = (self.dice.next() | 1, self.dice.next());
        let it = &mut self.nodes[node];
        let Some(mut image) = it.disk.backup.take() else {
            return;
        };
        image.store_epoch = StoreEpoch(store_epoch);
        if node == RELAY {
            image.instance = Instance(instance);
        }
        it.set_back_at = Some(image.instance);
        it.disk.image = image;
        it.quiet_until = PEACE_MS + 20_000;
        let images = || self.nodes.iter().map(|other| &other.disk.image);
        let bare = images().flat_map(Image::without_content);
        self.lost = bare
            .filter(|id| !images().any(|image| image.has_content(*id)))
            .collect();
        // What only the lost disk had is lost, and with a grant all that rests on it.
        let images = self.nodes.iter().map(|other| &other.disk.image);
        let elsewhere: BTreeMap<_, _> = images
            .flat_map(|image| &image.envelopes)
            .map(|stored| (stored.envelope.id(), stored.envelope.header().authority))
            .collect();
        self.acknowledged.retain(|id| {
            let mut next = Some(*id);
            while let Some(id) = next.filter(|id| !id.is_zero()) {
                let Some(authority) = elsewhere.get(&id) else {
                    return false;
                };
                next = Some(*authority);
            }
            true
        });
        self.agenda
            .put(PEACE_MS + 20_500, Happening::Write { node });
    }

    fn heal(&mut self) {
        let lines = std::mem::take(&mut self.network.cut);
        for line in lines {
            self.connect(line);
        }
    }

    fn make_peace(&mut self) {
        self.network.cut.clear();
        for node in 0..NODES {
            self.restart(node);
        }
        for line in LINES {
            let at = self.now + 300;
            self.agenda.put(at, Happening::Redial { line });
        }
    }

    fn forge(&mut self) {
        let Some(space) = self.space else {
            return;
        };
        let frames = byzantine::frames(self, space);
        let lines: Vec<_> = self
            .network
            .current
            .iter()
            .map(|(line, ends)| (*line, *ends))
            .collect();
        for ((_a, b), (_at_a, at_b)) in lines {
            if b == FORGER {
                for frame in &frames {
                    self.transmit(at_b, frame);
                }
            }
        }
    }

    /// What a forger would like to see accepted, sealed with the key that it may read.
    pub(crate) fn reader_key(&self) -> Option<(EnvelopeId, aramaki_sync_core::key::EpochKey)> {
        let engine = self.nodes[FORGER].engine.as_ref()?;
        let keyring = engine.keyring(self.space?)?;
        keyring.iter().next().map(|(id, key)| (id, key.clone()))
    }
}

/// What people ask for does not care which life of the engine hears it.
fn is_wish(input: &Input) -> bool {
    matches!(
        input,
        Input::CreateSpace { .. } | Input::WriteControl { .. } | Input::Join { .. }
    )
}

/// What a run gave, equal for equal seeds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) events: u64,
    pub(crate) trace: u64,
    pub(crate) acknowledged: usize,
    pub(crate) envelopes: usize,
    /// Bodies that some node takes out of a snapshot.
    pub(crate) covered: usize,
}

/// Runs a seed to its end.
pub(crate) fn run(seed: u64, mutant: Option<Mutant>) -> Result<Report, Violation> {
    let mut world = World::new(seed, mutant);
    while let Some((at, happening)) = world.agenda.take() {
        // Receipts are written at any time: the end is the first moment at which all is said.
        if at > LAST_MS || (at > END_MS && invariants::everything_agrees(&world).is_ok()) {
            break;
        }
        world.now = at;
        world.events += 1;
        world.happen(happening)?;
    }
    invariants::everything_agrees(&world)?;
    let envelopes = world.nodes[RELAY].disk.image.envelopes.len();
    let covered = world.nodes.iter().map(|it| it.disk.image.covered.len());
    let covered = covered.sum();
    Ok(Report {
        events: world.events,
        trace: world.trace,
        acknowledged: world.acknowledged.len(),
        envelopes,
        covered,
    })
}

/// The frame in which envelopes travel, as a forger writes it.
pub(crate) fn envelopes_frame(space: SpaceId, number: u64, envelopes: Vec<RawEnvelope>) -> Vec<u8> {
    let mut frame = vec![4];
    let body = (space, number, 0_u64, 0_u64, envelopes);
    frame.extend(postcard::to_stdvec(&body).unwrap_or_default());
    frame
}
