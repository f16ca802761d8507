//! Bodies that are fetched when wanted: headers alone are a whole chain (DESIGN §5).
//!
//! A member may keep the bodies of some documents only. It says so to its peers, which leave the
//! others out and then no longer take it for one that holds them; when a document is opened, the
//! bodies that are missing are fetched. Relays want all bodies, and control never travels without
//! its own (A48). A body that a peer does not have comes later, from whoever has it: so that one which
//! nobody has any more keeps nobody from the rest. What a snapshot holds need not be fetched:
//! `snapshots.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_bytes::ByteBuf;

use super::Engine;
use super::feed::FRAME_BYTES_TARGET;
use super::frame::{Bodies as BodiesFrame, Fetch, Frame, WANTS_MAX, Wants};
use super::io::{ConnectionId, Event, LoadId, Output};
use super::lacking::Lacking;
use super::options::Role;
use super::queue::Work;
use crate::envelope::{Envelope, RawEnvelope};
use crate::id::{Chain, DocumentId, EnvelopeId, SpaceId};
use crate::statement::Kind;
use crate::time::Timestamp;

/// How many bodies are asked for at once.
pub(super) const FETCH_MAX: usize = 512;

/// Of which documents of a Space this device keeps the bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// Of all; relays always do.
    #[default]
    All,
    /// Of these; of the others headers alone.
    Documents(BTreeSet<DocumentId>),
}

impl Bodies {
    /// Whether bodies of a document are kept.
    pub fn include(&self, document: DocumentId) -> bool {
        match self {
            Self::All => true,
            Self::Documents(documents) => documents.contains(&document),
        }
    }
}

/// What of a Space's bodies is not here.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) policy: Bodies,
    /// Content whose header is durable and whose body is not, in any form.
    ids: BTreeMap<EnvelopeId, (Chain, u64)>,
    /// How many of them, by chain and position: a fork has two at one.
    positions: BTreeMap<Chain, BTreeMap<u64, usize>>,
    /// Content whose sealed body is not here, and the snapshot here that holds the plain one.
    pub(super) covered: BTreeMap<EnvelopeId, EnvelopeId>,
    /// Snapshots that were asked for before anything else: once, so that one which nobody gives holds
    /// nothing up.
    pub(super) asked_first: BTreeSet<EnvelopeId>,
    /// When a header last came without its body.
    pub(super) since: Timestamp,
    /// Whom was asked for some, and when; at most one request a Space is under way.
    asked: Option<(ConnectionId, Timestamp)>,
}

impl Missing {
    /// A header is durable, and its body is not here.
    pub(super) fn insert(&mut self, id: EnvelopeId, (chain, seq): (Chain, u64)) {
        if self.ids.insert(id, (chain, seq)).is_none() {
            let positions = self.positions.entry(chain).or_default();
            *positions.entry(seq).or_default() += 1;
        }
    }

    /// A body came. Whether it was missing.
    pub(super) fn remove(&mut self, id: EnvelopeId) -> bool {
        let Some((chain, seq)) = self.ids.remove(&id) else {
            return false;
        };
        if let Some(positions) = self.positions.get_mut(&chain) {
            if let Some(count) = positions.get_mut(&seq).filter(|count| **count > 1) {
                *count -= 1;
            } else {
                positions.remove(&seq);
            }
            if positions.is_empty() {
                self.positions.remove(&chain);
            }
        }
        true
    }

    pub(super) fn contains(&self, id: EnvelopeId) -> bool {
        self.ids.contains_key(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = EnvelopeId> + use<'_> {
        self.ids.keys().copied()
    }

    /// What is missing that a peer who takes this device for whole would suppose here. Of documents that
    /// are not kept, peers know it by what was said of them.
    pub(super) fn lacking(&self) -> Lacking {
        if self.policy != Bodies::All {
            return Lacking::NOTHING;
        }
        let chains = self.positions.iter();
        Lacking::of(
            chains.filter_map(|(chain, positions)| Some((*chain, *positions.first_key_value()?.0))),
        )
    }
}

/// Bodies that the store is reading for a peer.
#[derive(Debug)]
pub(super) struct Fetching {
    connection: ConnectionId,
    space: SpaceId,
}

impl Fetching {
    pub(super) fn is_for(&self, connection: ConnectionId) -> bool {
        self.connection == connection
    }
}

/// Whether an envelope came without the body that its header names.
pub(super) fn is_bodiless(envelope: &Envelope) -> bool {
    envelope.header().kind != Kind::Control && envelope.body().is_none()
}

impl Engine {
    /// The shell says of which documents it wants bodies. Those that are missing are fetched.
    pub(super) fn keep_bodies(&mut self, space: SpaceId, policy: Bodies) {
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        if self.role != Role::Member || held.missing.policy == policy {
            return;
        }
        held.missing.policy = policy;
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            let greeted = self.connections.get(&id);
            if greeted.is_some_and(|it| it.store_epoch.is_some()) && self.may_hear_of(id, space) {
                self.say_wants(id, space, true);
            }
        }
        self.fetch(space);
    }

