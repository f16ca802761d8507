//! A device that was lost: everything that it may ends in one step.

use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Aramaki, Process, text, wait_for};

fn holds(aramaki: &Aramaki, system: &str, device: &str) -> bool {
    let listed = aramaki.json(&["trust", "list", system]);
    let grants = listed["grants"].as_array().unwrap().clone();
    grants.iter().any(|grant| grant["device"] == device)
}

fn invited(aramaki: &Aramaki, data: &str, system: &str) {
    invited_to(aramaki, data, (system, "write"));
}

fn invited_to(aramaki: &Aramaki, data: &str, (system, can): (&str, &str)) {
    let code = aramaki.json(&["share", system, "--can", can, "--for", "8h"]);
    aramaki.json_in(data, &["join", code["invitation"].as_str().unwrap()]);
}

#[test]
fn a_lost_device_loses_everything_in_one_step_and_what_it_wrote_stays() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    for system in ["Webshop", "Mail"] {
        aramaki.json(&["system", "add", system]);
    }
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    aramaki.json_in("third", &["init", "--name", "third", "--no-recovery-kit"]);
    for system in ["Webshop", "Mail"] {
        invited(&aramaki, "second", system);
    }
    invited(&aramaki, "third", "Mail");
    let key = |data: &str| -> String {
        let me = aramaki.json_in(data, &["peers"]);
        me["this_device"].as_str().unwrap().to_owned()
    };
    let (second, third) = (key("second"), key("third"));
    let said = [
        "note",
        "add",
        "Mail",
        "--title",
        "I was here",
        "--text",
        "words",
    ];
    aramaki.json_in("second", &said);
    wait_for("both guests and the words arrive", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let notes = aramaki.json(&["note", "list", "Mail"]);
        let arrived = notes.to_string().contains("I was here")
            && holds(&aramaki, "Webshop", &second)
            && holds(&aramaki, "Mail", &second)
            && holds(&aramaki, "Mail", &third);
        arrived.then_some(())
    });

    let preview = aramaki.json(&["trust", "lost", &second[..12]]);
    assert_eq!(preview["ended"], false);
    assert_eq!(preview["spaces"].as_array().unwrap().len(), 2);
    assert!(
        holds(&aramaki, "Webshop", &second),
        "a preview ends nothing"
    );
    let words = text(&aramaki.run(&["trust", "lost", &second[..12]]).stdout);
    assert!(words.contains("Mail") && words.contains("--yes"), "{words}");

    let why = "left in a train";
    let end = ["trust", "lost", &second[..12], "--yes", "--reason", why];
    let ended = aramaki.json(&end);
    assert_eq!(
        (&ended["ended"], ended["reason"].as_str()),
        (&true.into(), Some(why))
    );
    told_why(&aramaki, &second, why);
    assert!(!holds(&aramaki, "Webshop", &second) && !holds(&aramaki, "Mail", &second));
    assert!(holds(&aramaki, "Mail", &third), "others stay");
    let notes = aramaki.json(&["note", "list", "Mail"]);
    assert!(notes.to_string().contains("I was here"), "{notes}");
    reads_what_follows(&aramaki, "third", true);
    reads_what_follows(&aramaki, "second", false);

    is_over_when_ended_again(&aramaki, &second);
    let own = aramaki.run(&["trust", "lost", &key("data")[..12], "--yes"]);
    assert_eq!(own.status.code(), Some(1), "nobody locks itself out");
    // Who may not administer ends nobody's access, and is told so.
    let refused = aramaki.run_in("third", &["trust", "lost", &key("data")[..12], "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
}

/// Again it is over, by its key and by its name.
fn is_over_when_ended_again(aramaki: &Aramaki, lost: &str) {
    for named in [&lost[..12], "second"] {
        let again = aramaki.json(&["trust", "lost", named, "--yes"]);
        let said = (&again["spaces"], &again["over"]["lost"]);
        assert_eq!(said, (&json!([]), &true.into()));
        let words = text(&aramaki.run(&["trust", "lost", named]).stdout);
        assert!(words.contains("is lost already, since"), "{words}");
    }
    // Who is named besides would stay, and whoever typed it would believe otherwise.
    let cut = ["trust", "lost", "second", "--cut", "third", "--yes"];
    let refused = aramaki.refused(&cut, 1);
    assert_eq!(refused["code"], "A-108", "{refused}");
    assert!(refused.to_string().contains("trust revoke"), "{refused}");
    let nobody = aramaki.refused(&["trust", "lost", "abcdef012345", "--yes"], 1);
    assert_eq!(nobody["code"], "A-108");
    let hint = nobody["hint"].as_str().unwrap();
    assert!(hint.contains("aramaki trust list"), "{hint}");
}

/// What a key may do in Mail, as a device lists it.
fn may(aramaki: &Aramaki, data: &str, device: &str) -> Vec<String> {
    let listed = aramaki.json_in(data, &["trust", "list", "Mail"]);
    let grants = listed["grants"].as_array().unwrap().iter();
    let own = grants.filter(|grant| grant["device"] == device);
    own.map(|grant| grant["capability"].as_str().unwrap().to_owned())
        .collect()
}

/// Somebody new whom a device lets in to read; its key.
fn let_in_by(aramaki: &Aramaki, by: &str, data: &str, system: &str) -> String {
    aramaki.json_in(data, &["init", "--name", data, "--no-recovery-kit"]);
    let code = aramaki.json_in(by, &["share", system, "--can", "read", "--for", "6h"]);
    aramaki.json_in(data, &["join", code["invitation"].as_str().unwrap()]);
    let me = aramaki.json_in(data, &["peers"]);
    me["this_device"].as_str().unwrap().to_owned()
}

#[test]
fn who_stays_keeps_what_they_had_and_not_what_a_thief_gave_them() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Mail"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let guests = [("second", "write"), ("third", "write"), ("fourth", "read")];
    let [second, third, fourth] = guests.map(|(guest, can)| {
        aramaki.json_in(guest, &["init", "--name", guest, "--no-recovery-kit"]);
        invited_to(&aramaki, guest, ("Mail", can));
        let me = aramaki.json_in(guest, &["peers"]);
        me["this_device"].as_str().unwrap().to_owned()
    });
    wait_for("all guests arrive", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let all = [&second, &third, &fourth];
        all.iter()
            .all(|it| holds(&aramaki, "Mail", it))
            .then_some(())
    });
    let grant = |data: &str, device: &str, can: &str, span: &str| {
        let grant = [
            "trust", "grant", "Mail", device, "--can", can, "--for", span,
        ];
        aramaki.json_in(data, &grant);
    };
    grant("data", &second, "administer", "7h");
    wait_for("the second administers, and knows the others", || {
        aramaki.json_in("second", &["peers", "--wait", "1s"]);
        let own = may(&aramaki, "second", &second);
        let others = [&third, &fourth];
        let knows = others
            .iter()
            .all(|it| !may(&aramaki, "second", it).is_empty());
        (own.len() == 2 && knows).then_some(())
    });
    let fifth = let_in_by(&aramaki, "second", "fifth", "Mail");
    grant("second", &third, "administer", "6h");
    grant("second", &fourth, "write", "6h");
    wait_for("the first hears of it", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let more = [&third, &fourth];
        let has = more.iter().all(|it| may(&aramaki, "data", it).len() == 2);
        (has && holds(&aramaki, "Mail", &fifth)).then_some(())
    });
    let lost = ["trust", "lost", &second[..12], "--cut", &fifth[..12]];
    let plan = aramaki.json(&lost);
    let space = &plan["spaces"][0];
    let of = |device: &str, what: &str| -> Vec<Value> {
        let holders = space[what].as_array().unwrap().iter();
        let own = holders.filter(|it| it["device"] == device);
        own.map(|it| it["capability"].clone()).collect()
    };
    assert_eq!(of(&third, "kept"), ["write"], "{plan}");
    assert_eq!(of(&third, "cut"), ["administer"], "{plan}");
    assert_eq!(of(&fourth, "kept"), ["read"], "{plan}");
    assert_eq!(of(&fourth, "cut"), ["write"], "{plan}");
    let why = ["--reason", "left in a taxi", "--yes"];
    aramaki.json(&[&lost[..], &why].concat());
    assert_eq!(may(&aramaki, "data", &third), ["write"]);
    assert_eq!(may(&aramaki, "data", &fourth), ["read"]);
    assert!(!holds(&aramaki, "Mail", &second) && !holds(&aramaki, "Mail", &fifth));
    reads_what_follows(&aramaki, "third", true);
    reads_what_follows(&aramaki, "fourth", true);
    told_of_what_was_lost(&aramaki, &fifth);
}

