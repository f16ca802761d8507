//! How envelopes lie in the tables: keys that sort by chain and position, rows that decode alone.

use aramaki_sync_core::envelope::{Envelope, RawEnvelope};
use aramaki_sync_core::statement::Kind;
use aramaki_sync_core::{Chain, EnvelopeId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use super::{StoreError, StoredRow};

/// Space, author, instance, seq, id: big-endian, so that bytes sort as positions do.
pub(super) const KEY_LEN_BYTES: usize = 32 + 32 + 8 + 8 + 32;
/// The part of a key that names a chain.
const CHAIN_LEN_BYTES: usize = 32 + 32 + 8;

/// A key in the table of headers.
pub(super) type RowKey = [u8; KEY_LEN_BYTES];

pub(super) fn key(envelope: &Envelope) -> RowKey {
    let header = envelope.header();
    bound(header.space, header.chain, header.seq, envelope.id())
}

/// The key at a position; with the lowest or highest id it bounds a range.
pub(super) fn bound(space: SpaceId, chain: Chain, seq: u64, id: EnvelopeId) -> RowKey {
    let mut key = [0; KEY_LEN_BYTES];
    key[..32].copy_from_slice(space.as_bytes());
    key[32..64].copy_from_slice(chain.author.as_bytes());
    key[64..72].copy_from_slice(&chain.instance.0.to_be_bytes());
    key[CHAIN_LEN_BYTES..80].copy_from_slice(&seq.to_be_bytes());
    key[80..].copy_from_slice(id.as_bytes());
    key
}

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    received: Timestamp,
    arrival: u64,
    #[serde(borrow)]
    header: &'a Bytes,
    #[serde(borrow)]
    signature: &'a Bytes,
    /// The statement of a control envelope; other bodies have a table of their own.
    #[serde(borrow)]
    statement: Option<&'a Bytes>,
}

pub(super) fn encode(
    envelope: &Envelope,
    received: Timestamp,
    arrival: u64,
) -> Result<Vec<u8>, StoreError> {
    let raw = envelope.raw();
    let control = envelope.header().kind == Kind::Control;
    postcard::to_stdvec(&Row {
        received,
        arrival,
        header: Bytes::new(&raw.header),
        signature: Bytes::new(&raw.signature),
        statement: envelope.body().filter(|_body| control).map(Bytes::new),
    })
    .map_err(|cause| StoreError::Corrupt(cause.to_string()))
}

/// The id in a key.
pub(super) fn id(key: &RowKey) -> EnvelopeId {
    let mut id = [0; 32];
    id.copy_from_slice(&key[80..]);
    EnvelopeId::from_bytes(id)
}

pub(super) fn decode(key: &RowKey, bytes: &[u8]) -> Result<StoredRow, StoreError> {
    let row: Row<'_> = postcard::from_bytes(bytes)
        .map_err(|cause| StoreError::Corrupt(format!("a header row: {cause}")))?;
    Ok(StoredRow {
        id: id(key),
        raw: RawEnvelope {
            header: row.header.to_owned(),
            signature: row.signature.to_owned(),
            body: row.statement.map(ToOwned::to_owned),
        },
        received: row.received,
        arrival: row.arrival,
    })
}
