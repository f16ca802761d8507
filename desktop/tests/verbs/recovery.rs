//! A device is lost: the recovery kit takes the Systems back on a new machine.

use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{Aramaki, Process, text, wait_for};

const PASSPHRASE: &str = "twelve letters or more";

/// A person with a kit and a System on a relay, an agent of it, and a guest who may write.
struct Story {
    /// They end before their folders go.
    _processes: [Process; 2],
    aramaki: Aramaki,
    kit: String,
    passphrase: String,
    relay_address: String,
}

impl Story {
    fn begin() -> Self {
        let aramaki = Aramaki::without_workspace();
        let (kit, passphrase) = (aramaki.path("kit"), aramaki.path("passphrase"));
        std::fs::write(&passphrase, PASSPHRASE).unwrap();
        let init = ["init", "--name", "duty operator", "--recovery-kit", &kit];
        aramaki.json(&[&init[..], &["--kit-passphrase-file", &passphrase]].concat());
        let (relay, author, address) = Process::relay(&aramaki);
        aramaki.json(&["system", "add", "Webshop"]);
        aramaki.json(&["relay", "add", &author, &address]);
        let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
        let agent = Process::agent(&aramaki, invited["invitation"].as_str().unwrap());
        let share = ["share", "Webshop", "--can", "write", "--for", "8h"];
        let shared = aramaki.json(&[&share[..], &["--reason", "the audit"]].concat());
        aramaki.json_in("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
        let join = ["join", shared["invitation"].as_str().unwrap()];
        let joined = aramaki.json_in("guest", &join);
        assert_eq!(joined["complete"], true, "{joined}");
        // An invitation that nobody used: it must not outlive the device that made it.
        aramaki.json(&["share", "Webshop"]);
        let story = Self {
            _processes: [relay, agent],
            aramaki,
            kit,
            passphrase,
            relay_address: address,
        };
        story.note("data", "Before");
        wait_for("the guest reads what the first device wrote", || {
            story.aramaki.json_in("guest", &["peers", "--wait", "1s"]);
            (story.notes("guest") == ["Before"]).then_some(())
        });
        story
    }

    fn note(&self, data: &str, title: &str) {
        let note = ["note", "add", "Webshop", "--title", title, "--text", "x"];
        self.aramaki.json_in(data, &note);
    }

    fn notes(&self, data: &str) -> Vec<String> {
        let listed = self.aramaki.json_in(data, &["note", "list", "Webshop"]);
        let mut titles: Vec<_> = listed["notes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|note| note["title"].as_str().unwrap().to_owned())
            .collect();
        titles.sort();
        titles
    }

    fn recover<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let recover = [
            "recover",
            &self.kit,
            "--kit-passphrase-file",
            &self.passphrase,
        ];
        [&recover[..], more].concat()
    }
}

fn whos(space: &Value, what: &str) -> String {
    space[what].to_string()
}

/// What is said before anything is done: nothing is.
fn preview(story: &Story, lost: &str) {
    let aramaki = &story.aramaki;
    let plan = aramaki.json_in("new", &story.recover(&[]));
    assert_eq!(plan["recovered"], false);
    assert!(
        !std::path::Path::new(&aramaki.path("new")).exists(),
        "a preview makes nothing"
    );
    let spaces = plan["spaces"].as_array().unwrap();
    assert_eq!(spaces.len(), 2, "{plan}");
    let system = spaces.iter().find(|it| it["title"] == "Webshop").unwrap();
    let agent = spaces
        .iter()
        .find(|it| it["title"] == "agent web1")
        .unwrap();
    for space in [system, agent] {
        assert!(whos(space, "lost").contains(lost), "{space}");
        assert!(whos(space, "kept").contains("relay ("), "{space}");
        assert!(whos(space, "accepted").contains(lost), "{space}");
    }
    assert!(
        whos(system, "cut").contains("invitation of a lost device"),
        "{system}"
    );
    assert!(whos(agent, "kept").contains("web1"), "{agent}");
    assert_eq!(agent["readers_of"], json!([system["id"]]), "{agent}");
    let people = text(&aramaki.run_in("new", &story.recover(&["--preview"])).stdout);
    for word in [
        "lost  ",
        "keep  ",
        "cut   ",
        "up to its envelope",
        "Nothing was changed",
    ] {
        assert!(people.contains(word), "{word}: {people}");
    }
}

#[test]
fn a_lost_device_is_replaced_with_the_kit_and_nothing_of_it_counts_any_more() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    let renewed = aramaki.json(&["recovery-kit", &story.kit]);
    assert_eq!(renewed["spaces"].as_array().unwrap().len(), 2, "{renewed}");
    assert_eq!(renewed["relays"].as_array().unwrap().len(), 1, "{renewed}");
    assert_eq!(renewed["without_relay"], json!([]));
    let lost = aramaki.json(&["trust", "list", "Webshop"]);
    let lost = lost["grants"].as_array().unwrap().iter();
    let mut lost = lost.filter(|it| it["who"].as_str().unwrap().contains("this device"));
    let lost = lost.next().unwrap()["device"].as_str().unwrap().to_owned();

