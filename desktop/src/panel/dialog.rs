//! Small windows over a page: a new System or note, sharing, and what went wrong.

use aramaki_sync_core::SpaceId;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{
    Align2, Area, Button, Color32, Frame as Box, Id, Modal, Order, Rect, RichText, Role, Sense,
    Stroke, Ui, Vec2, WidgetInfo, vec2,
};
use qrcode::QrCode;

use super::Window;
use super::start::field_ui;
use crate::theme::{size, space, weighted};
use crate::view::{Frame, Intent, MadeInvitation, ShareFor};
use crate::widget::{Look, clock};

const WIDTH: f32 = 440.0;
const QR_SIDE: f32 = 232.0;
const HOURS: [u32; 4] = [1, 8, 24, 168];

/// What is asked in a small window.
#[derive(Debug)]
pub enum Dialog {
    /// A System to add.
    NewSystem {
        /// Its title.
        title: String,
        /// The team's word for what it is.
        category: String,
        /// What it is for.
        purpose: String,
    },
    /// A note to add.
    NewNote {
        /// To which System.
        space: SpaceId,
        /// Its title.
        title: String,
    },
    /// An invitation to make.
    Share {
        /// To which System.
        space: SpaceId,
        /// What for.
        what: ShareFor,
        /// For how many hours.
        hours: u32,
    },
}

enum Next {
    Stay,
    Close,
}

impl Dialog {
    /// Asks for a System.
    pub fn new_system() -> Self {
        Self::NewSystem {
            title: String::new(),
            category: String::new(),
            purpose: String::new(),
        }
    }

    /// Asks for a note.
    pub fn new_note(space: SpaceId) -> Self {
        Self::NewNote {
            space,
            title: String::new(),
        }
    }

    /// Asks what a guest may do, and how long; eight hours unless told otherwise.
    pub fn share(space: SpaceId) -> Self {
        Self::Share {
            space,
            what: ShareFor::Reading,
            hours: 8,
        }
    }
}

/// Draws the open dialog.
pub(super) fn dialog_ui(
    ui: &Ui,
    look: Look<'_>,
    frame: &Frame,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let Some(mut dialog) = window.dialog.take() else {
        return;
    };
    let modal = Modal::new(Id::unique("dialog")).show(ui.ctx(), |ui| {
        ui.set_width(WIDTH);
        match &mut dialog {
            Dialog::NewSystem {
                title,
                category,
                purpose,
            } => {
                head_ui(ui, look, &look.texts.get("new-system-title"));
                field_ui(ui, look, "new-system-name", title);
                field_ui(ui, look, "new-system-category", category);
                field_ui(ui, look, "new-system-purpose", purpose);
                answer_ui(ui, look, "action-create", title, |title| {
                    intents.push(Intent::NewSystem {
                        title,
                        category: category.trim().to_owned(),
                        purpose: purpose.trim().to_owned(),
                    });
                })
            }
            Dialog::NewNote { space, title } => {
                head_ui(ui, look, &look.texts.get("action-new-note"));
                field_ui(ui, look, "new-system-name", title);
                answer_ui(ui, look, "action-create", title, |title| {
                    intents.push(Intent::NewNote {
                        space: *space,
                        title,
                    });
                })
            }
            Dialog::Share { space, what, hours } => {
                let title = frame
                    .snapshot
                    .as_ref()
                    .and_then(|snapshot| snapshot.system(space))
                    .map_or_else(String::new, |system| system.title.clone());
                head_ui(
                    ui,
                    look,
                    &look.texts.with("share-title", &[("system", &title)]),
                );
                match frame
                    .invitation
                    .as_ref()
                    .filter(|made| made.space == *space)
                {
                    Some(made) => made_ui(ui, look, made, *what),
                    None => share_ui(ui, look, (*space, what, hours), intents),
                }
            }
        }
    });
    if matches!(modal.inner, Next::Close) || modal.should_close() {
        if frame.invitation.is_some() {
            intents.push(Intent::ForgetInvitation);
        }
    } else {
        window.dialog = Some(dialog);
    }
}

fn head_ui(ui: &mut Ui, look: Look<'_>, title: &str) {
    ui.label(weighted(title, 650.0).size(16.0).color(look.tokens.strong));
    ui.add_space(space::M);
}

/// A filled button, the one that carries on.
pub(super) fn primary(look: Look<'_>, key: &str) -> Button<'static> {
    Button::new(weighted(look.texts.get(key), 600.0).color(look.tokens.on_accent))
        .fill(look.tokens.primary)
}

fn answer_ui(
    ui: &mut Ui,
    look: Look<'_>,
    action: &str,
    title: &str,
    ask: impl FnOnce(String),
) -> Next {
    ui.add_space(space::S);
    let title = title.trim();
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui
            .add_enabled(!title.is_empty(), primary(look, action))
            .clicked()
        {
            ask(title.to_owned());
            next = Next::Close;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}

fn share_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (space, what, hours): (SpaceId, &mut ShareFor, &mut u32),
    intents: &mut Vec<Intent>,
) -> Next {
    ui.horizontal(|ui| {
        for (choice, key) in [
            (ShareFor::Reading, "share-read"),
            (ShareFor::Writing, "share-write"),
        ] {
            ui.selectable_value(what, choice, look.texts.get(key));
        }
    });
    ui.horizontal(|ui| {
        for choice in HOURS {
            let text = look.texts.count("share-for", u64::from(choice));
            ui.selectable_value(hours, choice, text);
        }
    });
    ui.add_space(space::S);
    let end = look
        .now
        .plus(std::time::Duration::from_secs(u64::from(*hours) * 3_600));
    explain_ui(ui, look, *what, &clock(look, end));
    ui.add_space(space::M);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui.add(primary(look, "share-make")).clicked() {
            intents.push(Intent::Share {
                space,
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

fn made_ui(ui: &mut Ui, look: Look<'_>, made: &MadeInvitation, what: ShareFor) -> Next {
    explain_ui(ui, look, what, &clock(look, made.end));
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
    ui.label(
        RichText::new(look.texts.get("share-once"))
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
    ui.add_space(space::S);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui.add(primary(look, "action-copy")).clicked() {
            ui.ctx().copy_text(made.text.clone());
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
                    quad(
                        &mut mesh,
                        Rect::from_min_size(inside.min + at, Vec2::splat(step)),
                    );
                }
            }
        }
        ui.painter().add(mesh);
    });
}

fn quad(mesh: &mut Mesh, rect: Rect) {
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
            color: Color32::BLACK,
        });
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first + 2, first + 1, first + 3);
}

/// What went wrong last, at the lower right, until it is closed.
pub(super) fn problem_ui(ui: &Ui, look: Look<'_>, frame: &Frame, intents: &mut Vec<Intent>) {
    let Some(problem) = &frame.problem else {
        return;
    };
    Area::new(Id::unique("problem"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-20.0, -56.0))
        .show(ui.ctx(), |ui| {
            Box::popup(ui.style())
                .stroke(Stroke::new(1.0, look.tokens.line))
                .inner_margin(14)
                .show(ui, |ui| {
                    ui.set_width(360.0);
                    let title = format!("{} · {}", look.texts.get("error-title"), problem.code);
                    ui.label(weighted(title, 600.0).color(look.tokens.strong));
                    ui.label(&problem.message);
                    if !problem.hint.is_empty() {
                        ui.label(RichText::new(&problem.hint).color(look.tokens.subdued));
                    }
                    ui.add_space(space::S);
                    if ui.button(look.texts.get("action-close")).clicked() {
                        intents.push(Intent::ForgetProblem);
                    }
                });
        });
}
