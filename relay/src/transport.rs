//! The embedded transport relay: forwards packets between endpoints and reads none of them.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aramaki_sync::text_file::{self, TextFileError};
use iroh_relay::server::{
    CertConfig, ClientRateLimit, QuicConfig, RelayConfig, RelayMetrics, Server, ServerConfig,
    TlsConfig,
};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tracing::info;
use zeroize::Zeroizing;

use crate::config;

/// Endpoint keys that the relay remembers as verified; 32 bytes each.
const KEY_CACHE_KEYS_MAX: usize = 16 * 1024;

/// A larger file is no chain of certificates.
const PEM_LEN_BYTES_MAX: u64 = 1024 * 1024;

/// Where systemd puts the credentials of services while they run.
const CREDENTIALS_FOLDER: &str = "/run/credentials";

/// Why the transport relay does not start or stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A certificate or key file cannot be read.
    #[error("transport.tls.{field}")]
    File {
        /// The field that names it.
        field: &'static str,
        /// Which file, and why.
        #[source]
        cause: TextFileError,
    },
    /// A certificate or key file holds none.
    #[error("transport.tls.{field}: {} holds none in PEM", path.display())]
    Pem {
        /// The field that names it.
        field: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: pem::Error,
    },
    /// Certificate and key do not fit, or are not usable.
    #[error("transport.tls: certificate and key cannot be used together")]
    Certificate(#[source] rustls::Error),
    /// An address is taken or not ours.
    #[error("transport relay does not start")]
    Spawn(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It ended by itself, or did not end in order.
    #[error("transport relay ended with an error")]
    Ended(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl TransportError {
    /// Whether a file is missing that systemd shows to the running service alone.
    pub(crate) fn is_absent_credential(&self) -> bool {
        matches!(self, Self::File { cause: TextFileError::Io { path, source }, .. }
            if path.starts_with(CREDENTIALS_FOLDER) && source.kind() == ErrorKind::NotFound)
    }
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

/// Reads the certificate files of a configuration and throws them away.
///
/// # Errors
/// When the transport relay could not start with them.
pub(crate) fn check_files(config: &config::Transport) -> Result<(), TransportError> {
    match &config.tls {
        Some(tls) if config.enabled => tls_server_config(tls, certificates(tls)?).map(drop),
        _ => Ok(()),
    }
}

fn read(field: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TransportError> {
    text_file::read_bytes(path, PEM_LEN_BYTES_MAX)
        .map(Zeroizing::new)
        .map_err(|cause| TransportError::File { field, cause })
}

fn malformed(field: &'static str, path: &Path) -> impl Fn(pem::Error) -> TransportError {
    move |cause| TransportError::Pem {
        field,
        path: path.to_owned(),
        cause,
    }
}

fn certificates(tls: &config::Tls) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let (field, path) = ("certificate", &tls.certificate);
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(field, path)?)
        .collect::<Result<_, _>>()
        .map_err(malformed(field, path))?;
    if certificates.is_empty() {
        return Err(malformed(field, path)(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn tls_server_config(
    tls: &config::Tls,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<rustls::ServerConfig, TransportError> {
    let (field, path) = ("key", &tls.key);
    let key = PrivateKeyDer::from_pem_slice(&read(field, path)?).map_err(malformed(field, path))?;
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

    /// What is said of two files; none: they can be used.
    async fn refusal(folder: &Path, certificate: &str, key: &str) -> Option<String> {
        let mut config = on_any_port();
        config.tls = Some(config::Tls {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            certificate: folder.join(certificate),
            key: folder.join(key),
            address_discovery: None,
        });
        let refused = check_files(&config).err()?;
        let error = TransportRelay::start(&config).await.unwrap_err();
        assert_eq!(error.to_string(), refused.to_string());
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        config.enabled = false;
        check_files(&config).unwrap();
        Some(format!("{error}: {}", cause.unwrap_or_default()))
    }

    #[tokio::test]
    async fn certificate_files_are_named_with_their_field_before_anything_is_bound() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let names = || vec!["localhost".to_owned()];
        let own = rcgen::generate_simple_self_signed(names()).unwrap();
        let other = rcgen::generate_simple_self_signed(names()).unwrap();
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
        write("a.crt", own.cert.pem());
        write("a.key", own.signing_key.serialize_pem());
        write("b.key", other.signing_key.serialize_pem());
        write("empty", String::new());
        assert_eq!(refusal(folder, "a.crt", "a.key").await, None);
        for (certificate, key, begin, within) in [
            (
                "no.crt",
                "a.key",
                "transport.tls.certificate: cannot read ",
                "no.crt",
            ),
            (
                "a.crt",
                "no.key",
                "transport.tls.key: cannot read ",
                "no.key",
            ),
            (
                ".",
                "a.key",
                "transport.tls.certificate: ",
                "is not a regular file",
            ),
            (
                "empty",
                "a.key",
                "transport.tls.certificate: ",
                "empty holds none",
            ),
            ("a.crt", "empty", "transport.tls.key: ", "empty holds none"),
            ("a.crt", "a.crt", "transport.tls.key: ", "a.crt holds none"),
            ("a.crt", "b.key", "transport.tls: certificate and key", ""),
        ] {
            let said = refusal(folder, certificate, key).await.unwrap_or_default();
            let is_named = said.starts_with(begin) && said.contains(within);
            assert!(is_named, "{certificate} and {key}: {said}");
        }
    }
}
