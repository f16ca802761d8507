//! Publishing that an author signed two histories, once for everyone: who holds both branches proves it.

use std::time::Duration;

use super::Engine;
use super::io::{LoadId, Output};
use super::queue::Work;
use crate::admission::Fork;
use crate::envelope::RawEnvelope;
use crate::id::{Chain, EnvelopeId, SpaceId};
use crate::statement::Statement;
use crate::time::Timestamp;

/// Others hold both branches too: whoever waits less publishes, the rest see that it is done.
const PROOF_DELAY_MS_MAX: u64 = 10_000;
/// How many proofs this device publishes in a Space: its authors could fork without end.
const PROOFS_MAX: usize = 64;

/// An author who signed two histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkedChain {
    /// Which chain.
    pub chain: Chain,
    /// The first position that was signed twice.
    pub seq: u64,
    /// Whether both branches are here, and not only the proof.
    pub both_here: bool,
}

impl Engine {
    /// The chains of a Space whose authors signed two histories.
    pub fn forks(&self, space: SpaceId) -> Vec<ForkedChain> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let forks = held.log.forked_chains().map(|(chain, seq)| ForkedChain {
            chain,
            seq,
            both_here: held.log.fork_seq(chain) == Some(seq),
        });
        forks.collect()
    }

    /// Two branches of a chain are here, and no proof of it yet.
    pub(super) fn plan_proof(&mut self, space: SpaceId) {
        let due = self.spaces.get(&space).is_some_and(|held| {
            held.next_proof.is_none() && held.log.unproven_forks().next().is_some()
        });
        if !due {
            return;
        }
        let delay = Duration::from_millis(self.entropy.next_u64() % PROOF_DELAY_MS_MAX);
        if let Some(held) = self.spaces.get_mut(&space) {
            held.next_proof = Some(self.now.plus(delay));
        }
    }

    /// Reads the two headers of each fork that nobody has proved meanwhile.
    pub(super) fn prove_forks(&mut self) {
        let due: Vec<SpaceId> = self
            .spaces
            .iter()
            .filter(|(_space, held)| held.next_proof.is_some_and(|then| then <= self.now))
            .map(|(space, _held)| *space)
            .collect();
        for space in due {
            let (author, now) = (self.author, self.now);
            let Some(held) = self.spaces.get_mut(&space) else {
                continue;
            };
            held.next_proof = None;
            let own = held.log.control().filter(|(entry, statement)| {
                entry.header().chain.author == author
                    && matches!(statement, Statement::ForkProof { .. })
            });
            let room = PROOFS_MAX.saturating_sub(own.count());
            if held.evaluation.capability(author, now).is_none() {
                continue;
            }
            let pairs: Vec<Vec<EnvelopeId>> = held
                .log
                .unproven_forks()
                .take(room)
                .map(|(chain, seq)| held.log.at(chain, seq).take(2).collect())
                .collect();
            for ids in pairs {
                let request = LoadId(self.next_load);
                self.next_load += 1;
                self.proving.insert(request, space);
                self.outputs.push_back(Output::Load {
                    request,
                    space,
                    ids,
                });
            }
        }
    }

    /// The store read both. False when it read something else.
    pub(super) fn proof_loaded(&mut self, request: LoadId, envelopes: &[RawEnvelope]) -> bool {
        let Some(space) = self.proving.remove(&request) else {
            return false;
        };
        let statement = match envelopes {
            [one, other] => Fork::statement(one, other),
            _ => None,
        };
        // What cannot be read is proved by somebody else.
        if let Some(statement) = statement {
            self.queue.push(Work::Control {
                write: None,
                space,
                statement,
            });
        }
        true
    }

    pub(super) fn next_proof(&self) -> Option<Timestamp> {
        self.spaces.values().filter_map(|it| it.next_proof).min()
    }
}
