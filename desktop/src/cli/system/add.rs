//! `aramaki system add`.

use aramaki_sync_core::{AuthorId, SpaceId};
use clap::Args;
use serde_json::json;

use super::fields::Fields;
use crate::cli::parse::parse_line;
use crate::cli::{CliError, Report};
use crate::workspace::{Live, SystemChange};

/// Add a System: a thing that a team runs.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What people call it.
    #[arg(value_parser = parse_line)]
    title: String,
    #[command(flatten)]
    pub(super) fields: Fields,
}

impl Add {
    /// Makes its Space and writes its document.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let mut changes = vec![SystemChange::Title(self.title.clone())];
        changes.extend(self.fields.changes(&live.known_checks(None))?);
        let same = live.systems_called(&self.title);
        let space = live.create_system(changes).await?;
        let mut text = format!("Added {} as {}.", self.title, space.short());
        if !same.is_empty() {
            let ids: Vec<_> = same.iter().map(SpaceId::short).collect();
            text = format!(
                "{text}\nThere is another System of this name: {}. Name them by their ids.",
                ids.join(", ")
            );
        }
        let relays = live.relays(space).await?.into_iter();
        let relays: Vec<_> = relays.map(|relay| relay.author).collect();
        if !relays.is_empty() {
            let short: Vec<_> = relays.iter().map(AuthorId::short).collect();
            text = format!(
                "{text}\nKept by the relays that keep all others: {}.",
                short.join(", ")
            );
        }
        let relays: Vec<_> = relays.iter().map(ToString::to_string).collect();
        Ok(Report::new(
            text,
            &json!({"id": space.to_string(), "title": self.title, "relays": relays}),
        ))
    }
}
