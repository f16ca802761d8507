//! The replication engine: a state machine without I/O (DESIGN §5).
//!
//! [`Engine::handle`] takes what happened, [`Engine::poll_output`] gives what must be done,
//! [`Engine::next_deadline`] says when to come back. Sealed bodies pass through: only those of the
//! batch under way are in memory.
//!
//! **Invariant:** the logs hold durable envelopes only, so whatever is said of them is true.
//! **Invariant:** nothing about a Space is said to a peer that has no capability in it, but that its own has
//! ended, and, if that was by time, which of what it says it has is here.

mod ahead;
mod ask;
mod author;
mod batch;
mod begin;
mod bodies;
mod carry;
mod checks;
mod close;
mod connection;
mod counters;
mod cut;
mod deliver;
mod draft;
mod durable;
mod ended;
mod feed;
mod foresee;
mod frame;
mod hand_over;
mod introduce;
mod io;
mod lacking;
mod last_words;
mod late;
mod mutant;
mod not_counting;
mod options;
mod prove;
mod queue;
mod quota;
mod rate;
mod receive;
mod reseal;
mod revoke;
mod settle;
mod snapshots;
mod space;
#[cfg(test)]
mod tests;
mod view;
mod whisper;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use ahead::ClockAhead;
pub use bodies::Bodies;
pub use ended::AccessEnd;
pub use foresee::Foreseen;
pub use io::{
    Admitted, BatchId, CloseReason, ConnectionId, Cursor, Event, FRAME_BYTES_MAX, Input, LoadId,
    Output, Refusal, SecretSeed, SnapshotFinding, StoreEpoch, StoreFailure, StoreOperation, Stored,
    StoredCounter, StoredCursor, TakeId, Taken, VerifyId, WriteError, WriteId, Written,
};
pub use late::{CutOff, MISSING_AFTER, Reach, Waiting};
pub use mutant::Mutant;
pub use not_counting::{Doubtful, NAMED_MAX};
pub use options::{EngineOptions, Limits, Quotas, Restored, Role, SNAPSHOT_TAIL_ENVELOPES_MAX};
pub use prove::ForkedChain;
pub use quota::QuotaName;
pub use view::{Holder, PeerView, Pressure};

use self::connection::{Connection, Holding};
use self::queue::Queue;
use self::receive::Receiving;
use self::snapshots::Changed;
use self::space::{Candidate, Space};
use crate::admission::{CLOCK_AHEAD_MAX, Evaluation};
use crate::entropy::Entropy;
use crate::ephemeral::Ephemeral;
use crate::id::{AuthorId, Chain, Instance, SpaceId};
use crate::key::DeviceKeys;
use crate::time::Timestamp;

/// Everything a peer knows and does, without I/O.
#[derive(Debug)]
pub struct Engine {
    keys: DeviceKeys,
    author: AuthorId,
    instance: Instance,
    store_epoch: StoreEpoch,
    role: Role,
    limits: Limits,
    entropy: Entropy,
    now: Timestamp,
    spaces: BTreeMap<SpaceId, Space>,
    candidates: BTreeMap<SpaceId, Candidate>,
    /// Spaces of which a peer sent what only a newer program can read; only of those followed here.
    newer_elsewhere: BTreeSet<SpaceId>,
    connections: BTreeMap<ConnectionId, Connection>,
    holdings: BTreeMap<(AuthorId, SpaceId), Holding>,
    receiving: BTreeMap<(ConnectionId, u64), Receiving>,
    /// Of what is taken from files: how many envelopes were here already.
    takes: BTreeMap<TakeId, usize>,
    /// Headers that the store reads for a proof.
    proving: BTreeMap<LoadId, SpaceId>,
    checks: checks::Checks,
    loads: BTreeMap<LoadId, feed::Loading>,
    fetches: BTreeMap<LoadId, bodies::Fetching>,
    readings: BTreeMap<LoadId, snapshots::Reading>,
    cutting: Option<cut::Cutting>,
    next_load: u64,
    queue: Queue,
    /// When this life began; earlier when the clock went back since.
    begun: Timestamp,
    /// Spaces in which somebody may speak and be refused because of a reservation of an earlier
    /// life, and until when.
    waiting_to_hear: BTreeMap<SpaceId, Timestamp>,
    /// The first moment at which one of them is heard again by time alone, or an earlier one.
    next_hearing: Option<Timestamp>,
    /// Messages that wait until their counters are reserved on disk.
    unheard: VecDeque<(ConnectionId, Ephemeral)>,
    /// The process ends: nothing more is heard.
    is_ending: bool,
    outputs: VecDeque<Output>,
    next_evaluation: Option<Timestamp>,
    /// How fast authors may write here, if this is a relay.
    rates: rate::Rates,
    serves: Option<BTreeSet<AuthorId>>,
    #[cfg(feature = "mutants")]
    mutant: Option<Mutant>,
}

