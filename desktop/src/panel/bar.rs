//! The top bar, and the demo's own bar at the bottom.

use egui::{Button, Frame as Area, Margin, Panel, RichText, Sides, Ui, vec2};

use super::{Window, palette, settings, sync};
use crate::theme::{size, space, weighted};
use crate::view::{Frame, Intent, RelayState};
use crate::widget::{Icon, Look, icon};

/// Name, search, connection, settings, person.
pub(super) fn top_ui(ui: &mut Ui, look: Look<'_>, frame: &Frame, window: &mut Window) {
    Panel::top("top")
        .exact_size(44.0)
        .resizable(false)
        .frame(
            Area::new()
                .fill(look.tokens.panel)
                .inner_margin(Margin::symmetric(14, 0)),
        )
        .show(ui, |ui| {
            let wide = ui.available_width() > 760.0;
            let mut search = false;
            Sides::new().height(44.0).shrink_left().show(
                ui,
                |ui| {
                    if wide {
                        ui.label(
                            weighted(look.texts.get("app-name"), 700.0)
                                .size(15.0)
                                .color(look.tokens.strong),
                        );
                        ui.add_space(space::XL);
                    }
                    search = search_ui(ui, look);
                },
                |ui| {
                    if wide {
                        person_ui(ui, look, &frame.person);
                    }
                    settings::settings_ui(ui, look, &frame.person, window);
                    sync::chip_ui(ui, look, &frame.sync, window);
                },
            );
            if search {
                window.palette = Some(palette::Palette::default());
            }
        });
}

/// The field that is a button: whether the palette was asked for.
fn search_ui(ui: &mut Ui, look: Look<'_>) -> bool {
    let width = (ui.available_width() - space::L).clamp(120.0, 380.0);
    let hint = look.texts.get("search-hint");
    let button = Button::new(RichText::new(format!("       {hint}")).color(look.tokens.subdued))
        .shortcut_text(
            RichText::new(look.texts.get("search-keys"))
                .size(size::SMALL)
                .color(look.tokens.subdued),
        )
        .min_size(vec2(width, 28.0))
        .truncate()
        .fill(look.tokens.field);
    let response = ui.add_sized(vec2(width, 28.0), button);
    let at = egui::pos2(response.rect.left() + 17.0, response.rect.center().y);
    Icon::Search.paint(
        ui,
        egui::Rect::from_center_size(at, vec2(14.0, 14.0)),
        look.tokens.subdued,
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &hint));
    response.clicked()
}

/// Initials of who uses this device.
fn person_ui(ui: &mut Ui, look: Look<'_>, person: &str) {
    let initials: String = person
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    if initials.is_empty() {
        return;
    }
    let text = weighted(initials, 600.0)
        .size(size::SMALL)
        .color(look.tokens.accent);
    let response = ui.add(
        Button::new(text)
            .fill(look.tokens.accent_ground)
            .corner_radius(13)
            .sense(egui::Sense::hover())
            .min_size(vec2(28.0, 26.0)),
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, person));
    response.on_hover_text(person);
}

/// What the demo is, and its cable.
pub(super) fn demo_ui(ui: &mut Ui, look: Look<'_>, frame: &Frame, intents: &mut Vec<Intent>) {
    let Some(demo) = frame.demo else {
        return;
    };
    let (state, action, intent, sign) = match demo.relay {
        RelayState::Running => (
            "demo-relay-on",
            "demo-stop-relay",
            Intent::StopRelay,
            Icon::Online,
        ),
        RelayState::Stopped => (
            "demo-relay-off",
            "demo-start-relay",
            Intent::StartRelay,
            Icon::Offline,
        ),
    };
    super::bottom_bar("demo")
        .frame(
            Area::new()
                .fill(look.tokens.panel)
                .inner_margin(Margin::symmetric(14, 0)),
        )
        .show(ui, |ui| {
            Sides::new().height(40.0).shrink_left().truncate().show(
                ui,
                |ui| {
                    icon(ui, sign, 16.0, look.tokens.subdued);
                    ui.label(
                        RichText::new(look.texts.get("demo-bar"))
                            .size(size::SMALL)
                            .color(look.tokens.subdued),
                    );
                },
                |ui| {
                    if ui.button(look.texts.get(action)).clicked() {
                        intents.push(intent);
                    }
                    ui.label(RichText::new(look.texts.get(state)).size(size::SMALL));
                },
            );
        });
}
