//! `aramaki timeline`.

use std::time::Duration;

use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::{Value, json};

use super::report::table;
use super::{CliError, Clock, Report, action, local, parse_span};
use crate::workspace::{Live, TimelineRow};

/// Say what happened: transitions, messages, who was told, what was run, newest first.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    /// Of which System and its parts; of all without it.
    system: Option<String>,
    /// Without its parts: what happened to the System itself.
    #[arg(long, requires = "system")]
    only_itself: bool,
    /// How many entries.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Only what happened within this span.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Duration>,
}

impl Timeline {
    /// Whose entries are wanted.
    fn systems(&self, live: &Live, system: SpaceId) -> Vec<SpaceId> {
        let mut systems = vec![system];
        if !self.only_itself {
            systems.extend(live.snapshot().graph.parts_below(system));
        }
        systems
    }

    /// Reads it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let systems = match &self.system {
            Some(system) => Some(self.systems(live, live.find(system)?)),
            None => None,
        };
        let begin = self.since.map(|span| Clock::now().minus(span));
        let mut rows = live.timeline(systems.as_deref());
        for (system, row) in live.action_requests(systems.as_deref()).await? {
            rows.push(action::timeline_row(live, system, &row));
        }
        // The order of what was written at one time stays.
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        rows.retain(|row| begin.is_none_or(|begin| row.at >= begin));
        rows.truncate(self.limit);
        let lines: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    local(row.at),
                    row.title.clone(),
                    row.text.clone(),
                    row.who.clone(),
                ]
            })
            .collect();
        let entries: Vec<_> = rows.iter().map(entry_json).collect();
        Ok(Report::new(table(&lines), &json!({"entries": entries})))
    }
}

/// An entry for programs.
pub(super) fn entry_json(row: &TimelineRow) -> Value {
    json!({
        "at": row.at.to_string(),
        "system": row.system.to_string(),
        "title": row.title,
        "kind": row.kind,
        "severity": row.severity.map(aramaki_model::Severity::word),
        "text": row.text,
        "who": row.who,
    })
}
