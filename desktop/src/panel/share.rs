//! Sharing a System: the questions, and the invitation that comes of them.

use std::path::Path;

use aramaki_model::Severity;
use aramaki_sync_core::{SpaceId, Timestamp};
use egui::epaint::Mesh;
use egui::{Color32, DragValue, Rect, RichText, Role, Sense, Ui, Vec2, WidgetInfo, vec2};
use qrcode::{EcLevel, QrCode};

use super::dialog::{self, Copied, Next};
use crate::theme::{size, space};
use crate::view::begin::Begin;
use crate::view::{Handed, Intent, MadeInvitation, ShareBy, ShareFor};
use crate::widget::{Look, minute, quad, until};

const QR_SIDE: f32 = 232.0;
const QR_MARGIN: f32 = 12.0;
/// A camera tells modules apart that are at least so wide.
const MODULE_SIDE_MIN: f32 = 2.0;
const FILE_NAME_LEN_CHARS_MAX: usize = 64;
const HOURS: [u32; 4] = [1, 8, 24, 168];
/// A year; what lasts longer is given by `aramaki trust grant`.
const HOURS_MAX: u32 = 8_760;
/// As `aramaki share --redemptions` allows.
const USES_MAX: u16 = 100;

/// What is asked about a guest.
pub(super) struct Asked<'a> {
    /// For whom.
    pub(super) name: &'a mut String,
    /// Why.
    pub(super) reason: &'a mut String,
    /// What for.
    pub(super) what: &'a mut ShareFor,
    /// From when on, as it was typed; empty: at once.
    pub(super) from: &'a mut String,
    /// For how many hours.
    pub(super) hours: &'a mut u32,
    /// How many devices it lets in.
    pub(super) uses: &'a mut u16,
    /// How it is handed over.
    pub(super) by: &'a mut ShareBy,
    /// The System's title.
    pub(super) title: &'a str,
}