    preview(&story, &lost);
    let yes = story.recover(&["--name", "duty operator", "--yes"]);
    let done = aramaki.json_in("new", &yes);
    assert_eq!(
        (&done["recovered"], &done["late"]),
        (&json!(true), &json!([])),
        "{done}"
    );
    assert_eq!(story.notes("new"), ["Before"]);
    story.note("new", "After");
    wait_for(
        "the guest, who stayed, reads what the new device wrote",
        || {
            aramaki.json_in("guest", &["peers", "--wait", "1s"]);
            (story.notes("guest") == ["After", "Before"]).then_some(())
        },
    );
    let listed = aramaki.json_in("new", &["trust", "list", "Webshop"]);
    assert!(!listed["grants"].to_string().contains(&lost), "{listed}");
    let invited = aramaki.json_in("new", &["agent", "invite", "Webshop", "--name", "web2"]);
    assert!(
        invited["invitation"].is_string(),
        "the new device administers"
    );
    // Who stayed lost nothing, and the kit's own second grant is nobody's business.
    let told = aramaki.json_in("new", &["timeline", "Webshop", "--kind", "access"]);
    let told = told["entries"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|it| it["text"].as_str().unwrap()).collect();
    let ended = told.iter().filter(|it| it.contains("was ended"));
    let ended: Vec<_> = ended.collect();
    assert_eq!(ended.len(), 1, "{told:?}");
    assert!(ended[0].contains("the device was lost"), "{ended:?}");
    assert!(
        !told.iter().any(|it| it.starts_with("recovery kit")),
        "{told:?}"
    );
    // Who stayed stands below the new device, so that no kit is needed to send them away.
    let writes = |it: &&Value| it["capability"] == "write" && it["emergency"] == false;
    let grants = listed["grants"].as_array().unwrap().iter();
    let guests: Vec<_> = grants.filter(writes).collect();
    // What they stay for is said of what was given anew too.
    assert_eq!(guests[0]["reason"], "the audit", "{listed}");
    let guest = guests[0]["grant"].as_str().unwrap();
    let ends = ["trust", "revoke", "Webshop", guest, "--preview"];
    aramaki.json_in("new", &ends);

    // Whoever has the old device writes on, and nobody reads it; nor does it read what is new.
    story.note("data", "Stolen");
    aramaki.json(&["peers", "--wait", "2s"]);
    assert!(!story.notes("data").contains(&"After".to_owned()));
    aramaki.json_in("guest", &["peers", "--wait", "2s"]);
    assert_eq!(story.notes("guest"), ["After", "Before"]);

    let named = [&yes[..], &["--lost", &lost]].concat();
    for again in [yes, named] {
        let again = aramaki.json_in("new", &again);
        let spaces = again["spaces"].as_array().unwrap();
        assert!(spaces.iter().all(|it| it["lost"] == json!([])), "{again}");
    }
}

