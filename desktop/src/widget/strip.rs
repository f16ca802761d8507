//! "Always broken, or did it just happen?": one bar a day.

use aramaki_model::Severity;
use egui::epaint::Mesh;
use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Look, quad};

/// Draws the worst state of each day, oldest first, as one mesh; empty room where no day is known.
pub fn history_strip(ui: &mut Ui, look: Look<'_>, days: &[Severity], width: f32) {
    if days.iter().all(|day| *day == Severity::Missing) {
        ui.allocate_exact_size(vec2(width, 24.0), Sense::hover());
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(width, 24.0), Sense::hover());
    let label = look
        .texts
        .count("system-history", u64::try_from(days.len()).unwrap_or(0));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &label));
    let mut mesh = Mesh::default();
    #[expect(clippy::cast_precision_loss, reason = "days are few")]
    let step = width / days.len().max(1) as f32;
    for (day, severity) in days.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "days are few")]
        let left = rect.left() + step * day as f32;
        let (height, strength) = match severity {
            Severity::Ok => (9.0, 0.6),
            Severity::Missing => (3.0, 0.5),
            Severity::Unknown | Severity::Warning => (16.0, 0.95),
            Severity::Critical => (22.0, 1.0),
        };
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - height),
            pos2(left + (step - 1.5).max(1.0), rect.bottom()),
        );
        quad(
            &mut mesh,
            bar,
            look.tokens.severity(*severity).gamma_multiply(strength),
        );
    }
    ui.painter().add(mesh);
    response.on_hover_text(label);
}
