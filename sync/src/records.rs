//! What the engine's operations and the driver's own notes are called in the store.

use std::collections::BTreeMap;

use aramaki_sync_core::engine::{
    AccessEnd, SecretSeed, StoreOperation, StoredCounter, StoredCursor,
};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, Instance, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Operation, Secret};
use crate::transport::PeerAddress;

/// Names of cursors begin so.
pub(crate) const CURSOR_PREFIX: &[u8] = b"cursor/";
/// Names of reserved ephemeral counters begin so.
pub(crate) const COUNTER_PREFIX: &[u8] = b"counter/";
/// Names of counters that are exactly what was heard begin so; they are that while they are equal to what stands
/// under the other name.
pub(crate) const EXACT_PREFIX: &[u8] = b"counter-exact/";
/// Names of content whose sealed body is not here begin so. The value is empty, or the snapshot that
/// holds the plain body: who does not know that takes the body for missing and fetches it.
pub(crate) const BODILESS_PREFIX: &[u8] = b"bodiless/";
/// Names of followed Spaces begin so.
pub(crate) const FOLLOW_PREFIX: &[u8] = b"follow/";
/// Names of invitation seeds begin so.
pub(crate) const INVITATION_PREFIX: &[u8] = b"invitation/";
/// Names of what is known of awaited Spaces begin so.
pub(crate) const AWAITED_PREFIX: &[u8] = b"awaited/";
/// Names of what peers said of access that is over begin so.
pub(crate) const ENDED_PREFIX: &[u8] = b"ended/";
/// The name of the port of last time.
pub(crate) const PORT: &[u8] = b"network/port";
/// Names of peers' addresses begin so.
pub(crate) const PEER_PREFIX: &[u8] = b"peer/";

fn named(prefix: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

fn bodiless_key(space: SpaceId, id: EnvelopeId) -> Vec<u8> {
    named(BODILESS_PREFIX, &[space.as_bytes(), id.as_bytes()])
}

/// The store's operations for the engine's.
pub(crate) fn operations(operations: Vec<StoreOperation>) -> Vec<Operation> {
    let mut out = Vec::with_capacity(operations.len());
    for operation in operations {
        match operation {
            StoreOperation::Put {
                space,
                envelope,
                received,
            } => {
                if envelope.statement().is_none() && envelope.body().is_none() {
                    out.push(Operation::PutValue {
                        key: bodiless_key(space, envelope.id()),
                        value: Vec::new(),
                    });
                }
                out.push(Operation::PutEnvelope { envelope, received });
            }
            StoreOperation::PutBody { space, id, body } => {
                out.push(Operation::PutBody { id, body });
                let key = bodiless_key(space, id);
                out.push(Operation::RemoveValue { key });
            }
            StoreOperation::Cover { space, by, ids } => {
                for id in ids {
                    out.push(Operation::DropBody { id, by });
                    out.push(Operation::PutValue {
                        key: bodiless_key(space, id),
                        value: by.as_bytes().to_vec(),
                    });
                }
            }
            StoreOperation::PutCursor(cursor) => {
                let peer: &AuthorId = &cursor.peer;
                let key = named(CURSOR_PREFIX, &[peer.as_bytes(), cursor.space.as_bytes()]);
                match postcard::to_stdvec(&cursor.cursor) {
                    Ok(value) => out.push(Operation::PutValue { key, value }),
                    // Without a cursor the next catch-up compares summaries: slower, never wrong.
                    Err(cause) => tracing::error!(%cause, "a cursor cannot be encoded"),
                }
            }
            StoreOperation::PutCounter(counter) => {
                let StoredCounter { space, chain, .. } = counter;
                let instance = chain.instance.0.to_be_bytes();
                let names: [&[u8]; 3] = [space.as_bytes(), chain.author.as_bytes(), &instance];
                let value = counter.reserved.to_be_bytes().to_vec();
                if counter.exact {
                    out.push(Operation::PutValue {
                        key: named(EXACT_PREFIX, &names),
                        value: value.clone(),
                    });
                }
                out.push(Operation::PutValue {
                    key: named(COUNTER_PREFIX, &names),
                    value,
                });
            }
            StoreOperation::SetInstance(instance) => out.push(Operation::SetInstance(instance)),
            StoreOperation::Follow { space, invitation } => {
                out.extend(follow(space, invitation.as_ref()));
            }
            StoreOperation::Unfollow { space } => out.extend(unfollow(space)),
            other => tracing::error!(?other, "the engine keeps something unknown"),
        }
    }
    out
}

fn follow(space: SpaceId, invitation: Option<&SecretSeed>) -> [Operation; 2] {
    let key = named(INVITATION_PREFIX, &[space.as_bytes()]);
    let secret = match invitation {
        Some(seed) => Operation::PutSecret {
            key,
            value: Secret::from(&seed.0[..]),
        },
        None => Operation::RemoveSecret { key },
    };
    let followed = Operation::PutValue {
        key: named(FOLLOW_PREFIX, &[space.as_bytes()]),
        value: Vec::new(),
    };
    [followed, secret]
}

fn unfollow(space: SpaceId) -> [Operation; 4] {
    let named = |prefix| named(prefix, &[space.as_bytes()]);
    [
        Operation::RemoveValue {
            key: named(FOLLOW_PREFIX),
        },
        Operation::RemoveSecret {
            key: named(INVITATION_PREFIX),
        },
        Operation::RemoveValue {
            key: named(AWAITED_PREFIX),
        },
        Operation::RemoveValue {
            key: named(ENDED_PREFIX),
        },
    ]
}

/// What is known of a Space that an invitation leads to, until it is here. Its key is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// Since when.
    pub since: Timestamp,
    /// The grant that the invitation's key holds.
    pub grant: EnvelopeId,
    /// What the invitation allows.
    pub capability: Capability,
    /// Until when it can be redeemed.
    pub redeem_until: Timestamp,
    /// Until when its guests stay.
    pub end: Timestamp,
    /// Where the Space can be found.
    pub peers: Vec<PeerAddress>,
    /// From when on it can be redeemed; none: since it was made. It stands last: programs that do not know it
    /// read what stands before, and what they wrote ends there.
    pub begin: Option<Timestamp>,
}

