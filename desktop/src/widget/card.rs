//! A raised area that groups what belongs together.

use egui::{Frame, InnerResponse, Margin, Stroke, Ui};

use super::Look;
use crate::theme::{size, space, weighted};

/// A card as wide as there is room.
pub fn card<R>(ui: &mut Ui, look: Look<'_>, add: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    Frame::new()
        .fill(look.tokens.raised)
        .stroke(Stroke::new(1.0, look.tokens.line))
        .corner_radius(10)
        .inner_margin(Margin::symmetric(14, 12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui)
        })
}

/// A card with a head line.
pub fn card_titled<R>(
    ui: &mut Ui,
    look: Look<'_>,
    title: &str,
    add: impl FnOnce(&mut Ui) -> R,
) -> InnerResponse<R> {
    card(ui, look, |ui| {
        ui.label(
            weighted(title, 600.0)
                .size(size::SMALL + 0.5)
                .color(look.tokens.subdued),
        );
        ui.add_space(space::S);
        add(ui)
    })
}
