//! What goes into the engine and what comes out: the whole contract between it and a shell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::bodies::Bodies;
use super::quota::QuotaName;
use crate::admission::{PassedOver, SnapshotFault};
use crate::envelope::{Envelope, FormError, RawEnvelope};
use crate::id::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::key::{DeviceKeys, PublicKeys};
use crate::statement::{Body, Statement};
use crate::time::Timestamp;

/// The longest frame that the engine sends or reads; the shell's framing allows no more.
pub const FRAME_BYTES_MAX: usize = 512 << 10;

/// One connection to a peer. The shell counts upwards and never uses a number twice while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A write that the shell asked for; the shell chooses the number and finds it in
/// [`Output::Written`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteId(pub u64);

/// A batch of store operations, all of which happen or none. At most one is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId(pub u64);

/// A request for stored envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadId(pub u64);

/// A request to check envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifyId(pub u64);

/// A request to take what a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TakeId(pub u64);

/// Names one life of a store: random per database, a restored database takes a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreEpoch(pub u64);

/// An envelope as the store keeps it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Verified; the body may be left out, except of control envelopes.
    pub envelope: Envelope,
    /// When it first arrived here.
    pub received: Timestamp,
}

/// What this device knows about a peer's store in one Space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which life of the peer's store this is about; worthless for any other.
    pub store_epoch: StoreEpoch,
    /// Everything before this position of the peer's arrival order is durable here.
    pub pulled: u64,
    /// Heads up to which the peer said that it holds our chains durably.
    pub held: Vec<(Chain, u64)>,
}

/// A cursor and whose it is: one row of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCursor {
    /// The peer's device key.
    pub peer: AuthorId,
    /// In which Space.
    pub space: SpaceId,
    /// What is known.
    pub cursor: Cursor,
}

/// Up to where a chain's ephemeral counters may have been accepted: one row of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredCounter {
    /// In which Space.
    pub space: SpaceId,
    /// Whose counters.
    pub chain: Chain,
    /// Nothing at or below it is accepted after a restart.
    pub reserved: u64,
    /// Whether that was heard, and nothing above it.
    pub exact: bool,
}

/// One operation of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreOperation {
    /// Keep an envelope. Envelopes of a Space keep the order in which they were put: that is the
    /// arrival order in which they are restored. Putting a stored one again changes nothing.
    Put {
        /// Where.
        space: SpaceId,
        /// What, with its body; content of a document whose bodies are not kept may come without.
        envelope: Arc<Envelope>,
        /// When it first arrived.
        received: Timestamp,
    },
    /// Keep the body of an envelope that was put without it. It is the one that the header names.
    PutBody {
        /// Where.
        space: SpaceId,
        /// Whose body.
        id: EnvelopeId,
        /// As sealed.
        body: Vec<u8>,
    },
    /// The plain bodies of these are in the body of `by`, which is on this disk: it was opened and each
    /// was checked. What is kept of their sealed bodies is deleted with this note, or nothing happens.
    Cover {
        /// Where.
        space: SpaceId,
        /// The snapshot. Without its body on this disk the batch fails.
        by: EnvelopeId,
        /// Whose bodies.
        ids: Vec<EnvelopeId>,
    },
    /// Replace what is known about a peer.
    PutCursor(StoredCursor),
    /// Replace up to where a chain's ephemeral counters are reserved.
    PutCounter(StoredCounter),
    /// From now on this database writes under this instance.
    SetInstance(Instance),
    /// This device holds (or waits for) a Space; `invitation` is the seed that opens it. The seed
    /// is a secret: the store seals it.
    Follow {
        /// Which Space.
        space: SpaceId,
        /// The invitation with which it was joined.
        invitation: Option<SecretSeed>,
    },
    /// This device waits for a Space no more, and its invitation is gone.
    Unfollow {
        /// Which Space.
        space: SpaceId,
    },
}

/// A seed that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretSeed(pub zeroize::Zeroizing<[u8; 32]>);

impl fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Why a batch was not stored. Nothing of it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreFailure {
    /// No room; the next batch may succeed.
    #[error("the disk is full")]
    Full,
    /// Anything else.
    #[error("the store failed")]
    Failed,
}

