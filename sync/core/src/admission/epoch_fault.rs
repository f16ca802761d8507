//! Whether an epoch is as unfit as somebody who reads says (TRUST §3, §5; A54).
//!
//! A proof follows from control statements alone, so every replica agrees on it. It blames nobody: an
//! issuer may not have heard of a reader. All that follows is that the next writer issues another.

use super::keyring::WRAPS_MAX;
use super::log::SpaceLog;
use super::roster::Member;
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, EnvelopeId};
use crate::key;
use crate::statement::{Epoch, EpochFault, Statement, WrapTo};
use crate::time::Timestamp;

/// Whether the fault is there for everyone to see.
pub(super) fn is_proven(
    log: &SpaceLog,
    members: &[Member],
    epoch: EnvelopeId,
    fault: &EpochFault,
) -> bool {
    let Some((stated, time)) = epoch_in(log, epoch) else {
        return false;
    };
    match fault {
        _ if !holds(Guard::RejectionProven) => true,
        EpochFault::FalsePublic(opening) => {
            opening.commit() == stated.commit && opening.public() != stated.public
        }
        EpochFault::Omits { grant } => members
            .iter()
            .find(|member| member.grant == *grant)
            .is_some_and(|member| omits(log, stated, time, member)),
    }
}

/// The epoch of a log and when its author says that it was issued.
fn epoch_in(log: &SpaceLog, id: EnvelopeId) -> Option<(&Epoch, Timestamp)> {
    let entry = log.get(id)?;
    match entry.statement()? {
        Statement::Epoch(epoch) => Some((epoch, entry.header().time)),
        _ => None,
    }
}

/// Whether a reader whose grant was there and live is not among those to whom an epoch is sealed. An
/// epoch with as many wraps as one statement holds leaves the others to shares, and a box key that
/// is none can be sealed to by nobody.
fn omits(log: &SpaceLog, epoch: &Epoch, issued: Timestamp, reader: &Member) -> bool {
    let granted = log.get(reader.grant).map(|entry| entry.header().time);
    granted.is_some_and(|granted| granted <= issued)
        && reader.reads(issued)
        && key::is_box_key(&reader.box_key)
        && epoch.wraps.len() < WRAPS_MAX
        && !is_wrapped_to(epoch, reader.author)
}

fn is_wrapped_to(epoch: &Epoch, reader: AuthorId) -> bool {
    let mut wraps = epoch.wraps.iter();
    wraps.any(|wrap| wrap.to == WrapTo::Device(reader))
}

/// Which fault of an epoch a device can prove that has no key of it.
pub(super) fn omission(
    log: &SpaceLog,
    members: &[Member],
    epoch: EnvelopeId,
    reader: AuthorId,
) -> Option<EpochFault> {
    let (stated, time) = epoch_in(log, epoch)?;
    let own = members.iter().filter(|member| member.author == reader);
    own.into_iter()
        .find(|member| omits(log, stated, time, member))
        .map(|member| EpochFault::Omits {
            grant: member.grant,
        })
}