/// What a preview says of a key in a System: what it is called in the plan, and by which grants.
fn rows(plan: &Value, system: &str, what: &str, device: &str) -> Vec<(String, Vec<String>)> {
    let spaces = plan["spaces"].as_array().unwrap().iter();
    let space = spaces.clone().find(|it| it["title"] == system).unwrap();
    let rows = space[what].as_array().unwrap().iter();
    let own = rows.filter(|it| it["device"] == device);
    let row = |it: &Value| {
        let grants = it["grants"].as_array().unwrap().iter();
        let grants = grants.map(|it| it.as_str().unwrap().to_owned()).collect();
        (it["capability"].as_str().unwrap().to_owned(), grants)
    };
    own.map(row).collect()
}

/// A colleague who administered let one person into two Systems, into one of them twice, and gave another
/// more than they had.
struct Colleague {
    /// It ends before its folder goes.
    _relay: Process,
    aramaki: Aramaki,
    relay: String,
    second: String,
    third: String,
    fourth: String,
}

impl Colleague {
    fn begin() -> Self {
        let aramaki = Aramaki::new();
        let (relay, author, address) = Process::relay(&aramaki);
        for system in ["Mail", "Webshop"] {
            aramaki.json(&["system", "add", system]);
        }
        aramaki.json(&["relay", "add", &author, &address]);
        let [second, fourth] = ["second", "fourth"].map(|guest| {
            aramaki.json_in(guest, &["init", "--name", guest, "--no-recovery-kit"]);
            invited_to(&aramaki, guest, ("Mail", "write"));
            invited_to(&aramaki, guest, ("Webshop", "write"));
            let me = aramaki.json_in(guest, &["peers"]);
            me["this_device"].as_str().unwrap().to_owned()
        });
        let mut colleague = Self {
            _relay: relay,
            aramaki,
            relay: author,
            second,
            third: String::new(),
            fourth,
        };
        colleague.give();
        colleague
    }

