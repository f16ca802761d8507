//! People who cannot reach each other: invitations and news in files, codes that wait.
//!
//! The programs run in folders of their own; nobody of them is online at the
//! same time, and no relay exists.

use std::fs;

use serde_json::{Value, json};

use crate::program::{Aramaki, Process, text, wait_for};

/// Two workspaces; the first has a System with a note.
fn apart() -> Aramaki {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop", "--category", "service"]);
    let note = ["note", "add", "Webshop", "--title", "Restart"];
    aramaki.json(&[&note[..], &["--text", "turn it off and on"]].concat());
    aramaki.json_in("second", &["init", "--name", "Sam", "--no-recovery-kit"]);
    aramaki
}

fn notes(aramaki: &Aramaki, data: &str) -> Vec<String> {
    let listed = aramaki.json_in(data, &["note", "list", "Webshop"]);
    let mut titles: Vec<_> = listed["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

fn digests(aramaki: &Aramaki, data: &str, wait: &str) -> Value {
    let peers = aramaki.json_in(data, &["peers", "--wait", wait]);
    let mut spaces: Vec<_> = peers["spaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|space| (space["id"].to_string(), space["digest"].to_string()))
        .collect();
    spaces.sort();
    spaces
        .into_iter()
        .map(|(id, digest)| format!("{id} {digest}"))
        .collect()
}

/// Of how many the timeline says that they were let in.
fn let_in(aramaki: &Aramaki) -> usize {
    let told = aramaki.json(&["timeline", "Webshop", "--kind", "access"]);
    let told = told["entries"].as_array().unwrap().iter();
    let may = told.filter(|it| it["text"].as_str().unwrap().contains(" may "));
    may.count()
}

/// Who came too late is told as soon as the first one's use of the code has come to them.
fn is_told_that_the_code_was_used(aramaki: &Aramaki, (first, late): (&str, &str), news: &str) {
    assert_eq!(aramaki.json_in(late, &["status"])["used_up"], json!([]));
    aramaki.json_in(late, &["take", news]);
    let status = aramaki.json_in(late, &["status"]);
    assert_eq!(status["used_up"].as_array().unwrap().len(), 1, "{status}");
    let words = text(&aramaki.run_in(late, &["status"]).stdout);
    assert!(words.contains("ask for a code of your own"), "{words}");
    assert_eq!(aramaki.json_in(first, &["status"])["used_up"], json!([]));
}

/// A file with a code is a secret.
#[cfg(unix)]
fn is_for_nobody_else(file: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_system_goes_to_a_guest_in_a_file_and_what_they_write_comes_back_in_one() {
    let aramaki = apart();
    let invite = aramaki.path("invite.aramaki");
    let shared = aramaki.json(&[
        "share", "Webshop", "--can", "write", "--for", "8h", "--file", &invite,
    ]);
    assert_eq!(
        shared["redeem_until"], shared["end"],
        "its use may have to travel: {shared}"
    );
    assert_eq!(shared["carried"]["without_content"], 0);
    #[cfg(unix)]
    is_for_nobody_else(&invite);
    let again = aramaki.refused(&["share", "Webshop", "--file", &invite], 1);
    assert_eq!(again["code"], "A-109", "nothing is overwritten: {again}");

    // The guest sees the System at once, and writes.
    let joined = aramaki.json_in("second", &["join", &invite]);
    assert_eq!(joined["complete"], true, "{joined}");
    assert_eq!(joined["title"], "Webshop");
    assert_eq!(joined["capability"], "write");
    assert_eq!(joined["notes"], 1);
    assert_eq!(notes(&aramaki, "second"), ["Restart"]);
    let note = [
        "note", "add", "Webshop", "--title", "From Sam", "--text", "done",
    ];
    aramaki.json_in("second", &note);

    // It comes back in a file and counts; then the host's news go the other way.
    let news = aramaki.path("news.aramaki");
    let carried = aramaki.json_in("second", &["carry", "Webshop", &news]);
    assert_eq!(carried["title"], "Webshop", "{carried}");
    let taken = aramaki.json(&["take", &news]);
    assert!(taken["new"].as_u64() > Some(0), "{taken}");
    assert_eq!(
        (&taken["gaps"], &taken["refused"]),
        (&0.into(), &0.into()),
        "{taken}"
    );
    assert_eq!(notes(&aramaki, "data"), ["From Sam", "Restart"]);
    let listed = aramaki.json(&["trust", "list", "Webshop"]).to_string();
    assert!(listed.contains("Sam ("), "{listed}");
    assert_eq!(aramaki.json(&["take", &news])["new"], 0, "twice");
    aramaki.json(&["say", "Webshop", "thank you"]);
    let back = aramaki.path("back.aramaki");
    aramaki.json(&["carry", "Webshop", &back]);
    aramaki.json_in("second", &["take", &back]);
    let timeline = aramaki
        .json_in("second", &["timeline", "Webshop"])
        .to_string();
    assert!(timeline.contains("thank you"), "{timeline}");
    for data in ["data", "second"] {
        aramaki.json_in(data, &["verify"]);
    }

    // One code, one device: who copies the file comes too late.
    aramaki.json_in("third", &["init", "--name", "third", "--no-recovery-kit"]);
    aramaki.json_in("third", &["join", &invite]);
    let late = aramaki.path("late.aramaki");
    aramaki.json_in("third", &["carry", "Webshop", &late]);
    aramaki.json(&["take", &late]);
    let grants = aramaki.json(&["trust", "list", "Webshop"]).to_string();
    assert!(!grants.contains("third"), "{grants}");
    assert_eq!(let_in(&aramaki), 1, "who was never in is not told of");
    is_told_that_the_code_was_used(&aramaki, ("second", "third"), &back);

    // Later both meet, and agree.
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["relay", "add", &author, &address]);
    let relayed = aramaki.path("relayed.aramaki");
    aramaki.json(&["carry", "Webshop", &relayed]);
    aramaki.json_in("second", &["take", &relayed]);
    wait_for("both hold the same", || {
        let first = digests(&aramaki, "data", "1s");
        (first == digests(&aramaki, "second", "1s")).then_some(())
    });
}

/// Sam seals a note for those whom Sam knows; the host let Kim in without having heard of that.
#[test]
fn who_was_let_in_before_a_key_was_known_reads_after_the_next_file() {
    let aramaki = apart();
    let [first, other, news, came, back] =
        ["first", "other", "news", "came", "back"].map(|name| aramaki.path(name));
    let share = ["share", "Webshop", "--for", "8h", "--can"];
    aramaki.json(&[&share[..], &["write", "--file", &first]].concat());
    aramaki.json_in("second", &["join", &first]);
    let note = [
        "note", "add", "Webshop", "--title", "From Sam", "--text", "done",
    ];
    aramaki.json_in("second", &note);
    aramaki.json(&[&share[..], &["read", "--file", &other]].concat());
    aramaki.json_in("second", &["carry", "Webshop", &news]);
    aramaki.json(&["take", &news]);
    aramaki.json_in("kim", &["init", "--name", "Kim", "--no-recovery-kit"]);
    aramaki.json_in("kim", &["join", &other]);
    aramaki.json_in("kim", &["carry", "Webshop", &came]);
    aramaki.json(&["take", &came]);
    aramaki.json(&["carry", "Webshop", &back]);
    aramaki.json_in("kim", &["take", &back]);
    assert_eq!(notes(&aramaki, "kim"), ["From Sam", "Restart"]);
}

#[test]
fn a_code_that_carries_its_grants_makes_a_member_offline_and_a_file_brings_the_rest() {
    let aramaki = apart();
    let shared = aramaki.json(&["share", "Webshop", "--can", "write", "--inline"]);
    let code = shared["invitation"].as_str().unwrap();
    assert!(code.len() <= 4_296, "a QR code holds it: {}", code.len());
    // A camera, or somebody's mail program, may break it into lines and change the case.
    let typed = format!("{}\n {}\n", &code[..100].to_lowercase(), &code[100..]);
    let joined = aramaki.json_in("second", &["join", &typed]);
    assert_eq!(joined["complete"], false, "{joined}");
    assert_eq!(joined["by_file"], true, "{joined}");
    let (all, back) = (aramaki.path("all.aramaki"), aramaki.path("back.aramaki"));
    aramaki.json(&["carry", "Webshop", &all]);
    let taken = aramaki.json_in("second", &["take", &all]);
    assert_eq!(
        (&taken["gaps"], &taken["refused"]),
        (&0.into(), &0.into()),
        "{taken}"
    );
    assert_eq!(notes(&aramaki, "second"), ["Restart"]);
    let note = [
        "note", "add", "Webshop", "--title", "From Sam", "--text", "done",
    ];
    aramaki.json_in("second", &note);
    aramaki.json_in("second", &["carry", "Webshop", &back]);
    aramaki.json(&["take", &back]);
    assert_eq!(notes(&aramaki, "data"), ["From Sam", "Restart"]);
    let refused = aramaki.refused_in("third", &["join", &code[..code.len() - 9]], 1);
    assert_eq!(refused["code"], "A-101", "{refused}");
    let refused = aramaki.refused_in("second", &["join", &code[..code.len() - 9]], 1);
    assert_eq!(refused["code"], "A-110", "{refused}");
}

#[expect(
    clippy::too_many_lines,
    reason = "one pair of files, bent in every way"
)]
#[test]
fn files_that_are_damaged_foreign_or_too_large_are_named_and_change_nothing() {
    let aramaki = apart();
    let (invite, news) = (aramaki.path("invite.aramaki"), aramaki.path("news.aramaki"));
    aramaki.json(&["share", "Webshop", "--file", &invite]);
    aramaki.json(&["carry", "Webshop", &news]);
    let (sound, other) = (fs::read(&invite).unwrap(), fs::read(&news).unwrap());
    let file = aramaki.path("file.aramaki");
    let refused = |verb: &str, bytes: &[u8], why: &str| {
        fs::write(&file, bytes).unwrap();
        let error = aramaki.refused_in("second", &[verb, &file], 1);
        assert_eq!(error["code"], "A-128", "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(&file) && message.contains(why),
            "{message}"
        );
    };
    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for verb in ["join", "take"] {
        refused(verb, b"", "no bundle of this program");
        refused(verb, b"%PDF-1.7", "no bundle of this program");
        refused(
            verb,
            b"aramaki bundle 7\nfrom the future",
            "a version that is not known",
        );
        refused(verb, &flipped, "its checksum is another one");
        refused(
            verb,
            &sound[..sound.len() - 1],
            "its checksum is another one",
        );
        refused(verb, &sound[..40], "its checksum is another one");
    }
    refused("join", &other, "it holds no invitation");
    refused("take", &sound, "it invites to a System that is not here");
    refused(
        "take",
        &other,
        "it holds nothing of the Systems that are here",
    );
    // Somebody forged an entry and made the checksum fit.
    let content = sound.len() - 32;
    let mut forged = sound.clone();
    forged[content - 1] ^= 1;
    let sum = blake3::derive_key("aramaki bundle checksum v1", &forged[..content]);
    forged[content..].copy_from_slice(&sum);
    refused("join", &forged, "is not acceptable");
    // As long as a disk, and no file at all: neither is read.
    fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    let error = aramaki.refused_in("second", &["join", &file], 1);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("longer than a bundle gets"),
        "{error}"
    );
    fs::remove_file(&file).unwrap();
    let error = aramaki.refused_in("second", &["take", &file], 1);
    assert_eq!(error["code"], "A-109", "{error}");
    #[cfg(unix)]
    {
        let error = aramaki.refused_in("second", &["take", "/dev/zero"], 1);
        assert_eq!(error["code"], "A-128", "{error}");
    }
    let peers = aramaki.json_in("second", &["peers"]);
    assert_eq!(peers["spaces"], json!([]), "nothing was changed: {peers}");
    assert_eq!(peers["awaiting"], serde_json::json!([]), "{peers}");
    let joined = aramaki.json_in("second", &["join", &invite]);
    assert_eq!(
        joined["capability"], "read",
        "the sound one still works: {joined}"
    );
}

