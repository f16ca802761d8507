//! The demo's child processes: this program again, told what to do by lines of JSON.
//!
//! A child reads orders on standard input and writes events on standard output; when its input
//! ends, because the demo ended in whatever way, it stops too.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

use crate::cli::CliError;

/// Events that wait until the demo reads them.
const EVENTS_MAX: usize = 4_096;
/// How long a child may take to stop before it is killed.
const STOP_TIME: Duration = Duration::from_secs(10);

/// A running child.
#[derive(Debug)]
pub(crate) struct Running<E> {
    name: &'static str,
    child: Child,
    orders: Option<ChildStdin>,
    /// What it says.
    pub(crate) events: mpsc::Receiver<E>,
}

impl<E: DeserializeOwned + Send + 'static> Running<E> {
    /// Starts this program with hidden arguments.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(name: &'static str, arguments: Vec<String>) -> Result<Self, CliError> {
        let failed = |source| CliError::File {
            action: "start",
            path: PathBuf::from(name),
            source,
        };
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command
            .arg(name)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C is for the demo alone: it ends its children in good order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let orders = child.stdin.take();
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        if let Some(output) = child.stdout.take() {
            tokio::spawn(async move {
                let mut lines = BufReader::new(output).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    match serde_json::from_str(&line) {
                        Ok(event) => {
                            if sender.send(event).await.is_err() {
                                return;
                            }
                        }
                        Err(error) => tracing::warn!(%error, child = name, "a line is no event"),
                    }
                }
            });
        }
        Ok(Self {
            name,
            child,
            orders,
            events,
        })
    }

    /// Gives an order.
    ///
    /// # Errors
    /// When the child is gone.
    pub(crate) async fn order<O: Serialize + Sync>(&mut self, order: &O) -> Result<(), CliError> {
        let gone = || CliError::Demo {
            reason: format!("{} ended", self.name),
        };
        let mut line =
            serde_json::to_vec(order).map_err(|error| CliError::Bug(error.to_string()))?;
        line.push(b'\n');
        let orders = self.orders.as_mut().ok_or_else(gone)?;
        orders.write_all(&line).await.map_err(|_closed| gone())?;
        orders.flush().await.map_err(|_closed| gone())
    }

    /// The next event.
    ///
    /// # Errors
    /// When the child is gone, or says nothing for too long.
    pub(crate) async fn event(&mut self, limit: Duration) -> Result<E, CliError> {
        match tokio::time::timeout(limit, self.events.recv()).await {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(CliError::Demo {
                reason: format!("{} ended", self.name),
            }),
            Err(_late) => Err(CliError::Demo {
                reason: format!("{} said nothing for {} s", self.name, limit.as_secs()),
            }),
        }
    }

    /// Closes its input, so that it ends in good order.
    pub(crate) fn hang_up(&mut self) {
        drop(self.orders.take());
    }

    /// Ends it in good order by closing its input; kills it if it does not stop.
    pub(crate) async fn stop(mut self) {
        drop(self.orders.take());
        self.events.close();
        if tokio::time::timeout(STOP_TIME, self.child.wait())
            .await
            .is_err()
        {
            tracing::warn!(child = self.name, "killed, because it did not stop");
            if let Err(error) = self.child.kill().await {
                tracing::warn!(%error, child = self.name, "could not be killed");
            }
        }
    }
}

/// A child's own end of the conversation.
#[derive(Debug)]
pub(crate) struct Parent<O> {
    /// What the demo orders; ends when the demo is gone.
    pub(crate) orders: mpsc::Receiver<O>,
}

impl<O: DeserializeOwned + Send + 'static> Parent<O> {
    /// Listens on standard input.
    ///
    /// # Errors
    /// When no thread can be made.
    pub(crate) fn listen() -> Result<Self, CliError> {
        let (sender, orders) = mpsc::channel(EVENTS_MAX);
        // A thread of its own: tokio's standard input would hold up the end of the process.
        std::thread::Builder::new()
            .name("demo-orders".to_owned())
            .spawn(move || {
                for line in std::io::stdin().lines() {
                    let Ok(line) = line else { return };
                    match serde_json::from_str(&line) {
                        Ok(order) => {
                            if sender.blocking_send(order).is_err() {
                                return;
                            }
                        }
                        Err(error) => tracing::warn!(%error, "a line is no order"),
                    }
                }
            })
            .map_err(|error| CliError::Bug(error.to_string()))?;
        Ok(Self { orders })
    }
}

/// Tells the demo something.
///
/// # Errors
/// When the demo is gone.
pub(crate) fn tell<E: Serialize>(event: &E) -> Result<(), CliError> {
    use std::io::Write as _;
    let gone = |error: std::io::Error| CliError::Demo {
        reason: error.to_string(),
    };
    let mut line = serde_json::to_vec(event).map_err(|error| CliError::Bug(error.to_string()))?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).map_err(gone)?;
    out.flush().map_err(gone)
}
