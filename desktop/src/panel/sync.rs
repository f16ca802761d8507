//! The connection, told honestly: this disk, each peer, and the age of what one sees.

use egui::{Button, Popup, RichText, Ui};

use crate::theme::{size, space, weighted};
use crate::view::{Peer, PeerKind, SyncState};
use crate::widget::{Icon, Look, age};

/// The chip in the top bar; a click shows everyone.
pub(super) fn chip_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState) {
    let connected = u64::try_from(sync.connected()).unwrap_or(u64::MAX);
    let mut words = if connected == 0 {
        look.texts.get("sync-offline")
    } else {
        look.texts.count("sync-online", connected)
    };
    if sync.pending > 0 {
        words = format!(
            "{words} · {}",
            look.texts.count("sync-pending", sync.pending)
        );
    } else if let Some(newest) = sync.newest {
        words = format!("{words} · {}", age(look, newest));
    }
    let response = ui.add(
        Button::new(RichText::new(format!("      {words}")).size(size::SMALL + 0.5))
            .fill(look.tokens.field)
            .corner_radius(13),
    );
    let (sign, tint) = if connected == 0 {
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
    Popup::menu(&response)
        .width(320.0)
        .show(|ui| details_ui(ui, look, sync));
}

fn details_ui(ui: &mut Ui, look: Look<'_>, sync: &SyncState) {
    fact_ui(
        ui,
        look,
        &look.texts.get("sync-disk"),
        &look.texts.get("sync-disk-value"),
    );
    ui.label(look.texts.count("sync-pending", sync.pending));
    if let Some(newest) = sync.newest {
        ui.label(look.texts.with("sync-age", &[("age", &age(look, newest))]));
    }
    ui.separator();
    if sync.peers.is_empty() {
        ui.label(RichText::new(look.texts.get("sync-peer-none")).color(look.tokens.subdued));
    }
    for peer in &sync.peers {
        peer_ui(ui, look, peer);
    }
}

fn peer_ui(ui: &mut Ui, look: Look<'_>, peer: &Peer) {
    let kind = look.texts.get(match peer.kind {
        PeerKind::Relay => "peer-relay",
        PeerKind::Agent => "peer-agent",
        PeerKind::Device => "peer-device",
    });
    let state = match (&peer.path, peer.seen) {
        (Some(path), _) => look.texts.with("sync-peer-here", &[("path", path)]),
        (None, Some(seen)) => look
            .texts
            .with("sync-peer-gone", &[("age", &age(look, seen))]),
        (None, None) => look.texts.get("sync-peer-never"),
    };
    fact_ui(ui, look, &format!("{kind} · {}", peer.name), &state);
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
