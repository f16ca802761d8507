//! Remote actions with real programs, as root: asked, approved, run once, whatever happens in between (A40).

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aramaki_tests::{Agent, Host, Person, Relay, eventually};
use serde_json::Value;

const LOOPBACK: &str = "127.0.0.1";
const LIMIT: Duration = Duration::from_secs(60);

/// A System with a relay, an agent, who administers it, and a second person who writes there.
struct Team {
    folder: tempfile::TempDir,
    _relay: Relay,
    first: Person,
    second: Person,
    agent: Agent,
}

impl Team {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relay = Relay::start(Host::here(), &at("relay"), &at("relay/data"), LOOPBACK);
        let first = Person::new(Host::here(), &at("first"));
        let second = Person::new(Host::here(), &at("second"));
        first.json(&["system", "add", "Webshop"]);
        relay.serve(&first);
        let mut agent = Agent::new(Host::here(), &at("agent"), &at("agent/data"));
        agent.join(&first, "Webshop");
        agent.allow(
            "note",
            "echo \"$1\" >> \"$0.done\"; echo \"noted $1\"",
            "arguments = [\"{word}\"]\n[[parameter]]\nname = \"word\"\ntext = \"(?s).*\"\nmax = 100",
        );
        agent.allow(
            "slow",
            "echo begun >> \"$0.done\"; sleep 20",
            "approvals = 0",
        );
        agent.start();
        let share = ["share", "Webshop", "--can", "write", "--for", "8h"];
        let code = first.word(&share, "invitation");
        second.json(&["join", &code]);
        let team = Self {
            folder,
            _relay: relay,
            first,
            second,
            agent,
        };
        eventually("the first knows what the host allows", LIMIT, || {
            team.first.online("1s");
            team.list(&team.first)["agents"][0]["actions"]
                .as_array()
                .is_some_and(|actions| actions.len() == 2)
        });
        let own = team.first.word(&["peers"], "this_device");
        let other = team.second.word(&["peers"], "this_device");
        team.allow(&own, "request");
        eventually("the second's access is known to the first", LIMIT, || {
            team.first.online("1s");
            let listed = team.first.json(&["trust", "list", "Webshop"]);
            listed.to_string().contains(&other)
        });
        team.allow(&other, "approve");
        team
    }

    fn allow(&self, device: &str, can: &str) {
        self.first.json(&[
            "action", "allow", "Webshop", "web1", device, "--action", "note", "--action", "slow",
            "--can", can,
        ]);
    }

    fn list(&self, who: &Person) -> Value {
        who.json(&["action", "list", "Webshop"])
    }

    fn ask(&self, action: &str, more: &[&str]) -> Value {
        let ask = [
            "action", "request", "Webshop", "web1", action, "--reason", "a test",
        ];
        self.first.json(&[&ask[..], more].concat())
    }

    /// What a script has done, line by line.
    fn done(&self, action: &str) -> Vec<String> {
        let path = self.folder.path().join(format!("agent/{action}.sh.done"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until somebody sees what came of a request.
    fn result(&self, request: &str) -> Value {
        let mut found = Value::Null;
        eventually("there is a result", LIMIT, || {
            self.first.online("1s");
            let listed = self.list(&self.first);
            let requests = listed["agents"][0]["requests"].as_array().unwrap().clone();
            let row = requests.into_iter().find(|row| row["request"] == request);
            found = row.map_or(Value::Null, |row| row["result"].clone());
            !found.is_null()
        });
        found
    }
}

#[test]
fn a40_an_action_is_asked_for_approved_by_another_and_run_once_with_its_words_as_they_are() {
    let team = Team::new();
    let hostile = "$(id) `id`; rm -rf / #";
    let asked = team.ask("note", &[&format!("word={hostile}"), "--wait", "2s"]);
    let request = asked["request"].as_str().unwrap();
    assert!(
        asked["result"].is_null() && team.done("note").is_empty(),
        "it waits: {asked}"
    );
    // Whoever asked cannot approve it.
    team.first
        .json(&["action", "approve", "Webshop", request, "--wait", "2s"]);
    assert!(team.done("note").is_empty());

    eventually("the second sees it", LIMIT, || {
        team.second.online("1s");
        team.list(&team.second).to_string().contains(request)
    });
    let approved = team.second.json(&["action", "approve", "Webshop", request]);
    assert_eq!(approved["result"]["exit"], 0, "{approved}");
    assert_eq!(team.done("note"), [hostile], "one argument, run once");
    assert_eq!(team.result(request)["output"], format!("noted {hostile}\n"));

    // The same a moment later is asked for knowingly or not at all.
    let again = [
        "action", "request", "Webshop", "web1", "note", "--reason", "x",
    ];
    let word = format!("word={hostile}");
    let refused = team.first.run(&[&again[..], &[&word, "--json"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--again"));
    assert_eq!(team.done("note").len(), 1);
    team.first.verify();
}

#[test]
fn a40_killed_in_between_and_restored_from_a_backup_nothing_is_run_twice() {
    let mut team = Team::new();
    // A copy of all that the agent knows, from before anything was asked.
    team.agent.kill();
    let copy = team.folder.path().join("agent-before");
    copied(team.agent.data(), &copy);
    team.agent.start();

    let asked = team.ask("slow", &["--wait", "1s"]);
    let request = asked["request"].as_str().unwrap();
    eventually("it runs", LIMIT, || team.done("slow").len() == 1);
    team.agent.kill();
    team.agent.start();
    assert_eq!(team.result(request)["outcome"], "unknown");
    assert_eq!(team.done("slow").len(), 1, "it is not begun again");

    // The backup knows nothing of it; the relay still has the request, and it has not ended.
    team.agent.kill();
    std::fs::remove_dir_all(team.agent.data()).unwrap();
    copied(&copy, team.agent.data());
    team.agent.start();
    team.first.online("10s");
    assert_eq!(team.done("slow").len(), 1, "nor by a restored agent");
}

#[test]
fn a40_a_catalogue_that_others_can_write_allows_nothing() {
    let team = Team::new();
    let file = team.agent.actions().join("slow.toml");
    let made = Command::new("chmod").arg("0664").arg(&file).status();
    assert!(made.unwrap().success());
    let asked = team.ask("slow", &["--wait", "20s"]);
    assert_eq!(asked["result"]["outcome"], "refused", "{asked}");
    assert!(team.done("slow").is_empty());
    let unknown = team.first.run(&[
        "action", "request", "Webshop", "web1", "reboot", "--reason", "x", "--json",
    ]);
    assert_eq!(unknown.status.code(), Some(1), "it is not in the catalogue");
    // Who may only approve asks in vain.
    eventually("the second knows what the host allows", LIMIT, || {
        team.second.online("1s");
        team.list(&team.second)
            .to_string()
            .contains("note for a test")
    });
    let asked = team.second.json(&[
        "action", "request", "Webshop", "web1", "note", "word=x", "--reason", "x",
    ]);
    assert_eq!(asked["result"]["outcome"], "refused", "{asked}");
    let why = asked["result"]["text"].as_str().unwrap();
    assert!(why.contains("may not ask for this"), "{why}");
    assert!(team.done("note").is_empty());
}

fn copied(from: &Path, to: &Path) {
    let made = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(made.unwrap().success());
}
