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

use crate::cli::parts::{self, Part};
use crate::cli::{ErrorLine, Report};

/// A request or answer larger than this is cut off.
const LINE_LEN_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Verbs that are answered at the same time; more wait.
const CALLS_MAX: usize = 32;
/// Parts of an answer that wait to be sent; a verb whose reader is slow waits, and nothing else does.
const PARTS_WAIT_MAX: usize = 16;
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// That a call came is said at once. People are told who says nothing for so long, and whoever says nothing for much
/// longer is stopped or hangs.
const PATIENCE: Patience = Patience {
    quiet: Duration::from_secs(3),
    at_most: Duration::from_secs(30),
};

/// How long somebody who listens may say nothing.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Nobody has to be told so long.
    quiet: Duration,
    /// After that, for so long at most.
    at_most: Duration,
}
/// What is asked of whoever holds the workspace by who wants to keep it: no verb has this name.
const LET_GO: &str = "let-go";

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

impl Call {
    /// Asks whoever holds the workspace to let go of it, for a program that stays.
    pub(super) fn let_go() -> Self {
        Self {
            arguments: ["aramaki", LET_GO].map(str::to_owned).to_vec(),
            folder: PathBuf::new(),
            input: None,
        }
    }

    /// Whether it asks for that.
    pub(super) fn is_let_go(&self) -> bool {
        matches!(self.arguments.as_slice(), [_, word] if word == LET_GO)
    }
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

/// What came of asking.
#[derive(Clone, Debug)]
pub(crate) enum Called {
    /// Nobody listens; nothing was done.
    Nobody,
    /// Whoever listened lets go of the workspace; what was asked changes nothing and can be asked again.
    Again,
    /// An answer.
    Answer(Answer),
}

/// One line of what the running app says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// Something to print already; more follows. An empty one says that the call came.
    Part(String),
    /// For what it waits; more follows.
    Waits(String),
    /// From here on it only looks, which can be asked for elsewhere by this command line; more follows.
    Rest(Vec<String>),
    /// It is answered by whoever holds the workspace next.
    Again,
    /// The end.
    #[serde(untagged)]
    Answer(Answer),
}

impl From<Part> for Said {
    fn from(part: Part) -> Self {
        match part {
            Part::Answer(text) => Self::Part(text),
            Part::Waits(text) => Self::Waits(text),
            Part::Rest(arguments) => Self::Rest(arguments),
        }
    }
}

/// Asks whoever listens; none when nobody does.
///
/// # Errors
/// When somebody listens but does not answer properly.
pub(crate) async fn ask(socket: &Path, call: &Call) -> io::Result<Option<Answer>> {
    match ask_telling(socket, call, |_part| {}).await? {
        Called::Answer(answer) => Ok(Some(answer)),
        Called::Nobody | Called::Again => Ok(None),
    }
}

/// The same; what the verb says on its way is told meanwhile.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn ask_telling(
    socket: &Path,
    call: &Call,
    tell: impl Fn(Part),
) -> io::Result<Called> {
    ask_with(PATIENCE, socket, call, tell).await
}

async fn ask_with(
    patience: Patience,
    socket: &Path,
    call: &Call,
    tell: impl Fn(Part),
) -> io::Result<Called> {
    let stream = match Stream::connect(socket.to_fs_name::<GenericFilePath>()?).await {
        Ok(stream) => stream,
        Err(error) if nobody_listens(&error) => return Ok(Called::Nobody),
        Err(error) => return Err(error),
    };
    check_peer(&stream)?;
    match send(&stream, call).await {
        // A verb that ends listens no more: what it did not read it did not do.
        Err(error) if went_away(&error) => return Ok(Called::Nobody),
        sent => sent?,
    }
    let mut lines = BufReader::new(&stream);
    let mut has_come = false;
    loop {
        let said = if has_come {
            receive(&mut lines).await
        } else {
            first(&mut lines, patience, &tell).await
        };
        match said {
            Err(error) if !has_come && went_away(&error) => return Ok(Called::Nobody),
            Err(error) => return Err(error),
            Ok(Said::Part(text)) => tell(Part::Answer(text)),
            Ok(Said::Waits(text)) => tell(Part::Waits(text)),
            Ok(Said::Rest(arguments)) => tell(Part::Rest(arguments)),
            Ok(Said::Again) => return Ok(Called::Again),
            Ok(Said::Answer(answer)) => return Ok(Called::Answer(answer)),
        }
        has_come = true;
    }
}

/// What somebody who listens says first.
async fn first(
    lines: &mut BufReader<&Stream>,
    patience: Patience,
    tell: &impl Fn(Part),
) -> io::Result<Said> {
    let said = receive(lines);
    tokio::pin!(said);
    if let Ok(said) = tokio::time::timeout(patience.quiet, &mut said).await {
        return said;
    }
    tell(Part::Waits(
        "the program that has this workspace open does not answer yet\n".to_owned(),
    ));
    let said = tokio::time::timeout(patience.at_most, said).await;
    said.unwrap_or_else(|_elapsed| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the program that has this workspace open does not answer: it is stopped or hangs; end it and try again",
        ))
    })
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

