//! Whoever was sent away and is invited again, and what is said of access that has ended.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

fn key(aramaki: &Aramaki, data: &str) -> String {
    let me = aramaki.json_in(data, &["peers"]);
    me["this_device"].as_str().unwrap().to_owned()
}

fn grant_of(aramaki: &Aramaki, device: &str) -> Option<String> {
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let mut grants = listed["grants"].as_array().unwrap().iter();
    let own = grants.find(|grant| grant["device"] == device)?;
    Some(own["grant"].as_str().unwrap().to_owned())
}

fn code(aramaki: &Aramaki) -> String {
    let share = ["share", "Webshop", "--can", "write", "--for", "8h"];
    let code = aramaki.json(&share);
    code["invitation"].as_str().unwrap().to_owned()
}

/// A System with a relay, and a guest who was let in and sent away.
fn sent_away(data: &str) -> (Aramaki, Process, String) {
    let aramaki = Aramaki::new();
    let (relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in(data, &["init", "--name", data, "--no-recovery-kit"]);
    let first = aramaki.json_in(data, &["join", &code(&aramaki)]);
    assert_eq!(first["handed_over"], true, "{first}");
    let guest = key(&aramaki, data);
    let grant = wait_for("the guest is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &guest)
    });
    aramaki.json(&["trust", "revoke", "Webshop", &grant]);
    wait_for("the relay knows that the guest is out", || {
        let peers = aramaki.json(&["peers", "--wait", "1s"]);
        (peers["only_here"] == 0).then_some(())
    });
    (aramaki, relay, guest)
}

fn comes_back(aramaki: &Aramaki, data: &str, guest: &str) {
    let joined = aramaki.json_in(data, &["join", &code(aramaki)]);
    assert_eq!(joined["complete"], true, "{joined}");
    assert_eq!(joined["handed_over"], true, "{joined}");
    wait_for("the guest is in again", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(aramaki, guest)
    });
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let open = listed["grants"].as_array().unwrap().iter();
    let open = open.filter(|grant| grant["redemptions_left"] == 1).count();
    assert_eq!(open, 0, "the code was not used: {listed}");
    aramaki.json_in(data, &["say", "Webshop", "back again"]);
    wait_for("what the guest says arrives", || {
        aramaki.json_in(data, &["peers", "--wait", "1s"]);
        aramaki.json(&["peers", "--wait", "1s"]);
        let timeline = aramaki.json(&["timeline", "Webshop"]);
        timeline.to_string().contains("back again").then_some(())
    });
}

#[test]
fn who_was_revoked_unheard_comes_back_by_the_first_new_code() {
    let (aramaki, _relay, guest) = sent_away("fred");
    comes_back(&aramaki, "fred", &guest);
}

#[test]
fn who_heard_that_their_access_ended_comes_back_by_the_first_new_code() {
    let (aramaki, _relay, guest) = sent_away("carl");
    let ended = |peers: &Value| peers["spaces"][0]["ended_elsewhere"] == true;
    wait_for("the guest hears of it", || {
        let peers = aramaki.json_in("carl", &["peers", "--wait", "1s"]);
        ended(&peers).then_some(())
    });
    comes_back(&aramaki, "carl", &guest);
}

/// A code that was revoked before it was used is waited for no more once that is known.
#[test]
fn a_revoked_code_is_refused_and_not_waited_for() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let dead = code(&aramaki);
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let mut grants = listed["grants"].as_array().unwrap().iter();
    let grant = grants.find(|it| it["redemptions_left"] == 1).unwrap();
    let grant = grant["grant"].as_str().unwrap();
    aramaki.json(&["trust", "revoke", "Webshop", grant]);
    wait_for("the relay knows that the code is dead", || {
        let peers = aramaki.json(&["peers", "--wait", "1s"]);
        (peers["only_here"] == 0).then_some(())
    });
    aramaki.json_in("late", &["init", "--name", "late", "--no-recovery-kit"]);
    let refused = aramaki.refused_in("late", &["join", &dead, "--wait", "1m"], 1);
    assert_eq!(refused["code"], "A-110", "{refused}");
    let peers = aramaki.json_in("late", &["peers"]);
    assert_eq!(peers["awaiting"], serde_json::json!([]), "{peers}");
    let people = text(&aramaki.run_in("late", &["status"]).stdout);
    assert!(!people.contains("Waiting for"), "{people}");
}
