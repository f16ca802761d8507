//! What a real Alertmanager sends to a webhook, beside what we send.
//!
//! Where it is not installed the test says so and ends, unless `ARAMAKI_PEERS` says that it must be, as in `.ci/run`.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aramaki_sync_core::Timestamp;

use super::*;
use crate::cli::Clock;
use crate::notify::letter::tests::{message, name};

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
const LIMIT: Duration = Duration::from_mins(1);
/// Of so many alerts it sends two.
const ALERTS: usize = 3;

/// An Alertmanager that is ended with its test.
struct Alertmanager {
    child: Child,
    address: SocketAddr,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Alertmanager {
    fn start(folder: &Path, hook: SocketAddr) -> Self {
        let config = format!(
            "route: {{receiver: ops, group_by: [alertname], group_wait: 1s, group_interval: 1s}}\nreceivers:\n\
             - name: ops\n  webhook_configs: [{{url: 'http://{hook}/', max_alerts: 2}}]\n"
        );
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let mut child = Command::new(ALERTMANAGER)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .args([
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        let listens = lines.find(|line| line.contains("Listening on")).unwrap();
        let (_, address) = listens.rsplit_once("address=").unwrap();
        let address = address.trim().parse().unwrap();
        // It must not wait for somebody who reads the rest.
        spawn("alertmanager log", move || lines.for_each(drop));
        Self { child, address }
    }

    /// Tells it of alerts that end then, as Prometheus does.
    fn tell(&self, ends: Timestamp) {
        let now = Clock::now();
        let alerts: Vec<_> = (0..ALERTS)
            .map(|n| {
                json!({
                    "labels": {"alertname": "disk", "severity": "critical", "instance": format!("osd.{n}")},
                    "annotations": {"summary": "96 % full"},
                    "startsAt": now.minus(LIMIT).to_string(),
                    "endsAt": ends.to_string(),
                    "generatorURL": "http://prometheus.example.org/graph",
                })
            })
            .collect();
        let body = Value::from(alerts).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

/// A thread that ends with the test's process at the latest.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.to_owned());
    drop(thread.spawn(work).unwrap());
}

/// A server that takes what is sent to it, and hands over the bodies.
fn hook() -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (told, bodies) = channel();
    spawn("webhook", move || {
        for stream in listener.incoming() {
            if told.send(taken(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (address, bodies)
}

/// The body of one request.
fn taken(stream: TcpStream) -> Value {
    let mut stream = BufReader::new(stream);
    let mut len = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            len = said.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; len];
    stream.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.get_mut().write_all(answer).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// What every field of a body is, by its place in it.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn shape(body: &Value) -> Shape {
    let mut shape = Shape::new();
    gather("", body, &mut shape);
    shape
}

fn gather(place: &str, value: &Value, shape: &mut Shape) {
    let kind = match value {
        // Which labels there are is whoever sends to say.
        Value::Object(words) if place.ends_with("abels") || place.ends_with("nnotations") => {
            assert!(words.values().all(Value::is_string), "{place}: {value}");
            "words"
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                gather(&format!("{place}.{name}"), value, shape);
            }
            "fields"
        }
        Value::Array(all) => {
            for value in all {
                gather(&format!("{place}[]"), value, shape);
            }
            "list"
        }
        Value::String(text) if Timestamp::parse_rfc3339(text).is_some() => "time",
        Value::String(text) if text.len() == 16 && text.chars().all(|c| c.is_ascii_hexdigit()) => {
            "fingerprint"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "yes or no",
        Value::Null => "nothing",
    };
    shape.entry(place.to_owned()).or_default().insert(kind);
}

#[test]
fn the_body_is_field_by_field_of_the_kinds_that_a_real_alertmanager_sends() {
    let is_required = std::env::var_os("ARAMAKI_PEERS").is_some();
    if !Path::new(ALERTMANAGER).exists() {
        assert!(!is_required, "{ALERTMANAGER} is not installed");
        eprintln!("{ALERTMANAGER} is not installed: nothing was tested");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (address, bodies) = hook();
    let alertmanager = Alertmanager::start(folder.path(), address);
    let states = [
        (
            State::Problem(Severity::Critical),
            "firing",
            Duration::from_hours(1),
        ),
        (State::Resolved, "resolved", Duration::ZERO),
    ];
    for (state, status, lasts) in states {
        alertmanager.tell(Clock::now().plus(lasts));
        let theirs = bodies.recv_timeout(LIMIT).unwrap();
        let mut told = message(&[state; ALERTS]);
        let ours = json(&told, "http://example.org", name);
        assert_eq!(shape(&ours), shape(&theirs), "{theirs:#}");
        for field in ["version", "status", "receiver"] {
            assert_eq!(ours[field], theirs[field], "{field}");
        }
        assert_eq!(theirs["status"], status);
        for body in [&ours, &theirs] {
            for alert in body["alerts"].as_array().unwrap() {
                assert_eq!(alert["status"], status);
                assert_eq!(alert["endsAt"] == NO_END, status == "firing", "{alert}");
            }
            let key = body["groupKey"].as_str().unwrap();
            assert!(key.starts_with("{}") && key.contains(":{"), "{key}");
        }
        // What is left out is counted by both.
        assert_eq!(theirs["alerts"].as_array().unwrap().len(), 2);
        assert_eq!(theirs["truncatedAlerts"], ALERTS - 2);
        told.items = vec![told.items[0].clone(); ALERTS_MAX + 1];
        assert_eq!(json(&told, "", name)["truncatedAlerts"], 1);
    }
}
