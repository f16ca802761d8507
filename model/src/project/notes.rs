//! Notes as people see them, and who wrote in each last.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{AuthorId, DocumentId, Timestamp};

use crate::doc::{Document, DocumentKind};
use crate::id::EntryId;
use crate::name;
use crate::note_edit::NoteVersion;
use crate::snapshot::NoteView;
use crate::system::{NAME_LEN_BYTES_MAX, NoteKind, System};
use crate::text::clean_line;
use crate::workspace::{Content, OpenDocument, OpenSpace};

/// The last time that somebody wrote in a note.
pub(super) struct NoteEdited {
    pub(super) at: Timestamp,
    /// Equal on every replica that holds the same.
    pub(super) id: EntryId,
    pub(super) author: AuthorId,
    pub(super) title: String,
}

/// What was written last in each note of a System that is not empty.
pub(super) fn last_edits<'a>(
    open: &'a OpenSpace,
    system: &'a System,
) -> impl Iterator<Item = NoteEdited> + 'a {
    let listed: BTreeMap<_, _> = system
        .notes
        .iter()
        .map(|(note, entry)| (name::note(*note), entry.title.as_str()))
        .collect();
    open.documents.iter().filter_map(move |(document, place)| {
        let Content::Note(text) = &place.content else {
            return None;
        };
        if text.trim().is_empty() {
            return None;
        }
        let (at, hash, author) = last_change(open, &place.document)?;
        let mut id = [0; 16];
        id.copy_from_slice(hash.get(..16)?);
        Some(NoteEdited {
            at,
            id: EntryId::from_bytes(id),
            author,
            title: title_of(listed.get(document).copied().unwrap_or_default(), text),
        })
    })
}

/// The newest of the last changes of a document, and whose it is; none of a document that is as it began.
fn last_change(open: &OpenSpace, document: &Document) -> Option<(Timestamp, [u8; 32], AuthorId)> {
    let automerge = document.automerge();
    let heads = automerge.get_heads().into_iter();
    let changes = heads.filter_map(|head| {
        let change = automerge.get_change_meta_by_hash(&head)?;
        let actor = change.actor.to_bytes().try_into().ok()?;
        let at = Timestamp::from_millis(change.timestamp.saturating_mul(1_000));
        Some((at, head.0, open.author(&actor)?))
    });
    changes.max()
}

/// Its title, or its first line.
fn title_of(title: &str, text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.find(|line| !line.trim().is_empty());
    let title = if title.trim().is_empty() {
        first.unwrap_or_default().trim_start_matches(['#', ' '])
    } else {
        title
    };
    clean_line(title, NAME_LEN_BYTES_MAX)
}

/// All notes of a System, and those that are there and that it does not list.
pub(super) fn note_views(open: &OpenSpace, system: &System) -> Vec<NoteView> {
    let mut listed = BTreeSet::new();
    let mut views = Vec::new();
    let text_of = |document: &DocumentId| match open.documents.get(document) {
        Some(OpenDocument {
            content: Content::Note(text),
            document,
        }) => (text.clone(), NoteVersion(document.heads())),
        _ => (String::new(), NoteVersion::default()),
    };
    for (note, entry) in &system.notes {
        let document = name::note(*note);
        listed.insert(document);
        let (text, version) = text_of(&document);
        let title = title_of(&entry.title, &text);
        views.push(NoteView {
            note: Some(*note),
            document,
            title,
            kind: entry.kind,
            text,
            version,
        });
    }
    for (document, place) in &open.documents {
        if place.document.kind() == DocumentKind::Note && !listed.contains(document) {
            let (text, version) = text_of(document);
            let title = title_of("", &text);
            let (document, kind) = (*document, NoteKind::Note);
            views.push(NoteView {
                note: None,
                document,
                title,
                kind,
                text,
                version,
            });
        }
    }
    views.sort_by(|a, b| (&a.title, a.document).cmp(&(&b.title, b.document)));
    views
}
