//! Requests that wait for people: who asks for what, why and until when, and the answer.

use aramaki_model::Snapshot;
use aramaki_sync_core::{EnvelopeId, SpaceId};
use egui::{Button, FontId, Label, RichText, Role, Ui, WidgetInfo};

use super::actions::run_words;
use super::dialog::{self, Next};
use super::{Dialog, Window};
use crate::theme::{size, space, weighted};
use crate::view::actions::{MayAnswer, Say, Waiting, WhyNot, newest};
use crate::view::{Frame, Intent, Route};
use crate::widget::{Icon, Look, Row, ago, card_titled, minute, quiet, row};

/// How many requests are named at once.
const REQUESTS_SHOWN_MAX: usize = 8;
/// How many of them above a page about other things.
const ROWS_SHOWN_MAX: usize = 3;
/// How many last runs of the same action stand beside one.
const RUNS_SHOWN_MAX: usize = 3;

/// A button's word, and what accessibility tools say of it.
type Answer = (&'static str, &'static str);

const AGREE: Answer = ("requests-agree", "requests-agree-name");
const REFUSE: Answer = ("requests-refuse", "requests-refuse-name");
const WITHDRAW: Answer = ("requests-withdraw", "requests-withdraw-name");

/// Whether somebody is to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerForm {
    system: SpaceId,
    request: EnvelopeId,
    is_new: bool,
}

impl AnswerForm {
    const fn of(waiting: &Waiting) -> Self {
        Self {
            system: waiting.system,
            request: waiting.id,
            is_new: true,
        }
    }

    /// Draws what would be agreed to, once more and whole.
    pub(super) fn form_ui(
        &mut self,
        ui: &mut Ui,
        look: Look<'_>,
        frame: &Frame,
        intents: &mut Vec<Intent>,
    ) -> Next {
        let mut waiting = frame.waiting.iter();
        let found = waiting.find(|it| it.id == self.request && it.end >= look.now);
        let Some(found) = found.filter(|it| it.may == MayAnswer::Both) else {
            ui.label(look.texts.get("requests-gone"));
            let closed = ui.button(look.texts.get("action-close")).clicked();
            return if closed { Next::Close } else { Next::Stay };
        };
        what_ui(ui, look, found);
        let warning = look.tokens.severity(aramaki_model::Severity::Warning);
        let confirm = RichText::new(look.texts.get("requests-confirm")).color(warning);
        ui.add(Label::new(confirm).wrap());
        ui.add_space(space::M);
        let mut next = Next::Stay;
        ui.horizontal(|ui| {
            let agree = ui.add(dialog::primary(look, "requests-agree-now"));
            if std::mem::take(&mut self.is_new) {
                agree.request_focus();
            }
            if agree.clicked() {
                intents.push(answer(found, Say::Agree));
                next = Next::Close;
            }
            if ui.button(look.texts.get("action-cancel")).clicked() {
                next = Next::Close;
            }
        });
        next
    }
}

const fn answer(waiting: &Waiting, say: Say) -> Intent {
    Intent::Answer {
        system: waiting.system,
        request: waiting.id,
        say,
    }
}

/// For whom these wait.
pub(super) fn title<'a>(look: Look<'_>, mut waiting: impl Iterator<Item = &'a Waiting>) -> String {
    look.texts.get(if waiting.any(|it| it.missing() > 0) {
        "requests-title"
    } else {
        "requests-title-host"
    })
}

/// The card of what waits at the agents of a System; none where nothing does.
pub(super) fn requests_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    system: SpaceId,
    window: &mut Window,
) {
    let system = snapshot.system(&system);
    let mut waiting = frame
        .waiting
        .iter()
        .filter(|it| it.end >= look.now)
        .filter(|it| system.is_some_and(|system| system.agents.iter().any(|a| a.space == it.agent)))
        .peekable();
    if waiting.peek().is_none() {
        return;
    }
    let title = title(look, waiting.clone());
    card_titled(ui, look, &title, |ui| {
        for (place, it) in waiting.take(REQUESTS_SHOWN_MAX).enumerate() {
            if place > 0 {
                ui.add_space(space::M);
                ui.separator();
            }
            request_ui(ui, look, it, window);
        }
    });
    ui.add_space(space::S);
}

/// How much waits in all Systems, above a page about other things; each leads to its System.
pub(super) fn strip_ui(ui: &mut Ui, look: Look<'_>, frame: &Frame, window: &mut Window) {
    let waiting = frame.waiting.iter().filter(|it| it.needs_people(look.now));
    let waiting: Vec<_> = waiting.collect();
    if waiting.is_empty() {
        return;
    }
    let count = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
    card_titled(ui, look, &look.texts.count("requests-count", count), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for it in waiting.iter().take(ROWS_SHOWN_MAX) {
            let time = minute(look, it.end);
            let said = [
                ("who", it.who.as_str()),
                ("action", &it.action),
                ("host", &it.host),
                ("time", &time),
            ];
            let words = look.texts.with("requests-row", &said);
            let mut line = Row::icon(Icon::Trust, &words, false);
            line.trailing = &it.reason;
            if row(ui, look, &line).clicked() {
                window.go(Route::System(it.system));
            }
        }
    });
    ui.add_space(space::M);
}

