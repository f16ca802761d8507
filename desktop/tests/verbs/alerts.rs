//! Alerts and maintenance as people work on them, with a real relay and agent.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

/// A System whose check is a warning until a file is there, looked at every second.
fn watched(aramaki: &Aramaki) -> (Process, Process, String) {
    let (relay, author, address) = Process::relay(aramaki);
    let (checks, flag) = (aramaki.path("checks.toml"), aramaki.path("flag"));
    let toml = format!(
        "[[check]]\nname = \"flag\"\ninterval_ms = 1000\n\
         kind.command = {{ program = \"/usr/bin/test\", arguments = [\"-e\", \"{flag}\"] }}\n"
    );
    std::fs::write(&checks, toml).unwrap();
    aramaki.json(&["system", "add", "Webshop", "--checks", &checks]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let agent = Process::agent(aramaki, invited["invitation"].as_str().unwrap());
    (relay, agent, flag)
}

fn alerts(aramaki: &Aramaki, data: &str, more: &[&str]) -> Vec<Value> {
    let listed = aramaki.json_in(data, &[&["alert", "list", "--wait", "1s"], more].concat());
    listed["alerts"].as_array().unwrap().clone()
}

/// The only alert, once it is as somebody wants it.
fn alert(aramaki: &Aramaki, data: &str, state: &str) -> Value {
    wait_for(state, || {
        let alerts = alerts(aramaki, data, &["--resolved"]);
        let mut found = alerts
            .into_iter()
            .filter(|alert| alert["kind"] == "problem");
        found.next().filter(|alert| alert["state"] == state)
    })
}

#[test]
fn an_alert_is_acknowledged_claimed_silenced_and_over() {
    let aramaki = Aramaki::new();
    assert_eq!(aramaki.json(&["alert", "list"])["total"], 0);
    let (_relay, _agent, flag) = watched(&aramaki);
    let open = alert(&aramaki, "data", "open");
    assert_eq!(
        (&open["severity"], &open["title"]),
        (&"warning".into(), &"Webshop".into())
    );
    assert_eq!(open["needs_attention"], true, "{open}");
    let id = open["id"].as_str().unwrap();
    others_know_of_it(&aramaki, id);
    let item = it_is_kept_quiet(&aramaki, id);

    std::fs::write(&flag, "").unwrap();
    it_is_over(&aramaki, id, &item);
}

/// A second person acknowledges and claims it; the first sees that, and takes it back.
fn others_know_of_it(aramaki: &Aramaki, id: &str) {
    let prefix = &id[..8];
    let shared = aramaki.json(&["share", "Webshop", "--can", "write"]);
    aramaki.json_in("second", &["init", "--name", "Wilma", "--no-recovery-kit"]);
    aramaki.json_in("second", &["join", shared["invitation"].as_str().unwrap()]);
    assert_eq!(
        alert(aramaki, "second", "open")["id"],
        id,
        "the same everywhere"
    );

    aramaki.json_in(
        "second",
        &["alert", "acknowledge", prefix, "-t", "ticket 12"],
    );
    aramaki.json_in(
        "second",
        &["alert", "claim", prefix, "-t", "I look", "--for", "2h"],
    );
    let known = alert(aramaki, "data", "acknowledged");
    let said = &known["acknowledgements"][0];
    assert_eq!(
        (&said["name"], &said["text"]),
        (&"Wilma".into(), &"ticket 12".into())
    );
    assert_eq!(known["claims"][0]["holds"], true, "{known}");
    let people = text(&aramaki.run(&["alert", "show", prefix]).stdout);
    assert!(people.contains("Wilma works on it until"), "{people}");
    let people = text(&aramaki.run(&["alert", "claim", prefix]).stdout);
    assert!(
        people.contains("Wilma works on it until"),
        "one is told: {people}"
    );
    assert_eq!(
        aramaki.json(&["alert", "release", prefix])["released"],
        1,
        "one's own alone"
    );
    assert_eq!(
        aramaki.json(&["alert", "unacknowledge", prefix])["withdrawn"],
        1
    );
    alert(aramaki, "data", "open");
}

/// It is silenced until it is resolved; returns the silence.
fn it_is_kept_quiet(aramaki: &Aramaki, id: &str) -> String {
    let prefix = &id[..8];
    let quiet = [
        "alert",
        "silence",
        "--alert",
        prefix,
        "--until-resolved",
        "--reason",
        "moving",
    ];
    let dry = aramaki.json(&[&quiet[..], &["--dry-run"]].concat());
    assert_eq!(
        (&dry["done"], &dry["mutes"][0]),
        (&false.into(), &id.into()),
        "{dry}"
    );
    let silenced = aramaki.json(&quiet);
    assert_eq!(
        silenced["done"], true,
        "one alert needs no --yes: {silenced}"
    );
    let shown = &aramaki.json(&["alert", "show", prefix])["alert"];
    assert_eq!(shown["needs_attention"], false, "{shown}");
    assert_eq!(shown["holds"][0]["reason"], "moving", "{shown}");
    assert_eq!(shown["root_causes"].as_array().unwrap().len(), 1, "{shown}");
    assert!(alerts(aramaki, "data", &["--attention"]).is_empty());
    let filtered = |filter| alerts(aramaki, "data", &["--where", filter]).len();
    assert_eq!(
        (filtered("silenced:yes check:flag"), filtered("silenced:no")),
        (1, 0)
    );
    silenced["item"].as_str().unwrap().to_owned()
}

/// It recovered, and its timeline tells the story.
fn it_is_over(aramaki: &Aramaki, id: &str, item: &str) {
    let prefix = &id[..8];
    let over = alert(aramaki, "data", "resolved");
    assert_eq!(
        (&over["id"], &over["severity"]),
        (&id.into(), &"warning".into())
    );
    let refused = aramaki.refused(&["alert", "acknowledge", prefix], 1);
    assert!(
        refused["message"].as_str().unwrap().contains("resolved"),
        "{refused}"
    );
    assert_eq!(
        aramaki.json(&["alert", "silences"])["silences"][0]["item"],
        item
    );
    aramaki.json(&["alert", "unsilence", item]);
    assert_eq!(
        aramaki.json(&["alert", "silences"])["silences"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let timeline = aramaki.json(&["timeline", "Webshop", "--kind", "state"]);
    assert_eq!(timeline["entries"][0]["who"], "web1", "{timeline}");
    let told = aramaki.json(&["timeline", "Webshop"]).to_string();
    for words in [
        "ticket 12",
        "works on it",
        "took back",
        "silenced flag until it is resolved",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

/// That a result is missing stands on no disk: each verb hears it anew.
#[test]
fn what_is_missing_is_acknowledged_claimed_and_silenced_with_verbs_alone() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    let checks = aramaki.path("checks.toml");
    let toml = "[[check]]\nname = \"backup\"\nttl_ms = 1000\nkind.external = {}\n";
    std::fs::write(&checks, toml).unwrap();
    aramaki.json(&["system", "add", "Webshop", "--checks", &checks]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let _agent = Process::agent(&aramaki, invited["invitation"].as_str().unwrap());
    let missing = wait_for("missing", || {
        let alerts = alerts(&aramaki, "data", &[]);
        let mut found = alerts.into_iter();
        found.find(|alert| alert["kind"] == "missing")
    });
    let id = missing["id"].as_str().unwrap();
    let prefix = &id[..8];
    assert_eq!(aramaki.json(&["alert", "list"])["total"], 0, "not on disk");
    let known = aramaki.json(&["alert", "acknowledge", prefix, "-t", "rebuilt today"]);
    assert_eq!(known["acknowledged"][0], id, "{known}");
    let shown = &aramaki.json(&["alert", "show", prefix])["alert"];
    assert_eq!(shown["state"], "acknowledged", "{shown}");
    let claimed = aramaki.json(&["alert", "claim", prefix]);
    assert_eq!(claimed["claimed"][0], id, "{claimed}");
    let quiet = ["alert", "silence", "--alert", prefix, "--for", "1h"];
    let quiet = aramaki.json(&[&quiet[..], &["--reason", "rebuilt"]].concat());
    assert_eq!(quiet["done"], true, "{quiet}");
    let refused = aramaki.refused(&["alert", "show", "abcdef0123"], 1);
    assert_eq!(refused["code"], "A-140");
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("--wait"), "{hint}");
}

#[test]
fn a_policy_by_which_nobody_hears_of_silence_is_warned_of() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let file = aramaki.path("policy.toml");
    let policy = |at_least: &str| {
        let toml = format!(
            "[receiver]\nops = {{ via = \"mail\" }}\n\
             [[route]]\nat_least = \"{at_least}\"\nthen = [{{ notify = [\"ops\"] }}]\n"
        );
        std::fs::write(&file, toml).unwrap();
        aramaki.json(&["notify", "policy", "Webshop", "--file", &file])
    };
    let words = "nobody is told that an agent is not heard any more";
    let told = policy("warning");
    assert!(told["warning"].as_str().unwrap().contains(words), "{told}");
    assert_eq!(told["takes_missing"], false);
    let preview = aramaki.json(&["notify", "preview"]);
    assert!(
        preview["warning"].as_str().unwrap().contains(words),
        "{preview}"
    );
    let told = policy("missing");
    assert!(!told["warning"].as_str().unwrap().contains(words), "{told}");
    let preview = aramaki.json(&["notify", "preview"]);
    assert_eq!(preview["warning"], Value::Null, "{preview}");
}

#[test]
fn maintenance_is_planned_listed_and_taken_back_with_its_parts() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["system", "add", "Storage"]);
    aramaki.json(&["system", "link", "Webshop", "Storage"]);
    let add = [
        "maintenance",
        "add",
        "Webshop",
        "--subtree",
        "--for",
        "2h",
        "--every-days",
        "7",
    ];
    let add = [
        &add[..],
        &["--reason", "kernel", "--from", "2026-11-22T22:00:00Z"],
    ]
    .concat();
    let dry = aramaki.json(&[&add[..], &["--dry-run"]].concat());
    assert_eq!(
        (&dry["done"], dry["systems"].as_array().unwrap().len()),
        (&false.into(), 2)
    );
    let listed = || aramaki.json(&["maintenance", "list"])["maintenance"].clone();
    assert_eq!(listed().as_array().unwrap().len(), 0);
    let planned = aramaki.json(&add);
    assert_eq!(listed().as_array().unwrap().len(), 2);
    assert_eq!(listed()[0]["every_days"], 7);
    let item = planned["item"].as_str().unwrap();
    let ended = aramaki.json(&["maintenance", "end", item]);
    assert_eq!(ended["systems"].as_array().unwrap().len(), 2, "{ended}");
    assert_eq!(listed().as_array().unwrap().len(), 0);
    assert_eq!(
        aramaki.refused(&["maintenance", "end", item], 1)["code"],
        "A-108"
    );
}

#[test]
fn maintenance_follows_the_clock_of_a_place() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let add = ["maintenance", "add", "Webshop", "--reason", "kernel"];
    let clock = ["--cron", "0 3 * * sun", "--zone", "Europe/Vienna"];
    let from = ["--for", "2h", "--from", "2099-03-23T00:00:00Z"];
    aramaki.json(&[&add[..], &clock, &from].concat());
    let listed = aramaki.json(&["maintenance", "list"])["maintenance"].clone();
    // On that Sunday Vienna goes from 02:00 to 03:00, which is 01:00 UTC.
    assert_eq!(listed[0]["from"], "2099-03-29T01:00:00.000Z");
    assert_eq!(listed[0]["next_until"], "2099-03-29T03:00:00.000Z");
    assert_eq!(
        (&listed[0]["cron"], &listed[0]["zone"]),
        (&clock[1].into(), &clock[3].into())
    );
    let told = text(&aramaki.run(&["maintenance", "list"]).stdout);
    assert!(told.contains("at 0 3 * * sun in Europe/Vienna"), "{told}");
    for (wrong, named) in [
        (
            ["--cron", "0 3 * *", "--zone", "UTC", "--for", "2h"],
            "--cron",
        ),
        (
            ["--cron", "0 3 * * *", "--zone", "Mars", "--for", "2h"],
            "--zone",
        ),
        (
            ["--cron", "0 * * * *", "--zone", "UTC", "--for", "2h"],
            "--for",
        ),
    ] {
        let refused = aramaki.refused(&[&add[..], &wrong].concat(), 2);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(named), "{refused}");
    }
    let listed = aramaki.json(&["maintenance", "list"])["maintenance"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1, "nothing was changed");
}

