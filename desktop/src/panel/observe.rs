//! Letting the agents of another System say how one is: what both sides must say, before anything is written.

use aramaki_model::observer::{OBSERVERS_MAX, OtherCheck};
use aramaki_model::{Severity, Snapshot, SystemView};
use aramaki_sync_core::SpaceId;
use egui::{FontId, Label, RichText, Ui};

use super::dialog::{self, Next};
use super::start::field_ui;
use crate::theme::{size, space, weighted};
use crate::view::deed::may_write;
use crate::view::observe::{Let, ObserveWish};
use crate::view::{Frame, Intent};
use crate::widget::{Icon, Look, Row, card, quiet, row, severity_glyph, severity_word};

/// Systems that are offered while one types.
const OFFERED_MAX: usize = 6;
/// How long a name may be that is given to a System that cannot be read here.
const LABEL_LEN_CHARS_MAX: usize = 200;
/// Checks of an observer that are named.
const CHECKS_SHOWN_MAX: usize = 8;

/// Who is to look, as far as somebody said.
#[derive(Clone, Debug)]
pub struct ObserverForm {
    system: SpaceId,
    /// What was typed to find the other System.
    typed: String,
    chosen: Option<SpaceId>,
    /// What that is called where it cannot be read.
    label: String,
    what: Let,
}

/// The other System, as far as it is known here.
struct Other<'a> {
    space: SpaceId,
    name: String,
    /// Its checks about the System that is looked at; none when it cannot be read here.
    checks: Option<Vec<&'a OtherCheck>>,
}

impl<'a> Other<'a> {
    fn of(form: &ObserverForm, snapshot: &'a Snapshot, system: &SystemView) -> Option<Self> {
        let space = form.chosen?;
        let looks = snapshot.system(&space);
        let known = system.observers.iter().find(|it| it.space == space);
        let label = form.label.trim();
        let name = match (looks, known) {
            (Some(looks), _) => looks.title.clone(),
            (None, Some(known)) => known.label.clone(),
            (None, None) if label.is_empty() => space.short(),
            (None, None) => label.to_owned(),
        };
        let about = |looks: &'a SystemView| {
            let all = looks.for_others.iter();
            all.filter(|it| it.system == form.system).collect()
        };
        Some(Self {
            space,
            name,
            checks: looks.map(about),
        })
    }
}

impl ObserverForm {
    /// An empty one.
    pub(super) const fn new(system: SpaceId) -> Self {
        Self {
            system,
            typed: String::new(),
            chosen: None,
            label: String::new(),
            what: Let::Look,
        }
    }

    /// One that names the other System already.
    pub(super) fn of(system: SpaceId, observer: SpaceId) -> Self {
        Self {
            typed: observer.to_string(),
            chosen: Some(observer),
            ..Self::new(system)
        }
    }

    /// To end what one may.
    pub(super) fn end(system: SpaceId, observer: SpaceId) -> Self {
        Self {
            chosen: Some(observer),
            what: Let::End,
            ..Self::new(system)
        }
    }

    /// Its title.
    pub(super) fn title(&self, look: Look<'_>, system: &str) -> String {
        let key = match self.what {
            Let::Look => "observer-title",
            Let::End => "observer-end-title",
        };
        look.texts.with(key, &[("system", system)])
    }

    /// Of which System.
    pub(super) const fn system(&self) -> SpaceId {
        self.system
    }

    /// Asks who is to look, and shows what both must say.
    pub(super) fn form_ui(
        &mut self,
        ui: &mut Ui,
        look: Look<'_>,
        frame: &Frame,
        intents: &mut Vec<Intent>,
    ) -> Next {
        let Some(snapshot) = frame.snapshot.as_deref() else {
            return Next::Close;
        };
        let Some(system) = snapshot.system(&self.system) else {
            return Next::Close;
        };
        if self.what == Let::Look {
            self.choose_ui(ui, look, snapshot, system);
        }
        let other = Other::of(self, snapshot, system);
        if let Some(other) = &other {
            match self.what {
                Let::Look => halves_ui(ui, look, system, other),
                Let::End => end_ui(ui, look, &system.title, other),
            }
        }
        let may = may_write(&frame.trust, &self.system);
        let is_full = self.what == Let::Look && system.observers.len() >= OBSERVERS_MAX;
        for (is_so, key) in [(!may, "observer-may-not"), (is_full, "observer-full")] {
            if is_so {
                let color = look.tokens.severity(Severity::Warning);
                ui.add(Label::new(RichText::new(look.texts.get(key)).color(color)).wrap());
            }
        }
        ui.add_space(space::M);
        let other = other.filter(|_| may && !is_full);
        self.answer_ui(ui, look, other.as_ref(), intents)
    }

    /// The other System: found by its title, or named by its id where it cannot be read here.
    fn choose_ui(&mut self, ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, system: &SystemView) {
        let before = self.typed.clone();
        dialog::first_field_ui(ui, look, "observer-which", &mut self.typed);
        if self.typed != before {
            self.chosen = self.typed.trim().parse().ok();
            self.chosen = self.chosen.filter(|it| *it != self.system);
        }
        let Some(chosen) = self.chosen else {
            self.offer_ui(ui, look, snapshot, system);
            return;
        };
        if snapshot.system(&chosen).is_none() {
            field_ui(ui, look, "observer-label", &mut self.label);
            if let Some((end, _)) = self.label.char_indices().nth(LABEL_LEN_CHARS_MAX) {
                self.label.truncate(end);
            }
        }
    }

