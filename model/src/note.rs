//! Notes: one text each, which merges character by character.

use automerge::transaction::{Transactable as _, Transaction};
use automerge::{Automerge, ObjId, ROOT, ReadDoc, Value};

use crate::doc::TEXT;
use crate::edit::EditError;

/// How many characters a note may have.
pub const NOTE_LEN_CHARS_MAX: usize = 200_000;
/// From how many characters on people should be asked to begin another note.
pub const NOTE_LEN_CHARS_SOFT: usize = 20_000;
/// How many characters one change may touch; larger edits become several changes.
pub(crate) const EDIT_LEN_CHARS_MAX: usize = 8_000;

/// A replacement in a text; all numbers are characters (Unicode scalar values).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Where it begins.
    pub at: usize,
    /// How many characters go.
    pub delete: usize,
    /// What comes in their place.
    pub insert: String,
}

impl Splice {
    /// The smallest single replacement that turns one text into another; none if they are equal.
    pub fn between(old: &str, new: &str) -> Option<Self> {
        if old == new {
            return None;
        }
        let prefix = old
            .chars()
            .zip(new.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let (old_len, new_len) = (old.chars().count(), new.chars().count());
        let rest = old_len.min(new_len) - prefix;
        let backwards = old.chars().rev().zip(new.chars().rev());
        let suffix = backwards.take(rest).take_while(|(a, b)| a == b).count();
        Some(Self {
            at: prefix,
            delete: old_len - prefix - suffix,
            insert: new
                .chars()
                .skip(prefix)
                .take(new_len - prefix - suffix)
                .collect(),
        })
    }

    /// The same in pieces that fit one change each, to be applied in order.
    pub(crate) fn pieces(&self) -> Vec<Self> {
        let mut pieces = Vec::new();
        let mut delete = self.delete;
        while delete > EDIT_LEN_CHARS_MAX {
            pieces.push(Self {
                at: self.at,
                delete: EDIT_LEN_CHARS_MAX,
                insert: String::new(),
            });
            delete -= EDIT_LEN_CHARS_MAX;
        }
        let insert: Vec<_> = self.insert.chars().collect();
        let mut chunks = insert.chunks(EDIT_LEN_CHARS_MAX);
        let first = chunks.next().unwrap_or_default();
        pieces.push(Self {
            at: self.at,
            delete,
            insert: first.iter().collect(),
        });
        let mut at = self.at + first.len();
        for chunk in chunks {
            pieces.push(Self {
                at,
                delete: 0,
                insert: chunk.iter().collect(),
            });
            at += chunk.len();
        }
        pieces
    }
}

/// The text in a note's document; none if a hostile writer took it away.
pub(crate) fn text_object(document: &impl ReadDoc) -> Option<ObjId> {
    match document.get(ROOT, TEXT) {
        Ok(Some((Value::Object(_), text))) => Some(text),
        _ => None,
    }
}

/// The text of a note's document; empty if a hostile writer took it away.
pub(crate) fn read(automerge: &Automerge) -> String {
    text_object(automerge)
        .and_then(|text| automerge.text(&text).ok())
        .unwrap_or_default()
}

/// Applies a replacement.
pub(crate) fn splice(transaction: &mut Transaction<'_>, splice: &Splice) -> Result<(), EditError> {
    let text = text_object(transaction).ok_or(EditError::UnknownDocument)?;
    let length = transaction.length(&text);
    let end = splice
        .at
        .checked_add(splice.delete)
        .ok_or(EditError::Place)?;
    if end > length {
        return Err(EditError::Place);
    }
    let length = length - splice.delete + splice.insert.chars().count();
    if length > NOTE_LEN_CHARS_MAX {
        return Err(EditError::NoteTooLong);
    }
    let delete = isize::try_from(splice.delete).map_err(|_range| EditError::Place)?;
    transaction.splice_text(&text, splice.at, delete, &splice.insert)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, splice: &Splice) -> String {
        let mut chars: Vec<_> = text.chars().collect();
        chars.splice(splice.at..splice.at + splice.delete, splice.insert.chars());
        chars.into_iter().collect()
    }

    #[test]
    fn the_difference_is_minimal_and_counts_characters() {
        let splice = Splice::between("grün ist 👩 schön", "grün war 👩 schön").unwrap();
        assert_eq!(
            splice,
            Splice {
                at: 5,
                delete: 3,
                insert: "war".to_owned()
            }
        );
        assert_eq!(Splice::between("a", "a"), None);
        for (old, new) in [
            ("aaa", "aa"),
            ("aa", "aaa"),
            ("", "x"),
            ("x", ""),
            ("abab", "ab"),
        ] {
            let splice = Splice::between(old, new).unwrap();
            assert_eq!(apply(old, &splice), new);
            assert!(splice.delete + splice.insert.len() == 1 || old == "abab");
        }
    }

    #[test]
    fn pieces_together_do_the_same() {
        let old = "ö".repeat(20_000);
        let splice = Splice {
            at: 3,
            delete: 19_990,
            insert: "x".repeat(17_000),
        };
        let mut text = old.clone();
        for piece in splice.pieces() {
            assert!(piece.insert.chars().count() <= EDIT_LEN_CHARS_MAX);
            assert!(piece.delete <= EDIT_LEN_CHARS_MAX);
            text = apply(&text, &piece);
        }
        assert_eq!(text, apply(&old, &splice));
    }
}
