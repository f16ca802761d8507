//! Power cuts and full disks, with the real programs: no acknowledged write is lost, restart works.
//!
//! Needs root (a disk of its own is mounted). `.ci/run faults` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use aramaki_tests::{Agent, Disk, Host, Person, Relay, eventually};

const LOOPBACK: &str = "127.0.0.1";
const AGREE_MAX: Duration = Duration::from_mins(1);

/// Numbers that differ from run to run would hide what failed: every pause is from a fixed seed.
struct Pauses(u64);

impl Pauses {
    fn next(&mut self, below: Duration) -> Duration {
        // Knuth's multiplier; the high bits are good enough to spread kills over a run.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from(self.0 >> 48).unwrap();
        below * share / (1 << 16)
    }
}

#[test]
fn a_verb_killed_at_any_moment_loses_no_acknowledged_note() {
    let folder = tempfile::tempdir().unwrap();
    let person = Person::new(Host::here(), folder.path());
    person.json(&["system", "add", "Webshop"]);
    let began = Instant::now();
    person.note("Webshop", "whole");
    let mut whole_run = began.elapsed();

    let mut pauses = Pauses(7);
    let (mut acknowledged, mut killed) = (vec!["whole".to_owned()], 0);
    for round in 0..30 {
        let title = format!("note {round}");
        let add = ["note", "add", "Webshop", "--title", &title, "--text", "x"];
        let began = Instant::now();
        let mut child = person.command(&add).stdout(Stdio::piped()).spawn().unwrap();
        if round % 3 == 0 {
            // The strictest moment: the power goes with the word that it is written.
            let mut said = String::new();
            BufReader::new(child.stdout.take().unwrap())
                .read_line(&mut said)
                .unwrap();
            whole_run = began.elapsed();
            drop(child.kill());
            child.wait().unwrap();
            assert!(said.contains("note"), "{title}: {said:?}");
            acknowledged.push(title);
            continue;
        }
        std::thread::sleep(pauses.next(whole_run));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{title}");
            acknowledged.push(title);
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        }
    }
    assert!(killed >= 5, "only {killed} runs were cut short");
    assert!(
        acknowledged.len() > 10,
        "only {acknowledged:?} were acknowledged"
    );
    person.verify();
    let notes = person.notes("Webshop");
    for title in &acknowledged {
        assert!(
            notes.contains(title),
            "{title} was acknowledged and is lost: {notes:?}"
        );
    }
    assert!(notes.len() <= acknowledged.len() + killed, "{notes:?}");
}

#[test]
fn agent_and_relay_killed_again_and_again_still_tell_the_last_state() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut relay = Relay::start(Host::here(), &at("relay"), &at("relay/data"), LOOPBACK);
    let person = Person::new(Host::here(), &at("person"));
    person.json(&["system", "add", "Webshop"]);
    let mut agent = Agent::new(Host::here(), &at("agent"), &at("agent/data"));
    let invite = ["agent", "invite", "Webshop", "--name", "web1"];
    let invitation = person.word(&invite, "invitation");
    relay.serve(&person);
    let inviting = person.stay_online("60s");
    agent.redeem(&invitation);
    inviting.kill();

    let mut pauses = Pauses(11);
    for round in 0..8 {
        agent.observe(if round % 2 == 0 { 2 } else { 0 });
        agent.start();
        std::thread::sleep(Duration::from_millis(300) + pauses.next(Duration::from_secs(2)));
        if round % 3 == 0 {
            relay.kill();
            agent.kill();
            relay.restart();
        } else {
            agent.kill();
        }
    }
    agent.observe(1);
    agent.start();
    eventually("the last state is known elsewhere", AGREE_MAX, || {
        person.online("1s");
        person.state("Webshop").as_deref() == Some("warning")
    });
    person.verify();
    assert!(relay.stop().success());
}

