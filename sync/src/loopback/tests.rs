//! Listeners whose clients hold their places, send in drops, or never end.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::*;

/// What this machine's monitoring waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);
const LIMITS: Limits = Limits::PAGES;

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn start() -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(anywhere).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let answer = |_request| async { text(StatusCode::OK, "ok\n") };
        let serving = tokio::spawn(serve_http(listener, LIMITS, stop.clone(), answer));
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
            let head = b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
            let mut stream = self.connect(head).await;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.starts_with("HTTP/1.1 200 ")
        };
        timeout(ANSWER_MAX, asked).await == Ok(true)
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(LIMITS.head_time + ANSWER_MAX, self.serving)
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
    for number in 0..3 * LIMITS.connections {
        let head = if number % 2 == 0 { "" } else { "GET /heal" };
        holding.push(served.connect(head.as_bytes()).await);
        if number % LIMITS.connections == LIMITS.connections - 1 {
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
    let limit = LIMITS.head_time + ANSWER_MAX;
    timeout(limit, closed(silent)).await.unwrap();
    let mut reader = reader;
    let mut bytes = Vec::new();
    // Ended or reset: gone either way.
    let _ended = timeout(limit, reader.read_to_end(&mut bytes))
        .await
        .unwrap();
    assert!(begun.elapsed() >= LIMITS.head_time, "{:?}", begun.elapsed());
    drops.abort();
    served.end().await;
}

#[tokio::test]
async fn a_connection_that_never_ends_is_dropped_at_its_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits {
        connection_time: Duration::from_millis(200),
        ..LIMITS
    };
    let stop = CancellationToken::new();
    let endless = |stream: TcpStream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    };
    let serving = tokio::spawn(accept(listener, limits, stop.clone(), endless));
    let stream = TcpStream::connect(address).await.unwrap();
    timeout(Duration::from_secs(30), closed(stream))
        .await
        .unwrap();
    stop.cancel();
    serving.await.unwrap();
}
