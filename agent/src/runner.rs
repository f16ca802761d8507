//! Runs one plugin: own process group, bounded output, killed as a group when its time is over.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use aramaki_model::Exit;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::platform;

/// Standard output kept of one run; the rest is read and dropped, so that the plugin is not blocked.
pub const STDOUT_LEN_BYTES_MAX: usize = 64 * 1024;
/// Standard error kept of one run.
pub const STDERR_LEN_BYTES_MAX: usize = 16 * 1024;
/// How long pipes may stay open after the plugin itself has ended: a grandchild can hold them for ever.
const PIPE_GRACE: Duration = Duration::from_millis(500);
/// Variables that a plugin inherits. Everything else is cleared, so that a result does not depend on
/// who started the agent.
const ENVIRONMENT_KEPT: [&str; 6] = ["PATH", "HOME", "USER", "LOGNAME", "TZ", "TMPDIR"];

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Arguments, passed as they are: no shell reads them.
    pub arguments: Vec<OsString>,
    /// The whole process group is killed after this time.
    pub timeout: Duration,
}

/// What one run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub exit: Exit,
    /// The first [`STDOUT_LEN_BYTES_MAX`] bytes of standard output.
    pub stdout: Vec<u8>,
    /// The first [`STDERR_LEN_BYTES_MAX`] bytes of standard error.
    pub stderr: Vec<u8>,
    /// Whether any output was dropped.
    pub truncated: bool,
    /// From start to end.
    pub took: Duration,
}

/// Runs `plugin` to its end or to its time limit.
///
/// Dropping the future kills the process group too.
pub async fn run(plugin: &Plugin) -> Run {
    let started = Instant::now();
    let mut child = match spawn(plugin) {
        Ok(child) => child,
        Err(error) => {
            return Run {
                exit: Exit::NotStarted(error.to_string()),
                stdout: Vec::new(),
                stderr: Vec::new(),
                truncated: false,
                took: started.elapsed(),
            };
        }
    };
    let mut group = Group::of(&child);
    let mut stdout = Bounded::new(child.stdout.take(), STDOUT_LEN_BYTES_MAX);
    let mut stderr = Bounded::new(child.stderr.take(), STDERR_LEN_BYTES_MAX);
    let deadline = started + plugin.timeout;

    let exit = {
        let reading = async {
            tokio::join!(stdout.read_to_end(), stderr.read_to_end());
        };
        tokio::pin!(reading);
        let mut reading_done = false;
        let status = loop {
            tokio::select! {
                status = child.wait() => break Some(status),
                () = &mut reading, if !reading_done => reading_done = true,
                () = tokio::time::sleep_until(deadline) => break None,
            }
        };
        if !reading_done && status.is_some() {
            reading_done = tokio::time::timeout(PIPE_GRACE, reading).await.is_ok();
        }
        match status {
            Some(Ok(status)) => {
                if reading_done {
                    group.spare();
                }
                exit_of(status)
            }
            Some(Err(error)) => Exit::NotStarted(error.to_string()),
            None => Exit::TimedOut,
        }
    };
    // Whoever still lives in the group holds a pipe open or outlived the time limit.
    group.kill();
    if exit == Exit::TimedOut {
        // Reaps the killed leader; a process in uninterruptible sleep must not hold up the agent.
        if tokio::time::timeout(PIPE_GRACE, child.wait())
            .await
            .is_err()
        {
            tracing::warn!(program = %plugin.program.display(), "plugin does not die");
        }
    }
    Run {
        exit,
        truncated: stdout.dropped || stderr.dropped,
        stdout: stdout.kept,
        stderr: stderr.kept,
        took: started.elapsed(),
    }
}

fn spawn(plugin: &Plugin) -> std::io::Result<Child> {
    let mut command = Command::new(&plugin.program);
    command
        .args(&plugin.arguments)
        .env_clear()
        .envs(
            ENVIRONMENT_KEPT
                .iter()
                .filter_map(|name| std::env::var_os(name).map(|value| (name, value))),
        )
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    platform::own_process_group(&mut command);
    command.spawn()
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), platform::signal_of(status)) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::NotStarted("the operating system reported no exit status".to_owned()),
    }
}

