//! `aramaki status`.

use std::cmp::Ordering;

use aramaki_model::observer::SeenFrom;
use aramaki_model::snapshot::Attempt;
use aramaki_model::{Severity, SeverityCounts, SystemView};
use aramaki_sync_core::{SpaceId, Timestamp};
use clap::Args;
use serde_json::{Value, json};

use super::emergency::{emergencies_json, emergencies_text};
use super::join::{clock_ahead_json, say_awaits_key, say_clock_ahead};
use super::listen::Listen;
use super::peers::{over_json, say_awaiting, say_ended, say_over_quota, say_used_up};
use super::report::{Lines, table};
use super::system::{
    attempt_json, attempt_words, row_json, seen_from_json, seen_from_words, severity_word,
};
use super::trust::held::say_waiting;
use super::{CliError, Clock, Report, age};
use crate::workspace::{EarlyThere, EmergencyRow, KeptBack, LateWork, Live, OverAt, SystemRow};

/// How many results that do not count yet are shown to people.
const ATTEMPTS_SHOWN_MAX: usize = 20;

/// Say how Systems are: the top of the overview, or one System and why.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Which System; the top of the overview without it.
    system: Option<String>,
    /// Every System, not only those at the top.
    #[arg(long, conflicts_with = "system")]
    all: bool,
    #[command(flatten)]
    listen: Listen,
}

impl Status {
    /// Derives it now.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        self.listen.run(live).await;
        let wanted = self.system.as_deref();
        let wanted = wanted.map(|system| live.find(system)).transpose()?;
        let mut rows: Vec<SystemRow> = live
            .rows()
            .into_iter()
            .filter(|row| match wanted {
                Some(wanted) => row.id == wanted,
                None => self.all || row.anchor,
            })
            .collect();
        rows.sort_by(worst_first);
        let counts: SeverityCounts = rows.iter().filter_map(|row| row.effective).collect();
        let now = Clock::now();
        let lines: Vec<_> = rows.iter().map(|row| line(row, now)).collect();
        let mut emergencies = live.emergencies_now().await;
        emergencies.retain(|it| wanted.is_none_or(|wanted| wanted == it.space));
        let mut head = Lines::default();
        emergencies_text(&mut head, &emergencies);
        let mut text = format!("{}{}", head.into_text(), table(&lines));
        if let Some(at) = rows.iter().filter_map(|row| row.as_of).min() {
            text = format!(
                "{}\n\n{}",
                text.trim_end(),
                self.listen.words("status", live, at)
            );
        }
        let soft = attempts(live, wanted);
        attempts_text(&mut text, &soft);
        let elsewhere = elsewhere(live, &rows);
        if wanted.is_some() {
            elsewhere_text(&mut text, &elsewhere);
        }
        let (over, awaits_key) = (live.over_at(wanted).await, live.awaits_keys(wanted).await);
        let ahead = live.clocks_ahead(wanted).await;
        let over_quota = live.over_quota(wanted).await;
        let used_up = live.came_by_used_codes(wanted).await;
        let mut lines: Vec<String> = Vec::new();
        lines.extend(awaits_key.iter().map(|(_, title)| say_awaits_key(title)));
        lines.extend(ahead.iter().map(say_clock_ahead));
        lines.extend(used_up.iter().map(|(_, title)| say_used_up(title)));
        lines.extend(say_over(&over, &used_up));
        lines.extend(over_quota.iter().map(say_over_quota));
        if wanted.is_none() {
            lines.extend(live.awaiting().await.iter().map(say_awaiting));
        }
        text.extend(lines.into_iter().map(|line| line + "\n"));
        let late = live.late_work(wanted).await?;
        text.push_str(&say_waiting(&late, now));
        let systems = systems_json(&rows, &emergencies);
        Ok(Report::new(
            text,
            &json!({
                "as_of": now.to_string(),
                "emergencies": emergencies_json(&emergencies),
                "counts": counts_json(&counts),
                "ended_elsewhere": over_json(&over, OverAt::is_elsewhere),
                "ended": over_json(&over, |_it| true),
                "used_up": ids(&used_up),
                "over_quota": over_quota_json(&over_quota),
                "awaits_key": ids(&awaits_key),
                "clock_ahead": ahead_json(&ahead),
                "attempts": attempts_json(&soft),
                "waits": waits(&late),
                "seen_from": elsewhere_json(&elsewhere),
                "systems": systems,
            }),
        ))
    }
}

/// The worst first, then by title: what needs a look is never below the fold.
fn worst_first(a: &SystemRow, b: &SystemRow) -> Ordering {
    let concern = |row: &SystemRow| row.effective.map_or(0, |s| s.concern() + 1);
    let by_concern = concern(b).cmp(&concern(a));
    by_concern.then_with(|| a.title.cmp(&b.title))
}

/// How much of what came may still come to count.
fn waits(late: &[LateWork]) -> u64 {
    let may_count = late.iter().filter(|it| !it.is_for_nothing());
    may_count.map(|it| it.envelopes).sum()
}

/// What is said of access that is over, but for what is said of used codes already.
fn say_over(over: &[OverAt], used_up: &[(SpaceId, String)]) -> Vec<String> {
    let is_used_up = |it: &&OverAt| used_up.iter().any(|(space, _title)| *space == it.space);
    let others = over.iter().filter(|it| !is_used_up(it));
    others.map(|it| say_ended(&it.title, it.how)).collect()
}