/// What goes in.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input {
    /// A connection is up and the peer proved its keys.
    Connected {
        /// Its number.
        connection: ConnectionId,
        /// The peer's device key.
        peer: AuthorId,
        /// All keys that it proved: its device's and those of invitations that it holds.
        authors: BTreeSet<AuthorId>,
    },
    /// A connection is gone. The end of a connection that is not known is ignored.
    Disconnected {
        /// Its number.
        connection: ConnectionId,
    },
    /// A frame of the control stream.
    Received {
        /// From which connection.
        connection: ConnectionId,
        /// At most [`FRAME_BYTES_MAX`]; hostile.
        frame: Vec<u8>,
    },
    /// A datagram: an ephemeral message.
    Datagram {
        /// From which connection.
        connection: ConnectionId,
        /// Hostile.
        bytes: Vec<u8>,
    },
    /// The store answered [`Output::Commit`].
    Committed {
        /// Which batch.
        batch: BatchId,
        /// All of it is durable, or none.
        result: Result<(), StoreFailure>,
    },
    /// The store answered [`Output::Load`]: those that it has, in the order asked for.
    Loaded {
        /// Which request.
        request: LoadId,
        /// With bodies where they are kept.
        envelopes: Vec<RawEnvelope>,
    },
    /// The shell answered [`Output::Verify`].
    Verified {
        /// Which request.
        request: VerifyId,
        /// What [`RawEnvelope::verify`] gave for each, in the order asked for; of another length if
        /// they could not be checked, which loses the frame.
        envelopes: Vec<Result<Envelope, FormError>>,
    },
    /// Seal and store a body.
    Write {
        /// Answered by [`Output::Written`] with the same number.
        write: WriteId,
        /// Where.
        space: SpaceId,
        /// In which document.
        document: DocumentId,
        /// What.
        body: Body,
        /// Under which instance the body was made, if what it says counts in one chain only; it is refused with
        /// [`WriteError::ChainLeft`] when this device writes under another one.
        made_in: Option<Instance>,
    },
    /// Sign and store a control statement.
    WriteControl {
        /// Answered by [`Output::Written`].
        write: WriteId,
        /// Where.
        space: SpaceId,
        /// What.
        statement: Statement,
    },
    /// Make a Space: genesis for the anchor, a grant to this device, the first epoch.
    CreateSpace {
        /// Answered by [`Output::Written`]; its `space` is the new one.
        write: WriteId,
        /// Who holds the Space in the last resort, kept offline; without one, this device does.
        anchor: Option<PublicKeys>,
        /// Who is behind this device.
        principal: PrincipalId,
        /// When this device's grant ends, if an anchor gives it.
        end: Timestamp,
    },
    /// Hold a Space as soon as a peer that knows this device (or the invitation) offers it. Answered
    /// by [`Output::Written`] once the wish is durable; [`Event::SpaceChanged`] follows when it comes.
    Join {
        /// Which write.
        write: WriteId,
        /// Which Space.
        space: SpaceId,
        /// The invitation's keys, with which this device grants itself access.
        invitation: Option<Box<DeviceKeys>>,
    },
    /// Take envelopes that came in a file, whoever brought it. Answered by [`Output::Taken`].
    Take {
        /// Which request; of its own kind of numbers.
        take: TakeId,
        /// Where; it must be held or awaited.
        space: SpaceId,
        /// What [`RawEnvelope::verify`] gave. Content may come without its body.
        envelopes: Vec<Envelope>,
    },
    /// Wait no more for a Space of which nothing is here. Answered by [`Output::Written`], with
    /// [`WriteError::NotAllowed`] when something is.
    Forget {
        /// Which write.
        write: WriteId,
        /// Which.
        space: SpaceId,
    },
    /// Send a signed message to whoever reads the Space and is connected; not stored.
    SendEphemeral {
        /// Where.
        space: SpaceId,
        /// About which document.
        document: DocumentId,
        /// Plain; sealed before it leaves.
        bytes: Vec<u8>,
    },
    /// Ask whoever writes a Space, as a reader of another one whose readers may read there: said in that other
    /// one, sealed for the readers of the first, not stored. Nothing happens where that is not so.
    Ask {
        /// In which Space this device holds a grant.
        through: SpaceId,
        /// Whose writers are asked.
        space: SpaceId,
        /// About which document.
        document: DocumentId,
        /// Plain; sealed before it leaves.
        bytes: Vec<u8>,
    },
    /// The process ends in order: nothing more is heard, and what was heard is stored exactly. Wait until
    /// [`Engine::is_writing`](super::Engine::is_writing) says no.
    Finish,
    /// Of which documents bodies are kept from now on; not remembered over a restart. Unknown Spaces
    /// are ignored, and a relay always keeps all. What is here already stays.
    KeepBodies {
        /// Where.
        space: SpaceId,
        /// Of which documents.
        bodies: Bodies,
    },
    /// Delete sealed bodies that a snapshot holds; see [`droppable`](super::Engine::droppable), which
    /// says which. Answered by [`Output::Written`] when it is durable.
    Cover {
        /// Which write.
        write: WriteId,
        /// Where.
        space: SpaceId,
        /// The snapshot.
        by: EnvelopeId,
        /// Whose bodies.
        ids: Vec<EnvelopeId>,
    },
    /// The time of [`next_deadline`](super::Engine::next_deadline) has come.
    Timeout,
}

