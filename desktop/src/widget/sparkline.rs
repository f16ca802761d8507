//! What was measured, as a band from the least to the greatest value, its means, and its limits.

use aramaki_model::Severity;
use aramaki_model::check::Thresholds;
use aramaki_model::series::Point;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::Look;

const HEIGHT: f32 = 36.0;
/// A limit further off than so many times what the values span is not drawn: they would be a flat line.
const LIMIT_REACH: f64 = 2.0;

/// Draws one metric from `begin` to `end`, in Unix milliseconds; `name` is what accessibility tools say.
pub fn sparkline(
    ui: &mut Ui,
    look: Look<'_>,
    (points, limits): (&[Point], &Thresholds),
    (begin, end): (i64, i64),
    (width, name): (f32, &str),
) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    ui.painter().rect_filled(rect, 4.0, look.tokens.field);
    let inner = rect.shrink(3.0);
    let lines = lines_of(limits);
    let (low, high) = span(points, &lines);
    let x = |at: i64| inner.left() + inner.width() * portion(wide(at), wide(begin), wide(end));
    let y = |value: f64| inner.bottom() - inner.height() * portion(value, low, high);
    let mut mesh = Mesh::default();
    for pair in points.windows(2) {
        if let [a, b] = pair {
            let sides = [[x(a.at), y(a.max), y(a.min)], [x(b.at), y(b.max), y(b.min)]];
            band(&mut mesh, sides, look.tokens.accent.gamma_multiply(0.3));
        }
    }
    ui.painter().add(mesh);
    for (limit, severity) in lines {
        if (low..=high).contains(&limit) {
            let stroke = Stroke::new(1.0, look.tokens.severity(severity).gamma_multiply(0.8));
            ui.painter().hline(inner.x_range(), y(limit), stroke);
        }
    }
    let means: Vec<_> = points.iter().map(|it| pos2(x(it.at), y(it.mean))).collect();
    if let [one] = means.as_slice() {
        ui.painter().circle_filled(*one, 2.0, look.tokens.accent);
    } else {
        let stroke = Stroke::new(1.5, look.tokens.accent);
        ui.painter().line(means, stroke);
    }
    response.on_hover_text(name);
}

/// Where limits lie that are somewhere.
fn lines_of(limits: &Thresholds) -> Vec<(f64, Severity)> {
    let both = [
        (limits.warning, Severity::Warning),
        (limits.critical, Severity::Critical),
    ];
    let mut lines = Vec::new();
    for (range, severity) in both {
        let bounds = range
            .into_iter()
            .flat_map(|range| [range.start(), range.end()]);
        // Nagios begins a plain number at zero: nobody set a limit there.
        let set = bounds.filter(|bound| bound.is_finite() && *bound != 0.0);
        lines.extend(set.map(|bound| (bound, severity)));
    }
    lines
}

/// From the lowest to the highest that is drawn: all values, and limits that are not far off.
fn span(points: &[Point], lines: &[(f64, Severity)]) -> (f64, f64) {
    let low = points.iter().map(|it| it.min).fold(f64::INFINITY, f64::min);
    let high = points
        .iter()
        .map(|it| it.max)
        .fold(f64::NEG_INFINITY, f64::max);
    let reach = (high - low).max(high.abs() * 0.1) * LIMIT_REACH;
    let near = lines.iter().map(|(limit, _)| *limit);
    let near = near.filter(|limit| (low - reach..=high + reach).contains(limit));
    near.fold((low, high), |(low, high), limit| {
        (low.min(limit), high.max(limit))
    })
}

/// How far a value lies on the way from the one to the other, from 0 to 1; in the middle of no way.
#[expect(clippy::cast_possible_truncation, reason = "0 to 1 needs few digits")]
fn portion(value: f64, low: f64, high: f64) -> f32 {
    if low < high {
        ((value - low) / (high - low)).clamp(0.0, 1.0) as f32
    } else {
        0.5
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of this millennium fit"
)]
const fn wide(at: i64) -> f64 {
    at as f64
}

/// A piece between two moments: each its place, its top and its bottom.
fn band(mesh: &mut Mesh, sides: [[f32; 3]; 2], color: Color32) {
    let Ok(first) = u32::try_from(mesh.vertices.len()) else {
        return;
    };
    for [x, top, bottom] in sides {
        for y in [top, bottom] {
            mesh.vertices.push(Vertex {
                pos: pos2(x, y),
                uv: WHITE_UV,
                color,
            });
        }
    }
    mesh.indices
        .extend([0, 1, 2, 2, 1, 3].map(|corner| first + corner));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(value: f64) -> Point {
        Point {
            at: 0,
            min: value - 1.0,
            mean: value,
            max: value + 1.0,
        }
    }

    #[test]
    fn near_limits_stand_in_the_picture_and_far_ones_do_not_flatten_it() {
        let points = [point(10.0), point(12.0)];
        let limits = Thresholds::above(15.0, 500.0);
        let lines = lines_of(&limits);
        assert_eq!(
            lines,
            [(15.0, Severity::Warning), (500.0, Severity::Critical)]
        );
        assert_eq!(span(&points, &lines), (9.0, 15.0));
        assert!((portion(12.0, 9.0, 15.0) - 0.5).abs() < 1e-6);
        assert!(
            (portion(7.0, 7.0, 7.0) - 0.5).abs() < 1e-6,
            "what never changes is a line in the middle"
        );
    }
}
