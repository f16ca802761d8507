//! Spaces, writers and times of the tests.

use aramaki_sync_core::{AuthorId, Chain, Instance, SpaceId, Timestamp};

/// A Space of the tests.
pub(crate) fn space(n: u8) -> SpaceId {
    SpaceId::from_bytes([n; 32])
}

/// The chain of a writer.
pub(crate) fn chain(n: u8) -> Chain {
    Chain {
        author: AuthorId::from_bytes([n; 32]),
        instance: Instance(u64::from(n)),
    }
}

/// A time, seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_370_000_000 + seconds * 1_000)
}
