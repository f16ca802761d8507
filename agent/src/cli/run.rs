//! `aramaki-agent run`.

use std::io::Write;

use tokio_util::sync::CancellationToken;

use super::{Common, Failure, block_on};
use crate::run::run;

/// Observe this machine until stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Run {}

impl Run {
    #[expect(
        clippy::unused_self,
        reason = "every verb is performed in the same way"
    )]
    pub(super) fn perform(&self, common: &Common, _out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let options = common.options(config);
        block_on(async {
            let stop = CancellationToken::new();
            let stopped = stop.clone();
            tokio::spawn(async move {
                signalled().await;
                stopped.cancel();
            });
            Box::pin(run(options, stop)).await
        })??;
        Ok(())
    }
}

/// Returns when the process is asked to stop.
async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            },
            Err(error) => {
                tracing::warn!(%error, "only an interrupt stops the agent in good order");
                interrupted().await;
            }
        }
    }
    #[cfg(not(unix))]
    interrupted().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "no signal can stop the agent in good order");
        std::future::pending::<()>().await;
    }
}
