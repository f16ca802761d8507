//! A notifier on a host, whose one channel is a program that writes down what it was told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Host, Person, Running};

/// A device that tells people; it may be stopped and started.
#[derive(Debug)]
pub struct Notifier {
    person: Person,
    folder: PathBuf,
    running: Option<Running>,
}

/// How long an orderly end may take.
const STOP_TIME: Duration = Duration::from_secs(30);

impl Notifier {
    /// One of this rank; it has not joined anything.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new(host: Host, folder: &Path, rank: u8) -> Self {
        let person = Person::new(host, folder);
        let program = folder.join("tell");
        let script = "#!/bin/sh\necho \"$ARAMAKI_STATUS $ARAMAKI_SYSTEM $ARAMAKI_TO\" >> \"$1\"\n";
        std::fs::write(&program, script).unwrap();
        let made = Command::new("chmod").arg("0755").arg(&program).status();
        assert!(made.unwrap().success());
        let channels = format!(
            "[channel.pager]\nkind = \"command\"\ncommand = [\"{}\", \"{}\"]\n",
            program.display(),
            folder.join("told").display()
        );
        let notifier = Self {
            person,
            folder: folder.to_owned(),
            running: None,
        };
        notifier.configure(rank, &channels);
        notifier
    }

    /// Gives it this rank and these channels.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn configure(&self, rank: u8, channels: &str) {
        let config = format!("rank = {rank}\nsettle = \"5s\"\n{channels}");
        std::fs::write(self.folder.join("notify.toml"), config).unwrap();
    }

    /// Who it is, for verbs.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Joins a person's System; it may write its receipts there.
    ///
    /// # Panics
    /// When a verb fails.
    pub fn join(&self, person: &Person, system: &str) {
        let share = [
            "share", system, "--can", "write", "--for", "8h", "--to", "notifier",
        ];
        let code = person.word(&share, "invitation");
        self.person.json(&["join", &code]);
    }

    /// Runs it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        let file = self.folder.join("notify.toml");
        let file = file.to_str().unwrap();
        let command = self
            .person
            .command(&["--log", "info", "notify", "run", "--file", file]);
        self.running = Some(Running::start(command, &self.folder.join("notify.log")));
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Ends it as a service manager does.
    ///
    /// # Panics
    /// When it had ended by itself, or does not end in time.
    pub fn stop(&mut self) {
        let ended = self.running.take().unwrap().stop(STOP_TIME);
        assert!(ended.success(), "{}", self.log());
    }

    /// What its receivers got so far, line by line: state, System and address.
    pub fn told(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("told")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("notify.log")).unwrap_or_default()
    }
}
