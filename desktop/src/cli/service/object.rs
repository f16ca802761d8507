//! A service in one place, for people and for programs.

use aramaki_model::service::{Conflict, Endpoint, Lease, Places, ServiceView};
use aramaki_model::status::Handled;
use aramaki_model::{Severity, is_deceptive};
use aramaki_sync_core::Timestamp;
use serde_json::{Value, json};

use crate::cli::report::{Lines, table};
use crate::cli::system::severity_word;
use crate::cli::{Clock, age};

/// For programs.
pub(super) fn view_json(view: &ServiceView) -> Value {
    let claim = &view.claim;
    let checks = claim.checks.iter();
    let checks: Vec<_> = checks
        .map(|check| json!({"name": check.name, "id": check.id.map(|id| id.to_string())}))
        .collect();
    let handled = view.health.and_then(|health| health.handled);
    json!({
        "service": claim.name,
        "lease": view.lease.word(),
        "health": view.health.map(|health| Severity::word(health.severity)),
        "handled": handled.map(handled_word),
        "conflict": view.conflict.map(Conflict::word),
        "system": view.system.to_string(),
        "title": view.title,
        "agent": view.agent.to_string(),
        "machine": view.machine,
        "endpoints": claim.endpoints.iter().map(Endpoint::to_string).collect::<Vec<_>>(),
        "labels": claim.labels,
        "checks": checks,
        "single": claim.places == Places::One,
        "lease_ms": claim.lease_ms,
        "since": claim.since.to_string(),
        "seen": view.seen.map(|seen| seen.to_string()),
        "as_of": view.as_of.map(|at| at.to_string()),
    })
}

const fn handled_word(handled: Handled) -> &'static str {
    match handled {
        Handled::Acknowledged => "acknowledged",
        Handled::Silenced => "silenced",
        Handled::Maintenance => "maintenance",
        Handled::Offline => "offline",
    }
}

/// For people, a line each below a head; nothing for none.
pub(super) fn views_text(views: &[ServiceView]) -> String {
    if views.is_empty() {
        return String::new();
    }
    let now = Clock::now();
    let head = [
        "SERVICE",
        "LEASE",
        "HEALTH",
        "MACHINE",
        "SYSTEM",
        "HEARD",
        "ENDPOINTS",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(views.iter().map(|view| row(view, now)));
    table(&rows)
}

fn row(view: &ServiceView, now: Timestamp) -> Vec<String> {
    let lease = if view.conflict.is_some() {
        "conflict"
    } else {
        view.lease.word()
    };
    let mut health = severity_word(view.health.map(|health| health.severity)).to_owned();
    if let Some(handled) = view.health.and_then(|health| health.handled) {
        health = format!("{health} ({})", handled_word(handled));
    }
    let cell = |text: &str| text.replace(is_deceptive, "\u{fffd}");
    vec![
        cell(&view.claim.name),
        lease.to_owned(),
        health,
        cell(&view.machine),
        cell(&view.title),
        view.seen.map_or_else(
            || "never".to_owned(),
            |seen| format!("{} ago", age(now, seen)),
        ),
        endpoints(view),
    ]
}

/// All endpoints in one line.
pub(super) fn endpoints(view: &ServiceView) -> String {
    let endpoints = view.claim.endpoints.iter();
    endpoints
        .map(Endpoint::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Says that a lease may only seem to be over.
pub(super) fn unheard(text: &mut Lines, views: &[ServiceView]) {
    let mut stale = views.iter().filter(|view| view.lease == Lease::Stale);
    if stale.any(|view| view.as_of.is_some()) {
        text.add(
            "This device was not listening when some leases ended: with --wait 30s it listens first.",
        );
    }
}
