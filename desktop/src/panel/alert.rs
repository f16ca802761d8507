//! One alert: what is wrong, whether it always is, what changed before, and who has it.

mod care;
mod evidence;
mod taken;
mod whole;

use aramaki_model::alert::{Alert, AlertId, AlertKind, Hold};
use aramaki_model::snapshot::WasObserved;
use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::Timestamp;
use egui::{Align, Label, Layout, RichText, Sense, Ui, vec2};

use super::actions::actions_ui;
use super::runbook::runbooks_ui;
use super::system::{back_ui, duty_ui};
use super::{Window, alerts, cause, draft, page};
use crate::theme::{size, space, weighted};
use crate::view::alert::{Habit, days};
use crate::view::{Frame, Intent, Route};
use crate::widget::{
    Look, age, card_titled, clock, day_strip, quiet_line, severity_glyph, severity_word,
};

const WIDTH_MAX: f32 = 1_180.0;
/// Below this width everything stands in one column.
const TWO_COLUMNS_MIN: f32 = 760.0;

/// Draws the page.
pub(super) fn alert_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    id: AlertId,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let Some(alert) = snapshot.alert(&id) else {
        if back_ui(ui, look, &look.texts.get("nav-alerts")) {
            window.go(Route::Alerts);
        }
        super::empty_ui(ui, look, ("alert-gone", "alert-gone-hint"), |_ui| {});
        return;
    };
    window.about = Some(alert.id);
    window.look_at(alert.system, frame, intents);
    alerts::page_keys(ui, id, window, intents);
    ui.set_max_width(ui.available_width().min(WIDTH_MAX));
    head_ui(ui, look, (snapshot, alert), window);
    page(ui, WIDTH_MAX, |ui| {
        super::requests::requests_ui(ui, look, (frame, snapshot), alert.system, window);
        now_ui(ui, look, (snapshot, alert), window);
        cause::cause_of_ui(ui, look, (snapshot, alert), window);
        ui.add_space(space::S);
        let width = ui.available_width();
        if width < TWO_COLUMNS_MIN {
            care::care_ui(ui, look, alert);
            taken::taken_ui(ui, look, (frame, alert), window);
            duty(ui, look, (snapshot, alert));
            actions_ui(ui, look, frame, alert.system, window);
            runbooks(ui, look, (frame, snapshot, alert), window);
            evidence::evidence_ui(ui, look, (frame, snapshot, alert), window);
            care::concerns_ui(ui, look, (snapshot, alert), window);
            return;
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::L;
            let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
                ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                    ui.set_width(width);
                    ui.spacing_mut().item_spacing = vec2(space::M, space::S + 2.0);
                    add(ui);
                });
            };
            let left = ((width - space::L) * 0.6).floor();
            column(ui, left, &mut |ui| {
                runbooks(ui, look, (frame, snapshot, alert), window);
                evidence::evidence_ui(ui, look, (frame, snapshot, alert), window);
            });
            column(ui, width - space::L - left, &mut |ui| {
                care::care_ui(ui, look, alert);
                taken::taken_ui(ui, look, (frame, alert), window);
                duty(ui, look, (snapshot, alert));
                actions_ui(ui, look, frame, alert.system, window);
                care::concerns_ui(ui, look, (snapshot, alert), window);
            });
        });
    });
}

/// The same in short, beside the list.
pub(super) fn brief_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    alert: &Alert,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    window.about = Some(alert.id);
    window.look_at(alert.system, frame, intents);
    ui.horizontal(|ui| {
        severity_glyph(ui, look, alert.severity, 16.0);
        let title = weighted(&alert.title, 650.0).size(size::HEAD);
        link_ui(ui, look, title, &alert.title, || {
            window.go(Route::System(alert.system));
        });
        quiet_line(ui, look, &alert.called());
    });
    ui.horizontal_wrapped(|ui| alerts::deeds_ui(ui, look, snapshot, &[alert.id], window));
    now_ui(ui, look, (snapshot, alert), window);
    care::care_ui(ui, look, alert);
    evidence::before_ui(ui, look, (frame, snapshot, alert), window);
    taken::taken_ui(ui, look, (frame, alert), window);
    duty(ui, look, (snapshot, alert));
    actions_ui(ui, look, frame, alert.system, window);
    window.about = None;
    if ui.button(look.texts.get("alert-open-page")).clicked() {
        window.go(Route::Alert(alert.id));
    }
}

