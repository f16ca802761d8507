//! `aramaki share`.

use std::time::Duration;

use aramaki_sync_core::statement::Capability;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{CliError, Report, local, parse_span};
use crate::workspace::{Live, ShareRequest};

/// Share a System by an invitation: a short code that ends by itself.
///
/// Whoever has the code can use it until it ends; send it over a way that you trust.
#[derive(Debug, Args)]
pub(crate) struct Share {
    /// Which System.
    system: String,
    /// What the invited may do.
    #[arg(long, value_enum, default_value_t = Allowed::Read)]
    capability: Allowed,
    /// For how long: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = parse_span)]
    span: Duration,
    /// How many devices may use it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    redemptions: u16,
}

/// What an invitation can allow; never to administer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allowed {
    /// See everything of the System.
    Read,
    /// Add timeline entries and notes.
    Comment,
    /// Change it.
    Write,
}

impl From<Allowed> for Capability {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Read => Self::Read,
            Allowed::Comment => Self::Comment,
            Allowed::Write => Self::Write,
        }
    }
}

impl Share {
    /// Makes the invitation.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let request = ShareRequest {
            capability: self.capability.into(),
            span: self.span,
            redemptions: self.redemptions,
        };
        let shared = live.share(space, &request).await?;
        Ok(Report::new(
            format!(
                "{}\n\nEnds {}. On the other side: aramaki join CODE\n",
                shared.code,
                local(shared.end)
            ),
            &json!({
                "invitation": shared.code,
                "system": space.to_string(),
                "capability": format!("{:?}", self.capability).to_lowercase(),
                "end": shared.end.to_string(),
                "redemptions": self.redemptions,
            }),
        ))
    }
}
