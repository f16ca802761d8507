//! The red banner: who is in by an emergency key, why, and until when. It stands on every page.

use egui::{Frame as Area, Label, Margin, Panel, RichText, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::{Emergency, Frame, Intent, Route};
use crate::widget::{Icon, Look, ago, icon, until};
use aramaki_model::Severity;

/// More are counted.
const SHOWN_MAX: usize = 3;

/// Draws the banner while somebody is in.
pub(super) fn banner_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    if frame.emergencies.is_empty() {
        return;
    }
    Panel::top("emergency")
        .resizable(false)
        .frame(
            Area::new()
                .fill(look.tokens.severity(Severity::Critical))
                .inner_margin(Margin::symmetric(14, 6)),
        )
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            for emergency in frame.emergencies.iter().take(SHOWN_MAX) {
                line_ui(ui, look, emergency, window, intents);
            }
            let more = frame.emergencies.len().saturating_sub(SHOWN_MAX);
            if more > 0 {
                let more = u64::try_from(more).unwrap_or(u64::MAX);
                let more = look.texts.count("emergency-more", more);
                ui.label(RichText::new(more).color(look.tokens.on_accent));
            }
        });
}

fn line_ui(
    ui: &mut Ui,
    look: Look<'_>,
    emergency: &Emergency,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let words = words(look, emergency);
    ui.horizontal_wrapped(|ui| {
        icon(ui, Icon::Trust, 16.0, look.tokens.on_accent);
        let text = weighted(words, 600.0)
            .size(size::BODY)
            .color(look.tokens.on_accent);
        ui.add(Label::new(text).wrap());
        if ui.button(look.texts.get("trust-show")).clicked() {
            window.go(Route::Trust(emergency.space));
        }
        if emergency.here && ui.button(look.texts.get("emergency-end")).clicked() {
            intents.push(Intent::EndEmergency);
        }
    });
}

fn words(look: Look<'_>, emergency: &Emergency) -> String {
    let (since, end) = (ago(look, emergency.since), until(look, emergency.until));
    let who = if emergency.who.is_empty() {
        look.texts.get("emergency-somebody")
    } else {
        emergency.who.clone()
    };
    let said = [
        ("system", emergency.title.as_str()),
        ("who", &who),
        ("since", &since),
        ("end", &end),
        ("reason", &emergency.reason),
    ];
    let key = if emergency.here {
        "emergency-here"
    } else {
        "emergency-banner"
    };
    look.texts.with(key, &said)
}
