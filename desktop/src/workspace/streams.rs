//! What running actions say meanwhile, as their agents tell it: in memory alone, a little of a few runs.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use aramaki_model::action::{ActionOutput, HeardOutput};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::fresh;
use super::live::Live;

/// Runs of which is kept what was heard; the one that was silent longest goes first.
const RUNS_HEARD_MAX: usize = 64;
/// Of one author: whoever may speak in an agent's Space displaces nobody else's.
const RUNS_OF_AUTHOR_MAX: usize = 8;

/// Which run, in which Space, and who tells of it.
type Whose = (SpaceId, AuthorId, EnvelopeId);

/// What is heard of runs.
#[derive(Debug, Default)]
pub(super) struct Streams(BTreeMap<Whose, (Timestamp, HeardOutput)>);

impl Streams {
    /// Takes a piece in; whether anything is new.
    fn take(
        &mut self,
        (space, author): (SpaceId, AuthorId),
        piece: &ActionOutput,
        now: Timestamp,
    ) -> bool {
        let whose = (space, author, piece.request);
        if !self.0.contains_key(&whose) {
            let of_author = |it: &&Whose| (it.0, it.1) == (space, author);
            let own = self.0.keys().filter(of_author).count();
            if own >= RUNS_OF_AUTHOR_MAX {
                self.forget_oldest(|it| (it.0, it.1) == (space, author));
            } else if self.0.len() >= RUNS_HEARD_MAX {
                self.forget_oldest(|_any| true);
            }
        }
        let (heard, output) = self.0.entry(whose).or_default();
        *heard = now;
        output.take(piece)
    }

    fn forget_oldest(&mut self, is_meant: impl Fn(&Whose) -> bool) {
        let meant = self.0.iter().filter(|(whose, _)| is_meant(whose));
        let oldest = meant.min_by_key(|(whose, (heard, _))| (*heard, **whose));
        if let Some(oldest) = oldest.map(|(whose, _)| *whose) {
            self.0.remove(&oldest);
        }
    }
}

impl Live {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        let streams = self.shared.streams.lock();
        streams.unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what somebody tells of a run; it counts once it is known who began that.
    pub(super) fn hear_output(&self, place: (SpaceId, AuthorId), bytes: &[u8]) {
        match ActionOutput::decode(bytes) {
            Ok(piece) => {
                self.streams().take(place, &piece, fresh::now());
            }
            Err(error) => {
                tracing::debug!(%error, space = %place.0.short(), "no output of an action");
            }
        }
    }

    /// What was heard of a run from the one who began it.
    pub(super) fn heard_output(
        &self,
        (agent, began_by): (SpaceId, AuthorId),
        request: EnvelopeId,
    ) -> HeardOutput {
        let streams = self.streams();
        let heard = streams.0.get(&(agent, began_by, request));
        heard
            .map(|(_at, output)| output.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u64) -> Timestamp {
        Timestamp::from_millis(i64::try_from(n).unwrap())
    }

    fn piece(run: u64) -> ActionOutput {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&run.to_le_bytes());
        ActionOutput {
            request: EnvelopeId::from_bytes(id),
            from: 0,
            bytes: b"x".to_vec(),
        }
    }

    #[test]
    fn who_tells_of_many_runs_displaces_their_own_and_all_stay_few() {
        let mut streams = Streams::default();
        let space = SpaceId::ZERO;
        let one = (space, AuthorId::from_bytes([1; 32]));
        assert!(streams.take(one, &piece(7), at(0)));
        assert!(!streams.take(one, &piece(7), at(0)));
        let flood = (space, AuthorId::from_bytes([2; 32]));
        for run in 0..1_000 {
            streams.take(flood, &piece(run), at(run + 1));
        }
        assert_eq!(streams.0.len(), 1 + RUNS_OF_AUTHOR_MAX);
        assert!(streams.0.contains_key(&(space, one.1, piece(7).request)));
        for n in 3..200 {
            let author = (space, AuthorId::from_bytes([n; 32]));
            streams.take(author, &piece(1), at(10_000 + u64::from(n)));
        }
        assert_eq!(streams.0.len(), RUNS_HEARD_MAX);
    }
}
