//! `aramaki share`.

use std::time::Duration;

use aramaki_sync_core::statement::Capability;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::parse::parse_line;
use super::report::{Lines, count};
use super::{CliError, Report, WITHOUT_RELAY, local, parse_span};
use crate::workspace::{Live, ShareRequest, capability_word};

/// Share a System by an invitation: a short code that ends by itself.
///
/// Whoever has the code can use it; send it over a way that you trust. What the
/// System's agents see is shared with it; its parts are Systems of their own and are not.
#[derive(Debug, Args)]
pub(crate) struct Share {
    /// Which System.
    system: String,
    /// What the invited may do.
    #[arg(long = "can", alias = "capability", value_enum, default_value_t = Allowed::Read)]
    can: Allowed,
    /// Whom it is for, as all who read the System will call them: "auditor". Whoever may write there
    /// can say it themselves.
    #[arg(long = "to", value_name = "NAME", value_parser = parse_line)]
    name: Option<String>,
    /// For how long: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = parse_span)]
    span: Duration,
    /// How many devices may use it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    redemptions: u16,
    /// For somebody who is offline for long: what they wrote in time counts if it arrives within three
    /// days after their access has ended, not only within a quarter of an hour.
    #[arg(long)]
    offline: bool,
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
            name: self.name.clone().unwrap_or_default(),
            capability: self.can.into(),
            span: self.span,
            redemptions: self.redemptions,
            long_grace: self.offline,
        };
        let title = live.title(space).unwrap_or_else(|| space.short());
        let shared = live.share(space, &request).await?;
        let may = capability_word(self.can.into());
        let mut text = Lines::default();
        text.add(&shared.code);
        let devices = count(usize::from(self.redemptions), "device");
        text.add(format_args!(
            "\nThe code lets in {devices}, until {}. On the other side: aramaki join CODE",
            local(shared.redeem_until)
        ));
        text.add(format_args!(
            "Who uses it may {may} {title} and what its agents see until {}.",
            local(shared.end)
        ));
        if !shared.relayed {
            text.add(WITHOUT_RELAY);
        }
        Ok(Report::new(
            text.into_text(),
            &json!({
                "invitation": shared.code,
                "system": space.to_string(),
                "title": title,
                "capability": may,
                "redeem_until": shared.redeem_until.to_string(),
                "end": shared.end.to_string(),
                "redemptions": self.redemptions,
                "relayed": shared.relayed,
            }),
        ))
    }
}
