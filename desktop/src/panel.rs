//! Pages and bars: they draw a picture of the workspace and return what somebody asked for.

mod access;
mod actions;
mod alert;
mod alerts;
mod bar;
mod cause;
mod check_runbook;
mod deed;
mod devices;
mod dialog;
mod draft;
mod emergency;
mod ended;
mod incident;
mod left_out;
mod maintenance;
mod note;
mod observe;
mod overview;
mod palette;
mod peers;
mod problem;
mod proposals;
mod rail;
mod renew;
mod requests;
mod run;
mod run_page;
mod runbook;
mod settings;
mod share;
mod start;
mod sync;
mod system;
mod timeline;
mod trust;
mod values;

use std::collections::VecDeque;

use egui::{
    CentralPanel, Context, FocusDirection, Frame as Area, Id, Key, Margin, Modifiers, Panel, Popup,
    Response, RichText, ScrollArea, Ui,
};

use crate::text::{Language, Texts};
use crate::theme::{Tokens, space, weighted};
use crate::view::{Frame, Intent, LookedBack, Route, Stage};
use crate::widget::{Look, quiet};
use aramaki_model::{AlertId, CheckId, Severity, Snapshot};
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};

pub use dialog::{Copied, Dialog, Hidden};
pub use incident::IncidentForm;
pub use note::NoteDraft;
pub use observe::ObserverForm;
pub use proposals::ProposalsForm;
pub use requests::AnswerForm;
pub use run::RunForm;

/// How many routes one can go back.
const BACK_MAX: usize = 64;

/// What only this window knows: where one is and what one is typing.
#[derive(Debug, Default)]
pub struct Window {
    /// Where one is.
    pub route: Route,
    /// What it speaks.
    pub language: Language,
    back: VecDeque<Route>,
    /// The one state that the overview shows.
    filter: Option<Severity>,
    /// Where the keyboard enters the list of the page.
    list: Option<Id>,
    palette: Option<palette::Palette>,
    dialog: Option<Dialog>,
    note: Option<NoteDraft>,
    /// How many drafts there were.
    drafts: u64,
    start: start::Form,
    worklist: alerts::State,
    timeline: timeline::Filter,
    causes: crate::view::cause::Causes,
    /// The System of which it was asked last what can be run there.
    looked_at: Option<SpaceId>,
    /// The run of which all was asked for last.
    looked_at_run: Option<(SpaceId, EnvelopeId)>,
    /// Where it was asked last whose access has ended.
    looked_back: Option<LookedBack>,
    /// The check of a System whose values are open.
    measured: Option<(SpaceId, CheckId)>,
    /// The alert that is looked at while its page or its short form is drawn: what is asked for there is for it.
    about: Option<AlertId>,
    /// Notes as they were read.
    runbooks: runbook::Read,
    /// Whether a note is shown as it is read, where there is no room for both.
    previews: note::Preview,
    /// What pages asked for while they were drawn.
    asks: Vec<Intent>,
    /// Whether a field of the page had the keyboard when the window was last drawn: Escape takes
    /// it away before anything is drawn.
    was_typing: bool,
}

impl Window {
    /// A window that begins at a route.
    pub fn at(route: Route) -> Self {
        Self {
            route,
            ..Self::default()
        }
    }

