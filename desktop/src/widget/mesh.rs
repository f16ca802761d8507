//! Many rectangles as one mesh: a card of days or a code costs one shape.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Rect};

/// Adds a filled rectangle.
pub fn quad(mesh: &mut Mesh, rect: Rect, color: Color32) {
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
