//! The single rules that admission rests on, so that the tests can switch each off and see that an
//! attack then succeeds (A39). Outside this crate's own tests all of them hold, always.

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guard {
    /// A signature is the author's.
    Signature,
    /// A body is the signed one.
    BodyHash,
    /// One value has one encoding.
    Canonical,
    /// Control stands in the control document alone.
    KindFitsDocument,
    /// The Space key signs its first grants alone.
    SpaceKeySignsTwice,
    /// An envelope belongs to this Space.
    RightSpace,
    /// An envelope follows the one before it in its own chain.
    PreviousInChain,
    /// A chain has few branches.
    BranchLimit,
    /// The Space key signed the root grant.
    Root,
    /// A grant is used by its audience.
    Audience,
    /// A grant gives no greater capability than its parent.
    CapabilityFalls,
    /// A grant begins and ends inside its parent.
    IntervalInside,
    /// Depth runs out.
    DepthFalls,
    /// Marks come from administrators.
    Marks,
    /// Nobody but an administrator names another principal.
    Principal,
    /// A row of grants is short.
    DepthLimit,
    /// A grant is issued under the grant that it names as its parent.
    IssuedUnderParent,
    /// Readers of another Space read, and no more.
    ReadersOnly,
    /// An invitation is to read, comment or write, whoever issues it.
    InvitationPower,
    /// A grant with a mark that is not known here is none.
    KnownMarks,
    /// Content names an epoch, and control none.
    EpochFits,
    /// Control has no content hash beside the hash of its body.
    NoContentHash,
    /// A time is one that the clock of this world can show.
    TimeInRange,
    /// An author's own time is inside the grant.
    OwnTime,
    /// What is said needs a capability.
    Capability,
    /// Only who is nearer the root revokes.
    Nearer,
    /// Nobody closes before the end.
    CloseAfterEnd,
    /// An invitation's key only redeems.
    OnlyRedeems,
    /// An emergency grant needs a reason.
    Reason,
    /// An emergency is known while it lasts.
    ReasonInTime,
    /// Redemptions are counted.
    Redemptions,
    /// A code by which somebody came who was sent away is over.
    SentAway,
    /// A code that let in all that it may is worth nothing.
    UsedUp,
    /// A code is redeemed in time.
    RedeemedInTime,
    /// The use of a code for somebody without a network may come as late as what they wrote.
    UseTravels,
    /// Who ends a code says who had come by it.
    EndNamesWhoCame,
    /// What comes after the end and grace waits.
    ArrivedInTime,
    /// Who was given a long grace has it.
    LongGrace,
    /// Revocations and closes cut.
    Cut,
    /// What is cut itself cuts nothing.
    CutCutsNothing,
    /// Of closes the one that leaves most counts.
    LargestClose,
    /// A close that came late under a grant that had ended closes nothing.
    CloseInTime,
    /// A revocation that came late under a grant that nobody closed ends nothing.
    RevokeInTime,
    /// Of revocations the one that leaves least counts.
    SmallestRevoke,
    /// Closes are weighed before revocations.
    ClosesFirst,
    /// A fork counts only as far as it was witnessed.
    Fork,
    /// A proof of a fork is two headers at one position that the author signed.
    ForkProven,
    /// A proven fork counts where one branch alone is here.
    ForkByProof,
    /// What is ahead of this clock waits.
    Future,
    /// What builds on refused content is refused.
    Tainted,
    /// Only content is vouched for.
    OnlyContentVouched,
    /// Only who may write vouches.
    WritersVouch,
    /// Nobody vouches for what a statement that they build on cuts.
    KnownCuts,
    /// A grant that does not stand lets nobody act.
    AuthorityStands,
    /// An epoch's key is the committed one.
    Commitment,
    /// An epoch's public half is its key's.
    PublicHalf,
    /// A rejection of an epoch is proven.
    RejectionProven,
    /// A new epoch follows when a reader left.
    RotateOnLeave,
    /// A heartbeat counts once.
    Counter,
    /// A snapshot is read if its own envelope is admitted.
    SnapshotAdmitted,
    /// A snapshot's list has one order.
    SnapshotOrder,
    /// A listed body is the one that its own author signed.
    ListedHash,
    /// A listed body can be sealed again as its author sealed it.
    ListedSeal,
    /// A listed body belongs to the snapshot's document.
    ListedDocument,
    /// Changes and merges are listed, and nothing else.
    ListedKind,
}

/// Whether a rule holds.
#[cfg(not(test))]
#[inline]
pub(crate) const fn holds(_guard: Guard) -> bool {
    true
}

#[cfg(test)]
thread_local! {
    static OFF: std::cell::Cell<Option<Guard>> = const { std::cell::Cell::new(None) };
}

/// Whether a rule holds on this thread.
#[cfg(test)]
pub(crate) fn holds(guard: Guard) -> bool {
    OFF.get() != Some(guard)
}

/// Runs a story with a rule switched off; whether it noticed.
#[cfg(test)]
pub(crate) fn is_missed_by(guard: Guard, story: fn()) -> bool {
    OFF.set(Some(guard));
    let told = std::panic::catch_unwind(story);
    OFF.set(None);
    told.is_err()
}

#[cfg(test)]
impl Guard {
    /// All of them.
    pub(crate) const ALL: [Self; 65] = [
        Self::Signature,
        Self::BodyHash,
        Self::Canonical,
        Self::KindFitsDocument,
        Self::SpaceKeySignsTwice,
        Self::RightSpace,
        Self::PreviousInChain,
        Self::BranchLimit,
        Self::Root,
        Self::Audience,
        Self::CapabilityFalls,
        Self::IntervalInside,
        Self::DepthFalls,
        Self::Marks,
        Self::Principal,
        Self::DepthLimit,
        Self::IssuedUnderParent,
        Self::ReadersOnly,
        Self::InvitationPower,
        Self::KnownMarks,
        Self::EpochFits,
        Self::NoContentHash,
        Self::TimeInRange,
        Self::OwnTime,
        Self::Capability,
        Self::Nearer,
        Self::CloseAfterEnd,
        Self::OnlyRedeems,
        Self::Reason,
        Self::ReasonInTime,
        Self::Redemptions,
        Self::SentAway,
        Self::UsedUp,
        Self::RedeemedInTime,
        Self::UseTravels,
        Self::EndNamesWhoCame,
        Self::ArrivedInTime,
        Self::LongGrace,
        Self::Cut,
        Self::CutCutsNothing,
        Self::LargestClose,
        Self::CloseInTime,
        Self::RevokeInTime,
        Self::SmallestRevoke,
        Self::ClosesFirst,
        Self::Fork,
        Self::ForkProven,
        Self::ForkByProof,
        Self::Future,
        Self::Tainted,
        Self::OnlyContentVouched,
        Self::WritersVouch,
        Self::KnownCuts,
        Self::AuthorityStands,
        Self::Commitment,
        Self::PublicHalf,
        Self::RejectionProven,
        Self::RotateOnLeave,
        Self::Counter,
        Self::SnapshotAdmitted,
        Self::SnapshotOrder,
        Self::ListedHash,
        Self::ListedSeal,
        Self::ListedDocument,
        Self::ListedKind,
    ];
}
