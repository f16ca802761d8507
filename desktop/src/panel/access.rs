//! Who may do what in all Systems: person, agent or relay, since when and until when, through whom.

use std::collections::BTreeSet;

use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::SpaceId;
use egui::{Button, Label, RichText, ScrollArea, Sense, Ui, UiBuilder, vec2};

use super::trust::{self, Asked};
use super::{Dialog, Window, ended, left_out};
use crate::theme::{size, space, weighted};
use crate::view::{AccessFilter, EndWhat, Frame, Intent, LookedBack, Member, PeerKind, Route};
use crate::widget::{Look, card};

const WIDTH_MAX: f32 = 980.0;
/// A card with everything in it; lists are long, and only what is seen is drawn.
const CARD_HEIGHT: f32 = 146.0;
const GAP: f32 = 8.0;

const FILTERS: [(AccessFilter, &str); 6] = [
    (AccessFilter::All, "access-all"),
    (AccessFilter::Soon, "access-soon"),
    (AccessFilter::People, "access-people"),
    (AccessFilter::Machines, "access-machines"),
    (AccessFilter::Invitations, "access-invitations"),
    (AccessFilter::Ended, "access-ended"),
];

/// Draws the page.
pub(super) fn access_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    filter: AccessFilter,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    ui.label(
        weighted(look.texts.get("access-title"), 650.0)
            .size(size::PAGE)
            .color(look.tokens.strong),
    );
    let explain = RichText::new(look.texts.get("trust-explain")).color(look.tokens.subdued);
    ui.add(Label::new(explain).wrap());
    ui.add_space(space::M);
    left_out::undecided_ui(ui, look, (snapshot, &frame.trust), window);
    ui.horizontal_wrapped(|ui| {
        for (of, name) in FILTERS {
            let name = if of == AccessFilter::Ended {
                // How much has ended is looked up only when it is asked for.
                look.texts.get(name)
            } else {
                let count = u64::try_from(rows(look, frame, of).len()).unwrap_or(u64::MAX);
                look.texts.count(name, count)
            };
            let button = Button::selectable(of == filter, name);
            if ui.add(button).clicked() {
                // A filter is the same place: one does not go back through all of them.
                window.route = Route::Access(of);
            }
        }
    });
    ui.add_space(space::M);
    if filter == AccessFilter::Ended {
        window.look_back(LookedBack::Everywhere, intents);
        ended::everywhere_ui(ui, look, (frame, snapshot), window);
        return;
    }
    let rows = rows(look, frame, filter);
    if rows.is_empty() {
        ui.label(RichText::new(look.texts.get("access-none")).color(look.tokens.subdued));
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show_rows(
        ui,
        CARD_HEIGHT,
        rows.len(),
        |ui, visible| {
            ui.spacing_mut().item_spacing.y = GAP;
            ui.set_max_width(ui.available_width().min(WIDTH_MAX));
            for (space, member) in rows.get(visible).unwrap_or_default() {
                let title = snapshot
                    .system(space)
                    .map_or_else(|| space.short(), |system| system.title.clone());
                row_ui(ui, look, (*space, &title, member), window, intents);
            }
        },
    );
}

fn row_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (space, title, member): (SpaceId, &str, &Member),
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let room = vec2(ui.available_width(), CARD_HEIGHT - GAP);
    let (rect, _response) = ui.allocate_exact_size(room, Sense::hover());
    let mut inside = ui.new_child(UiBuilder::new().max_rect(rect));
    inside.shrink_clip_rect(rect);
    let asked = card(&mut inside, look, |ui| {
        ui.set_min_height(ui.available_height());
        let link = ui.link(RichText::new(title).size(size::SMALL));
        if link.clicked() {
            window.go(Route::Trust(space));
        }
        trust::member_ui(ui, look, member)
    });
    take(look, (space, member), asked.inner, window, intents);
}

/// Does what was asked about somebody's grant.
pub(super) fn take(
    look: Look<'_>,
    (space, member): (SpaceId, &Member),
    asked: Asked,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    match asked {
        Asked::Nothing => {}
        Asked::End | Asked::Lost => {
            let what = EndWhat {
                space,
                grant: member.grant,
                everywhere: asked == Asked::Lost,
                from_the_start: false,
                cut: BTreeSet::new(),
            };
            intents.push(Intent::AskEnd(what.clone()));
            let name = trust::member_name(look, member);
            window.dialog = Some(Dialog::end(what, name, trust::is_device(member.kind)));
        }
        Asked::Renew => {
            let grant = member.grant;
            window.dialog = Some(Dialog::Renew { space, grant });
        }
    }
}

/// What a filter shows: by name, then System; of what ends soon the first first.
fn rows<'a>(look: Look<'_>, frame: &'a Frame, filter: AccessFilter) -> Vec<(SpaceId, &'a Member)> {
    let trust = frame.trust.iter();
    if filter == AccessFilter::Soon {
        let soon =
            trust.flat_map(|(space, trust)| trust.ending_soon(look.now).map(|it| (*space, it)));
        let mut rows: Vec<(SpaceId, &Member)> = soon.collect();
        rows.sort_by_key(|(space, member)| (member.end, *space));
        return rows;
    }
    let all = trust.flat_map(|(space, trust)| trust.members.iter().map(|it| (*space, it)));
    let shown = all.filter(|(_space, member)| shows(filter, member));
    let mut rows: Vec<(SpaceId, &Member)> = shown.collect();
    rows.sort_by(|(one, a), (other, b)| {
        // One knows of oneself: this device stands last.
        let place = |it: &Member| (it.kind == PeerKind::Here, it.kind);
        (place(a), &a.name, a.key, one).cmp(&(place(b), &b.name, b.key, other))
    });
    rows
}

fn shows(filter: AccessFilter, member: &Member) -> bool {
    match filter {
        AccessFilter::All | AccessFilter::Soon => true,
        AccessFilter::Ended => false,
        AccessFilter::People => matches!(member.kind, PeerKind::Here | PeerKind::Device),
        AccessFilter::Machines => matches!(member.kind, PeerKind::Agent | PeerKind::Relay),
        AccessFilter::Invitations => {
            member.kind == PeerKind::Invitation && member.code_end.is_none()
        }
    }
}

/// On the overview: how many lose access within days, with the way to them.
pub(super) fn soon_ui(ui: &mut Ui, look: Look<'_>, frame: &Frame, window: &mut Window) {
    let soon = frame.trust.values();
    let soon: usize = soon.map(|trust| trust.ending_soon(look.now).count()).sum();
    if soon == 0 {
        return;
    }
    let words = look
        .texts
        .count("access-ends", u64::try_from(soon).unwrap_or(u64::MAX));
    let text = RichText::new(words).color(look.tokens.severity(Severity::Warning));
    if ui.add(Button::new(text)).clicked() {
        window.go(Route::Access(AccessFilter::Soon));
    }
    ui.add_space(space::S);
}
