//! The first page, while there is no workspace: create one, join one, or look at the demo.

use std::fmt;

use egui::{Button, Key, Response, RichText, TextEdit, Ui};

use crate::theme::{size, space, weighted};
use crate::view::Intent;
use crate::widget::{Look, card};

const WIDTH: f32 = 560.0;

/// What is typed on the first page.
#[derive(Default)]
pub(super) struct Form {
    name: String,
    invitation: String,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({:?}, <secret>)", self.name)
    }
}

/// Draws the page.
pub(super) fn start_ui(ui: &mut Ui, look: Look<'_>, form: &mut Form, intents: &mut Vec<Intent>) {
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.set_max_width(WIDTH);
        ui.add_space(((height - 520.0) / 2.0).max(space::XL));
        ui.label(
            weighted(look.texts.get("start-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        ui.label(RichText::new(look.texts.get("start-text")).color(look.tokens.subdued));
        ui.add_space(space::XL);
        let name = form.name.trim().to_owned();
        card(ui, look, |ui| {
            field_ui(ui, look, "start-name", &mut form.name);
        });
        ui.add_space(space::M);
        if choice_ui(
            ui,
            look,
            ("start-create", "start-create-hint"),
            !name.is_empty(),
            |_ui| {},
        ) {
            intents.push(Intent::CreateWorkspace { name: name.clone() });
        }
        ui.add_space(space::M);
        let invited = !name.is_empty() && !form.invitation.trim().is_empty();
        if choice_ui(ui, look, ("start-join", "start-join-hint"), invited, |ui| {
            field_ui(ui, look, "start-invitation", &mut form.invitation);
        }) {
            let invitation = std::mem::take(&mut form.invitation).trim().to_owned();
            intents.push(Intent::Join { invitation, name });
        }
        ui.add_space(space::M);
        if choice_ui(ui, look, ("start-demo", "start-demo-hint"), true, |_ui| {}) {
            intents.push(Intent::OpenDemo);
        }
    });
}

fn choice_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (action, hint): (&str, &str),
    ready: bool,
    add: impl FnOnce(&mut Ui),
) -> bool {
    let mut clicked = false;
    card(ui, look, |ui| {
        ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
            add(ui);
            ui.horizontal(|ui| {
                let text = weighted(look.texts.get(action), 600.0).color(look.tokens.on_accent);
                let button = Button::new(text).fill(look.tokens.primary);
                clicked = ui.add_enabled(ready, button).clicked();
                ui.label(
                    RichText::new(look.texts.get(hint))
                        .size(size::SMALL)
                        .color(look.tokens.subdued),
                );
            });
        });
    });
    clicked
}

/// A named field over the full width.
pub(super) fn field_ui(ui: &mut Ui, look: Look<'_>, key: &str, text: &mut String) -> Response {
    ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
        let label = look.texts.get(key);
        let label = ui.label(
            RichText::new(label)
                .size(size::SMALL)
                .color(look.tokens.subdued),
        );
        let field = ui
            .add(
                TextEdit::singleline(text)
                    .desired_width(f32::INFINITY)
                    .margin(egui::vec2(8.0, 6.0)),
            )
            .labelled_by(label.id);
        ui.add_space(space::S);
        field
    })
    .inner
}

/// Whether Enter ended the typing in a field.
pub(super) fn entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}
