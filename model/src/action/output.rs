//! What a running action says, as its agent tells it while it runs: pieces that may be lost.

use std::collections::BTreeMap;

use aramaki_sync_core::EnvelopeId;
use serde::{Deserialize, Serialize};

use crate::versioned::{self, DecodeError, EncodeError};

/// How long a piece may be, so that it fits one datagram when sealed.
pub const PIECE_LEN_BYTES_MAX: usize = 640;
/// How much of what is heard of one run is kept: its end.
pub const HEARD_LEN_BYTES_MAX: usize = 16 * 1_024;
/// Pieces of one run that are kept apart, because something between them was lost.
const PIECES_MAX: usize = 64;
const OUTPUT_LEN_BYTES_MAX: usize = 832;
const KIND_OUTPUT: u16 = 140;
/// What stands for what was not heard.
const GAP: &str = "…";

/// A piece of a run's output, as an ephemeral message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionOutput {
    /// Of the run of which request.
    pub request: EnvelopeId,
    /// How many bytes of output came before it.
    pub from: u64,
    /// The piece, at most [`PIECE_LEN_BYTES_MAX`].
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl ActionOutput {
    /// Encodes it as the body of an ephemeral message.
    ///
    /// # Errors
    /// When the piece is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_OUTPUT, self, OUTPUT_LEN_BYTES_MAX)
    }

    /// Reads what an agent sent.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, OUTPUT_LEN_BYTES_MAX)? {
            (KIND_OUTPUT, body) => versioned::body(KIND_OUTPUT, body),
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}

/// What was heard of one run so far.
///
/// **Invariant:** at most [`HEARD_LEN_BYTES_MAX`] bytes in 64 pieces that do not overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeardOutput {
    /// Pieces by where they begin.
    pieces: BTreeMap<u64, Vec<u8>>,
}

/// What comes next for whoever reads along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextOutput {
    /// The text, with a mark where something was not heard.
    pub bytes: Vec<u8>,
    /// Up to where it goes.
    pub end: u64,
}

impl HeardOutput {
    /// Takes a piece in; what is known stays, what is too much goes from the beginning. Whether anything is new.
    pub fn take(&mut self, output: &ActionOutput) -> bool {
        let len = u64::try_from(output.bytes.len()).unwrap_or(u64::MAX);
        if output.bytes.is_empty()
            || output.bytes.len() > PIECE_LEN_BYTES_MAX
            || output.from.checked_add(len).is_none()
        {
            return false;
        }
        let mut is_new = false;
        let mut at = output.from;
        let end = output.from + len;
        while at < end {
            let covered = self
                .pieces
                .range(..=at)
                .next_back()
                .map(|(from, it)| end_of(*from, it));
            if let Some(covered) = covered.filter(|covered| *covered > at) {
                at = covered;
                continue;
            }
            let next = self.pieces.range(at..).next();
            let until = next.map_or(end, |(from, _)| (*from).min(end));
            let place = |at: u64| usize::try_from(at - output.from).unwrap_or(usize::MAX);
            let piece = output
                .bytes
                .get(place(at)..place(until))
                .unwrap_or_default();
            self.put(at, piece.to_vec());
            is_new = true;
            at = until;
        }
        self.trim();
        is_new
    }

    /// Puts a piece in its free place, joined to the one that ends there.
    fn put(&mut self, at: u64, piece: Vec<u8>) {
        let before = self.pieces.range_mut(..at).next_back();
        match before.filter(|(from, it)| end_of(**from, it) == at) {
            Some((_, before)) => before.extend(piece),
            None => drop(self.pieces.insert(at, piece)),
        }
    }

    fn trim(&mut self) {
        let mut over = self
            .pieces
            .values()
            .map(Vec::len)
            .sum::<usize>()
            .saturating_sub(HEARD_LEN_BYTES_MAX);
        while over > 0 || self.pieces.len() > PIECES_MAX {
            let Some((from, mut first)) = self.pieces.pop_first() else {
                return;
            };
            let gone = over.min(first.len());
            if gone < first.len() && self.pieces.len() < PIECES_MAX {
                first.drain(..gone);
                let gone = u64::try_from(gone).unwrap_or(u64::MAX);
                self.pieces.insert(from.saturating_add(gone), first);
                return;
            }
            over = over.saturating_sub(first.len());
        }
    }

