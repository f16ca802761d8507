//! Running an action's program: own process group, nothing of the agent's surroundings, bounded output.

use std::collections::VecDeque;
use std::io::Read as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use aramaki_model::action::{Outcome, RefusedFor};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::definition::Definition;
use super::tell::Tap;
use crate::platform::{self, Pipe};

/// How long pipes may stay open after the program itself has ended.
const PIPE_GRACE: Duration = Duration::from_millis(500);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) output: Output,
}

impl Ran {
    /// Nothing was run.
    pub(crate) fn refused(why: RefusedFor) -> Self {
        Self {
            outcome: Outcome::Refused(why),
            output: Output::default(),
        }
    }
}

/// Both streams together, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Output {
    tap: Tap,
    /// How much of the end is kept.
    limit_bytes: usize,
    pub(crate) tail: VecDeque<u8>,
    pub(crate) len_bytes: u64,
    hasher: blake3::Hasher,
}

impl Output {
    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.tap.add(bytes);
        self.len_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.tail.extend(bytes);
        let over = self.tail.len().saturating_sub(self.limit_bytes);
        self.tail.drain(..over);
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }
}

/// Runs a definition's program to its end or its time limit. Dropping the future kills the group.
pub(crate) async fn run(definition: &Definition, argv: &[String]) -> Ran {
    run_heard(definition, argv, Tap::default()).await
}

/// The same; what it says goes into `tap` meanwhile.
pub(crate) async fn run_heard(definition: &Definition, argv: &[String], tap: Tap) -> Ran {
    let mut output = Output {
        tap,
        limit_bytes: definition.output_limit_bytes,
        ..Output::default()
    };
    let outcome = match start(definition, argv) {
        Ok(started) => until_end(started, definition.timeout, &mut output).await,
        Err(why) => Outcome::Refused(RefusedFor::NotStarted(why)),
    };
    Ran { outcome, output }
}

fn start(definition: &Definition, argv: &[String]) -> Result<(Child, Pipe), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", definition.program.display());
    if let Some(expected) = definition.sha256 {
        check_program(&definition.program, expected)?;
    }
    let mut command = Command::new(&definition.program);
    command
        .args(argv)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .envs(&definition.environment)
        .current_dir(&definition.folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(user) = &definition.user {
        platform::run_as(&mut command, user)?;
    }
    platform::own_process_group(&mut command);
    let pipe = platform::one_pipe(&mut command).map_err(failed)?;
    // The command holds the end that is written to: it must go before the pipe can end.
    Ok((command.spawn().map_err(failed)?, pipe))
}

/// Between this look and the start somebody may change the program who may change it anyway.
fn check_program(program: &Path, expected: [u8; 32]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut file = std::fs::File::open(program).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            len => hasher.update(buffer.get(..len).unwrap_or_default()),
        }
    }
    if <[u8; 32]>::from(hasher.finalize()) == expected {
        Ok(())
    } else {
        Err(format!(
            "{} is not the program that the action's file names by its sha256",
            program.display()
        ))
    }
}

/// The program's process group: killed when dropped, so that nothing is left behind.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            platform::kill_process_group(leader);
        }
    }
}

async fn until_end(
    (mut child, pipe): (Child, Pipe),
    timeout: Duration,
    output: &mut Output,
) -> Outcome {
    let _group = Group(child.id());
    let mut pipe = Some(pipe);
    let deadline = Instant::now() + timeout;
    let mut ended: Option<std::io::Result<ExitStatus>> = None;
    let mut close_at = deadline;
    while pipe.is_some() || ended.is_none() {
        tokio::select! {
            bytes = next(&mut pipe), if pipe.is_some() => output.add(&bytes),
            status = child.wait(), if ended.is_none() => {
                ended = Some(status);
                close_at = deadline.min(Instant::now() + PIPE_GRACE);
            }
            () = tokio::time::sleep_until(close_at) => break,
        }
    }
    match ended {
        None => Outcome::TimedOut,
        Some(Ok(status)) => match (status.code(), platform::signal_of(status)) {
            (Some(code), _) => Outcome::Exit(code),
            (None, Some(signal)) => Outcome::Signal(signal),
            (None, None) => Outcome::Unknown,
        },
        Some(Err(error)) => {
            tracing::error!(%error, "how an action ended is not known");
            Outcome::Unknown
        }
    }
}

