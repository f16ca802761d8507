//! What a change must be before Automerge applies it (TRUST §7).
//!
//! Even an authorised writer is hostile input. The order matters: size, a bounded scan, decoding
//! with panics caught, the actor, the numbers, what the envelope builds on, the canonical form,
//! and for journals and timelines a strict whitelist. All of it depends on the change and its dependencies alone, so every
//! replica decides alike in any order of arrival.

use std::collections::BTreeMap;

use aramaki_sync_core::contain;
use automerge::legacy::{Key, ObjectId, OpType};
use automerge::{Change, ExpandedChange, ScalarValue};
use thiserror::Error;

use crate::doc::genesis::first_actor;
use crate::doc::scan::{Scanned, scan};
use crate::entry::ENTRY_LEN_BYTES_MAX;
use crate::id::EntryId;

/// How long a change may be.
pub const CHANGE_LEN_BYTES_MAX: usize = 256 * 1_024;
/// How many operation numbers a change may leave out.
const START_OP_GAP_MAX: u64 = 1_000_000;
/// The highest operation number that a document can have.
const OPERATION_NUMBER_MAX: u64 = 1 << 31;
/// The latest time of a change, Unix seconds.
const TIME_SECONDS_MAX: i64 = 253_402_300_799;
/// The operation of the first change that makes the map of entries.
const ENTRIES_OPERATION: u64 = 2;

