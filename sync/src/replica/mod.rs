//! The handle through which a shell uses a replica: cheap to clone, safe to share.

mod again;
mod audit;
mod carry;
mod compact;
mod emergency;
mod export;
mod inspect;
mod options;
mod read;
mod recovery;
mod request;
mod status;
mod trust;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use aramaki_sync_core::bundle::BundleError;
use aramaki_sync_core::engine::{
    Admitted, Engine, EngineOptions, Input, Restored, SecretSeed, StoreEpoch, Stored, WriteError,
    WriteId, Written,
};
use aramaki_sync_core::envelope::FormError;
use aramaki_sync_core::invitation::InvitationError;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Body, RelayAddress, Statement};
use aramaki_sync_core::{AuthorId, Chain, DocumentId, Instance, SpaceId};
use thiserror::Error;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use zeroize::Zeroizing;

use crate::driver::{self, Command};
use crate::records;
use crate::store::{self, Folder, Operation, RedbStore, Store, StoreError, Writer};
use crate::transport::{PeerAddress, Transport, TransportError};

pub use crate::records::Awaited;
pub use again::CameBefore;
pub use aramaki_sync_core::engine::SnapshotFinding;
pub use aramaki_sync_core::engine::{
    AccessEnd, Bodies, ClockAhead, Foreseen, ForkedChain, Limits, Quotas, Role,
};
pub use aramaki_sync_core::invitation::{Invitation, Invitee};
pub use audit::{AuditEntry, AuditEvent, Ending, HowEnded};
pub use carry::{Carried, Contents};
pub use compact::Compacted;
pub use emergency::Opening;
pub use options::ReplicaOptions;
pub use recovery::{LastAccepted, Leaving, REASON_LOST, REASON_NONE};
pub use request::{
    AGENT_SPAN, BACKDATE, CreateSpace, GRANT_SPAN, GrantRequest, INVITATION_SPAN, InviteRequest,
    Keep, Recovery, Spent, Staying,
};
pub use status::{Lineage, PeerStatus, Receipt, Receipts, ReplicaEvent, SpaceSummary};
pub use verify::{FINDINGS_MAX, VerifyFinding, VerifyReport};

const EVENTS_KEPT_MAX: usize = 1_024;

/// Why a replica did not do what was asked. Nothing of it happened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The data folder or what is in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The write was not made.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// No such Space here.
    #[error("Space {} is not on this device", .0.short())]
    UnknownSpace(SpaceId),
    /// This device may not do that there.
    #[error("no grant of this device in Space {} allows this", .0.short())]
    NotAllowed(SpaceId),
    /// An invitation's text.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// Too much for a bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A stored envelope cannot be opened.
    #[error("a stored envelope does not open")]
    Form(#[from] FormError),
    /// The operating system gave no random bytes or no thread.
    #[error("the operating system refused: {0}")]
    System(String),
    /// The replica was shut down.
    #[error("the replica is shut down")]
    Closed,
}

