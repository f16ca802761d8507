//! Signed and sealed values, as they are in frames.

use std::sync::Arc;

use aramaki_sync::transport::{ADDRESS_LEN_BYTES_MAX, ADDRESSES_MAX, Hello};
use aramaki_sync_core::admission::{Fork, snapshot_of, wanted_bodies};
use aramaki_sync_core::codec;
use aramaki_sync_core::envelope::{self, Envelope, Founding, Position, RawEnvelope};
use aramaki_sync_core::ephemeral::{self, RawEphemeral, Slot};
use aramaki_sync_core::key::{DeviceKeys, EpochKey, SpaceKey};
use aramaki_sync_core::statement::{Audience, Body, Capability, Cut, Grant, GrantFlags, Statement};
use aramaki_sync_core::{
    DocumentId, Entropy, EnvelopeId, Instance, PrincipalId, SpaceId, Timestamp,
};
use serde_bytes::ByteBuf;

use super::Decoder;

/// When the seeds were written.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(super) const ENVELOPE: Decoder = Decoder {
    name: "envelope",
    run: envelope,
    seeds: || {
        let space = Founded::new();
        let mut raw = vec![space.root.raw().clone(), space.grant.raw().clone()];
        raw.push(space.note(1).raw().clone());
        raw.iter().filter_map(|it| codec::encode(it).ok()).collect()
    },
};

pub(super) const STATEMENT: Decoder = Decoder {
    name: "statement",
    run: |bytes| {
        reads_one_way::<Statement>(bytes);
        if let Ok(statement) = codec::decode::<Statement>(bytes)
            && let Some(fork) = Fork::proven(Founded::new().space, &statement)
        {
            assert!(fork.ids[0] < fork.ids[1]);
        }
    },
    seeds: || {
        let mut told = statements();
        let founded = Founded::new();
        let (one, other) = (founded.note(1), founded.note(2));
        told.extend(Fork::statement(one.raw(), other.raw()));
        told.iter()
            .filter_map(|it| codec::encode(it).ok())
            .collect()
    },
};

pub(super) const BODY: Decoder = Decoder {
    name: "body",
    run: |bytes| reads_one_way::<Body>(bytes),
    seeds: || {
        let bodies = [
            body(),
            Body::Merge,
            Body::AgentConfig(ByteBuf::from(vec![1, 2, 3])),
            snapshot(),
        ];
        bodies
            .iter()
            .filter_map(|it| codec::encode(it).ok())
            .collect()
    },
};

/// A list of two bodies, as a writer seals it.
fn snapshot() -> Body {
    let listed = [(1, body()), (2, Body::Merge)];
    let by_id = listed.map(|(byte, body)| (EnvelopeId::from_bytes([byte; 32]), body));
    snapshot_of(by_id.into())
}

pub(super) const SNAPSHOT: Decoder = Decoder {
    name: "snapshot",
    run: open_list,
    seeds: || {
        let space = Founded::new();
        let (note, other) = (space.note(1), space.note(2));
        let bodies = [&note, &other].map(|it| it.open(&epoch()).map(|body| (it.id(), body)));
        let honest = snapshot_of(bodies.into_iter().flatten().collect());
        let forged = Body::Snapshot(vec![(note.id(), ByteBuf::from(vec![0, 1, 2]))]);
        [honest, forged, snapshot()]
            .iter()
            .filter_map(|it| codec::encode(it).ok())
            .collect()
    },
};

/// Whatever an admitted writer lists, nothing comes out of it but what the listed envelope's author
/// signed; and sealed and opened it is the same.
fn open_list(bytes: &[u8]) {
    let Ok(list @ (Body::Snapshot(_) | Body::FoldedSnapshot(_))) = codec::decode::<Body>(bytes)
    else {
        return;
    };
    let space = Founded::new();
    let note = space.note(1);
    let position = space.position(2, note.id());
    let document = DocumentId::named("note/1");
    let key = epoch();
    let under = (space.root.id(), &key);
    let keys = keys(3);
    let sealed = envelope::sealed(&keys, position, document, &list, under);
    let Ok(snapshot) = sealed else {
        return; // longer than an envelope
    };
    let wanted = |id| (id == note.id()).then_some((note.header(), &key));
    if let Ok(bodies) = wanted_bodies(&snapshot, &key, wanted) {
        let honest = note.open(&key).ok();
        assert!(bodies.into_values().all(|body| Some(body) == honest));
    }
}

pub(super) const EPHEMERAL: Decoder = Decoder {
    name: "ephemeral",
    run: |bytes| {
        if let Ok(raw) = postcard::from_bytes::<RawEphemeral>(bytes)
            && let Ok(message) = raw.verify()
        {
            drop(message.open(&epoch()));
        }
    },
    seeds: || {
        let space = Founded::new();
        let slot = Slot {
            space: space.space,
            instance: Instance(2),
            authority: space.grant.id(),
            document: DocumentId::named("heartbeat"),
            counter: 1,
            time: NOW,
        };
        let key = (space.root.id(), &epoch());
        let sealed = ephemeral::seal(&keys(3), &slot, b"alive", key, &mut entropy());
        let raw = sealed.ok().and_then(|it| codec::encode(it.raw()).ok());
        raw.into_iter().collect()
    },
};

/// Whatever it reads is written in this way only.
fn reads_one_way<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) {
    if let Ok(value) = codec::decode::<T>(bytes) {
        assert_eq!(codec::encode(&value).as_deref(), Ok(bytes));
    }
}

