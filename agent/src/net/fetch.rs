//! One HTTP or HTTPS request of a check, with a bounded answer.

use std::time::{Duration, Instant};

use aramaki_model::Severity;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::tls::{self, Shown, TlsError, Trust};
use super::{ConnectError, connect};

/// Bytes of an answer that are read; what follows is not looked at.
pub(crate) const BODY_LEN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How the agent names itself to the servers it looks at.
const USER_AGENT: &str = concat!("aramaki-agent/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FetchError {
    /// Not an address that can be asked.
    #[error("not an http or https address: {url}")]
    Address {
        /// What was asked for.
        url: String,
    },
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server does not speak HTTP, or stopped in the middle.
    #[error("no valid answer")]
    Http(#[from] hyper::Error),
}

/// What a failed request says: what we cannot judge is unknown, everything else is the server's.
pub(crate) const fn blame(error: &FetchError) -> Severity {
    match error {
        FetchError::Address { .. } => Severity::Unknown,
        FetchError::Tls(error) if !error.is_the_servers() => Severity::Unknown,
        _ => Severity::Critical,
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) truncated: bool,
}

/// What came of a request; the certificate is known also when it was refused.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) answer: Result<Answer, FetchError>,
    pub(crate) shown: Option<Shown>,
    pub(crate) took: Duration,
}

/// Asks for `url` once. Redirections are reported, not followed. The caller limits the time.
pub(crate) async fn fetch(url: &str, trust: &Trust) -> Fetched {
    let started = Instant::now();
    let mut shown = None;
    let answer = ask(url, trust, &mut shown).await;
    Fetched {
        answer,
        shown,
        took: started.elapsed(),
    }
}

async fn ask(url: &str, trust: &Trust, shown: &mut Option<Shown>) -> Result<Answer, FetchError> {
    let target = Target::parse(url)?;
    let connected = connect(&target.host, target.port).await?;
    if target.encrypted {
        let handshake = tls::handshake(connected.stream, &target.host, trust).await;
        *shown = handshake.shown;
        exchange(handshake.stream?, &target).await
    } else {
        exchange(connected.stream, &target).await
    }
}

/// Where a request goes.
struct Target {
    host: String,
    port: u16,
    authority: String,
    path: String,
    encrypted: bool,
}

impl Target {
    fn parse(url: &str) -> Result<Self, FetchError> {
        let fail = || FetchError::Address {
            url: url.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_invalid| fail())?;
        let encrypted = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(fail()),
        };
        let authority = uri.authority().ok_or_else(fail)?;
        if authority.as_str().contains('@') {
            return Err(fail());
        }
        Ok(Self {
            host: authority
                .host()
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if encrypted { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            encrypted,
        })
    }
}

async fn exchange<S>(stream: S, target: &Target) -> Result<Answer, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = target
        .path
        .parse()
        .map_err(|_invalid| FetchError::Address {
            url: target.path.clone(),
        })?;
    let headers = request.headers_mut();
    if let Ok(host) = header::HeaderValue::from_str(&target.authority) {
        headers.insert(header::HOST, host);
    }
    headers.insert(
        header::USER_AGENT,
        header::HeaderValue::from_static(USER_AGENT),
    );
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("*/*"));
    headers.insert(
        header::CONNECTION,
        header::HeaderValue::from_static("close"),
    );

    // The connection moves only while it is polled, and ends when `sender` and the body are dropped.
    let (answer, connection) = tokio::join!(
        async move {
            let response = sender.send_request(request).await?;
            read(response).await
        },
        connection
    );
    if let Err(error) = connection {
        tracing::trace!(%error, "connection of a check ended");
    }
    Ok(answer?)
}

async fn read(response: Response<Incoming>) -> Result<Answer, hyper::Error> {
    let (parts, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    let mut truncated = false;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let room = BODY_LEN_BYTES_MAX.saturating_sub(body.len());
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            truncated = true;
            break;
        }
    }
    let location = parts
        .headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    Ok(Answer {
        status: parts.status,
        location,
        body,
        truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let target = Target::parse("https://[::1]:8443/a?b=c").unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.path.as_str()),
            ("::1", 8443, "/a?b=c")
        );
        assert_eq!(Target::parse("http://example.org").unwrap().port, 80);
        for wrong in [
            "",
            "example.org",
            "ftp://example.org/",
            "http://",
            "https://user:word@example.org/",
            "http:// /",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
    }
}
