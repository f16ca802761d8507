//! Who knows of an alert, who works on it, what keeps it quiet, and whom it concerns.

use aramaki_model::Snapshot;
use aramaki_model::alert::{Alert, Hold};
use egui::{Label, RichText, Ui};

use super::super::Window;
use super::name_of;
use crate::theme::space;
use crate::view::Route;
use crate::widget::{Look, Row, ago, card_titled, row, severity_word, until};

/// How many aggregates are named.
const CONCERNS_SHOWN_MAX: usize = 12;

/// Who has it: everything that people did about it, those who ended too.
pub(super) fn care_ui(ui: &mut Ui, look: Look<'_>, alert: &Alert) {
    card_titled(ui, look, &look.texts.get("alert-care"), |ui| {
        let mut lines = Vec::new();
        for claim in &alert.claims {
            let key = if claim.holds {
                "alert-claimed"
            } else {
                "alert-was-claimed"
            };
            let (when, end) = (ago(look, claim.at), until(look, claim.until));
            let said = [("name", claim.name.as_str()), ("ago", &when), ("end", &end)];
            lines.push((look.texts.with(key, &said), claim.text.as_str()));
        }
        for known in &alert.acknowledgements {
            let when = ago(look, known.at);
            let said = [("name", known.name.as_str()), ("ago", &when)];
            let key = if known.holds {
                "alert-acknowledged"
            } else {
                "alert-was-acknowledged"
            };
            let mut words = look.texts.with(key, &said);
            if let (Some(end), true) = (known.until, known.holds) {
                let end = until(look, end);
                words = format!(
                    "{words}, {}",
                    look.texts.with("alert-until", &[("end", &end)])
                );
            }
            lines.push((words, known.text.as_str()));
        }
        for hold in &alert.holds {
            let (key, name, reason, end) = match hold {
                Hold::Silence {
                    name,
                    reason,
                    until,
                    ..
                } => ("alert-silenced", name, reason, until),
                Hold::Maintenance {
                    name,
                    reason,
                    until,
                    ..
                } => ("alert-maintained", name, reason, until),
                Hold::Inhibited { .. } => continue,
            };
            let end = until(look, *end);
            let mut words = look.texts.with(key, &[("end", &end)]);
            if !name.is_empty() {
                words = format!("{words} · {name}");
            }
            lines.push((words, reason.as_str()));
        }
        if lines.is_empty() {
            let nobody = RichText::new(look.texts.get("alert-nobody"));
            ui.add(Label::new(nobody.color(look.tokens.subdued)).wrap());
        }
        for (words, text) in lines {
            ui.add(Label::new(RichText::new(words).color(look.tokens.strong)).wrap());
            if !text.is_empty() {
                ui.add(Label::new(RichText::new(text).color(look.tokens.text)).wrap());
            }
        }
    });
    ui.add_space(space::S);
}

/// Whom it concerns: the ways down to it from everything that reaches it.
pub(super) fn concerns_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, alert): (&Snapshot, &Alert),
    window: &mut Window,
) {
    let above: Vec<_> = alert
        .concerns
        .iter()
        .filter(|concern| concern.system != alert.system)
        .collect();
    if above.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("alert-concerns"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for concern in above.iter().take(CONCERNS_SHOWN_MAX) {
            let Some(system) = snapshot.system(&concern.system) else {
                continue;
            };
            let way: Vec<_> = concern
                .path
                .iter()
                .map(|space| name_of(snapshot, space))
                .collect();
            let way = way.join(" → ");
            let effective = system.status.effective;
            let mut line = Row::severity(effective, &severity_word(look, effective), &way);
            let quiet = look.texts.get("alert-quiet-there");
            if concern.is_quiet {
                line.trailing = &quiet;
            }
            let response = row(ui, look, &line);
            if response.clicked() {
                window.go(Route::System(concern.system));
            }
        }
        let more = above.len().saturating_sub(CONCERNS_SHOWN_MAX);
        if more > 0 {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            ui.label(look.texts.count("trust-more", more));
        }
    });
    ui.add_space(space::S);
}
