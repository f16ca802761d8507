//! A notifier, a relay and an agent that are started anew, with real programs: nobody is woken for it.
//!
//! Needs root and iproute2. `.ci/run restart` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::time::{Duration, Instant};

use aramaki_tests::{Agent, Lan, Notifier, Person, Relay, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
/// Who was killed may refuse for so long what it may have heard before, and says nothing of silence meanwhile.
const DEAF: Duration = Duration::from_secs(240);
/// Longer than the check's time to live, and than two heartbeats.
const QUIET: Duration = Duration::from_secs(50);
/// The time to live of the check.
const TTL: Duration = Duration::from_secs(45);
/// Who is dead is told of after two minutes of silence, to which somebody listened.
const DEAD: Duration = Duration::from_secs(240);

/// What the running notifier lists, and whether it hears every agent.
fn listed(notifier: &Notifier) -> (Value, bool) {
    let listed = notifier.person().json(&["alert", "list"]);
    (listed["alerts"].clone(), listed["as_of"].is_null())
}

/// From now on until the notifier hears every agent, and for a while after that, it tells nothing and lists
/// no alert.
fn quiet(what: &str, notifier: &Notifier) {
    let limit = Instant::now() + DEAF;
    let mut until = None;
    while until.is_none_or(|until| Instant::now() < until) {
        let (alerts, hears) = listed(notifier);
        assert_eq!(alerts, Value::Array(Vec::new()), "{what}");
        assert_eq!(notifier.told(), [""; 0], "{what}: {}", notifier.log());
        if hears {
            until = until.or(Some(Instant::now() + QUIET));
        }
        assert!(
            until.is_some() || Instant::now() < limit,
            "{what}: it never hears again"
        );
        std::thread::park_timeout(Duration::from_millis(500));
    }
}

#[test]
fn whoever_is_started_anew_tells_of_no_silence_that_there_was_not() {
    let lan = Lan::new("restart", 4);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
    let person = Person::new(lan.host(2), &at("person"));
    let mut agent = Agent::new(lan.host(3), &at("agent"), &at("agent/data"));
    agent.configure(&format!(
        "[[check]]\nname = \"quick\"\ninterval = \"5s\"\nttl = \"{}s\"\ncommand = {{ program = \"/bin/true\" }}\n",
        TTL.as_secs()
    ));
    let mut notifier = Notifier::new(lan.host(4), &at("notifier"), 0);
    person.json(&["system", "add", "Storage"]);
    relay.serve(&person);
    let policy = at("policy.toml");
    let text = "[receiver.duty]\nvia = \"pager\"\nto = \"+49\"\n[group]\nwait = \"0s\"\ninterval = \"1s\"\n\
                [[route]]\n[[route.then]]\nnotify = [\"duty\"]\n";
    std::fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    person.json(&["notify", "policy", "Storage", "--file", policy]);
    agent.join(&person, "Storage");
    agent.start();
    notifier.join(&person, "Storage");
    eventually("the notifier sees the agent", LIMIT, || {
        notifier.person().online("1s");
        notifier.person().state("Storage").as_deref() == Some("ok")
    });
    notifier.start();
    // What the journal says of the check is older than the check may be silent: heartbeats alone keep it.
    quiet("all is well", &notifier);
    notifier.stop();
    notifier.start();
    quiet("the notifier was started anew", &notifier);
    relay.kill();
    relay.restart();
    agent.kill();
    agent.start();
    quiet("relay and agent were started anew", &notifier);
    // It would have told: of an agent that is dead it does.
    agent.kill();
    eventually("people are told of who is dead", DEAD, || {
        !notifier.told().is_empty()
    });
    assert_ne!(listed(&notifier).0, Value::Array(Vec::new()));
}
