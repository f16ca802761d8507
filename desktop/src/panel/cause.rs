//! Why this is red, where no alert of its own says it: the ways to that, each one click away.

use aramaki_model::Snapshot;
use aramaki_model::alert::{Alert, AlertId};
use aramaki_model::root_cause::{Leaf, RootCause, cause_of};
use aramaki_sync_core::SpaceId;
use egui::Ui;

use super::Window;
use crate::theme::space;
use crate::view::Route;
use crate::widget::{Look, Row, age, card_titled, quiet_line, row, severity_word};

/// How many causes are named here.
const CAUSES_SHOWN_MAX: usize = 6;

/// What makes a System as bad as it is and has no alert: a part that cannot be read here, or the rule by which
/// it sums up its parts.
pub(super) fn unalarmed_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, system): (&Snapshot, SpaceId),
    window: &mut Window,
) {
    let causes = window.causes.of(snapshot, system);
    let causes = causes
        .iter()
        .filter(|it| !matches!(it.leaf, Leaf::Check { .. }));
    let causes: Vec<RootCause> = causes.take(CAUSES_SHOWN_MAX + 1).cloned().collect();
    causes_ui(ui, look, ("cause-title", snapshot, &causes), window);
}

/// The way from an alert to what it follows, if it follows something; else what is broken in the parts below its
/// System, which may be why.
pub(super) fn cause_of_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, alert): (&Snapshot, &Alert),
    window: &mut Window,
) {
    let cause = Some(cause_of(snapshot, alert)).filter(leads_on);
    if cause.is_some() {
        return causes_ui(
            ui,
            look,
            ("cause-title", snapshot, cause.as_slice()),
            window,
        );
    }
    let below = window.causes.of(snapshot, alert.system).iter();
    let below = below.filter(|cause| leads_on(cause));
    let below: Vec<RootCause> = below.take(CAUSES_SHOWN_MAX + 1).cloned().collect();
    causes_ui(ui, look, ("cause-below", snapshot, &below), window);
}

fn causes_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (title, snapshot, causes): (&str, &Snapshot, &[RootCause]),
    window: &mut Window,
) {
    if causes.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get(title), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for cause in causes.iter().take(CAUSES_SHOWN_MAX) {
            let words = words(look, cause);
            let word = severity_word(look, cause.severity);
            let since = cause.since.map(|at| age(look, at)).unwrap_or_default();
            let mut line = Row::severity(cause.severity, &word, &words);
            line.trailing = &since;
            let response = row(ui, look, &line);
            window.list_has(&response);
            if response.clicked() {
                window.go(leads_to(snapshot, cause));
            }
        }
        if causes.len() > CAUSES_SHOWN_MAX {
            quiet_line(ui, look, &look.texts.get("cause-more"));
        }
    });
    ui.add_space(space::S);
}

/// Whether it lies elsewhere than in the System that was asked about.
fn leads_on(cause: &RootCause) -> bool {
    cause.path.len() > 1
}

/// The way without the System that it begins at, and what was observed at its end.
fn words(look: Look<'_>, cause: &RootCause) -> String {
    let names = cause.path.iter().skip(1).map(|(_, name)| name.as_str());
    let way = names.collect::<Vec<_>>().join(" → ");
    let way = if way.is_empty() { cause.way() } else { way };
    match &cause.leaf {
        Leaf::Check { name, summary, .. } if summary.is_empty() => format!("{way}: {name}"),
        Leaf::Check { name, summary, .. } => format!("{way}: {name}: {summary}"),
        Leaf::NotShared => format!("{way}: {}", look.texts.get("cause-not-shared")),
        Leaf::Sum(operator) => {
            let rule = operator.to_string();
            let rule = look.texts.with("cause-rule", &[("rule", &rule)]);
            format!("{way}: {rule}")
        }
    }
}

/// The page of the leaf: its alert if that is known here, else its System.
fn leads_to(snapshot: &Snapshot, cause: &RootCause) -> Route {
    let known = |id: &AlertId| snapshot.alert(id).is_some();
    match &cause.leaf {
        Leaf::Check {
            alert: Some(id), ..
        } if known(id) => Route::Alert(*id),
        _ => match cause
            .path
            .iter()
            .rev()
            .find(|(it, _)| snapshot.system(it).is_some())
        {
            Some((readable, _)) => Route::System(*readable),
            None => Route::Alerts,
        },
    }
}
