//! One System: how it is and why, what may be touched, whom to call, and what went on.

use aramaki_model::snapshot::{Access, CheckView, Observed, PartView, StatusView};
use aramaki_model::status::{AgentLife, Handled};
use aramaki_model::system::Touch;
use aramaki_model::{Severity, Snapshot, SystemView};
use aramaki_sync_core::SpaceId;
use egui::{Align, Label, Layout, RichText, Sense, Ui, vec2};

use super::timeline::item_ui;
use super::{Dialog, Window, dialog, page};
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{
    Icon, Look, Row, age, card_titled, clock, history_strip, row, severity_glyph, severity_word,
};

const WIDTH_MAX: f32 = 1_180.0;
/// Below this width everything stands in one column.
const TWO_COLUMNS_MIN: f32 = 760.0;
const TIMELINE_SHOWN_MAX: usize = 40;
const CHECKS_SHOWN_MAX: usize = 200;
const PARTS_SHOWN_MAX: usize = 200;

/// Draws the page.
pub(super) fn system_ui(
    ui: &mut Ui,
    look: Look<'_>,
    snapshot: &Snapshot,
    space: SpaceId,
    window: &mut Window,
) {
    let Some(system) = snapshot.system(&space) else {
        ui.label(look.texts.get("part-not-shared"));
        return;
    };
    head_ui(ui, look, system, window);
    page(ui, WIDTH_MAX, |ui| {
        now_ui(ui, look, system);
        ui.add_space(space::M);
        if ui.available_width() < TWO_COLUMNS_MIN {
            left_ui(ui, look, system, window);
            right_ui(ui, look, system, window);
            return;
        }
        let width = ui.available_width();
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::L;
            let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
                ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                    ui.set_width(width);
                    ui.spacing_mut().item_spacing = vec2(space::M, space::S + 2.0);
                    add(ui);
                });
            };
            let left = (width - space::L) * 0.6;
            column(ui, left, &mut |ui| left_ui(ui, look, system, window));
            column(ui, width - space::L - left, &mut |ui| {
                right_ui(ui, look, system, window);
            });
        });
    });
}

/// The way back to where this belongs; whether it was taken.
pub(super) fn back_ui(ui: &mut Ui, look: Look<'_>, to: &str) -> bool {
    let mut clicked = false;
    ui.horizontal(|ui| {
        let text = RichText::new(format!("    {to}"))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        let response = ui.add(Label::new(text).selectable(false).sense(Sense::click()));
        let at = egui::pos2(response.rect.left() + 5.0, response.rect.center().y);
        let sign = egui::Rect::from_center_size(at, vec2(11.0, 11.0));
        Icon::Back.paint(ui, sign, look.tokens.subdued);
        clicked = response.clicked();
    });
    clicked
}

fn head_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView, window: &mut Window) {
    let (to, name) = match system.aggregates.first() {
        Some((space, title)) => (Route::System(*space), title.clone()),
        None => (Route::Overview, look.texts.get("overview-title")),
    };
    if back_ui(ui, look, &name) {
        window.go(to);
    }
    ui.horizontal(|ui| {
        severity_glyph(ui, look, system.status.effective, 20.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(dialog::primary(look, "action-share")).clicked() {
                window.dialog = Some(Dialog::share(system.space));
            }
            if ui.button(look.texts.get("action-new-note")).clicked() {
                window.dialog = Some(Dialog::new_note(system.space));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = weighted(&system.title, 650.0).size(size::PAGE);
                ui.add(Label::new(title.color(look.tokens.strong)).truncate());
                quiet(ui, look, &system.category);
            });
        });
    });
    if !system.purpose.is_empty() {
        ui.label(RichText::new(&system.purpose).color(look.tokens.subdued));
    }
    ui.add_space(space::M);
}

fn quiet(ui: &mut Ui, look: Look<'_>, text: &str) {
    ui.add(
        Label::new(
            RichText::new(text)
                .size(size::SMALL)
                .color(look.tokens.subdued),
        )
        .truncate(),
    );
}