/// What must be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Send a frame on the control stream, in order.
    Send {
        /// On which connection.
        connection: ConnectionId,
        /// At most [`FRAME_BYTES_MAX`].
        frame: Vec<u8>,
    },
    /// Send a datagram if there is room.
    SendDatagram {
        /// On which connection.
        connection: ConnectionId,
        /// At most 1,162 bytes.
        bytes: Vec<u8>,
    },
    /// Store all or nothing and make it durable, then answer [`Input::Committed`].
    Commit {
        /// Which batch.
        batch: BatchId,
        /// What.
        operations: Vec<StoreOperation>,
    },
    /// Read envelopes with their bodies, then answer [`Input::Loaded`].
    Load {
        /// Which request.
        request: LoadId,
        /// Where.
        space: SpaceId,
        /// Which, in this order.
        ids: Vec<EnvelopeId>,
    },
    /// Call [`RawEnvelope::verify`] on each, anywhere, then answer [`Input::Verified`]: in any order
    /// among requests. The engine bounds how many bytes are under way.
    Verify {
        /// Which request.
        request: VerifyId,
        /// What a peer sent.
        envelopes: Vec<RawEnvelope>,
    },
    /// End a connection; the engine forgot it already.
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, for the log and the peer.
        reason: CloseReason,
    },
    /// A write is durable, or failed and left nothing behind.
    Written {
        /// Which.
        write: WriteId,
        /// Where it is, or why not.
        result: Result<Written, WriteError>,
    },
    /// What a file held is durable, as far as it was taken.
    Taken {
        /// Which request.
        take: TakeId,
        /// What came of it, or why nothing was looked at.
        result: Result<Taken, WriteError>,
    },
    /// Something happened that people or programs above may want to know.
    Event(Event),
}

/// A durable write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// In which Space.
    pub space: SpaceId,
    /// In which chain.
    pub chain: Chain,
    /// At which position.
    pub seq: u64,
    /// Its id; of the genesis for a new Space, zero for a Space that is only awaited.
    pub id: EnvelopeId,
}

/// What came of envelopes from a file; those that are not named here are new and durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many were here already.
    pub known: usize,
    /// What was not taken, and why.
    pub refused: Vec<(EnvelopeId, Refusal)>,
}

/// Why a write was not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Not here.
    #[error("this Space is not on this device")]
    UnknownSpace,
    /// No live grant of this device allows it.
    #[error("no grant of this device allows this")]
    NotAllowed,
    /// What was made was numbered by a chain that does not go on.
    #[error("this device began a new chain while it was made; make it again")]
    ChainLeft,
    /// No key to seal with has arrived yet.
    #[error("this device has no key of the Space yet")]
    NoKey,
    /// Too large or contradictory.
    #[error("{0}")]
    Form(#[from] FormError),
    /// Too many writes wait for the disk.
    #[error("too many writes are waiting for the disk")]
    Busy,
    /// The disk.
    #[error("{0}")]
    Store(#[from] StoreFailure),
}

/// Why the engine ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// Too many frames that cannot be read or envelopes without form.
    #[error("too many malformed frames")]
    Malformed,
    /// A protocol version that is not known here.
    #[error("the peer speaks another protocol")]
    Protocol,
    /// More connections than are allowed.
    #[error("too many connections")]
    TooMany,
    /// The peer's store began another life since.
    #[error("the peer's store was replaced")]
    Replaced,
}

/// An envelope that counts, opened if this device reads the Space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Its id.
    pub id: EnvelopeId,
    /// In which document.
    pub document: DocumentId,
    /// In which chain.
    pub chain: Chain,
    /// At which position.
    pub seq: u64,
    /// The author's clock.
    pub time: Timestamp,
    /// Heads of other chains on which it builds.
    pub ancestors: Vec<EnvelopeId>,
    /// What it says, if its key is here.
    pub body: Option<Body>,
}

