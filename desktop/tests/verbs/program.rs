//! The real program in a folder of its own, and the demo's relay and agents as processes of a test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything that is waited for may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// The program with workspaces in a folder that goes with the test.
pub(crate) struct Aramaki {
    folder: tempfile::TempDir,
}

impl Aramaki {
    /// No workspace yet.
    pub(crate) fn without_workspace() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A workspace in `data`.
    pub(crate) fn new() -> Self {
        let aramaki = Self::without_workspace();
        aramaki.json(&["init", "--name", "duty operator", "--no-recovery-kit"]);
        aramaki
    }

    /// A place in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The program, not yet run, with a workspace in `data`.
    pub(crate) fn command(&self, data: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aramaki"));
        command
            .env("ARAMAKI_DATA", self.folder.path().join(data))
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env("XDG_RUNTIME_DIR", self.folder.path().join("run"))
            .env("TMPDIR", self.folder.path())
            .env_remove("DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("WAYLAND_DISPLAY")
            .args(arguments);
        command
    }

    /// Runs a verb in the workspace in `data`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_in("data", arguments)
    }

    /// Runs a verb in the workspace of another person.
    pub(crate) fn run_in(&self, data: &str, arguments: &[&str]) -> Output {
        self.command(data, arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What a verb prints with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.json_in("data", arguments)
    }

    /// What a verb of another person prints with `--json`.
    pub(crate) fn json_in(&self, data: &str, arguments: &[&str]) -> Value {
        let output = self.run_in(data, &[arguments, &["--json"]].concat());
        value_of(&output, arguments)
    }

    /// The error of a verb that must fail.
    pub(crate) fn refused(&self, arguments: &[&str], exit: i32) -> Value {
        self.refused_in("data", arguments, exit)
    }

    /// The error of a verb of another person that must fail.
    pub(crate) fn refused_in(&self, data: &str, arguments: &[&str], exit: i32) -> Value {
        error_of(&self.run_in(data, &[arguments, &["--json"]].concat()), exit)
    }
}

/// What a verb printed with `--json`.
pub(crate) fn value_of(output: &Output, arguments: &[&str]) -> Value {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["schema"], 1, "{out}");
    value
}

/// The error that a verb printed with `--json`.
pub(crate) fn error_of(output: &Output, exit: i32) -> Value {
    assert_eq!(output.status.code(), Some(exit), "{}", text(&output.stderr));
    assert!(
        output.stdout.is_empty(),
        "errors leave standard output alone"
    );
    let line = text(&output.stderr);
    let value: Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
    value["error"].clone()
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Looks again and again until something is so.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A hidden verb of the demo: it ends when its input is closed.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts it and waits for its first line.
    pub(crate) fn start(mut command: Command, order: Option<&Value>) -> (Self, Value) {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(order) = order {
            writeln!(child.stdin.as_mut().unwrap(), "{order}").unwrap();
        }
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let event = serde_json::from_str(&line).unwrap();
        (Self { child }, event)
    }

    /// A relay, and what `aramaki relay add` needs to know of it.
    pub(crate) fn relay(aramaki: &Aramaki) -> (Self, String, String) {
        Self::relay_on(aramaki, "0", &[])
    }

    /// A relay that takes so much of a Space a day.
    pub(crate) fn small_relay(aramaki: &Aramaki, bytes: &str) -> (Self, String, String) {
        Self::relay_on(aramaki, "0", &["--space-bytes-per-day", bytes])
    }

    /// The same relay again, where an invitation says that it is.
    pub(crate) fn relay_at(aramaki: &Aramaki, address: &str) -> (Self, String, String) {
        let direct = address.rsplit([',', '@']).find(|it| !it.contains("://"));
        let port = direct.and_then(|direct| direct.rsplit(':').next()).unwrap();
        Self::relay_on(aramaki, port, &[])
    }

    fn relay_on(aramaki: &Aramaki, port: &str, more: &[&str]) -> (Self, String, String) {
        let ports = [
            "--peer-port",
            port,
            "--transport-port",
            "0",
            "--status-port",
            "0",
        ];
        let command = aramaki.command("relay", &[&["demo-relay"], &ports[..], more].concat());
        let (relay, event) = Self::start(command, None);
        let card = &event["ready"]["relay"];
        let word = |name: &str| card[name].as_str().unwrap().to_owned();
        (relay, word("author"), word("address"))
    }

    /// An agent with that invitation.
    pub(crate) fn agent(aramaki: &Aramaki, invitation: &str) -> Self {
        let seat = json!({"system": "observed", "invitation": invitation});
        let order = json!({"start": {"seats": [seat]}});
        let (agent, event) = Self::start(aramaki.command("agents", &["demo-agent"]), Some(&order));
        assert_eq!(event["started"]["agents"], 1, "{event}");
        agent
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(15) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether a process is still there.
pub(crate) fn is_running(pid: u32) -> bool {
    // A zombie has no command line any more.
    std::fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline"))
        .is_ok_and(|line| !line.is_empty())
}
