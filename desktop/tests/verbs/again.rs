//! Whoever was sent away and is invited again, and what is said of access that has ended.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

fn key(aramaki: &Aramaki, data: &str) -> String {
    let me = aramaki.json_in(data, &["peers"]);
    me["this_device"].as_str().unwrap().to_owned()
}

fn grant_of(aramaki: &Aramaki, device: &str) -> Option<String> {
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let mut grants = listed["grants"].as_array()?.iter();
    let own = grants.find(|grant| grant["device"] == device)?;
    own["grant"].as_str().map(str::to_owned)
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
    // Told once, it is known from then on: whatever is written is on this disk only.
    let said = aramaki.json_in("carl", &["say", "Webshop", "for nobody"]);
    let warning = said["warning"].as_str().unwrap_or_default();
    assert!(warning.contains("on this disk only"), "{said}");
    for verb in ["status", "trust list"] {
        let arguments: Vec<_> = verb.split(' ').collect();
        let listed = aramaki.json_in("carl", &arguments);
        let ended = listed["ended_elsewhere"].as_array().unwrap();
        assert_eq!(ended.len(), 1, "{listed}");
        let people = text(&aramaki.run_in("carl", &arguments).stdout);
        assert!(people.contains("has ended"), "{people}");
    }
    comes_back(&aramaki, "carl", &guest);
    let said = aramaki.json_in("carl", &["say", "Webshop", "for all"]);
    assert_eq!(said["warning"], Value::Null, "{said}");
}

fn rows(listed: &Value, key: &str) -> Vec<Value> {
    listed[key].as_array().unwrap().clone()
}

/// Since when, until when and when last seen are what they are; what is over is not listed; an audit
/// says what codes were, when they were used up, and why access ended.
#[test]
fn a_list_and_an_audit_say_what_was() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    let begun = aramaki.json(&["status"])["as_of"].clone();
    let begun = begun.as_str().unwrap();
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("bob", &["init", "--name", "bob", "--no-recovery-kit"]);
    aramaki.json_in("bob", &["join", &code(&aramaki)]);
    let bob = key(&aramaki, "bob");
    let grant = wait_for("bob is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &bob)
    });
    aramaki.json(&["share", "Webshop", "--for", "1s"]);
    let grants = wait_for("a code that is over is not listed", || {
        let grants = rows(&aramaki.json(&["trust", "list", "Webshop"]), "grants");
        let open = grants.iter().any(|it| it["redemptions_left"] == 1);
        (!open).then_some(grants)
    });
    assert!(grants.len() >= 4, "{grants:?}");
    for grant in &grants {
        assert!(grant["begin"].as_str().unwrap() >= begun, "{grant}");
    }
    let of_bob = grants.iter().find(|it| it["device"] == bob).unwrap();
    assert!(of_bob["last_seen"].is_string(), "came by a relay: {of_bob}");
    // Who may not end it is told so, and nothing is written.
    let relay = grants
        .iter()
        .find(|it| it["capability"] == "relay")
        .unwrap();
    let relay = relay["grant"].as_str().unwrap();
    let why = ["--reason", "coup"];
    let coup = [&["trust", "revoke", "Webshop", relay][..], &why].concat();
    let refused = aramaki.refused_in("bob", &coup, 1);
    assert_eq!(refused["code"], "A-111", "{refused}");
    let stands = aramaki.json_in("bob", &["trust", "list", "Webshop"]);
    assert!(stands.to_string().contains(relay), "{stands}");
    aramaki.refused(&["trust", "revoke", "Webshop", "nobody of that name"], 1);

    let left = ["--reason", "left the team"];
    aramaki.json(&[&["trust", "revoke", "Webshop", &grant][..], &left].concat());
    let audit = aramaki.json(&["trust", "audit", "Webshop"]);
    let entries = rows(&audit, "entries");
    let mine = aramaki.json(&["peers"])["this_device"].clone();
    let revoked = entries.iter().filter(|it| it["kind"] == "revoke");
    assert!(
        revoked
            .clone()
            .all(|it| it["device"] == mine || it["by"] != bob),
        "{audit}"
    );
    assert_eq!(revoked.count(), 1, "{audit}");
    let access = rows(&audit, "access");
    let own = access.iter().find(|it| it["device"] == bob).unwrap();
    assert_eq!(own["end_reason"], "left the team", "{own}");
    for row in &access {
        assert!(row["begin"].as_str().unwrap() >= begun, "{row}");
    }
    let codes = access.iter().filter(|it| {
        let who = it["who"].as_str().unwrap();
        who.starts_with("invitation")
    });
    let ended: Vec<_> = codes
        .map(|it| it["ended"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ended.len(), 2, "{access:?}");
    assert!(ended.contains(&"used".to_owned()), "{access:?}");
    let timeline = aramaki.json(&["timeline", "Webshop"]).to_string();
    assert!(timeline.contains("was ended: left the team"), "{timeline}");
}