/// Why a change was refused.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is longer than [`CHANGE_LEN_BYTES_MAX`].
    #[error("a change of {0} bytes")]
    TooLong(usize),
    /// It is a compressed change, a document or a bundle.
    #[error("not a plain change")]
    ChunkKind,
    /// Its bytes do not follow the format, here.
    #[error("a malformed change: {0}")]
    Malformed(&'static str),
    /// It depends on too many changes.
    #[error("a change with {0} dependencies")]
    TooManyDependencies(u64),
    /// It has too many operations, or stands for more than its bytes say.
    #[error("a change with too many operations")]
    TooManyOperations,
    /// Automerge cannot decode it.
    #[error("a change that cannot be decoded")]
    Decode,
    /// Its actor is not that of the chain which carries it.
    #[error("a change under another's actor")]
    Actor,
    /// It is not the next change of its actor.
    #[error("change {found} of its actor where {expected} is next")]
    Seq {
        /// The next number.
        expected: u64,
        /// The number it has.
        found: u64,
    },
    /// It does not depend on the change of its actor before it, or on nothing.
    #[error("a change without a dependency that it must have")]
    Dependencies,
    /// Its operations are numbered below its dependencies' or far above.
    #[error("a change whose operations are numbered wrongly")]
    StartOp,
    /// Its time is out of range.
    #[error("a change with an impossible time")]
    Time,
    /// Encoding it again gives other bytes.
    #[error("a change in another than the canonical form")]
    NotCanonical,
    /// It names an actor whose changes it does not build on.
    #[error("a change that names an unknown actor")]
    UnknownActor,
    /// It depends on a change that its envelope does not build on, so that nobody vouched for it.
    #[error("a change that depends on more than its envelope names")]
    NotCovered,
    /// In a journal or timeline it does something else than add an entry.
    #[error("a change that is no new entry: {0}")]
    NotAnEntry(&'static str),
    /// Its author may comment, and the document is no timeline.
    #[error("a change of a document by somebody who may only comment")]
    Comment,
    /// The document does not survive it.
    #[error("a change that breaks the document: {0}")]
    Trial(&'static str),
    /// The document is of another kind than the change supposes.
    #[error("a change for another kind of document")]
    Kind,
    /// Too much waits for changes that did not come.
    #[error("a change whose dependencies are missing, and no room to wait")]
    NoRoom,
}

/// What is known of the document that the change is for.
pub(super) trait Known {
    /// The highest operation number of a known change; none when it is not known.
    fn max_op(&self, hash: &[u8; 32]) -> Option<u64>;
    /// Number and hash of the actor's last change.
    fn last(&self, actor: &[u8; 16]) -> Option<(u64, [u8; 32])>;
    /// Whether the envelope that carries the change in question builds on the one that carried
    /// this change; none while that is not known.
    fn covers(&self, hash: &[u8; 32]) -> Option<bool>;
}

/// An entry that a change adds to a journal or timeline.
pub(crate) type NewEntry = (EntryId, Vec<u8>);

/// What a change says, besides what Automerge makes of it.
#[derive(Debug)]
pub(super) enum News {
    /// Entries of a log.
    Entries(Vec<NewEntry>),
    /// Operations on anything else.
    Operations(Box<ExpandedChange>),
}

/// What became of a change at the gate.
#[derive(Debug)]
pub(super) enum Passed {
    /// It may be applied.
    Change(Box<Change>, News),
    /// Its dependencies are not here yet.
    Waits,
}

/// Reads what can be known without Automerge.
pub(super) fn look(bytes: &[u8]) -> Result<Scanned, Refusal> {
    if bytes.len() > CHANGE_LEN_BYTES_MAX {
        return Err(Refusal::TooLong(bytes.len()));
    }
    scan(bytes)
}

/// Decides about one change that a chain with this actor carried.
pub(super) fn gate(
    bytes: &[u8],
    actor: &[u8; 16],
    is_log: bool,
    known: &impl Known,
) -> Result<Passed, Refusal> {
    let scanned = look(bytes)?;
    if scanned.actor != *actor {
        return Err(Refusal::Actor);
    }
    if scanned.dependencies.is_empty() {
        return Err(Refusal::Dependencies);
    }
    let mut max_op = 0;
    for dependency in &scanned.dependencies {
        match known.max_op(dependency) {
            Some(op) => max_op = max_op.max(op),
            None => return Ok(Passed::Waits),
        }
    }
    let (last_seq, last_hash) = known.last(actor).unzip();
    let expected = last_seq.unwrap_or(0) + 1;
    if scanned.seq != expected {
        return Err(Refusal::Seq {
            expected,
            found: scanned.seq,
        });
    }
    if last_hash.is_some_and(|last| !scanned.dependencies.contains(&last)) {
        return Err(Refusal::Dependencies);
    }
    for dependency in &scanned.dependencies {
        match known.covers(dependency) {
            Some(true) => {}
            Some(false) => return Err(Refusal::NotCovered),
            None => return Ok(Passed::Waits),
        }
    }
    let (change, expanded) = decode(bytes)?;
    let start_op = change.start_op().get();
    let next = max_op.saturating_add(1);
    let end = start_op.saturating_add(change.len() as u64);
    if start_op < next || start_op > next + START_OP_GAP_MAX || end > OPERATION_NUMBER_MAX {
        return Err(Refusal::StartOp);
    }
    if !(0..=TIME_SECONDS_MAX).contains(&change.timestamp()) {
        return Err(Refusal::Time);
    }
    if change.is_empty() {
        return Err(Refusal::Malformed("no operations"));
    }
    let first = first_actor();
    for other in change.other_actor_ids() {
        let other: &[u8; 16] = other
            .to_bytes()
            .try_into()
            .map_err(|_length| Refusal::Actor)?;
        if first.to_bytes() != other && known.last(other).is_none() {
            return Err(Refusal::UnknownActor);
        }
    }
    let news = if is_log {
        News::Entries(whitelist(expanded)?)
    } else {
        News::Operations(Box::new(expanded))
    };
    Ok(Passed::Change(Box::new(change), news))
}

/// Decodes with panics caught, and checks that encoding it again gives the same bytes, which
/// also proves the checksum.
fn decode(bytes: &[u8]) -> Result<(Change, ExpandedChange), Refusal> {
    let decoded = contain::run(|| {
        let change = Change::from_bytes(bytes.to_vec()).map_err(|_reason| Refusal::Decode)?;
        let expanded = change.decode();
        let again = Change::from(expanded.clone());
        if again.raw_bytes() == bytes && change.raw_bytes() == bytes {
            Ok((change, expanded))
        } else {
            Err(Refusal::NotCanonical)
        }
    });
    decoded.unwrap_or(Err(Refusal::Decode))
}

/// Lets only new entries through: each a single `Put(Bytes)` under a ULID in the map of entries,
/// without predecessor. Two writers may choose one ULID; then both entries are read.
fn whitelist(change: ExpandedChange) -> Result<Vec<NewEntry>, Refusal> {
    let first = first_actor();
    let mut entries = BTreeMap::new();
    for operation in change.operations {
        match &operation.obj {
            ObjectId::Id(id) if id.0 == ENTRIES_OPERATION && id.1 == first => {}
            _ => return Err(Refusal::NotAnEntry("another place")),
        }
        let Key::Map(key) = &operation.key else {
            return Err(Refusal::NotAnEntry("not a key"));
        };
        let id = key
            .parse()
            .map_err(|_not_a_ulid| Refusal::NotAnEntry("key"))?;
        if operation.insert || !operation.pred.is_empty() {
            return Err(Refusal::NotAnEntry("predecessor"));
        }
        match operation.action {
            OpType::Put(ScalarValue::Bytes(bytes)) if bytes.len() <= ENTRY_LEN_BYTES_MAX => {
                if entries.insert(id, bytes).is_some() {
                    return Err(Refusal::NotAnEntry("key"));
                }
            }
            _ => return Err(Refusal::NotAnEntry("value")),
        }
    }
    Ok(entries.into_iter().collect())
}