impl Engine {
    /// Begins with what the store held.
    pub fn open(options: EngineOptions, now: Timestamp, restored: Restored) -> Self {
        let mut engine = Self {
            author: options.keys.author(),
            keys: options.keys,
            instance: options.instance,
            store_epoch: options.store_epoch,
            role: options.role,
            limits: options.limits,
            entropy: Entropy::from_seed(options.seed),
            now,
            begun: now,
            waiting_to_hear: BTreeMap::new(),
            next_hearing: None,
            spaces: BTreeMap::new(),
            candidates: BTreeMap::new(),
            newer_elsewhere: BTreeSet::new(),
            connections: BTreeMap::new(),
            holdings: BTreeMap::new(),
            receiving: BTreeMap::new(),
            takes: BTreeMap::new(),
            proving: BTreeMap::new(),
            checks: checks::Checks::default(),
            loads: BTreeMap::new(),
            fetches: BTreeMap::new(),
            readings: BTreeMap::new(),
            cutting: None,
            next_load: 0,
            queue: Queue::default(),
            unheard: VecDeque::new(),
            is_ending: false,
            outputs: VecDeque::new(),
            next_evaluation: None,
            rates: rate::Rates::default(),
            serves: options.serves,
            #[cfg(feature = "mutants")]
            mutant: options.mutant,
        };
        engine.restore(restored);
        engine
    }

    fn restore(&mut self, restored: Restored) {
        for (space, seed) in restored.follows {
            let held = self
                .spaces
                .entry(space)
                .or_insert_with(|| Space::new(space));
            held.invitation = seed.map(|seed| DeviceKeys::from_seed(*seed.0));
        }
        for Stored { envelope, received } in restored.envelopes {
            let space = envelope.header().space;
            let held = self
                .spaces
                .entry(space)
                .or_insert_with(|| Space::new(space));
            // What does not insert lacks its predecessor: it is pulled again.
            let _inserted = held.remember(&envelope, received);
        }
        for (space, why) in restored.ended {
            if let Some(held) = self.spaces.get_mut(&space) {
                held.ended_elsewhere = Some(why);
            }
        }
        for (space, id) in restored.bodiless {
            if let Some(held) = self.spaces.get_mut(&space)
                && let Some(entry) = held.log.get(id).filter(|entry| !entry.is_control())
            {
                let header = entry.header();
                held.missing.insert(id, (header.chain, header.seq));
            }
        }
        for (space, id, by) in restored.covered {
            if let Some(held) = self.spaces.get_mut(&space)
                && held.log.get(id).is_some_and(|entry| !entry.is_control())
            {
                held.missing.covered.insert(id, by);
            }
        }
        for StoredCursor {
            peer,
            space,
            cursor,
        } in restored.cursors
        {
            self.holdings.insert((peer, space), Holding::from(cursor));
        }
        for StoredCounter {
            space,
            chain,
            reserved,
            exact,
        } in restored.counters
        {
            if let Some(held) = self.spaces.get_mut(&space) {
                held.counters.restore(chain, (reserved, exact));
            }
        }
        self.wait_to_hear(self.now);
        let spaces: BTreeSet<_> = self.spaces.keys().copied().collect();
        for space in &spaces {
            self.refresh(*space);
        }
        // A second time: audiences need the other Spaces' members.
        for space in &spaces {
            self.look_outside(*space);
            self.plan_close(*space);
            self.plan_proof(*space);
            self.follow_snapshots(*space, Changed::ALL);
            self.plan_begin(*space);
            self.plan_hand_over(*space);
            self.plan_first_receipt(*space);
        }
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        let before = self.now;
        if now < before {
            self.clock_went_back(now);
        }
        self.now = now;
        if now.plus(CLOCK_AHEAD_MAX) < before {
            self.judge_anew();
        }
        match input {
            Input::Connected {
                connection,
                peer,
                authors,
            } => self.connected(connection, peer, authors),
            Input::Disconnected { connection } => self.disconnected(connection),
            Input::Received { connection, frame } => self.received(connection, &frame),
            Input::Datagram { connection, bytes } => self.heard(connection, &bytes),
            Input::Committed { batch, result } => self.committed(batch, result),
            Input::Loaded { request, envelopes } => self.loaded(request, envelopes),
            Input::Verified { request, envelopes } => self.verified(request, envelopes),
            Input::SendEphemeral {
                space,
                document,
                bytes,
            } => self.whisper(space, document, &bytes),
            Input::Ask {
                through,
                space,
                document,
                bytes,
            } => self.ask_through((through, space), document, &bytes),
            Input::Take {
                take,
                space,
                envelopes,
            } => self.take(take, space, envelopes),
            Input::Finish => self.finish_hearing(),
            Input::KeepBodies { space, bodies } => self.keep_bodies(space, bodies),
            Input::Timeout => self.timeout(),
            write => self.enqueue(write),
        }
        self.hear_by_time();
        self.form_batch();
    }

