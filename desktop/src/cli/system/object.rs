//! Systems for programs.

use aramaki_model::notify::OnCall;
use aramaki_model::observer::SeenFrom;
use aramaki_model::snapshot::Attempt;
use aramaki_model::{Severity, TimelineReach};
use aramaki_sync_core::SpaceId;
use serde_json::{Value, json};

use crate::cli::definition::definition_json;
use crate::cli::timeline::entry_json;
use crate::cli::{CliError, Clock};
use crate::workspace::{CheckRow, Live, OtherCheckRow, SystemRow};

/// A state's word; `unobserved` where nothing looks.
pub(crate) fn severity_word(severity: Option<Severity>) -> &'static str {
    severity.map_or("unobserved", Severity::word)
}

/// A result that does not count yet, for people.
pub(crate) fn attempt_words(it: Attempt) -> String {
    let Attempt {
        raw,
        hard,
        attempt,
        attempts,
    } = it;
    format!("{raw}, attempt {attempt} of {attempts}, was {hard}")
}

/// The same for programs.
pub(crate) fn attempt_json(it: Attempt) -> Value {
    json!({
        "raw": it.raw.word(),
        "hard": it.hard.word(),
        "attempt": it.attempt,
        "attempts": it.attempts,
    })
}

/// A System in a list.
pub(crate) fn row_json(row: &SystemRow) -> Value {
    json!({
        "id": row.id.to_string(),
        "title": row.title,
        "category": row.category,
        "raw": row.raw.map(Severity::word),
        "effective": row.effective.map(Severity::word),
        "since": row.since.map(|since| since.to_string()),
        "as_of": row.as_of.map(|at| at.to_string()),
        "parts": row.parts,
        "anchor": row.anchor,
        "why": row.why,
    })
}

/// Who is on call for a System now.
fn on_call_json(live: &Live, space: SpaceId) -> Vec<Value> {
    let turns = live.snapshot().on_call(space, Clock::now());
    let turn_json = |turn: &OnCall| {
        let duty = turn.duty.as_ref();
        json!({
            "policy": turn.policy.to_string(),
            "title": turn.title,
            "schedule": turn.schedule,
            "who": duty.map(|duty| duty.who.clone()),
            "until": duty.map(|duty| duty.until.to_string()),
            "reach": turn.reach,
        })
    };
    turns.iter().map(turn_json).collect()
}

/// A check.
fn check_json(check: &CheckRow) -> Value {
    let vantage = |(agent, name, severity): &(SpaceId, String, Severity)| json!({"agent": agent.to_string(), "name": name, "raw": severity.word()});
    json!({
        "name": check.name,
        "machine": check.machine,
        "id": check.check.id.to_string(),
        "definition": definition_json(&check.check),
        "enabled": check.enabled,
        "raw": check.raw.word(),
        "effective": check.effective.word(),
        "since": check.since.map(|since| since.to_string()),
        "seen": check.seen.map(|seen| seen.to_string()),
        "summary": check.summary,
        "attempt": check.attempt.map(attempt_json),
        "vantages": check.vantages.iter().map(vantage).collect::<Vec<_>>(),
        "seen_from": check.seen_from.iter().map(seen_from_json).collect::<Vec<_>>(),
    })
}

/// A check about another System.
fn other_json(other: &OtherCheckRow) -> Value {
    let mut object = check_json(&other.check);
    object["system"] = json!(other.system.to_string());
    object["title"] = json!(other.title);
    object["standing"] = json!(other.standing.word());
    object
}

/// From where a check about a System is seen.
pub(crate) fn seen_from_json(from: &SeenFrom) -> Value {
    json!({
        "system": from.system.to_string(),
        "title": from.title,
        "agent": from.agent.map(|agent| agent.to_string()),
        "name": from.label,
        "check": from.check.to_string(),
        "raw": from.severity.word(),
    })
}

/// The same for people: `Office, host21`.
pub(crate) fn seen_from_words(from: &SeenFrom) -> String {
    match from.label.as_str() {
        "" => format!("{}, whose agents are not readable here", from.title),
        label => format!("{}, {label}", from.title),
    }
}

/// All that can be said of a System, with at most so many entries of its timeline.
pub(crate) fn system_json(live: &Live, space: SpaceId, entries: usize) -> Result<Value, CliError> {
    let page = live.page(space)?;
    let mut object = row_json(&page.row);
    let pairs = |pairs: &[(String, String)], left: &str, right: &str| -> Vec<Value> {
        pairs
            .iter()
            .map(|(a, b)| json!({left: a, right: b}))
            .collect()
    };
    let timeline: Vec<_> = live
        .timeline(Some(&[space]), TimelineReach::newest(entries))
        .iter()
        .map(entry_json)
        .collect();
    let more = json!({
        "purpose": page.purpose,
        "rules": page.rules.iter().map(|(kind, text)| json!({"kind": kind, "text": text}))
            .collect::<Vec<_>>(),
        "contacts": pairs(&page.contacts, "role", "reach"),
        "on_call": on_call_json(live, space),
        "dashboards": pairs(&page.dashboards, "title", "url"),
        "linked": page.parts.iter().map(|part| json!({
            "id": part.id.to_string(),
            "label": part.label,
            "readable": part.readable,
            "effective": part.effective.map(Severity::word),
        })).collect::<Vec<_>>(),
        "aggregates": page.aggregates.iter()
            .map(|(id, title)| json!({"id": id.to_string(), "title": title}))
            .collect::<Vec<_>>(),
        "checks": page.checks.iter().map(check_json).collect::<Vec<_>>(),
        "for_others": page.for_others.iter().map(other_json).collect::<Vec<_>>(),
        "observers": page.observers.iter().map(|observer| json!({
            "id": observer.space.to_string(),
            "label": observer.label,
            "readable": observer.checks.is_some(),
            "checks": observer.checks,
        })).collect::<Vec<_>>(),
        "agents": page.agents.iter().map(|agent| json!({
            "id": agent.id.to_string(),
            "name": agent.name,
            "state": agent.state,
            "presence": agent.presence.word(),
            "seen": agent.seen.map(|seen| seen.to_string()),
        })).collect::<Vec<_>>(),
        "notes": page.notes.iter().map(|note| json!({
            "id": note.id.to_string(),
            "title": note.title,
            "made": note.made.to_string(),
            "text": note.text,
        })).collect::<Vec<_>>(),
        "labels": live.labels(space),
        "families": live.families(space).iter().map(|(name, family)| json!({
            "name": name,
            "severity": family.severity,
            "summary": family.summary,
            "holds_ms": family.holds_ms,
            "runbook": family.runbook,
        })).collect::<Vec<_>>(),
        "timeline": timeline,
    });
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    Ok(object)
}
