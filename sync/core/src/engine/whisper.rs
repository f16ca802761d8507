//! Ephemeral messages: signed, sealed, forwarded to whoever is connected, never stored.

use super::Engine;
use super::io::{ConnectionId, Event, Output};
use crate::codec;
use crate::ephemeral::{self, EPHEMERAL_BYTES_MAX, Ephemeral, RawEphemeral, Slot};
use crate::id::{DocumentId, SpaceId};
use crate::time::Timestamp;

impl Engine {
    /// Sends a message of this device; dropped when it may not speak or has no key.
    pub(super) fn whisper(&mut self, space: SpaceId, document: DocumentId, plain: &[u8]) {
        let chain = self.chain();
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let (Some(authority), Some((epoch, key))) = (
            held.evaluation.best_grant(self.author, self.now),
            held.keyring.in_force(&held.log, &held.evaluation),
        ) else {
            return;
        };
        // The clock keeps the counter rising over restarts, so nothing need be stored.
        let clock = u64::try_from(self.now.max(Timestamp::ZERO).millis()).unwrap_or(0);
        let last = held.counters.entry(chain).or_default();
        let counter = clock.max(last.saturating_add(1));
        let slot = Slot {
            space,
            instance: self.instance,
            authority,
            document,
            counter,
            time: self.now,
        };
        let epoch = (epoch, key);
        if let Ok(message) = ephemeral::seal(&self.keys, &slot, plain, epoch, &mut self.entropy) {
            *last = counter;
            self.forward(None, &message);
        }
    }

    pub(super) fn heard(&mut self, id: ConnectionId, bytes: &[u8]) {
        if bytes.len() > EPHEMERAL_BYTES_MAX {
            return;
        }
        let Ok(message) = codec::decode::<RawEphemeral>(bytes) else {
            return;
        };
        let Ok(message) = message.verify() else {
            return;
        };
        let header = message.header();
        let (space, chain) = (header.space, header.chain);
        if !self.may_hear_of(id, space) {
            return;
        }
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let last = held.counters.get(&chain).copied().unwrap_or(0);
        if message.check(&held.evaluation, last, self.now).is_err() {
            return;
        }
        held.counters.insert(chain, header.counter);
        let opened = held
            .keyring
            .get(header.epoch)
            .and_then(|key| message.open(key).ok());
        if let Some(bytes) = opened {
            let event = Event::Ephemeral {
                space,
                document: header.document,
                chain,
                time: header.time,
                bytes,
            };
            self.emit(event);
        }
        self.forward(Some(id), &message);
    }

    /// To every member that is connected and keeps up; the first thing to be dropped.
    fn forward(&mut self, from: Option<ConnectionId>, message: &Ephemeral) {
        let space = message.header().space;
        let Ok(bytes) = codec::encode(message.raw()) else {
            return;
        };
        if bytes.len() > EPHEMERAL_BYTES_MAX {
            return;
        }
        let source = from
            .and_then(|id| self.connections.get(&id))
            .map(|it| it.peer);
        let mut told = std::collections::BTreeSet::new();
        for (id, connection) in self.connections.iter().rev() {
            let keeps_up = connection.outstanding_bytes < self.limits.window_bytes / 2;
            if Some(*id) != from
                && source != Some(connection.peer)
                && connection.peer != message.header().chain.author
                && keeps_up
                && self.may_hear_of(*id, space)
                && told.insert(connection.peer)
            {
                self.outputs.push_back(Output::SendDatagram {
                    connection: *id,
                    bytes: bytes.clone(),
                });
            }
        }
    }
}
