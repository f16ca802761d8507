//! Where a peer can be reached: its endpoint key, and addresses as text.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use aramaki_sync_core::statement::RelayAddress;
use data_encoding::HEXLOWER_PERMISSIVE;
use iroh::{EndpointAddr, PublicKey, RelayUrl, TransportAddr};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How many addresses of one peer are kept.
pub const ADDRESSES_MAX: usize = 16;
/// The longest address, in bytes.
pub const ADDRESS_LEN_BYTES_MAX: usize = 256;

/// A peer's endpoint key, and where to look for it.
///
/// The key is what the connection proves; the addresses are only hints, so a wrong one costs time
/// and never leads to another peer. Text form: `KEY` or `KEY@ADDRESS,ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerAddress {
    /// The iroh endpoint key.
    pub endpoint: [u8; 32],
    /// `ip:port` for direct paths, `http(s)://…` for transport relays.
    pub addresses: Vec<String>,
}

/// Text that is no peer address, or no URL of a transport relay.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The part before `@`.
    #[error("`{0}` is not an endpoint key: 64 hexadecimal digits are expected")]
    Key(String),
    /// A part after `@`.
    #[error("`{0}` is neither ip:port nor the URL of a transport relay")]
    Address(String),
    /// Not the URL of a transport relay.
    #[error("`{0}` is not the URL of a transport relay: https://HOST is expected")]
    RelayUrl(String),
}

impl From<&RelayAddress> for PeerAddress {
    fn from(relay: &RelayAddress) -> Self {
        Self {
            endpoint: relay.endpoint,
            addresses: relay.addresses.clone(),
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.endpoint))?;
        for (at, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if at == 0 { '@' } else { ',' })?;
        }
        Ok(())
    }
}

impl FromStr for PeerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (key, rest) = text.split_once('@').unwrap_or((text, ""));
        let endpoint: [u8; 32] = HEXLOWER_PERMISSIVE
            .decode(key.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| AddressError::Key(key.to_owned()))?;
        PublicKey::from_bytes(&endpoint).map_err(|_cause| AddressError::Key(key.to_owned()))?;
        let mut addresses = Vec::new();
        for address in rest.split(',').filter(|address| !address.is_empty()) {
            if parsed(address).is_none() {
                return Err(AddressError::Address(address.to_owned()));
            }
            addresses.push(address.to_owned());
        }
        addresses.truncate(ADDRESSES_MAX);
        Ok(Self {
            endpoint,
            addresses,
        })
    }
}

/// Accepts the URL of a transport relay: `http://` or `https://`, a host, and no password.
///
/// # Errors
/// [`AddressError::RelayUrl`].
pub fn check_relay_url(text: &str) -> Result<(), AddressError> {
    relay_url(text)
        .map(|_url| ())
        .ok_or_else(|| AddressError::RelayUrl(text.to_owned()))
}

/// The URL of a transport relay.
pub(super) fn relay_url(text: &str) -> Option<RelayUrl> {
    // The reader of URLs mends what is typed wrongly, such as `https:a` or a space in front.
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    let url: RelayUrl = text.parse().ok().filter(|_url| is_web)?;
    let is_bare = url.username().is_empty() && url.password().is_none();
    (is_bare && url.has_host() && url.port() != Some(0)).then_some(url)
}

fn parsed(address: &str) -> Option<TransportAddr> {
    if address.len() > ADDRESS_LEN_BYTES_MAX {
        return None;
    }
    if let Ok(socket) = address.parse::<SocketAddr>() {
        return Some(TransportAddr::Ip(socket));
    }
    relay_url(address).map(TransportAddr::Relay)
}

/// What iroh dials; addresses that do not parse are left out, because a peer may have written them.
pub(super) fn to_iroh(address: &PeerAddress) -> Option<EndpointAddr> {
    let id = PublicKey::from_bytes(&address.endpoint).ok()?;
    let addresses = address.addresses.iter().take(ADDRESSES_MAX);
    Some(EndpointAddr::from_parts(
        id,
        addresses.filter_map(|address| parsed(address)),
    ))
}

/// What others may be told of this endpoint. Lists are cut, so advertised addresses come first, then
/// transport relays, which work from everywhere; a machine can have any number of the rest.
pub(super) fn with_advertised(advertise: &[SocketAddr], known: &EndpointAddr) -> PeerAddress {
    let mut addresses: Vec<String> = advertise.iter().map(ToString::to_string).collect();
    let relays = known.relay_urls().map(ToString::to_string);
    for address in relays.chain(known.ip_addrs().map(ToString::to_string)) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses.truncate(ADDRESSES_MAX);
    PeerAddress {
        endpoint: *known.id.as_bytes(),
        addresses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_relay_is_told_however_many_addresses_there_are() {
        let id = iroh::SecretKey::from_bytes(&[7; 32]).public();
        let url: RelayUrl = "https://relay.example.org/".parse().unwrap();
        let sockets = (1..=40).map(|port| SocketAddr::from(([192, 0, 2, 1], port)));
        let known = sockets.clone().map(TransportAddr::Ip);
        let known = known.chain([TransportAddr::Relay(url.clone())]);
        let known = EndpointAddr::from_parts(id, known);
        let advertised: Vec<SocketAddr> = sockets.rev().take(2).collect();
        let told = with_advertised(&advertised, &known).addresses;
        assert_eq!(told.len(), ADDRESSES_MAX);
        let first = ["192.0.2.1:40", "192.0.2.1:39", url.as_str(), "192.0.2.1:1"];
        assert_eq!(told[..4], first);
    }

    #[test]
    fn the_text_of_an_address_reads_back_and_errors_name_the_part() {
        let key =
            HEXLOWER_PERMISSIVE.encode(iroh::SecretKey::from_bytes(&[7; 32]).public().as_bytes());
        let text = format!("{key}@127.0.0.1:4500,http://relay.example.org/");
        let address: PeerAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        assert_eq!(to_iroh(&address).unwrap().addrs.len(), 2);
        assert_eq!(
            "00".parse::<PeerAddress>(),
            Err(AddressError::Key("00".to_owned()))
        );
        assert_eq!(
            format!("{key}@nowhere").parse::<PeerAddress>(),
            Err(AddressError::Address("nowhere".to_owned()))
        );
    }

    #[test]
    fn the_url_of_a_transport_relay_has_a_scheme_and_a_host() {
        for right in ["https://relay.example.org", "http://127.0.0.1:7480/"] {
            assert_eq!(check_relay_url(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "notaurl",
            "ftp://relay.example.org",
            "https:relay.example.org",
            " https://relay.example.org",
            "https://",
            "https://a:0/",
            "https://a:99999/",
            "https://user:word@a/",
        ] {
            let refused = AddressError::RelayUrl(wrong.to_owned());
            assert_eq!(check_relay_url(wrong), Err(refused), "{wrong}");
        }
    }
}
