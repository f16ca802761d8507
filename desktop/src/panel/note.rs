//! A note: what one types becomes exact replacements, what others type moves the cursor along.

mod draft;
mod shift;

use aramaki_model::note::NOTE_LEN_CHARS_MAX;
use aramaki_model::snapshot::NoteView;
use aramaki_model::system::NoteKind;
use aramaki_model::{NoteEdit, Snapshot, Splice};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{DocumentId, SpaceId};
use egui::text::{CCursor, CCursorRange, CharIndex};
use egui::text_edit::TextEditState;
use egui::{
    Align, Event, Id, ImeEvent, Key, Label, Layout, Modifiers, RichText, ScrollArea, TextEdit, Ui,
    vec2,
};

use super::Window;
use super::runbook::runbook_ui;
use crate::theme::{size, space, weighted};
use crate::view::{Frame, Intent, NoteWork, Route, Trust, Typed};
use crate::widget::{Icon, Look, card, card_titled, icon_button};
use draft::{Access, Buffer};
use shift::moved;

pub use draft::NoteDraft;

const WIDTH_MAX: f32 = 860.0;
/// With the runbook beside its text.
const BOTH_WIDTH_MAX: f32 = 1_400.0;
/// Below this width there is room for one of them.
const BOTH_MIN: f32 = 800.0;

/// What somebody wants to have back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Undo,
    Redo,
}

/// Draws the page.
pub(super) fn note_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, (snapshot, trust, work)): (&Frame, (&Snapshot, Option<&Trust>, NoteWork)),
    key: (SpaceId, DocumentId),
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let (space, document) = key;
    let system = snapshot.system(&space);
    let note = system.and_then(|system| system.notes.iter().find(|note| note.document == document));
    let (Some(system), Some(note)) = (system, note) else {
        super::empty_ui(ui, look, ("note-gone", ""), |_ui| {});
        return;
    };
    if super::system::back_ui(ui, look, &system.title) {
        window.go(Route::System(space));
    }
    let mut draft = match window.note.take() {
        Some(draft) if draft.key() == key => draft,
        _ => {
            window.drafts += 1;
            NoteDraft::new(key, note, window.drafts)
        }
    };
    let access = match trust.and_then(|trust| trust.mine) {
        Some(may) if may < Capability::Write => Access::Read,
        _ => Access::Write,
    };
    let width = if is_read(note.kind) {
        BOTH_WIDTH_MAX
    } else {
        WIDTH_MAX
    };
    ui.set_max_width(ui.available_width().min(width));
    let id = Id::unique(("note", key));
    let asked = head_ui(ui, look, (note, trust, access), (&draft, work));
    let asked = asked.or_else(|| keys(ui, id));
    let changed = draft.follow(note, work.seen);
    follow_cursor(ui, id, &changed, &mut draft);
    let shown = (frame, space);
    let typed = text_ui(
        ui,
        look,
        (id, access, note.kind),
        (shown, &mut draft),
        window,
    );
    if let Some((edit, typed)) = typed {
        intents.push(Intent::EditNote {
            space,
            document,
            edit,
            typed,
        });
    }
    // After what was typed in this frame: the step back is the newest then.
    match asked {
        Some(_) if draft.is_composing() || access == Access::Read => {}
        Some(Step::Undo) => intents.push(Intent::UndoNote { space, document }),
        Some(Step::Redo) => intents.push(Intent::RedoNote { space, document }),
        None => {}
    }
    if asked.is_some() {
        draft.expects_step();
    }
    window.note = Some(draft);
}

/// The text to be changed, and of a runbook how it is read; what was typed.
fn text_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (id, access, kind): (Id, Access, NoteKind),
    (shown, draft): ((&Frame, SpaceId), &mut NoteDraft),
    window: &mut Window,
) -> Option<(NoteEdit, Typed)> {
    let room = match (is_read(kind), ui.available_width() >= BOTH_MIN) {
        (true, true) => Room::Both,
        (true, false) => narrow_ui(ui, look, window),
        (false, _) => Room::Text,
    };
    match room {
        Room::Text => editor_ui(ui, look, id, access, draft),
        Room::Preview => {
            preview_ui(ui, look, shown, draft, window);
            None
        }
        Room::Both => {
            let half = ((ui.available_width() - space::L) / 2.0).floor();
            let height = ui.available_height();
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::L;
                let column = Layout::top_down(Align::Min);
                let typed = ui.allocate_ui_with_layout(vec2(half, height), column, |ui| {
                    ui.set_width(half);
                    editor_ui(ui, look, id, access, draft)
                });
                ui.allocate_ui_with_layout(vec2(half, height), column, |ui| {
                    ui.set_width(half);
                    preview_ui(ui, look, shown, draft, window);
                });
                typed.inner
            })
            .inner
        }
    }
}

/// Whether a note has buttons and references, which are of use only where it is drawn.
const fn is_read(kind: NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::Runbook | NoteKind::PostMortem | NoteKind::Handover
    )
}

/// What of a runbook is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Text,
    Preview,
    Both,
}

/// What a narrow window shows of a runbook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Preview {
    /// The text, to be changed.
    #[default]
    Text,
    /// The runbook, to be used.
    Read,
}

/// Chooses between the text and the runbook.
fn narrow_ui(ui: &mut Ui, look: Look<'_>, window: &mut Window) -> Room {
    ui.horizontal(|ui| {
        for (choice, key) in [
            (Preview::Text, "note-text"),
            (Preview::Read, "note-preview"),
        ] {
            ui.selectable_value(&mut window.previews, choice, look.texts.get(key));
        }
    });
    match window.previews {
        Preview::Text => Room::Text,
        Preview::Read => Room::Preview,
    }
}

