//! `aramaki service`.

mod export;
mod list;
mod object;
mod serve;
mod source;

use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::service::{Lease, ServiceView, registry};
use aramaki_sync_core::SpaceId;
use clap::Subcommand;
use tokio::time::Instant;

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

/// From one look at leases to the next while one waits.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// The services of one System, or of all.
fn views(live: &Live, system: Option<SpaceId>) -> Vec<ServiceView> {
    let mut views = registry(&live.snapshot(), Clock::now());
    views.retain(|view| system.is_none_or(|system| view.system == system));
    views
}

/// Waits until no lease is over that might only not have been heard of, at most so long: agents say every
/// 20 s that they live, and nobody stores that.
async fn heard(live: &Live, system: Option<SpaceId>, name: Option<&str>, wait: Option<Duration>) {
    let until = Instant::now() + wait.unwrap_or_default();
    loop {
        let views = views(live, system);
        let mut of_it = views
            .iter()
            .filter(|view| name.is_none_or(|name| view.claim.name == name));
        let is_known = !views.is_empty() && of_it.all(|view| view.lease == Lease::Fresh);
        if is_known || Instant::now() >= until {
            return;
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}
