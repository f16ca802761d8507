//! Sharing a System: the questions, and the invitation that comes of them.

use aramaki_sync_core::SpaceId;
use egui::epaint::Mesh;
use egui::{Color32, Rect, RichText, Role, Sense, Ui, Vec2, WidgetInfo, vec2};
use qrcode::QrCode;

use super::dialog::{self, Copied, Next};
use crate::theme::{size, space};
use crate::view::{Intent, MadeInvitation, ShareFor};
use crate::widget::{Look, quad, until};

const QR_SIDE: f32 = 232.0;
const HOURS: [u32; 4] = [1, 8, 24, 168];

/// Asks who the guest is, what they may do, and for how long.
pub(super) fn share_ui(
    ui: &mut Ui,
    look: Look<'_>,
    space: SpaceId,
    (name, what, hours): (&mut String, &mut ShareFor, &mut u32),
    intents: &mut Vec<Intent>,
) -> Next {
    dialog::first_field_ui(ui, look, "share-to", name);
    choice_head(ui, look, "share-may");
    ui.horizontal(|ui| {
        for (choice, key) in [
            (ShareFor::Reading, "share-read"),
            (ShareFor::Writing, "share-write"),
        ] {
            ui.selectable_value(what, choice, look.texts.get(key));
        }
    });
    choice_head(ui, look, "share-lasts");
    ui.horizontal_wrapped(|ui| {
        for choice in HOURS {
            let (key, n) = if choice < 24 {
                ("share-hours", choice)
            } else {
                ("share-days", choice / 24)
            };
            ui.selectable_value(hours, choice, look.texts.count(key, u64::from(n)));
        }
    });
    ui.add_space(space::S);
    let end = look
        .now
        .plus(std::time::Duration::from_secs(u64::from(*hours) * 3_600));
    explain_ui(ui, look, *what, &until(look, end));
    ui.add_space(space::M);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui.add(dialog::primary(look, "share-make")).clicked() {
            intents.push(Intent::Share {
                space,
                name: name.trim().to_owned(),
                what: *what,
                hours: *hours,
            });
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}

fn choice_head(ui: &mut Ui, look: Look<'_>, key: &str) {
    ui.label(
        RichText::new(look.texts.get(key))
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
}

fn explain_ui(ui: &mut Ui, look: Look<'_>, what: ShareFor, end: &str) {
    let what = look.texts.get(match what {
        ShareFor::Reading => "share-read",
        ShareFor::Writing => "share-write",
    });
    let explained = look
        .texts
        .with("share-explain", &[("what", &what), ("end", end)]);
    ui.label(RichText::new(explained).color(look.tokens.text));
}

/// Shows an invitation, once: for a camera, and as text to send.
pub(super) fn made_ui(
    ui: &mut Ui,
    look: Look<'_>,
    made: &MadeInvitation,
    what: ShareFor,
    copied: &mut Copied,
) -> Next {
    explain_ui(ui, look, what, &until(look, made.end));
    code_ui(ui, look, made, "share-once", copied)
}

/// Shows a code for another device of the same person, once it is made.
pub(super) fn device_ui(
    ui: &mut Ui,
    look: Look<'_>,
    made: Option<&MadeInvitation>,
    copied: &mut Copied,
) -> Next {
    let Some(made) = made else {
        ui.label(look.texts.get("devices-making"));
        return Next::Stay;
    };
    let end = until(look, made.end);
    let explained = look.texts.with("devices-add-explain", &[("end", &end)]);
    ui.add(egui::Label::new(RichText::new(explained).color(look.tokens.text)).wrap());
    code_ui(ui, look, made, "devices-once", copied)
}

/// A code for a camera, and as text to send.
fn code_ui(
    ui: &mut Ui,
    look: Look<'_>,
    made: &MadeInvitation,
    once: &str,
    copied: &mut Copied,
) -> Next {
    ui.add_space(space::M);
    qr_ui(ui, look, &made.text);
    ui.add_space(space::M);
    let code = RichText::new(&made.text)
        .monospace()
        .size(size::SMALL)
        .color(look.tokens.text);
    egui::ScrollArea::vertical()
        .max_height(96.0)
        .show(ui, |ui| {
            ui.add(egui::Label::new(code).wrap().selectable(true));
        });
    let hint = match copied {
        Copied::No => once,
        Copied::Yes => "share-copied",
    };
    ui.label(
        RichText::new(look.texts.get(hint))
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
    if !made.relayed {
        ui.label(RichText::new(look.texts.get("share-without-relay")).color(look.tokens.text));
    }
    ui.add_space(space::S);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui.add(dialog::primary(look, "action-copy")).clicked() {
            ui.ctx().copy_text(made.text.clone());
            *copied = Copied::Yes;
        }
        if ui.button(look.texts.get("action-close")).clicked() {
            next = Next::Close;
        }
    });
    next
}

/// The code for a camera, as one mesh; nothing when the text is too long for one.
fn qr_ui(ui: &mut Ui, look: Look<'_>, text: &str) {
    let Ok(code) = QrCode::new(text) else {
        return;
    };
    let colors = code.to_colors();
    ui.vertical_centered(|ui| {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(QR_SIDE), Sense::hover());
        let name = look.texts.get("start-invitation");
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        // A camera needs dark on light in both themes.
        ui.painter().rect_filled(rect, 8.0, Color32::WHITE);
        let inside = rect.shrink(12.0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a code has at most 177 modules a side"
        )]
        let step = inside.width() / code.width() as f32;
        let mut mesh = Mesh::default();
        for (row, modules) in colors.chunks(code.width()).enumerate() {
            for (column, module) in modules.iter().enumerate() {
                if *module == qrcode::Color::Dark {
                    #[expect(clippy::cast_precision_loss, reason = "as above")]
                    let at = vec2(column as f32, row as f32) * step;
                    let module = Rect::from_min_size(inside.min + at, Vec2::splat(step));
                    quad(&mut mesh, module, Color32::BLACK);
                }
            }
        }
        ui.painter().add(mesh);
    });
}
