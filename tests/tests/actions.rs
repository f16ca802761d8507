//! Remote actions with real programs, as root: asked, approved, run once, whatever happens in between (A40).

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use aramaki_tests::{Agent, Host, Person, Relay, Webshop, eventually};
use serde_json::Value;

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
        let Webshop {
            relay,
            person: first,
            mut agent,
            folder,
        } = Webshop::new();
        let second = Person::new(Host::here(), &folder.path().join("second"));
        agent.allow(
            "note",
            "echo \"$1\" >> \"$0.done\"; echo \"noted $1\"",
            "arguments = [\"{word}\"]\n[[parameter]]\nname = \"word\"\ntext = \"(?s).*\"\nmax = 100",
        );
        // What the agent had on disk when its program began is kept too.
        let journal = agent.data().join("agent-actions.json");
        agent.allow(
            "slow",
            &format!(
                "cp '{}' \"$0.journal\"; echo begun >> \"$0.done\"; sleep 20",
                journal.display()
            ),
            "approvals = 0",
        );
        agent.allow(
            "steps",
            "echo begun >> \"$0.done\"; echo 'step 1'; until [ -e \"$0.go\" ]; do sleep 0.1; done; \
             echo 'step 2'",
            "timeout = \"10m\"",
        );
        // As somebody whose group has another number, so that the two cannot be mixed up.
        agent.allow_file(
            "who",
            "description = \"who runs it\"\nprogram = \"/usr/bin/id\"\nuser = \"games\"\nread_only = true\n",
        );
        let mark = folder.path().join("agent/nobody.done");
        agent.allow_file(
            "nobody",
            &format!(
                "description = \"runs as nobody\"\nprogram = \"/usr/bin/touch\"\narguments = [{mark:?}]\n\
                 user = \"no-such-user\"\nread_only = true\n"
            ),
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
                .is_some_and(|actions| actions.len() == 5)
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
            "--action", "steps", "--action", "who", "--action", "nobody", "--can", can,
        ]);
    }

    fn list(&self, who: &Person) -> Value {
        who.json(&["action", "list", "Webshop"])
    }

    fn ask(&self, action: &str, more: &[&str]) -> Value {
        let ask = [
            "action", "request", "Webshop", "web1", action, "--reason", "a test",
        ];
        told(&self.first, &[&ask[..], more].concat())
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
    // Whoever asked cannot approve it, and is told so.
    let own = ["action", "approve", "Webshop", request, "--wait", "2s"];
    let own = team.first.run(&[&own[..], &["--json"]].concat());
    assert_eq!(own.status.code(), Some(1));
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
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--again") && said.contains("A-152"), "{said}");
    // A value that is missing is known here, and nothing is sent.
    let asked = |who: &Person| {
        team.list(who)["agents"][0]["requests"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = asked(&team.first);
    let missing = team.first.run(&[&again[..], &["--json"]].concat());
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(1), "{said}");
    assert!(
        said.contains("A-153") && said.contains("word is missing"),
        "{said}"
    );
    assert_eq!(asked(&team.first), before);
    assert_eq!(team.done("note").len(), 1);
    team.first.verify();
}

/// What this machine says of a user: `id -u games`.
fn number_of(option: &str, user: &str) -> String {
    let said = Command::new("/usr/bin/id").args([option, user]).output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    said.trim().to_owned()
}

#[test]
fn an_action_runs_as_the_user_that_its_file_names_and_with_no_other_group() {
    let team = Team::new();
    let (uid, gid) = (number_of("-u", "games"), number_of("-g", "games"));
    assert_ne!(uid, gid, "they could be mixed up");
    let asked = team.ask("who", &[]);
    let said = asked["result"]["output"].as_str().unwrap_or_default();
    // All of it: the agent's own groups are gone, and neither number is only the effective one.
    let expected = format!("uid={uid}(games) gid={gid}(games) groups={gid}(games)\n");
    assert_eq!(said, expected, "{asked}");
    let asked = team.ask("nobody", &[]);
    assert_eq!(asked["result"]["outcome"], "refused", "{asked}");
    let why = asked["result"]["text"].as_str().unwrap();
    assert!(why.contains("there is no user \"no-such-user\""), "{why}");
    let mark = team.folder.path().join("agent/nobody.done");
    assert!(!mark.exists(), "nothing was run");
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
    let journal = team.folder.path().join("agent/slow.sh.journal");
    let journal = std::fs::read_to_string(journal).unwrap();
    assert!(
        journal.contains(request),
        "its program began before its row was on disk: {journal}"
    );
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
    let ask = [
        "action", "request", "Webshop", "web1", "note", "word=x", "--reason", "x",
    ];
    let asked = told(&team.second, &ask);
    assert_eq!(asked["result"]["outcome"], "refused", "{asked}");
    let why = asked["result"]["text"].as_str().unwrap();
    assert!(why.contains("may not ask for this"), "{why}");
    assert!(team.done("note").is_empty());
}

/// What came of a request. That it did not succeed is an exit code and an error too.
fn told(who: &Person, arguments: &[&str]) -> Value {
    let output = who.run(&[arguments, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_nothing| panic!("{arguments:?}: {said}"));
    let is_fine = value["result"].is_null() || value["result"]["exit"] == 0;
    assert_eq!(output.status.code(), Some(i32::from(!is_fine)), "{value}");
    let code = value["error"]["code"].as_str().unwrap_or_default();
    assert_eq!(said.contains(code) && !code.is_empty(), !is_fine, "{said}");
    value
}

/// Somebody who reads along at a terminal, line by line.
struct Reader {
    child: Child,
    lines: Receiver<String>,
    read: Vec<String>,
}

impl Reader {
    fn start(who: &Person, arguments: &[&str]) -> Self {
        let mut command = who.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            read: Vec::new(),
        }
    }

    /// Reads until a line has these words.
    fn until(&mut self, words: &str) {
        while !self.read.iter().any(|line| line.contains(words)) {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => self.read.push(line),
                Err(error) => panic!("{words}: {error}: {:?}", self.read),
            }
        }
    }

    /// Reads to the end, which has to be a good one; how often a line is there.
    fn end(mut self, line: &str) -> usize {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.read.push(line);
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{:?}", self.read);
        self.read.iter().filter(|it| *it == line).count()
    }
}

