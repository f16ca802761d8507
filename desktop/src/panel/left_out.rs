//! What does not count or was ignored, and why: nothing is left out silently.

use aramaki_model::{Finding, Reason, Severity, Snapshot};
use aramaki_sync_core::SpaceId;
use aramaki_sync_core::admission::Held;
use egui::{Label, RichText, Ui};

use crate::theme::{size, space};
use crate::widget::{Look, card};

/// The rest is told by `aramaki trust held`.
const SHOWN_MAX: usize = 5;

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
