//! A relay in this process, as its own program runs it.
#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aramaki_relay::{Config, RelayError, RelayInfo, RelayOptions};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::statement::RelayAddress;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) const STEP_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Relay {
    pub(crate) info: RelayInfo,
    stop: CancellationToken,
    running: JoinHandle<Result<(), RelayError>>,
}

impl Relay {
    pub(crate) async fn start(data: &Path) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config::default();
        config.peer.bind = loopback;
        config.transport.bind = loopback;
        config.status.bind = loopback;
        let options = RelayOptions {
            data: data.to_owned(),
            key: None,
            config,
        };
        let stop = CancellationToken::new();
        let (ready, started) = oneshot::channel();
        let running = tokio::spawn(aramaki_relay::run(options, stop.clone(), ready));
        let info = timeout(STEP_MAX, started).await.unwrap().unwrap();
        Self {
            info,
            stop,
            running,
        }
    }

    /// Where its peer is reached.
    pub(crate) fn peer(&self) -> PeerAddress {
        self.info.address().parse().unwrap()
    }

    pub(crate) fn address(&self) -> RelayAddress {
        let peer = self.peer();
        RelayAddress {
            author: self.info.author,
            endpoint: peer.endpoint,
            addresses: peer.addresses,
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(STEP_MAX, self.running)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}