    /// Up to where output was heard.
    pub fn end(&self) -> u64 {
        let last = self.pieces.last_key_value();
        last.map_or(0, |(from, piece)| end_of(*from, piece))
    }

    /// What was heard after a place; none when nothing was.
    pub fn after(&self, place: u64) -> Option<NextOutput> {
        let (mut bytes, mut at) = (Vec::new(), place);
        for (from, piece) in &self.pieces {
            let end = end_of(*from, piece);
            if end <= at {
                continue;
            }
            if *from > at {
                bytes.extend(format!("{GAP}\n").bytes());
            }
            let known = usize::try_from(at.saturating_sub(*from)).unwrap_or(usize::MAX);
            bytes.extend(piece.get(known..).unwrap_or_default());
            at = end;
        }
        (!bytes.is_empty()).then_some(NextOutput { bytes, end: at })
    }
}

fn end_of(from: u64, piece: &[u8]) -> u64 {
    from.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from: u64, text: &str) -> ActionOutput {
        ActionOutput {
            request: EnvelopeId::from_bytes([1; 32]),
            from,
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn text(heard: &HeardOutput, after: u64) -> String {
        let next = heard.after(after);
        String::from_utf8(next.map(|it| it.bytes).unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_full_piece_fits_and_reads_back() {
        let full = ActionOutput {
            request: EnvelopeId::from_bytes([0xff; 32]),
            from: u64::MAX,
            bytes: vec![0xff; PIECE_LEN_BYTES_MAX],
        };
        assert_eq!(ActionOutput::decode(&full.encode().unwrap()), Ok(full));
    }

    #[test]
    fn pieces_are_put_together_whatever_comes_twice_late_or_never() {
        let mut heard = HeardOutput::default();
        assert!(heard.take(&piece(0, "one\n")));
        assert!(!heard.take(&piece(0, "one\n")), "heard before");
        assert!(heard.take(&piece(8, "three\n")));
        assert_eq!(text(&heard, 0), "one\n…\nthree\n");
        assert_eq!(text(&heard, 4), "…\nthree\n");
        assert!(
            heard.take(&piece(2, "e\ntwo\nth")),
            "what was lost comes again"
        );
        assert_eq!(text(&heard, 0), "one\ntwo\nthree\n");
        assert_eq!((heard.end(), text(&heard, 14).as_str()), (14, ""));
        assert_eq!(text(&heard, 10), "ree\n");
        let mut late = HeardOutput::default();
        late.take(&piece(100, "late\n"));
        assert_eq!(text(&late, 0), "…\nlate\n", "that it had begun is seen");
    }

    #[test]
    fn what_is_heard_is_bounded_whatever_a_peer_sends() {
        let mut heard = HeardOutput::default();
        let long = "x".repeat(PIECE_LEN_BYTES_MAX);
        for n in 0..200 {
            heard.take(&piece(n * 640, &long));
        }
        let next = heard.after(0).unwrap();
        assert_eq!((next.end, heard.end()), (200 * 640, 200 * 640));
        assert_eq!(next.bytes.len(), HEARD_LEN_BYTES_MAX + GAP.len() + 1);
        let mut torn = HeardOutput::default();
        for n in 0..10_000_u64 {
            torn.take(&piece((n * 7_919) % 100_000, "ab"));
            let kept: usize = torn.pieces.values().map(Vec::len).sum();
            assert!(torn.pieces.len() <= PIECES_MAX && kept <= HEARD_LEN_BYTES_MAX);
            let ends: Vec<_> = torn
                .pieces
                .iter()
                .map(|(from, it)| end_of(*from, it))
                .collect();
            let begins = torn.pieces.keys().skip(1);
            assert!(
                begins.zip(ends).all(|(begin, end)| *begin >= end),
                "no overlap"
            );
        }
        assert!(!torn.take(&piece(u64::MAX, "ab")), "it ends nowhere");
        assert!(!torn.take(&piece(u64::MAX - 1, "")));
        assert!(!torn.take(&piece(5, &"x".repeat(PIECE_LEN_BYTES_MAX + 1))));
    }
}
