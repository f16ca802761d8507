//! Results of other programs, over real sockets, up to the journal.

use super::*;
use aramaki_model::Transition;

use crate::config::ListenConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

const LIMIT: Duration = Duration::from_secs(20);

fn config(listen: &str) -> Config {
    let text = format!("[listen]\n{listen}\nnames = [\"*\", \"!unwanted*\"]\n");
    Config::parse(&text, Path::new("test")).unwrap()
}

async fn http(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(LIMIT, read).await.unwrap().unwrap();
    answer
}

async fn said(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(LIMIT, stream.read(&mut answer)).await;
    answer.truncate(read.unwrap().unwrap());
    String::from_utf8(answer).unwrap()
}

fn changes(heard: &Heard) -> Vec<Transition> {
    let change = |entry| match entry {
        JournalEntry::Transition(transition) => Some(transition),
        _ => None,
    };
    read(heard).into_iter().filter_map(change).collect()
}

fn declared(heard: &Heard) -> Vec<Check> {
    let checks = |entry| match entry {
        JournalEntry::Declared { checks, .. } => checks,
        _ => Vec::new(),
    };
    read(heard).into_iter().flat_map(checks).collect()
}

const EVENT: &str =
    r#"{"check":{"metadata":{"name":"mysql"},"status":2,"output":"could not connect|t=3s"}}"#;

#[tokio::test]
async fn an_event_for_sensus_agent_becomes_a_transition_and_repeats_become_none() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let config = || config("sensu_events = [\"127.0.0.1:0\"]");
    while_listening(folder.path(), config(), &fake, async |addresses| {
        let to = addresses[0];
        for _time in 0..3 {
            let answer = http(to, "POST /events", EVENT).await;
            assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        }
        fake.until(|heard| changes(heard).len() == 1).await;
        let answer = http(to, "POST /events", "{\"check\":{\"status\":0}}").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("name: a name of 1 to 128"), "{answer}");
        let unwanted = EVENT.replace("mysql", "unwanted-1");
        let answer = http(to, "POST /events", &unwanted).await;
        assert!(
            answer.contains("400") && answer.contains("listen.names"),
            "{answer}"
        );
        assert!(http(to, "GET /healthz", "").await.contains("200 OK"));
        assert!(http(to, "GET /events", "").await.contains(" 405 "));
        assert!(http(to, "POST /checks", "").await.contains(" 404 "));
        let page = "POST /events HTTP/1.1\r\nOrigin: http://evil.example";
        let answer = http(
            to,
            &page.replace(" HTTP/1.1\r\n", "?x=1 HTTP/1.1\r\n"),
            EVENT,
        )
        .await;
        assert!(answer.contains(" 403 "), "{answer}");
        let large = format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20));
        let answer = http(to, "POST /events", &large).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    })
    .await;
    let change = changes(&fake.heard.lock().unwrap()).remove(0);
    assert_eq!(
        (change.from, change.to),
        (Severity::Missing, Severity::Critical)
    );
    assert_eq!(change.summary, "could not connect");
    assert_eq!(change.metrics.len(), 1);
    let names = declared(&fake.heard.lock().unwrap());
    assert_eq!((names.len(), names[0].id), (1, change.check));

    // The same name is the same check after a restart, and still nothing changed.
    while_listening(folder.path(), config(), &fake, async |addresses| {
        http(addresses[0], "POST /events", EVENT).await;
        let fine = EVENT.replace("\"status\":2", "\"status\":0");
        http(addresses[0], "POST /events", &fine).await;
        fake.until(|heard| changes(heard).len() == 2).await;
    })
    .await;
    let recovered = changes(&fake.heard.lock().unwrap()).remove(1);
    assert_eq!(
        (recovered.check, recovered.to),
        (change.check, Severity::Ok)
    );
    let saved = Saved::read(folder.path()).unwrap();
    assert_eq!(saved.learned.len(), 1);
}

#[tokio::test]
async fn a_name_that_is_let_out_while_the_agent_runs_is_gone_for_its_readers() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let config = config("sensu_events = [\"127.0.0.1:0\"]");
    while_listening(folder.path(), config, &fake, async |addresses| {
        http(addresses[0], "POST /events", EVENT).await;
        fake.until(|heard| declared(heard).len() == 1).await;
        crate::forgotten::write(folder.path(), &["mysql".to_owned()].into()).unwrap();
        let is_gone = |heard: &Heard| {
            let mut entries = read(heard).into_iter().rev();
            let last = entries.find_map(|entry| match entry {
                JournalEntry::Declared { checks, .. } => Some(checks),
                _ => None,
            });
            last.is_some_and(|checks| checks.is_empty())
        };
        fake.until(is_gone).await;
        let answer = http(addresses[0], "POST /events", EVENT).await;
        assert!(
            answer.contains("400") && answer.contains("forget"),
            "{answer}"
        );
    })
    .await;
    let saved = Saved::read(folder.path()).unwrap();
    assert_eq!((saved.learned.len(), saved.refused.len()), (0, 0));
}

