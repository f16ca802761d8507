//! Real programs: where they are, how they are started, killed and waited for.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

/// A program of this workspace: beside the running test, or in the folder `ARAMAKI_BINARIES`.
///
/// # Panics
/// When it was not built: `cargo build --profile ci --bins` does it.
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("ARAMAKI_BINARIES").map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            test.parent().unwrap().parent().unwrap().to_owned()
        },
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is missing: build it first, cargo build --profile ci --bins",
        path.display()
    );
    path
}

/// Asks until the answer is yes.
///
/// # Panics
/// When it is not within the limit; says for what was waited.
pub fn eventually(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + limit;
    while !done() {
        assert!(Instant::now() < until, "not within {limit:?}: {what}");
        std::thread::park_timeout(POLL);
    }
}

/// A process; killed when the test lets it go.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it; both its outputs go to the file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Self {
            child: command.spawn().unwrap(),
            log: log.to_owned(),
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far, with what its predecessors said.
    ///
    /// # Panics
    /// When the file cannot be read.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When it ended by itself.
    pub fn kill(mut self) {
        assert!(!self.has_ended(), "ended by itself: {}", self.log());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it is gone.
    ///
    /// # Panics
    /// When the system does not answer.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Asks it to stop, and waits until it did.
    ///
    /// # Panics
    /// When it does not within the limit.
    pub fn stop(mut self, limit: Duration) -> ExitStatus {
        let asked = Command::new("kill")
            .args(["-s", "TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success());
        let mut ended = None;
        eventually("an orderly end", limit, || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
