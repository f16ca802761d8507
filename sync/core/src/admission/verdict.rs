//! What each envelope of a log counts for.

use thiserror::Error;

use super::grant_chain::Refusal;
use crate::id::EnvelopeId;

/// Why something does not count yet.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Held {
    /// The envelope is not in the log.
    #[error("it is not here")]
    Unknown,
    /// Its grant, or one above it, is not here.
    #[error("a grant is missing")]
    GrantMissing,
    /// Something it builds on is not here.
    #[error("something it builds on is missing")]
    AncestorMissing,
    /// Its author's clock is more than five minutes ahead of this one.
    #[error("its time is in the future")]
    Future,
    /// First seen after the grant's end and grace, and nobody closed the grant.
    #[error("it came after its grant had ended")]
    Expired,
    /// An invitation was redeemed more often than it allows.
    #[error("its invitation was already used")]
    Redeemed,
    /// It redeems an invitation and was first seen when that could no longer be redeemed.
    #[error("its invitation was redeemed too late")]
    RedeemedLate,
    /// It rests on the branch of a fork that does not stand.
    #[error("it rests on a branch that does not stand")]
    Quarantined,
}

/// What an envelope counts for, from the stored set alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It counts.
    Admitted,
    /// Cut or held itself, but honest work that counts rests on it: its content counts.
    Vouched,
    /// Not yet; shown as waiting.
    Held(Held),
    /// Beyond what a revocation, a close or a fork leaves.
    Cut,
    /// Never.
    Refused(Refusal),
}

impl Verdict {
    /// Whether the content reaches the documents.
    pub fn counts(self) -> bool {
        matches!(self, Self::Admitted | Self::Vouched)
    }
}

/// What a refresh changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Envelopes that count now and did not before, each after what it builds on.
    pub admitted: Vec<EnvelopeId>,
    /// Something that counted does so no longer: documents are rebuilt from the log.
    pub withdrawn: Vec<EnvelopeId>,
    /// The control evaluation was done anew: members, epochs and relays may differ.
    pub control: bool,
}