/// One device's copy of its Spaces: a store, an engine and a network endpoint.
///
/// Clones are handles of the same replica, which ends with [`Replica::shutdown`] or with the last
/// handle. What [`Replica::write`] returned survives `kill -9`.
///
/// Two replicas in one process, over loopback:
/// ```
/// use aramaki_sync::core::statement::{Body, Capability};
/// use aramaki_sync::core::{DocumentId, PrincipalId};
/// use aramaki_sync::replica::{
///     CreateSpace, InviteRequest, Replica, ReplicaEvent, ReplicaOptions,
/// };
/// use aramaki_sync::transport::NetworkOptions;
/// use aramaki_sync::keys;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let (here, there) = (folder.path().join("here"), folder.path().join("there"));
/// # std::fs::create_dir(&here)?; std::fs::create_dir(&there)?;
/// let open = async |dir: &std::path::Path| -> Result<Replica, Box<dyn std::error::Error>> {
///     let keys = keys::read_or_create(&dir.join("device.key"), None)?;
///     let options = ReplicaOptions::new(dir, keys).network(NetworkOptions::loopback());
///     Ok(Replica::open(options).await?)
/// };
/// let (alice, bob) = (open(&here).await?, open(&there).await?);
///
/// // Alice makes a Space, writes, and invites: the text is all that Bob needs.
/// let space = alice.create_space(CreateSpace::new(PrincipalId::from_bytes([1; 16]))).await?;
/// let note = DocumentId::named("note/1");
/// alice.write(space, note, Body::Changes(vec![b"hello".to_vec().into()])).await?;
/// let text = alice.invite(space, InviteRequest::new(Capability::Write)).await?.to_text()?;
///
/// // Bob joins and is told what Alice wrote; `bodies` would read it again at any time.
/// let mut events = bob.subscribe();
/// bob.join(&text.parse()?).await?;
/// loop {
///     if let ReplicaEvent::Admitted { entries, .. } = events.recv().await? {
///         assert_eq!(entries[0].body, Some(Body::Changes(vec![b"hello".to_vec().into()])));
///         break;
///     }
/// }
///
/// bob.shutdown().await;
/// alice.shutdown().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Replica {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Arc<DeviceKeys>,
    /// Taken by the end, so that the folder is free for another process then.
    store: RwLock<Option<Arc<dyn Store>>>,
    transport: Option<Arc<Transport>>,
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<ReplicaEvent>,
    /// Stored rows that could not be read, by arrival.
    damaged: Mutex<BTreeSet<u64>>,
    /// Under which instance this replica writes now; the driver keeps it.
    instance: watch::Receiver<Instance>,
}

impl Inner {
    fn damaged(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replica({})", self.inner.keys.author().short())
    }
}

/// What a replica does, and within what.
struct Part {
    role: Role,
    limits: Limits,
    serves: Option<BTreeSet<AuthorId>>,
}

impl Replica {
    /// Opens the data folder and the network, and begins to replicate.
    ///
    /// # Errors
    /// When another process holds the folder, it cannot be read, or the network cannot be opened.
    pub async fn open(options: ReplicaOptions) -> Result<Self, ReplicaError> {
        let keys = Arc::new(options.keys);
        let (dir, store_keys) = (options.dir, Arc::clone(&keys));
        let store = blocking(move || {
            let folder = Folder::open(&dir)?;
            RedbStore::open(folder, &store_keys)
        })
        .await??;
        let part = Part {
            role: options.role,
            limits: options.limits,
            serves: options.serves,
        };
        Box::pin(Self::open_within(
            Arc::new(store),
            keys,
            options.network,
            part,
        ))
        .await
    }

    /// Opens on a store of one's own, for instance one that fails.
    ///
    /// # Errors
    /// As [`Replica::open`].
    pub async fn open_on(
        store: Arc<dyn Store>,
        keys: Arc<DeviceKeys>,
        network: Option<crate::transport::NetworkOptions>,
        role: Role,
    ) -> Result<Self, ReplicaError> {
        let part = Part {
            role,
            limits: Limits::default(),
            serves: None,
        };
        Box::pin(Self::open_within(store, keys, network, part)).await
    }

    async fn open_within(
        store: Arc<dyn Store>,
        keys: Arc<DeviceKeys>,
        network: Option<crate::transport::NetworkOptions>,
        part: Part,
    ) -> Result<Self, ReplicaError> {
        let role = part.role;
        let (restored, damaged) = {
            let store = Arc::clone(&store);
            blocking(move || restore_engine(&*store)).await??
        };
        let seed = crate::keys::random_seed().map_err(|cause| system(&cause))?;
        let identity = store.identity();
        let mut engine_options = EngineOptions::new(
            DeviceKeys::from_seed(*keys.expose_seed()),
            identity.instance,
            StoreEpoch(identity.epoch),
            *seed,
        );
        engine_options.role = role;
        engine_options.limits = part.limits;
        engine_options.serves = part.serves;
        let engine = Engine::open(engine_options, driver::now(), restored);
        let (transport, network) = match &network {
            Some(options) => {
                let port = last_port(&*store)?;
                let (transport, events) = Transport::bind(options, Arc::clone(&keys), port).await?;
                if transport.port() != port {
                    keep_port(&store, transport.port()).await?;
                }
                (Some(Arc::new(transport)), events)
            }
            None => (None, mpsc::channel(1).1),
        };
        let writer = Writer::start(Arc::clone(&store)).map_err(|cause| system(&cause))?;
        let (events, _receiver) = broadcast::channel(EVENTS_KEPT_MAX);
        let (writes_under, instance) = watch::channel(engine.instance());
        let commands = driver::start(
            (engine, role),
            writes_under,
            Arc::clone(&store),
            writer,
            (transport.clone(), network),
            events.clone(),
        );
        Ok(Self {
            inner: Arc::new(Inner {
                keys,
                store: RwLock::new(Some(store)),
                transport,
                commands,
                events,
                damaged: Mutex::new(damaged),
                instance,
            }),
        })
    }

