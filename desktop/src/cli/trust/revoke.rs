//! `aramaki trust revoke`.

use aramaki_sync::replica::{Foreseen, Keep};
use clap::Args;
use serde_json::json;

use super::{at_agent_json, at_agents_text, row_json, rows_text};
use crate::cli::parse::parse_line;
use crate::cli::report::Lines;
use crate::cli::{CliError, Report, local};
use crate::workspace::{Cutting, EndReason, Live};

/// End a grant and every grant below it, and seal anew what is written from now on.
///
/// What was read before cannot be taken back. The invitation by which a guest came ends too; others who
/// came by it stay. Only an administrator nearer the System's own key than
/// the target is heeded, or the target itself.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// In which System.
    system: String,
    /// The grant, as `aramaki trust list` shows it, or the key or name of whoever holds it, if they hold one
    /// only.
    grant: String,
    /// Why: `lost` if the device was lost or stolen, which everyone may know; else in words, which all who
    /// read the System see, and relays do not.
    #[arg(long, value_name = "TEXT", default_value = "none", hide_default_value = true, value_parser = parse_reason)]
    reason: EndReason,
    /// Let nothing count that its holders ever wrote; else what is here stays.
    #[arg(long)]
    from_the_start: bool,
    /// Only say what would end.
    #[arg(long)]
    preview: bool,
}

/// Why a grant ends: one of two words that everyone may know, or words for those who read the System.
fn parse_reason(text: &str) -> Result<EndReason, String> {
    Ok(match text {
        "none" => EndReason::None,
        "lost" => EndReason::Lost,
        words => EndReason::Words(parse_line(words)?),
    })
}

impl Revoke {
    /// Ends it, or says what that would do.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let keep = if self.from_the_start {
            Keep::Nothing
        } else {
            Keep::WhatIsHere
        };
        let cutting = live.cutting(space, &self.grant, keep).await?;
        if let (false, Some(target)) = (self.preview, cutting.grants.first()) {
            live.revoke(space, target.id, keep, &self.reason).await?;
        }
        Ok(Report::new(
            self.said(&cutting),
            &json!({
                "system": space.to_string(),
                "revoked": !self.preview,
                "grants": cutting.grants.iter().map(row_json).collect::<Vec<_>>(),
                "kept": cutting.kept.iter().map(row_json).collect::<Vec<_>>(),
                "at_agents": cutting.at_agents.iter().map(at_agent_json).collect::<Vec<_>>(),
                "changes_cut": cutting.written.gone,
                "changes_that_stay": cutting.written.stays,
                "waiting_changes_discarded": cutting.written.discarded,
                "ended_invitation": cutting.code.as_ref().map(row_json),
            }),
        ))
    }

    /// What ends, and what stays.
    fn said(&self, cutting: &Cutting) -> String {
        let mut text = Lines::default();
        text.add(if self.preview {
            "These would end:"
        } else {
            "Ended:"
        });
        let rows: Vec<_> = cutting.grants.iter().map(|row| (None, row)).collect();
        for line in rows_text(&rows).lines() {
            text.add(format_args!("  {line}"));
        }
        for line in at_agents_text(&cutting.at_agents).lines() {
            text.add(format_args!("  {line}"));
        }
        if !cutting.kept.is_empty() {
            text.add("They keep other grants, each of which has to be ended too if it is to end:");
            let rows: Vec<_> = cutting.kept.iter().map(|row| (None, row)).collect();
            for line in rows_text(&rows).lines() {
                text.add(format_args!("  {line}"));
            }
        }
        self.say_written(&mut text, cutting.written);
        if let Some((left, until)) = cutting.code.as_ref().and_then(|code| code.left) {
            let lets_in = if self.preview { "would let" } else { "lets" };
            text.add(format_args!(
                "Their code, which let in {left} more until {}, {lets_in} in nobody any more; others who came \
                 by it stay.",
                local(until)
            ));
        }
        text.into_text()
    }

    /// What becomes of what they wrote.
    fn say_written(&self, text: &mut Lines, written: Foreseen) {
        let Foreseen {
            gone,
            stays,
            discarded,
            ..
        } = written;
        match (gone, stays) {
            (0, _) => text.add("What they wrote until now stays."),
            (gone, stays) => {
                let (no_longer, entries) = if self.preview {
                    ("would no longer count", "would go on to count")
                } else {
                    ("no longer count", "go on to count")
                };
                text.add(format_args!("{gone} changes that they wrote {no_longer}."));
                if stays > 0 {
                    text.add(format_args!(
                        "{stays} {entries}: others wrote on top of them before they knew."
                    ));
                }
            }
        }
        if discarded > 0 {
            text.add(if self.preview {
                format!(
                    "{discarded} changes that wait would never count any more: `aramaki trust held` says which, and \
                     what can be done about each before."
                )
            } else {
                format!("{discarded} changes that waited never count.")
            });
        }
    }
}
