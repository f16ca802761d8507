//! Whether a grant descends from the Space's root, each link inside the one above it.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::entry::Entry;
use super::log::SpaceLog;
use super::verdict::{Held, Verdict};
use crate::envelope::Header;
use crate::guard::{Guard, holds};
use crate::id::{EnvelopeId, PrincipalId, SpaceId};
use crate::statement::{Audience, Capability, Grant, GrantFlags, Kind, Statement};
use crate::time::Timestamp;

/// How many grants a chain may have, the root's included.
pub const DEPTH_MAX: usize = 8;

/// How long after a grant's end work that was done in time may still come in without a close.
pub const GRACE: Duration = Duration::from_mins(15);
/// The same for a grant that says so, and for those below it.
pub const LONG_GRACE: Duration = Duration::from_hours(72);
/// How long an emergency grant can be used after its reason was given.
pub const BREAK_GLASS_SPAN: Duration = Duration::from_hours(24);

/// Why something never counts, whatever arrives later.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Refusal {
    /// It names no grant.
    #[error("it names no grant")]
    NoAuthority,
    /// What it names as grant is none.
    #[error("what it names as its grant is none")]
    NotAGrant,
    /// The grant is another author's (A07, A09).
    #[error("its grant is someone else's")]
    SomeoneElses,
    /// A grant without a parent that the Space key did not sign (A06).
    #[error("the Space key did not sign its root grant")]
    FalseRoot,
    /// A grant that gives more than its parent: capability, interval, depth or marks (A08).
    #[error("a grant gives more than its parent")]
    Escalation,
    /// More than [`DEPTH_MAX`] grants.
    #[error("more grants in a row than are allowed")]
    TooDeep,
    /// The grant does not let its audience do this (A10).
    #[error("its grant does not allow this")]
    Capability,
    /// Outside the grant by the author's own clock.
    #[error("its own time is outside its grant")]
    OutsideInterval,
    /// A close before its target's end and grace (A19).
    #[error("it closes a grant before its end")]
    TooEarly,
    /// Something that never counts is below it.
    #[error("it builds on something refused")]
    Ancestor,
    /// An emergency grant used without a reason, or too long after it (A43).
    #[error("an emergency grant needs its reason first and lasts a day")]
    NoReason,
    /// The statement contradicts itself or its envelope.
    #[error("{0}")]
    Statement(&'static str),
}

/// Why something does not count, before anyone's cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Held(Held),
    Refused(Refusal),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Problem> for Verdict {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Held(held) => Self::Held(held),
            Problem::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

/// A grant that descends from the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rooted {
    /// All grants from the root's to this one.
    pub(super) path: Vec<EnvelopeId>,
    /// The invitation above it, if there is one.
    pub(super) guest_of: Option<EnvelopeId>,
    /// Who is behind it.
    pub(super) principal: PrincipalId,
}

impl Rooted {
    /// Counts from 1, the root's own.
    pub(super) fn depth(&self) -> usize {
        self.path.len()
    }
}

/// Every grant statement of a log, with its way to the root or why it has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants(BTreeMap<EnvelopeId, Result<Rooted, Problem>>);

impl Grants {
    pub(super) fn of(log: &SpaceLog) -> Self {
        let grants = log
            .control()
            .filter(|(_entry, statement)| matches!(statement, Statement::Grant(_)))
            .map(|(entry, _grant)| (entry.id, resolve(log, entry.id)))
            .collect();
        Self(grants)
    }