    /// Whose device this is.
    pub fn author(&self) -> AuthorId {
        self.inner.keys.author()
    }

    /// The device's X25519 key, to which grants to this device name.
    pub fn box_public(&self) -> [u8; 32] {
        self.inner.keys.box_public()
    }

    /// Under which instance this replica writes now: what is made for [`Replica::write_in`] is numbered by
    /// its chain.
    pub fn chain(&self) -> Chain {
        Chain {
            author: self.author(),
            instance: *self.inner.instance.borrow(),
        }
    }

    /// Where this replica can be reached; none without a network.
    pub fn address(&self) -> Option<PeerAddress> {
        self.inner
            .transport
            .as_ref()
            .map(|transport| transport.address())
    }

    /// What a Space that is stored and forwarded here must say of it.
    pub fn relay_address(&self) -> Option<RelayAddress> {
        let address = self.address()?;
        Some(RelayAddress {
            author: self.author(),
            endpoint: address.endpoint,
            addresses: address.addresses,
        })
    }

    /// What happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ReplicaEvent> {
        self.inner.events.subscribe()
    }

    /// Makes a Space in which this device may do everything.
    ///
    /// # Errors
    /// When the store fails; then there is no Space.
    pub async fn create_space(&self, request: CreateSpace) -> Result<SpaceId, ReplicaError> {
        let written = self
            .ask(move |write| Input::CreateSpace {
                write,
                anchor: request.anchor,
                principal: request.principal,
                end: request.end,
            })
            .await?;
        Ok(written.space)
    }

    /// Seals and stores a body; returns when it is durable here. It then goes to every peer that
    /// may have it, now or when it connects.
    ///
    /// # Errors
    /// When no grant allows it, no key is here, or the store fails; nothing is left behind.
    pub async fn write(
        &self,
        space: SpaceId,
        document: DocumentId,
        body: Body,
    ) -> Result<Written, ReplicaError> {
        self.write_made(None, space, (document, body)).await
    }

    /// As [`Replica::write`], for what was made for one chain of this device's, as changes of documents are:
    /// in another one they would be no changes.
    ///
    /// # Errors
    /// As [`Replica::write`]; [`WriteError::ChainLeft`] when this
    /// device began another chain meanwhile.
    pub async fn write_in(
        &self,
        chain: Chain,
        space: SpaceId,
        document: DocumentId,
        body: Body,
    ) -> Result<Written, ReplicaError> {
        self.write_made(Some(chain.instance), space, (document, body))
            .await
    }

    async fn write_made(
        &self,
        made_in: Option<Instance>,
        space: SpaceId,
        (document, body): (DocumentId, Body),
    ) -> Result<Written, ReplicaError> {
        self.ask(move |write| Input::Write {
            write,
            space,
            document,
            body,
            made_in,
        })
        .await
    }

    /// Signs and stores a control statement; returns when it is durable here.
    ///
    /// # Errors
    /// As [`Replica::write`].
    pub async fn write_control(
        &self,
        space: SpaceId,
        statement: Statement,
    ) -> Result<Written, ReplicaError> {
        self.ask(move |write| Input::WriteControl {
            write,
            space,
            statement,
        })
        .await
    }

    /// Sends a signed, sealed message to whoever reads the Space and is connected, directly or
    /// through a relay. It is not stored, and may be lost.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn send_ephemeral(
        &self,
        space: SpaceId,
        document: DocumentId,
        bytes: Vec<u8>,
    ) -> Result<(), ReplicaError> {
        let input = Input::SendEphemeral {
            space,
            document,
            bytes,
        };
        self.command(Command::Tell(input)).await
    }

    /// Asks whoever writes a Space, as a reader of another one (`through`) whose readers may read there. Told with
    /// [`ReplicaEvent::Asked`] to who may write it and holds both; not stored, and may be lost.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn ask_as_reader(
        &self,
        (through, space): (SpaceId, SpaceId),
        document: DocumentId,
        bytes: Vec<u8>,
    ) -> Result<(), ReplicaError> {
        let input = Input::Ask {
            through,
            space,
            document,
            bytes,
        };
        self.command(Command::Tell(input)).await
    }

    /// Of which documents of a Space bodies are kept from now on; what is missing of them is fetched.
    /// Not remembered over a restart, when it is all again; a relay always keeps all.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn keep_bodies(&self, space: SpaceId, bodies: Bodies) -> Result<(), ReplicaError> {
        let input = Input::KeepBodies { space, bodies };
        self.command(Command::Tell(input)).await
    }

    /// Connected peers with whom all of a Space was compared and found equal at least once since they
    /// connected, and under which instance this replica writes now: a store that was brought back from
    /// a copy finds out by hearing from them.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn in_step(&self, space: SpaceId) -> Result<(Vec<AuthorId>, Instance), ReplicaError> {
        self.inspect(move |engine| (engine.in_step(space), engine.instance()))
            .await
    }

    /// In which of these agents' Spaces what the agent says arrives now: this replica is in step with
    /// the agent, or with a relay of the Space. Elsewhere silence says nothing.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn hears(
        &self,
        mut agents: BTreeSet<SpaceId>,
    ) -> Result<BTreeSet<SpaceId>, ReplicaError> {
        self.inspect(move |engine| {
            agents.retain(|agent| engine.hears(*agent));
            agents
        })
        .await
    }

    /// How many bodies of a document are not here; one that lacks some is incomplete.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn missing_bodies(
        &self,
        space: SpaceId,
        document: DocumentId,
    ) -> Result<usize, ReplicaError> {
        self.inspect(move |engine| engine.missing_bodies(space, document))
            .await
    }

    /// Everything in a document that counts, each after what it builds on. A body that is damaged on
    /// disk, or whose key is not here, is none.
    ///
    /// # Errors
    /// When the Space is not here or the store cannot be read.
    pub async fn bodies(
        &self,
        space: SpaceId,
        document: DocumentId,
    ) -> Result<Vec<Admitted>, ReplicaError> {
        let readable = self
            .inspect(move |engine| inspect::readable(engine, space, document))
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))?;
        let store = self.store()?;
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            read::bodies(&*store, readable, &mut |arrival| {
                inner.damaged().insert(arrival);
            })
        })
        .await?
        .map_err(ReplicaError::Store)
    }

    /// What the stored envelopes of a Space build on, control among them, in the order in which
    /// they arrived and without the first `count`. That order never changes while this is open.
    ///
    /// # Errors
    /// When the Space is not here.
    pub async fn lineage(
        &self,
        space: SpaceId,
        count: usize,
    ) -> Result<Vec<Lineage>, ReplicaError> {
        self.inspect(move |engine| inspect::lineage(engine, space, count))
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))
    }

    /// The documents of a Space in which something counts, whether or not it can be opened here.
    ///
    /// # Errors
    /// When the Space is not here.
    pub async fn documents(&self, space: SpaceId) -> Result<BTreeSet<DocumentId>, ReplicaError> {
        self.inspect(move |engine| inspect::documents(engine, space))
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))
    }

    /// The Spaces on this device.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn spaces(&self) -> Result<Vec<SpaceSummary>, ReplicaError> {
        let (author, now) = (self.author(), driver::now());
        self.inspect(move |engine| inspect::spaces(engine, author, now))
            .await
    }

    /// One Space on this device.
    ///
    /// # Errors
    /// When it is not here.
    pub async fn space(&self, space: SpaceId) -> Result<SpaceSummary, ReplicaError> {
        let (author, now) = (self.author(), driver::now());
        self.inspect(move |engine| inspect::space(engine, space, author, now))
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))
    }

    /// The chains of a Space whose authors signed two histories, as far as is known here.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn forks(&self, space: SpaceId) -> Result<Vec<ForkedChain>, ReplicaError> {
        self.inspect(move |engine| engine.forks(space)).await
    }

    /// Peers that are connected or looked for.
    pub fn peers(&self) -> Vec<PeerStatus> {
        let Some(transport) = &self.inner.transport else {
            return Vec::new();
        };
        let mut peers: BTreeMap<[u8; 32], PeerStatus> = BTreeMap::new();
        for address in transport.targets() {
            let peer = PeerStatus {
                address,
                device: None,
                authors: BTreeSet::new(),
                path: None,
                rtt: None,
                last_seen: None,
            };
            peers.insert(peer.address.endpoint, peer);
        }
        for link in transport.links() {
            let address = peers.remove(&link.endpoint).map_or_else(
                || PeerAddress {
                    endpoint: link.endpoint,
                    addresses: Vec::new(),
                },
                |peer| peer.address,
            );
            let peer = PeerStatus {
                address,
                device: Some(link.device),
                authors: link.authors,
                path: Some(link.path),
                rtt: link.rtt,
                last_seen: Some(link.heard),
            };
            peers.insert(link.endpoint, peer);
        }
        peers.into_values().collect()
    }

    /// Keeps a connection to a peer from now on.
    pub fn add_peer(&self, peer: PeerAddress) {
        if let Some(transport) = &self.inner.transport {
            transport.look_for(peer);
        }
    }

    /// Reads everything on disk and checks every signature, hash and chain.
    ///
    /// # Errors
    /// When the store cannot be read; what is wrong in it is in the report.
    pub async fn verify(&self) -> Result<VerifyReport, ReplicaError> {
        let keys = self.inspect(inspect::all_keys).await?;
        let store = self.store()?;
        Ok(blocking(move || verify::verify(&*store, &keys)).await??)
    }

    /// Writes a consistent copy of the store into a new file (0600) while everything goes on.
    /// Secrets in it stay sealed under the device's key, which is not in it.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), ReplicaError> {
        let (store, file) = (self.store()?, file.to_owned());
        Ok(blocking(move || store.backup(&file)).await??)
    }

    /// Makes a data folder from a backup, under a new instance: what the lost database wrote after
    /// the backup comes back from peers and is never contradicted.
    ///
    /// # Errors
    /// When the folder holds a store, or the backup is another device's.
    pub async fn restore(file: &Path, dir: &Path, keys: &DeviceKeys) -> Result<(), ReplicaError> {
        let (file, dir) = (file.to_owned(), dir.to_owned());
        let keys = DeviceKeys::from_seed(*keys.expose_seed());
        blocking(move || {
            let folder = Folder::open(&dir)?;
            RedbStore::restore(&file, folder, &keys).map(drop)
        })
        .await??;
        Ok(())
    }

    /// Writes every envelope as a line of JSON, sealed as it is stored; see [`Replica::backup`] for
    /// a copy that can be restored.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub async fn export(&self, out: impl Write + Send + 'static) -> Result<u64, ReplicaError> {
        let store = self.store()?;
        Ok(blocking(move || export::export(&*store, out)).await??)
    }

    /// How many stored envelopes turned out to be damaged since this replica was opened: what is read
    /// may lack them. [`Replica::verify`] looks at all.
    pub fn damaged(&self) -> usize {
        self.inner.damaged().len()
    }

    /// How many bytes the store takes on disk.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn len_bytes(&self) -> Result<u64, ReplicaError> {
        Ok(self.store()?.len_bytes()?)
    }

    /// Finishes what is under way, tells the peers, frees the folder, and ends; other handles see
    /// [`ReplicaError::Closed`].
    pub async fn shutdown(&self) {
        let (done, ended) = oneshot::channel();
        if self.command(Command::Stop(done)).await.is_ok() && ended.await.is_err() {
            tracing::debug!("the driver had ended already");
        }
        let mut store = self
            .inner
            .store
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *store = None;
    }

    fn store(&self) -> Result<Arc<dyn Store>, ReplicaError> {
        let store = self
            .inner
            .store
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        store.clone().ok_or(ReplicaError::Closed)
    }

    async fn command(&self, command: Command) -> Result<(), ReplicaError> {
        let sent = self.inner.commands.send(command).await;
        sent.map_err(|_command| ReplicaError::Closed)
    }

    async fn ask(
        &self,
        input: impl FnOnce(WriteId) -> Input + Send + 'static,
    ) -> Result<Written, ReplicaError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Write {
            input: Box::new(input),
            reply,
        })
        .await?;
        let written = answer.await.map_err(|_gone| ReplicaError::Closed)?;
        Ok(written?)
    }

    async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, ReplicaError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Inspect(Box::new(move |engine| {
            if reply.send(look(engine)).is_err() {
                tracing::debug!("nobody waits for what was looked up");
            }
        })))
        .await?;
        answer.await.map_err(|_gone| ReplicaError::Closed)
    }
}

