//! Answers verbs of other processes in the process that holds the workspace.

use tokio_util::sync::CancellationToken;

use super::live::Live;
use super::socket::{Call, Server};
use crate::cli::Config;

/// Starts answering until `stop`. Without a socket the process works on: verbs are told then who
/// holds the workspace.
pub(crate) fn serve_verbs(config: &Config, live: &Live, stop: CancellationToken) {
    let server = match Server::bind(&config.socket) {
        Ok(server) => server,
        Err(error) => {
            let socket = config.socket.display();
            tracing::warn!(%error, %socket, "verbs will not reach this process");
            return;
        }
    };
    let live = live.clone();
    tokio::spawn(server.run(stop, move |call: Call| {
        let live = live.clone();
        async move { crate::cli::answer(&live, call).await }
    }));
}
