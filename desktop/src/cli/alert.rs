//! `aramaki alert`.

mod acknowledge;
mod claim;
mod evidence;
mod list;
mod object;
mod show;
mod silence;
mod taken;

use clap::Subcommand;

use super::{CliError, Report};
use crate::workspace::Live;
pub(super) use silence::{Consent, Where, ended_report};

/// See what is wrong, say who knows and who works on it, keep it quiet.
#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    List(list::List),
    Show(show::Show),
    Acknowledge(acknowledge::Acknowledge),
    Unacknowledge(acknowledge::Unacknowledge),
    Claim(claim::Claim),
    Release(claim::Release),
    Silence(silence::Silence),
    Unsilence(silence::Unsilence),
    Silences(silence::Silences),
}

impl Alert {
    /// Whether it changes nothing.
    pub(crate) const fn looks(&self) -> bool {
        matches!(self, Self::List(_) | Self::Show(_) | Self::Silences(_))
    }

    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::List(verb) => verb.run(live).await,
            Self::Show(verb) => verb.run(live).await,
            Self::Acknowledge(verb) => verb.run(live).await,
            Self::Unacknowledge(verb) => verb.run(live).await,
            Self::Claim(verb) => verb.run(live).await,
            Self::Release(verb) => verb.run(live).await,
            Self::Silence(verb) => verb.run(live).await,
            Self::Unsilence(verb) => verb.run(live).await,
            Self::Silences(verb) => Ok(verb.run(live)),
        }
    }
}