    /// What must be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Engine::handle`] with [`Input::Timeout`], if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let digests = self.connections.values().map(Connection::next_deadline);
        let receipts = self.spaces.values().filter_map(|space| space.next_receipt);
        let closes = self.spaces.values().filter_map(|space| space.next_close);
        let snapshots = self.spaces.values();
        let snapshots = snapshots.filter_map(|space| space.snapshots.next_due());
        // While one is being written the others wait for its end.
        let snapshots = snapshots.filter(|_due| self.cutting.is_none());
        let begins = self.spaces.values().filter_map(|space| space.next_begin);
        digests
            .chain(receipts)
            .chain(closes)
            .chain(begins)
            .chain(self.next_proof())
            .chain(self.next_hand_over())
            .chain(snapshots)
            .chain(self.next_evaluation)
            .chain(self.queue.retry_at)
            .chain(self.next_hearing)
            .min()
    }

    fn chain(&self) -> Chain {
        Chain {
            author: self.author,
            instance: self.instance,
        }
    }

    /// Timers are set by the clock: when it goes back, they start anew.
    fn clock_went_back(&mut self, now: Timestamp) {
        for connection in self.connections.values_mut() {
            connection.next_digest = now;
            for sent in connection.outstanding.values_mut() {
                sent.at = now;
            }
        }
        for space in self.spaces.values_mut() {
            space.next_receipt = space.next_receipt.map(|_then| now);
            space.next_proof = space.next_proof.map(|_then| now);
            space.next_hand_over = space.next_hand_over.map(|_then| now);
            space.snapshots.clock_went_back(now);
            space.missing.since = space.missing.since.min(now);
        }
        self.queue.retry_at = self.queue.retry_at.map(|_then| now);
        self.begun = self.begun.min(now);
        self.wait_to_hear(now);
    }

    /// The clock was far ahead: what was written or came meanwhile may be of the future. It is judged as after
    /// a restart, so that nothing more builds on what others hold back.
    fn judge_anew(&mut self) {
        let spaces: Vec<_> = self.spaces.keys().copied().collect();
        for space in &spaces {
            if let Some(held) = self.spaces.get_mut(space) {
                held.evaluation = Evaluation::default();
            }
            self.refresh(*space);
        }
        for space in spaces {
            self.look_outside(space);
            self.follow_snapshots(space, Changed::ALL);
            self.emit(Event::Rebuilt { space });
            self.emit(Event::SpaceChanged { space });
        }
    }

    fn timeout(&mut self) {
        if self.next_evaluation.is_some_and(|then| then <= self.now) {
            self.next_evaluation = None;
            let spaces: BTreeSet<_> = self.spaces.keys().copied().collect();
            self.settle(&spaces, &draft::New::new());
        }
        if self.queue.retry_at.is_some_and(|then| then <= self.now) {
            self.queue.retry_at = None;
        }
        self.state_receipts();
        self.state_closes();
        self.prove_forks();
        self.cut_snapshots();
        self.begin_due();
        self.hand_over_due();
        self.expire_sent();
        self.compare_digests();
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    #[cfg(feature = "mutants")]
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    #[cfg(not(feature = "mutants"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    const fn is(&self, _mutant: Mutant) -> bool {
        false
    }
}
