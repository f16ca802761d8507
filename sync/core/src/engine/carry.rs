//! What comes in a file instead of over a connection: a file is a peer that says nothing more.
//!
//! Somebody who uses this device chose to take it, so it needs no capability in the Space; each
//! envelope is judged as if a peer had sent it. Content may come without its body here: a short bundle
//! carries headers alone, and the bodies are fetched when somebody who has them is met.

use super::Engine;
use super::io::{
    ConnectionId, Event, Output, Refusal, TakeId, Taken, WriteError, WriteId, Written,
};
use super::options::Role;
use super::queue::Work;
use super::receive::Receiving;
use crate::envelope::Envelope;
use crate::id::{EnvelopeId, SpaceId};

/// Stands for all files in the place of a connection; shells count from below and never get there.
pub(super) const FILE: ConnectionId = ConnectionId(u64::MAX);

impl Engine {
    /// Takes envelopes of one Space that were verified.
    pub(super) fn take(&mut self, take: TakeId, space: SpaceId, envelopes: Vec<Envelope>) {
        let held = self.spaces.contains_key(&space) && self.role == Role::Member;
        let busy = self.queue.received_bytes >= self.limits.received_bytes_max;
        if !held || busy {
            let error = if busy {
                WriteError::Busy
            } else {
                WriteError::UnknownSpace
            };
            let result = Err(error);
            self.outputs.push_back(Output::Taken { take, result });
            return;
        }
        let key = (FILE, take.0);
        let receiving = Receiving {
            space,
            from: 0,
            to: 0,
            // One more than there are, so that the answer waits until all were looked at.
            remaining: envelopes.len() + 1,
            refused: Vec::new(),
        };
        self.receiving.insert(key, receiving);
        let mut known = 0;
        for envelope in envelopes {
            let id = envelope.id();
            let log = self.spaces.get(&space).map(|it| &it.log);
            if envelope.header().space != space {
                self.answered(key, id, Some(Refusal::Form));
            } else if log.is_some_and(|log| log.contains(id)) {
                known += 1;
                self.take_body(key, &envelope);
            } else {
                self.envelope_received(key, envelope);
            }
        }
        self.takes.insert(take, known);
        self.answered(key, EnvelopeId::ZERO, None);
    }

    /// An envelope that is here already; perhaps its body is not.
    fn take_body(&mut self, key: (ConnectionId, u64), envelope: &Envelope) {
        let (space, id) = (envelope.header().space, envelope.id());
        let missing = self
            .spaces
            .get(&space)
            .is_some_and(|held| held.missing.contains(id));
        match envelope.body().filter(|_body| missing) {
            Some(body) => {
                let work = Work::Body {
                    from: Some(key),
                    space,
                    envelope: id,
                    body: body.to_vec(),
                };
                self.queue.push(work);
            }
            None => self.answered(key, id, None),
        }
    }

    /// Everything of a take has its answer.
    pub(super) fn taken(&mut self, take: TakeId, done: Receiving) {
        let known = self.takes.remove(&take).unwrap_or_default();
        let result = Ok(Taken {
            known,
            refused: done.refused,
        });
        self.outputs.push_back(Output::Taken { take, result });
    }

    /// It is durable that a Space is waited for no more.
    pub(super) fn forgotten(&mut self, space: SpaceId, write: WriteId) {
        // What came of it meanwhile stays.
        if self.is_forgettable(space) {
            self.spaces.remove(&space);
        }
        let written = Written {
            space,
            chain: self.chain(),
            seq: 0,
            id: EnvelopeId::ZERO,
        };
        let result = Ok(written);
        self.outputs.push_back(Output::Written { write, result });
        self.emit(Event::SpaceChanged { space });
    }

    /// Whether nothing of a Space is here but the wish to have it.
    pub(super) fn is_forgettable(&self, space: SpaceId) -> bool {
        self.spaces
            .get(&space)
            .is_some_and(|held| held.log.is_empty())
    }
}
