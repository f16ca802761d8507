//! Notifiers with real programs: taking over, a cut cable, real mail and web servers.
//!
//! Needs root, iproute2, and aiosmtpd for Debian's Python. `.ci/run notify` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use aramaki_tests::{Agent, Host, Lan, Notifier, Person, Relay, Running, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
/// One standby and the look after it.
const STANDBY: Duration = Duration::from_secs(22);

fn policy(wait: &str) -> String {
    format!(
        "[receiver.duty]\nvia = \"pager\"\nto = \"+49\"\n[group]\nwait = \"{wait}\"\ninterval = \"5s\"\n\
         [[route]]\n[[route.then]]\nnotify = [\"duty\"]\n"
    )
}

/// A relay, who administers a shop with a storage below it, an agent that looks at the storage, and two
/// notifiers that read both. Host 1 has the relay; 4 and 5 the notifiers.
struct Team {
    lan: Lan,
    _folder: tempfile::TempDir,
    _relay: Relay,
    person: Person,
    agent: Agent,
    first: Notifier,
    second: Notifier,
}

impl Team {
    fn new(name: &str, wait: &str) -> Self {
        let lan = Lan::new(name, 5);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
        let person = Person::new(lan.host(2), &at("person"));
        let mut agent = Agent::new(lan.host(3), &at("agent"), &at("agent/data"));
        let first = Notifier::new(lan.host(4), &at("n0"), 0);
        let second = Notifier::new(lan.host(5), &at("n1"), 1);
        person.json(&["system", "add", "Storage"]);
        person.json(&["system", "add", "Webshop"]);
        person.json(&["system", "link", "Webshop", "Storage"]);
        relay.serve(&person);
        let file = at("policy.toml");
        std::fs::write(&file, policy(wait)).unwrap();
        person.json(&[
            "notify",
            "policy",
            "Webshop",
            "--file",
            file.to_str().unwrap(),
        ]);
        agent.join(&person, "Storage");
        agent.start();
        for notifier in [&first, &second] {
            notifier.join(&person, "Storage");
            notifier.join(&person, "Webshop");
            eventually("the notifier sees the agent", LIMIT, || {
                notifier.person().online("1s");
                notifier.person().state("Webshop").as_deref() == Some("ok")
            });
        }
        Self {
            lan,
            _folder: folder,
            _relay: relay,
            person,
            agent,
            first,
            second,
        }
    }

    fn told(&self) -> (Vec<String>, Vec<String>) {
        (self.first.told(), self.second.told())
    }

