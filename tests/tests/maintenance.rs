//! Work in maintenance windows with real programs, as root: waits, is tried again, postponed, withdrawn, never run twice.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::time::Duration;

use aramaki_sync_core::Timestamp;
use aramaki_tests::measure::now;
use aramaki_tests::{Agent, Host, Person, Relay, Webshop, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
/// How far ahead a window opens: longer than asking for work in it takes.
const AHEAD: Duration = Duration::from_secs(40);

/// A System with a relay, an agent, and who administers and asks.
struct Team {
    folder: tempfile::TempDir,
    _relay: Relay,
    person: Person,
    agent: Agent,
}

/// Each begin is noted with its time; then the program ends as the action wants.
fn script(ends: &str) -> String {
    format!(
        "date +%s%3N >> \"$0.done\"; count=$(wc -l < \"$0.done\"); echo \"run $count $1\"; {ends}"
    )
}

const ALLOWED: &str = "approvals = 0\nmaintenance = true\nattempts = 5\nretry_after = \"3s\"";

impl Team {
    fn new() -> Self {
        let Webshop {
            relay,
            person,
            mut agent,
            folder,
        } = Webshop::new();
        agent.allow("third", &script("[ \"$count\" -ge 3 ] || exit 75"), ALLOWED);
        agent.allow("later", &script("exit 69"), ALLOWED);
        agent.allow("once", &script("exit 0"), ALLOWED);
        agent.allow("slow", &script("sleep 60"), ALLOWED);
        agent.allow("plain", &script("exit 75"), "approvals = 0");
        agent.start();
        let team = Self {
            folder,
            _relay: relay,
            person,
            agent,
        };
        eventually("the person knows what the host allows", LIMIT, || {
            team.person.online("1s");
            let listed = team.person.json(&["action", "list", "Webshop"]);
            listed["agents"][0]["actions"]
                .as_array()
                .is_some_and(|actions| actions.len() == 5)
        });
        let device = team.person.word(&["peers"], "this_device");
        let mut allow = vec!["action", "allow", "Webshop", "web1", &device];
        for action in ["third", "later", "once", "slow", "plain"] {
            allow.extend(["--action", action]);
        }
        team.person.json(&allow);
        team.person.online("1s");
        team
    }

    /// Asks for work; its id and the window that was signed.
    fn ask(&self, action: &str, more: &[&str]) -> (String, Value) {
        let ask = ["maintenance", "request", "Webshop", "web1", action];
        let asked = [&ask[..], &["--reason", "a test"], more].concat();
        let asked = self.person.json(&asked);
        let item = asked["item"].as_str().unwrap().to_owned();
        self.person.online("1s");
        (item, asked)
    }

    fn ask_at(&self, action: &str, begin: Timestamp) -> String {
        let begin = begin.to_string();
        self.ask(action, &["--at", &begin, "--for", "10m"]).0
    }

    fn row(&self, item: &str) -> Value {
        let listed = self.person.json(&["maintenance", "requests", "Webshop"]);
        let rows = listed["requests"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["item"] == item).unwrap()
    }

    /// Waits until work stands so.
    fn until(&self, item: &str, state: &str) -> Value {
        let mut row = Value::Null;
        eventually(&format!("{item} is {state}"), LIMIT, || {
            self.person.online("1s");
            row = self.row(item);
            row["state"] == state
        });
        row
    }

    /// When a script began, each time.
    fn begun(&self, action: &str) -> Vec<i64> {
        let path = self.folder.path().join(format!("agent/{action}.sh.done"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .map(|line| line.trim().parse().unwrap())
            .collect()
    }
}

#[test]
fn work_waits_for_its_window_is_tried_again_in_it_and_postponed_to_the_next() {
    let team = Team::new();
    let opens = now().plus(AHEAD);
    team.person.json(&[
        "maintenance",
        "add",
        "Webshop",
        "--from",
        &opens.to_string(),
        "--for",
        "10m",
        "--every-days",
        "1",
        "--reason",
        "kernel",
    ]);
    let (third, asked) = team.ask("third", &[]);
    assert_eq!(asked["window"]["from"], opens.to_string(), "{asked}");
    let ends = opens.plus(Duration::from_mins(10)).to_string();
    assert_eq!(asked["signed_for"]["until"], ends, "{asked}");
    let (later, _) = team.ask("later", &[]);

    let done = team.until(&third, "success");
    let begun = team.begun("third");
    assert_eq!((begun.len(), &done["attempts"]), (3, &3.into()), "{done}");
    assert!(
        begun[0] >= opens.millis(),
        "it waits for its window: {begun:?}"
    );
    for pair in begun.windows(2) {
        assert!(pair[1] - pair[0] >= 3_000, "it waits between: {begun:?}");
    }
    assert_eq!(done["runs"][0]["result"]["output"], "run 3 \n");

    let postponed = team.until(&later, "postponed");
    assert_eq!(team.begun("later").len(), 1, "once in a window");
    let next = opens.plus(Duration::from_hours(24));
    assert_eq!(postponed["from"], next.to_string(), "{postponed}");
    assert_eq!(postponed["wants"], "confirmation", "{postponed}");
    let confirmed = team.person.json(&["maintenance", "confirm", &later]);
    assert_eq!(confirmed["signed_for"]["from"], next.to_string());
    assert_eq!(team.row(&later)["state"], "pending");
    // There is nothing more to confirm, and what its host does not let be run so is not asked for.
    for (refused, why) in [
        (vec!["maintenance", "confirm", &later], "nothing to confirm"),
        (
            vec![
                "maintenance",
                "request",
                "Webshop",
                "web1",
                "plain",
                "--reason",
                "x",
            ],
            "maintenance = true",
        ),
    ] {
        let output = team.person.run(&[&refused[..], &["--json"]].concat());
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(why), "{said}");
    }
    assert!(team.begun("plain").is_empty());
    team.person.verify();
}

/// Somebody who does not know of the group takes its other member out; whoever administers only has to be online.
#[test]
fn an_agent_hears_of_who_was_taken_out_though_nobody_who_administers_it_does_anything() {
    let mut team = Team::new();
    team.person.json(&["system", "add", "Spare"]);
    team.person.json(&["system", "add", "Sites"]);
    let share = ["share", "Spare", "--can", "write", "--for", "8h"];
    let code = team.person.word(&share, "invitation");
    let guest = Person::named(Host::here(), &team.folder.path().join("guest"), "guest");
    let online = team.person.stay_online("60s");
    guest.json(&["join", &code]);
    drop(online);
    eventually("the guest reads the spare", LIMIT, || {
        team.person.online("2s");
        guest.run(&["system", "show", "Spare"]).status.success()
    });
    team.person.json(&[
        "maintenance",
        "group",
        "Sites",
        "web",
        "--member",
        "Webshop",
        "--member",
        "Spare",
        "--at-least",
        "1",
    ]);
    // Long enough for what follows.
    let opens = now().plus(2 * AHEAD);
    let work = team.ask_at("once", opens);
    guest.json(&["maintenance", "out", "Spare", "--reason", "a broken disk"]);
    guest.online("3s");
    // Nothing is asked for: this device is there for a moment.
    eventually("the agent was told", LIMIT, || {
        team.person.online("5s");
        let log = team.agent.log();
        now() > opens || log.contains("would stay in service")
    });
    let row = team.until(&work, "missed");
    assert!(row.to_string().contains("would stay in service"), "{row}");
    assert!(team.begun("once").is_empty());
    team.agent.kill();
}

#[test]
fn withdrawn_work_never_runs_and_an_agent_that_was_restarted_meanwhile_runs_the_rest_once() {
    let mut team = Team::new();
    let opens = now().plus(AHEAD);
    let withdrawn = team.ask_at("later", opens);
    let once = team.ask_at("once", opens);
    team.person
        .json(&["maintenance", "withdraw", &withdrawn, "--reason", "not now"]);
    eventually("the host knows", LIMIT, || {
        team.person.online("1s");
        let row = team.row(&withdrawn);
        row["state"] == "deleted" && row["wants"] == "nothing"
    });
    team.agent.kill();
    team.agent.start();
    team.until(&once, "success");
    assert_eq!(team.begun("once").len(), 1);
    assert!(team.begun("once")[0] >= opens.millis());
    assert!(
        team.begun("later").is_empty(),
        "its window is open, and it is withdrawn"
    );

    // Between two attempts and after a restart the rest of the attempts follow.
    let third = team.ask_at("third", now());
    team.until(&third, "retry");
    team.agent.kill();
    team.agent.start();
    team.until(&third, "success");
    assert_eq!(team.begun("third").len(), 3);

    // In the middle of one nobody knows, and it is not begun again.
    let slow = team.ask_at("slow", now());
    team.until(&slow, "running");
    team.agent.kill();
    team.agent.start();
    team.until(&slow, "unknown");
    team.person.online("10s");
    assert_eq!(team.begun("slow").len(), 1);
    assert_eq!(team.row(&slow)["state"], "unknown");
}
