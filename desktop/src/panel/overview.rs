//! All anchors by category: how are we, and where does it burn.

use aramaki_model::snapshot::Observed;
use aramaki_model::{Severity, Snapshot, SystemView};
use egui::{
    Align, Button, Layout, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use super::{Dialog, Window};
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{
    Look, age, card, history_strip, paint_severity, pill, severity_glyph, severity_word,
};

const CARD_HEIGHT: f32 = 64.0;
const HEAD_HEIGHT: f32 = 40.0;
const GAP: f32 = 8.0;
const STRIP_WIDTH: f32 = 150.0;

/// Draws the page.
pub(super) fn overview_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    head_ui(ui, look, window);
    if snapshot.systems.is_empty() {
        empty_ui(ui, look, window);
        return;
    }
    counts_ui(ui, look, snapshot);
    ui.add_space(space::L);
    let lines = lines_of(snapshot);
    let tops: Vec<f32> = lines
        .iter()
        .scan(0.0, |top, line| {
            let here = *top;
            *top += line.height();
            Some(here)
        })
        .collect();
    let total = tops.last().copied().unwrap_or(0.0) + lines.last().map_or(0.0, Line::height);
    ScrollArea::vertical()
        .auto_shrink(false)
        .show_viewport(ui, |ui, viewport| {
            let width = ui.available_width() - space::M;
            let origin = ui.max_rect().min;
            ui.set_height(total);
            let first =
                tops.partition_point(|top| *top < viewport.top() - HEAD_HEIGHT - CARD_HEIGHT);
            for (line, top) in lines.iter().zip(&tops).skip(first) {
                if *top > viewport.bottom() {
                    break;
                }
                let rect = Rect::from_min_size(
                    pos2(origin.x, origin.y + top),
                    vec2(width, line.height() - GAP),
                );
                match line {
                    Line::Category(name) => category_ui(ui, look, rect, name),
                    Line::Anchor(system) => anchor_ui(ui, look, rect, system, window),
                }
            }
        });
}

enum Line<'a> {
    Category(&'a str),
    Anchor(&'a SystemView),
}

impl Line<'_> {
    fn height(&self) -> f32 {
        match self {
            Self::Category(_) => HEAD_HEIGHT,
            Self::Anchor(_) => CARD_HEIGHT + GAP,
        }
    }
}

fn lines_of(snapshot: &Snapshot) -> Vec<Line<'_>> {
    let by_space: std::collections::BTreeMap<_, _> = snapshot
        .systems
        .iter()
        .map(|system| (system.space, system))
        .collect();
    let mut lines = Vec::with_capacity(snapshot.systems.len());
    for category in &snapshot.categories {
        lines.push(Line::Category(&category.name));
        let anchors = category
            .anchors
            .iter()
            .filter_map(|space| by_space.get(space));
        lines.extend(anchors.map(|system| Line::Anchor(system)));
    }
    lines
}

fn head_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) {
    ui.horizontal(|ui| {
        ui.label(
            weighted(look.texts.get("overview-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(look.texts.get("action-new-system")).clicked() {
                window.dialog = Some(Dialog::new_system());
            }
        });
    });
    ui.add_space(space::L);
}

fn empty_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) {
    ui.add_space(80.0);
    ui.vertical_centered(|ui| {
        ui.label(
            weighted(look.texts.get("overview-empty"), 600.0)
                .size(17.0)
                .color(look.tokens.strong),
        );
        ui.label(RichText::new(look.texts.get("overview-empty-hint")).color(look.tokens.subdued));
        ui.add_space(space::L);
        let add = Button::new(
            weighted(look.texts.get("action-new-system"), 600.0).color(look.tokens.on_accent),
        );
        if ui.add(add.fill(look.tokens.primary)).clicked() {
            window.dialog = Some(Dialog::new_system());
        }
    });
}

fn counts_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot) {
    let shown = [
        Severity::Critical,
        Severity::Warning,
        Severity::Unknown,
        Severity::Missing,
        Severity::Ok,
    ];
    ui.columns(shown.len(), |columns| {
        for (ui, severity) in columns.iter_mut().zip(shown) {
            card(ui, look, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.horizontal(|ui| {
                    severity_glyph(ui, look, severity, 15.0);
                    ui.label(
                        weighted(severity_word(look, severity), 500.0).color(look.tokens.subdued),
                    );
                });
                let count = snapshot.counts.of(severity);
                let color = if count == 0 {
                    look.tokens.subdued
                } else {
                    look.tokens.strong
                };
                ui.label(
                    weighted(count.to_string(), 650.0)
                        .size(size::NUMBER)
                        .color(color),
                );
            });
        }
    });
}