/// Asks who the guest is, what they may do, and for how long.
pub(super) fn share_ui(
    ui: &mut Ui,
    look: Look<'_>,
    space: SpaceId,
    Asked {
        name,
        reason,
        what,
        from,
        hours,
        uses,
        by,
        title,
    }: Asked<'_>,
    intents: &mut Vec<Intent>,
) -> Next {
    dialog::first_field_ui(ui, look, "share-to", name);
    super::start::field_ui(ui, look, "share-reason", reason);
    may_ui(ui, look, what, hours);
    uses_ui(ui, look, uses);
    let begin = from_ui(ui, look, from);
    by_ui(ui, look, by, title);
    let later = begin.later();
    let late_by_hand = later.is_some() && *by != ShareBy::Code;
    if late_by_hand {
        wrong_ui(ui, look, &look.texts.get("share-from-code"));
    }
    ui.add_space(space::S);
    let lasts = std::time::Duration::from_secs(u64::from(*hours) * 3_600);
    let end = later.unwrap_or(look.now).plus(lasts);
    explain_ui(ui, look, *what, (later, end));
    ui.add_space(space::M);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        let placed = !matches!(by, ShareBy::File(path) if path.trim().is_empty());
        let ready = placed && begin.is_possible() && !late_by_hand;
        if ui
            .add_enabled(ready, dialog::primary(look, "share-make"))
            .clicked()
        {
            intents.push(Intent::Share {
                space,
                name: name.trim().to_owned(),
                reason: reason.trim().to_owned(),
                what: *what,
                begin: later,
                hours: *hours,
                uses: *uses,
                by: by.clone(),
            });
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}

/// Asks what a guest may do, and for how long.
pub(super) fn may_ui(ui: &mut Ui, look: Look<'_>, what: &mut ShareFor, hours: &mut u32) {
    choice_head(ui, look, "share-may");
    ui.horizontal(|ui| {
        for choice in [ShareFor::Reading, ShareFor::Commenting, ShareFor::Writing] {
            ui.selectable_value(what, choice, look.texts.get(may_key(choice)));
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
        let label = look.texts.get("share-hours-typed");
        let typed = DragValue::new(hours)
            .range(1..=HOURS_MAX)
            .speed(1.0)
            .suffix(" h");
        ui.add(typed).labelled_by(ui.label(label).id);
    });
}

/// Asks how many devices may use the code. An arrow key is a whole step.
fn uses_ui(ui: &mut Ui, look: Look<'_>, uses: &mut u16) {
    ui.horizontal(|ui| {
        let label = ui.label(
            RichText::new(look.texts.get("share-uses"))
                .size(size::SMALL)
                .color(look.tokens.subdued),
        );
        let typed = DragValue::new(uses).range(1..=USES_MAX).speed(1.0);
        ui.add(typed).labelled_by(label.id);
    });
    ui.add_space(space::S);
}

const fn may_key(what: ShareFor) -> &'static str {
    match what {
        ShareFor::Reading => "share-read",
        ShareFor::Commenting => "share-comment",
        ShareFor::Writing => "share-write",
    }
}

/// Asks from when on, and says at once what is wrong with it.
fn from_ui(ui: &mut Ui, look: Look<'_>, from: &mut String) -> Begin {
    super::start::field_ui(ui, look, "share-from", from);
    let begin = Begin::read(from, look.now);
    match begin {
        Begin::AtOnce | Begin::At(_) => {}
        Begin::Passed(at) => {
            let at = minute(look, at);
            wrong_ui(
                ui,
                look,
                &look.texts.with("share-from-passed", &[("at", &at)]),
            );
        }
        Begin::Unreadable => wrong_ui(ui, look, &look.texts.get("share-from-unreadable")),
    }
    begin
}

/// What keeps the invitation from being made.
fn wrong_ui(ui: &mut Ui, look: Look<'_>, text: &str) {
    let text = RichText::new(text)
        .size(size::SMALL)
        .color(look.tokens.severity(Severity::Warning));
    ui.add(egui::Label::new(text).wrap());
}

/// Asks how the invitation is handed over.
fn by_ui(ui: &mut Ui, look: Look<'_>, by: &mut ShareBy, title: &str) {
    choice_head(ui, look, "share-by");
    ui.horizontal_wrapped(|ui| {
        let is_file = matches!(by, ShareBy::File(_));
        ui.selectable_value(by, ShareBy::Code, look.texts.get("share-by-code"));
        ui.selectable_value(by, ShareBy::Inline, look.texts.get("share-by-inline"));
        let file = ui.selectable_label(is_file, look.texts.get("share-by-file"));
        if file.clicked() && !is_file {
            *by = ShareBy::File(format!("~/{}.aramaki", file_name(title)));
        }
    });
    match by {
        ShareBy::Code => {}
        ShareBy::Inline => {
            let text = look.texts.get("share-inline-explain");
            ui.add(egui::Label::new(RichText::new(text).color(look.tokens.subdued)).wrap());
        }
        ShareBy::File(path) => {
            super::start::field_ui(ui, look, "share-path", path);
        }
    }
}

/// A title as the name of a file: letters and digits, anything else is a dash.
fn file_name(title: &str) -> String {
    let name: String = title
        .chars()
        .take(FILE_NAME_LEN_CHARS_MAX)
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    if name.trim_matches('-').is_empty() {
        "invitation".to_owned()
    } else {
        name
    }
}

fn choice_head(ui: &mut Ui, look: Look<'_>, key: &str) {
    ui.label(
        RichText::new(look.texts.get(key))
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
}

/// Says what its guest may do, from when on and until when.
fn explain_ui(
    ui: &mut Ui,
    look: Look<'_>,
    what: ShareFor,
    (begin, end): (Option<Timestamp>, Timestamp),
) {
    let what = look.texts.get(may_key(what));
    let explained = match begin {
        None => {
            let end = until(look, end);
            let said = [("what", what.as_str()), ("end", &end)];
            look.texts.with("share-explain", &said)
        }
        Some(begin) => {
            let (begin, end) = (minute(look, begin), minute(look, end));
            let said = [("what", what.as_str()), ("begin", &begin), ("end", &end)];
            look.texts.with("share-explain-later", &said)
        }
    };
    ui.add(egui::Label::new(RichText::new(explained).color(look.tokens.text)).wrap());
}

/// Shows an invitation, once: for a camera, and as text to send.
pub(super) fn made_ui(
    ui: &mut Ui,
    look: Look<'_>,
    made: &MadeInvitation,
    (what, uses): (ShareFor, u16),
    copied: &mut Copied,
) -> Next {
    explain_ui(ui, look, what, (made.begin, made.end));
    let code_end = minute(look, made.redeem_until);
    let times = look.texts.count("share-times", u64::from(uses));
    let times = ("times", times.as_str());
    let once = match (&made.handed, made.begin) {
        (Handed::File(file), _) => return saved_ui(ui, look, file, times),
        (Handed::Offline, _) => look.texts.with("share-once-offline", &[times]),
        (Handed::Online, None) => {
            let said = [times, ("end", code_end.as_str())];
            look.texts.with("share-once", &said)
        }
        (Handed::Online, Some(begin)) => {
            let begin = minute(look, begin);
            let said = [times, ("begin", begin.as_str()), ("end", &code_end)];
            look.texts.with("share-once-later", &said)
        }
    };
    code_ui(ui, look, made, &once, copied)
}

/// Says where an invitation was written.
fn saved_ui(ui: &mut Ui, look: Look<'_>, file: &Path, times: (&'static str, &str)) -> Next {
    ui.add_space(space::M);
    let file = file.display().to_string();
    let text = look.texts.with("share-saved", &[times, ("file", &file)]);
    ui.add(egui::Label::new(RichText::new(text).color(look.tokens.text)).wrap());
    ui.add_space(space::S);
    if ui.button(look.texts.get("action-close")).clicked() {
        return Next::Close;
    }
    Next::Stay
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
    code_ui(ui, look, made, &look.texts.get("devices-once"), copied)
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
        Copied::No => once.to_owned(),
        Copied::Yes => look.texts.get("share-copied"),
    };
    let hint = RichText::new(hint)
        .size(size::SMALL)
        .color(look.tokens.subdued);
    ui.add(egui::Label::new(hint).wrap());
    if !made.relayed && made.handed == Handed::Online {
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
    // A long one fits only with the least redundancy.
    let least = |_too_long| QrCode::with_error_correction_level(text, EcLevel::L);
    let Ok(code) = QrCode::new(text).or_else(least) else {
        return;
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a code has at most 177 modules a side"
    )]
    let side = (code.width() as f32 * MODULE_SIDE_MIN + 2.0 * QR_MARGIN)
        .max(QR_SIDE)
        .min(ui.available_width());
    let colors = code.to_colors();
    ui.vertical_centered(|ui| {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
        let name = look.texts.get("start-invitation");
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        // A camera needs dark on light in both themes.
        ui.painter().rect_filled(rect, 8.0, Color32::WHITE);
        let inside = rect.shrink(QR_MARGIN);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_title_makes_the_name_of_a_file() {
        assert_eq!(file_name("Webshop production"), "Webshop-production");
        assert_eq!(file_name("../../etc/passwd"), "------etc-passwd");
        assert_eq!(file_name("…/"), "invitation");
        assert_eq!(
            file_name(&"ä".repeat(200)).chars().count(),
            FILE_NAME_LEN_CHARS_MAX
        );
    }

    /// As long as a text gets that carries its grants: letters and digits of a code of the largest size.
    #[test]
    fn the_longest_code_is_shown_to_a_camera() {
        let text = "A".repeat(aramaki_sync_core::bundle::TEXT_LEN_CHARS_MAX);
        let code = QrCode::with_error_correction_level(&text, EcLevel::L).unwrap();
        assert_eq!(code.width(), 177);
        assert!(QrCode::with_error_correction_level(format!("{text}A"), EcLevel::L).is_err());
    }
}
