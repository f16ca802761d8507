//! Services of a real agent, read by a real Prometheus, and what is desired, done by that agent.
//!
//! Needs root, iproute2, python3 and Prometheus. `.ci/run services` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aramaki_tests::{Agent, Host, Lan, Person, Relay, Running, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const TARGETS: &str = "http://127.0.0.1:7490/targets";
const PROMETHEUS: &str = "http://127.0.0.1:9090/api/v1/targets?state=active";

/// Answers a request as JSON, with its headers in front; nothing while nobody answers.
const GET: &str = "import json, sys, urllib.request\n\
    with urllib.request.urlopen(sys.argv[1], timeout=5) as page:\n\
    \x20   print(json.dumps({'headers': dict(page.headers.items()), 'body': json.load(page)}))\n";

/// A relay, a person, and an agent whose machine runs a shop.
struct Team {
    lan: Lan,
    folder: tempfile::TempDir,
    _relay: Relay,
    person: Person,
    agent: Agent,
}

impl Team {
    fn new(name: &str, more: &str) -> Self {
        let lan = Lan::new(name, 3);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
        let person = Person::new(lan.host(2), &at("person"));
        let agent = Agent::new(lan.host(3), &at("agent"), &at("agent/data"));
        agent.configure(more);
        person.json(&["system", "add", "Webshop"]);
        relay.serve(&person);
        agent.join(&person, "Webshop");
        Self {
            lan,
            folder,
            _relay: relay,
            person,
            agent,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

fn get(host: &Host, url: &str) -> Option<Value> {
    let output = host
        .command("python3")
        .args(["-c", GET, url])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).ok()
}

/// What Prometheus found by one of its jobs: discovered labels by address.
fn found(host: &Host, job: &str) -> Option<Vec<Value>> {
    let answer = get(host, PROMETHEUS)?;
    let targets = answer["body"]["data"]["activeTargets"].as_array()?.clone();
    let of_job = targets
        .into_iter()
        .filter(|target| target["scrapePool"] == job);
    Some(
        of_job
            .map(|target| target["discoveredLabels"].clone())
            .collect(),
    )
}

fn prometheus(team: &Team) -> Running {
    let config = format!(
        "global:\n  scrape_interval: 5s\nscrape_configs:\n\
         - job_name: http\n  http_sd_configs:\n  - url: {TARGETS}\n    refresh_interval: 1s\n\
         \x20 relabel_configs:\n\
         \x20 - source_labels: [__meta_aramaki_machine]\n    target_label: machine\n\
         - job_name: file\n  file_sd_configs:\n  - files: ['{}']\n    refresh_interval: 1s\n",
        team.path("targets.json")
    );
    let path = team.path("prometheus.yml");
    std::fs::write(&path, config).unwrap();
    let checked = Command::new("promtool")
        .args(["check", "config", &path])
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let mut command = team.lan.host(2).command("prometheus");
    command
        .arg(format!("--config.file={path}"))
        .arg(format!("--storage.tsdb.path={}", team.path("tsdb")))
        .arg("--web.listen-address=127.0.0.1:9090");
    Running::start(command, Path::new(&team.path("prometheus.log")))
}

#[test]
fn prometheus_finds_what_runs_and_forgets_what_is_not_heard_of_any_more() {
    let mut team = Team::new(
        "prom",
        "[[service]]\nname = \"checkout\"\nendpoints = [\"10.77.0.3:9100\"]\nchecks = [\"state\"]\n\
         labels = { tier = \"front\" }\nplaces = \"one\"\nlease = \"30s\"\n",
    );
    let here = team.lan.host(2);
    team.agent.start();
    let logged = ["--log", "info"];
    let serve = [&logged[..], &["service", "serve", "Webshop"]].concat();
    let log = team.path("serve.log");
    let serving = Running::start(team.person.command(&serve), Path::new(&log));
    // The second asks the first, which has the workspace.
    let file = team.path("targets.json");
    eventually("the list is served", LIMIT, || {
        get(&here, TARGETS).is_some()
    });
    let keep = ["service", "export", "--file-sd", &file, "--watch"];
    let keep = [&logged[..], &keep].concat();
    let log = team.path("keep.log");
    let keeping = Running::start(team.person.command(&keep), Path::new(&log));
    let _prometheus = prometheus(&team);
    for job in ["http", "file"] {
        eventually(&format!("Prometheus has it by {job}"), LIMIT, || {
            found(&here, job).is_some_and(|it| it.len() == 1)
        });
        let labels = found(&here, job).unwrap().remove(0);
        for (name, value) in [
            ("__address__", "10.77.0.3:9100"),
            ("__meta_aramaki_service", "checkout"),
            ("__meta_aramaki_system", "Webshop"),
            ("__meta_aramaki_machine", "web1"),
            ("__meta_aramaki_label_tier", "front"),
            ("__meta_aramaki_conflict", "false"),
        ] {
            assert_eq!(labels[name], value, "{job}: {name} of {labels}");
        }
    }
    // Health is what its check says.
    let health = || {
        let labels = found(&here, "http").unwrap_or_default();
        let first = labels.first().cloned().unwrap_or_default();
        first["__meta_aramaki_health"].as_str().map(str::to_owned)
    };
    eventually("it is well", LIMIT, || health().as_deref() == Some("ok"));
    team.agent.observe(2);
    eventually("it is not", LIMIT, || {
        health().as_deref() == Some("critical")
    });
    let place = team.person.json(&["service", "where", "checkout"]);
    assert_eq!(place["here"][0]["machine"], "web1", "{place}");
    assert_eq!(place["here"][0]["health"], "critical", "{place}");
    // For longer than the lease nothing but heartbeats renews it.
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(35) {
        let lists = [found(&here, "http"), found(&here, "file")];
        for list in lists {
            assert_eq!(list.map(|it| it.len()), Some(1), "{}", serving.log());
        }
        std::thread::park_timeout(Duration::from_secs(1));
    }
    team.agent.kill();
    for job in ["http", "file"] {
        eventually(&format!("{job} forgets it"), LIMIT, || {
            found(&here, job).is_some_and(|it| it.is_empty())
        });
    }
    let list = get(&here, TARGETS).unwrap();
    let stale = list["headers"].as_object().unwrap();
    let stale = stale
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-aramaki-stale"));
    assert_eq!(stale.map(|(_, value)| value), Some(&Value::from("1")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[]\n");
    let place = team.person.json(&["service", "where", "checkout"]);
    assert_eq!(place["here"], Value::Array(Vec::new()));
    assert_eq!(place["places"][0]["lease"], "stale", "{place}");
    assert_eq!(place["places"][0]["health"], "missing", "{place}");
    let words = String::from_utf8(team.person.run(&["service", "where", "checkout"]).stdout);
    let words = words.unwrap();
    assert!(
        words.starts_with("Nobody is heard of who runs checkout now."),
        "{words}"
    );
    assert!(
        keeping.log().contains("1 service left out"),
        "{}",
        keeping.log()
    );
    for program in [serving, keeping] {
        assert_eq!(program.stop(LIMIT).code(), Some(0));
    }
}

#[test]
fn what_is_desired_is_done_by_the_host_that_watches_it_with_the_heads_of_the_document() {
    let mut team = Team::new("want", "[[watch]]\npath = \"web\"\naction = \"apply\"\n");
    let seen = team.path("seen");
    let script = format!(
        "echo \"$ARAMAKI_PATH $ARAMAKI_VALUE $ARAMAKI_GENERATION\" >> {seen}; echo applied"
    );
    team.agent.allow("apply", &script, "");
    team.agent.start();
    // Whoever let it in writes down what for, in the same document, in this second: never after what agents are told.
    let set = |value: &str| {
        let set = [
            "desired",
            "set",
            "Webshop",
            "web/workers",
            value,
            "--as",
            "integer",
        ];
        let told = team.person.json(&[&set[..], &["--min", "1"]].concat());
        assert_eq!(told["agents_told"], 1, "{told}");
        told["generation"].as_str().unwrap().to_owned()
    };
    let first = set("4");
    let lines = || {
        let text = std::fs::read_to_string(&seen).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    eventually("the agent did it", LIMIT, || {
        team.person.online("1s");
        lines().len() == 1
    });
    assert_eq!(lines()[0], format!("web {{\"workers\":4}} {first}"));
    // What no schema allows changes nothing.
    let refused = team
        .person
        .run(&["desired", "set", "Webshop", "web/workers", "0"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("a whole number of at least 1"), "{said}");
    // While its agent is away three changes come; it does the last.
    team.agent.kill();
    set("5");
    set("6");
    let last = set("7");
    team.agent.start();
    eventually("the agent did the newest", LIMIT, || {
        team.person.online("1s");
        lines().last().is_some_and(|line| line.ends_with(&last))
    });
    assert_eq!(
        lines().last().unwrap(),
        &format!("web {{\"workers\":7}} {last}")
    );
    eventually("the timeline tells of it", LIMIT, || {
        team.person.online("1s");
        let timeline = team.person.json(&["timeline", "Webshop"]).to_string();
        timeline.contains("apply done: applied")
    });
    let listed = team.person.json(&["desired", "list", "Webshop"]);
    assert_eq!(listed["runs"][0]["generation"], last.as_str(), "{listed}");
    assert_eq!(listed["runs"][0]["done"], true);
    // A restart repeats nothing.
    let before = lines();
    team.agent.kill();
    team.agent.start();
    eventually("the agent is back", LIMIT, || {
        team.person.online("1s");
        let timeline = team.person.json(&["timeline", "Webshop"]).to_string();
        timeline.matches("began on").count() >= 3
    });
    assert_eq!(lines(), before);
}
