//! The task that owns the engine: what it asks for is done, what happens is told to it.
//!
//! Nothing polls: the task sleeps until a command, a peer, the store or the engine's own deadline
//! wakes it. Every channel has a limit, and the writing thread can always answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aramaki_sync_core::engine::{
    AccessEnd, BatchId, ConnectionId, Engine, Event, Input, LoadId, Output, Role, StoreFailure,
    StoreOperation, TakeId, Taken, VerifyId, WriteError, WriteId, Written,
};
use aramaki_sync_core::envelope::{Envelope, FormError, RawEnvelope};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{AuthorId, EnvelopeId, Instance, SpaceId, Timestamp};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::time::sleep;

use crate::records::{self, Awaited};
use crate::replica::ReplicaEvent;
use crate::store::{Batch, Operation, Store, StoreError, Writer};
use crate::transport::{INVITATIONS_PROVED_MAX, PeerAddress, Transport, TransportEvent};
use crate::visitors::Visitors;

const COMMANDS_QUEUED_MAX: usize = 256;
const ANSWERS_QUEUED_MAX: usize = 256;
/// How many inputs are taken before their outputs are carried out: this is what groups commits.
const INPUTS_PER_TURN_MAX: usize = 64;
/// How many threads check signatures at once, at most: others need processors too.
const VERIFIERS_MAX: usize = 4;
const LEARNT_MAX: usize = 256;
const SLEEP_MAX: Duration = Duration::from_hours(1);

/// What a handle asks of the driver.
pub(crate) enum Command {
    /// An input that the engine answers with [`Output::Written`].
    Write {
        input: Box<dyn FnOnce(WriteId) -> Input + Send>,
        reply: oneshot::Sender<Result<Written, WriteError>>,
    },
    /// Takes what came in a file.
    Take {
        space: SpaceId,
        envelopes: Vec<Envelope>,
        reply: oneshot::Sender<Result<Taken, WriteError>>,
    },
    /// Remembers an invitation until its Space is here, and looks for its peers.
    Await(SpaceId, Awaited),
    /// Forgets that an invitation was waited for.
    GiveUp(SpaceId),
    /// An input without an answer.
    Tell(Input),
    /// Looks at the engine.
    Inspect(Box<dyn FnOnce(&Engine) + Send>),
    /// Ends the driver after what is under way.
    Stop(oneshot::Sender<()>),
}

/// What the store or the checks said.
enum Answer {
    Committed(BatchId, Result<(), StoreError>),
    Loaded(LoadId, Vec<RawEnvelope>),
    Verified(VerifyId, Vec<Result<Envelope, FormError>>),
}

/// Everything that one replica runs on.
pub(crate) struct Driver {
    engine: Engine,
    /// Says under which instance the engine writes now.
    writes_under: watch::Sender<Instance>,
    store: Arc<dyn Store>,
    writer: Writer,
    transport: Option<Arc<Transport>>,
    events: broadcast::Sender<ReplicaEvent>,
    answers: mpsc::Sender<Answer>,
    verifiers: Arc<Semaphore>,
    waiting: BTreeMap<WriteId, oneshot::Sender<Result<Written, WriteError>>>,
    writes: u64,
    taking: BTreeMap<TakeId, oneshot::Sender<Result<Taken, WriteError>>>,
    /// Whether members are dialled that were met before; a relay waits to be dialled.
    dials: bool,
    /// Addresses that connected peers told; kept once a Space names the peer.
    told: BTreeMap<AuthorId, PeerAddress>,
    /// Connections that others opened and nobody here looks for.
    visitors: Visitors,
    /// The invitations whose keys peers are told.
    proved: Vec<AuthorId>,
    kept: BTreeSet<PeerAddress>,
    /// Addresses on their way to the store.
    notes: Vec<Operation>,
    /// Where a peer said that this device's access is over, as it is kept.
    ended: BTreeMap<SpaceId, AccessEnd>,
}

fn verifiers() -> usize {
    let processors = std::thread::available_parallelism();
    processors.map_or(1, |count| count.get().min(VERIFIERS_MAX))
}

/// Whether any Space here names a device as a member.
fn is_named(engine: &Engine, device: AuthorId) -> bool {
    engine.spaces().any(|space| {
        let mut members = engine.members(space).iter();
        members.any(|member| member.author == device)
    })
}

