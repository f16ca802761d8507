//! Editing a note: edits that name the version they were made against, undo and redo.
//!
//! What somebody types is made against the text on their screen, which others may have changed
//! meanwhile. So an edit says which version it saw ([`NoteEdit::base`], from
//! [`NoteView::version`](crate::snapshot::NoteView)), is written as a change on exactly that
//! version, and Automerge merges it like one that was made offline: nothing lands in the wrong
//! place. Own edits since that version count as seen, because an editor shows them at once.
//!
//! ```text
//! let mut history = NoteHistory::of(space, note);
//! let edit = workspace.edit_note(&chain, now, &NoteEdit { base, splices }, &mut history)?;
//! let edit = workspace.undo_note(&chain, now, &mut history)?;   // none: nothing to undo
//! let edit = workspace.redo_note(&chain, now, &mut history)?;
//! ```
//!
//! Undo is an edit like any other: the inverse of the last own step, applied to the text as it is
//! now. What others wrote stays; what they deleted of it stays deleted.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{Chain, SpaceId, Timestamp};
use automerge::transaction::Transaction;
use automerge::{Automerge, ChangeHash, Cursor, ObjId, PatchAction, ReadDoc as _};

use crate::doc::DocumentKind;
use crate::edit::{Edit, EditError};
use crate::id::NoteId;
use crate::name;
use crate::note::{self, EDIT_LEN_CHARS_MAX, Splice};
use crate::workspace::Workspace;
use crate::write::Place;

/// Own edits within this time are one step of undo, if nobody else wrote in between.
pub const STEP_PAUSE_MS: u64 = 1_000;
/// How many steps can be undone.
pub const UNDO_STEPS_MAX: usize = 1_000;
/// How many characters that came back by undo are remembered.
const REVIVED_CHARS_MAX: usize = 100_000;
/// How many characters in a row that undo brings back are remembered one by one; of longer runs
/// earlier steps know nothing.
const REVIVED_RUN_CHARS_MAX: usize = 256;

/// A version of a note's document: its newest changes, sorted. Empty: the note's beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteVersion(pub Vec<[u8; 32]>);

/// An edit of a note, and the version it was made against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteEdit {
    /// The version whose text was on the screen. Own edits after it count as seen.
    pub base: NoteVersion,
    /// Replacements, one after the other: each place is that in the text after those before.
    pub splices: Vec<Splice>,
}

/// A step that can be undone: own changes in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    before: NoteVersion,
    changes: Vec<[u8; 32]>,
    at: Timestamp,
}

/// What one person did to one note since it was opened; lives as long as its editor.
#[derive(Clone, Debug)]
pub struct NoteHistory {
    space: SpaceId,
    note: NoteId,
    undo: Vec<Step>,
    redo: Vec<Step>,
    /// Characters that undo brought back are new ones: which stands for which.
    revived: BTreeMap<String, Cursor>,
}

impl NoteHistory {
    /// The history of a note before anything was done to it.
    pub const fn of(space: SpaceId, note: NoteId) -> Self {
        Self {
            space,
            note,
            undo: Vec::new(),
            redo: Vec::new(),
            revived: BTreeMap::new(),
        }
    }

    fn place(&self) -> Place {
        Place {
            space: self.space,
            document: name::note(self.note),
            kind: DocumentKind::Note,
        }
    }

    /// Whether there is something to undo.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Whether there is something to do again.
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    fn did(&mut self, step: Step) {
        self.redo.clear();
        if let Some(last) = self.undo.last_mut() {
            let is_soon = step.at.since(last.at).as_millis() <= u128::from(STEP_PAUSE_MS);
            let mut seen = step.before.0.iter();
            let is_alone =
                seen.all(|hash| last.changes.contains(hash) || last.before.0.contains(hash));
            if is_soon && is_alone {
                last.changes.extend(step.changes);
                last.at = step.at;
                return;
            }
        }
        self.undo.push(step);
        if self.undo.len() > UNDO_STEPS_MAX {
            self.undo.remove(0);
        }
        if self.revived.len() > REVIVED_CHARS_MAX {
            // Older steps can no longer be told from what came back: they are given up.
            self.revived.clear();
            self.undo.clear();
        }
    }

    /// The character that stands for this one now.
    fn now(revived: &BTreeMap<String, Cursor>, mut cursor: Cursor) -> Cursor {
        // Every replacement is younger than what it replaces, so this ends.
        while let Some(newer) = revived.get(&cursor.to_string()) {
            cursor = newer.clone();
        }
        cursor
    }
}

/// A piece of an inverse: a replacement in the present text.
#[derive(Debug)]
struct Piece {
    splice: Splice,
    /// The characters that come back, if they are few enough to be told apart later.
    originals: Vec<Cursor>,
}