/// Two machines were let in by the kit itself: neither ends the other, also after one accepted the other, and
/// what both say to do instead works.
#[test]
fn of_two_devices_below_the_kit_neither_ends_the_other_and_the_kit_does() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    aramaki.json(&["recovery-kit", &story.kit]);
    let key = |data: &str| -> String {
        let me = aramaki.json_in(data, &["peers"]);
        me["this_device"].as_str().unwrap().to_owned()
    };
    let lost = key("data");
    let recover = ["--name", "duty operator", "--yes", "--lost", &lost];
    for data in ["new", "other"] {
        aramaki.json_in(data, &story.recover(&recover));
    }
    let other = key("other");
    wait_for("the new machine hears of the other", || {
        aramaki.json_in("new", &["peers", "--wait", "1s"]);
        let listed = aramaki.json_in("new", &["trust", "list", "Webshop"]);
        listed.to_string().contains(&other).then_some(())
    });
    let refused = aramaki.refused_in("new", &["trust", "lost", &other, "--yes"], 1);
    assert_eq!(refused["code"], "A-137", "{refused}");
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("aramaki recover KIT --lost"), "{hint}");
    // Grant by grant it is the same.
    let revoke = ["trust", "revoke", "Webshop", &other];
    assert_eq!(aramaki.refused_in("new", &revoke, 1)["code"], "A-137");
    let preview = text(&aramaki.run_in("new", &["trust", "lost", &other]).stdout);
    assert!(preview.contains("aramaki recover KIT --lost"), "{preview}");

    let code = aramaki.json_in("new", &["device", "add"]);
    let code = code["code"].as_str().unwrap();
    aramaki.json_in("other", &["device", "join", code]);
    wait_for("it asks", || {
        aramaki.json_in("new", &["peers", "--wait", "1s"]);
        let listed = aramaki.json_in("new", &["device", "list"]);
        listed.to_string().contains(&other).then_some(())
    });
    let accepted = aramaki.json_in("new", &["device", "accept", &other]);
    assert_eq!(
        accepted["beyond"].as_array().unwrap().len(),
        2,
        "{accepted}"
    );
    let listed = text(&aramaki.run_in("new", &["device", "list"]).stdout);
    assert!(
        listed.contains("in 2 Spaces the recovery kit alone"),
        "{listed}"
    );

    let ends = ["--yes", "--lost", &other];
    aramaki.json_in("new", &story.recover(&ends));
    wait_for("the other is out", || {
        aramaki.json_in("new", &["peers", "--wait", "1s"]);
        let listed = aramaki.json_in("new", &["trust", "list", "Webshop"]);
        (!listed.to_string().contains(&other)).then_some(())
    });
    let rest = aramaki.json_in("new", &["trust", "lost", &other, "--yes"]);
    assert_eq!(rest["beyond"], json!([]), "the Home is ended here: {rest}");
}

/// A laptop that the first device accepted and that made a System of its own.
fn with_a_laptop(story: &Story) -> (String, String) {
    let aramaki = &story.aramaki;
    let key = |data: &str| -> String {
        let me = aramaki.json_in(data, &["peers"]);
        me["this_device"].as_str().unwrap().to_owned()
    };
    let init = ["init", "--name", "duty operator", "--no-recovery-kit"];
    aramaki.json_in("laptop", &init);
    let (first, laptop) = (key("data"), key("laptop"));
    let code = aramaki.json(&["device", "add"]);
    let code = code["code"].as_str().unwrap().to_owned();
    aramaki.json_in("laptop", &["device", "join", &code]);
    wait_for("it asks", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let listed = aramaki.json(&["device", "list"]).to_string();
        listed.contains(&laptop).then_some(())
    });
    aramaki.json(&["device", "accept", &laptop]);
    let sees = |data: &str, title: &str| {
        aramaki.json_in(data, &["peers", "--wait", "1s"]);
        let listed = aramaki.json_in(data, &["system", "list"]).to_string();
        listed.contains(title).then_some(())
    };
    wait_for("it is in", || sees("laptop", "Webshop"));
    aramaki.json_in("laptop", &["system", "add", "Backup"]);
    wait_for("what it made comes", || sees("data", "Backup"));
    (first, laptop)
}

