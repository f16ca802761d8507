//! Buttons that draft a note from what is known, in the language of the window.

use std::time::Duration;

use aramaki_model::alert::Alert;
use aramaki_model::handover::Period;
use aramaki_sync_core::SpaceId;
use egui::Ui;

use super::Window;
use crate::view::Intent;
use crate::view::draft::{Draft, DraftKind, DraftWords};
use crate::widget::{Look, until};

/// How long a shift is.
const SHIFT: Duration = Duration::from_hours(8);
/// How much of the time before an alert belongs to what happened.
const BEFORE_ALERT: Duration = Duration::from_hours(1);

/// Drafts what the next shift of a System has to know.
pub(super) fn handover_ui(ui: &mut Ui, look: Look<'_>, system: SpaceId, window: &mut Window) {
    let period = Period {
        from: look.now.minus(SHIFT),
        until: look.now,
    };
    let words = ["draft-handover", "draft-handover-hint"];
    if button_ui(ui, look, words) {
        let handover = draft(look, DraftKind::Handover, system, period);
        window.asks.push(handover);
    }
}

/// Drafts what an alert was.
pub(super) fn post_mortem_ui(ui: &mut Ui, look: Look<'_>, alert: &Alert, window: &mut Window) {
    let period = Period {
        from: alert.opened.minus(BEFORE_ALERT),
        until: alert.resolved.unwrap_or(look.now),
    };
    let words = ["draft-post-mortem", "draft-post-mortem-hint"];
    if button_ui(ui, look, words) {
        let post_mortem = draft(look, DraftKind::PostMortem, alert.system, period);
        window.asks.push(post_mortem);
    }
}

/// A button and what it does in a few words; whether it was pressed.
fn button_ui(ui: &mut Ui, look: Look<'_>, [name, hint]: [&str; 2]) -> bool {
    let button = ui.button(look.texts.get(name));
    button.on_hover_text(look.texts.get(hint)).clicked()
}

fn draft(look: Look<'_>, kind: DraftKind, system: SpaceId, period: Period) -> Intent {
    let key = match kind {
        DraftKind::Handover => "draft-handover-title",
        DraftKind::PostMortem => "draft-post-mortem-title",
    };
    let at = until(look, period.until);
    let title = look.texts.with(key, &[("at", &at)]);
    Intent::Draft(Box::new(Draft {
        kind,
        system,
        period,
        title,
        words: words(look),
    }))
}

fn words(look: Look<'_>) -> DraftWords {
    let texts = look.texts;
    DraftWords {
        open: texts.get("draft-open"),
        over: texts.get("draft-over"),
        changed: texts.get("draft-changed"),
        said: texts.get("draft-said"),
        quiet: texts.get("draft-quiet"),
        nothing: texts.get("draft-nothing"),
        more: texts.get("draft-more"),
        since: texts.get("draft-since"),
        until: texts.get("draft-until"),
        told: texts.get("draft-told"),
        known: texts.get("draft-known"),
        heard: texts.get("draft-heard"),
        unheard: texts.get("draft-unheard"),
        gone: texts.get("draft-gone"),
        no_result: texts.get("draft-no-result"),
        last_result: texts.get("draft-last-result"),
        silent: texts.get("draft-silent"),
        nameless: texts.get("draft-nameless"),
        next: texts.get("draft-next"),
        sections: [
            texts.get("draft-happened"),
            texts.get("draft-hit"),
            texts.get("draft-why"),
            texts.get("draft-follows"),
        ],
        timeline: texts.get("draft-timeline"),
        alert: texts.get("draft-alert"),
    }
}
