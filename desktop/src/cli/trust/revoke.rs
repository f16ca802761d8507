//! `aramaki trust revoke`.

use aramaki_sync::replica::Keep;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{row_json, row_text};
use crate::cli::report::{Lines, table};
use crate::cli::{CliError, Report};
use crate::workspace::Live;

/// End a grant and every grant below it, and seal anew what is written from now on.
///
/// What was read before cannot be taken back. The invitation by which a guest came ends too, unless
/// others came by it. Only an administrator nearer the System's own key than
/// the target is heeded, or the target itself.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// In which System.
    system: String,
    /// The grant, as `aramaki trust list` shows it.
    grant: String,
    /// Why: others see it.
    #[arg(long, value_enum, default_value_t = Reason::None)]
    reason: Reason,
    /// Let nothing count that its holders ever wrote; else what is here stays.
    #[arg(long)]
    from_the_start: bool,
    /// Only say what would end.
    #[arg(long)]
    preview: bool,
}

/// Why a grant ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reason {
    /// None is given.
    None,
    /// The device was lost or stolen.
    Lost,
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
            let lost = self.reason == Reason::Lost;
            live.revoke(space, target.id, keep, lost).await?;
        }
        let mut text = Lines::default();
        text.add(if self.preview {
            "These would end:"
        } else {
            "Ended:"
        });
        let rows: Vec<_> = cutting.grants.iter().map(row_text).collect();
        for line in table(&rows).lines() {
            text.add(format_args!("  {line}"));
        }
        if cutting.envelopes > 0 {
            let count = cutting.envelopes;
            text.add(format_args!(
                "{count} envelopes that they wrote no longer count."
            ));
        } else {
            text.add("What they wrote until now stays.");
        }
        Ok(Report::new(
            text.into_text(),
            &json!({
                "system": space.to_string(),
                "revoked": !self.preview,
                "grants": cutting.grants.iter().map(row_json).collect::<Vec<_>>(),
                "envelopes_cut": cutting.envelopes,
            }),
        ))
    }
}
