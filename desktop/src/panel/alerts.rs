//! The worklist: every alert, the worst first, then the oldest; filtered, grouped, acted on together.

mod filter;
mod keys;
mod list;
mod perspectives;

pub(super) use list::care_words;

use std::collections::BTreeSet;
use std::sync::Arc;

use aramaki_model::alert::{Alert, AlertId};
use aramaki_model::query::KnownValues;
use aramaki_model::{ItemId, Query, Snapshot};
use aramaki_sync_core::{SpaceId, Timestamp};
use egui::{Align, Button, Layout, Popup, RichText, ScrollArea, Ui, UiBuilder, vec2};

use super::{Dialog, Window, dialog};
use crate::theme::{size, space, weighted};
use crate::view::alerts::{Grouping, Tab, Worklist, counts, known_values};
use crate::view::deed::{Deed, DeedKind};
use crate::view::{Frame, Intent, Route};
use crate::widget::Look;

/// From this width on the chosen alert is shown beside the list.
const BESIDE_MIN: f32 = 860.0;
/// How wide that is.
const BESIDE_WIDTH: f32 = 340.0;

/// What one looks at, and what is chosen.
#[derive(Debug, Default)]
pub(super) struct State {
    tab: Tab,
    grouping: Grouping,
    filter: filter::Filter,
    /// Below which Systems alerts are shown; below all when there is none.
    roots: BTreeSet<SpaceId>,
    /// What is looked for among Systems to begin at.
    root_query: String,
    /// The perspective that was chosen.
    perspective: Option<ItemId>,
    selected: BTreeSet<AlertId>,
    cursor: Option<AlertId>,
    /// Where a selection with Shift began.
    anchor: Option<AlertId>,
    /// The line that has the keyboard.
    line: Option<egui::Id>,
    /// Whether the list is to follow the cursor.
    moved: Moved,
    list: Option<(Seen, Arc<Worklist>)>,
    known: Option<(u64, KnownValues)>,
}

/// Whether the keyboard moved the cursor since it was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Moved {
    #[default]
    No,
    ByKeyboard,
}

/// What a list was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    version: u64,
    now: Timestamp,
    tab: Tab,
    grouping: Grouping,
    query: Query,
    roots: BTreeSet<SpaceId>,
}

impl State {
    /// Whether Escape gives up a selection rather than the page.
    pub(super) fn has_selection(&self) -> bool {
        !self.selected.is_empty()
    }

    /// The list, made anew only when something that it follows from changed.
    fn list(&mut self, snapshot: &Snapshot) -> Arc<Worklist> {
        let seen = Seen {
            version: snapshot.version,
            now: snapshot.now,
            tab: self.tab,
            grouping: self.grouping,
            query: self.filter.query().clone(),
            roots: self.roots.clone(),
        };
        if let Some((known, list)) = &self.list
            && *known == seen
        {
            return Arc::clone(list);
        }
        let chosen = (self.tab, self.filter.query());
        let list = Worklist::below(snapshot, &self.roots, chosen, self.grouping);
        let list = Arc::new(list);
        self.list = Some((seen, Arc::clone(&list)));
        // What cannot be seen is not acted on.
        if !self.selected.is_empty() {
            let shown: BTreeSet<AlertId> = list
                .lines
                .iter()
                .filter_map(|line| line.alert(snapshot))
                .map(|alert| alert.id)
                .collect();
            self.selected.retain(|id| shown.contains(id));
        }
        list
    }

    /// Draws the filter; what can be completed is gathered only while somebody types there.
    fn filter_ui(&mut self, ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot) {
        let is_typing = ui.memory(|memory| memory.has_focus(filter::Filter::field()));
        let is_old = self
            .known
            .as_ref()
            .is_none_or(|(version, _)| *version != snapshot.version);
        if is_typing && is_old {
            self.known = Some((snapshot.version, known_values(snapshot)));
        }
        let known = self.known.as_ref().map(|(_, known)| known);
        self.filter.filter_ui(ui, look, known.filter(|_| is_typing));
    }

