//! What an envelope can say: control statements, which stay plain, and bodies, which are sealed.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::id::{AuthorId, Chain, EnvelopeId, PrincipalId, SpaceId};
use crate::time::Timestamp;

/// What an envelope's header says that its body is.
///
/// Control kinds occur only in the document `control`, and no other kind occurs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Kind {
    /// A [`Statement`], plain.
    Control,
    /// [`Body::Changes`].
    Changes,
    /// [`Body::Snapshot`].
    Snapshot,
    /// [`Body::Merge`].
    Merge,
    /// [`Body::AgentConfig`].
    AgentConfig,
    /// [`Body::ActionGrant`].
    ActionGrant,
    /// [`Body::ActionRequest`].
    ActionRequest,
    /// [`Body::ActionRecord`].
    ActionRecord,
    /// [`Body::Entries`].
    Entries,
}

/// What a grant lets its audience do in the Space; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Store and forward sealed envelopes.
    Relay,
    /// Read: epoch keys are sealed to it.
    Read,
    /// Add timeline entries and notes on what others wrote.
    Comment,
    /// Write documents.
    Write,
    /// Grant, revoke, close, and configure agents.
    Administer,
}

/// To whom a grant is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// A device, agent, relay or invitation key.
    Author(AuthorId),
    /// Whoever may read in another Space.
    ReadersOf(SpaceId),
}

/// Marks on a grant.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct GrantFlags(u8);

impl GrantFlags {
    /// No mark.
    pub const NONE: Self = Self(0);
    /// The audience may issue receipts and closes.
    pub const WITNESS: Self = Self(1);
    /// Sealed offline for emergencies.
    pub const BREAK_GLASS: Self = Self(2);
    /// The audience is an invitation's key.
    pub const INVITATION: Self = Self(4);
    /// What was written in time counts if it arrives within three days after the end, for this grant
    /// and those below it: for people who are offline for long.
    pub const LONG_GRACE: Self = Self(8);

    const KNOWN: Self =
        Self(Self::WITNESS.0 | Self::BREAK_GLASS.0 | Self::INVITATION.0 | Self::LONG_GRACE.0);

    /// Whether this build knows all marks: it trusts no grant with another.
    pub const fn is_known(self) -> bool {
        self.0 & !Self::KNOWN.0 == 0
    }

    /// Both marks.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The marks without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all marks of `other` are here.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Issuer lets audience use a capability until a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who may use it.
    pub audience: Audience,
    /// The audience's X25519 key, to which epoch keys are sealed; zero for `ReadersOf`.
    pub box_key: [u8; 32],
    /// Who is behind the audience.
    pub principal: PrincipalId,
    /// What it lets do.
    pub capability: Capability,
    /// Marks.
    pub flags: GrantFlags,
    /// From when.
    pub not_before: Timestamp,
    /// Until when; mandatory.
    pub end: Timestamp,
    /// How many grants may follow below this one.
    pub depth_left: u8,
    /// How many redemptions an invitation allows; zero for other grants.
    pub redemptions: u16,
    /// Until when an invitation can be redeemed; zero for other grants. Guests stay until `end`.
    pub redeem_until: Timestamp,
    /// The grant under which the issuer acts; none only in the genesis.
    pub parent: Option<EnvelopeId>,
}

/// The last accepted envelope of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cut {
    /// Which chain.
    pub chain: Chain,
    /// Its last accepted position; 0 accepts nothing.
    pub seq: u64,
    /// The envelope there.
    pub id: EnvelopeId,
}

/// To whom an epoch key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WrapTo {
    /// A reader's box key.
    Device(AuthorId),
    /// The epoch box of another Space: whoever reads there.
    Epoch {
        /// The other Space.
        space: SpaceId,
        /// Its epoch statement.
        epoch: EnvelopeId,
    },
}

/// An epoch key sealed to one reader (HPKE base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrap {
    /// To whom.
    pub to: WrapTo,
    /// The encapsulated key.
    pub enc: [u8; 32],
    /// 32 bytes of key and the tag.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

/// A new key for what is written from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// One more than the highest that the issuer knew.
    pub number: u64,
    /// Commits to the key.
    pub commit: [u8; 32],
    /// The public half of the epoch box.
    pub public: [u8; 32],
    /// The key, for each reader.
    pub wraps: Vec<Wrap>,
    /// The epoch before, and its key sealed under this one.
    pub previous: Option<PreviousEpoch>,
}

/// The link from an epoch to the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousEpoch {
    /// Its statement.
    pub id: EnvelopeId,
    /// Nonce and sealed key.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

/// What is wrong with an epoch, so that everyone can check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EpochFault {
    /// Its public half is not its key's. What is shown opens nothing that was sealed.
    FalsePublic(EpochOpening),
    /// It is sealed to others but not to the holder of this grant, who could read then.
    Omits {
        /// The reader's grant.
        grant: EnvelopeId,
    },
}

