//! Evidence of 60 KiB with real programs, as root: kept by its agent, fetched whole, refused when it is something else.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aramaki_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidencePiece};
use aramaki_model::name;
use aramaki_sync::keys;
use aramaki_sync::replica::{Replica, ReplicaEvent, ReplicaOptions};
use aramaki_sync::transport::NetworkOptions;
use aramaki_tests::{Agent, Host, Person, Relay, Webshop, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const LEN_BYTES: usize = 60 * 1024;

struct Team {
    folder: tempfile::TempDir,
    relay: Relay,
    person: Person,
    agent: Agent,
}

/// What a program says that says 60 KiB: lines that are all different.
fn script(begin: &str) -> String {
    format!("#!/bin/sh\n{begin}\nseq -f 'line %g of a long tale' 1 100000 | head -c {LEN_BYTES}\n")
}

fn said() -> String {
    let lines: Vec<_> = (1..10_000)
        .map(|n| format!("line {n} of a long tale"))
        .collect();
    lines.join("\n")[..LEN_BYTES].trim_end().to_owned()
}

fn runnable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let made = Command::new("chmod").arg("0755").arg(path).status();
    assert!(made.unwrap().success());
}

impl Team {
    fn new() -> Self {
        let Webshop {
            relay,
            person,
            mut agent,
            folder,
        } = Webshop::new();
        let at = |name: &str| folder.path().join(name);
        let state = at("agent/state");
        let begin = format!("read code < {}; [ $code = 0 ] && exit 0", state.display());
        runnable(&at("agent/hook"), &script(""));
        let ends = format!("{}exit 2\n", script(&format!("{begin}\necho too long")));
        runnable(&at("agent/talks"), &ends);
        runnable(&at("agent/fails"), &format!("#!/bin/sh\n{begin}\nexit 2\n"));
        let command =
            |name: &str| format!("{{ program = \"{}\" }}", at("agent").join(name).display());
        agent.configure(&format!(
            "[[check]]\nname = \"hooked\"\ninterval = \"1s\"\nattempts = 1\ncommand = {}\nhook = {}\n\
             [[check]]\nname = \"talks\"\ninterval = \"1s\"\nattempts = 1\ncommand = {}\n",
            command("fails"), command("hook"), command("talks"),
        ));
        agent.start();
        Self {
            folder,
            relay,
            person,
            agent,
        }
    }

    /// Somebody who reads the System for a day, and holds nothing at the agent.
    fn guest(&self) -> Person {
        let share = ["share", "Webshop", "--can", "read", "--for", "8h"];
        let code = self.person.word(&share, "invitation");
        let guest = Person::named(Host::here(), &self.folder.path().join("guest"), "guest");
        let online = self.person.stay_online("60s");
        guest.json(&["join", &code]);
        // In order: who is killed refuses for a minute what it may have heard before.
        online.stop(LIMIT);
        guest
    }

    /// The open alert of a check, once somebody knows of it.
    fn alert(&self, person: &Person, check: &str) -> Value {
        let mut found = Value::Null;
        eventually(&format!("an alert of {check}"), LIMIT, || {
            person.online("1s");
            let listed = person.json(&["alert", "list"]);
            let alerts = listed["alerts"].as_array().unwrap();
            let of = alerts.iter().find(|alert| alert["name"] == check);
            found = of.cloned().unwrap_or_default();
            !found.is_null()
        });
        found
    }

    /// Asks for the evidence of an alert: what is printed, and how the verb ended.
    fn fetch(person: &Person, alert: &Value) -> (Option<i32>, Value) {
        let id = alert["id"].as_str().unwrap();
        let output = person.run(&["alert", "show", id, "--evidence", "--json"]);
        let object = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), object)
    }
}

