//! Answers who asks for evidence, within a budget: every reader of the Space hears each piece.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_model::evidence::{EvidenceAnswer, EvidenceAsk, NoEvidence, pieces};
use aramaki_model::name;
use aramaki_sync::replica::{Replica, ReplicaError, ReplicaEvent};
use aramaki_sync_core::{AuthorId, SpaceId};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Kept;

/// Pieces that are sent at a time, and the pause after them: 160 KiB a second at most.
const PIECES_AT_A_TIME: usize = 8;
const PAUSE: Duration = Duration::from_millis(30);
/// What one asker gets in a span, with everything that is asked for again.
const PIECES_OF_ASKER_MAX: u32 = 8_192;
/// What all together get in it.
const PIECES_MAX: u32 = 4 * PIECES_OF_ASKER_MAX;
/// What of that goes to readers of the System together: they are many, and some are guests of a day.
const PIECES_OF_READERS_MAX: u32 = PIECES_MAX / 2;
const SPAN: Duration = Duration::from_mins(10);
/// Questions that answer nothing count as so many pieces.
const PIECES_OF_NOTHING: u32 = 1;

/// Answers questions.
#[derive(Debug)]
pub(crate) struct Answers {
    kept: Kept,
    replica: Replica,
    space: SpaceId,
    budget: Budget,
}

impl Answers {
    pub(crate) fn new(kept: Kept, replica: Replica, space: SpaceId) -> Self {
        let budget = Budget::new(Instant::now());
        Self {
            kept,
            replica,
            space,
            budget,
        }
    }

    /// Answers until `stop`. Who asks has been judged by the engine: a member that may read here, or in the System
    /// whose readers may, signed, not heard before.
    pub(crate) async fn work(mut self, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            let mut events = self.replica.subscribe();
            loop {
                let (asker, bytes) = match events.recv().await {
                    Ok(ReplicaEvent::Ephemeral {
                        space,
                        document,
                        chain,
                        bytes,
                        ..
                    }) if space == self.space && document == name::evidence_ask() => {
                        (Asker::Member(chain.author), bytes)
                    }
                    Ok(ReplicaEvent::Asked {
                        space,
                        document,
                        chain,
                        bytes,
                        ..
                    }) if space == self.space && document == name::evidence_ask() => {
                        (Asker::Reader(chain.author), bytes)
                    }
                    // Questions are asked again.
                    Ok(_) | Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return,
                };
                match EvidenceAsk::decode(&bytes) {
                    // The replica is shut down.
                    Ok(ask) if self.answer(asker, ask).await.is_err() => return,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%error, "a question for evidence cannot be read");
                    }
                }
            }
        })
        .await;
    }

    async fn answer(&mut self, asker: Asker, ask: EvidenceAsk) -> Result<(), ReplicaError> {
        let now = Instant::now();
        let (kept, id) = (self.kept.clone(), ask.id);
        if !self.budget.allows(asker, ask.pieces, now) {
            tracing::debug!(asker = %asker.author().short(), "too much evidence was asked for");
            // Saying so costs too: who goes on is not answered at all.
            if self.budget.allows(asker, PIECES_OF_NOTHING, now) {
                self.send(&EvidenceAnswer::Nothing(id, NoEvidence::Busy))
                    .await?;
            }
            return Ok(());
        }
        let read = tokio::task::spawn_blocking(move || kept.read(id)).await;
        let Some(text) = read.ok().flatten() else {
            return self
                .send(&EvidenceAnswer::Nothing(id, NoEvidence::Gone))
                .await;
        };
        for (n, piece) in pieces(&text, &ask).enumerate() {
            if n > 0 && n % PIECES_AT_A_TIME == 0 {
                tokio::time::sleep(PAUSE).await;
            }
            self.send(&EvidenceAnswer::Piece(piece)).await?;
        }
        Ok(())
    }

    async fn send(&self, answer: &EvidenceAnswer) -> Result<(), ReplicaError> {
        match answer.encode() {
            Ok(bytes) => {
                let document = name::evidence();
                self.replica
                    .send_ephemeral(self.space, document, bytes)
                    .await
            }
            Err(error) => {
                tracing::error!(%error, "evidence cannot be encoded");
                Ok(())
            }
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    /// Who holds a grant in the agent's own Space.
    Member(AuthorId),
    /// Who reads it as a reader of its System.
    Reader(AuthorId),
}

impl Asker {
    const fn author(self) -> AuthorId {
        match self {
            Self::Member(author) | Self::Reader(author) => author,
        }
    }
}

/// What was asked for in the present span.
///
/// **Invariant:** as many askers as there were members that may read in ten minutes; each costs a few bytes.
#[derive(Debug)]
struct Budget {
    begun: Instant,
    all: u32,
    readers: u32,
    askers: BTreeMap<AuthorId, u32>,
}

impl Budget {
    const fn new(begun: Instant) -> Self {
        Self {
            begun,
            all: 0,
            readers: 0,
            askers: BTreeMap::new(),
        }
    }

    /// Whether somebody may have so many pieces; then they have.
    fn allows(&mut self, asker: Asker, pieces: u32, now: Instant) -> bool {
        if now.duration_since(self.begun) >= SPAN {
            *self = Self::new(now);
        }
        let pieces = pieces.max(PIECES_OF_NOTHING);
        let author = asker.author();
        let own = self.askers.get(&author).copied().unwrap_or_default();
        let (own, all) = (own.saturating_add(pieces), self.all.saturating_add(pieces));
        let readers = match asker {
            Asker::Member(_) => self.readers,
            Asker::Reader(_) => self.readers.saturating_add(pieces),
        };
        if own > PIECES_OF_ASKER_MAX || all > PIECES_MAX || readers > PIECES_OF_READERS_MAX {
            return false;
        }
        self.askers.insert(author, own);
        (self.all, self.readers) = (all, readers);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_without_end_gets_no_more_and_others_still_do() {
        let begun = Instant::now();
        let mut budget = Budget::new(begun);
        let member = |n| Asker::Member(AuthorId::from_bytes([n; 32]));
        let [greedy, other] = [1, 2].map(member);
        let got = (0..10_000)
            .filter(|_| budget.allows(greedy, 32, begun))
            .count();
        assert_eq!(got, usize::try_from(PIECES_OF_ASKER_MAX / 32).unwrap());
        assert!(!budget.allows(greedy, 0, begun), "also for nothing");
        assert!(budget.allows(other, 32, begun));
        // Many together get no more than a few.
        let more = (3..=200).map(member);
        let got = more
            .filter(|it| budget.allows(*it, PIECES_OF_ASKER_MAX, begun))
            .count();
        assert_eq!(got, 2);
        assert!(budget.allows(greedy, 32, begun + SPAN), "later again");
    }

    #[test]
    fn readers_of_the_system_together_leave_half_to_who_is_a_member() {
        let begun = Instant::now();
        let mut budget = Budget::new(begun);
        let all = PIECES_OF_ASKER_MAX;
        let reader = |n| Asker::Reader(AuthorId::from_bytes([n; 32]));
        let got = (1..=200).filter(|n| budget.allows(reader(*n), all, begun));
        assert_eq!(got.count(), 2);
        assert!(!budget.allows(reader(201), 0, begun), "also for nothing");
        let member = |n| Asker::Member(AuthorId::from_bytes([n; 32]));
        assert!(budget.allows(member(202), all, begun));
        // Who asks in both ways is one asker.
        assert!(!budget.allows(member(1), 32, begun));
    }
}
