//! The first page, while there is no workspace: create one, join one, or look at the demo.

use std::fmt;

use aramaki_model::Severity;
use egui::{Button, Key, Response, RichText, TextEdit, Ui};
use zeroize::Zeroizing;

use crate::theme::{size, space, weighted};
use crate::view::Intent;
use crate::view::new_kit::{KIT_PASSPHRASE_LEN_CHARS_MIN, NewKit};
use crate::widget::{Look, card};

const WIDTH: f32 = 560.0;
/// Where a kit is written when nobody says otherwise.
const KIT_FILE: &str = "~/aramaki-recovery-kit";

/// What is typed on the first page.
#[derive(Default)]
pub(super) struct Form {
    name: String,
    invitation: String,
    kit: KitForm,
}

/// What is typed about the recovery kit.
struct KitForm {
    file: String,
    passphrase: Zeroizing<String>,
    again: Zeroizing<String>,
    /// Whether somebody does without it.
    is_left_out: bool,
}

impl Default for KitForm {
    fn default() -> Self {
        Self {
            file: KIT_FILE.to_owned(),
            passphrase: Zeroizing::default(),
            again: Zeroizing::default(),
            is_left_out: false,
        }
    }
}

impl KitForm {
    /// What is still wrong with it, as a key of words.
    fn fault(&self) -> Option<&'static str> {
        let len = self.passphrase.chars().count();
        match () {
            () if self.is_left_out => None,
            () if self.file.trim().is_empty() => Some("start-kit-no-file"),
            () if len < KIT_PASSPHRASE_LEN_CHARS_MIN => Some("start-kit-short"),
            () if self.passphrase != self.again => Some("start-kit-differs"),
            () => None,
        }
    }

    /// The kit that is wanted. The passphrase is forgotten; where it goes stays, for who tries again.
    fn take(&mut self) -> Option<NewKit> {
        let file = self.file.clone();
        let typed = std::mem::replace(
            self,
            Self {
                file,
                ..Self::default()
            },
        );
        (!typed.is_left_out).then(|| NewKit {
            file: typed.file.trim().to_owned(),
            passphrase: typed.passphrase,
        })
    }
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
        ui.add_space(((height - 720.0) / 2.0).max(space::XL));
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
            kit_ui(ui, look, &mut form.kit);
        });
        ui.add_space(space::M);
        let is_named = !name.is_empty() && form.kit.fault().is_none();
        if choice_ui(
            ui,
            look,
            ("start-create", "start-create-hint"),
            is_named,
            |_ui| {},
        ) {
            let kit = form.kit.take();
            let name = name.clone();
            intents.push(Intent::CreateWorkspace { name, kit });
        }
        ui.add_space(space::M);
        let invited = is_named && !form.invitation.trim().is_empty();
        if choice_ui(ui, look, ("start-join", "start-join-hint"), invited, |ui| {
            field_ui(ui, look, "start-invitation", &mut form.invitation);
        }) {
            let invitation = std::mem::take(&mut form.invitation).trim().to_owned();
            let kit = form.kit.take();
            intents.push(Intent::Join {
                invitation,
                name,
                kit,
            });
        }
        ui.add_space(space::M);
        if choice_ui(ui, look, ("start-demo", "start-demo-hint"), true, |_ui| {}) {
            intents.push(Intent::OpenDemo);
        }
    });
}

/// Where the recovery kit goes and what seals it, or what it means to have none.
fn kit_ui(ui: &mut Ui, look: Look<'_>, kit: &mut KitForm) {
    let small = |text: String| RichText::new(text).size(size::SMALL);
    let hint = if kit.is_left_out {
        small(look.texts.get("start-kit-none")).color(look.tokens.severity(Severity::Warning))
    } else {
        small(look.texts.get("start-kit-hint")).color(look.tokens.subdued)
    };
    ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
        ui.label(hint)
    });
    if !kit.is_left_out {
        field_ui(ui, look, "start-kit-file", &mut kit.file);
        for (key, text) in [
            ("start-kit-passphrase", &mut kit.passphrase),
            ("start-kit-again", &mut kit.again),
        ] {
            field_of(ui, look, key, |field| field.password(true), text);
        }
    }
    ui.horizontal(|ui| {
        ui.checkbox(&mut kit.is_left_out, look.texts.get("start-kit-without"));
        if let Some(fault) = kit.fault() {
            ui.label(small(look.texts.get(fault)).color(look.tokens.subdued));
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
    field_of(ui, look, key, |field| field, text)
}

/// The same, of a kind.
fn field_of<'t>(
    ui: &mut Ui,
    look: Look<'_>,
    key: &str,
    kind: impl FnOnce(TextEdit<'t>) -> TextEdit<'t>,
    text: &'t mut String,
) -> Response {
    ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
        let label = look.texts.get(key);
        let label = ui.label(
            RichText::new(label)
                .size(size::SMALL)
                .color(look.tokens.subdued),
        );
        let field = TextEdit::singleline(text)
            .desired_width(f32::INFINITY)
            .margin(egui::vec2(8.0, 6.0));
        let field = ui.add(kind(field)).labelled_by(label.id);
        ui.add_space(space::S);
        field
    })
    .inner
}

/// Whether Enter ended the typing in a field.
pub(super) fn entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}
