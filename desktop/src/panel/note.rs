//! A note: what one types becomes exact replacements, what others type moves the cursor along.

use std::any::TypeId;
use std::ops::Range;

use aramaki_model::snapshot::NoteView;
use aramaki_model::{Snapshot, Splice};
use aramaki_sync_core::{DocumentId, SpaceId};
use egui::text::{CCursor, CCursorRange, CharIndex};
use egui::text_edit::TextEditState;
use egui::{Id, Key, Modifiers, RichText, ScrollArea, TextBuffer, TextEdit, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::{Intent, Route};
use crate::widget::{Look, card};

/// How many own replacements may wait for the document before the draft starts afresh.
const UNSEEN_MAX: usize = 4_096;
const WIDTH_MAX: f32 = 860.0;

/// The text that is on the screen: the document's, and what was typed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteDraft {
    key: Option<(SpaceId, DocumentId)>,
    base: String,
    text: String,
    unseen: Vec<Splice>,
}

impl NoteDraft {
    /// A draft that shows a document's text.
    pub fn new(key: (SpaceId, DocumentId), text: &str) -> Self {
        Self {
            key: Some(key),
            base: text.to_owned(),
            text: text.to_owned(),
            unseen: Vec::new(),
        }
    }

    /// Remembers what was just typed.
    fn typed(&mut self, splices: &[Splice]) {
        self.unseen.extend_from_slice(splices);
    }

    /// Takes in the document's text as it is now; returns what changed on the screen.
    ///
    /// Own replacements which the document already shows are dropped, the others are moved over
    /// what others wrote. The document itself merges; this only keeps the screen calm until then.
    fn follow(&mut self, document: &str) -> Option<Splice> {
        if document == self.base {
            return None;
        }
        let mut state = self.base.clone();
        let mut nearest = (Splice::between(&state, document), 0);
        for (place, splice) in self.unseen.iter().enumerate() {
            apply(&mut state, splice);
            let difference = Splice::between(&state, document);
            if distance(difference.as_ref()) <= distance(nearest.0.as_ref()) {
                nearest = (difference, place + 1);
            }
        }
        let (foreign, seen) = nearest;
        self.unseen.drain(..seen);
        if self.unseen.len() > UNSEEN_MAX {
            self.unseen.clear();
        }
        let mut text = document.to_owned();
        for splice in &mut self.unseen {
            if let Some(foreign) = &foreign {
                splice.at = moved(splice.at, foreign);
            }
            let length = text.chars().count();
            splice.at = splice.at.min(length);
            splice.delete = splice.delete.min(length - splice.at);
            apply(&mut text, splice);
        }
        document.clone_into(&mut self.base);
        let change = Splice::between(&self.text, &text);
        self.text = text;
        change
    }
}

fn distance(difference: Option<&Splice>) -> usize {
    difference.map_or(0, |splice| splice.delete + splice.insert.chars().count())
}

/// Where a place is after a replacement before or around it.
fn moved(at: usize, splice: &Splice) -> usize {
    if at <= splice.at {
        at
    } else if at >= splice.at + splice.delete {
        at - splice.delete + splice.insert.chars().count()
    } else {
        splice.at
    }
}

fn byte(text: &str, place: usize) -> usize {
    text.char_indices()
        .nth(place)
        .map_or(text.len(), |(byte, _)| byte)
}

fn apply(text: &mut String, splice: &Splice) {
    let range = byte(text, splice.at)..byte(text, splice.at + splice.delete);
    text.replace_range(range, &splice.insert);
}

/// The draft's text as the editor sees it: each edit is kept as an exact replacement.
struct Buffer<'a> {
    text: &'a mut String,
    splices: Vec<Splice>,
}

impl Buffer<'_> {
    fn record(&mut self, splice: Splice) {
        apply(self.text, &splice);
        self.splices.push(splice);
    }
}

impl TextBuffer for Buffer<'_> {
    fn is_mutable(&self) -> bool {
        true
    }

    fn as_str(&self) -> &str {
        self.text
    }

    fn insert_text(&mut self, text: &str, char_index: CharIndex) -> usize {
        let at = char_index.0.min(self.text.chars().count());
        self.record(Splice {
            at,
            delete: 0,
            insert: text.to_owned(),
        });
        text.chars().count()
    }

    fn delete_char_range(&mut self, char_range: Range<CharIndex>) {
        let length = self.text.chars().count();
        let at = char_range.start.0.min(length);
        let delete = char_range.end.0.min(length).saturating_sub(at);
        if delete > 0 {
            self.record(Splice {
                at,
                delete,
                insert: String::new(),
            });
        }
    }

    // The default deletes everything, other people's words too.
    fn replace_with(&mut self, text: &str) {
        if let Some(splice) = Splice::between(self.text, text) {
            self.record(splice);
        }
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<Buffer<'static>>()
    }
}

