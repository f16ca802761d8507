//! Answers verbs of other processes in the process that holds the workspace.

use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::live::Live;
use super::socket::{Answer, Call, Called, Server, ask_telling, is_served};
use crate::cli::{Answering, CliError, Config, Report, parts};

/// How long whoever lets go of the workspace waits for the one who wanted it.
const TAKES_OVER: Duration = Duration::from_secs(10);
const TAKES_OVER_PAUSE: Duration = Duration::from_millis(100);

/// For how long a process holds the workspace.
#[derive(Clone, Debug)]
pub(crate) enum Tenure {
    /// It stays: the app, a notifier.
    Stays,
    /// Until it is done with this; then it yields.
    Works(String, CancellationToken),
    /// Until somebody wants the workspace who stays: it goes on through them.
    Yields,
}

/// A process that answers verbs, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: DropGuard,
    wanted: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts answering until `stop`. Without a socket the process works on: verbs are told then who
/// holds the workspace.
pub(crate) fn serve_verbs(config: &Config, live: &Live, stop: CancellationToken) {
    let wanted = CancellationToken::new();
    drop(serve((config, live), Tenure::Stays, stop, wanted));
}

fn serve(
    (config, live): (&Config, &Live),
    tenure: Tenure,
    stop: CancellationToken,
    wanted: CancellationToken,
) -> Option<JoinHandle<()>> {
    let server = match Server::bind(&config.socket) {
        Ok(server) => server,
        Err(error) => {
            let socket = config.socket.display();
            tracing::warn!(%error, %socket, "verbs will not reach this process");
            return None;
        }
    };
    let (live, ends) = (live.clone(), stop.clone());
    Some(tokio::spawn(server.run(stop, move |call: Call| {
        let (live, ends) = (live.clone(), ends.clone());
        let asked = call.is_let_go();
        let told = asked.then(|| let_go(live.data(), &tenure, &wanted));
        async move {
            match told {
                Some(told) => Some(told),
                None => answer(&live, call, &ends).await,
            }
        }
    })))
}

impl Serving {
    /// Starts answering.
    pub(crate) fn begin(config: &Config, live: &Live, tenure: Tenure) -> Option<Self> {
        let (stop, wanted) = (CancellationToken::new(), CancellationToken::new());
        let task = serve((config, live), tenure, stop.clone(), wanted.clone())?;
        Some(Self {
            stop: stop.drop_guard(),
            wanted,
            task,
        })
    }

    /// Waits until somebody who stays wants the workspace.
    pub(crate) async fn wanted(&self) {
        self.wanted.cancelled().await;
    }

    /// Takes no more calls, and waits for those that were taken; who only looks goes on elsewhere.
    pub(crate) async fn end(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the socket was not closed in good order");
        }
    }
}

/// Answers a call; none when the workspace is let go of and the call only looks.
async fn answer(live: &Live, call: Call, ends: &CancellationToken) -> Option<Answer> {
    let answering = Answering::of(call);
    let is_look = answering.looks();
    let lets_go = async {
        if !is_look {
            parts::looks().await;
        }
        ends.cancelled().await;
    };
    tokio::select! {
        answer = answering.answer(live) => Some(answer),
        () = lets_go => None,
    }
}

/// Whether the workspace is let go of.
fn let_go(data: &Path, tenure: &Tenure, wanted: &CancellationToken) -> Answer {
    let what = match tenure {
        Tenure::Stays => "an app or a notifier",
        Tenure::Works(what, done) if !done.is_cancelled() => what,
        Tenure::Works(..) | Tenure::Yields => {
            wanted.cancel();
            return Answer::Done(Report::default());
        }
    };
    let pid = std::process::id();
    let error = CliError::InUse {
        data: data.to_owned(),
        reason: format!("process {pid} works in it ({what})"),
    };
    Answer::Failed(error.line())
}

/// Asks whoever holds the workspace to let go of it; why it does not, if it says so.
pub(super) async fn ask_to_let_go(config: &Config) -> Option<CliError> {
    match ask_telling(&config.socket, &Call::let_go(), |_part| {}).await {
        Ok(Called::Answer(Answer::Failed(line))) => {
            Some(CliError::from(line)).filter(|error| error.code() == IN_USE)
        }
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(%error, "whoever holds the workspace was not asked");
            None
        }
    }
}

/// Programs of before know no such call, and say something else.
const IN_USE: &str = "A-112";

/// Waits until somebody else answers verbs, for whom the workspace was let go of; not for ever.
pub(crate) async fn wait_for_next(config: &Config) {
    let end = Instant::now() + TAKES_OVER;
    while Instant::now() < end && !is_served(&config.socket).await {
        tokio::time::sleep(TAKES_OVER_PAUSE).await;
    }
}
