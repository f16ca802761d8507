//! What an operator may set: every field has a default, and an error names file, line and field.

use std::io::Read as _;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

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
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([0, 0, 0, 0], 7410)),
            advertise: Vec::new(),
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
    /// Bytes that one Space may fill.
    pub space_bytes: u64,
    /// Bytes that one Space may add in a day.
    pub space_bytes_per_day: u64,
    /// Chains (databases) of one author in a Space.
    pub chains_per_author: usize,
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
            space_bytes: engine.space_bytes_max,
            space_bytes_per_day: engine.space_bytes_per_day_max,
            chains_per_author: engine.chains_per_author_max,
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

/// A configuration that cannot be used. Nothing has been changed when it is returned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Too large to be a configuration.
    #[error("{} is larger than {CONFIG_LEN_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
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
        let unreadable = |cause| ConfigError::Unreadable {
            path: path.to_owned(),
            cause,
        };
        // A device has no length and no end: what is read is bounded, not what is said of the file.
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| {
                file.take(CONFIG_LEN_BYTES_MAX + 1)
                    .read_to_string(&mut text)
            })
            .map_err(unreadable)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > CONFIG_LEN_BYTES_MAX {
            return Err(ConfigError::TooLarge {
                path: path.to_owned(),
            });
        }
        Self::parse(&text, path)
    }

    /// Reads a file if it is there, else takes the defaults.
    ///
    /// # Errors
    /// As [`Config::read`], except that a missing file is none.
    pub fn read_or_default(path: &Path) -> Result<Self, ConfigError> {
        match Self::read(path) {
            Err(ConfigError::Unreadable { cause, .. })
                if cause.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(Self::default())
            }
            other => other,
        }
    }

    /// Reads text; `path` is for the error only.
    ///
    /// # Errors
    /// When a field is unknown or wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|mut error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            let cause = error.message().to_owned();
            error.set_input(None); // its text then ends with the field's path instead of a picture
            let field = error
                .to_string()
                .lines()
                .find_map(|line| {
                    line.strip_prefix("in `")?
                        .strip_suffix('`')
                        .map(str::to_owned)
                })
                .map_or_else(String::new, |field| format!("{field}: "));
            ConfigError::Refused {
                path: path.to_owned(),
                line,
                column,
                field,
                cause,
            }
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

/// Line and column of a byte offset, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Config::parse(text, Path::new("relay.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn example_file_shows_every_default() {
        let example = include_str!("../relay.toml.example");
        let path = Path::new("relay.toml.example");
        assert_eq!(Config::parse(example, path).unwrap(), Config::default());

        let shown: toml::Table = toml::from_str(example).unwrap();
        let fields = [
            ("peer", 2),
            ("transport", 5), // and `tls`, which has no default
            ("quotas", 6),
            ("status", 1),
        ];
        for (section, count) in fields {
            let table = shown[section].as_table().unwrap();
            assert_eq!(table.len(), count, "[{section}] shows every field");
        }
        assert_eq!(shown.len(), fields.len());
    }

    #[test]
    fn commented_lines_of_the_example_are_valid_too() {
        let example: String = include_str!("../relay.toml.example")
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let config = Config::parse(&example, Path::new("relay.toml.example")).unwrap();
        assert!(config.transport.tls.is_some());
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let unknown = refusal("[peer]\nbind = \"0.0.0.0:1\"\nquota = 3\n");
        assert!(unknown.starts_with("relay.toml:3:1: peer"), "{unknown}");
        assert!(unknown.contains("quota"), "{unknown}");

        let wrong = refusal("\n\n[quotas]\nspaces = -1\n");
        let expected = "relay.toml:4:10: quotas.spaces: ";
        assert!(wrong.starts_with(expected), "{wrong}");

        let broken = refusal("[peer\n");
        assert!(broken.starts_with("relay.toml:1:"), "{broken}");

        let half = refusal("[transport.tls]\nbind = \"0.0.0.0:443\"\n");
        assert!(half.contains("certificate"), "{half}");
    }

    #[test]
    fn status_address_is_loopback_only() {
        let refused = refusal("[status]\nbind = \"0.0.0.0:7481\"\n");
        assert!(
            refused.starts_with("relay.toml:2:8: status.bind: not a loopback"),
            "{refused}"
        );
    }
}
