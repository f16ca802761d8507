//! The verbs as people run them: the real program, a workspace of its own for each test.

use std::path::Path;

use serde_json::Value;

use crate::program::{Aramaki, text};

#[test]
fn a_system_that_was_added_is_shown_with_everything_said_of_it() {
    let aramaki = Aramaki::new();
    let added = aramaki.json(&[
        "system",
        "add",
        "Webshop",
        "--category",
        "service",
        "--purpose",
        "Sells things.",
        "--rule",
        "ask-first=the database",
        "--contact",
        "duty operator=+49 30 5550100",
        "--dashboard",
        "Orders=https://graphs.example.org/orders",
    ]);
    let shown = aramaki.json(&["system", "show", "Webshop"]);
    assert_eq!(shown["id"], added["id"]);
    assert_eq!(
        (&shown["title"], &shown["category"]),
        (&"Webshop".into(), &"service".into())
    );
    assert_eq!(shown["rules"][0]["kind"], "ask first");
    assert_eq!(shown["contacts"][0]["reach"], "+49 30 5550100");
    assert_eq!(
        shown["effective"],
        Value::Null,
        "nothing is observed, so nothing is claimed"
    );
    let id = added["id"].as_str().unwrap();
    assert_eq!(
        aramaki.json(&["system", "show", &id[..8]])["id"],
        added["id"]
    );
    let people = text(&aramaki.run(&["system", "show", "Webshop"]).stdout);
    assert!(
        people.contains("Webshop") && people.contains("the database"),
        "{people}"
    );
}

