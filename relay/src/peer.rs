//! The store-and-forward peer: a replica in the role of a relay, with no key to what it stores.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aramaki_sync::replica::{Replica, ReplicaEvent, ReplicaOptions};
use aramaki_sync::transport::NetworkOptions;
use aramaki_sync_core::engine::{Quotas, Role, StoreFailure};
use aramaki_sync_core::key::DeviceKeys;
use tokio::sync::broadcast;
use tracing::{error, info, warn};

use crate::config;
use crate::error::RelayError;
use crate::health::StoreHealth;
use crate::metrics::PeerFigures;
use crate::run::RelayOptions;
use crate::transport::TransportRelay;

/// How long a replica may take to answer before it counts as stuck.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);

/// The running peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    replica: Replica,
    counts: Arc<Mutex<Counts>>,
    store: StoreHealth,
}

/// What is counted from events.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    refused: u64,
}

impl Peer {
    /// Opens the store and listens.
    pub(crate) async fn open(
        options: &RelayOptions,
        keys: DeviceKeys,
        transport: Option<&TransportRelay>,
    ) -> Result<Self, RelayError> {
        let mut network = NetworkOptions {
            bind: vec![options.config.peer.bind],
            advertise: options.config.peer.advertise.clone(),
            ..NetworkOptions::default()
        };
        if let Some(transport) = transport {
            network
                .transport_relays
                .push(transport.own_url().to_owned());
            network.relay_roots = transport.roots().to_vec();
        }
        let role = Role::Relay(quotas(options.config.quotas));
        let mut settings = ReplicaOptions::new(options.data.clone(), keys)
            .network(network)
            .role(role);
        if options.config.peer.serves.is_empty() {
            tracing::warn!(
                "[peer] serves names nobody: whoever reaches this relay may store on it"
            );
        } else {
            settings = settings.serves(options.config.peer.serves.clone());
        }
        let replica = Replica::open(settings).await?;
        let counts = Arc::new(Mutex::new(Counts::default()));
        let store = StoreHealth::new(&options.data);
        tokio::spawn(count(
            replica.subscribe(),
            Arc::clone(&counts),
            store.clone(),
        ));
        Ok(Self {
            replica,
            counts,
            store,
        })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let mut addresses = self
            .replica
            .address()
            .map(|address| address.addresses)
            .unwrap_or_default();
        addresses.retain(|address| !address.starts_with("http"));
        addresses
    }

    /// What it holds, for `/metrics`.
    pub(crate) async fn figures(&self) -> PeerFigures {
        let spaces = self.replica.spaces().await.unwrap_or_default();
        let peers = self.replica.peers();
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        PeerFigures {
            spaces: count(spaces.len()),
            envelopes: spaces.iter().map(|space| space.envelopes).sum(),
            stored_bytes: self.replica.len_bytes().unwrap_or_default(),
            peers: count(peers.iter().filter(|peer| peer.is_connected()).count()),
            refused: self.counts().refused,
        }
    }

    /// Whether it answers and can store.
    pub(crate) async fn health(&self) -> Result<(), String> {
        let asked = async {
            self.store.check().await?;
            let spaces = self.replica.spaces().await;
            spaces.map(drop).map_err(|cause| cause.to_string())
        };
        let late = |_late| format!("the store does not answer within {ANSWER_TIME_MAX:?}");
        tokio::time::timeout(ANSWER_TIME_MAX, asked)
            .await
            .map_err(late)?
    }

    /// Finishes what is under way and tells the peers.
    pub(crate) async fn close(&self) {
        self.replica.shutdown().await;
    }

    fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn quotas(quotas: config::Quotas) -> Quotas {
    Quotas {
        space_bytes_max: quotas.space_bytes,
        space_bytes_per_day_max: quotas.space_bytes_per_day,
        spaces_max: quotas.spaces,
        total_bytes_max: quotas.total_bytes,
        chains_per_author_max: quotas.chains_per_author,
        grants_per_author_max: quotas.grants_per_author,
        envelopes_per_second_max: quotas.envelopes_per_second.get(),
        envelopes_burst_max: quotas.envelopes_burst.get(),
    }
}

/// Counts and logs until the replica is gone. Never contents: there are none to see.
async fn count(
    mut events: broadcast::Receiver<ReplicaEvent>,
    counts: Arc<Mutex<Counts>>,
    store: StoreHealth,
) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            // Counts are lost, and perhaps a failure.
            Err(broadcast::error::RecvError::Lagged(_missed)) => {
                store.doubt(StoreFailure::Failed);
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            ReplicaEvent::StoreFailed { failure } => {
                error!(%failure, "nothing is stored at the moment");
                store.doubt(failure);
            }
            ReplicaEvent::Refused {
                space,
                peer,
                reason,
                ..
            } => {
                counts.refused += 1;
                warn!(space = %space.short(), peer = %peer.short(), %reason, "envelope refused");
            }
            ReplicaEvent::OverQuota {
                space,
                author,
                quota,
                would_be,
                most,
            } => {
                warn!(
                    space = %space.short(), author = %author.short(), %quota, would_be, most,
                    "a quota is reached: what is over it is taken later"
                );
            }
            ReplicaEvent::NewInstance { instance } => {
                warn!(
                    ?instance,
                    "the store was rolled back: a new instance begins"
                );
            }
            ReplicaEvent::Space { space } => info!(space = %space.short(), "Space changed"),
            _ => {}
        }
    }
}