fn now_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView) {
    let status = &system.status;
    card_titled(ui, look, &look.texts.get("system-status"), |ui| {
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                ui.set_width((ui.available_width() - 220.0).max(240.0));
                state_ui(ui, look, status);
                ui.add(Label::new(super::overview::why(look, system)).wrap());
                if let Some(Severity::Warning | Severity::Critical | Severity::Unknown) =
                    status.cause.as_ref().map(|cause| cause.severity)
                    && status.worst_path.len() > 1
                {
                    let names: Vec<_> = status
                        .worst_path
                        .iter()
                        .map(|(_, name)| name.as_str())
                        .collect();
                    let way = format!("{}: {}", look.texts.get("system-why"), names.join(" → "));
                    quiet(ui, look, &way);
                }
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                history_strip(ui, look, &system.history, 200.0);
            });
        });
    });
}

fn state_ui(ui: &mut Ui, look: Look<'_>, status: &StatusView) {
    ui.horizontal(|ui| {
        let word = severity_word(look, status.effective);
        let color = look.tokens.severity(status.effective);
        ui.label(weighted(word, 650.0).size(17.0).color(color));
        if let (Some(since), Observed::Yes) = (status.since, status.observed) {
            let (time, old) = (clock(look, since), age(look, since));
            let since = look
                .texts
                .with("system-since", &[("time", &time), ("age", &old)]);
            quiet(ui, look, &since);
        }
        if status.raw != status.effective {
            severity_glyph(ui, look, status.raw, 13.0);
            quiet(ui, look, &look.texts.get("overview-raw"));
        }
    });
}

fn left_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView, window: &mut Window) {
    card_titled(ui, look, &look.texts.get("system-checks"), |ui| {
        none_ui(ui, look, system.checks.is_empty(), "system-none-checks");
        for check in system.checks.iter().take(CHECKS_SHOWN_MAX) {
            check_ui(ui, look, check);
        }
    });
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("system-parts"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        none_ui(ui, look, system.parts.is_empty(), "system-none-parts");
        for part in system.parts.iter().take(PARTS_SHOWN_MAX) {
            part_ui(ui, look, part, window);
        }
    });
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("system-timeline"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        none_ui(ui, look, system.timeline.is_empty(), "system-none-timeline");
        for item in system.timeline.iter().take(TIMELINE_SHOWN_MAX) {
            item_ui(ui, look, item, "");
        }
    });
}

fn none_ui(ui: &mut Ui, look: Look<'_>, empty: bool, key: &str) {
    if empty {
        ui.label(RichText::new(look.texts.get(key)).color(look.tokens.subdued));
    }
}

fn check_ui(ui: &mut Ui, look: Look<'_>, check: &CheckView) {
    ui.horizontal(|ui| {
        severity_glyph(ui, look, check.status.effective, 14.0);
        ui.label(weighted(&check.check.name, 550.0).color(look.tokens.strong));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(since) = check.status.since {
                quiet(ui, look, &age(look, since));
            }
            if check.flapping {
                quiet(ui, look, &look.texts.get("check-flapping"));
            }
            match check.status.handled {
                Some(Handled::Acknowledged) => {
                    quiet(ui, look, &look.texts.get("check-handled-ack"));
                }
                Some(Handled::Silenced) => {
                    quiet(ui, look, &look.texts.get("check-handled-silence"));
                }
                None => {}
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let said = ui.add(Label::new(&check.summary).truncate());
                let ok = match check.last_ok {
                    Some(time) => look
                        .texts
                        .with("check-last-ok", &[("time", &clock(look, time))]),
                    None => look.texts.get("check-never-ok"),
                };
                said.on_hover_text(format!("{}\n{}\n{ok}", check.summary, check.detail));
            });
        });
    });
}

