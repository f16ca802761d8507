//! The proof that an author signed two histories: two signed headers at one position of a chain (TRUST §3).
//!
//! It needs nobody's word: both signatures are the author's, so it counts whoever publishes it. A replica
//! that has seen one branch only judges the chain as those that hold both.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::codec;
use crate::envelope::{self, HEADER_BYTES_MAX, Header, RawEnvelope};
use crate::guard::{Guard, holds};
use crate::id::{Chain, EnvelopeId, SpaceId};
use crate::statement::Statement;

/// A header, its signature and their lengths.
const SIDE_LEN_BYTES_MAX: usize = HEADER_BYTES_MAX + 80;

/// One branch, as a proof shows it.
#[derive(Serialize, Deserialize)]
struct Side {
    header: ByteBuf,
    signature: ByteBuf,
}

/// Two histories of one author, proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Of which chain.
    pub chain: Chain,
    /// The position that was signed twice.
    pub seq: u64,
    /// The two envelopes there, the lower id first.
    pub ids: [EnvelopeId; 2],
}

impl Fork {
    /// What proves it to everyone, from two envelopes at one position; their bodies are not needed.
    pub fn statement(one: &RawEnvelope, other: &RawEnvelope) -> Option<Statement> {
        let (left, right) = if one.id() < other.id() {
            (one, other)
        } else {
            (other, one)
        };
        let side = |raw: &RawEnvelope| {
            let side = Side {
                header: raw.header.clone(),
                signature: raw.signature.clone(),
            };
            codec::encode(&side).ok().map(ByteBuf::from)
        };
        Some(Statement::ForkProof {
            left: side(left)?,
            right: side(right)?,
        })
    }

    /// Where a statement says that a chain is forked, without a look at the signatures.
    pub(super) fn place(statement: &Statement) -> Option<(Chain, u64)> {
        let Statement::ForkProof { left, .. } = statement else {
            return None;
        };
        let header: Header = codec::decode(&side(left)?.header).ok()?;
        Some((header.chain, header.seq))
    }

    /// What a statement proves in a Space; none if it is another statement, or proves nothing. Costs two
    /// signatures.
    pub fn proven(space: SpaceId, statement: &Statement) -> Option<Self> {
        let Statement::ForkProof { left, right } = statement else {
            return None;
        };
        let open = |bytes: &[u8]| {
            let side = side(bytes)?;
            envelope::verify_header(&side.header, &side.signature).ok()
        };
        let ((left_id, left), (right_id, right)) = (open(left)?, open(right)?);
        let same = (left.space, left.chain, left.seq) == (right.space, right.chain, right.seq);
        let proves = left.space == space && same && left_id < right_id;
        (proves || !holds(Guard::ForkProven)).then_some(Self {
            chain: left.chain,
            seq: left.seq,
            ids: [left_id, right_id],
        })
    }
}

fn side(bytes: &[u8]) -> Option<Side> {
    if bytes.len() > SIDE_LEN_BYTES_MAX {
        return None;
    }
    codec::decode(bytes).ok()
}
