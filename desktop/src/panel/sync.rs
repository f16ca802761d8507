//! The connection, told honestly: this disk, each peer, and the age of what one sees.

use aramaki_model::Severity;
use egui::{Button, Popup, RichText, ScrollArea, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::{Peer, PeerKind, RelayReach, Route, SyncState};
use crate::widget::{Icon, Look, ago};

const WIDTH: f32 = 320.0;
/// How many devices the small list names; the page names all.
const DEVICES_MAX: usize = 8;

/// The chip in the top bar; a click shows more.
pub(super) fn chip_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState, window: &mut Window) {
    let words = words(look, sync);
    let response = ui.add(
        Button::new(RichText::new(format!("      {words}")).size(size::SMALL + 0.5))
            .fill(look.tokens.field)
            .corner_radius(13),
    );
    let (sign, tint) = if sync.connected() == 0 {
        (Icon::Offline, look.tokens.subdued)
    } else {
        (Icon::Online, look.tokens.accent)
    };
    sign.paint(
        ui,
        egui::Rect::from_center_size(
            egui::pos2(response.rect.left() + 17.0, response.rect.center().y),
            egui::vec2(14.0, 14.0),
        ),
        tint,
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &words));
    let shown = Popup::menu(&response)
        .width(WIDTH)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| super::popup_space(ui, |ui| details_ui(ui, look, sync)));
    if shown.is_some_and(|shown| shown.inner) {
        Popup::close_all(ui.ctx());
        window.go(Route::Peers);
    }
}

/// How many are connected, whether a relay is among them, and what waits or how old all is.
fn words(look: Look<'_>, sync: &SyncState) -> String {
    let connected = u64::try_from(sync.connected()).unwrap_or(u64::MAX);
    let mut words = vec![if connected == 0 {
        look.texts.get("sync-offline")
    } else {
        look.texts.count("sync-online", connected)
    }];
    if connected > 0 && sync.relay() == RelayReach::Away {
        words.push(look.texts.get("sync-no-relay"));
    }
    if !sync.over_quota.is_empty() {
        words.push(look.texts.get("sync-over-quota"));
    }
    if sync.pending > 0 {
        words.push(look.texts.count("sync-pending", sync.pending));
    } else if let Some(newest) = sync.newest {
        words.push(ago(look, newest));
    }
    words.join(" · ")
}

/// Draws the list; whether somebody wants to see everyone.
fn details_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState) -> bool {
    let disk = look.texts.get("sync-disk-value");
    fact_ui(ui, look, &look.texts.get("sync-disk"), &disk);
    ui.label(look.texts.count("sync-pending", sync.pending));
    for it in &sync.over_quota {
        let said = [("peer", it.peer.as_str()), ("system", it.system.as_str())];
        let text = RichText::new(look.texts.with("sync-over-quota-at", &said));
        let text = text.color(look.tokens.severity(Severity::Warning));
        ui.add(egui::Label::new(text).wrap());
    }
    if let Some(newest) = sync.newest {
        ui.label(look.texts.with("sync-age", &[("age", &ago(look, newest))]));
    }
    ui.separator();
    if sync.peers.is_empty() {
        ui.label(RichText::new(look.texts.get("sync-peer-none")).color(look.tokens.subdued));
        return false;
    }
    let height = (ui.ctx().content_rect().height() * 0.5).max(120.0);
    ScrollArea::vertical().max_height(height).show(ui, |ui| {
        let named = sync
            .peers
            .iter()
            .filter(|peer| peer.kind != PeerKind::Agent);
        for peer in named.take(DEVICES_MAX) {
            peer_ui(ui, look, peer);
        }
        agents_ui(ui, look, sync);
    });
    ui.add_space(space::S);
    ui.button(look.texts.get("sync-show-peers")).clicked()
}

fn agents_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState) {
    let agents = || {
        sync.peers
            .iter()
            .filter(|peer| peer.kind == PeerKind::Agent)
    };
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let (all, here) = (
        count(agents().count()),
        count(agents().filter(|agent| agent.path.is_some()).count()),
    );
    if all > 0 {
        let connected = look.texts.count("sync-agents-connected", here);
        fact_ui(ui, look, &look.texts.count("sync-agents", all), &connected);
    }
}

/// What a peer is, in a word.
pub(super) fn kind_word(look: Look<'_>, kind: PeerKind) -> String {
    look.texts.get(match kind {
        PeerKind::Here => "peer-here",
        PeerKind::Relay => "peer-relay",
        PeerKind::Agent => "peer-agent",
        PeerKind::Device => "peer-device",
        PeerKind::RecoveryKit => "peer-recovery",
        PeerKind::Invitation => "start-invitation",
        PeerKind::Emergency => "peer-emergency",
    })
}

/// Whether a peer is here, and since when it is not.
pub(super) fn reach_words(look: Look<'_>, peer: &Peer) -> String {
    match (&peer.path, peer.seen) {
        (Some(path), _) => look.texts.with("sync-peer-here", &[("path", path)]),
        (None, Some(seen)) => look
            .texts
            .with("sync-peer-gone", &[("age", &ago(look, seen))]),
        (None, None) => look.texts.get("sync-peer-never"),
    }
}

fn peer_ui(ui: &mut Ui, look: Look<'_>, peer: &Peer) {
    let title = format!("{} · {}", kind_word(look, peer.kind), peer.name);
    fact_ui(ui, look, &title, &reach_words(look, peer));
}

fn fact_ui(ui: &mut Ui, look: Look<'_>, what: &str, value: &str) {
    ui.label(weighted(what, 550.0).color(look.tokens.strong));
    ui.label(
        RichText::new(value)
            .size(size::SMALL)
            .color(look.tokens.subdued),
    );
    ui.add_space(space::S);
}
