//! Asks before an action is run: its values, the reason, and whether someone just did that.

use std::collections::BTreeMap;

use aramaki_model::AlertId;
use aramaki_model::action::ParameterKind;
use aramaki_sync_core::SpaceId;
use egui::{Label, RichText, Ui};

use super::actions::{Links, run_words, runs_ui};
use super::dialog::{self, Next};
use super::start::field_ui;
use crate::theme::space;
use crate::view::actions::{AboutAlert, Again, HostAction, RunWish};
use crate::view::maintenance::WorkWish;
use crate::view::{Frame, Intent};
use crate::widget::{Look, quiet};

/// What is asked about one action.
#[derive(Clone, Debug)]
pub struct RunForm {
    wish: RunWish,
}

impl RunForm {
    /// Asks for an action, with the values that its host proposes.
    pub(super) fn new(system: SpaceId, action: &HostAction) -> Self {
        let arguments = action.parameters.iter().map(|parameter| {
            let first = match &parameter.kind {
                ParameterKind::Choice(choices) => choices.first().cloned(),
                ParameterKind::Integer { .. } | ParameterKind::Text { .. } => None,
            };
            let value = parameter.default.clone().or(first).unwrap_or_default();
            (parameter.name.clone(), value)
        });
        Self {
            wish: RunWish {
                system,
                host: action.host.clone(),
                action: action.name.clone(),
                arguments: arguments.collect(),
                reason: String::new(),
                again: Again::No,
                alert: None,
            },
        }
    }

    /// The same for an alert.
    #[must_use]
    pub(super) fn about(mut self, alert: Option<AlertId>) -> Self {
        self.wish.alert = alert;
        self
    }

    /// The same with these values.
    #[must_use]
    pub(super) fn with(mut self, arguments: &BTreeMap<String, String>) -> Self {
        for (name, value) in arguments {
            if let Some(known) = self.wish.arguments.get_mut(name) {
                known.clone_from(value);
            }
        }
        self
    }

    /// The title of the small window.
    pub(super) fn title(&self, look: Look<'_>) -> String {
        let said = [
            ("action", self.wish.action.as_str()),
            ("host", &self.wish.host),
        ];
        look.texts.with("actions-run-name", &said)
    }

    /// Draws what is asked, and carries on.
    pub(super) fn form_ui(
        &mut self,
        ui: &mut Ui,
        look: Look<'_>,
        frame: &Frame,
        intents: &mut Vec<Intent>,
    ) -> Next {
        let known = frame.actions.iter().flat_map(|known| &known.actions);
        let mut known = known.filter(|it| it.host == self.wish.host);
        let Some(action) = known.find(|it| it.name == self.wish.action) else {
            ui.label(look.texts.get("actions-gone"));
            let closed = ui.button(look.texts.get("action-close")).clicked();
            return if closed { Next::Close } else { Next::Stay };
        };
        ui.add(Label::new(&action.description).wrap());
        if let (Some(id), Some(snapshot)) = (self.wish.alert, &frame.snapshot) {
            let about = AboutAlert::of(snapshot, id);
            let words = look
                .texts
                .with("actions-for-alert", &[("name", &about.name)]);
            quiet(ui, look, &words);
        }
        ui.add_space(space::S);
        dialog::first_field_ui(ui, look, "actions-reason", &mut self.wish.reason);
        parameters_ui(ui, look, action, &mut self.wish.arguments);
        if action.approvals > 0 {
            let needed = u64::from(action.approvals);
            quiet(ui, look, &look.texts.count("actions-approvals", needed));
        }
        let just_done = action.just_done(&self.arguments(), look.now);
        if let Some(run) = just_done {
            let words = run_words(look, run);
            let words = look.texts.with("actions-just-done", &[("run", &words)]);
            let warning = look.tokens.severity(aramaki_model::Severity::Warning);
            ui.add(Label::new(RichText::new(words).color(warning)).wrap());
            let mut again = self.wish.again == Again::Confirmed;
            ui.checkbox(&mut again, look.texts.get("actions-again"));
            self.wish.again = if again { Again::Confirmed } else { Again::No };
        } else {
            self.wish.again = Again::No;
            quiet(ui, look, &look.texts.get("actions-last-runs"));
            runs_ui(ui, look, action, Links::No);
        }
        ui.add_space(space::M);
        let may = !self.wish.reason.trim().is_empty()
            && (just_done.is_none() || self.wish.again == Again::Confirmed);
        let mut next = Next::Stay;
        ui.horizontal(|ui| {
            let key = if just_done.is_some() {
                "actions-run-again"
            } else {
                "actions-run-now"
            };
            if ui.add_enabled(may, dialog::primary(look, key)).clicked() {
                let wish = RunWish {
                    arguments: self.arguments(),
                    ..self.wish.clone()
                };
                intents.push(Intent::Run(wish));
                next = Next::Close;
            }
            if self.later_ui(ui, look, frame, intents) {
                next = Next::Close;
            }
            if ui.button(look.texts.get("action-cancel")).clicked() {
                next = Next::Close;
            }
        });
        next
    }

    /// The way to the next maintenance window, where its host lets it be run so; whether it was taken.
    fn later_ui(
        &self,
        ui: &mut Ui,
        look: Look<'_>,
        frame: &Frame,
        intents: &mut Vec<Intent>,
    ) -> bool {
        let known = frame.work.as_ref();
        let known = known.filter(|work| work.system == self.wish.system);
        if !known.is_some_and(|work| work.offers(&self.wish.host, &self.wish.action)) {
            return false;
        }
        let has_reason = !self.wish.reason.trim().is_empty();
        let ask = egui::Button::new(look.texts.get("work-ask"));
        let ask = ui.add_enabled(has_reason, ask);
        let is_asked = ask.on_hover_text(look.texts.get("work-ask-hint")).clicked();
        if is_asked {
            let wish = RunWish {
                arguments: self.arguments(),
                ..self.wish.clone()
            };
            intents.push(Intent::Work(WorkWish::Ask(wish)));
        }
        is_asked
    }

    /// The values that were given; what is empty is left to the host.
    fn arguments(&self) -> BTreeMap<String, String> {
        let given = self.wish.arguments.iter();
        given
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

fn parameters_ui(
    ui: &mut Ui,
    look: Look<'_>,
    action: &HostAction,
    arguments: &mut BTreeMap<String, String>,
) {
    for parameter in &action.parameters {
        let value = arguments.entry(parameter.name.clone()).or_default();
        match &parameter.kind {
            ParameterKind::Choice(choices) => {
                quiet(ui, look, &parameter.name);
                ui.horizontal_wrapped(|ui| {
                    for choice in choices {
                        ui.selectable_value(value, choice.clone(), choice);
                    }
                });
            }
            ParameterKind::Integer { .. } | ParameterKind::Text { .. } => {
                // A name from the host is no key of ours and stands for itself.
                field_ui(ui, look, &parameter.name, value);
            }
        }
    }
}
