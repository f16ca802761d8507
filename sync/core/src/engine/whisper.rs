//! Ephemeral messages: signed, sealed, forwarded to whoever is connected, never stored.

use std::collections::BTreeMap;

use super::Engine;
use super::counters;
use super::io::{ConnectionId, Event, Output};
use crate::codec;
use crate::ephemeral::{self, EPHEMERAL_BYTES_MAX, Ephemeral, RawEphemeral, Slot};
use crate::id::{Chain, DocumentId, EnvelopeId, SpaceId};
use crate::key::EpochKey;
use crate::time::Timestamp;

/// How many messages wait for a reservation; more are dropped.
const UNHEARD_MAX: usize = 256;

impl Engine {
    /// Sends a message of this device; dropped when it may not speak or has no key.
    pub(super) fn whisper(&mut self, space: SpaceId, document: DocumentId, plain: &[u8]) {
        if let Some(epoch) = self.epoch_in_force(space) {
            self.speak(space, document, plain, epoch);
        }
    }

    /// The epoch under which this device seals what it says in a Space.
    pub(super) fn epoch_in_force(&self, space: SpaceId) -> Option<(EnvelopeId, EpochKey)> {
        let held = self.spaces.get(&space)?;
        let in_force = held.keyring.in_force(&held.log, &held.evaluation);
        in_force.map(|(epoch, key)| (epoch, key.clone()))
    }

    /// Says something under an epoch of this Space, or of one whose readers are here too.
    pub(super) fn speak(
        &mut self,
        space: SpaceId,
        document: DocumentId,
        plain: &[u8],
        (epoch, key): (EnvelopeId, EpochKey),
    ) {
        let chain = self.chain();
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let Some(authority) = held.evaluation.best_grant(self.author, self.now) else {
            return;
        };
        // The clock keeps the counter rising over restarts; its reservation does when the clock
        // went back.
        let clock = u64::try_from(self.now.max(Timestamp::ZERO).millis()).unwrap_or(0);
        let counter = clock.max(held.counters.last(chain).saturating_add(1));
        let slot = Slot {
            space,
            instance: self.instance,
            authority,
            document,
            counter,
            time: self.now,
        };
        let epoch = (epoch, &key);
        if let Ok(message) = ephemeral::seal(&self.keys, &slot, plain, epoch, &mut self.entropy) {
            if !held.counters.is_reserved(chain, counter) {
                self.queue
                    .counters_due
                    .insert((space, chain), counters::reservation(counter));
            }
            held.counters.hear(chain, counter);
            held.last_words.keep(&message, self.now);
            self.forward(None, &message);
        }
    }

    pub(super) fn heard(&mut self, id: ConnectionId, bytes: &[u8]) {
        if bytes.len() > EPHEMERAL_BYTES_MAX || self.is_ending {
            return;
        }
        let Ok(message) = codec::decode::<RawEphemeral>(bytes) else {
            return;
        };
        let Ok(message) = message.verify() else {
            return;
        };
        self.consider_message(id, message);
    }

    fn consider_message(&mut self, id: ConnectionId, message: Ephemeral) {
        let header = message.header();
        let (space, chain) = (header.space, header.chain);
        if !self.may_hear_of(id, space) {
            return;
        }
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let passed = held.counters.passed(chain);
        if message.check(&held.evaluation, passed, self.now).is_err()
            || !held.counters.has_room(chain)
        {
            return;
        }
        if header.counter <= held.counters.last(chain) {
            // Perhaps heard before a restart. Whoever is connected judges for themselves: a relay
            // that begins anew must not make an agent look dead to all who hear it there.
            held.counters.pass(chain, header.counter);
            held.last_words.keep(&message, self.now);
            self.forward(Some(id), &message);
            return;
        }
        if !held.counters.is_reserved(chain, header.counter) {
            if self.unheard.len() < UNHEARD_MAX {
                let due = self.queue.counters_due.entry((space, chain)).or_default();
                *due = counters::reservation(header.counter).max(*due);
                self.unheard.push_back((id, message));
            }
            return;
        }
        let refused = self.waiting_to_hear.contains_key(&space);
        held.counters.hear(chain, header.counter);
        held.last_words.keep(&message, self.now);
        let opened = held
            .keyring
            .get(header.epoch)
            .and_then(|key| message.open(key).ok());
        let event = match opened {
            Some(bytes) => Some(Event::Ephemeral {
                space,
                document: header.document,
                chain,
                time: header.time,
                bytes,
            }),
            None => self.asked(&message),
        };
        if let Some(event) = event {
            self.emit(event);
        }
        self.forward(Some(id), &message);
        if refused {
            self.hear_again(space);
        }
    }

