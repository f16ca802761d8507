//! Who may read and change a System, since when, until when, and through whom; ending it, and accepting
//! what came late.

use std::collections::BTreeSet;

use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::engine::Reach;
use aramaki_sync_core::{EnvelopeId, SpaceId};
use egui::{Align, Label, Layout, RichText, Role, Ui, WidgetInfo};

use super::dialog::{self, Next};
use super::peers::{may_until, may_words};
use super::sync::kind_word;
use super::{Window, page};
use super::{access, ended, left_out};
use crate::fingerprint;
use crate::theme::{size, space, weighted};
use crate::view::{
    CodeEnd, EndWhat, Ending, Ends, Intent, Late, LeftOut, LetIn, LookedBack, Member, PeerKind,
    Route, Through, Trust, WhyCut,
};
use crate::widget::{Icon, Look, age, ago, card, icon, until};

const WIDTH_MAX: f32 = 860.0;
const ENDING_HEIGHT_MAX: f32 = 240.0;

/// Draws the page.
pub(super) fn trust_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, trust): (&Snapshot, Option<&Trust>),
    space: SpaceId,
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let (Some(system), Some(trust)) = (snapshot.system(&space), trust) else {
        super::empty_ui(ui, look, ("system-gone", ""), |_ui| {});
        return;
    };
    if super::system::back_ui(ui, look, &system.title) {
        window.go(Route::System(space));
    }
    window.look_back(LookedBack::In(space), intents);
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
        for late in &trust.late {
            card(ui, look, |ui| late_ui(ui, look, (space, late), intents));
        }
        for member in &trust.members {
            let asked = card(ui, look, |ui| member_ui(ui, look, member)).inner;
            access::take(look, (space, member), asked, window, intents);
        }
        if !trust.ended.is_empty() {
            ended::list_ui(ui, look, &trust.ended);
        }
    });
}

/// Says so when a peer says that this device's access is over, somebody signed two histories, a key has not
/// come, or this device's clock is ahead.
pub(super) fn ended_ui(ui: &mut Ui, look: Look<'_>, trust: Option<&Trust>) {
    for name in trust
        .map(|trust| &trust.two_histories)
        .into_iter()
        .flatten()
    {
        let text = look.texts.with("trust-two-histories", &[("name", name)]);
        let text = RichText::new(text).color(look.tokens.severity(Severity::Warning));
        ui.add(Label::new(text).wrap());
        ui.add_space(space::S);
    }
    if trust.is_some_and(|trust| trust.awaits_key) {
        let text = RichText::new(look.texts.get("trust-awaits-key")).color(look.tokens.subdued);
        ui.add(Label::new(text).wrap());
        ui.add_space(space::S);
    }
    if let Some(ahead) = trust.and_then(|trust| trust.clock_ahead) {
        let by = age(look, look.now.minus(ahead.by));
        let then = until(look, ahead.counts_from);
        let said = [("by", by.as_str()), ("then", &then)];
        let text = RichText::new(look.texts.with("trust-clock-ahead", &said));
        let text = text.color(look.tokens.severity(Severity::Warning));
        ui.add(Label::new(text).wrap());
        ui.add_space(space::S);
    }
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

pub(super) fn member_name(look: Look<'_>, member: &Member) -> String {
    let kind = kind_word(look, member.kind);
    match member.kind {
        PeerKind::Invitation if !member.name.is_empty() => look
            .texts
            .with("trust-invitation-to", &[("name", &member.name)]),
        PeerKind::RecoveryKit | PeerKind::Invitation | PeerKind::Emergency => kind,
        _ => format!("{} · {kind}", member.name),
    }
}

const fn sign(kind: PeerKind) -> Icon {
    match kind {
        PeerKind::Here | PeerKind::Device => Icon::Peers,
        PeerKind::Relay => Icon::Online,
        PeerKind::Agent => Icon::Timeline,
        PeerKind::RecoveryKit | PeerKind::Emergency => Icon::Trust,
        PeerKind::Invitation => Icon::Share,
    }
}

/// Whether it can be lost.
pub(super) const fn is_device(kind: PeerKind) -> bool {
    matches!(kind, PeerKind::Device | PeerKind::Agent | PeerKind::Relay)
}

/// What somebody asked about a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    End,
    /// The device was lost: everything that it may anywhere.
    Lost,
    Renew,
}

