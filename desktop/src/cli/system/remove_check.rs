//! `aramaki system remove-check`.

use aramaki_model::handover::CHECKS_CHANGED;
use clap::Args;
use serde_json::json;

use crate::cli::parse::parse_line;
use crate::cli::report::Lines;
use crate::cli::{CliError, Report};
use crate::workspace::{Live, SystemChange};

/// Remove a check: agents look no longer, and its alert is closed. What happened stays in the timeline.
///
/// To stop it for a while hand it over again with `enabled = false`: `aramaki system edit --checks`.
#[derive(Debug, Args)]
pub(crate) struct RemoveCheck {
    /// Of which System.
    system: String,
    /// Its name, or its id.
    #[arg(value_parser = parse_line)]
    check: String,
    /// Only say what that would do.
    #[arg(long)]
    preview: bool,
}

impl RemoveCheck {
    /// Removes it, or says what that would do.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let leaving = live.check_leaving(system, &self.check)?;
        if !self.preview {
            let removed = SystemChange::RemoveChecks(vec![leaving.check]);
            live.edit_system(system, vec![removed]).await?;
            live.say(system, &format!("{CHECKS_CHANGED}removed {}", leaving.name))
                .await?;
        }
        let title = live.title(system).unwrap_or_else(|| system.short());
        let (name, would) = (&leaving.name, self.preview);
        let mut text = Lines::default();
        text.add(if would {
            format!("{title} would no longer have the check {name}.")
        } else {
            format!("{title} has no check {name} any more.")
        });
        let (closes, mutes) = if would {
            ("It would close", "would mute")
        } else {
            ("It closed", "mutes")
        };
        for (id, said) in &leaving.alerts {
            text.add(format_args!("{closes} alert {id}, which says: {said}"));
        }
        for reason in &leaving.silences {
            text.add(format_args!(
                "A silence of it {mutes} nothing then: {reason}"
            ));
        }
        text.add("What it told until now stays in the agents' journals.");
        Ok(Report::new(
            text.into_text(),
            &json!({
                "system": system.to_string(),
                "check": leaving.check.to_string(),
                "name": name,
                "removed": !would,
                "closes": leaving.alerts.iter().map(|(id, _)| id).collect::<Vec<_>>(),
                "silences": leaving.silences,
            }),
        ))
    }
}