/// The runbook that the check names, and the other runbooks of its System.
fn runbooks(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&Frame, &Snapshot, &Alert),
    window: &mut Window,
) {
    let system = snapshot.system(&alert.system);
    let named = system.and_then(|system| {
        let of = (frame, system, alert.check);
        super::check_runbook::card_ui(ui, look, of, window)
    });
    runbooks_ui(ui, look, (frame, snapshot), (alert.system, named), window);
}

/// What may be touched, and whom to call, if the System can be read here.
fn duty(ui: &mut Ui, look: Look<'_>, (snapshot, alert): (&Snapshot, &Alert)) {
    if let Some(system) = snapshot.system(&alert.system) {
        duty_ui(ui, look, snapshot, system);
    }
}

fn head_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, alert): (&Snapshot, &Alert),
    window: &mut Window,
) {
    if back_ui(ui, look, &look.texts.get("nav-alerts")) {
        window.go(Route::Alerts);
    }
    ui.horizontal(|ui| {
        severity_glyph(ui, look, alert.severity, 20.0);
        let title = weighted(&alert.title, 650.0).size(size::PAGE);
        link_ui(ui, look, title, &alert.title, || {
            window.go(Route::System(alert.system));
        });
        let name = RichText::new(alert.called()).size(size::HEAD);
        ui.add(Label::new(name.color(look.tokens.text)).truncate());
    });
    if alert.is_open() {
        ui.horizontal_wrapped(|ui| alerts::deeds_ui(ui, look, snapshot, &[alert.id], window));
    } else {
        draft::post_mortem_ui(ui, look, alert, window);
    }
    ui.add_space(space::S);
}

/// Who saw it, and until when.
pub(super) fn was_observed_words(look: Look<'_>, was: &WasObserved) -> String {
    let time = clock(look, was.until);
    let said = [("name", was.by.as_str()), ("time", &time)];
    look.texts.with("was-observed", &said)
}

/// Words that lead somewhere.
fn link_ui(ui: &mut Ui, look: Look<'_>, text: RichText, name: &str, go: impl FnOnce()) {
    let label = Label::new(text.color(look.tokens.strong))
        .selectable(false)
        .truncate()
        .sense(Sense::click());
    let response = ui.add(label);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Link, true, name));
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        go();
    }
}

/// What is wrong in plain words, since when, and whether that is usual.
fn now_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, alert): (&Snapshot, &Alert),
    window: &mut Window,
) {
    card_titled(ui, look, &look.texts.get("alert-now"), |ui| {
        ui.horizontal_wrapped(|ui| {
            let word = severity_word(look, alert.severity);
            let color = look.tokens.severity(alert.severity);
            ui.label(weighted(word, 650.0).size(17.0).color(color));
            let (time, old) = (clock(look, alert.opened), age(look, alert.opened));
            let since = match alert.resolved {
                None => look
                    .texts
                    .with("system-since", &[("time", &time), ("age", &old)]),
                Some(end) => {
                    let end = clock(look, end);
                    look.texts
                        .with("alert-lasted", &[("begin", &time), ("end", &end)])
                }
            };
            quiet_line(ui, look, &since);
        });
        if let Some(was) = &alert.was_observed {
            quiet_line(ui, look, &was_observed_words(look, was));
        }
        let said = RichText::new(said_words(look, alert))
            .size(size::HEAD)
            .color(look.tokens.strong);
        ui.add(Label::new(said).wrap());
        follows_ui(ui, look, (snapshot, alert), window);
        ui.add_space(space::S);
        let habit = weighted(habit_words(look, Habit::of(alert, snapshot.now)), 550.0);
        ui.add(Label::new(habit.color(look.tokens.text)).wrap());
        let width = ui.available_width();
        day_strip(ui, look, &days(alert, snapshot.now), width);
        let facts = RichText::new(facts(look, alert))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        ui.add(Label::new(facts).wrap());
    });
    ui.add_space(space::S);
}

