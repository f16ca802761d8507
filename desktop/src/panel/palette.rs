//! Search and go, without leaving the keyboard.

use aramaki_model::service::{Lease, services_of};
use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::SpaceId;
use egui::{Align2, Id, Key, Modal, Modifiers, RichText, TextEdit, Ui, vec2};

use super::system::service_severity;
use super::{Dialog, Window};
use crate::theme::space;
use crate::view::Route;
use crate::view::deed::Deed;
use crate::widget::{Icon, Look, Row, row, severity_word};

const WIDTH: f32 = 600.0;
const FOUND_MAX: usize = 10;

/// What one searches, and which result is chosen.
#[derive(Debug, Default)]
pub(super) struct Palette {
    query: String,
    chosen: usize,
}

impl Palette {
    /// A palette in which something was typed already.
    pub(super) fn of(query: &str) -> Self {
        Self {
            query: query.to_owned(),
            chosen: 0,
        }
    }
}

enum Goal {
    Route(Route),
    NewSystem,
    Join,
    Silence,
    Incident(SpaceId),
}

enum Sign {
    Severity(Severity),
    Icon(Icon),
}

struct Found {
    sign: Sign,
    text: String,
    trailing: String,
    goal: Goal,
}

/// Draws the palette while it is open.
pub(super) fn palette_ui(ui: &Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    let Some(mut palette) = window.palette.take() else {
        return;
    };
    let (up, down, enter) = ui.input_mut(|input| {
        (
            input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp),
            input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    let here = window.route.system();
    let mut picked = None;
    let id = Id::unique("palette");
    let modal = Modal::new(id)
        .frame(super::dialog::frame(ui))
        .area(Modal::default_area(id).anchor(Align2::CENTER_TOP, vec2(0.0, 84.0)))
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 80.0));
            let hint = look.texts.get("search-hint");
            let field = TextEdit::singleline(&mut palette.query)
                .hint_text(&hint)
                .desired_width(f32::INFINITY)
                .margin(vec2(10.0, 8.0));
            let response = ui.add(field);
            ui.ctx()
                .accesskit_node_builder(response.id, |node| node.set_label(hint.as_str()));
            response.request_focus();
            if response.changed() {
                palette.chosen = 0;
            }
            ui.add_space(space::S);
            ui.spacing_mut().item_spacing.y = 1.0;
            let found = search(look, (snapshot, here), &palette.query);
            palette.chosen = (palette.chosen + down)
                .saturating_sub(up)
                .min(found.len().saturating_sub(1));
            if found.is_empty() {
                let none = look.texts.get("palette-none");
                ui.label(RichText::new(none).color(look.tokens.subdued));
            }
            for (place, found) in found.into_iter().enumerate() {
                let mut line = match found.sign {
                    Sign::Severity(severity) => {
                        Row::severity(severity, &severity_word(look, severity), &found.text)
                    }
                    Sign::Icon(icon) => Row::icon(icon, &found.text, false),
                };
                line.chosen = place == palette.chosen;
                line.trailing = &found.trailing;
                if row(ui, look, &line).clicked() || (line.chosen && enter) {
                    picked = Some(found.goal);
                }
            }
        });
    match picked {
        Some(Goal::Route(route)) => window.go(route),
        Some(Goal::NewSystem) => window.dialog = Some(Dialog::new_system()),
        Some(Goal::Incident(system)) => window.dialog = Some(Dialog::incident(system)),
        Some(Goal::Silence) => window.dialog = Some(Dialog::deed(Deed::by_labels())),
        Some(Goal::Join) => window.dialog = Some(Dialog::join()),
        None if modal.should_close() => {}
        None => window.palette = Some(palette),
    }
}

/// What matches every word of a query: pages, commands (those of the System where one is too), Systems,
/// services, notes; at most [`FOUND_MAX`].
fn search(
    look: Look<'_>,
    (snapshot, here): (&Snapshot, Option<SpaceId>),
    query: &str,
) -> Vec<Found> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let matches = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let pages = [
        (Icon::Overview, "nav-overview", Goal::Route(Route::Overview)),
        (Icon::Alert, "nav-alerts", Goal::Route(Route::Alerts)),
        (Icon::Timeline, "nav-timeline", Goal::Route(Route::Timeline)),
        (Icon::Peers, "nav-peers", Goal::Route(Route::Peers)),
        (Icon::Add, "action-new-system", Goal::NewSystem),
        (Icon::Add, "action-join", Goal::Join),
        (Icon::Alert, "deed-by-labels", Goal::Silence),
    ]
    .into_iter()
    .map(|(icon, key, goal)| Found {
        sign: Sign::Icon(icon),
        text: look.texts.get(key),
        trailing: String::new(),
        goal,
    });
    let incident = here.map(|system| Found {
        sign: Sign::Icon(Icon::Add),
        text: look.texts.get("action-incident"),
        trailing: String::new(),
        goal: Goal::Incident(system),
    });
    let systems = snapshot.systems.iter().map(|system| Found {
        sign: Sign::Severity(system.status.effective),
        text: system.title.clone(),
        trailing: system.category.clone(),
        goal: Goal::Route(Route::System(system.space)),
    });
    let notes = snapshot.systems.iter().flat_map(|system| {
        system.notes.iter().map(|note| Found {
            sign: Sign::Icon(Icon::Note),
            text: note.title.clone(),
            trailing: system.title.clone(),
            goal: Goal::Route(Route::Note(system.space, note.document)),
        })
    });
    let observed = snapshot.systems.iter().filter(|system| {
        let mut agents = system.agents.iter();
        !words.is_empty() && agents.any(|agent| !agent.services.is_empty())
    });
    let services = observed.flat_map(|system| {
        let views = services_of(system, look.now).into_iter();
        let views = views.filter(|view| view.lease != Lease::Archived);
        views.map(|view| Found {
            sign: Sign::Severity(service_severity(&view)),
            trailing: format!("{} · {}", view.machine, view.title),
            text: view.claim.name,
            goal: Goal::Route(Route::System(view.system)),
        })
    });
    pages
        .chain(incident)
        .chain(systems)
        .chain(services)
        .chain(notes)
        .filter(|found| matches(&format!("{} {}", found.text, found.trailing)))
        .take(FOUND_MAX)
        .collect()
}