    fn until(&self, data: &str, what: &str, look: impl Fn() -> bool) {
        wait_for(what, || {
            self.aramaki.json_in(data, &["peers", "--wait", "1s"]);
            look().then_some(())
        });
    }

    fn grant(&self, data: &str, (system, device): (&str, &str), (can, span): (&str, &str)) {
        let grant = [
            "trust", "grant", system, device, "--can", can, "--for", span,
        ];
        self.aramaki.json_in(data, &grant);
    }

    fn give(&mut self) {
        let aramaki = &self.aramaki;
        let (second, fourth) = (&self.second, &self.fourth);
        self.until("data", "both come", || {
            let both = [second, fourth];
            both.iter().all(|it| holds(aramaki, "Webshop", it))
        });
        for system in ["Mail", "Webshop"] {
            self.grant("data", (system, second), ("administer", "7h"));
        }
        self.until("second", "it administers, and knows the other", || {
            may(aramaki, "second", second).len() == 2 && !may(aramaki, "second", fourth).is_empty()
        });
        let third = let_in_by(aramaki, "second", "third", "Mail");
        let code = ["share", "Webshop", "--can", "write", "--for", "6h"];
        let code = [&code[..], &["--reason", "the audit"]].concat();
        let code = aramaki.json_in("second", &code);
        aramaki.json_in("third", &["join", code["invitation"].as_str().unwrap()]);
        self.until("second", "the third is in both", || {
            !may(aramaki, "second", &third).is_empty()
        });
        self.grant("second", ("Mail", &third), ("write", "4h"));
        self.grant("second", ("Mail", fourth), ("comment", "6h"));
        self.until("data", "the first hears of it", || {
            let more = [&third, fourth];
            let has = more.iter().all(|it| may(aramaki, "data", it).len() == 2);
            has && holds(aramaki, "Webshop", &third)
        });
        self.third = third;
    }

    /// What a preview or the deed says with these words besides.
    fn lost(&self, more: &[&str]) -> Value {
        let lost = ["trust", "lost", &self.second[..12]];
        self.aramaki.json(&[&lost[..], more].concat())
    }
}

/// What rows allow, in order.
fn says(rows: &[(String, Vec<String>)]) -> Vec<String> {
    let mut says: Vec<_> = rows.iter().map(|(can, _)| can.clone()).collect();
    says.sort();
    says
}

