//! The iroh endpoint: own addresses and own relays, nobody else's servers (NET §1).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::key::DeviceKeys;
use iroh::address_lookup::memory::MemoryLookup;
use iroh::dns::DnsResolver;
use iroh::endpoint::{
    BindOpts, IdleTimeout, NetReportConfig, PortmapperConfig, QuicTransportConfig, VarInt, presets,
};
use iroh::tls::CaTlsConfig;
use iroh::{Endpoint, RelayConfig, RelayMap, RelayMode, RelayUrl, SecretKey};
use iroh_mdns_address_lookup::MdnsAddressLookup;

use super::TransportError;
use super::address::{self, PeerAddress};

/// The protocol's name on the wire.
pub const ALPN: &[u8] = b"aramaki/sync/1";

const IDLE_TIMEOUT_MS: u32 = 10_000;
const KEEP_ALIVE: Duration = Duration::from_secs(3);
const PATH_IDLE_TIMEOUT: Duration = Duration::from_secs(6);
const PATH_KEEP_ALIVE: Duration = Duration::from_secs(2);
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
const SEND_WINDOW_BYTES: u64 = 8 << 20;
/// The control stream and that of frames: what comes on another would wait here for nobody.
const BIDI_STREAMS_MAX: u32 = 2;
const DATAGRAM_BUFFER_BYTES: usize = 256 << 10;

/// How this replica is on the network. The default listens on all interfaces at a free port, and
/// asks no one for anything: no name servers, no public relays, no port mapping.
#[derive(Clone, Debug, Default)]
pub struct NetworkOptions {
    /// Where to listen; empty means every interface at a free port.
    pub bind: Vec<SocketAddr>,
    /// Addresses under which others reach this one, when it cannot know them itself (behind NAT, or
    /// when bound to all addresses). Told first in hellos and invitations.
    pub advertise: Vec<SocketAddr>,
    /// URLs of own transport relays (`https://…`, or `http://…` on a trusted network).
    pub transport_relays: Vec<String>,
    /// Certificates (DER) of own authorities for those relays, instead of the system's.
    pub relay_roots: Vec<Vec<u8>>,
    /// Peers to dial before any Space names one.
    pub bootstrap: Vec<PeerAddress>,
    /// Finds peers on this network by multicast DNS. Tells everyone on it our addresses.
    pub local_discovery: bool,
}

impl NetworkOptions {
    /// Reachable from this machine only, at a free port.
    pub fn loopback() -> Self {
        Self {
            bind: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            ..Self::default()
        }
    }
}

fn transport_config() -> QuicTransportConfig {
    let idle = IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS));
    QuicTransportConfig::builder()
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(KEEP_ALIVE)
        .default_path_max_idle_timeout(PATH_IDLE_TIMEOUT)
        .default_path_keep_alive_interval(PATH_KEEP_ALIVE)
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES))
        .send_window(SEND_WINDOW_BYTES)
        .max_concurrent_bidi_streams(VarInt::from_u32(BIDI_STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER_BYTES))
        .datagram_send_buffer_size(DATAGRAM_BUFFER_BYTES)
        .build()
}

/// Parses a transport relay's URL.
pub(super) fn relay_url(text: &str) -> Result<RelayUrl, TransportError> {
    address::relay_url(text).ok_or_else(|| TransportError::RelayUrl(text.to_owned()))
}

/// The transport relays of the options.
pub(super) fn relays(
    options: &NetworkOptions,
) -> Result<Vec<(RelayUrl, Arc<RelayConfig>)>, TransportError> {
    let urls = options.transport_relays.iter().map(|text| relay_url(text));
    urls.map(|url| {
        let url = url?;
        Ok((url.clone(), Arc::new(RelayConfig::new(url, None))))
    })
    .collect()
}

/// Where to listen: a free port becomes the one of last time, so that peers find us again.
fn listen_on(options: &NetworkOptions, port: u16) -> Vec<SocketAddr> {
    if options.bind.is_empty() {
        return vec![
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
        ];
    }
    let mut addresses = options.bind.clone();
    for address in &mut addresses {
        if address.port() == 0 {
            address.set_port(port);
        }
    }
    addresses
}

/// Binds the endpoint. A free port is `port`, or any if that is 0.
pub(super) async fn bind(
    options: &NetworkOptions,
    port: u16,
    keys: &DeviceKeys,
    book: MemoryLookup,
) -> Result<Endpoint, TransportError> {
    let map = RelayMap::empty();
    for (url, config) in relays(options)? {
        map.insert(url, config);
    }
    let mut report = NetReportConfig::default();
    report.captive_portal_check = false;
    let mut builder = Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(&keys.endpoint_seed()))
        .alpns(vec![ALPN.to_vec()])
        .relay_mode(RelayMode::Custom(map))
        .portmapper_config(PortmapperConfig::Disabled)
        .net_report_config(report)
        .dns_resolver(
            DnsResolver::builder()
                .with_system_defaults()
                .disable_fallback()
                .build(),
        )
        .address_lookup(book)
        .transport_config(transport_config());
    builder = builder.clear_ip_transports();
    for address in listen_on(options, port) {
        // A machine without IPv6 is none without a network.
        let required = !(options.bind.is_empty() && address.is_ipv6());
        let opts = BindOpts::default().set_is_required(required);
        builder = builder
            .bind_addr_with_opts(address, opts)
            .map_err(|_cause| TransportError::BindAddress(address))?;
    }
    if !options.relay_roots.is_empty() {
        let roots = options.relay_roots.iter().cloned().map(Into::into);
        builder = builder.ca_tls_config(CaTlsConfig::custom_roots(roots));
    }
    if options.local_discovery {
        builder = builder.address_lookup(MdnsAddressLookup::builder());
    }
    builder
        .bind()
        .await
        .map_err(|source| TransportError::Bind(Box::new(source)))
}
