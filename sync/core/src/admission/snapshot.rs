//! What a snapshot gives: plain bodies, each checked by its own envelope (TRUST §4).
//!
//! Whoever wrote the snapshot is trusted for completeness alone. A listed body counts as the one that
//! its envelope's author signed, or not at all; what it does not list is read from the log.
//!
//! **Invariant:** no verdict depends on a snapshot, and no body comes out of one that would not have
//! come out of its own envelope. What comes out of one can be sealed again, to the bytes that its author
//! signed: whoever has a snapshot can give what it holds to who keeps sealed bodies alone.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;
use thiserror::Error;

use super::evaluation::Evaluation;
use super::keyring::Keyring;
use super::log::SpaceLog;
use super::verdict::Verdict;
use crate::codec;
use crate::envelope::{ENVELOPE_BYTES_MAX, Envelope, FormError, Header};
use crate::guard::{Guard, holds};
use crate::id::{DocumentId, EnvelopeId};
use crate::key::EpochKey;
use crate::statement::{Body, Kind};

/// Bytes of one snapshot's list, about: with header, seal and one more body it stays below
/// [`ENVELOPE_BYTES_MAX`](crate::envelope::ENVELOPE_BYTES_MAX).
pub const SNAPSHOT_BYTES_TARGET: usize = 192 << 10;
/// The longest body that is listed; longer ones are read from the log, where they cost one request each.
pub const LISTED_BYTES_MAX: usize = 48 << 10;

/// What a list may unfold to: as much as an envelope could hold without folding.
const UNFOLDED_BYTES_MAX: usize = ENVELOPE_BYTES_MAX;
/// How hard it is tried to fold a list, of 1 to 10: beyond this much time wins little.
const DEFLATE_LEVEL: u8 = 6;

/// Why a listed body was left out. The others of the list count all the same.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PassedOver {
    /// No envelope of that id is in this Space.
    #[error("of an envelope that is not in this Space")]
    Unknown,
    /// Its envelope belongs to another document.
    #[error("of another document")]
    Document,
    /// Its envelope is control, a snapshot itself, or something else that is not listed.
    #[error("of a kind that is not listed")]
    Kind,
    /// The key of its envelope's epoch is not here.
    #[error("under a key that is not here")]
    NoKey,
    /// It is not what its envelope's author signed.
    #[error("not what their authors signed")]
    Hash,
    /// It is what its author signed, and was sealed in a way that nobody can repeat.
    #[error("sealed otherwise than can be repeated")]
    Seal,
    /// It is what its author signed, and has no form.
    #[error("without form")]
    Form,
}

/// Why nothing is taken out of a snapshot.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotFault {
    /// Its own envelope is not admitted.
    #[error("its envelope is not admitted")]
    Verdict(Verdict),
    /// The key of its epoch is not here.
    #[error("the key of its epoch is not here")]
    NoKey,
    /// It does not open, or is something else.
    #[error("{0}")]
    Form(#[from] FormError),
    /// Its list is not sorted by id, or names one twice.
    #[error("its list is not in order")]
    Order,
}

/// What a snapshot gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSnapshot {
    /// Of which document.
    pub document: DocumentId,
    /// Bodies that are those which their own authors signed, by envelope.
    pub bodies: BTreeMap<EnvelopeId, Body>,
    /// How many were left out, and why.
    pub passed_over: BTreeMap<PassedOver, usize>,
}

/// Opens a snapshot and checks each body that it lists against that body's own envelope.
///
/// # Errors
/// [`SnapshotFault`]; the log is read instead then. Cost is bounded by the envelope's length: one
/// decryption and one keyed hash of every byte.
pub fn open_snapshot(
    log: &SpaceLog,
    evaluation: &Evaluation,
    keyring: &Keyring,
    snapshot: &Envelope,
) -> Result<OpenedSnapshot, SnapshotFault> {
    let verdict = evaluation.verdict(snapshot.id());
    if verdict != Verdict::Admitted && holds(Guard::SnapshotAdmitted) {
        return Err(SnapshotFault::Verdict(verdict));
    }
    let header = snapshot.header();
    let key = keyring.get(header.epoch).ok_or(SnapshotFault::NoKey)?;
    let mut opened = OpenedSnapshot {
        document: header.document,
        bodies: BTreeMap::new(),
        passed_over: BTreeMap::new(),
    };
    for (id, plain) in listed(snapshot, key)? {
        match check(log, keyring, header.document, id, &plain) {
            Ok(body) => {
                opened.bodies.insert(id, body);
            }
            Err(why) => *opened.passed_over.entry(why).or_default() += 1,
        }
    }
    Ok(opened)
}

fn check(
    log: &SpaceLog,
    keyring: &Keyring,
    document: DocumentId,
    id: EnvelopeId,
    plain: &[u8],
) -> Result<Body, PassedOver> {
    let header = &log.get(id).ok_or(PassedOver::Unknown)?.header;
    if header.document != document && holds(Guard::ListedDocument) {
        return Err(PassedOver::Document);
    }
    let key = keyring.get(header.epoch);
    match (key, is_listable(header.kind)) {
        (_, false) if holds(Guard::ListedKind) => Err(PassedOver::Kind),
        (None, _) => Err(PassedOver::NoKey),
        (Some(key), _) => {
            let body = listed_body(header, key, plain)?;
            if holds(Guard::ListedSeal) && header.seal_again(key, plain).is_none() {
                return Err(PassedOver::Seal);
            }
            Ok(body)
        }
    }
}

