//! Agents and checks as people manage them, with a real relay and agent.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

fn checks(aramaki: &Aramaki) -> Vec<Value> {
    let shown = aramaki.json(&["system", "show", "Webshop"]);
    shown["checks"].as_array().unwrap().clone()
}

#[test]
fn checks_handed_over_again_without_ids_are_the_same_ones() {
    let aramaki = Aramaki::new();
    let file = aramaki.path("checks.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("[[check]]\nname = \"load\"\nkind.builtin.load = {}\n");
    aramaki.json(&["system", "add", "Webshop", "--checks", &file]);
    let edit = ["system", "edit", "Webshop", "--checks", &file];
    write("[[check]]\nname = \"load\"\nenabled = false\nkind.builtin.load = {}\n");
    aramaki.json(&edit);
    let now = checks(&aramaki);
    assert_eq!((now.len(), &now[0]["enabled"]), (1, &false.into()));
    // One of the same name and another id would be a second one.
    let id = "id = \"01ARZ3NDEKTSV4RRFFQ69G5FAV\"\n";
    write(&format!(
        "[[check]]\n{id}name = \"load\"\nkind.builtin.load = {{}}\n"
    ));
    let refused = aramaki.refused(&edit, 1);
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("\"load\" already, with id "), "{message}");
    assert_eq!(checks(&aramaki).len(), 1);
    // With the id that it says it is the same one.
    let known = message.split("with id ").nth(1).unwrap();
    let known: String = known.chars().take(26).collect();
    write(&format!(
        "[[check]]\nid = \"{known}\"\nname = \"load\"\nkind.builtin.load = {{}}\n"
    ));
    aramaki.json(&edit);
    assert_eq!(checks(&aramaki)[0]["enabled"], true);

    let remove = ["system", "remove-check", "Webshop", "load"];
    let would = aramaki.json(&[&remove[..], &["--preview"]].concat());
    assert_eq!(
        (&would["removed"], checks(&aramaki).len()),
        (&false.into(), 1)
    );
    aramaki.json(&remove);
    assert_eq!(checks(&aramaki).len(), 0);
    let refused = aramaki.refused(&remove, 1);
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("the System has no checks"), "{message}");
}

/// The hook ran with the first bad result; two more made it count, and people still see what it printed.
fn its_hook_is_seen(aramaki: &Aramaki) {
    let alerts = aramaki.json(&["alert", "list", "--wait", "1s"])["alerts"].clone();
    let id = alerts[0]["id"].as_str().unwrap();
    let shown = aramaki.json(&["alert", "show", id])["alert"].clone();
    let detail = shown["detail"].as_str().unwrap();
    assert!(detail.contains("who was there"), "{shown}");
    let tries = &shown["tries"];
    assert_eq!(
        (&tries[0]["attempt"], &tries[0]["attempts"]),
        (&1.into(), &3.into())
    );
    let page = text(&aramaki.run(&["alert", "show", id]).stdout);
    assert!(page.contains("Before it counted:"), "{page}");
    assert!(
        page.contains("(1/3)") && page.contains("(2/3)  the same"),
        "{page}"
    );
    assert!(page.contains("90 days "), "{page}");
}

/// What a removed agent saw is still there, and who removed it why.
fn its_past_stays(aramaki: &Aramaki) {
    let told = aramaki.json(&["timeline", "Webshop"]);
    let told = told["entries"].as_array().unwrap().clone();
    let is_told = |it: &Value| it["text"] == "agent web1 was removed" && it["who"] != "";
    assert!(told.iter().any(is_told), "{told:?}");
    let is_why = |it: &Value| it["text"] == "why agent web1 was removed: sold";
    assert!(told.iter().any(is_why), "{told:?}");
    // What it saw is still there.
    let is_seen = |it: &Value| {
        it["kind"] == "transition"
            && it["text"]
                .as_str()
                .is_some_and(|it| it.starts_with("flag: "))
    };
    assert!(told.iter().any(is_seen), "{told:?}");
    let past = aramaki.json(&["alert", "list", "--resolved"]);
    let past = past["alerts"][0]["id"].as_str().unwrap().to_owned();
    let shown = text(&aramaki.run(&["alert", "show", &past]).stdout);
    assert!(shown.contains("was observed by web1 until "), "{shown}");
}