    fn offer_ui(&mut self, ui: &mut Ui, look: Look<'_>, snapshot: &Snapshot, system: &SystemView) {
        let words: Vec<String> = self
            .typed
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let is_meant = |it: &&std::sync::Arc<SystemView>| {
            let title = it.title.to_lowercase();
            it.space != self.system
                && !system.observers.iter().any(|known| known.space == it.space)
                && words.iter().all(|word| title.contains(word))
        };
        ui.spacing_mut().item_spacing.y = 1.0;
        let mut found = 0;
        for other in snapshot.systems.iter().filter(is_meant).take(OFFERED_MAX) {
            found += 1;
            let mut line = Row::icon(Icon::Overview, &other.title, false);
            line.trailing = &other.category;
            if row(ui, look, &line).clicked() {
                self.chosen = Some(other.space);
                self.typed.clone_from(&other.title);
            }
        }
        if found == 0 {
            quiet(ui, look, &look.texts.get("observer-nothing"));
        }
    }

    fn answer_ui(
        &self,
        ui: &mut Ui,
        look: Look<'_>,
        other: Option<&Other<'_>>,
        intents: &mut Vec<Intent>,
    ) -> Next {
        let key = match self.what {
            Let::Look => "observer-let",
            Let::End => "observer-end-do",
        };
        let mut next = Next::Stay;
        ui.horizontal(|ui| {
            let done = ui.add_enabled(other.is_some(), dialog::primary(look, key));
            if let Some(other) = other.filter(|_| done.clicked()) {
                let label = self.label.trim();
                let is_named = other.checks.is_none() && !label.is_empty();
                intents.push(Intent::Observe(ObserveWish {
                    system: self.system,
                    observer: other.space,
                    label: is_named.then(|| clean(label)),
                    what: self.what,
                }));
                next = Next::Close;
            }
            if ui.button(look.texts.get("action-cancel")).clicked() {
                next = Next::Close;
            }
        });
        next
    }
}

/// What this System says by the button, and what the other one must say besides.
fn halves_ui(ui: &mut Ui, look: Look<'_>, system: &SystemView, other: &Other<'_>) {
    let title = system.title.as_str();
    let said = [("system", title), ("from", other.name.as_str())];
    card(ui, look, |ui| {
        head_ui(ui, look, &look.texts.with("observer-half-here", &said));
        quiet(ui, look, &look.texts.with("observer-half-here-hint", &said));
    });
    card(ui, look, |ui| {
        head_ui(ui, look, &look.texts.with("observer-half-there", &said));
        match &other.checks {
            Some(checks) if !checks.is_empty() => {
                quiet(ui, look, &look.texts.with("observer-counts-then", &said));
                checks_ui(ui, look, checks);
                return;
            }
            Some(_) => {
                quiet(ui, look, &look.texts.with("observer-no-check", &said));
            }
            None => {
                quiet(ui, look, &look.texts.with("observer-unknown", &said));
            }
        }
        // The line that makes a check one about this System.
        let line = format!("about_system = \"{}\"", system.space);
        ui.horizontal_wrapped(|ui| {
            let shown = RichText::new(&line).font(FontId::monospace(size::SMALL));
            ui.add(Label::new(shown.color(look.tokens.text)).wrap());
            if ui.button(look.texts.get("run-copy")).clicked() {
                ui.ctx().copy_text(line);
            }
        });
    });
}

fn checks_ui(ui: &mut Ui, look: Look<'_>, checks: &[&OtherCheck]) {
    for other in checks.iter().take(CHECKS_SHOWN_MAX) {
        ui.horizontal(|ui| {
            let severity = other.view.status.raw;
            severity_glyph(ui, look, severity, 14.0);
            let name = weighted(&other.view.check.name, 550.0).color(look.tokens.strong);
            ui.add(Label::new(name).truncate());
            quiet(ui, look, &severity_word(look, severity));
        });
    }
    let more = checks.len().saturating_sub(CHECKS_SHOWN_MAX);
    if more > 0 {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        quiet(ui, look, &look.texts.count("observer-more", more));
    }
}

/// What counts no more.
fn end_ui(ui: &mut Ui, look: Look<'_>, title: &str, other: &Other<'_>) {
    let said = [("system", title), ("from", other.name.as_str())];
    let words = look.texts.with("observer-end-what", &said);
    ui.add(Label::new(RichText::new(words).color(look.tokens.text)).wrap());
    if let Some(checks) = other.checks.as_ref().filter(|checks| !checks.is_empty()) {
        ui.add_space(space::S);
        checks_ui(ui, look, checks);
    }
}

/// One line that shows what it is.
fn clean(label: &str) -> String {
    let chars = label.chars();
    chars
        .filter(|it| !aramaki_model::is_deceptive(*it))
        .collect()
}

fn head_ui(ui: &mut Ui, look: Look<'_>, words: &str) {
    let words = weighted(words, 600.0).color(look.tokens.strong);
    ui.add(Label::new(words).wrap());
}
