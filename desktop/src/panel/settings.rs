//! What only this window decides: its theme and its language.

use egui::{Popup, RichText, ThemePreference, Ui};

use super::Window;
use crate::text::Language;
use crate::theme::{size, space, weighted};
use crate::widget::{Icon, Look, icon_button};

const WIDTH: f32 = 250.0;

/// The button in the top bar; a click shows the choices.
pub(super) fn settings_ui(ui: &mut Ui, look: Look<'_>, person: &str, window: &mut Window) {
    let title = look.texts.get("settings-title");
    let button = icon_button(ui, look, Icon::Settings, &title);
    Popup::menu(&button)
        .width(WIDTH)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            super::popup_space(ui, |ui| {
                if !person.is_empty() {
                    ui.label(weighted(person, 600.0).color(look.tokens.strong));
                    ui.add_space(space::S);
                }
                theme_ui(ui, look);
                ui.add_space(space::M);
                language_ui(ui, look, window);
            });
        });
}

fn head_ui(ui: &mut Ui, look: Look<'_>, key: &str) {
    ui.label(
        RichText::new(look.texts.get(key))
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
}

fn theme_ui(ui: &mut Ui, look: Look<'_>) {
    head_ui(ui, look, "settings-theme");
    let mut theme = ui.ctx().options(|options| options.theme_preference);
    let before = theme;
    for (choice, key) in [
        (ThemePreference::System, "theme-system"),
        (ThemePreference::Light, "theme-light"),
        (ThemePreference::Dark, "theme-dark"),
    ] {
        ui.radio_value(&mut theme, choice, look.texts.get(key));
    }
    if theme != before {
        ui.ctx().set_theme(theme);
    }
}

fn language_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) {
    head_ui(ui, look, "settings-language");
    for (choice, key) in [
        (Language::System, "language-system"),
        (Language::English, "language-en"),
        (Language::German, "language-de"),
    ] {
        ui.radio_value(&mut window.language, choice, look.texts.get(key));
    }
}
