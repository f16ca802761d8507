//! Evidence that is too long for a transition: what stands for it there, how its agent is asked for it, and what it tells.
//!
//! Questions and answers are ephemeral messages in the agent's Space: nobody stores them, and only who may read there
//! speaks and understands. What comes is believed when it has the hash that the transition names.

mod gather;

use std::fmt;

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::text::clean;
use crate::versioned::{self, DecodeError, EncodeError};

pub use gather::{GatherError, Gathering, pieces};

/// How long evidence may be, kept by an agent or taken from one.
pub const EVIDENCE_LEN_BYTES_MAX: usize = 256 * 1_024;
/// How long a piece of it is, so that it fits one datagram when sealed; only the last one is shorter.
pub const EVIDENCE_PIECE_LEN_BYTES: usize = 640;
/// How much one question asks for: more would outrun the buffers on the way.
pub const EVIDENCE_ASKED_PIECES_MAX: u32 = 32;

const ASK_LEN_BYTES_MAX: usize = 128;
const ANSWER_LEN_BYTES_MAX: usize = 832;
const KIND_ASK: u16 = 144;
const KIND_PIECE: u16 = 145;
const KIND_NOTHING: u16 = 146;
/// How many digits of a hash people are shown.
const SHORT_LEN_CHARS: usize = 8;

/// The BLAKE3 hash of a text: `b3sum` says the same of the agent's file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EvidenceId(pub [u8; 32]);

impl EvidenceId {
    /// Of this text.
    pub fn of(text: &[u8]) -> Self {
        Self(*blake3::hash(text).as_bytes())
    }

    /// The first digits, for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(SHORT_LEN_CHARS).collect()
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvidenceId({})", self.short())
    }
}

/// What a transition says of evidence of which it holds only the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEvidence {
    /// Its hash.
    pub id: EvidenceId,
    /// How long the whole is.
    pub len_bytes: u64,
}

/// A text as an agent keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeEvidence {
    /// What stands for it.
    pub kept: KeptEvidence,
    /// Harmless, at most [`EVIDENCE_LEN_BYTES_MAX`] long.
    pub text: String,
}

impl WholeEvidence {
    /// What is kept of a text whose beginning is told with a transition; none when all of it is.
    pub fn of(text: &str, told: &str) -> Option<Self> {
        let text = clean(text.trim_end(), EVIDENCE_LEN_BYTES_MAX);
        (text.len() > told.len()).then(|| Self {
            kept: KeptEvidence {
                id: EvidenceId::of(text.as_bytes()),
                len_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            },
            text,
        })
    }
}

/// Evidence of an alert that an agent keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentEvidence {
    /// The agent's Space.
    pub agent: SpaceId,
    /// What it keeps.
    pub kept: KeptEvidence,
}

/// Asks the agent of a Space for some pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceAsk {
    /// Of which text.
    pub id: EvidenceId,
    /// From which piece on, counted from 0.
    pub from: u32,
    /// How many, at most [`EVIDENCE_ASKED_PIECES_MAX`].
    pub pieces: u32,
}

impl EvidenceAsk {
    /// Encodes it as the body of an ephemeral message.
    ///
    /// # Errors
    /// None that its size could cause.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_ASK, self, ASK_LEN_BYTES_MAX)
    }

    /// Reads what somebody asked; how much is bounded.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, ASK_LEN_BYTES_MAX)? {
            (KIND_ASK, body) => {
                let ask: Self = versioned::body(KIND_ASK, body)?;
                let pieces = ask.pieces.min(EVIDENCE_ASKED_PIECES_MAX);
                Ok(Self { pieces, ..ask })
            }
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}

/// Why an agent sends no pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoEvidence {
    /// It does not keep it, or not any more.
    Gone,
    /// It was asked for too much lately.
    Busy,
}

/// What an agent answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceAnswer {
    /// A piece.
    Piece(EvidencePiece),
    /// None.
    Nothing(EvidenceId, NoEvidence),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidencePiece {
    /// Of which text.
    pub id: EvidenceId,
    /// Which piece, counted from 0.
    pub number: u32,
    /// It, [`EVIDENCE_PIECE_LEN_BYTES`] long unless it is the last.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl EvidenceAnswer {
    /// Encodes it as the body of an ephemeral message.
    ///
    /// # Errors
    /// When the piece is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Piece(piece) => versioned::encode(KIND_PIECE, piece, ANSWER_LEN_BYTES_MAX),
            Self::Nothing(id, why) => {
                versioned::encode(KIND_NOTHING, &(id, why), ANSWER_LEN_BYTES_MAX)
            }
        }
    }

    /// Reads what an agent sent.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(match versioned::split(bytes, ANSWER_LEN_BYTES_MAX)? {
            (KIND_PIECE, body) => Self::Piece(versioned::body(KIND_PIECE, body)?),
            (KIND_NOTHING, body) => {
                let (id, why) = versioned::body(KIND_NOTHING, body)?;
                Self::Nothing(id, why)
            }
            (other, _body) => return Err(DecodeError::Kind(other)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_transition_can_hold_is_kept_harmless_and_bounded() {
        assert_eq!(WholeEvidence::of("all of it\n", "all of it"), None);
        let whole = WholeEvidence::of(&"\u{1b}ü".repeat(400_000), "ü").unwrap();
        assert!(whole.text.len() <= EVIDENCE_LEN_BYTES_MAX);
        assert!(!whole.text.contains('\u{1b}'));
        assert_eq!(whole.kept.id, EvidenceId::of(whole.text.as_bytes()));
        for why in [NoEvidence::Gone, NoEvidence::Busy] {
            let nothing = EvidenceAnswer::Nothing(whole.kept.id, why);
            assert_eq!(
                EvidenceAnswer::decode(&nothing.encode().unwrap()),
                Ok(nothing)
            );
        }
    }
}