impl Workspace {
    /// Applies an edit to a note as of the version that it names; begins the note if it is not
    /// there. The step can be undone through `history`.
    ///
    /// # Errors
    /// When the version is not known here, a place is outside its text, or the note becomes too
    /// long. Then nothing changed.
    pub fn edit_note(
        &mut self,
        chain: &Chain,
        now: Timestamp,
        edit: &NoteEdit,
        history: &mut NoteHistory,
    ) -> Result<Edit, EditError> {
        let place = history.place();
        let pieces: Vec<_> = edit.splices.iter().flat_map(Splice::pieces).collect();
        let edits = pieces
            .iter()
            .map(|piece| |tx: &mut Transaction<'_>| note::splice(tx, piece));
        let made = self.edit_at(place, chain, now, Some(&edit.base.0), edits.collect())?;
        if let Some(step) = self.step(place, &made, now) {
            history.did(step);
        }
        Ok(made)
    }

    /// Takes the last own step back; none when there is none.
    ///
    /// # Errors
    /// When the note is not here or would become too long. Then nothing changed.
    pub fn undo_note(
        &mut self,
        chain: &Chain,
        now: Timestamp,
        history: &mut NoteHistory,
    ) -> Result<Option<Edit>, EditError> {
        let Some(step) = history.undo.last().cloned() else {
            return Ok(None);
        };
        let (edit, inverse) = self.invert(chain, now, &step, history)?;
        history.undo.pop();
        history.redo.extend(inverse);
        Ok(Some(edit))
    }

    /// Does again what was undone last; none when there is none or something was typed since.
    ///
    /// # Errors
    /// When the note is not here or would become too long. Then nothing changed.
    pub fn redo_note(
        &mut self,
        chain: &Chain,
        now: Timestamp,
        history: &mut NoteHistory,
    ) -> Result<Option<Edit>, EditError> {
        let Some(step) = history.redo.last().cloned() else {
            return Ok(None);
        };
        let (edit, inverse) = self.invert(chain, now, &step, history)?;
        history.redo.pop();
        history.undo.extend(inverse);
        Ok(Some(edit))
    }

    /// Undoes a step in the present text; also returns the step that this is. None if nothing of
    /// it was left to undo.
    fn invert(
        &mut self,
        chain: &Chain,
        now: Timestamp,
        step: &Step,
        history: &mut NoteHistory,
    ) -> Result<(Edit, Option<Step>), EditError> {
        let place = history.place();
        let automerge = self
            .document(&place)
            .ok_or(EditError::UnknownDocument)?
            .automerge();
        let pieces = inverse(automerge, step, &history.revived)?;
        let revived = RefCell::new(std::mem::take(&mut history.revived));
        let before = revived.borrow().clone();
        let edits = pieces
            .iter()
            .map(|pieces| |tx: &mut Transaction<'_>| apply(tx, pieces, &mut revived.borrow_mut()));
        let edits = edits.collect();
        let made = self.edit_at(place, chain, now, None, edits);
        history.revived = if made.is_ok() {
            revived.into_inner()
        } else {
            before
        };
        let made = made?;
        let step = self.step(place, &made, now);
        Ok((made, step))
    }

    /// The step that these changes are.
    fn step(&self, place: Place, edit: &Edit, at: Timestamp) -> Option<Step> {
        let document = self.document(&place)?;
        let made: Vec<_> = edit
            .changes
            .iter()
            .filter_map(|bytes| automerge::Change::from_bytes(bytes.clone()).ok())
            .collect();
        let before = made.first()?.deps().iter().map(|hash| hash.0).collect();
        debug_assert!(made.iter().all(|change| document.knows(&change.hash().0)));
        Some(Step {
            before: NoteVersion(before),
            changes: made.iter().map(|change| change.hash().0).collect(),
            at,
        })
    }
}

/// What turns the text after a step into that before it.
struct Inverse {
    /// The text before, character by character: the place after the step, or that it was taken.
    slots: Vec<Option<usize>>,
    /// The places after the step that were not there before.
    added: BTreeSet<usize>,
}

impl Inverse {
    fn of(
        automerge: &Automerge,
        text: &ObjId,
        before: &[ChangeHash],
        after: &[ChangeHash],
    ) -> Self {
        let count = automerge.length_at(text, after);
        let slots = track(automerge, text, after, before);
        let kept: BTreeSet<_> = slots.iter().flatten().copied().collect();
        let added = (0..count).filter(|place| !kept.contains(place)).collect();
        Self { slots, added }
    }
}

/// The text at version `to`: for each character its place at version `from`, none if it was not
/// there.
fn track(
    automerge: &Automerge,
    text: &ObjId,
    from: &[ChangeHash],
    to: &[ChangeHash],
) -> Vec<Option<usize>> {
    let mut slots: Vec<_> = (0..automerge.length_at(text, from)).map(Some).collect();
    for patch in automerge.diff(from, to) {
        if patch.obj != *text {
            continue;
        }
        match patch.action {
            PatchAction::SpliceText { index, value, .. } => {
                let added = value.make_string().chars().count();
                let index = index.min(slots.len());
                slots.splice(index..index, std::iter::repeat_n(None, added));
            }
            PatchAction::DeleteSeq { index, length } => {
                let begin = index.min(slots.len());
                let end = index.saturating_add(length).min(slots.len());
                slots.drain(begin..end);
            }
            _ => {}
        }
    }
    slots
}

/// The replacements in the present text that undo a step, last place first, bundled to fit a
/// change each.
fn inverse(
    automerge: &Automerge,
    step: &Step,
    revived: &BTreeMap<String, Cursor>,
) -> Result<Vec<Vec<Piece>>, EditError> {
    let text = note::text_object(automerge).ok_or(EditError::UnknownDocument)?;
    let hashes = |hashes: &[[u8; 32]]| hashes.iter().copied().map(ChangeHash).collect::<Vec<_>>();
    let before = hashes(&step.before.0);
    let after = hashes(step.changes.last().map_or(&[], std::slice::from_ref));
    let present = automerge.get_heads();
    let inverse = Inverse::of(automerge, &text, &before, &after);
    let mut now = BTreeMap::new();
    for (place, slot) in track(automerge, &text, &after, &present)
        .into_iter()
        .enumerate()
    {
        now.extend(slot.map(|slot| (slot, place)));
    }
    // Where a character after the step is now, be it as what undo brought back for it.
    let place_now = |place: usize| -> Result<Option<usize>, EditError> {
        if let Some(place) = now.get(&place) {
            return Ok(Some(*place));
        }
        if revived.is_empty() {
            return Ok(None);
        }
        let cursor = automerge.get_cursor(&text, place, Some(&after))?;
        let cursor = NoteHistory::now(revived, cursor);
        let at = automerge.get_cursor_position(&text, &cursor, None)?;
        let found = automerge.get_cursor(&text, at, None);
        Ok(found.is_ok_and(|found| found == cursor).then_some(at))
    };
    let mut gone = BTreeSet::new();
    for place in &inverse.added {
        gone.extend(place_now(*place)?);
    }
    let old: Vec<char> = automerge.text_at(&text, &before)?.chars().collect();
    let mut back: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut behind = 0;
    for (place, slot) in inverse.slots.iter().enumerate() {
        match slot {
            Some(kept) => behind = place_now(*kept)?.map_or(behind, |at| at + 1),
            None => back.entry(behind).or_default().push(place),
        }
    }
    let mut pieces = Vec::new();
    for (at, delete, places) in replacements(&gone, &back) {
        let insert: String = places.iter().filter_map(|place| old.get(*place)).collect();
        let mut originals = Vec::new();
        if places.len() <= REVIVED_RUN_CHARS_MAX {
            for place in places {
                originals.push(automerge.get_cursor(&text, *place, Some(&before))?);
            }
        }
        let splice = Splice { at, delete, insert };
        let mut some = splice.pieces().into_iter().map(|splice| Piece {
            splice,
            originals: Vec::new(),
        });
        let first = some.next().map(|piece| Piece { originals, ..piece });
        pieces.extend(first.into_iter().chain(some));
    }
    Ok(bundle(pieces))
}

/// Single places to delete, and what comes before which place, as replacements: last place first,
/// so that none moves another.
fn replacements<'a>(
    gone: &BTreeSet<usize>,
    back: &'a BTreeMap<usize, Vec<usize>>,
) -> Vec<(usize, usize, &'a [usize])> {
    let mut all: Vec<(usize, usize, &[usize])> = Vec::new();
    let places: BTreeSet<_> = gone.iter().chain(back.keys()).copied().collect();
    for place in places.into_iter().rev() {
        let delete = usize::from(gone.contains(&place));
        let insert = back.get(&place).map_or(&[][..], Vec::as_slice);
        match all.last_mut() {
            // The run that is being deleted begins one place sooner.
            Some((at, count, text)) if *at == place + 1 && text.is_empty() && delete == 1 => {
                *at = place;
                *count += 1;
                *text = insert;
            }
            _ => all.push((place, delete, insert)),
        }
    }
    all
}

/// Puts small pieces together, up to what one change may touch.
fn bundle(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut bundles: Vec<Vec<Piece>> = Vec::new();
    let mut room = 0;
    for piece in pieces {
        let length = piece.splice.delete.max(piece.splice.insert.chars().count());
        match bundles.last_mut() {
            Some(bundle) if length <= room => {
                bundle.push(piece);
                room -= length;
            }
            _ => {
                bundles.push(vec![piece]);
                room = EDIT_LEN_CHARS_MAX.saturating_sub(length);
            }
        }
    }
    bundles
}

fn apply(
    transaction: &mut Transaction<'_>,
    pieces: &[Piece],
    revived: &mut BTreeMap<String, Cursor>,
) -> Result<(), EditError> {
    let text = note::text_object(transaction).ok_or(EditError::UnknownDocument)?;
    for Piece { splice, originals } in pieces {
        note::splice(transaction, splice)?;
        for (place, original) in (splice.at..).zip(originals) {
            let fresh = transaction.get_cursor(&text, place, None)?;
            let original = NoteHistory::now(revived, original.clone());
            revived.insert(original.to_string(), fresh);
        }
    }
    Ok(())
}
