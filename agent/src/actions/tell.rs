//! What a running program says goes to whoever reads along, as messages that nobody stores.
//!
//! The program writes into a [`Tap`] that keeps its end and never waits; a task beside it sends what is new,
//! bounded in rate and bytes. What is too much for that is left out: the result has its end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aramaki_model::action::{ActionOutput, PIECE_LEN_BYTES_MAX};
use aramaki_model::name;
use aramaki_sync::replica::Replica;
use aramaki_sync_core::{EnvelopeId, SpaceId};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Pieces that are sent at a time.
const PIECES_AT_A_TIME_MAX: usize = 4;
/// How much of the output waits to be sent: its end.
const TAP_LEN_BYTES_MAX: usize = PIECES_AT_A_TIME_MAX * PIECE_LEN_BYTES_MAX;
/// Between two times, for as many runs at once as are told at full rate; more share it.
const TELL_PAUSE: Duration = Duration::from_millis(500);
const RUNS_AT_FULL_RATE: usize = 4;
/// After so many times without news what was said last is said again, for who came later or lost it.
const QUIET_TIMES: u32 = 10;

/// The end of what a running program said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap(Arc<Mutex<Recent>>);

#[derive(Debug, Default)]
struct Recent {
    /// How many bytes came in all.
    end: u64,
    bytes: VecDeque<u8>,
}

impl Tap {
    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a program said. Never waits for who reads it.
    pub(crate) fn add(&self, bytes: &[u8]) {
        let mut recent = self.lock();
        recent.end = recent
            .end
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let kept = bytes.len().saturating_sub(TAP_LEN_BYTES_MAX);
        recent.bytes.extend(bytes.get(kept..).unwrap_or_default());
        let over = recent.bytes.len().saturating_sub(TAP_LEN_BYTES_MAX);
        recent.bytes.drain(..over);
    }

    /// Up to where it goes, and what of it came after a place, as far as it is kept.
    fn after(&self, place: u64) -> (u64, u64, Vec<u8>) {
        let recent = self.lock();
        let kept = u64::try_from(recent.bytes.len()).unwrap_or(u64::MAX);
        let begin = recent.end.saturating_sub(kept);
        let skip = usize::try_from(place.saturating_sub(begin)).unwrap_or(usize::MAX);
        let bytes = recent.bytes.iter().skip(skip).copied().collect();
        (begin.max(place), recent.end, bytes)
    }
}

/// Tells of one run.
#[derive(Debug)]
pub(crate) struct Teller {
    request: EnvelopeId,
    tap: Tap,
    replica: Replica,
    space: SpaceId,
    pause: Duration,
}

impl Teller {
    /// Of a run that goes on beside so many others.
    pub(crate) fn new(
        request: EnvelopeId,
        tap: Tap,
        (replica, space): (Replica, SpaceId),
        others: usize,
    ) -> Self {
        let share = u32::try_from(others / RUNS_AT_FULL_RATE).unwrap_or(u32::MAX);
        Self {
            request,
            tap,
            replica,
            space,
            pause: TELL_PAUSE.saturating_mul(share.saturating_add(1)),
        }
    }

    /// Tells until the guard is dropped.
    pub(crate) fn start(self) -> DropGuard {
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        tokio::spawn(async move { stop.run_until_cancelled(self.tell()).await });
        guard
    }

    async fn tell(self) {
        let mut told = Told::default();
        loop {
            tokio::time::sleep(self.pause).await;
            for (from, bytes) in told.due(&self.tap) {
                let request = self.request;
                let piece = ActionOutput {
                    request,
                    from,
                    bytes,
                };
                let Ok(bytes) = piece.encode() else {
                    continue;
                };
                let sent = self
                    .replica
                    .send_ephemeral(self.space, name::action_output(), bytes);
                if sent.await.is_err() {
                    // The replica is shut down.
                    return;
                }
            }
        }
    }
}

/// How far was told.
#[derive(Debug, Default)]
struct Told {
    end: u64,
    quiet: u32,
}

impl Told {
    /// The pieces to send now, each with its place.
    fn due(&mut self, tap: &Tap) -> Vec<(u64, Vec<u8>)> {
        let (begin, end, bytes) = tap.after(self.end);
        let (begin, bytes) = if end > self.end {
            self.quiet = 0;
            (begin, bytes)
        } else {
            self.quiet += 1;
            if self.quiet < QUIET_TIMES {
                return Vec::new();
            }
            self.quiet = 0;
            let (begin, _end, bytes) = tap.after(0);
            (begin, bytes)
        };
        self.end = end;
        let pieces = bytes.chunks(PIECE_LEN_BYTES_MAX);
        let mut from = begin;
        let pieces = pieces.map(|piece| {
            let at = from;
            from = from.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            (at, piece.to_vec())
        });
        pieces.take(PIECES_AT_A_TIME_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[(u64, Vec<u8>)]) -> Vec<(u64, String)> {
        let pieces = pieces.iter();
        pieces
            .map(|(from, it)| (*from, String::from_utf8(it.clone()).unwrap()))
            .collect()
    }

    #[test]
    fn what_is_new_is_told_once_and_the_end_again_when_nothing_is() {
        let (tap, mut told) = (Tap::default(), Told::default());
        assert!(told.due(&tap).is_empty());
        tap.add(b"one\n");
        tap.add(b"two\n");
        assert_eq!(text(&told.due(&tap)), [(0, "one\ntwo\n".to_owned())]);
        tap.add(b"three\n");
        assert_eq!(text(&told.due(&tap)), [(8, "three\n".to_owned())]);
        for _ in 1..QUIET_TIMES {
            assert!(told.due(&tap).is_empty());
        }
        let again = text(&told.due(&tap));
        assert_eq!(again, [(0, "one\ntwo\nthree\n".to_owned())]);
        assert!(told.due(&tap).is_empty(), "and not at once again");
    }

    #[test]
    fn a_program_that_says_much_costs_no_more_than_a_few_pieces_at_a_time() {
        let (tap, mut told) = (Tap::default(), Told::default());
        let total = 10 * 1_024 * 1_024_u64;
        for _ in 0..total / 8_192 {
            tap.add(&[b'x'; 8_192]);
        }
        let pieces = told.due(&tap);
        assert_eq!(pieces.len(), PIECES_AT_A_TIME_MAX);
        let kept = u64::try_from(TAP_LEN_BYTES_MAX).unwrap();
        assert_eq!(pieces[0].0, total - kept, "the newest");
        let fits = |(_, it): &(u64, Vec<u8>)| it.len() <= PIECE_LEN_BYTES_MAX;
        assert!(pieces.iter().all(fits));
        assert!(tap.lock().bytes.len() <= TAP_LEN_BYTES_MAX);
    }
}
