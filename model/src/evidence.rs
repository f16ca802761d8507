//! Evidence that is too long for a transition: what stands for it there, how its agent is asked for it, and what it tells.
//!
//! Questions and answers are ephemeral messages in the agent's Space: nobody stores them, and only who may read there
//! speaks and understands. What comes is believed when it has the hash that the transition names.

use std::fmt;

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::clean;
use crate::versioned::{self, DecodeError, EncodeError};

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

/// Why there is no whole text.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatherError {
    /// A transition names one that no agent keeps.
    #[error(
        "it is said to be {len_bytes} bytes long; no more than {EVIDENCE_LEN_BYTES_MAX} are taken"
    )]
    TooLong {
        /// How long it is said to be.
        len_bytes: u64,
    },
    /// What came is something else.
    #[error("what came is not what the transition names: its hash is another")]
    WrongHash,
}

/// A text that comes in pieces.
///
/// **Invariant:** never longer than [`EVIDENCE_LEN_BYTES_MAX`], whatever a transition or a peer says; a piece that came
/// stays as it came first.
#[derive(Clone, Debug)]
pub struct Gathering {
    kept: KeptEvidence,
    bytes: Vec<u8>,
    came: Vec<bool>,
}

impl Gathering {
    /// Of a text as a transition names it.
    ///
    /// # Errors
    /// [`GatherError::TooLong`].
    pub fn new(kept: KeptEvidence) -> Result<Self, GatherError> {
        let len_bytes = kept.len_bytes;
        let len = usize::try_from(len_bytes).unwrap_or(usize::MAX);
        if len > EVIDENCE_LEN_BYTES_MAX {
            return Err(GatherError::TooLong { len_bytes });
        }
        Ok(Self {
            kept,
            bytes: vec![0; len],
            came: vec![false; len.div_ceil(EVIDENCE_PIECE_LEN_BYTES)],
        })
    }

    /// Takes a piece in; whether it is new. What is of another text, beyond its end or of another length is dropped.
    pub fn take(&mut self, piece: &EvidencePiece) -> bool {
        let number = usize::try_from(piece.number).unwrap_or(usize::MAX);
        let Some(came) = self.came.get_mut(number) else {
            return false;
        };
        if piece.id != self.kept.id || *came {
            return false;
        }
        let place = self.bytes.chunks_mut(EVIDENCE_PIECE_LEN_BYTES).nth(number);
        let Some(place) = place.filter(|place| place.len() == piece.bytes.len()) else {
            return false;
        };
        place.copy_from_slice(&piece.bytes);
        *came = true;
        true
    }

    /// How much came, in bytes.
    pub fn len_came_bytes(&self) -> u64 {
        let pieces = self.bytes.chunks(EVIDENCE_PIECE_LEN_BYTES).zip(&self.came);
        let came = pieces.filter(|(_, came)| **came);
        let len: usize = came.map(|(piece, _)| piece.len()).sum();
        u64::try_from(len).unwrap_or(u64::MAX)
    }

    /// What to ask for next: the first gap. None when all came.
    pub fn next(&self) -> Option<EvidenceAsk> {
        let from = self.came.iter().position(|came| !came)?;
        let rest = self.came.iter().skip(from);
        let pieces = rest.take_while(|came| !**came).count();
        Some(EvidenceAsk {
            id: self.kept.id,
            from: u32::try_from(from).unwrap_or(u32::MAX),
            pieces: u32::try_from(pieces)
                .unwrap_or(u32::MAX)
                .min(EVIDENCE_ASKED_PIECES_MAX),
        })
    }

    /// Whether any piece of a question is still missing.
    pub fn lacks(&self, ask: &EvidenceAsk) -> bool {
        let from = usize::try_from(ask.from).unwrap_or(usize::MAX);
        let pieces = usize::try_from(ask.pieces).unwrap_or(usize::MAX);
        self.came.iter().skip(from).take(pieces).any(|came| !came)
    }

    /// The text, once all of it came; none before.
    ///
    /// # Errors
    /// [`GatherError::WrongHash`]; then nothing that came is believed.
    pub fn whole(&self) -> Option<Result<String, GatherError>> {
        if self.came.contains(&false) {
            return None;
        }
        if EvidenceId::of(&self.bytes) != self.kept.id {
            return Some(Err(GatherError::WrongHash));
        }
        // Agents clean what they keep; whoever gives a transition such a hash need not be one.
        let text = String::from_utf8_lossy(&self.bytes);
        Some(Ok(clean(&text, EVIDENCE_LEN_BYTES_MAX)))
    }
}

