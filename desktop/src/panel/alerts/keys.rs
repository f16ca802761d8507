//! The keys of the worklist.

use aramaki_model::Snapshot;
use aramaki_model::alert::AlertId;
use egui::{Key, Modifiers, Popup, RichText, Ui};

use super::filter::Filter;
use super::{Moved, State, open, perspectives};
use crate::panel::{Dialog, Window};
use crate::theme::weighted;
use crate::view::alerts::Worklist;
use crate::view::deed::{Deed, DeedKind};
use crate::view::{Frame, Intent};
use crate::widget::Look;

/// How far a page of the list is.
const PAGE_LINES: usize = 12;

/// Takes the keys of this page, before any widget sees them.
pub(super) fn keys_ui(
    ui: &Ui,
    (frame, snapshot, list): (&Frame, &Snapshot, &Worklist),
    state: &mut State,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    if window.is_busy(ui.ctx()) {
        return;
    }
    perspectives::keys(ui, frame, state);
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    for (key, step) in [
        (Key::J, 1),
        (Key::K, -1),
        (Key::PageDown, 0),
        (Key::PageUp, 0),
    ] {
        let by = match key {
            Key::PageDown => isize::try_from(PAGE_LINES).unwrap_or(1),
            Key::PageUp => -isize::try_from(PAGE_LINES).unwrap_or(1),
            _ => step,
        };
        if pressed(Modifiers::SHIFT, key) {
            let anchor = state.anchor.or(state.cursor);
            go(snapshot, list, state, by);
            state.anchor = anchor;
            select_between(snapshot, list, state);
        } else if pressed(Modifiers::NONE, key) {
            go(snapshot, list, state, by);
            state.anchor = None;
        }
    }
    if pressed(Modifiers::NONE, Key::X)
        && let Some(cursor) = state.cursor
    {
        toggle(state, cursor);
    }
    if pressed(Modifiers::COMMAND, Key::A) {
        let lines = list.lines.iter();
        let shown = lines.filter_map(|line| line.alert(snapshot));
        state.selected = shown.map(|alert| alert.id).collect();
    }
    if pressed(Modifiers::NONE, Key::Escape) {
        state.selected.clear();
    }
    if pressed(Modifiers::NONE, Key::F) {
        forget_letter(ui);
        ui.memory_mut(|memory| memory.request_focus(Filter::field()));
    }
    if pressed(Modifiers::NONE, Key::Z) {
        intents.push(Intent::UndoDeed);
    }
    // Enter on a button presses that button.
    let focused = ui.memory(egui::Memory::focused);
    let is_in_list = focused.is_none() || focused == state.line;
    if is_in_list
        && pressed(Modifiers::NONE, Key::Enter)
        && let Some(cursor) = state.cursor
    {
        open(window, cursor);
        return;
    }
    deed_keys(ui, &state.meant(), window);
}

/// The keys of what can be done about alerts; also on an alert's own page.
pub(super) fn deed_keys(ui: &Ui, alerts: &[AlertId], window: &mut Window) {
    if alerts.is_empty() {
        return;
    }
    for (key, kind) in [
        (Key::A, DeedKind::Acknowledge),
        (Key::C, DeedKind::Claim),
        (Key::S, DeedKind::Silence),
        (Key::N, DeedKind::Say),
    ] {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            forget_letter(ui);
            // The line gives the keyboard to the small window.
            ui.memory_mut(|memory| {
                if let Some(focused) = memory.focused() {
                    memory.surrender_focus(focused);
                }
            });
            window.dialog = Some(Dialog::deed(Deed::new(kind, alerts.to_vec())));
        }
    }
}

/// The letter of a key must not reach the field that it leads to.
fn forget_letter(ui: &Ui) {
    ui.input_mut(|input| {
        input
            .events
            .retain(|event| !matches!(event, egui::Event::Text(_)));
    });
}

/// Selects an alert, or gives it up.
pub(super) fn toggle(state: &mut State, id: AlertId) {
    if !state.selected.remove(&id) {
        state.selected.insert(id);
    }
    state.anchor = Some(id);
}

/// Selects everything from the anchor to the cursor.
pub(super) fn select_between(snapshot: &Snapshot, list: &Worklist, state: &mut State) {
    let place = |id: Option<AlertId>| id.and_then(|id| list.line_of(snapshot, id));
    let (Some(a), Some(b)) = (place(state.anchor), place(state.cursor)) else {
        return;
    };
    let lines = list.lines.get(a.min(b)..=a.max(b)).unwrap_or_default();
    let between = lines.iter().filter_map(|line| line.alert(snapshot));
    state.selected.extend(between.map(|alert| alert.id));
}

/// Moves the cursor by so many alerts; heads are passed over.
fn go(snapshot: &Snapshot, list: &Worklist, state: &mut State, by: isize) {
    let here = state.cursor.and_then(|id| list.line_of(snapshot, id));
    let at = |place: usize| {
        let line = list.lines.get(place)?;
        line.alert(snapshot).map(|alert| alert.id)
    };
    let count = list.lines.len();
    let goal = match here {
        None => (0..count).find_map(at),
        Some(here) if by >= 0 => {
            let wanted = (here + by.unsigned_abs()).min(count.saturating_sub(1));
            let after = (wanted..count).find_map(at);
            after.or_else(|| (0..count).rev().find_map(at))
        }
        Some(here) => {
            let wanted = here.saturating_sub(by.unsigned_abs());
            let before = (0..=wanted).rev().find_map(at);
            before.or_else(|| (0..count).find_map(at))
        }
    };
    if goal.is_some() {
        state.cursor = goal;
        state.moved = Moved::ByKeyboard;
    }
}

/// The button that tells the keys.
pub(super) fn help_ui(ui: &mut Ui, look: Look<'_>) {
    let name = look.texts.get("alerts-keys");
    let button = ui.button("?").on_hover_text(&name);
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let asked = !ui.ctx().text_edit_focused()
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Questionmark));
    if asked {
        Popup::toggle_id(ui.ctx(), Popup::default_response_id(&button));
    }
    Popup::menu(&button).width(300.0).show(|ui| {
        super::super::popup_space(ui, |ui| {
            for (keys, key) in [
                ("J K", "keys-move"),
                ("Enter", "keys-open"),
                ("X · Shift+J K", "keys-select"),
                ("Ctrl+A", "keys-select-all"),
                ("A", "keys-acknowledge"),
                ("C", "keys-claim"),
                ("S", "keys-silence"),
                ("N", "keys-say"),
                ("Z", "keys-undo"),
                ("F", "keys-filter"),
                ("V · 1 … 9", "keys-perspective"),
                ("Esc", "keys-escape"),
            ] {
                ui.horizontal(|ui| {
                    ui.set_min_width(280.0);
                    ui.allocate_ui_with_layout(
                        egui::vec2(110.0, 18.0),
                        egui::Layout::left_to_right(egui::Align::Center),
                        |ui| {
                            ui.set_min_width(110.0);
                            ui.label(weighted(keys, 600.0).color(look.tokens.strong));
                        },
                    );
                    ui.label(RichText::new(look.texts.get(key)).color(look.tokens.text));
                });
            }
        });
    });
}
