//! Opening an incident from a System's page: what it is called, and who is called in at once.

use aramaki_sync_core::SpaceId;
use egui::{RichText, Ui};

use super::dialog::{self, Copied, Next};
use super::start::{entered, field_ui};
use super::{Window, share};
use crate::theme::space;
use crate::view::{CalledIn, Frame, IncidentAnswer, Intent, Route, ShareFor};
use crate::widget::Look;

/// What is asked, and how far it is.
#[derive(Debug)]
pub struct IncidentForm {
    system: SpaceId,
    title: String,
    /// Whether somebody is invited at once.
    calls: bool,
    name: String,
    what: ShareFor,
    hours: u32,
    stage: Stage,
    copied: Copied,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is being typed.
    Asking,
    /// It was asked for.
    Opening,
}

impl IncidentForm {
    /// An empty one; who is called in helps, for a day.
    pub(super) fn of(system: SpaceId) -> Self {
        Self {
            system,
            title: String::new(),
            calls: false,
            name: String::new(),
            what: ShareFor::Writing,
            hours: 24,
            stage: Stage::Asking,
            copied: Copied::No,
        }
    }

    /// Of which System.
    pub(super) const fn system(&self) -> SpaceId {
        self.system
    }
}

/// Asks about it; then shows the invitation that was made for it.
pub(super) fn incident_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    form: &mut IncidentForm,
    intents: &mut Vec<Intent>,
) -> Next {
    match (form.stage, frame.incident) {
        (Stage::Opening, Some(IncidentAnswer::Opened(incident))) => {
            let made = frame.invitation.as_ref();
            match made.filter(|made| made.space == incident) {
                Some(made) => share::made_ui(ui, look, made, (form.what, 1), &mut form.copied),
                None => Next::Close,
            }
        }
        (Stage::Opening, Some(IncidentAnswer::Refused)) => {
            form.stage = Stage::Asking;
            intents.push(Intent::ForgetIncident);
            Next::Stay
        }
        (_, answer) => {
            if answer.is_some() {
                // Of one whose dialog was closed before the answer came.
                intents.push(Intent::ForgetIncident);
            }
            asking_ui(ui, look, answer.is_none(), form, intents)
        }
    }
}

/// Goes to the incident when its dialog closes.
pub(super) fn leave(frame: &Frame, window: &mut Window, intents: &mut Vec<Intent>) {
    if let Some(answer) = frame.incident {
        intents.push(Intent::ForgetIncident);
        if let IncidentAnswer::Opened(incident) = answer {
            window.go(Route::System(incident));
        }
    }
}

fn asking_ui(
    ui: &mut Ui,
    look: Look<'_>,
    ready: bool,
    form: &mut IncidentForm,
    intents: &mut Vec<Intent>,
) -> Next {
    let explain = RichText::new(look.texts.get("incident-explain")).color(look.tokens.subdued);
    ui.add(egui::Label::new(explain).wrap());
    ui.add_space(space::S);
    let mut enter = dialog::first_field_ui(ui, look, "incident-what", &mut form.title);
    ui.checkbox(&mut form.calls, look.texts.get("incident-call"));
    if form.calls {
        ui.add_space(space::S);
        let name = field_ui(ui, look, "share-to", &mut form.name);
        enter |= entered(ui, &name);
        share::may_ui(ui, look, &mut form.what, &mut form.hours);
    }
    ui.add_space(space::M);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        let title = form.title.trim();
        let is_asked = form.stage == Stage::Opening;
        let can = ready && !is_asked && !title.is_empty();
        let open = ui.add_enabled(can, dialog::primary(look, "incident-open"));
        if can && (open.clicked() || enter) {
            intents.push(Intent::OpenIncident {
                system: form.system,
                title: title.to_owned(),
                called: form.calls.then(|| CalledIn {
                    name: form.name.trim().to_owned(),
                    what: form.what,
                    hours: form.hours,
                }),
            });
            form.stage = Stage::Opening;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
        if is_asked {
            ui.label(RichText::new(look.texts.get("incident-opening")).color(look.tokens.subdued));
        }
    });
    next
}
