//! The text that is on the screen: the document's, and what was typed since.

use std::any::TypeId;
use std::collections::VecDeque;
use std::ops::Range;

use aramaki_model::snapshot::NoteView;
use aramaki_model::{NoteEdit, NoteVersion, Splice};
use aramaki_sync_core::{DocumentId, SpaceId};
use egui::TextBuffer;
use egui::text::CharIndex;

use super::shift::{apply, cross, pure};
use crate::view::Typed;

/// A note that is being read or written.
///
/// **Invariant:** `text` is `base` with everything in `unseen` applied in order, but for what an
/// input method shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteDraft {
    key: (SpaceId, DocumentId),
    /// Tells this draft's edits from those of an earlier draft of the same note.
    session: u64,
    /// How many edits this draft sent.
    sent: u64,
    base: String,
    version: NoteVersion,
    pub(super) text: String,
    /// Own edits that the document did not show yet, oldest first.
    unseen: VecDeque<Vec<Splice>>,
    /// The text before an input method began to compose; what it shows is not written yet.
    composing: Option<String>,
    /// Whether the next change of the text is a step back or forth that was asked for.
    step: Step,
}

/// Whether a step was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    None,
    Expected,
}

impl NoteDraft {
    /// A draft that shows a note. Two drafts of one window have different sessions.
    pub fn new(key: (SpaceId, DocumentId), note: &NoteView, session: u64) -> Self {
        Self {
            key,
            session,
            sent: 0,
            base: note.text.clone(),
            version: note.version.clone(),
            text: note.text.clone(),
            unseen: VecDeque::new(),
            composing: None,
            step: Step::None,
        }
    }

    /// Of which note.
    pub(super) const fn key(&self) -> (SpaceId, DocumentId) {
        self.key
    }

    /// Whether everything typed is in the document.
    pub(super) fn is_settled(&self) -> bool {
        self.unseen.is_empty() && self.composing.is_none()
    }

    /// A step back or forth was asked for.
    pub(super) const fn expects_step(&mut self) {
        self.step = Step::Expected;
    }

    /// Whether a change is the step that was asked for; once.
    pub(super) fn takes_step(&mut self) -> bool {
        std::mem::replace(&mut self.step, Step::None) == Step::Expected
    }

    /// Takes in the note as it is now, and how far it shows this draft's edits; returns what
    /// others changed on the screen.
    pub(super) fn follow(&mut self, note: &NoteView, seen: Typed) -> Vec<Splice> {
        if self.composing.is_some() {
            return Vec::new();
        }
        let seen = if seen.session == self.session {
            seen.edit
        } else {
            0
        };
        while self.unseen.len() as u64 > self.sent.saturating_sub(seen) {
            for splice in self.unseen.pop_front().into_iter().flatten() {
                apply(&mut self.base, &splice);
            }
        }
        self.version.clone_from(&note.version);
        let Some(foreign) = Splice::between(&self.base, &note.text) else {
            return Vec::new();
        };
        let mut foreign = pure(foreign);
        for edit in &mut self.unseen {
            (*edit, foreign) = cross(edit, &foreign);
        }
        self.base.clone_from(&note.text);
        self.text.clone_from(&note.text);
        for splice in self.unseen.iter().flatten() {
            apply(&mut self.text, splice);
        }
        foreign
    }

    /// Remembers what was just typed; returns it as an edit to be sent, if it is any.
    pub(super) fn typed(&mut self, splices: Vec<Splice>) -> Option<(NoteEdit, Typed)> {
        if splices.is_empty() {
            return None;
        }
        self.sent += 1;
        self.step = Step::None;
        self.unseen.push_back(splices.clone());
        let edit = NoteEdit {
            base: self.version.clone(),
            splices,
        };
        let typed = Typed {
            session: self.session,
            edit: self.sent,
        };
        Some((edit, typed))
    }

    /// What an input method shows is held back until it is decided.
    pub(super) fn compose(&mut self, before: String) {
        self.composing.get_or_insert(before);
    }

    /// An input method has decided: what came of it is one edit.
    pub(super) fn composed(&mut self) -> Option<(NoteEdit, Typed)> {
        let before = self.composing.take()?;
        self.typed(Splice::between(&before, &self.text).map_or_else(Vec::new, pure))
    }

    /// Whether an input method composes.
    pub(super) const fn is_composing(&self) -> bool {
        self.composing.is_some()
    }
}

/// The draft's text as the editor sees it: each edit is kept as exact pure replacements.
pub(super) struct Buffer<'a> {
    pub(super) text: &'a mut String,
    pub(super) splices: Vec<Splice>,
    pub(super) access: Access,
}

/// Whether somebody may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read alone.
    Read,
    /// Read and write.
    Write,
}

impl Buffer<'_> {
    fn record(&mut self, splice: Splice) {
        apply(self.text, &splice);
        self.splices.extend(pure(splice));
    }
}

