//! Edits on a Workspace: each is applied here at once and returned as changes to be written.

use aramaki_sync_core::{Chain, DocumentId, SpaceId, Timestamp};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{ROOT, ReadDoc as _, ScalarValue, Value};

use crate::doc::{Document, DocumentKind, ENTRIES};
use crate::edit::{Edit, EditError, SystemEdit};
use crate::entry::{JournalEntry, TimelineEntry};
use crate::id::{EntryId, NoteId};
use crate::name::{self, SEGMENT_ENTRIES_MAX};
use crate::note::{self, Splice};
use crate::workspace::{Content, OpenDocument, Workspace};

impl Workspace {
    /// Edits what is said about the System of a Space; begins it if there is none.
    ///
    /// # Errors
    /// When the Space is not open, the edit fails, or its change would be refused by others. Then
    /// nothing changed.
    pub fn edit_system(
        &mut self,
        space: SpaceId,
        chain: &Chain,
        now: Timestamp,
        edit: impl FnOnce(&mut SystemEdit<'_, '_>) -> Result<(), EditError>,
    ) -> Result<Edit, EditError> {
        let place = Place {
            space,
            document: name::system(),
            kind: DocumentKind::System,
        };
        self.edit(
            place,
            chain,
            now,
            vec![|tx: &mut Transaction<'_>| edit(&mut SystemEdit::new(tx))],
        )
    }

    /// Replaces characters in a note; begins the note if it is not there.
    ///
    /// # Errors
    /// When the place is outside the text, or the note becomes too long. Then nothing changed.
    pub fn splice_note(
        &mut self,
        space: SpaceId,
        note: NoteId,
        chain: &Chain,
        now: Timestamp,
        splice: &Splice,
    ) -> Result<Edit, EditError> {
        let place = Place {
            space,
            document: name::note(note),
            kind: DocumentKind::Note,
        };
        let pieces = splice.pieces();
        let edits = pieces
            .iter()
            .map(|piece| |tx: &mut Transaction<'_>| note::splice(tx, piece));
        self.edit(place, chain, now, edits.collect())
    }

    /// Turns a note into this text by the smallest replacement, so that what others wrote
    /// elsewhere in it stays.
    ///
    /// # Errors
    /// When the text is too long. Then nothing changed.
    pub fn set_note(
        &mut self,
        space: SpaceId,
        note: NoteId,
        chain: &Chain,
        now: Timestamp,
        text: &str,
    ) -> Result<Edit, EditError> {
        let old = self.note_text(&space, note).unwrap_or_default();
        match Splice::between(old, text) {
            Some(splice) => self.splice_note(space, note, chain, now, &splice),
            None => Ok(Edit {
                document: name::note(note),
                ..Edit::default()
            }),
        }
    }

    /// Adds entries to the timeline segment of this month.
    ///
    /// # Errors
    /// When the Space is not open or an entry cannot be written. Then nothing changed.
    pub fn append_timeline(
        &mut self,
        space: SpaceId,
        chain: &Chain,
        now: Timestamp,
        entries: &[(EntryId, TimelineEntry)],
    ) -> Result<Edit, EditError> {
        let encoded = entries.iter().map(|(id, entry)| Ok((*id, entry.encode()?)));
        let encoded: Vec<_> = encoded.collect::<Result<_, EditError>>()?;
        let document = self.segment(&space, |full| name::timeline(now, full));
        let place = Place {
            space,
            document,
            kind: DocumentKind::Timeline,
        };
        self.edit(
            place,
            chain,
            now,
            vec![|tx: &mut Transaction<'_>| append(tx, &encoded)],
        )
    }

    /// Adds entries to the journal segment of this day. When [`Edit::is_new_document`], a new
    /// segment began: append the states of all checks next ([`JournalEntry::carry`]).
    ///
    /// # Errors
    /// When the Space is not open or an entry cannot be written. Then nothing changed.
    pub fn append_journal(
        &mut self,
        space: SpaceId,
        chain: &Chain,
        now: Timestamp,
        entries: &[(EntryId, JournalEntry)],
    ) -> Result<Edit, EditError> {
        self.append_to(space, chain, now, entries, name::journal)
    }

    /// Adds sums of days to the journal segment of this month that holds them.
    ///
    /// # Errors
    /// When the Space is not open or an entry cannot be written. Then nothing changed.
    pub fn append_days(
        &mut self,
        space: SpaceId,
        chain: &Chain,
        now: Timestamp,
        entries: &[(EntryId, JournalEntry)],
    ) -> Result<Edit, EditError> {
        self.append_to(space, chain, now, entries, name::days)
    }

    fn append_to(
        &mut self,
        space: SpaceId,
        chain: &Chain,
        now: Timestamp,
        entries: &[(EntryId, JournalEntry)],
        named: fn(Timestamp, usize) -> DocumentId,
    ) -> Result<Edit, EditError> {
        let encoded = entries.iter().map(|(id, entry)| Ok((*id, entry.encode()?)));
        let encoded: Vec<_> = encoded.collect::<Result<_, EditError>>()?;
        let document = self.segment(&space, |full| named(now, full));
        let place = Place {
            space,
            document,
            kind: DocumentKind::Journal,
        };
        self.edit(
            place,
            chain,
            now,
            vec![|tx: &mut Transaction<'_>| append(tx, &encoded)],
        )
    }

    /// The first segment of a period that has room.
    fn segment(&self, space: &SpaceId, named: impl Fn(usize) -> DocumentId) -> DocumentId {
        let documents = self.spaces.get(space).map(|open| &open.documents);
        let mut full = 0;
        loop {
            let document = named(full);
            let place = documents.and_then(|documents| documents.get(&document));
            let count = match place.map(|place| &place.content) {
                Some(Content::Timeline(entries)) => entries.len(),
                Some(Content::Journal(entries)) => entries.len(),
                // A hostile writer may have put something else here.
                Some(_) => SEGMENT_ENTRIES_MAX,
                None => 0,
            };
            if count < SEGMENT_ENTRIES_MAX {
                return document;
            }
            full += 1;
        }
    }

    /// A document if it is here and of the kind that is meant.
    pub(crate) fn document(&self, place: &Place) -> Option<&Document> {
        let open = self.spaces.get(&place.space)?;
        let document = &open.documents.get(&place.document)?.document;
        (document.kind() == place.kind).then_some(document)
    }

    /// Edits a document as it is now in one or more changes, all or none.
    pub(crate) fn edit<F>(
        &mut self,
        place: Place,
        chain: &Chain,
        now: Timestamp,
        edits: Vec<F>,
    ) -> Result<Edit, EditError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
    {
        self.edit_at(place, chain, now, None, edits)
    }

    /// Edits a document as it was at a version, or as it is now, in one or more changes, all or
    /// none.
    pub(crate) fn edit_at<F>(
        &mut self,
        place: Place,
        chain: &Chain,
        now: Timestamp,
        base: Option<&[[u8; 32]]>,
        edits: Vec<F>,
    ) -> Result<Edit, EditError>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
    {
        let Place {
            space,
            document,
            kind,
        } = place;
        let open = self.spaces.get_mut(&space).ok_or(EditError::UnknownSpace)?;
        let is_new_document = !open.documents.contains_key(&document);
        let mut begun = if is_new_document {
            Document::new(kind, &self.genesis).map(OpenDocument::new)
        } else {
            None
        };
        let Some(target) = begun.as_mut().or_else(|| open.documents.get_mut(&document)) else {
            return Err(EditError::UnknownDocument);
        };
        if target.document.kind() != kind {
            return Err(EditError::UnknownDocument);
        }
        // One edit is all or nothing by itself; several need the way back.
        let before = (edits.len() > 1).then(|| target.document.clone());
        let mut changes = Vec::new();
        for edit in edits {
            match target.document.edit(chain, now, base, edit) {
                Ok(change) => changes.extend(change),
                Err(error) => {
                    if let Some(before) = before {
                        target.document = before;
                    }
                    return Err(error);
                }
            }
        }
        if changes.is_empty() {
            return Ok(Edit {
                document,
                ..Edit::default()
            });
        }
        target.reread();
        if let Some(begun) = begun {
            open.documents.insert(document, begun);
        }
        open.actors.insert(chain.actor_bytes(), chain.author);
        self.touched(space);
        Ok(Edit {
            document,
            changes,
            is_new_document,
        })
    }
}

/// Which document, and what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) space: SpaceId,
    pub(crate) document: DocumentId,
    pub(crate) kind: DocumentKind,
}

/// Puts entries under their keys; a key that is there stays as it is.
pub(crate) fn append(
    transaction: &mut Transaction<'_>,
    entries: &[(EntryId, Vec<u8>)],
) -> Result<(), EditError> {
    let Some((Value::Object(_), map)) = transaction.get(ROOT, ENTRIES)? else {
        return Err(EditError::UnknownDocument);
    };
    for (id, bytes) in entries {
        let key = id.to_string();
        if transaction.get(&map, &key)?.is_none() {
            transaction.put(&map, key, ScalarValue::Bytes(bytes.clone()))?;
        }
    }
    Ok(())
}
