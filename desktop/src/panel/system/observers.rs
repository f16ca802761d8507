//! Systems whose agents look at others: from where a System is seen, and what it sees of others.

use aramaki_model::observer::{ObserverView, OtherCheck, SeenFrom, Standing};
use egui::{Align, Layout, Role, Ui, WidgetInfo};

use super::super::{Dialog, Window};
use super::Page;
use super::checks::check_ui;
use crate::theme::space;
use crate::view::Route;
use crate::view::deed::may_write;
use crate::widget::{Icon, Look, Row, card_titled, quiet, quiet_line, row, severity_word};

/// So many are shown.
const SHOWN_MAX: usize = 200;

/// From where a check is seen, in a few words.
pub(in crate::panel) fn seen_from_words(look: Look<'_>, from: &SeenFrom) -> String {
    match from.label.as_str() {
        "" => look
            .texts
            .with("seen-from-hidden", &[("system", &from.title)]),
        agent => {
            let words = [("system", from.title.as_str()), ("agent", agent)];
            look.texts.with("seen-from", &words)
        }
    }
}

/// What each vantage of other Systems sees, a line each.
pub(super) fn vantages(look: Look<'_>, seen_from: &[SeenFrom]) -> Vec<String> {
    let line = |from: &SeenFrom| {
        let words = seen_from_words(look, from);
        format!("{words}: {}", severity_word(look, from.severity))
    };
    seen_from.iter().map(line).collect()
}

/// What the System's agents look at for others: it counts there.
pub(super) fn for_others_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let system = shown.system;
    if system.for_others.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("system-for-others"), |ui| {
        for other in system.for_others.iter().take(SHOWN_MAX) {
            check_ui(ui, look, &other.view, &system.agents, |_ui| {});
            about_ui(ui, look, other, window);
            let is_missing = other.standing == Standing::NotLet;
            if is_missing && may_write(&shown.frame.trust, &other.system) {
                let words = [("system", other.title.as_str())];
                let button = ui.button(look.texts.with("observer-let-of", &words));
                if button.clicked() {
                    let asked = Dialog::observer_of(other.system, system.space);
                    window.dialog = Some(asked);
                }
            }
        }
    });
    ui.add_space(space::S);
}

/// What such a check is about, and whether it counts there.
fn about_ui(ui: &mut Ui, look: Look<'_>, other: &OtherCheck, window: &mut Window) {
    let key = match other.standing {
        Standing::Counts => "other-counts",
        Standing::NotLet => "other-not-let",
        Standing::NotShared => "part-not-shared",
    };
    let trailing = look.texts.get(key);
    let mut line = Row::icon(Icon::Overview, &other.title, false);
    line.name = format!("{}, {trailing}", other.title);
    line.trailing = &trailing;
    let response = row(ui, look, &line);
    window.list_has(&response);
    if response.clicked() && other.standing != Standing::NotShared {
        window.go(Route::System(other.system));
    }
}

/// Whom the System lets look.
pub(super) fn observers_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let system = shown.system;
    let may = may_write(&shown.frame.trust, &system.space);
    if system.observers.is_empty() {
        return;
    }
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("system-observers"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for observer in system.observers.iter().take(SHOWN_MAX) {
            if !may {
                observer_ui(ui, look, observer, window);
                continue;
            }
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let end = ui.button(look.texts.get("observer-end"));
                    let name = [("from", observer.label.as_str())];
                    let name = look.texts.with("observer-end-of", &name);
                    end.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                    if end.clicked() {
                        let ending = Dialog::end_observer(system.space, observer.space);
                        window.dialog = Some(ending);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        observer_ui(ui, look, observer, window);
                    });
                });
            });
        }
        if system.observers.iter().any(|it| it.checks.is_none()) {
            quiet_line(ui, look, &look.texts.get("observer-hidden"));
        }
    });
}

/// The way to let one more look, where somebody may: below what is asked at night.
pub(super) fn add_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let system = shown.system;
    if !may_write(&shown.frame.trust, &system.space) {
        return;
    }
    ui.add_space(space::S);
    if system.observers.is_empty() {
        quiet(ui, look, &look.texts.get("observer-none"));
    }
    if ui.button(look.texts.get("observer-add")).clicked() {
        window.dialog = Some(Dialog::observer(system.space));
    }
}

fn observer_ui(ui: &mut Ui, look: Look<'_>, observer: &ObserverView, window: &mut Window) {
    let trailing = match observer.checks {
        Some(checks) => {
            let checks = u64::try_from(checks).unwrap_or(u64::MAX);
            look.texts.count("observer-checks", checks)
        }
        None => look.texts.get("part-not-shared"),
    };
    let mut line = Row::icon(Icon::Overview, &observer.label, false);
    line.name = format!("{}, {trailing}", observer.label);
    line.trailing = &trailing;
    let response = row(ui, look, &line);
    window.list_has(&response);
    if response.clicked() && observer.checks.is_some() {
        window.go(Route::System(observer.space));
    }
}
