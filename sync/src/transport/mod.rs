//! The network: iroh connections that carry frames between engines. The only owner of `iroh`.
//!
//! **Invariant:** a peer exists for the engine only after its hello proved its authors, and every
//! connection has its own id, so that events of a dead one can never be taken for a living one.

mod address;
mod dial;
mod endpoint;
mod framing;
mod handshakes;
mod hello;
mod link;
mod relays;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aramaki_sync_core::AuthorId;
use aramaki_sync_core::key::DeviceKeys;
use bytes::Bytes;
use iroh::address_lookup::memory::MemoryLookup;
use iroh::endpoint::{BindError, Incoming, Side};
use iroh::{Endpoint, EndpointAddr, TransportAddr, Watcher as _};
use n0_future::StreamExt as _;
use thiserror::Error;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;

pub use address::{
    ADDRESS_LEN_BYTES_MAX, ADDRESSES_MAX, AddressError, PeerAddress, check_relay_url,
};
pub use aramaki_sync_core::engine::ConnectionId;
pub use endpoint::{ALPN, NetworkOptions};
pub use framing::FRAME_BYTES_MAX;
pub use hello::{Hello, HelloError, PROOFS_MAX, Proven};

use handshakes::Handshakes;
use link::{CLOSE_DONE, CLOSE_KEYS, CLOSE_REPLACED, CLOSE_STRANGER, Link, SILENCE, Streams, Told};
use relays::Relays;

/// How many invitations' keys a hello proves beside the device's own.
pub const INVITATIONS_PROVED_MAX: usize = PROOFS_MAX - 1;
const EVENTS_QUEUED_MAX: usize = 256;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECTIONS_MAX: usize = 8_192;
const TARGETS_MAX: usize = 1_024;
/// For the closing words to go out. Nothing confirms them, and iroh waits for three times the longest
/// answer that may still come; who does not hear them notices by the silence.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);
/// The same where nobody is connected who could be told.
const CLOSE_ALONE_TIMEOUT: Duration = Duration::from_millis(100);

/// Why the network cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// An address in the options.
    #[error("cannot listen on {0}")]
    BindAddress(SocketAddr),
    /// The endpoint.
    #[error("cannot open the network endpoint")]
    Bind(#[source] Box<BindError>),
    /// A URL in the options.
    #[error("`{0}` is not the URL of a transport relay")]
    RelayUrl(String),
    /// The other side went away.
    #[error("connection lost")]
    Lost,
    /// The other side's first message.
    #[error("peer refused: {0}")]
    Hello(String),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// What the network reports to the driver.
#[derive(Debug)]
pub enum TransportEvent {
    /// A peer proved who it is.
    Connected {
        /// This connection.
        connection: ConnectionId,
        /// Its endpoint key.
        endpoint: [u8; 32],
        /// Its device key.
        device: AuthorId,
        /// All its author keys.
        authors: BTreeSet<AuthorId>,
        /// Where it says that it can be reached.
        addresses: Vec<String>,
        /// Whether it is one that this side looks for.
        is_sought: bool,
    },
    /// Nothing more comes from this connection.
    Disconnected {
        /// Which.
        connection: ConnectionId,
    },
    /// A frame, in order.
    Frame {
        /// From whom.
        connection: ConnectionId,
        /// As sent.
        frame: Vec<u8>,
    },
    /// A datagram: unordered, may be missing.
    Datagram {
        /// From whom.
        connection: ConnectionId,
        /// As sent.
        bytes: Vec<u8>,
    },
}

/// How a connected peer is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Straight to this address.
    Direct(SocketAddr),
    /// Through the transport relay at this URL.
    Relayed(String),
    /// Not known yet, or another kind.
    Unknown,
}

/// A connected peer.
#[derive(Clone, Debug)]
pub struct LinkStatus {
    /// The connection.
    pub connection: ConnectionId,
    /// Its endpoint key.
    pub endpoint: [u8; 32],
    /// Its proven device key.
    pub device: AuthorId,
    /// All its proven author keys.
    pub authors: BTreeSet<AuthorId>,
    /// The selected path.
    pub path: Path,
    /// Round trip on that path.
    pub rtt: Option<Duration>,
    /// How long ago it was heard.
    pub heard: Duration,
    /// How long the connection lives.
    pub age: Duration,
}

