//! `aramaki notify policy`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::report::count;
use crate::cli::{CliError, Report};
use crate::workspace::{Live, read_policy};

/// Say whom to tell of the problems of a System and of everything below it.
///
/// The file replaces what was said before; docs/policy.toml.example shows every field, `aramaki notify
/// show SYSTEM` prints what holds now.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// Of which System.
    system: String,
    /// The policy.
    #[arg(long, value_name = "FILE", required_unless_present = "none")]
    file: Option<PathBuf>,
    /// Tell nobody any more.
    #[arg(long, conflicts_with = "file")]
    none: bool,
}

impl Policy {
    pub(super) fn path(&mut self) -> Option<&mut PathBuf> {
        self.file.as_mut()
    }

    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        let Some(file) = &self.file else {
            live.put_policy(space, None).await?;
            return Ok(Report::new(
                format!("{title} tells nobody any more."),
                &json!({"system": space.to_string(), "policy": null}),
            ));
        };
        let policy = read_policy(file)?;
        let (receivers, routes) = (policy.receiver.len(), policy.route.len());
        let used = live.channels_used();
        let nobodys: Vec<(String, String)> = policy
            .channels()
            .filter(|(via, _)| !used.contains(*via))
            .map(|(via, receivers)| (via.to_owned(), receivers.join(", ")))
            .collect();
        let channels: Vec<_> = nobodys.iter().map(|(via, _)| via).collect();
        let object = json!({
            "system": space.to_string(),
            "policy": &policy,
            "channels_unheard": channels,
            "takes_missing": policy.takes_missing(),
        });
        let takes_missing = policy.takes_missing();
        live.put_policy(space, Some(policy)).await?;
        let text = format!(
            "{title} has a policy with {} and {}. `aramaki notify preview` says who would hear what now.",
            count(receivers, "receiver"),
            count(routes, "route")
        );
        let mut report = Report::new(text, &object);
        let deaf = (!takes_missing).then(|| NOT_MISSING.to_owned());
        let warnings: Vec<_> = deaf.into_iter().chain(unheard(&nobodys)).collect();
        if !warnings.is_empty() {
            report.warn(warnings.join("; "));
        }
        Ok(report)
    }
}

/// What is said of a policy by which nobody hears of silence.
pub(super) const NOT_MISSING: &str = "no route takes what is missing: nobody is told that an agent is not heard any more, or that a check \
     gives no result; a route with `at_least = \"missing\"` and without `checks` takes that";

/// Channels through which nobody was told yet: which host has them only that host knows.
fn unheard(channels: &[(String, String)]) -> Option<String> {
    if channels.is_empty() {
        return None;
    }
    let named = channels
        .iter()
        .map(|(via, receivers)| format!("`{via}` (for {receivers})"));
    let named: Vec<_> = named.collect();
    Some(format!(
        "no notifier has told anybody through {} yet: it needs a [channel] of that name in its notify.toml; \
         `aramaki notify test CHANNEL` tries it there",
        named.join(", ")
    ))
}