/// The clock, as the engine wants it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Starts the driver; it ends when all senders of its commands are gone, or when told to.
pub(crate) fn start(
    (engine, role): (Engine, Role),
    writes_under: watch::Sender<Instance>,
    store: Arc<dyn Store>,
    writer: Writer,
    (transport, network): (Option<Arc<Transport>>, mpsc::Receiver<TransportEvent>),
    events: broadcast::Sender<ReplicaEvent>,
) -> mpsc::Sender<Command> {
    let (commands, queue) = mpsc::channel(COMMANDS_QUEUED_MAX);
    let (answers, answered) = mpsc::channel(ANSWERS_QUEUED_MAX);
    let ended = engine.spaces();
    let ended = ended.filter_map(|space| Some((space, engine.ended_elsewhere(space)?)));
    let ended = ended.collect();
    let driver = Driver {
        engine,
        writes_under,
        store,
        writer,
        transport,
        events,
        answers,
        verifiers: Arc::new(Semaphore::new(verifiers())),
        waiting: BTreeMap::new(),
        writes: 0,
        taking: BTreeMap::new(),
        dials: role == Role::Member,
        told: BTreeMap::new(),
        visitors: Visitors::default(),
        proved: Vec::new(),
        kept: BTreeSet::new(),
        notes: Vec::new(),
        ended,
    };
    tokio::spawn(driver.run(queue, network, answered));
    commands
}

