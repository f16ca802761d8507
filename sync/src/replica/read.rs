//! Bodies of a document, out of their seals or out of the snapshots that hold them.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::EnvelopeId;
use aramaki_sync_core::admission::wanted_bodies;
use aramaki_sync_core::engine::Admitted;
use aramaki_sync_core::envelope::{Envelope, FormError, Header};
use aramaki_sync_core::statement::Body;

use super::inspect::{EpochKeys, Readable};
use crate::store::{Store, StoreError, StoredRow};

pub(super) const READ_AT_ONCE: usize = 512;

/// The entries with their bodies, where these are sound and their keys are here. Of damaged rows
/// `damaged` is told the arrival.
pub(super) fn bodies(
    store: &dyn Store,
    readable: Readable,
    damaged: &mut dyn FnMut(u64),
) -> Result<Vec<Admitted>, StoreError> {
    let Readable {
        mut entries,
        keys,
        covered,
    } = readable;
    let mut bare = BTreeMap::new();
    for some in entries.chunks_mut(READ_AT_ONCE) {
        let ids: Vec<EnvelopeId> = some.iter().map(|entry| entry.id).collect();
        let mut bodies = BTreeMap::new();
        for row in store.envelopes(&ids)? {
            let arrival = row.arrival;
            match open(row, &keys) {
                Ok((envelope, Some(body))) => drop(bodies.insert(envelope.id(), body)),
                Ok((envelope, None)) if covered.contains_key(&envelope.id()) => {
                    bare.insert(envelope.id(), envelope.header().clone());
                }
                Ok(_unreadable) => {}
                Err(cause) => {
                    tracing::error!(arrival, %cause, "a stored body is damaged");
                    damaged(arrival);
                }
            }
        }
        for entry in some {
            entry.body = bodies.remove(&entry.id);
        }
    }
    if !bare.is_empty() {
        let mut held = held_in_snapshots(store, &bare, &keys, &covered, damaged)?;
        for entry in entries.iter_mut().filter(|entry| entry.body.is_none()) {
            entry.body = held.remove(&entry.id);
        }
    }
    Ok(entries)
}

/// The body of a stored envelope, if it is sound and its key is here.
fn open(row: StoredRow, keys: &EpochKeys) -> Result<(Envelope, Option<Body>), FormError> {
    let envelope = row.recall()?;
    let key = keys.get(&envelope.header().epoch);
    let body = match key.filter(|_key| envelope.body().is_some()) {
        Some(key) => Some(envelope.open(key)?),
        None => None,
    };
    Ok((envelope, body))
}

/// What snapshots hold of envelopes whose sealed bodies are not here, one snapshot after another: each
/// body is checked against its own header once more.
fn held_in_snapshots(
    store: &dyn Store,
    bare: &BTreeMap<EnvelopeId, Header>,
    keys: &EpochKeys,
    covered: &BTreeMap<EnvelopeId, EnvelopeId>,
    damaged: &mut dyn FnMut(u64),
) -> Result<BTreeMap<EnvelopeId, Body>, StoreError> {
    let snapshots = bare.keys().filter_map(|id| covered.get(id).copied());
    let snapshots: BTreeSet<EnvelopeId> = snapshots.collect();
    let mut bodies = BTreeMap::new();
    for by in snapshots {
        for row in store.envelopes(&[by])? {
            let arrival = row.arrival;
            let of_it = |id| {
                (covered.get(&id) == Some(&by))
                    .then(|| bare.get(&id))
                    .flatten()
            };
            match held_in(row, keys, of_it) {
                Ok(held) => bodies.extend(held),
                Err(cause) => {
                    tracing::error!(arrival, cause, "a stored snapshot is damaged");
                    damaged(arrival);
                }
            }
        }
    }
    Ok(bodies)
}

/// The bodies that a stored snapshot holds of the envelopes that `header` knows.
///
/// # Errors
/// What is wrong with the stored snapshot.
pub(super) fn held_in<'a>(
    snapshot: StoredRow,
    keys: &'a EpochKeys,
    header: impl Fn(EnvelopeId) -> Option<&'a Header>,
) -> Result<BTreeMap<EnvelopeId, Body>, String> {
    let snapshot = snapshot.recall().map_err(|cause| cause.to_string())?;
    let key = keys.get(&snapshot.header().epoch);
    let key = key.ok_or_else(|| "the key of its epoch is not here".to_owned())?;
    let wanted = |id| {
        let header = header(id)?;
        Some((header, keys.get(&header.epoch)?))
    };
    wanted_bodies(&snapshot, key, wanted).map_err(|cause| cause.to_string())
}
