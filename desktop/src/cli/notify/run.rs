//! `aramaki notify run`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{CliError, Config, Report};
use crate::notify;

/// Tell people by the policies of all Systems that this device can read, until it is ended.
///
/// It is a device like any other, without a window: join its Systems with an invitation that may
/// write, so that other notifiers see in the timeline what it told. Of several notifiers the one with
/// rank 0 sends; the next takes over 15 s later when it does not. Nothing is sent before the silences
/// of others have arrived.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The channels of this host: docs/notify.toml.example shows every field.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// End when nothing is due and nothing waits.
    #[arg(long)]
    once: bool,
}

impl Run {
    /// Runs until it is ended.
    pub(crate) async fn run(&self, config: &Config) -> Result<Report, CliError> {
        notify::run(config, &self.file, self.once).await
    }
}