/// The laptop is lost while the first device lives. In what the laptop made the first device stands below it,
/// as a device of a thief's would: whether it stays is known by the Home that the kit names, or is asked.
#[test]
fn a_device_that_lives_stays_beside_the_new_one_in_the_one_home() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    let (first, laptop) = with_a_laptop(&story);
    let recover = ["--relay", &story.relay_address, "--lost", &laptop];
    let preview = |more: &[&str]| {
        let all = [&recover[..], more].concat();
        aramaki.json_in("new", &story.recover(&all))
    };
    let backup = |plan: &Value, what: &str| {
        let spaces = plan["spaces"].as_array().unwrap().iter();
        let mut backup = spaces.filter(|it| it["title"] == "Backup");
        backup.next().unwrap()[what].to_string()
    };

    // A kit of before the Home says nothing of it: nobody else may say what is the Home.
    let plan = preview(&[]);
    assert_eq!(plan["home"], Value::Null, "{plan}");
    assert_eq!(plan["home_unsure"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(plan["undecided"], json!([first]), "{plan}");
    let all = story.recover(&recover);
    let words = text(&aramaki.run_in("new", &all).stdout);
    assert!(words.contains("  open  "), "nobody decided: {words}");
    let yes = ["--yes", "--name", "duty operator"];
    let all = [&recover[..], &yes].concat();
    let refused = aramaki.refused_in("new", &story.recover(&all), 1);
    let said = refused.to_string();
    assert!(
        said.contains(&first[..8]) && said.contains("--keep"),
        "{refused}"
    );
    let made = std::path::Path::new(&aramaki.path("new")).exists();
    assert!(!made, "a refusal makes nothing");
    let kept = preview(&["--keep", &first[..12]]);
    assert_eq!(kept["undecided"], json!([]), "{kept}");
    assert!(backup(&kept, "kept").contains(&first), "{kept}");
    let ended = preview(&["--cut", "administrators"]);
    assert_eq!(ended["undecided"], json!([]), "{ended}");
    assert!(backup(&ended, "cut").contains(&first), "{ended}");

    aramaki.json(&["recovery-kit", &story.kit]);
    let plan = preview(&[]);
    assert!(plan["home"].is_string(), "{plan}");
    assert_eq!(plan["undecided"], json!([]), "{plan}");
    assert!(backup(&plan, "kept").contains(&first), "{plan}");
    let done = preview(&yes);
    assert_eq!(
        (&done["recovered"], &done["late"]),
        (&json!(true), &json!([]))
    );
    let devices = |data: &str| -> Vec<String> {
        let listed = aramaki.json_in(data, &["device", "list"]);
        let devices = listed["devices"].as_array().unwrap().iter();
        let mut devices: Vec<_> = devices
            .map(|it| it["device"].as_str().unwrap().to_owned())
            .collect();
        devices.sort();
        devices
    };
    let both = devices("new");
    assert!(both.len() == 2 && both.contains(&first), "{both:?}");
    wait_for("the first device sees the new one in the same Home", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        (devices("data") == both).then_some(())
    });
    aramaki.json_in("new", &["system", "add", "Later"]);
    wait_for("what the new one makes is the first one's too", || {
        aramaki.json_in("new", &["peers", "--wait", "1s"]);
        aramaki.json(&["peers", "--wait", "1s"]);
        let listed = aramaki.json(&["system", "list"]).to_string();
        listed.contains("Later").then_some(())
    });
    aramaki.json(&["share", "Backup", "--for", "8h"]);
}

