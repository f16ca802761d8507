//! Telling people that a relay takes no more: its operator which quota that is, and who writes that it is kept here.
//!
//! What is refused for a quota comes again later. Until then nothing else would say why it is nowhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Engine;
use super::io::{ConnectionId, Event};
use crate::id::{AuthorId, SpaceId};
use crate::time::Timestamp;

/// How often a relay says the same of a Space: who is refused comes again every half minute.
const TELL_AGAIN: Duration = Duration::from_hours(1);

/// Which of a relay's limits was reached, in the words of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum QuotaName {
    /// Bytes of all Spaces.
    TotalBytes,
    /// Bytes of this one.
    SpaceBytes,
    /// Bytes that this one adds in a day.
    SpaceBytesPerDay,
    /// Databases of one author.
    ChainsPerAuthor,
    /// Grants of one author.
    GrantsPerAuthor,
    /// Envelopes that one author sends.
    EnvelopesPerSecond,
}

impl fmt::Display for QuotaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TotalBytes => "total_bytes",
            Self::SpaceBytes => "space_bytes",
            Self::SpaceBytesPerDay => "space_bytes_per_day",
            Self::ChainsPerAuthor => "chains_per_author",
            Self::GrantsPerAuthor => "grants_per_author",
            Self::EnvelopesPerSecond => "envelopes_per_second",
        })
    }
}

/// A limit that an envelope would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverQuota {
    pub(super) quota: QuotaName,
    /// What it would be with the envelope, and what is allowed.
    pub(super) figures: (u64, u64),
}

impl OverQuota {
    /// None where what it would be is allowed.
    pub(super) fn of(quota: QuotaName, would_be: u64, most: u64) -> Option<Self> {
        (would_be > most).then_some(Self {
            quota,
            figures: (would_be, most),
        })
    }
}

/// What was said last of a Space's quotas, by a relay, and which peers said so, to a member.
#[derive(Debug, Default)]
pub(super) struct QuotaWords {
    told: BTreeMap<QuotaName, Timestamp>,
    said_by: BTreeMap<AuthorId, Timestamp>,
}

impl Engine {
    /// A relay says that it took something not, once in a while.
    pub(super) fn tell_over_quota(&mut self, space: SpaceId, author: AuthorId, over: OverQuota) {
        let now = self.now;
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let told = held.quota_words.told.get(&over.quota);
        if told.is_some_and(|told| now < told.plus(TELL_AGAIN)) {
            return;
        }
        held.quota_words.told.insert(over.quota, now);
        let (would_be, most) = over.figures;
        self.emit(Event::OverQuota {
            space,
            author,
            quota: over.quota,
            would_be,
            most,
        });
    }

    /// A peer said that it takes something later, for a quota of it.
    pub(super) fn put_off(&mut self, space: SpaceId, peer: AuthorId) {
        let now = self.now;
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let said_by = &mut held.quota_words.said_by;
        if said_by.contains_key(&peer) {
            return;
        }
        said_by.insert(peer, now);
        self.emit(Event::ReceiptsChanged { space });
    }

    /// A peer holds all that is here: whatever it put off, it took.
    pub(super) fn takes_again(&mut self, id: ConnectionId, space: SpaceId) {
        let Some(peer) = self.connections.get(&id).map(|it| it.peer) else {
            return;
        };
        let held = self.spaces.get_mut(&space);
        if held.is_some_and(|it| it.quota_words.said_by.remove(&peer).is_some()) {
            self.emit(Event::ReceiptsChanged { space });
        }
    }

    /// Peers that take no more of a Space for a quota of theirs, and since when, as far as this process heard.
    pub fn over_quota_at(&self, space: SpaceId) -> Vec<(AuthorId, Timestamp)> {
        let held = self.spaces.get(&space);
        let said_by = held.map(|held| held.quota_words.said_by.iter());
        let said_by = said_by.into_iter().flatten();
        said_by.map(|(peer, since)| (*peer, *since)).collect()
    }
}
