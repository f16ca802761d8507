//! The embedded transport relay: forwards packets between endpoints and reads none of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iroh_relay::server::{
    CertConfig, ClientRateLimit, QuicConfig, RelayConfig, RelayMetrics, Server, ServerConfig,
    TlsConfig,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tracing::info;

use crate::config;

/// Endpoint keys that the relay remembers as verified; 32 bytes each.
const KEY_CACHE_KEYS_MAX: usize = 16 * 1024;

/// Why the transport relay does not start or stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A certificate or key file cannot be read.
    #[error("cannot read {}", path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit, or are not usable.
    #[error("certificate and key cannot be used")]
    Certificate(#[source] rustls::Error),
    /// An address is taken or not ours.
    #[error("transport relay does not start")]
    Spawn(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It ended by itself, or did not end in order.
    #[error("transport relay ended with an error")]
    Ended(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The running transport relay. Dropping it stops it at once; prefer [`TransportRelay::close`].
#[derive(Debug)]
pub struct TransportRelay {
    server: Server,
    url: String,
    own_url: String,
    roots: Vec<Vec<u8>>,
}

impl TransportRelay {
    /// Binds and starts. Certificate files are read before anything is bound.
    ///
    /// # Errors
    /// When a certificate file is unusable or an address cannot be bound.
    pub async fn start(config: &config::Transport) -> Result<Self, TransportError> {
        let mut relay = RelayConfig::new(config.bind);
        relay.key_cache_capacity = Some(KEY_CACHE_KEYS_MAX);
        let mut limit = ClientRateLimit::new(config.client_bytes_per_second);
        limit.max_burst_bytes = Some(config.client_burst_bytes);
        relay.limits.client_rx = Some(limit);

        let mut server_config = ServerConfig::default();
        let mut roots = Vec::new();
        if let Some(tls) = &config.tls {
            let certificates = certificates(tls)?;
            roots.extend(certificates.iter().map(|certificate| certificate.to_vec()));
            let cert = CertConfig::Manual {
                server_config: tls_server_config(tls, certificates)?,
            };
            relay.tls = Some(TlsConfig::new(tls.bind, cert));
            server_config.quic = tls.address_discovery.map(QuicConfig::new);
        }
        server_config.relay = Some(relay);

        let server = Server::spawn(server_config)
            .await
            .map_err(|cause| TransportError::Spawn(Box::new(cause)))?;
        let listening = url_of(&server);
        let url = if config.url.is_empty() {
            listening.clone()
        } else {
            config.url.clone()
        };
        // A certificate is made out to a name, so with TLS our own peer uses the name too.
        let own_url = if config.tls.is_some() {
            url.clone()
        } else {
            listening
        };
        info!(%url, "transport relay listens");
        Ok(Self {
            server,
            url,
            own_url,
            roots,
        })
    }

    /// The URL that peers are given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL by which the peer in this process uses it.
    pub(crate) fn own_url(&self) -> &str {
        &self.own_url
    }

    /// The certificates (DER) by which the peer in this process knows it; none for plain HTTP.
    pub(crate) fn roots(&self) -> &[Vec<u8>] {
        &self.roots
    }

    /// Where it really listens: HTTPS if configured, else HTTP.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.https_addr().or(self.server.http_addr())
    }

    /// Its counters.
    pub fn metrics(&self) -> RelayMetrics {
        self.server.metrics().clone()
    }

    /// Waits until it ends by itself, which it should not.
    pub async fn ended(&mut self) -> TransportError {
        let cause: Box<dyn std::error::Error + Send + Sync> = match self.server.join().await {
            Ok(Ok(())) => "it stopped without being asked".into(),
            Ok(Err(cause)) => Box::new(cause),
            Err(cause) => Box::new(cause),
        };
        TransportError::Ended(cause)
    }

    /// Stops and waits until all its tasks have ended.
    ///
    /// # Errors
    /// When one of its tasks had failed.
    pub async fn close(self) -> Result<(), TransportError> {
        self.server
            .shutdown()
            .await
            .map_err(|cause| TransportError::Ended(Box::new(cause)))
    }
}

fn url_of(server: &Server) -> String {
    if let Some(address) = server.https_addr() {
        format!("https://{address}")
    } else if let Some(address) = server.http_addr() {
        format!("http://{address}")
    } else {
        String::new()
    }
}

fn unreadable(path: &Path) -> impl Fn(rustls::pki_types::pem::Error) -> TransportError {
    move |cause| TransportError::Pem {
        path: path.to_owned(),
        cause,
    }
}

fn certificates(tls: &config::Tls) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&tls.certificate))
}

fn tls_server_config(
    tls: &config::Tls,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<rustls::ServerConfig, TransportError> {
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(unreadable(&tls.key))?;
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TransportError::Certificate)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(TransportError::Certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_any_port() -> config::Transport {
        config::Transport {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..config::Transport::default()
        }
    }

    #[tokio::test]
    async fn starts_on_a_free_port_and_frees_it_when_closed() {
        let relay = TransportRelay::start(&on_any_port()).await.unwrap();
        let address = relay.address().unwrap();
        assert_eq!(relay.url(), format!("http://{address}"));
        relay.close().await.unwrap();
        drop(std::net::TcpListener::bind(address).expect("the port is free again"));
    }

    #[tokio::test]
    async fn missing_certificate_is_named_before_anything_is_bound() {
        let mut config = on_any_port();
        config.tls = Some(config::Tls {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            certificate: PathBuf::from("/nonexistent/relay.crt"),
            key: PathBuf::from("/nonexistent/relay.key"),
            address_discovery: None,
        });
        let error = TransportRelay::start(&config).await.unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/relay.crt"),
            "{error}"
        );
    }
}