#[derive(Default)]
struct State {
    links: BTreeMap<ConnectionId, Arc<Link>>,
    by_endpoint: BTreeMap<[u8; 32], ConnectionId>,
    targets: BTreeMap<[u8; 32], (PeerAddress, Option<AbortHandle>)>,
    /// The device's first, then those of invitations: as many as a hello holds.
    keys: Vec<Arc<DeviceKeys>>,
    /// Counts additions to them.
    keys_revision: u64,
    relays: Relays,
    closing: bool,
}

struct Shared {
    endpoint: Endpoint,
    advertise: Vec<SocketAddr>,
    local_discovery: bool,
    events: mpsc::Sender<TransportEvent>,
    network_changed: Notify,
    session: u64,
    connections: AtomicU64,
    state: Mutex<State>,
    me: Weak<Self>,
}

/// The network side of a replica. Dropping it drops all connections; [`Transport::shutdown`] also
/// tells the peers.
pub struct Transport {
    shared: Arc<Shared>,
    tasks: Vec<AbortHandle>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transport({})", self.address())
    }
}

impl Transport {
    /// Opens the endpoint and begins to accept and to dial. Where the options leave the port free,
    /// `last_port` is tried first (0 for none), because peers remember it.
    ///
    /// # Errors
    /// When an address or URL of the options cannot be used.
    pub async fn bind(
        options: &NetworkOptions,
        device: Arc<DeviceKeys>,
        last_port: u16,
    ) -> Result<(Self, mpsc::Receiver<TransportEvent>), TransportError> {
        let endpoint = match endpoint::bind(options, last_port, &device, MemoryLookup::new()).await
        {
            Err(TransportError::Bind(_cause)) if last_port != 0 => {
                // Someone else has the port now.
                endpoint::bind(options, 0, &device, MemoryLookup::new()).await?
            }
            bound => bound?,
        };
        let mut relays = Relays::default();
        for (url, config) in endpoint::relays(options)? {
            relays.insert(url, config);
        }
        let mut session = [0; 8];
        getrandom::fill(&mut session).map_err(|_cause| TransportError::NoRandomness)?;
        let (events, receiver) = mpsc::channel(EVENTS_QUEUED_MAX);
        let shared = Arc::new_cyclic(|me| Shared {
            endpoint,
            advertise: options.advertise.clone(),
            local_discovery: options.local_discovery,
            events,
            network_changed: Notify::new(),
            session: u64::from_le_bytes(session),
            connections: AtomicU64::new(1),
            state: Mutex::new(State {
                keys: vec![device],
                relays,
                ..State::default()
            }),
            me: Weak::clone(me),
        });
        let accepting = tokio::spawn(accept(Arc::clone(&shared))).abort_handle();
        let watching = tokio::spawn(watch_network(Arc::clone(&shared))).abort_handle();
        let relaying = tokio::spawn(relays::watch(Arc::clone(&shared))).abort_handle();
        let transport = Self {
            shared,
            tasks: vec![accepting, watching, relaying],
        };
        for peer in &options.bootstrap {
            transport.look_for(peer.clone());
        }
        Ok((transport, receiver))
    }

    /// Where this endpoint can be reached: what it was told to advertise, then what it knows.
    pub fn address(&self) -> PeerAddress {
        self.shared.address()
    }

    /// The port to try next time; 0 if there is none.
    pub fn port(&self) -> u16 {
        let sockets = self.shared.endpoint.bound_sockets();
        sockets.first().map_or(0, SocketAddr::port)
    }

    /// Whether a peer can be found of whom only the endpoint key is known: at a transport relay that
    /// it may use too, or on this network.
    pub fn finds_by_key(&self) -> bool {
        self.shared.local_discovery || self.shared.state().relays.urls().next().is_some()
    }

