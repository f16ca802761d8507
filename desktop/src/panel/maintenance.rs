//! The card of maintenance: the next window, what is asked for in it, and who must stay in service.

use aramaki_model::maintenance::request::{RequestState, Wants};
use aramaki_sync_core::SpaceId;
use egui::{Align, Label, Layout, RichText, Ui};

use super::Window;
use crate::theme::{space, weighted};
use crate::view::maintenance::{SystemWork, Work, WorkWish};
use crate::view::{Frame, Intent};
use crate::widget::{Look, card_titled, clock, quiet};

/// How much work is named at once.
const WORK_SHOWN_MAX: usize = 20;
/// How many groups are named.
const GROUPS_SHOWN_MAX: usize = 10;

/// Draws it where it is known.
pub(super) fn maintenance_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    system: SpaceId,
    window: &mut Window,
) {
    let known = frame.work.as_ref();
    let Some(known) = known.filter(|known| known.system == system) else {
        return;
    };
    card_titled(ui, look, &look.texts.get("work-title"), |ui| {
        quiet(ui, look, &window_words(look, known));
        for out in &known.out {
            let since = clock(look, out.since);
            let said = [("since", since.as_str()), ("reason", &out.reason)];
            let words = look.texts.with("work-out", &said);
            let colour = look.tokens.severity(aramaki_model::Severity::Warning);
            ui.add(Label::new(RichText::new(words).color(colour)).wrap());
        }
        for group in known.groups.iter().take(GROUPS_SHOWN_MAX) {
            let [at_least, now, all] =
                [group.at_least, group.in_service, group.members].map(|it| it.to_string());
            let said = [
                ("name", group.name.as_str()),
                ("least", &at_least),
                ("all", &all),
                ("now", &now),
            ];
            quiet(ui, look, &look.texts.with("work-group", &said));
        }
        if known.work.is_empty() {
            quiet(ui, look, &look.texts.get("work-none"));
        }
        for work in known.work.iter().take(WORK_SHOWN_MAX) {
            ui.add_space(space::S);
            work_ui(ui, look, work, window);
        }
    });
    ui.add_space(space::S);
}

fn window_words(look: Look<'_>, known: &SystemWork) -> String {
    let Some(window) = known.window else {
        return look.texts.get("work-window-none");
    };
    let (from, until) = (clock(look, window.begin), clock(look, window.end));
    if window.covers(look.now) {
        return look.texts.with("work-window-open", &[("until", &until)]);
    }
    let said = [("from", from.as_str()), ("until", &until)];
    look.texts.with("work-window-next", &said)
}

fn work_ui(ui: &mut Ui, look: Look<'_>, work: &Work, window: &mut Window) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let wishes = [
                (
                    work.can_be_confirmed(),
                    ["work-confirm", "work-confirm-name"],
                    WorkWish::Confirm(work.item),
                ),
                (
                    work.can_be_withdrawn(),
                    ["work-withdraw", "work-withdraw-name"],
                    WorkWish::Withdraw(work.item),
                ),
            ];
            for (may, [short, long], wish) in wishes {
                if !may {
                    continue;
                }
                let said = [("action", work.action.as_str()), ("host", &work.host)];
                let name = look.texts.with(long, &said);
                let button = ui.button(look.texts.get(short));
                button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if button.clicked() {
                    window.asks.push(Intent::Work(wish));
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = weighted(&work.action, 550.0).color(look.tokens.strong);
                ui.add(Label::new(name).truncate());
                quiet(ui, look, &work.host);
            });
        });
    });
    quiet(ui, look, &state_words(look, work));
    let values = work.arguments.iter();
    let mut about: Vec<_> = values
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    about.push(work.reason.clone());
    let about = about.join(" ");
    let said = [("who", work.who.as_str()), ("about", &about)];
    quiet(ui, look, &look.texts.with("work-asked", &said));
}

/// How it stands: `due soon, to be confirmed: 2026-11-29 03:00 to 2026-11-29 05:00`.
pub(super) fn state_words(look: Look<'_>, work: &Work) -> String {
    let state = look.texts.get(match (work.state, work.wants) {
        (RequestState::Pending, Wants::Confirmation) => "work-soon",
        (RequestState::Pending, Wants::Window) => "work-needs-window",
        (RequestState::Pending, _) => "work-pending",
        (RequestState::Due, _) => "work-due",
        (RequestState::Running, _) => "work-running",
        (RequestState::Retry, _) => "work-retry",
        (RequestState::Success, _) => "work-success",
        (RequestState::Error, _) => "work-error",
        (RequestState::Unknown, _) => "work-unknown",
        (RequestState::Deleted, Wants::Host) => "work-deleted-unheard",
        (RequestState::Deleted, _) => "work-deleted",
        (RequestState::Postponed, _) => "work-postponed",
        (RequestState::Missed, _) => "work-missed",
    });
    if let Some(at) = work.again_at.filter(|_| work.state == RequestState::Retry) {
        let (count, at) = (work.attempts.to_string(), clock(look, at));
        let said = [("state", state.as_str()), ("count", &count), ("at", &at)];
        return look.texts.with("work-again", &said);
    }
    let why = work.state == RequestState::Missed && !work.came.is_empty();
    if work.state.is_over() || why {
        if work.came.is_empty() {
            return state;
        }
        let said = [("state", state.as_str()), ("came", &work.came)];
        return look.texts.with("work-came", &said);
    }
    let Some(window) = work.window else {
        return state;
    };
    let (from, until) = (clock(look, window.begin), clock(look, window.end));
    let said = [
        ("state", state.as_str()),
        ("from", &from),
        ("until", &until),
    ];
    look.texts.with("work-when", &said)
}