#[test]
fn a_code_taken_while_nobody_is_there_is_kept_listed_completed_later_or_given_up() {
    let aramaki = apart();
    let (relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["relay", "add", &author, &address]);
    let shared = aramaki.json(&["share", "Webshop", "--for", "8h"]);
    let code = shared["invitation"].as_str().unwrap();
    assert!(code.len() <= 300, "{} characters", code.len());
    drop(relay);

    let joined = aramaki.json_in("second", &["join", code, "--wait", "1s"]);
    assert_eq!(joined["complete"], false, "{joined}");
    let said = text(
        &aramaki
            .run_in("second", &["join", code, "--wait", "1s"])
            .stdout,
    );
    assert!(said.contains("the invitation is kept"), "{said}");
    let waiting = aramaki.json_in("second", &["peers"]);
    let awaited = &waiting["awaiting"][0];
    assert_eq!(awaited["id"], shared["system"], "{waiting}");
    assert_eq!(awaited["capability"], "read");
    assert_eq!(awaited["ended"], false);
    let said = text(&aramaki.run_in("second", &["status"]).stdout);
    assert!(said.contains("Waiting for"), "{said}");

    // Given up: nothing is left of it. Taken again: it is kept again.
    let id = shared["system"].as_str().unwrap();
    let given_up = aramaki.json_in("second", &["join", "--cancel", &id[..12]]);
    assert_eq!(given_up["cancelled"], true);
    let waiting = aramaki.json_in("second", &["peers"]);
    assert_eq!(waiting["awaiting"], serde_json::json!([]), "{waiting}");
    assert_eq!(waiting["spaces"], serde_json::json!([]), "{waiting}");
    assert_eq!(
        waiting["peers"],
        serde_json::json!([]),
        "nobody is looked for: {waiting}"
    );
    let refused = aramaki.refused_in("second", &["join", "--cancel", &id[..12]], 1);
    assert_eq!(refused["code"], "A-103", "{refused}");
    aramaki.json_in("second", &["join", code, "--wait", "1s"]);

    // The relay is back, and any verb completes it.
    let (_relay, again, _address) = Process::relay_at(&aramaki, &address);
    assert_eq!(again, author);
    wait_for("the System came", || {
        aramaki.json_in("second", &["peers", "--wait", "1s"]);
        let listed = aramaki.run_in("second", &["note", "list", "Webshop"]);
        text(&listed.stdout).contains("Restart").then_some(())
    });
    let peers = aramaki.json_in("second", &["peers"]);
    assert_eq!(peers["awaiting"], serde_json::json!([]), "{peers}");
}

