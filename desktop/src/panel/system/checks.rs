//! What is observed: checks, parts and what went on.

use aramaki_model::Severity;
use aramaki_model::snapshot::{Access, AgentView, Attempt, CheckView, PartView};
use aramaki_model::status::Handled;
use aramaki_sync_core::SpaceId;
use egui::{Align, Label, Layout, RichText, Ui};

use super::super::Window;
use super::super::alert::{ok_words, was_observed_words};
use super::super::timeline;
use super::super::values::{self, Measured};
use super::super::{check_runbook, proposals};
use super::{Page, none_ui, observers};
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{
    Look, Row, age, card_titled, in_hand_glyph, quiet_line, row, severity_glyph, severity_word,
};

const CHECKS_SHOWN_MAX: usize = 200;
const PARTS_SHOWN_MAX: usize = 200;

/// Draws the three cards.
pub(super) fn left_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let system = shown.system;
    card_titled(ui, look, &look.texts.get("system-checks"), |ui| {
        none_ui(ui, look, system.checks.is_empty(), "system-none-checks");
        for check in system.checks.iter().take(CHECKS_SHOWN_MAX) {
            check_ui(ui, look, check, &system.agents, |ui| {
                values_button_ui(ui, look, shown, check, window);
                check_runbook::button_ui(ui, look, (system, &check.check), window);
            });
            if window.measured == Some((system.space, check.check.id)) {
                let measured = measured(shown, check);
                ui.indent(("values", check.check.id), |ui| {
                    values::values_ui(ui, look, shown.frame, measured, window);
                });
            }
        }
        proposals::line_ui(ui, look, shown.frame, system, window);
    });
    ui.add_space(space::S);
    observers::for_others_ui(ui, look, shown, window);
    if !system.parts.is_empty() {
        card_titled(ui, look, &look.texts.get("system-parts"), |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for part in system.parts.iter().take(PARTS_SHOWN_MAX) {
                part_ui(ui, look, part, window);
            }
        });
        ui.add_space(space::S);
    }
    card_titled(ui, look, &look.texts.get("system-timeline"), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        timeline::of_system_ui(
            ui,
            look,
            (shown.frame, shown.snapshot, system.space),
            window,
        );
    });
}

/// The check whose values are asked for, with what is known of its limits.
fn measured<'a>(shown: Page<'a>, check: &'a CheckView) -> Measured<'a> {
    let alert = check.alert.and_then(|id| shown.snapshot.alert(&id));
    Measured {
        system: shown.system.space,
        name: &check.check.name,
        check: Some(&check.check),
        told: alert.map_or(&[], |alert| alert.metrics.as_slice()),
    }
}

/// Opens and closes what a check measured; opening asks the hosts unless they just answered.
fn values_button_ui(
    ui: &mut Ui,
    look: Look<'_>,
    shown: Page<'_>,
    check: &CheckView,
    window: &mut Window,
) {
    // Hosts of other Systems are asked on their pages.
    if shown.system.agents.is_empty() || !check.seen_from.is_empty() {
        return;
    }
    let here = Some((shown.system.space, check.check.id));
    let is_open = window.measured == here;
    let name = [("check", check.check.name.as_str())];
    let name = look.texts.with("values-of", &name);
    let words = RichText::new(look.texts.get("values-short")).size(size::SMALL);
    let button = ui.add(egui::Button::new(words).small().selected(is_open));
    button.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_open, &name));
    if button.clicked() {
        window.measured = here.filter(|_| !is_open);
        let measured = measured(shown, check);
        if !is_open && values::is_asked_for(shown.frame, measured, look.now) {
            window.ask(values::ask(measured));
        }
    }
}