    /// The alerts that a key or a button is about: those selected, else the one at the cursor.
    fn meant(&self) -> Vec<AlertId> {
        if self.selected.is_empty() {
            return self.cursor.into_iter().collect();
        }
        self.selected.iter().copied().collect()
    }
}

/// Draws the page.
pub(super) fn alerts_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let mut state = std::mem::take(&mut window.worklist);
    let list = state.list(snapshot);
    keys::keys_ui(ui, (frame, snapshot, &list), &mut state, window, intents);
    head_ui(ui, look, snapshot, &mut state);
    ui.horizontal_wrapped(|ui| {
        perspectives::menu_ui(ui, look, frame, &mut state, window);
        perspectives::roots_ui(ui, look, snapshot, &mut state);
    });
    state.filter_ui(ui, look, snapshot);
    bulk_ui(ui, look, &mut state, window, (&list, snapshot));
    let list = state.list(snapshot);
    if list.lines.is_empty() {
        none_ui(ui, look, snapshot, &mut state);
    } else {
        let beside = ui.available_width() >= BESIDE_MIN;
        let chosen = state
            .cursor
            .and_then(|id| snapshot.alert(&id))
            .map(AsRef::as_ref)
            .or_else(|| first(snapshot, &list));
        let mut area = ui.available_rect_before_wrap();
        if beside && let Some(alert) = chosen {
            let mut pane = area;
            pane.min.x = area.right() - BESIDE_WIDTH;
            area.max.x = pane.min.x - space::L;
            ui.scope_builder(UiBuilder::new().max_rect(pane), |ui| {
                beside_ui(ui, look, (frame, snapshot), alert, window, intents);
            });
        }
        ui.scope_builder(UiBuilder::new().max_rect(area), |ui| {
            list::list_ui(ui, look, (snapshot, &list), &mut state, (window, beside));
        });
    }
    window.worklist = state;
}

fn first<'a>(snapshot: &'a Snapshot, list: &Worklist) -> Option<&'a Alert> {
    let mut lines = list.lines.iter();
    lines.find_map(|line| line.alert(snapshot))
}

/// The chosen alert beside the list.
fn beside_ui(
    ui: &mut Ui,
    look: Look<'_>,
    shown: (&Frame, &Snapshot),
    alert: &Alert,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    ScrollArea::vertical()
        .id_salt("beside")
        .auto_shrink(false)
        .show(ui, |ui| {
            super::alert::brief_ui(ui, look, shown, alert, window, intents);
        });
}

