//! "Always broken, or did it just happen?": one bar a day.

use aramaki_model::Severity;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::Look;

/// Draws the worst state of each day, oldest first, as one mesh.
pub fn history_strip(ui: &mut Ui, look: Look<'_>, days: &[Severity], width: f32) {
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
}

fn quad(mesh: &mut Mesh, rect: Rect, color: Color32) {
    let Ok(first) = u32::try_from(mesh.vertices.len()) else {
        return;
    };
    for pos in [
        rect.left_top(),
        rect.right_top(),
        rect.left_bottom(),
        rect.right_bottom(),
    ] {
        mesh.vertices.push(Vertex {
            pos,
            uv: WHITE_UV,
            color,
        });
    }
    mesh.indices
        .extend([0, 1, 2, 2, 1, 3].map(|corner| first + corner));
}
