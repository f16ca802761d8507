//! Whose access to a System was ended before its time: when, by whom and why.

use egui::{Label, RichText, Ui};

use crate::theme::{size, space, weighted};
use crate::view::Ended;
use crate::widget::{Look, card, until};

/// Draws one card for each.
pub(super) fn list_ui(ui: &mut Ui, look: Look<'_>, ended: &[Ended]) {
    ui.add_space(space::M);
    let title = weighted(look.texts.get("trust-ended-title"), 650.0).color(look.tokens.strong);
    ui.label(title);
    for one in ended {
        card(ui, look, |ui| one_ui(ui, look, one));
    }
}

fn one_ui(ui: &mut Ui, look: Look<'_>, one: &Ended) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let name = weighted(&one.name, 600.0).color(look.tokens.strong);
    ui.add(Label::new(name).truncate());
    let at = until(look, one.at);
    let by = [("at", at.as_str()), ("by", one.by.as_str())];
    let mut said = vec![look.texts.with("trust-ended-by", &by)];
    if one.was_lost {
        said.push(look.texts.get("trust-ended-lost"));
    }
    if one.others > 0 {
        said.push(look.texts.count("trust-ended-others", one.others));
    }
    let said = RichText::new(said.join(" · "))
        .size(size::SMALL)
        .color(look.tokens.subdued);
    ui.add(Label::new(said).wrap());
    if !one.reason.is_empty() {
        let reason = [("reason", one.reason.as_str())];
        let reason = RichText::new(look.texts.with("trust-ended-reason", &reason))
            .size(size::SMALL)
            .color(look.tokens.text);
        ui.add(Label::new(reason).wrap());
    }
}
