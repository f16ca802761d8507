//! `aramaki trust renew`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::parse::parse_line;
use crate::cli::{CliError, Report, local, parse_span};
use crate::workspace::{Live, capability_word};

/// Give a device anew what it has by a grant: for as long as that was given for.
///
/// The grant itself ends as it says; the new one begins now and lasts until this device's own at most. So
/// trust goes on only while somebody says so.
#[derive(Debug, Args)]
pub(crate) struct Renew {
    /// In which System.
    system: String,
    /// The grant, as `aramaki trust list` shows it.
    grant: String,
    /// For another span: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    span: Option<Duration>,
    /// What for, if it is not what the grant was given for: all who read the System see it, relays do not.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: Option<String>,
}

impl Renew {
    /// Gives it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let (who, may, end) = live
            .renew(space, &self.grant, self.span, self.reason.as_deref())
            .await?;
        let may = capability_word(may);
        Ok(Report::new(
            format!("{who} may {may} until {}.", local(end)),
            &json!({"who": who, "capability": may, "end": end.to_string()}),
        ))
    }
}