pub(super) fn check_ui(
    ui: &mut Ui,
    look: Look<'_>,
    check: &CheckView,
    agents: &[AgentView],
    end: impl FnOnce(&mut Ui),
) {
    ui.horizontal(|ui| {
        if check.check.enabled {
            state_ui(ui, look, check);
        } else {
            quiet_line(ui, look, &look.texts.get("check-off"));
        }
        ui.label(weighted(check.called(), 550.0).color(look.tokens.strong));
        raw_ui(ui, look, check);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            end(ui);
            if let Some(since) = check.status.since {
                quiet_line(ui, look, &age(look, since));
            }
            if check.check.enabled && check.status.raw > Severity::Ok {
                quiet_line(ui, look, &ok_words(look, check.last_ok));
            }
            if let Some(it) = check.attempt() {
                quiet_line(ui, look, &attempt_words(look, it));
            }
            if check.flapping {
                quiet_line(ui, look, &look.texts.get("check-flapping"));
            }
            if let [from, more @ ..] = check.seen_from.as_slice() {
                let mut words = observers::seen_from_words(look, from);
                if !more.is_empty() {
                    words = format!("{words} +{}", more.len());
                }
                quiet_line(ui, look, &words);
            }
            if let Some(was) = &check.was_observed {
                quiet_line(ui, look, &was_observed_words(look, was));
            }
            if let (Some(about), None) = (&check.check.about, check.check.about_system) {
                let about = look.texts.with("check-about", &[("what", about)]);
                quiet_line(ui, look, &about);
            }
            match check.status.handled {
                Some(Handled::Acknowledged) => {
                    quiet_line(ui, look, &look.texts.get("check-handled-ack"));
                }
                Some(Handled::Silenced) => {
                    quiet_line(ui, look, &look.texts.get("check-handled-silence"));
                }
                Some(Handled::Maintenance) => {
                    quiet_line(ui, look, &look.texts.get("check-handled-maintenance"));
                }
                Some(Handled::Offline) => {
                    quiet_line(ui, look, &look.texts.get("check-handled-offline"));
                }
                None => {}
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let said = ui.add(Label::new(&check.summary).truncate());
                let ok = ok_words(look, check.last_ok);
                let seen = vantages(look, check, agents);
                let all = [&check.summary, &check.detail, &seen, &ok];
                let all: Vec<&str> = all
                    .into_iter()
                    .map(String::as_str)
                    .filter(|text| !text.is_empty())
                    .collect();
                said.on_hover_text(all.join("\n"));
            });
        });
    });
}

/// The shape of a check's state. A tick would say that it is well what somebody only has in hand.
fn state_ui(ui: &mut Ui, look: Look<'_>, check: &CheckView) {
    let (raw, effective) = (check.status.raw, check.status.effective);
    if raw == effective {
        severity_glyph(ui, look, raw, 14.0);
    } else {
        in_hand_glyph(ui, look, raw, 14.0);
    }
}

/// What a check really is that somebody has in hand: it asks for nobody, and is not well.
fn raw_ui(ui: &mut Ui, look: Look<'_>, check: &CheckView) {
    let (raw, effective) = (check.status.raw, check.status.effective);
    if check.check.enabled && raw != effective {
        let word = RichText::new(severity_word(look, raw)).size(size::SMALL);
        ui.label(word.color(look.tokens.severity(raw)));
    }
}

/// A result that does not count yet.
fn attempt_words(look: Look<'_>, it: Attempt) -> String {
    let (raw, hard) = (severity_word(look, it.raw), severity_word(look, it.hard));
    let (attempt, attempts) = (it.attempt.to_string(), it.attempts.to_string());
    let words = [
        ("raw", raw.as_str()),
        ("hard", &hard),
        ("attempt", &attempt),
        ("attempts", &attempts),
    ];
    look.texts.with("check-attempt", &words)
}

/// What each agent that looks sees, a line each, where several must agree.
fn vantages(look: Look<'_>, check: &CheckView, agents: &[AgentView]) -> String {
    let line = |(space, severity): &(SpaceId, Severity)| {
        let agent = agents.iter().find(|agent| agent.space == *space);
        let label = agent.map_or_else(|| space.short(), |agent| agent.label.clone());
        format!("{label}: {}", severity_word(look, *severity))
    };
    let lines = check.vantages.iter().map(line);
    let from = observers::vantages(look, &check.seen_from);
    lines.chain(from).collect::<Vec<_>>().join("\n")
}

fn part_ui(ui: &mut Ui, look: Look<'_>, part: &PartView, window: &mut Window) {
    let severity = part.effective.unwrap_or(Severity::Missing);
    let not_shared = look.texts.get("part-not-shared");
    let mut line = Row::severity(severity, &severity_word(look, severity), &part.label);
    if part.access == Access::NotShared {
        line.trailing = &not_shared;
    }
    let response = row(ui, look, &line);
    window.list_has(&response);
    if response.clicked() && part.access == Access::Readable {
        window.go(Route::System(part.space));
    }
}
