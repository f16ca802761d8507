//! An incident: called in for one thing, and shown nothing else.

use super::program::{Aramaki, Process, wait_for};

/// Who is called in sees the incident, and nothing of the System that it is of.
#[test]
fn an_incident_is_a_space_of_its_own() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json(&[
        "note", "add", "Webshop", "--title", "Secret", "--text", "words",
    ]);
    let opened = aramaki.json(&[
        "incident",
        "Webshop",
        "Checkout is slow",
        "--invite",
        "--to",
        "vendor",
    ]);
    let trusted = aramaki
        .json(&["trust", "list", "Checkout is slow"])
        .to_string();
    assert!(trusted.contains("invitation for vendor"), "{trusted}");
    assert!(trusted.contains("called in: Checkout is slow"), "{trusted}");
    aramaki.json(&["say", "Checkout is slow", "it was", "the disk"]);
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    aramaki.json_in("second", &["join", opened["invitation"].as_str().unwrap()]);
    let seen = wait_for("the words arrive", || {
        aramaki.json_in("second", &["peers", "--wait", "1s"]);
        let seen = aramaki.json_in("second", &["timeline"]).to_string();
        seen.contains("it was the disk").then_some(seen)
    });
    assert!(seen.contains("Opened an incident of Webshop"), "{seen}");
    let systems = aramaki.json_in("second", &["system", "list"]);
    assert_eq!(systems["systems"].as_array().unwrap().len(), 1, "{systems}");
    let notes = aramaki.run_in("second", &["note", "list", "Webshop"]);
    assert!(!notes.status.success(), "the System itself is not here");
    let told = aramaki.json(&["timeline", "Webshop"]).to_string();
    assert!(told.contains("Opened the incident"), "{told}");
}
