//! Web checks against servers on this machine, with certificates made for the test.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::reading::thresholds;
use super::*;

/// 2026-01-01T00:00:00Z: the tests' now.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nall is well\n";

fn expected(url: &str) -> Expected<'_> {
    let time = Thresholds::default();
    Expected {
        url,
        status: None,
        time,
        certificate_days: thresholds("30:", "7:"),
    }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    page: &str,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

/// Answers every connection with `page`; the port it listens on.
async fn plain(page: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that hangs up is part of some tests.
            tokio::spawn(async move { answer(stream, page).await.ok() });
        }
    });
    port
}

/// A TLS server for `localhost` whose certificate ends on `(year, month, day)`.
struct Secure {
    port: u16,
    bundle: tempfile::NamedTempFile,
}

impl Secure {
    async fn start(end: (i32, u8, u8)) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(end.0, end.1, end.2);
        let certificate = parameters.self_signed(&key).unwrap();
        let bundle = tempfile::NamedTempFile::new().unwrap();
        let encoded = data_encoding_base64(certificate.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n");
        std::fs::write(bundle.path(), pem).unwrap();

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move { answer(acceptor.accept(stream).await?, PAGE).await });
            }
        });
        Self { port, bundle }
    }

    async fn check(&self, trust: &Trust) -> Reading {
        let url = format!("https://localhost:{}/", self.port);
        check(&expected(&url), trust, NOW).await
    }

    fn own_trust(&self) -> Trust {
        Trust::Bundle(self.bundle.path().to_owned())
    }
}

#[tokio::test]
async fn a_page_is_judged_by_status_and_time() {
    let url = format!("http://127.0.0.1:{}/", plain(PAGE).await);
    let reading = check(&expected(&url), &Trust::System, NOW).await;
    assert_eq!(reading.severity, Severity::Ok, "{reading:?}");
    assert!(
        reading
            .metrics
            .iter()
            .any(|metric| metric.to_string() == "size=12B;;;0"),
        "{reading:?}"
    );

    let wrong_status = Expected {
        status: Some(204),
        ..expected(&url)
    };
    assert_eq!(
        check(&wrong_status, &Trust::System, NOW).await.severity,
        Severity::Critical
    );
    let slow = Expected {
        time: thresholds("@0:", ""),
        ..expected(&url)
    };
    assert_eq!(
        check(&slow, &Trust::System, NOW).await.severity,
        Severity::Warning
    );
}

#[tokio::test]
async fn redirections_are_told_and_errors_are_graded() {
    let severity = async |page| {
        let url = format!("http://127.0.0.1:{}/", plain(page).await);
        let reading = check(&expected(&url), &Trust::System, NOW).await;
        (reading.severity, reading.summary)
    };
    let (moved, words) =
        severity("HTTP/1.1 301 Moved\r\nlocation: /new\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(moved, Severity::Ok);
    assert!(words.contains("redirects to /new"), "{words}");
    assert_eq!(
        severity("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n")
            .await
            .0,
        Severity::Warning
    );
    assert_eq!(
        severity("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")
            .await
            .0,
        Severity::Critical
    );
    assert_eq!(
        severity("SSH-2.0-OpenSSH_9.2p1\r\n\r\n").await.0,
        Severity::Critical
    );
    assert_eq!(
        severity("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut")
            .await
            .0,
        Severity::Critical
    );
}

#[tokio::test]
async fn a_trusted_certificate_is_accepted_and_its_end_is_judged() {
    let long = Secure::start((2028, 1, 1)).await;
    let reading = long.check(&long.own_trust()).await;
    assert_eq!(reading.severity, Severity::Ok, "{reading:?}");
    assert!(
        reading.summary.contains("certificate ends in 730 days"),
        "{}",
        reading.summary
    );
    assert!(
        reading
            .metrics
            .iter()
            .any(|metric| metric.to_string() == "certificate=730days;30:;7:"),
        "{reading:?}"
    );

    let short = Secure::start((2026, 1, 21)).await;
    let reading = short.check(&Trust::Anyone).await;
    assert_eq!(reading.severity, Severity::Warning, "{reading:?}");
}

#[tokio::test]
async fn a_foreign_certificate_is_critical_and_its_end_is_still_known() {
    let server = Secure::start((2028, 1, 1)).await;
    let other = Secure::start((2028, 1, 1)).await;
    let reading = server.check(&other.own_trust()).await;
    assert_eq!(reading.severity, Severity::Critical);
    assert!(
        reading.summary.contains("TLS handshake failed"),
        "{}",
        reading.summary
    );
    assert!(
        reading.summary.contains("certificate ends in 730 days"),
        "{}",
        reading.summary
    );
}

#[tokio::test]
async fn an_expired_certificate_says_since_when() {
    let server = Secure::start((2025, 12, 22)).await;
    let reading = server.check(&server.own_trust()).await;
    assert_eq!(reading.severity, Severity::Critical);
    assert!(
        reading.summary.contains("certificate ended 10 days ago"),
        "{}",
        reading.summary
    );
}

/// PEM wants base64; nothing else here does.
fn data_encoding_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| (word << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4_usize {
            let index = (word >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() {
                char::from(ALPHABET[index as usize])
            } else {
                '='
            });
        }
    }
    text
}