#[test]
fn what_hooks_and_plugins_say_is_fetched_whole_by_who_reads_the_agent_or_its_system() {
    let mut team = Team::new();
    eventually("all is well", LIMIT, || {
        team.person.online("1s");
        team.person.state("Webshop").as_deref() == Some("ok")
    });
    let guest = team.guest();
    team.agent.observe(2);
    for check in ["hooked", "talks"] {
        let alert = team.alert(&team.person, check);
        let detail = alert["detail"].as_str().unwrap();
        assert!(
            detail.len() <= 4_096 && detail.contains("line 1 of a long tale"),
            "{check}"
        );
        let kept = &alert["evidence"][0];
        assert_eq!(
            (&kept["host"], alert["evidence"].as_array().unwrap().len()),
            (&"web1".into(), 1)
        );
        let (code, object) = Team::fetch(&team.person, &alert);
        assert_eq!(code, Some(0), "{check}: {object}");
        let text = object["alert"]["evidence"][0]["text"].as_str().unwrap();
        assert!(text.ends_with(&said()), "{check}: {} bytes", text.len());
        assert_eq!(kept["bytes"], text.len());
        // Who reads the agent as a reader of its System alone asks there, and gets the same.
        let (code, object) = Team::fetch(&guest, &team.alert(&guest, check));
        assert_eq!(code, Some(0), "{check}: {object}");
        assert_eq!(object["alert"]["evidence"][0]["text"], *text);
    }
    // As people see it.
    let hooked = team.alert(&team.person, "hooked");
    let id = hooked["id"].as_str().unwrap();
    let brief = team.person.run(&["alert", "show", id]);
    let brief = String::from_utf8(brief.stdout).unwrap();
    assert!(
        brief.contains("… 61 KiB in all, kept by web1: --evidence prints them"),
        "{brief}"
    );
    let whole = team.person.run(&["alert", "show", id, "--evidence"]);
    assert!(
        String::from_utf8(whole.stdout)
            .unwrap()
            .contains(said().lines().last().unwrap())
    );

    // The agent is away: that is said, and what came with the alert is printed.
    team.agent.kill();
    let (code, object) = Team::fetch(&team.person, &hooked);
    assert_eq!(
        (code, &object["error"]["code"]),
        (Some(1), &"A-143".into()),
        "{object}"
    );
    let message = object["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("web1") && message.contains("does not answer"),
        "{message}"
    );
    // So is to the guest, whose agent may also be of a version that hears no guests.
    let (code, object) = Team::fetch(&guest, &hooked);
    let message = object["error"]["message"].as_str().unwrap();
    assert!(
        code == Some(1) && message.contains("older version"),
        "{message}"
    );
    assert!(
        object["alert"]["detail"]
            .as_str()
            .unwrap()
            .contains("line 1 ")
    );
    // Back again, after kill -9: it has kept it.
    team.agent.start();
    eventually("it answers again", LIMIT, || {
        Team::fetch(&team.person, &hooked).0 == Some(0)
    });
    // Gone from its disk: that is said at once.
    team.agent.kill();
    let kept = team.folder.path().join("agent/data/evidence");
    for file in fs::read_dir(kept).unwrap() {
        fs::write(file.unwrap().path(), "torn").unwrap();
    }
    team.agent.start();
    eventually("it says that it is gone", LIMIT, || {
        let (_, object) = Team::fetch(&team.person, &hooked);
        let message = object["error"]["message"].as_str().unwrap_or_default();
        message.contains("does not keep it any more")
    });
    team.person.verify();
    drop(team.relay);
}