/// Whoever recovered without a kit that names the Home makes no second one beside it by accident.
#[test]
fn a_second_home_is_not_made_beside_one_that_is_there() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    let (first, laptop) = with_a_laptop(&story);
    let recover = ["--relay", &story.relay_address, "--lost", &laptop];
    let yes = ["--yes", "--name", "duty operator", "--keep", &first];
    let all = [&recover[..], &yes].concat();
    let done = aramaki.json_in("new", &story.recover(&all));
    assert_eq!(done["home"], Value::Null, "{done}");
    let refused = aramaki.refused_in("new", &["device", "add"], 1);
    assert!(refused.to_string().contains("device join"), "{refused}");
    let code = aramaki.json(&["device", "add"]);
    let code = code["code"].as_str().unwrap();
    aramaki.json_in("new", &["device", "join", code]);
    let listed = aramaki.json_in("new", &["device", "list"]);
    let devices = listed["devices"].as_array().unwrap();
    assert!(
        devices.len() == 2 && listed.to_string().contains(&first),
        "{listed}"
    );
    aramaki.json_in("new", &["device", "add"]);
}

#[test]
fn a_kit_that_names_nothing_is_told_a_relay_and_who_is_named_does_not_stay() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    let nowhere = aramaki.refused_in("new", &story.recover(&[]), 1);
    assert_eq!(nowhere["code"], "A-123", "{nowhere}");

    // A fresh workspace with a kit of its own is as good as none.
    aramaki.json_in("new", &["init", "--name", "new", "--no-recovery-kit"]);
    let relay = ["--relay", &story.relay_address];
    let plan = aramaki.json_in("new", &story.recover(&relay));
    let spaces = plan["spaces"].as_array().unwrap();
    let system = spaces.iter().find(|it| it["title"] == "Webshop").unwrap();
    let guest = system["kept"].as_array().unwrap().iter();
    let is_sealed = |it: &Value| it["who"].to_string().contains("emergency key");
    let mut guest = guest.filter(|it| it["capability"] == "write" && !is_sealed(it));
    let guest = guest.next().unwrap()["device"].as_str().unwrap();
    let cut = [&relay[..], &["--cut", guest, "--yes"]].concat();
    let done = aramaki.json_in("new", &story.recover(&cut));
    let spaces = done["spaces"].as_array().unwrap();
    let system = spaces.iter().find(|it| it["title"] == "Webshop").unwrap();
    assert!(whos(system, "cut").contains(guest), "{system}");
    let again = aramaki.json_in("new", &story.recover(&cut));
    let again = again["spaces"].as_array().unwrap();
    assert!(again.iter().all(|it| it["done"] == true), "{again:?}");
    story.note("new", "After");
    aramaki.json_in("guest", &["peers", "--wait", "2s"]);
    assert_eq!(story.notes("guest"), ["Before"]);
    let listed = aramaki.json_in("new", &["trust", "list", "Webshop"]);
    assert!(!listed["grants"].to_string().contains(guest), "{listed}");
}

#[test]
fn what_cannot_be_recovered_is_said_and_changes_nothing() {
    let aramaki = Aramaki::without_workspace();
    let (kit, passphrase) = (aramaki.path("kit"), aramaki.path("passphrase"));
    std::fs::write(&passphrase, PASSPHRASE).unwrap();
    let init = ["init", "--name", "x", "--recovery-kit", &kit];
    aramaki.json(&[&init[..], &["--kit-passphrase-file", &passphrase]].concat());
    let relay = format!("{}@127.0.0.1:9", "58".repeat(31) + "66");
    let relay = aramaki.refused_in("new", &["recover", &kit, "--relay", &relay], 1);
    assert!(
        ["A-108", "A-120"].contains(&relay["code"].as_str().unwrap()),
        "{relay}"
    );
    let yes = [
        "recover",
        &kit,
        "--kit-passphrase-file",
        &passphrase,
        "--yes",
    ];
    assert_eq!(
        aramaki.refused_in("new", &yes, 2)["code"],
        "A-190",
        "no name"
    );
    let both = ["recover", "-", "--kit-passphrase-file", "-"];
    assert_eq!(aramaki.refused_in("new", &both, 2)["code"], "A-190");
    let missing = ["recover", "/nowhere/kit"];
    assert_eq!(aramaki.refused_in("new", &missing, 1)["code"], "A-109");

    aramaki.json_in("other", &["init", "--name", "x", "--no-recovery-kit"]);
    let foreign = aramaki.refused_in("other", &["recovery-kit", &kit], 1);
    assert_eq!(foreign["code"], "A-123", "{foreign}");

    let (_relay, _author, address) = Process::relay(&aramaki);
    let wrong = aramaki.path("wrong");
    std::fs::write(&wrong, "another passphrase").unwrap();
    let recover = ["recover", &kit, "--relay", &address, "--wait", "2s"];
    let refused = [&recover[..], &["--kit-passphrase-file", &wrong]].concat();
    assert_eq!(aramaki.refused_in("new", &refused, 1)["code"], "A-121");
    // The relay answers, and has nothing of this kit.
    let begun = std::time::Instant::now();
    let nothing = [&recover[..], &["--kit-passphrase-file", &passphrase]].concat();
    assert_eq!(aramaki.refused_in("new", &nothing, 1)["code"], "A-114");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(!std::path::Path::new(&aramaki.path("new")).exists());
}

