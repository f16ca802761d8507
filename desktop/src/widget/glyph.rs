//! A state as shape, word and colour, never by colour alone.

use std::f32::consts::TAU;

use aramaki_model::Severity;
use egui::{
    Align2, Color32, FontId, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::Look;
use crate::theme::{size, weighted};

/// The state's word.
pub fn severity_word(look: Look<'_>, severity: Severity) -> String {
    look.texts.get(match severity {
        Severity::Ok => "status-ok",
        Severity::Warning => "status-warning",
        Severity::Unknown => "status-unknown",
        Severity::Critical => "status-critical",
        Severity::Missing => "status-missing",
    })
}

/// Draws a state's shape and names it.
pub fn severity_glyph(ui: &mut Ui, look: Look<'_>, severity: Severity, side: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    paint_severity(ui, look, severity, rect);
    let word = severity_word(look, severity);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &word));
    response.on_hover_text(word)
}

/// Draws the shape of a state that somebody has in hand: it asks for nobody, and it is not well either.
pub fn in_hand_glyph(ui: &mut Ui, look: Look<'_>, raw: Severity, side: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    paint_shape(ui, look, (raw, look.tokens.subdued), rect);
    let state = severity_word(look, raw);
    let word = look.texts.with("status-in-hand", &[("state", &state)]);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &word));
    response.on_hover_text(word)
}

/// Draws a state's shape alone, where the row around it says the word.
pub fn paint_severity(ui: &Ui, look: Look<'_>, severity: Severity, rect: Rect) {
    paint_shape(ui, look, (severity, look.tokens.severity(severity)), rect);
}

#[expect(clippy::too_many_lines, reason = "one shape a state")]
fn paint_shape(ui: &Ui, look: Look<'_>, (severity, color): (Severity, Color32), rect: Rect) {
    let painter = ui.painter();
    let (center, radius) = (rect.center(), rect.width() * 0.5 - 0.5);
    let ink = Stroke::new((rect.width() * 0.11).max(1.2), look.tokens.raised);
    let at = |x: f32, y: f32| center + vec2(x, y) * radius;
    let polygon = |corners: usize, turn: f32, stretch: f32| -> Vec<Pos2> {
        (0..corners)
            .map(|corner| {
                #[expect(clippy::cast_precision_loss, reason = "corners are few")]
                let angle = turn + TAU * corner as f32 / corners as f32;
                center + Vec2::angled(angle) * radius * stretch
            })
            .collect()
    };
    let mark = |text: &str, color: Color32| {
        painter.text(
            center + vec2(0.0, radius * 0.06),
            Align2::CENTER_CENTER,
            text,
            FontId::proportional(rect.width() * 0.72),
            color,
        );
    };
    match severity {
        Severity::Ok => {
            painter.circle_filled(center, radius, color);
            painter.add(Shape::line(
                vec![at(-0.45, 0.02), at(-0.1, 0.38), at(0.48, -0.34)],
                ink,
            ));
        }
        Severity::Warning => {
            let top = center + vec2(0.0, radius * 0.12);
            let corners = (0u8..3)
                .map(|corner| {
                    top + Vec2::angled(-TAU / 4.0 + TAU * f32::from(corner) / 3.0) * radius * 1.12
                })
                .collect();
            painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
            painter.line_segment([at(0.0, -0.42), at(0.0, 0.2)], ink);
            painter.circle_filled(at(0.0, 0.48), ink.width * 0.6, ink.color);
        }
        Severity::Critical => {
            painter.add(Shape::convex_polygon(
                polygon(8, TAU / 16.0, 1.06),
                color,
                Stroke::NONE,
            ));
            painter.line_segment([at(-0.36, -0.36), at(0.36, 0.36)], ink);
            painter.line_segment([at(-0.36, 0.36), at(0.36, -0.36)], ink);
        }
        Severity::Unknown => {
            painter.add(Shape::convex_polygon(
                polygon(4, 0.0, 1.12),
                color,
                Stroke::NONE,
            ));
            mark("?", ink.color);
        }
        Severity::Missing => {
            painter.add(Shape::dashed_line(
                &{
                    let mut ring = polygon(24, 0.0, 0.86);
                    ring.extend(ring.first().copied());
                    ring
                },
                Stroke::new(1.4, color),
                2.6,
                2.2,
            ));
        }
    }
}

/// A count of one state, quiet unless it is bad.
pub fn pill(ui: &mut Ui, look: Look<'_>, severity: Severity, count: u32) {
    if count == 0 {
        return;
    }
    let color = look.tokens.severity(severity);
    let text = count.to_string();
    let galley =
        ui.painter()
            .layout_no_wrap(text.clone(), FontId::proportional(size::SMALL), color);
    let (rect, response) =
        ui.allocate_exact_size(vec2(galley.size().x + 32.0, 20.0), Sense::hover());
    ui.painter()
        .rect_filled(rect, 10.0, color.gamma_multiply(0.15));
    let glyph =
        Rect::from_center_size(pos2(rect.left() + 13.0, rect.center().y), Vec2::splat(12.0));
    paint_severity(ui, look, severity, glyph);
    ui.painter().galley(
        pos2(rect.left() + 23.0, rect.center().y - galley.size().y / 2.0),
        galley,
        color,
    );
    let word = severity_word(look, severity);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{text} {word}")));
    response.on_hover_ui(|ui| {
        ui.label(weighted(format!("{text} {word}"), 500.0));
    });
}
