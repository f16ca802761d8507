//! Several machines on one switch: cut cables, restarted relays, no relay, no direct path.
//!
//! Needs root, iproute2 and nftables. `.ci/run peers` runs it.

use std::time::Duration;

use aramaki_tests::{Agent, Lan, Person, Relay, eventually};

const AGREE_MAX: Duration = Duration::from_mins(1);

#[test]
fn what_was_written_on_both_sides_of_a_cut_cable_agrees_once_it_is_whole() {
    let lan = Lan::new("cut", 4);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
    let first = Person::new(lan.host(2), &at("first"));
    let second = Person::new(lan.host(3), &at("second"));
    let mut agent = Agent::new(lan.host(4), &at("agent"), &at("agent/data"));

    // Everything is handed over through the relay: nobody else is online at the same time.
    first.json(&["system", "add", "Webshop"]);
    relay.serve(&first);
    let invite = ["agent", "invite", "Webshop", "--name", "web1"];
    let for_agent = first.word(&invite, "invitation");
    let share = ["share", "Webshop", "--capability", "write", "--for", "8h"];
    let for_second = first.word(&share, "invitation");
    eventually("the relay has everything", AGREE_MAX, || {
        first.online("1s")["only_here"] == 0
    });
    agent.redeem(&for_agent);
    agent.start();
    second.json(&["join", &for_second]);
    eventually(
        "the second person sees the agent's state",
        AGREE_MAX,
        || {
            second.online("1s");
            second.state("Webshop").as_deref() == Some("ok")
        },
    );

    // The cable of the second person is pulled, and all write.
    lan.plug(3, false);
    agent.observe(2);
    first.note("Webshop", "from the first");
    first.online("2s");
    second.note("Webshop", "from the second");
    let alone = second.online("5s");
    assert!(
        alone["peers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|peer| peer["connected"] == false),
        "nobody is reached, and it says so: {alone}"
    );
    assert_ne!(
        alone["only_here"], 0,
        "the note is on this disk only: {alone}"
    );
    assert_eq!(
        second.state("Webshop").as_deref(),
        Some("ok"),
        "as far as it knows"
    );

    // The relay loses its power meanwhile, and the cable comes back.
    relay.kill();
    relay.restart();
    lan.plug(3, true);
    eventually("both have everything", AGREE_MAX, || {
        second.online("1s");
        first.online("1s");
        second.state("Webshop").as_deref() == Some("critical")
            && first.digests() == second.digests()
    });
    for person in [&first, &second] {
        assert_eq!(
            person.notes("Webshop"),
            ["from the first", "from the second"]
        );
        person.verify();
    }
}

/// No cable leads anywhere: the System goes to the guest and comes back on a stick, and when the cables
/// are in, both agree.
#[test]
fn two_machines_without_a_network_exchange_files_and_agree_when_they_meet() {
    let lan = Lan::new("stick", 2);
    let folder = tempfile::tempdir().unwrap();
    for host in [1, 2] {
        lan.plug(host, false);
    }
    let people = [1, 2].map(|host| {
        let person = Person::new(lan.host(host), &folder.path().join(host.to_string()));
        person.configure("[network]\nlocal_discovery = true\n");
        person
    });
    let [first, second] = &people;
    let stick = |name: &str| folder.path().join(name).display().to_string();
    first.json(&["system", "add", "Webshop"]);
    first.note("Webshop", "from the first");
    let invite = stick("invite.aramaki");
    let share = [
        "share", "Webshop", "--can", "write", "--for", "8h", "--file",
    ];
    first.json(&[&share[..], &[&invite]].concat());
    let joined = second.json(&["join", &invite]);
    assert_eq!(joined["title"], "Webshop", "at once: {joined}");
    assert_eq!(second.notes("Webshop"), ["from the first"]);
    second.note("Webshop", "from the second");
    let news = stick("news.aramaki");
    second.json(&["carry", "Webshop", &news]);
    first.json(&["take", &news]);
    assert_eq!(
        first.notes("Webshop"),
        ["from the first", "from the second"]
    );
    first.note("Webshop", "thank you");

    for host in [1, 2] {
        lan.plug(host, true);
    }
    let online = first.stay_online("60s");
    eventually("both have everything", AGREE_MAX, || {
        second.online("2s");
        second.notes("Webshop").len() == 3
    });
    drop(online);
    eventually("both hold the same", AGREE_MAX, || {
        let online = first.stay_online("3s");
        second.online("2s");
        drop(online);
        first.digests() == second.digests()
    });
    for person in &people {
        person.verify();
    }
}

/// No relay and nobody who announces addresses: the code names the host's.
#[test]
fn on_one_switch_a_code_leads_to_its_maker_without_a_relay() {
    let lan = Lan::new("code", 2);
    let folder = tempfile::tempdir().unwrap();
    let person = |host| Person::new(lan.host(host), &folder.path().join(host.to_string()));
    let (first, second) = (person(1), person(2));
    first.json(&["system", "add", "Webshop"]);
    first.note("Webshop", "kept offline");
    let code = first.word(&["share", "Webshop", "--for", "8h"], "invitation");
    assert!(code.len() <= 300, "{} characters", code.len());
    // Nobody is there yet: the code is kept, and completed when its maker is.
    let joined = second.json(&["join", &code, "--wait", "1s"]);
    assert_eq!(joined["complete"], false, "{joined}");
    let inviting = first.stay_online("60s");
    eventually("the System came", AGREE_MAX, || {
        second.online("1s");
        let listed = second.run(&["note", "list", "Webshop"]);
        String::from_utf8_lossy(&listed.stdout).contains("kept offline")
    });
    let peers = second.online("1s");
    assert_eq!(peers["awaiting"], serde_json::json!([]), "{peers}");
    drop(inviting);
}

#[test]
fn two_people_on_a_train_agree_without_a_relay_even_after_an_address_changed() {
    let lan = Lan::new("train", 2);
    let folder = tempfile::tempdir().unwrap();
    let people = [1, 2].map(|host| {
        let person = Person::new(lan.host(host), &folder.path().join(host.to_string()));
        person.configure("[network]\nlocal_discovery = true\n");
        person
    });
    let [first, second] = &people;
    first.json(&["system", "add", "Webshop"]);
    first.note("Webshop", "kept offline");
    let code = first.word(&["share", "Webshop", "--for", "8h"], "invitation");
    // The invitation tells 10.77.0.1, where nobody is any more.
    lan.set_address(1, 9);
    let inviting = first.stay_online("60s");
    let joined = second.json(&["join", &code, "--wait", "30s"]);
    assert_eq!(joined["title"], "Webshop", "{joined}: {}", inviting.log());
    eventually("the note is there", AGREE_MAX, || {
        second.online("1s");
        second.notes("Webshop") == ["kept offline"]
    });
}

#[test]
fn where_udp_is_dropped_the_transport_relay_carries_what_it_cannot_read() {
    let lan = Lan::new("udp", 3);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
    lan.drop_udp(2);
    lan.drop_udp(3);
    let people = [(2, "first"), (3, "second")].map(|(host, name)| {
        let person = Person::new(lan.host(host), &at(name));
        person.configure("[network]\ntransport_relays = [\"http://10.77.0.1:7480\"]\n");
        person
    });
    let [first, second] = &people;
    first.json(&["system", "add", "Webshop"]);
    let inviting = first.stay_online("2s");
    eventually("the first knows its way in", AGREE_MAX, || {
        inviting.log().contains("on this disk only")
    });
    let code = first.word(&["share", "Webshop", "--for", "8h"], "invitation");
    let inviting = first.stay_online("60s");
    let joined = second.json(&["join", &code, "--wait", "30s"]);
    assert_eq!(
        joined["title"],
        "Webshop",
        "{joined}: {} {}",
        inviting.log(),
        relay.log()
    );
    let peers = second.online("3s");
    assert!(
        peers["peers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|peer| peer["path"] == "relayed"),
        "the path is shown as it is: {peers}"
    );
}