#[test]
fn what_would_break_a_redundancy_group_is_refused_by_the_names_of_those_that_are_out() {
    let aramaki = Aramaki::new();
    for title in ["Webshop", "web1", "web2"] {
        aramaki.json(&["system", "add", title]);
    }
    let none = text(&aramaki.run(&["maintenance", "groups"]).stdout);
    assert!(none.contains("There is no redundancy group"), "{none}");
    let group = ["maintenance", "group", "Webshop", "front"];
    let members = ["--member", "web1", "--member", "web2"];
    let wrong = [&group[..], &["--at-least", "3"], &members].concat();
    assert_eq!(aramaki.refused(&wrong, 1)["code"], "A-111");
    aramaki.json(&[&group[..], &["--at-least", "1"], &members].concat());

    let out = |title| ["maintenance", "out", title, "--reason", "a disk"];
    aramaki.json(&out("web1"));
    let refused = aramaki.refused(&out("web2"), 1);
    assert_eq!(refused["code"], "A-136");
    let message = refused["message"].as_str().unwrap();
    for named in ["front", "Webshop", "web1", "at least 1"] {
        assert!(message.contains(named), "{message}");
    }
    let groups = || aramaki.json(&["maintenance", "groups"])["groups"][0].clone();
    assert_eq!(groups()["in_service"], 1);
    // The timeline says who is out and why.
    let told = text(&aramaki.run(&["timeline", "web1"]).stdout);
    assert!(told.contains("taken out of service: a disk"), "{told}");
    aramaki.json(&["maintenance", "back", "web1"]);
    assert_eq!(groups()["in_service"], 2);
    let again = aramaki.json(&["maintenance", "back", "web1"]);
    assert_eq!(again["was_out"], false);
    aramaki.json(&[&out("web2")[..], &["--for", "1h"]].concat());
    aramaki.refused(&out("web1"), 1);
    aramaki.json(&[&group[..], &["--remove"]].concat());
    aramaki.json(&out("web1"));
    aramaki.refused(&[&group[..], &["--remove"]].concat(), 1);
}

