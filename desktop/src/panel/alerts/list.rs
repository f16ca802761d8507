//! The lines of the worklist: only what is on the screen is drawn.

use aramaki_model::alert::{Alert, AlertState, Hold};
use aramaki_model::{Severity, Snapshot};
use egui::{Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::{Moved, State, keys, open};
use crate::panel::Window;
use crate::panel::alert::said_words;
use crate::theme::{size, space};
use crate::view::alerts::{AgeBand, Group, GroupName, Line, Worklist, owner};
use crate::widget::{Look, age, line, paint_severity, severity_word};

const LINE: f32 = 28.0;
/// Below this width the summary leaves its room to names.
const SUMMARY_MIN: f32 = 560.0;

/// Draws the list.
pub(super) fn list_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, list): (&Snapshot, &Worklist),
    state: &mut State,
    (window, beside): (&mut Window, bool),
) {
    ScrollArea::vertical()
        .id_salt("worklist")
        .auto_shrink(false)
        .show_viewport(ui, |ui, viewport| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "far fewer lines than a float tells apart"
            )]
            let top_of = |place: usize| place as f32 * LINE;
            let (origin, width) = (ui.max_rect().min, ui.available_width());
            ui.set_height(top_of(list.lines.len()));
            // One line more at both ends: the keyboard moves to what is drawn.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place in the list, which is not negative"
            )]
            let first = (viewport.top() / LINE - 1.0).max(0.0) as usize;
            let rect_of = |place: usize| {
                let at = pos2(origin.x, origin.y + top_of(place));
                Rect::from_min_size(at, vec2(width, LINE))
            };
            for (place, shown) in list.lines.iter().enumerate().skip(first) {
                if top_of(place) > viewport.bottom() + LINE {
                    break;
                }
                match shown {
                    Line::Head(group) => {
                        let group = usize::try_from(*group).ok();
                        let group = group.and_then(|group| list.groups.get(group));
                        if let Some(group) = group {
                            head_ui(ui, look, rect_of(place), group);
                        }
                    }
                    Line::Alert(_) => {
                        if let Some(alert) = shown.alert(snapshot) {
                            let at = (rect_of(place), alert);
                            alert_ui(ui, look, at, (snapshot, list), state, (window, beside));
                        }
                    }
                }
            }
            if state.moved == Moved::ByKeyboard {
                let place = state.cursor.and_then(|id| list.line_of(snapshot, id));
                if let Some(place) = place {
                    ui.scroll_to_rect(rect_of(place), None);
                }
            }
        });
}

fn group_words(look: Look<'_>, name: &GroupName) -> String {
    match name {
        GroupName::Text(text) | GroupName::Owner(text) => text.clone(),
        GroupName::Nobody => look.texts.get("alerts-owner-nobody"),
        GroupName::Age(band) => look.texts.get(match band {
            AgeBand::Hour => "alerts-age-hour",
            AgeBand::Day => "alerts-age-day",
            AgeBand::Week => "alerts-age-week",
            AgeBand::Longer => "alerts-age-longer",
        }),
    }
}

fn head_ui(ui: &mut Ui, look: Look<'_>, rect: Rect, group: &Group) {
    let id = ui.scope_id().with(("head", rect.top().to_bits()));
    let response = ui.interact(rect, id, Sense::hover());
    let words = group_words(look, &group.name);
    let count = group.count.to_string();
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{words}, {count}")));
    let middle = rect.center().y + 3.0;
    let number = line(ui, &count, size::SMALL, look.tokens.subdued, 60.0);
    let room = rect.width() - 80.0;
    let text = line(ui, &words, size::BODY, look.tokens.strong, room);
    let end = rect.left() + space::M + text.size().x;
    let at = pos2(rect.left() + space::M, middle - text.size().y / 2.0);
    ui.painter().galley(at, text, look.tokens.strong);
    let at = pos2(end + space::M, middle - number.size().y / 2.0);
    ui.painter().galley(at, number, look.tokens.subdued);
    let below = rect.bottom() - 0.5;
    let stroke = Stroke::new(1.0, look.tokens.line);
    ui.painter().hline(rect.x_range(), below, stroke);
}

