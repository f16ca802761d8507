//! `aramaki alert show`.

use std::time::Duration;

use aramaki_model::changed_before::{Near, changed_before};
use aramaki_model::day::StripDay;
use aramaki_model::journal::{Tried, tried};
use aramaki_model::root_cause::{cause_of, root_causes};
use aramaki_model::snapshot::Attempt;
use aramaki_model::{Alert, AlertKind, Severity, TimelineReach};
use aramaki_sync_core::Timestamp;
use clap::Args;
use serde_json::{Value, json};

use super::object::{alert_json, days_json, hold_words, summary};
use super::{evidence, taken};
use crate::cli::listen::find_alert;
use crate::cli::report::{Lines, count, table};
use crate::cli::system::{attempt_json, attempt_words, seen_from_words};
use crate::cli::timeline::entry_json;
use crate::cli::{CliError, Clock, Report, age, local, parse_span};
use crate::view::alert::days;
use crate::workspace::{Live, TimelineRow, timeline_row};

/// How many changes before it are shown to people.
const CHANGES_SHOWN: usize = 20;
/// How many attempts that said the same are counted out.
const ATTEMPTS_SHOWN_MAX: usize = 8;

/// Show an alert: what is wrong since when, who knows, why it may be quiet, and what changed before.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, or a unique prefix of at least 4 digits. With 8 or more nobody is listened to first where something is
    /// missing.
    alert: String,
    /// How far back to look for what changed before it began.
    #[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "1h")]
    before: Duration,
    /// Print evidence whole: what is longer than 4 KiB is fetched from the agent that keeps it.
    #[arg(long)]
    evidence: bool,
}

const fn near_word(near: Near) -> &'static str {
    match near {
        Near::Here => "here",
        Near::Below => "below",
        Near::Above => "above",
        Near::Beside => "beside",
    }
}

impl Show {
    /// Shows it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let alert = find_alert(live, &self.alert).await?;
        let fetched = if self.evidence {
            evidence::fetch(live, &alert).await
        } else {
            Vec::new()
        };
        let reach = TimelineReach::since(alert.opened.minus(self.before));
        let snapshot = live.looking_back(None, reach);
        let changes = changed_before(&snapshot, &alert, self.before);
        let rows: Vec<_> = changes
            .iter()
            .map(|change| (change.near, timeline_row(&snapshot, change.item)))
            .collect();
        let cause = cause_of(&snapshot, &alert);
        let taken = taken::taken(live, &alert).await?;
        let mut object = alert_json(live, &alert);
        if let Value::Object(fields) = &mut object {
            let changed = rows.iter().map(|(near, row)| {
                let mut entry = entry_json(row);
                if let Value::Object(entry) = &mut entry {
                    entry.insert("near".to_owned(), json!(near_word(*near)));
                }
                entry
            });
            fields.insert("changed_before".to_owned(), changed.collect());
            fields.insert("root_causes".to_owned(), json!([cause.words()]));
            let below = root_causes(&snapshot, alert.system);
            let below = below.iter().filter(|cause| cause.path.len() > 1);
            let below = below.map(|cause| json!(cause.words()));
            fields.insert("broken_below".to_owned(), below.collect());
            let attempt = attempt_of(live, &alert).map(attempt_json);
            fields.insert("attempt".to_owned(), json!(attempt));
            fields.insert("days".to_owned(), days_json(&alert, Clock::now()));
            fields.insert("runbook".to_owned(), taken::runbook_json(live, &alert));
            fields.insert("actions".to_owned(), taken::taken_json(&taken));
            if self.evidence {
                let whole = evidence::fetched_json(&fetched);
                fields.insert("evidence".to_owned(), whole);
            }
        }
        let text = text(live, &alert, &rows, (&fetched, &taken));
        let report = Report::new(text, &json!({"alert": object}));
        Ok(match evidence::fault(&fetched) {
            Some(error) => report.but(&error),
            None => report,
        })
    }
}

fn text(
    live: &Live,
    alert: &Alert,
    changes: &[(Near, TimelineRow)],
    (fetched, taken): (&[evidence::Fetched], &[taken::Taken]),
) -> String {
    let now = Clock::now();
    let mut out = Lines::default();
    head(&mut out, alert, attempt_of(live, alert), now);
    vantages(&mut out, live, alert);
    people(&mut out, alert);
    taken::runbook_line(&mut out, live, alert);
    taken::taken_lines(&mut out, taken);
    for concern in alert.concerns.iter().skip(1) {
        let name = |space| live.title(space).unwrap_or_else(|| space.short());
        let way: Vec<_> = concern.path.iter().map(|space| name(*space)).collect();
        out.add(format_args!("concerns {}", way.join(" → ")));
    }
    if !alert.tries.is_empty() {
        out.add("\nBefore it counted:");
        for it in tried(&alert.tries) {
            out.add(tried_words(it));
        }
    }
    evidence::lines(&mut out, live, alert, fetched);
    let lines: Vec<_> = changes
        .iter()
        .take(CHANGES_SHOWN)
        .map(|(near, row)| {
            let near = near_word(*near).to_owned();
            let (title, text, who) = (row.title.clone(), row.text.clone(), row.who.clone());
            vec![local(row.at), near, title, text, who]
        })
        .collect();
    if lines.is_empty() {
        out.add("\nNothing is known to have changed before.");
    } else {
        out.add("\nBefore it began:");
        out.add(table(&lines).trim_end());
    }
    out.into_text()
}

