//! One person with two devices: the second asks, the first accepts, and both may do the same.

use serde_json::Value;

use super::program::{Aramaki, Process, error_of, text, wait_for};

fn titles(aramaki: &Aramaki, data: &str) -> Vec<String> {
    let listed = aramaki.json_in(data, &["system", "list"]);
    let systems = listed["systems"].as_array().unwrap().clone();
    let mut titles: Vec<_> = systems
        .iter()
        .map(|system| system["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

/// Lets both devices meet at the relay until one of them sees something.
fn until<T>(aramaki: &Aramaki, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    wait_for(what, || {
        aramaki.json(&["peers", "--wait", "1s"]);
        aramaki.json_in("laptop", &["peers", "--wait", "1s"]);
        look()
    })
}

fn waiting(aramaki: &Aramaki) -> Option<String> {
    let listed = aramaki.json(&["device", "list"]);
    let mut waiting = listed["devices"].as_array()?.iter();
    let waiting = waiting.find(|it| it["accepted"] == false)?;
    Some(waiting["device"].as_str()?.to_owned())
}

/// The other of two devices, as one of them lists it.
fn other(aramaki: &Aramaki, data: &str) -> Value {
    let listed = aramaki.json_in(data, &["device", "list"]);
    let mut devices = listed["devices"].as_array().unwrap().iter();
    let other = devices.find(|it| it["this_device"] == false);
    other.unwrap().clone()
}

/// What each could end of the other is said before it is needed.
fn says_what_each_could_end(aramaki: &Aramaki) {
    let beyond = |data: &str| other(aramaki, data)["beyond"].as_array().unwrap().len();
    assert_eq!((beyond("data"), beyond("laptop")), (1, 3), "and the Home");
    let me = aramaki.json(&["peers"])["this_device"].clone();
    let plan = aramaki.json_in("laptop", &["trust", "lost", me.as_str().unwrap()]);
    let places = ["spaces", "beyond"].map(|it| plan[it].as_array().unwrap().len());
    assert_eq!(places, [1, 3], "{plan}");
    let words = text(&aramaki.run(&["device", "list"]).stdout);
    assert!(words.contains("in 1 Space nothing ends it"), "{words}");
}

/// What a lost device may still is said after the preview too.
fn is_not_forgotten(aramaki: &Aramaki, lost: &str, beyond: &Value) {
    let listed = aramaki.json(&["device", "list"]);
    assert_eq!(listed["devices"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["lost"][0]["device"], lost, "{listed}");
    assert_eq!(&listed["lost"][0]["spaces"], beyond, "{listed}");
    let words = text(&aramaki.run(&["device", "list"]).stdout);
    assert!(
        words.contains("still has access in Backup") && words.contains("recover KIT --lost"),
        "{words}"
    );
    assert!(words.contains("There is no recovery kit"), "{words}");
    assert_eq!(listed["recovery_kit"], false);
}

#[test]
fn a_second_device_is_accepted_and_may_do_what_the_first_may_also_what_is_made_later() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json(&[
        "note", "add", "Webshop", "--title", "Before", "--text", "words",
    ]);

    let code = aramaki.json(&["device", "add"]);
    let code = code["code"].as_str().unwrap();
    assert!(code.starts_with("aramakidevice1"), "{code}");
    let mistaken = error_of(&aramaki.run_in("laptop", &["join", code, "--json"]), 1);
    assert_eq!(
        mistaken["code"], "A-101",
        "there is no workspace yet: {mistaken}"
    );
    aramaki.json_in(
        "laptop",
        &["init", "--name", "duty operator", "--no-recovery-kit"],
    );
    let mistaken = error_of(&aramaki.run_in("laptop", &["join", code, "--json"]), 1);
    assert!(mistaken.to_string().contains("device join"), "{mistaken}");

    let asked = aramaki.json_in("laptop", &["device", "join", code]);
    assert_eq!(asked["asked"], true);
    let key = asked["this_device"].as_str().unwrap();
    let waits = until(&aramaki, "the laptop asks", || waiting(&aramaki));
    assert_eq!(waits, key);
    assert_eq!(
        titles(&aramaki, "laptop"),
        [""; 0],
        "the code alone gives nothing"
    );

    let before = aramaki.json(&["status"])["as_of"].clone();
    let accepted = aramaki.json(&["device", "accept", &key[..12]]);
    assert_eq!(accepted["alone"], Value::Array(Vec::new()));
    assert_eq!(accepted["beyond"], Value::Array(Vec::new()));
    // Grants reach back for clocks that are late; nobody had them before.
    let laptop = other(&aramaki, "data");
    assert!(laptop["begin"].as_str() >= before.as_str(), "{laptop}");
    until(&aramaki, "the laptop has what was there", || {
        (titles(&aramaki, "laptop") == ["Webshop"]).then_some(())
    });
    until(&aramaki, "with its notes", || {
        let notes = aramaki.json_in("laptop", &["note", "list", "Webshop"]);
        notes.to_string().contains("Before").then_some(())
    });
    assert_eq!(waiting(&aramaki), None);

    // What either makes later is the other's too, and the laptop may share it on.
    aramaki.json(&["system", "add", "Mail"]);
    until(&aramaki, "what the first makes reaches the laptop", || {
        (titles(&aramaki, "laptop") == ["Mail", "Webshop"]).then_some(())
    });
    aramaki.json_in("laptop", &["system", "add", "Backup"]);
    until(&aramaki, "what the laptop makes reaches the first", || {
        (titles(&aramaki, "data") == ["Backup", "Mail", "Webshop"]).then_some(())
    });
    aramaki.json_in("laptop", &["share", "Mail", "--for", "8h"]);
    aramaki.json(&["share", "Backup", "--for", "8h"]);

    says_what_each_could_end(&aramaki);
    // A lost laptop: everything in one step, but for what it made itself and stands above.
    let ended = aramaki.json(&["trust", "lost", &key[..12], "--yes"]);
    let beyond = ended["beyond"].as_array().unwrap();
    assert_eq!(beyond.len(), 1, "{ended}");
    is_not_forgotten(&aramaki, key, &ended["beyond"]);
    aramaki.json(&["system", "add", "After"]);
    aramaki.json(&["peers", "--wait", "1s"]);
    aramaki.json_in("laptop", &["peers", "--wait", "1s"]);
    assert!(!titles(&aramaki, "laptop").contains(&"After".to_owned()));
}

#[test]
fn a_device_that_waits_makes_nothing_that_nobody_sees_and_knows_the_relays_once_it_is_accepted() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("laptop", &["init", "--name", "duty", "--no-recovery-kit"]);
    aramaki.json_in("laptop", &["system", "add", "Before"]);

    let code = aramaki.json(&["device", "add"]);
    let code = code["code"].as_str().unwrap();
    let asked = aramaki.json_in("laptop", &["device", "join", code]);
    let key = asked["this_device"].as_str().unwrap();
    let spaces = || aramaki.json_in("laptop", &["status"])["systems"].clone();
    let before = spaces();
    let refused = aramaki.refused_in("laptop", &["system", "add", "Early"], 1);
    assert_eq!(refused["code"], "A-138", "{refused}");
    assert!(refused["hint"].to_string().contains(key), "{refused}");
    assert_eq!(spaces(), before);

    until(&aramaki, "the laptop asks", || waiting(&aramaki));
    aramaki.json(&["device", "accept", &key[..12]]);
    // As soon as it may, whether the Systems of the other device have come or not.
    let made = until(&aramaki, "the laptop is accepted", || {
        let made = aramaki.run_in("laptop", &["system", "add", "Later", "--json"]);
        made.status.success().then(|| text(&made.stdout))
    });
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["relays"], serde_json::json!([author]), "{made}");
    until(&aramaki, "what the laptop makes reaches the first", || {
        (titles(&aramaki, "data") == ["Later", "Webshop"]).then_some(())
    });
}

#[test]
fn a_code_for_a_device_lets_in_one_and_nobody_who_was_not_accepted() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let none = aramaki.refused(&["device", "accept", "abcdef12"], 1);
    assert!(none.to_string().contains("device add"), "{none}");
    let code = aramaki.json(&["device", "add"]);
    let code = code["code"].as_str().unwrap();
    for data in ["laptop", "thief"] {
        aramaki.json_in(data, &["init", "--name", data, "--no-recovery-kit"]);
    }
    aramaki.json_in("thief", &["device", "join", code]);
    let used = aramaki.refused_in("laptop", &["device", "join", code], 1);
    assert!(
        used.to_string()
            .contains("as many devices have used it as it lets in"),
        "{used}"
    );
    aramaki.json_in("thief", &["peers", "--wait", "1s"]);
    assert_eq!(titles(&aramaki, "thief"), [""; 0]);
    // It tries again with a code of its own.
    let code = aramaki.json(&["device", "add"]);
    let code = code["code"].as_str().unwrap();
    assert_eq!(
        aramaki.json_in("laptop", &["device", "join", code])["asked"],
        true
    );
}
