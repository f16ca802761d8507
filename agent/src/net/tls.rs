//! TLS as a check sees it: who is trusted, and when the certificate that was shown ends.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::platform;

/// Certificates read from one bundle.
const ROOTS_MAX: usize = 10_000;
/// Characters kept of a certificate's subject: the server chooses them.
const SUBJECT_LEN_CHARS_MAX: usize = 200;

/// Which certificates are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those of this machine's bundle.
    System,
    /// Those of a bundle in PEM.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "checks do not name a bundle of their own yet")
    )]
    Bundle(PathBuf),
    /// Any: the certificate's end is looked at, its issuer is not.
    Anyone,
}

/// The certificate a server showed, whether or not it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Unix seconds.
    pub(crate) not_after: i64,
    pub(crate) subject: String,
}

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TlsError {
    /// There is nothing to verify with.
    #[error("no bundle of trusted certificates on this machine")]
    NoRoots,
    /// The bundle could not be read.
    #[error("cannot read certificates of {path}")]
    Bundle {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Our own set-up is wrong.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
    /// The verifier cannot be built from these roots.
    #[error("cannot verify certificates")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
    /// Not a name a certificate can be for.
    #[error("not a server name: {host}")]
    Name {
        /// What was asked for.
        host: String,
        /// Why.
        #[source]
        source: InvalidDnsNameError,
    },
    /// The server or the network ended it.
    #[error("TLS handshake failed")]
    Handshake(#[source] std::io::Error),
}

impl TlsError {
    /// Whether the other side caused it, and not this machine's set-up.
    pub(crate) const fn is_the_servers(&self) -> bool {
        matches!(self, Self::Handshake(_))
    }
}

/// What came of a handshake, and the certificate seen on the way.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) stream: Result<TlsStream<TcpStream>, TlsError>,
    pub(crate) shown: Option<Shown>,
}

/// Speaks TLS over `stream` to `host`.
pub(crate) async fn handshake(stream: TcpStream, host: &str, trust: &Trust) -> Handshake {
    let seen = Arc::new(Mutex::new(None));
    let stream = async {
        let config = config(trust, Arc::clone(&seen))?;
        let name = ServerName::try_from(host.to_owned()).map_err(|source| TlsError::Name {
            host: host.to_owned(),
            source,
        })?;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .map_err(TlsError::Handshake)
    }
    .await;
    let shown = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    Handshake { stream, shown }
}

fn config(trust: &Trust, seen: Arc<Mutex<Option<Shown>>>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = match trust {
        Trust::Anyone => None,
        Trust::System => {
            let bundle = platform::certificate_bundle().ok_or(TlsError::NoRoots)?;
            Some(verifier(&bundle, &provider)?)
        }
        Trust::Bundle(path) => Some(verifier(path, &provider)?),
    };
    let recording = Recording {
        inner,
        provider: Arc::clone(&provider),
        seen,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(recording))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(|certificates| certificates.take(ROOTS_MAX).collect::<Result<Vec<_>, _>>())
        .map_err(|source| TlsError::Bundle {
            path: path.to_owned(),
            source,
        })?;
    let mut roots = RootCertStore::empty();
    let (_added, ignored) = roots.add_parsable_certificates(certificates);
    if ignored > 0 {
        tracing::debug!(ignored, path = %path.display(), "some trusted certificates cannot be read");
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(TlsError::Verifier)
}

/// Reads what a check reports of a certificate.
fn read(certificate: &CertificateDer<'_>) -> Option<Shown> {
    let (_rest, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Shown {
        not_after: parsed.validity().not_after.timestamp(),
        subject: parsed
            .subject()
            .to_string()
            .chars()
            .take(SUBJECT_LEN_CHARS_MAX)
            .collect(),
    })
}

/// Verifies as the platform's verifier does, and remembers the certificate also when it refuses it.
#[derive(Debug)]
struct Recording {
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: Arc<Mutex<Option<Shown>>>,
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = read(end_entity);
        match &self.inner {
            Some(inner) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
