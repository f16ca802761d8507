//! The one list row: full width, leading shape, text, and something quiet at its right end.

use std::sync::Arc;

use aramaki_model::Severity;
use egui::{
    Align, Color32, FontId, Galley, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2,
    text::LayoutJob, text::TextFormat, text::TextWrapping, vec2,
};

use super::glyph::paint_severity;
use super::{Icon, Look};
use crate::theme::{size, space};

/// What stands before the text.
#[derive(Clone, Copy, Debug)]
pub enum Lead {
    /// A state.
    Severity(Severity),
    /// An icon.
    Icon(Icon),
}

/// A row of a list.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// What stands before the text.
    pub lead: Lead,
    /// The text.
    pub text: &'a str,
    /// What stands at the right.
    pub trailing: &'a str,
    /// Whether this is where one is.
    pub chosen: bool,
    /// What accessibility tools say.
    pub name: String,
}

impl<'a> Row<'a> {
    /// A row that leads somewhere.
    pub fn icon(icon: Icon, text: &'a str, chosen: bool) -> Self {
        Self {
            lead: Lead::Icon(icon),
            text,
            trailing: "",
            chosen,
            name: text.to_owned(),
        }
    }

    /// A row about something with a state.
    pub fn severity(severity: Severity, word: &str, text: &'a str) -> Self {
        Self {
            lead: Lead::Severity(severity),
            text,
            trailing: "",
            chosen: false,
            name: format!("{text}, {word}"),
        }
    }
}

/// Draws a row and says whether it was clicked.
pub fn row(ui: &mut Ui, look: Look<'_>, row: &Row<'_>) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), space::ROW), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, row.chosen, &row.name));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let fill = match (row.chosen, response.hovered() || response.has_focus()) {
        (true, _) => Some(look.tokens.accent_ground),
        (false, true) => Some(look.tokens.hover),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 6.0, fill);
    }
    let color = if row.chosen {
        look.tokens.strong
    } else {
        look.tokens.text
    };
    let lead = Rect::from_center_size(pos2(rect.left() + 16.0, rect.center().y), Vec2::splat(14.0));
    match row.lead {
        Lead::Severity(severity) => paint_severity(ui, look, severity, lead),
        Lead::Icon(icon) => {
            let tint = if row.chosen {
                look.tokens.accent
            } else {
                look.tokens.subdued
            };
            icon.paint(ui, lead.expand(1.0), tint);
        }
    }
    let end = line(
        ui,
        row.trailing,
        size::SMALL,
        look.tokens.subdued,
        rect.width() * 0.5,
    );
    let end_width = end.size().x;
    ui.painter().galley(
        pos2(
            rect.right() - 8.0 - end_width,
            rect.center().y - end.size().y / 2.0,
        ),
        end,
        look.tokens.subdued,
    );
    let text = line(
        ui,
        row.text,
        size::BODY,
        color,
        rect.width() - 48.0 - end_width,
    );
    ui.painter().galley(
        pos2(rect.left() + 31.0, rect.center().y - text.size().y / 2.0),
        text,
        color,
    );
    response
}

/// A text in one line, cut with an ellipsis where there is no more room.
pub fn line(ui: &Ui, text: &str, points: f32, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(
        text.to_owned(),
        TextFormat {
            valign: Align::Center,
            ..TextFormat::simple(FontId::proportional(points), color)
        },
    );
    job.wrap = TextWrapping::truncate_at_width(width.max(8.0));
    ui.painter().layout_job(job)
}