/// Keeps what is known of an awaited Space.
pub(crate) fn put_awaited(space: SpaceId, awaited: &Awaited) -> Option<Operation> {
    Some(Operation::PutValue {
        key: named(AWAITED_PREFIX, &[space.as_bytes()]),
        value: postcard::to_stdvec(awaited).ok()?,
    })
}

/// Keeps or forgets that a peer said that this device's access to a Space is over.
pub(crate) fn put_ended(space: SpaceId, why: Option<AccessEnd>) -> Operation {
    let key = named(ENDED_PREFIX, &[space.as_bytes()]);
    match why {
        Some(why) => Operation::PutValue {
            key,
            value: vec![u8::from(why == AccessEnd::UsedUp)],
        },
        None => Operation::RemoveValue { key },
    }
}

/// Why access is over, as it was kept.
pub(crate) fn ended(value: &[u8]) -> AccessEnd {
    match value {
        [1] => AccessEnd::UsedUp,
        _ => AccessEnd::Over,
    }
}

/// Forgets that a Space is awaited.
pub(crate) fn drop_awaited(space: SpaceId) -> Operation {
    Operation::RemoveValue {
        key: named(AWAITED_PREFIX, &[space.as_bytes()]),
    }
}

/// An awaited Space as it was kept.
pub(crate) fn awaited(value: &[u8]) -> Option<Awaited> {
    const BEGIN_NONE: u8 = 0;
    let older = || postcard::from_bytes(&[value, &[BEGIN_NONE]].concat());
    postcard::from_bytes(value).or_else(|_ends| older()).ok()
}

