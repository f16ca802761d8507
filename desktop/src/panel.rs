//! Pages and bars: they draw a picture of the workspace and return what somebody asked for.

mod bar;
mod dialog;
mod note;
mod overview;
mod palette;
mod rail;
mod start;
mod sync;
mod system;
mod timeline;

use std::collections::VecDeque;

use egui::{CentralPanel, Frame as Area, Key, Margin, Modifiers, Panel, ScrollArea, Ui};

use crate::text::Texts;
use crate::theme::{Tokens, space};
use crate::view::{Frame, Intent, Route, Stage};
use crate::widget::Look;
use aramaki_sync_core::Timestamp;

pub use dialog::Dialog;
pub use note::NoteDraft;

/// How many routes one can go back.
const BACK_MAX: usize = 64;

/// What only this window knows: where one is and what one is typing.
#[derive(Debug, Default)]
pub struct Window {
    /// Where one is.
    pub route: Route,
    back: VecDeque<Route>,
    palette: Option<palette::Palette>,
    dialog: Option<Dialog>,
    note: Option<NoteDraft>,
    start: start::Form,
}

impl Window {
    /// A window that begins at a route.
    pub fn at(route: Route) -> Self {
        Self {
            route,
            ..Self::default()
        }
    }

    /// Goes somewhere, and remembers where one came from.
    pub fn go(&mut self, route: Route) {
        if route == self.route {
            return;
        }
        if self.back.len() == BACK_MAX {
            self.back.pop_front();
        }
        self.back
            .push_back(std::mem::replace(&mut self.route, route));
    }

    fn go_back(&mut self) {
        if let Some(route) = self.back.pop_back() {
            self.route = route;
        }
    }
}

/// Draws everything and returns what was asked for.
pub fn draw(ui: &mut Ui, frame: &Frame, window: &mut Window, texts: &Texts) -> Vec<Intent> {
    let look = Look {
        tokens: Tokens::of(ui.ctx()),
        texts,
        now: frame
            .snapshot
            .as_ref()
            .map_or(Timestamp::ZERO, |snapshot| snapshot.now),
    };
    let mut intents = Vec::new();
    match (frame.stage, &frame.snapshot) {
        (Stage::Open, Some(snapshot)) => {
            shortcuts(ui, window);
            bar::top_ui(ui, look, frame, window);
            bar::demo_ui(ui, look, frame, &mut intents);
            rail::rail_ui(ui, look, snapshot, window);
            page_area(look).show(ui, |ui| match window.route.clone() {
                Route::Overview => overview::overview_ui(ui, look, snapshot, window),
                Route::Timeline => timeline::timeline_ui(ui, look, snapshot, window),
                Route::System(space) => {
                    system::system_ui(ui, look, snapshot, space, window);
                }
                Route::Note(space, document) => {
                    note::note_ui(ui, look, snapshot, (space, document), window, &mut intents);
                }
            });
            palette::palette_ui(ui, look, snapshot, window);
            dialog::dialog_ui(ui, look, frame, window, &mut intents);
        }
        (Stage::Absent, _) => {
            page_area(look).show(ui, |ui| {
                start::start_ui(ui, look, &mut window.start, &mut intents);
            });
        }
        (Stage::Opening | Stage::Open, _) => {
            page_area(look).show(ui, |ui| {
                ui.centered_and_justified(|ui| ui.label(texts.get("opening")));
            });
        }
    }
    dialog::problem_ui(ui, look, frame, &mut intents);
    intents
}

fn page_area(look: Look<'_>) -> CentralPanel {
    CentralPanel::default().frame(
        Area::new()
            .fill(look.tokens.ground)
            .inner_margin(Margin::symmetric(24, 20)),
    )
}

/// A page that scrolls and keeps a readable width.
fn page(ui: &mut Ui, width_max: f32, add: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(width_max) - space::M);
        add(ui);
        ui.add_space(space::XXL);
    });
}

fn side(fill: egui::Color32) -> Area {
    Area::new().fill(fill).inner_margin(Margin {
        left: 8,
        right: 8,
        top: 12,
        bottom: 8,
    })
}

fn bottom_bar(id: &'static str) -> Panel {
    Panel::bottom(id).exact_size(40.0).resizable(false)
}

fn shortcuts(ui: &Ui, window: &mut Window) {
    let (palette, back) = ui.input_mut(|input| {
        (
            input.consume_key(Modifiers::COMMAND, Key::K),
            input.consume_key(Modifiers::ALT, Key::ArrowLeft),
        )
    });
    if palette {
        window.palette = Some(palette::Palette::default());
    }
    if back {
        window.go_back();
    }
}