/// Whether the other end is there no more.
pub(crate) fn went_away(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
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

    /// Takes calls until `cancel`, and returns when all of them are answered; one that panics or hangs ends
    /// alone. Where there is no answer it is to be asked again.
    pub(crate) async fn run<F, A>(self, cancel: CancellationToken, answer: F)
    where
        F: Fn(Call) -> A + Send + Sync + 'static,
        A: Future<Output = Option<Answer>> + Send,
    {
        let places = Arc::new(Semaphore::new(CALLS_MAX));
        self.take(cancel, &places, Arc::new(answer)).await;
        let all = u32::try_from(CALLS_MAX).unwrap_or(u32::MAX);
        if places.acquire_many(all).await.is_err() {
            tracing::debug!("calls are not counted any more");
        }
    }

    async fn take<F, A>(self, cancel: CancellationToken, places: &Arc<Semaphore>, answer: Arc<F>)
    where
        F: Fn(Call) -> A + Send + Sync + 'static,
        A: Future<Output = Option<Answer>> + Send,
    {
        loop {
            let stream = tokio::select! {
                () = cancel.cancelled() => return,
                stream = self.listener.accept() => stream,
            };
            let place = tokio::select! {
                () = cancel.cancelled() => return,
                place = Arc::clone(places).acquire_owned() => place,
            };
            let Ok(place) = place else {
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
                match serve(&stream, &*answer).await {
                    // It was ended, goes on elsewhere, or only looked whether somebody listens.
                    Err(error) if went_away(&error) => {
                        tracing::debug!(%error, "who called went away");
                    }
                    Err(error) => tracing::warn!(%error, "a local call failed"),
                    Ok(()) => {}
                }
            });
        }
    }
}

async fn serve<F, A>(stream: &Stream, answer: &F) -> io::Result<()>
where
    F: Fn(Call) -> A,
    A: Future<Output = Option<Answer>>,
{
    check_peer(stream)?;
    let mut lines = BufReader::new(stream);
    let call = tokio::time::timeout(REQUEST_TIME, receive(&mut lines)).await??;
    send(stream, &Said::Part(String::new())).await?;
    let (parts, mut told) = mpsc::channel(PARTS_WAIT_MAX);
    let answer = parts::to(parts, answer(call));
    tokio::pin!(answer);
    loop {
        tokio::select! {
            // Parts first: none comes after the answer.
            biased;
            Some(part) = told.recv() => send(stream, &Said::from(part)).await?,
            answer = &mut answer => {
                while let Ok(part) = told.try_recv() {
                    send(stream, &Said::from(part)).await?;
                }
                return send(stream, &answer.map_or(Said::Again, Said::Answer)).await;
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
    if limited.read_until(b'\n', &mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
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
            Some(Answer::Done(Report::new(
                call.arguments.join(" "),
                &json!({"verb": call.arguments[1]}),
            )))
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
            parts::say_waits("nearly".to_owned()).await;
            Some(Answer::Done(Report::new("end", &json!({}))))
        }));
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |part| told.lock().unwrap().push(part);
        let answer = ask_telling(&socket, &call(), tell).await.unwrap();
        assert!(matches!(answer, Called::Answer(Answer::Done(report)) if report.text == "end\n"));
        let come = std::iter::once(Part::Answer(String::new()));
        let all = (0..100).map(|part| Part::Answer(format!("{part}\n")));
        let last = std::iter::once(Part::Waits("nearly".to_owned()));
        let all: Vec<_> = come.chain(all).chain(last).collect();
        assert_eq!(told.into_inner().unwrap(), all);
        cancel.cancel();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn who_listens_and_says_nothing_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("test.sock");
        let _stopped = Server::bind(&socket).unwrap();
        let patience = Patience {
            quiet: Duration::from_millis(10),
            at_most: Duration::from_millis(50),
        };
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |part| told.lock().unwrap().push(part);
        let asked = ask_with(patience, &socket, &call(), tell).await;
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(told.into_inner().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn who_ends_answers_what_it_took_and_says_of_the_rest_that_it_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("test.sock");
        let server = Server::bind(&socket).unwrap();
        let (cancel, began) = (CancellationToken::new(), CancellationToken::new());
        let (ends, begins) = (cancel.clone(), began.clone());
        let task = tokio::spawn(server.run(cancel.clone(), move |call: Call| {
            let (ends, begins) = (ends.clone(), begins.clone());
            async move {
                begins.cancel();
                ends.cancelled().await;
                let is_look = call.arguments[1] == "status";
                (!is_look).then(|| Answer::Done(Report::new("said", &json!({}))))
            }
        }));
        let said = Call {
            arguments: ["aramaki", "say"].map(str::to_owned).to_vec(),
            ..call()
        };
        let look = call();
        let (says, looks) = (ask(&socket, &said), ask_telling(&socket, &look, |_| {}));
        let end = async {
            began.cancelled().await;
            cancel.cancel();
        };
        let (says, looks, ()) = tokio::join!(says, looks, end);
        assert!(matches!(says.unwrap(), Some(Answer::Done(_))));
        assert!(matches!(looks.unwrap(), Called::Again | Called::Nobody));
        task.await.unwrap();
        assert!(!socket.exists(), "whoever is next makes its own");
    }

    #[tokio::test]
    async fn who_goes_before_it_took_a_call_did_nothing_and_afterwards_perhaps() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("test.sock");
        let name = socket.as_path().to_fs_name::<GenericFilePath>().unwrap();
        let listener = ListenerOptions::new().name(name).create_tokio().unwrap();
        let goes = async {
            drop(listener.accept().await.unwrap());
            let stream = listener.accept().await.unwrap();
            let mut lines = BufReader::new(&stream);
            let _call: Call = receive(&mut lines).await.unwrap();
            send(&stream, &Said::Part(String::new())).await.unwrap();
        };
        let asks = async {
            let first = ask_telling(&socket, &call(), |_| {}).await;
            (first, ask_telling(&socket, &call(), |_| {}).await)
        };
        let ((first, second), ()) = tokio::join!(asks, goes);
        assert!(matches!(first, Ok(Called::Nobody)), "{first:?}");
        assert!(second.is_err_and(|error| went_away(&error)));
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
