//! Asks for the words, the time and the reach of what is done about alerts; a silence shows first
//! what it would mute.

use aramaki_model::preview::WishError;
use aramaki_model::{AlertId, Snapshot};
use egui::{Label, RichText, ScrollArea, Ui};

use super::dialog::{self, Next};
use super::start::field_ui;
use crate::theme::{size, space};
use crate::view::deed::{Deed, DeedFault, DeedKind, Lasts, Of, Quiet};
use crate::view::{Frame, Intent};
use crate::widget::{Look, Row, quiet, row, severity_word};

/// How many of the alerts that are meant or muted are named.
const NAMED_MAX: usize = 40;
const HOURS: [u32; 5] = [1, 2, 8, 24, 168];

/// Draws what is asked, and carries on.
pub(super) fn deed_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    deed: &mut Deed,
    intents: &mut Vec<Intent>,
) -> Next {
    let Some(snapshot) = frame.snapshot.as_ref() else {
        return Next::Close;
    };
    let meant = deed.meant(snapshot);
    if meant.is_empty() && !deed.is_by_labels_alone() {
        ui.label(look.texts.get("alert-gone"));
        return close_ui(ui, look);
    }
    let enter = dialog::first_field_ui(ui, look, words_key(deed.kind), &mut deed.text);
    if deed.kind != DeedKind::Say {
        lasts_ui(ui, look, deed);
    }
    let mut may = true;
    if deed.kind == DeedKind::Silence {
        quiet_ui(ui, look, snapshot, deed);
        may = preview_ui(ui, look, (frame, snapshot), deed);
    } else {
        let denied = meant
            .iter()
            .filter(|alert| !crate::view::deed::may_write(&frame.trust, &alert.system));
        let denied = denied.count();
        may &= denied < meant.len();
        if denied > 0 {
            let denied = u64::try_from(denied).unwrap_or(u64::MAX);
            warn_ui(ui, look, &look.texts.count("deed-denied", denied));
        }
    }
    ui.add_space(space::M);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        let complete = deed.is_complete() && may;
        let button = dialog::primary(look, button_key(deed.kind));
        if ui.add_enabled(complete, button).clicked() || (enter && complete) {
            intents.push(Intent::Deed(deed.clone()));
            next = Next::Close;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}

/// The title of the small window.
pub(super) fn title(look: Look<'_>, deed: &Deed, snapshot: Option<&Snapshot>) -> String {
    let meant = snapshot
        .map(|snapshot| deed.meant(snapshot))
        .unwrap_or_default();
    let what = match meant.as_slice() {
        _ if deed.is_by_labels_alone() => look.texts.get("deed-by-labels"),
        [one] => format!("{} · {}", one.title, one.name),
        several => {
            let count = u64::try_from(several.len()).unwrap_or(u64::MAX);
            look.texts.count("alerts-count", count)
        }
    };
    let key = match deed.kind {
        DeedKind::Acknowledge => "deed-title-acknowledge",
        DeedKind::Claim => "deed-title-claim",
        DeedKind::Silence => "deed-title-silence",
        DeedKind::Say => "deed-title-say",
    };
    look.texts.with(key, &[("what", &what)])
}

const fn words_key(kind: DeedKind) -> &'static str {
    match kind {
        DeedKind::Acknowledge => "deed-words-acknowledge",
        DeedKind::Claim => "deed-words-claim",
        DeedKind::Silence => "deed-words-silence",
        DeedKind::Say => "deed-words-say",
    }
}

const fn button_key(kind: DeedKind) -> &'static str {
    match kind {
        DeedKind::Acknowledge => "deed-do-acknowledge",
        DeedKind::Claim => "deed-do-claim",
        DeedKind::Silence => "deed-do-silence",
        DeedKind::Say => "deed-do-say",
    }
}

fn close_ui(ui: &mut Ui, look: Look<'_>) -> Next {
    if ui.button(look.texts.get("action-close")).clicked() {
        return Next::Close;
    }
    Next::Stay
}

fn head_ui(ui: &mut Ui, look: Look<'_>, key: &str) {
    ui.label(
        RichText::new(look.texts.get(key))
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
}

fn lasts_ui(ui: &mut Ui, look: Look<'_>, deed: &mut Deed) {
    head_ui(ui, look, "share-lasts");
    ui.horizontal_wrapped(|ui| {
        if deed.kind != DeedKind::Claim {
            let words = look.texts.get("deed-until-resolved");
            ui.selectable_value(&mut deed.lasts, Lasts::UntilResolved, words);
        }
        for hours in HOURS {
            let words = if hours < 24 {
                look.texts.count("share-hours", u64::from(hours))
            } else {
                look.texts.count("share-days", u64::from(hours / 24))
            };
            ui.selectable_value(&mut deed.lasts, Lasts::Hours(hours), words);
        }
    });
    ui.add_space(space::S);
}

fn quiet_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, deed: &mut Deed) {
    head_ui(ui, look, "deed-quiet");
    if !deed.is_by_labels_alone() {
        for (choice, key) in [
            (Quiet::Checks, "deed-quiet-checks"),
            (Quiet::Family, "deed-quiet-family"),
            (Quiet::Systems, "deed-quiet-systems"),
            (Quiet::Subtrees, "deed-quiet-subtrees"),
            (Quiet::Labels, "deed-quiet-labels"),
        ] {
            ui.radio_value(&mut deed.quiet, choice, look.texts.get(key));
        }
    }
    if deed.quiet == Quiet::Labels {
        labels_ui(ui, look, snapshot, deed);
    }
    ui.add_space(space::S);
}

