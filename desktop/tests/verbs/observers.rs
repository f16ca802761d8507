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
    assert!(page.contains("90 days "), "{page}");
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
    let told = aramaki.json(&["timeline", "Webshop"]);
    let told = told["entries"].as_array().unwrap().clone();
    let is_told = |it: &Value| it["text"] == "agent web1 was removed: sold";
    assert!(told.iter().any(is_told), "{told:?}");
    // Its name is free again.
    aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
}