#[test]
fn grants_of_a_lost_device_are_decided_one_by_one_and_what_it_did_not_give_stays() {
    let colleague = Colleague::begin();
    let Colleague {
        aramaki,
        second,
        third,
        fourth,
        relay,
        ..
    } = &colleague;
    let plan = colleague.lost(&[]);
    let in_mail = rows(&plan, "Mail", "kept", third);
    assert_eq!(says(&in_mail), ["read", "write"], "{plan}");
    assert_eq!(says(&rows(&plan, "Webshop", "kept", third)), ["write"]);
    let words = text(&aramaki.run(&["trust", "lost", &second[..12]]).stdout);
    let (_, writing) = in_mail.iter().find(|(can, _)| can == "write").unwrap();
    assert!(
        words.contains(&format!("grant {}", &writing[0][..12])),
        "{words}"
    );

    // A name or key means all that came through the lost device, and nothing else.
    let plan = colleague.lost(&["--cut", third, "--cut", fourth]);
    for system in ["Mail", "Webshop"] {
        assert_eq!(rows(&plan, system, "kept", third), [], "{plan}");
        assert_eq!(says(&rows(&plan, system, "kept", fourth)), ["write"]);
    }
    let refused = aramaki.refused(&["trust", "lost", &second[..12], "--cut", relay], 1);
    assert_eq!(refused["code"], "A-108", "{refused}");
    assert!(refused.to_string().contains("trust revoke"), "{refused}");

    // One grant is one.
    let cut = ["--cut", &writing[0][..12]];
    let plan = colleague.lost(&cut);
    assert_eq!(says(&rows(&plan, "Mail", "kept", third)), ["read"]);
    assert_eq!(says(&rows(&plan, "Mail", "cut", third)), ["write"]);
    colleague.lost(&[&cut[..], &["--yes"]].concat());
    assert_eq!(may(aramaki, "data", third), ["read"]);
    assert_eq!(may(aramaki, "data", fourth), ["write"]);
    // What stays was given for something, and still is.
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let mut grants = listed["grants"].as_array().unwrap().iter();
    let stays = grants.find(|it| it["device"] == third.as_str()).unwrap();
    assert_eq!(stays["reason"], "the audit", "{listed}");
    assert!(!holds(aramaki, "Webshop", second) && !holds(aramaki, "Mail", second));
}

/// Whoever is cut besides a lost device lost nothing.
fn told_of_what_was_lost(aramaki: &Aramaki, cut: &str) {
    let told = aramaki.json(&["timeline", "Mail", "--kind", "access"]);
    let told = told["entries"].as_array().unwrap().iter();
    let told = told.map(|it| it["text"].as_str().unwrap().to_owned());
    let ended: Vec<_> = told.filter(|it| it.contains("was ended")).collect();
    let of = |name: &str| ended.iter().find(|it| it.contains(&format!("of {name}")));
    assert_eq!(ended.len(), 2, "{ended:?}");
    assert!(
        of("second").is_some_and(|it| it.contains("lost: left in a taxi")),
        "{ended:?}"
    );
    // Who only reads tells nobody a name.
    let cut = of(&cut[..8]).unwrap();
    assert!(!cut.contains("device was lost"), "{ended:?}");
}

/// Who stays is told why, in each System; who only forwards is told that it was lost.
fn told_why(aramaki: &Aramaki, lost: &str, why: &str) {
    let audit = aramaki.json(&["trust", "audit"]);
    let of = |kind: &str, end: &str| -> Vec<Value> {
        let rows = audit[kind].as_array().unwrap().iter();
        rows.filter(|row| row["ended"] == "revoked" && row["device"] == lost || row["kind"] == end)
            .cloned()
            .collect()
    };
    let access = of("access", "");
    let told = access.iter().filter(|row| row["end_reason"] == why);
    assert!(told.count() >= 2, "{access:?}");
    let entries = of("entries", "revoke");
    assert!(entries.iter().all(|it| it["details"]["reason"] == "lost"));
}

fn reads_what_follows(aramaki: &Aramaki, data: &str, reads: bool) {
    let title = format!("after, for {data}");
    aramaki.json(&["note", "add", "Mail", "--title", &title, "--text", "words"]);
    let listed = |aramaki: &Aramaki| -> Value {
        aramaki.json_in(data, &["peers", "--wait", "1s"]);
        aramaki.json_in(data, &["note", "list", "Mail"])
    };
    if reads {
        wait_for("who stays reads on", || {
            listed(aramaki).to_string().contains(&title).then_some(())
        });
    } else {
        std::thread::sleep(Duration::from_millis(500));
        assert!(!listed(aramaki).to_string().contains(&title));
    }
}
