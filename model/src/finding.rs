//! What was ignored, and why: nothing refused is dropped in silence.

use std::fmt;

use aramaki_sync_core::{DocumentId, EnvelopeId, SpaceId};

use crate::doc::Refusal;

/// Something that was ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which Space.
    pub space: SpaceId,
    /// In which document.
    pub document: DocumentId,
    /// In which envelope, if it came with one.
    pub envelope: Option<EnvelopeId>,
    /// Why.
    pub reason: Reason,
}

/// Why something was ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A change was refused.
    Refused(Refusal),
    /// The document has another kind than its name says.
    Kind,
    /// Part of a document cannot be read.
    Unreadable(String),
    /// Changes wait for others that are not here; how many.
    Waiting(usize),
    /// Entries in an agent's Space that the agent did not write; how many.
    Foreign(usize),
    /// A snapshot holds what it should not; in words. What counts was read from elsewhere.
    Snapshot(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal}"),
            Self::Kind => f.write_str("a document of another kind than its name says"),
            Self::Unreadable(what) => write!(f, "cannot be read: {what}"),
            Self::Waiting(count) => write!(f, "{count} changes wait for others"),
            Self::Snapshot(what) => f.write_str(what),
            Self::Foreign(count) => write!(f, "{count} entries that the agent did not write"),
        }
    }
}