    fn wait_for(&self, what: &str, first: &[&str], second: &[&str]) {
        let until = Instant::now() + LIMIT;
        while self.told() != (lines(first), lines(second)) {
            assert!(
                Instant::now() < until,
                "{what}: {:?}\n{}\n{}",
                self.told(),
                self.first.log(),
                self.second.log()
            );
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// Nothing more is told for longer than any notifier waits.
    fn stays(&self, what: &str, first: &[&str], second: &[&str]) {
        let until = Instant::now() + STANDBY;
        while Instant::now() < until {
            assert_eq!(self.told(), (lines(first), lines(second)), "{what}");
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines
        .iter()
        .map(|line| format!("{line} Storage +49"))
        .collect()
}

#[test]
fn the_second_takes_over_from_a_killed_first_and_the_end_reaches_who_got_the_problem() {
    let mut team = Team::new("dead", "5s");
    team.first.start();
    team.second.start();
    team.agent.observe(2);
    team.wait_for("the first tells, once and alone", &["critical"], &[]);
    team.stays("the second has nothing to do", &["critical"], &[]);
    // The first dies; the end of what it told comes from the second, and so does the next problem.
    team.first.kill();
    team.agent.observe(0);
    team.wait_for("the second tells of the end", &["critical"], &["resolved"]);
    team.agent.observe(2);
    team.wait_for(
        "and of what comes",
        &["critical"],
        &["resolved", "critical"],
    );
    // Back again the first learns what was told.
    team.first.start();
    team.stays(
        "nobody hears it twice",
        &["critical"],
        &["resolved", "critical"],
    );
    // Everyone sees in the timeline who was told, and by what.
    eventually("the receipts are there", LIMIT, || {
        team.person.online("1s");
        let timeline = team.person.json(&["timeline", "Webshop"]);
        timeline
            .to_string()
            .matches("told duty through +49 (pager)")
            .count()
            == 3
    });
}

#[test]
fn a_cut_cable_costs_one_duplicate_each_and_nothing_is_lost_or_told_again_once_it_is_whole() {
    let mut team = Team::new("part", "20s");
    team.first.start();
    team.second.start();
    team.agent.observe(2);
    // Both know of the problem and wait for its group; now they cannot hear each other.
    let knows = |notifier: &Notifier| {
        let preview = notifier.person().json(&["notify", "preview"]);
        !preview["notifications"].as_array().unwrap().is_empty()
    };
    eventually("both know", LIMIT, || {
        knows(&team.first) && knows(&team.second)
    });
    team.lan.plug(4, false);
    team.wait_for("each tells it on its side", &["critical"], &["critical"]);
    team.lan.plug(4, true);
    team.stays("nothing is told again", &["critical"], &["critical"]);
    team.agent.observe(0);
    team.wait_for(
        "the end is told once",
        &["critical", "resolved"],
        &["critical"],
    );
    team.stays("once", &["critical", "resolved"], &["critical"]);
}

struct Sink {
    _running: Running,
    out: PathBuf,
    ports: Value,
}

impl Sink {
    fn start(folder: &Path) -> Self {
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args([
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(folder.join("key.pem"))
            .arg("-out")
            .arg(folder.join("cert.pem"))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let (script, out) = (folder.join("sink.py"), folder.join("sink.jsonl"));
        std::fs::write(&script, include_str!("../src/sink.py")).unwrap();
        let mut command = Command::new("/usr/bin/python3");
        command.arg(&script).arg(folder).arg(&out);
        let running = Running::start(command, &folder.join("sink.log"));
        let mut sink = Self {
            _running: running,
            out,
            ports: Value::Null,
        };
        eventually("the servers listen", LIMIT, || {
            sink.ports = sink.seen("ports").first().cloned().unwrap_or_default();
            !sink.ports.is_null()
        });
        sink
    }

    fn seen(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.out).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["kind"] == kind).collect()
    }
}

#[test]
fn a_real_server_takes_webhooks_and_what_it_says_of_others_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sink = Sink::start(folder.path());
    for (name, text) in [("token", "hook s3cret\n")] {
        std::fs::write(at(name), text).unwrap();
        let made = Command::new("chmod").arg("0600").arg(at(name)).status();
        assert!(made.unwrap().success());
    }
    let web = |name: &str, path: &str| {
        format!(
            "[channel.{name}]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}{path}\"\ntoken_file = \"token\"\n",
            sink.ports["web"]
        )
    };
    let config = [web("hook", "/hook"), web("refused", "/refused")].concat();
    std::fs::write(at("notify.toml"), config).unwrap();
    let person = Person::new(Host::here(), &at("person"));
    let file = at("notify.toml");
    let test = |channel: &str, to: &str| {
        let arguments = [
            "--log", "debug", "notify", "test", channel, "--to", to, "--json", "--file",
        ];
        let output = person.run(&[&arguments[..], &[file.to_str().unwrap()]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("s3cret"), "a secret is in the log: {said}");
        (output.status.code(), said)
    };
    for (channel, to, why) in [("refused", "", "503"), ("refused", "", "403")] {
        let (code, said) = test(channel, to);
        assert_eq!(code, Some(1), "{channel}: {said}");
        assert!(
            said.contains("A-160") && said.to_lowercase().contains(why),
            "{channel} {to}: {said}"
        );
    }
    assert_eq!(test("hook", "").0, Some(0));
    let asked = sink.seen("web");
    let last = asked.last().unwrap();
    assert_eq!(
        (&last["token"], &last["key"]),
        (&"Bearer hook s3cret".into(), &"test".into())
    );
    assert_eq!(last["body"]["version"], "4");
}