/// Somebody's grant, and what is to become of it.
pub(super) fn member_ui(ui: &mut Ui, look: Look<'_>, member: &Member) -> Asked {
    ui.spacing_mut().item_spacing.y = 2.0;
    let mut asked = Asked::Nothing;
    ui.horizontal(|ui| {
        icon(ui, sign(member.kind), 16.0, look.tokens.subdued);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            asked = asked_ui(ui, look, member);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = weighted(member_name(look, member), 600.0).color(look.tokens.strong);
                ui.add(Label::new(name).truncate());
                ui.label(may_words(look, member.may));
            });
        });
    });
    let words = RichText::new(since_words(look, member))
        .size(size::SMALL)
        .color(look.tokens.subdued);
    ui.add(Label::new(words).wrap());
    if !member.reason.is_empty() {
        let reason = [("reason", member.reason.as_str())];
        let reason = RichText::new(look.texts.with("trust-reason", &reason))
            .size(size::SMALL)
            .color(look.tokens.text);
        ui.add(Label::new(reason).truncate());
    }
    if member.kind == PeerKind::Emergency {
        let words = RichText::new(emergency_words(look, member))
            .size(size::SMALL)
            .color(look.tokens.text);
        ui.add(Label::new(words).wrap());
    }
    let words = fingerprint::words(&member.key);
    let words = look.texts.with("trust-key", &[("words", &words)]);
    let fingerprint = RichText::new(words)
        .size(size::SMALL)
        .color(look.tokens.subdued);
    let key = member.key.to_string();
    ui.label(fingerprint).on_hover_text(key);
    if member.ends_soon(look.now) {
        let soon = RichText::new(look.texts.get("trust-soon"))
            .size(size::SMALL)
            .color(look.tokens.severity(Severity::Warning));
        ui.label(soon);
    }
    asked
}

/// What one can do about somebody's grant.
fn asked_ui(ui: &mut Ui, look: Look<'_>, member: &Member) -> Asked {
    let mut asked = Asked::Nothing;
    let is_device = is_device(member.kind);
    let buttons = [
        (member.can_end, ["trust-end", "trust-end-name"], Asked::End),
        (
            member.can_end && is_device,
            ["trust-lost", "trust-lost-name"],
            Asked::Lost,
        ),
        (
            member.can_renew,
            ["trust-renew", "trust-renew-name"],
            Asked::Renew,
        ),
    ];
    for (_can, [word, named], wish) in buttons.into_iter().filter(|(can, _, _)| *can) {
        let mut button = ui.button(look.texts.get(word));
        let name = member_name(look, member);
        let name = look.texts.with(named, &[("name", &name)]);
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if matches!(wish, Asked::Renew) {
            button = button.on_hover_text(look.texts.get("trust-renew-hint"));
        }
        if button.clicked() {
            asked = wish;
        }
    }
    asked
}

/// Since when, until when and through whom.
fn since_words(look: Look<'_>, member: &Member) -> String {
    let (begin, end) = (until(look, member.begin), until(look, member.end));
    let span = [("begin", begin.as_str()), ("end", end.as_str())];
    let mut said = vec![match member.left {
        _ if member.code_end == Some(CodeEnd::GuestSentAway) => look.texts.get("trust-over"),
        _ if member.code_end.is_some() => look.texts.get("trust-used"),
        Some((left, code)) => {
            let (left, code) = (left.to_string(), until(look, code));
            let said = [("left", left.as_str()), ("code", &code), ("end", &end)];
            look.texts.with("trust-left", &said)
        }
        None if member.begin > look.now => look.texts.with("trust-from", &span),
        None => look.texts.with("trust-since", &span),
    }];
    said.push(match &member.through {
        Through::Root => look.texts.get("trust-root"),
        Through::Member(name) => look.texts.with("trust-through", &[("name", name)]),
        Through::Invitation(name) => look.texts.with("trust-invited", &[("name", name)]),
    });
    if member.depth > 0 && member.left.is_none() {
        let depth = u64::from(member.depth);
        said.push(look.texts.count("trust-depth", depth));
    }
    if let Some(seen) = member.seen {
        let age = ago(look, seen);
        said.push(look.texts.with("trust-seen", &[("age", &age)]));
    }
    said.join(" · ")
}

/// What an emergency key can do unseen, and whether it was ever opened.
fn emergency_words(look: Look<'_>, member: &Member) -> String {
    let used = match &member.opened {
        None => look.texts.get("trust-emergency-never"),
        Some((at, reason)) => {
            let at = until(look, *at);
            let said = [("at", at.as_str()), ("reason", reason)];
            look.texts.with("trust-emergency-used", &said)
        }
    };
    format!("{} {used}", look.texts.get("trust-emergency-reads"))
}

