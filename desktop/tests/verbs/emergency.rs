//! Nobody who administers answers: a sealed key opens the System for a while, and everyone sees why.

use serde_json::Value;

use crate::program::{Aramaki, Process, text, wait_for};

const KIT_PASSPHRASE: &str = "twelve letters or more";
const EMERGENCY_PASSPHRASE: &str = "another twelve letters";
const REASON: &str = "the database is gone and nobody answers";

/// A person with a kit and a System on a relay, and a guest who may read; the person is offline.
struct Story {
    /// It ends before its folder goes.
    _relay: Process,
    aramaki: Aramaki,
    kit: String,
    kit_passphrase: String,
    passphrase: String,
}

impl Story {
    fn begin() -> Self {
        let aramaki = Aramaki::without_workspace();
        let [kit, kit_passphrase, passphrase] =
            ["kit", "kit-passphrase", "passphrase"].map(|name| aramaki.path(name));
        std::fs::write(&kit_passphrase, KIT_PASSPHRASE).unwrap();
        std::fs::write(&passphrase, EMERGENCY_PASSPHRASE).unwrap();
        aramaki.json(&[
            "init",
            "--name",
            "duty operator",
            "--recovery-kit",
            &kit,
            "--kit-passphrase-file",
            &kit_passphrase,
            "--emergency-passphrase-file",
            &passphrase,
        ]);
        let (relay, author, address) = Process::relay(&aramaki);
        aramaki.json(&["system", "add", "Webshop"]);
        aramaki.json(&["relay", "add", &author, &address]);
        aramaki.json(&["note", "add", "Webshop", "--title", "Before", "--text", "x"]);
        let shared = aramaki.json(&["share", "Webshop", "--for", "8h"]);
        aramaki.json_in("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
        let joined = aramaki.json_in("guest", &["join", shared["invitation"].as_str().unwrap()]);
        assert_eq!(joined["complete"], true, "{joined}");
        Self {
            _relay: relay,
            aramaki,
            kit,
            kit_passphrase,
            passphrase,
        }
    }

    fn emergency<'a>(&'a self, file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let open = [
            "emergency",
            file,
            "--reason",
            REASON,
            "--emergency-passphrase-file",
            &self.passphrase,
        ];
        [&open[..], more].concat()
    }

    /// Who is in, as somebody sees it after a look at the relay.
    fn emergencies(&self, data: &str) -> Vec<Value> {
        self.aramaki.json_in(data, &["peers", "--wait", "1s"]);
        let listed = self.aramaki.json_in(data, &["emergency"]);
        listed["emergencies"].as_array().unwrap().clone()
    }

    fn notes(&self, data: &str) -> String {
        let listed = self.aramaki.json_in(data, &["note", "list", "Webshop"]);
        listed["notes"].to_string()
    }
}

#[test]
fn an_envelope_opens_a_system_without_any_device_and_everyone_sees_why() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    let envelope = aramaki.path("envelope");
    let renewed = aramaki.json(&[
        "recovery-kit",
        &story.kit,
        "--emergency-envelope",
        &envelope,
    ]);
    assert_eq!(
        renewed["emergency_opens"].as_array().unwrap().len(),
        1,
        "{renewed}"
    );
    refusals(&story, &envelope);
    let looked = aramaki.json_in("oncall", &story.emergency(&envelope, &["--preview"]));
    assert_eq!(looked["opened"], false);
    assert_eq!(looked["systems"][0]["title"], "Webshop", "{looked}");
    assert!(!std::path::Path::new(&aramaki.path("oncall")).exists());
    assert!(story.emergencies("guest").is_empty(), "nobody said why");

    let name = ["--name", "on call", "--for", "1h"];
    let opened = aramaki.json_in("oncall", &story.emergency(&envelope, &name));
    assert_eq!(opened["opened"], true, "{opened}");
    assert_eq!(opened["late"], serde_json::json!([]), "{opened}");
    assert!(story.notes("oncall").contains("Before"));
    let note = [
        "note", "add", "Webshop", "--title", "Found it", "--text", "x",
    ];
    aramaki.json_in("oncall", &note);
    aramaki.refused_in("oncall", &["share", "Webshop"], 1);

    let seen = wait_for("the guest sees that, and what was written", || {
        let seen = story.emergencies("guest");
        (seen.len() == 1 && story.notes("guest").contains("Found it")).then_some(seen)
    });
    assert_eq!(seen[0]["reason"], REASON, "{seen:?}");
    assert_eq!(seen[0]["this_device"], false);
    assert!(seen[0]["who"].to_string().contains("on call"), "{seen:?}");
    everywhere(aramaki, "guest");
    let own = aramaki.json_in("oncall", &["emergency"]);
    assert_eq!(own["emergencies"][0]["this_device"], true, "{own}");

    // The owner is back and ends it; the key is not given again by itself.
    assert_eq!(story.emergencies("data").len(), 1);
    let grant = seen[0]["grant"].as_str().unwrap();
    let ended = aramaki.json(&["trust", "revoke", "Webshop", grant]);
    assert!(ended["grants"].to_string().contains("on call"), "{ended}");
    wait_for("the guest sees that it ended", || {
        story.emergencies("guest").is_empty().then_some(())
    });
    let late = ["note", "add", "Webshop", "--title", "Late", "--text", "x"];
    drop(aramaki.run_in("oncall", &late));
    aramaki.json_in("guest", &["peers", "--wait", "2s"]);
    assert!(!story.notes("guest").contains("Late"));
    assert!(story.notes("guest").contains("Found it"), "that stays");
    let renewed = aramaki.json(&["recovery-kit", &story.kit]);
    let ended = renewed["emergency_ended"].as_array().unwrap();
    assert_eq!(ended.len(), 1, "{renewed}");
    let renewed = aramaki.json(&[
        "recovery-kit",
        &story.kit,
        "--new-emergency-key",
        "--emergency-passphrase-file",
        &story.kit_passphrase,
    ]);
    let opens = renewed["emergency_opens"].as_array().unwrap();
    assert_eq!(opens.len(), 1, "{renewed}");
    let old = aramaki.refused_in("oncall", &story.emergency(&envelope, &[]), 1);
    let refused = ["A-111", "A-114"].map(|code| old["code"] == code);
    assert!(refused.contains(&true), "{old}");
}

