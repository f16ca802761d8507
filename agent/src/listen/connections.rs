//! Connections of one listener: so many at once, and for a further one the oldest makes room.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Connections served at once. Whoever sends properly is gone soon, so the oldest is the one that most
/// likely only holds its place.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// Pause after a failed accept, which happens when file descriptors run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// How long answers under way are waited for at the end.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// Accepts until `stop`, and serves each connection in a task of its own.
pub(super) async fn accept<F>(
    listener: TcpListener,
    stop: CancellationToken,
    mut serve: impl FnMut(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = Connections::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _address)) => connections.add(serve(stream)),
            Err(error) => {
                tracing::warn!(%error, "a connection with results was not accepted");
                connections.drop_oldest();
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_RETRY) => {}
                }
            }
        }
    }
    let ended = async { while connections.tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(END_TIME_MAX, ended).await.is_err() {
        tracing::debug!("connections were dropped at the end");
    }
}

/// At most [`CONNECTIONS_MAX`] connections.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    /// Those in `tasks` and some that have ended, oldest first.
    by_age: VecDeque<AbortHandle>,
}

impl Connections {
    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.by_age.retain(|task| !task.is_finished());
        while self.by_age.len() >= CONNECTIONS_MAX {
            self.drop_oldest();
        }
        self.by_age.push_back(self.tasks.spawn(connection));
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.by_age.pop_front() {
            oldest.abort();
        }
    }
}
