//! `aramaki alert list`.

use std::sync::Arc;

use aramaki_model::Alert;
use aramaki_model::alert::Hold;
use aramaki_model::query::{AlertRow, Field, Query};
use aramaki_sync_core::Timestamp;
use clap::Args;
use serde_json::json;

use super::object::{alert_json, summary};
use crate::cli::listen::Listen;
use crate::cli::report::{Lines, count, table};
use crate::cli::{CliError, Clock, Report, age};
use crate::workspace::Live;

/// List alerts: what asks for somebody first, the worst, then the oldest.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this System and all of which it consists.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
    /// Only what this lets through: `severity>=warning NOT silenced:yes opened<2h lag`. Bare words are searched
    /// everywhere; `field:text` asks for a part, `field=text` for the whole, `field:~regex` for a pattern;
    /// AND, OR, NOT and parentheses join them.
    #[arg(long = "where", value_name = "EXPRESSION", long_help = where_help())]
    filter: Option<Query>,
    /// Only what nobody knows of and nothing keeps quiet.
    #[arg(long)]
    attention: bool,
    /// Also those that were resolved in the last days.
    #[arg(long, conflicts_with = "attention")]
    resolved: bool,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 200)]
    limit: usize,
    #[command(flatten)]
    listen: Listen,
}

impl List {
    /// Derives them now.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        self.listen.run(live).await;
        let system = self.system.as_deref();
        let system = system.map(|system| live.find(system)).transpose()?;
        let snapshot = live.snapshot();
        let now = Clock::now();
        let plan = self.filter.as_ref().map(|filter| filter.plan(now));
        let lets = |alert: &Alert| {
            let system = snapshot.system(&alert.system);
            plan.as_ref()
                .is_none_or(|plan| plan.lets(&AlertRow { alert, system }))
        };
        let is_there = |alert: &&Arc<Alert>| {
            let mut concerns = alert.concerns.iter();
            let is_there = system.is_none_or(|it| concerns.any(|concern| concern.system == it));
            is_there && (self.resolved || alert.is_open())
        };
        let is_meant =
            |alert: &&Arc<Alert>| (!self.attention || alert.needs_attention()) && lets(alert);
        let all: Vec<_> = snapshot.alerts.iter().filter(is_there).collect();
        let alerts: Vec<_> = all.iter().copied().filter(is_meant).collect();
        let shown = alerts.iter().take(self.limit);
        let lines: Vec<_> = shown.clone().map(|alert| line(now, alert)).collect();
        let mut text = Lines::default();
        if lines.is_empty() && all.is_empty() {
            text.add("Nothing is wrong that is known here.");
        } else if lines.is_empty() {
            let others = count(all.len(), "alert");
            text.add(format_args!(
                "No alert is of that kind; without it there are {others}."
            ));
        } else {
            text.add(table(&lines).trim_end());
        }
        if let more @ 1.. = alerts.len().saturating_sub(self.limit) {
            text.add(format_args!(
                "and {} more: --limit shows them",
                count(more, "alert")
            ));
        }
        let told = snapshot.systems.iter();
        let told = told.filter(|it| system.is_none_or(|space| space == it.space));
        let as_of = told.filter_map(|it| it.status.as_of).min();
        if let Some(at) = as_of {
            text.add(format_args!(
                "\n{}",
                self.listen.words("alert list", live, at)
            ));
        }
        let objects: Vec<_> = shown.map(|alert| alert_json(live, alert)).collect();
        Ok(Report::new(
            text.into_text(),
            &json!({
                "total": alerts.len(),
                "as_of": as_of.map(|at| at.to_string()),
                "alerts": objects,
            }),
        ))
    }
}

/// What `--where` understands.
fn where_help() -> String {
    let fields = Field::NAMED.map(|field| field.name().to_owned());
    format!(
        "Only what this lets through: `severity>=warning NOT silenced:yes opened<2h lag`. Bare words are searched \
         everywhere; `field:text` asks for a part, `field=text` for the whole, `field:~regex` for a pattern; AND, \
         OR, NOT and parentheses join them. Fields: {}, label.NAME",
        fields.join(", ")
    )
}

/// One line of the list.
fn line(now: Timestamp, alert: &Alert) -> Vec<String> {
    let claimed = alert.claimed_by().map(|claim| claim.name.clone());
    let known = alert.acknowledgements.iter().filter(|known| known.holds);
    let known = known.map(|known| known.name.clone());
    let mut people: Vec<_> = claimed.chain(known).collect();
    people.dedup();
    let state = match alert.holds.first() {
        Some(hold) if alert.is_open() => match hold {
            Hold::Silence { .. } => "silenced",
            Hold::Maintenance { .. } => "maintenance",
            Hold::Inhibited { .. } => "follows",
        },
        _ => alert.state.word(),
    };
    let state = if alert.is_flapping {
        format!("{state}, flapping")
    } else {
        state.to_owned()
    };
    vec![
        alert.id.short(),
        alert.severity.word().to_owned(),
        state,
        age(now, alert.opened),
        format!("{}: {}", alert.title, alert.called()),
        summary(alert),
        people.join(", "),
    ]
}
