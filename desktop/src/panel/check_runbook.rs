//! The runbook that a check names: a button beside the check, and all of it beside its alert.

use aramaki_model::snapshot::{NoteView, SystemView};
use aramaki_model::{Check, CheckId};
use aramaki_sync_core::DocumentId;
use egui::{Button, RichText, Role, Ui, WidgetInfo};

use super::runbook::runbook_ui;
use super::{Dialog, Window};
use crate::theme::{size, space};
use crate::view::check_runbook::CheckRunbook;
use crate::view::{Frame, Route};
use crate::widget::{Look, card_titled, quiet};

/// A small button that leads to a check's runbook; nothing where it names none.
pub(super) fn button_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (system, check): (&SystemView, &Check),
    window: &mut Window,
) {
    let Some(runbook) = CheckRunbook::of(system, check) else {
        return;
    };
    let words = RichText::new(look.texts.get("check-runbook")).size(size::SMALL);
    let is_there = !matches!(runbook, CheckRunbook::Missing(_));
    let button = ui.add_enabled(is_there, Button::new(words).small());
    let name = [("check", check.name.as_str())];
    let name = look.texts.with("check-runbook-of", &name);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, is_there, &name));
    if button.clicked() {
        match runbook {
            CheckRunbook::Note(note) => window.go(Route::Note(system.space, note.document)),
            CheckRunbook::Page(address) => window.dialog = Some(Dialog::Leave(address.to_owned())),
            CheckRunbook::Missing(_) => {}
        }
    }
    match runbook {
        CheckRunbook::Note(note) => drop(button.on_hover_text(&note.title)),
        CheckRunbook::Page(address) => drop(button.on_hover_text(address)),
        CheckRunbook::Missing(title) => {
            let why = look
                .texts
                .with("check-runbook-missing", &[("title", title)]);
            drop(button.on_disabled_hover_text(why));
        }
    }
}

/// The card of a check's runbook on the page of its alert; the note that it shows, so that it is not shown twice.
pub(super) fn card_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, system, check): (&Frame, &SystemView, CheckId),
    window: &mut Window,
) -> Option<DocumentId> {
    let check = system.checks.iter().find(|it| it.check.id == check)?;
    let runbook = CheckRunbook::of(system, &check.check)?;
    let name = [("check", check.check.name.as_str())];
    let title = look.texts.with("check-runbook-of", &name);
    card_titled(ui, look, &title, |ui| match runbook {
        CheckRunbook::Note(note) => note_ui(ui, look, (frame, system, note), window),
        CheckRunbook::Page(address) => {
            if ui.button(look.texts.get("check-runbook-page")).clicked() {
                window.dialog = Some(Dialog::Leave(address.to_owned()));
            }
            quiet(ui, look, address);
        }
        CheckRunbook::Missing(title) => {
            let why = look
                .texts
                .with("check-runbook-missing", &[("title", title)]);
            quiet(ui, look, &why);
        }
    });
    ui.add_space(space::S);
    match runbook {
        CheckRunbook::Note(note) => Some(note.document),
        CheckRunbook::Page(_) | CheckRunbook::Missing(_) => None,
    }
}

fn note_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, system, note): (&Frame, &SystemView, &NoteView),
    window: &mut Window,
) {
    let runbook = window.runbooks.of(note.document, &note.text);
    runbook_ui(ui, look, (frame, system.space), &runbook, window);
    ui.add_space(space::S);
    if ui.button(look.texts.get("runbook-edit")).clicked() {
        window.go(Route::Note(system.space, note.document));
    }
}