/// Draws the page.
pub(super) fn note_ui(
    ui: &mut Ui,
    look: Look<'_>,
    snapshot: &Snapshot,
    key: (SpaceId, DocumentId),
    window: &mut Window,
    intents: &mut Vec<Intent>,
) {
    let (space, document) = key;
    let system = snapshot.system(&space);
    let note = system.and_then(|system| system.notes.iter().find(|note| note.document == document));
    let (Some(system), Some(note)) = (system, note) else {
        ui.label(look.texts.get("system-none-notes"));
        return;
    };
    if super::system::back_ui(ui, look, &system.title) {
        window.go(Route::System(space));
    }
    ui.horizontal(|ui| {
        ui.label(
            weighted(&note.title, 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        let saved = RichText::new(look.texts.get("note-saved"));
        ui.label(saved.size(size::SMALL).color(look.tokens.subdued));
    });
    ui.add_space(space::L);
    let mut draft = match window.note.take() {
        Some(draft) if draft.key == Some(key) => draft,
        _ => NoteDraft::new(key, &note.text),
    };
    for splice in editor_ui(ui, look, note, &mut draft) {
        intents.push(Intent::EditNote {
            space,
            document,
            splice,
        });
    }
    window.note = Some(draft);
}

fn editor_ui(ui: &mut Ui, look: Look<'_>, note: &NoteView, draft: &mut NoteDraft) -> Vec<Splice> {
    let id = Id::unique(("note", draft.key));
    if let Some(change) = draft.follow(&note.text) {
        move_cursor(ui, id, &change);
    }
    // The editor's own undo would take back what others wrote.
    if ui.memory(|memory| memory.has_focus(id)) {
        ui.input_mut(|input| {
            input.consume_key(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
            input.consume_key(Modifiers::COMMAND, Key::Z);
            input.consume_key(Modifiers::COMMAND, Key::Y);
        });
    }
    let mut buffer = Buffer {
        text: &mut draft.text,
        splices: Vec::new(),
    };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(WIDTH_MAX));
        let height = ui.available_height();
        card(ui, look, |ui| {
            let label = look.texts.get("note-title");
            let response = ui.add(
                TextEdit::multiline(&mut buffer)
                    .id(id)
                    .hint_text(look.texts.get("note-hint"))
                    .desired_width(f32::INFINITY)
                    .min_size(egui::vec2(0.0, height - 40.0))
                    .background_color(look.tokens.raised)
                    .frame(egui::Frame::NONE),
            );
            ui.ctx()
                .accesskit_node_builder(response.id, |node| node.set_label(label.as_str()));
        });
    });
    let splices = buffer.splices;
    draft.typed(&splices);
    splices
}

fn move_cursor(ui: &Ui, id: Id, change: &Splice) {
    let Some(mut state) = TextEditState::load(ui.ctx(), id) else {
        return;
    };
    if let Some(range) = state.cursor.char_range() {
        let place = |cursor: CCursor| CCursor {
            index: CharIndex(moved(cursor.index.0, change)),
            ..cursor
        };
        let range = CCursorRange::two(place(range.secondary), place(range.primary));
        state.cursor.set_char_range(Some(range));
        state.store(ui.ctx(), id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> NoteDraft {
        NoteDraft::new(
            (SpaceId::from_bytes([1; 32]), DocumentId::named("note/x")),
            text,
        )
    }

    fn write(draft: &mut NoteDraft, at: usize, text: &str) -> Vec<Splice> {
        let mut buffer = Buffer {
            text: &mut draft.text,
            splices: Vec::new(),
        };
        buffer.insert_text(text, CharIndex(at));
        let splices = buffer.splices;
        draft.typed(&splices);
        splices
    }

    #[test]
    fn typing_counts_characters_and_not_bytes() {
        let mut draft = draft("grün 👩");
        let splices = write(&mut draft, 6, "!");
        assert_eq!(
            splices,
            [Splice {
                at: 6,
                delete: 0,
                insert: "!".to_owned()
            }]
        );
        assert_eq!(draft.text, "grün 👩!");
    }

    #[test]
    fn replacing_everything_touches_only_what_differs() {
        let mut text = "mine and yours".to_owned();
        let mut buffer = Buffer {
            text: &mut text,
            splices: Vec::new(),
        };
        buffer.replace_with("mine or yours");
        assert_eq!(buffer.splices.len(), 1);
        assert!(buffer.splices[0].delete <= 3);
        assert_eq!(text, "mine or yours");
    }

    #[test]
    fn own_words_stay_while_the_document_catches_up() {
        let mut draft = draft("ab");
        write(&mut draft, 2, "c");
        write(&mut draft, 3, "d");
        assert_eq!(draft.follow("ab"), None);
        assert_eq!(draft.follow("abc"), None);
        assert_eq!(draft.text, "abcd");
        assert_eq!(draft.follow("abcd"), None);
        assert!(draft.unseen.is_empty());
    }

    #[test]
    fn words_of_others_come_in_and_move_the_rest() {
        let mut draft = draft("one two");
        write(&mut draft, 7, " three");
        let change = draft.follow("zero one two").unwrap();
        assert_eq!(draft.text, "zero one two three");
        assert_eq!(moved(13, &change), 18, "the cursor stays behind its word");
        assert_eq!(draft.follow("zero one two three"), None);
    }
}
