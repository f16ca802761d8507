//! `aramaki agent remove`.

use clap::Args;
use serde_json::json;

use crate::cli::parse::parse_line;
use crate::cli::report::{Lines, count};
use crate::cli::{CliError, Report};
use crate::workspace::{EndReason, Live};

/// How many checks are named.
const CHECKS_SHOWN: usize = 10;

/// Remove an agent: end its access, and take it out of the Systems at which it looks.
///
/// Its program goes on looking on its host until somebody stops it there; nobody is told any more what it
/// sees. What it wrote until now stays readable: on the timeline, and in the history of its checks.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Of which System.
    system: String,
    /// Its name, or the beginning of its id.
    agent: String,
    /// Why, for those who read the System.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: Option<String>,
    /// Only say what that would do.
    #[arg(long)]
    preview: bool,
}

impl Remove {
    /// Removes it, or says what that would do.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let agent = live.agent_named(system, &self.agent)?;
        let leaving = live.agent_leaving(system, agent).await?;
        if !self.preview {
            let reason = self.reason.clone();
            let why = reason.map_or(EndReason::None, EndReason::Words);
            live.remove_agent(&leaving, &why).await?;
        }
        let mut text = Lines::default();
        let name = &leaving.name;
        let titles: Vec<_> = leaving.systems.iter().map(|(_, it)| it.as_str()).collect();
        let titles = titles.join(", ");
        match (self.preview, leaving.has_joined) {
            (true, true) => text.add(format_args!(
                "{name} would lose its access, and {titles} would no longer have it as an agent."
            )),
            (true, false) => text.add(format_args!(
                "{name} never joined: its code would end, and {titles} would no longer have it as an agent."
            )),
            (false, _) => text.add(format_args!("{name} is no agent of {titles} any more.")),
        }
        if self.preview && !leaving.may_end {
            text.add("This device may not do that: it does not administer the agent's Space.");
        }
        if !leaving.unseen.is_empty() {
            let shown: Vec<_> = leaving.unseen.iter().take(CHECKS_SHOWN).cloned().collect();
            let more = match leaving.unseen.len().saturating_sub(CHECKS_SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text.add(format_args!(
                "Nobody else looks at {} of {titles}: {}{more}.",
                count(leaving.unseen.len(), "check"),
                shown.join(", ")
            ));
        }
        if leaving.has_joined {
            text.add(
                "What it wrote stays readable as past. Its program goes on looking until somebody stops it on its host: \
                 systemctl disable --now aramaki-agent",
            );
        }
        Ok(Report::new(
            text.into_text(),
            &json!({
                "agent": leaving.agent.to_string(),
                "name": name,
                "removed": !self.preview,
                "joined": leaving.has_joined,
                "may": leaving.may_end,
                "systems": leaving.systems.iter().map(|(it, _)| it.to_string()).collect::<Vec<_>>(),
                "unseen_checks": leaving.unseen,
            }),
        ))
    }
}
