//! `aramaki system show`.

use std::collections::BTreeMap;

use aramaki_model::notify::OnCall;
use aramaki_model::observer::Standing;
use aramaki_model::{KnownFamily, Presence, Severity};
use aramaki_sync_core::Timestamp;
use clap::Args;

use super::{attempt_words, seen_from_words, severity_word, system_json};
use crate::cli::listen::Listen;
use crate::cli::report::{Lines, count, table};
use crate::cli::{CliError, Clock, Report, age, local};
use crate::workspace::{CheckRow, Live, SystemPage};

/// How many entries of the timeline are shown.
const ENTRIES_SHOWN: usize = 10;

/// Show a System: status and why, rules, contacts, parts, checks, notes.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Which System.
    system: String,
}

impl Show {
    /// Shows it.
    pub(crate) fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let page = live.page(space)?;
        let on_call = live.snapshot().on_call(space, Clock::now());
        Ok(Report::new(
            text(live, &page, &on_call) + &families(&live.families(space)),
            &system_json(live, space, ENTRIES_SHOWN)?,
        ))
    }
}

/// Alerts that it is known to raise.
fn families(families: &BTreeMap<String, KnownFamily>) -> String {
    let mut out = Lines::default();
    let rows = families.iter().map(|(name, family)| {
        vec![
            family.severity.clone(),
            name.clone(),
            family.summary.clone(),
            family.runbook.clone(),
        ]
    });
    section(&mut out, "Known alerts", &rows.collect::<Vec<_>>());
    out.into_text()
}

/// A page for people.
fn text(live: &Live, page: &SystemPage, on_call: &[OnCall]) -> String {
    let now = Clock::now();
    let mut out = Lines::default();
    head(&mut out, live, page, now);
    let turns = on_call.iter().map(|turn| {
        let who = match &turn.duty {
            Some(duty) => format!("{} until {}", duty.who, local(duty.until)),
            None => "nobody yet".to_owned(),
        };
        vec![
            turn.schedule.clone(),
            who,
            turn.reach.clone(),
            turn.title.clone(),
        ]
    });
    section(&mut out, "On call", &turns.collect::<Vec<_>>());
    sections(&mut out, page, now);
    out.into_text()
}

/// What it is and how it is.
fn head(out: &mut Lines, live: &Live, page: &SystemPage, now: Timestamp) {
    let row = &page.row;
    out.add(format_args!("{}  {}  {}", row.title, row.category, row.id));
    if !page.purpose.is_empty() {
        out.add(&page.purpose);
    }
    let since = row
        .since
        .map(|since| format!(" for {}", age(now, since)))
        .unwrap_or_default();
    out.add(format_args!(
        "\nStatus: {}{since}",
        severity_word(row.effective)
    ));
    if row.raw != row.effective {
        out.add(format_args!("Observed: {}", severity_word(row.raw)));
    }
    if let Some(at) = row.as_of {
        out.add(format_args!(
            "{}",
            Listen::default().words("status", live, at)
        ));
    }
    if !row.why.is_empty() {
        out.add(format_args!("Worst path: {}", row.why));
    }
}

/// What is said of it, and what it leads to.
fn sections(out: &mut Lines, page: &SystemPage, now: Timestamp) {
    let pair = |(left, right): &(String, String)| vec![left.clone(), right.clone()];
    let rules = page
        .rules
        .iter()
        .map(|(kind, text)| vec![(*kind).to_owned(), text.clone()]);
    section(out, "Rules", &rules.collect::<Vec<_>>());
    section(
        out,
        "Contacts",
        &page.contacts.iter().map(pair).collect::<Vec<_>>(),
    );
    section(
        out,
        "Dashboards",
        &page.dashboards.iter().map(pair).collect::<Vec<_>>(),
    );
    let parts = page.parts.iter().map(|part| {
        let seen = if part.readable {
            severity_word(part.effective)
        } else {
            "not readable here"
        };
        vec![seen.to_owned(), part.label.clone(), part.id.short()]
    });
    section(out, "Parts", &parts.collect::<Vec<_>>());
    let aggregates = page
        .aggregates
        .iter()
        .map(|(id, title)| vec![title.clone(), id.short()]);
    section(out, "Part of", &aggregates.collect::<Vec<_>>());
    let checks = page.checks.iter().flat_map(|check| check_lines(check, now));
    section(out, "Checks", &checks.collect::<Vec<_>>());
    observers(out, page, now);
    let agents = page.agents.iter().map(|agent| {
        let seen = agent.seen.map(|seen| format!("{} ago", age(now, seen)));
        let may = match agent.presence {
            Presence::Always => "",
            Presence::MayBeOffline => "may be offline",
        };
        vec![
            agent.state.to_owned(),
            agent.name.clone(),
            seen.unwrap_or_default(),
            may.to_owned(),
        ]
    });
    section(out, "Agents", &agents.collect::<Vec<_>>());
    let notes = page
        .notes
        .iter()
        .map(|note| vec![note.id.to_string(), note.title.clone()]);
    section(out, "Notes", &notes.collect::<Vec<_>>());
}

/// A check, and a line for each vantage.
fn check_lines(check: &CheckRow, now: Timestamp) -> Vec<Vec<String>> {
    let seen = check
        .seen
        .map(|seen| format!("{} ago", age(now, seen)))
        .unwrap_or_default();
    let mut lines = vec![vec![
        if check.enabled {
            check.effective.word().to_owned()
        } else {
            "off".to_owned()
        },
        match &check.machine {
            Some(machine) => format!("{} ({machine})", check.name),
            None => check.name.clone(),
        },
        check.summary.clone(),
        check.attempt.map(attempt_words).unwrap_or_default(),
        seen,
    ]];
    let mut vantage = |from: &str, severity: Severity| {
        lines.push(vec![
            String::new(),
            format!("  seen from {from}"),
            severity.word().to_owned(),
        ]);
    };
    for (_, name, severity) in &check.vantages {
        vantage(name, *severity);
    }
    for from in &check.seen_from {
        vantage(&seen_from_words(from), from.severity);
    }
    lines
}

/// What it looks at for others, and whom it lets look.
fn observers(out: &mut Lines, page: &SystemPage, now: Timestamp) {
    let others = page.for_others.iter().flat_map(|other| {
        let counts = match other.standing {
            Standing::Counts => "counts there",
            Standing::NotLet => "counts nowhere: it does not let this System look",
            Standing::NotShared => "it is not shared with you",
        };
        let mut lines = check_lines(&other.check, now);
        if let Some(line) = lines.first_mut() {
            line.push(format!("about {}, {counts}", other.title));
        }
        lines
    });
    section(out, "Looks at for others", &others.collect::<Vec<_>>());
    let observers = page.observers.iter().map(|observer| {
        let sees = match observer.checks {
            Some(checks) => count(checks, "check"),
            None => "not shared with you: what it sees is not known here".to_owned(),
        };
        vec![observer.label.clone(), observer.space.short(), sees]
    });
    section(
        out,
        "Seen from other Systems",
        &observers.collect::<Vec<_>>(),
    );
}

fn section(out: &mut Lines, title: &str, rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    out.add(format_args!("\n{title}"));
    for line in table(rows).lines() {
        out.add(format_args!("  {line}"));
    }
}
