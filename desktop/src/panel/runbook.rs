//! Draws runbooks, with buttons that ask for the actions they name.

use std::collections::BTreeMap;
use std::sync::Arc;

use aramaki_model::Snapshot;
use aramaki_model::snapshot::NoteView;
use aramaki_model::system::NoteKind;
use aramaki_sync_core::{DocumentId, SpaceId};
use egui::{Button, CollapsingHeader, FontId, Label, RichText, Role, Sense, Ui, WidgetInfo};

use super::dialog::{self, Next};
use super::{Dialog, Window};
use crate::theme::{size, space, weighted};
use crate::view::runbook::{
    ActionLink, Block, BlockKind, LinkFault, OfferFault, Place, Runbook, Span, Style,
};
use crate::view::{Frame, Route};
use crate::widget::{Look, card_titled, quiet};

/// How many runbooks stand on a page; the System's notes have them all.
const RUNBOOKS_SHOWN_MAX: usize = 12;
/// Runbooks that are kept as they were read.
const READ_MAX: usize = 32;
const INDENT: f32 = 18.0;

/// Notes as they were read, so that nothing is read again while nothing changes.
#[derive(Debug, Default)]
pub(super) struct Read(BTreeMap<DocumentId, (String, Arc<Runbook>)>);

impl Read {
    /// A note's text as blocks.
    pub(super) fn of(&mut self, document: DocumentId, text: &str) -> Arc<Runbook> {
        if let Some((known, runbook)) = self.0.get(&document)
            && known == text
        {
            return Arc::clone(runbook);
        }
        if self.0.len() >= READ_MAX && !self.0.contains_key(&document) {
            self.0.clear();
        }
        let runbook = Runbook::parse(text);
        self.0
            .insert(document, (text.to_owned(), Arc::clone(&runbook)));
        runbook
    }
}

/// The runbooks of a System, each to be unfolded; one alone is open. Nothing where there is none. One may be left out:
/// it is on the page already.
pub(super) fn runbooks_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    (system, without): (SpaceId, Option<DocumentId>),
    window: &mut Window,
) {
    let Some(view) = snapshot.system(&system) else {
        return;
    };
    let is_runbook =
        |note: &&NoteView| note.kind == NoteKind::Runbook && Some(note.document) != without;
    let runbooks: Vec<&NoteView> = view.notes.iter().filter(is_runbook).collect();
    if runbooks.is_empty() {
        return;
    }
    card_titled(ui, look, &look.texts.get("runbooks-title"), |ui| {
        for note in runbooks.iter().take(RUNBOOKS_SHOWN_MAX) {
            let title = weighted(&note.title, 550.0).color(look.tokens.strong);
            let head = CollapsingHeader::new(title)
                .id_salt(("runbook", note.document))
                .default_open(runbooks.len() == 1 && without.is_none())
                .show(ui, |ui| {
                    let runbook = window.runbooks.of(note.document, &note.text);
                    runbook_ui(ui, look, (frame, system), &runbook, window);
                    ui.add_space(space::S);
                    if ui.button(look.texts.get("runbook-edit")).clicked() {
                        window.go(Route::Note(system, note.document));
                    }
                });
            window.list_has(&head.header_response);
        }
    });
    ui.add_space(space::S);
}

/// All blocks of one.
pub(super) fn runbook_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, system): (&Frame, SpaceId),
    runbook: &Runbook,
    window: &mut Window,
) {
    for block in &runbook.blocks {
        block_ui(ui, look, (frame, system), block, window);
    }
    if runbook.blocks.is_empty() {
        quiet(ui, look, &look.texts.get("runbook-empty"));
    }
    if runbook.is_cut {
        quiet(ui, look, &look.texts.get("runbook-cut"));
    }
}

fn block_ui(
    ui: &mut Ui,
    look: Look<'_>,
    shown: (&Frame, SpaceId),
    block: &Block,
    window: &mut Window,
) {
    ui.horizontal_top(|ui| {
        if block.depth > 0 {
            ui.add_space(f32::from(block.depth) * INDENT);
        }
        match &block.kind {
            BlockKind::Heading(level, spans) => {
                let points = match level {
                    1 => size::HEAD + 2.0,
                    2 => size::HEAD,
                    _ => size::BODY + 1.0,
                };
                spans_ui(ui, look, shown, (spans, Some(points)), window);
            }
            BlockKind::Text(mark, spans) => {
                if let Some(mark) = mark {
                    ui.label(RichText::new(mark).color(look.tokens.subdued));
                }
                spans_ui(ui, look, shown, (spans, None), window);
            }
            BlockKind::Code(text) => {
                let text = RichText::new(text).font(FontId::monospace(size::SMALL));
                let label = Label::new(text.color(look.tokens.strong));
                egui::Frame::new()
                    .fill(look.tokens.ground)
                    .corner_radius(6)
                    .inner_margin(8)
                    .show(ui, |ui| ui.add(label.selectable(true).wrap()));
            }
            BlockKind::Row(cells) => {
                let line = RichText::new(cells.join("  │  "));
                let line = line.font(FontId::monospace(size::SMALL));
                ui.add(Label::new(line.color(look.tokens.text)).wrap());
            }
            BlockKind::Rule => {
                ui.add(egui::Separator::default().horizontal());
            }
        }
    });
}