/// A cursor as it was kept; one that does not decode is as good as none.
pub(crate) fn cursor(key: &[u8], value: &[u8]) -> Option<StoredCursor> {
    let names = key.strip_prefix(CURSOR_PREFIX)?;
    let (peer, space) = names.split_at_checked(32)?;
    Some(StoredCursor {
        peer: AuthorId::from_bytes(peer.try_into().ok()?),
        space: SpaceId::from_bytes(space.try_into().ok()?),
        cursor: postcard::from_bytes(value).ok()?,
    })
}

/// Content whose body is not here.
pub(crate) fn bodiless(key: &[u8]) -> Option<(SpaceId, EnvelopeId)> {
    let names = key.strip_prefix(BODILESS_PREFIX)?;
    let (space, id) = names.split_at_checked(32)?;
    Some((
        SpaceId::from_bytes(space.try_into().ok()?),
        EnvelopeId::from_bytes(id.try_into().ok()?),
    ))
}

/// The snapshot that holds the body, by the value beside a name that [`bodiless`] reads.
pub(crate) fn covered_by(value: &[u8]) -> Option<EnvelopeId> {
    Some(EnvelopeId::from_bytes(value.try_into().ok()?))
}

/// A reserved counter as it was kept; `exact` are all values under [`EXACT_PREFIX`].
pub(crate) fn counter(
    key: &[u8],
    value: &[u8],
    exact: &BTreeMap<Vec<u8>, Vec<u8>>,
) -> Option<StoredCounter> {
    let names = key.strip_prefix(COUNTER_PREFIX)?;
    let (space, chain) = names.split_at_checked(32)?;
    let (author, instance) = chain.split_at_checked(32)?;
    Some(StoredCounter {
        space: SpaceId::from_bytes(space.try_into().ok()?),
        chain: Chain {
            author: AuthorId::from_bytes(author.try_into().ok()?),
            instance: Instance(u64::from_be_bytes(instance.try_into().ok()?)),
        },
        reserved: u64::from_be_bytes(value.try_into().ok()?),
        exact: exact
            .get(&named(EXACT_PREFIX, &[names]))
            .is_some_and(|heard| heard == value),
    })
}

/// The Space in a name.
pub(crate) fn space(prefix: &[u8], key: &[u8]) -> Option<SpaceId> {
    let space = key.strip_prefix(prefix)?;
    Some(SpaceId::from_bytes(space.try_into().ok()?))
}

/// Keeps a peer's address.
pub(crate) fn put_peer(address: &PeerAddress) -> Option<Operation> {
    Some(Operation::PutValue {
        key: named(PEER_PREFIX, &[&address.endpoint]),
        value: postcard::to_stdvec(address).ok()?,
    })
}

/// A peer's address as it was kept.
pub(crate) fn peer(value: &[u8]) -> Option<PeerAddress> {
    postcard::from_bytes(value).ok()
}

#[cfg(test)]
mod tests {
    use aramaki_sync_core::Entropy;
    use aramaki_sync_core::envelope::{self, Position};
    use aramaki_sync_core::key::{DeviceKeys, EpochKey};
    use aramaki_sync_core::statement::Body;

    use super::*;
    use crate::store::{Folder, RedbStore, Store as _};

    #[test]
    fn an_awaited_space_is_read_as_older_programs_kept_it_and_they_read_it() {
        #[derive(PartialEq, Debug, Serialize, Deserialize)]
        struct Older {
            since: Timestamp,
            grant: EnvelopeId,
            capability: Capability,
            redeem_until: Timestamp,
            end: Timestamp,
            peers: Vec<PeerAddress>,
        }
        let time = Timestamp::from_millis;
        let kept = |begin| Awaited {
            since: time(1),
            grant: EnvelopeId::from_bytes([2; 32]),
            capability: Capability::Write,
            redeem_until: time(3),
            end: time(4),
            peers: vec![PeerAddress {
                endpoint: [5; 32],
                addresses: vec!["127.0.0.1:7410".to_owned()],
            }],
            begin,
        };
        let encode = |it: &Awaited| postcard::to_stdvec(it).unwrap();
        for begin in [None, Some(time(2))] {
            let bytes = encode(&kept(begin));
            assert_eq!(awaited(&bytes), Some(kept(begin)));
            let older: Older = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(older.peers, kept(begin).peers);
            let again = postcard::to_stdvec(&older).unwrap();
            assert_eq!(awaited(&again), Some(kept(None)));
        }
        assert_eq!(awaited(&encode(&kept(None))[..40]), None);
    }

