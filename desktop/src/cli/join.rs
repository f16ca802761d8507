//! `aramaki join`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{CliError, Report, parse_span};
use crate::workspace::Live;

/// Join a System by an invitation.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The code.
    invitation: String,
    /// How long to wait for somebody who has the System; it arrives later anyway.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
}

impl Join {
    /// Takes the invitation and waits until the System can be read.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.join(&self.invitation).await?;
        let title = live.wait_for_title(space, self.wait).await;
        let text = match &title {
            Some(title) => format!("Joined {title}, {}.", space.short()),
            None => format!(
                "Joined {}. Nobody who has it answered yet; it appears as soon as somebody does.",
                space.short()
            ),
        };
        Ok(Report::new(
            text,
            &json!({"id": space.to_string(), "title": title, "complete": title.is_some()}),
        ))
    }
}