/// Title, tabs with their counts, and how the list is grouped.
fn head_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, state: &mut State) {
    ui.horizontal(|ui| {
        ui.label(
            weighted(look.texts.get("alerts-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            keys::help_ui(ui, look);
            grouping_ui(ui, look, &mut state.grouping);
        });
    });
    ui.horizontal(|ui| {
        let names = [
            "alerts-tab-attention",
            "alerts-tab-open",
            "alerts-tab-resolved",
        ];
        for ((tab, key), count) in Tab::ALL.into_iter().zip(names).zip(counts(snapshot)) {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let text = look.texts.count(key, count);
            ui.selectable_value(&mut state.tab, tab, text);
        }
    });
    ui.add_space(space::S);
}

fn grouping_word(look: Look<'_>, grouping: Grouping) -> String {
    look.texts.get(match grouping {
        Grouping::None => "alerts-group-none",
        Grouping::System => "alerts-group-system",
        Grouping::Family => "alerts-group-family",
        Grouping::Age => "alerts-group-age",
        Grouping::Owner => "alerts-group-owner",
    })
}

fn grouping_ui(ui: &mut Ui, look: Look<'_>, grouping: &mut Grouping) {
    let chosen = grouping_word(look, *grouping);
    let text = look.texts.with("alerts-group", &[("by", &chosen)]);
    let button = ui.button(text);
    Popup::menu(&button).show(|ui| {
        super::popup_space(ui, |ui| {
            for choice in Grouping::ALL {
                ui.radio_value(grouping, choice, grouping_word(look, choice));
            }
        });
    });
}

/// What can be done with the selection, in place of nothing while there is none.
fn bulk_ui(
    ui: &mut Ui,
    look: Look<'_>,
    state: &mut State,
    window: &mut Window,
    (list, snapshot): (&Worklist, &Snapshot),
) {
    ui.horizontal(|ui| {
        ui.set_min_height(28.0);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        if state.selected.is_empty() {
            let shown = look.texts.count("alerts-shown", count(list.alerts));
            ui.label(
                RichText::new(shown)
                    .size(size::SMALL)
                    .color(look.tokens.subdued),
            );
            return;
        }
        let chosen = look
            .texts
            .count("alerts-selected", count(state.selected.len()));
        ui.label(weighted(chosen, 600.0).color(look.tokens.strong));
        deeds_ui(ui, look, snapshot, &state.meant(), window);
        if ui.button(look.texts.get("alerts-select-none")).clicked() {
            state.selected.clear();
        }
    });
    ui.add_space(space::S);
}

/// The buttons of everything that can be done about alerts; of what is over only something can be said.
pub(super) fn deeds_ui(
    ui: &mut Ui,
    look: Look<'_>,
    snapshot: &Snapshot,
    alerts: &[AlertId],
    window: &mut Window,
) {
    let mut known = alerts.iter().filter_map(|id| snapshot.alert(id));
    let is_open = known.any(|alert| alert.is_open());
    for (kind, key) in [
        (DeedKind::Acknowledge, "deed-acknowledge"),
        (DeedKind::Claim, "deed-claim"),
        (DeedKind::Silence, "deed-silence"),
        (DeedKind::Say, "deed-say"),
    ] {
        if !is_open && kind != DeedKind::Say {
            continue;
        }
        let button = Button::new(look.texts.get(key)).min_size(vec2(0.0, 26.0));
        if ui.add(button).clicked() {
            window.dialog = Some(Dialog::deed(Deed::new(kind, alerts.to_vec())));
        }
    }
}

/// What stands in place of an empty list, and what can be done.
fn none_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, state: &mut State) {
    if !state.filter.query().is_empty() || !state.roots.is_empty() {
        super::empty_ui(
            ui,
            look,
            ("alerts-none-match", "alerts-none-match-hint"),
            |ui| {
                if ui.button(look.texts.get("alerts-filter-clear")).clicked() {
                    state.filter.clear();
                    state.roots.clear();
                }
            },
        );
        return;
    }
    let [_, open, _] = counts(snapshot);
    match state.tab {
        Tab::Attention if open > 0 => {
            super::empty_ui(
                ui,
                look,
                ("alerts-none-attention", "alerts-none-but-open"),
                |ui| {
                    if ui.add(dialog::primary(look, "alerts-show-open")).clicked() {
                        state.tab = Tab::Open;
                    }
                },
            );
        }
        Tab::Attention | Tab::Open if snapshot.systems.iter().all(|it| it.checks.is_empty()) => {
            let words = ("alerts-none-observed", "overview-unobserved");
            super::empty_ui(ui, look, words, |_ui| {});
        }
        Tab::Attention | Tab::Open => {
            super::empty_ui(
                ui,
                look,
                ("alerts-none-attention", "alerts-none-at-all"),
                |_ui| {},
            );
        }
        Tab::Resolved => {
            super::empty_ui(ui, look, ("alerts-none-resolved", ""), |_ui| {});
        }
    }
}

/// The keys of an alert's own page.
pub(super) fn page_keys(ui: &Ui, id: AlertId, window: &mut Window, intents: &mut Vec<Intent>) {
    if window.is_busy(ui.ctx()) {
        return;
    }
    if ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Z)) {
        intents.push(Intent::UndoDeed);
    }
    keys::deed_keys(ui, &[id], window);
}

/// Goes to an alert's own page.
fn open(window: &mut Window, id: AlertId) {
    window.go(Route::Alert(id));
}
