//! The left rail: pages, then my Systems.

use aramaki_model::Snapshot;
use egui::{Panel, ScrollArea, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{Icon, Look, Row, row, severity_word};

/// Draws the rail and follows a click.
pub(super) fn rail_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    Panel::left("rail")
        .default_size(216.0)
        .size_range(160.0..=320.0)
        .frame(super::side(look.tokens.panel))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let pages = [
                (
                    Route::Overview,
                    Icon::Overview,
                    look.texts.get("nav-overview"),
                ),
                (
                    Route::Timeline,
                    Icon::Timeline,
                    look.texts.get("nav-timeline"),
                ),
            ];
            for (route, icon, name) in pages {
                if row(ui, look, &Row::icon(icon, &name, window.route == route)).clicked() {
                    window.go(route);
                }
            }
            ui.add_space(space::XL);
            ui.label(
                weighted(look.texts.get("nav-systems"), 600.0)
                    .size(size::TINY + 0.5)
                    .color(look.tokens.subdued),
            );
            ui.add_space(space::S);
            systems_ui(ui, look, snapshot, window);
        });
}

fn systems_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    ScrollArea::vertical().auto_shrink(false).show_rows(
        ui,
        space::ROW,
        snapshot.systems.len(),
        |ui, visible| {
            for system in snapshot.systems.get(visible).unwrap_or_default() {
                let route = Route::System(system.space);
                let effective = system.status.effective;
                let mut line =
                    Row::severity(effective, &severity_word(look, effective), &system.title);
                line.chosen = match &window.route {
                    Route::System(space) | Route::Note(space, _) => *space == system.space,
                    Route::Overview | Route::Timeline => false,
                };
                if row(ui, look, &line).clicked() {
                    window.go(route);
                }
            }
        },
    );
}
