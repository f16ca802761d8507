//! The menu of perspectives, and where they begin.

use aramaki_model::{ItemId, Perspective, Snapshot};
use egui::{Key, Modifiers, Popup, PopupCloseBehavior, RichText, ScrollArea, TextEdit, Ui};

use super::State;
use crate::panel::{Dialog, Window, popup_space};
use crate::theme::{size, space};
use crate::view::alerts::{Grouping, Tab};
use crate::view::{Frame, Intent};
use crate::widget::{Icon, Look, Row, row};

/// Perspectives that a digit reaches.
const DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];
/// Systems that are offered as roots at once.
const ROOTS_OFFERED_MAX: usize = 30;
const WIDTH: f32 = 300.0;

impl State {
    /// How the list is looked at now.
    fn perspective(&self, name: &str) -> Perspective {
        Perspective {
            name: name.to_owned(),
            roots: self.roots.iter().copied().collect(),
            filter: self.filter.text().to_owned(),
            grouping: self.grouping.word().to_owned(),
            tab: self.tab.word().to_owned(),
        }
    }

    /// Looks at the list so.
    fn look_so(&mut self, id: Option<ItemId>, perspective: &Perspective) {
        self.perspective = id;
        self.roots = perspective.roots.iter().copied().collect();
        self.filter.write(&perspective.filter);
        self.grouping = Grouping::of_word(&perspective.grouping);
        self.tab = Tab::of_word(&perspective.tab);
    }
}

/// The digits: each looks at the list by one perspective.
pub(super) fn keys(ui: &Ui, frame: &Frame, state: &mut State) -> bool {
    for (key, (id, perspective)) in DIGITS.into_iter().zip(&frame.perspectives) {
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            state.look_so(Some(*id), perspective);
            return true;
        }
    }
    false
}

/// The button that names the perspective, and its menu; V opens it.
pub(super) fn menu_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    state: &mut State,
    window: &mut Window,
) {
    let saved = &frame.perspectives;
    let now = state.perspective("");
    // The one that was chosen; after saving, the one that shows the same.
    let chosen = saved.iter().find(|(id, _)| state.perspective == Some(*id));
    let chosen = chosen.or_else(|| saved.iter().find(|(_, it)| it.shows_same(&now)));
    let is_changed = chosen.is_some_and(|(_, it)| !it.shows_same(&now));
    let name = match chosen {
        Some((_, it)) if is_changed => look
            .texts
            .with("perspective-changed", &[("name", &it.name)]),
        Some((_, it)) => look.texts.with("perspective-named", &[("name", &it.name)]),
        None => look.texts.get("perspective-none"),
    };
    let button = ui.button(name);
    let id = Popup::default_response_id(&button);
    let listens = Popup::is_id_open(ui.ctx(), id) || !window.is_busy(ui.ctx());
    if listens && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::V)) {
        Popup::toggle_id(ui.ctx(), id);
    }
    Popup::menu(&button)
        .width(WIDTH)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            popup_space(ui, |ui| {
                ui.set_width(WIDTH);
                let done = content_ui(ui, look, (frame, chosen, is_changed), state, window);
                if done || keys(ui, frame, state) {
                    ui.close();
                }
            });
        });
}

/// The menu; whether something was chosen.
fn content_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, chosen, is_changed): (&Frame, Option<&(ItemId, Perspective)>, bool),
    state: &mut State,
    window: &mut Window,
) -> bool {
    let mut done = false;
    let mut so = None;
    if frame.perspectives.is_empty() {
        let none = RichText::new(look.texts.get("perspective-none-saved")).size(size::SMALL);
        ui.label(none.color(look.tokens.subdued));
    }
    ScrollArea::vertical().max_height(280.0).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for (place, (id, perspective)) in frame.perspectives.iter().enumerate() {
            let is_chosen = chosen.is_some_and(|(chosen, _)| chosen == id);
            let digit = if place < DIGITS.len() {
                (place + 1).to_string()
            } else {
                String::new()
            };
            let mut line = Row::icon(Icon::Search, &perspective.name, is_chosen);
            line.trailing = &digit;
            if row(ui, look, &line).clicked() {
                so = Some((Some(*id), perspective.clone()));
            }
        }
    });
    ui.add_space(space::S);
    let mut item = |ui: &mut Ui, key: &str| {
        let clicked = ui.button(look.texts.get(key)).clicked();
        done |= clicked;
        clicked
    };
    if let Some((id, perspective)) = chosen {
        if is_changed && item(ui, "perspective-update") {
            window.ask(Intent::SavePerspective {
                id: Some(*id),
                perspective: state.perspective(&perspective.name),
            });
            state.perspective = Some(*id);
        }
        if item(ui, "perspective-rename") {
            window.dialog = Some(Dialog::Perspective {
                id: Some(*id),
                perspective: perspective.clone(),
            });
        }
        if item(ui, "perspective-delete") {
            window.ask(Intent::DeletePerspective(*id));
            state.perspective = None;
        }
    }
    if item(ui, "perspective-save") {
        state.perspective = None;
        window.dialog = Some(Dialog::Perspective {
            id: None,
            perspective: state.perspective(""),
        });
    }
    if item(ui, "perspective-everything") {
        so = Some((None, Perspective::default()));
    }
    if let Some((id, perspective)) = so {
        state.look_so(id, &perspective);
        done = true;
    }
    done
}

/// Below which Systems alerts are shown.
pub(super) fn roots_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, state: &mut State) {
    let words = match state.roots.first().filter(|_| state.roots.len() == 1) {
        Some(one) => {
            let system = snapshot.system(one);
            let title = system.map_or_else(|| one.short(), |system| system.title.clone());
            look.texts.with("roots-below", &[("system", &title)])
        }
        None if state.roots.is_empty() => look.texts.get("roots-all"),
        None => {
            let count = u64::try_from(state.roots.len()).unwrap_or(u64::MAX);
            look.texts.count("roots-several", count)
        }
    };
    let button = ui.button(words);
    Popup::menu(&button)
        .width(WIDTH)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            popup_space(ui, |ui| {
                ui.set_width(WIDTH);
                let hint = look.texts.get("roots-find");
                let field = TextEdit::singleline(&mut state.root_query).hint_text(&hint);
                let field = ui.add(field.desired_width(WIDTH));
                // Who opens the list types what they look for.
                if button.clicked() {
                    field.request_focus();
                }
                ui.ctx()
                    .accesskit_node_builder(field.id, |node| node.set_label(hint.as_str()));
                if !state.roots.is_empty() && ui.button(look.texts.get("roots-all")).clicked() {
                    state.roots.clear();
                }
                let wanted = state.root_query.trim().to_lowercase();
                let mut systems: Vec<_> = snapshot.systems.iter().collect();
                // What is chosen stands first, then what has parts: those are asked for most.
                systems.sort_by_key(|it| (!state.roots.contains(&it.space), it.parts.is_empty()));
                let systems = systems.into_iter();
                let systems = systems.filter(|it| it.title.to_lowercase().contains(&wanted));
                for system in systems.take(ROOTS_OFFERED_MAX) {
                    let mut is_root = state.roots.contains(&system.space);
                    if ui.checkbox(&mut is_root, &system.title).changed() {
                        if is_root {
                            state.roots.insert(system.space);
                        } else {
                            state.roots.remove(&system.space);
                        }
                    }
                }
            });
        });
}
