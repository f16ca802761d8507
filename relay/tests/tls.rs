//! The transport relay with a certificate of the operator's own.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aramaki_relay::Config;
use aramaki_relay::transport::TransportRelay;
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const ANSWER_MAX: Duration = Duration::from_secs(10);

fn configuration(folder: &Path) -> Config {
    let text = format!(
        "[transport]
        bind = \"127.0.0.1:0\"
        [transport.tls]
        bind = \"127.0.0.1:0\"
        certificate = '{0}/relay.crt'
        key = '{0}/relay.key'
        address_discovery = \"127.0.0.1:0\"",
        folder.display()
    );
    Config::parse(&text, Path::new("relay.toml")).unwrap()
}

/// What the relay answers to someone who trusts `root` alone.
fn get(
    address: SocketAddr,
    root: CertificateDer<'static>,
) -> Result<String, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.add(root)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}

/// A certificate in a folder beside a key, its own or that of another.
fn write_pair(folder: &Path, certificate: &CertifiedKey<KeyPair>, key: &CertifiedKey<KeyPair>) {
    std::fs::write(folder.join("relay.crt"), certificate.cert.pem()).unwrap();
    std::fs::write(folder.join("relay.key"), key.signing_key.serialize_pem()).unwrap();
}

fn certificate() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
}

#[tokio::test]
async fn serves_its_own_certificate_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (certificate(), certificate());
    write_pair(folder.path(), &own, &own);

    let config = configuration(folder.path());
    let relay = TransportRelay::start(&config.transport).await.unwrap();
    let address = relay.address().unwrap();
    assert_eq!(relay.url(), format!("https://{address}"));

    let trusted = own.cert.der().clone();
    let answer = tokio::task::spawn_blocking(move || get(address, trusted))
        .await
        .unwrap();
    assert!(
        answer.as_ref().unwrap().starts_with("HTTP/1.1 200 "),
        "{answer:?}"
    );

    let foreign = other.cert.der().clone();
    let refused = tokio::task::spawn_blocking(move || get(address, foreign))
        .await
        .unwrap();
    assert!(refused.is_err(), "{refused:?}");
    relay.close().await.unwrap();
}

#[tokio::test]
async fn key_of_another_certificate_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path(), &certificate(), &certificate());
    let error = TransportRelay::start(&configuration(folder.path()).transport)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "transport.tls: certificate and key cannot be used together"
    );
}