#[test]
fn an_agent_is_listed_with_what_fails_and_removed_with_a_word() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    let file = aramaki.path("checks.toml");
    let flag = aramaki.path("flag");
    std::fs::write(&flag, "").unwrap();
    let toml = "[[check]]\nname = \"flag\"\ninterval_ms = 1000\nretry_interval_ms = 1000\nattempts = 3\n\
                hook = { program = \"/bin/echo\", arguments = [\"who was there\"] }\n\
                kind.command = { program = \"/usr/bin/test\", arguments = [\"-e\", \"FLAG\"] }\n";
    std::fs::write(&file, toml.replace("FLAG", &flag)).unwrap();
    aramaki.json(&["system", "add", "Webshop", "--checks", &file]);
    aramaki.json(&["relay", "add", &author, &address]);
    assert_eq!(
        aramaki.json(&["agent", "list"])["agents"],
        Value::Array(Vec::new())
    );
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let invited = invited["invitation"].as_str().unwrap();
    let _agent = Process::agent(&aramaki, invited);
    // It was OK, so that all three attempts are needed.
    wait_for("a check that is OK", || {
        let shown = aramaki.json(&["status", "--wait", "1s"]);
        let state = shown["systems"][0]["raw"].clone();
        (state == "ok").then_some(())
    });
    std::fs::remove_file(&flag).unwrap();
    let listed = wait_for("a failing check", || {
        aramaki.json(&["status", "--wait", "1s"]);
        let listed = aramaki.json(&["agent", "list", "Webshop"])["agents"][0].clone();
        (listed["failing"] == 1).then_some(listed)
    });
    assert_eq!(
        (&listed["name"], &listed["title"]),
        (&"web1".into(), &"Webshop".into())
    );
    assert_eq!(listed["version"], env!("CARGO_PKG_VERSION"), "{listed}");
    let shown = text(&aramaki.run(&["agent", "list"]).stdout);
    assert!(shown.contains("1 failing"), "{shown}");

    its_hook_is_seen(&aramaki);

    let would = aramaki.json(&["system", "remove-check", "Webshop", "flag", "--preview"]);
    assert_eq!(would["closes"].as_array().unwrap().len(), 1, "{would}");

    let remove = ["agent", "remove", "Webshop", "web1"];
    let would = aramaki.json(&[&remove[..], &["--preview"]].concat());
    assert_eq!(
        (&would["removed"], &would["joined"]),
        (&false.into(), &true.into())
    );
    assert_eq!(would["unseen_checks"][0], "flag");
    let said = text(
        &aramaki
            .run(&[&remove[..], &["--reason", "sold"]].concat())
            .stdout,
    );
    assert!(
        said.contains("web1 is no agent of Webshop any more"),
        "{said}"
    );
    assert!(said.contains("systemctl disable --now"), "{said}");
    assert_eq!(
        aramaki.json(&["agent", "list"])["agents"],
        Value::Array(Vec::new())
    );
    its_past_stays(&aramaki);
    // Its name is free again.
    aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
}