fn category_ui(ui: &mut Ui, look: Look<'_>, rect: Rect, name: &str) {
    let other = look.texts.get("overview-uncategorised");
    let name = if name.is_empty() { &other } else { name };
    ui.put(
        Rect::from_min_max(pos2(rect.left(), rect.top() + 6.0), rect.max),
        |ui: &mut Ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.label(
                    weighted(name, 600.0)
                        .size(size::HEAD)
                        .color(look.tokens.strong),
                )
            })
            .inner
        },
    );
}

fn anchor_ui(ui: &mut Ui, look: Look<'_>, rect: Rect, system: &SystemView, window: &mut Window) {
    let response = ui.interact(
        rect,
        ui.scope_id().with(("anchor", system.space)),
        Sense::click(),
    );
    let effective = system.status.effective;
    let why = why(look, system);
    let name = format!(
        "{}: {}, {why}",
        system.title,
        severity_word(look, effective)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let active = response.hovered() || response.has_focus();
    let fill = if active {
        look.tokens.hover
    } else {
        look.tokens.raised
    };
    ui.painter().rect(
        rect,
        10.0,
        fill,
        Stroke::new(1.0, look.tokens.line),
        StrokeKind::Inside,
    );
    let glyph =
        Rect::from_center_size(pos2(rect.left() + 26.0, rect.center().y), Vec2::splat(20.0));
    paint_severity(ui, look, effective, glyph);
    let inside = Rect::from_min_max(rect.min + vec2(48.0, 9.0), rect.max - vec2(14.0, 9.0));
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if inside.width() > 520.0 {
                history_strip(ui, look, &system.history, STRIP_WIDTH);
                ui.add_space(space::L);
            }
            for severity in [Severity::Unknown, Severity::Warning, Severity::Critical] {
                pill(ui, look, severity, system.counts.of(severity));
            }
            if system.status.raw != effective {
                let raw = look.texts.get("overview-raw");
                severity_glyph(ui, look, system.status.raw, 14.0);
                ui.label(
                    RichText::new(raw)
                        .size(size::SMALL)
                        .color(look.tokens.subdued),
                );
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                title_ui(ui, look, system);
                ui.add(
                    egui::Label::new(
                        RichText::new(&why)
                            .size(size::BODY - 0.5)
                            .color(look.tokens.text),
                    )
                    .selectable(false)
                    .truncate(),
                );
            });
        });
    });
    if response.clicked() {
        window.go(Route::System(system.space));
    }
}

fn title_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView) {
    ui.horizontal(|ui| {
        ui.add(
            egui::Label::new(
                weighted(&system.title, 600.0)
                    .size(size::HEAD)
                    .color(look.tokens.strong),
            )
            .selectable(false),
        );
        let mut about = Vec::new();
        if !system.parts.is_empty() {
            about.push(look.texts.count(
                "overview-parts",
                u64::try_from(system.parts.len()).unwrap_or(0),
            ));
        }
        if system.unreadable_parts > 0 {
            about.push(
                look.texts
                    .count("overview-not-shared", u64::from(system.unreadable_parts)),
            );
        }
        if about.is_empty() && !system.purpose.is_empty() {
            about.push(system.purpose.clone());
        }
        ui.add(
            egui::Label::new(
                RichText::new(about.join(" · "))
                    .size(size::SMALL)
                    .color(look.tokens.subdued),
            )
            .selectable(false)
            .truncate(),
        );
    });
}

/// Why a System is as it is, and for how long, in one line.
pub(super) fn why(look: Look<'_>, system: &SystemView) -> String {
    let status = &system.status;
    let words = match (status.raw, status.observed) {
        (_, Observed::No) => return look.texts.get("overview-nothing-observed"),
        (Severity::Ok, Observed::Yes) => look.texts.get("overview-all-well"),
        _ => status.words(),
    };
    match status.since {
        Some(since) => format!("{words} · {}", age(look, since)),
        None => words,
    }
}
