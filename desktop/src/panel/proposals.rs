//! Checks that hosts propose: what is there and nobody looks at, to be accepted or ignored.

use std::collections::BTreeSet;

use aramaki_model::{Check, CheckId, Severity};
use aramaki_sync_core::SpaceId;
use egui::{Label, RichText, ScrollArea, Ui};

use super::Window;
use super::dialog::Next;
use super::values::state_ui;
use crate::theme::space;
use crate::view::actions::SystemActions;
use crate::view::asked::needs_asking;
use crate::view::deed::may_write;
use crate::view::{Frame, Intent};
use crate::widget::{Look, quiet};

/// Proposals that are listed at once.
const SHOWN_MAX: usize = 300;
const HEIGHT_MAX: f32 = 320.0;

/// What is chosen of the proposals for one System.
#[derive(Clone, Debug)]
pub struct ProposalsForm {
    system: SpaceId,
    chosen: BTreeSet<CheckId>,
    /// Whether something was done that can be taken back.
    can_undo: bool,
}

/// What is known of a System's hosts, if it is this one that is looked at.
fn known(frame: &Frame, system: SpaceId) -> Option<&SystemActions> {
    frame
        .actions
        .as_ref()
        .filter(|known| known.system == system)
}

/// The line below the checks that leads to the proposals.
pub(super) fn line_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    system: &aramaki_model::SystemView,
    window: &mut Window,
) {
    if system.agents.is_empty() {
        return;
    }
    let known = known(frame, system.space);
    let count = known.map_or(0, |known| known.proposals(system).count());
    let words = if count == 0 {
        look.texts.get("proposals-open")
    } else {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        look.texts.count("proposals-count", count)
    };
    if ui.button(words).clicked() {
        window.dialog = Some(super::Dialog::Proposals(ProposalsForm {
            system: system.space,
            chosen: BTreeSet::new(),
            can_undo: false,
        }));
        let asks = known.is_some_and(|known| {
            known.tells_proposals() && needs_asking(&known.proposed, look.now)
        });
        if asks {
            window.ask(Intent::AskProposals(system.space));
        }
    }
}

impl ProposalsForm {
    /// For which System.
    pub(super) const fn system(&self) -> SpaceId {
        self.system
    }

    /// Draws what is proposed, and what can be done with it.
    pub(super) fn form_ui(
        &mut self,
        ui: &mut Ui,
        look: Look<'_>,
        frame: &Frame,
        intents: &mut Vec<Intent>,
    ) -> Next {
        let snapshot = frame.snapshot.as_ref();
        let Some(system) = snapshot.and_then(|snapshot| snapshot.system(&self.system)) else {
            return Next::Close;
        };
        let actions = known(frame, self.system);
        let tells = actions.is_some_and(SystemActions::tells_proposals);
        let asked = actions.map_or(&[][..], |it| it.proposed.as_slice());
        if !tells && asked.is_empty() {
            quiet(ui, look, &look.texts.get("proposals-none-tells"));
            quiet(ui, look, &look.texts.get("proposals-none-tells-hint"));
        }
        for host in asked {
            state_ui(ui, look, host);
            if let Some((_, answer)) = host.last.as_ref().filter(|(_, it)| it.left_out > 0) {
                quiet(
                    ui,
                    look,
                    &look.texts.count("values-left-out", answer.left_out),
                );
            }
        }
        let open: Vec<_> = actions.map_or_else(Vec::new, |it| it.proposals(system).collect());
        // What is done elsewhere meanwhile is not chosen any more.
        self.chosen
            .retain(|id| open.iter().any(|(_, check)| check.id == *id));
        if open.is_empty() && asked.iter().any(|it| it.last.is_some()) {
            quiet(ui, look, &look.texts.get("proposals-none"));
        }
        self.list_ui(ui, look, &open, asked.len());
        let may = may_write(&frame.trust, &self.system);
        if !may {
            let color = look.tokens.severity(Severity::Warning);
            let words = RichText::new(look.texts.get("proposals-may-not")).color(color);
            ui.add(Label::new(words).wrap());
        } else if system.agents.len() > 1 && !open.is_empty() {
            quiet(ui, look, &look.texts.get("proposals-everywhere"));
        }
        ui.add_space(space::M);
        let chosen = open.iter().filter(|(_, it)| self.chosen.contains(&it.id));
        let chosen: Vec<Check> = chosen.map(|(_, check)| (*check).clone()).collect();
        let is_awaited = asked.iter().any(|it| it.is_awaited(look.now));
        self.buttons_ui(ui, look, (chosen, may), tells && !is_awaited, intents)
    }

    fn list_ui(&mut self, ui: &mut Ui, look: Look<'_>, open: &[(&str, &Check)], hosts: usize) {
        if open.len() > 1 {
            let mut all = self.chosen.len() == open.len();
            if ui
                .checkbox(&mut all, look.texts.get("proposals-all"))
                .changed()
            {
                self.chosen.clear();
                let ids = open.iter().map(|(_, check)| check.id);
                self.chosen.extend(ids.filter(|_| all));
            }
            ui.separator();
        }
        ScrollArea::vertical()
            .id_salt("proposals")
            .max_height(HEIGHT_MAX)
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                for (host, check) in open.iter().take(SHOWN_MAX) {
                    let mut is_chosen = self.chosen.contains(&check.id);
                    let words = if hosts > 1 {
                        format!("{} · {host}", check.name)
                    } else {
                        check.name.clone()
                    };
                    if ui.checkbox(&mut is_chosen, words).changed() {
                        if is_chosen {
                            self.chosen.insert(check.id);
                        } else {
                            self.chosen.remove(&check.id);
                        }
                    }
                }
            });
    }

    fn buttons_ui(
        &mut self,
        ui: &mut Ui,
        look: Look<'_>,
        (chosen, may): (Vec<Check>, bool),
        may_ask: bool,
        intents: &mut Vec<Intent>,
    ) -> Next {
        let mut next = Next::Stay;
        ui.horizontal_wrapped(|ui| {
            let count = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
            let system = self.system;
            let can = may && !chosen.is_empty();
            let accept = look.texts.count("proposals-accept", count);
            let accept = crate::theme::weighted(accept, 600.0).color(look.tokens.on_accent);
            let accept = egui::Button::new(accept).fill(look.tokens.primary);
            if ui.add_enabled(can, accept).clicked() {
                let checks = chosen.clone();
                intents.push(Intent::AcceptProposals { system, checks });
                self.can_undo = true;
            }
            let ignore = egui::Button::new(look.texts.count("proposals-ignore", count));
            if ui.add_enabled(can, ignore).clicked() {
                let checks = chosen;
                intents.push(Intent::IgnoreProposals { system, checks });
                self.can_undo = true;
            }
            if self.can_undo && ui.button(look.texts.get("proposals-undo")).clicked() {
                intents.push(Intent::UndoDeed);
                self.can_undo = false;
            }
            let ask = ui.add_enabled(
                may_ask,
                egui::Button::new(look.texts.get("values-ask-again")),
            );
            if ask.clicked() {
                intents.push(Intent::AskProposals(system));
            }
            if ui.button(look.texts.get("action-close")).clicked() {
                next = Next::Close;
            }
        });
        next
    }
}
