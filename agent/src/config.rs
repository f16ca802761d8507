//! The agent's configuration file: what it may hold, its defaults, and errors that name their place.

mod check;
mod error;
mod listen;
mod service;
mod value;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_model::Check;
use aramaki_model::agent_config::CHECKS_MAX;
use aramaki_model::service::ServiceClaim;
use aramaki_sync::text_file;
use aramaki_sync::toml_place::bytes_of_field;
use aramaki_sync::transport::{PeerAddress, check_relay_url};
use aramaki_sync_core::{AuthorId, Timestamp};
use serde::Deserialize;

use crate::observe::PLUGIN_FOLDERS;
use crate::schedule::TIME_SPLAY_MS;
pub(crate) use check::local_check_id;
use check::{CheckFile, Wrong};
pub use error::ConfigError;
pub use listen::ListenConfig;
use listen::ListenFile;
use service::ServiceFile;
pub(crate) use service::WatchFile;
pub(crate) use value::Span;

/// Where the configuration lies when no flag or variable says otherwise.
pub const CONFIG_PATH: &str = "/etc/aramaki/agent.toml";
/// Where the host says which actions it allows.
pub const ACTIONS_PATH: &str = "/etc/aramaki/actions.d";
/// Where the agent keeps its keys, store and state.
pub const DATA_PATH: &str = "/var/lib/aramaki-agent";
/// A configuration file is not longer.
const FILE_LEN_BYTES_MAX: u64 = 1024 * 1024;

/// What an agent is told on its own machine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// What is logged, in the form of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Where plugins are looked up by name, in order.
    pub plugin_folders: Vec<PathBuf>,
    /// Where the actions are that this host allows, a file each.
    pub actions_folder: PathBuf,
    /// How the network is reached.
    pub network: NetworkConfig,
    /// Where results of other programs are taken in, and whose.
    pub listen: ListenConfig,
    /// Whether checks are proposed to those who read the System.
    pub propose: bool,
    /// Over how long checks that run at times of the clock are spread, so that not all agents ask at one moment.
    pub cron_splay: Duration,
    checks: Vec<CheckFile>,
    services: Vec<ServiceFile>,
    /// What this host does when something is desired.
    pub(crate) watches: Vec<WatchFile>,
}

/// How the network is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkConfig {
    /// UDP addresses to listen on; none means every interface at a free port.
    pub listen: Vec<SocketAddr>,
    /// Whether peers are looked for on the local network, which tells it our addresses.
    pub discover: bool,
    /// URLs of own transport relays besides those that the Space names.
    pub transport_relays: Vec<String>,
    /// Peers and relays besides those that the Space names, as `KEY@ADDRESS,ADDRESS`.
    pub bootstrap: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log: "info,iroh=off,iroh_relay=off".to_owned(),
            plugin_folders: PLUGIN_FOLDERS.map(PathBuf::from).to_vec(),
            actions_folder: PathBuf::from(ACTIONS_PATH),
            network: NetworkConfig::default(),
            listen: ListenConfig::default(),
            propose: false,
            cron_splay: Duration::from_millis(TIME_SPLAY_MS),
            checks: Vec::new(),
            services: Vec::new(),
            watches: Vec::new(),
        }
    }
}

/// The file as it is written. Unknown fields are refused: a misspelt threshold must not be silent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    log: Option<String>,
    plugin_folders: Option<Vec<PathBuf>>,
    actions_folder: Option<PathBuf>,
    propose: Option<bool>,
    cron_splay: Option<Span>,
    #[serde(default)]
    network: NetworkFile,
    #[serde(default)]
    listen: ListenFile,
    #[serde(default)]
    check: Vec<CheckFile>,
    #[serde(default)]
    service: Vec<ServiceFile>,
    #[serde(default)]
    watch: Vec<WatchFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    #[serde(default)]
    listen: Vec<SocketAddr>,
    #[serde(default)]
    discover: bool,
    #[serde(default)]
    transport_relays: Vec<String>,
    #[serde(default)]
    bootstrap: Vec<String>,
}

