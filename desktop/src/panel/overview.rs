//! All anchors: first what needs attention, then each category.

use std::collections::BTreeMap;
use std::sync::Arc;

use aramaki_model::snapshot::Observed;
use aramaki_model::{Alert, AlertState, Severity, Snapshot, SystemView};
use aramaki_sync_core::SpaceId;
use egui::{
    Align, Button, Layout, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use super::{Dialog, Window};
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{
    Look, age, clock, history_strip, line, paint_severity, pill, severity_glyph, severity_word,
};

const CARD_HEIGHT: f32 = 64.0;
const HEAD_HEIGHT: f32 = 40.0;
const COUNT_HEIGHT: f32 = 58.0;
const GAP: f32 = 8.0;
const STRIP_WIDTH: f32 = 150.0;
/// Below these widths a card leaves out the strip of days, and its counts.
const STRIP_MIN: f32 = 560.0;
const COUNTS_MIN: f32 = 380.0;

/// Draws the page.
pub(super) fn overview_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    if snapshot.systems.is_empty() {
        title_line(ui, look, |_ui| {});
        empty_ui(ui, look, window);
        return;
    }
    title_line(ui, look, |ui| {
        if ui.button(look.texts.get("action-new-system")).clicked() {
            window.dialog = Some(Dialog::new_system());
        }
        join_ui(ui, look, window);
    });
    counts_ui(ui, look, snapshot, window);
    if window.filter.is_none()
        && !snapshot
            .systems
            .iter()
            .any(|system| needs_attention(system))
    {
        let calm = calm_words(look, snapshot);
        ui.label(RichText::new(calm).color(look.tokens.subdued));
    }
    ui.add_space(space::M);
    let groups = groups_of(look, snapshot, window.filter);
    if groups.is_empty() {
        none_ui(ui, look, window);
        return;
    }
    let lines: Vec<Line<'_>> = groups.iter().flat_map(Group::lines).collect();
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
            let width = ui.available_width();
            let origin = ui.max_rect().min;
            ui.set_height(total);
            // One card more at both ends: the keyboard moves to what is drawn.
            let first =
                tops.partition_point(|top| *top < viewport.top() - HEAD_HEIGHT - CARD_HEIGHT * 2.0);
            for (line, top) in lines.iter().zip(&tops).skip(first) {
                if *top > viewport.bottom() + CARD_HEIGHT + HEAD_HEIGHT {
                    break;
                }
                let rect = Rect::from_min_size(
                    pos2(origin.x, origin.y + top),
                    vec2(width, line.height() - GAP),
                );
                match line {
                    Line::Head(name) => group_ui(ui, look, rect, name),
                    Line::Anchor(system) => {
                        anchor_ui(ui, look, (rect, system), window);
                    }
                }
            }
        });
}

/// Anchors under one head.
struct Group<'a> {
    name: String,
    anchors: Vec<&'a SystemView>,
}

enum Line<'a> {
    Head(&'a str),
    Anchor(&'a SystemView),
}

impl Group<'_> {
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let anchors = self.anchors.iter().map(|system| Line::Anchor(system));
        std::iter::once(Line::Head(&self.name)).chain(anchors)
    }
}

impl Line<'_> {
    fn height(&self) -> f32 {
        match self {
            Self::Head(_) => HEAD_HEIGHT,
            Self::Anchor(_) => CARD_HEIGHT + GAP,
        }
    }
}

/// Whether somebody should look at it: it is observed and not OK.
fn needs_attention(system: &SystemView) -> bool {
    system.status.observed == Observed::Yes && !system.status.effective.is_ok()
}

/// What is said where nothing asks for somebody: that all is OK only if nothing is wrong that somebody has in hand.
fn calm_words(look: Look<'_>, snapshot: &Snapshot) -> String {
    let observed = snapshot.systems.iter();
    let mut observed = observed.filter(|system| system.status.observed == Observed::Yes);
    if observed.clone().next().is_none() {
        return look.texts.get("overview-unobserved");
    }
    let open = snapshot.alerts.iter().filter(|alert| alert.is_open());
    let is_known = |alert: &&Arc<Alert>| alert.state == AlertState::Acknowledged;
    let (known, quiet): (Vec<_>, Vec<_>) = open.partition(is_known);
    let counted = [
        ("overview-acknowledged", known.len()),
        ("overview-quiet", quiet.len()),
    ];
    let counted = counted.into_iter().filter(|(_, n)| *n > 0);
    let counted: Vec<_> = counted
        .map(|(key, n)| look.texts.count(key, u64::try_from(n).unwrap_or(u64::MAX)))
        .collect();
    if !counted.is_empty() {
        return counted.join(" · ");
    }
    // Who may be offline and is has no alert, and is not OK either.
    let key = if observed.all(|system| system.status.raw.is_ok()) {
        "overview-well"
    } else {
        "overview-calm"
    };
    look.texts.get(key)
}