#[tokio::test]
async fn sensus_older_socket_answers_as_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let config = config("sensu_socket = [\"127.0.0.1:0\"]");
    while_listening(folder.path(), config, &fake, async |addresses| {
        let to = addresses[0];
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(b"ping\n").await.unwrap();
        assert_eq!(said(&mut stream).await, "pong");
        // In pieces, and another one on the same connection.
        stream
            .write_all(b"{\"name\":\"app\",\"output\":\"}\",")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.write_all(b"\"status\":1}\n").await.unwrap();
        assert_eq!(said(&mut stream).await, "ok");
        stream
            .write_all(b"[{\"name\":\"a\",\"status\":0},{\"name\":\"b\",\"status\":0}]")
            .await
            .unwrap();
        assert_eq!(said(&mut stream).await, "ok");
        for wrong in [
            "{\"name\":\"x\"",
            "nonsense",
            "{\"status\":0}",
            "{\"name\":\"unwanted\",\"status\":0}",
        ] {
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.write_all(wrong.as_bytes()).await.unwrap();
            assert_eq!(said(&mut stream).await, "invalid", "{wrong}");
        }
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for datagram in [
            "{",
            "{\"name\":\"u\",\"status\":2,\"output\":\"by UDP\",\"source\":\"sw1\"}",
        ] {
            socket.send_to(datagram.as_bytes(), to).await.unwrap();
        }
        fake.until(|heard| changes(heard).len() == 4).await;
    })
    .await;
    let heard = fake.heard.lock().unwrap();
    let proxy: Vec<_> = declared(&heard)
        .into_iter()
        .filter(|check| check.about.is_some())
        .collect();
    assert_eq!(proxy[0].name, "sw1/u");
    assert_eq!(proxy[0].about.as_deref(), Some("sw1"));
}

#[tokio::test]
async fn an_alert_fires_and_is_over_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let config = config("alertmanager = [\"127.0.0.1:0\"]");
    while_listening(folder.path(), config, &fake, async |addresses| {
        let ends = now().plus(Duration::from_secs(2));
        let alerts = format!(
            r#"[{{"labels":{{"alertname":"Full","disk":"a","severity":"warning"}},"endsAt":"{ends}",
               "annotations":{{"summary":"disk a is full"}}}},{{"labels":{{"alertname":"unwanted"}}}}]"#
        );
        let answer = http(addresses[0], "POST /api/v2/alerts", &alerts).await;
        assert!(answer.contains(" 400 ") && answer.contains("unwanted"), "{answer}");
        fake.until(|heard| changes(heard).len() == 2).await;
        let answer = http(addresses[0], "POST /api/v2/alerts", "[]").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    })
    .await;
    let changes = changes(&fake.heard.lock().unwrap());
    let seen: Vec<_> = changes.iter().map(|change| change.to).collect();
    assert_eq!(seen, [Severity::Warning, Severity::Ok]);
    assert_eq!(changes[0].summary, "disk a is full");
}

#[tokio::test]
async fn a_check_looks_at_what_came_by_statsd() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let text = "[listen]\nstatsd = [\"127.0.0.1:0\"]\nstatsd_flush = \"1s\"\n\
        [[check]]\nname = \"queue\"\ninterval = \"1s\"\n\
        statsd = { metric = \"queue\", value = { critical = 10 }, missing = \"warning\" }\n";
    let config = Config::parse(text, Path::new("test")).unwrap();
    while_listening(folder.path(), config, &fake, async |addresses| {
        // Several rounds and a flush: whoever was started anew does not say that nothing comes.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(b"queue:11|g\n", addresses[0]).await.unwrap();
        fake.until(|heard| !changes(heard).is_empty()).await;
    })
    .await;
    let heard = fake.heard.lock().unwrap();
    let seen: Vec<_> = changes(&heard).iter().map(|change| change.to).collect();
    assert_eq!(seen, [Severity::Critical]);
}

