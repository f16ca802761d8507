//! Whose access has ended, of one System or of all: when, by whom and why.

use aramaki_model::Snapshot;
use aramaki_sync_core::SpaceId;
use egui::{Label, RichText, ScrollArea, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::{Ended, Frame, Route};
use crate::widget::{Look, card, until};

const WIDTH_MAX: f32 = 980.0;
/// More are told by `aramaki trust audit`.
const SHOWN_MAX: usize = 200;

/// Draws one card for each.
pub(super) fn list_ui(ui: &mut Ui, look: Look<'_>, ended: &[Ended]) {
    ui.add_space(space::M);
    let title = weighted(look.texts.get("trust-ended-title"), 650.0).color(look.tokens.strong);
    ui.label(title);
    for one in ended {
        card(ui, look, |ui| one_ui(ui, look, one));
    }
    more_ui(ui, look);
}

/// Says where the rest is.
fn more_ui(ui: &mut Ui, look: Look<'_>) {
    let more = RichText::new(look.texts.get("trust-ended-more"))
        .size(size::SMALL)
        .color(look.tokens.subdued);
    ui.add(Label::new(more).wrap());
}

/// Draws those of all Systems, newest first, each with the way to its System.
pub(super) fn everywhere_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    window: &mut Window,
) {
    let mut all: Vec<(SpaceId, &Ended)> = frame
        .trust
        .iter()
        .flat_map(|(space, trust)| trust.ended.iter().map(|one| (*space, one)))
        .collect();
    if all.is_empty() {
        ui.label(RichText::new(look.texts.get("access-none")).color(look.tokens.subdued));
        return;
    }
    all.sort_by(|(one, a), (other, b)| (b.at, &a.name, one).cmp(&(a.at, &b.name, other)));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(WIDTH_MAX));
        for (space, one) in all.into_iter().take(SHOWN_MAX) {
            let title = snapshot
                .system(&space)
                .map_or_else(|| space.short(), |system| system.title.clone());
            let opened = card(ui, look, |ui| {
                let link = ui.link(RichText::new(title).size(size::SMALL));
                one_ui(ui, look, one);
                link.clicked()
            });
            if opened.inner {
                window.go(Route::Trust(space));
            }
        }
        more_ui(ui, look);
    });
}

fn one_ui(ui: &mut Ui, look: Look<'_>, one: &Ended) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let name = weighted(&one.name, 600.0).color(look.tokens.strong);
    ui.add(Label::new(name).truncate());
    let at = until(look, one.at);
    let mut said = vec![match &one.by {
        Some(by) => {
            let by = [("at", at.as_str()), ("by", by)];
            look.texts.with("trust-ended-by", &by)
        }
        None => look.texts.with("trust-ended-time", &[("at", &at)]),
    }];
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
