//! Telling people by a program of the host: no shell, its words in the environment, its time limited.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command as Process};

use super::channel::SendError;
use super::letter::Letter;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What a program says on standard error goes into a receipt, no more of it.
const SAID_LEN_BYTES_MAX: u64 = 512;
/// The exit code by which a program says that it works later.
const EXIT_LATER: i32 = 75;
const PAUSE: Duration = Duration::from_secs(2);

/// A program and its fixed arguments.
#[derive(Debug)]
pub(super) struct Command {
    argv: Vec<String>,
    timeout: Duration,
}

impl Command {
    pub(super) const fn new(argv: Vec<String>, timeout: Duration) -> Self {
        Self { argv, timeout }
    }

    /// Runs it once: the text on standard input, the rest in `ARAMAKI_…`.
    pub(super) async fn send(&self, to: &str, letter: &Letter) -> Result<(), SendError> {
        let (program, arguments) = self
            .argv
            .split_first()
            .ok_or_else(|| SendError::refused("no program"))?;
        let mut process = Process::new(program);
        process
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("ARAMAKI_TO", without_nul(to))
            .envs(
                letter
                    .environment()
                    .into_iter()
                    .map(|(name, value)| (name, without_nul(&value))),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        process.process_group(0);
        let child = process
            .spawn()
            .map_err(|error| SendError::failed(format!("{program}: {error}"), PAUSE))?;
        let _group = Group(child.id());
        match tokio::time::timeout(self.timeout, finish(child, letter)).await {
            Ok(ended) => ended.map_err(|error| match error {
                Ended::Io(error) => SendError::unsure(format!("{program}: {error}")),
                Ended::Code(Some(EXIT_LATER), said) => {
                    SendError::failed(format!("{program} works later: {said}"), PAUSE)
                }
                Ended::Code(Some(code), said) => {
                    SendError::failed(format!("{program} ended with {code}: {said}"), PAUSE)
                }
                Ended::Code(None, said) => {
                    SendError::unsure(format!("{program} was killed: {said}"))
                }
            }),
            Err(_elapsed) => Err(SendError::unsure(format!(
                "{program} did not end within {} s and was killed",
                self.timeout.as_secs()
            ))),
        }
    }
}

enum Ended {
    Io(std::io::Error),
    Code(Option<i32>, String),
}

async fn finish(mut child: Child, letter: &Letter) -> Result<(), Ended> {
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read is no error.
        drop(input.write_all(letter.text.as_bytes()).await);
    }
    let mut said = Vec::new();
    if let Some(errors) = child.stderr.take() {
        let mut errors = errors.take(SAID_LEN_BYTES_MAX);
        drop(errors.read_to_end(&mut said).await);
        // The rest is not kept, and does not stop the program either.
        let mut rest = errors.into_inner();
        drop(tokio::io::copy(&mut rest, &mut tokio::io::sink()).await);
    }
    let status = child.wait().await.map_err(Ended::Io)?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Err(Ended::Code(status.code(), said))
}

/// An environment cannot hold it.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// The program's process group: killed when dropped, so that nothing is left behind.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.0.and_then(|id| i32::try_from(id).ok())
            && let Some(leader) = rustix::process::Pid::from_raw(leader)
        {
            let killed = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
            if let Err(error) = killed {
                tracing::trace!(%error, "what is gone needs no killing");
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::notify::channel::{Again, Fate};

    fn script(folder: &std::path::Path, text: &str) -> Command {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("page");
        let written = std::fs::write(&path, format!("#!/bin/sh\n{text}\n"));
        let rights = std::fs::Permissions::from_mode(0o755);
        assert!(
            written
                .and_then(|()| std::fs::set_permissions(&path, rights))
                .is_ok()
        );
        Command::new(
            vec![path.display().to_string(), "a b".to_owned()],
            Duration::from_secs(2),
        )
    }

    #[tokio::test]
    async fn a_program_gets_text_and_words_without_a_shell_and_says_whether_it_worked() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let letter = Letter::test("mail");
        let good = script(
            folder.path(),
            &format!(
                "(echo \"$1|$ARAMAKI_TO|$ARAMAKI_STATUS\"; cat; env) > {}",
                out.display()
            ),
        );
        good.send("$(id) `id`; x", &letter).await.unwrap();
        let said = std::fs::read_to_string(&out).unwrap();
        assert!(said.starts_with("a b|$(id) `id`; x|"), "{said}");
        assert!(
            said.contains(&letter.text) && !said.contains("HOME="),
            "{said}"
        );
        let failed = script(folder.path(), "echo no line >&2; exit 3")
            .send("", &letter)
            .await
            .unwrap_err();
        assert!(failed.why.ends_with("ended with 3: no line"), "{failed}");
        assert_eq!(
            (failed.fate, failed.again),
            (Fate::Failed, Again::After(PAUSE))
        );
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let text = format!("sleep 600 & echo $! > {}; sleep 600", pid.display());
        let slow = script(folder.path(), &text)
            .send("", &Letter::test("x"))
            .await
            .unwrap_err();
        assert_eq!((slow.fate, slow.again), (Fate::Unsure, Again::Never));
        let child = std::fs::read_to_string(&pid).unwrap();
        let stat = std::path::PathBuf::from(format!("/proc/{}/stat", child.trim()));
        let until = std::time::Instant::now() + Duration::from_secs(5);
        loop {
            let state = std::fs::read_to_string(&stat).unwrap_or_default();
            if state.is_empty() || state.contains(") Z") {
                break;
            }
            assert!(std::time::Instant::now() < until, "{state}");
            tokio::task::yield_now().await;
        }
    }
}