/// The process group of a plugin; killed when dropped, unless spared.
struct Group(Option<u32>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id())
    }

    /// The group ended by itself.
    fn spare(&mut self) {
        self.0 = None;
    }

    fn kill(&mut self) {
        if let Some(leader) = self.0.take() {
            platform::kill_process_group(leader);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A pipe read to its end, of which the beginning is kept.
struct Bounded<R> {
    pipe: Option<R>,
    kept: Vec<u8>,
    len_max: usize,
    dropped: bool,
}

impl<R: AsyncRead + Unpin> Bounded<R> {
    fn new(pipe: Option<R>, len_max: usize) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
            len_max,
            dropped: false,
        }
    }

    async fn read_to_end(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let mut buffer = vec![0_u8; 8192];
        loop {
            // A pipe that fails has ended; what was read before still counts.
            let Ok(len) = pipe.read(&mut buffer).await else {
                return;
            };
            let Some(read) = buffer.get(..len).filter(|read| !read.is_empty()) else {
                return;
            };
            let room = self.len_max.saturating_sub(self.kept.len());
            let keep = read.get(..room).unwrap_or(read);
            self.kept.extend_from_slice(keep);
            self.dropped |= keep.len() < read.len();
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration) -> Plugin {
        Plugin {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            timeout,
        }
    }

    #[tokio::test]
    async fn output_code_and_errors_are_kept_as_they_are() {
        let done = run(&shell(
            "echo 'DISK OK | a=1'; echo oops >&2; exit 42",
            Duration::from_secs(10),
        ))
        .await;
        assert_eq!(done.exit, Exit::Code(42));
        assert_eq!(done.stdout, b"DISK OK | a=1\n");
        assert_eq!(done.stderr, b"oops\n");
        assert!(!done.truncated);
    }

    #[tokio::test]
    async fn a_signal_is_reported_as_one() {
        let done = run(&shell("kill -TERM $$", Duration::from_secs(10))).await;
        assert_eq!(done.exit, Exit::Signal(15));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_reported_with_the_reason() {
        let mut plugin = shell("", Duration::from_secs(10));
        plugin.program = PathBuf::from("/nonexistent/check_nothing");
        let done = run(&plugin).await;
        assert!(
            matches!(&done.exit, Exit::NotStarted(reason) if reason.contains("No such file")),
            "{:?}",
            done.exit
        );
    }

    #[tokio::test]
    async fn plugins_see_the_c_locale_and_no_foreign_variables() {
        let done = run(&shell(
            "echo $LC_ALL; env | grep -c CARGO",
            Duration::from_secs(10),
        ))
        .await;
        assert_eq!(done.stdout, b"C\n0\n");
    }

    #[tokio::test]
    async fn a_flood_is_bounded_and_does_not_block_the_plugin() {
        let script = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 1";
        let done = run(&shell(script, Duration::from_secs(20))).await;
        assert_eq!(done.exit, Exit::Code(1));
        assert_eq!(done.stdout.len(), STDOUT_LEN_BYTES_MAX);
        assert_eq!(done.stderr.len(), STDERR_LEN_BYTES_MAX);
        assert!(done.truncated);
    }

    /// Waits until the process whose number a script printed is gone, or a zombie that only its reaper
    /// has to collect.
    async fn is_killed(printed: &str) {
        let pid = printed.trim();
        let limit = Instant::now() + Duration::from_secs(5);
        while Instant::now() < limit {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            if stat.map_or(true, |stat| stat.contains(") Z")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{pid} still runs");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_time_limit_kills_grandchildren_too() {
        let script = "sleep 300 & echo $!; sleep 300";
        let done = run(&shell(script, Duration::from_millis(400))).await;
        assert_eq!(done.exit, Exit::TimedOut);
        assert!(done.took < Duration::from_secs(5), "{:?}", done.took);
        is_killed(&String::from_utf8(done.stdout).unwrap()).await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_grandchild_that_holds_the_pipe_does_not_delay_the_result() {
        let done = run(&shell(
            "sleep 300 & echo $!; exit 2",
            Duration::from_mins(1),
        ))
        .await;
        assert_eq!(done.exit, Exit::Code(2));
        assert!(done.took < Duration::from_secs(10), "{:?}", done.took);
        is_killed(&String::from_utf8(done.stdout).unwrap()).await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn giving_up_on_a_run_kills_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!(
            "sleep 300 & echo $! > {0}.new; mv {0}.new {0}; wait",
            pid_file.display()
        );
        let plugin = shell(&script, Duration::from_mins(1));
        let task = tokio::spawn(async move { run(&plugin).await });
        let limit = Instant::now() + Duration::from_secs(10);
        while !pid_file.exists() && Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let grandchild = std::fs::read_to_string(&pid_file).unwrap();
        task.abort();
        is_killed(&grandchild).await;
    }
}