fn spans_ui(
    ui: &mut Ui,
    look: Look<'_>,
    shown: (&Frame, SpaceId),
    (spans, heading): (&[Span], Option<f32>),
    window: &mut Window,
) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for span in spans {
            match span {
                Span::Words(words, style) => {
                    let text = styled(look, words, *style, heading);
                    ui.add(Label::new(text).wrap().selectable(true));
                }
                Span::Break => ui.end_row(),
                Span::Link(words, address) => {
                    let text = RichText::new(words).color(look.tokens.accent);
                    let link = Label::new(text).selectable(false).sense(Sense::click());
                    let response = ui.add(link);
                    response.widget_info(|| WidgetInfo::labeled(Role::Link, true, words));
                    if response.clicked() {
                        window.dialog = Some(Dialog::Leave(address.clone()));
                    }
                    response.on_hover_text(address);
                }
                Span::Place(words, place) => place_ui(ui, look, (words, *place), window),
                Span::Action(words, link) => action_ui(ui, look, shown, (words, link), window),
            }
        }
    });
}

/// Words that lead to an entry of the timeline, or to an alert.
fn place_ui(ui: &mut Ui, look: Look<'_>, (words, place): (&str, Place), window: &mut Window) {
    let text = RichText::new(words).color(look.tokens.accent);
    let link = Label::new(text).selectable(false).sense(Sense::click());
    let response = ui.add(link);
    response.widget_info(|| WidgetInfo::labeled(Role::Link, true, words));
    window.list_has(&response);
    if response.clicked() {
        match place {
            Place::Entry(entry) => {
                window.timeline.seek(entry);
                window.go(Route::Timeline);
            }
            Place::Alert(alert) => window.go(Route::Alert(alert)),
        }
    }
    let hint = match place {
        Place::Entry(_) => "place-entry",
        Place::Alert(_) => "place-alert",
    };
    response.on_hover_text(look.texts.get(hint));
}

fn styled(look: Look<'_>, words: &str, style: Style, heading: Option<f32>) -> RichText {
    let text = match (heading, style) {
        (Some(points), _) => weighted(words, 600.0).size(points),
        (None, Style::Strong) => weighted(words, 650.0),
        (None, Style::Emphasis) => RichText::new(words).italics(),
        (None, Style::Code) => RichText::new(words).font(FontId::monospace(size::SMALL)),
        (None, Style::Plain) => RichText::new(words),
    };
    match style {
        Style::Plain | Style::Emphasis if heading.is_none() => text.color(look.tokens.text),
        _ => text.color(look.tokens.strong),
    }
}

/// A button that asks whether an action is to be run; it does not work, and says why, where that cannot be asked.
fn action_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, system): (&Frame, SpaceId),
    (words, link): (&str, &Result<ActionLink, LinkFault>),
    window: &mut Window,
) {
    let known = frame.actions.as_ref().filter(|it| it.system == system);
    let offered = match (link, known) {
        (Err(fault), _) => Err(fault_words(look, *fault)),
        (Ok(_), None) => Err(look.texts.get("runbook-not-known")),
        (Ok(link), Some(known)) => {
            let offered = link.offered(known);
            offered
                .map(|action| (link, action))
                .map_err(|fault| offer_words(look, &fault))
        }
    };
    let button = Button::new(weighted(format!("▶ {words}"), 550.0));
    let response = ui.add_enabled(offered.is_ok(), button);
    let is_offered = offered.is_ok();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_offered, words));
    match offered {
        Ok((link, action)) => {
            window.list_has(&response);
            if response.clicked() {
                let values: BTreeMap<_, _> = link.values.iter().cloned().collect();
                let dialog = Dialog::run_with(system, action, &values);
                window.dialog = Some(dialog.about(window.about));
            }
        }
        Err(why) => {
            response.on_disabled_hover_text(&why);
            quiet(ui, look, &format!(" {why}"));
        }
    }
}

fn fault_words(look: Look<'_>, fault: LinkFault) -> String {
    let why = fault.to_string();
    look.texts.with("runbook-link", &[("why", &why)])
}

fn offer_words(look: Look<'_>, fault: &OfferFault) -> String {
    match fault {
        OfferFault::NoHost(host) => look.texts.with("runbook-no-host", &[("host", host)]),
        OfferFault::NoAction { host, action } => {
            let said = [("host", host.as_str()), ("action", action)];
            look.texts.with("runbook-no-action", &said)
        }
        OfferFault::Argument(fault) => {
            let why = fault.to_string();
            look.texts.with("runbook-argument", &[("why", &why)])
        }
    }
}

/// Asks before an address is opened, and shows all of it.
pub(super) fn leave_ui(ui: &mut Ui, look: Look<'_>, address: &str) -> Next {
    let text = RichText::new(address).font(FontId::monospace(size::BODY));
    ui.add(
        Label::new(text.color(look.tokens.strong))
            .wrap()
            .selectable(true),
    );
    ui.add_space(space::S);
    quiet(ui, look, &look.texts.get("leave-hint"));
    ui.add_space(space::M);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui.add(dialog::primary(look, "leave-open")).clicked() {
            ui.ctx().open_url(egui::OpenUrl::new_tab(address));
            next = Next::Close;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}
