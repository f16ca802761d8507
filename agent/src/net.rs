//! The network a check looks at: addresses, TCP, TLS with the certificate it showed, and HTTP.

pub(crate) mod fetch;
pub(crate) mod tls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConnectError {
    /// The name has no address.
    #[error("cannot resolve {host}")]
    Resolve {
        /// What was asked for.
        host: String,
        /// The resolver's reason.
        #[source]
        source: std::io::Error,
    },
    /// The name resolves to nothing.
    #[error("{host} has no address")]
    NoAddress {
        /// What was asked for.
        host: String,
    },
    /// No address answered; the last one's reason.
    #[error("cannot connect to {address}")]
    Refused {
        /// The last address tried.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

/// An open connection, to which address, and how long it took.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    pub(crate) took: Duration,
}

/// Connects to the first address of `host` that answers. The caller limits the time.
pub(crate) async fn connect(host: &str, port: u16) -> Result<Connected, ConnectError> {
    let started = Instant::now();
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(|source| ConnectError::Resolve {
            host: host.to_owned(),
            source,
        })?;
    let mut last = None;
    for address in addresses.take(ADDRESSES_MAX) {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                return Ok(Connected {
                    stream,
                    address,
                    took: started.elapsed(),
                });
            }
            Err(source) => last = Some(ConnectError::Refused { address, source }),
        }
    }
    Err(last.unwrap_or_else(|| ConnectError::NoAddress {
        host: host.to_owned(),
    }))
}

/// An error and everything below it on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = source.source();
    }
    text
}
