//! The local socket of a running app: verbs of the same user are answered there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::{GenericFilePath, ListenerOptions};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::cli::{ErrorLine, Report, parts};

/// A request or answer larger than this is cut off.
const LINE_LEN_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Verbs that are answered at the same time; more wait.
const CALLS_MAX: usize = 32;
/// Parts of an answer that wait to be sent; a verb whose reader is slow waits, and nothing else does.
const PARTS_WAIT_MAX: usize = 16;
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// What a verb asks of the running app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    /// The command line, program first.
    pub(crate) arguments: Vec<String>,
    /// Where it was typed: relative paths are meant from here.
    pub(crate) folder: PathBuf,
    /// What was read from its standard input, if it asked for that.
    #[serde(default)]
    pub(crate) input: Option<String>,
}

/// What the running app answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Done.
    Done(Report),
    /// Not done.
    Failed(ErrorLine),
}

/// One line of what the running app says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// Something to print already; more follows.
    Part(String),
    /// The end.
    #[serde(untagged)]
    Answer(Answer),
}

/// Asks whoever listens; none when nobody does.
///
/// # Errors
/// When somebody listens but does not answer properly.
pub(crate) async fn ask(socket: &Path, call: &Call) -> io::Result<Option<Answer>> {
    ask_telling(socket, call, |_part| {}).await
}

/// The same; what the verb says on its way is told meanwhile.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn ask_telling(
    socket: &Path,
    call: &Call,
    tell: impl Fn(&str),
) -> io::Result<Option<Answer>> {
    let stream = match Stream::connect(socket.to_fs_name::<GenericFilePath>()?).await {
        Ok(stream) => stream,
        Err(error) if nobody_listens(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    check_peer(&stream)?;
    send(&stream, call).await?;
    let mut lines = BufReader::new(&stream);
    loop {
        match receive(&mut lines).await? {
            Said::Part(text) => tell(&text),
            Said::Answer(answer) => return Ok(Some(answer)),
        }
    }
}

/// Whether somebody listens.
pub(super) async fn is_served(socket: &Path) -> bool {
    match socket.to_fs_name::<GenericFilePath>() {
        Ok(name) => Stream::connect(name).await.is_ok(),
        Err(_) => false,
    }
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        // A path too long for a socket is invalid input: nobody can listen there either.
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
    )
}

/// A socket that takes calls until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    listener: Listener,
}

impl Server {
    /// Listens; a socket file that nobody answers is replaced.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub(crate) fn bind(socket: &Path) -> io::Result<Self> {
        if let Some(folder) = socket.parent() {
            private_folder(folder)?;
        }
        let options = ListenerOptions::new()
            .name(socket.to_fs_name::<GenericFilePath>()?)
            .try_overwrite(true);
        Ok(Self {
            listener: private(options).create_tokio()?,
        })
    }

    /// Answers calls until `cancel`; a call that panics or hangs ends alone.
    pub(crate) async fn run<F, A>(self, cancel: CancellationToken, answer: F)
    where
        F: Fn(Call) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send,
    {
        let answer = Arc::new(answer);
        let places = Arc::new(Semaphore::new(CALLS_MAX));
        loop {
            let stream = tokio::select! {
                () = cancel.cancelled() => return,
                stream = self.listener.accept() => stream,
            };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a local call was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = serve(&stream, &*answer).await {
                    tracing::warn!(%error, "a local call failed");
                }
            });
        }
    }
}

async fn serve<F, A>(stream: &Stream, answer: &F) -> io::Result<()>
where
    F: Fn(Call) -> A,
    A: Future<Output = Answer>,
{
    check_peer(stream)?;
    let mut lines = BufReader::new(stream);
    let call = tokio::time::timeout(REQUEST_TIME, receive(&mut lines)).await??;
    let (parts, mut told) = mpsc::channel(PARTS_WAIT_MAX);
    let answer = parts::to(parts, answer(call));
    tokio::pin!(answer);
    loop {
        tokio::select! {
            // Parts first: none comes after the answer.
            biased;
            Some(text) = told.recv() => send(stream, &Said::Part(text)).await?,
            answer = &mut answer => {
                while let Ok(text) = told.try_recv() {
                    send(stream, &Said::Part(text)).await?;
                }
                return send(stream, &Said::Answer(answer)).await;
            }
        }
    }
}

async fn send<T: Serialize>(mut stream: &Stream, value: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.flush().await
}

async fn receive<T: DeserializeOwned>(lines: &mut BufReader<&Stream>) -> io::Result<T> {
    let mut line = Vec::new();
    let mut limited = lines.take(LINE_LEN_BYTES_MAX);
    limited.read_until(b'\n', &mut line).await?;
    Ok(serde_json::from_slice(&line)?)
}

/// Makes a folder that only its owner enters; one that is there keeps its mode.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
fn private(options: ListenerOptions<'_>) -> ListenerOptions<'_> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
    options.mode(0o600)
}

/// A named pipe belongs to its user by default.
#[cfg(not(unix))]
fn private(options: ListenerOptions<'_>) -> ListenerOptions<'_> {
    options
}

#[cfg(unix)]
fn check_peer(stream: &Stream) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    match stream.peer_creds()?.euid() {
        Some(other) if other == own || other == 0 => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the other end of the socket belongs to another user",
        )),
    }
}

#[cfg(not(unix))]
fn check_peer(_stream: &Stream) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call() -> Call {
        Call {
            arguments: vec!["aramaki".to_owned(), "status".to_owned()],
            folder: PathBuf::from("/"),
            input: None,
        }
    }

    #[tokio::test]
    async fn a_call_is_answered_and_its_socket_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("deep").join("test.sock");
        let server = Server::bind(&socket).unwrap();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(server.run(cancel.clone(), |call: Call| async move {
            Answer::Done(Report::new(
                call.arguments.join(" "),
                &json!({"verb": call.arguments[1]}),
            ))
        }));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let Some(Answer::Done(report)) = ask(&socket, &call()).await.unwrap() else {
            panic!("no answer");
        };
        assert_eq!(report.text, "aramaki status\n");
        assert_eq!(report.json["verb"], "status");
        cancel.cancel();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn what_a_verb_says_on_its_way_comes_in_order_before_its_answer() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("test.sock");
        let server = Server::bind(&socket).unwrap();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(server.run(cancel.clone(), |_call| async {
            for part in 0..100 {
                parts::say(format!("{part}\n")).await;
            }
            Answer::Done(Report::new("end", &json!({})))
        }));
        let told = std::sync::Mutex::new(String::new());
        let tell = |part: &str| told.lock().unwrap().push_str(part);
        let answer = ask_telling(&socket, &call(), tell).await.unwrap();
        assert!(matches!(answer, Some(Answer::Done(report)) if report.text == "end\n"));
        let all: Vec<_> = (0..100).map(|part| format!("{part}\n")).collect();
        assert_eq!(told.into_inner().unwrap(), all.concat());
        cancel.cancel();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_listening_is_no_error_and_a_dead_socket_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("test.sock");
        assert!(ask(&socket, &call()).await.unwrap().is_none());
        #[cfg(unix)]
        {
            drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
            assert!(ask(&socket, &call()).await.unwrap().is_none());
            Server::bind(&socket).unwrap();
        }
    }
}