/// What an envelope does not do, and what is asked for before anything is done.
fn refusals(story: &Story, envelope: &str) {
    let aramaki = &story.aramaki;
    let wrong = [
        "emergency",
        envelope,
        "--reason",
        REASON,
        "--preview",
        "--emergency-passphrase-file",
        &story.kit_passphrase,
    ];
    assert_eq!(aramaki.refused_in("oncall", &wrong, 1)["code"], "A-121");
    let nameless = story.emergency(envelope, &[]);
    aramaki.refused_in("oncall", &nameless, 2);
    let long = story.emergency(envelope, &["--name", "on call", "--for", "25h"]);
    aramaki.refused_in("oncall", &long, 2);
    let silent = aramaki.run_in("oncall", &["emergency", envelope]);
    assert_eq!(silent.status.code(), Some(2));
    let recover = [
        "recover",
        envelope,
        "--kit-passphrase-file",
        &story.passphrase,
    ];
    let refused = aramaki.refused_in("oncall", &recover, 1);
    assert_eq!(refused["code"], "A-123", "{refused}");
    assert!(!std::path::Path::new(&aramaki.path("oncall")).exists());
}

/// Every place that tells of a System tells of its emergency.
fn everywhere(aramaki: &Aramaki, data: &str) {
    for verb in [
        &["status"][..],
        &["status", "Webshop"],
        &["trust", "list", "Webshop"],
    ] {
        let said = aramaki.json_in(data, verb);
        assert_eq!(said["emergencies"][0]["reason"], REASON, "{verb:?}: {said}");
        let people = text(&aramaki.run_in(data, verb).stdout);
        assert!(people.contains("EMERGENCY in Webshop"), "{people}");
        assert!(people.contains(REASON), "{people}");
    }
    let status = aramaki.json_in(data, &["status"]);
    assert_eq!(status["systems"][0]["emergency"], true, "{status}");
    let told = aramaki.json_in(data, &["timeline", "Webshop"]);
    let told = told["entries"].as_array().unwrap().iter();
    let reasons: Vec<_> = told.filter(|it| it["kind"] == "emergency").collect();
    assert_eq!(reasons.len(), 1);
    let audit = aramaki.json_in(data, &["trust", "audit", "Webshop"]);
    let audit = audit["entries"].as_array().unwrap().iter();
    let reasons: Vec<_> = audit.filter(|it| it["kind"] == "emergency").collect();
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0]["details"]["reason"], REASON);
}

#[test]
fn an_emergency_ends_by_itself_or_when_whoever_is_in_says_so() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    // The kit itself does, also for a System that it does not name yet.
    aramaki.json(&["recovery-kit", &story.kit]);
    aramaki.json(&["system", "add", "Mail"]);
    let name = ["--name", "on call", "--system", "Mail", "--for", "12s"];
    let opened = aramaki.json_in("oncall", &story.emergency(&story.kit, &name));
    assert_eq!(opened["systems"].as_array().unwrap().len(), 1, "{opened}");
    assert_eq!(story.emergencies("data").len(), 1);
    wait_for("its time is over", || {
        story.emergencies("data").is_empty().then_some(())
    });
    aramaki.refused_in("oncall", &["say", "Mail", "too late"], 1);

    let again = aramaki.json_in("oncall", &story.emergency(&story.kit, &[]));
    assert_eq!(again["systems"].as_array().unwrap().len(), 2, "{again}");
    assert_eq!(story.emergencies("data").len(), 2);
    let ended = aramaki.json_in("oncall", &["emergency", "--end"]);
    assert_eq!(ended["ended"].as_array().unwrap().len(), 2, "{ended}");
    wait_for("everyone knows that it is over", || {
        (story.emergencies("data").is_empty() && story.emergencies("guest").is_empty())
            .then_some(())
    });
    let nothing = aramaki.json_in("oncall", &["emergency", "--end"]);
    assert_eq!(nothing["ended"], serde_json::json!([]));
}