    #[test]
    fn a_body_that_comes_later_and_a_reserved_counter_are_kept_in_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::from_seed([1; 32]);
        let store = RedbStore::open(Folder::open(folder.path()).unwrap(), &keys).unwrap();
        let mut entropy = Entropy::from_seed([4; 32]);
        let key = EpochKey::generate(&mut entropy);
        let space = SpaceId::from_bytes([2; 32]);
        let position = Position {
            space,
            instance: Instance(3),
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority: EnvelopeId::ZERO,
            ancestors: Vec::new(),
            time: Timestamp::from_millis(1_000),
        };
        let sealed = (EnvelopeId::from_bytes([5; 32]), &key);
        let document = aramaki_sync_core::DocumentId::named("system");
        let whole = envelope::sealed(&keys, position, document, &Body::Merge, sealed).unwrap();
        let mut raw = whole.raw().clone();
        let body = raw.body.take().unwrap().into_vec();
        let counter = StoredCounter {
            space,
            chain: whole.header().chain,
            reserved: 77,
            exact: false,
        };
        let put = StoreOperation::Put {
            space,
            envelope: std::sync::Arc::new(raw.verify().unwrap()),
            received: Timestamp::from_millis(9),
        };
        let first = operations(vec![put, StoreOperation::PutCounter(counter)]);
        store.commit(&first).unwrap();
        let bodiless_now = || {
            let values = store.values(BODILESS_PREFIX).unwrap();
            let named = values.iter().filter_map(|(key, _empty)| bodiless(key));
            named.collect::<Vec<_>>()
        };
        let stored = |id| store.envelopes(&[id]).unwrap().remove(0).raw;
        assert_eq!(bodiless_now(), [(space, whole.id())]);
        assert_eq!(stored(whole.id()).body, None);
        let counter_now = || {
            let exact = store.values(EXACT_PREFIX).unwrap().into_iter().collect();
            let (name, value) = &store.values(COUNTER_PREFIX).unwrap()[0];
            super::counter(name, value, &exact)
        };
        assert_eq!(counter_now(), Some(counter));
        // What was heard exactly is that until something is reserved again.
        let heard = StoredCounter {
            reserved: 50,
            exact: true,
            ..counter
        };
        for next in [heard, counter] {
            let put = operations(vec![StoreOperation::PutCounter(next)]);
            store.commit(&put).unwrap();
            assert_eq!(counter_now(), Some(next));
        }
        let id = whole.id();
        let later = operations(vec![StoreOperation::PutBody { space, id, body }]);
        store.commit(&later).unwrap();
        assert_eq!(bodiless_now(), []);
        assert_eq!(&stored(id), whole.raw());
    }

    #[test]
    fn a_note_of_an_older_version_is_a_missing_body_and_a_newer_one_names_the_snapshot() {
        let [space, other] = [1, 2].map(|byte| SpaceId::from_bytes([byte; 32]));
        let [id, by] = [3, 4].map(|byte| EnvelopeId::from_bytes([byte; 32]));
        assert_eq!(covered_by(&[]), None, "an older version's note");
        assert_eq!(covered_by(&[4; 31]), None);
        let ids = vec![id];
        let cover = operations(vec![StoreOperation::Cover { space, by, ids }]);
        let [
            Operation::DropBody {
                id: dropped,
                by: evidence,
            },
            Operation::PutValue { key, value },
        ] = cover.as_slice()
        else {
            panic!("{cover:?}");
        };
        assert_eq!((*dropped, *evidence), (id, by));
        // An older version reads the name alone, and takes the body for missing.
        assert_eq!(bodiless(key), Some((space, id)));
        assert_ne!(bodiless(key), Some((other, id)));
        assert_eq!(covered_by(value), Some(by));
    }
}