impl NetworkFile {
    /// Finds addresses that nobody can be reached at.
    fn validate(&self, text: &str) -> Result<(), Wrong> {
        let wrong = |list: &str, index: usize, message: String| {
            let field = format!("network.{list}[{}]", index + 1);
            let bytes = bytes_of_field(text, &field).unwrap_or_default();
            (bytes, Some(field), message)
        };
        for (index, url) in self.transport_relays.iter().enumerate() {
            check_relay_url(url)
                .map_err(|error| wrong("transport_relays", index, error.to_string()))?;
        }
        for (index, address) in self.bootstrap.iter().enumerate() {
            address
                .parse::<PeerAddress>()
                .map_err(|error| wrong("bootstrap", index, error.to_string()))?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads a file. One that is not there is an error here: whoever named it meant it.
    ///
    /// # Errors
    /// When it cannot be read, or with file, line and field when it says something wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = text_file::read(path, FILE_LEN_BYTES_MAX)?;
        Self::parse(&text, path)
    }

    /// Reads a file if it is there, else the defaults.
    ///
    /// # Errors
    /// As [`Config::read`], except for a file that does not exist.
    pub fn read_or_default(path: &Path) -> Result<Self, ConfigError> {
        match text_file::read_if_there(path, FILE_LEN_BYTES_MAX)? {
            Some(text) => Self::parse(&text, path),
            None => Ok(Self::default()),
        }
    }

    /// Reads text; `path` is only named in errors.
    ///
    /// # Errors
    /// With file, line and field when it says something wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let file: ConfigFile =
            toml::from_str(text).map_err(|error| ConfigError::syntax(path, text, &error))?;
        let listen = file
            .network
            .validate(text)
            .and_then(|()| validate_splay(text, file.cron_splay))
            .and_then(|()| check::validate(text, &file.check))
            .and_then(|()| service::validate(text, &file.service))
            .and_then(|()| service::validate_watches(text, &file.watch))
            .and_then(|()| file.listen.read(text))
            .map_err(|(span, field, message)| ConfigError::at(path, text, span, field, message))?;
        let default = Self::default();
        Ok(Self {
            log: file.log.unwrap_or(default.log),
            plugin_folders: file.plugin_folders.unwrap_or(default.plugin_folders),
            actions_folder: file.actions_folder.unwrap_or(default.actions_folder),
            network: NetworkConfig {
                listen: file.network.listen,
                discover: file.network.discover,
                transport_relays: file.network.transport_relays,
                bootstrap: file.network.bootstrap,
            },
            listen,
            propose: file.propose.unwrap_or(default.propose),
            cron_splay: file.cron_splay.map_or(default.cron_splay, Span::duration),
            checks: file.check,
            services: file.service,
            watches: file.watch,
        })
    }

    /// The services of this file, told from this moment on; the checks that speak for them are among these.
    pub fn services(&self, since: Timestamp, checks: &[Check]) -> Vec<ServiceClaim> {
        let checks = service::by_name(checks);
        let services = self.services.iter();
        services
            .map(|service| service.claim(since, &checks))
            .collect()
    }

    /// The checks of this file. Their ids follow from the agent and their names, so that a check
    /// keeps its history as long as it keeps its name.
    pub fn checks(&self, agent: AuthorId) -> Vec<Check> {
        self.checks
            .iter()
            .filter_map(|check| check.to_check(agent))
            .collect()
    }
}

/// Times of the clock are told to the minute: spread wider, they would be others.
fn validate_splay(text: &str, splay: Option<Span>) -> Result<(), Wrong> {
    let most = Duration::from_millis(TIME_SPLAY_MS);
    if splay.is_none_or(|splay| splay.duration() <= most) {
        return Ok(());
    }
    let field = "cron_splay";
    let bytes = bytes_of_field(text, field).unwrap_or_default();
    let message = format!(
        "at most {}s are expected; 0s spreads nothing",
        most.as_secs()
    );
    Err((bytes, Some(field.to_owned()), message))
}

#[cfg(test)]
mod tests;
