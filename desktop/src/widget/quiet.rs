//! What is said beside the matter: small and subdued.

use egui::{Label, Response, RichText, Ui};

use super::Look;
use crate::theme::size;

fn text_of(look: Look<'_>, text: &str) -> Label {
    let text = RichText::new(text).size(size::SMALL);
    Label::new(text.color(look.tokens.subdued))
}

/// Words that take as many lines as they need.
pub fn quiet(ui: &mut Ui, look: Look<'_>, text: &str) -> Response {
    ui.add(text_of(look, text).wrap())
}

/// Words on one line, cut where there is no more room.
pub fn quiet_line(ui: &mut Ui, look: Look<'_>, text: &str) -> Response {
    ui.add(text_of(look, text).truncate())
}