/// What the application may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// New durable entries, in causal order; control entries are not among them.
    Admitted {
        /// Where.
        space: SpaceId,
        /// What.
        entries: Vec<Admitted>,
    },
    /// What counts in a Space changed in another way than by growing: read it anew.
    Rebuilt {
        /// Where.
        space: SpaceId,
    },
    /// A Space appeared, or its members, grants or keys changed.
    SpaceChanged {
        /// Which.
        space: SpaceId,
    },
    /// A peer has a Space that is not here, and says that a key of this device is known there.
    Offered {
        /// Which.
        space: SpaceId,
    },
    /// A connected peer came in step with a Space that is here, or what is said there is heard again
    /// after a restart.
    InStep {
        /// Which.
        space: SpaceId,
    },
    /// What peers hold of a Space changed.
    ReceiptsChanged {
        /// Which.
        space: SpaceId,
    },
    /// A signed message that is not stored.
    Ephemeral {
        /// Where.
        space: SpaceId,
        /// About which document.
        document: DocumentId,
        /// From whom.
        chain: Chain,
        /// The author's clock.
        time: Timestamp,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// A question to who may write a Space, from a reader of another one whose readers may read there.
    Asked {
        /// Who is asked.
        space: SpaceId,
        /// Where the asker holds a grant.
        through: SpaceId,
        /// About which document.
        document: DocumentId,
        /// From whom.
        chain: Chain,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// An envelope was refused for its form or quota, here or by a peer: by name, with the reason.
    Refused {
        /// Where.
        space: SpaceId,
        /// Which: the hash of the header that was sent, readable or not.
        id: EnvelopeId,
        /// The peer with whom it was exchanged.
        peer: AuthorId,
        /// Why.
        reason: Refusal,
    },
    /// A relay took something not, because a quota of it would be passed; said once an hour of each.
    OverQuota {
        /// Where.
        space: SpaceId,
        /// Whose it was.
        author: AuthorId,
        /// Which quota.
        quota: QuotaName,
        /// What it would have been with it: bytes, chains, grants or envelopes a second.
        would_be: u64,
        /// What is allowed.
        most: u64,
    },
    /// A snapshot that was needed holds what it should not. What is sound in it counts; the rest is read
    /// from the log.
    Snapshot {
        /// Where.
        space: SpaceId,
        /// Of which document.
        document: DocumentId,
        /// The snapshot's own envelope.
        id: EnvelopeId,
        /// Whose it is.
        author: AuthorId,
        /// What is wrong.
        finding: SnapshotFinding,
    },
    /// This database was rolled back: its chain was longer elsewhere, so it writes a new one.
    NewInstance {
        /// The new one.
        instance: Instance,
    },
    /// The store failed; nothing was acknowledged. It will be tried again with the next batch.
    StoreFailed {
        /// Why.
        failure: StoreFailure,
    },
}

/// What is wrong with a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotFinding {
    /// Nothing is taken out of it.
    Unusable(SnapshotFault),
    /// So many bodies were left out, and why.
    PassedOver(BTreeMap<PassedOver, usize>),
}

impl fmt::Display for SnapshotFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(fault) => write!(f, "a snapshot cannot be used: {fault}"),
            Self::PassedOver(counts) => {
                f.write_str("a snapshot lists bodies that do not count")?;
                for (at, (why, count)) in counts.iter().enumerate() {
                    let between = if at == 0 { ": " } else { ", " };
                    write!(f, "{between}{count} {why}")?;
                }
                Ok(())
            }
        }
    }
}

/// Why an envelope was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Never acceptable.
    #[error("it has no valid form")]
    Form,
    /// Later: its predecessor is missing.
    #[error("its predecessor is missing")]
    Gap,
    /// Later: over a quota.
    #[error("it is over a quota")]
    Quota,
    /// Later: no live grant of its author is known.
    #[error("no live grant of its author is known")]
    NoGrant,
    /// Later: the store failed.
    #[error("the store failed")]
    Store,
    /// Later: content came without its body. Nobody says so any more: the body is asked for.
    #[error("its body is missing")]
    Body,
    /// Later: a newer program wrote it, in a format that is not known here yet.
    #[error("a newer version of Aramaki wrote it")]
    Version,
}

impl Refusal {
    /// Whether sending it again later can help.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Form)
    }

    /// Whether nothing of the same chain can follow while this connection lasts.
    pub(super) const fn stops_the_chain(self) -> bool {
        matches!(self, Self::Version)
    }
}
