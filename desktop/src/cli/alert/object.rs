//! Alerts for people and programs.

use aramaki_model::alert::{Acknowledged, Claimed, Concern, Hold};
use aramaki_model::day::{MetricDay, StripDay, begin_of};
use aramaki_model::{Alert, AlertKind, Severity};
use aramaki_sync_core::Timestamp;
use chrono::DateTime;
use serde_json::{Value, json};

use super::evidence;
use crate::cli::local;
use crate::cli::system::seen_from_json;
use crate::view::alert::days;
use crate::workspace::Live;

/// What is wrong, in a word.
pub(super) const fn kind_word(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Problem => "problem",
        AlertKind::Missing => "missing",
        AlertKind::Silent { .. } => "silent",
    }
}

/// What it says, in one line.
pub(super) fn summary(alert: &Alert) -> String {
    match alert.kind {
        AlertKind::Problem => alert.summary.clone(),
        AlertKind::Missing => "no fresh result".to_owned(),
        AlertKind::Silent { .. } => "the agent is not heard any more".to_owned(),
    }
}

/// What holds, in a few words.
pub(super) fn hold_words(hold: &Hold) -> String {
    let by = |name: &str| {
        if name.is_empty() {
            String::new()
        } else {
            format!(" by {name}")
        }
    };
    match hold {
        Hold::Silence {
            reason,
            until,
            until_resolved,
            name,
            ..
        } => {
            let end = if *until_resolved {
                "until it is resolved".to_owned()
            } else {
                format!("until {}", local(*until))
            };
            format!("silenced{} {end}: {reason}", by(name))
        }
        Hold::Maintenance {
            reason,
            until,
            name,
            ..
        } => format!("maintenance{} until {}: {reason}", by(name), local(*until)),
        Hold::Inhibited { by, path } => {
            let steps = path.len().saturating_sub(1);
            format!("follows from {}, {steps} steps away", by.short())
        }
    }
}

fn known_json(known: &Acknowledged) -> Value {
    json!({
        "entry": known.entry.to_string(),
        "at": known.at.to_string(),
        "who": known.who.map(|who| who.to_string()),
        "name": known.name,
        "text": known.text,
        "until": known.until.map(|until| until.to_string()),
        "holds": known.holds,
    })
}

fn claim_json(claim: &Claimed) -> Value {
    json!({
        "entry": claim.entry.to_string(),
        "at": claim.at.to_string(),
        "who": claim.who.map(|who| who.to_string()),
        "name": claim.name,
        "text": claim.text,
        "until": claim.until.to_string(),
        "holds": claim.holds,
    })
}

fn hold_json(hold: &Hold) -> Value {
    match hold {
        Hold::Silence {
            item,
            reason,
            until,
            until_resolved,
            name,
        } => json!({
            "kind": "silence",
            "item": item.to_string(),
            "reason": reason,
            "until": until.to_string(),
            "until_resolved": until_resolved,
            "name": name,
        }),
        Hold::Maintenance {
            item,
            reason,
            until,
            name,
        } => json!({
            "kind": "maintenance",
            "item": item.to_string(),
            "reason": reason,
            "until": until.to_string(),
            "name": name,
        }),
        Hold::Inhibited { path, by } => json!({
            "kind": "inhibited",
            "by": by.to_string(),
            "path": path.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
    }
}

fn concern_json(live: &Live, concern: &Concern) -> Value {
    json!({
        "system": concern.system.to_string(),
        "title": live.title(concern.system),
        "path": concern.path.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "quiet": concern.is_quiet,
    })
}

/// What is known of its days, oldest first; those of which nothing is have no state.
pub(super) fn days_json(alert: &Alert, now: Timestamp) -> Value {
    let day = |day: StripDay| {
        let date = DateTime::from_timestamp_millis(begin_of(day.day).millis());
        let known = alert.days.on(day.day);
        let metrics = known.map_or(&[][..], |known| &known.metrics);
        let metric = |metric: &MetricDay| {
            json!({
                "label": metric.label,
                "unit": metric.unit.to_string(),
                "min": metric.min,
                "max": metric.max,
                "last": metric.last,
            })
        };
        json!({
            "day": date.map(|date| date.format("%Y-%m-%d").to_string()),
            "worst": day.worst.map(Severity::word),
            "changes": day.changes,
            "seconds": {
                "ok": day.lasting(Severity::Ok),
                "warning": day.lasting(Severity::Warning),
                "unknown": day.lasting(Severity::Unknown),
                "critical": day.lasting(Severity::Critical),
            },
            "metrics": metrics.iter().map(metric).collect::<Vec<_>>(),
        })
    };
    let begun = days(alert, now).into_iter().filter(|day| day.is_begun);
    begun.map(day).collect()
}

/// An alert for programs.
pub(super) fn alert_json(live: &Live, alert: &Alert) -> Value {
    json!({
        "id": alert.id.to_string(),
        "system": alert.system.to_string(),
        "title": alert.title,
        "kind": kind_word(alert.kind),
        "check": alert.check.to_string(),
        "name": alert.name,
        "machine": alert.machine,
        "family": alert.family,
        "state": alert.state.word(),
        "severity": alert.severity.word(),
        "worst": alert.worst.word(),
        "effective": alert.effective.word(),
        "opened": alert.opened.to_string(),
        "since": alert.since.to_string(),
        "resolved": alert.resolved.map(|at| at.to_string()),
        "seen": alert.seen.map(|at| at.to_string()),
        "stale": alert.is_stale,
        "flapping": alert.is_flapping,
        "needs_attention": alert.needs_attention(),
        "tries": alert.tries.iter().map(|it| json!({
            "at": it.at.to_string(),
            "raw": it.to.word(),
            "attempt": it.attempt,
            "attempts": it.attempts,
            "summary": it.summary,
        })).collect::<Vec<_>>(),
        "vantages": alert.vantages.iter().map(|(agent, severity)| json!({
            "agent": agent.to_string(),
            "raw": severity.word(),
        })).collect::<Vec<_>>(),
        "seen_from": alert.seen_from.iter().map(seen_from_json).collect::<Vec<_>>(),
        "summary": summary(alert),
        "detail": alert.detail,
        "evidence": evidence::all_json(live, alert),
        "occurrences": alert.occurrences,
        "watermark": alert.watermark,
        "first_seen": alert.first_seen.map(|at| at.to_string()),
        "last_ok": alert.last_ok.map(|at| at.to_string()),
        "flaps": alert.flaps,
        "acknowledgements": alert.acknowledgements.iter().map(known_json).collect::<Vec<_>>(),
        "claims": alert.claims.iter().map(claim_json).collect::<Vec<_>>(),
        "holds": alert.holds.iter().map(hold_json).collect::<Vec<_>>(),
        "concerns": alert.concerns.iter().map(|it| concern_json(live, it)).collect::<Vec<_>>(),
    })
}
