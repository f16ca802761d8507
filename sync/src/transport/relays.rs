//! Own transport relays: which are in use, and one that is dead is not waited for.
//!
//! An endpoint keeps to its home relay however long that is away (80 s were measured), so a home
//! relay that is silent for [`SILENCE`] is taken out while there is another, and put back later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use iroh::{RelayConfig, RelayUrl, Watcher as _};
use tokio::time::{sleep, timeout};

use super::Shared;
use super::link::SILENCE;

/// How long a dead relay is left out before it is tried again.
const LEFT_OUT: Duration = Duration::from_secs(30);

/// The relays that this endpoint may use now.
#[derive(Debug, Default)]
pub(super) struct Relays(BTreeMap<RelayUrl, Arc<RelayConfig>>);

impl Relays {
    pub(super) fn insert(&mut self, url: RelayUrl, config: Arc<RelayConfig>) {
        self.0.insert(url, config);
    }

    pub(super) fn urls(&self) -> impl Iterator<Item = &RelayUrl> {
        self.0.keys()
    }

    /// Takes one out, unless it is the last.
    fn leave_out(&mut self, url: &RelayUrl) -> Option<Arc<RelayConfig>> {
        if self.0.len() < 2 {
            return None;
        }
        self.0.remove(url)
    }
}

/// Runs as long as the transport.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut status = shared.endpoint.home_relay_status();
    loop {
        let homes = status.get();
        let away = homes.iter().find(|home| !home.is_connected());
        let Some(dead) = away.map(|home| home.url().clone()) else {
            if status.updated().await.is_err() {
                return;
            }
            continue;
        };
        let back = async {
            while status.get().iter().any(|home| !home.is_connected()) {
                if status.updated().await.is_err() {
                    return;
                }
            }
        };
        if timeout(SILENCE, back).await.is_err() && !leave_out(&shared, dead).await {
            // Nothing to do but wait: it is the only one.
            if status.updated().await.is_err() {
                return;
            }
        }
    }
}

/// Goes on without a relay for a while; false if there is no other.
async fn leave_out(shared: &Arc<Shared>, url: RelayUrl) -> bool {
    let Some(config) = shared.state().relays.leave_out(&url) else {
        return false;
    };
    tracing::info!(%url, "transport relay does not answer: going on without it");
    shared.endpoint.remove_relay(&url).await;
    shared.network_changed.notify_waiters();
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        sleep(LEFT_OUT).await;
        if let Some(shared) = shared.upgrade() {
            shared.use_relay(url, config).await;
        }
    });
    true
}

impl Shared {
    /// Uses a relay from now on.
    pub(super) async fn use_relay(&self, url: RelayUrl, config: Arc<RelayConfig>) {
        self.state().relays.insert(url.clone(), Arc::clone(&config));
        self.endpoint.insert_relay(url, config).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_relay_is_never_left_out() {
        let [one, other] = ["https://one.example/", "https://other.example/"]
            .map(|url| url.parse::<RelayUrl>().unwrap());
        let mut relays = Relays::default();
        for url in [&one, &other] {
            relays.insert(url.clone(), Arc::new(RelayConfig::new(url.clone(), None)));
        }
        assert!(relays.leave_out(&one).is_some());
        assert!(relays.leave_out(&one).is_none(), "it is out already");
        assert!(relays.leave_out(&other).is_none(), "there is no other");
        assert_eq!(relays.urls().collect::<Vec<_>>(), [&other]);
    }
}
