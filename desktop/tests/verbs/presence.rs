//! Machines that may be offline, silences that were made together, and timelines with and without parts.

use serde_json::{Value, json};

use crate::program::{Aramaki, text};

fn agents(aramaki: &Aramaki) -> Value {
    let shown = aramaki.json(&["system", "show", "Office"]);
    let agents = shown["agents"].as_array().unwrap().iter();
    let brief = agents.map(|agent| json!([agent["name"], agent["state"], agent["presence"]]));
    brief.collect()
}

#[test]
fn a_machine_may_be_offline_if_somebody_says_so_and_the_timeline_tells_who() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Office"]);
    aramaki.json(&["agent", "invite", "Office", "--name", "printer"]);
    let laptop = [
        "agent",
        "invite",
        "Office",
        "--name",
        "laptop",
        "--may-be-offline",
    ];
    let laptop = aramaki.json(&laptop)["agent"].as_str().unwrap().to_owned();
    let mut seen = agents(&aramaki);
    seen.as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(
        seen,
        json!([
            ["laptop", "never heard", "may-be-offline"],
            ["printer", "never heard", "always"],
        ])
    );
    let page = text(&aramaki.run(&["system", "show", "Office"]).stdout);
    assert!(page.contains("never heard  laptop"), "{page}");
    assert!(page.contains("may be offline"), "{page}");
    let edit = |more: &[&str]| aramaki.json(&[&["system", "edit", "Office"], more].concat());
    edit(&["--presence", "always", "--agent", &laptop[..8]]);
    assert!(!agents(&aramaki).to_string().contains("may-be-offline"));
    edit(&["--presence", "may-be-offline"]);
    let all = agents(&aramaki).to_string();
    assert_eq!(all.matches("may-be-offline").count(), 1, "{all}");
    // What changed nothing is not told.
    edit(&["--presence", "may-be-offline"]);
    let told = aramaki.json(&["timeline", "Office"]);
    let told: Vec<_> = told["entries"].as_array().unwrap().iter().collect();
    let told: Vec<_> = told.iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "its machines: may be offline",
            "laptop: expected to be heard of at all times",
            "laptop: may be offline",
        ]
    );
    for wrong in [&["--presence", "sometimes"][..], &["--agent", "laptop"]] {
        aramaki.refused(&[&["system", "edit", "Office"], wrong].concat(), 2);
    }
    let nobody = [
        "system",
        "edit",
        "Office",
        "--presence",
        "always",
        "--agent",
        "nobody",
    ];
    let refused = aramaki.refused(&nobody, 1);
    assert!(
        refused["message"].as_str().unwrap().contains("printer"),
        "{refused}"
    );
}

#[test]
fn silences_that_were_made_together_end_together() {
    let aramaki = Aramaki::new();
    let checks = aramaki.path("checks.toml");
    std::fs::write(
        &checks,
        "[[check]]\nname = \"disk\"\nkind.builtin.uptime = {}\n",
    )
    .unwrap();
    for system in ["db1", "db2"] {
        aramaki.json(&["system", "add", system, "--checks", &checks]);
    }
    let silence = |check: &[&str]| {
        let quiet = [
            "alert", "silence", "db1", "db2", "--for", "1h", "--reason", "move", "--yes",
        ];
        let done = aramaki.json(&[&quiet[..], check].concat());
        done["item"].as_str().unwrap().to_owned()
    };
    let item = silence(&["--check", "disk"]);
    let other = silence(&[]);
    let listed = || {
        let listed = aramaki.json(&["alert", "silences"]);
        listed["silences"].as_array().unwrap().len()
    };
    assert_eq!(listed(), 4, "a check, and all, in two Systems");
    let ended = aramaki.json(&["alert", "unsilence", &item]);
    assert_eq!(ended["ended"], 2, "{ended}");
    assert_eq!(ended["systems"].as_array().unwrap().len(), 2, "{ended}");
    assert_eq!(listed(), 2, "the other ones stay");
    let again = aramaki.refused(&["alert", "unsilence", &item], 1);
    assert_eq!(again["code"], "A-108");
    let said = text(&aramaki.run(&["alert", "unsilence", &other]).stdout);
    assert_eq!(said, "Ended 2 silences in 2 Systems.\n");
    assert_eq!(listed(), 0);
}

#[test]
fn a_timeline_is_of_a_system_and_its_parts_unless_it_is_wanted_alone() {
    let aramaki = Aramaki::new();
    for system in ["Webshop", "Checkout", "db1", "Mail"] {
        aramaki.json(&["system", "add", system]);
    }
    aramaki.json(&["system", "link", "Webshop", "Checkout"]);
    aramaki.json(&["system", "link", "Checkout", "db1"]);
    aramaki.json(&["system", "link", "Webshop", "Mail", "--uses"]);
    for system in ["db1", "Webshop", "Mail", "Checkout"] {
        aramaki.json(&["say", system, "looked at", system]);
    }
    let told = |more: &[&str]| -> Vec<String> {
        let told = aramaki.json(&[&["timeline", "Webshop"], more].concat());
        let entries = told["entries"].as_array().unwrap().iter();
        let titles = entries.map(|entry| entry["title"].as_str().unwrap().to_owned());
        titles.collect()
    };
    // Newest first; what it only uses has a timeline of its own.
    assert_eq!(told(&[]), ["Checkout", "Webshop", "db1"]);
    assert_eq!(told(&["--limit", "1"]), ["Checkout"]);
    assert_eq!(told(&["--only-itself"]), ["Webshop"]);
    aramaki.refused(&["timeline", "--only-itself"], 2);
}

/// A code that was lost is made again for the same agent; there are never two of one name.
#[test]
fn an_agent_that_never_joined_is_invited_again() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let invite = ["agent", "invite", "Webshop", "--name", "web1"];
    let first = aramaki.json(&invite);
    let again = aramaki.json(&invite);
    assert_eq!(again["agent"], first["agent"]);
    assert_ne!(again["invitation"], first["invitation"]);
    let shown = aramaki.json(&["system", "show", "Webshop"]);
    assert_eq!(shown.to_string().matches("web1").count(), 1, "{shown}");
}