fn system(cause: &dyn std::fmt::Display) -> ReplicaError {
    ReplicaError::System(cause.to_string())
}

async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReplicaError> {
    tokio::task::spawn_blocking(run)
        .await
        .map_err(|cause| system(&cause))
}

fn last_port(store: &dyn Store) -> Result<u16, StoreError> {
    let values = store.values(records::PORT)?;
    let port = values
        .first()
        .and_then(|(_key, value)| value.as_slice().try_into().ok());
    Ok(port.map_or(0, u16::from_be_bytes))
}

async fn keep_port(store: &Arc<dyn Store>, port: u16) -> Result<(), ReplicaError> {
    let store = Arc::clone(store);
    let operation = Operation::PutValue {
        key: records::PORT.to_vec(),
        value: port.to_be_bytes().to_vec(),
    };
    Ok(blocking(move || store.commit(&[operation])).await??)
}

/// What the engine begins with, and the arrivals of rows that are damaged.
fn restore_engine(store: &dyn Store) -> Result<(Restored, BTreeSet<u64>), StoreError> {
    let mut damaged = BTreeSet::new();
    let mut restored = Restored::default();
    store.scan(store::Bodies::Control, &mut |row| {
        let (arrival, received) = (row.arrival, row.received);
        match row.recall() {
            Ok(envelope) => restored.envelopes.push(Stored { envelope, received }),
            // Damaged rows are reported by `verify`; peers send their envelopes again.
            Err(cause) => {
                tracing::error!(arrival, %cause, "a stored row is damaged");
                damaged.insert(arrival);
            }
        }
        Ok(())
    })?;
    let cursors = store.values(records::CURSOR_PREFIX)?;
    restored.cursors = cursors
        .iter()
        .filter_map(|(key, value)| records::cursor(key, value))
        .collect();
    for (key, value) in store.values(records::BODILESS_PREFIX)? {
        let Some((space, id)) = records::bodiless(&key) else {
            continue;
        };
        match records::covered_by(&value) {
            Some(by) => restored.covered.push((space, id, by)),
            None => restored.bodiless.push((space, id)),
        }
    }
    let exact = store.values(records::EXACT_PREFIX)?.into_iter().collect();
    let counters = store.values(records::COUNTER_PREFIX)?;
    restored.counters = counters
        .iter()
        .filter_map(|(key, value)| records::counter(key, value, &exact))
        .collect();
    let mut follows = BTreeMap::new();
    for (key, _empty) in store.values(records::FOLLOW_PREFIX)? {
        if let Some(space) = records::space(records::FOLLOW_PREFIX, &key) {
            follows.insert(space, None);
        }
    }
    for (key, seed) in store.secrets(records::INVITATION_PREFIX)? {
        if let Some(space) = records::space(records::INVITATION_PREFIX, &key)
            && let Ok(seed) = seed.0.as_slice().try_into()
        {
            let seed = SecretSeed(Zeroizing::new(seed));
            follows.insert(space, Some(seed));
        }
    }
    restored.follows = follows.into_iter().collect();
    for (key, value) in store.values(records::ENDED_PREFIX)? {
        let space = records::space(records::ENDED_PREFIX, &key);
        let ended = space.map(|space| (space, records::ended(&value)));
        restored.ended.extend(ended);
    }
    Ok((restored, damaged))
}

#[cfg(test)]
mod tests;
