//! `aramaki maintenance request|requests|confirm|withdraw`.

use std::time::Duration;

use aramaki_model::ItemId;
use aramaki_model::maintenance::request::{RequestState, Wants, Window};
use aramaki_sync_core::Timestamp;
use clap::Args;
use serde_json::{Value, json};

use super::super::action::operation::Operation;
use super::super::action::words::{outcome_words, request_json};
use super::super::parse::parse_line;
use super::super::report::Lines;
use super::super::{CliError, Clock, Report, local, parse_span};
use super::parse_time;
use crate::workspace::{Asked, Live, Wanted, WorkRow};

/// Ask for an action of a host in the next maintenance window of its System, or at a stated time.
///
/// The host's file must say `maintenance = true`. The program says how it went by its exit code: 0 is done,
/// 69 postpones it to the next window, 75 has it tried again in this one, all others are errors. What begins
/// within 24 hours is confirmed at once; what is further away is to be confirmed in the day before, because
/// a signature is good for a day.
#[derive(Debug, Args)]
pub(crate) struct Request {
    #[command(flatten)]
    operation: Operation,
    /// Why: everybody who reads the System sees it.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: String,
    /// Not in the next window but at this time, with its offset: 2026-11-29T22:00:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "span")]
    at: Option<Timestamp>,
    /// How long it may take to begin, and to be tried again, from then on.
    #[arg(long = "for", id = "span", value_name = "SPAN", value_parser = parse_span, requires = "at")]
    span: Option<Duration>,
}

impl Request {
    /// Asks.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.operation.system)?;
        let arguments = self.operation.arguments()?;
        let stated = self.at.zip(self.span).map(|(begin, span)| Window {
            begin,
            end: begin.plus(span),
        });
        let wanted = Wanted {
            agent: &self.operation.agent,
            action: &self.operation.action,
            arguments,
            reason: &self.reason,
            again: true,
            alert: None,
        };
        let asked = live.ask_work(system, wanted, stated).await?;
        Ok(asked_report(&asked, "Asked for"))
    }
}

/// List work that was asked for, what is open first.
#[derive(Debug, Args)]
pub(crate) struct Requests {
    /// Of which System; of all without it.
    system: Option<String>,
}

impl Requests {
    /// Lists them.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = self.system.as_deref();
        let wanted = system.map(|system| live.find(system)).transpose()?;
        let rows = match wanted {
            Some(system) => live.work(Some(&[system])).await?,
            None => live.work(None).await?,
        };
        let mut text = Lines::default();
        if rows.is_empty() {
            text.add("No work was asked for in a maintenance window.");
        }
        for row in &rows {
            row_text(&mut text, live, row);
        }
        let objects: Vec<_> = rows.iter().map(|row| row_json(live, row)).collect();
        Ok(Report::new(text.into_text(), &json!({"requests": objects})))
    }
}

/// Confirm work for its window, within 24 hours before it: a signed request that its host runs then.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// Its id, as `request` and `requests` say it.
    item: ItemId,
}

impl Confirm {
    /// Confirms it.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let asked = live.confirm_work(self.item).await?;
        Ok(asked_report(&asked, "Confirmed"))
    }
}

/// Take work back before it begins. What runs already is not stopped.
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// Its id, as `request` and `requests` say it.
    item: ItemId,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = parse_reason)]
    reason: String,
}

fn parse_reason(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    parse_line(text)
}

impl Withdraw {
    /// Takes it back.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let row = live.withdraw_work(self.item, &self.reason).await?;
        let mut text = Lines::default();
        row_text(&mut text, live, &row);
        Ok(Report::new(text.into_text(), &row_json(live, &row)))
    }
}

fn asked_report(asked: &Asked, word: &str) -> Report {
    let item = asked.item;
    let back = format!("`aramaki maintenance withdraw {item}` takes it back.");
    let text = match (asked.signed, asked.window) {
        (Some((_, window)), _) => format!(
            "{word} and confirmed: its host runs it between {} and {}. {back}",
            local(window.begin),
            local(window.end)
        ),
        (None, Some(window)) => format!(
            "{word} in the window from {} to {}. In the 24 hours before, it is to be confirmed: \
             `aramaki maintenance confirm {item}`. {back}",
            local(window.begin),
            local(window.end)
        ),
        (None, None) => format!(
            "{word}. Its System has no maintenance window to come: `aramaki maintenance add` plans one. {back}"
        ),
    };
    let text = text.replace("Confirmed and confirmed", "Confirmed");
    let window =
        |window: Window| json!({"from": window.begin.to_string(), "until": window.end.to_string()});
    Report::new(
        text,
        &json!({
            "item": item.to_string(),
            "window": asked.window.map(window),
            "signed": asked.signed.map(|(id, _)| id.to_string()),
            "signed_for": asked.signed.map(|(_, signed)| window(signed)),
        }),
    )
}

