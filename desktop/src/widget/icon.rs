//! Line icons on a grid of 16, tinted with the text beside them.

use egui::{
    Button, Color32, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2,
};

use super::Look;

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Four tiles.
    Overview,
    /// A bell.
    Alert,
    /// A line of events.
    Timeline,
    /// A sheet.
    Note,
    /// A magnifier.
    Search,
    /// A plus.
    Add,
    /// Two linked rings.
    Share,
    /// Left.
    Back,
    /// Three sliders.
    Settings,
    /// Two people.
    Peers,
    /// A key.
    Trust,
    /// An arrow that turns left.
    Undo,
    /// An arrow that turns right.
    Redo,
    /// Connected.
    Online,
    /// Not connected.
    Offline,
}

type Line = &'static [(f32, f32)];

impl Icon {
    #[expect(clippy::too_many_lines, reason = "a table of points")]
    const fn lines(self) -> &'static [Line] {
        match self {
            Self::Overview => &[
                &[(2.5, 2.5), (6.8, 2.5), (6.8, 6.8), (2.5, 6.8), (2.5, 2.5)],
                &[(9.2, 2.5), (13.5, 2.5), (13.5, 6.8), (9.2, 6.8), (9.2, 2.5)],
                &[(2.5, 9.2), (6.8, 9.2), (6.8, 13.5), (2.5, 13.5), (2.5, 9.2)],
                &[
                    (9.2, 9.2),
                    (13.5, 9.2),
                    (13.5, 13.5),
                    (9.2, 13.5),
                    (9.2, 9.2),
                ],
            ],
            Self::Alert => &[
                &[
                    (2.6, 11.6),
                    (4.2, 9.8),
                    (4.2, 6.8),
                    (5.4, 4.2),
                    (8.0, 3.0),
                    (10.6, 4.2),
                    (11.8, 6.8),
                    (11.8, 9.8),
                    (13.4, 11.6),
                    (2.6, 11.6),
                ],
                &[(6.4, 13.8), (9.6, 13.8)],
            ],
            Self::Timeline => &[&[
                (1.5, 10.5),
                (5.0, 10.5),
                (7.0, 3.5),
                (10.0, 13.0),
                (11.5, 8.0),
                (14.5, 8.0),
            ]],
            Self::Note => &[
                &[
                    (3.5, 1.8),
                    (9.8, 1.8),
                    (12.8, 4.8),
                    (12.8, 14.2),
                    (3.5, 14.2),
                    (3.5, 1.8),
                ],
                &[(6.0, 7.0), (10.3, 7.0)],
                &[(6.0, 10.0), (10.3, 10.0)],
            ],
            Self::Search => &[
                &[
                    (11.0, 7.0),
                    (9.8, 9.8),
                    (7.0, 11.0),
                    (4.2, 9.8),
                    (3.0, 7.0),
                    (4.2, 4.2),
                    (7.0, 3.0),
                    (9.8, 4.2),
                    (11.0, 7.0),
                ],
                &[(10.0, 10.0), (13.8, 13.8)],
            ],
            Self::Add => &[&[(8.0, 3.0), (8.0, 13.0)], &[(3.0, 8.0), (13.0, 8.0)]],
            Self::Share => &[
                &[(8.0, 10.0), (8.0, 2.0)],
                &[(5.0, 4.8), (8.0, 1.8), (11.0, 4.8)],
                &[(3.5, 8.0), (3.5, 13.8), (12.5, 13.8), (12.5, 8.0)],
            ],
            Self::Back => &[&[(9.8, 3.0), (4.8, 8.0), (9.8, 13.0)]],
            Self::Settings => &[
                &[(2.0, 4.5), (14.0, 4.5)],
                &[(2.0, 8.0), (14.0, 8.0)],
                &[(2.0, 11.5), (14.0, 11.5)],
                &[(10.5, 3.0), (10.5, 6.0)],
                &[(5.0, 6.5), (5.0, 9.5)],
                &[(9.0, 10.0), (9.0, 13.0)],
            ],
            Self::Peers => &[
                &[(2.0, 3.0), (9.0, 3.0), (9.0, 8.0), (2.0, 8.0), (2.0, 3.0)],
                &[(4.0, 10.5), (7.0, 10.5)],
                &[(5.5, 8.0), (5.5, 10.5)],
                &[
                    (11.0, 6.0),
                    (14.2, 6.0),
                    (14.2, 13.0),
                    (11.0, 13.0),
                    (11.0, 6.0),
                ],
            ],
            Self::Trust => &[
                &[
                    (8.2, 5.5),
                    (7.4, 7.4),
                    (5.5, 8.2),
                    (3.6, 7.4),
                    (2.8, 5.5),
                    (3.6, 3.6),
                    (5.5, 2.8),
                    (7.4, 3.6),
                    (8.2, 5.5),
                ],
                &[(7.4, 7.4), (13.4, 13.4), (11.2, 13.4)],
                &[(10.4, 10.4), (12.2, 8.6)],
            ],
            Self::Undo => &[
                &[(6.0, 3.0), (2.8, 6.2), (6.0, 9.4)],
                &[
                    (2.8, 6.2),
                    (10.2, 6.2),
                    (12.6, 7.4),
                    (13.4, 9.6),
                    (12.6, 11.8),
                    (10.2, 13.0),
                    (6.0, 13.0),
                ],
            ],
            Self::Redo => &[
                &[(10.0, 3.0), (13.2, 6.2), (10.0, 9.4)],
                &[
                    (13.2, 6.2),
                    (5.8, 6.2),
                    (3.4, 7.4),
                    (2.6, 9.6),
                    (3.4, 11.8),
                    (5.8, 13.0),
                    (10.0, 13.0),
                ],
            ],
            Self::Online => &[
                &[(2.0, 6.0), (8.0, 3.0), (14.0, 6.0)],
                &[(4.2, 9.0), (8.0, 7.0), (11.8, 9.0)],
                &[(7.2, 12.0), (8.8, 12.0)],
            ],
            Self::Offline => &[
                &[(2.0, 6.0), (8.0, 3.0), (14.0, 6.0)],
                &[(3.0, 13.5), (13.0, 2.5)],
            ],
        }
    }

    /// Paints it into a square.
    pub fn paint(self, ui: &Ui, rect: Rect, color: Color32) {
        let scale = rect.width() / 16.0;
        let place = |&(x, y): &(f32, f32)| -> Pos2 {
            pos2(rect.left() + x * scale, rect.top() + y * scale)
        };
        for line in self.lines() {
            ui.painter().add(Shape::line(
                line.iter().map(place).collect(),
                Stroke::new(1.4 * scale.max(0.8), color),
            ));
        }
    }
}

/// An icon as a piece of a row; its meaning is said by the text beside it.
pub fn icon(ui: &mut Ui, what: Icon, side: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    what.paint(ui, rect, color);
}

/// A button that shows an icon alone; its name is said to those who do not see it, and on hover.
pub fn icon_button(ui: &mut Ui, look: Look<'_>, what: Icon, name: &str) -> Response {
    let enabled = ui.is_enabled();
    let button = Button::new("")
        .fill(Color32::TRANSPARENT)
        .min_size(Vec2::new(28.0, 26.0));
    let response = ui.add(button);
    let color = match (enabled, response.hovered() || response.has_focus()) {
        (false, _) => look.tokens.line,
        (true, false) => look.tokens.subdued,
        (true, true) => look.tokens.strong,
    };
    let place = Rect::from_center_size(response.rect.center(), Vec2::splat(16.0));
    what.paint(ui, place, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    response.on_hover_text(name)
}