    /// Keeps a connection to this peer from now on; adds to what is known of its addresses.
    pub fn look_for(&self, peer: PeerAddress) {
        if peer.endpoint == *self.shared.endpoint.id().as_bytes() {
            return;
        }
        let mut state = self.shared.state();
        let full = state.targets.len() >= TARGETS_MAX;
        if let Some((known, _task)) = state.targets.get_mut(&peer.endpoint) {
            let mut fresh = false;
            for address in peer.addresses {
                if !known.addresses.contains(&address) {
                    known.addresses.insert(0, address);
                    fresh = true;
                }
            }
            known.addresses.truncate(ADDRESSES_MAX);
            if fresh {
                self.shared.network_changed.notify_waiters();
            }
            return;
        }
        if full || state.closing {
            return;
        }
        let endpoint = peer.endpoint;
        state.targets.insert(endpoint, (peer, None));
        let task = tokio::spawn(dial::keep_connected(Arc::clone(&self.shared), endpoint));
        if let Some((_peer, handle)) = state.targets.get_mut(&endpoint) {
            *handle = Some(task.abort_handle());
        }
    }

    /// Proves the device's key and these from now on, the most needed first: what is over
    /// [`INVITATIONS_PROVED_MAX`] is left out. Where one is new, connections are made anew, because a hello is
    /// sent once; one that is gone is left out of later hellos.
    pub fn prove(&self, invitations: impl IntoIterator<Item = DeviceKeys>) {
        let mut state = self.shared.state();
        let held: BTreeSet<AuthorId> = state.keys.iter().map(|keys| keys.author()).collect();
        state.keys.truncate(1);
        let wanted = invitations
            .into_iter()
            .take(INVITATIONS_PROVED_MAX)
            .map(Arc::new);
        state.keys.extend(wanted);
        if state.keys.iter().all(|keys| held.contains(&keys.author())) {
            return;
        }
        state.keys_revision += 1;
        for link in state.links.values() {
            link.close(CLOSE_KEYS);
        }
        drop(state);
        self.shared.network_changed.notify_waiters();
    }

    /// Adds an own transport relay at run time.
    ///
    /// # Errors
    /// When it is no URL.
    pub async fn add_transport_relay(&self, url: &str) -> Result<(), TransportError> {
        let url = endpoint::relay_url(url)?;
        let config = Arc::new(iroh::RelayConfig::new(url.clone(), None));
        self.shared.use_relay(url, config).await;
        Ok(())
    }

    /// Queues a frame; a connection that is gone swallows it.
    pub fn send(&self, connection: ConnectionId, frame: &[u8]) {
        if let Some(link) = self.shared.link(connection) {
            link.send(frame);
        }
    }

    /// Sends a datagram if the path takes one of this size now.
    pub fn send_datagram(&self, connection: ConnectionId, bytes: Vec<u8>) {
        if let Some(link) = self.shared.link(connection)
            && let Err(cause) = link.connection.send_datagram(Bytes::from(bytes))
        {
            tracing::debug!(connection = connection.0, %cause, "datagram not sent");
        }
    }

    /// Ends a connection. A peer that we look for is dialled again after a pause.
    pub fn close(&self, connection: ConnectionId) {
        self.end(connection, link::CLOSE_PROTOCOL);
    }

    /// Ends a connection of somebody who has no part in anything here; who has later comes again.
    pub fn let_go(&self, connection: ConnectionId) {
        self.end(connection, CLOSE_STRANGER);
    }

    fn end(&self, connection: ConnectionId, code: u32) {
        if let Some(link) = self.shared.link(connection) {
            link.close(code);
        }
    }

    /// The connections of now.
    pub fn links(&self) -> Vec<LinkStatus> {
        let links: Vec<Arc<Link>> = self.shared.state().links.values().cloned().collect();
        links.iter().map(|link| status(link)).collect()
    }

    /// Peers that are looked for, connected or not.
    pub fn targets(&self) -> Vec<PeerAddress> {
        let state = self.shared.state();
        state
            .targets
            .values()
            .map(|(peer, _task)| peer.clone())
            .collect()
    }