/// Somebody copies a workspace by hand and works in both: whoever takes in both histories says so, and
/// who has seen one alone judges like them once they hear of it.
#[test]
fn a_workspace_that_was_copied_is_named_where_people_look() {
    let aramaki = apart();
    let file = |name: &str| aramaki.path(&format!("{name}.aramaki"));
    let pass = |from: &str, to: &str, name: &str| {
        aramaki.json_in(from, &["carry", "Webshop", &file(name)]);
        aramaki.json_in(to, &["take", &file(name)]);
    };
    let share = "share Webshop --can write --redemptions 2 --file".split(' ');
    let invite = file("invite");
    aramaki.json(&share.chain([&*invite]).collect::<Vec<_>>());
    aramaki.json_in("second", &["join", &invite]);
    aramaki.json_in("third", &["init", "--name", "Theo", "--no-recovery-kit"]);
    aramaki.json_in("third", &["join", &file("invite")]);
    aramaki.json_in("second", &["say", "Webshop", "so far one"]);
    pass("second", "data", "together");
    copy_folder(&aramaki.path("second"), &aramaki.path("twin"));
    aramaki.json_in("second", &["say", "Webshop", "here"]);
    aramaki.json_in("twin", &["say", "Webshop", "there"]);
    pass("second", "third", "one");
    let shown = aramaki
        .json_in("third", &["timeline", "Webshop"])
        .to_string();
    assert!(shown.contains("\"here\""), "{shown}");

    pass("second", "data", "here");
    pass("twin", "data", "there");
    // The proof waits some seconds for somebody else's.
    aramaki.json(&["peers", "--wait", "11s"]);
    let said = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(
        said.contains("Two histories were signed by Sam ("),
        "{said}"
    );
    let listed = aramaki.json(&["verify"]);
    let forks = listed["two_histories"].as_array().unwrap();
    assert_eq!(forks.len(), 1, "{listed}");
    assert_eq!(forks[0]["both_here"], true, "{listed}");
    let shown = aramaki.json(&["timeline", "Webshop"]).to_string();
    assert!(
        shown.contains("two histories were signed by Sam"),
        "{shown}"
    );
    assert!(
        shown.contains("so far one"),
        "what was before the copy counts: {shown}"
    );
    assert!(
        !shown.contains("\"here\"") && !shown.contains("\"there\""),
        "{shown}"
    );

    // The third had one branch alone, and judges as the first once it hears of the other.
    pass("data", "third", "proof");
    let listed = aramaki.json_in("third", &["trust", "list", "Webshop"]);
    assert_eq!(
        listed["two_histories"].as_array().unwrap().len(),
        1,
        "{listed}"
    );
    let shown = aramaki
        .json_in("third", &["timeline", "Webshop"])
        .to_string();
    assert!(!shown.contains("\"here\""), "{shown}");
    audits_name_it(&aramaki);
    aramaki.json_in("third", &["verify"]);
}

