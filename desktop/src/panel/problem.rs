//! What went wrong last: in the reader's language what it means and what to do, then the detail as
//! logs and terminals tell it.

use egui::{Align2, Area, Frame as Box, Id, Order, RichText, Stroke, Ui, vec2};

use crate::theme::{size, space, weighted};
use crate::view::{Frame, Intent};
use crate::widget::Look;

const WIDTH: f32 = 360.0;

/// What a code means here, and what helps. Codes that no window meets share one.
fn keys(code: &str) -> (&'static str, &'static str) {
    match code {
        "A-107" | "A-108" => ("problem-setting", "problem-setting-hint"),
        "A-109" => ("problem-file", "problem-file-hint"),
        "A-110" => ("problem-invitation", "problem-invitation-hint"),
        "A-111" => ("problem-refused", "problem-refused-hint"),
        "A-112" => ("problem-store", "problem-store-hint"),
        "A-113" => ("problem-write", "problem-write-hint"),
        "A-114" => ("problem-nobody", "problem-nobody-hint"),
        "A-118" => ("problem-demo", "problem-demo-hint"),
        "A-120" | "A-121" => ("problem-passphrase", "problem-passphrase-hint"),
        "A-138" => ("problem-waits", "problem-waits-hint"),
        _ => ("problem-other", "problem-other-hint"),
    }
}

/// Draws it at the lower right until it is closed.
pub(super) fn problem_ui(ui: &Ui, look: Look<'_>, frame: &Frame, intents: &mut Vec<Intent>) {
    let Some(problem) = &frame.problem else {
        return;
    };
    let (meaning, hint) = keys(&problem.code);
    Area::new(Id::unique("problem"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-20.0, -56.0))
        .show(ui.ctx(), |ui| {
            Box::popup(ui.style())
                .stroke(Stroke::new(1.0, look.tokens.line))
                .inner_margin(14)
                .show(ui, |ui| {
                    ui.set_width(WIDTH);
                    let title = format!("{} · {}", look.texts.get(meaning), problem.code);
                    ui.label(weighted(title, 600.0).color(look.tokens.strong));
                    ui.label(look.texts.get(hint));
                    ui.add_space(space::S);
                    ui.label(
                        RichText::new(&problem.message)
                            .size(size::SMALL)
                            .color(look.tokens.subdued),
                    );
                    ui.add_space(space::S);
                    if ui.button(look.texts.get("action-close")).clicked() {
                        intents.push(Intent::ForgetProblem);
                    }
                });
        });
}