impl Driver {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut network: mpsc::Receiver<TransportEvent>,
        mut answers: mpsc::Receiver<Answer>,
    ) {
        let mut offline = self.transport.is_none();
        // First whom we look for, then what only they are told.
        self.dial_known_peers();
        self.prove_invitations();
        let stopped = loop {
            self.carry_out().await;
            let pause = self.pause();
            tokio::select! {
                biased;
                Some(answer) = answers.recv() => self.answer(answer),
                command = commands.recv() => match command {
                    None => break None,
                    Some(Command::Stop(done)) => break Some(done),
                    Some(command) => self.command(command),
                },
                event = network.recv(), if !offline => match event {
                    Some(event) => self.network(event),
                    None => offline = true,
                },
                () = sleep(pause) => self.engine.handle(now(), Input::Timeout),
            }
            self.let_strangers_go();
            for _more in 1..INPUTS_PER_TURN_MAX {
                if let Ok(answer) = answers.try_recv() {
                    self.answer(answer);
                } else if let Ok(event) = network.try_recv() {
                    self.network(event);
                } else {
                    break;
                }
            }
        };
        self.finish(&mut answers).await;
        if let Some(done) = stopped
            && done.send(()).is_err()
        {
            tracing::debug!("nobody waited for the end");
        }
    }

    /// How long nothing has to be done by itself.
    fn pause(&self) -> Duration {
        let deadline = self.engine.next_deadline();
        let pause = deadline.map_or(SLEEP_MAX, |at| at.since(now()));
        let look = self.visitors.next_look();
        let look = look.map_or(SLEEP_MAX, |at| at.saturating_duration_since(Instant::now()));
        pause.min(look).min(SLEEP_MAX)
    }

    /// Ends connections of those who have no part in anything here for a while.
    fn let_strangers_go(&mut self) {
        let engine = &self.engine;
        let is_stranger = |connection| engine.is_stranger(connection);
        let overdue = self.visitors.overdue(Instant::now(), is_stranger);
        if let Some(transport) = &self.transport {
            for connection in overdue {
                tracing::debug!(connection = connection.0, "a stranger is let go");
                transport.let_go(connection);
            }
        }
    }

    /// Lets the store finish, then lets everything go.
    async fn finish(mut self, answers: &mut mpsc::Receiver<Answer>) {
        self.carry_out().await;
        self.engine.handle(now(), Input::Finish);
        self.carry_out().await;
        while !self.waiting.is_empty() || !self.taking.is_empty() || self.engine.is_writing() {
            let Some(answer) = answers.recv().await else {
                break;
            };
            self.answer(answer);
            self.carry_out().await;
        }
        if let Some(transport) = self.transport.take() {
            transport.shutdown().await;
        }
        // The answers' channel must not be full while the thread says its last word.
        answers.close();
        let mut writer = self.writer;
        let stopped = tokio::task::spawn_blocking(move || writer.stop()).await;
        if stopped.is_err() {
            tracing::error!("the store's thread could not be waited for");
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Write { input, reply } => {
                self.writes += 1;
                let write = WriteId(self.writes);
                self.waiting.insert(write, reply);
                self.engine.handle(now(), input(write));
            }
            Command::Take {
                space,
                envelopes,
                reply,
            } => {
                self.writes += 1;
                let take = TakeId(self.writes);
                self.taking.insert(take, reply);
                let input = Input::Take {
                    take,
                    space,
                    envelopes,
                };
                self.engine.handle(now(), input);
            }
            Command::Await(space, awaited) => {
                if let Some(transport) = &self.transport {
                    for peer in &awaited.peers {
                        transport.look_for(peer.clone());
                    }
                }
                self.notes.extend(records::put_awaited(space, &awaited));
            }
            Command::GiveUp(space) => self.notes.push(records::drop_awaited(space)),
            Command::Tell(input) => self.engine.handle(now(), input),
            Command::Inspect(look) => look(&self.engine),
            Command::Stop(_done) => {}
        }
    }

    fn network(&mut self, event: TransportEvent) {
        let mut visitor = None;
        let input = match event {
            TransportEvent::Connected {
                connection,
                endpoint,
                device,
                authors,
                addresses,
                is_sought,
            } => {
                tracing::debug!(
                    connection = connection.0,
                    device = %device.short(),
                    authors = authors.len(),
                    "connected"
                );
                let address = PeerAddress {
                    endpoint,
                    addresses,
                };
                self.be_told(device, address);
                self.tell(ReplicaEvent::Peers);
                visitor = (!is_sought).then_some(connection);
                Input::Connected {
                    connection,
                    peer: device,
                    authors,
                }
            }
            TransportEvent::Disconnected { connection } => {
                tracing::debug!(connection = connection.0, "disconnected");
                self.visitors.went(connection);
                self.tell(ReplicaEvent::Peers);
                Input::Disconnected { connection }
            }
            TransportEvent::Frame { connection, frame } => {
                tracing::trace!(
                    connection = connection.0,
                    kind = frame.first(),
                    len = frame.len(),
                    "frame came"
                );
                Input::Received { connection, frame }
            }
            TransportEvent::Datagram { connection, bytes } => Input::Datagram { connection, bytes },
        };
        self.engine.handle(now(), input);
        if let Some(connection) = visitor {
            self.receive(connection);
        }
    }

    fn answer(&mut self, answer: Answer) {
        let input = match answer {
            Answer::Committed(batch, result) => Input::Committed {
                batch,
                result: result.map_err(|cause| {
                    tracing::error!(%cause, "nothing was stored");
                    match cause {
                        StoreError::Full => StoreFailure::Full,
                        _ => StoreFailure::Failed,
                    }
                }),
            },
            Answer::Loaded(request, envelopes) => Input::Loaded { request, envelopes },
            Answer::Verified(request, envelopes) => Input::Verified { request, envelopes },
        };
        self.engine.handle(now(), input);
    }

    /// Does what the engine asks for until it asks for nothing more.
    async fn carry_out(&mut self) {
        let instance = self.engine.instance();
        self.writes_under.send_if_modified(|known| {
            let is_new = *known != instance;
            *known = instance;
            is_new
        });
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Send { connection, frame } => {
                    tracing::trace!(
                        connection = connection.0,
                        kind = frame.first(),
                        len = frame.len(),
                        "frame goes"
                    );
                    if let Some(transport) = &self.transport {
                        transport.send(connection, &frame);
                    }
                }
                Output::SendDatagram { connection, bytes } => {
                    if let Some(transport) = &self.transport {
                        transport.send_datagram(connection, bytes);
                    }
                }
                Output::Close { connection, reason } => {
                    tracing::warn!(connection = connection.0, %reason, "connection ended");
                    if let Some(transport) = &self.transport {
                        transport.close(connection);
                    }
                }
                Output::Commit { batch, operations } => self.commit(batch, operations).await,
                Output::Load { request, ids, .. } => self.load(request, ids),
                Output::Verify { request, envelopes } => self.verify(request, envelopes),
                Output::Written { write, result } => {
                    if let Ok(written) = &result
                        && written.id.is_zero()
                    {
                        self.keep_ended(written.space);
                        // A Space is awaited now, perhaps by an invitation.
                        self.prove_invitations();
                    }
                    if let Some(reply) = self.waiting.remove(&write)
                        && reply.send(result).is_err()
                    {
                        tracing::debug!("a write is done that nobody waits for");
                    }
                }
                Output::Taken { take, result } => {
                    if let Some(reply) = self.taking.remove(&take)
                        && reply.send(result).is_err()
                    {
                        tracing::debug!("a file is taken that nobody waits for");
                    }
                }
                Output::Event(event) => self.event(event),
                other => tracing::error!(?other, "the engine asks for something unknown"),
            }
        }
        let operations = std::mem::take(&mut self.notes);
        self.remember(operations).await;
    }

    async fn commit(&self, batch: BatchId, operations: Vec<StoreOperation>) {
        let answers = self.answers.clone();
        let answer = Box::new(move |result| {
            if answers
                .blocking_send(Answer::Committed(batch, result))
                .is_err()
            {
                tracing::debug!("the driver ended before the store");
            }
        });
        let operations = records::operations(operations);
        self.writer.commit(Batch { operations, answer }).await;
    }

    fn load(&self, request: LoadId, ids: Vec<EnvelopeId>) {
        let (store, answers) = (Arc::clone(&self.store), self.answers.clone());
        tokio::task::spawn_blocking(move || {
            let envelopes = store.envelopes(&ids).unwrap_or_else(|cause| {
                tracing::error!(%cause, "envelopes could not be read");
                Vec::new()
            });
            let envelopes = envelopes.into_iter().map(|row| row.raw).collect();
            if answers
                .blocking_send(Answer::Loaded(request, envelopes))
                .is_err()
            {
                tracing::debug!("the driver ended before the store");
            }
        });
    }

    /// Checks signatures on as many threads as there are processors, while the engine goes on.
    fn verify(&self, request: VerifyId, envelopes: Vec<RawEnvelope>) {
        let (verifiers, answers) = (Arc::clone(&self.verifiers), self.answers.clone());
        tokio::spawn(async move {
            let Ok(_turn) = verifiers.acquire_owned().await else {
                return;
            };
            let verify = move || envelopes.into_iter().map(RawEnvelope::verify).collect();
            let verified = tokio::task::spawn_blocking(verify).await;
            let verified = verified.unwrap_or_else(|cause| {
                tracing::error!(%cause, "envelopes could not be checked");
                Vec::new()
            });
            if answers
                .send(Answer::Verified(request, verified))
                .await
                .is_err()
            {
                tracing::debug!("the driver ended before the checks");
            }
        });
    }

    fn event(&mut self, event: Event) {
        if let Event::SpaceChanged { space } = event {
            self.keep_ended(space);
            self.learn_peers(space);
            self.prove_invitations();
        }
        if let Event::NewInstance { instance } = event {
            tracing::warn!(instance = instance.0, "this database was rolled back");
        }
        if let Some(event) = ReplicaEvent::from_engine(event) {
            self.tell(event);
        }
    }

    /// A later start knows what a peer said of an end, before it is connected to anybody.
    fn keep_ended(&mut self, space: SpaceId) {
        let said = self.engine.ended_elsewhere(space);
        if self.ended.get(&space).copied() == said {
            return;
        }
        match said {
            Some(why) => self.ended.insert(space, why),
            None => self.ended.remove(&space),
        };
        self.notes.push(records::put_ended(space, said));
    }

    fn tell(&self, event: ReplicaEvent) {
        // No subscriber is no error.
        drop(self.events.send(event));
    }

    /// Proves what invitations are still good for: first those of Spaces that are awaited, then
    /// those that let this device in, because a peer may have lost that. Not those that ended.
    fn prove_invitations(&mut self) {
        let Some(transport) = &self.transport else {
            return;
        };
        let now = now();
        let (mut wanted, mut used) = (Vec::new(), Vec::new());
        for (space, keys) in self.engine.invitations() {
            let members = self.engine.members(space).iter();
            let mut own = members.filter(|it| it.author == keys.author()).peekable();
            let is_over = own.peek().is_some() && !own.any(|member| member.is_live(now));
            // What was done by it without a network is handed in after its end.
            if is_over && !self.engine.may_come_by(space, keys.author()) {
                continue;
            }
            if self.engine.capability(space).is_none() {
                wanted.push(keys);
            } else {
                used.push(keys);
            }
        }
        wanted.append(&mut used);
        wanted.truncate(INVITATIONS_PROVED_MAX);
        let authors: Vec<AuthorId> = wanted.iter().map(|keys| keys.author()).collect();
        if authors != self.proved {
            let again = |keys: &DeviceKeys| DeviceKeys::from_seed(*keys.expose_seed());
            transport.prove(wanted.into_iter().map(again));
            self.proved = authors;
        }
    }

    fn dial_known_peers(&mut self) {
        let Some(transport) = &self.transport else {
            return;
        };
        match self.store.values(records::PEER_PREFIX) {
            Ok(peers) => {
                for peer in peers
                    .iter()
                    .filter_map(|(_key, value)| records::peer(value))
                {
                    transport.look_for(peer.clone());
                    self.kept.insert(peer);
                }
            }
            Err(cause) => tracing::warn!(%cause, "known peers could not be read"),
        }
        match self.store.values(records::AWAITED_PREFIX) {
            Ok(awaited) => {
                let awaited = awaited
                    .iter()
                    .filter_map(|(_key, value)| records::awaited(value));
                for peer in awaited.flat_map(|it| it.peers) {
                    transport.look_for(peer);
                }
            }
            Err(cause) => tracing::warn!(%cause, "invitations could not be read"),
        }
        let spaces: Vec<SpaceId> = self.engine.spaces().collect();
        for space in spaces {
            self.learn_peers(space);
        }
    }

    /// Looks for a Space's relays, and for members that said who or where they are.
    fn learn_peers(&mut self, space: SpaceId) {
        if let Some(transport) = &self.transport {
            for relay in self.engine.relays(space) {
                transport.look_for(PeerAddress::from(relay));
            }
            if self.dials && transport.finds_by_key() {
                for endpoint in self.card_endpoints(space) {
                    transport.look_for(PeerAddress {
                        endpoint,
                        addresses: Vec::new(),
                    });
                }
            }
        }
        let met: Vec<AuthorId> = self
            .engine
            .members(space)
            .iter()
            .map(|member| member.author)
            .filter(|author| self.told.contains_key(author))
            .collect();
        for author in met {
            self.keep(author);
        }
    }

    /// The endpoint keys that living members say are theirs; a false one leads to nobody, because
    /// the hello proves the device.
    fn card_endpoints(&self, space: SpaceId) -> Vec<[u8; 32]> {
        let Some(evaluation) = self.engine.evaluation(space) else {
            return Vec::new();
        };
        let (cards, now) = (evaluation.cards(), now());
        let members = evaluation.members().iter();
        members
            .filter(|member| member.is_live(now))
            .filter_map(|member| Some(cards.get(&member.author)?.endpoint))
            .collect()
    }

    /// Somebody came whom nobody here looks for: too many strangers at once push out the first of them.
    fn receive(&mut self, connection: ConnectionId) {
        let engine = &self.engine;
        let is_stranger = |connection| engine.is_stranger(connection);
        let first = self.visitors.came(connection, Instant::now(), is_stranger);
        if let (Some(transport), Some(first)) = (&self.transport, first) {
            tracing::debug!(connection = first.0, "too many strangers");
            transport.let_go(first);
        }
    }

    /// A peer says where it is. What strangers said gives way to who comes now, so that they keep nobody
    /// from being found again.
    fn be_told(&mut self, device: AuthorId, address: PeerAddress) {
        if self.told.len() >= LEARNT_MAX && !self.told.contains_key(&device) {
            let engine = &self.engine;
            self.told
                .retain(|author, _address| is_named(engine, *author));
        }
        if self.told.len() < LEARNT_MAX || self.told.contains_key(&device) {
            self.told.insert(device, address);
            self.learn(device);
        }
    }

    /// Remembers a peer that just connected, if a Space names it.
    fn learn(&mut self, device: AuthorId) {
        if is_named(&self.engine, device) {
            self.keep(device);
        }
    }

    fn keep(&mut self, author: AuthorId) {
        let (Some(transport), Some(address)) = (&self.transport, self.told.get(&author)) else {
            return;
        };
        if self.dials && !address.addresses.is_empty() && self.kept.insert(address.clone()) {
            transport.look_for(address.clone());
            self.notes.extend(records::put_peer(address));
        }
    }

    async fn remember(&self, operations: Vec<Operation>) {
        if operations.is_empty() {
            return;
        }
        let answer = Box::new(|result: Result<(), StoreError>| {
            if let Err(cause) = result {
                tracing::warn!(%cause, "addresses of peers were not kept");
            }
        });
        self.writer.commit(Batch { operations, answer }).await;
    }
}