/// How it stands, in words.
pub(super) fn state_words(row: &WorkRow) -> String {
    let standing = &row.standing;
    let when = standing.window.map_or_else(String::new, |window| {
        format!(" {} to {}", local(window.begin), local(window.end))
    });
    let word = standing.state.word();
    let came = row.runs.first().and_then(|run| run.result.as_ref());
    match (standing.state, standing.wants) {
        (RequestState::Deleted, Wants::Host) => {
            "deleted; its host has not answered, and only who confirmed it or may approve it stops it".to_owned()
        }
        (RequestState::Deleted, _) => word.to_owned(),
        (RequestState::Retry, _) => format!(
            "retry: tried {} times, again {}",
            standing.attempts,
            standing.again_at.map_or_else(String::new, local)
        ),
        (RequestState::Due, Wants::Host) => format!("due:{when}, waits for its host"),
        (state, Wants::Confirmation) => {
            let soon = if state == RequestState::Pending { "due soon" } else { word };
            format!("{soon}, to be confirmed:{when}")
        }
        (_, Wants::Window) => format!("{word}: no window is planned"),
        (state, _) if state.is_over() => match came {
            Some(result) => format!("{word}: {} {}", outcome_words(&result.outcome), local(result.ended)),
            None => word.to_owned(),
        },
        _ => format!("{word}:{when}"),
    }
}

fn row_text(text: &mut Lines, live: &Live, row: &WorkRow) {
    let values = row.request.arguments.iter();
    let values: Vec<_> = values
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    text.add(format_args!(
        "{}  {}  {} {}{}  {}: {}",
        row.item,
        live.title(row.system).unwrap_or_else(|| row.system.short()),
        row.host,
        row.request.action,
        values.concat(),
        row.who,
        row.request.reason
    ));
    text.add(format_args!("  {}", state_words(row)));
    let result = row.runs.first().and_then(|run| run.result.as_ref());
    if let (RequestState::Missed, Some(result)) = (row.standing.state, result) {
        text.add(format_args!("  {}", outcome_words(&result.outcome)));
    }
    if row.standing.wants == Wants::Confirmation {
        text.add(format_args!("  aramaki maintenance confirm {}", row.item));
    }
    if let Some(withdrawn) = row.withdrawn.as_ref().filter(|it| !it.reason.is_empty()) {
        text.add(format_args!(
            "  withdrawn {}: {}",
            local(withdrawn.at),
            withdrawn.reason
        ));
    }
    let last = row.runs.first();
    let tail = last.and_then(|run| match (&run.result, &run.attempt) {
        (Some(result), _) => Some(result.tail.as_slice()),
        (None, Some(attempt)) => Some(attempt.tail.as_slice()),
        (None, None) => None,
    });
    for line in String::from_utf8_lossy(tail.unwrap_or_default()).lines() {
        text.add(format_args!("  | {line}"));
    }
}

fn row_json(live: &Live, row: &WorkRow) -> Value {
    let standing = &row.standing;
    let now = Clock::now();
    json!({
        "item": row.item.to_string(),
        "system": row.system.to_string(),
        "title": live.title(row.system),
        "agent": row.host,
        "action": row.request.action,
        "arguments": row.request.arguments,
        "reason": row.request.reason,
        "by": row.who,
        "at": row.request.at.to_string(),
        "state": standing.state,
        "wants": standing.wants,
        "from": standing.window.map(|window| window.begin.to_string()),
        "until": standing.window.map(|window| window.end.to_string()),
        "open": standing.window.is_some_and(|window| window.covers(now)),
        "confirmed": standing.confirmed.map(|id| id.to_string()),
        "attempts": standing.attempts,
        "again_at": standing.again_at.map(|at| at.to_string()),
        "withdrawn": row.withdrawn.as_ref().map(|it| json!({"at": it.at.to_string(), "reason": it.reason})),
        "runs": row.runs.iter().map(request_json).collect::<Vec<_>>(),
    })
}
