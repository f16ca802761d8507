//! Services and what is desired, with a real relay and agent, and without any.

use serde_json::json;

use crate::program::{Aramaki, Process, text, wait_for};

#[test]
fn without_an_agent_nothing_runs_anywhere_and_that_is_said() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let said = text(&aramaki.run(&["service", "list"]).stdout);
    assert!(said.contains("`[[service]]` in its agent.toml"), "{said}");
    let refused = aramaki.refused(&["service", "where", "db"], 1);
    assert_eq!(refused["code"], "A-142");
    assert_eq!(refused["message"], "no agent tells of a service `db`");
    // An empty list is a list.
    let file = aramaki.path("targets.json");
    aramaki.json(&["service", "export", "--file-sd", &file]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[]\n");
    assert_eq!(text(&aramaki.run(&["service", "export"]).stdout), "[]\n");
    let refused = aramaki.refused(&["service", "list", "Nowhere"], 1);
    assert_eq!(refused["code"], "A-103");
    let nowhere = aramaki.path("no/targets.json");
    let refused = aramaki.refused(&["service", "export", "--file-sd", &nowhere], 1);
    assert_eq!(refused["code"], "A-109");
    // An address that is taken is said before anything begins.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = aramaki.refused(&["service", "serve", "--listen", &address], 1);
    assert_eq!(refused["code"], "A-170");
}

#[test]
fn what_is_desired_is_held_to_its_schema() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let set = |more: &[&str]| aramaki.json(&[&["desired", "set", "Webshop"], more].concat());
    let first = set(&[
        "web/workers",
        "4",
        "--as",
        "integer",
        "--min",
        "1",
        "--max",
        "64",
    ]);
    assert_eq!(
        (&first["value"], &first["changed"]),
        (&json!(4), &json!(true))
    );
    assert_eq!(first["generation"].as_str().map(str::len), Some(64));
    let same = set(&["web/workers", "4"]);
    assert_eq!(
        (&same["changed"], &same["generation"]),
        (&json!(false), &first["generation"])
    );
    for value in ["0", "65", "many", "4.5"] {
        let refused = aramaki.refused(&["desired", "set", "Webshop", "web/workers", value], 1);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("from 1 to 64"), "{value}: {message}");
    }
    let wrong = [
        "desired", "set", "Webshop", "web/mode", "on", "--as", "text", "--min", "1",
    ];
    assert_eq!(aramaki.refused(&wrong, 2)["code"], "A-190");
    set(&["web/mode", "on", "--choice", "on", "--choice", "off"]);
    set(&["web/backends", "a, b", "--as", "list"]);
    let get = |path: &str| text(&aramaki.run(&["desired", "get", "Webshop", path]).stdout);
    assert_eq!(
        (get("web/workers").as_str(), get("web/mode").as_str()),
        ("4\n", "on\n")
    );
    assert_eq!(get("web/backends"), "[\"a\",\"b\"]\n");
    let listed = aramaki.json(&["desired", "list", "Webshop"]);
    let paths: Vec<_> = listed["desired"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["path"])
        .collect();
    assert_eq!(paths, ["web/backends", "web/mode", "web/workers"]);
    aramaki.json(&["desired", "unset", "Webshop", "web/mode"]);
    let refused = aramaki.refused(&["desired", "get", "Webshop", "web/mode"], 1);
    assert_eq!(refused["code"], "A-108");
    // More than agents can be told is refused before it is written.
    let long = "x".repeat(4_000);
    let mut refusals = 0;
    for number in 0..14 {
        let path = format!("long/{number}");
        let set = ["desired", "set", "Webshop", &path, &long, "--json"];
        refusals += usize::from(!aramaki.run(&set).status.success());
    }
    assert_eq!(refusals, 2);
    assert_eq!(
        aramaki.json(&["desired", "list", "Webshop"])["desired"]
            .as_array()
            .unwrap()
            .len(),
        14
    );
}

#[test]
fn an_agent_of_the_demo_tells_no_service_and_is_told_what_is_desired() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let _agent = Process::agent(&aramaki, invited["invitation"].as_str().unwrap());
    let told = aramaki.json(&["desired", "set", "Webshop", "web", "1"]);
    assert_eq!(
        (&told["agents_told"], &told["agents"]),
        (&json!(1), &json!(1))
    );
    wait_for("the agent is heard", || {
        let listed = aramaki.json(&["service", "list", "--wait", "1s"]);
        (listed["services"] == json!([])).then_some(())
    });
}
