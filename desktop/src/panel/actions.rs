//! What can be run for a System, and who did it last: did someone just do that already?

use aramaki_sync_core::{EnvelopeId, SpaceId};
use egui::{
    Align, CursorIcon, FontId, Label, Layout, Response, RichText, Role, Sense, Ui, WidgetInfo,
};

use super::{Dialog, Window};
use crate::theme::{size, space, weighted};
use crate::view::actions::{Came, HostAction, Run, Watched, newest};
use crate::view::{Frame, Route};
use crate::widget::{Look, ago, card_titled, clock, quiet};

/// How many actions are named at once.
const ACTIONS_SHOWN_MAX: usize = 20;
/// How many last runs of each.
const RUNS_SHOWN_MAX: usize = 2;

/// The card of everything that can be run, each with its last runs; none where nothing can.
pub(super) fn actions_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    system: SpaceId,
    window: &mut Window,
) {
    let known = frame.actions.as_ref();
    let Some(known) = known.filter(|known| known.system == system) else {
        return;
    };
    card_titled(ui, look, &look.texts.get("actions-title"), |ui| {
        let mut actions = known
            .actions
            .iter()
            .filter(|it| !it.has_own_place())
            .peekable();
        if actions.peek().is_none() {
            quiet(ui, look, &look.texts.get("actions-none"));
        }
        for (place, action) in actions.enumerate().take(ACTIONS_SHOWN_MAX) {
            if place > 0 {
                ui.add_space(space::S);
            }
            action_ui(ui, look, (system, action), window);
        }
    });
    ui.add_space(space::S);
}

fn action_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (system, action): (SpaceId, &HostAction),
    window: &mut Window,
) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let run = look.texts.get("actions-run");
            let said = [("action", action.name.as_str()), ("host", &action.host)];
            let name = look.texts.with("actions-run-name", &said);
            let button = ui.button(run);
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if button.clicked() {
                window.dialog = Some(Dialog::run(system, action).about(window.about));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = weighted(&action.name, 550.0).color(look.tokens.strong);
                ui.add(Label::new(name).truncate())
                    .on_hover_text(&action.description);
                quiet(ui, look, &action.host);
            });
        });
    });
    if let Some(run) = runs_ui(ui, look, action, Links::Yes) {
        window.go(Route::Run(system, run));
    }
}

/// Whether what is named can be gone to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// Each leads to its page.
    Yes,
    /// Something stands over the page.
    No,
}

/// Who asked for it last, and what came of it; the run to which somebody wants to go.
pub(super) fn runs_ui(
    ui: &mut Ui,
    look: Look<'_>,
    action: &HostAction,
    links: Links,
) -> Option<EnvelopeId> {
    let mut chosen = None;
    if action.runs.is_empty() && action.watched.is_empty() {
        quiet(ui, look, &look.texts.get("actions-never"));
    }
    let runs = newest(action.runs.iter().collect(), RUNS_SHOWN_MAX, |run| {
        run.came.began()
    });
    for run in runs {
        let words = run_words(look, run);
        let response = match links {
            Links::Yes => run_link_ui(ui, look, &words),
            Links::No => text_ui(ui, look, &words),
        };
        if links == Links::Yes && response.clicked() {
            chosen = Some(run.id);
        }
        if run.came == Came::Runs && !run.tail.is_empty() {
            // What it says now: seen without asking.
            let said = RichText::new(&run.tail).font(FontId::monospace(size::SMALL));
            ui.add(Label::new(said.color(look.tokens.subdued)).wrap());
        } else if !run.tail.is_empty() {
            response.on_hover_text(&run.tail);
        }
    }
    // What the host did by itself has no page.
    if let Some(last) = action.watched.first() {
        let response = text_ui(ui, look, &watched_words(look, last));
        if !last.tail.is_empty() {
            response.on_hover_text(&last.tail);
        }
    }
    chosen
}

/// A run of its own accord in words: `for the desired web/port, 3 min ago: done`.
fn watched_words(look: Look<'_>, last: &Watched) -> String {
    let came = came_words(look, &last.came);
    let ago = ago(look, last.at);
    let said = [("path", last.path.as_str()), ("ago", &ago), ("came", &came)];
    look.texts.with("actions-watched", &said)
}

fn text_ui(ui: &mut Ui, look: Look<'_>, words: &str) -> Response {
    let words = RichText::new(words).size(size::SMALL);
    ui.add(Label::new(words.color(look.tokens.text)).wrap())
}

/// Words about a run that lead to its page.
pub(super) fn run_link_ui(ui: &mut Ui, look: Look<'_>, words: &str) -> Response {
    let text = RichText::new(words).size(size::SMALL);
    let label = Label::new(text.color(look.tokens.accent)).selectable(false);
    let response = ui.add(label.wrap().sense(Sense::click()));
    response.widget_info(|| WidgetInfo::labeled(Role::Link, true, words));
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// What came of a request, in words.
pub(super) fn came_words(look: Look<'_>, came: &Came) -> String {
    match came {
        Came::Waits => look.texts.get("actions-waits"),
        Came::Runs => look.texts.get("actions-runs"),
        Came::Done => look.texts.get("actions-done"),
        Came::Failed(why) => look.texts.with("actions-failed", &[("why", why)]),
        Came::Postponed => look.texts.get("work-postponed"),
        Came::Left => look.texts.get("actions-left"),
        Came::Lost => look.texts.get("actions-lost"),
        Came::Unheard(since) => {
            let time = clock(look, *since);
            look.texts.with("actions-unheard", &[("time", &time)])
        }
        Came::Refused(why) => look.texts.with("actions-refused", &[("why", why)]),
        Came::Expired => look.texts.get("actions-expired"),
    }
}

/// One run in words: `alice, 6 min ago: done (cache was stale)`.
pub(super) fn run_words(look: Look<'_>, run: &Run) -> String {
    let came = came_words(look, &run.came);
    let ago = ago(look, run.at);
    let said = [("who", run.who.as_str()), ("ago", &ago), ("came", &came)];
    let words = look.texts.with("actions-last", &said);
    let arguments: Vec<_> = run
        .arguments
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let more = [arguments.join(" "), run.reason.clone()];
    let more: Vec<_> = more.into_iter().filter(|it| !it.is_empty()).collect();
    if more.is_empty() {
        return words;
    }
    format!("{words} ({})", more.join("; "))
}