#[test]
fn nothing_was_asked_for_and_what_is_not_there_is_refused() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let none = text(&aramaki.run(&["maintenance", "requests"]).stdout);
    assert!(none.contains("No work was asked for"), "{none}");
    let item = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for verb in ["confirm", "withdraw"] {
        let refused = aramaki.refused(&["maintenance", verb, item], 1);
        assert_eq!(refused["code"], "A-108", "{refused}");
    }
    let ask = [
        "maintenance",
        "request",
        "Webshop",
        "web1",
        "upgrade",
        "--reason",
        "x",
    ];
    let refused = aramaki.refused(&ask, 1);
    assert!(refused["message"].as_str().unwrap().contains("no agent"));
    let half = [&ask[..], &["--for", "1h"]].concat();
    aramaki.refused(&half, 2);
}

#[test]
fn what_is_not_there_or_not_meant_is_refused() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    assert_eq!(
        aramaki.refused(&["alert", "show", "abcdef"], 1)["code"],
        "A-140"
    );
    assert_eq!(
        aramaki.refused(&["alert", "claim", "a"], 1)["code"],
        "A-140"
    );
    let quiet = ["alert", "silence", "--for", "1h", "--reason", "x"];
    assert_eq!(
        aramaki.refused(&quiet, 2)["code"],
        "A-190",
        "nobody is meant"
    );
    let named = [&quiet[..], &["Webshop", "--check", "disk"]].concat();
    let refused = aramaki.refused(&named, 2);
    assert!(
        refused["message"].as_str().unwrap().contains("`disk`"),
        "{refused}"
    );
    let labels = [&quiet[..], &["--labels", "site="]].concat();
    assert_eq!(aramaki.refused(&labels, 2)["code"], "A-190");
    let done = aramaki.json(&[&quiet[..], &["Webshop"]].concat());
    assert_eq!(
        (&done["done"], done["mutes"].as_array().unwrap().len()),
        (&true.into(), 0)
    );
}