/// A check of the office about something that is not there, looked at every second.
fn office(aramaki: &Aramaki) -> (Process, Process, String) {
    let (relay, author, address) = Process::relay(aramaki);
    let (file, flag) = (aramaki.path("checks.toml"), aramaki.path("flag"));
    aramaki.json(&["system", "add", "Site"]);
    aramaki.json(&["system", "add", "Switch 1"]);
    aramaki.json(&["system", "link", "Site", "Switch 1"]);
    std::fs::write(
        &file,
        format!(
            "[[check]]\nname = \"uplink\"\ninterval_ms = 1000\nquorum = 1\nabout_system = \"Switch 1\"\n\
             kind.command = {{ program = \"/usr/bin/test\", arguments = [\"-e\", \"{flag}\"] }}\n"
        ),
    )
    .unwrap();
    aramaki.json(&["system", "add", "Office", "--checks", &file]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Office", "--name", "probe1"]);
    let agent = Process::agent(aramaki, invited["invitation"].as_str().unwrap());
    (relay, agent, flag)
}

/// The raw state of a System, after listening for a moment.
fn state(aramaki: &Aramaki, system: &str) -> Value {
    let shown = aramaki.json(&["status", system, "--wait", "1s"]);
    shown["systems"][0]["raw"].clone()
}

#[test]
fn a_switch_is_seen_from_the_office_when_both_say_so() {
    let aramaki = Aramaki::new();
    let (_relay, _agent, flag) = office(&aramaki);
    it_is_nobodys_yet(&aramaki);
    let observe = ["system", "observe", "Switch 1", "--from", "Office"];
    let done = aramaki.json(&observe);
    assert_eq!(
        (&done["observes"], &done["checks"]),
        (&true.into(), &1.into())
    );
    let id = it_is_the_switchs(&aramaki);
    others_see_what_they_may(&aramaki, &id);

    // It recovers, and the alert is over.
    std::fs::write(&flag, "").unwrap();
    wait_for("an end", || {
        (state(&aramaki, "Switch 1") == "ok").then_some(())
    });
    let remove = [&observe[..], &["--remove"]].concat();
    assert_eq!(aramaki.json(&remove)["observes"], false);
    assert_eq!(state(&aramaki, "Switch 1"), Value::Null);
    aramaki.refused(&remove, 1);
}

/// The office sees it, and nobody is told.
fn it_is_nobodys_yet(aramaki: &Aramaki) {
    let seen = wait_for("a result", || {
        aramaki.json(&["status", "--wait", "1s"]);
        let other = aramaki.json(&["system", "show", "Office"])["for_others"][0].clone();
        (other["raw"] == "warning").then_some(other)
    });
    assert_eq!(
        (&seen["standing"], &seen["title"]),
        (&"not-let".into(), &"Switch 1".into())
    );
    assert_eq!(aramaki.json(&["alert", "list"])["total"], 0);
    let page = text(&aramaki.run(&["system", "show", "Office"]).stdout);
    assert!(page.contains("counts nowhere"), "{page}");
    let itself = ["system", "observe", "Office", "--from", "Office"];
    let refused = aramaki.refused(&itself, 1);
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("look at it anyway"), "{message}");
}

/// An alert about the switch, seen from the office; returns its id.
fn it_is_the_switchs(aramaki: &Aramaki) -> String {
    let alert = wait_for("an alert about the switch", || {
        let listed = aramaki.json(&["alert", "list", "--wait", "1s"]);
        listed["alerts"].as_array().unwrap().first().cloned()
    });
    assert_eq!(
        (&alert["title"], &alert["name"]),
        (&"Switch 1".into(), &"uplink".into())
    );
    let from = &alert["seen_from"][0];
    assert_eq!(
        (&from["title"], &from["name"]),
        (&"Office".into(), &"probe1".into())
    );
    assert_eq!(state(aramaki, "Site"), "warning");
    assert_eq!(
        state(aramaki, "Office"),
        Value::Null,
        "nothing of the office itself is looked at"
    );
    let id = alert["id"].as_str().unwrap();
    for verb in [
        &["alert", "show", id][..],
        &["status", "Switch 1"],
        &["system", "show", "Switch 1"],
    ] {
        let said = text(&aramaki.run(verb).stdout);
        assert!(
            said.contains("seen from Office, probe1"),
            "{verb:?}: {said}"
        );
    }
    let told = aramaki.json(&["status", "Switch 1"])["seen_from"][0].clone();
    assert_eq!(
        (&told["check"], &told["raw"]),
        (&"uplink".into(), &"warning".into())
    );
    id.to_owned()
}

/// Who reads the switch alone is told that it is not known; who reads both sees the same alert.
fn others_see_what_they_may(aramaki: &Aramaki, id: &str) {
    let join = |system: &str| {
        let shared = aramaki.json(&["share", system]);
        aramaki.json_in("second", &["join", shared["invitation"].as_str().unwrap()]);
    };
    aramaki.json_in("second", &["init", "--name", "Wilma", "--no-recovery-kit"]);
    join("Switch 1");
    let row = wait_for("the switch", || {
        let shown = aramaki.json_in("second", &["status", "Switch 1", "--wait", "1s"]);
        let row = shown["systems"][0].clone();
        (row["raw"] == "missing").then_some(row)
    });
    assert_eq!(row["why"], "Switch 1 → Office", "{row}");
    let shown = aramaki.json_in("second", &["system", "show", "Switch 1"]);
    assert_eq!(shown["observers"][0]["readable"], false, "{shown}");
    join("Office");
    wait_for("the same alert", || {
        let listed = aramaki.json_in("second", &["alert", "list", "--wait", "1s"]);
        (listed["alerts"][0]["id"] == id).then_some(())
    });
}