/// What needs attention, worst and newest first; then the rest by category. A filter shows one
/// state alone.
fn groups_of<'a>(
    look: Look<'_>,
    snapshot: &'a Snapshot,
    filter: Option<Severity>,
) -> Vec<Group<'a>> {
    let by_space: BTreeMap<SpaceId, &SystemView> = snapshot
        .systems
        .iter()
        .map(|system| (system.space, &**system))
        .collect();
    let mut first = Group {
        name: filter.map_or_else(
            || look.texts.get("overview-attention"),
            |severity| severity_word(look, severity),
        ),
        anchors: Vec::new(),
    };
    let mut groups = Vec::new();
    for category in &snapshot.categories {
        let anchors = category
            .anchors
            .iter()
            .filter_map(|space| by_space.get(space).copied());
        let (chosen, rest): (Vec<_>, Vec<_>) = anchors.partition(|system| match filter {
            Some(severity) => system.status.effective == severity,
            None => needs_attention(system),
        });
        first.anchors.extend(chosen);
        if filter.is_none() && !rest.is_empty() {
            let name = if category.name.is_empty() {
                look.texts.get("overview-uncategorised")
            } else {
                category.name.clone()
            };
            let anchors = rest;
            groups.push(Group { name, anchors });
        }
    }
    first.anchors.sort_by(|a, b| {
        let order = |system: &SystemView| (system.status.effective, system.status.since);
        order(b).cmp(&order(a)).then_with(|| a.title.cmp(&b.title))
    });
    if !first.anchors.is_empty() {
        groups.insert(0, first);
    }
    groups
}

/// The page's title, and what stands at its right.
fn title_line(ui: &mut Ui, look: Look<'_>, right: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.label(
            weighted(look.texts.get("overview-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), right);
    });
    ui.add_space(space::M);
}

fn empty_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) {
    super::empty_ui(ui, look, ("overview-empty", "overview-empty-hint"), |ui| {
        let add = Button::new(
            weighted(look.texts.get("action-new-system"), 600.0).color(look.tokens.on_accent),
        );
        if ui.add(add.fill(look.tokens.primary)).clicked() {
            window.dialog = Some(Dialog::new_system());
        }
        join_ui(ui, look, window);
    });
}

/// The way to Systems of others.
fn join_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) {
    if ui.button(look.texts.get("action-join")).clicked() {
        window.dialog = Some(Dialog::join());
    }
}

fn none_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) {
    super::empty_ui(ui, look, ("overview-filter-none", ""), |ui| {
        if ui.button(look.texts.get("overview-show-all")).clicked() {
            window.filter = None;
        }
    });
}

/// How many anchors are in each state; a click shows these alone, another click all.
fn counts_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    const SHOWN: [Severity; 5] = [
        Severity::Critical,
        Severity::Warning,
        Severity::Unknown,
        Severity::Missing,
        Severity::Ok,
    ];
    let (whole, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), COUNT_HEIGHT), Sense::hover());
    let width = (whole.width() - GAP * 4.0) / 5.0;
    let mut left = whole.left();
    for severity in SHOWN {
        let rect = Rect::from_min_size(pos2(left, whole.top()), vec2(width, COUNT_HEIGHT));
        left += width + GAP;
        let chosen = window.filter == Some(severity);
        if count_ui(
            ui,
            look,
            rect,
            (severity, snapshot.counts.of(severity), chosen),
        ) {
            window.filter = if chosen { None } else { Some(severity) };
        }
    }
}