fn alert_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (rect, alert): (Rect, &Alert),
    (snapshot, list): (&Snapshot, &Worklist),
    state: &mut State,
    (window, beside): (&mut Window, bool),
) {
    let id = ui.scope_id().with(("alert", alert.id.0));
    let response = ui.interact(rect, id, Sense::click());
    let is_cursor = state.cursor == Some(alert.id);
    let is_selected = state.selected.contains(&alert.id);
    let care = care_words(look, alert);
    let severity = severity_word(look, alert.severity);
    let lasts = age(look, alert.resolved.unwrap_or(alert.opened));
    let said = said_words(look, alert);
    let name = [
        alert.title.as_str(),
        &alert.name,
        &severity,
        &said,
        &care,
        &lasts,
    ];
    let name: Vec<&str> = name.into_iter().filter(|it| !it.is_empty()).collect();
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_selected, name.join(", ")));
    if response.has_focus() {
        state.line = Some(response.id);
    }
    if response.gained_focus() && !is_cursor {
        state.cursor = Some(alert.id);
        response.scroll_to_me(None);
    }
    if is_cursor && state.moved == Moved::ByKeyboard {
        response.request_focus();
        state.moved = Moved::No;
    }
    let fill = match (is_selected, is_cursor, response.hovered()) {
        (true, _, _) => Some(look.tokens.accent_ground),
        (false, true, _) => Some(look.tokens.hover),
        (false, false, true) => Some(look.tokens.field),
        (false, false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 6.0, fill);
    }
    if is_cursor {
        let stroke = Stroke::new(1.0, look.tokens.accent);
        ui.painter()
            .rect_stroke(rect, 6.0, stroke, StrokeKind::Inside);
    }
    row_ui(ui, look, rect, alert, (&said, &care, &lasts));
    if response.clicked() {
        let modifiers = ui.input(|input| input.modifiers);
        let anchor = state.anchor.or(state.cursor);
        state.cursor = Some(alert.id);
        if modifiers.shift {
            state.anchor = anchor;
            keys::select_between(snapshot, list, state);
        } else if modifiers.command {
            keys::toggle(state, alert.id);
        } else if beside {
            response.request_focus();
        } else {
            open(window, alert.id);
        }
    }
    if response.double_clicked() {
        open(window, alert.id);
    }
}

/// The cells of one alert.
fn row_ui(
    ui: &Ui,
    look: Look<'_>,
    rect: Rect,
    alert: &Alert,
    (said, care, lasts): (&str, &str, &str),
) {
    let middle = rect.center().y;
    let glyph = Rect::from_center_size(pos2(rect.left() + 16.0, middle), Vec2::splat(14.0));
    let state = if alert.is_open() {
        alert.severity
    } else {
        Severity::Ok
    };
    paint_severity(ui, look, state, glyph);
    let width = rect.width();
    let cell = |text: &str, points: f32, color, left: f32, room: f32| {
        if text.is_empty() || room < 16.0 {
            return;
        }
        let galley = line(ui, text, points, color, room);
        let at = pos2(left, middle - galley.size().y / 2.0);
        ui.painter().galley(at, galley, color);
    };
    let end = line(ui, lasts, size::SMALL, look.tokens.subdued, 70.0);
    let right = rect.right() - space::M;
    let at = pos2(right - end.size().x, middle - end.size().y / 2.0);
    ui.painter().galley(at, end, look.tokens.subdued);
    let mut right = right - 58.0;
    if !care.is_empty() {
        let tag = line(ui, care, size::SMALL, look.tokens.subdued, width * 0.24);
        let at = pos2(right - tag.size().x, middle - tag.size().y / 2.0);
        right = at.x - space::M;
        ui.painter().galley(at, tag, look.tokens.subdued);
    }
    let left = rect.left() + 32.0;
    let (title, check) = if width < SUMMARY_MIN {
        (
            width * 0.3,
            (right - left - width * 0.3 - space::M).max(0.0),
        )
    } else {
        (width * 0.19, width * 0.19)
    };
    let strong = if alert.needs_attention() {
        look.tokens.strong
    } else {
        look.tokens.text
    };
    cell(&alert.title, size::BODY, strong, left, title);
    let at = left + title + space::M;
    cell(&alert.name, size::BODY, look.tokens.text, at, check);
    if width >= SUMMARY_MIN {
        let at = at + check + space::M;
        cell(said, size::BODY - 0.5, look.tokens.subdued, at, right - at);
    }
}

/// Who has it, and what keeps it quiet, in few words.
pub(in crate::panel) fn care_words(look: Look<'_>, alert: &Alert) -> String {
    let mut words = Vec::new();
    let name = owner(alert).unwrap_or_default();
    if alert.claimed_by().next().is_some() {
        words.push(look.texts.with("alerts-claimed-by", &[("name", name)]));
    } else if alert.state == AlertState::Acknowledged {
        words.push(look.texts.with("alerts-known-to", &[("name", name)]));
    }
    for hold in &alert.holds {
        words.push(look.texts.get(match hold {
            Hold::Silence { .. } => "check-handled-silence",
            Hold::Maintenance { .. } => "check-handled-maintenance",
            Hold::Inhibited { .. } => "alerts-follows",
        }));
    }
    if alert.is_flapping {
        words.push(look.texts.get("check-flapping"));
    }
    words.dedup();
    words.join(" · ")
}
