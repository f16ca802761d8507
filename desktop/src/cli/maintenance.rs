//! `aramaki maintenance`.

use std::time::Duration;

use aramaki_model::{ItemId, Maintenance as Window};
use aramaki_sync_core::Timestamp;
use clap::{Args, Subcommand};
use serde_json::json;

use super::alert::{Consent, Where, ended_report};
use super::parse::parse_line;
use super::report::{count, table};
use super::{CliError, Clock, Report, local, parse_span};
use crate::workspace::Live;

/// Say when problems are expected, once or again and again.
#[derive(Debug, Subcommand)]
pub(crate) enum Maintenance {
    Add(Add),
    List(List),
    End(End),
}

impl Maintenance {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::Add(verb) => verb.run(live).await,
            Self::List(verb) => verb.run(live),
            Self::End(verb) => verb.run(live).await,
        }
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no time: 2026-11-29T22:00:00+01:00 is expected"))
}

/// Add a window: problems of these Systems are expected then.
#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    place: Where,
    /// When it begins, with its offset: 2026-11-29T22:00:00+01:00; now without it.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// How long it lasts.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    span: Duration,
    /// Again after so many days, at the same time of day in UTC.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    every_days: Option<u16>,
    /// What is done.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: String,
    #[command(flatten)]
    consent: Consent,
}

impl Add {
    /// Writes it, or says what it would do.
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let from = self.from.unwrap_or_else(Clock::now);
        let window = Window {
            reason: self.reason.clone(),
            from,
            until: from.plus(self.span),
            every_days: self.every_days,
        };
        let scope = self.place.scope(live)?;
        let preview = live.preview_maintenance(&scope, &window).await?;
        let item = if self.consent.is_given(&preview) {
            Some(live.maintain(&preview).await?)
        } else {
            None
        };
        let done = |item| {
            format!(
                "Planned from {} to {}; `aramaki maintenance end {item}` takes it back.",
                local(window.from),
                local(window.until)
            )
        };
        Ok(self
            .consent
            .report(live, &preview, item.map(|it| (it, done(it)))))
    }
}

/// List windows that are open or to come.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of which System; of all without it.
    system: Option<String>,
}

impl List {
    /// Lists them, the next first.
    fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = self.system.as_deref();
        let wanted = system.map(|system| live.find(system)).transpose()?;
        let (snapshot, now) = (live.snapshot(), Clock::now());
        let systems = snapshot.systems.iter();
        let systems = systems.filter(|view| wanted.is_none_or(|wanted| view.space == wanted));
        let windows = systems.flat_map(|view| {
            let windows = view.maintenance.iter();
            windows.map(move |(item, window)| (view, item, window))
        });
        let mut windows: Vec<_> = windows
            .filter_map(|(view, item, window)| {
                // A window that is over for good changes nothing any more.
                let next = window.next_change(now)?;
                Some((!window.covers(now), next, item, view, window))
            })
            .collect();
        windows.sort_by_key(|(later, next, item, view, _)| (*later, *next, **item, view.space));
        let lines = windows.iter().map(|(later, next, item, view, window)| {
            let state = if *later { "from" } else { "open until" };
            let again = window.every_days.map_or_else(String::new, |days| {
                format!("every {}", count(usize::from(days), "day"))
            });
            let when = format!("{state} {}", local(*next));
            let reason = window.reason.clone();
            vec![item.to_string(), when, again, view.title.clone(), reason]
        });
        let objects = windows.iter().map(|(later, next, item, view, window)| {
            json!({
                "item": item.to_string(),
                "system": view.space.to_string(),
                "title": view.title,
                "open": !later,
                "next_change": next.to_string(),
                "from": window.from.to_string(),
                "until": window.until.to_string(),
                "every_days": window.every_days,
                "reason": window.reason,
            })
        });
        let objects: Vec<_> = objects.collect();
        let lines: Vec<_> = lines.collect();
        let text = if lines.is_empty() {
            "No maintenance is planned.".to_owned()
        } else {
            table(&lines)
        };
        Ok(Report::new(text, &json!({"maintenance": objects})))
    }
}

/// Take a window back, or end the one that is open, in every System that has it.
#[derive(Debug, Args)]
pub(crate) struct End {
    /// Its id, as `add` and `list` say it.
    item: ItemId,
}

impl End {
    /// Ends it.
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let ended = live.end_maintenance(self.item).await?;
        Ok(ended_report(self.item, "maintenance window", &ended))
    }
}