#[test]
fn parts_lead_to_their_aggregate_and_back() {
    let aramaki = Aramaki::new();
    let shop = aramaki.json(&["system", "add", "Webshop"]);
    let storage = aramaki.json(&["system", "add", "Storage"]);
    aramaki.json(&[
        "system",
        "link",
        "Webshop",
        "Storage",
        "--override",
        "warning=critical",
    ]);
    assert_eq!(
        aramaki.json(&["system", "show", "Webshop"])["linked"][0]["id"],
        storage["id"]
    );
    assert_eq!(
        aramaki.json(&["system", "show", "Storage"])["aggregates"][0]["id"],
        shop["id"]
    );
    let anchors = aramaki.json(&["status"]);
    assert_eq!(
        anchors["systems"].as_array().unwrap().len(),
        1,
        "a part is no anchor"
    );
    aramaki.json(&["system", "link", "Webshop", "Storage", "--remove"]);
    assert_eq!(
        aramaki.json(&["status"])["systems"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn systems_that_list_each_other_are_not_hidden() {
    let aramaki = Aramaki::new();
    for title in ["Webshop", "Storage", "Search"] {
        aramaki.json(&["system", "add", title]);
    }
    aramaki.json(&["system", "link", "Webshop", "Storage"]);
    aramaki.json(&["system", "link", "Storage", "Search"]);
    aramaki.json(&["system", "link", "Search", "Storage"]);
    let tops = |of: &Aramaki| -> Vec<String> {
        let status = of.json(&["status"]);
        let systems = status["systems"].as_array().unwrap().iter();
        systems
            .map(|it| it["title"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(tops(&aramaki), ["Webshop"]);
    aramaki.json(&["system", "link", "Search", "Webshop"]);
    assert_eq!(tops(&aramaki), ["Search", "Storage", "Webshop"]);
}

#[test]
fn a_check_that_is_turned_off_says_so_on_the_page_and_on_the_timeline() {
    let aramaki = Aramaki::new();
    let checks = aramaki.path("checks.toml");
    let write = |enabled: bool| {
        let text = format!(
            "[[check]]\nid = \"01JA00000000000000000000AA\"\nname = \"load\"\n\
             enabled = {enabled}\nkind.builtin.load = {{ warning = \"2\" }}\n"
        );
        std::fs::write(&checks, text).unwrap();
        checks.clone()
    };
    aramaki.json(&["system", "add", "Webshop", "--checks", &write(true)]);
    let said = || aramaki.json(&["timeline", "Webshop"])["entries"][0]["text"].clone();
    aramaki.json(&["system", "edit", "Webshop", "--checks", &write(false)]);
    assert_eq!(said(), "checks: turned off load");
    let shown = aramaki.json(&["system", "show", "Webshop"]);
    assert_eq!(shown["checks"][0]["enabled"], Value::Bool(false));
    let page = text(&aramaki.run(&["system", "show", "Webshop"]).stdout);
    assert!(page.contains("off  load"), "{page}");
    aramaki.json(&["system", "edit", "Webshop", "--checks", &write(true)]);
    assert_eq!(said(), "checks: turned on load");
}

#[test]
fn a_note_outlives_the_process_that_wrote_it() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let words = "# Restart\n\nÄsk first 👩‍🚀.\n";
    aramaki.json(&[
        "note", "add", "Webshop", "--title", "Restart", "--text", words,
    ]);
    assert_eq!(
        aramaki.json(&["note", "show", "Webshop", "Restart"])["text"],
        words
    );
    let file = aramaki.path("note.md");
    std::fs::write(&file, "# Restart\n\nNever.\n").unwrap();
    aramaki.json(&["note", "edit", "Webshop", "Restart", "--file", &file]);
    assert_eq!(
        aramaki.json(&["note", "show", "Webshop", "Restart"])["text"],
        "# Restart\n\nNever.\n"
    );
    assert_eq!(
        aramaki.json(&["verify"])["faults"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_backup_restores_in_a_new_folder_and_writes_on() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let file = aramaki.path("backup.aramaki");
    aramaki.json(&["backup", &file]);
    assert_eq!(
        aramaki.refused(&["backup", &file], 1)["code"],
        "A-109",
        "nothing is overwritten"
    );
    assert_eq!(aramaki.refused(&["restore", &file], 1)["code"], "A-102");
    // What is damaged or cut off is found, wherever it is, and nothing is left of the attempt.
    let sound = std::fs::read(&file).unwrap();
    let damaged = aramaki.path("damaged.aramaki");
    for part in 0..16 {
        let at = sound.len() * part / 16;
        let mut bytes = sound.clone();
        if part % 4 == 3 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1;
        }
        std::fs::write(&damaged, bytes).unwrap();
        let refused = aramaki.refused_in("damaged", &["restore", &damaged], 1);
        assert_eq!(refused["code"], "A-125", "{refused}");
        assert!(!Path::new(&aramaki.path("damaged")).exists());
    }
    let restored = aramaki.run_in("other", &["restore", &file, "--json"]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    let edited = aramaki.run_in("other", &["system", "edit", "Webshop", "--title", "Shop"]);
    assert!(edited.status.success(), "{}", text(&edited.stderr));
    let shown = aramaki.run_in("other", &["system", "show", "Shop", "--json"]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
}

#[test]
fn an_invitation_is_made_and_a_mistyped_one_is_refused() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let made = aramaki.json(&["share", "Webshop", "--for", "8h", "--can", "write"]);
    let code = made["invitation"].as_str().unwrap();
    assert!(code.starts_with("aramaki1"));
    let mistyped = format!("{}x", &code[..code.len() - 1]);
    assert_eq!(aramaki.refused(&["join", &mistyped], 1)["code"], "A-110");
}

#[test]
fn errors_have_codes_hints_and_exit_codes() {
    let aramaki = Aramaki::without_workspace();
    let refused = aramaki.refused(&["status"], 1);
    assert_eq!(refused["code"], "A-101");
    assert!(refused["hint"].as_str().unwrap().contains("aramaki init"));
    assert_eq!(aramaki.refused(&["frobnicate"], 2)["code"], "A-190");
    aramaki.json(&["init", "--name", "x", "--no-recovery-kit"]);
    assert_eq!(
        aramaki.refused(&["init", "--name", "x", "--no-recovery-kit"], 1)["code"],
        "A-102"
    );
    aramaki.json(&["system", "add", "Twin"]);
    aramaki.json(&["system", "add", "Twin"]);
    assert_eq!(
        aramaki.refused(&["system", "show", "Twin"], 1)["code"],
        "A-104"
    );
    assert_eq!(
        aramaki.refused(&["system", "show", "Nobody"], 1)["code"],
        "A-103"
    );
}

#[test]
fn a_recovery_kit_is_sealed_and_never_overwritten() {
    let aramaki = Aramaki::without_workspace();
    let (kit, passphrase) = (aramaki.path("kit"), aramaki.path("passphrase"));
    std::fs::write(&passphrase, "correct horse battery\n").unwrap();
    let init = [
        "init",
        "--name",
        "x",
        "--recovery-kit",
        &kit,
        "--kit-passphrase-file",
        &passphrase,
    ];
    aramaki.json(&init);
    assert!(
        !std::fs::read_to_string(&kit)
            .unwrap()
            .contains("correct horse")
    );
    aramaki.json(&["system", "add", "Webshop"]);
    let again = aramaki.run_in("other", &init);
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn completions_know_the_verbs() {
    let aramaki = Aramaki::without_workspace();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&aramaki.run(&["completions", shell]).stdout);
        assert!(script.contains("timeline"), "{shell}");
    }
    assert!(
        !Path::new(&aramaki.path("data")).exists(),
        "completions need no workspace"
    );
}

#[test]
fn a_deployment_stands_on_the_timeline_and_in_the_drafts_of_the_shift() {
    let aramaki = Aramaki::new();
    for title in ["Webshop", "Mail", "Backup"] {
        aramaki.json(&["system", "add", title]);
    }
    let link = "https://ci.example.org/7";
    let deployed = ["deployed", "Webshop", "varnish", "--version", "7.1"];
    aramaki.json(&[&deployed[..], &["--link", link, "--ago", "30m"]].concat());
    aramaki.refused(&[&deployed[..], &["--link", "javascript:x"]].concat(), 2);
    aramaki.json(&["say", "Mail", "# queue is *drained*"]);
    aramaki.json(&["say", "Backup", "tape changed"]);

    let texts = |arguments: &[&str]| -> Vec<String> {
        let told = aramaki.json(&[&["timeline"][..], arguments].concat());
        let entries = told["entries"].as_array().unwrap().iter();
        let texts = entries.map(|it| it["text"].as_str().unwrap().to_owned());
        texts.collect()
    };
    let both = ["Webshop", "Mail", "--kind", "deployment,words"];
    assert_eq!(
        texts(&both),
        ["# queue is *drained*", "deployed varnish 7.1"]
    );
    assert_eq!(texts(&["--kind", "deployment"]), ["deployed varnish 7.1"]);
    let around = ["--since", "1h", "--until", "20m", "--kind", "deployment"];
    assert_eq!(texts(&around), ["deployed varnish 7.1"]);
    assert!(texts(&["Webshop", "--since", "10m", "--kind", "deployment"]).is_empty());
    let unknown = text(&aramaki.run(&["timeline", "--kind", "tickets"]).stderr);
    assert!(unknown.contains("deployment"), "{unknown}");

    // Of all Systems, printed; what others wrote makes no headings.
    let printed = text(&aramaki.run(&["handover"]).stdout);
    assert_eq!(printed.matches("## ").count(), 6, "{printed}");
    let said = printed.contains("\\# queue is \\*drained\\*");
    assert!(printed.contains("varnish 7.1") && said, "{printed}");
    aramaki.refused(&["handover", "--save"], 2);
    let kept = aramaki.json(&["handover", "Webshop", "--since", "2h", "--save"]);
    let note = kept["note"].as_str().unwrap();
    let note = aramaki.json(&["note", "show", "Webshop", note]);
    let written = note["text"].as_str().unwrap();
    assert!(
        written.contains("varnish 7.1") && !written.contains("tape"),
        "{written}"
    );

    let range = ["post-mortem", "Webshop", "--from", "1h"];
    let draft = aramaki.json(&range);
    let timeline = aramaki.json(&["timeline", "Webshop", "--kind", "deployment"]);
    let draft = draft["markdown"].as_str().unwrap();
    assert!(draft.contains("varnish 7.1"), "{draft} {timeline}");
    // A reference in it leads to its entry.
    let (_, entry) = draft.split_once("](entry:").unwrap();
    let (entry, _) = entry.split_once(')').unwrap();
    let around = aramaki.json(&["timeline", "--entry", entry, "--limit", "3"]);
    let around = around["entries"].as_array().unwrap();
    assert!(around.iter().any(|it| it["entry"] == entry), "{around:?}");
    let shown = text(&aramaki.run(&["timeline", "--entry", entry]).stdout);
    assert_eq!(shown.matches("→ ").count(), 1, "{shown}");
    aramaki.refused(&["timeline", "--entry", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], 1);
    let from_later = ["post-mortem", "Webshop", "--from", "5m", "--until", "10m"];
    aramaki.refused(&from_later, 2);
}

#[test]
fn who_is_on_call_is_said_of_a_system_and_of_what_it_consists_of() {
    let aramaki = Aramaki::new();
    for title in ["Webshop", "Storage"] {
        aramaki.json(&["system", "add", title]);
    }
    let linked = aramaki.json(&["system", "link", "Webshop", "Storage", "--uses"]);
    assert_eq!(linked["uses"], true);
    let said = text(
        &aramaki
            .run(&["system", "link", "Webshop", "Storage", "--uses"])
            .stdout,
    );
    assert_eq!(said, "Storage is used by Webshop.\n");
    let said = text(
        &aramaki
            .run(&["system", "link", "Webshop", "Storage"])
            .stdout,
    );
    assert_eq!(said, "Storage is a part of Webshop.\n");
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.toml.example");
    let told = aramaki.json(&["notify", "policy", "Webshop", "--file", policy]);
    let warning = told["warning"].as_str().unwrap();
    assert!(
        warning.contains("no notifier has told anybody through `mail` (for ")
            && warning.contains("notify.toml"),
        "{warning}"
    );
    assert_eq!(told["channels_unheard"][0], "mail", "{told}");
    let shown = aramaki.json(&["system", "show", "Storage"]);
    let turn = &shown["on_call"][0];
    assert_eq!(turn["title"], "Webshop", "{shown}");
    let (schedule, before) = (turn["schedule"].as_str().unwrap(), &turn["who"]);
    let until = "2099-01-01T00:00:00Z";
    // Whoever's turn it is not.
    let other = if before == "bob" { "alice" } else { "bob" };
    let swap = ["notify", "on-call", "Webshop", schedule, "--who", other];
    aramaki.json(&[&swap[..], &["--until", until]].concat());
    let shown = aramaki.json(&["system", "show", "Storage"]);
    assert_eq!(shown["on_call"][0]["who"], other, "{shown}");
    let people = text(&aramaki.run(&["system", "show", "Storage"]).stdout);
    assert!(people.contains(&format!("{other} until")), "{people}");
    calendars_come_in_as_a_whole(&aramaki, schedule, other);
}

/// A calendar in which an event comes again; one line that cannot be meant, and nothing is taken.
fn calendars_come_in_as_a_whole(aramaki: &Aramaki, schedule: &str, who: &str) {
    let file = aramaki.path("duty.ics");
    let event = format!(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:7\nSUMMARY:{who}\nDTSTART:20980106T080000Z\nDURATION:PT8H\n\
         RRULE:FREQ=HOURLY\nEND:VEVENT\nEND:VCALENDAR\n"
    );
    std::fs::write(&file, &event).unwrap();
    let import = ["notify", "calendar", "Webshop", schedule, "--import", &file];
    let error = aramaki.refused(&import, 1);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("duty.ics:7") && message.contains("FREQ=HOURLY"),
        "{message}"
    );
    std::fs::write(&file, event.replace("RRULE:FREQ=HOURLY\n", "")).unwrap();
    let taken = aramaki.json(&import);
    assert_eq!((&taken["events"], &taken["times"]), (&1.into(), &1.into()));
    // The ids that are shown are those by which changes are taken back.
    let shown = ["notify", "on-call", "Webshop", schedule];
    let known = aramaki.json(&shown)["overrides"].clone();
    let people = text(&aramaki.run(&shown).stdout);
    let ids: Vec<_> = known
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2, "{known}");
    for id in ids {
        assert!(people.contains(id), "{id} is not in\n{people}");
        aramaki.json(&[&shown[..], &["--remove", id]].concat());
    }
    assert_eq!(
        aramaki.json(&shown)["overrides"].as_array().unwrap().len(),
        0
    );
}
