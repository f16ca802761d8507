//! Small windows over a page: a new System or note, sharing.

use std::collections::BTreeMap;
use std::fmt;

use aramaki_model::system::NoteKind;
use aramaki_model::{AlertId, ItemId, Perspective};
use aramaki_sync_core::{EnvelopeId, SpaceId};
use egui::{Button, Frame as Box, Id, Modal, Ui};

use super::incident::{self, IncidentForm};
use super::observe::ObserverForm;
use super::proposals::ProposalsForm;
use super::requests::AnswerForm;
use super::run::RunForm;
use super::start::{entered, field_ui};
use super::{Window, deed, renew, runbook, share, trust};
use crate::theme::{space, weighted};
use crate::view::actions::HostAction;
use crate::view::deed::Deed;
use crate::view::{EndWhat, Frame, Intent, ShareBy, ShareFor};
use crate::widget::Look;

/// What a note can be for.
const NOTE_KINDS: [(NoteKind, &str); 5] = [
    (NoteKind::Note, "note-kind-note"),
    (NoteKind::Runbook, "note-kind-runbook"),
    (NoteKind::Handover, "note-kind-handover"),
    (NoteKind::Review, "note-kind-review"),
    (NoteKind::PostMortem, "note-kind-post-mortem"),
];
const WIDTH: f32 = 440.0;
const MARGIN: i8 = 20;

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
    /// An invitation to use, or a file to take.
    Join {
        /// What was typed or pasted; a secret.
        invitation: Hidden,
    },
    /// A note to add.
    NewNote {
        /// To which System.
        space: SpaceId,
        /// Its title.
        title: String,
        /// What it is for.
        kind: NoteKind,
    },
    /// An address to open outside.
    Leave(String),
    /// Somebody's access to end.
    End {
        /// Which, and where.
        what: EndWhat,
        /// Whose.
        name: String,
        /// Why.
        reason: String,
        /// Whether it is a device that can be lost.
        can_be_lost: bool,
    },
    /// Whether somebody's access is to be given anew.
    Renew {
        /// Where.
        space: SpaceId,
        /// Which.
        grant: EnvelopeId,
    },
    /// A code for another device of the same person.
    AddDevice {
        /// Whether its text was copied.
        copied: Copied,
    },
    /// Something to be done about alerts.
    Deed(Deed),
    /// An action to be run.
    Run(RunForm),
    /// Whether to agree to somebody's request.
    Answer(AnswerForm),
    /// An incident to open.
    Incident(IncidentForm),
    /// A name for how one looks at the worklist.
    Perspective {
        /// In place of which; none: a new one.
        id: Option<ItemId>,
        /// How.
        perspective: Perspective,
    },
    /// Checks that are proposed.
    Proposals(ProposalsForm),
    /// Another System whose agents are to look.
    Observer(ObserverForm),
    /// An invitation to make.
    Share {
        /// To which System.
        space: SpaceId,
        /// For whom.
        name: String,
        /// Why.
        reason: String,
        /// What for.
        what: ShareFor,
        /// From when on, as it was typed.
        from: String,
        /// For how many hours.
        hours: u32,
        /// How many devices it lets in.
        uses: u16,
        /// How it is handed over.
        by: ShareBy,
        /// Whether its text was copied.
        copied: Copied,
    },
}

/// Text that is never printed.
#[derive(Default)]
pub struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Whether an invitation's text is in the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// Not yet.
    No,
    /// It is.
    Yes,
}

/// What becomes of a dialog after a frame.
pub(super) enum Next {
    /// It stays.
    Stay,
    /// It is done or given up.
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

    /// Asks for an invitation.
    pub fn join() -> Self {
        Self::Join {
            invitation: Hidden::default(),
        }
    }

    /// Asks for what is to be done about alerts.
    pub const fn deed(deed: Deed) -> Self {
        Self::Deed(deed)
    }

    /// Asks whether an action is to be run.
    pub fn run(system: SpaceId, action: &HostAction) -> Self {
        Self::Run(RunForm::new(system, action))
    }

    /// The same for an alert, where it asks for an action.
    #[must_use]
    pub(super) fn about(self, alert: Option<AlertId>) -> Self {
        match self {
            Self::Run(form) => Self::Run(form.about(alert)),
            other => other,
        }
    }

    /// The same with values that are there already.
    pub fn run_with(
        system: SpaceId,
        action: &HostAction,
        arguments: &BTreeMap<String, String>,
    ) -> Self {
        Self::Run(RunForm::new(system, action).with(arguments))
    }

    /// Asks for a note.
    pub fn new_note(space: SpaceId) -> Self {
        Self::NewNote {
            space,
            title: String::new(),
            kind: NoteKind::default(),
        }
    }

    /// Asks whether somebody's access is to end.
    pub fn end(what: EndWhat, name: String, can_be_lost: bool) -> Self {
        Self::End {
            what,
            name,
            reason: String::new(),
            can_be_lost,
        }
    }

