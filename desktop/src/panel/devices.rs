//! This person's devices: adding one, and accepting one that waits.

use aramaki_model::Severity;
use egui::{Align, Label, Layout, RichText, Role, Ui, WidgetInfo};

use super::Window;
use super::dialog::{self, Dialog};
use crate::theme::{size, space, weighted};
use crate::view::{Intent, OwnDevice};
use crate::widget::{Icon, Look, card, icon};

const WIDTH_MAX: f32 = 860.0;

/// Draws the card.
pub(super) fn devices_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (devices, without_kit): (&[OwnDevice], bool),
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width().min(WIDTH_MAX));
        card(ui, look, |ui| {
            ui.horizontal(|ui| {
                let title = weighted(look.texts.get("devices-title"), 600.0);
                ui.label(title.color(look.tokens.strong));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.button(look.texts.get("devices-add")).clicked() {
                        intents.push(Intent::AddDevice);
                        window.dialog = Some(Dialog::add_device());
                    }
                });
            });
            for device in devices {
                device_ui(ui, look, (device, without_kit), intents);
            }
            if without_kit {
                let warning = RichText::new(look.texts.get("devices-no-kit")).size(size::SMALL);
                ui.label(warning.color(look.tokens.severity(Severity::Warning)));
            }
        });
    });
    ui.add_space(space::M);
}

fn device_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (device, without_kit): (&OwnDevice, bool),
    intents: &mut Vec<Intent>,
) {
    let key = device.key.to_string();
    let word = look.texts.get(match (device.here, device.accepted) {
        (true, true) => "devices-here",
        (true, false) => "devices-here-waits",
        (false, true) => "devices-yours",
        (false, false) => "devices-waits",
    });
    let color = if device.accepted {
        look.tokens.text
    } else {
        look.tokens.severity(Severity::Warning)
    };
    ui.horizontal(|ui| {
        icon(ui, Icon::Peers, 14.0, look.tokens.subdued);
        ui.label(RichText::new(word).color(color));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !device.here && !device.accepted {
                let accept = ui.add(dialog::primary(look, "devices-accept"));
                let short = key.chars().take(8).collect::<String>();
                let name = look.texts.with("devices-accept-key", &[("key", &short)]);
                accept.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                if accept.clicked() {
                    intents.push(Intent::AcceptDevice { key: device.key });
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // Whole where it has to be compared.
                let shown = if device.accepted {
                    key.chars().take(16).collect()
                } else {
                    key.clone()
                };
                let shown = RichText::new(shown)
                    .monospace()
                    .size(size::SMALL)
                    .color(look.tokens.subdued);
                ui.add(Label::new(shown).truncate().selectable(true));
            });
        });
    });
    if device.beyond > 0 {
        let beyond = u64::try_from(device.beyond).unwrap_or(u64::MAX);
        let words = if without_kit {
            "devices-beyond-for-good"
        } else {
            "devices-beyond"
        };
        let beyond = RichText::new(look.texts.count(words, beyond))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        ui.add(Label::new(beyond).wrap());
    }
    if !device.accepted {
        let hint = if device.here {
            "devices-here-waits-hint"
        } else {
            "devices-waits-hint"
        };
        let hint = RichText::new(look.texts.get(hint))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        ui.add(Label::new(hint).wrap());
    }
}