    /// Adds a grant that no other descends from yet.
    pub(super) fn add(&mut self, log: &SpaceLog, id: EnvelopeId) {
        self.0.insert(id, resolve(log, id));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (EnvelopeId, Result<&Rooted, Problem>)> {
        self.0
            .iter()
            .map(|(id, found)| (*id, found.as_ref().map_err(|problem| *problem)))
    }

    /// The grant's way to the root.
    pub(super) fn get(&self, log: &SpaceLog, id: EnvelopeId) -> Result<&Rooted, Problem> {
        match self.0.get(&id) {
            Some(found) => found.as_ref().map_err(|problem| *problem),
            None => Err(no_grant(log, id)),
        }
    }

    /// Whether its grant lets the author say this, leaving aside cuts and arrival. Returns the
    /// authority's way to the root; none for the genesis, which needs no authority.
    pub(super) fn permit<'a>(
        &'a self,
        log: &SpaceLog,
        entry: &Entry,
    ) -> Result<Option<&'a Rooted>, Problem> {
        let header = &entry.header;
        if let Some(Statement::Grant(grant)) = &entry.statement {
            let rooted = self.get(log, entry.id)?;
            if grant.parent.is_none() {
                return Ok((rooted.depth() > 1).then_some(rooted));
            }
        }
        if header.authority.is_zero() {
            return Err(Refusal::NoAuthority.into());
        }
        let rooted = self.get(log, header.authority)?;
        let Some(authority) = grant_in(log, header.authority) else {
            return Err(Refusal::NotAGrant.into());
        };
        if !may_use(authority, header) {
            return Err(Refusal::SomeoneElses.into());
        }
        check_time(authority, entry)?;
        check_invitation_use(authority, entry)?;
        check_reason(log, authority, entry)?;
        self.check_kind(log, entry, authority, rooted)?;
        Ok(Some(rooted))
    }

    fn check_kind(
        &self,
        log: &SpaceLog,
        entry: &Entry,
        authority: &Grant,
        rooted: &Rooted,
    ) -> Result<(), Problem> {
        let administers = authority.capability == Capability::Administer;
        let allowed = match (&entry.statement, entry.header.kind) {
            (Some(Statement::Revoke { target, .. }), _) => {
                let below = self.get(log, *target)?;
                let own = grant_in(log, *target)
                    .is_some_and(|it| it.audience == Audience::Author(entry.header.chain.author));
                let nearer = rooted.depth() < below.depth() || !holds(Guard::Nearer);
                own || (administers && nearer)
            }
            (Some(Statement::Close { target, .. }), _) => {
                let grace = grace_of(log, &self.get(log, *target)?.path);
                let end = grant_in(log, *target).map_or(Timestamp::MAX, |it| it.end);
                if holds(Guard::CloseAfterEnd) && entry.header.time < end.plus(grace) {
                    return Err(Refusal::TooEarly.into());
                }
                administers || authority.flags.has(GrantFlags::WITNESS)
            }
            (Some(Statement::Receipt { .. }), _) => {
                administers || authority.flags.has(GrantFlags::WITNESS)
            }
            (Some(Statement::Epoch(_)), _) => authority.capability >= Capability::Write,
            (Some(Statement::EpochShare { .. } | Statement::EpochReject { .. }), _) => {
                authority.capability >= Capability::Read
            }
            (Some(Statement::Relays(_)), _) => administers,
            (
                Some(
                    Statement::Grant(_)
                    | Statement::Card(_)
                    | Statement::AgentCard { .. }
                    | Statement::ForkProof { .. }
                    | Statement::BreakGlass { .. },
                ),
                _,
            ) => true,
            (None, kind) => authority.capability >= needed(kind),
        };
        if allowed || !holds(Guard::Capability) {
            Ok(())
        } else {
            Err(Refusal::Capability.into())
        }
    }
}

/// What the author of sealed content must hold.
pub(crate) fn needed(kind: Kind) -> Capability {
    match kind {
        // Asking is less than doing: the agent looks at what exactly was granted.
        // A merge says nothing: who may add an entry may join what it stands on.
        Kind::ActionRequest | Kind::Entries | Kind::Merge => Capability::Comment,
        Kind::Changes | Kind::Snapshot | Kind::ActionRecord => Capability::Write,
        Kind::AgentConfig | Kind::ActionGrant | Kind::Control => Capability::Administer,
    }
}

/// How long after a grant's end what was written in time may arrive: the grant and those above it, the
/// root's first.
pub(super) fn grace_of(log: &SpaceLog, path: &[EnvelopeId]) -> Duration {
    let is_long = |id: &EnvelopeId| {
        let grant = grant_in(log, *id);
        grant.is_some_and(|grant| grant.flags.has(GrantFlags::LONG_GRACE))
    };
    if holds(Guard::LongGrace) && path.iter().any(is_long) {
        LONG_GRACE
    } else {
        GRACE
    }
}

pub(super) fn grant_in(log: &SpaceLog, id: EnvelopeId) -> Option<&Grant> {
    match log.get(id)?.statement.as_ref()? {
        Statement::Grant(grant) => Some(grant),
        _ => None,
    }
}