/// By which labels, those that could be meant, and what of their Systems.
fn labels_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, deed: &mut Deed) {
    field_ui(ui, look, "deed-labels", &mut deed.labels);
    ui.horizontal_wrapped(|ui| {
        for term in deed.offered(snapshot) {
            if !deed.labels.contains(&term) && ui.small_button(&term).clicked() {
                deed.take_label(&term);
            }
        }
    });
    if deed.is_by_labels_alone() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for (choice, key) in [
            (Of::All, "deed-of-all"),
            (Of::Alike, "deed-of-alike"),
            (Of::Named, "deed-of-named"),
        ] {
            ui.selectable_value(&mut deed.of, choice, look.texts.get(key));
        }
    });
}

/// What it would mute now; whether anything would be written.
fn preview_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    deed: &Deed,
) -> bool {
    let preview = match deed.preview(snapshot, &frame.trust) {
        Ok(preview) => preview,
        Err(fault) => {
            fault_ui(ui, look, &fault);
            return false;
        }
    };
    if deed.quiet == Quiet::Labels {
        let systems = u64::try_from(preview.writes.len()).unwrap_or(u64::MAX);
        ui.label(RichText::new(look.texts.count("deed-meant", systems)).color(look.tokens.strong));
    }
    let count = u64::try_from(preview.mutes.len()).unwrap_or(u64::MAX);
    ui.label(RichText::new(look.texts.count("deed-would-mute", count)).color(look.tokens.strong));
    named_ui(ui, snapshot, look, ("muted", &preview.mutes));
    if !preview.known.is_empty() {
        let count = u64::try_from(preview.known.len()).unwrap_or(u64::MAX);
        quiet(ui, look, &look.texts.count("deed-known", count));
        named_ui(ui, snapshot, look, ("known", &preview.known));
    }
    let denied: Vec<_> = preview
        .denied
        .iter()
        .filter_map(|space| snapshot.system(space))
        .map(|system| system.title.as_str())
        .take(NAMED_MAX)
        .collect();
    if !denied.is_empty() {
        let names = denied.join(", ");
        warn_ui(
            ui,
            look,
            &look.texts.with("deed-not-yours", &[("names", &names)]),
        );
    }
    if !preview.unreadable.is_empty() {
        let count = u64::try_from(preview.unreadable.len()).unwrap_or(u64::MAX);
        warn_ui(ui, look, &look.texts.count("overview-not-shared", count));
    }
    !preview.writes.is_empty()
}

/// Alerts by their names, in a list of its own.
fn named_ui(ui: &mut Ui, snapshot: &Snapshot, look: Look<'_>, (list, alerts): (&str, &[AlertId])) {
    ScrollArea::vertical()
        .id_salt(list)
        .max_height(140.0)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for id in alerts.iter().take(NAMED_MAX) {
                if let Some(alert) = snapshot.alert(id) {
                    let name = format!("{} · {}", alert.title, alert.called());
                    let word = severity_word(look, alert.severity);
                    row(ui, look, &Row::severity(alert.severity, &word, &name));
                }
            }
        });
}

/// Why there is nothing to be previewed.
fn fault_ui(ui: &mut Ui, look: Look<'_>, fault: &DeedFault) {
    match fault {
        // Nothing is wrong with what is not typed yet.
        DeedFault::NoLabels => head_ui(ui, look, "deed-labels-none"),
        DeedFault::Labels(error) => {
            let at = error.at.to_string();
            warn_ui(
                ui,
                look,
                &look.texts.with("deed-labels-fault", &[("at", &at)]),
            );
        }
        DeedFault::Wish(WishError::TooMany { .. }) => {
            warn_ui(ui, look, &look.texts.get("deed-too-many"));
        }
        DeedFault::Wish(_) => warn_ui(ui, look, &look.texts.get("deed-nothing-meant")),
    }
}

fn warn_ui(ui: &mut Ui, look: Look<'_>, words: &str) {
    let words = RichText::new(words).color(look.tokens.severity(aramaki_model::Severity::Warning));
    ui.add(Label::new(words).wrap());
}