    /// Asks whose agents are to look at a System.
    pub fn observer(system: SpaceId) -> Self {
        Self::Observer(ObserverForm::new(system))
    }

    /// Asks whether those of this one are to look at it.
    pub fn observer_of(system: SpaceId, observer: SpaceId) -> Self {
        Self::Observer(ObserverForm::of(system, observer))
    }

    /// Asks whether those of one are to look no more.
    pub fn end_observer(system: SpaceId, observer: SpaceId) -> Self {
        Self::Observer(ObserverForm::end(system, observer))
    }

    /// Shows a code for another device, once it is made.
    pub fn add_device() -> Self {
        Self::AddDevice { copied: Copied::No }
    }

    /// Asks for an incident of a System.
    pub fn incident(system: SpaceId) -> Self {
        Self::Incident(IncidentForm::of(system))
    }

    /// Asks what a guest may do, and how long; eight hours unless told otherwise.
    pub fn share(space: SpaceId) -> Self {
        Self::Share {
            space,
            name: String::new(),
            reason: String::new(),
            what: ShareFor::Reading,
            from: String::new(),
            hours: 8,
            uses: 1,
            by: ShareBy::Code,
            copied: Copied::No,
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
    let modal = Modal::new(Id::unique("dialog"))
        .frame(self::frame(ui))
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 80.0));
            content_ui(ui, look, frame, &mut dialog, intents)
        });
    if matches!(modal.inner, Next::Close) || modal.should_close() {
        if frame.invitation.is_some() {
            intents.push(Intent::ForgetInvitation);
        }
        if let Dialog::Incident(_) = dialog {
            incident::leave(frame, window, intents);
        }
        if frame.ending.is_some() && modal.should_close() {
            intents.push(Intent::ForgetEnding);
        }
    } else {
        window.dialog = Some(dialog);
    }
}

fn content_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    dialog: &mut Dialog,
    intents: &mut Vec<Intent>,
) -> Next {
    match dialog {
        Dialog::Deed(_)
        | Dialog::Run(_)
        | Dialog::Answer(_)
        | Dialog::Proposals(_)
        | Dialog::Observer(_)
        | Dialog::Perspective { .. } => alert_ui(ui, look, frame, dialog, intents),
        Dialog::NewSystem {
            title,
            category,
            purpose,
        } => new_system_ui(ui, look, (title, category, purpose), intents),
        Dialog::Join { invitation } => {
            head_ui(ui, look, &look.texts.get("action-join"));
            let enter = first_field_ui(ui, look, "join-what", &mut invitation.0);
            answer_ui(ui, look, ("action-join", &invitation.0, enter), |typed| {
                let (invitation, name) = (typed, String::new());
                intents.push(Intent::Join {
                    invitation,
                    name,
                    kit: None,
                });
            })
        }
        Dialog::Leave(address) => {
            head_ui(ui, look, &look.texts.get("leave-title"));
            runbook::leave_ui(ui, look, address)
        }
        Dialog::NewNote { space, title, kind } => {
            head_ui(ui, look, &look.texts.get("action-new-note"));
            let enter = first_field_ui(ui, look, "new-system-name", title);
            ui.horizontal(|ui| {
                for (choice, key) in NOTE_KINDS {
                    ui.selectable_value(kind, choice, look.texts.get(key));
                }
            });
            answer_ui(ui, look, ("action-create", title, enter), |title| {
                intents.push(Intent::NewNote {
                    space: *space,
                    title,
                    kind: *kind,
                });
            })
        }
        Dialog::End {
            what,
            name,
            reason,
            can_be_lost,
        } => {
            let title = look.texts.with("trust-end-title", &[("name", name)]);
            head_ui(ui, look, &title);
            let ending = frame.ending.as_ref();
            trust::end_ui(ui, look, (what, reason, *can_be_lost), ending, intents)
        }
        Dialog::AddDevice { copied } => {
            head_ui(ui, look, &look.texts.get("devices-add-title"));
            let made = frame.invitation.as_ref().filter(|made| made.for_device);
            share::device_ui(ui, look, made, copied)
        }
        Dialog::Incident(form) => {
            let title = title_of(frame, &form.system());
            let title = look.texts.with("incident-title", &[("system", &title)]);
            head_ui(ui, look, &title);
            incident::incident_ui(ui, look, frame, form, intents)
        }
        Dialog::Renew { .. } => renew::renew_ui(ui, look, frame, dialog, intents),
        Dialog::Share { .. } => share_ui(ui, look, frame, dialog, intents),
    }
}

fn share_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    dialog: &mut Dialog,
    intents: &mut Vec<Intent>,
) -> Next {
    let Dialog::Share {
        space,
        name,
        reason,
        what,
        from,
        hours,
        uses,
        by,
        copied,
    } = dialog
    else {
        return Next::Stay;
    };
    let asked = share::Asked {
        name,
        reason,
        what,
        from,
        hours,
        uses,
        by,
        title: &title_of(frame, space),
    };
    sharing_ui(ui, look, frame, (*space, asked, copied), intents)
}