/// What an alert says in a line: what its check said last, or that nothing comes any more.
pub(in crate::panel) fn said_words(look: Look<'_>, alert: &Alert) -> String {
    match alert.kind {
        AlertKind::Problem => alert.summary.clone(),
        AlertKind::Missing => look.texts.get("alert-missing"),
        AlertKind::Silent { .. } => look.texts.get("alert-silent"),
    }
}

/// Which other alert this one follows from.
fn follows_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, alert): (&Snapshot, &Alert),
    window: &mut Window,
) {
    for hold in &alert.holds {
        let Hold::Inhibited { path, by } = hold else {
            continue;
        };
        let names: Vec<_> = path.iter().map(|space| name_of(snapshot, space)).collect();
        let mut way = names.join(" → ");
        if let Some(cause) = snapshot.alert(by) {
            way = format!("{way}: {}", cause.name);
        }
        ui.horizontal_wrapped(|ui| {
            quiet_line(ui, look, &look.texts.get("alert-follows"));
            let text = RichText::new(&way).color(look.tokens.accent);
            link_ui(ui, look, text, &way, || window.go(Route::Alert(*by)));
        });
    }
}

/// What a System is called here.
fn name_of(snapshot: &Snapshot, space: &aramaki_sync_core::SpaceId) -> String {
    let system = snapshot.system(space);
    system.map_or_else(|| space.short(), |system| system.title.clone())
}

/// Always broken, or did it just happen? And of how much nothing is known.
fn habit_words(look: Look<'_>, habit: Habit) -> String {
    let count = |n: u32| n.to_string();
    let said = match habit {
        Habit::New { days, .. } => look.texts.count("alert-habit-new", u64::from(days)),
        Habit::Sometimes { bad, days, .. } => look.texts.with(
            "alert-habit-sometimes",
            &[("bad", &count(bad)), ("days", &count(days))],
        ),
        Habit::Often { bad, days, .. } => look.texts.with(
            "alert-habit-often",
            &[("bad", &count(bad)), ("days", &count(days))],
        ),
        Habit::Long { days } => look.texts.count("alert-habit-long", u64::from(days)),
        Habit::Unknown => look.texts.get("alert-habit-unknown"),
    };
    match habit.unheard() {
        0 => said,
        days => {
            let unheard = look.texts.count("alert-habit-unheard", u64::from(days));
            format!("{said} {unheard}")
        }
    }
}

/// The same in a line: whether it is usual, when it was last OK, and how often it breaks.
pub(super) fn usual_words(look: Look<'_>, alert: &Alert, now: Timestamp) -> String {
    let mut said = vec![
        habit_words(look, Habit::of(alert, now)),
        ok_words(look, alert.last_ok),
    ];
    if alert.flaps > 1 {
        said.push(look.texts.count("alert-flaps", u64::from(alert.flaps)));
    }
    said.join(" · ")
}

/// When it was last OK, as far as that is known.
pub(super) fn ok_words(look: Look<'_>, last_ok: Option<Timestamp>) -> String {
    match last_ok {
        Some(time) => look
            .texts
            .with("check-last-ok", &[("time", &clock(look, time))]),
        None => look.texts.get("check-never-ok"),
    }
}

fn facts(look: Look<'_>, alert: &Alert) -> String {
    let mut facts = Vec::new();
    if alert.worst != alert.severity {
        let worst = severity_word(look, alert.worst);
        facts.push(look.texts.with("alert-worst", &[("severity", &worst)]));
    }
    // That nothing is heard is no problem of which a check told, and who was OK is not known since.
    if alert.kind == AlertKind::Problem {
        facts.push(ok_words(look, alert.last_ok));
        if let Some(first) = alert.first_seen {
            let first = clock(look, first);
            facts.push(look.texts.with("alert-first-seen", &[("time", &first)]));
        }
        if alert.flaps > 1 {
            facts.push(look.texts.count("alert-flaps", u64::from(alert.flaps)));
        }
    }
    if let (Some(seen), true) = (alert.seen, alert.is_stale) {
        let seen = clock(look, seen);
        facts.push(look.texts.with("alert-stale", &[("time", &seen)]));
    }
    facts.join(" · ")
}

/// What is bad enough to be drawn before its name.
const fn drawn(alert: &Alert) -> Severity {
    if alert.is_open() {
        alert.severity
    } else {
        Severity::Ok
    }
}