/// What exactly is asked for.
fn what_ui(ui: &mut Ui, look: Look<'_>, waiting: &Waiting) {
    let said = [
        ("who", waiting.who.as_str()),
        ("action", &waiting.action),
        ("host", &waiting.host),
    ];
    let asks = look.texts.with("requests-asks", &said);
    ui.add(Label::new(weighted(asks, 600.0).color(look.tokens.strong)).wrap());
    quiet(ui, look, &waiting.description);
    for (name, value) in &waiting.arguments {
        // As it is: what would not be seen is shown as its code.
        let line = RichText::new(format!("{name} = {value:?}"));
        let line = line.font(FontId::monospace(size::SMALL));
        ui.add(Label::new(line.color(look.tokens.text)).wrap());
    }
    let why = look
        .texts
        .with("requests-why", &[("reason", &waiting.reason)]);
    ui.add(Label::new(RichText::new(why).color(look.tokens.text)).wrap());
    let (asked, time) = (ago(look, waiting.at), minute(look, waiting.end));
    let until = [("ago", asked.as_str()), ("time", &time)];
    quiet(ui, look, &look.texts.with("requests-until", &until));
    for (who, agrees) in &waiting.said {
        let key = if *agrees {
            "requests-agrees"
        } else {
            "requests-objects"
        };
        quiet(ui, look, &look.texts.with(key, &[("who", who)]));
    }
    quiet(ui, look, &look.texts.get("actions-last-runs"));
    if waiting.last.is_empty() {
        quiet(ui, look, &look.texts.get("actions-never"));
    }
    let last = newest(waiting.last.iter().collect(), RUNS_SHOWN_MAX, |run| {
        run.came.began()
    });
    for run in last {
        let response = quiet(ui, look, &run_words(look, run));
        if !run.tail.is_empty() {
            response.on_hover_text(&run.tail);
        }
    }
}

/// One request with its answers.
pub(super) fn request_ui(ui: &mut Ui, look: Look<'_>, waiting: &Waiting, window: &mut Window) {
    what_ui(ui, look, waiting);
    ui.add_space(space::S);
    if waiting.said.iter().any(|(_, agrees)| !agrees) {
        quiet(ui, look, &look.texts.get("requests-over"));
        return;
    }
    let missing = waiting.missing();
    match (missing, waiting.needed) {
        (0, None) => quiet(ui, look, &look.texts.get("requests-not-offered")),
        (0, Some(0)) => quiet(ui, look, &look.texts.get("requests-nobody")),
        (0, Some(_)) => quiet(ui, look, &look.texts.get("requests-host")),
        (n, _) => quiet(ui, look, &look.texts.count("requests-needs", n.into())),
    };
    let (why, refuses) = match waiting.may {
        MayAnswer::Both => (None, Some(REFUSE)),
        MayAnswer::Refuse(why) => (Some(why), Some(REFUSE)),
        MayAnswer::Withdraw => (Some(WhyNot::Own), Some(WITHDRAW)),
        MayAnswer::Nothing(why) => (Some(why), None),
    };
    if missing == 0 && refuses.is_none() {
        return;
    }
    // Where nobody is waited for nobody is asked to agree, nor told why they cannot.
    let why = why.filter(|_| missing > 0);
    let why = why.map(|why| look.texts.get(why_key(why)));
    ui.horizontal(|ui| {
        let agree = (why.is_none(), AGREE);
        if missing > 0 && answer_ui(ui, look, waiting, agree, window) {
            window.dialog = Some(Dialog::Answer(AnswerForm::of(waiting)));
        }
        let refuse = (refuses.is_some(), refuses.unwrap_or(REFUSE));
        if answer_ui(ui, look, waiting, refuse, window) {
            window.ask(answer(waiting, Say::Refuse));
        }
        if let Some(why) = &why {
            quiet(ui, look, why);
        }
    });
}

/// A button that names what it answers; whether it was pressed.
fn answer_ui(
    ui: &mut Ui,
    look: Look<'_>,
    waiting: &Waiting,
    (enabled, (key, name)): (bool, Answer),
    window: &mut Window,
) -> bool {
    let said = [("action", waiting.action.as_str()), ("host", &waiting.host)];
    let name = look.texts.with(name, &said);
    let button = if key == AGREE.0 && enabled {
        dialog::primary(look, key)
    } else {
        Button::new(look.texts.get(key))
    };
    let response = ui.add_enabled(enabled, button);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
    if enabled {
        window.list_has(&response);
    }
    response.clicked()
}

const fn why_key(why: WhyNot) -> &'static str {
    match why {
        WhyNot::Own => "requests-own",
        WhyNot::SamePerson => "requests-same-person",
        WhyNot::Agreed => "requests-agreed",
        WhyNot::Guest => "requests-guest",
        WhyNot::NotGranted => "requests-not-granted",
    }
}
