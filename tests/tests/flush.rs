//! The action of three o'clock for real: a Varnish whose cache people flush from their machines.
//!
//! Needs root, iproute2 and varnish. `.ci/run actions` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aramaki_tests::{Agent, Host, Lan, Person, Relay, Running, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A web server at a socket in a folder that counts how often it was asked.
struct Origin {
    asked: Arc<AtomicUsize>,
}

impl Origin {
    fn start(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                if stream.read(&mut request).unwrap_or(0) == 0 {
                    continue;
                }
                counter.fetch_add(1, Ordering::SeqCst);
                let head =
                    "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 2\r\n";
                drop(write!(stream, "{head}Connection: close\r\n\r\nok"));
            }
        });
        Self { asked }
    }
}

/// A Varnish before it, at a socket in a folder of its own.
struct Varnish {
    host: Host,
    _running: Running,
    folder: PathBuf,
    origin: Origin,
}

impl Varnish {
    fn start(host: Host, folder: &Path) -> Self {
        let varnish = folder.join("varnish");
        std::fs::create_dir_all(&varnish).unwrap();
        let origin = Origin::start(&varnish.join("origin.sock"));
        let mut command = host.command("/usr/sbin/varnishd");
        command
            .args(["-F", "-j", "none", "-s", "malloc,16m", "-n"])
            .arg(varnish.join("work"))
            .arg("-a")
            .arg(varnish.join("http.sock"))
            .arg("-b")
            .arg(varnish.join("origin.sock"));
        let running = Running::start(command, &folder.join("varnish.log"));
        let varnish = Self {
            host,
            _running: running,
            folder: varnish,
            origin,
        };
        eventually("varnish runs", LIMIT, || {
            let asked = varnish.admin(&["status"]);
            asked.is_some_and(|answer| answer.contains("running"))
        });
        varnish
    }

    /// Its folder, as `varnishadm -n` takes it.
    fn work(&self) -> String {
        self.folder.join("work").display().to_string()
    }

    fn admin(&self, words: &[&str]) -> Option<String> {
        let mut command = self.host.command("/usr/bin/varnishadm");
        let output = command.args(["-n", &self.work()]).args(words).output();
        let output = output.unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// What is banned, one expression a line.
    fn bans(&self) -> Vec<String> {
        let list = self.admin(&["ban.list"]).unwrap();
        let bans = list.lines().filter_map(|line| line.split_once("req.url"));
        bans.map(|(_, what)| format!("req.url{what}").trim().to_owned())
            .collect()
    }

    /// Fetches a page, and says how often the server behind was asked so far.
    fn fetch(&self, path: &str) -> usize {
        let mut stream = UnixStream::connect(self.folder.join("http.sock")).unwrap();
        stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        self.origin.asked.load(Ordering::SeqCst)
    }
}

/// Two people, a relay, and an agent on the host of the Varnish.
struct Team {
    _lan: Lan,
    folder: tempfile::TempDir,
    varnish: Varnish,
    _relay: Relay,
    first: Person,
    second: Person,
    agent: Agent,
}

impl Team {
    fn new(name: &str) -> Self {
        let lan = Lan::new(name, 4);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let varnish = Varnish::start(lan.host(4), folder.path());
        let relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
        let first = Person::named(lan.host(2), &at("first"), "first of us");
        let second = Person::named(lan.host(3), &at("second"), "second of us");
        first.json(&["system", "add", "Webshop"]);
        relay.serve(&first);
        let mut agent = Agent::new(lan.host(4), &at("agent"), &at("agent/data"));
        agent.join(&first, "Webshop");
        agent.allow_file("flush-cache", &action(&varnish));
        agent.start();
        let share = ["share", "Webshop", "--can", "write", "--for", "8h"];
        let code = first.word(&share, "invitation");
        second.json(&["join", &code]);
        let team = Self {
            _lan: lan,
            folder,
            varnish,
            _relay: relay,
            first,
            second,
            agent,
        };
        eventually("the first knows what the host allows", LIMIT, || {
            team.first.online("1s");
            team.offered(&team.first)
        });
        let devices = [&team.first, &team.second].map(|it| it.word(&["peers"], "this_device"));
        eventually("the second's access is known to the first", LIMIT, || {
            team.first.online("1s");
            let listed = team.first.json(&["trust", "list", "Webshop"]);
            listed.to_string().contains(&devices[1])
        });
        for device in &devices {
            team.first.json(&[
                "action",
                "allow",
                "Webshop",
                "web1",
                device,
                "--action",
                "flush-cache",
            ]);
        }
        eventually("the second knows what the host allows", LIMIT, || {
            team.first.online("1s");
            team.second.online("1s");
            team.offered(&team.second)
        });
        team
    }