/// What a pipe gives next; at its end it is closed.
async fn next(pipe: &mut Option<Pipe>) -> Vec<u8> {
    let mut buffer = vec![0_u8; 8 * 1024];
    let read = match pipe {
        Some(open) => open.read(&mut buffer).await,
        None => std::future::pending().await,
    };
    buffer.truncate(read.unwrap_or(0));
    if buffer.is_empty() {
        *pipe = None;
    }
    buffer
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use aramaki_model::action::TAIL_LEN_BYTES_MAX;

    use super::*;

    fn action(program: &str, arguments: &str, more: &str) -> Definition {
        let text = format!(
            "description = \"x\"\nprogram = \"{program}\"\narguments = {arguments}\n{more}"
        );
        Definition::parse(&text, Path::new("x.toml")).unwrap()
    }

    async fn shell(script: &str, more: &str) -> Ran {
        let arguments = format!("[\"-c\", {script:?}]");
        let definition = action("/bin/sh", &arguments, more);
        let argv = definition.argv(&std::collections::BTreeMap::new()).unwrap();
        run(&definition, &argv).await
    }

    fn text(ran: &Ran) -> String {
        String::from_utf8(ran.output.tail.iter().copied().collect()).unwrap()
    }

    #[tokio::test]
    async fn code_output_and_surroundings_are_those_of_the_definition() {
        let more = "folder = \"/tmp\"\n[environment]\nCOLOUR = \"red\"\n";
        let ran = shell("pwd; echo $COLOUR $CARGO; exit 3", more).await;
        assert_eq!(ran.outcome, Outcome::Exit(3));
        assert_eq!(text(&ran), "/tmp\nred\n");
    }

    #[tokio::test]
    async fn both_streams_keep_the_order_in_which_they_were_written() {
        let numbers: Vec<_> = (0..200).map(|number| number.to_string()).collect();
        let script = "for n in $(seq 0 2 198); do echo $n; echo $((n + 1)) >&2; done";
        let ran = shell(script, "").await;
        assert_eq!(text(&ran).lines().collect::<Vec<_>>(), numbers);
    }

    #[tokio::test]
    async fn a_long_output_keeps_its_end_its_length_and_its_hash() {
        let ran = shell("head -c 200000 /dev/zero; echo the end", "").await;
        assert_eq!(ran.output.tail.len(), TAIL_LEN_BYTES_MAX);
        assert_eq!(ran.output.len_bytes, 200_008);
        assert!(text(&ran).ends_with("the end\n"));
        let mut whole = vec![0_u8; 200_000];
        whole.extend(b"the end\n");
        assert_eq!(ran.output.hash(), *blake3::hash(&whole).as_bytes());
    }

    #[tokio::test]
    async fn no_more_is_kept_than_the_hosts_file_says_and_length_and_hash_are_of_all() {
        for (limit, kept) in [("9", "the end\n\n"), ("0", "")] {
            let more = format!("output_limit = {limit}");
            let ran = shell("echo secret; echo 'the end'; echo", &more).await;
            assert_eq!(text(&ran), kept);
            assert_eq!(ran.output.len_bytes, 16);
            assert_eq!(
                ran.output.hash(),
                *blake3::hash(b"secret\nthe end\n\n").as_bytes()
            );
        }
    }

    #[tokio::test]
    async fn as_a_user_who_is_not_there_nothing_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("ran");
        let script = format!("touch {}", mark.display());
        for user in ["no-such-user", "", "root:x"] {
            let ran = shell(&script, &format!("user = {user:?}")).await;
            let Outcome::Refused(RefusedFor::NotStarted(why)) = ran.outcome else {
                panic!("{user}: {:?}", ran.outcome);
            };
            assert!(why.contains("there is no user"), "{why}");
            assert!(!mark.exists(), "{user}");
        }
    }

    #[tokio::test]
    async fn what_takes_too_long_is_killed_with_all_that_it_started() {
        let begun = Instant::now();
        let ran = shell("sleep 300 & sleep 300", "timeout = \"300ms\"").await;
        assert_eq!(ran.outcome, Outcome::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let ran = shell("kill -KILL $$", "").await;
        assert_eq!(ran.outcome, Outcome::Signal(9));
    }

    #[tokio::test]
    async fn a_program_that_is_missing_or_another_is_not_started() {
        let none = action("/nonexistent/x", "[]", "");
        let other = action(
            "/bin/true",
            "[]",
            &format!("sha256 = \"{}\"", "0".repeat(64)),
        );
        for (definition, why) in [(none, "No such file"), (other, "sha256")] {
            match run(&definition, &[]).await.outcome {
                Outcome::Refused(RefusedFor::NotStarted(said)) => {
                    assert!(said.contains(why), "{said}");
                }
                other => panic!("{other:?}"),
            }
        }
        let bytes = std::fs::read("/bin/true").unwrap();
        let sum = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
        let same = action("/bin/true", "[]", &format!("sha256 = \"{sum}\""));
        assert_eq!(run(&same, &[]).await.outcome, Outcome::Exit(0));
    }

    #[tokio::test]
    async fn a40_what_a_shell_would_obey_arrives_as_one_argument() {
        let more = "[[parameter]]\nname = \"word\"\ntext = \"(?s).*\"\nmax = 100\n";
        let definition = action("/usr/bin/printf", "[\"[%s]\", \"{word}\"]", more);
        let hostile = "$(id) `id`; rm -rf / && \"x\" 'y' > /tmp/z\n*";
        let values = [("word".to_owned(), hostile.to_owned())].into();
        let argv = definition.argv(&values).unwrap();
        let ran = run(&definition, &argv).await;
        assert_eq!(text(&ran), format!("[{hostile}]"));
    }
}