#[test]
fn a_result_that_an_agent_answered_is_told_although_it_is_killed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let relay = Relay::start(Host::here(), &at("relay"), &at("relay/data"), LOOPBACK);
    let person = Person::new(Host::here(), &at("person"));
    person.json(&["system", "add", "Webshop"]);
    relay.serve(&person);
    let mut agent = Agent::new(Host::here(), &at("agent"), &at("agent/data"));
    let port = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let socket = port.local_addr().unwrap();
    drop(port);
    agent.configure(&format!(
        "[listen]\nsensu_socket = [\"{socket}\"]\nnames = [\"*\"]\n"
    ));
    agent.join(&person, "Webshop");
    for (round, status) in [2, 0, 2, 0].into_iter().enumerate() {
        agent.start();
        let mut stream = None;
        eventually("the agent listens", AGREE_MAX, || {
            stream = TcpStream::connect(socket).ok();
            stream.is_some()
        });
        let line = format!("{{\"name\":\"backup\",\"status\":{status},\"output\":\"{round}\"}}");
        let mut stream = stream.unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).unwrap();
        agent.kill();
        assert_eq!(&answer, b"ok");
        agent.start();
        let expected = if status == 0 { "ok" } else { "critical" };
        eventually("what was answered is told", AGREE_MAX, || {
            person.online("1s");
            person.state("Webshop").as_deref() == Some(expected)
        });
        agent.kill();
    }
}

#[test]
fn on_a_full_disk_a_verb_says_so_and_what_was_acknowledged_stays() {
    let disk = Disk::new(48);
    let person = Person::new(Host::here(), disk.path());
    person.json(&["system", "add", "Webshop"]);
    person.note("Webshop", "before");
    disk.fill();
    let mut acknowledged = vec!["before".to_owned()];
    // The store may still have pages of its own to fill.
    let refused = (0..400).find_map(|round| {
        let title = format!("full {round}");
        let text = title.repeat(1_500);
        let output = person.run(&["note", "add", "Webshop", "--title", &title, "--text", &text]);
        if output.status.success() {
            acknowledged.push(title);
            return None;
        }
        Some(String::from_utf8_lossy(&output.stderr).into_owned())
    });
    let refused = refused.expect("a full disk stops acknowledging");
    assert!(
        refused.contains("A-") && refused.to_lowercase().contains("full"),
        "says what is wrong: {refused}"
    );
    disk.empty();
    person.note("Webshop", "after");
    acknowledged.push("after".to_owned());
    person.verify();
    let notes = person.notes("Webshop");
    for title in &acknowledged {
        assert!(
            notes.contains(title),
            "{title} was acknowledged and is lost"
        );
    }
}

#[test]
fn a_relay_with_a_full_disk_says_so_and_catches_up_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let disk = Disk::new(32);
    let mut relay = Relay::start(
        Host::here(),
        &at("relay"),
        &disk.path().join("data"),
        LOOPBACK,
    );
    let person = Person::new(Host::here(), &at("person"));
    person.json(&["system", "add", "Webshop"]);
    relay.serve(&person);
    person.online("2s");
    assert_eq!(relay.health(), 200);

    disk.fill();
    let text = "a long note; ".repeat(10_000);
    for title in ["one", "two", "three", "four", "five", "six"] {
        person.json(&["note", "add", "Webshop", "--title", title, "--text", &text]);
    }
    eventually("the relay says that it cannot store", AGREE_MAX, || {
        person.online("1s");
        relay.health() == 503
    });
    let online = person.online("1s");
    assert_ne!(
        online["only_here"], 0,
        "nothing claims to be stored there: {online}"
    );

    disk.empty();
    eventually("the relay stores the rest", AGREE_MAX, || {
        person.online("2s")["only_here"] == 0
    });
    assert_eq!(relay.health(), 200);
    assert!(relay.stop().success());
}

#[test]
fn an_agent_with_a_full_disk_goes_on_and_tells_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let disk = Disk::new(32);
    let mut relay = Relay::start(Host::here(), &at("relay"), &at("relay/data"), LOOPBACK);
    let person = Person::new(Host::here(), &at("person"));
    person.json(&["system", "add", "Webshop"]);
    let mut agent = Agent::new(Host::here(), &at("agent"), &disk.path().join("data"));
    let invite = ["agent", "invite", "Webshop", "--name", "web1"];
    let invitation = person.word(&invite, "invitation");
    relay.serve(&person);
    let inviting = person.stay_online("60s");
    agent.redeem(&invitation);
    inviting.kill();
    agent.start();
    eventually("the first state is known", AGREE_MAX, || {
        person.online("1s");
        person.state("Webshop").as_deref() == Some("ok")
    });

    disk.fill();
    agent.observe(2);
    std::thread::sleep(Duration::from_secs(4));
    assert!(agent.runs(), "a full disk does not end it: {}", agent.log());
    disk.empty();
    eventually("the state of now is known elsewhere", AGREE_MAX, || {
        person.online("1s");
        person.state("Webshop").as_deref() == Some("critical")
    });
    assert!(agent.runs());
    person.verify();
    assert!(relay.stop().success());
}
