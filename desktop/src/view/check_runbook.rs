//! What a check names as its runbook: a note of its System, or a page elsewhere.

use aramaki_model::Check;
use aramaki_model::check_fault::is_runbook;
use aramaki_model::snapshot::{NoteView, SystemView};
use aramaki_model::system::NoteKind;

/// A check's runbook, as it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckRunbook<'a> {
    /// A note of the System.
    Note(&'a NoteView),
    /// A web address.
    Page(&'a str),
    /// No note of the System is called so.
    Missing(&'a str),
}

impl<'a> CheckRunbook<'a> {
    /// Finds what a check names: an id first, then a title, a runbook before other notes. None when it names nothing
    /// that can be meant: who wrote the System's document may be anybody who writes there.
    pub fn of(system: &'a SystemView, check: &'a Check) -> Option<Self> {
        let named = check.runbook.as_deref()?;
        is_runbook(named).ok()?;
        if named.contains("://") {
            return Some(Self::Page(named));
        }
        let title = named.trim().to_lowercase();
        let rank = |note: &&NoteView| {
            let is_id = note.note.is_some_and(|id| id.to_string() == named.trim());
            let is_title = note.title.trim().to_lowercase() == title;
            let rank = if note.kind == NoteKind::Runbook { 1 } else { 2 };
            if is_id {
                Some(0)
            } else {
                is_title.then_some(rank)
            }
        };
        let notes = system.notes.iter();
        let found = notes.filter_map(|note| Some((rank(&note)?, note)));
        let found = found.min_by_key(|(rank, _)| *rank);
        Some(found.map_or(Self::Missing(named), |(_, note)| Self::Note(note)))
    }
}