/// An attempt that did not count yet: `2026-07-04 09:00  critical (1/3)  …`.
fn tried_words(tried: Tried<'_>) -> String {
    match tried {
        Tried::Other(it) => {
            let (at, to, summary) = (local(it.at), it.to, &it.summary);
            let (attempt, attempts) = (it.attempt, it.attempts);
            format!("{at}  {to} ({attempt}/{attempts})  {summary}")
        }
        Tried::Same { of, first, last } => {
            let numbers: Vec<_> = (first..=last)
                .take(ATTEMPTS_SHOWN_MAX)
                .map(|number| format!("{number}/{}", of.attempts))
                .collect();
            let more = usize::try_from(last - first).unwrap_or(usize::MAX) >= ATTEMPTS_SHOWN_MAX;
            let more = if more { ", …" } else { "" };
            format!("then {} ({}{more})  the same", of.to, numbers.join(", "))
        }
    }
}

/// What each vantage sees, where several must agree or others look.
fn vantages(out: &mut Lines, live: &Live, alert: &Alert) {
    for from in &alert.seen_from {
        let (words, severity) = (seen_from_words(from), from.severity);
        out.add(format_args!("seen from {words}: {severity}"));
    }
    let snapshot = live.snapshot();
    let agents = snapshot.system(&alert.system).map(|it| it.agents.iter());
    let agents: Vec<_> = agents.into_iter().flatten().collect();
    for (agent, severity) in &alert.vantages {
        let known = agents.iter().find(|it| it.space == *agent);
        let name = known.map_or_else(|| agent.short(), |it| it.label.clone());
        out.add(format_args!("seen from {name}: {severity}"));
    }
}

/// What is wrong, and since when.
fn head(out: &mut Lines, alert: &Alert, attempt: Option<Attempt>, now: Timestamp) {
    out.add(format_args!("{}: {}", alert.title, alert.called()));
    let (severity, state) = (alert.severity, alert.state.word());
    out.add(format_args!("{severity} {state}, {}", summary(alert)));
    let since = format!("since {} ({})", local(alert.opened), age(now, alert.opened));
    match alert.resolved {
        Some(at) => out.add(format_args!("{since}, resolved {}", local(at))),
        None if alert.worst != alert.severity => {
            out.add(format_args!("{since}, at its worst {}", alert.worst));
        }
        None => out.add(since),
    }
    if let Some(was) = &alert.was_observed {
        let (by, until) = (&was.by, local(was.until));
        out.add(format_args!(
            "was observed by {by} until {until}, when the check or its agent was removed"
        ));
    }
    if let Some(seen) = alert.seen.filter(|_| alert.is_stale) {
        out.add(format_args!(
            "as told {} ago: nothing is heard since",
            age(now, seen)
        ));
    }
    habit(out, alert, now);
    if let Some(it) = attempt {
        out.add(format_args!("now {}", attempt_words(it)));
    }
    if alert.days.iter().next().is_some() {
        out.add(format_args!(
            "90 days {} (? nothing is known)",
            strip(alert, now)
        ));
    }
    if alert.is_flapping {
        out.add("it changes too often to be told each time (flapping)");
    }
}

/// How often its check was a problem, and when it was OK last. That nothing is heard is not of those, and who was OK
/// is not known since.
fn habit(out: &mut Lines, alert: &Alert, now: Timestamp) {
    if alert.kind != AlertKind::Problem {
        return;
    }
    let ok = alert.last_ok.map_or_else(
        || "never seen OK".to_owned(),
        |at| format!("last OK {} ago", age(now, at)),
    );
    match usize::try_from(alert.flaps).unwrap_or(usize::MAX) {
        // It began before.
        0 => out.add(ok),
        times => out.add(format_args!("{} in 90 days, {ok}", count(times, "time"))),
    }
}

/// The last result of its check, while that does not count yet.
fn attempt_of(live: &Live, alert: &Alert) -> Option<Attempt> {
    let snapshot = live.snapshot();
    let checks = snapshot.system(&alert.system)?.checks.iter();
    let mut of = checks.filter(|it| it.check.id == alert.check);
    of.next()?.attempt()
}

/// A letter a day, oldest first.
fn strip(alert: &Alert, now: Timestamp) -> String {
    let letter = |day: &StripDay| match day.worst {
        _ if !day.is_begun => ' ',
        None | Some(Severity::Missing) => '?',
        Some(Severity::Ok) => '-',
        Some(Severity::Warning) => 'w',
        Some(Severity::Unknown) => 'u',
        Some(Severity::Critical) => 'C',
    };
    let letters: String = days(alert, now).iter().map(letter).collect();
    letters.trim_start().to_owned()
}

/// Who knows, who works on it, and what keeps it quiet.
fn people(out: &mut Lines, alert: &Alert) {
    for known in &alert.acknowledgements {
        let holds = match known.until {
            _ if !known.holds => " (ended)".to_owned(),
            Some(until) => format!(", until {}", local(until)),
            None => String::new(),
        };
        let (who, at, text) = (&known.name, local(known.at), &known.text);
        out.add(format_args!("acknowledged by {who} {at}{holds}: {text}"));
    }
    for claim in alert.claimed_by() {
        let (who, until, text) = (&claim.name, local(claim.until), &claim.text);
        out.add(format_args!("{who} works on it until {until}: {text}"));
    }
    for hold in &alert.holds {
        out.add(hold_words(hold));
    }
}
