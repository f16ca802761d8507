//! How many results of other programs one agent takes in, over real sockets and into a real journal.
//! `cargo bench -p aramaki-tests --bench ingest`; time of the senders is in the figures.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to say"
)]
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use aramaki_agent::{AgentOptions, Config};
use aramaki_model::name;
use aramaki_sync::keys;
use aramaki_sync::replica::{CreateSpace, InviteRequest, Replica, ReplicaOptions};
use aramaki_sync::transport::NetworkOptions;
use aramaki_sync_core::PrincipalId;
use aramaki_tests::measure::{is_wanted, now, processor_time};
use tokio_util::sync::CancellationToken;

/// Sends all results to an address.
type Sending = fn(SocketAddr);

/// Results of each kind; every hundredth of a check changes its state.
const RESULTS: usize = 20_000;
const CHECKS: usize = 100;
/// They send at the same time, each of checks of its own: each waits for the disk before its next result.
const SENDERS: usize = 20;
const CHANGES_EVERY: usize = 100;
const LIMIT: Duration = Duration::from_mins(1);

fn main() {
    if !is_wanted() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

fn together(to: SocketAddr, send: fn(SocketAddr, usize)) {
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || send(to, sender));
        }
    });
}

fn status(n: usize) -> usize {
    (n / CHECKS / CHANGES_EVERY) % 2 * 2
}

fn by_http(to: SocketAddr) {
    together(to, send_by_http);
}

fn send_by_http(to: SocketAddr, sender: usize) {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut answer = [0; 512];
    for n in (sender..RESULTS).step_by(SENDERS) {
        let body = format!(
            r#"{{"check":{{"metadata":{{"name":"http-{}"}},"status":{},"output":"LOAD OK - 0.{n}|load1=0.{n};5;10;0;"}}}}"#,
            n % CHECKS,
            status(n)
        );
        let head = format!(
            "POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all((head + &body).as_bytes())
            .expect("a request");
        let len = stream.read(&mut answer).expect("an answer");
        assert!(
            answer
                .get(..len)
                .is_some_and(|it| it.starts_with(b"HTTP/1.1 201"))
        );
    }
}

fn by_socket(to: SocketAddr) {
    together(to, send_by_socket);
}

fn send_by_socket(to: SocketAddr, sender: usize) {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut answer = [0; 16];
    for n in (sender..RESULTS).step_by(SENDERS) {
        let line = format!(
            r#"{{"name":"tcp-{}","status":{},"output":"LOAD OK - 0.{n}|load1=0.{n};5;10;0;"}}"#,
            n % CHECKS,
            status(n)
        );
        stream.write_all(line.as_bytes()).expect("a result");
        let len = stream.read(&mut answer).expect("an answer");
        assert_eq!(answer.get(..len), Some(&b"ok"[..]));
    }
}

fn by_statsd(to: SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for n in 0..RESULTS {
        let line = format!("bench.{}:{n}|c", n % CHECKS);
        socket.send_to(line.as_bytes(), to).expect("a datagram");
    }
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().join("people");
    std::fs::create_dir(&here).expect("a folder");
    let keys = keys::read_or_create(&here.join("device.key"), None).expect("a key");
    let options =
        ReplicaOptions::new(here.join("replica"), keys).network(NetworkOptions::loopback());
    let people = Replica::open(options).await.expect("a replica");
    let space = people.create_space(CreateSpace::new(PrincipalId::from_bytes([7; 16])));
    let space = space.await.expect("a Space");
    let invited = people.invite(space, InviteRequest::for_agent());
    let invitation = invited.await.expect("an invitation");
    let (events, socket, statsd) = (free(), free(), free());
    let text = format!(
        "[network]\nlisten = [\"127.0.0.1:0\"]\n[listen]\nsensu_events = [\"{events}\"]\n\
         sensu_socket = [\"{socket}\"]\nstatsd = [\"{statsd}\"]\nnames = [\"*\"]\nlimit = 1000\n"
    );
    let config = Config::parse(&text, Path::new("bench")).expect("a configuration");
    let mut options = AgentOptions::new(folder.path().join("agent"), config);
    options.invitation = invitation.to_text().ok().map(|it| it.to_string());
    let stop = CancellationToken::new();
    let agent = tokio::spawn(aramaki_agent::run(options, stop.clone()));
    let began = Instant::now();
    while TcpStream::connect(events).is_err() {
        assert!(began.elapsed() < LIMIT, "the agent does not listen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    println!("| | results | rate | processor time each | of one core | aim |");
    println!("|---|---|---|---|---|---|");
    let kinds: [(&str, SocketAddr, Sending); 3] = [
        ("Sensu's `POST /events`", events, by_http),
        ("Sensu's socket, TCP", socket, by_socket),
        ("StatsD", statsd, by_statsd),
    ];
    for (what, to, send) in kinds {
        let (began, used) = (Instant::now(), processor_time());
        tokio::task::spawn_blocking(move || send(to))
            .await
            .expect("results are sent");
        let (took, used) = (began.elapsed(), processor_time().saturating_sub(used));
        #[expect(clippy::cast_precision_loss, reason = "a count of results is small")]
        let count = RESULTS as f64;
        println!(
            "| {what} | {RESULTS} | {:.0}/s | {:.3} ms | {:.0}/s | ≥ 2,000/s |",
            count / took.as_secs_f64(),
            used.as_secs_f64() * 1_000.0 / count,
            count / used.as_secs_f64().max(0.001),
        );
    }
    stop.cancel();
    agent.await.expect("an end").expect("an end in good order");
    // Transitions only: what went into the journal, in bytes and envelopes.
    let bodies = people.bodies(space, name::journal(now(), 0)).await;
    println!(
        "\n{} envelopes of the journal's first segment for {} results",
        bodies.expect("a journal").len(),
        2 * RESULTS
    );
    people.shutdown().await;
}
