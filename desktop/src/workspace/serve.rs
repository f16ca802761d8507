//! Answers verbs of other processes in the running app.

use tokio_util::sync::CancellationToken;

use super::live::Live;
use super::socket::{Call, Server};

/// Starts answering until `stop`.
pub(super) fn start(server: Server, live: &Live, stop: CancellationToken) {
    let live = live.clone();
    tokio::spawn(server.run(stop, move |call: Call| {
        let live = live.clone();
        async move { crate::cli::answer(&live, call).await }
    }));
}
