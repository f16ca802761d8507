//! What does not count or was ignored, and why: nothing is left out silently.

use std::collections::BTreeMap;

use aramaki_model::{Finding, Reason, Severity, Snapshot};
use aramaki_sync_core::SpaceId;
use aramaki_sync_core::admission::Held;
use egui::{Label, RichText, Ui};

use super::Window;
use crate::theme::{size, space};
use crate::view::{Route, Trust};
use crate::widget::{Look, card, severity_glyph};

/// The rest is told by `aramaki trust held`.
const SHOWN_MAX: usize = 5;
/// How many Systems are named in which something waits for a decision.
const UNDECIDED_SHOWN_MAX: usize = 8;

/// Why work waits: not all of it came too late.
pub(super) const fn waits_key(held: Held) -> &'static str {
    match held {
        Held::Expired => "trust-late",
        Held::Redeemed => "trust-late-redeemed",
        Held::RedeemedLate => "trust-late-redeemed-late",
        Held::Future => "trust-late-future",
        Held::Quarantined => "trust-late-fork",
        _ => "trust-late-missing",
    }
}

/// Draws in which Systems something waits for a decision: whoever decides looks there.
pub(super) fn undecided_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, trust): (&Snapshot, &BTreeMap<SpaceId, Trust>),
    window: &mut Window,
) {
    let undecided = |trust: &Trust| -> u64 {
        let late = trust.late.iter().filter(|it| it.is_undecided());
        late.map(|it| it.envelopes).sum()
    };
    let waits = trust.iter().map(|(id, trust)| (id, undecided(trust)));
    let waits = waits.filter(|(_id, envelopes)| *envelopes > 0);
    for (id, envelopes) in waits.take(UNDECIDED_SHOWN_MAX) {
        let Some(system) = snapshot.system(id) else {
            continue;
        };
        let count = look.texts.count("trust-late-count", envelopes);
        let said = [("count", count.as_str()), ("system", &system.title)];
        card(ui, look, |ui| {
            ui.horizontal_wrapped(|ui| {
                severity_glyph(ui, look, Severity::Warning, 16.0);
                let text = RichText::new(look.texts.with("trust-undecided", &said));
                ui.add(Label::new(text.color(look.tokens.text)).wrap());
            });
            let open = [("system", system.title.as_str())];
            let response = ui.button(look.texts.with("trust-undecided-open", &open));
            window.list_has(&response);
            if response.clicked() {
                window.go(Route::Trust(*id));
            }
        });
        ui.add_space(space::S);
    }
}

/// Draws what of a System and its agents was ignored, if anything was.
pub(super) fn left_out_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, system: SpaceId) {
    let agents = snapshot.system(&system).into_iter();
    let agents: Vec<SpaceId> = agents
        .flat_map(|system| &system.agents)
        .map(|agent| agent.space)
        .collect();
    let is_here = |finding: &&Finding| finding.space == system || agents.contains(&finding.space);
    let found: Vec<&Finding> = snapshot.findings.iter().filter(is_here).collect();
    if found.is_empty() {
        return;
    }
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    card(ui, look, |ui| {
        let title = RichText::new(look.texts.count("left-out-title", count))
            .color(look.tokens.severity(Severity::Warning));
        ui.add(Label::new(title).wrap());
        for finding in found.into_iter().take(SHOWN_MAX) {
            let text = RichText::new(look.texts.get(reason_key(&finding.reason)))
                .size(size::SMALL)
                .color(look.tokens.text);
            ui.add(Label::new(text).wrap());
        }
        let more = RichText::new(look.texts.get("left-out-more"))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        ui.add(Label::new(more).wrap());
    });
    ui.add_space(space::S);
}

const fn reason_key(reason: &Reason) -> &'static str {
    match reason {
        Reason::Refused(_) => "left-out-refused",
        Reason::Kind => "left-out-kind",
        Reason::Unreadable(_) => "left-out-unreadable",
        Reason::Waiting(_) => "left-out-waiting",
        Reason::Foreign(_) => "left-out-foreign",
        Reason::Snapshot(_) => "left-out-snapshot",
        _ => "left-out-other",
    }
}