    /// After a restart: when each Space is heard again at the latest.
    pub(super) fn wait_to_hear(&mut self, now: Timestamp) {
        let refuses = self.spaces.iter().filter_map(|(space, held)| {
            let until = held.counters.refuses_until(self.author, self.begun)?;
            (until > now).then_some((*space, until))
        });
        self.waiting_to_hear = refuses.collect();
        self.next_hearing = self.waiting_to_hear.values().min().copied();
    }

    /// Whether a chain of a Space may speak and be refused, because of what an earlier life heard.
    pub(super) fn refuses_some(&self, space: SpaceId) -> bool {
        self.waiting_to_hear
            .get(&space)
            .is_some_and(|until| *until > self.now)
    }

    /// Every chain of a Space was heard since the restart, perhaps.
    fn hear_again(&mut self, space: SpaceId) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        match held.counters.refuses_until(self.author, self.begun) {
            Some(until) if until > self.now => {
                self.waiting_to_hear.insert(space, until);
            }
            _ => {
                self.waiting_to_hear.remove(&space);
                self.heard_anew(space);
            }
        }
    }

    /// What waited long enough counts as heard: silence is silence again.
    pub(super) fn hear_by_time(&mut self) {
        if self.next_hearing.is_none_or(|at| at > self.now) {
            return;
        }
        let now = self.now;
        let due = self.waiting_to_hear.iter();
        let due = due.filter(|(_space, until)| **until <= now);
        let due: Vec<_> = due.map(|(space, _until)| *space).collect();
        for space in due {
            self.waiting_to_hear.remove(&space);
            self.heard_anew(space);
        }
        self.next_hearing = self.waiting_to_hear.values().min().copied();
    }

    /// Tells the shell that what is said in a Space arrives from now on, if it does.
    fn heard_anew(&mut self, space: SpaceId) {
        if !self.in_step(space).is_empty() {
            self.emit(Event::InStep { space });
        }
    }

    /// What has to be reserved on disk now. When anything has, whatever is used half goes along.
    pub(super) fn take_reservations(&mut self) -> BTreeMap<(SpaceId, Chain), u64> {
        let mut due = std::mem::take(&mut self.queue.counters_due);
        if !due.is_empty() {
            for (space, held) in &self.spaces {
                for (chain, reserved) in held.counters.half_used() {
                    due.entry((*space, chain)).or_insert(reserved);
                }
            }
        }
        due
    }

    /// Nothing more is heard, so that what was heard can be stored exactly.
    pub(super) fn finish_hearing(&mut self) {
        self.is_ending = true;
        self.unheard.clear();
        let heard = self.spaces.iter().flat_map(|(space, held)| {
            let exact = held.counters.exact();
            exact.map(|(chain, last)| ((*space, chain), last))
        });
        self.queue.counters_due = heard.collect();
    }

    /// Reservations are durable: what waited for them is heard.
    pub(super) fn reserved(&mut self, counters: &BTreeMap<(SpaceId, Chain), u64>) {
        if counters.is_empty() {
            return;
        }
        for ((space, chain), reserved) in counters {
            if let Some(held) = self.spaces.get_mut(space) {
                held.counters.reserve(*chain, *reserved);
            }
        }
        for (id, message) in std::mem::take(&mut self.unheard) {
            self.consider_message(id, message);
        }
    }

    /// Tells a peer that comes now what was said a moment ago. Who heard it already leaves it out.
    pub(super) fn tell_last_words(&mut self, id: ConnectionId, space: SpaceId) {
        let Some(peer) = self.connections.get(&id).map(|it| it.peer) else {
            return;
        };
        if !self.may_hear_of(id, space) {
            return;
        }
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        for message in held.last_words.current(self.now) {
            if message.header().chain.author == peer {
                continue;
            }
            if let Ok(bytes) = codec::encode(message.raw()) {
                let connection = id;
                self.outputs
                    .push_back(Output::SendDatagram { connection, bytes });
            }
        }
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
