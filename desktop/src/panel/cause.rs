//! Why this is red: the ways to what was observed, each one click away.

use aramaki_model::Snapshot;
use aramaki_model::alert::AlertId;
use aramaki_model::root_cause::{Leaf, RootCause};
use aramaki_sync_core::SpaceId;
use egui::Ui;

use super::Window;
use super::system::quiet;
use crate::theme::space;
use crate::view::Route;
use crate::widget::{Look, Row, age, card_titled, row, severity_word};

/// How many causes are named here.
const CAUSES_SHOWN_MAX: usize = 6;

/// The ways down from a System to all that makes it as bad as it is. What lies in the System itself
/// stands on the page already: without a part among the causes there is nothing to draw.
pub(super) fn causes_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, system): (&Snapshot, SpaceId),
    window: &mut Window,
) {
    let causes = window.causes.of(snapshot, system);
    let below = causes.iter().filter(|cause| leads_on(cause));
    let below: Vec<RootCause> = below.take(CAUSES_SHOWN_MAX + 1).cloned().collect();
    if below.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("cause-title"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for cause in below.iter().take(CAUSES_SHOWN_MAX) {
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
        if below.len() > CAUSES_SHOWN_MAX {
            quiet(ui, look, &look.texts.get("cause-more"));
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
