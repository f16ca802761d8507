//! `aramaki service`.

mod export;
mod list;
mod object;
mod serve;
mod source;

use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::service::{ServiceView, registry};
use aramaki_sync_core::SpaceId;
use clap::Subcommand;

use super::listen::Listen;
use super::{CliError, Clock, Report};
use crate::workspace::Live;

/// Find where services run now, and tell Prometheus.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    List(list::List),
    Where(list::Where),
    Export(export::Export),
    Serve(serve::Serve),
}

impl Service {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Export(verb) => verb.path(),
            Self::List(_) | Self::Where(_) | Self::Serve(_) => None,
        }
    }

    /// Whether it works until it is ended, in a process of its own.
    pub(crate) const fn stays(&self) -> bool {
        match self {
            Self::Export(verb) => verb.stays(),
            Self::Serve(_) => true,
            Self::List(_) | Self::Where(_) => false,
        }
    }

    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::List(verb) => verb.run(live).await,
            Self::Where(verb) => verb.run(live).await,
            Self::Export(verb) => verb.run(live).await,
            Self::Serve(_) => Err(CliError::Usage(
                "this verb runs in a process of its own".to_owned(),
            )),
        }
    }

    /// Works until somebody ends it.
    pub(crate) async fn stay(&self, config: &super::Config) -> Result<Report, CliError> {
        match self {
            Self::Export(verb) => Box::pin(verb.stay(config)).await,
            Self::Serve(verb) => Box::pin(verb.stay(config)).await,
            Self::List(_) | Self::Where(_) => Err(CliError::Bug("it answers and ends".to_owned())),
        }
    }
}

/// The services of one System, or of all.
fn views(live: &Live, system: Option<SpaceId>) -> Vec<ServiceView> {
    let mut views = registry(&live.snapshot(), Clock::now());
    views.retain(|view| system.is_none_or(|system| view.system == system));
    views
}

/// Waits until every agent was heard of, or says something by its silence, at most so long: agents say every
/// 20 s that they live, and nobody stores that. One that has not been heard yet may run the service by now.
async fn heard(live: &Live, wait: Option<Duration>) {
    Listen::of(wait).run(live).await;
}