fn new_system_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (title, category, purpose): (&mut String, &mut String, &mut String),
    intents: &mut Vec<Intent>,
) -> Next {
    head_ui(ui, look, &look.texts.get("new-system-title"));
    let mut enter = first_field_ui(ui, look, "new-system-name", title);
    for (key, text) in [
        ("new-system-category", &mut *category),
        ("new-system-purpose", &mut *purpose),
    ] {
        let field = field_ui(ui, look, key, text);
        enter |= entered(ui, &field);
    }
    answer_ui(ui, look, ("action-create", title, enter), |title| {
        intents.push(Intent::NewSystem {
            title,
            category: category.trim().to_owned(),
            purpose: purpose.trim().to_owned(),
        });
    })
}

/// Asks about a guest, and shows the invitation once it is made.
fn sharing_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    (space, asked, copied): (SpaceId, share::Asked<'_>, &mut Copied),
    intents: &mut Vec<Intent>,
) -> Next {
    let title = look.texts.with("share-title", &[("system", asked.title)]);
    head_ui(ui, look, &title);
    let made = frame.invitation.as_ref();
    if let Some(made) = made.filter(|made| made.space == space) {
        share::made_ui(ui, look, made, (*asked.what, *asked.uses), copied)
    } else {
        share::share_ui(ui, look, space, asked, intents)
    }
}

/// What is asked about alerts and actions.
fn alert_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    dialog: &mut Dialog,
    intents: &mut Vec<Intent>,
) -> Next {
    match dialog {
        Dialog::Deed(asked) => {
            let title = deed::title(look, asked, frame.snapshot.as_deref());
            head_ui(ui, look, &title);
            deed::deed_ui(ui, look, frame, asked, intents)
        }
        Dialog::Run(form) => {
            head_ui(ui, look, &form.title(look));
            form.form_ui(ui, look, frame, intents)
        }
        Dialog::Answer(form) => {
            head_ui(ui, look, &look.texts.get("requests-agree-title"));
            form.form_ui(ui, look, frame, intents)
        }
        Dialog::Proposals(form) => {
            let title = title_of(frame, &form.system());
            let title = look.texts.with("proposals-title", &[("system", &title)]);
            head_ui(ui, look, &title);
            form.form_ui(ui, look, frame, intents)
        }
        Dialog::Observer(form) => {
            let title = form.title(look, &title_of(frame, &form.system()));
            head_ui(ui, look, &title);
            form.form_ui(ui, look, frame, intents)
        }
        Dialog::Perspective { id, perspective } => {
            let key = if id.is_some() {
                "perspective-rename"
            } else {
                "perspective-save"
            };
            head_ui(ui, look, &look.texts.get(key));
            let enter = first_field_ui(ui, look, "new-system-name", &mut perspective.name);
            let typed = perspective.name.clone();
            answer_ui(ui, look, ("perspective-keep", &typed, enter), |name| {
                let (id, perspective) = (*id, perspective.clone());
                let perspective = Perspective {
                    name,
                    ..perspective
                };
                intents.push(Intent::SavePerspective { id, perspective });
            })
        }
        _ => Next::Close,
    }
}

fn title_of(frame: &Frame, space: &SpaceId) -> String {
    let system = frame.snapshot.as_ref();
    let system = system.and_then(|snapshot| snapshot.system(space));
    system.map_or_else(String::new, |system| system.title.clone())
}

/// The frame of everything that stands over a page.
pub(super) fn frame(ui: &Ui) -> Box {
    Box::popup(ui.style())
        .inner_margin(MARGIN)
        .corner_radius(12)
}

pub(super) fn head_ui(ui: &mut Ui, look: Look<'_>, title: &str) {
    ui.label(weighted(title, 650.0).size(16.0).color(look.tokens.strong));
    ui.add_space(space::M);
}

/// A filled button, the one that carries on.
pub(super) fn primary(look: Look<'_>, key: &str) -> Button<'static> {
    Button::new(weighted(look.texts.get(key), 600.0).color(look.tokens.on_accent))
        .fill(look.tokens.primary)
}

/// The field that has the keyboard when a dialog opens; whether Enter was pressed in it.
pub(super) fn first_field_ui(ui: &mut Ui, look: Look<'_>, key: &str, text: &mut String) -> bool {
    let field = field_ui(ui, look, key, text);
    let enter = entered(ui, &field);
    let nobody_types = ui.memory(|memory| memory.focused().is_none());
    if nobody_types && (!enter || text.trim().is_empty()) {
        field.request_focus();
    }
    enter
}

/// The buttons below the fields. Enter in a field carries on like the button, once there is a title.
fn answer_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (action, title, enter): (&str, &str, bool),
    ask: impl FnOnce(String),
) -> Next {
    ui.add_space(space::S);
    let title = title.trim();
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        let create = ui.add_enabled(!title.is_empty(), primary(look, action));
        if create.clicked() || (enter && !title.is_empty()) {
            ask(title.to_owned());
            next = Next::Close;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}