#[test]
fn who_agreed_and_who_comes_later_read_along_while_it_runs_and_all_of_it_stays() {
    let team = Team::new();
    let asked = team.ask("steps", &["--wait", "1s"]);
    let request = asked["request"].as_str().unwrap();
    assert!(
        asked["result"].is_null() && team.done("steps").is_empty(),
        "{asked}"
    );
    eventually("the second sees it", LIMIT, || {
        team.second.online("1s");
        team.list(&team.second).to_string().contains(request)
    });
    let agree = ["action", "approve", "Webshop", request, "--follow"];
    let mut second = Reader::start(&team.second, &agree);
    second.until("step 1");
    assert_eq!(
        team.done("steps"),
        ["begun"],
        "it runs, and waits for the test"
    );
    // Whoever stays takes the workspace: what was asked is done, and who reads along goes on there.
    let notifier = Stays::begin(&team.second, &team.folder.path().join("second/data"));
    // Who comes when everything was said already hears it again.
    let look = ["action", "show", "Webshop", request, "--follow"];
    let mut first = Reader::start(&team.first, &look);
    first.until("step 1");
    let go = team.folder.path().join("agent/steps.sh.go");
    std::fs::write(go, "").unwrap();
    for reader in [second, first] {
        assert_eq!(reader.end("step 2"), 1);
    }
    assert_eq!(team.result(request)["output"], "step 1\nstep 2\n");
    let shown = team.second.json(&["action", "show", "Webshop", request]);
    assert_eq!(shown["result"]["output_bytes"], 14, "{shown}");
    assert_eq!(shown["said"][0]["agrees"], true, "{shown}");
    drop(notifier);
    team.first.verify();
}

/// A notifier, which has the workspace until the test ends.
struct Stays(Child);

impl Stays {
    fn begin(who: &Person, data: &Path) -> Self {
        let channels = data.join("notify.toml");
        std::fs::write(&channels, "[channel.screen]\nkind = \"desktop\"\n").unwrap();
        let run = ["notify", "run", "--file", channels.to_str().unwrap()];
        let mut command = who.command(&run);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let stays = Self(command.spawn().unwrap());
        let pid = stays.0.id().to_string();
        eventually("a notifier has the workspace", LIMIT, || {
            let lock = std::fs::read_to_string(data.join("store/lock"));
            lock.is_ok_and(|lock| lock.contains(&pid))
        });
        stays
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn copied(from: &Path, to: &Path) {
    let made = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(made.unwrap().success());
}