#[test]
fn a_name_ends_access_and_gives_none() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("bob", &["init", "--name", "bob", "--no-recovery-kit"]);
    let share = ["share", "Webshop", "--for", "8h", "--to", "Bob Miller"];
    let code = aramaki.json(&share);
    aramaki.json_in("bob", &["join", code["invitation"].as_str().unwrap()]);
    let bob = key(&aramaki, "bob");
    wait_for("bob is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &bob)
    });
    let give = ["--can", "write", "--for", "1h"];
    let by_name = [&["trust", "grant", "Webshop", "bob miller"][..], &give].concat();
    let refused = aramaki.refused(&by_name, 1);
    assert!(refused.to_string().contains(&bob), "{refused}");
    let unknown = "ab".repeat(32);
    let by_key = [&["trust", "grant", "Webshop", &unknown][..], &give].concat();
    let refused = aramaki.refused(&by_key, 1);
    assert!(refused.to_string().contains("aramaki share"), "{refused}");
    let late = ["--from", "2020-01-01T00:00Z"];
    aramaki.refused(
        &[&["trust", "grant", "Webshop", &bob][..], &give, &late].concat(),
        2,
    );
    let people = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    let widest = people.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(120), "{people}");
    let lost = aramaki.json(&["trust", "lost", "Bob Miller"]);
    assert_eq!(lost["spaces"].as_array().unwrap().len(), 1, "{lost}");
    aramaki.json(&["trust", "revoke", "Webshop", "Bob Miller"]);
    assert_eq!(grant_of(&aramaki, &bob), None);
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

#[test]
fn a_new_workspace_says_what_protects_its_key() {
    let aramaki = Aramaki::without_workspace();
    let init = ["init", "--name", "x", "--no-recovery-kit"];
    let people = text(&aramaki.run(&init).stdout);
    assert!(
        people.contains("not sealed") && people.contains("aramaki key seal"),
        "{people}"
    );
}

/// What is cut from the start goes and stays gone, whatever is written next; what others had built on before
/// stays, and the preview says how much of each.
#[test]
fn what_is_revoked_from_the_start_does_not_come_back() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("pat", &["init", "--name", "pat", "--no-recovery-kit"]);
    aramaki.json_in("pat", &["join", &code(&aramaki)]);
    let says = |words: &str| {
        aramaki.json_in("pat", &["say", "Webshop", words]);
        wait_for("it arrives", || {
            aramaki.json_in("pat", &["peers", "--wait", "1s"]);
            aramaki.json(&["peers", "--wait", "1s"]);
            said(&aramaki, words).then_some(())
        });
    };
    says("built on");
    aramaki.json(&["say", "Webshop", "an honest answer"]);
    says("spam one");
    says("spam two");
    let grant = grant_of(&aramaki, &key(&aramaki, "pat")).unwrap();
    let revoke = ["trust", "revoke", "Webshop", &grant, "--from-the-start"];
    let preview = aramaki.json(&[&revoke[..], &["--preview"]].concat());
    assert_eq!(preview["revoked"], false);
    assert!(said(&aramaki, "spam one"), "a preview changes nothing");
    let done = aramaki.json(&revoke);
    assert_eq!(done["changes_cut"], preview["changes_cut"]);
    assert_eq!(done["changes_cut"], 2, "{done}");
    assert!(done["changes_that_stay"].as_u64().unwrap() >= 1, "{done}");
    for words in ["next", "and next"] {
        aramaki.json(&["say", "Webshop", words]);
        aramaki.json(&["peers", "--wait", "1s"]);
    }
    assert!(!said(&aramaki, "spam one") && !said(&aramaki, "spam two"));
    assert!(said(&aramaki, "built on") && said(&aramaki, "an honest answer"));
    assert!(said(&aramaki, "and next"));
}