    fn offered(&self, who: &Person) -> bool {
        let listed = who.json(&["action", "list", "Webshop"]);
        listed["agents"][0]["actions"][0]["name"] == "flush-cache"
    }

    fn requests(&self, who: &Person) -> Vec<Value> {
        let listed = who.json(&["action", "list", "Webshop"]);
        let requests = listed["agents"][0]["requests"].as_array();
        requests.cloned().unwrap_or_default()
    }

    /// Begins to ask, as somebody at a terminal does.
    fn ask(&self, who: &Person, path: &str, reason: &str) -> Child {
        let value = format!("path={path}");
        let mut command = who.command(&[
            "action",
            "request",
            "Webshop",
            "web1",
            "flush-cache",
            &value,
            "--reason",
            reason,
            "--wait",
            "90s",
            "--json",
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

/// The example of the papers, for this Varnish, and without somebody else's agreement.
fn action(varnish: &Varnish) -> String {
    let example = include_str!("../../docs/action.toml.example");
    let text = example
        .replace(
            "arguments = [\"ban\",",
            &format!("arguments = [\"-n\", \"{}\", \"ban\",", varnish.work()),
        )
        .replace("#: approvals = 1", "approvals = 0");
    assert!(
        text.contains("\"-n\"") && text.contains("\napprovals = 0"),
        "{text}"
    );
    text
}

/// What came of it; whoever asked in vain learns that from the exit code too.
fn ended(asked: Child) -> Value {
    let output = asked.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_nothing| panic!("nothing came of it: {said}"));
    let ran = value["result"]["exit"] == 0;
    assert_eq!(output.status.success(), ran, "{value} {said}");
    value
}

#[test]
fn the_cache_is_flushed_by_whoever_is_called_and_once_when_two_ask_at_once() {
    let team = Team::new("once");
    // A page is taken from the cache, until somebody at another machine flushes what is below its path.
    assert_eq!(team.varnish.fetch("/shop/1"), 1);
    assert_eq!(team.varnish.fetch("/shop/1"), 1, "from the cache");
    assert!(team.varnish.bans().is_empty());
    let asked = ended(team.ask(&team.first, "/shop", "prices are old"));
    assert_eq!(asked["result"]["exit"], 0, "{asked}");
    assert_eq!(team.varnish.bans(), ["req.url ~ ^/shop"]);
    assert_eq!(team.varnish.fetch("/shop/1"), 2, "it is fetched anew");
    assert_eq!(team.varnish.fetch("/shop/1"), 2);

    // What would be more than one word for Varnish is not run at all.
    let odd = team.ask(&team.first, "/a || req.url ~ .", "by mistake");
    let odd = odd.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&odd.stderr);
    assert_eq!(odd.status.code(), Some(1), "{said}");
    assert!(
        said.contains("A-153"),
        "it is known before it is sent: {said}"
    );
    assert_eq!(team.varnish.bans().len(), 1);

    // Before the next one the other sees who had it run, when and why, and what it said.
    eventually("the other sees the run", LIMIT, || {
        team.second.online("1s");
        let seen = team.second.json(&[
            "action",
            "request",
            "Webshop",
            "web1",
            "flush-cache",
            "--dry-run",
        ]);
        let runs = seen["runs"].as_array().unwrap();
        runs.iter().any(|run| {
            run["by"].as_str().unwrap().starts_with("first of us")
                && run["reason"] == "prices are old"
                && run["result"]["exit"] == 0
        })
    });
    let shown = team.second.run(&["action", "list", "Webshop"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("prices are old"), "{shown}");
    // The same once more needs a second word.
    let again = team.second.run(&[
        "action",
        "request",
        "Webshop",
        "web1",
        "flush-cache",
        "path=/shop",
        "--reason",
        "again",
        "--json",
    ]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(again.status.code(), Some(1), "{said}");
    assert!(
        said.contains("first of us") && said.contains("prices are old"),
        "{said}"
    );

    // Both ask at once: what each knows is what was on their disk, so neither knows of the other.
    let asked = [
        team.ask(&team.first, "/img", "pictures are old"),
        team.ask(&team.second, "/img", "customers complain"),
    ];
    let answers = asked.map(ended);
    let ran = |it: &&Value| it["result"]["exit"] == 0;
    let (ran, told): (Vec<_>, Vec<_>) = answers.iter().partition(ran);
    assert_eq!((ran.len(), told.len()), (1, 1), "{answers:?}");
    assert_eq!(told[0]["result"]["outcome"], "refused", "{answers:?}");
    assert_eq!(
        told[0]["run_for"]["request"], ran[0]["request"],
        "whose request was not run sees whose was: {answers:?}"
    );
    assert_eq!(told[0]["run_for"]["result"]["exit"], 0, "{answers:?}");
    let bans = team.varnish.bans();
    let img = bans.iter().filter(|it| it.as_str() == "req.url ~ ^/img");
    assert_eq!(img.count(), 1, "{bans:?}");
    // Everybody sees both requests and what came of them.
    for person in [&team.first, &team.second] {
        eventually("both requests have their end", LIMIT, || {
            person.online("1s");
            let all = team.requests(person);
            let of = |reason: &str| {
                let mut found = all.iter().filter(|it| it["reason"] == reason);
                found.next().is_some_and(|it| !it["result"].is_null())
            };
            of("pictures are old") && of("customers complain")
        });
        person.verify();
    }
    drop(team.folder);
}

/// What a program says is kept with its run, and seen by who did not ask for it.
#[test]
fn what_varnish_said_is_kept_and_shown_to_who_did_not_ask() {
    let team = Team::new("kept");
    let list = format!(
        "description = \"What is banned\"\nprogram = \"/usr/bin/varnishadm\"\n\
         arguments = [\"-n\", \"{}\", \"ban.list\"]\nread_only = true\n",
        team.varnish.work()
    );
    team.agent.allow_file("list-bans", &list);
    let device = team.first.word(&["peers"], "this_device");
    team.first.json(&[
        "action",
        "allow",
        "Webshop",
        "web1",
        &device,
        "--action",
        "list-bans",
    ]);
    eventually("the host's new action is known", LIMIT, || {
        team.first.online("1s");
        let listed = team.first.json(&["action", "list", "Webshop"]);
        listed.to_string().contains("What is banned")
    });
    ended(team.ask(&team.first, "/shop", "prices are old"));
    let listed = team.first.json(&[
        "action",
        "request",
        "Webshop",
        "web1",
        "list-bans",
        "--reason",
        "to be sure",
        "--wait",
        "90s",
    ]);
    let output = listed["result"]["output"].as_str().unwrap();
    assert!(output.contains("req.url ~ ^/shop"), "{listed}");
    let mut shown = String::new();
    eventually("the other sees what it said", LIMIT, || {
        team.second.online("1s");
        let output = team.second.run(&["action", "list", "Webshop"]).stdout;
        shown = String::from_utf8(output).unwrap();
        shown.contains("req.url ~ ^/shop")
    });
    assert!(shown.contains("to be sure"), "{shown}");
}
