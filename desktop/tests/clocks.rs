//! People whose days pass while nobody sees them, and whose clocks are wrong.
//!
//! Needs `faketime`. `.ci/run clocks` runs it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

#[path = "verbs/program.rs"]
#[allow(dead_code, reason = "what the other verbs' tests need of it")]
mod program;

use std::process::{Command, Stdio};

use program::{Aramaki, value_of};
use serde_json::Value;

/// Longer than the access that is given here and than the grace of what was written under it.
const LATER: &str = "+4d";

/// What a verb of somebody prints whose clock is off by so much.
fn json_at(shift: &str, aramaki: &Aramaki, data: &str, arguments: &[&str]) -> Value {
    let plain = aramaki.command(data, &[arguments, &["--json"]].concat());
    let mut shifted = Command::new("faketime");
    // Timers go on as they are.
    shifted
        .args(["--exclude-monotonic", "-m", "-f", shift])
        .arg(plain.get_program())
        .args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shifted.env(name, value),
            None => shifted.env_remove(name),
        };
    }
    let output = shifted.stdin(Stdio::null()).output().unwrap();
    value_of(&output, arguments)
}

fn titles(notes: &Value) -> Vec<&str> {
    let notes = notes["notes"].as_array().unwrap().iter();
    notes.map(|note| note["title"].as_str().unwrap()).collect()
}

/// Sam works for an hour without a network and comes back after days; Kim, who came meanwhile, reads what
/// Sam wrote once an administrator took it in.
#[test]
fn who_came_while_work_waited_reads_it_once_it_is_accepted() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let [invite, second, news, back, all] =
        ["invite", "second", "news", "back", "all"].map(|name| aramaki.path(name));
    let share = ["share", "Webshop", "--for", "1h", "--can"];
    aramaki.json(&[&share[..], &["write", "--file", &invite]].concat());
    aramaki.json_in("sam", &["init", "--name", "Sam", "--no-recovery-kit"]);
    aramaki.json_in("sam", &["join", &invite]);
    let note = ["note", "add", "Webshop", "--title"];
    aramaki.json_in("sam", &[&note[..], &["In time", "--text", "done"]].concat());

    let host = |arguments: &[&str]| json_at(LATER, &aramaki, "data", arguments);
    json_at(LATER, &aramaki, "sam", &["carry", "Webshop", &news]);
    host(&["take", &news]);
    assert!(titles(&host(&["note", "list", "Webshop"])).is_empty());
    let held = host(&["trust", "held", "Webshop"]);
    let held = held["held"].as_array().unwrap();
    assert!(!held.is_empty(), "it waits for somebody who decides");
    let grant = held.iter().filter_map(|it| it["grant"].as_str()).last();

    let kim = |arguments: &[&str]| json_at(LATER, &aramaki, "kim", arguments);
    kim(&["init", "--name", "Kim", "--no-recovery-kit"]);
    host(&[&share[..], &["read", "--file", &second]].concat());
    kim(&["join", &second]);
    kim(&["carry", "Webshop", &back]);
    host(&["take", &back]);

    host(&["trust", "accept", "Webshop", grant.unwrap()]);
    assert_eq!(titles(&host(&["note", "list", "Webshop"])), ["In time"]);
    host(&["carry", "Webshop", &all]);
    kim(&["take", &all]);
    assert_eq!(titles(&kim(&["note", "list", "Webshop"])), ["In time"]);
}

