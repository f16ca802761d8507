//! One System: how it is and why, what may be touched, whom to call, and what went on.

mod alarms;
mod around;
mod checks;
mod observers;
mod services;

use aramaki_model::snapshot::{Observed, StatusView};
use aramaki_model::{Severity, Snapshot, SystemView};
use aramaki_sync_core::SpaceId;
use egui::{Align, Label, Layout, RichText, Sense, Ui, vec2};

use super::runbook::runbooks_ui;
use super::{Dialog, Window, dialog, draft, page};
use crate::theme::{size, space, weighted};
use crate::view::{Frame, Route, Trust};
use crate::widget::{
    Icon, Look, ago, card_titled, clock, history_strip, quiet_line, severity_glyph, severity_word,
};

pub(super) use around::duty_ui;
pub(super) use observers::seen_from_words;
pub(super) use services::{run_words, service_severity};

const WIDTH_MAX: f32 = 1_180.0;
/// Below this width everything stands in one column.
const TWO_COLUMNS_MIN: f32 = 760.0;
const STRIP_WIDTH: f32 = 200.0;

/// One System and all around it.
#[derive(Clone, Copy)]
struct Page<'a> {
    frame: &'a Frame,
    snapshot: &'a Snapshot,
    system: &'a SystemView,
    trust: Option<&'a Trust>,
}

/// Draws the page.
pub(super) fn system_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    space: SpaceId,
    window: &mut Window,
) {
    let Some(system) = snapshot.system(&space) else {
        super::empty_ui(ui, look, ("system-gone", ""), |_ui| {});
        return;
    };
    let trust = frame.trust.get(&space);
    let shown = Page {
        frame,
        snapshot,
        system,
        trust,
    };
    ui.set_max_width(ui.available_width().min(WIDTH_MAX));
    head_ui(ui, look, system, window);
    super::trust::ended_ui(ui, look, trust);
    super::left_out::left_out_ui(ui, look, snapshot, space);
    page(ui, WIDTH_MAX, |ui| {
        super::requests::requests_ui(ui, look, (frame, snapshot), space, window);
        now_ui(ui, look, shown, window);
        ui.add_space(space::S);
        if ui.available_width() < TWO_COLUMNS_MIN {
            // What one must know before one touches anything comes before the details.
            alarms::alarms_ui(ui, look, shown, window);
            super::cause::unalarmed_ui(ui, look, (snapshot, space), window);
            duty_ui(ui, look, shown.snapshot, system);
            alarms::done_ui(ui, look, shown, window);
            runbooks_ui(ui, look, (frame, snapshot), (space, None), window);
            around::notes_ui(ui, look, shown, window);
            checks::left_ui(ui, look, shown, window);
            services::services_ui(ui, look, shown);
            around::around_ui(ui, look, shown, window);
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
            let left = ((width - space::L) * 0.6).floor();
            column(ui, left, &mut |ui| {
                alarms::alarms_ui(ui, look, shown, window);
                super::cause::unalarmed_ui(ui, look, (snapshot, space), window);
                runbooks_ui(ui, look, (frame, snapshot), (space, None), window);
                checks::left_ui(ui, look, shown, window);
            });
            column(ui, width - space::L - left, &mut |ui| {
                duty_ui(ui, look, shown.snapshot, system);
                alarms::done_ui(ui, look, shown, window);
                around::notes_ui(ui, look, shown, window);
                services::services_ui(ui, look, shown);
                around::around_ui(ui, look, shown, window);
            });
        });
    });
}

/// The way back to where this belongs; whether it was taken.
pub(super) fn back_ui(ui: &mut Ui, look: Look<'_>, to: &str) -> bool {
    let text = RichText::new(format!("    {to}"))
        .size(size::SMALL)
        .color(look.tokens.subdued);
    let button = egui::Button::new(text).frame(false).truncate();
    let response = ui.add(button);
    let at = egui::pos2(response.rect.left() + 5.0, response.rect.center().y);
    let sign = egui::Rect::from_center_size(at, vec2(11.0, 11.0));
    Icon::Back.paint(ui, sign, look.tokens.subdued);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, to));
    response.clicked()
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
            if ui.button(look.texts.get("action-incident")).clicked() {
                window.dialog = Some(Dialog::incident(system.space));
            }
            if ui.button(look.texts.get("action-new-note")).clicked() {
                window.dialog = Some(Dialog::new_note(system.space));
            }
            draft::handover_ui(ui, look, system.space, window);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = weighted(&system.title, 650.0).size(size::PAGE);
                ui.add(Label::new(title.color(look.tokens.strong)).truncate());
                quiet_line(ui, look, &system.category);
            });
        });
    });
    if !system.purpose.is_empty() {
        let purpose = RichText::new(&system.purpose).color(look.tokens.subdued);
        ui.add(Label::new(purpose).wrap());
    }
    ui.add_space(space::S);
}

fn now_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let (system, status) = (shown.system, &shown.system.status);
    card_titled(ui, look, &look.texts.get("system-status"), |ui| {
        ui.horizontal(|ui| {
            let beside = ui.available_width() > STRIP_WIDTH * 2.0;
            ui.vertical(|ui| {
                if beside {
                    ui.set_width(ui.available_width() - STRIP_WIDTH - space::XL);
                }
                state_ui(ui, look, status);
                ui.add(Label::new(super::overview::why_words(look, system)).wrap());
                way_ui(ui, look, status, window);
            });
            if beside {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    history_strip(ui, look, &system.history, STRIP_WIDTH);
                });
            }
        });
    });
}

/// The way to what makes it as bad as it is; each step leads there.
fn way_ui(ui: &mut Ui, look: Look<'_>, status: &StatusView, window: &mut Window) {
    let bad = status
        .cause
        .as_ref()
        .is_some_and(|cause| cause.severity > Severity::Missing);
    if !bad || status.worst_path.len() < 2 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        quiet_line(ui, look, &look.texts.get("system-why"));
        for (space, name) in status.worst_path.iter().skip(1) {
            quiet_line(ui, look, "→");
            let link = Label::new(RichText::new(name).color(look.tokens.accent))
                .selectable(false)
                .sense(Sense::click());
            let response = ui.add(link);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Link, true, name));
            if response.clicked() {
                window.go(Route::System(*space));
            }
        }
    });
}

fn state_ui(ui: &mut Ui, look: Look<'_>, status: &StatusView) {
    ui.horizontal_wrapped(|ui| {
        let word = severity_word(look, status.effective);
        let color = look.tokens.severity(status.effective);
        ui.label(weighted(word, 650.0).size(17.0).color(color));
        if let (Some(since), Observed::Yes) = (status.since, status.observed) {
            let (time, old) = (clock(look, since), ago(look, since));
            let since = look
                .texts
                .with("system-since", &[("time", &time), ("age", &old)]);
            quiet_line(ui, look, &since);
        }
        if let (Some(at), Observed::Yes) = (status.as_of, status.observed) {
            let (time, old) = (clock(look, at), ago(look, at));
            let as_of = look
                .texts
                .with("system-as-of", &[("time", &time), ("age", &old)]);
            quiet_line(ui, look, &as_of);
        }
        if status.raw != status.effective {
            severity_glyph(ui, look, status.raw, 13.0);
            quiet_line(ui, look, &look.texts.get("overview-raw"));
        }
    });
}

/// What is said where a card would be empty.
fn none_ui(ui: &mut Ui, look: Look<'_>, empty: bool, key: &str) {
    if empty {
        let words = RichText::new(look.texts.get(key)).color(look.tokens.subdued);
        ui.add(Label::new(words).wrap());
    }
}
