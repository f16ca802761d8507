//! What an operator may set: every field has a default, and an error names file, line and field.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use aramaki_sync::text_file::{self, TextFileError};
use aramaki_sync::toml_place::{Place, bytes_of_field};
use aramaki_sync::transport::{ADDRESSES_MAX, check_relay_url};
use aramaki_sync_core::AuthorId;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// A larger file is not a configuration; reading stops here.
const CONFIG_LEN_BYTES_MAX: u64 = 256 * 1024;

/// The whole file; `relay.toml.example` shows every field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The store-and-forward peer.
    pub peer: Peer,
    /// The transport relay: for peers that cannot reach each other directly.
    pub transport: Transport,
    /// What a Space may use.
    pub quotas: Quotas,
    /// Health and metrics, on loopback only.
    pub status: Status,
}

/// The store-and-forward peer: a member of Spaces that holds sealed envelopes and no keys to them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Peer {
    /// Where it listens (QUIC, so UDP).
    pub bind: SocketAddr,
    /// The addresses under which others reach it, when they differ from `bind` (behind NAT, or when
    /// bound to all addresses). Told to peers, and printed by `aramaki-relay id`.
    pub advertise: Vec<SocketAddr>,
    /// Devices whose Spaces it takes up, by key: they gave it a grant, or gave one to who did. Empty: anybody's.
    #[serde(deserialize_with = "authors")]
    pub serves: BTreeSet<AuthorId>,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([0, 0, 0, 0], 7410)),
            advertise: Vec::new(),
            serves: BTreeSet::new(),
        }
    }
}

/// The transport relay: it forwards encrypted packets between peers, over WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Transport {
    /// Whether it runs.
    pub enabled: bool,
    /// Where it listens for plain HTTP; with TLS this port answers captive-portal probes only.
    pub bind: SocketAddr,
    /// The URL under which others reach it, for example through a reverse proxy. Empty: made from
    /// the address on which it listens.
    pub url: String,
    /// What one client may send, in bytes a second.
    pub client_bytes_per_second: NonZeroU32,
    /// What one client may send at once, in bytes.
    pub client_burst_bytes: NonZeroU32,
    /// Serve HTTPS with an own certificate.
    pub tls: Option<Tls>,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            enabled: true,
            bind: SocketAddr::from(([127, 0, 0, 1], 7480)),
            url: String::new(),
            client_bytes_per_second: NonZeroU32::MIN.saturating_add(4 * 1024 * 1024 - 1),
            client_burst_bytes: NonZeroU32::MIN.saturating_add(8 * 1024 * 1024 - 1),
            tls: None,
        }
    }
}

/// HTTPS with certificate files that the operator renews; they are read at start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// Where it listens for HTTPS.
    pub bind: SocketAddr,
    /// The certificate and its intermediates, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
    /// Where it answers QUIC address discovery (UDP), which helps peers to a direct connection.
    #[serde(default)]
    pub address_discovery: Option<SocketAddr>,
}

/// What this relay takes. Whoever exceeds a quota is told *later*, never *no*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Quotas {
    /// Spaces it stores.
    pub spaces: usize,
    /// Bytes that all Spaces together may fill.
    pub total_bytes: u64,
    /// Bytes that one Space may fill.
    pub space_bytes: u64,
    /// Bytes that one Space may add in a day.
    pub space_bytes_per_day: u64,
    /// Chains (databases) of one author in a Space.
    pub chains_per_author: usize,
    /// Grants that one author may give in a Space.
    pub grants_per_author: usize,
    /// Envelopes that one author may send in a second, over all Spaces.
    pub envelopes_per_second: NonZeroU32,
    /// Envelopes that one author may send at once after a while of silence.
    pub envelopes_burst: NonZeroU32,
}

impl Default for Quotas {
    fn default() -> Self {
        let engine = aramaki_sync_core::engine::Quotas::default();
        Self {
            spaces: engine.spaces_max,
            total_bytes: engine.total_bytes_max,
            space_bytes: engine.space_bytes_max,
            space_bytes_per_day: engine.space_bytes_per_day_max,
            chains_per_author: engine.chains_per_author_max,
            grants_per_author: engine.grants_per_author_max,
            envelopes_per_second: at_least_one(engine.envelopes_per_second_max),
            envelopes_burst: at_least_one(engine.envelopes_burst_max),
        }
    }
}

/// Where `/healthz` and `/metrics` answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Status {
    /// A loopback address: what is shown is meant for this machine's own monitoring.
    #[serde(deserialize_with = "loopback")]
    pub bind: SocketAddr,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 7481)),
        }
    }
}

fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}

fn authors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<AuthorId>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = |text: &String| {
        let expected =
            "the key of a device is expected, 64 digits as `aramaki key show --json` prints them";
        let wrong = |_cause| serde::de::Error::custom(format!("{text:?}: {expected}"));
        text.parse().map_err(wrong)
    };
    texts.iter().map(read).collect()
}

fn loopback<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let address = SocketAddr::deserialize(deserializer)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(serde::de::Error::custom(
            "not a loopback address: health and metrics are for this machine only",
        ))
    }
}

/// A value that cannot be used.
struct Fault {
    field: String,
    /// Where it may stand instead: of two fields that contradict each other, one can be a default.
    other: Option<&'static str>,
    cause: String,
}

