//! A text that comes in pieces, and the pieces of one.

use thiserror::Error;

use super::{
    EVIDENCE_ASKED_PIECES_MAX, EVIDENCE_LEN_BYTES_MAX, EVIDENCE_PIECE_LEN_BYTES, EvidenceAsk,
    EvidenceId, EvidencePiece, KeptEvidence,
};
use crate::text::clean;

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
    use super::super::{EvidenceAnswer, WholeEvidence};
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
}