#[cfg(unix)]
#[test]
fn a_kit_that_others_can_read_is_refused_and_stays_private_when_it_is_renewed() {
    use std::os::unix::fs::PermissionsExt as _;
    let aramaki = Aramaki::without_workspace();
    let (kit, passphrase) = (aramaki.path("kit"), aramaki.path("passphrase"));
    std::fs::write(&passphrase, PASSPHRASE).unwrap();
    let init = ["init", "--name", "x", "--recovery-kit", &kit];
    aramaki.json(&[&init[..], &["--kit-passphrase-file", &passphrase]].concat());
    aramaki.json(&["system", "add", "Webshop"]);
    let renewed = aramaki.json(&["recovery-kit", &kit]);
    assert_eq!(renewed["without_relay"].as_array().unwrap().len(), 1);
    let mode = || std::fs::metadata(&kit).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&kit, std::fs::Permissions::from_mode(0o640)).unwrap();
    for verb in [["recovery-kit", &kit], ["recover", &kit]] {
        let error = aramaki.refused(&verb, 1);
        assert_eq!(error["code"], "A-123", "{error}");
        assert!(
            error["message"].as_str().unwrap().contains("chmod 600"),
            "{error}"
        );
    }
}

/// Nobody holds the whole kit: any two of three hands recover, one alone learns and does nothing.
#[test]
fn shares_of_the_kit_recover_together_and_one_alone_does_nothing() {
    let story = Story::begin();
    let aramaki = &story.aramaki;
    aramaki.json(&["recovery-kit", &story.kit]);
    let folder = aramaki.path("shares");
    std::fs::create_dir(&folder).unwrap();
    let split = ["recovery-shares", &story.kit, "--of", "3", "--need", "2"];
    let from = [
        "--folder",
        &folder,
        "--kit-passphrase-file",
        &story.passphrase,
    ];
    let made = aramaki.json(&[&split[..], &from[..]].concat());
    let shares: Vec<String> = made["shares"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path.as_str().unwrap().to_owned())
        .collect();
    assert_eq!((shares.len(), &made["relays"]), (3, &json!(1)));
    std::fs::remove_file(&story.kit).unwrap();

    let yes = ["--name", "duty operator", "--yes"];
    let one = ["recover", "--share", &shares[1]];
    let refused = aramaki.refused_in("new", &[&one[..], &yes].concat(), 1);
    let said = refused.to_string();
    assert!(
        said.contains("2 different shares are needed, these are 1"),
        "{said}"
    );
    let two = ["recover", "--share", &shares[2], "--share", &shares[0]];
    let done = aramaki.json_in("new", &[&two[..], &yes].concat());
    assert_eq!(done["recovered"], true, "{done}");
    assert_eq!(story.notes("new"), ["Before"]);
    story.note("new", "After");
}
