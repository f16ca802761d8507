//! `aramaki trust grant`.

use std::time::Duration;

use aramaki_sync_core::statement::Capability;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::parse::{Moment, parse_line, parse_moment};
use crate::cli::share::check_begin;
use crate::cli::{CliError, Clock, Report, local, parse_span};
use crate::workspace::{Gift, Live, capability_word};

/// Give a device that holds a grant already another one: longer, or for more.
///
/// Who holds none yet is let in by `aramaki share`. Who administers may let others in and end their
/// access, in the System and in its agents' Spaces, but not end whoever stands nearer the System's own key:
/// that is whoever let them in. Others let nobody in, unless --depth says so: each link is listed, and the end of one
/// ends all below it.
#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// In which System.
    system: String,
    /// The device's key, or a unique prefix of at least 6 digits. No name: anybody who may write can choose
    /// one.
    device: String,
    /// What it may do.
    #[arg(long, value_enum)]
    can: Power,
    /// From when on: 2026-12-24T18:00Z, or 3h for in three hours. Now without it.
    #[arg(long = "from", value_name = "TIME", value_parser = parse_moment)]
    from: Option<Moment>,
    /// For how long: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    span: Duration,
    /// How many may follow below it: 1 to give it on to a device that is here, 2 to invite others too, because an
    /// invitation is a link of its own. None without it; who administers may as often as is left.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=7))]
    depth: Option<u8>,
    /// What for: all who read the System see it, relays do not.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: Option<String>,
}

/// What a grant can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Power {
    /// See everything of the System.
    Read,
    /// See everything, and add to its timeline.
    Comment,
    /// Change it.
    Write,
    /// Let others in and end their access.
    Administer,
}

impl From<Power> for Capability {
    fn from(power: Power) -> Self {
        match power {
            Power::Read => Self::Read,
            Power::Comment => Self::Comment,
            Power::Write => Self::Write,
            Power::Administer => Self::Administer,
        }
    }
}

impl Grant {
    /// Gives it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        check_begin(self.from, Clock::now())?;
        let begin = self.from.map(|from| from.at(Clock::now()));
        let end = begin.unwrap_or_else(Clock::now).plus(self.span);
        let may = self.can.into();
        let who = live
            .grant_anew(
                space,
                &self.device,
                Gift {
                    capability: may,
                    begin,
                    end,
                    depth_left: self.depth,
                    reason: self.reason.as_deref().unwrap_or_default(),
                },
            )
            .await?;
        let may = capability_word(may);
        Ok(Report::new(
            match begin {
                Some(begin) => format!(
                    "{who} may {may} from {} until {}.",
                    local(begin),
                    local(end)
                ),
                None => format!("{who} may {may} until {}.", local(end)),
            },
            &json!({
                "who": who,
                "capability": may,
                "begin": begin.map(|begin| begin.to_string()),
                "end": end.to_string(),
                "depth": self.depth,
                "reason": self.reason,
            }),
        ))
    }
}
