//! `aramaki timeline`.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_model::{EntryId, TimelineKind, TimelineReach};
use aramaki_sync_core::{SpaceId, Timestamp};
use clap::Args;
use serde_json::{Value, json};

use super::parse::{Moment, parse_moment};
use super::report::table;
use super::{CliError, Clock, Report, action, local, parse_span};
use crate::workspace::{Live, TimelineRow, kind_of};

/// Say what happened: transitions, messages, who was told, what was run, newest first. What people wrote is read of
/// the last thirteen months, what agents saw of the last 31 days; `aramaki status` and the alerts know days for longer.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    /// Of which Systems and their parts, as one; of all without any.
    systems: Vec<String>,
    /// Without their parts: what happened to these Systems themselves.
    #[arg(long, requires = "systems")]
    only_itself: bool,
    /// Only these kinds: state, deployment, action, words, care, quiet (silences and maintenance), told,
    /// access, agent, newer.
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<TimelineKind>,
    /// How many entries.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Only what happened within this span.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Duration>,
    /// Around this entry, to which a post-mortem refers: the id behind `entry:`.
    #[arg(long, value_name = "ID", conflicts_with_all = ["kinds", "since", "until"])]
    entry: Option<EntryId>,
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

    /// How far back timelines are read, so that one entry more than is shown would be found.
    fn reach(&self, begin: Option<Timestamp>) -> TimelineReach {
        let is_filtered = !self.kinds.is_empty() || self.entry.is_some() || self.until.is_some();
        match begin {
            None if !is_filtered => TimelineReach::newest(self.limit.saturating_add(1)),
            begin => TimelineReach::since(begin.unwrap_or(Timestamp::ZERO)),
        }
    }

    /// Reads it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let systems = self.systems(live)?;
        let now = Clock::now();
        let begin = self.since.map(|span| now.minus(span));
        let end = self.until.map(|until| until.before(now));
        let mut rows = live.timeline(systems.as_deref(), self.reach(begin));
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
        if let Some(entry) = self.entry {
            around(&mut rows, entry, self.limit)?;
        }
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let lines: Vec<_> = rows
            .iter()
            .map(|row| {
                let is_meant = self.entry.is_some() && row.entry == self.entry;
                let mark = if is_meant { "→ " } else { "" };
                vec![
                    format!("{mark}{}", local(row.at)),
                    row.title.clone(),
                    row.text.clone(),
                    row.who.clone(),
                ]
            })
            .collect();
        let entries: Vec<_> = rows.iter().map(entry_json).collect();
        let mut text = table(&lines);
        if more {
            text.push_str("\nThere is more: `--limit` shows it.");
        }
        let object = json!({"entries": entries, "more": more});
        Ok(Report::new(text, &object))
    }
}

/// Leaves an entry and its neighbours, as many before it as after it.
fn around(rows: &mut Vec<TimelineRow>, entry: EntryId, limit: usize) -> Result<(), CliError> {
    let place = rows.iter().position(|row| row.entry == Some(entry));
    let place = place.ok_or_else(|| CliError::Setting {
        what: "entry",
        value: entry.to_string(),
        reason: "no timeline here has it: it is older than what is read, or of a System that cannot be read here"
            .to_owned(),
    })?;
    rows.drain(..place.saturating_sub(limit / 2));
    Ok(())
}

/// An entry for programs.
pub(super) fn entry_json(row: &TimelineRow) -> Value {
    json!({
        "entry": row.entry.map(|entry| entry.to_string()),
        "at": row.at.to_string(),
        "system": row.system.to_string(),
        "title": row.title,
        "kind": row.kind,
        "severity": row.severity.map(aramaki_model::Severity::word),
        "text": row.text,
        "who": row.who,
    })
}
