//! `/healthz` and `/metrics` over HTTP/1.1 on loopback, for this machine's own monitoring.

use std::collections::VecDeque;
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
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::error::RelayError;

/// Connections served at once; for a further one the oldest makes room. Whoever asks properly is gone in
/// milliseconds, so the oldest is one that only holds its place.
const CONNECTIONS_MAX: usize = 128;
/// The head of a request is there within this time, or its connection is dropped.
const HEAD_TIME_MAX: Duration = Duration::from_secs(2);
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
    let mut connections = Connections::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _address)) => {
                connections.add(connection(stream, Arc::clone(&source), stop.clone()));
            }
            Err(cause) => {
                warn!(%cause, "status connection not accepted");
                connections.drop_oldest();
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_RETRY) => {}
                }
            }
        }
    }
    while connections.tasks.join_next().await.is_some() {}
}

/// At most [`CONNECTIONS_MAX`] connections.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    /// Those in `tasks` and some that have ended, oldest first.
    by_age: VecDeque<AbortHandle>,
}

impl Connections {
    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.by_age.retain(|task| !task.is_finished());
        while self.by_age.len() >= CONNECTIONS_MAX {
            self.drop_oldest();
        }
        self.by_age.push_back(self.tasks.spawn(async move {
            if timeout(CONNECTION_TIME_MAX, connection).await.is_err() {
                debug!("a slow status connection was dropped");
            }
        }));
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.by_age.pop_front() {
            oldest.abort();
            debug!("the oldest status connection makes room");
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
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::*;

    /// What this machine's monitoring waits for an answer.
    const ANSWER_MAX: Duration = Duration::from_secs(1);

    struct Well;

    impl Source for Well {
        async fn health(&self) -> Result<(), String> {
            Ok(())
        }

        async fn metrics(&self) -> String {
            "up 1\n".to_owned()
        }
    }

    struct Served {
        address: SocketAddr,
        stop: CancellationToken,
        serving: tokio::task::JoinHandle<()>,
    }

    impl Served {
        async fn start() -> Self {
            let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
            let Listening { listener, address } = listen(anywhere).await.unwrap();
            let stop = CancellationToken::new();
            let serving = tokio::spawn(serve(listener, Arc::new(Well), stop.clone()));
            Self {
                address,
                stop,
                serving,
            }
        }

        async fn connect(&self, head: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(head).await.unwrap();
            stream
        }

        async fn is_answered(&self) -> bool {
            let asked = async {
                let head = b"GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n";
                let mut stream = self.connect(head).await;
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                answer.starts_with("HTTP/1.1 200 ")
            };
            timeout(ANSWER_MAX, asked).await == Ok(true)
        }

        async fn end(self) {
            self.stop.cancel();
            timeout(HEAD_TIME_MAX + ANSWER_MAX, self.serving)
                .await
                .unwrap()
                .unwrap();
        }
    }

    /// Reads until the other side has closed, in whatever way.
    async fn closed(mut stream: TcpStream) {
        let mut bytes = [0; 512];
        while matches!(stream.read(&mut bytes).await, Ok(read) if read > 0) {}
    }

    #[tokio::test]
    async fn clients_that_hold_their_places_keep_nobody_from_an_answer() {
        let served = Served::start().await;
        let mut holding = Vec::new();
        for number in 0..3 * CONNECTIONS_MAX {
            let head = if number % 2 == 0 { "" } else { "GET /heal" };
            holding.push(served.connect(head.as_bytes()).await);
            if number % CONNECTIONS_MAX == CONNECTIONS_MAX - 1 {
                assert!(served.is_answered().await, "with {number} in front");
            }
        }
        // The oldest made room.
        let oldest = holding.swap_remove(0);
        timeout(ANSWER_MAX, closed(oldest)).await.unwrap();
        drop(holding);
        served.end().await;
    }

    #[tokio::test]
    async fn a_head_that_comes_in_drops_is_given_up_at_its_deadline() {
        let served = Served::start().await;
        let begun = Instant::now();
        let (reader, mut writer) = served.connect(b"GET ").await.into_split();
        let drops = tokio::spawn(async move {
            while writer.write_all(b"/").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        let silent = served.connect(b"").await;
        let limit = HEAD_TIME_MAX + ANSWER_MAX;
        timeout(limit, closed(silent)).await.unwrap();
        let mut reader = reader;
        let mut bytes = Vec::new();
        // Ended or reset: gone either way.
        let _ended = timeout(limit, reader.read_to_end(&mut bytes))
            .await
            .unwrap();
        assert!(begun.elapsed() >= HEAD_TIME_MAX, "{:?}", begun.elapsed());
        drops.abort();
        served.end().await;
    }
}