/// The runbook as it will be read, of the text as it is typed.
fn preview_ui(
    ui: &mut Ui,
    look: Look<'_>,
    shown: (&Frame, SpaceId),
    draft: &NoteDraft,
    window: &mut Window,
) {
    let (_space, document) = draft.key();
    ScrollArea::vertical()
        .id_salt("preview")
        .auto_shrink(false)
        .show(ui, |ui| {
            card_titled(ui, look, &look.texts.get("note-preview"), |ui| {
                let runbook = window.runbooks.of(document, &draft.text);
                runbook_ui(ui, look, shown, &runbook, window);
            });
        });
}

/// Title, where the text is, and the buttons; what was asked for.
fn head_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (note, trust, access): (&NoteView, Option<&Trust>, Access),
    (draft, work): (&NoteDraft, NoteWork),
) -> Option<Step> {
    let state = look.texts.get(match (access, trust) {
        (Access::Read, _) => "note-read-only",
        _ if !draft.is_settled() => "note-waits",
        (_, Some(trust)) if trust.only_here > 0 => "note-here",
        _ => "note-saved",
    });
    let mut asked = None;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (step, icon, key, enabled) in [
                (Step::Redo, Icon::Redo, "action-redo", work.can_redo),
                (
                    Step::Undo,
                    Icon::Undo,
                    "action-undo",
                    work.can_undo || !draft.is_settled(),
                ),
            ] {
                let name = look.texts.get(key);
                let button = |ui: &mut Ui| icon_button(ui, look, icon, &name);
                if ui.add_enabled_ui(enabled, button).inner.clicked() {
                    asked = Some(step);
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = weighted(&note.title, 650.0).size(size::PAGE);
                ui.add(Label::new(title.color(look.tokens.strong)).truncate());
                let state = RichText::new(state).size(size::SMALL);
                ui.add(Label::new(state.color(look.tokens.subdued)).truncate());
            });
        });
    });
    ui.add_space(space::M);
    asked
}

/// The editor's own undo would take back what others wrote: its keys are ours.
fn keys(ui: &Ui, id: Id) -> Option<Step> {
    if !ui.memory(|memory| memory.has_focus(id)) {
        return None;
    }
    ui.input_mut(|input| {
        let redo = input.consume_key(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
            || input.consume_key(Modifiers::COMMAND, Key::Y);
        let undo = input.consume_key(Modifiers::COMMAND, Key::Z);
        match (redo, undo) {
            (true, _) => Some(Step::Redo),
            (false, true) => Some(Step::Undo),
            (false, false) => None,
        }
    })
}

fn editor_ui(
    ui: &mut Ui,
    look: Look<'_>,
    id: Id,
    access: Access,
    draft: &mut NoteDraft,
) -> Option<(NoteEdit, Typed)> {
    let before = draft.text.clone();
    let mut buffer = Buffer {
        text: &mut draft.text,
        splices: Vec::new(),
        access,
    };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let height = ui.available_height();
        card(ui, look, |ui| {
            let label = look.texts.get("note-title");
            let response = ui.add(
                TextEdit::multiline(&mut buffer)
                    .id(id)
                    .hint_text(look.texts.get("note-hint"))
                    .char_limit(NOTE_LEN_CHARS_MAX)
                    .desired_width(f32::INFINITY)
                    .min_size(vec2(0.0, height - 40.0))
                    .background_color(look.tokens.raised)
                    .frame(egui::Frame::NONE),
            );
            ui.ctx()
                .accesskit_node_builder(response.id, |node| node.set_label(label.as_str()));
        });
    });
    let splices = buffer.splices;
    if is_composing(ui, draft) {
        draft.compose(before);
        return None;
    }
    if draft.is_composing() {
        return draft.composed();
    }
    draft.typed(splices)
}

/// Whether an input method shows something that is not decided.
fn is_composing(ui: &Ui, draft: &NoteDraft) -> bool {
    ui.input(|input| {
        let mut composing = draft.is_composing();
        for event in &input.events {
            if let Event::Ime(ime) = event {
                composing = matches!(ime, ImeEvent::Preedit { text, .. } if !text.is_empty());
            }
        }
        composing
    })
}

/// The cursor stays where it was in the words around it; after a step back it stands where
/// something changed.
fn follow_cursor(ui: &Ui, id: Id, changed: &[Splice], draft: &mut NoteDraft) {
    let Some(last) = changed.last() else {
        return;
    };
    if draft.takes_step() {
        let place = CCursor::new(CharIndex(last.at + shift::length(last)));
        set_cursor(ui, id, |_range| CCursorRange::one(place));
        return;
    }
    let place = |cursor: CCursor| CCursor {
        index: CharIndex(changed.iter().fold(cursor.index.0, moved)),
        ..cursor
    };
    set_cursor(ui, id, |range| {
        CCursorRange::two(place(range.secondary), place(range.primary))
    });
}

fn set_cursor(ui: &Ui, id: Id, place: impl FnOnce(CCursorRange) -> CCursorRange) {
    let Some(mut state) = TextEditState::load(ui.ctx(), id) else {
        return;
    };
    if let Some(range) = state.cursor.char_range() {
        state.cursor.set_char_range(Some(place(range)));
        state.store(ui.ctx(), id);
    }
}
