//! `aramaki deployed`.

use std::time::Duration;

use aramaki_model::address::check_web_address;
use aramaki_model::entry::Deployment;
use clap::Args;
use serde_json::json;

use super::parse::parse_line;
use super::{CliError, Clock, Report, local, parse_span};
use crate::workspace::Live;

/// Put on a System's timeline that something was deployed or configured there, for whoever asks what
/// changed before it broke. Made for the end of a deployment script.
#[derive(Debug, Args)]
pub(crate) struct Deployed {
    /// Which System.
    system: String,
    /// What: a package, a service, a file.
    #[arg(value_parser = parse_line)]
    what: String,
    /// Its version, commit or ticket.
    #[arg(long, value_name = "TEXT", value_parser = parse_line, default_value = "", hide_default_value = true)]
    version: String,
    /// Where to read on: http or https.
    #[arg(long, value_name = "URL", value_parser = parse_link)]
    link: Option<String>,
    /// How long ago it was.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    ago: Option<Duration>,
}

fn parse_link(text: &str) -> Result<String, String> {
    check_web_address(text)?;
    Ok(text.to_owned())
}

impl Deployed {
    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let now = Clock::now();
        let at = self.ago.map_or(now, |ago| now.minus(ago));
        let deployment = Deployment {
            at,
            title: self.what.clone(),
            reference: self.version.clone(),
            link: self.link.clone().unwrap_or_default(),
        };
        live.deployed(space, deployment).await?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        Ok(Report::new(
            format!("It stands on the timeline of {title}, as of {}.", local(at)),
            &json!({
                "system": space.to_string(),
                "at": at.to_string(),
                "what": self.what,
                "version": self.version,
                "link": self.link,
            }),
        ))
    }
}