/// Whether a grant is the author's. Form lets the Space key act in the anchor's stead once: for the
/// grant below the root's.
fn may_use(grant: &Grant, header: &Header) -> bool {
    let author = header.chain.author;
    grant.audience == Audience::Author(author)
        || author.as_bytes() == header.space.as_bytes()
        || !holds(Guard::Audience)
}

/// Until when the audience itself may use a grant: an invitation's key only redeems.
fn last_use(grant: &Grant) -> Timestamp {
    if grant.flags.has(GrantFlags::INVITATION) {
        grant.redeem_until
    } else {
        grant.end
    }
}

fn check_time(authority: &Grant, entry: &Entry) -> Result<(), Refusal> {
    let time = entry.header.time;
    let outside = time < authority.not_before || time > last_use(authority);
    if holds(Guard::OwnTime) && outside {
        return Err(Refusal::OutsideInterval);
    }
    Ok(())
}

/// Content in a grant's place waits like a missing grant: so control never depends on content.
fn no_grant(log: &SpaceLog, id: EnvelopeId) -> Problem {
    if log.get(id).is_some_and(Entry::is_control) {
        Refusal::NotAGrant.into()
    } else {
        Problem::Held(Held::GrantMissing)
    }
}

/// An invitation's key signs grants to guests, and nothing else.
fn check_invitation_use(authority: &Grant, entry: &Entry) -> Result<(), Problem> {
    let redeems = matches!(entry.statement, Some(Statement::Grant(_)));
    let only_redeems = holds(Guard::OnlyRedeems);
    if only_redeems && authority.flags.has(GrantFlags::INVITATION) && !redeems {
        return Err(Refusal::Capability.into());
    }
    Ok(())
}

/// When an emergency is over in which something was said under its grant: a day after what was said
/// first in that chain.
pub(super) fn emergency_over(log: &SpaceLog, entry: &Entry) -> Timestamp {
    let first = log.first_under_its_grant(entry).unwrap_or(entry);
    first.header.time.plus(BREAK_GLASS_SPAN)
}

/// What is first said under an emergency grant in a chain must be why. Whoever is let in under it
/// stays no longer than it: else an emergency would last as long as somebody wants.
fn check_reason(log: &SpaceLog, authority: &Grant, entry: &Entry) -> Result<(), Problem> {
    if !authority.flags.has(GrantFlags::BREAK_GLASS) || !holds(Guard::Reason) {
        return Ok(());
    }
    let first = log.first_under_its_grant(entry).unwrap_or(entry);
    let reasoned = matches!(&first.statement, Some(Statement::BreakGlass { reason }) if !reason.trim().is_empty());
    let over = emergency_over(log, entry);
    if !reasoned || entry.header.time > over {
        return Err(Refusal::NoReason.into());
    }
    match &entry.statement {
        Some(Statement::Grant(grant)) if grant.end > over => Err(Refusal::Escalation.into()),
        _ => Ok(()),
    }
}

fn resolve(log: &SpaceLog, id: EnvelopeId) -> Result<Rooted, Problem> {
    let mut links = Vec::new();
    let mut next = Some(id);
    while let Some(at) = next {
        let (Some(entry), Some(grant)) = (log.get(at), grant_in(log, at)) else {
            return Err(no_grant(log, at));
        };
        if holds(Guard::DepthLimit) && links.len() == DEPTH_MAX {
            return Err(Refusal::TooDeep.into());
        }
        links.push((entry, grant));
        next = grant.parent;
    }
    let mut links = links.into_iter().rev();
    let Some((mut above_entry, mut above)) = links.next() else {
        return Err(Refusal::NotAGrant.into());
    };
    check_root(log.space(), above_entry, above)?;
    let mut rooted = Rooted {
        path: vec![above_entry.id],
        guest_of: None,
        principal: above.principal,
    };
    for (entry, grant) in links {
        if above.flags.has(GrantFlags::INVITATION) {
            rooted.guest_of = Some(above_entry.id);
            rooted.principal = guest_principal(above_entry.id);
        }
        check_link((above_entry.id, above), &rooted, entry, grant)?;
        check_time(above, entry)?;
        check_reason(log, above, entry)?;
        if rooted.guest_of.is_none() {
            rooted.principal = grant.principal;
        }
        rooted.path.push(entry.id);
        (above_entry, above) = (entry, grant);
    }
    Ok(rooted)
}

