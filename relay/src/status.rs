//! `/healthz` and `/metrics` over HTTP/1.1 on loopback, for this machine's own monitoring.

use std::net::SocketAddr;
use std::sync::Arc;

use aramaki_sync::loopback::{Limits, Page, page, serve_http, text};
use hyper::header::ALLOW;
use hyper::http::HeaderValue;
use hyper::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::RelayError;

/// The kind of Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the pages show; asked for each request.
pub(crate) trait Source: Send + Sync + 'static {
    /// `Ok`, or what is wrong, in one line.
    fn health(&self) -> impl Future<Output = Result<(), String>> + Send;
    /// The text of `/metrics`.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}

/// Serves until `stop` is cancelled; requests under way are finished.
pub(crate) async fn serve(
    listener: TcpListener,
    source: Arc<impl Source>,
    stop: CancellationToken,
) {
    let answer = move |request: hyper::Request<_>| {
        let source = Arc::clone(&source);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        async move { answer(&method, &path, &*source).await }
    };
    serve_http(listener, Limits::PAGES, stop, answer).await;
}

async fn answer(method: &Method, path: &str, source: &impl Source) -> Page {
    if method != Method::GET && method != Method::HEAD {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match path {
        "/healthz" => match source.health().await {
            Ok(()) => text(StatusCode::OK, "ok\n"),
            Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
        },
        "/metrics" => page(StatusCode::OK, METRICS, source.metrics().await),
        _ => text(StatusCode::NOT_FOUND, "/healthz or /metrics\n"),
    }
}

/// A bound listener and the address it got.
#[derive(Debug)]
pub(crate) struct Listening {
    /// Accepts connections.
    pub(crate) listener: TcpListener,
    /// With the port that port 0 became.
    pub(crate) address: SocketAddr,
}

/// Binds the status address.
///
/// # Errors
/// When it is taken or not ours.
pub(crate) async fn listen(address: SocketAddr) -> Result<Listening, RelayError> {
    let refused = |cause| RelayError::Status { address, cause };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok(Listening { listener, address })
}