/// The two halves of what an epoch commits to.
///
/// They follow from the epoch key and do not lead back to it. `box_seed` opens what was wrapped to
/// the public half that belongs to it: so it is shown only where another one was published, to which
/// nothing can have been wrapped that it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochOpening {
    /// Follows from the key alone.
    pub check: [u8; 32],
    /// Makes the epoch box pair.
    pub box_seed: [u8; 32],
}

/// Binds an author to the keys under which the network knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The iroh endpoint's public key.
    pub endpoint: [u8; 32],
    /// The X25519 box key in use, and its generation.
    pub box_key: [u8; 32],
    /// Counts box keys.
    pub box_generation: u32,
}

/// How a Space's members find its relays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayAddress {
    /// The relay's author key.
    pub author: AuthorId,
    /// Its iroh endpoint key.
    pub endpoint: [u8; 32],
    /// `http(s)://…` of its transport relay, if it has one; `ip:port` for direct paths.
    pub addresses: Vec<String>,
}

/// A plain control statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Statement {
    /// Trust given.
    Grant(Grant),
    /// Trust ended by decision.
    Revoke {
        /// Which grant.
        target: EnvelopeId,
        /// What stays; chains not named are cut at 0.
        cuts: Vec<Cut>,
        /// Why, as a code; the text is sealed elsewhere.
        reason: u8,
    },
    /// Trust ended by time, stated by a witness.
    Close {
        /// Which grant.
        target: EnvelopeId,
        /// What stays.
        cuts: Vec<Cut>,
    },
    /// A witness holds these heads.
    Receipt {
        /// Changed heads only.
        cuts: Vec<Cut>,
        /// When, by the witness's clock.
        at: Timestamp,
    },
    /// A new document key.
    Epoch(Epoch),
    /// An epoch key for readers that came late.
    EpochShare {
        /// Which epoch.
        epoch: EnvelopeId,
        /// For whom.
        wraps: Vec<Wrap>,
    },
    /// Nobody should write under an epoch any more: the next writer issues another.
    EpochReject {
        /// Which epoch.
        epoch: EnvelopeId,
        /// What is wrong with it.
        fault: EpochFault,
    },
    /// A device or relay.
    Card(Card),
    /// An agent: its card and the Space in which it writes.
    AgentCard {
        /// Its keys.
        card: Card,
        /// Its own Space.
        space: SpaceId,
    },
    /// Where this Space is stored and forwarded.
    Relays(Vec<RelayAddress>),
    /// Two signed headers at one position of a chain.
    ForkProof {
        /// One branch.
        left: ByteBuf,
        /// The other.
        right: ByteBuf,
    },
    /// Why an emergency grant is used; its first statement.
    BreakGlass {
        /// In words.
        reason: String,
    },
}

/// A plain body, sealed under the Space's epoch key before it leaves the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Body {
    /// Automerge plain change chunks, in order.
    Changes(Vec<ByteBuf>),
    /// Plain bodies of earlier envelopes. Read; what is written is [`Self::FoldedSnapshot`].
    Snapshot(Vec<(EnvelopeId, ByteBuf)>),
    /// Nothing: its header joins a frontier longer than one header can name.
    Merge,
    /// An encoded `AgentConfig`, decoded by `model`.
    AgentConfig(ByteBuf),
    /// What somebody may ask of an agent: an encoded `ActionGrant`, decoded by `model`.
    ActionGrant(ByteBuf),
    /// What somebody asks of an agent, or says of another's request: an encoded `ActionWish`, decoded by
    /// `model`.
    ActionRequest(ByteBuf),
    /// What an agent did, and what it can: an encoded `ActionRecord`, decoded by `model`.
    ActionRecord(ByteBuf),
    /// Automerge plain change chunks, in order, that add entries to a timeline and do nothing else: what
    /// somebody writes who may comment. `model` takes them nowhere else.
    Entries(Vec<ByteBuf>),
    /// The list of a snapshot, encoded and then deflated (RFC 1951): the changes of one document resemble
    /// each other.
    FoldedSnapshot(ByteBuf),
}

impl Body {
    /// What the header of an envelope with this body must say.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Changes(_) => Kind::Changes,
            Self::Snapshot(_) | Self::FoldedSnapshot(_) => Kind::Snapshot,
            Self::Merge => Kind::Merge,
            Self::AgentConfig(_) => Kind::AgentConfig,
            Self::ActionGrant(_) => Kind::ActionGrant,
            Self::ActionRequest(_) => Kind::ActionRequest,
            Self::ActionRecord(_) => Kind::ActionRecord,
            Self::Entries(_) => Kind::Entries,
        }
    }
}
