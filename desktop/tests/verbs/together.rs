//! Several people, a relay and an agent: real processes, each in a folder of its own.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Aramaki, Process, error_of, is_running, text, wait_for};

const CHECKS: &str = "\
[[check]]
name = \"uptime\"
interval_ms = 1000
kind.builtin.uptime = {}
";

/// A System with a check and an agent, on a relay; the first person is offline between verbs.
fn observed_system(aramaki: &Aramaki) -> (Process, Process) {
    let (relay, author, address) = Process::relay(aramaki);
    let checks = aramaki.path("checks.toml");
    std::fs::write(&checks, CHECKS).unwrap();
    aramaki.json(&["system", "add", "Webshop", "--checks", &checks]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let agent = Process::agent(aramaki, invited["invitation"].as_str().unwrap());
    (relay, agent)
}

fn status(aramaki: &Aramaki, data: &str) -> String {
    aramaki.json_in(data, &["peers", "--wait", "1s"]);
    let shown = aramaki.json_in(data, &["system", "show", "Webshop"]);
    shown["effective"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_is_made_after_a_relay_was_added_is_kept_by_it_too() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Mail"]);
    let alone = aramaki.json(&["share", "Mail"]);
    assert_eq!(alone["relayed"], false, "{alone}");
    let people = text(&aramaki.run(&["share", "Mail"]).stdout);
    assert!(people.contains("No relay keeps this System"), "{people}");

    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["relay", "add", &author, &address]);
    aramaki.json(&["system", "add", "Webshop"]);
    let shared = aramaki.json(&["share", "Webshop"]);
    assert_eq!(shared["relayed"], true, "{shared}");
    // Nobody of the first person's side is online any more: the relay answers for it.
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let joined = aramaki.json_in("second", &["join", shared["invitation"].as_str().unwrap()]);
    assert_eq!(joined["complete"], true, "{joined}");
    assert_eq!(joined["title"], "Webshop", "{joined}");

    // Who they are is known on both sides, once both have written.
    let share = aramaki.json(&["share", "Webshop", "--can", "write"]);
    let code = share["invitation"].as_str().unwrap();
    aramaki.json_in("writer", &["init", "--name", "Wilma", "--no-recovery-kit"]);
    aramaki.json_in("writer", &["join", code]);
    aramaki.json(&["peers", "--wait", "1s"]);
    let who = |data: &str| {
        let listed = aramaki.json_in(data, &["trust", "list", "Webshop"]);
        listed.to_string()
    };
    assert!(who("data").contains("Wilma ("), "{}", who("data"));
    assert!(
        who("writer").contains("duty operator ("),
        "{}",
        who("writer")
    );
    assert!(
        who("second").contains("duty operator ("),
        "{}",
        who("second")
    );

    // The code lets one device in, and no other; that one is told why.
    let code = shared["invitation"].as_str().unwrap();
    aramaki.json_in("third", &["init", "--name", "third", "--no-recovery-kit"]);
    let refused = aramaki.refused_in("third", &["join", code], 1);
    assert_eq!(refused["code"], "A-110", "{refused}");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("as many devices"),
        "{refused}"
    );
    assert!(
        !text(&aramaki.run_in("third", &["system", "list"]).stdout).contains("Webshop"),
        "what the code opens is not shown to who is no member"
    );
}

#[test]
fn an_agents_invitation_is_none_for_a_person_and_can_still_be_used_by_the_agent() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let code = invited["invitation"].as_str().unwrap();
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let refused = aramaki.refused_in("second", &["join", code], 1);
    assert_eq!(refused["code"], "A-110");
    assert!(refused["hint"].as_str().unwrap().contains("aramaki-agent"));
    let _agent = Process::agent(&aramaki, code);
}