/// The pieces of a text that a question asks for.
pub fn pieces<'a>(
    text: &'a [u8],
    ask: &EvidenceAsk,
) -> impl Iterator<Item = EvidencePiece> + use<'a> {
    let (id, from) = (ask.id, ask.from);
    let skip = usize::try_from(from).unwrap_or(usize::MAX);
    let count = usize::try_from(ask.pieces.min(EVIDENCE_ASKED_PIECES_MAX)).unwrap_or(0);
    let pieces = text.chunks(EVIDENCE_PIECE_LEN_BYTES).skip(skip).take(count);
    (from..)
        .zip(pieces)
        .map(move |(number, bytes)| EvidencePiece {
            id,
            number,
            bytes: bytes.to_vec(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(lines: usize) -> WholeEvidence {
        let lines: Vec<_> = (0..lines)
            .map(|n| format!("line {n} of a long tale"))
            .collect();
        let text = lines.join("\n");
        WholeEvidence::of(&text, "line 0").unwrap()
    }

    #[test]
    fn a_text_comes_whole_whatever_is_lost_doubled_or_out_of_order() {
        let whole = long(4_000);
        let mut gathering = Gathering::new(whole.kept).unwrap();
        let mut asked = 0_u32;
        while let Some(ask) = gathering.next() {
            asked += 1;
            assert!(asked < 200, "it ends");
            let answers: Vec<_> = pieces(whole.text.as_bytes(), &ask).collect();
            assert!(!answers.is_empty() && answers.len() <= 32);
            for (n, piece) in answers.iter().enumerate().rev() {
                let answer = EvidenceAnswer::Piece(piece.clone());
                let read = EvidenceAnswer::decode(&answer.encode().unwrap()).unwrap();
                let EvidenceAnswer::Piece(read) = read else {
                    panic!("another answer came back");
                };
                // Every third is lost the first time.
                if (n + usize::try_from(asked).unwrap()) % 3 != 0 || answers.len() < 3 {
                    assert!(gathering.take(&read));
                    assert!(!gathering.take(&read), "twice");
                }
            }
            assert!(gathering.whole().is_none() || gathering.next().is_none());
        }
        assert_eq!(gathering.len_came_bytes(), whole.kept.len_bytes);
        assert_eq!(gathering.whole(), Some(Ok(whole.text)));
    }

    #[test]
    fn what_is_something_else_is_not_believed() {
        let (whole, other) = (long(200), long(201));
        let ask = EvidenceAsk {
            id: whole.kept.id,
            from: 0,
            pieces: 32,
        };
        // Another text under the same name.
        let mut gathering = Gathering::new(whole.kept).unwrap();
        for piece in pieces(other.text.to_uppercase().as_bytes(), &ask) {
            gathering.take(&piece);
        }
        for piece in pieces(whole.text.as_bytes(), &ask) {
            gathering.take(&piece);
        }
        assert_eq!(gathering.whole(), Some(Err(GatherError::WrongHash)));
        // Pieces of another text, beyond the end, too short and too long.
        let mut gathering = Gathering::new(whole.kept).unwrap();
        let piece = |id, number, len| EvidencePiece {
            id,
            number,
            bytes: vec![b'x'; len],
        };
        for piece in [
            piece(other.kept.id, 0, EVIDENCE_PIECE_LEN_BYTES),
            piece(whole.kept.id, u32::MAX, EVIDENCE_PIECE_LEN_BYTES),
            piece(whole.kept.id, 7_000, 0),
            piece(whole.kept.id, 0, EVIDENCE_PIECE_LEN_BYTES - 1),
            piece(whole.kept.id, 0, EVIDENCE_PIECE_LEN_BYTES + 1),
        ] {
            assert!(!gathering.take(&piece), "{piece:?}");
        }
        assert_eq!((gathering.len_came_bytes(), gathering.whole()), (0, None));
    }

    #[test]
    fn a_transition_that_promises_too_much_costs_nothing() {
        for len_bytes in [u64::MAX, 262_145] {
            let kept = KeptEvidence {
                len_bytes,
                ..long(9).kept
            };
            let refused = Gathering::new(kept).err();
            assert_eq!(refused, Some(GatherError::TooLong { len_bytes }));
        }
        let ask = EvidenceAsk {
            id: EvidenceId([1; 32]),
            from: u32::MAX,
            pieces: u32::MAX,
        };
        let read = EvidenceAsk::decode(&ask.encode().unwrap()).unwrap();
        assert_eq!(read.pieces, EVIDENCE_ASKED_PIECES_MAX);
        assert_eq!(pieces(&vec![b'x'; 100_000], &read).count(), 0);
        let empty = KeptEvidence {
            id: EvidenceId::of(b""),
            len_bytes: 0,
        };
        let none = Gathering::new(empty).unwrap();
        assert_eq!((none.next(), none.whole()), (None, Some(Ok(String::new()))));
    }

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
