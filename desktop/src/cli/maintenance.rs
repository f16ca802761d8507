//! `aramaki maintenance`.

use std::time::Duration;

use aramaki_model::cron::{Cron, CronError};
use aramaki_model::maintenance::WindowError;
use aramaki_model::{ItemId, Maintenance as Window};
use aramaki_sync_core::Timestamp;
use clap::{Args, Subcommand};
use serde_json::json;

use super::alert::{Consent, Where, ended_report};
use super::parse::parse_line;
use super::report::{count, table};
use super::{CliError, Clock, Report, local, parse_span};
use crate::workspace::Live;

mod service;
mod work;

use service::{Back, Group, Groups, Out};
use work::{Confirm, Request, Requests, Withdraw};

/// Say when problems are expected, ask for work then, and what must stay in service.
///
/// `add`, `list` and `end` are about windows: problems are expected in them. `request` asks for an action of
/// a host in one; `requests`, `confirm` and `withdraw` follow it. `group` names Systems of which so many must
/// stay in service; `out` and `back` take one out by hand.
#[derive(Debug, Subcommand)]
pub(crate) enum Maintenance {
    Add(Add),
    List(List),
    End(End),
    Request(Request),
    Requests(Requests),
    Confirm(Confirm),
    Withdraw(Withdraw),
    Out(Out),
    Back(Back),
    Group(Group),
    Groups(Groups),
}

impl Maintenance {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::Add(verb) => verb.run(live).await,
            Self::List(verb) => verb.run(live),
            Self::End(verb) => verb.run(live).await,
            Self::Request(verb) => verb.run(live).await,
            Self::Requests(verb) => verb.run(live).await,
            Self::Confirm(verb) => verb.run(live).await,
            Self::Withdraw(verb) => verb.run(live).await,
            Self::Out(verb) => verb.run(live).await,
            Self::Back(verb) => verb.run(live).await,
            Self::Group(verb) => verb.run(live).await,
            Self::Groups(verb) => verb.run(live).await,
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
    /// Again by the clock of a place: minute, hour, day of the month, month, day of the week.
    ///
    /// `0 3 * * sun` is each Sunday at 3. A time that a change of clocks skips opens once, at the end of
    /// the gap; one that comes twice opens the first time only.
    #[arg(
        long,
        value_name = "TIMES",
        requires = "zone",
        conflicts_with = "every_days"
    )]
    cron: Option<String>,
    /// The time zone of that clock, as in Europe/Vienna.
    #[arg(long, value_name = "ZONE", requires = "cron")]
    zone: Option<String>,
    /// What is done.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: String,
    #[command(flatten)]
    consent: Consent,
}

impl Add {
    /// Writes it, or says what it would do.
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let window = self.window()?;
        let scope = self.place.scope(live)?;
        let preview = live.preview_maintenance(&scope, &window).await?;
        let item = if self.consent.is_given(&preview) {
            Some(live.maintain(&preview).await?)
        } else {
            None
        };
        let again = match again_words(&window) {
            again if again.is_empty() => again,
            again => format!(", {again}"),
        };
        let done = |item| {
            format!(
                "Planned from {} to {}{again}; `aramaki maintenance end {item}` takes it back.",
                local(window.from),
                local(window.until)
            )
        };
        Ok(self
            .consent
            .report(live, &preview, item.map(|it| (it, done(it)))))
    }

    fn window(&self) -> Result<Window, CliError> {
        let (reason, from) = (self.reason.clone(), self.from.unwrap_or_else(Clock::now));
        let Some((expression, zone)) = self.cron.clone().zip(self.zone.clone()) else {
            return Ok(Window {
                reason,
                from,
                until: from.plus(self.span),
                every_days: self.every_days,
                cron: None,
            });
        };
        let cron = Cron { expression, zone };
        Window::by_cron(reason, from, self.span, cron).map_err(|error| {
            let field = match error {
                WindowError::Cron(CronError::Zone) => "--zone",
                WindowError::Cron(_) => "--cron",
                _ => "--for",
            };
            CliError::Usage(format!("{field}: {error}"))
        })
    }
}

/// When a window comes again, in words; nothing when it does not.
pub(super) fn again_words(window: &Window) -> String {
    match (&window.cron, window.every_days) {
        (Some(cron), _) => format!("at {} in {}", cron.expression, cron.zone),
        (None, Some(days)) => format!("every {}", count(usize::from(days), "day")),
        (None, None) => String::new(),
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
            let again = again_words(window);
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
                "cron": window.cron.as_ref().map(|cron| &cron.expression),
                "zone": window.cron.as_ref().map(|cron| &cron.zone),
                "next_from": window.next_window(now).map(|(begin, _)| begin.to_string()),
                "next_until": window.next_window(now).map(|(_, end)| end.to_string()),
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
