//! `[listen]` of the configuration file: where results of other programs are taken in, and whose.

use std::net::SocketAddr;
use std::time::Duration;

use aramaki_model::Pattern;
use aramaki_model::agent_config::CHECKS_MAX;
use aramaki_model::pattern::PATTERN_LEN_BYTES_MAX;
use aramaki_sync::toml_place::bytes_of_field;
use serde::Deserialize;

use super::check::Wrong;
use super::value::Span;

/// Patterns of names that one file may hold.
const NAMES_MAX: usize = 256;
/// Addresses of one kind.
const ADDRESSES_MAX: usize = 8;
/// How often sums of `StatsD` are made.
const FLUSH: std::ops::RangeInclusive<u64> = 1_000..=60_000;

/// Where results of other programs are taken in, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenConfig {
    /// `POST /events` as Sensu's agent has it.
    pub sensu_events: Vec<SocketAddr>,
    /// JSON over TCP and UDP as Sensu's older client has it.
    pub sensu_socket: Vec<SocketAddr>,
    /// `POST /api/v2/alerts` as Alertmanager has it.
    pub alertmanager: Vec<SocketAddr>,
    /// `GET /metrics`: how the agent itself is, as Prometheus reads it; on loopback only.
    pub metrics: Vec<SocketAddr>,
    /// `StatsD` over UDP.
    pub statsd: Vec<SocketAddr>,
    /// How often sums of `StatsD` are made.
    pub statsd_flush: Duration,
    /// Names whose results are taken without a check in a file, with `*`; with `!` before: not those.
    pub names: Vec<Pattern>,
    /// How many such names.
    pub limit: usize,
    /// Milliseconds of silence after which such a check is missing, if the result does not say.
    pub ttl_ms: u64,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            sensu_events: Vec::new(),
            sensu_socket: Vec::new(),
            alertmanager: Vec::new(),
            metrics: Vec::new(),
            statsd: Vec::new(),
            statsd_flush: Duration::from_secs(10),
            names: Vec::new(),
            limit: 200,
            ttl_ms: 25 * 3_600_000,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenFile {
    #[serde(default)]
    sensu_events: Vec<SocketAddr>,
    #[serde(default)]
    sensu_socket: Vec<SocketAddr>,
    #[serde(default)]
    alertmanager: Vec<SocketAddr>,
    #[serde(default)]
    metrics: Vec<SocketAddr>,
    #[serde(default)]
    statsd: Vec<SocketAddr>,
    statsd_flush: Option<Span>,
    #[serde(default)]
    names: Vec<String>,
    limit: Option<usize>,
    ttl: Option<Span>,
    #[serde(default)]
    beyond_loopback: bool,
}

impl ListenFile {
    /// Finds addresses that are not listened on, as field and message.
    fn addresses(&self) -> Result<(), (String, String)> {
        let lists = [
            ("sensu_events", &self.sensu_events),
            ("sensu_socket", &self.sensu_socket),
            ("alertmanager", &self.alertmanager),
            ("metrics", &self.metrics),
            ("statsd", &self.statsd),
        ];
        for (field, addresses) in lists {
            if addresses.len() > ADDRESSES_MAX {
                let message = format!("at most {ADDRESSES_MAX} are expected");
                return Err((field.to_owned(), message));
            }
            for (place, address) in (1..).zip(addresses) {
                if field == "metrics" && !address.ip().is_loopback() {
                    let message = format!(
                        "{} is not of this machine alone: what its checks are called and find is for \
                         this machine",
                        address.ip()
                    );
                    return Err((format!("{field}[{place}]"), message));
                }
                if !address.ip().is_loopback() && !self.beyond_loopback {
                    let message = format!(
                        "{} is not of this machine alone: whoever reaches it could send results; \
                         if that is meant, say beyond_loopback = true",
                        address.ip()
                    );
                    return Err((format!("{field}[{place}]"), message));
                }
            }
        }
        Ok(())
    }

    /// The configuration, if it can be meant.
    pub(super) fn read(self, text: &str) -> Result<ListenConfig, Wrong> {
        let wrong = |field: String, message: String| {
            let field = format!("listen.{field}");
            let bytes = bytes_of_field(text, &field).unwrap_or_default();
            (bytes, Some(field), message)
        };
        self.addresses()
            .map_err(|(field, message)| wrong(field, message))?;
        if self.names.len() > NAMES_MAX {
            let message = format!("at most {NAMES_MAX} are expected");
            return Err(wrong("names".to_owned(), message));
        }
        for (place, name) in (1..).zip(&self.names) {
            let pattern = name.strip_prefix('!').unwrap_or(name);
            let is_right = (1..=PATTERN_LEN_BYTES_MAX).contains(&pattern.len());
            if !is_right || pattern.contains(char::is_control) {
                let message = format!(
                    "a name of 1 to {PATTERN_LEN_BYTES_MAX} bytes, with * for anything, is expected"
                );
                return Err(wrong(format!("names[{place}]"), message));
            }
        }
        let default = ListenConfig::default();
        let limit = self.limit.unwrap_or(default.limit);
        if !(1..=CHECKS_MAX).contains(&limit) {
            let message = format!("1 to {CHECKS_MAX} is expected");
            return Err(wrong("limit".to_owned(), message));
        }
        let flush = self
            .statsd_flush
            .map_or(default.statsd_flush, Span::duration);
        if !FLUSH.contains(&u64::try_from(flush.as_millis()).unwrap_or(u64::MAX)) {
            let message = "1s to 60s is expected".to_owned();
            return Err(wrong("statsd_flush".to_owned(), message));
        }
        let ttl_ms = self.ttl.map_or(default.ttl_ms, |ttl| ttl.0);
        if ttl_ms < 60_000 {
            let message = "1m or more is expected".to_owned();
            return Err(wrong("ttl".to_owned(), message));
        }
        Ok(ListenConfig {
            sensu_events: self.sensu_events,
            sensu_socket: self.sensu_socket,
            alertmanager: self.alertmanager,
            metrics: self.metrics,
            statsd: self.statsd,
            statsd_flush: flush,
            names: self.names.into_iter().map(Pattern).collect(),
            limit,
            ttl_ms,
        })
    }
}