impl TextBuffer for Buffer<'_> {
    fn is_mutable(&self) -> bool {
        self.access == Access::Write
    }

    fn as_str(&self) -> &str {
        self.text
    }

    // The editor asks `is_mutable` for looks alone.
    fn insert_text(&mut self, text: &str, char_index: CharIndex) -> usize {
        if self.access == Access::Read {
            return 0;
        }
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
        if delete > 0 && self.access == Access::Write {
            self.record(Splice {
                at,
                delete,
                insert: String::new(),
            });
        }
    }

    // The default deletes everything, other people's words too.
    fn replace_with(&mut self, text: &str) {
        if self.access == Access::Write
            && let Some(splice) = Splice::between(self.text, text)
        {
            self.record(splice);
        }
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<Buffer<'static>>()
    }
}

#[cfg(test)]
mod tests {
    use aramaki_model::system::NoteKind;

    use super::*;

    fn note(text: &str) -> NoteView {
        NoteView {
            note: None,
            document: DocumentId::named("note/x"),
            title: String::new(),
            kind: NoteKind::default(),
            text: text.to_owned(),
            version: NoteVersion::default(),
        }
    }

    fn draft(text: &str) -> NoteDraft {
        let key = (SpaceId::from_bytes([1; 32]), DocumentId::named("note/x"));
        NoteDraft::new(key, &note(text), 7)
    }

    const fn seen(edit: u64) -> Typed {
        Typed { session: 7, edit }
    }

    fn write(draft: &mut NoteDraft, at: usize, text: &str) -> (NoteEdit, Typed) {
        let mut buffer = Buffer {
            text: &mut draft.text,
            splices: Vec::new(),
            access: Access::Write,
        };
        buffer.insert_text(text, CharIndex(at));
        let splices = buffer.splices;
        draft.typed(splices).unwrap()
    }

    #[test]
    fn typing_counts_characters_and_not_bytes() {
        let mut draft = draft("grün 👩");
        let (edit, typed) = write(&mut draft, 6, "!");
        assert_eq!((edit.splices[0].at, typed.edit), (6, 1));
        assert_eq!(draft.text, "grün 👩!");
    }

    #[test]
    fn an_edit_names_the_version_that_was_on_the_screen() {
        let mut draft = draft("ab");
        let newer = NoteView {
            version: NoteVersion(vec![[5; 32]]),
            ..note("ab")
        };
        draft.follow(&newer, Typed::default());
        assert_eq!(write(&mut draft, 2, "c").0.base, newer.version);
    }

    #[test]
    fn replacing_everything_touches_only_what_differs() {
        let mut text = "mine and yours".to_owned();
        let mut buffer = Buffer {
            text: &mut text,
            splices: Vec::new(),
            access: Access::Write,
        };
        buffer.replace_with("mine or yours");
        let deleted: usize = buffer.splices.iter().map(|splice| splice.delete).sum();
        assert!(deleted <= 3);
        assert_eq!(text, "mine or yours");
    }

    #[test]
    fn own_words_stay_while_the_document_catches_up() {
        let mut draft = draft("ab");
        write(&mut draft, 2, "c");
        write(&mut draft, 3, "d");
        assert_eq!(draft.follow(&note("ab"), Typed::default()), []);
        assert_eq!(draft.follow(&note("abc"), seen(1)), []);
        assert_eq!(draft.text, "abcd");
        assert!(!draft.is_settled());
        assert_eq!(draft.follow(&note("abcd"), seen(2)), []);
        assert!(draft.is_settled());
    }

    #[test]
    fn words_of_others_come_in_between_two_of_ours() {
        let mut draft = draft("one two");
        write(&mut draft, 7, " three");
        let changed = draft.follow(&note("zero one two"), Typed::default());
        assert_eq!(draft.text, "zero one two three");
        assert_eq!(changed.len(), 1);
        write(&mut draft, 18, "!");
        assert_eq!(draft.follow(&note("zero one two three"), seen(1)), []);
        assert_eq!(draft.text, "zero one two three!");
    }

    #[test]
    fn edits_of_an_earlier_draft_are_not_taken_for_ours() {
        let mut draft = draft("ab");
        write(&mut draft, 2, "c");
        let earlier = Typed {
            session: 6,
            edit: 1,
        };
        draft.follow(&note("abx"), earlier);
        assert_eq!(draft.text, "abcx", "both stay");
        assert!(!draft.is_settled());
    }

    #[test]
    fn a_refused_edit_leaves_the_screen_with_the_document() {
        let mut draft = draft("ab");
        write(&mut draft, 2, "c");
        draft.follow(&note("ab"), seen(1));
        assert_eq!(draft.text, "ab");
    }

    #[test]
    fn what_an_input_method_tries_is_sent_once_it_is_decided() {
        let mut draft = draft("ab");
        draft.compose("ab".to_owned());
        draft.text = "abに".to_owned();
        assert_eq!(
            draft.follow(&note("xab"), Typed::default()),
            [],
            "the screen stays calm"
        );
        draft.text = "ab日本".to_owned();
        let (sent, _) = draft.composed().unwrap();
        assert_eq!(sent.splices.len(), 1);
        assert_eq!(sent.splices[0].insert, "日本");
        draft.follow(&note("xab"), Typed::default());
        assert_eq!(draft.text, "xab日本");
    }
}
