//! Someone who uses `aramaki` on a host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::{Host, Running, program};

/// A person with a workspace of their own.
#[derive(Debug)]
pub struct Person {
    host: Host,
    folder: PathBuf,
}

impl Person {
    /// Someone new, whose files are below `folder`.
    ///
    /// # Panics
    /// When no workspace can be made.
    pub fn new(host: Host, folder: &Path) -> Self {
        Self::named(host, folder, "duty operator")
    }

    /// Someone new of this name.
    ///
    /// # Panics
    /// When no workspace can be made.
    pub fn named(host: Host, folder: &Path, name: &str) -> Self {
        let person = Self {
            host,
            folder: folder.to_owned(),
        };
        std::fs::create_dir_all(folder.join("config/aramaki")).unwrap();
        person.json(&["init", "--name", name, "--no-recovery-kit"]);
        person
    }

    /// Writes `config.toml`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.folder.join("config/aramaki/config.toml"), text).unwrap();
    }

    /// The program, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(program("aramaki"));
        command
            .env("ARAMAKI_DATA", self.folder.join("data"))
            .env("XDG_CONFIG_HOME", self.folder.join("config"))
            .env("XDG_STATE_HOME", self.folder.join("state"))
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .args(arguments);
        command
    }

    /// Runs a verb to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a verb that has to work.
    ///
    /// # Panics
    /// When it does not.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(
            output.status.success(),
            "aramaki {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A string of a verb's answer.
    ///
    /// # Panics
    /// When there is none.
    pub fn word(&self, arguments: &[&str], field: &str) -> String {
        let value = self.json(arguments);
        let word = value[field].as_str();
        word.unwrap_or_else(|| panic!("no {field} in {value}"))
            .to_owned()
    }

    /// Writes a note that counts as written once this returns.
    ///
    /// # Panics
    /// When it was not written.
    pub fn note(&self, system: &str, title: &str) {
        self.json(&["note", "add", system, "--title", title, "--text", title]);
    }

    /// The titles of a System's notes, sorted.
    ///
    /// # Panics
    /// When they cannot be listed.
    pub fn notes(&self, system: &str) -> Vec<String> {
        let listed = self.json(&["note", "list", system]);
        let notes = listed["notes"].as_array().unwrap().iter();
        let mut titles: Vec<String> = notes
            .map(|note| note["title"].as_str().unwrap().to_owned())
            .collect();
        titles.sort();
        titles
    }

    /// The effective state of a System in a word; none while nothing is known.
    ///
    /// # Panics
    /// When the verb fails.
    pub fn state(&self, system: &str) -> Option<String> {
        let shown = self.json(&["system", "show", system]);
        shown["effective"].as_str().map(ToOwned::to_owned)
    }

    /// Goes online for so long, for example `2s`, and says whom it reaches and what is where.
    ///
    /// # Panics
    /// When the verb fails.
    pub fn online(&self, span: &str) -> Value {
        self.json(&["peers", "--wait", span])
    }

    /// Stays online in the background.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn stay_online(&self, span: &str) -> Running {
        let log = self.folder.join("online.log");
        Running::start(self.command(&["peers", "--wait", span]), &log)
    }

    /// The digest of each Space that is here.
    ///
    /// # Panics
    /// When the verb fails.
    pub fn digests(&self) -> BTreeMap<String, String> {
        digests(&self.json(&["peers"]))
    }

    /// Checks every signature, chain and hash.
    ///
    /// # Panics
    /// When one does not hold.
    pub fn verify(&self) {
        self.json(&["verify"]);
    }
}

fn digests(peers: &Value) -> BTreeMap<String, String> {
    let word = |space: &Value, field: &str| space[field].as_str().unwrap().to_owned();
    let spaces = peers["spaces"].as_array().unwrap().iter();
    spaces
        .map(|space| (word(space, "id"), word(space, "digest")))
        .collect()
}
