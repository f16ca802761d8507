//! Bounded listeners for programs of this machine: so many connections at once, each with its deadlines.
//!
//! Whoever asks properly is gone in milliseconds. So the oldest connection is the one that most likely
//! only holds its place, and it makes room for a further one: no client keeps another from an answer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Pause after a failed accept, which happens when file descriptors run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Content of a page for people and scripts.
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// What one listener allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once.
    pub connections: usize,
    /// The head of a request is there within this time, also of the next one on a connection that is kept.
    pub head_time: Duration,
    /// Bytes that a head, or a piece of a body, takes.
    pub buffer_len_bytes: usize,
    /// A connection that takes longer is dropped.
    pub connection_time: Duration,
    /// How long answers under way are waited for at the end.
    pub end_time: Duration,
}

impl Limits {
    /// For pages that are read and nothing more: a connection is short.
    pub const PAGES: Self = Self {
        connections: 128,
        head_time: Duration::from_secs(2),
        buffer_len_bytes: 16 * 1024,
        connection_time: Duration::from_secs(10),
        end_time: Duration::from_secs(10),
    };
    /// For what others send again and again over one connection.
    pub const MESSAGES: Self = Self {
        connections: 64,
        head_time: Duration::from_secs(10),
        buffer_len_bytes: 64 * 1024,
        connection_time: Duration::from_hours(24),
        end_time: Duration::from_secs(2),
    };
}

/// An answer of an HTTP listener.
pub type Page = Response<Full<Bytes>>;

/// A page of plain text.
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Page {
    page(status, PLAIN_TEXT, text)
}

/// A page of this kind.
pub fn page(status: StatusCode, kind: &'static str, content: impl Into<Bytes>) -> Page {
    let mut page = Response::new(Full::new(content.into()));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    page
}

/// Accepts until `stop`, and serves each connection in a task of its own.
pub async fn accept<F>(
    listener: TcpListener,
    limits: Limits,
    stop: CancellationToken,
    mut serve: impl FnMut(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = Connections::new(limits);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _address)) => connections.add(serve(stream)),
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                connections.drop_oldest();
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_RETRY) => {}
                }
            }
        }
    }
    let ended = async { while connections.tasks.join_next().await.is_some() {} };
    if timeout(limits.end_time, ended).await.is_err() {
        tracing::debug!("connections were dropped at the end");
    }
}

/// Answers requests over HTTP/1.1 until `stop`; those under way are answered first.
pub async fn serve_http<A, F>(
    listener: TcpListener,
    limits: Limits,
    stop: CancellationToken,
    answer: A,
) where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Page> + Send + 'static,
{
    let stopped = stop.clone();
    let serve = move |stream| connection(stream, limits, stopped.clone(), answer.clone());
    accept(listener, limits, stop, serve).await;
}

async fn connection<A, F>(stream: TcpStream, limits: Limits, stop: CancellationToken, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Page> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(limits.buffer_len_bytes)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Connections of one listener, as many as its limits allow.
struct Connections {
    limits: Limits,
    tasks: JoinSet<()>,
    /// Those in `tasks` and some that have ended, oldest first.
    by_age: VecDeque<AbortHandle>,
}

impl Connections {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            tasks: JoinSet::new(),
            by_age: VecDeque::new(),
        }
    }

    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.by_age.retain(|task| !task.is_finished());
        while self.by_age.len() >= self.limits.connections.max(1) {
            self.drop_oldest();
        }
        let limit = self.limits.connection_time;
        self.by_age.push_back(self.tasks.spawn(async move {
            if timeout(limit, connection).await.is_err() {
                tracing::debug!("a slow connection was dropped");
            }
        }));
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.by_age.pop_front() {
            oldest.abort();
            tracing::debug!("the oldest connection makes room");
        }
    }
}

#[cfg(test)]
mod tests;