/// A colleague renewed Bob's access, whose first grant has ended since; then the colleague's device is lost.
#[test]
fn who_is_there_by_a_renewal_alone_stays_when_the_device_that_renewed_it_is_lost() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let pass = |from: &str, to: &str, name: &str| {
        let file = aramaki.path(name);
        aramaki.json_in(from, &["carry", "Webshop", &file]);
        aramaki.json_in(to, &["take", &file]);
    };
    let [adm, bob] = ["adm", "bob"].map(|who| {
        let file = aramaki.path(&format!("invite-{who}"));
        aramaki.json(&["share", "Webshop", "--for", "1h", "--file", &file]);
        aramaki.json_in(who, &["init", "--name", who, "--no-recovery-kit"]);
        aramaki.json_in(who, &["join", &file]);
        pass(who, "data", &format!("came-{who}"));
        let me = aramaki.json_in(who, &["peers"]);
        me["this_device"].as_str().unwrap().to_owned()
    });
    let grant = |who: &str, to: &str, can: &str, span: &str| {
        let grant = ["trust", "grant", "Webshop", to, "--can", can, "--for", span];
        aramaki.json_in(who, &grant);
    };
    grant("data", &adm, "administer", "9d");
    pass("data", "adm", "told");
    grant("adm", &bob, "read", "8d");
    pass("adm", "data", "renewed");
    let host = |arguments: &[&str]| json_at("+1d", &aramaki, "data", arguments);
    let plan = host(&["trust", "lost", &adm[..12]]);
    let space = &plan["spaces"][0];
    let kept = space["kept"].as_array().unwrap().iter();
    let kept: Vec<_> = kept.filter(|it| it["device"] == bob.as_str()).collect();
    assert_eq!(kept.len(), 1, "{plan}");
    assert_eq!(kept[0]["let_in_by_lost"], true, "{plan}");
    host(&["trust", "lost", &adm[..12], "--yes"]);
    let listed = host(&["trust", "list", "Webshop"]).to_string();
    assert!(listed.contains(&bob) && !listed.contains(&adm), "{listed}");
}

/// Sam was in; the access ended and was closed. The device is let in anew by its key.
#[test]
fn a_device_whose_access_has_ended_is_let_in_again_by_its_key() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let [invite, came, back] = ["invite", "came", "back"].map(|name| aramaki.path(name));
    aramaki.json(&["share", "Webshop", "--for", "1h", "--file", &invite]);
    aramaki.json_in("sam", &["init", "--name", "Sam", "--no-recovery-kit"]);
    aramaki.json_in("sam", &["join", &invite]);
    aramaki.json_in("sam", &["carry", "Webshop", &came]);
    aramaki.json(&["take", &came]);
    let me = aramaki.json_in("sam", &["peers"]);
    let grant = [
        "trust",
        "grant",
        "Webshop",
        me["this_device"].as_str().unwrap(),
    ];
    let host = |arguments: &[&str]| json_at(LATER, &aramaki, "data", arguments);
    host(&[&grant[..], &["--can", "write", "--for", "1h"]].concat());
    host(&["carry", "Webshop", &back]);
    let sam = |arguments: &[&str]| json_at(LATER, &aramaki, "sam", arguments);
    sam(&["take", &back]);
    sam(&["note", "add", "Webshop", "--title", "Back", "--text", "x"]);
}

/// Sam's access had ended before anybody heard that Sam had come: an administrator lets the device in anew
/// by its key.
#[test]
fn a_device_whose_access_was_over_before_it_was_heard_of_is_let_in_by_its_key() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let [invite, news, back] = ["invite", "news", "back"].map(|name| aramaki.path(name));
    let share = ["share", "Webshop", "--for", "1h", "--file", &invite];
    aramaki.json(&share);
    aramaki.json_in("sam", &["init", "--name", "Sam", "--no-recovery-kit"]);
    aramaki.json_in("sam", &["join", &invite]);
    let me = aramaki.json_in("sam", &["peers"]);
    let device = me["this_device"].as_str().unwrap();

    let host = |arguments: &[&str]| json_at(LATER, &aramaki, "data", arguments);
    let sam = |arguments: &[&str]| json_at(LATER, &aramaki, "sam", arguments);
    sam(&["carry", "Webshop", &news]);
    host(&["take", &news]);
    let grant = ["trust", "grant", "Webshop", device, "--can", "write"];
    host(&[&grant[..], &["--for", "1h"]].concat());
    host(&["carry", "Webshop", &back]);
    sam(&["take", &back]);
    sam(&["note", "add", "Webshop", "--title", "Back", "--text", "x"]);
    let again = aramaki.path("again");
    sam(&["carry", "Webshop", &again]);
    host(&["take", &again]);
    assert_eq!(titles(&host(&["note", "list", "Webshop"])), ["Back"]);
}
