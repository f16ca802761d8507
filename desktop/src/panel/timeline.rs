//! What went on, newest first: transitions, messages, deployments, joins.

use aramaki_model::notify::{Receipt, Stage};
use aramaki_model::snapshot::{TimelineEvent, TimelineItem};
use aramaki_model::{Membership, Severity, Snapshot};
use egui::{
    FontId, Rect, Response, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::Window;
use super::peers::may_words;
use crate::theme::{size, space, weighted};
use crate::view::Route;
use crate::widget::{Icon, Look, clock, line, paint_severity, severity_word, until};

const GLYPH: f32 = 14.0;
/// How much of a row a System's name may take.
const NAME_SHARE: f32 = 0.34;

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
    ui.add_space(space::M);
    if snapshot.timeline.is_empty() {
        super::empty_ui(ui, look, ("system-none-timeline", ""), |_ui| {});
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(
        ui,
        space::ROW,
        snapshot.timeline.len(),
        |ui, visible| {
            for item in snapshot.timeline.get(visible).unwrap_or_default() {
                let title = snapshot
                    .system(&item.system)
                    .map_or("", |system| system.title.as_str());
                let response = item_ui(ui, look, item, title);
                window.list_has(&response);
                if response.clicked() {
                    window.go(Route::System(item.system));
                }
            }
        },
    );
}

/// One entry in one line: when, what, whose, and the words. Without a System it leads nowhere.
pub(super) fn item_ui(ui: &mut Ui, look: Look<'_>, item: &TimelineItem, system: &str) -> Response {
    let (sense, role) = if system.is_empty() {
        (Sense::hover(), Role::Label)
    } else {
        (Sense::click(), Role::Button)
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), space::ROW), sense);
    let (time, words) = (clock(look, item.at), words(look, &item.event));
    let state = match &item.event {
        TimelineEvent::Transition { to, .. } => Some(*to),
        _ => None,
    };
    let name = [
        time.as_str(),
        system,
        &state.map_or_else(String::new, |state| severity_word(look, state)),
        &words,
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(" · ");
    response.widget_info(|| WidgetInfo::labeled(role, true, &name));
    if sense.senses_click() && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, 6.0, look.tokens.hover);
    }
    let middle = rect.center().y;
    let font = FontId::monospace(size::SMALL);
    let time = ui.painter().layout_no_wrap(time, font, look.tokens.subdued);
    // Times of today are as wide as each other; a date makes a row begin later.
    let mut left = rect.left() + space::M;
    let width = time.size().x;
    ui.painter().galley(
        pos2(left, middle - time.size().y / 2.0),
        time,
        look.tokens.subdued,
    );
    left += width + space::L;
    let glyph = Rect::from_center_size(pos2(left + GLYPH / 2.0, middle), Vec2::splat(GLYPH));
    match (state, &item.event) {
        (Some(state), _) => paint_severity(ui, look, state, glyph),
        (None, TimelineEvent::Message(_)) => Icon::Note.paint(ui, glyph, look.tokens.subdued),
        (None, TimelineEvent::Membership { what, .. }) => {
            let color = match what {
                Membership::Opened { .. } => look.tokens.severity(Severity::Critical),
                _ => look.tokens.subdued,
            };
            Icon::Trust.paint(ui, glyph, color);
        }
        (None, _) => Icon::Timeline.paint(ui, glyph, look.tokens.subdued),
    }
    left += GLYPH + space::M;
    for (text, color, share) in [
        (system, look.tokens.strong, NAME_SHARE),
        (words.as_str(), look.tokens.text, 1.0),
    ] {
        let room = (rect.right() - space::M - left) * share;
        if text.is_empty() || room < GLYPH {
            continue;
        }
        let galley = line(ui, text, size::BODY, color, room);
        let width = galley.size().x;
        ui.painter()
            .galley(pos2(left, middle - galley.size().y / 2.0), galley, color);
        left += width + space::M;
    }
    response.on_hover_text(words)
}

/// Who was told, or was not.
fn told(look: Look<'_>, receipt: &Receipt) -> String {
    let key = match receipt.stage {
        Stage::Sent => "event-told",
        Stage::Failed => "event-not-told",
        Stage::Unsure => "event-told-perhaps",
        Stage::Trying { .. } => "event-telling",
    };
    let target = receipt.target.to_string();
    let words = [
        ("who", receipt.receiver.as_str()),
        ("target", target.as_str()),
        ("text", receipt.detail.as_str()),
    ];
    look.texts.with(key, &words)
}

fn words(look: Look<'_>, event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::Transition {
            name,
            summary,
            to,
            attempt: (attempt, attempts),
            ..
        } if *attempts > 1 && !to.is_ok() => {
            let (attempt, attempts) = (attempt.to_string(), attempts.to_string());
            let of = [("attempt", attempt.as_str()), ("attempts", &attempts)];
            let of = look.texts.with("event-attempt", &of);
            format!("{name}: {summary} ({of})")
        }
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
        TimelineEvent::Notification(receipt) => told(look, receipt),
        TimelineEvent::DesiredRun(run) => super::system::run_words(look, run),
        TimelineEvent::Claim(claim) => look.texts.with("event-claim", &[("text", &claim.text)]),
        TimelineEvent::Withdrawal(back) if back.text.is_empty() => {
            look.texts.get("event-withdrawal")
        }
        TimelineEvent::Withdrawal(back) => look
            .texts
            .with("event-withdrawal-because", &[("text", &back.text)]),
        TimelineEvent::Membership { name, what } => match what {
            Membership::Given { may, end } => {
                let (may, end) = (may_words(look, *may), until(look, *end));
                let said = [("name", name.as_str()), ("may", &may), ("end", &end)];
                look.texts.with("event-access-given", &said)
            }
            Membership::Opened { reason } => {
                look.texts.with("event-emergency", &[("reason", reason)])
            }
            Membership::Ended { reason, .. } if reason.is_empty() => {
                look.texts.with("event-access-ended", &[("name", name)])
            }
            Membership::Ended { reason, .. } => {
                let said = [("name", name.as_str()), ("reason", reason)];
                look.texts.with("event-access-ended-why", &said)
            }
            Membership::Expired => look.texts.with("event-access-expired", &[("name", name)]),
            Membership::TwoHistories => look.texts.with("event-two-histories", &[("name", name)]),
        },
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