#[tokio::test]
async fn metrics_tell_over_http_what_ran_what_waits_and_how_old_results_are() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let text = format!(
        "[listen]\nsensu_events = [\"127.0.0.1:0\"]\nmetrics = [\"127.0.0.1:0\"]\n\
         names = [\"*\", \"!unwanted*\"]\n{LOCAL}"
    );
    let config = Config::parse(&text, Path::new("test")).unwrap();
    while_listening(folder.path(), config, &fake, async |addresses| {
        let [events, metrics] = addresses[..] else {
            panic!("two addresses: {addresses:?}");
        };
        fake.until(|heard| changes(heard).len() == 2).await;
        http(events, "POST /events", EVENT).await;
        let refused = EVENT.replace("mysql", "unwanted");
        http(events, "POST /events", &refused).await;
        fake.until(|heard| changes(heard).len() == 3).await;
        let answer = http(metrics, "GET /metrics", "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
        let value = |series: &str| -> u64 {
            let mut lines = answer.lines().filter(|line| line.starts_with(series));
            let line = lines.next().unwrap_or_else(|| panic!("{series}: {answer}"));
            line.rsplit_once(' ').unwrap().1.trim().parse().unwrap()
        };
        assert_eq!(value("aramaki_agent_up "), 1);
        assert_eq!(value("aramaki_agent_checks "), 3);
        assert!(value("aramaki_agent_runs_total ") >= 2, "{answer}");
        assert_eq!(value("aramaki_agent_external_results_total "), 1);
        assert_eq!(value("aramaki_agent_external_refused_total "), 1);
        assert_eq!(value("aramaki_agent_transitions_total "), 3);
        let state = |name: &str| value(&format!("aramaki_agent_check_state{{check=\"{name}\""));
        assert_eq!((state("up"), state("mysql")), (0, 2));
        let age = "aramaki_agent_check_last_result_age_seconds{check=\"up\"";
        assert!(value(age) < 60, "{answer}");
        let answer = http(metrics, "GET /healthz", "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let answer = http(metrics, "POST /metrics", "").await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        let answer = http(metrics, "GET /events", "").await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_does_not_work_says_nothing_good_of_itself() {
    let (inbox, arrivals) = Inbox::new();
    // Nobody takes in what comes.
    drop(arrivals);
    let config = ListenConfig {
        metrics: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        ..ListenConfig::default()
    };
    let observer = Observer::new(Vec::new());
    let listeners = Listeners::start(&config, &inbox, observer.measured());
    let listeners = listeners.await.unwrap();
    for page in ["/metrics", "/healthz"] {
        let answer = http(listeners.addresses[0], &format!("GET {page}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    listeners.end().await;
}

#[tokio::test]
async fn clients_that_hold_their_places_keep_nobody_from_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let config = config("sensu_events = [\"127.0.0.1:0\"]\nsensu_socket = [\"127.0.0.1:0\"]");
    while_listening(folder.path(), config, &fake, async |addresses| {
        let mut holding = Vec::new();
        for number in 0..300 {
            let mut stream = TcpStream::connect(addresses[number % 2]).await.unwrap();
            stream.write_all(b"{\"na").await.unwrap();
            holding.push(stream);
        }
        let answer = http(addresses[0], "POST /events", EVENT).await;
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let mut stream = TcpStream::connect(addresses[1]).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        assert_eq!(said(&mut stream).await, "pong");
    })
    .await;
}

#[tokio::test]
async fn a_result_that_was_answered_outlives_a_crash_right_after() {
    let folder = tempfile::tempdir().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let both = "sensu_events = [\"127.0.0.1:0\"]\nsensu_socket = [\"127.0.0.1:0\"]";
    while_listening(folder.path(), config(both), &fake, async |addresses| {
        http(addresses[0], "POST /events", EVENT).await;
        fake.until(|heard| changes(heard).len() == 1).await;
        // From here on the state is kept every ten seconds, or with the next change.
        let fine = EVENT.replace("\"status\":2", "\"status\":0");
        let answer = http(addresses[0], "POST /events", &fine).await;
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let mut stream = TcpStream::connect(addresses[1]).await.unwrap();
        let line = br#"{"name":"disk","status":1,"output":"full"}"#;
        stream.write_all(line).await.unwrap();
        assert_eq!(said(&mut stream).await, "ok");
        // What a crash leaves behind is what is on disk now.
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), crashed.path().join(file.file_name())).unwrap();
            }
        }
    })
    .await;

    let fake = Fake::default();
    while_listening(crashed.path(), config(both), &fake, async |_addresses| {
        fake.until(|heard| changes(heard).len() == 2).await;
    })
    .await;
    let told: Vec<_> = changes(&fake.heard.lock().unwrap())
        .iter()
        .map(|change| (change.from, change.to))
        .collect();
    let (ok, missing) = (Severity::Ok, Severity::Missing);
    assert_eq!(
        told,
        [(Severity::Critical, ok), (missing, Severity::Warning)]
    );
    assert_eq!(
        declared(&fake.heard.lock().unwrap()).last().unwrap().name,
        "mysql"
    );
    // They are in the state now, and not taken in again.
    let again = Fake::default();
    while_listening(crashed.path(), config(both), &again, async |_addresses| {
        again.until(|heard| !heard.beats.is_empty()).await;
    })
    .await;
    assert_eq!(changes(&again.heard.lock().unwrap()), []);
}