#[test]
fn what_is_done_for_an_alert_is_listed_with_it_and_its_check_names_a_runbook() {
    let team = Team::new();
    team.agent
        .allow("calm", "echo calm", "approvals = 0\nread_only = true");
    let checks = team.folder.path().join("checks.toml");
    let named = "[[check]]\nname = \"down\"\nrunbook = \"How to calm it\"\n\
        [check.kind.command]\nprogram = \"/bin/false\"\n";
    fs::write(&checks, named).unwrap();
    let checks = checks.to_str().unwrap();
    team.person
        .json(&["system", "edit", "Webshop", "--checks", checks]);
    let note = ["note", "add", "Webshop", "--kind", "runbook", "--title"];
    let note = [&note[..], &["How to calm it", "--text", "Breathe."]].concat();
    team.person.json(&note);
    let alert = team.alert(&team.person, "down");
    let id = alert["id"].as_str().unwrap();
    eventually("the person knows what the host allows", LIMIT, || {
        team.person.online("1s");
        let listed = team.person.json(&["action", "list", "Webshop"]);
        listed["agents"][0]["actions"]
            .as_array()
            .is_some_and(|actions| !actions.is_empty())
    });
    let device = team.person.word(&["peers"], "this_device");
    let allow = ["action", "allow", "Webshop", "web1", &device];
    team.person
        .json(&[&allow[..], &["--action", "calm"]].concat());
    let ask = ["action", "request", "Webshop", "web1", "calm", "--yes"];
    let ask = [&ask[..], &["--reason", "it is loud", "--alert", id]].concat();
    team.person.json(&ask);
    let mut shown = Value::Null;
    eventually("it is done", LIMIT, || {
        team.person.online("1s");
        shown = team.person.json(&["alert", "show", id]);
        shown["alert"]["actions"][0]["result"]["outcome"] == "exit"
    });
    let done = &shown["alert"]["actions"][0];
    assert_eq!(
        (&done["alert"], &done["host"], &done["reason"]),
        (&id.into(), &"web1".into(), &"it is loud".into()),
        "{done}"
    );
    assert_eq!(shown["alert"]["runbook"]["title"], "How to calm it");
    let timeline = team.person.run(&["timeline", "Webshop"]);
    let timeline = String::from_utf8(timeline.stdout).unwrap();
    assert!(timeline.contains("(for the alert down, "), "{timeline}");
    let wrong = team.person.run(&[
        "action", "request", "Webshop", "web1", "calm", "--yes", "--reason", "x", "--alert", "ffff",
    ]);
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn an_agent_that_answers_something_else_is_not_believed() {
    let mut team = Team::new();
    team.agent.observe(2);
    let alert = team.alert(&team.person, "hooked");
    team.agent.kill();
    // Somebody has the agent's key and store, and answers lies of the right length.
    let data = team.folder.path().join("agent/data");
    let lies = Lies::tell(&data, &team.person);
    let mut said = String::new();
    eventually("the lie is found out", LIMIT, || {
        let (code, object) = Team::fetch(&team.person, &alert);
        assert_ne!(code, Some(0), "{object}");
        object["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut said);
        said.contains("its hash is another")
    });
    assert!(said.contains("it is not shown"), "{said}");
    lies.end();
}

/// A false agent: every piece is full of another letter, in messages that are signed and sealed well.
struct Lies {
    stop: tokio_util::sync::CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl Lies {
    fn tell(data: &Path, person: &Person) -> Self {
        let stop = tokio_util::sync::CancellationToken::new();
        let (ended, data) = (stop.clone(), data.to_owned());
        let listed = person.json(&["agent", "list"]);
        let space = listed["agents"][0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{listed}"));
        let space = space.parse().unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let keys = keys::read(&data.join("agent.key"), None).unwrap();
                let options = ReplicaOptions::new(data.join("replica"), keys);
                let options = options.network(NetworkOptions::default());
                let replica = Replica::open(options).await.unwrap();
                let mut events = replica.subscribe();
                ended
                    .run_until_cancelled(async {
                        loop {
                            let Ok(event) = events.recv().await else {
                                continue;
                            };
                            let ReplicaEvent::Ephemeral {
                                document, bytes, ..
                            } = event
                            else {
                                continue;
                            };
                            if document == name::evidence_ask() {
                                let ask = EvidenceAsk::decode(&bytes).unwrap();
                                lie(&replica, space, ask).await;
                            }
                        }
                    })
                    .await;
                replica.shutdown().await;
            });
        });
        Self { stop, thread }
    }

    fn end(self) {
        self.stop.cancel();
        self.thread.join().unwrap();
    }
}

async fn lie(replica: &Replica, space: aramaki_sync_core::SpaceId, ask: EvidenceAsk) {
    for number in ask.from..ask.from + ask.pieces {
        // The last one may have any length up to a full one: one of them is right.
        for len in [640, 641, 0].into_iter().chain(1..640) {
            let is_last_of_all = number >= 95;
            if len < 640 && !is_last_of_all {
                break;
            }
            let piece = EvidencePiece {
                id: ask.id,
                number,
                bytes: vec![b'x'; len],
            };
            let answer = EvidenceAnswer::Piece(piece).encode().unwrap();
            replica
                .send_ephemeral(space, name::evidence(), answer)
                .await
                .unwrap();
            if len % 16 == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}
