//! `aramaki agent`.

mod list;
mod remove;

use std::time::Duration;

use aramaki_model::Presence;
use clap::{Args, Subcommand};
use serde_json::json;

use super::parse::parse_line;
use super::report::Lines;
use super::{CliError, Report, WITHOUT_RELAY, local, parse_span};
use crate::workspace::Live;

/// Invite, list and remove agents: programs that observe a System.
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    Invite(Invite),
    List(list::List),
    Remove(remove::Remove),
}

/// Make a Space for an agent of a System, and a code with which it joins.
///
/// On the machine to be observed: aramaki-agent join CODE.
#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// Which System it observes.
    system: String,
    /// What the agent is called.
    #[arg(long, value_parser = parse_line)]
    name: String,
    /// The machine may be off, as laptops are: then it is shown as offline, and nobody is told.
    #[arg(long)]
    may_be_offline: bool,
    /// For how long the code can be used.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = parse_span)]
    span: Duration,
}

impl Agent {
    /// Whether it changes nothing.
    pub(crate) const fn looks(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let invite = match self {
            Self::Invite(invite) => invite,
            Self::List(verb) => return verb.run(live).await,
            Self::Remove(verb) => return verb.run(live).await,
        };
        let system = live.find(&invite.system)?;
        let presence = if invite.may_be_offline {
            Presence::MayBeOffline
        } else {
            Presence::Always
        };
        let invited = live
            .invite_agent(system, (&invite.name, presence), invite.span)
            .await?;
        let mut text = Lines::default();
        text.add(&invited.code);
        text.add(format_args!(
            "\nThe code ends {}. On the machine to be observed: aramaki-agent join CODE",
            local(invited.redeem_until)
        ));
        if !invited.relayed {
            text.add(WITHOUT_RELAY);
        }
        Ok(Report::new(
            text.into_text(),
            &json!({
                "invitation": invited.code,
                "agent": invited.space.to_string(),
                "system": system.to_string(),
                "end": invited.redeem_until.to_string(),
                "access_end": invited.end.to_string(),
                "relayed": invited.relayed,
            }),
        ))
    }
}