/// What a snapshot lists, as its author says: nothing of it is checked yet.
///
/// # Errors
/// When it does not open, is no snapshot, or its list has another order than by id.
fn listed(
    snapshot: &Envelope,
    key: &EpochKey,
) -> Result<Vec<(EnvelopeId, ByteBuf)>, SnapshotFault> {
    let list = list_in(snapshot.open(key)?)?;
    if !list.is_sorted_by(|(a, _), (b, _)| a < b) && holds(Guard::SnapshotOrder) {
        return Err(SnapshotFault::Order);
    }
    Ok(list)
}

/// The list in a body, as it stands there.
///
/// # Errors
/// When it is no snapshot's, or does not unfold to a list of at most as much as an envelope may hold.
pub(crate) fn list_in(body: Body) -> Result<Vec<(EnvelopeId, ByteBuf)>, FormError> {
    let fault = FormError::Field("its list does not unfold");
    match body {
        Body::Snapshot(list) => Ok(list),
        Body::FoldedSnapshot(folded) => {
            let plain =
                miniz_oxide::inflate::decompress_to_vec_with_limit(&folded, UNFOLDED_BYTES_MAX);
            let plain = plain.map_err(|_cause| fault)?;
            codec::decode(&plain).map_err(|_cause| fault)
        }
        _other => Err(FormError::Field("it is no snapshot")),
    }
}

/// The plain bodies that a snapshot lists and `wanted` knows, each checked against its own header;
/// those that are not what was signed are left out.
///
/// For reading what was checked by [`open_snapshot`] before, on a thread that has no log: `wanted`
/// gives the stored header of an envelope and the key of its epoch.
///
/// # Errors
/// As [`open_snapshot`], apart from the verdict: a body that proves itself needs none.
pub fn wanted_bodies<'a>(
    snapshot: &Envelope,
    key: &EpochKey,
    wanted: impl Fn(EnvelopeId) -> Option<(&'a Header, &'a EpochKey)>,
) -> Result<BTreeMap<EnvelopeId, Body>, SnapshotFault> {
    let mut bodies = BTreeMap::new();
    for (id, plain) in listed(snapshot, key)? {
        if let Some((header, key)) = wanted(id)
            && let Ok(body) = listed_body(header, key, &plain)
        {
            bodies.insert(id, body);
        }
    }
    Ok(bodies)
}

/// Bodies that a snapshot lists and `wanted` knows, sealed again as their authors sealed them; what is
/// not what was signed is left out.
///
/// # Errors
/// As [`wanted_bodies`].
pub fn sealed_again<'a>(
    snapshot: &Envelope,
    key: &EpochKey,
    wanted: impl Fn(EnvelopeId) -> Option<(&'a Header, &'a EpochKey)>,
) -> Result<BTreeMap<EnvelopeId, Vec<u8>>, SnapshotFault> {
    let listed = listed(snapshot, key)?.into_iter();
    let sealed = listed.filter_map(|(id, plain)| {
        let (header, key) = wanted(id)?;
        Some((id, header.seal_again(key, &plain)?))
    });
    Ok(sealed.collect())
}

/// Reads a plain body if it is the one that the envelope of this header was signed with.
///
/// # Errors
/// [`PassedOver::Hash`] and [`PassedOver::Form`].
fn listed_body(header: &Header, key: &EpochKey, plain: &[u8]) -> Result<Body, PassedOver> {
    if !header.is_content(key, plain) && holds(Guard::ListedHash) {
        return Err(PassedOver::Hash);
    }
    header
        .read_content(plain)
        .map_err(|_cause| PassedOver::Form)
}

/// Whether bodies of a kind are listed: what documents are made of.
pub const fn is_listable(kind: Kind) -> bool {
    matches!(kind, Kind::Changes | Kind::Merge)
}

/// The body of an envelope as a snapshot lists it; none if readers would pass it over.
pub fn listed_as(envelope: &Envelope, key: &EpochKey) -> Option<Body> {
    let body = envelope.open(key).ok()?;
    let plain = codec::encode(&body).ok()?;
    envelope
        .header()
        .seal_again(key, &plain)
        .map(|_sealed| body)
}

/// The snapshot of these bodies; those that are too long are left out.
pub fn snapshot_of(bodies: BTreeMap<EnvelopeId, Body>) -> Body {
    let plain = bodies.into_iter().filter_map(|(id, body)| {
        let plain = codec::encode(&body).ok()?;
        (plain.len() <= LISTED_BYTES_MAX).then(|| (id, ByteBuf::from(plain)))
    });
    fold(plain.collect())
}

/// Folds a list; one that has no encoding stays as it is.
fn fold(list: Vec<(EnvelopeId, ByteBuf)>) -> Body {
    match codec::encode(&list) {
        Ok(plain) => {
            let folded = miniz_oxide::deflate::compress_to_vec(&plain, DEFLATE_LEVEL);
            Body::FoldedSnapshot(folded.into())
        }
        Err(_) => Body::Snapshot(list),
    }
}

impl OpenedSnapshot {
    /// Whether everything that it lists counts.
    pub fn is_faultless(&self) -> bool {
        let key = PassedOver::NoKey;
        self.passed_over.keys().all(|why| *why == key)
    }

    /// Whether something could not be checked for want of a key that may come.
    pub fn lacked_key(&self) -> bool {
        self.passed_over.contains_key(&PassedOver::NoKey)
    }
}
