//! A wish that the agents of another System may say how one is, or that this ends.

use aramaki_sync_core::SpaceId;

/// Whether they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Let {
    /// From now on.
    Look,
    /// No more.
    End,
}

/// Who may look at what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObserveWish {
    /// The System that is looked at.
    pub system: SpaceId,
    /// Whose agents look.
    pub observer: SpaceId,
    /// What that is called where it cannot be read; none: its title, or what it was called before.
    pub label: Option<String>,
    /// Whether they may.
    pub what: Let,
}
