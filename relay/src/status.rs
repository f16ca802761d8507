//! `/healthz` and `/metrics` over HTTP/1.1 on loopback, for this machine's own monitoring.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::http::HeaderValue;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::error::RelayError;

/// Connections served at once; further ones wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 16;
/// A connection that takes longer than this is dropped.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10);
/// Pause after a failed accept, which happens when file descriptors run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// What the pages show; asked for each request.
pub(crate) trait Source: Send + Sync + 'static {
    /// `Ok`, or what is wrong, in one line.
    fn health(&self) -> impl Future<Output = Result<(), String>> + Send;
    /// The text of `/metrics`.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}

/// Serves until `stop` is cancelled; requests under way are finished, at most within
/// [`CONNECTION_TIME_MAX`].
pub(crate) async fn serve(
    listener: TcpListener,
    source: Arc<impl Source>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else {
            continue;
        };
        let (source, stop) = (Arc::clone(&source), stop.clone());
        connections.spawn(async move {
            if timeout(CONNECTION_TIME_MAX, connection(stream, source, stop))
                .await
                .is_err()
            {
                debug!("a slow status connection was dropped");
            }
            drop(place);
        });
    }
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _address)) => Some((stream, place)),
        Err(cause) => {
            warn!(%cause, "status connection not accepted");
            tokio::time::sleep(ACCEPT_RETRY).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, source: Arc<impl Source>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let source = Arc::clone(&source);
        async move { Ok::<_, Infallible>(answer(&request, &*source).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        debug!(%cause, "status connection ended early");
    }
}

async fn answer(request: &Request<Incoming>, source: &impl Source) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/healthz" => match source.health().await {
            Ok(()) => page(StatusCode::OK, "ok\n".to_owned()),
            Err(reason) => page(StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
        },
        "/metrics" => {
            let mut metrics = page(StatusCode::OK, source.metrics().await);
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            metrics.headers_mut().insert(CONTENT_TYPE, kind);
            metrics
        }
        _ => page(StatusCode::NOT_FOUND, "/healthz or /metrics\n".to_owned()),
    }
}

fn page(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut page = Response::new(Full::new(Bytes::from(text)));
    *page.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    page.headers_mut().insert(CONTENT_TYPE, kind);
    page
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
