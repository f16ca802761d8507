//! What engines say to each other: a kind byte and a postcard body, read leniently.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::ended::AccessEnd;
use super::io::{FRAME_BYTES_MAX, Refusal, StoreEpoch};
use super::lacking::Lacking;
use crate::admission::ChainSummary;
use crate::envelope::RawEnvelope;
use crate::id::{DocumentId, EnvelopeId, SpaceId};

/// The protocol that this build speaks.
pub(super) const PROTOCOL: u16 = 1;
/// Bit of [`Hello::features`]: this device takes bodies out of snapshots, where it may read.
pub(super) const READS_SNAPSHOTS: u64 = 1;
/// How many Spaces one digest frame names.
pub(super) const DIGESTS_MAX: usize = 4_096;
/// How many documents one frame of wants names; who wants more wants all.
pub(super) const WANTS_MAX: usize = 4_096;
/// Bytes of chains in one frame of heads, about.
pub(super) const HEADS_BYTES: usize = 256 << 10;
/// Chains of one Space that are taken together from several frames.
pub(super) const HEADS_CHAINS_MAX: usize = 65_536;
/// How many envelopes one frame carries.
pub(super) const ENVELOPES_MAX: usize = 512;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Hello(Hello),
    Digests(Vec<(SpaceId, [u8; 32])>),
    Since(Since),
    Heads(Heads),
    Envelopes(Envelopes),
    Acknowledge(Acknowledge),
    Introduction(Introduction),
    Wants(Wants),
    Fetch(Fetch),
    Bodies(Bodies),
    /// Chains that the next [`Frame::Heads`] of the Space goes on with.
    HeadsPart(HeadsPart),
    Ended(Ended),
    Snapshots(Snapshots),
    /// A kind of a newer peer: ignored.
    Unknown,
}

/// The first frame in each direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u16,
    pub(super) store_epoch: StoreEpoch,
    /// What the sender can do beyond the protocol; unknown bits are ignored.
    pub(super) features: u64,
}

/// "Send me what arrived after this position of your store."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Since {
    pub(super) space: SpaceId,
    pub(super) position: u64,
    pub(super) digest: [u8; 32],
}

/// "I hold these chains durably; send what I lack."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heads {
    pub(super) space: SpaceId,
    pub(super) chains: Vec<ChainSummary>,
    /// The receiver answers with its own if it lacks something.
    pub(super) ask: bool,
}

/// Envelopes in the order in which they arrived at the sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "a frame of envelopes holds envelopes"
)]
pub(super) struct Envelopes {
    pub(super) space: SpaceId,
    /// Numbers the frames of a connection, to acknowledge them.
    pub(super) number: u64,
    /// The sender's positions that this covers: what is not in it, the receiver has.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) envelopes: Vec<RawEnvelope>,
}

/// "All of that frame is durable here, but for these."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acknowledge {
    pub(super) number: u64,
    pub(super) refused: Vec<(EnvelopeId, Refusal)>,
}

/// "These grants, from the root down, let me in": for a peer whose control chain is older.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Introduction {
    pub(super) space: SpaceId,
    pub(super) grants: Vec<RawEnvelope>,
}

/// "Send me bodies of these documents only"; none: of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wants {
    pub(super) space: SpaceId,
    pub(super) documents: Option<Vec<DocumentId>>,
}

/// "Send me the bodies of these."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetch {
    pub(super) space: SpaceId,
    pub(super) ids: Vec<EnvelopeId>,
}

/// Some of the bodies that were asked for; none when the sender has none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bodies {
    pub(super) space: SpaceId,
    pub(super) bodies: Vec<(EnvelopeId, ByteBuf)>,
}

/// Chains of a Space that has more than one frame names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadsPart {
    pub(super) space: SpaceId,
    pub(super) chains: Vec<ChainSummary>,
}

/// "A key that you proved opens this Space no more."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) space: SpaceId,
    pub(super) why: AccessEnd,
}

/// "I read snapshots here: leave out the bodies that come before a document's newest one", or not; and
/// from where on bodies that I want are missing here, so that I hold less than my heads say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Snapshots {
    pub(super) space: SpaceId,
    pub(super) wanted: bool,
    pub(super) lacking: Lacking,
}

/// A frame that has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Frame {
    /// The bytes; empty when the frame would be longer than a peer reads, which callers prevent.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Hello(it) => (0, postcard::to_stdvec(it)),
            Self::Digests(it) => (1, postcard::to_stdvec(it)),
            Self::Since(it) => (2, postcard::to_stdvec(it)),
            Self::Heads(it) => (3, postcard::to_stdvec(it)),
            Self::Envelopes(it) => (4, postcard::to_stdvec(it)),
            Self::Acknowledge(it) => (5, postcard::to_stdvec(it)),
            Self::Introduction(it) => (6, postcard::to_stdvec(it)),
            Self::Wants(it) => (7, postcard::to_stdvec(it)),
            Self::Fetch(it) => (8, postcard::to_stdvec(it)),
            Self::Bodies(it) => (9, postcard::to_stdvec(it)),
            Self::HeadsPart(it) => (10, postcard::to_stdvec(it)),
            Self::Ended(it) => (11, postcard::to_stdvec(it)),
            Self::Snapshots(it) => (12, postcard::to_stdvec(it)),
            Self::Unknown => (u8::MAX, Ok(Vec::new())),
        };
        let mut bytes = vec![kind];
        bytes.extend(body.unwrap_or_default());
        bytes
    }

    /// Reads a peer's bytes. Bytes after a known body are a newer peer's fields and are ignored.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(Malformed);
        }
        let (kind, body) = bytes.split_first().ok_or(Malformed)?;
        Ok(match kind {
            0 => Self::Hello(read(body)?),
            1 => Self::Digests(read(body)?),
            2 => Self::Since(read(body)?),
            3 => Self::Heads(read(body)?),
            4 => Self::Envelopes(read(body)?),
            5 => Self::Acknowledge(read(body)?),
            6 => Self::Introduction(read(body)?),
            7 => Self::Wants(read(body)?),
            8 => Self::Fetch(read(body)?),
            9 => Self::Bodies(read(body)?),
            10 => Self::HeadsPart(read(body)?),
            11 => Self::Ended(read(body)?),
            12 => Self::Snapshots(read(body)?),
            _newer => Self::Unknown,
        })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    postcard::take_from_bytes(body)
        .map(|(value, _newer)| value)
        .map_err(|_cause| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_a_newer_peer_is_understood() {
        let hello = Frame::Hello(Hello {
            protocol: PROTOCOL,
            store_epoch: StoreEpoch(7),
            features: 0,
        });
        let mut bytes = hello.encode();
        assert_eq!(Frame::decode(&bytes), Ok(hello.clone()));
        bytes.extend([1, 2, 3]);
        assert_eq!(Frame::decode(&bytes), Ok(hello), "new fields are ignored");
        assert_eq!(Frame::decode(&[200, 1]), Ok(Frame::Unknown));
    }

    #[test]
    fn hostile_bytes_are_an_error_and_nothing_else() {
        assert_eq!(Frame::decode(&[]), Err(Malformed));
        assert_eq!(Frame::decode(&[4, 0xff, 0xff, 0xff]), Err(Malformed));
        assert_eq!(
            Frame::decode(&vec![200; FRAME_BYTES_MAX + 1]),
            Err(Malformed)
        );
        for kind in 0..13 {
            for length in 0..64 {
                let mut bytes = vec![0xff; length];
                bytes.insert(0, kind);
                assert!(Frame::decode(&bytes).is_err());
            }
        }
    }
}
