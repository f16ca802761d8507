//! Every device, agent and relay: whether it is here, what it may do, and until when.

use aramaki_model::snapshot::AgentView;
use aramaki_model::status::AgentLife;
use aramaki_model::{Severity, Snapshot, SystemView};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};
use egui::{
    Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::Window;
use super::sync::{kind_word, reach_words};
use crate::theme::{size, space, weighted};
use crate::view::{EqualRank, Intent, Peer, Route, SyncState};
use crate::widget::{Icon, Look, ago, card, line, paint_severity, severity_glyph, until};

const CARD_HEIGHT: f32 = 60.0;
/// How many policies with notifiers of equal rank are named.
const EQUAL_SHOWN_MAX: usize = 8;

/// Draws the page's title.
pub(super) fn title_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState) {
    ui.horizontal(|ui| {
        ui.label(
            weighted(look.texts.get("peers-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        let count = u64::try_from(sync.peers.len()).unwrap_or(0);
        ui.label(RichText::new(look.texts.count("peers-count", count)).color(look.tokens.subdued));
    });
    ui.add_space(space::M);
}

/// Draws what is waited for.
pub(super) fn awaited_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState, intents: &mut Vec<Intent>) {
    for it in &sync.awaited {
        let begin = it.begin.filter(|begin| *begin > look.now);
        let key = match begin {
            _ if it.is_spent => "awaited-spent",
            Some(_later) => "awaited-later",
            None if it.until > look.now => "awaited-live",
            None => "awaited-ended",
        };
        let (short, end) = (it.space.short(), until(look, it.until));
        let begin = begin.map_or_else(String::new, |begin| until(look, begin));
        let said = [("system", short.as_str()), ("begin", &begin), ("end", &end)];
        card(ui, look, |ui| {
            let text = RichText::new(look.texts.with(key, &said)).color(look.tokens.text);
            ui.add(egui::Label::new(text).wrap());
            if ui.button(look.texts.get("awaited-give-up")).clicked() {
                intents.push(Intent::GiveUp(it.space));
            }
        });
        ui.add_space(space::S);
    }
}

/// Draws which notifiers tell the same, and what to do about it.
pub(super) fn equal_ranks_ui(
    ui: &mut Ui,
    look: Look<'_>,
    equal: &[EqualRank],
    window: &mut Window,
) {
    for it in equal.iter().take(EQUAL_SHOWN_MAX) {
        let (rank, who) = (it.rank.to_string(), it.notifiers.join(", "));
        let said = [
            ("rank", rank.as_str()),
            ("who", &who),
            ("system", &it.title),
        ];
        card(ui, look, |ui| {
            ui.horizontal_wrapped(|ui| {
                severity_glyph(ui, look, Severity::Warning, 16.0);
                let text = RichText::new(look.texts.with("peers-equal-rank", &said));
                ui.add(egui::Label::new(text.color(look.tokens.text)).wrap());
            });
            let open = look
                .texts
                .with("peers-equal-open", &[("system", &it.title)]);
            let response = ui.button(open);
            window.list_has(&response);
            if response.clicked() {
                window.go(Route::System(it.system));
            }
        });
        ui.add_space(space::S);
    }
}

/// Draws everybody who is known.
pub(super) fn peers_ui(
    ui: &mut Ui,
    look: Look<'_>,
    snapshot: &Snapshot,
    sync: &SyncState,
    window: &mut Window,
) {
    if sync.peers.is_empty() {
        super::empty_ui(ui, look, ("peers-none", "sync-peer-none"), |_ui| {});
        return;
    }
    ui.spacing_mut().item_spacing.y = space::M;
    ScrollArea::vertical().auto_shrink(false).show_rows(
        ui,
        CARD_HEIGHT,
        sync.peers.len(),
        |ui, visible| {
            for peer in sync.peers.get(visible).unwrap_or_default() {
                let observed = peer.agent.and_then(|agent| observed(snapshot, agent));
                peer_ui(ui, look, peer, observed, window);
            }
        },
    );
}

/// The System that an agent observes, and what is known of the agent.
fn observed(snapshot: &Snapshot, agent: SpaceId) -> Option<(&SystemView, &AgentView)> {
    snapshot.systems.iter().find_map(|system| {
        let mut agents = system.agents.iter();
        let view = agents.find(|view| view.space == agent)?;
        Some((&**system, view))
    })
}

/// How an agent's life looks as a state.
pub(super) const fn life_severity(life: AgentLife) -> Severity {
    match life {
        AgentLife::Alive => Severity::Ok,
        AgentLife::Stopped | AgentLife::Stale => Severity::Unknown,
        AgentLife::Unseen => Severity::Missing,
    }
}

/// How long ago an agent was heard of, and that it need not be when it is offline.
pub(super) fn heard(look: Look<'_>, agent: &AgentView, age: &str) -> String {
    if agent.is_offline() {
        look.texts.with("agent-offline", &[("age", age)])
    } else {
        age.to_owned()
    }
}

/// What somebody may do, in words.
pub(super) fn may_words(look: Look<'_>, may: Capability) -> String {
    look.texts.get(match may {
        Capability::Relay => "may-relay",
        Capability::Read => "may-read",
        Capability::Comment => "may-comment",
        Capability::Write => "may-write",
        Capability::Administer => "may-administer",
    })
}

/// The same with its end.
pub(super) fn may_until(look: Look<'_>, may: Capability, end: Timestamp) -> String {
    let (may, end) = (may_words(look, may), until(look, end));
    look.texts
        .with("peers-until", &[("may", &may), ("end", &end)])
}

fn peer_ui(
    ui: &mut Ui,
    look: Look<'_>,
    peer: &Peer,
    observed: Option<(&SystemView, &AgentView)>,
    window: &mut Window,
) {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), CARD_HEIGHT), Sense::click());
    window.list_has(&response);
    let is_heard = observed.is_some_and(|(_system, agent)| agent.seen.is_some());
    let mut reach = Vec::new();
    // Through a relay one hears of an agent that was never connected here.
    if !is_heard || peer.path.is_some() || peer.seen.is_some() {
        reach.push(reach_words(look, peer));
    }
    if let Some((system, agent)) = observed {
        if let Some(seen) = agent.seen {
            let age = ago(look, seen);
            reach.push(if agent.is_offline() {
                heard(look, agent, &age)
            } else {
                look.texts.with("peers-heartbeat", &[("age", &age)])
            });
        }
        let title = [("system", system.title.as_str())];
        reach.push(look.texts.with("peers-observes", &title));
        if let Some(version) = &agent.version {
            let version = [("version", version.as_str())];
            reach.push(look.texts.with("peers-version", &version));
        }
    }
    let reach = reach.join(" · ");
    let may = match peer.may {
        Some((may, end)) => {
            let spaces = u64::try_from(peer.spaces).unwrap_or(u64::MAX);
            let words = may_until(look, may, end);
            format!("{words} · {}", look.texts.count("peers-spaces", spaces))
        }
        None => look.texts.get("peers-no-grant"),
    };
    let kind = kind_word(look, peer.kind);
    let name = format!("{kind} {}: {reach}. {may}", peer.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let (fill, edge) = match (response.has_focus(), response.hovered()) {
        (true, _) => (look.tokens.hover, look.tokens.accent),
        (false, true) => (look.tokens.hover, look.tokens.line),
        (false, false) => (look.tokens.raised, look.tokens.line),
    };
    ui.painter()
        .rect(rect, 10.0, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    let sign = Rect::from_center_size(pos2(rect.left() + 24.0, rect.center().y), Vec2::splat(18.0));
    match observed {
        Some((_, agent)) if agent.is_offline() => {
            Icon::Offline.paint(ui, sign, look.tokens.subdued);
        }
        Some((_, agent)) => paint_severity(ui, look, life_severity(agent.life), sign),
        None if peer.path.is_some() => Icon::Online.paint(ui, sign, look.tokens.accent),
        None => Icon::Offline.paint(ui, sign, look.tokens.subdued),
    }
    let left = rect.left() + 46.0;
    let width = rect.right() - space::L - left;
    let title = format!("{} · {kind}", peer.name);
    let rows = [
        (title.as_str(), size::BODY, look.tokens.strong),
        (reach.as_str(), size::SMALL, look.tokens.text),
        (may.as_str(), size::SMALL, look.tokens.subdued),
    ];
    let mut top = rect.top() + 7.0;
    for (text, points, color) in rows {
        let galley = line(ui, text, points, color, width);
        let height = galley.size().y;
        ui.painter().galley(pos2(left, top), galley, color);
        top += height + 0.5;
    }
    if let (true, Some((system, _))) = (response.clicked(), observed) {
        window.go(Route::System(system.space));
    }
}
