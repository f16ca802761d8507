//! What went on, newest first: transitions, messages, deployments, joins.

use aramaki_model::Snapshot;
use aramaki_model::snapshot::{TimelineEvent, TimelineItem};
use egui::{Label, RichText, ScrollArea, Ui, vec2};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{Icon, Look, clock, icon, severity_glyph};

/// Draws the page over all Systems.
pub(super) fn timeline_ui(ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, window: &mut Window) {
    ui.horizontal(|ui| {
        ui.label(
            weighted(look.texts.get("timeline-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        let count = u64::try_from(snapshot.timeline.len()).unwrap_or(0);
        ui.label(
            RichText::new(look.texts.count("timeline-count", count)).color(look.tokens.subdued),
        );
    });
    ui.add_space(space::L);
    ScrollArea::vertical().auto_shrink(false).show_rows(
        ui,
        space::ROW,
        snapshot.timeline.len(),
        |ui, visible| {
            for item in snapshot.timeline.get(visible).unwrap_or_default() {
                let title = snapshot
                    .system(&item.system)
                    .map_or("", |system| system.title.as_str());
                if item_ui(ui, look, item, title) {
                    window.go(Route::System(item.system));
                }
            }
        },
    );
}

/// One entry in one line; whether its System was clicked.
pub(super) fn item_ui(ui: &mut Ui, look: Look<'_>, item: &TimelineItem, system: &str) -> bool {
    let mut followed = false;
    ui.horizontal(|ui| {
        ui.set_height(space::ROW - 4.0);
        ui.add_sized(
            vec2(118.0, 18.0),
            Label::new(
                RichText::new(clock(look, item.at))
                    .monospace()
                    .size(size::SMALL)
                    .color(look.tokens.subdued),
            ),
        );
        match &item.event {
            TimelineEvent::Transition { to, .. } => {
                severity_glyph(ui, look, *to, 14.0);
            }
            TimelineEvent::Message(_) => icon(ui, Icon::Note, 14.0, look.tokens.subdued),
            _ => icon(ui, Icon::Timeline, 14.0, look.tokens.subdued),
        }
        if !system.is_empty() {
            let link = Label::new(weighted(system, 550.0).color(look.tokens.strong))
                .sense(egui::Sense::click());
            followed = ui.add(link).clicked();
        }
        ui.add(Label::new(words(look, &item.event)).truncate());
    });
    followed
}

fn words(look: Look<'_>, event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::Transition { name, summary, .. } => format!("{name}: {summary}"),
        TimelineEvent::AgentStarted { host, version } => look.texts.with(
            "event-agent-started",
            &[("host", host), ("version", version)],
        ),
        TimelineEvent::AgentStopped => look.texts.get("event-agent-stopped"),
        TimelineEvent::Message(message) => first_line(&message.text),
        TimelineEvent::Deployment(deployment) => {
            format!("{} {}", deployment.title, deployment.reference)
        }
        TimelineEvent::Acknowledgement(acknowledgement) => look
            .texts
            .with("event-acknowledged", &[("text", &acknowledgement.text)]),
        TimelineEvent::Claim(claim) => look.texts.with("event-claim", &[("text", &claim.text)]),
        TimelineEvent::Unknown(unknown) => look.texts.count(
            "event-newer",
            u64::try_from(unknown.len_bytes).unwrap_or(u64::MAX),
        ),
        _ => look.texts.count("event-newer", 0),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
