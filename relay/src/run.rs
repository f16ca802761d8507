//! The whole life of a relay: start everything or nothing, run, stop in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use aramaki_sync::store::Folder;
use aramaki_sync_core::AuthorId;
use aramaki_sync_core::key::DeviceKeys;
use iroh_relay::server::RelayMetrics;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::error::RelayError;
use crate::peer::Peer;
use crate::transport::{TransportError, TransportRelay};
use crate::{key, metrics, status};

/// Where a relay lives and how it is set.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Its data folder; made (0700) if missing.
    pub data: PathBuf,
    /// Its key file; if none, `device.key` in the data folder, made at first start.
    pub key: Option<PathBuf>,
    /// Everything else.
    pub config: Config,
}

/// Who a relay is and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayInfo {
    /// To whom a Space's administrator gives the capability `relay`.
    pub author: AuthorId,
    /// Its endpoint key, hexadecimal.
    pub endpoint: String,
    /// Where its peer is reached: `ip:port`.
    pub addresses: Vec<String>,
    /// The URL of its transport relay, if that runs.
    pub transport: Option<String>,
    /// Where `/healthz` and `/metrics` answer.
    pub status: SocketAddr,
}

impl RelayInfo {
    /// What can be told without starting: key, and the addresses in the configuration. Makes the key
    /// at first use.
    ///
    /// # Errors
    /// When the key cannot be read or made.
    pub fn of(options: &RelayOptions) -> Result<Self, RelayError> {
        let keys = key::open(&options.data, options.key.as_deref())?;
        let config = &options.config;
        let mut addresses: Vec<String> = config
            .peer
            .advertise
            .iter()
            .map(ToString::to_string)
            .collect();
        if addresses.is_empty() && !config.peer.bind.ip().is_unspecified() {
            addresses.push(config.peer.bind.to_string());
        }
        let transport = &config.transport;
        Ok(Self {
            author: keys.author(),
            endpoint: endpoint(&keys),
            addresses,
            transport: (transport.enabled && !transport.url.is_empty())
                .then(|| transport.url.clone()),
            status: config.status.bind,
        })
    }
}

impl RelayInfo {
    /// Everything that a peer needs to find it, as one text: `ENDPOINT@ADDRESS,…,URL`.
    pub fn address(&self) -> String {
        let places: Vec<&str> = self
            .addresses
            .iter()
            .chain(&self.transport)
            .map(String::as_str)
            .collect();
        if places.is_empty() {
            self.endpoint.clone()
        } else {
            format!("{}@{}", self.endpoint, places.join(","))
        }
    }
}

fn endpoint(keys: &DeviceKeys) -> String {
    iroh_base::SecretKey::from_bytes(&keys.endpoint_seed())
        .public()
        .to_string()
}

/// Runs a relay until `stop` is cancelled; tells `ready` once everything listens.
///
/// # Errors
/// When something cannot start (then nothing runs), or ends by itself (then all is stopped).
pub async fn run(
    options: RelayOptions,
    stop: CancellationToken,
    ready: oneshot::Sender<RelayInfo>,
) -> Result<(), RelayError> {
    for warning in options.config.warnings() {
        warn!("{warning}");
    }
    let config = &options.config;
    if key::is_there(&options.data) && !Folder::is_used(&options.data) {
        warn!(
            data = %options.data.display(),
            "there is a key and no store: if this relay ran before, the store was lost; it begins \
             empty, and its Spaces' members fill it"
        );
    }
    let keys = key::open(&options.data, options.key.as_deref())?;
    let mut info = RelayInfo::of(&options)?;
    let listener = status::listen(config.status.bind).await?;
    info.status = listener.address;
    let mut transport = if config.transport.enabled {
        Some(TransportRelay::start(&config.transport).await?)
    } else {
        None
    };
    info.transport = transport.as_ref().map(|relay| relay.url().to_owned());
    let peer = match Peer::open(&options, keys, transport.as_ref()).await {
        Ok(peer) => peer,
        Err(error) => {
            close_transport(transport).await;
            return Err(error);
        }
    };
    if config.peer.advertise.is_empty() {
        info.addresses = peer.addresses();
    }

    let pages = Arc::new(Pages {
        peer: peer.clone(),
        transport: transport.as_ref().map(TransportRelay::metrics),
    });
    let pages_stop = CancellationToken::new();
    let pages = tokio::spawn(status::serve(listener.listener, pages, pages_stop.clone()));
    info!(author = %info.author, endpoint = %info.endpoint, status = %info.status, "relay runs");
    // Whoever waits for this may have gone.
    drop(ready.send(info));

    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        cause = transport_ended(transport.as_mut()) => Err(RelayError::from(cause)),
    };
    info!("relay stops");
    peer.close().await;
    // A transport relay that ended by itself has nothing left to close.
    close_transport(transport.filter(|_running| ended.is_ok())).await;
    pages_stop.cancel();
    if let Err(cause) = pages.await {
        error!(%cause, "status pages ended with an error");
    }
    info!("relay stopped");
    ended
}

async fn transport_ended(transport: Option<&mut TransportRelay>) -> TransportError {
    match transport {
        Some(transport) => transport.ended().await,
        None => std::future::pending().await,
    }
}

async fn close_transport(transport: Option<TransportRelay>) {
    if let Some(transport) = transport
        && let Err(cause) = transport.close().await
    {
        warn!(%cause, "transport relay did not end in order");
    }
}

/// What `/healthz` and `/metrics` ask.
struct Pages {
    peer: Peer,
    transport: Option<RelayMetrics>,
}

impl status::Source for Pages {
    async fn health(&self) -> Result<(), String> {
        self.peer.health().await
    }

    async fn metrics(&self) -> String {
        metrics::render(self.peer.figures().await, self.transport.as_ref())
    }
}
