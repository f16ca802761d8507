//! The well-known names of documents.

use aramaki_sync_core::{DocumentId, Timestamp};
use chrono::{DateTime, Utc};

use crate::id::NoteId;

/// How many entries a segment of a journal or timeline holds; the next one follows in another.
pub const SEGMENT_ENTRIES_MAX: usize = 2_000;

/// The document of what people say about a System.
pub fn system() -> DocumentId {
    DocumentId::named("system")
}

/// The document of what a person's devices tell each other.
pub fn home() -> DocumentId {
    DocumentId::named("home")
}

/// The document of what is asked of an agent, and what it did.
pub fn actions() -> DocumentId {
    DocumentId::named("actions")
}

/// What a running action says: about this its agent sends ephemeral messages, and writes nothing.
pub fn action_output() -> DocumentId {
    DocumentId::named("action-output")
}

/// Asking an agent for evidence: about this its readers send ephemeral messages, and nobody writes anything.
pub fn evidence_ask() -> DocumentId {
    DocumentId::named("evidence-ask")
}

/// What an agent answers them, the same way.
pub fn evidence() -> DocumentId {
    DocumentId::named("evidence")
}

/// The document of what an agent is told to do.
pub fn agent_config() -> DocumentId {
    DocumentId::named("agent-config")
}

/// The document of what an agent is told of redundancy groups.
pub fn agent_groups() -> DocumentId {
    DocumentId::named("agent-groups")
}

/// The document of a note.
pub fn note(note: NoteId) -> DocumentId {
    DocumentId::named(&format!("note/{note}"))
}

/// The timeline segment of a month; `full` segments of it came before.
pub fn timeline(at: Timestamp, full: usize) -> DocumentId {
    segment("timeline", "%Y-%m", at, full)
}

/// The journal segment of a day; `full` segments of it came before.
pub fn journal(at: Timestamp, full: usize) -> DocumentId {
    segment("journal", "%Y-%m-%d", at, full)
}

/// What an agent sums the days of its checks up in: a journal of a month, because a year of days is read at
/// once; `full` segments of it came before.
pub fn days(at: Timestamp, full: usize) -> DocumentId {
    segment("days", "%Y-%m", at, full)
}

fn segment(kind: &str, format: &str, at: Timestamp, full: usize) -> DocumentId {
    let at = at.millis().clamp(0, Timestamp::MAX.millis());
    let at = DateTime::<Utc>::from_timestamp_millis(at).unwrap_or_default();
    let name = format!("{kind}/{}", at.format(format));
    if full == 0 {
        DocumentId::named(&name)
    } else {
        DocumentId::named(&format!("{name}.{}", full + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_by_their_period() {
        let at = Timestamp::parse_rfc3339("2026-11-22T18:30:00Z").unwrap();
        assert_eq!(timeline(at, 0), DocumentId::named("timeline/2026-11"));
        assert_eq!(timeline(at, 1), DocumentId::named("timeline/2026-11.2"));
        assert_eq!(journal(at, 0), DocumentId::named("journal/2026-11-22"));
        assert_eq!(
            journal(Timestamp::from_millis(-5), 0),
            DocumentId::named("journal/1970-01-01")
        );
    }
}