/// Who is behind whoever came by an invitation: nobody said.
pub fn guest_principal(invitation: EnvelopeId) -> PrincipalId {
    let hash = blake3::derive_key("aramaki guest principal v1", invitation.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    PrincipalId::from_bytes(bytes)
}

fn check_root(space: SpaceId, entry: &Entry, grant: &Grant) -> Result<(), Refusal> {
    let signed = entry.header.chain.author.as_bytes() == space.as_bytes();
    if holds(Guard::Root) && !signed {
        return Err(Refusal::FalseRoot);
    }
    if grant.flags.has(GrantFlags::INVITATION) || !matches!(grant.audience, Audience::Author(_)) {
        return Err(Refusal::Statement("the root grant is to an anchor key"));
    }
    check_alone(grant)
}

/// What a grant must be, whatever is above it.
fn check_alone(grant: &Grant) -> Result<(), Refusal> {
    let invitation = grant.flags.has(GrantFlags::INVITATION);
    let wrong = if holds(Guard::KnownMarks) && !grant.flags.is_known() {
        "a mark on the grant is not known here"
    } else if grant.not_before > grant.end || grant.end > Timestamp::MAX {
        "the grant ends before it begins"
    } else if invitation != (grant.redemptions > 0) {
        "redemptions are for invitations alone"
    } else if !invitation && grant.redeem_until != Timestamp::ZERO {
        "redemption ends for invitations alone"
    } else if invitation
        && (grant.redeem_until < grant.not_before || grant.redeem_until > grant.end)
    {
        "an invitation can be redeemed while it lasts"
    } else if invitation && grant.flags.without(GrantFlags::LONG_GRACE) != GrantFlags::INVITATION {
        "an invitation bears no other mark"
    } else if holds(Guard::InvitationPower)
        && invitation
        && !(Capability::Read..=Capability::Write).contains(&grant.capability)
    {
        "an invitation is to read, comment or write"
    } else if invitation && grant.depth_left == 0 {
        "an invitation needs depth for its guests"
    } else if holds(Guard::ReadersOnly)
        && matches!(grant.audience, Audience::ReadersOf(_))
        && (grant.capability > Capability::Read
            || grant.depth_left > 0
            || grant.flags != GrantFlags::NONE)
    {
        "readers of another Space may read, no more"
    } else {
        return Ok(());
    };
    Err(Refusal::Statement(wrong))
}

fn check_link(
    (above_id, above): (EnvelopeId, &Grant),
    rooted: &Rooted,
    entry: &Entry,
    grant: &Grant,
) -> Result<(), Refusal> {
    check_alone(grant)?;
    if !may_use(above, &entry.header) {
        return Err(Refusal::SomeoneElses);
    }
    if holds(Guard::IssuedUnderParent) && entry.header.authority != above_id {
        return Err(Refusal::Statement("a grant is issued under its parent"));
    }
    let administers = above.capability == Capability::Administer;
    let guest = rooted.guest_of.is_some();
    let flags = grant.flags;
    let principal_fits = if guest {
        grant.principal.is_zero()
    } else {
        administers || grant.principal == above.principal
    };
    let flags_fit =
        (!flags.has(GrantFlags::WITNESS) || administers || above.flags.has(GrantFlags::WITNESS))
            && (!flags.has(GrantFlags::BREAK_GLASS) || administers)
            && (!flags.has(GrantFlags::LONG_GRACE) || administers)
            && !(guest && flags.has(GrantFlags::INVITATION));
    let weaker = grant.capability <= above.capability || !holds(Guard::CapabilityFalls);
    let inside = grant.not_before >= above.not_before && grant.end <= above.end;
    let inside = inside || !holds(Guard::IntervalInside);
    let shallower = grant.depth_left < above.depth_left || !holds(Guard::DepthFalls);
    let flags_fit = flags_fit || !holds(Guard::Marks);
    let principal_fits = principal_fits || !holds(Guard::Principal);
    if weaker && inside && shallower && flags_fit && principal_fits {
        Ok(())
    } else {
        Err(Refusal::Escalation)
    }
}
