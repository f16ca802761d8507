//! Which services run where, as their agents say, and what is desired.

use aramaki_model::Severity;
use aramaki_model::desired::DesiredRun;
use aramaki_model::service::{Conflict, Endpoint, Lease, ServiceView, services_of};
use aramaki_model::status::Handled;
use egui::{Label, RichText, Ui};

use super::{Page, none_ui};
use crate::theme::{space, weighted};
use crate::widget::{Look, ago, card_titled, quiet_line, severity_glyph, severity_word};

/// Services and values that a page shows.
const SHOWN_MAX: usize = 100;

/// Draws services where an agent looks, and what is desired where something is.
pub(super) fn services_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>) {
    let system = shown.system;
    if !system.agents.is_empty() {
        let mut views = services_of(system, look.now);
        views.retain(|view| view.lease != Lease::Archived);
        card_titled(ui, look, &look.texts.get("system-services"), |ui| {
            none_ui(ui, look, views.is_empty(), "system-none-services");
            for view in views.iter().take(SHOWN_MAX) {
                service_ui(ui, look, view);
            }
            more_ui(ui, look, views.len());
        });
        ui.add_space(space::S);
    }
    if system.desired.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("system-desired"), |ui| {
        for (path, desired) in system.desired.iter().take(SHOWN_MAX) {
            ui.horizontal(|ui| {
                ui.label(RichText::new(path.as_str()).color(look.tokens.subdued));
                let value = ui.add(Label::new(desired.value.to_string()).truncate());
                value.on_hover_text(desired.value.to_string());
            });
        }
        more_ui(ui, look, system.desired.len());
        let agents = system.agents.iter();
        let runs = agents.flat_map(|agent| agent.desired.iter().map(|run| (&agent.label, run)));
        for (machine, run) in runs.take(SHOWN_MAX) {
            let words = format!("{machine} · {}", run_words(look, run));
            quiet_line(ui, look, &words);
        }
    });
    ui.add_space(space::S);
}

fn more_ui(ui: &mut Ui, look: Look<'_>, all: usize) {
    let more = all.saturating_sub(SHOWN_MAX);
    if more > 0 {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        quiet_line(ui, look, &look.texts.count("services-more", more));
    }
}

/// How a service is, for a sign: one that nobody looks at is as fresh as its lease.
pub(in crate::panel) fn service_severity(view: &ServiceView) -> Severity {
    let health = view.health.map(|health| health.severity);
    match view.lease {
        Lease::Fresh if view.conflict.is_some() => {
            health.unwrap_or_default().max(Severity::Warning)
        }
        Lease::Fresh => health.unwrap_or_default(),
        Lease::Stale | Lease::Archived => Severity::Missing,
    }
}

fn service_ui(ui: &mut Ui, look: Look<'_>, view: &ServiceView) {
    ui.horizontal_wrapped(|ui| {
        severity_glyph(ui, look, service_severity(view), 14.0);
        ui.label(weighted(&view.claim.name, 550.0).color(look.tokens.strong));
        quiet_line(ui, look, &view.machine);
        let lease = match (view.lease, view.seen) {
            (Lease::Fresh, _) => None,
            (_, Some(seen)) => {
                let age = ago(look, seen);
                Some(look.texts.with("service-stale", &[("age", &age)]))
            }
            (_, None) => Some(look.texts.get("service-unheard")),
        };
        if let Some(lease) = lease {
            quiet_line(ui, look, &lease);
        }
        match view.conflict {
            Some(Conflict::Places) => warn(ui, look, "service-conflict-places"),
            Some(Conflict::Endpoint) => warn(ui, look, "service-conflict-endpoint"),
            None => {}
        }
        if let Some(health) = view.health.filter(|health| !health.severity.is_ok()) {
            quiet_line(ui, look, &severity_word(look, health.severity));
            let handled = match health.handled {
                Some(Handled::Acknowledged) => "check-handled-ack",
                Some(Handled::Silenced) => "check-handled-silence",
                Some(Handled::Maintenance) => "check-handled-maintenance",
                Some(Handled::Offline) => "check-handled-offline",
                None => "",
            };
            if !handled.is_empty() {
                quiet_line(ui, look, &look.texts.get(handled));
            }
        }
    });
    let endpoints: Vec<String> = view
        .claim
        .endpoints
        .iter()
        .map(Endpoint::to_string)
        .collect();
    if !endpoints.is_empty() {
        let labels = view.claim.labels.iter();
        let labels: Vec<_> = labels
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let words = RichText::new(endpoints.join("  "));
        let shown = ui.add(Label::new(words).wrap());
        if !labels.is_empty() {
            shown.on_hover_text(labels.join("\n"));
        }
    }
}

fn warn(ui: &mut Ui, look: Look<'_>, key: &str) {
    let color = look.tokens.severity(Severity::Warning);
    ui.label(RichText::new(look.texts.get(key)).color(color));
}

/// What an agent did on what is desired.
pub(in crate::panel) fn run_words(look: Look<'_>, run: &DesiredRun) -> String {
    let key = match (run.is_done(), run.again) {
        (true, _) => "event-desired-done",
        (false, true) => "event-desired-again",
        (false, false) => "event-desired-failed",
    };
    let last = run.detail.lines().last().unwrap_or_default();
    look.texts.with(
        key,
        &[("path", &run.path), ("action", &run.action), ("text", last)],
    )
}
