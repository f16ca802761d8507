//! `aramaki join`.

use std::path::Path;
use std::time::Duration;

use aramaki_sync::text_file;
use clap::Args;
use serde_json::json;

use super::report::Lines;
use super::{CliError, Report, local, parse_span};
use crate::workspace::{Live, capability_word};

/// More on standard input is no invitation.
const INPUT_LEN_BYTES_MAX: u64 = 64 * 1024;

/// Join a System by an invitation.
///
/// Ctrl-C ends the wait, not the joining: the invitation is kept, and the System comes as soon as
/// somebody who has it can be reached.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The code; `-` reads it from standard input, where no other user of this machine sees it.
    invitation: String,
    /// How long to wait for somebody who has the System; it arrives later anyway.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
}

impl Join {
    /// The code on standard input, if it is there.
    pub(crate) fn read_input(&self) -> Result<Option<String>, CliError> {
        if self.invitation != "-" {
            return Ok(None);
        }
        let input = Path::new("standard input");
        let read = text_file::read_stream(input, std::io::stdin(), INPUT_LEN_BYTES_MAX);
        Ok(Some(read?))
    }

    /// The code that was on standard input.
    pub(crate) fn take_input(&mut self, input: String) {
        self.invitation = input;
    }

    /// Takes the invitation and waits until the System can be read.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let joining = live.join(&self.invitation).await?;
        let space = joining.space;
        let Some(joined) = live.wait_for_system(joining, self.wait).await? else {
            return Ok(Report::new(
                format!(
                    "Nobody who has {} answered yet; it comes as soon as somebody does: open the \
                     app, or run `aramaki peers --wait 1m`. If it never comes, the invitation may \
                     have been revoked: ask for a new one.",
                    space.short()
                ),
                &json!({"id": space.to_string(), "title": null, "complete": false}),
            ));
        };
        let capability = joined.capability.map(capability_word);
        let mut text = Lines::default();
        text.add(format_args!("Joined {}, {}.", joined.title, space.short()));
        if let (Some(may), Some(end)) = (capability, joined.end) {
            text.add(format_args!("You may {may} until {}.", local(end)));
        }
        text.add(format_args!(
            "Checks: {}, notes: {}, parts: {}, agents that can be read here already: {} of {}.",
            joined.checks, joined.notes, joined.parts, joined.agents_readable, joined.agents
        ));
        Ok(Report::new(
            text.into_text(),
            &json!({
                "id": space.to_string(),
                "title": joined.title,
                "complete": true,
                "capability": capability,
                "end": joined.end.map(|end| end.to_string()),
                "checks": joined.checks,
                "notes": joined.notes,
                "parts": joined.parts,
                "agents": joined.agents,
                "agents_readable": joined.agents_readable,
            }),
        ))
    }
}
