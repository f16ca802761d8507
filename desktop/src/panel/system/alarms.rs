//! What of a System is wrong as alerts, and what people do about it now.

use egui::{Label, RichText, Ui};

use super::super::Window;
use super::super::actions::actions_ui;
use super::super::alert::{said_words, usual_words};
use super::super::alerts::care_words;
use super::super::maintenance::maintenance_ui;
use super::{Page, none_ui};
use crate::theme::{size, space};
use crate::view::{PeerKind, Presence, Route};
use crate::widget::{Look, Row, age, ago, card_titled, quiet_line, row, severity_word};

/// How many alerts are named here; the worklist has them all.
const ALERTS_SHOWN_MAX: usize = 12;
/// How many of those who were here are named.
const PEOPLE_SHOWN_MAX: usize = 6;

/// Open alerts of the System and of everything below it, each with the way to its page.
pub(super) fn alarms_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let below = shown.snapshot.graph.below(shown.system.space);
    let open: Vec<_> = shown
        .snapshot
        .alerts
        .iter()
        .filter(|alert| alert.is_open())
        .filter(|alert| alert.system == shown.system.space || below.contains(&alert.system))
        .collect();
    if open.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("system-alerts"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for alert in open.iter().take(ALERTS_SHOWN_MAX) {
            let own = alert.system == shown.system.space;
            let said = said_words(look, alert);
            let name = if own {
                format!("{}: {said}", alert.called())
            } else {
                format!("{} · {}: {said}", alert.title, alert.called())
            };
            let word = severity_word(look, alert.severity);
            let care = care_words(look, alert);
            let lasts = age(look, alert.opened);
            let trailing = if care.is_empty() {
                lasts
            } else {
                format!("{care} · {lasts}")
            };
            let mut line = Row::severity(alert.severity, &word, &name);
            line.trailing = &trailing;
            let response = row(ui, look, &line);
            window.list_has(&response);
            if response.clicked() {
                window.go(Route::Alert(alert.id));
            }
            // Always broken, or did it just happen?
            let usual = usual_words(look, alert, shown.snapshot.now);
            let usual = RichText::new(usual).size(size::SMALL);
            ui.add(Label::new(usual.color(look.tokens.subdued)).wrap());
        }
        let more = open.len().saturating_sub(ALERTS_SHOWN_MAX);
        if more > 0 {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            quiet_line(ui, look, &look.texts.count("trust-more", more));
        }
    });
    ui.add_space(space::S);
}

/// What can be run and who did it last; and who else is here.
pub(super) fn done_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    maintenance_ui(ui, look, shown.frame, shown.system.space, window);
    actions_ui(ui, look, shown.frame, shown.system.space, window);
    let Some(trust) = shown.trust else {
        return;
    };
    let mut people: Vec<_> = trust
        .members
        .iter()
        .filter(|member| member.kind == PeerKind::Device)
        .collect();
    people.sort_by_key(|member| {
        (
            member.presence == Presence::Away,
            std::cmp::Reverse(member.seen),
        )
    });
    people.dedup_by(|a, b| a.name == b.name);
    card_titled(ui, look, &look.texts.get("system-here"), |ui| {
        none_ui(ui, look, people.is_empty(), "system-here-nobody");
        for member in people.iter().take(PEOPLE_SHOWN_MAX) {
            let words = match (member.presence, member.seen) {
                (Presence::Here, _) => look.texts.get("system-here-now"),
                (Presence::Away, Some(seen)) => look
                    .texts
                    .with("sync-peer-gone", &[("age", &ago(look, seen))]),
                (Presence::Away, None) => look.texts.get("sync-peer-never"),
            };
            ui.horizontal(|ui| {
                ui.label(&member.name);
                quiet_line(ui, look, &words);
            });
        }
    });
    ui.add_space(space::S);
}