/// The audit of both says whose key it is, from which position on: the first by the two branches, the third by the
/// proof alone.
fn audits_name_it(aramaki: &Aramaki) {
    for data in ["data", "third"] {
        let audit = aramaki.json_in(data, &["trust", "audit", "Webshop"]);
        let entries = audit["entries"].as_array().unwrap().iter();
        let told: Vec<_> = entries.filter(|it| it["kind"] == "fork").collect();
        let [fork] = told[..] else {
            panic!("{data}: {audit}");
        };
        let device = aramaki.json_in("second", &["peers"])["this_device"].clone();
        assert_eq!(fork["details"]["device"], device, "{data}: {fork}");
        assert!(fork["details"]["seq"].as_u64() > Some(1), "{data}: {fork}");
        assert_eq!(fork["counts"], true, "{data}: {fork}");
        let words = ["trust", "audit", "Webshop", "--who", "Sam"];
        let words = text(&aramaki.run_in(data, &words).stdout);
        let line = words.lines().find(|line| line.contains("two histories"));
        let line = line.unwrap_or_else(|| panic!("{data}: {words}"));
        assert!(
            line.contains("Sam (") && line.contains("from position"),
            "{line}"
        );
    }
}

/// Sam wrote, and was sent away from the start: whoever looks is told what became of that, and not only who ended
/// it while they did.
#[test]
fn what_an_end_cut_is_told_to_who_looks() {
    let aramaki = apart();
    let [invite, news] = ["invite", "news"].map(|name| aramaki.path(name));
    let share = ["share", "Webshop", "--can", "write", "--for", "8h"];
    aramaki.json(&[&share[..], &["--file", &invite]].concat());
    aramaki.json_in("second", &["join", &invite]);
    let note = ["note", "add", "Webshop", "--title", "From Sam"];
    aramaki.json_in("second", &[&note[..], &["--text", "done"]].concat());
    aramaki.json_in("second", &["carry", "Webshop", &news]);
    aramaki.json(&["take", &news]);
    let held = aramaki.json(&["trust", "held", "Webshop"]);
    assert_eq!(
        (&held["refused"], &held["vouched"]),
        (&json!([]), &json!([]))
    );

    aramaki.json(&["trust", "revoke", "Webshop", "Sam", "--from-the-start"]);
    assert_eq!(notes(&aramaki, "data"), ["Restart"]);
    let held = aramaki.json(&["trust", "held", "Webshop"]);
    let [cut] = held["refused"].as_array().unwrap().as_slice() else {
        panic!("{held}");
    };
    // What Sam called himself was cut too: the key is left.
    let second = aramaki.json_in("second", &["peers"])["this_device"].clone();
    let who = cut["who"].as_str().unwrap();
    assert!(second.as_str().unwrap().starts_with(who), "{cut}");
    let why = cut["why"].as_str().unwrap();
    assert!(why.contains("ended this access"), "{cut}");
    let newest = cut["newest"].as_array().unwrap().len();
    assert_eq!(cut["envelopes"].as_u64(), newest.try_into().ok(), "{cut}");
    let words = text(&aramaki.run(&["trust", "held"]).stdout);
    let (_before, told) = words.split_once("Counts for nothing:\n").unwrap();
    assert!(told.contains(who) && told.contains(why), "{words}");
}

