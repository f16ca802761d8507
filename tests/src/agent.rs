//! An agent on a host, with one check whose state a test decides.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Host, Person, Running, program};

/// An agent; it may be stopped and started.
#[derive(Debug)]
pub struct Agent {
    host: Host,
    folder: PathBuf,
    data: PathBuf,
    running: Option<Running>,
}

impl Agent {
    /// Configures one; it has not joined anything.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new(host: Host, folder: &Path, data: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let agent = Self {
            host,
            folder: folder.to_owned(),
            data: data.to_owned(),
            running: None,
        };
        agent.observe(0);
        // A Nagios plugin is any program that prints a line and exits with its state.
        let plugin = "#!/bin/sh\nread code < \"$1\"\necho \"state is $code\"\nexit \"$code\"\n";
        let path = folder.join("check_state");
        std::fs::write(&path, plugin).unwrap();
        runnable(&path);
        let config = format!(
            "actions_folder = \"{}\"\n\
             [[check]]\nname = \"state\"\ninterval = \"1s\"\nttl = \"1h\"\n\
             command = {{ program = \"{}\", arguments = [\"{}\"] }}\n",
            agent.actions().display(),
            path.display(),
            folder.join("state").display()
        );
        std::fs::write(folder.join("agent.toml"), config).unwrap();
        agent
    }

    /// Adds this to its configuration.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure(&self, more: &str) {
        let path = self.folder.join("agent.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}{more}")).unwrap();
    }

    /// Where its host says which actions it allows.
    pub fn actions(&self) -> PathBuf {
        self.folder.join("actions.d")
    }

    /// Lets the host allow an action: a shell script, and the rest of its file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn allow(&self, name: &str, script: &str, more: &str) {
        let program = self.folder.join(format!("{name}.sh"));
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        runnable(&program);
        let action = format!(
            "description = \"{name} for a test\"\nprogram = \"{}\"\n{more}\n",
            program.display()
        );
        self.allow_file(name, &action);
    }

    /// Lets the host allow an action by its whole file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn allow_file(&self, name: &str, text: &str) {
        let folder = self.actions();
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, text).unwrap();
        runnable(&folder);
        runnable(&file);
    }

    /// Where its key, store and journals are.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What its check finds from now on: a plugin's exit code.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn observe(&self, exit: u8) {
        let (new, file) = (self.folder.join("state.new"), self.folder.join("state"));
        std::fs::write(&new, format!("{exit}\n")).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(program("aramaki-agent"));
        command
            .arg("--config")
            .arg(self.folder.join("agent.toml"))
            .arg("--data")
            .arg(&self.data)
            .args(arguments);
        command
    }

    /// Joins as an observer of this person's System.
    ///
    /// # Panics
    /// When a verb fails.
    pub fn join(&self, person: &Person, system: &str) {
        let invite = ["agent", "invite", system, "--name", "web1"];
        self.redeem(&person.word(&invite, "invitation"));
    }

    /// Joins with this invitation.
    ///
    /// # Panics
    /// When it is refused.
    pub fn redeem(&self, invitation: &str) {
        let joined = self.command(&["join", invitation]).output().unwrap();
        let mut log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("agent.log"))
            .unwrap();
        log.write_all(&joined.stderr).unwrap();
        assert!(
            joined.status.success(),
            "{}",
            String::from_utf8_lossy(&joined.stderr)
        );
    }

    /// Runs it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        let log = self.folder.join("agent.log");
        self.running = Some(Running::start(self.command(&["run"]), &log));
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.running
            .as_mut()
            .is_some_and(|running| !running.has_ended())
    }

    /// What it said on standard error, since it joined.
    ///
    /// # Panics
    /// When it said nothing at all.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("agent.log")).unwrap()
    }
}

/// Read and run by all, written by its owner alone.
fn runnable(path: &Path) {
    let made = Command::new("chmod").arg("0755").arg(path).status();
    assert!(made.unwrap().success());
}
