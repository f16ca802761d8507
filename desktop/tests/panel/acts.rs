//! What somebody at the window does: searches, types, presses keys.

use aramaki_desktop::app::AramakiApp;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::world::Desk;

/// The window that somebody sits at.
pub(crate) type Window = Harness<'static, AramakiApp<Desk>>;

/// Opens the search and types; its first result is chosen.
pub(crate) fn search(window: &mut Window, query: &str) {
    press(window, Key::Slash);
    // A page may have fields of its own.
    window
        .get_all_by_role(Role::TextInput)
        .find(egui_kittest::Node::is_focused)
        .unwrap()
        .type_text(query);
    window.run();
}

/// Searches and goes to the first result.
pub(crate) fn go(window: &mut Window, query: &str) {
    search(window, query);
    press(window, Key::Enter);
}

/// Types into a field by its name.
pub(crate) fn type_into(window: &mut Window, field: &str, text: &str) {
    window
        .get_by_role_and_label(Role::TextInput, field)
        .type_text(text);
    window.run();
}

/// Goes into a field by its name, and types there.
pub(crate) fn enter_into(window: &mut Window, field: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.run();
    type_into(window, field, text);
}

/// Presses what has this name.
pub(crate) fn click(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run();
}

/// Presses a key.
pub(crate) fn press(window: &mut Window, key: Key) {
    press_with(window, Modifiers::NONE, key);
}

/// Presses a key with others held.
pub(crate) fn press_with(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run();
}

/// A few frames; a blinking cursor never settles.
pub(crate) fn steps(window: &mut Window) {
    window.run_steps(4);
}
