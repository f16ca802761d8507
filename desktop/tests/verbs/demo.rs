//! `aramaki demo` as a stranger meets it: real processes, the cable pulled and put back, clean ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::program::{Aramaki, error_of, is_running, text, wait_for};

/// A running demo, what it said so far, and its processes.
struct Demo {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    folder: PathBuf,
    children: Vec<u32>,
}

impl Demo {
    /// Starts one and waits until everybody works.
    fn start(aramaki: &Aramaki, arguments: &[&str]) -> Self {
        let mut child = aramaki
            .command(
                "unused",
                &[&["demo", "--headless", "--json"], arguments].concat(),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("pulls the cable") {
            let read = err.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "{said}");
        }
        let folder = said.split("--data ").nth(1).unwrap();
        let folder = PathBuf::from(folder.split("/duty-operator").next().unwrap());
        let children = children_of(child.id());
        assert_eq!(children.len(), 4, "two people, a relay, the agents");
        Self {
            child,
            err,
            folder,
            children,
        }
    }

    fn person(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// What it printed in the end; nothing of it may be left.
    fn end(mut self) -> (Option<i32>, String) {
        let mut out = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        let mut err = String::new();
        self.err.read_to_string(&mut err).unwrap();
        let exit = self.child.wait().unwrap().code();
        for child in self.children {
            assert!(!is_running(child), "process {child} is left\n{err}");
        }
        assert!(
            !self.folder.exists(),
            "{} is left\n{err}",
            self.folder.display()
        );
        (exit, out)
    }
}

fn children_of(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let of_main = std::fs::read_to_string(path).unwrap_or_default();
    let mut found: Vec<u32> = of_main
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect();
    // Children of other threads of the same process.
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let more = std::fs::read_to_string(task.unwrap().path().join("children"));
        let more = more.unwrap_or_default();
        found.extend(
            more.split_whitespace()
                .map(|pid| pid.parse::<u32>().unwrap()),
        );
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn digests(aramaki: &Aramaki, person: &str) -> Value {
    aramaki.json(&["peers", "--data", person])["spaces"].clone()
}

fn notes(aramaki: &Aramaki, person: &str) -> String {
    aramaki
        .json(&["note", "list", "Directory", "--data", person])
        .to_string()
}

#[test]
fn the_cable_is_pulled_a_note_is_written_and_everything_agrees_again() {
    let aramaki = Aramaki::without_workspace();
    let demo = Demo::start(&aramaki, &["--duration", "10m"]);
    let (first, second) = (
        demo.person("duty-operator"),
        demo.person("developer-on-call"),
    );

    let switched = aramaki.json(&["demo", "relay", "stop"]);
    assert_eq!(switched["relay_running"], false);
    wait_for("nobody is connected", || {
        let peers = aramaki.json(&["peers", "--data", &first])["peers"].clone();
        let peers = peers.as_array().unwrap().clone();
        peers
            .iter()
            .all(|peer| peer["connected"] == false)
            .then_some(())
    });
    let note = [
        "note",
        "add",
        "Directory",
        "--title",
        "Offline",
        "--text",
        "x",
        "--data",
        &first,
    ];
    aramaki.json(&note);
    assert_ne!(aramaki.json(&["peers", "--data", &first])["only_here"], 0);
    assert!(
        !notes(&aramaki, &second).contains("Offline"),
        "the relay is the only way"
    );

    assert_eq!(
        aramaki.json(&["demo", "relay", "start"])["relay_running"],
        true
    );
    wait_for("the note arrives", || {
        notes(&aramaki, &second).contains("Offline").then_some(())
    });
    wait_for("both people hold the same", || {
        (digests(&aramaki, &first) == digests(&aramaki, &second)).then_some(())
    });

    demo.signal("-INT");
    let (exit, out) = demo.end();
    assert_eq!(exit, Some(0), "{out}");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        said["converged"], true,
        "a run that is ended early is still measured: {out}"
    );
    assert_eq!(
        aramaki.refused(&["demo", "relay", "stop"], 1)["code"],
        "A-117"
    );
}

#[test]
fn a_short_run_measures_what_travels_through_the_relay() {
    let aramaki = Aramaki::without_workspace();
    let said = aramaki.json(&["demo", "--headless", "--duration", "4s"]);
    assert_eq!(said["converged"], true, "{said}");
    assert_eq!(said["digests"][0], said["digests"][1]);
    assert!(said["transitions"].as_u64().unwrap() > 0, "{said}");
    // Who has just been let in is served at once, not at the next comparison of digests (5 s).
    assert!(said["envelope_p50_ms"].as_u64().unwrap() < 1_500, "{said}");
}

#[test]
fn a_termination_signal_while_it_starts_leaves_nothing_and_prints_nothing() {
    let aramaki = Aramaki::without_workspace();
    let mut child = aramaki
        .command("unused", &["demo", "--headless", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("starting"), "{line}");
    let children = wait_for("its processes", || {
        let children = children_of(child.id());
        (children.len() >= 3).then_some(children)
    });
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "");
    for child in children {
        wait_for("its processes end", || (!is_running(child)).then_some(()));
    }
    let left = std::fs::read_dir(aramaki.path(".")).unwrap();
    let left = left.filter(|it| {
        let name = it.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("aramaki-demo-")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_kept_folder_is_named_and_can_be_looked_at() {
    let aramaki = Aramaki::without_workspace();
    let said = aramaki.json(&["demo", "--headless", "--duration", "1s", "--keep"]);
    let folder = said["folder"].as_str().unwrap();
    let person = Path::new(folder)
        .join("developer-on-call")
        .display()
        .to_string();
    assert_eq!(
        aramaki.json(&["verify", "--data", &person])["faults"],
        serde_json::json!([])
    );
}

#[test]
fn a_display_that_cannot_be_reached_is_named_and_nothing_is_left() {
    let aramaki = Aramaki::without_workspace();
    let output = aramaki
        .command("unused", &["demo", "--json"])
        .env("DISPLAY", ":7654")
        .output()
        .unwrap();
    let error = error_of(&output, 1);
    assert_eq!(error["code"], "A-116");
    assert!(
        error["hint"].as_str().unwrap().contains("--headless"),
        "{error}"
    );
}
