//! A relay that answers, one that does not, and one that is another.

use super::program::{Aramaki, Process, text, wait_for};

#[test]
fn whether_a_relay_answers_is_said_when_it_is_added() {
    let aramaki = Aramaki::new();
    let (relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    let added = aramaki.json(&["relay", "add", &author, &address]);
    assert_eq!(added["reached"], true, "{added}");
    // Its author's key mistaken for this device's own.
    let own = aramaki.json(&["peers"])["this_device"]
        .as_str()
        .unwrap()
        .to_owned();
    let said = text(&aramaki.run(&["relay", "add", &own, &address]).stdout);
    assert!(
        said.contains("another one") && said.contains(&author[..8]),
        "{said}"
    );
    drop(relay);
    let said = aramaki.run(&["relay", "add", &author, &address]);
    assert!(said.status.success(), "it may answer later");
    assert!(text(&said.stdout).contains("Nobody answers"), "{said:?}");
}

#[test]
fn a_relay_whose_access_was_ended_keeps_no_new_system() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let made = aramaki.json(&["system", "add", "Mail"]);
    assert_eq!(made["relays"], serde_json::json!([author]), "{made}");
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let mut grants = listed["grants"].as_array().unwrap().iter();
    let relay = grants.find(|it| it["device"] == author.as_str()).unwrap();
    let grant = relay["grant"].as_str().unwrap();
    let ends = ["trust", "revoke", "Webshop", grant];
    aramaki.json(&[&ends[..], &["--reason", "its operator is not trusted"]].concat());
    let made = aramaki.json(&["system", "add", "Accounts"]);
    assert_eq!(made["relays"], serde_json::json!([]), "{made}");
    let listed = aramaki.json(&["trust", "list", "Accounts"]);
    assert!(!listed.to_string().contains(&author), "{listed}");
}

/// What a relay refuses for a quota is nowhere else: who writes it is told so, and that it is kept.
#[test]
fn who_writes_more_than_a_relay_takes_hears_that_it_is_kept_here() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::small_relay(&aramaki, "40000");
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let quiet = aramaki.json(&["peers", "--wait", "1s"]);
    assert_eq!(quiet["spaces"][0]["over_quota_at"], serde_json::json!([]));
    let words = (1..1_500_u64).map(|n| format!("{:x} ", n * n * 104_729 % 1_299_709));
    let long: String = words.collect();
    for title in ["One", "Two", "Three", "Four", "Five", "Six"] {
        aramaki.json(&["note", "add", "Webshop", "--title", title, "--text", &long]);
    }
    wait_for("the relay says that it takes no more", || {
        let peers = aramaki.json(&["peers", "--wait", "2s"]);
        (peers["spaces"][0]["over_quota_at"] == serde_json::json!([author])).then_some(())
    });
    let words = text(&aramaki.run(&["peers", "--wait", "2s"]).stdout);
    assert!(
        words.contains("has taken no more of Webshop") && words.contains("kept here"),
        "{words}"
    );
}
