//! From the configuration to the replica's network.

use aramaki_sync::transport::NetworkOptions;

use crate::cli::Network;

/// How the replica is on the network.
pub(super) fn options(network: &Network) -> NetworkOptions {
    NetworkOptions {
        bind: network.bind.into_iter().collect(),
        local_discovery: network.local_discovery,
        transport_relays: network.transport_relays.clone(),
        ..NetworkOptions::default()
    }
}