#[test]
fn who_joins_a_system_sees_what_its_agents_see_and_changes_only_what_may_be_changed() {
    let aramaki = Aramaki::new();
    let (_relay, _agent) = observed_system(&aramaki);
    wait_for("the first person sees the check pass", || {
        (status(&aramaki, "data") == "ok").then_some(())
    });
    let shared = aramaki.json(&["share", "Webshop", "--for", "8h", "--can", "read"]);
    let people = text(&aramaki.run(&["share", "Webshop", "--for", "8h"]).stdout);
    assert!(
        people.contains("read Webshop") && people.contains("until"),
        "{people}"
    );

    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let joined = aramaki.json_in("second", &["join", shared["invitation"].as_str().unwrap()]);
    assert_eq!(joined["complete"], true, "{joined}");
    assert_eq!(joined["capability"], "read", "{joined}");
    assert_eq!(
        (&joined["agents"], &joined["agents_readable"]),
        (&1.into(), &1.into()),
        "who may read the System may read what its agents see: {joined}"
    );
    wait_for("the second person sees the check pass", || {
        (status(&aramaki, "second") == "ok").then_some(())
    });
    let timeline = aramaki.json_in("second", &["timeline", "Webshop"]);
    assert!(timeline.to_string().contains("agent"), "{timeline}");

    let note = ["note", "add", "Webshop", "--title", "x", "--text", "y"];
    assert_eq!(aramaki.refused_in("second", &note, 1)["code"], "A-111");
    assert_eq!(
        aramaki.refused_in("second", &["share", "Webshop"], 1)["code"],
        "A-111"
    );
    assert_eq!(
        aramaki.json_in("second", &["note", "list", "Webshop"])["notes"],
        serde_json::json!([]),
        "what was refused left nothing behind"
    );
}

#[test]
fn an_agent_is_let_keep_its_system_and_is_called_what_it_is() {
    let aramaki = Aramaki::new();
    let (_relay, _agent) = observed_system(&aramaki);
    wait_for("the agent keeps the System", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        let listed = aramaki.json(&["trust", "list", "Webshop"]);
        let grants = listed["grants"].as_array().unwrap().iter();
        let agents = grants.filter(|it| it["who"].as_str().unwrap().starts_with("web1 ("));
        let keeps: Vec<_> = agents.map(|it| it["capability"].clone()).collect();
        (keeps == ["relay"]).then_some(())
    });
    // Once is enough.
    aramaki.json(&["peers", "--wait", "1s"]);
    let listed = aramaki.json(&["trust", "list", "Webshop"]).to_string();
    assert_eq!(listed.matches("web1 (").count(), 1, "{listed}");
}

#[test]
fn a_reader_is_called_what_whoever_invited_them_said() {
    let aramaki = Aramaki::new();
    let (_relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let shared = aramaki.json(&["share", "Webshop", "--to", "the auditor"]);
    let listed = || text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(
        listed().contains("invitation for the auditor"),
        "{}",
        listed()
    );
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    aramaki.json_in("second", &["join", shared["invitation"].as_str().unwrap()]);
    wait_for("the guest has a name", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        listed().contains("the auditor (").then_some(())
    });
    let audit = text(&aramaki.run(&["trust", "audit", "Webshop"]).stdout);
    assert!(audit.contains("the auditor ("), "{audit}");
}

#[test]
fn a_reader_is_complete_before_the_digests_are_compared_again() {
    // Without a word after joining, a relay heard of a guest's keys only five seconds later.
    let aramaki = Aramaki::new();
    let (_relay, _agent) = observed_system(&aramaki);
    let shared = aramaki.json(&["share", "Webshop"]);
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let begun = Instant::now();
    aramaki.json_in("second", &["join", shared["invitation"].as_str().unwrap()]);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(aramaki.json_in("second", &["peers"])["only_here"], 0);
}

