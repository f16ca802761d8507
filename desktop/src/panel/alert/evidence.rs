//! What changed before an alert, what the check said, and what happened to it since.

use std::cmp::Reverse;

use aramaki_model::alert::Alert;
use aramaki_model::changed_before::{CHANGED_BEFORE_SPAN, changed_before, reaches_before};
use aramaki_model::journal::{Tried, tried};
use aramaki_model::snapshot::{CheckView, TimelineItem};
use aramaki_model::{Snapshot, TimelineReach};
use aramaki_sync_core::Timestamp;
use egui::{FontId, Label, RichText, Ui};

use super::super::Window;
use super::super::actions::{run_link_ui, run_words};
use super::super::system::seen_from_words;
use super::super::timeline::item_ui;
use super::super::values::{Measured, values_ui};
use super::whole::whole_ui;
use super::{drawn, name_of};
use crate::theme::{size, space};
use crate::view::actions::{HostAction, Run};
use crate::view::alert::story;
use crate::view::{Frame, Intent, Route};
use crate::widget::{Look, card_titled, clock, quiet_line, severity_glyph, severity_word};

/// How many changes are named.
const CHANGES_SHOWN_MAX: usize = 12;
/// How much of the evidence is shown, in lines and characters.
const DETAIL_LINES_MAX: usize = 40;
const DETAIL_LEN_CHARS_MAX: usize = 4_096;
const METRICS_SHOWN_MAX: usize = 24;

/// Something that happened before.
enum Before<'a> {
    Said(&'a TimelineItem),
    Ran(&'a HostAction, &'a Run),
}

impl Before<'_> {
    const fn at(&self) -> Timestamp {
        match self {
            Self::Said(item) => item.at,
            Self::Ran(_, run) => run.at,
        }
    }
}

/// What was read back to before an alert, if that was asked.
fn reaching_back<'a>(frame: &'a Frame, alert: &Alert) -> Option<&'a Snapshot> {
    let earlier = frame.earlier.as_deref();
    let begin = alert.opened.minus(CHANGED_BEFORE_SPAN);
    let covers = earlier.filter(|it| it.covers(begin, alert.opened));
    covers.map(|earlier| earlier.snapshot.as_ref())
}

/// The snapshot in which what came before an alert stands. Where so much came since that it is no longer in the
/// newest, it is read when somebody asks.
fn looked_back<'a>(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&'a Frame, &'a Snapshot, &Alert),
    window: &mut Window,
) -> &'a Snapshot {
    if reaches_before(snapshot, alert, CHANGED_BEFORE_SPAN) {
        return snapshot;
    }
    if let Some(back) = reaching_back(frame, alert) {
        return back;
    }
    if ui.button(look.texts.get("alert-back")).clicked() {
        let reach = TimelineReach::since(alert.opened.minus(CHANGED_BEFORE_SPAN));
        window.ask(Intent::ReadBack(None, reach));
    }
    snapshot
}

/// What changed in the hour before, and what was run, newest first.
pub(super) fn before_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&Frame, &Snapshot, &Alert),
    window: &mut Window,
) {
    card_titled(ui, look, &look.texts.get("alert-before"), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let snapshot = looked_back(ui, look, (frame, snapshot, alert), window);
        let changes = changed_before(snapshot, alert, CHANGED_BEFORE_SPAN);
        let said = changes.iter().map(|change| Before::Said(change.item));
        let known = frame.actions.as_ref();
        let known = known.filter(|known| known.system == alert.system);
        let ran = known.map(|known| known.ran_before(alert.opened, CHANGED_BEFORE_SPAN));
        let ran = ran.into_iter().flatten();
        let ran = ran.map(|(action, run)| Before::Ran(action, run));
        let mut before: Vec<_> = said.chain(ran).collect();
        before.sort_by_key(|it| Reverse(it.at()));
        if before.is_empty() && reaches_before(snapshot, alert, CHANGED_BEFORE_SPAN) {
            quiet_line(ui, look, &look.texts.get("alert-before-none"));
        }
        for it in before.iter().take(CHANGES_SHOWN_MAX) {
            match it {
                Before::Said(item) => {
                    let own = item.system == alert.system;
                    let title = if own {
                        String::new()
                    } else {
                        name_of(snapshot, &item.system)
                    };
                    if item_ui(ui, look, (snapshot, item), &title).clicked() {
                        window.go(Route::System(item.system));
                    }
                }
                Before::Ran(action, run) => {
                    if ran_ui(ui, look, action, run) {
                        window.go(Route::Run(alert.system, run.id));
                    }
                }
            }
        }
    });
    ui.add_space(space::S);
}

/// Who ran what, in one line; whether somebody wants to see all of it.
fn ran_ui(ui: &mut Ui, look: Look<'_>, action: &HostAction, run: &Run) -> bool {
    let (time, words) = (clock(look, run.at), run_words(look, run));
    let said = [
        ("time", time.as_str()),
        ("action", &action.name),
        ("host", &action.host),
        ("words", &words),
    ];
    let said = look.texts.with("alert-before-ran", &said);
    let response = run_link_ui(ui, look, &said);
    let clicked = response.clicked();
    if !run.tail.is_empty() {
        response.on_hover_text(&run.tail);
    }
    clicked
}