/// A configuration that cannot be used. Nothing has been changed when it is returned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read, or is none.
    #[error(transparent)]
    File(#[from] TextFileError),
    /// A field is unknown, missing or has a wrong value.
    #[error("{}:{line}:{column}: {field}{cause}", path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The field's full name and a colon, or nothing where the text is not TOML at all.
        field: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or a field is unknown or wrong: with file, line, column and field.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = text_file::read(path, CONFIG_LEN_BYTES_MAX)?;
        Self::parse(&text, path)
    }

    /// Reads a file if it is there, else takes the defaults.
    ///
    /// # Errors
    /// As [`Config::read`], except that a missing file is none.
    pub fn read_or_default(path: &Path) -> Result<Self, ConfigError> {
        match text_file::read_if_there(path, CONFIG_LEN_BYTES_MAX)? {
            Some(text) => Self::parse(&text, path),
            None => Ok(Self::default()),
        }
    }

    /// Reads text; `path` is for the error only.
    ///
    /// # Errors
    /// When a field is unknown or wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let refused = |at: usize, field: &str, cause: String| {
            let Place { line, column } = Place::of_byte(text, at);
            let field = match field {
                "" => String::new(),
                field => format!("{field}: "),
            };
            ConfigError::Refused {
                path: path.to_owned(),
                line,
                column,
                field,
                cause,
            }
        };
        let config: Self = toml::from_str(text).map_err(|mut error| {
            let at = error.span().map_or(0, |span| span.start);
            let cause = error.message().to_owned();
            error.set_input(None); // its text then ends with the field's path instead of a picture
            let said = error.to_string();
            let field = said
                .lines()
                .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
            refused(at, field.unwrap_or_default(), cause)
        })?;
        match config.fault() {
            None => Ok(config),
            Some(Fault {
                field,
                other,
                cause,
            }) => {
                let bytes = bytes_of_field(text, &field)
                    .or_else(|| bytes_of_field(text, other.unwrap_or_default()));
                let at = bytes.map_or(0, |bytes| bytes.start);
                Err(refused(at, &field, cause))
            }
        }
    }

    /// The first field that has a value of its kind and still cannot be used, and why.
    fn fault(&self) -> Option<Fault> {
        let advertise = &self.peer.advertise;
        for (index, address) in advertise.iter().enumerate() {
            let ip = address.ip();
            let cause = if address.port() == 0 || ip.is_unspecified() || ip.is_multicast() {
                format!(
                    "nobody can dial {address}: an address and a port as others see them are expected"
                )
            } else if advertise.iter().take(index).any(|other| other == address) {
                format!("{address} is there already")
            } else if index == ADDRESSES_MAX {
                format!("at most {ADDRESSES_MAX} addresses are told to others")
            } else {
                continue;
            };
            return Some(Fault {
                field: format!("peer.advertise[{}]", index + 1),
                other: None,
                cause,
            });
        }
        let url = &self.transport.url;
        if !url.is_empty()
            && let Err(error) = check_relay_url(url)
        {
            return Some(Fault {
                field: "transport.url".to_owned(),
                other: None,
                cause: error.to_string(),
            });
        }
        self.taken_twice().map(|(first, second)| Fault {
            field: second.to_owned(),
            other: Some(first),
            cause: format!("{first} has this address too"),
        })
    }

    /// Two fields that would listen on one address.
    fn taken_twice(&self) -> Option<(&'static str, &'static str)> {
        let transport = Some(&self.transport).filter(|transport| transport.enabled);
        let tls = transport.and_then(|transport| transport.tls.as_ref());
        let tcp = [
            ("transport.bind", transport.map(|transport| transport.bind)),
            ("transport.tls.bind", tls.map(|tls| tls.bind)),
            ("status.bind", Some(self.status.bind)),
        ];
        let udp = [
            ("peer.bind", Some(self.peer.bind)),
            (
                "transport.tls.address_discovery",
                tls.and_then(|tls| tls.address_discovery),
            ),
        ];
        [&tcp[..], &udp[..]].into_iter().find_map(|fields| {
            let mut taken: Vec<(SocketAddr, &str)> = Vec::new();
            for (field, address) in fields {
                // Port 0 becomes another one each time.
                let Some(address) = address.filter(|address| address.port() > 0) else {
                    continue;
                };
                if let Some((_, first)) = taken.iter().find(|(other, _)| *other == address) {
                    return Some((*first, *field));
                }
                taken.push((address, field));
            }
            None
        })
    }
}

impl Config {
    /// What is allowed but probably not meant, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.peer.bind.ip().is_unspecified() && self.peer.advertise.is_empty() {
            warnings.push(
                "[peer] advertise is empty: `aramaki-relay id` cannot say how others reach this peer"
                    .to_owned(),
            );
        }
        let transport = &self.transport;
        if transport.enabled
            && transport.url.is_empty()
            && transport.tls.is_none()
            && transport.bind.ip().is_loopback()
        {
            warnings.push(
                "[transport] listens on loopback and has no url: only this machine can use it"
                    .to_owned(),
            );
        }
        if transport.enabled && transport.tls.is_none() && !transport.bind.ip().is_loopback() {
            warnings.push(
                "[transport] serves plain HTTP: contents stay sealed, but the network sees who talks"
                    .to_owned(),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests;
