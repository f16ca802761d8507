//! `aramaki-relay run`.

use clap::Args;
use tokio_util::sync::CancellationToken;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::RelayError;
use crate::{RelayOptions, signal};

/// Run until told to stop (SIGTERM, SIGINT)
#[derive(Debug, Args)]
pub(super) struct Run {}

impl Run {
    #[expect(clippy::unused_self, reason = "all subcommands are executed alike")]
    pub(super) fn execute(&self, cli: &super::Cli) -> Result<(), RelayError> {
        let options = RelayOptions {
            data: cli.data.clone(),
            key: cli.key.clone(),
            config: cli.configuration()?,
        };
        log_to_stderr(&cli.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("aramaki-relay")
            .build()
            .map_err(RelayError::Runtime)?;
        runtime.block_on(async {
            let stop = CancellationToken::new();
            let signals = signal::Signals::listen().map_err(RelayError::Runtime)?;
            let stopper = stop.clone();
            let waiting = tokio::spawn(async move {
                signals.first().await;
                stopper.cancel();
            });
            let (ready, _started) = tokio::sync::oneshot::channel();
            let ended = Box::pin(crate::run(options, stop, ready)).await;
            waiting.abort();
            ended
        })
    }
}

fn log_to_stderr(filter: &str) -> Result<(), RelayError> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(RelayError::LogFilter)?;
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(ansi);
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(|it| !is_told_of_every_stop(it)))
        .with(lines)
        .try_init()
        .map_err(|error| RelayError::Logging(Box::new(error)))
}

/// iroh says as an error that a queue of an endpoint has ended, each time that the endpoint is closed in order:
/// whoever watches for errors is called at every restart. The module has no other error.
fn is_told_of_every_stop(event: &Metadata<'_>) -> bool {
    event.target() == "iroh::socket::transports::relay" && *event.level() == Level::ERROR
}
