//! Why the relay does not start, or stopped: each with a code and, where there is one, a hint.

use std::net::SocketAddr;
use std::path::PathBuf;

use aramaki_sync::keys::KeyFileError;
use aramaki_sync::replica::ReplicaError;
use aramaki_sync::store::StoreError;
use thiserror::Error;

use crate::config::ConfigError;
use crate::transport::TransportError;

/// Everything that ends the program. Codes are listed in `docs/errors.md`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The configuration cannot be used.
    #[error("configuration refused")]
    Config(#[from] ConfigError),
    /// The key file cannot be used.
    #[error("no key")]
    Key(#[from] KeyFileError),
    /// The data folder cannot be made.
    #[error("cannot use the data folder {}", path.display())]
    Data {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The store-and-forward peer cannot start.
    #[error("store-and-forward peer does not start")]
    Peer(#[from] ReplicaError),
    /// The transport relay failed.
    #[error("transport relay failed")]
    Transport(#[from] TransportError),
    /// The address of `/healthz` and `/metrics` cannot be bound.
    #[error("cannot listen on {address} for health and metrics")]
    Status {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The text of `--log` is no filter.
    #[error("log filter refused")]
    LogFilter(#[source] tracing_subscriber::filter::ParseError),
    /// Logging was set up already.
    #[error("logging cannot be set up")]
    Logging(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Threads or signals cannot be had.
    #[error("the operating system refused threads or signals")]
    Runtime(#[source] std::io::Error),
    /// What was asked for cannot be printed.
    #[error("cannot write the answer")]
    Output(#[source] std::io::Error),
}

impl RelayError {
    /// The stable code that people look up.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "A-301",
            Self::Key(_) => "A-302",
            Self::Data { .. } => "A-303",
            Self::Peer(_) => "A-304",
            Self::Transport(_) => "A-305",
            Self::Status { .. } => "A-306",
            Self::LogFilter(_) => "A-307",
            Self::Logging(_) | Self::Runtime(_) => "A-308",
            Self::Output(_) => "A-309",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Config(_) => {
                "`aramaki-relay config check` shows whether a change helps; relay.toml.example shows every field"
            }
            Self::Key(KeyFileError::ReadableByOthers { .. }) => {
                "whoever read it can act as this relay: make a new one if in doubt"
            }
            Self::Key(
                KeyFileError::FolderOpenToOthers { .. } | KeyFileError::OwnedByAnother { .. },
            ) => "look first whether the key is yours: others could have put it there",
            Self::Key(_) => {
                "bring the relay's key file back, or name another with --key; a new key is a new relay"
            }
            Self::Peer(ReplicaError::Store(StoreError::InUse { .. })) => {
                "another relay works in this folder: end it, or choose another with --data"
            }
            Self::Peer(ReplicaError::Store(StoreError::Newer { .. })) => {
                "install the newer version; nothing was changed"
            }
            Self::Peer(ReplicaError::Store(StoreError::Full)) => "make room on the disk",
            Self::Peer(ReplicaError::Store(StoreError::Corrupt(_))) => {
                "move store.redb and format away, keep the key: the relay begins empty, and the \
                 members of its Spaces fill it"
            }
            Self::Peer(ReplicaError::Transport(_)) => {
                "is another program on that address? change [peer] bind"
            }
            Self::Data { .. } => {
                "choose another folder with --data, or make this one writable for the relay's own user"
            }
            Self::Transport(TransportError::Spawn(_)) => {
                "is another program on that address? change [transport] bind"
            }
            Self::Status { .. } => "is another relay running? change [status] bind",
            _ => return None,
        })
    }
}
