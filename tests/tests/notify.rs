//! Notifiers with real programs: taking over, a cut cable, real mail and web servers.
//!
//! Needs root, iproute2, and aiosmtpd for Debian's Python. `.ci/run notify` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::process::Command;
use std::time::{Duration, Instant};

use aramaki_tests::{Agent, Host, Lan, Notifier, Person, Relay, Sink, eventually};
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
        Self::of_ranks(name, wait, [0, 1])
    }

    fn of_ranks(name: &str, wait: &str, ranks: [u8; 2]) -> Self {
        let lan = Lan::new(name, 5);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
        let person = Person::new(lan.host(2), &at("person"));
        let mut agent = Agent::new(lan.host(3), &at("agent"), &at("agent/data"));
        let first = Notifier::new(lan.host(4), &at("n0"), ranks[0]);
        let second = Notifier::new(lan.host(5), &at("n1"), ranks[1]);
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

    /// Waits until both know of a problem that waits for its group.
    fn both_know(&self) {
        let knows = |notifier: &Notifier| {
            let preview = notifier.person().json(&["notify", "preview"]);
            !preview["notifications"].as_array().unwrap().is_empty()
        };
        eventually("both know", LIMIT, || {
            knows(&self.first) && knows(&self.second)
        });
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
    team.both_know();
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
    // What begins, and what ends, while the cable is cut is told on the side that hears it, and nobody is told
    // once more when it is whole.
    let first = ["critical", "resolved"];
    team.lan.plug(4, false);
    team.agent.observe(2);
    team.wait_for("what began meanwhile", &first, &["critical", "critical"]);
    team.lan.plug(4, true);
    team.stays(
        "the other side learns it",
        &first,
        &["critical", "critical"],
    );
    team.lan.plug(4, false);
    team.agent.observe(0);
    let all = ["critical", "critical", "resolved"];
    team.wait_for("what ended meanwhile", &first, &all);
    team.lan.plug(4, true);
    team.stays("and that", &first, &all);
}

#[test]
fn two_of_the_same_rank_are_named_where_people_look() {
    let mut team = Team::of_ranks("same", "20s", [0, 0]);
    let shown = || team.first.person().json(&["notify", "show", "Webshop"]);
    assert_eq!(shown()["equal_ranks"], Value::Array(Vec::new()));
    team.first.start();
    team.second.start();
    team.agent.observe(2);
    team.both_know();
    // So that both tell for certain, not only most of the time.
    team.lan.plug(4, false);
    team.wait_for("both tell it", &["critical"], &["critical"]);
    team.lan.plug(4, true);
    let warned = |notifier: &Notifier| {
        notifier
            .log()
            .contains("another notifier has the same rank")
    };
    eventually("each says it in its log", LIMIT, || {
        warned(&team.first) && warned(&team.second)
    });
    let device = team.second.person().word(&["peers"], "this_device");
    let shown = team.first.person().json(&["notify", "show", "Webshop"]);
    let equal = &shown["equal_ranks"][0];
    assert_eq!(equal["rank"], 0, "{shown}");
    assert!(equal["notifiers"].to_string().contains(&device), "{shown}");
    let text = team.first.person().run(&["notify", "show", "Webshop"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("# warning: 2 notifiers have rank 0"),
        "{text}"
    );
}

#[test]
fn real_servers_take_mail_with_a_password_over_both_kinds_of_tls_and_webhooks_that_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sink = Sink::start(&Host::here(), folder.path());
    for (name, text) in [
        ("good", "smtp s3cret\n"),
        ("bad", "another\n"),
        ("token", "hook s3cret\n"),
    ] {
        std::fs::write(at(name), text).unwrap();
        let made = Command::new("chmod").arg("0600").arg(at(name)).status();
        assert!(made.unwrap().success());
    }
    let mail = |name: &str, tls: &str, password: &str, ca: &str| {
        format!(
            "[channel.{name}]\nkind = \"smtp\"\nserver = \"localhost\"\nport = {}\ntls = \"{tls}\"\n\
             user = \"aramaki\"\npassword_file = \"{password}\"\n{ca}from = \"Aramaki <aramaki@example.org>\"\n\
             timeout = \"5s\"\nonly_to = [\"@example.org\"]\n",
            sink.port(tls)
        )
    };
    let (ca, none) = ("ca_file = \"cert.pem\"\n", "");
    // It takes a connection and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let without = |name: &str, tls: &str, port: u16| {
        format!(
            "[channel.{name}]\nkind = \"smtp\"\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\n\
             from = \"aramaki@example.org\"\nto = \"night@example.org\"\ntimeout = \"2s\"\n"
        )
    };
    let silent = listener.local_addr().unwrap().port();
    let web = |name: &str, path: &str| {
        format!(
            "[channel.{name}]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}{path}\"\ntoken_file = \"token\"\n",
            sink.port("web")
        )
    };
    let config = [
        mail("start", "starttls", "good", ca),
        mail("implicit", "implicit", "good", ca),
        mail("wrong", "starttls", "bad", ca),
        mail("untrusted", "starttls", "good", none),
        without("here", "none", sink.port("plain")),
        without("stripped", "starttls", sink.port("plain")),
        without("silent", "none", silent),
        web("hook", "/hook"),
        web("refused", "/refused"),
    ]
    .concat();
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
    for channel in ["start", "implicit"] {
        let (code, said) = test(channel, "ops@example.org");
        assert_eq!(code, Some(0), "{channel}: {said}");
    }
    let mails = sink.seen("mail");
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert_eq!(
            (&mail["to"][0], &mail["tls"]),
            (&"ops@example.org".into(), &true.into()),
            "{mail}"
        );
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("Auto-Submitted: auto-generated"), "{text}");
        assert!(text.contains("nothing is wrong"), "{text}");
    }
    for (channel, to, why) in [
        ("wrong", "ops@example.org", "535"),
        ("start", "nobody@example.org", "550"),
        ("start", "ops@elsewhere.org", "does not let"),
        (
            "start",
            "thief@elsewhere.org, ops@example.org",
            "thief@elsewhere.org",
        ),
        ("stripped", "", "starttls"),
        ("silent", "", "in time"),
        ("untrusted", "ops@example.org", "certificate"),
        ("refused", "", "503"),
        ("refused", "", "403"),
    ] {
        let (code, said) = test(channel, to);
        assert_eq!(code, Some(1), "{channel}: {said}");
        assert!(
            said.contains("A-160") && said.to_lowercase().contains(why),
            "{channel} {to}: {said}"
        );
    }
    drop(listener);
    assert_eq!(sink.seen("mail").len(), 2, "nothing else was taken");
    // On the same machine without TLS; each test is a message of its own.
    for _ in 0..2 {
        assert_eq!(test("here", "").0, Some(0));
    }
    let mails = sink.seen("mail");
    let [.., first, second] = mails.as_slice() else {
        panic!("two more mails are expected: {mails:?}");
    };
    assert_eq!(first["to"][0], "night@example.org");
    let id = |mail: &Value| {
        let text = mail["text"].as_str().unwrap().to_owned();
        let line = text.lines().find(|line| line.starts_with("Message-ID: "));
        line.unwrap().to_owned()
    };
    assert_ne!(id(first), id(second), "a server would drop the second");
    assert_eq!(test("hook", "").0, Some(0));
    let asked = sink.seen("web");
    let last = asked.last().unwrap();
    assert_eq!(
        (&last["token"], &last["key"]),
        (&"Bearer hook s3cret".into(), &"test".into())
    );
    assert_eq!(last["body"]["version"], "4");
}
