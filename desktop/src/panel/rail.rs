//! The left rail: pages, then my Systems. In a narrow window it shows icons alone.

use aramaki_model::Snapshot;
use egui::{Panel, Response, ScrollArea, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::{AccessFilter, Route};
use crate::widget::{Icon, Look, Row, row, severity_word};

/// Below this width of the window, pages need the room more than names do.
const NAMES_MIN: f32 = 900.0;
const ICONS_WIDTH: f32 = 50.0;

/// What there is room for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Names,
    Icons,
}

/// Draws the rail and follows a click.
pub(super) fn rail_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    let room = if ui.ctx().content_rect().width() < NAMES_MIN {
        Room::Icons
    } else {
        Room::Names
    };
    let panel = if room == Room::Icons {
        Panel::left("rail of icons")
            .exact_size(ICONS_WIDTH)
            .resizable(false)
    } else {
        Panel::left("rail")
            .default_size(216.0)
            .size_range(160.0..=320.0)
    };
    panel.frame(super::side(look.tokens.panel)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let waiting = snapshot.alerts.iter().filter(|it| it.needs_attention());
        let waiting = u64::try_from(waiting.count()).unwrap_or(u64::MAX);
        let count = waiting.to_string();
        let pages = [
            (Route::Overview, Icon::Overview, "nav-overview"),
            (Route::Alerts, Icon::Alert, "nav-alerts"),
            (Route::Timeline, Icon::Timeline, "nav-timeline"),
            (Route::Peers, Icon::Peers, "nav-peers"),
            (
                Route::Access(AccessFilter::default()),
                Icon::Trust,
                "nav-access",
            ),
        ];
        for (route, icon, name) in pages {
            let name = look.texts.get(name);
            let here = window.route == route
                || matches!(
                    (&window.route, &route),
                    (Route::Access(_), Route::Access(_))
                );
            let mut line = Row::icon(icon, &name, here);
            if route == Route::Alerts && waiting > 0 {
                line.trailing = &count;
                line.name = look.texts.count("nav-alerts-count", waiting);
            }
            if line_ui(ui, look, line, room).clicked() {
                window.go(route);
            }
        }
        ui.add_space(space::L);
        if room == Room::Names {
            ui.add_space(space::S);
            ui.label(
                weighted(look.texts.get("nav-systems"), 600.0)
                    .size(size::TINY + 0.5)
                    .color(look.tokens.subdued),
            );
            ui.add_space(space::S);
        }
        systems_ui(ui, look, snapshot, window, room);
    });
}

fn line_ui(ui: &mut Ui, look: Look<'_>, mut line: Row<'_>, room: Room) -> Response {
    let name = line.text;
    if room == Room::Names {
        return row(ui, look, &line);
    }
    line.text = "";
    line.trailing = "";
    row(ui, look, &line).on_hover_text(name)
}

fn systems_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window, room: Room) {
    ScrollArea::vertical().auto_shrink(false).show_rows(
        ui,
        space::ROW,
        snapshot.systems.len(),
        |ui, visible| {
            for system in snapshot.systems.range(visible) {
                let effective = system.status.effective;
                let mut line =
                    Row::severity(effective, &severity_word(look, effective), &system.title);
                line.chosen = window.route.system() == Some(system.space);
                if line_ui(ui, look, line, room).clicked() {
                    window.go(Route::System(system.space));
                }
            }
        },
    );
}