#[test]
fn an_invitation_works_later_when_nobody_is_there_now() {
    let aramaki = Aramaki::new();
    let (relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    let unheard = aramaki.json(&["share", "Webshop"]);
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let code = unheard["invitation"].as_str().unwrap().to_owned();
    let mut child = aramaki
        .command("second", &["join", "-", "--wait", "1s", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(code.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("\"complete\":false"));

    aramaki.json(&["relay", "add", &author, &address]);
    let code = aramaki.json(&["share", "Webshop"]);
    let joined = aramaki.json_in("second", &["join", code["invitation"].as_str().unwrap()]);
    assert_eq!(joined["title"], "Webshop");
    drop(relay);
}

#[test]
fn ctrl_c_ends_a_wait_in_good_order_and_the_workspace_is_free() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let code = aramaki.json(&["share", "Webshop"]);
    let code = code["invitation"].as_str().unwrap();
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let child = aramaki
        .command("second", &["join", code, "--wait", "5m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    // The invitation is kept as soon as the store says so.
    wait_for("the workspace is in use", || {
        let lock = std::fs::read_to_string(aramaki.path("second/store/lock")).ok()?;
        lock.contains(&pid.to_string()).then_some(())
    });
    let number = pid.to_string();
    wait_for("the program ends", || {
        drop(
            std::process::Command::new("kill")
                .args(["-INT", &number])
                .status(),
        );
        (!is_running(pid)).then_some(())
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let err = text(&output.stderr);
    assert!(
        err.contains("A-119") && err.contains("invitation is kept"),
        "{err}"
    );
    aramaki.json_in("second", &["status"]);
}

/// A process that ends with the test.
struct Running(std::process::Child);

impl Running {
    fn start(aramaki: &Aramaki, arguments: &[&str]) -> Self {
        let mut command = aramaki.command("data", arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    /// Waits until it has the workspace.
    fn holds(&self, aramaki: &Aramaki) {
        let pid = self.0.id().to_string();
        wait_for("it has the workspace", || {
            let lock = std::fs::read_to_string(aramaki.path("data/store/lock")).ok()?;
            lock.contains(&pid).then_some(())
        });
    }

    /// Ends it in good order, and waits for that.
    fn end(mut self) {
        let pid = self.0.id().to_string();
        drop(
            std::process::Command::new("kill")
                .args(["-TERM", &pid])
                .status(),
        );
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// At three in the morning somebody looks on in one terminal and acknowledges in another.
#[test]
fn beside_a_verb_that_looks_on_others_work_and_who_stays_takes_its_place() {
    let aramaki = Aramaki::new();
    let channels = aramaki.path("notify.toml");
    std::fs::write(&channels, "[channel.screen]\nkind = \"desktop\"\n").unwrap();
    let looks = Running::start(&aramaki, &["peers", "--wait", "2m"]);
    looks.holds(&aramaki);
    let begun = Instant::now();
    aramaki.json(&["system", "add", "Webshop"]);
    let listed = aramaki.json(&["system", "list"]);
    assert!(listed.to_string().contains("Webshop"), "{listed}");
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );

    // A notifier has to tell people, whoever looks on.
    let notifier = Running::start(&aramaki, &["notify", "run", "--file", &channels]);
    notifier.holds(&aramaki);
    aramaki.json(&["say", "Webshop", "a notifier listens"]);
    notifier.end();
    // Who looked on still does.
    looks.holds(&aramaki);
    aramaki.json(&["say", "Webshop", "and is gone"]);
    let said = aramaki.json(&["timeline", "Webshop"]).to_string();
    assert!(
        said.contains("a notifier listens") && said.contains("and is gone"),
        "{said}"
    );
    looks.end();
    aramaki.json(&["status"]);
}

#[test]
fn who_may_not_be_disturbed_is_named_to_who_wants_the_workspace() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let code = aramaki.json(&["share", "Webshop"]);
    let code = code["invitation"].as_str().unwrap();
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    let mut joins = aramaki.command("second", &["join", code, "--wait", "2m"]);
    joins.stdin(Stdio::null()).stdout(Stdio::null());
    let joins = Running(joins.stderr(Stdio::null()).spawn().unwrap());
    let pid = joins.0.id().to_string();
    wait_for("the workspace is in use", || {
        let lock = std::fs::read_to_string(aramaki.path("second/store/lock")).ok()?;
        lock.contains(&pid).then_some(())
    });
    // Beside it others work.
    aramaki.json_in("second", &["system", "add", "Mail"]);
    let channels = aramaki.path("notify.toml");
    std::fs::write(&channels, "[channel.screen]\nkind = \"desktop\"\n").unwrap();
    let run = ["notify", "run", "--file", &channels];
    let refused = aramaki.refused_in("second", &run, 1);
    assert_eq!(refused["code"], "A-112", "{refused}");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains(&pid) && message.contains("(`aramaki join`)"),
        "{message}"
    );
    assert!(!message.contains(code), "a code is a secret: {message}");
    joins.end();
}

#[test]
fn an_invitation_that_has_ended_is_refused_and_nothing_is_joined() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let code = aramaki.json(&["share", "Webshop", "--for", "1s"]);
    let code = code["invitation"].as_str().unwrap();
    let refused = wait_for("it ends", || {
        let end = aramaki.run(&["join", code, "--wait", "1s", "--json"]);
        (!end.status.success()).then_some(end)
    });
    let error = error_of(&refused, 1);
    assert_eq!(error["code"], "A-110");
    assert!(error["message"].as_str().unwrap().contains("it ended"));
}

#[test]
fn offline_a_verb_does_not_wait_for_the_relay() {
    let aramaki = Aramaki::new();
    let (relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    drop(relay);
    let note = [
        "note", "add", "Webshop", "--title", "Offline", "--text", "x",
    ];
    for verb in [&note[..], &["status"], &["peers"]] {
        let begun = Instant::now();
        aramaki.json(verb);
        assert!(
            begun.elapsed() < Duration::from_millis(2_500),
            "{verb:?} took {:?}",
            begun.elapsed()
        );
    }
    assert_ne!(aramaki.json(&["peers"])["only_here"], 0);
}

/// A System on a relay and a second person who joined it to read; the relay, and the guest's grant.
fn with_guest(aramaki: &Aramaki) -> (Process, Value) {
    let (relay, author, address) = Process::relay(aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let code = aramaki.json(&["share", "Webshop", "--for", "8h"]);
    aramaki.json_in("second", &["init", "--name", "second", "--no-recovery-kit"]);
    aramaki.json_in("second", &["join", code["invitation"].as_str().unwrap()]);
    let guest = wait_for("the guest's grant arrives", || {
        aramaki.json(&["peers", "--wait", "1s"]);
        grants(aramaki).into_iter().find(|grant| {
            let through = grant["through"].as_str().unwrap_or_default();
            through.starts_with("invitation")
        })
    });
    (relay, guest)
}

fn grants(aramaki: &Aramaki) -> Vec<Value> {
    let listed = aramaki.json(&["trust", "list", "Webshop"]);
    listed["grants"].as_array().unwrap().clone()
}

#[test]
fn trust_is_listed_previewed_ended_and_what_follows_is_sealed_from_who_left() {
    let aramaki = Aramaki::new();
    let (_relay, guest) = with_guest(&aramaki);
    assert_eq!(guest["capability"], "read");
    let device = guest["device"].as_str().unwrap();
    let people = text(&aramaki.run(&["trust", "list", "Webshop"]).stdout);
    assert!(
        people.contains("this device") && people.contains("relay ("),
        "{people}"
    );

    let longer = ["--can", "write", "--for", "3d"];
    aramaki.json(&[&["trust", "grant", "Webshop", &device[..12]], &longer[..]].concat());
    let revoke = [
        "trust",
        "revoke",
        "Webshop",
        guest["grant"].as_str().unwrap(),
    ];
    let preview = aramaki.json(&[&revoke[..], &["--preview"]].concat());
    assert_eq!(preview["revoked"], false);
    let mut previewed = preview["grants"].as_array().unwrap().iter();
    assert!(previewed.any(|it| it["grant"] == guest["grant"] && it["device"] == device));
    let held = || -> Vec<String> {
        let of_guest = grants(&aramaki);
        let of_guest = of_guest.iter().filter(|grant| grant["device"] == device);
        of_guest
            .map(|grant| grant["grant"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = held();
    assert_eq!(before.len(), 2, "a preview ends nothing");

    for grant in before {
        aramaki.json(&["trust", "revoke", "Webshop", &grant, "--reason", "lost"]);
    }
    assert_eq!(held(), [""; 0]);
    on_the_timeline(&aramaki);
    audited(&aramaki, device, guest["grant"].as_str().unwrap());
    aramaki.json(&[
        "note", "add", "Webshop", "--title", "After", "--text", "secret",
    ]);
    aramaki.json_in("second", &["peers", "--wait", "2s"]);
    let read = aramaki.json_in("second", &["note", "list", "Webshop"]);
    assert!(!read.to_string().contains("After"), "{read}");
}

/// The same on the timeline, where one looks for what went on.
fn on_the_timeline(aramaki: &Aramaki) {
    let said = aramaki.json(&["timeline", "Webshop"]);
    let rows = said["entries"].as_array().unwrap();
    let access: Vec<&str> = rows
        .iter()
        .filter(|row| row["kind"] == "access")
        .map(|row| row["text"].as_str().unwrap())
        .collect();
    let count = |words: &str| access.iter().filter(|text| text.contains(words)).count();
    assert_eq!(count(" may read until"), 1, "{access:?}");
    assert_eq!(count(" may write until"), 1, "{access:?}");
    // The end of one of two grants ended nothing.
    assert_eq!(count("was ended"), 1, "{access:?}");
    assert_eq!(access.len(), 3, "neither relay nor beginning: {access:?}");
}

/// The same story, told afterwards: who could read, through whom, until what.
fn audited(aramaki: &Aramaki, device: &str, grant: &str) {
    let told = aramaki.json(&["trust", "audit", "Webshop"]);
    let entries = told["entries"].as_array().unwrap();
    let times: Vec<_> = entries.iter().map(|it| it["at"].to_string()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let of_guest = entries.iter().find(|it| it["id"] == grant).unwrap();
    let details = &of_guest["details"];
    assert_eq!(details["audience"]["device"], device, "{of_guest}");
    assert_eq!(details["reads"], true, "{of_guest}");
    assert_eq!(details["ended"]["how"], "revoked", "{of_guest}");
    let through = details["through"].as_array().unwrap();
    assert_eq!(
        through.len(),
        2,
        "this device and its invitation: {of_guest}"
    );
    assert!(
        through[1]["who"]
            .as_str()
            .unwrap()
            .starts_with("invitation (")
    );
    let by = details["ended"]["statement"].as_str().unwrap();
    let revoked = entries.iter().find(|it| it["id"] == by).unwrap();
    assert_eq!(
        (&revoked["kind"], &revoked["details"]["reason"]),
        (&"revoke".into(), &"lost".into())
    );
    let keys: Vec<_> = entries.iter().filter(|it| it["kind"] == "key").collect();
    let sealed = |entry: &Value| entry["details"]["sealed_to"].to_string().contains(device);
    assert!(keys.iter().any(|it| sealed(it)), "{told}");
    assert!(
        !sealed(keys[keys.len() - 1]),
        "the last key is not the guest's: {told}"
    );
    let people = text(&aramaki.run(&["trust", "audit", "Webshop"]).stdout);
    for word in [
        "the System's own key let",
        "revoked the grant of",
        "sealed to",
    ] {
        assert!(people.contains(word), "{word}: {people}");
    }
}

#[test]
fn nobody_locks_himself_out_or_gives_what_he_does_not_have() {
    let aramaki = Aramaki::new();
    let (_relay, _guest) = with_guest(&aramaki);
    let unknown = ["trust", "revoke", "Webshop", "ffffffffffff"];
    assert_eq!(aramaki.refused(&unknown, 1)["code"], "A-122");
    let grants = grants(&aramaki);
    let own = grants
        .iter()
        .find(|grant| grant["capability"] == "administer");
    let own = own.unwrap()["grant"].as_str().unwrap();
    let revoke = ["trust", "revoke", "Webshop", own];
    assert_eq!(aramaki.refused(&revoke, 1)["code"], "A-111");
    let share = ["share", "Webshop"];
    assert_eq!(
        aramaki.refused_in("second", &share, 1)["code"],
        "A-111",
        "a reader's invitation would count nowhere"
    );
}
