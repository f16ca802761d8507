//! `aramaki timeline`.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_model::TimelineKind;
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::{Value, json};

use super::parse::{Moment, parse_moment};
use super::report::table;
use super::{CliError, Clock, Report, action, local, parse_span};
use crate::workspace::{Live, TimelineRow, kind_of};

/// Say what happened: transitions, messages, who was told, what was run, newest first.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    /// Of which Systems and their parts, as one; of all without any.
    systems: Vec<String>,
    /// Without their parts: what happened to these Systems themselves.
    #[arg(long, requires = "systems")]
    only_itself: bool,
    /// Only these kinds: state, deployment, action, words, care, told, access, agent, newer.
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<TimelineKind>,
    /// How many entries.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Only what happened within this span.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Duration>,
    /// Only what happened until then: a time with its zone, or how long ago.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<Moment>,
}

impl Timeline {
    /// Whose entries are wanted; none: all.
    fn systems(&self, live: &Live) -> Result<Option<Vec<SpaceId>>, CliError> {
        if self.systems.is_empty() {
            return Ok(None);
        }
        let mut chosen = BTreeSet::new();
        for system in &self.systems {
            let system = live.find(system)?;
            chosen.insert(system);
            if !self.only_itself {
                chosen.extend(live.snapshot().graph.parts_below(system));
            }
        }
        Ok(Some(chosen.into_iter().collect()))
    }

    /// Reads it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let systems = self.systems(live)?;
        let now = Clock::now();
        let begin = self.since.map(|span| now.minus(span));
        let end = self.until.map(|until| until.before(now));
        let mut rows = live.timeline(systems.as_deref());
        for (system, row) in live.action_requests(systems.as_deref()).await? {
            rows.push(action::timeline_row(live, system, &row));
        }
        // The order of what was written at one time stays.
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        rows.retain(|row| {
            begin.is_none_or(|begin| row.at >= begin)
                && end.is_none_or(|end| row.at <= end)
                && (self.kinds.is_empty() || self.kinds.contains(&kind_of(row)))
        });
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