/// Work that came too late, and the decision about it.
fn late_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (space, late): (SpaceId, &Late),
    intents: &mut Vec<Intent>,
) {
    let count = look.texts.count("trust-late-count", late.envelopes);
    let last = until(look, late.last);
    let said = [
        ("name", late.name.as_str()),
        ("count", &count),
        ("last", &last),
    ];
    let said = match &late.left_out {
        None => look.texts.with(left_out::waits_key(late.held), &said),
        Some(LeftOut { in_time, closers }) => {
            let (in_time, closers) = (in_time.to_string(), closers.join(", "));
            let [name, count, last] = said;
            let said = [
                name,
                count,
                last,
                ("closers", closers.as_str()),
                ("here", &in_time),
            ];
            look.texts.with("trust-left-out", &said)
        }
    };
    let said = RichText::new(said).color(look.tokens.severity(Severity::Warning));
    ui.add(Label::new(said).wrap());
    if late.is_for_nothing() {
        let never = RichText::new(look.texts.get("trust-late-never"))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        ui.add(Label::new(never).wrap());
    }
    if late.can_accept {
        let (explain, choices) = choices(late);
        let explain = RichText::new(look.texts.get(explain))
            .size(size::SMALL)
            .color(look.tokens.subdued);
        ui.add(Label::new(explain).wrap());
        ui.horizontal_wrapped(|ui| {
            for (key, reach) in choices {
                if ui.button(look.texts.get(key)).clicked() {
                    let grant = late.grant;
                    intents.push(Intent::AcceptLate {
                        space,
                        grant,
                        reach,
                    });
                }
            }
        });
    }
}

/// What is said before late work is accepted, and how much of it can be.
fn choices(late: &Late) -> (&'static str, Vec<(&'static str, Reach)>) {
    let Some(left_out) = &late.left_out else {
        let all = ("trust-late-accept", Reach::All);
        return ("trust-late-explain", vec![all]);
    };
    let mut choices = Vec::new();
    if left_out.in_time > 0 {
        choices.push(("trust-left-out-in-time", Reach::InTime));
    }
    if left_out.in_time < late.envelopes {
        choices.push(("trust-left-out-all", Reach::All));
    }
    ("trust-left-out-explain", choices)
}

/// What ending an access would do, and the decision.
pub(super) fn end_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (what, reason, can_be_lost): (&mut EndWhat, &mut String, bool),
    ending: Option<&Ending>,
    intents: &mut Vec<Intent>,
) -> Next {
    if can_be_lost {
        let mut asked = what.everywhere;
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut asked, false, look.texts.get("trust-end-here"));
            ui.selectable_value(&mut asked, true, look.texts.get("trust-end-everywhere"));
        });
        if asked != what.everywhere {
            what.everywhere = asked;
            what.cut.clear();
            intents.push(Intent::AskEnd(what.clone()));
        }
        ui.add_space(space::S);
    }
    if !what.everywhere {
        let words = look.texts.get("trust-end-from-start");
        if ui.checkbox(&mut what.from_the_start, words).changed() {
            intents.push(Intent::AskEnd(what.clone()));
        }
        ui.add_space(space::S);
    }
    let ending = ending.filter(|it| it.what == *what);
    match ending {
        None => drop(ui.label(look.texts.get("trust-end-looking"))),
        Some(ending) => {
            egui::ScrollArea::vertical()
                .max_height(ENDING_HEIGHT_MAX)
                .show(ui, |ui| ending_ui(ui, look, ending, &mut what.cut));
            if what.cut != ending.what.cut {
                intents.push(Intent::AskEnd(what.clone()));
            }
        }
    }
    ui.add_space(space::S);
    super::start::field_ui(ui, look, "trust-end-reason", reason);
    let explain = RichText::new(look.texts.get("trust-end-explain"))
        .size(size::SMALL)
        .color(look.tokens.subdued);
    ui.add(Label::new(explain).wrap());
    ui.add_space(space::S);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        let some = ending.is_some_and(|it| !it.places.is_empty());
        let end = dialog::primary(look, "trust-end-do");
        if ui.add_enabled(some, end).clicked() {
            intents.push(Intent::End {
                what: what.clone(),
                reason: reason.trim().to_owned(),
            });
            next = Next::Close;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            intents.push(Intent::ForgetEnding);
            next = Next::Close;
        }
    });
    next
}

/// What becomes of what they wrote.
fn written_words(look: Look<'_>, (gone, stays): (u64, u64)) -> String {
    if gone == 0 {
        return look.texts.get("trust-end-stays");
    }
    let mut words = look.texts.count("trust-end-gone", gone);
    if stays > 0 {
        words.push(' ');
        words.push_str(&look.texts.count("trust-end-built-on", stays));
    }
    words
}