fn said(aramaki: &Aramaki, words: &str) -> bool {
    let timeline = aramaki.json(&["timeline", "Webshop"]);
    timeline.to_string().contains(words)
}

/// One of two who came by a code of several uses is sent away: they keep the code, which opens nothing
/// more and lets in nobody.
#[test]
fn a24_the_code_of_a_guest_who_is_sent_away_opens_nothing_and_lets_in_nobody() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let share = ["share", "Webshop", "--can", "read", "--redemptions", "3"];
    let shared = aramaki.json(&share);
    let code = shared["invitation"].as_str().unwrap();
    let came = ["fred", "gina"].map(|data| {
        aramaki.json_in(data, &["init", "--name", data, "--no-recovery-kit"]);
        aramaki.json_in(data, &["join", code]);
        let device = key(&aramaki, data);
        wait_for("the guest is known", || {
            aramaki.json(&["peers", "--wait", "1s"]);
            grant_of(&aramaki, &device)
        })
    });
    let ended = aramaki.json(&["trust", "revoke", "Webshop", &came[0]]);
    assert_eq!(ended["ended_invitation"]["redemptions_left"], 1, "{ended}");
    let note = [
        "note",
        "add",
        "Webshop",
        "--title",
        "later",
        "--text",
        "not for fred",
    ];
    aramaki.json(&note);
    let reads = |data: &str| {
        aramaki.json_in(data, &["peers", "--wait", "2s"]);
        let exported = aramaki.json_in(data, &["export", "Webshop"]);
        exported.to_string().contains("not for fred")
    };
    wait_for("who stays reads it", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        reads("gina").then_some(())
    });
    assert!(!reads("fred"), "the code still opens what is written now");
    aramaki.json_in("hank", &["init", "--name", "hank", "--no-recovery-kit"]);
    let refused = aramaki.refused_in("hank", &["join", code, "--wait", "1m"], 1);
    assert_eq!(refused["code"], "A-110", "{refused}");
}

/// Whoever gives up their own access is in the audit and on the timeline with their reason.
#[test]
fn who_leaves_is_told_of_with_the_reason() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("sid", &["init", "--name", "sid", "--no-recovery-kit"]);
    aramaki.json_in("sid", &["join", &code(&aramaki)]);
    let device = key(&aramaki, "sid");
    wait_for("the guest is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &device)
    });
    let own = aramaki.json_in("sid", &["trust", "list", "Webshop"]);
    let mut own = own["grants"].as_array().unwrap().iter();
    let own = own.find(|it| it["device"] == device).unwrap();
    let own = own["grant"].as_str().unwrap();
    let leave = ["trust", "revoke", "Webshop", own, "--reason", "moving on"];
    aramaki.json_in("sid", &leave);
    wait_for("it is known", || {
        aramaki.json_in("sid", &["peers", "--wait", "1s"]);
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &device).is_none().then_some(())
    });
    let readers = aramaki
        .json(&["trust", "audit", "Webshop", "--readers"])
        .to_string();
    assert!(
        readers.contains(&device) && readers.contains("moving on"),
        "{readers}"
    );
    let audit = text(&aramaki.run(&["trust", "audit", "Webshop"]).stdout);
    assert!(!audit.contains("does not count"), "{audit}");
    let timeline = aramaki.json(&["timeline", "Webshop"]).to_string();
    assert!(timeline.contains("was ended: moving on"), "{timeline}");
}

