//! Why somebody has access is said with the grant, told to all who read the System, and to no relay.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

fn grants(aramaki: &Aramaki, data: &str) -> Vec<Value> {
    let listed = aramaki.json_in(data, &["trust", "list", "Webshop"]);
    listed["grants"].as_array().unwrap().clone()
}

fn of<'a>(grants: &'a [Value], device: &str, may: &str) -> Option<&'a Value> {
    let mut grants = grants.iter();
    grants.find(|it| it["device"] == device && it["capability"] == may)
}

/// Somebody is let in for something; their key.
fn let_in(aramaki: &Aramaki) -> String {
    aramaki.refused(&["share", "Webshop", "--reason", "two\nlines"], 2);
    let share = ["share", "Webshop", "--to", "Wilma", "--for", "8h"];
    let code = aramaki.json(&[&share[..], &["--reason", "audit of payments"]].concat());
    assert_eq!(code["reason"], "audit of payments", "{code}");
    aramaki.json_in("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
    let joined = aramaki.json_in("guest", &["join", code["invitation"].as_str().unwrap()]);
    assert_eq!(joined["complete"], true, "{joined}");
    let me = aramaki.json_in("guest", &["peers"]);
    let guest = me["this_device"].as_str().unwrap().to_owned();
    wait_for("the guest is known with what they came for", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let grants = grants(aramaki, "data");
        let read = of(&grants, &guest, "read")?;
        (read["reason"] == "audit of payments").then_some(())
    });
    // Who only reads is told why as well, of themselves and of the relay.
    let told = grants(aramaki, "guest");
    let read = of(&told, &guest, "read").unwrap();
    assert_eq!(read["reason"], "audit of payments", "{read}");
    guest
}

#[test]
fn a_grant_says_what_it_is_for_and_an_end_says_why() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let own = grants(&aramaki, "data");
    let relay = own.iter().find(|it| it["device"] == author.as_str());
    assert_eq!(relay.unwrap()["reason"], "keeps this System");
    let guest = let_in(&aramaki);
    let guest = guest.as_str();
    let given = aramaki.json(&[
        "trust",
        "grant",
        "Webshop",
        guest,
        "--can",
        "write",
        "--for",
        "1h",
        "--reason",
        "restores a backup",
    ]);
    assert_eq!(given["reason"], "restores a backup", "{given}");
    let write = of(&grants(&aramaki, "data"), guest, "write")
        .unwrap()
        .clone();
    assert_eq!(write["reason"], "restores a backup", "{write}");
    let id = write["grant"].as_str().unwrap();
    aramaki.json(&["trust", "renew", "Webshop", id, "--for", "2h"]);
    let own = grants(&aramaki, "data");
    let mut writes = own
        .iter()
        .filter(|it| it["capability"] == "write" && it["device"] == guest);
    assert!(writes.clone().count() == 2, "{own:?}");
    assert!(
        writes.all(|it| it["reason"] == "restores a backup"),
        "{own:?}"
    );
    let people = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(people.contains("for: restores a backup"), "{people}");

    let end = [
        "trust",
        "revoke",
        "Webshop",
        id,
        "--reason",
        "the backup is back",
    ];
    aramaki.json(&end);
    let audit = aramaki.json(&["trust", "audit", "Webshop"]);
    let entries = audit["entries"].as_array().unwrap();
    let ended = entries.iter().find(|it| it["kind"] == "revoke").unwrap();
    assert_eq!(ended["details"]["words"], "the backup is back", "{ended}");
    assert_eq!(
        ended["details"]["reason"], "none",
        "the relay learns nothing"
    );
    let access = audit["access"].as_array().unwrap();
    let ended = access.iter().find(|it| it["grant"] == id).unwrap();
    assert_eq!(ended["reason"], "restores a backup", "{ended}");
    assert_eq!(ended["end_reason"], "the backup is back", "{ended}");
    let people = text(&aramaki.run(&["trust", "audit", "Webshop"]).stdout);
    assert!(people.contains("reason the backup is back"), "{people}");
    assert!(people.contains("for: audit of payments"), "{people}");
}

#[test]
fn an_agent_that_keeps_its_system_says_what_it_is() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Mail"]);
    aramaki.json(&["relay", "add", &author, &address]);
    // Of what is made after the relay was added it is said too.
    aramaki.json(&["system", "add", "Webshop"]);
    let own = grants(&aramaki, "data");
    let relay = own.iter().find(|it| it["device"] == author.as_str());
    assert_eq!(relay.unwrap()["reason"], "keeps this System");
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let _agent = Process::agent(&aramaki, invited["invitation"].as_str().unwrap());
    wait_for("the agent keeps the System", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let grants = grants(&aramaki, "data");
        let mut grants = grants.iter();
        grants
            .any(|it| it["reason"] == "agent of this System")
            .then_some(())
    });
}
