//! Who may read and change a System, since when, until when, and through whom. Read only.

use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::SpaceId;
use egui::{Label, RichText, Ui};

use super::peers::{may_until, may_words};
use super::sync::kind_word;
use super::{Window, page};
use crate::theme::{size, space, weighted};
use crate::view::{Member, PeerKind, Route, Through, Trust};
use crate::widget::{Icon, Look, card, icon, until};

const WIDTH_MAX: f32 = 860.0;

/// Draws the page.
pub(super) fn trust_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, trust): (&Snapshot, Option<&Trust>),
    space: SpaceId,
    window: &mut Window,
) {
    let (Some(system), Some(trust)) = (snapshot.system(&space), trust) else {
        super::empty_ui(ui, look, ("system-gone", ""), |_ui| {});
        return;
    };
    if super::system::back_ui(ui, look, &system.title) {
        window.go(Route::System(space));
    }
    ui.label(
        weighted(look.texts.get("trust-title"), 650.0)
            .size(size::PAGE)
            .color(look.tokens.strong),
    );
    ui.label(RichText::new(mine_words(look, trust)).color(look.tokens.text));
    ended_ui(ui, look, Some(trust));
    let explain = RichText::new(look.texts.get("trust-explain")).color(look.tokens.subdued);
    ui.add(Label::new(explain).wrap());
    ui.add_space(space::L);
    page(ui, WIDTH_MAX, |ui| {
        for member in &trust.members {
            card(ui, look, |ui| member_ui(ui, look, member));
        }
    });
}

/// Says so when a peer says that this device's access is over.
pub(super) fn ended_ui(ui: &mut Ui, look: Look<'_>, trust: Option<&Trust>) {
    if trust.is_some_and(|trust| trust.ended_elsewhere) {
        let text = look.texts.get("trust-ended-elsewhere");
        let text = RichText::new(text).color(look.tokens.severity(Severity::Warning));
        ui.add(Label::new(text).wrap());
        ui.add_space(space::S);
    }
}

fn mine_words(look: Look<'_>, trust: &Trust) -> String {
    match trust.mine {
        Some(may) => look
            .texts
            .with("trust-mine", &[("may", &may_words(look, may))]),
        None => look.texts.get("trust-mine-none"),
    }
}

/// Who somebody is and what they may do, in one line.
pub(super) fn member_words(look: Look<'_>, member: &Member) -> String {
    let words = may_until(look, member.may, member.end);
    format!("{} · {words}", member_name(look, member))
}

fn member_name(look: Look<'_>, member: &Member) -> String {
    let kind = kind_word(look, member.kind);
    match member.kind {
        PeerKind::RecoveryKit | PeerKind::Invitation => kind,
        _ => format!("{} · {kind}", member.name),
    }
}

const fn sign(kind: PeerKind) -> Icon {
    match kind {
        PeerKind::Here | PeerKind::Device => Icon::Peers,
        PeerKind::Relay => Icon::Online,
        PeerKind::Agent => Icon::Timeline,
        PeerKind::RecoveryKit => Icon::Trust,
        PeerKind::Invitation => Icon::Share,
    }
}

fn member_ui(ui: &mut Ui, look: Look<'_>, member: &Member) {
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.horizontal(|ui| {
        icon(ui, sign(member.kind), 16.0, look.tokens.subdued);
        let name = weighted(member_name(look, member), 600.0).color(look.tokens.strong);
        ui.add(Label::new(name).truncate());
        ui.label(may_words(look, member.may));
    });
    let (begin, end) = (until(look, member.begin), until(look, member.end));
    let span = look
        .texts
        .with("trust-since", &[("begin", &begin), ("end", &end)]);
    let through = match &member.through {
        Through::Root => look.texts.get("trust-root"),
        Through::Member(name) => look.texts.with("trust-through", &[("name", name)]),
        Through::Invitation(name) => look.texts.with("trust-invited", &[("name", name)]),
    };
    let words = RichText::new(format!("{span} · {through}"))
        .size(size::SMALL)
        .color(look.tokens.subdued);
    ui.add(Label::new(words).wrap());
}
