//! Deliberate faults: each switches one rule of the engine off, to show that a test notices.
//!
//! They can be chosen only with the feature `mutants`, which nothing but the simulation uses.

/// One rule switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// A write is reported before it is durable.
    AcknowledgeBeforeDurable,
    /// Whoever signs is admitted.
    SkipAuthorCheck,
    /// What a peer missed is never mentioned again.
    ForgetReannouncement,
    /// The end of an old connection ends the peer's new one.
    ConnectionKeyedByPeer,
    /// What is known about a peer's store outlives that store.
    CursorWithoutStoreEpoch,
    /// An envelope is taken without the one before it.
    AcceptGap,
    /// A slow peer is sent everything at once.
    UnboundedQueue,
    /// A database that was rolled back goes on in its old chain.
    ReuseInstanceAfterRestore,
    /// Whatever a snapshot lists is taken to be in it.
    BelieveSnapshots,
    /// Nobody is told that bodies are missing here.
    LackInSilence,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AcknowledgeBeforeDurable,
        Self::SkipAuthorCheck,
        Self::ForgetReannouncement,
        Self::ConnectionKeyedByPeer,
        Self::CursorWithoutStoreEpoch,
        Self::AcceptGap,
        Self::UnboundedQueue,
        Self::ReuseInstanceAfterRestore,
        Self::BelieveSnapshots,
        Self::LackInSilence,
    ];
}