    /// The same in a language.
    pub fn speaking(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// The same with something asked in a small window.
    pub fn asking(self, dialog: Dialog) -> Self {
        Self {
            dialog: Some(dialog),
            ..self
        }
    }

    /// The same with the palette open.
    pub fn searching(self, query: &str) -> Self {
        Self {
            palette: Some(palette::Palette::of(query)),
            ..self
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

    /// Asks once what can be run for the System that a page is about.
    fn look_at(&mut self, system: SpaceId, frame: &Frame, intents: &mut Vec<Intent>) {
        let is_known = frame.actions.as_ref().is_some_and(|it| it.system == system);
        if !is_known && self.looked_at != Some(system) {
            self.looked_at = Some(system);
            intents.push(Intent::LookAt(system));
        }
    }

    /// Asks once for all of the run that a page is about.
    fn look_at_run(&mut self, run: (SpaceId, EnvelopeId)) {
        if self.looked_at_run != Some(run) {
            self.looked_at_run = Some(run);
            self.asks.push(Intent::LookAtRun(run.0, run.1));
        }
    }

    /// Asks once whose access has ended where a trust page is about.
    fn look_back(&mut self, at: LookedBack, intents: &mut Vec<Intent>) {
        if self.looked_back != Some(at) {
            self.looked_back = Some(at);
            intents.push(Intent::LookBack(at));
        }
    }

    /// Asks for something while a page is drawn.
    fn ask(&mut self, intent: Intent) {
        self.asks.push(intent);
    }

    /// Whether a small window stands over the page.
    const fn is_covered(&self) -> bool {
        self.palette.is_some() || self.dialog.is_some()
    }

    /// Whether keys belong to something that stands over the page, or to a field.
    fn is_busy(&self, ctx: &Context) -> bool {
        self.is_covered()
            || ctx.text_edit_focused()
            || (self.was_typing && ctx.input(|input| input.key_pressed(Key::Escape)))
            // Of this frame no small list is drawn yet; what is remembered counts.
            || Popup::is_any_open(ctx)
    }

    fn go_back(&mut self) {
        if let Some(route) = self.back.pop_back() {
            self.route = route;
        }
    }

    /// A row of the page's list; the first of a frame is where the keyboard enters it.
    fn list_has(&mut self, response: &Response) {
        if self.list.is_none() {
            self.list = Some(response.id);
        }
        if response.gained_focus() {
            response.scroll_to_me(None);
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
    let was_covered = window.is_covered();
    match (frame.stage, &frame.snapshot) {
        (Stage::Open, Some(snapshot)) => {
            shortcuts(ui, window);
            bar::top_ui(ui, look, frame, window);
            emergency::banner_ui(ui, look, frame, window, &mut intents);
            bar::demo_ui(ui, look, frame, &mut intents);
            rail::rail_ui(ui, look, snapshot, window);
            page_area(look).show(ui, |ui| {
                // Each page keeps where it was scrolled to, also beside another of its kind.
                let page = window.route.clone();
                ui.push_id(page, |ui| {
                    page_ui(ui, look, (frame, snapshot), window, &mut intents);
                });
            });
            palette::palette_ui(ui, look, snapshot, window);
            dialog::dialog_ui(ui, look, frame, window, &mut intents);
        }
        (Stage::Absent, _) => {
            page_area(look).show(ui, |ui| {
                start::start_ui(ui, look, &mut window.start, &mut intents);
            });
        }
        (Stage::Taken, _) => {
            page_area(look).show(ui, |ui| {
                empty_ui(ui, look, ("opening-taken", "opening-taken-hint"), |ui| {
                    quiet(ui, look, &frame.taken);
                });
            });
        }
        (Stage::Opening | Stage::Open, _) => {
            page_area(look).show(ui, |ui| {
                ui.centered_and_justified(|ui| ui.label(texts.get("opening")));
            });
        }
    }
    problem::problem_ui(ui, look, frame, &mut intents);
    intents.append(&mut window.asks);
    // The field of a small window that is just closed is gone.
    window.was_typing = !was_covered && ui.ctx().text_edit_focused();
    intents
}

fn page_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    window.about = None;
    match window.route.clone() {
        Route::Overview => {
            access::soon_ui(ui, look, frame, window);
            requests::strip_ui(ui, look, frame, window);
            overview::overview_ui(ui, look, snapshot, window);
        }
        Route::Access(filter) => {
            access::access_ui(ui, look, (frame, snapshot), filter, window, intents);
        }
        Route::Alerts => {
            requests::strip_ui(ui, look, frame, window);
            alerts::alerts_ui(ui, look, (frame, snapshot), window, intents);
        }
        Route::Alert(id) => alert::alert_ui(ui, look, (frame, snapshot), id, window, intents),
        Route::Timeline => timeline::timeline_ui(ui, look, (frame, snapshot), window),
        Route::Run(space, request) => {
            window.look_at(space, frame, intents);
            run_page::run_ui(ui, look, (frame, snapshot), (space, request), window);
        }
        Route::Peers => {
            peers::title_ui(ui, look, &frame.sync);
            peers::awaited_ui(ui, look, &frame.sync, intents);
            peers::equal_ranks_ui(ui, look, &frame.equal_ranks, window);
            let devices = (frame.devices.as_slice(), frame.without_kit);
            devices::devices_ui(ui, look, devices, window, intents);
            peers::peers_ui(ui, look, snapshot, &frame.sync, window);
        }
        Route::System(space) => {
            window.look_at(space, frame, intents);
            system::system_ui(ui, look, (frame, snapshot), space, window);
        }
        Route::Note(space, document) => {
            let work = frame.notes.get(&document).copied().unwrap_or_default();
            window.look_at(space, frame, intents);
            let shown = (snapshot, frame.trust.get(&space), work);
            note::note_ui(ui, look, (frame, shown), (space, document), window, intents);
        }
        Route::Trust(space) => {
            let shown = (snapshot, frame.trust.get(&space));
            trust::trust_ui(ui, look, shown, space, window, intents);
        }
    }
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
        ui.set_max_width(ui.available_width().min(width_max));
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

/// What a page says when it has nothing to show, and what can be done.
fn empty_ui(ui: &mut Ui, look: Look<'_>, (title, hint): (&str, &str), add: impl FnOnce(&mut Ui)) {
    ui.add_space(80.0);
    ui.vertical_centered(|ui| {
        ui.label(
            weighted(look.texts.get(title), 600.0)
                .size(17.0)
                .color(look.tokens.strong),
        );
        if !hint.is_empty() {
            ui.label(RichText::new(look.texts.get(hint)).color(look.tokens.subdued));
        }
        ui.add_space(space::L);
        add(ui);
    });
}

/// Room around what stands in a small list under a button.
fn popup_space<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    Area::new().inner_margin(8).show(ui, add).inner
}

/// Keys that work on every page: search, back, and up and down in its list.
fn shortcuts(ui: &Ui, window: &mut Window) {
    let list = window.list.take();
    let modal = window.is_covered();
    // A small list closes by itself on Escape, and a field gives up the keyboard.
    let busy = window.is_busy(ui.ctx());
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    // Searching is what one does also from a small list.
    let slash = !modal && !ui.ctx().text_edit_focused() && pressed(Modifiers::NONE, Key::Slash);
    let search = slash || pressed(Modifiers::COMMAND, Key::K);
    if search && window.dialog.is_none() {
        Popup::close_all(ui.ctx());
        window.palette = Some(palette::Palette::default());
    }
    // The worklist's own Escape gives up its selection.
    let gives_up = window.route == Route::Alerts && window.worklist.has_selection();
    let back = (!modal && pressed(Modifiers::ALT, Key::ArrowLeft))
        || (!busy && !gives_up && pressed(Modifiers::NONE, Key::Escape));
    if back {
        window.go_back();
    }
    if busy || window.route == Route::Alerts {
        return;
    }
    // With the focus in the list egui moves by arrows itself; J and K do the same.
    let focused = ui.memory(egui::Memory::focused);
    let down = pressed(Modifiers::NONE, Key::J);
    let up = pressed(Modifiers::NONE, Key::K);
    let enters = focused.is_none()
        && (down
            || up
            || pressed(Modifiers::NONE, Key::ArrowDown)
            || pressed(Modifiers::NONE, Key::ArrowUp));
    if enters {
        if let Some(list) = list {
            ui.memory_mut(|memory| memory.request_focus(list));
        }
    } else if down {
        ui.memory_mut(|memory| memory.move_focus(FocusDirection::Down));
    } else if up {
        ui.memory_mut(|memory| memory.move_focus(FocusDirection::Up));
    }
}