    /// Says what this device wants, if that is not everything or just changed.
    pub(super) fn say_wants(&mut self, id: ConnectionId, space: SpaceId, changed: bool) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let documents = match &held.missing.policy {
            Bodies::Documents(documents) if documents.len() <= WANTS_MAX => {
                Some(documents.iter().copied().collect())
            }
            _ => None,
        };
        if changed || documents.is_some() {
            self.send(id, &Frame::Wants(Wants { space, documents }));
        }
        self.say_snapshots_if_due(id, space);
    }

    pub(super) fn wants_received(&mut self, id: ConnectionId, wants: Wants) {
        if !self.listens_to(id, wants.space)
            || wants
                .documents
                .as_ref()
                .is_some_and(|it| it.len() > WANTS_MAX)
        {
            return;
        }
        let documents = wants.documents.map(|it| it.into_iter().collect());
        self.feed_mut(id, wants.space, |feed| {
            feed.wants = documents.map_or(Bodies::All, Bodies::Documents);
        });
    }

    /// Asks a peer for bodies that are wanted and missing: snapshots first, then what is in none.
    pub(super) fn fetch(&mut self, space: SpaceId) {
        if self
            .spaces
            .get(&space)
            .is_none_or(|held| held.missing.is_empty())
        {
            return;
        }
        self.open_next(space);
        let (opening, knows_all) = (self.is_opening(space), self.knows_all(space));
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let mut ids = held.snapshots_to_ask_for();
        let snapshots = !ids.is_empty();
        if !snapshots && (opening || !knows_all) {
            return;
        }
        let asked = held.missing.asked;
        let waits = asked.is_some_and(|(id, at)| {
            self.connections.contains_key(&id)
                && self.now < at.plus(self.limits.acknowledge_timeout)
        });
        if snapshots {
            ids.truncate(FETCH_MAX);
        } else {
            let wanted = held.missing.ids().filter(|id| {
                let entry = held.log.get(*id);
                entry.is_some_and(|entry| held.missing.policy.include(entry.header().document))
            });
            ids = wanted.take(FETCH_MAX).collect();
        }
        if waits || ids.is_empty() {
            return;
        }
        // Another peer than the last time, if there is one.
        let able = |id: &ConnectionId| {
            let greeted = self.connections.get(id);
            greeted.is_some_and(|it| it.store_epoch.is_some()) && self.may_hear_of(*id, space)
        };
        let all: Vec<_> = self.connections.keys().copied().filter(able).collect();
        let last = asked.map(|(id, _at)| id);
        let next = all.iter().find(|id| Some(**id) > last).or(all.first());
        let Some(id) = next.copied() else {
            return;
        };
        let now = self.now;
        if let Some(held) = self.spaces.get_mut(&space) {
            held.missing.asked = Some((id, now));
            if snapshots {
                held.missing.asked_first.extend(&ids);
            }
        }
        self.send(id, &Frame::Fetch(Fetch { space, ids }));
    }

    /// Whether a snapshot that holds what is missing would have come by now: a peer gave all that it
    /// has, or nothing came for a while.
    fn knows_all(&self, space: SpaceId) -> bool {
        let in_step = self.connections.values().any(|connection| {
            let feed = connection.feeds.get(&space);
            feed.is_some_and(|feed| feed.agreed.is_some())
        });
        let quiet = self.spaces.get(&space).is_some_and(|held| {
            let last = held.missing.since;
            last > self.now || last.plus(self.limits.digest_interval) <= self.now
        });
        in_step || quiet
    }

    /// Every few seconds: what is still missing is asked for again.
    pub(super) fn fetch_again(&mut self) {
        let spaces: Vec<_> = self
            .spaces
            .iter()
            .filter(|(_space, held)| !held.missing.is_empty())
            .map(|(space, _held)| *space)
            .collect();
        for space in spaces {
            self.fetch(space);
        }
    }

    /// A peer asks for bodies: at most one request of a connection is read at a time.
    pub(super) fn fetch_received(&mut self, id: ConnectionId, fetch: Fetch) {
        let space = fetch.space;
        let busy = self.fetches.values().any(|it| it.connection == id);
        if busy || fetch.ids.len() > FETCH_MAX || !self.may_hear_of(id, space) {
            return;
        }
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let mut bytes = 0;
        let (mut ids, mut in_snapshots) = (Vec::new(), Vec::new());
        for envelope in fetch.ids {
            let content = held.log.get(envelope).filter(|entry| !entry.is_control());
            if let Some(entry) = content
                && held.has_sealed(envelope)
            {
                bytes += usize::try_from(entry.header().body_len).unwrap_or(usize::MAX);
                if bytes > FRAME_BYTES_TARGET && !ids.is_empty() {
                    break;
                }
                ids.push(envelope);
            } else if held.is_covered(envelope) {
                in_snapshots.push(envelope);
            }
        }
        if ids.is_empty() && !in_snapshots.is_empty() {
            self.want_sealed(space, id, in_snapshots);
            return;
        }
        let request = LoadId(self.next_load);
        self.next_load += 1;
        self.fetches.insert(
            request,
            Fetching {
                connection: id,
                space,
            },
        );
        self.outputs.push_back(Output::Load {
            request,
            space,
            ids,
        });
    }

    /// The store read bodies for a peer. False when it read something else.
    pub(super) fn bodies_loaded(&mut self, request: LoadId, envelopes: &[RawEnvelope]) -> bool {
        let Some(Fetching { connection, space }) = self.fetches.remove(&request) else {
            return false;
        };
        let bodies = envelopes.iter().filter_map(|raw| {
            let envelope = raw.clone().recall().ok()?;
            Some((envelope.id(), ByteBuf::from(envelope.body()?)))
        });
        let bodies = bodies.collect();
        if self.may_hear_of(connection, space) {
            self.send(connection, &Frame::Bodies(BodiesFrame { space, bodies }));
        }
        true
    }

    /// Bodies came: what its header names goes to the disk, anything else counts against the peer.
    pub(super) fn bodies_received(&mut self, id: ConnectionId, frame: BodiesFrame) {
        let space = frame.space;
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let Some((_asked, at)) = held.missing.asked.filter(|(asked, _at)| *asked == id) else {
            return;
        };
        let mut wrong = false;
        let mut works = Vec::new();
        for (envelope, body) in frame.bodies {
            let Some(entry) = held.log.get(envelope) else {
                continue;
            };
            if !entry.header().is_body(&body) {
                wrong = true;
            } else if held.missing.contains(envelope) {
                works.push((envelope, body.into_vec()));
            }
        }
        // A peer that has none of them is not asked again at once.
        let expired = Timestamp::from_millis(0);
        held.missing.asked = Some((id, if works.is_empty() { at } else { expired }));
        for (envelope, body) in works {
            if self.queue.received_bytes < self.limits.received_bytes_max {
                self.queue.push(Work::Body {
                    from: None,
                    space,
                    envelope,
                    body,
                });
            }
        }
        if wrong {
            self.fault(id);
        }
    }

    /// Bodies are durable: their documents are read anew, and the next are fetched.
    pub(super) fn bodies_durable(&mut self, bodies: &BTreeMap<(SpaceId, EnvelopeId), Vec<u8>>) {
        let mut spaces = BTreeSet::new();
        let mut all: BTreeMap<SpaceId, Vec<EnvelopeId>> = BTreeMap::new();
        for (space, envelope) in bodies.keys() {
            if let Some(held) = self.spaces.get_mut(space)
                && held.missing.remove(*envelope)
            {
                spaces.insert(*space);
            }
            all.entry(*space).or_default().push(*envelope);
        }
        for (space, ids) in &all {
            self.uncovered(*space, ids.iter());
        }
        for space in spaces {
            self.say_lacking(space);
            self.emit(Event::Rebuilt { space });
            self.fetch(space);
        }
    }
}