/// Who may ask an agent for actions holds a grant in the agent's own Space: it is listed, and ends with the
/// access to the System.
#[test]
fn a40_who_is_sent_away_holds_nothing_at_the_agents_either() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let _agent = Process::agent(&aramaki, invited["invitation"].as_str().unwrap());
    aramaki.json_in("carl", &["init", "--name", "carl", "--no-recovery-kit"]);
    aramaki.json_in("carl", &["join", &code(&aramaki)]);
    let carl = key(&aramaki, "carl");
    let grant = wait_for("the guest is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &carl)
    });
    let allow = [
        "action", "allow", "Webshop", "web1", &carl, "--action", "flush",
    ];
    aramaki.json(&[&allow[..], &["--can", "request", "--for", "8h"]].concat());
    let held = |listed: &Value| {
        let held = listed["at_agents"].as_array().unwrap().iter();
        held.filter(|it| it["device"] == carl && it["agent"] == "web1")
            .count()
    };
    assert_eq!(held(&aramaki.json(&["trust", "list", "Webshop"])), 1);
    let preview = aramaki.json(&["trust", "revoke", "Webshop", &grant, "--preview"]);
    assert_eq!(held(&preview), 1, "{preview}");
    let ended = aramaki.json(&["trust", "revoke", "Webshop", &grant]);
    assert_eq!(held(&ended), 1, "{ended}");
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    assert_eq!(held(&listed), 0, "{listed}");
}

/// A code by which a device came before changes nothing: it says so, and what became of that access only
/// somebody who answers now knows. A copy of the device is told nothing that was written since.
#[test]
fn a_code_by_which_one_came_before_is_no_way_back() {
    let aramaki = Aramaki::new();
    let (relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("bob", &["init", "--name", "bob", "--no-recovery-kit"]);
    let share = [
        "share",
        "Webshop",
        "--can",
        "write",
        "--for",
        "8h",
        "--redemptions",
        "5",
    ];
    let code = aramaki.json(&share);
    let code = code["invitation"].as_str().unwrap();
    let joined = aramaki.json_in("bob", &["join", code]);
    assert_eq!(
        (&joined["again"], &joined["handed_over"]),
        (&false.into(), &true.into()),
        "{joined}"
    );
    drop(relay);
    let alone = aramaki.json_in("bob", &["join", code, "--wait", "1s"]);
    assert_eq!(
        (&alone["again"], &alone["handed_over"]),
        (&true.into(), &false.into()),
        "{alone}"
    );
    let (_relay, _author, _address) = Process::relay_at(&aramaki, &address);
    let answered = aramaki.json_in("bob", &["join", code, "--wait", "1m"]);
    assert_eq!(
        (&answered["again"], &answered["handed_over"]),
        (&true.into(), &true.into()),
        "{answered}"
    );

    let bob = key(&aramaki, "bob");
    let grant = wait_for("bob is known", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grant_of(&aramaki, &bob)
    });
    aramaki.json(&["say", "Webshop", "not for bob any more"]);
    aramaki.json(&["trust", "revoke", "Webshop", &grant]);
    wait_for("the relay knows that bob is out", || {
        let peers = aramaki.json(&["peers", "--wait", "1s"]);
        (peers["only_here"] == 0).then_some(())
    });
    let refused = aramaki.refused_in("bob", &["join", code, "--wait", "1m"], 1);
    assert_eq!(refused["code"], "A-110", "{refused}");
    assert!(
        refused.to_string().contains("came by it before"),
        "{refused}"
    );
    // Longer than a device waits before it shows what let it in.
    aramaki.json_in("bob", &["peers", "--wait", "12s"]);
    let timeline = aramaki.json_in("bob", &["timeline", "Webshop"]);
    assert!(!timeline.to_string().contains("not for bob"), "{timeline}");
}
