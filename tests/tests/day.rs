//! A day of two organisations, with real programs: from a plugin that turns critical to the last word.
//!
//! Needs root and iproute2. `.ci/run day` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::path::Path;
use std::time::{Duration, Instant};

use aramaki_tests::{Agent, Lan, Notifier, Person, Relay, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
/// Longer than any notifier here waits for another one.
const QUIET: Duration = Duration::from_secs(20);

/// A hoster with a storage that a shop uses. Each has a relay, a person, an aggregate of its own with a
/// policy of its own, and notifiers; the hoster has two of them, and an agent at the storage.
struct Day {
    lan: Lan,
    _folder: tempfile::TempDir,
    _relays: [Relay; 2],
    alice: Person,
    bob: Person,
    agent: Agent,
    first: Notifier,
    standby: Notifier,
    of_shop: Notifier,
}

const BOB: u8 = 4;

fn policy(name: &str, to: &str) -> String {
    format!(
        "[receiver.{name}]\nvia = \"pager\"\nto = \"{to}\"\n[group]\nwait = \"2s\"\ninterval = \"2s\"\n\
         [[route]]\n[[route.then]]\nnotify = [\"{name}\"]\n"
    )
}

/// An aggregate over the storage, and whom it tells.
fn aggregate(person: &Person, folder: &Path, title: &str, receiver: &str, to: &str) {
    person.json(&["system", "add", title]);
    person.json(&["system", "link", title, "Storage"]);
    let file = folder.join(format!("{title}.toml"));
    std::fs::write(&file, policy(receiver, to)).unwrap();
    person.json(&["notify", "policy", title, "--file", file.to_str().unwrap()]);
}

impl Day {
    fn begin() -> Self {
        let lan = Lan::new("day", 8);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relays = [1, 2].map(|host| {
            let (name, ip) = (format!("relay{host}"), format!("10.77.0.{host}"));
            Relay::start(lan.host(host), &at(&name), &at(&name).join("data"), &ip)
        });
        let alice = Person::named(lan.host(3), &at("alice"), "Alice of the hoster");
        let bob = Person::named(lan.host(BOB), &at("bob"), "Bob of the shop");
        let mut agent = Agent::new(lan.host(5), &at("agent"), &at("agent/data"));
        alice.json(&["system", "add", "Storage"]);
        relays[0].serve(&alice);
        agent.join(&alice, "Storage");
        // What repairs it: the plugin's next look finds it so.
        let state = at("agent/state").display().to_string();
        agent.allow(
            "restart",
            &format!("echo 0 > {state}; echo restarted"),
            "approvals = 1",
        );
        agent.start();
        aggregate(&alice, folder.path(), "Hosting", "hoster", "+49-1");

        // The shop works with the hoster's storage, below its own aggregate, at its own relay.
        let share = [
            "share",
            "Storage",
            "--can",
            "write",
            "--for",
            "8h",
            "--to",
            "Bob of the shop",
            "--reason",
            "we run your orders",
        ];
        let code = alice.word(&share, "invitation");
        bob.json(&["join", &code]);
        aggregate(&bob, folder.path(), "Webshop", "shop", "+44-2");
        relays[1].serve(&bob);

        let first = Notifier::new(lan.host(6), &at("n0"), 0);
        let standby = Notifier::new(lan.host(7), &at("n1"), 1);
        let of_shop = Notifier::new(lan.host(8), &at("shop"), 0);
        for (notifier, whose, own) in [
            (&first, &alice, "Hosting"),
            (&standby, &alice, "Hosting"),
            (&of_shop, &bob, "Webshop"),
        ] {
            notifier.join(&alice, "Storage");
            notifier.join(whose, own);
            eventually("the notifier sees the storage", LIMIT, || {
                notifier.person().online("1s");
                notifier.person().state(own).as_deref() == Some("ok")
            });
        }
        let day = Self {
            lan,
            _folder: folder,
            _relays: relays,
            alice,
            bob,
            agent,
            first,
            standby,
            of_shop,
        };
        day.allow();
        day
    }

    /// Bob may ask for the repair, and Alice agrees to it.
    fn allow(&self) {
        let (alice, bob) = (&self.alice, &self.bob);
        eventually("the host's action and Bob are known", LIMIT, || {
            bob.online("1s");
            alice.online("1s");
            let device = bob.word(&["peers"], "this_device");
            let listed = alice.json(&["trust", "list", "Storage"]).to_string();
            offered(alice) && listed.contains(&device)
        });
        for (person, can) in [(bob, "request"), (alice, "approve")] {
            let device = person.word(&["peers"], "this_device");
            alice.json(&[
                "action", "allow", "Storage", "web1", &device, "--action", "restart", "--can", can,
            ]);
        }
        eventually("Bob knows the host's action", LIMIT, || {
            alice.online("1s");
            bob.online("1s");
            offered(bob)
        });
    }

    fn told(&self) -> [Vec<String>; 3] {
        [&self.first, &self.standby, &self.of_shop].map(Notifier::told)
    }

    /// What the hoster's first and second notifier and that of the shop told.
    fn wait_for(&self, what: &str, told: [&[&str]; 3]) {
        let until = Instant::now() + LIMIT;
        while self.told() != lines(told) {
            let logs = [&self.first, &self.standby, &self.of_shop].map(Notifier::log);
            let seen = self.told();
            assert!(
                Instant::now() < until,
                "{what}: {seen:?}\n{}",
                logs.join("\n--\n")
            );
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    fn stays(&self, what: &str, told: [&[&str]; 3]) {
        let until = Instant::now() + QUIET;
        while Instant::now() < until {
            assert_eq!(self.told(), lines(told), "{what}");
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }
}

fn lines(told: [&[&str]; 3]) -> [Vec<String>; 3] {
    let of = |lines: &[&str], to: &str| {
        let lines = lines.iter();
        lines.map(|line| format!("{line} Storage {to}")).collect()
    };
    [
        of(told[0], "+49-1"),
        of(told[1], "+49-1"),
        of(told[2], "+44-2"),
    ]
}

fn offered(who: &Person) -> bool {
    let listed = who.json(&["action", "list", "Storage"]);
    listed["agents"][0]["actions"][0]["name"] == "restart"
}

/// The one alert that somebody sees, once there is one.
fn alert(who: &Person) -> Option<Value> {
    let listed = who.json(&["alert", "list", "--resolved"]);
    let alerts = listed["alerts"].as_array().unwrap().iter();
    let mut problems = alerts.filter(|alert| alert["kind"] == "problem");
    let found = problems.next().cloned();
    assert!(
        problems.next().is_none(),
        "one problem is one alert: {listed}"
    );
    found
}

/// An alert as its page shows it.
fn page(who: &Person, id: &str) -> Value {
    who.json(&["alert", "show", id])["alert"].clone()
}

/// The story of all that somebody reads: kind, words and author of its entries, oldest first.
fn story(who: &Person) -> Vec<(String, String, String)> {
    let timeline = who.json(&["timeline", "--limit", "200"]);
    let entries = timeline["entries"].as_array().unwrap().iter().rev();
    let word = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| (word(entry, "kind"), word(entry, "text"), word(entry, "who")))
        .collect()
}

/// Asserts that these come in this order, with whatever between them.
fn assert_story(who: &Person, expected: &[(&str, &str, &str)]) {
    let told = story(who);
    let mut rest = told.iter();
    for (kind, text, name) in expected {
        let found = rest.any(|(its_kind, its_text, its_name)| {
            its_kind == kind && its_text.contains(text) && its_name.contains(name)
        });
        assert!(
            found,
            "`{kind}: {text}` by `{name}` is not in its place: {told:#?}"
        );
    }
}

#[test]
fn a_day_in_the_life_of_two_organisations() {
    let mut day = Day::begin();
    day.first.start();
    day.standby.start();
    day.of_shop.start();

    // In the night the hoster's first notifier dies, and nobody notices.
    day.first.kill();
    day.agent.observe(2);
    day.wait_for(
        "the standby tells the hoster, and the shop's own notifier the shop",
        [&[], &["critical"], &["critical"]],
    );

    // Both look at the same alert, each below their own aggregate.
    let mut ids = Vec::new();
    for (person, above) in [(&day.alice, "Hosting"), (&day.bob, "Webshop")] {
        eventually("the alert is seen", LIMIT, || {
            person.online("1s");
            alert(person).is_some_and(|alert| alert["severity"] == "critical")
        });
        let seen = alert(person).unwrap();
        assert_eq!(person.state(above).as_deref(), Some("critical"));
        let mut concerns = seen["concerns"].as_array().unwrap().iter();
        assert!(concerns.any(|it| it["title"] == above), "{seen}");
        assert_eq!(seen["needs_attention"], true, "{seen}");
        ids.push(seen["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1], "one alert, whoever looks");
    let id = ids[0].as_str();

    // Bob sits in a train without a network, and says that he knows.
    day.lan.plug(BOB, false);
    day.bob
        .json(&["alert", "acknowledge", id, "--text", "I restart it"]);
    let known = page(&day.bob, id);
    assert_eq!(
        known["state"], "acknowledged",
        "at once where he is: {known}"
    );
    day.alice.online("3s");
    assert_eq!(
        page(&day.alice, id)["state"],
        "open",
        "nobody else can know"
    );
    day.lan.plug(BOB, true);
    eventually("Alice sees who took it", LIMIT, || {
        day.bob.online("1s");
        day.alice.online("1s");
        page(&day.alice, id)["state"] == "acknowledged"
    });
    let known = page(&day.alice, id);
    assert_eq!(
        known["acknowledgements"][0]["text"], "I restart it",
        "{known}"
    );
    day.wait_for(
        "whoever was called hears that somebody took it",
        [
            &[],
            &["critical", "acknowledged"],
            &["critical", "acknowledged"],
        ],
    );

    // He asks for the repair, and Alice agrees.
    let asked = day.bob.json(&[
        "action", "request", "Storage", "web1", "restart", "--reason", "it hangs", "--wait", "5s",
    ]);
    let request = asked["request"].as_str().unwrap();
    assert!(asked["result"].is_null(), "it waits for somebody: {asked}");
    eventually("Alice sees the request", LIMIT, || {
        day.alice.online("1s");
        let listed = day.alice.json(&["action", "list", "Storage"]);
        listed.to_string().contains(request)
    });
    let approved = day
        .alice
        .json(&["action", "approve", "Storage", request, "--wait", "60s"]);
    assert_eq!(approved["result"]["exit"], 0, "{approved}");
    assert_eq!(approved["result"]["output"], "restarted\n", "{approved}");

    // The end reaches whoever was called, once, from whoever is left.
    let all: [&[&str]; 3] = [
        &[],
        &["critical", "acknowledged", "resolved"],
        &["critical", "acknowledged", "resolved"],
    ];
    day.wait_for("the end is told", all);
    // The dead one comes back, and has nothing to say.
    day.first.start();
    day.stays("nobody hears anything twice", all);

    // In the morning both read what happened, each in their own order of things.
    for (person, above, told) in [
        (&day.alice, "Hosting", "hoster through +49-1 (pager)"),
        (&day.bob, "Webshop", "shop through +44-2 (pager)"),
    ] {
        eventually("everything has arrived", LIMIT, || {
            day.alice.online("1s");
            day.bob.online("1s");
            let told = format!("told {told}");
            let story = story(person);
            let receipts = story.iter().filter(|(_, text, _)| text.contains(&told));
            let ran = story
                .iter()
                .any(|(kind, text, _)| kind == "action" && text.contains("done"));
            receipts.count() == 3 && ran && person.state(above).as_deref() == Some("ok")
        });
        let told = |state: &str| format!("told {told}: [{state}] Storage: state");
        let [began, known, ended] = ["CRITICAL", "ACKNOWLEDGED", "RESOLVED"].map(told);
        assert_story(
            person,
            &[
                ("transition", "state: ok → critical", ""),
                ("notification", &began, ""),
                ("notification", &ended, ""),
            ],
        );
        assert_story(
            person,
            &[
                ("transition", "→ critical", ""),
                ("acknowledgement", "I restart it", "Bob"),
                ("notification", &known, ""),
                ("action", "restart: done", "Bob"),
                ("transition", "critical → ok", ""),
                ("notification", &ended, ""),
            ],
        );
        let seen = page(person, id);
        assert_eq!(
            (&seen["state"], &seen["worst"]),
            (&"resolved".into(), &"critical".into()),
            "{seen}"
        );
        assert!(seen["resolved"].is_string(), "{seen}");
        let knows = &seen["acknowledgements"][0];
        assert!(knows["name"].as_str().unwrap().contains("Bob"), "{seen}");
        person.verify();
    }
}
