//! What was done because of an alert: who asked for which action, and what came of it.

use aramaki_model::alert::Alert;
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use egui::Ui;

use super::super::Window;
use super::super::actions::{came_words, run_link_ui};
use crate::theme::space;
use crate::view::actions::Came;
use crate::view::{Frame, Route};
use crate::widget::{Look, card_titled, clock, quiet_line};

/// How many are shown: the newest.
const TAKEN_SHOWN_MAX: usize = 20;

/// One of them, wherever it is known from.
struct Line<'a> {
    system: SpaceId,
    id: EnvelopeId,
    at: Timestamp,
    action: &'a str,
    host: &'a str,
    who: &'a str,
    reason: &'a str,
    came: &'a Came,
}

/// The card; nothing where nothing was asked for.
pub(super) fn taken_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, alert): (&Frame, &Alert),
    window: &mut Window,
) {
    let lines = lines(frame, alert);
    if lines.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("alert-taken"), |ui| {
        for line in lines.iter().take(TAKEN_SHOWN_MAX) {
            let (time, came) = (clock(look, line.at), came_words(look, line.came));
            let said = [
                ("time", time.as_str()),
                ("action", line.action),
                ("host", line.host),
                ("who", line.who),
                ("came", &came),
                ("reason", line.reason),
            ];
            let words = look.texts.with("alert-taken-line", &said);
            if run_link_ui(ui, look, &words).clicked() {
                window.go(Route::Run(line.system, line.id));
            }
        }
        let more = lines.len().saturating_sub(TAKEN_SHOWN_MAX);
        if more > 0 {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            quiet_line(ui, look, &look.texts.count("alert-taken-more", more));
        }
    });
    ui.add_space(space::S);
}

/// On hosts of its System, and lately elsewhere; newest first.
fn lines<'a>(frame: &'a Frame, alert: &Alert) -> Vec<Line<'a>> {
    let known = frame.actions.as_ref();
    let known = known.filter(|known| known.system == alert.system);
    let here = known.into_iter().flat_map(|it| it.taken_for(alert.id));
    let mut lines: Vec<_> = here
        .map(|it| Line {
            system: alert.system,
            id: it.run.id,
            at: it.run.at,
            action: &it.action,
            host: &it.host,
            who: &it.run.who,
            reason: &it.run.reason,
            came: &it.run.came,
        })
        .collect();
    for it in &frame.ran {
        let is_of_it = it.alert.as_ref().is_some_and(|about| about.id == alert.id);
        if is_of_it && lines.iter().all(|line| line.id != it.id) {
            lines.push(Line {
                system: it.system,
                id: it.id,
                at: it.at,
                action: &it.action,
                host: &it.host,
                who: &it.who,
                reason: &it.reason,
                came: &it.came,
            });
        }
    }
    lines.sort_by_key(|line| std::cmp::Reverse((line.at, line.id)));
    lines
}