/// Another team is given the right to let its own people in: it does, and they do not go on. All of it is listed,
/// and one end ends it.
#[test]
fn who_may_give_on_lets_others_in_who_may_not() {
    let aramaki = apart();
    let [invite, came, told, below, back] =
        ["invite", "came", "told", "below", "back"].map(|name| aramaki.path(name));
    aramaki.json(&["share", "Webshop", "--for", "8h", "--file", &invite]);
    aramaki.json_in("second", &["join", &invite]);
    aramaki.json_in("second", &["carry", "Webshop", &came]);
    aramaki.json(&["take", &came]);
    let share = ["share", "Webshop", "--for", "1h", "--can", "read", "--file"];
    aramaki.refused_in("second", &[&share[..], &[&below]].concat(), 1);
    let me = aramaki.json_in("second", &["peers"])["this_device"].clone();
    let second = me.as_str().unwrap();
    let grant = [
        "trust", "grant", "Webshop", second, "--can", "write", "--for", "6h",
    ];
    let deep = [&grant[..], &["--depth", "7"]].concat();
    let refused = aramaki.refused(&deep, 1).to_string();
    assert!(
        refused.contains("--depth 6"),
        "no more than there is: {refused}"
    );
    // Who comes by a code stands two below.
    let once = aramaki.path("once");
    aramaki.json(&[&grant[..], &["--depth", "1"]].concat());
    aramaki.json(&["carry", "Webshop", &once]);
    aramaki.json_in("second", &["take", &once]);
    let share_below = [&share[..], &[&below]].concat();
    let refused = aramaki.refused_in("second", &share_below, 1).to_string();
    assert!(refused.contains("--depth 2"), "{refused}");
    aramaki.json(&[&grant[..], &["--depth", "2"]].concat());
    aramaki.json(&["carry", "Webshop", &told]);
    aramaki.json_in("second", &["take", &told]);

    aramaki.json_in("second", &share_below);
    aramaki.json_in("third", &["init", "--name", "Kim", "--no-recovery-kit"]);
    let joined = aramaki.json_in("third", &["join", &below]);
    assert_eq!(joined["capability"], "read", "{joined}");
    assert_eq!(notes(&aramaki, "third"), ["Restart"]);
    let further = aramaki.path("further");
    aramaki.refused_in("third", &[&share[..], &[&further]].concat(), 1);
    aramaki.json_in("third", &["carry", "Webshop", &back]);
    aramaki.json(&["take", &back]);

    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    let grants = listed["grants"].as_array().unwrap();
    let me = aramaki.json_in("third", &["peers"])["this_device"].clone();
    let third = me.as_str().unwrap();
    let depth = |device: &str| {
        let of = grants.iter().filter(|it| it["device"] == device);
        of.filter_map(|it| it["depth_left"].as_u64()).max()
    };
    assert_eq!(
        (depth(second), depth(third)),
        (Some(2), Some(0)),
        "{listed}"
    );
    let words = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(words.contains("may give it on, 2 deep"), "{words}");
    let audit = text(&aramaki.run(&["trust", "audit", "Webshop"]).stdout);
    assert!(audit.contains("may give it on, 2 deep"), "{audit}");
    let is_given = |it: &&Value| it["device"] == second && it["depth_left"] == 2;
    let given = grants.iter().find(is_given).unwrap();
    let given = given["grant"].as_str().unwrap();
    aramaki.json(&["trust", "revoke", "Webshop", given]);
    let listed = aramaki.json(&["trust", "list", "Webshop"]).to_string();
    assert!(
        !listed.contains(third),
        "the end of one ends all below: {listed}"
    );
}

fn copy_folder(from: &str, to: &str) {
    let copied = std::process::Command::new("cp")
        .args(["-a", from, to])
        .status();
    assert!(copied.unwrap().success());
}
