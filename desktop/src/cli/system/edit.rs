//! `aramaki system edit`.

use clap::Args;
use serde_json::json;

use super::fields::Fields;
use crate::cli::parse::parse_line;
use crate::cli::{CliError, Report};
use crate::workspace::{Live, SystemChange};

/// Change what a System says of itself; rules, contacts and dashboards are added to those there.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Which System.
    system: String,
    /// What people call it from now on.
    #[arg(long, value_parser = parse_line)]
    title: Option<String>,
    /// Say the presence of this agent alone, by its name or the beginning of its id.
    #[arg(long, value_name = "AGENT", requires = "presence", value_parser = parse_line)]
    agent: Option<String>,
    #[command(flatten)]
    pub(super) fields: Fields,
}

impl Edit {
    /// Writes the changes.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let mut changes: Vec<_> = self
            .title
            .clone()
            .map(SystemChange::Title)
            .into_iter()
            .collect();
        changes.extend(self.fields.changes(&live.known_checks(Some(space)))?);
        if let Some(agent) = &self.agent {
            let agent = live.agent_named(space, agent)?;
            for change in &mut changes {
                if let SystemChange::Presence(of, _) = change {
                    *of = Some(agent);
                }
            }
        }
        if changes.is_empty() {
            return Err(CliError::Usage(
                "nothing to change: give at least one option".to_owned(),
            ));
        }
        let count = changes.len();
        live.edit_system(space, changes).await?;
        Ok(Report::new(
            format!(
                "Changed {}.",
                live.title(space).unwrap_or_else(|| space.short())
            ),
            &json!({"id": space.to_string(), "changes": count}),
        ))
    }
}