fn part_ui(ui: &mut Ui, look: Look<'_>, part: &PartView, window: &mut Window) {
    let severity = part.effective.unwrap_or(Severity::Missing);
    let not_shared = look.texts.get("part-not-shared");
    let mut line = Row::severity(severity, &severity_word(look, severity), &part.label);
    if part.access == Access::NotShared {
        line.trailing = &not_shared;
    }
    let clicked = row(ui, look, &line).clicked();
    if clicked && part.access == Access::Readable {
        window.go(Route::System(part.space));
    }
}

fn right_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView, window: &mut Window) {
    card_titled(ui, look, &look.texts.get("system-rules"), |ui| {
        none_ui(ui, look, system.rules.is_empty(), "system-none-rules");
        for (_, rule) in &system.rules {
            let key = match rule.touch {
                Touch::Freely => "touch-freely",
                Touch::AskFirst => "touch-ask",
                Touch::Escalate => "touch-escalate",
            };
            pair_ui(ui, look, &look.texts.get(key), &rule.text);
        }
    });
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("system-contacts"), |ui| {
        none_ui(ui, look, system.contacts.is_empty(), "system-none-contacts");
        for (_, contact) in &system.contacts {
            let words = [&contact.name, &contact.reach, &contact.hours];
            let words: Vec<&str> = words
                .into_iter()
                .map(String::as_str)
                .filter(|word| !word.is_empty())
                .collect();
            pair_ui(ui, look, &contact.role, &words.join(" · "));
        }
    });
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("system-notes"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        none_ui(ui, look, system.notes.is_empty(), "system-none-notes");
        for note in &system.notes {
            if row(ui, look, &Row::icon(Icon::Note, &note.title, false)).clicked() {
                window.go(Route::Note(system.space, note.document));
            }
        }
    });
    around_ui(ui, look, system, window);
}

/// Dashboards, agents and aggregates: only what there is.
fn around_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView, window: &mut Window) {
    if !system.dashboards.is_empty() {
        ui.add_space(space::S);
        card_titled(ui, look, &look.texts.get("system-dashboards"), |ui| {
            for (_, dashboard) in &system.dashboards {
                link_ui(ui, &dashboard.title, &dashboard.url);
            }
        });
    }
    if !system.agents.is_empty() {
        ui.add_space(space::S);
        card_titled(ui, look, &look.texts.get("system-agents"), |ui| {
            for agent in &system.agents {
                let severity = match agent.life {
                    AgentLife::Alive => Severity::Ok,
                    AgentLife::Stopped | AgentLife::Stale => Severity::Unknown,
                    AgentLife::Unseen => Severity::Missing,
                };
                ui.horizontal(|ui| {
                    severity_glyph(ui, look, severity, 14.0);
                    ui.label(&agent.label);
                    if let Some(seen) = agent.seen {
                        quiet(ui, look, &age(look, seen));
                    }
                });
            }
        });
    }
    if !system.aggregates.is_empty() {
        ui.add_space(space::S);
        card_titled(ui, look, &look.texts.get("system-part-of"), |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for (space, title) in &system.aggregates {
                if row(ui, look, &Row::icon(Icon::Overview, title, false)).clicked() {
                    window.go(Route::System(*space));
                }
            }
        });
    }
}

/// A link whose address comes from a document: only the web, and its address is visible.
fn link_ui(ui: &mut Ui, title: &str, url: &str) {
    if url.starts_with("https://") || url.starts_with("http://") {
        ui.hyperlink_to(title, url).on_hover_text(url);
    } else {
        ui.label(format!("{title}: {url}"));
    }
}

fn pair_ui(ui: &mut Ui, look: Look<'_>, what: &str, words: &str) {
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(92.0, 18.0), Sense::hover());
        ui.put(rect, |ui: &mut Ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let what = RichText::new(what)
                    .size(size::SMALL + 0.5)
                    .color(look.tokens.subdued);
                ui.add(Label::new(what).truncate())
            })
            .inner
        });
        ui.add(Label::new(words).wrap());
    });
}