fn count_ui(
    ui: &mut Ui,
    look: Look<'_>,
    rect: Rect,
    (severity, count, chosen): (Severity, u32, bool),
) -> bool {
    let word = severity_word(look, severity);
    let id = ui.scope_id().with(("count", severity.word()));
    let response = ui.interact(rect, id, Sense::click());
    let name = format!("{count} {word}");
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &name));
    let fill = match (chosen, response.hovered() || response.has_focus()) {
        (true, _) => look.tokens.accent_ground,
        (false, true) => look.tokens.hover,
        (false, false) => look.tokens.raised,
    };
    let stroke = Stroke::new(1.0, look.tokens.line);
    ui.painter()
        .rect(rect, 10.0, fill, stroke, StrokeKind::Inside);
    let inside = rect.shrink2(vec2(12.0, 8.0));
    let quiet = count == 0;
    let color = if quiet {
        look.tokens.subdued
    } else {
        look.tokens.strong
    };
    let glyph = Rect::from_center_size(
        pos2(inside.left() + 8.0, inside.top() + 12.0),
        Vec2::splat(15.0),
    );
    paint_severity(ui, look, severity, glyph);
    let number = weighted(count.to_string(), 650.0)
        .size(size::PAGE)
        .color(color);
    let number = egui::WidgetText::from(number).into_galley(
        ui,
        Some(egui::TextWrapMode::Extend),
        f32::INFINITY,
        egui::TextStyle::Body,
    );
    let at = pos2(
        inside.left() + 24.0,
        inside.top() + 12.0 - number.size().y / 2.0,
    );
    ui.painter().galley(at, number, color);
    let word_line = line(ui, &word, size::SMALL, look.tokens.subdued, inside.width());
    let at = pos2(inside.left(), inside.bottom() - word_line.size().y + 1.0);
    ui.painter().galley(at, word_line, look.tokens.subdued);
    response.on_hover_text(name).clicked()
}

fn group_ui(ui: &mut Ui, look: Look<'_>, rect: Rect, name: &str) {
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

fn anchor_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (rect, system): (Rect, &SystemView),
    window: &mut Window,
) {
    let id = ui.scope_id().with(("anchor", system.space));
    let response = ui.interact(rect, id, Sense::click());
    window.list_has(&response);
    let effective = system.status.effective;
    let why = why(look, system);
    let name = format!(
        "{}: {}, {why}",
        system.title,
        severity_word(look, effective)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let (fill, edge) = match (response.has_focus(), response.hovered()) {
        (true, _) => (look.tokens.hover, look.tokens.accent),
        (false, true) => (look.tokens.hover, look.tokens.line),
        (false, false) => (look.tokens.raised, look.tokens.line),
    };
    ui.painter()
        .rect(rect, 10.0, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    let glyph =
        Rect::from_center_size(pos2(rect.left() + 26.0, rect.center().y), Vec2::splat(20.0));
    paint_severity(ui, look, effective, glyph);
    let inside = Rect::from_min_max(rect.min + vec2(48.0, 9.0), rect.max - vec2(14.0, 9.0));
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if inside.width() > STRIP_MIN {
                history_strip(ui, look, &system.history, STRIP_WIDTH);
                ui.add_space(space::L);
            }
            if inside.width() > COUNTS_MIN {
                for severity in [Severity::Unknown, Severity::Warning, Severity::Critical] {
                    pill(ui, look, severity, system.counts.of(severity));
                }
            }
            if system.status.raw != effective && inside.width() > STRIP_MIN {
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
            .selectable(false)
            .truncate(),
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
fn why(look: Look<'_>, system: &SystemView) -> String {
    let words = why_words(look, system);
    match (system.status.observed, system.status.since) {
        (Observed::Yes, Some(since)) => format!("{words} · {}", age(look, since)),
        _ => words,
    }
}

/// Why a System is as it is.
pub(super) fn why_words(look: Look<'_>, system: &SystemView) -> String {
    let status = &system.status;
    match (status.raw, status.observed) {
        (_, Observed::No) => look.texts.get("overview-nothing-observed"),
        (Severity::Ok, Observed::Yes) => look.texts.get("overview-all-well"),
        _ if status.is_unseen() => {
            let words = status.words();
            look.texts.with("overview-unseen", &[("words", &words)])
        }
        _ if status.is_agent_missed() => {
            let words = status.words();
            look.texts
                .with("overview-agent-missed", &[("words", &words)])
        }
        _ if status.stood_at().is_some() => {
            let time = status.stood_at().map(|at| clock(look, at));
            let (words, time) = (status.words(), time.unwrap_or_default());
            let words = [("words", words.as_str()), ("time", &time)];
            look.texts.with("overview-stands", &words)
        }
        _ if status.is_silent() => {
            let words = status.words();
            look.texts.with("overview-silent", &[("words", &words)])
        }
        _ => status.words(),
    }
}