/// What a lost device let others do: each access stays, or does not.
fn let_in_ui(ui: &mut Ui, look: Look<'_>, let_in: &[LetIn], cut: &mut BTreeSet<EnvelopeId>) {
    if let_in.is_empty() {
        return;
    }
    let asked = RichText::new(look.texts.get("trust-end-let-in"));
    let asked = asked.color(look.tokens.severity(Severity::Warning));
    ui.add(Label::new(asked).wrap());
    for it in let_in {
        let (may, end) = (may_words(look, it.may.0), until(look, it.may.1));
        let said = [("name", it.name.as_str()), ("may", &may), ("end", &end)];
        let mut stays = it.stays;
        let words = look.texts.with("trust-end-stays-in", &said);
        if ui.checkbox(&mut stays, words).changed() {
            if stays {
                cut.retain(|grant| !it.grants.contains(grant));
            } else {
                cut.extend(&it.grants);
            }
        }
    }
}

fn ends_word(look: Look<'_>, it: &Ends) -> String {
    match it.may {
        Some(may) => {
            let may = may_words(look, may);
            let said = [("name", it.name.as_str()), ("may", &may)];
            look.texts.with("trust-ends-one", &said)
        }
        None => it.name.clone(),
    }
}

/// Whose access people chose to end.
fn chosen_words(look: Look<'_>, ends: &[Ends]) -> Option<String> {
    let chosen = ends.iter().filter(|it| it.why.is_none());
    let chosen: Vec<_> = chosen.map(|it| ends_word(look, it)).collect();
    let names = chosen.join(", ");
    (!chosen.is_empty()).then(|| look.texts.with("trust-ends", &[("names", &names)]))
}

/// What ends with that, each with its reason.
fn besides_words(look: Look<'_>, ends: &[Ends]) -> Vec<String> {
    let words = ends.iter().filter_map(|it| {
        let (names, why) = (ends_word(look, it), look.texts.get(why_key(it.why?)));
        let said = [("names", names.as_str()), ("why", &why)];
        Some(look.texts.with("trust-ends-why", &said))
    });
    words.collect()
}

const fn why_key(why: WhyCut) -> &'static str {
    match why {
        WhyCut::Invitation => "trust-ends-invitation",
        WhyCut::More => "trust-ends-more",
        WhyCut::Administrator => "trust-ends-administrator",
        WhyCut::Named => "trust-ends-named",
        WhyCut::Below => "trust-ends-below",
    }
}

fn ending_ui(ui: &mut Ui, look: Look<'_>, ending: &Ending, cut: &mut BTreeSet<EnvelopeId>) {
    for place in &ending.places {
        ui.label(weighted(&place.title, 600.0).color(look.tokens.strong));
        if let Some(words) = chosen_words(look, &place.ends) {
            ui.add(Label::new(RichText::new(words).color(look.tokens.text)).wrap());
        }
        ui.add(Label::new(written_words(look, place.written)).wrap());
        if place.discarded > 0 {
            let words = look.texts.count("trust-end-discarded", place.discarded);
            let words = RichText::new(words).color(look.tokens.severity(Severity::Warning));
            ui.add(Label::new(words).wrap());
        }
        ui.push_id(&place.title, |ui| let_in_ui(ui, look, &place.stay, cut));
        // Below what is ticked, which would move else with every tick.
        for words in besides_words(look, &place.ends) {
            ui.add(Label::new(RichText::new(words).color(look.tokens.text)).wrap());
        }
        for (name, may, end) in &place.kept {
            let (may, end) = (may_words(look, *may), until(look, *end));
            let said = [("name", name.as_str()), ("may", &may), ("end", &end)];
            let key = if ending.what.everywhere {
                "trust-end-kept-lost"
            } else {
                "trust-end-kept"
            };
            let kept = RichText::new(look.texts.with(key, &said));
            let kept = kept.color(look.tokens.severity(Severity::Warning));
            ui.add(Label::new(kept).wrap());
        }
        if let Some((left, until_then)) = place.code {
            let (left, until_then) = (left.to_string(), until(look, until_then));
            let said = [("left", left.as_str()), ("until", &until_then)];
            ui.add(Label::new(look.texts.with("trust-end-code", &said)).wrap());
        }
    }
    if !ending.beyond.is_empty() {
        let names = ending.beyond.join(", ");
        let beyond = look.texts.with("trust-beyond", &[("names", &names)]);
        let beyond = RichText::new(beyond).color(look.tokens.severity(Severity::Warning));
        ui.add(Label::new(beyond).wrap());
    }
}
