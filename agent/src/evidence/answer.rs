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

    /// Answers until `stop`. Who asks has been judged by the engine: a member that may read, signed, not heard before.
    pub(crate) async fn work(mut self, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            let mut events = self.replica.subscribe();
            loop {
                match events.recv().await {
                    Ok(ReplicaEvent::Ephemeral {
                        space,
                        document,
                        chain,
                        bytes,
                        ..
                    }) if space == self.space && document == name::evidence_ask() => {
                        match EvidenceAsk::decode(&bytes) {
                            // The replica is shut down.
                            Ok(ask) if self.answer(chain.author, ask).await.is_err() => return,
                            Ok(_) => {}
                            Err(error) => {
                                tracing::debug!(%error, "a question for evidence cannot be read");
                            }
                        }
                    }
                    // Questions are asked again.
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        })
        .await;
    }

    async fn answer(&mut self, asker: AuthorId, ask: EvidenceAsk) -> Result<(), ReplicaError> {
        let now = Instant::now();
        let (kept, id) = (self.kept.clone(), ask.id);
        if !self.budget.allows(asker, ask.pieces, now) {
            tracing::debug!(asker = %asker.short(), "too much evidence was asked for");
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

/// What was asked for in the present span.
///
/// **Invariant:** as many askers as there were members that may read in ten minutes; each costs a few bytes.
#[derive(Debug)]
struct Budget {
    begun: Instant,
    all: u32,
    askers: BTreeMap<AuthorId, u32>,
}

impl Budget {
    const fn new(begun: Instant) -> Self {
        Self {
            begun,
            all: 0,
            askers: BTreeMap::new(),
        }
    }

    /// Whether somebody may have so many pieces; then they have.
    fn allows(&mut self, asker: AuthorId, pieces: u32, now: Instant) -> bool {
        if now.duration_since(self.begun) >= SPAN {
            *self = Self::new(now);
        }
        let pieces = pieces.max(PIECES_OF_NOTHING);
        let own = self.askers.get(&asker).copied().unwrap_or_default();
        let (own, all) = (own.saturating_add(pieces), self.all.saturating_add(pieces));
        if own > PIECES_OF_ASKER_MAX || all > PIECES_MAX {
            return false;
        }
        self.askers.insert(asker, own);
        self.all = all;
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
        let [greedy, other] = [1, 2].map(|n| AuthorId::from_bytes([n; 32]));
        let got = (0..10_000)
            .filter(|_| budget.allows(greedy, 32, begun))
            .count();
        assert_eq!(got, usize::try_from(PIECES_OF_ASKER_MAX / 32).unwrap());
        assert!(!budget.allows(greedy, 0, begun), "also for nothing");
        assert!(budget.allows(other, 32, begun));
        // Many together get no more than a few.
        let more = (3..=200).map(|n| AuthorId::from_bytes([n; 32]));
        let got = more
            .filter(|it| budget.allows(*it, PIECES_OF_ASKER_MAX, begun))
            .count();
        assert_eq!(got, 2);
        assert!(budget.allows(greedy, 32, begun + SPAN), "later again");
    }
}