fn envelope(bytes: &[u8]) {
    let Ok(raw) = codec::decode::<RawEnvelope>(bytes) else {
        return;
    };
    // Of what is stored the signature is not checked again: form must hold without it.
    if let Ok(recalled) = raw.clone().recall() {
        assert_eq!(recalled.raw(), &raw);
        drop(recalled.open(&epoch()));
    }
    if let Ok(verified) = raw.clone().verify() {
        assert_eq!(verified.raw(), &raw);
        assert!(raw.recall().is_ok(), "verified, and then not recalled");
    }
}

pub(super) fn keys(seed: u8) -> DeviceKeys {
    DeviceKeys::from_seed([seed; 32])
}

pub(super) fn entropy() -> Entropy {
    Entropy::from_seed([7; 32])
}

pub(super) fn epoch() -> EpochKey {
    EpochKey::from_bytes([3; 32])
}

fn body() -> Body {
    Body::Changes(vec![ByteBuf::from(vec![7; 60]), ByteBuf::from(vec![8; 3])])
}

/// A Space, its founder, and a guest who may write.
pub(super) struct Founded {
    pub(super) space: SpaceId,
    pub(super) root: Envelope,
    pub(super) grant: Envelope,
}

impl Founded {
    pub(super) fn new() -> Self {
        let key = SpaceKey::generate(&mut entropy());
        let space = key.space();
        let mut to_founder = grant(1, Capability::Administer, None);
        to_founder.depth_left = 7;
        let Founding { root, .. } = envelope::found(key, to_founder, None, NOW).unwrap();
        let to_guest = Statement::Grant(grant(3, Capability::Write, Some(root.id())));
        let position = Position {
            space,
            instance: Instance(1),
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority: root.id(),
            ancestors: Vec::new(),
            time: NOW,
        };
        let grant = envelope::control(&keys(1), position, &to_guest).unwrap();
        Self { space, root, grant }
    }

    /// Where the guest writes.
    pub(super) fn position(&self, seq: u64, previous: EnvelopeId) -> Position {
        Position {
            space: self.space,
            instance: Instance(2),
            seq,
            previous,
            authority: self.grant.id(),
            ancestors: Vec::new(),
            time: NOW,
        }
    }

    /// The first thing that the guest writes.
    pub(super) fn note(&self, fill: u8) -> Envelope {
        let position = self.position(1, EnvelopeId::ZERO);
        let document = DocumentId::named("note/1");
        let body = Body::Changes(vec![ByteBuf::from(vec![fill; 80])]);
        let key = epoch();
        let under = (self.root.id(), &key);
        envelope::sealed(&keys(3), position, document, &body, under).unwrap()
    }
}

fn grant(to: u8, capability: Capability, parent: Option<EnvelopeId>) -> Grant {
    let to = keys(to).public();
    Grant {
        audience: Audience::Author(to.author),
        box_key: to.box_key,
        principal: PrincipalId::from_bytes([1; 16]),
        capability,
        flags: GrantFlags::NONE,
        not_before: Timestamp::ZERO,
        end: Timestamp::MAX,
        depth_left: 1,
        redemptions: 0,
        redeem_until: Timestamp::ZERO,
        parent,
    }
}

/// Statements of several kinds.
pub(super) fn statements() -> Vec<Statement> {
    let target = EnvelopeId::from_bytes([9; 32]);
    let cut = Cut {
        chain: aramaki_sync_core::Chain {
            author: keys(3).author(),
            instance: Instance(2),
        },
        seq: 3,
        id: target,
    };
    vec![
        Statement::Grant(grant(3, Capability::Read, Some(target))),
        Statement::Revoke {
            target,
            cuts: vec![cut],
            reason: 1,
        },
        Statement::Close {
            target,
            cuts: vec![cut],
        },
        Statement::Receipt {
            cuts: vec![cut, cut],
            at: NOW,
        },
        Statement::BreakGlass {
            reason: "the shop is down".to_owned(),
        },
    ]
}

/// Two endpoints, from one to the other.
const ENDPOINTS: (&[u8; 32], &[u8; 32]) = (&[1; 32], &[2; 32]);

fn greeting_keys() -> [Arc<DeviceKeys>; 2] {
    [3, 4].map(|seed| Arc::new(DeviceKeys::from_seed([seed; 32])))
}

/// The first message on a connection, from anybody who reaches this endpoint.
pub(super) const HELLO: Decoder = Decoder {
    name: "hello",
    run: |bytes| {
        if let Ok((hello, proven)) = Hello::verified(bytes, ENDPOINTS) {
            let known = greeting_keys().map(|keys| keys.author());
            assert!(proven.authors.iter().all(|author| known.contains(author)));
            assert!(proven.authors.contains(&proven.device));
            assert!(hello.addresses.len() <= ADDRESSES_MAX);
            let longest = hello.addresses.iter().map(String::len).max();
            assert!(longest.unwrap_or(0) <= ADDRESS_LEN_BYTES_MAX);
        }
    },
    seeds: || {
        let keys = greeting_keys();
        let addresses = vec!["192.0.2.1:7410".to_owned(), "[2001:db8::1]:7410".to_owned()];
        let for_another = Hello::signed(7, Vec::new(), &keys, (ENDPOINTS.0, &[9; 32]));
        let hellos = [
            Hello::signed(7, addresses, &keys, ENDPOINTS),
            Hello::signed(u64::MAX, Vec::new(), &keys[..1], ENDPOINTS),
            for_another,
        ];
        hellos.iter().filter_map(|it| it.encode().ok()).collect()
    },
};