    /// Tells the peers, and closes.
    pub async fn shutdown(&self) {
        let links: Vec<Arc<Link>> = {
            let mut state = self.shared.state();
            state.closing = true;
            for (_peer, task) in state.targets.values() {
                if let Some(task) = task {
                    task.abort();
                }
            }
            state.targets.clear();
            state.links.values().cloned().collect()
        };
        // A dial that nobody answers would hold up the end for as long as a peer may.
        let limit = if links.is_empty() {
            CLOSE_ALONE_TIMEOUT
        } else {
            CLOSE_TIMEOUT
        };
        for link in links {
            link.close(CLOSE_DONE);
        }
        if timeout(limit, self.shared.endpoint.close()).await.is_err() {
            tracing::debug!("peers were not told in time");
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        let mut state = self.shared.state();
        state.closing = true;
        for (_peer, task) in state.targets.values() {
            if let Some(task) = task {
                task.abort();
            }
        }
        for link in state.links.values() {
            link.close(CLOSE_DONE);
        }
    }
}

fn status(link: &Link) -> LinkStatus {
    let paths = link.connection.paths();
    let selected = paths.iter().find(iroh::endpoint::Path::is_selected);
    LinkStatus {
        connection: link.id,
        endpoint: link.endpoint,
        device: link.device,
        authors: link.authors.clone(),
        path: selected
            .as_ref()
            .map_or(Path::Unknown, |path| match path.remote_addr() {
                TransportAddr::Ip(address) => Path::Direct(*address),
                TransportAddr::Relay(url) => Path::Relayed(url.to_string()),
                _ => Path::Unknown,
            }),
        rtt: selected.as_ref().map(iroh::endpoint::Path::rtt),
        heard: link.silent_for(),
        age: link.since.elapsed(),
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    fn link(&self, connection: ConnectionId) -> Option<Arc<Link>> {
        self.state().links.get(&connection).cloned()
    }

    fn link_to(&self, endpoint: &[u8; 32]) -> Option<Arc<Link>> {
        let state = self.state();
        let connection = state.by_endpoint.get(endpoint)?;
        state.links.get(connection).cloned()
    }

    fn target(&self, endpoint: &[u8; 32]) -> Option<PeerAddress> {
        let state = self.state();
        state
            .targets
            .get(endpoint)
            .map(|(peer, _task)| peer.clone())
    }

    fn address(&self) -> PeerAddress {
        address::with_advertised(&self.advertise, &self.endpoint.addr())
    }

    /// Where to dial: where the peer said it is, and our own transport relays, which the peers of a
    /// team have in common: it may have moved from one to another since.
    fn dialled(&self, peer: &PeerAddress) -> Option<EndpointAddr> {
        let address = address::to_iroh(peer)?;
        let state = self.state();
        let relays = state.relays.urls().cloned().map(TransportAddr::Relay);
        Some(address.with_addrs(relays))
    }

    /// What we say of ourselves to a peer, and which keys that proves. Those of invitations stand in
    /// rosters: only whom we look for hears them, because anybody may connect.
    fn hello(&self, to: &[u8; 32]) -> Result<(Vec<u8>, Told), TransportError> {
        let (keys, told) = {
            let state = self.state();
            let told = Told {
                revision: state.keys_revision,
                invitations: state.targets.contains_key(to),
            };
            let count = if told.invitations { PROOFS_MAX } else { 1 };
            (
                state.keys.iter().take(count).cloned().collect::<Vec<_>>(),
                told,
            )
        };
        Hello::signed(
            self.session,
            self.address().addresses,
            &keys,
            (self.endpoint.id().as_bytes(), to),
        )
        .encode()
        .map(|hello| (hello, told))
        .map_err(|cause| TransportError::Hello(cause.to_string()))
    }

    /// Takes a greeted connection into use, or lets it go in favour of the one there is.
    fn register(&self, link: Link, streams: Streams) {
        let Some(shared) = self.me.upgrade() else {
            return;
        };
        let link = Arc::new(link);
        {
            let mut state = self.state();
            let is_sought = state.targets.contains_key(&link.endpoint);
            let is_told_all = link.told.invitations || !is_sought;
            if link.told.revision < state.keys_revision || !is_told_all {
                // A key came while we greeted, or the wish to tell the peer all of them: without it the
                // peer would never offer its Space.
                link.close(CLOSE_KEYS);
                return;
            }
            let old = state
                .by_endpoint
                .get(&link.endpoint)
                .and_then(|id| state.links.get(id))
                .cloned();
            let full = state.links.len() >= CONNECTIONS_MAX;
            let keep_old = old.as_ref().is_some_and(|old| !self.replaces(old, &link));
            if state.closing || full || keep_old {
                link.close(CLOSE_REPLACED);
                return;
            }
            if let Some(old) = old {
                old.close(CLOSE_REPLACED);
            }
            state.by_endpoint.insert(link.endpoint, link.id);
            state.links.insert(link.id, Arc::clone(&link));
        }
        tokio::spawn(async move {
            let connected = TransportEvent::Connected {
                connection: link.id,
                endpoint: link.endpoint,
                device: link.device,
                authors: link.authors.clone(),
                addresses: link.addresses.clone(),
                // Whom we look for was told all, and nobody else.
                is_sought: link.told.invitations,
            };
            if shared.events.send(connected).await.is_err() {
                link.close(CLOSE_DONE);
            }
            // The inner task contains a panic: whatever happens, the connection is taken back.
            let (inner_link, inner_shared) = (Arc::clone(&link), Arc::clone(&shared));
            let inner = tokio::spawn(async move { inner_link.run(&inner_shared, streams).await });
            if let Err(cause) = inner.await
                && cause.is_panic()
            {
                tracing::error!(connection = link.id.0, "connection task panicked");
                link.close(CLOSE_DONE);
            }
            shared.forget(&link);
            let disconnected = TransportEvent::Disconnected {
                connection: link.id,
            };
            if shared.events.send(disconnected).await.is_err() {
                tracing::debug!("driver is gone");
            }
        });
    }

    /// Whether a new connection takes the place of an old one to the same endpoint.
    ///
    /// Newest wins; only when both sides dialled each other at once must both keep the same one,
    /// which is then the one that the lower endpoint key dialled.
    fn replaces(&self, old: &Link, new: &Link) -> bool {
        let restarted = old.session != new.session;
        let dead = old.connection.close_reason().is_some() || old.silent_for() >= SILENCE;
        if restarted || dead || old.side == new.side {
            return true;
        }
        let lower_is_us = self.endpoint.id().as_bytes() < &new.endpoint;
        (new.side == Side::Client) == lower_is_us
    }

    fn forget(&self, link: &Link) {
        let mut state = self.state();
        state.links.remove(&link.id);
        if state.by_endpoint.get(&link.endpoint) == Some(&link.id) {
            state.by_endpoint.remove(&link.endpoint);
        }
    }
}

async fn accept(shared: Arc<Shared>) {
    let handshakes = Handshakes::default();
    while let Some(incoming) = shared.endpoint.accept().await {
        let Some(handshake) = handshakes.begin(incoming.remote_addr()) else {
            incoming.refuse();
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            match timeout(HANDSHAKE_TIMEOUT, greet_incoming(&shared, incoming)).await {
                Ok(Ok((link, streams))) => shared.register(link, streams),
                Ok(Err(cause)) => tracing::debug!(%cause, "incoming connection refused"),
                Err(_elapsed) => tracing::debug!("incoming connection said nothing"),
            }
            drop(handshake);
        });
    }
}

async fn greet_incoming(
    shared: &Shared,
    incoming: Incoming,
) -> Result<(Link, Streams), TransportError> {
    let connection = incoming.await.map_err(|_cause| TransportError::Lost)?;
    Link::greet(shared, connection).await
}

/// Dials at once what is waiting when our own addresses change, which includes a home relay's
/// coming back.
async fn watch_network(shared: Arc<Shared>) {
    let mut addresses = shared.endpoint.watch_addr().stream();
    while addresses.next().await.is_some() {
        shared.network_changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
