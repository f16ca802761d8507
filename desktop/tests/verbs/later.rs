//! Trust that begins later, is given anew in one step, and is told with who, since and until when.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

fn grants(aramaki: &Aramaki, of: &str) -> Vec<Value> {
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let grants = listed["grants"].as_array().unwrap().iter();
    grants.filter(|it| it["device"] == of).cloned().collect()
}

fn key(aramaki: &Aramaki, data: &str) -> String {
    let me = aramaki.json_in(data, &["peers"]);
    me["this_device"].as_str().unwrap().to_owned()
}

#[test]
fn a_code_that_begins_later_is_kept_and_lets_in_when_its_time_has_come() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let share = ["share", "Webshop", "--for", "8h", "--from"];
    aramaki.refused(&[&share[..], &["15s", "--inline"]].concat(), 2);
    let past = aramaki.refused(&[&share[..], &["2020-01-01T00:00Z"]].concat(), 2);
    assert!(past.to_string().contains("has passed"), "{past}");
    let code = aramaki.json(&[&share[..], &["15s"]].concat());
    let begin = code["begin"].as_str().unwrap();
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let grants = listed["grants"].as_array().unwrap().iter();
    assert_eq!(
        grants.filter(|it| it["begin"] == begin).count(),
        1,
        "{listed}"
    );
    let people = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(
        people.contains("from ") && people.contains("lets in 1 more until"),
        "{people}"
    );
    aramaki.json_in("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
    let code = code["invitation"].as_str().unwrap();
    assert!(code.len() <= 300, "{code}");
    // It is said at once, and the wait is not longer for it.
    let early = aramaki.json_in("guest", &["join", code, "--wait", "1s"]);
    assert_eq!(
        (&early["complete"], early["begin"].as_str()),
        (&Value::Bool(false), Some(begin))
    );
    let awaiting = aramaki.json_in("guest", &["peers"]);
    assert_eq!(awaiting["awaiting"][0]["begin"], begin, "{awaiting}");
    let people = text(&aramaki.run_in("guest", &["peers"]).stdout);
    assert!(people.contains(" begins "), "{people}");
    // Somebody who administers is there when it begins: a code of before has no keys yet.
    wait_for("the guest is in", || {
        aramaki.json(&["peers", "--wait", "2s"]);
        aramaki.json_in("guest", &["peers", "--wait", "2s"]);
        let listed = aramaki.json_in("guest", &["system", "list"]);
        listed.to_string().contains("Webshop").then_some(())
    });
    let awaiting = aramaki.json_in("guest", &["peers"]);
    assert_eq!(awaiting["awaiting"], serde_json::json!([]), "{awaiting}");
}

#[test]
fn access_begins_when_it_says_is_renewed_in_one_step_and_an_audit_adds_it_up() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let code = aramaki.json(&["share", "Webshop", "--for", "3d", "--to", "Wilma"]);
    aramaki.json_in("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
    let joined = aramaki.json_in("guest", &["join", code["invitation"].as_str().unwrap()]);
    assert_eq!(joined["complete"], true, "{joined}");
    let guest = key(&aramaki, "guest");
    wait_for("the guest is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        (!grants(&aramaki, &guest).is_empty()).then_some(())
    });

    let write = ["trust", "grant", "Webshop", &guest, "--can", "write"];
    let late = [&write[..], &["--from", "tomorrow", "--for", "1h"]].concat();
    aramaki.refused(&late, 2);
    let given = aramaki.json(&[&write[..], &["--from", "15s", "--for", "1h"]].concat());
    assert!(given["begin"].is_string(), "{given}");
    aramaki.json_in("guest", &["peers", "--wait", "1s"]);
    let note = ["note", "add", "Webshop", "--title", "Mine", "--text", "x"];
    aramaki.refused_in("guest", &note, 1);
    let people = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(people.contains("from "), "{people}");
    wait_for("the guest's time to write has come", || {
        let output = aramaki.run_in("guest", &note);
        output.status.success().then_some(())
    });

    let own = grants(&aramaki, &guest);
    let write = own.iter().find(|it| it["capability"] == "write").unwrap();
    let words = write["fingerprint"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 4, "{words}");
    let id = write["grant"].as_str().unwrap();
    let renewed = aramaki.json(&["trust", "renew", "Webshop", id, "--for", "2h"]);
    assert_eq!(renewed["capability"], "write", "{renewed}");
    let writes = grants(&aramaki, &guest);
    let writes = writes.iter().filter(|it| it["capability"] == "write");
    assert_eq!(writes.count(), 2, "the old one ends by itself");

    let audit = aramaki.json(&["trust", "audit", "--who", &guest[..12]]);
    let access = audit["access"].as_array().unwrap();
    let own: Vec<_> = access.iter().filter(|it| it["device"] == guest).collect();
    assert_eq!(own.len(), 3, "{audit}");
    assert_eq!(access.len(), 3, "of nobody else: {audit}");
    let people = text(&aramaki.run(&["trust", "audit", "--readers"]).stdout);
    assert!(
        people.contains("Webshop") && people.contains("from "),
        "{people}"
    );
    let all = aramaki.json(&["trust", "list"]);
    assert_eq!(all["system"], Value::Null);
    let all = all["grants"].as_array().unwrap();
    assert!(all.len() >= 4, "{all:?}");
    // A grant may reach back for peers whose clock is late; nobody had it before it was signed.
    let since: Vec<_> = all.iter().map(|it| it["begin"].as_str()).collect();
    assert!(since.iter().flatten().all(|it| *it > "2020"), "{since:?}");
}
