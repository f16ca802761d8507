//! `aramaki service list` and `where`.

use std::time::Duration;

use aramaki_model::service::{Conflict, Lease, ServiceView};
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::json;

use super::object::{endpoints, unheard, view_json, views_text};
use super::{heard, views};
use crate::cli::report::{Lines, count};
use crate::cli::{CliError, Report, parse_span};
use crate::workspace::Live;

/// List services: where agents say they run, whether that is still believed, and how they are.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this System.
    system: Option<String>,
    /// Also those not heard of for a day.
    #[arg(long)]
    archived: bool,
    /// Listen first until every agent was heard of, at most so long.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait: Option<Duration>,
}

impl List {
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = find(live, self.system.as_deref())?;
        heard(live, self.wait).await;
        let mut views = views(live, system);
        let all = views.len();
        views.retain(|view| self.archived || view.lease != Lease::Archived);
        let archived = all - views.len();
        let mut text = Lines::default();
        if all == 0 {
            text.add("No agent tells of a service: `[[service]]` in its agent.toml does.");
        }
        if archived > 0 {
            let services = count(archived, "service");
            text.add(format_args!(
                "{services} not heard of for a day: --archived shows them."
            ));
        }
        unheard(&mut text, &views);
        Ok(Report::new(
            views_text(&views) + &text.into_text(),
            &json!({
                "services": views.iter().map(view_json).collect::<Vec<_>>(),
                "archived": archived,
            }),
        ))
    }
}

/// Say where a service runs now: the newest claim whose lease holds.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// What it is called.
    name: String,
    /// Only in this System.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
    /// Listen first until every agent was heard of, at most so long: one may run it by now of whom nobody knows
    /// that yet.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait: Option<Duration>,
}

impl Where {
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = find(live, self.system.as_deref())?;
        heard(live, self.wait).await;
        let mut views = views(live, system);
        let mut similar: Vec<String> = views.iter().map(|view| view.claim.name.clone()).collect();
        similar.dedup();
        views.retain(|view| view.claim.name == self.name);
        if views.is_empty() {
            return Err(CliError::NoSuchService {
                wanted: self.name.clone(),
                known: similar,
            });
        }
        let mut text = Lines::default();
        let mut here: Vec<&ServiceView> = Vec::new();
        for view in views.iter().filter(|view| view.lease == Lease::Fresh) {
            // In each System the first: the others run there too, and follow below.
            if here.last().is_none_or(|last| last.system != view.system) {
                here.push(view);
            }
        }
        for view in &here {
            text.add(format_args!(
                "{} runs on {} ({}): {}",
                self.name,
                view.machine,
                view.title,
                endpoints(view)
            ));
        }
        if here.is_empty() {
            text.add(format_args!(
                "Nobody is heard of who runs {} now. It ran last:",
                self.name
            ));
        }
        let conflict = |of| views.iter().any(|view| view.conflict == Some(of));
        if conflict(Conflict::Places) {
            text.add("CONFLICT: several machines say so, though it runs in one place only.");
        }
        if conflict(Conflict::Endpoint) {
            text.add("CONFLICT: several machines claim the same endpoint.");
        }
        let mut text = text.into_text() + &views_text(&views);
        let mut last = Lines::default();
        unheard(&mut last, &views);
        text.push_str(&last.into_text());
        let json = json!({
            "service": self.name,
            "here": here.iter().map(|view| view_json(view)).collect::<Vec<_>>(),
            "conflict": views.iter().any(|view| view.conflict.is_some()),
            "places": views.iter().map(view_json).collect::<Vec<_>>(),
        });
        Ok(Report::new(text, &json))
    }
}

pub(super) fn find(live: &Live, system: Option<&str>) -> Result<Option<SpaceId>, CliError> {
    system.map(|system| live.find(system)).transpose()
}