/// Who takes no more of which System.
fn over_quota_json(kept: &[KeptBack]) -> Vec<Value> {
    let object = |it: &KeptBack| json!({"system": it.space.to_string(), "peer": it.peer.to_string(), "since": it.since.to_string()});
    kept.iter().map(object).collect()
}

/// Where this device's clock is ahead.
fn ahead_json(ahead: &[EarlyThere]) -> Vec<Value> {
    let object = |it: &EarlyThere| {
        let mut object = clock_ahead_json(it.ahead);
        object["system"] = json!(it.space.to_string());
        object
    };
    ahead.iter().map(object).collect()
}

/// How many Systems are in each state.
fn counts_json(counts: &SeverityCounts) -> Value {
    let count = |severity: Severity| counts.of(severity);
    json!({
        "ok": count(Severity::Ok),
        "warning": count(Severity::Warning),
        "unknown": count(Severity::Unknown),
        "critical": count(Severity::Critical),
        "missing": count(Severity::Missing),
    })
}

/// Systems for programs.
fn systems_json(rows: &[SystemRow], emergencies: &[EmergencyRow]) -> Vec<Value> {
    let is_open = |row: &SystemRow| emergencies.iter().any(|it| it.space == row.id);
    let systems = rows.iter().map(|row| {
        let mut object = row_json(row);
        object["emergency"] = json!(is_open(row));
        object
    });
    systems.collect()
}

/// Says which results do not count yet.
fn attempts_text(text: &mut String, soft: &[Soft]) {
    if soft.is_empty() {
        return;
    }
    let lines = soft.iter().take(ATTEMPTS_SHOWN_MAX);
    let lines = lines.map(|(_, title, name, it)| {
        let said = attempt_words(*it);
        format!("not counted yet: {title}: {name}: {said}")
    });
    let lines: Vec<_> = lines.collect();
    *text = format!("{}\n\n{}\n", text.trim_end(), lines.join("\n"));
}

/// The same for programs.
fn attempts_json(soft: &[Soft]) -> Vec<Value> {
    let object = |(system, title, name, it): &Soft| {
        let mut object = attempt_json(*it);
        object["system"] = json!(system.to_string());
        object["title"] = json!(title);
        object["check"] = json!(name);
        object
    };
    soft.iter().map(object).collect()
}

/// A System with its title, a check of it, and from where that is seen.
type Elsewhere = (SpaceId, String, String, SeenFrom);

/// What agents of others see of these Systems.
fn elsewhere(live: &Live, rows: &[SystemRow]) -> Vec<Elsewhere> {
    let snapshot = live.snapshot();
    let systems = rows.iter().filter_map(|row| snapshot.system(&row.id));
    let of = |system: &SystemView| {
        let checks = system.checks.iter().filter(|check| check.check.enabled);
        let seen =
            checks.flat_map(|view| view.seen_from.iter().map(|from| (&view.check.name, from)));
        let seen = seen.map(|(name, from)| {
            let (title, from) = (system.title.clone(), from.clone());
            (system.space, title, name.clone(), from)
        });
        seen.collect::<Vec<_>>()
    };
    systems.flat_map(of).collect()
}

fn elsewhere_text(text: &mut String, elsewhere: &[Elsewhere]) {
    let lines = elsewhere.iter().take(ATTEMPTS_SHOWN_MAX);
    let lines = lines.map(|(_, title, name, from)| {
        let (words, severity) = (seen_from_words(from), from.severity);
        format!("{title}: {name}: {severity}, seen from {words}")
    });
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        *text = format!("{}\n\n{}\n", text.trim_end(), lines.join("\n"));
    }
}

/// The same for programs.
fn elsewhere_json(elsewhere: &[Elsewhere]) -> Vec<Value> {
    let object = |(system, _, name, from): &Elsewhere| {
        let mut object = seen_from_json(from);
        object["about"] = json!(system.to_string());
        object["check"] = json!(name);
        object
    };
    elsewhere.iter().map(object).collect()
}

/// A System with its title, a check of it, and its last result.
type Soft = (SpaceId, String, String, Attempt);

/// Results that do not count yet, of all Systems or of one and what is below it.
fn attempts(live: &Live, wanted: Option<SpaceId>) -> Vec<Soft> {
    let snapshot = live.snapshot();
    let below = wanted.map(|wanted| {
        let mut below = snapshot.graph.below(wanted);
        below.push(wanted);
        below
    });
    let systems = snapshot.systems.iter();
    let systems = systems.filter(|it| below.as_ref().is_none_or(|below| below.contains(&it.space)));
    let of = |system: &SystemView| {
        let checks = system.checks.iter().filter(|check| check.check.enabled);
        let soft = checks.filter_map(|check| {
            let (title, name) = (system.title.clone(), check.called().into_owned());
            Some((system.space, title, name, check.attempt()?))
        });
        soft.collect::<Vec<_>>()
    };
    systems.flat_map(|system| of(system)).collect()
}

fn ids(systems: &[(SpaceId, String)]) -> Vec<String> {
    let spaces = systems.iter();
    spaces.map(|(space, _title)| space.to_string()).collect()
}

/// A System for people.
fn line(row: &SystemRow, now: Timestamp) -> Vec<String> {
    let raw = if row.raw == row.effective {
        String::new()
    } else {
        format!("({})", severity_word(row.raw))
    };
    vec![
        severity_word(row.effective).to_owned(),
        raw,
        row.title.clone(),
        row.since.map(|since| age(now, since)).unwrap_or_default(),
        row.why.clone(),
    ]
}