/// The cards of the wide column.
pub(super) fn evidence_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&Frame, &Snapshot, &Alert),
    window: &mut Window,
) {
    before_ui(ui, look, (frame, snapshot, alert), window);
    let has_vantages = alert.vantages.len() > 1 || !alert.seen_from.is_empty();
    let has_any = !alert.detail.is_empty()
        || !alert.evidence.is_empty()
        || !alert.metrics.is_empty()
        || has_vantages;
    if has_any {
        card_titled(ui, look, &look.texts.get("alert-evidence"), |ui| {
            said_ui(ui, look, (frame, snapshot, alert), window);
        });
        ui.add_space(space::S);
    }
    measured_ui(ui, look, (frame, snapshot, alert), window);
    card_titled(ui, look, &look.texts.get("alert-story"), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let back = reaching_back(frame, alert);
        // What came since it was read is in the newest.
        let back = back.filter(|_back| !reaches_before(snapshot, alert, CHANGED_BEFORE_SPAN));
        let mut items = story(snapshot, alert);
        if let Some(back) = back {
            items.extend(story(back, alert));
            items.sort_by_key(|item| Reverse(item.order()));
            items.dedup_by_key(|item| item.order());
        }
        if items.is_empty() {
            severity_glyph(ui, look, drawn(alert), 14.0);
            quiet_line(ui, look, &look.texts.get("system-none-timeline"));
        }
        for item in items {
            item_ui(ui, look, (snapshot, item), "");
        }
        for it in tried(&alert.tries).into_iter().rev() {
            try_ui(ui, look, it);
        }
    });
    ui.add_space(space::S);
}

/// With what it began, before it counted.
fn try_ui(ui: &mut Ui, look: Look<'_>, tried: Tried<'_>) {
    let (it, attempt) = match tried {
        Tried::Other(it) => (it, it.attempt.to_string()),
        Tried::Same { of, first, last } if first == last => (of, first.to_string()),
        Tried::Same { of, first, last } => (of, format!("{first}–{last}")),
    };
    let (raw, attempts) = (severity_word(look, it.to), it.attempts.to_string());
    let of = [("attempt", attempt.as_str()), ("attempts", &attempts)];
    let of = look.texts.with("event-attempt", &of);
    let words = match tried {
        Tried::Other(it) => format!("{}  {raw}, {of}: {}", clock(look, it.at), it.summary),
        Tried::Same { .. } => {
            let same = look.texts.get("alert-attempt-same");
            format!("{raw}, {of}: {same}")
        }
    };
    ui.horizontal(|ui| {
        severity_glyph(ui, look, it.to, 14.0);
        quiet_line(ui, look, &words);
    });
}

/// What the check measured, once somebody asks; nothing where nobody looks.
fn measured_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&Frame, &Snapshot, &Alert),
    window: &mut Window,
) {
    let Some(system) = snapshot.system(&alert.system) else {
        return;
    };
    let check = system.checks.iter().find(|it| it.check.id == alert.check);
    let is_own = |check: &&CheckView| !system.agents.is_empty() && check.seen_from.is_empty();
    let Some(check) = check.filter(is_own) else {
        return;
    };
    card_titled(ui, look, &look.texts.get("values-title"), |ui| {
        let measured = Measured {
            system: alert.system,
            name: &alert.name,
            check: Some(&check.check),
            told: &alert.metrics,
        };
        values_ui(ui, look, frame, measured, window);
    });
    ui.add_space(space::S);
}

/// Output, values, and what each agent sees.
fn said_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&Frame, &Snapshot, &Alert),
    window: &mut Window,
) {
    for (agent, severity) in &alert.vantages {
        ui.horizontal(|ui| {
            severity_glyph(ui, look, *severity, 14.0);
            let system = snapshot.system(&alert.system);
            let agents = system.map(|system| system.agents.iter());
            let label = agents
                .into_iter()
                .flatten()
                .find(|it| it.space == *agent)
                .map_or_else(|| agent.short(), |it| it.label.clone());
            ui.label(label);
        });
    }
    for from in &alert.seen_from {
        ui.horizontal(|ui| {
            severity_glyph(ui, look, from.severity, 14.0);
            ui.label(seen_from_words(look, from));
        });
    }
    let is_whole = whole_ui(ui, look, (frame, snapshot, alert), window);
    if !alert.detail.is_empty() && !is_whole {
        let lines = alert.detail.lines().take(DETAIL_LINES_MAX);
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let text: String = text.chars().take(DETAIL_LEN_CHARS_MAX).collect();
        let text = RichText::new(text.trim_end())
            .font(FontId::monospace(size::SMALL))
            .color(look.tokens.text);
        ui.add(Label::new(text).wrap());
    }
    if alert.metrics.is_empty() {
        return;
    }
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        for metric in alert.metrics.iter().take(METRICS_SHOWN_MAX) {
            let value = metric.value.map_or_else(
                || look.texts.get("status-unknown"),
                |value| format!("{value} {}", metric.unit),
            );
            let words = format!("{} {}", metric.label, value.trim_end());
            let words = RichText::new(words).font(FontId::monospace(size::SMALL));
            ui.add(Label::new(words.color(look.tokens.subdued)).wrap());
        }
    });
}
