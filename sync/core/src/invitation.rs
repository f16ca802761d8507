//! An invitation: a secret, short-lived text that lets its holder in (TRUST §6).
//!
//! The text is `aramaki1` for a person, `aramakiagent1` for an agent or `aramakidevice1` for another
//! device of the same person, and lower-case base32 of a version, the content and a checksum. Whoever has it can sign one grant to its own device while it
//! can be redeemed: treat it as a password.

mod seat;

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use self::seat::Seat;
use crate::codec::{self, CodecError};
use crate::entropy::Entropy;
use crate::envelope::{self, Envelope, FormError, Position};
use crate::id::{EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::key::DeviceKeys;
use crate::letters;
use crate::statement::{Audience, Capability, Grant, GrantFlags, Statement};
use crate::time::Timestamp;

/// With what the text of an invitation for a person begins.
pub const PREFIX: &str = "aramaki1";
/// With what the text of an invitation for an agent begins.
pub const AGENT_PREFIX: &str = "aramakiagent1";
/// With what the text of an invitation for another device of the same person begins.
pub const DEVICE_PREFIX: &str = "aramakidevice1";
/// The longest text that is looked at.
pub const TEXT_LEN_CHARS_MAX: usize = 1_024;
/// How long the text of an invitation gets: addresses are left out rather than more.
pub const SHORT_LEN_CHARS_MAX: usize = 300;
/// How many peers an invitation can name.
pub const BOOTSTRAPS_MAX: usize = 4;
/// How many addresses of one peer it can name.
pub const ADDRESSES_MAX: usize = 4;
/// How long one address can be.
pub const ADDRESS_LEN_BYTES_MAX: usize = 255;

const VERSION: u8 = 2;
/// It begins later: from when on is said before what version 2 says.
const VERSION_LATER: u8 = 3;
/// Its addresses are texts alone.
const VERSION_TEXTS: u8 = 1;
const CHECKSUM_LEN_BYTES: usize = 4;
const CHECKSUM_CONTEXT: &str = "aramaki invitation checksum v1";
const AGENT_CHECKSUM_CONTEXT: &str = "aramaki agent invitation checksum v1";
const DEVICE_CHECKSUM_CONTEXT: &str = "aramaki device invitation checksum v1";

/// Whom an invitation is for. It protects from mistakes, not from malice: each of the two programs
/// would use up the other's invitation and be bound to a Space that is not meant for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invitee {
    /// A person's device: into a System.
    Person,
    /// An agent: into the Space that was made for it.
    Agent,
    /// Another device of the same person: into their Home.
    Device,
}

impl Invitee {
    const ALL: [Self; 3] = [Self::Person, Self::Agent, Self::Device];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Person => PREFIX,
            Self::Agent => AGENT_PREFIX,
            Self::Device => DEVICE_PREFIX,
        }
    }

    const fn checksum_context(self) -> &'static str {
        match self {
            Self::Person => CHECKSUM_CONTEXT,
            Self::Agent => AGENT_CHECKSUM_CONTEXT,
            Self::Device => DEVICE_CHECKSUM_CONTEXT,
        }
    }
}

/// Where a guest finds a Space for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// A relay's or member's iroh endpoint key.
    pub endpoint: [u8; 32],
    /// `http(s)://…` of its transport relay, or `ip:port` for direct paths.
    pub addresses: Vec<String>,
}

/// Text that is no invitation: which part of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvitationError {
    /// It begins with neither [`PREFIX`], [`AGENT_PREFIX`] nor [`DEVICE_PREFIX`].
    #[error("an invitation begins with \"{PREFIX}\", \"{AGENT_PREFIX}\" or \"{DEVICE_PREFIX}\"")]
    Prefix,
    /// More than [`TEXT_LEN_CHARS_MAX`].
    #[error("an invitation has at most {TEXT_LEN_CHARS_MAX} characters")]
    TooLong,
    /// A character that does not occur in an invitation.
    #[error("character {position} does not occur in an invitation")]
    Character {
        /// Counted from 1, the prefix included.
        position: usize,
    },
    /// Too short, or cut off.
    #[error("the invitation is incomplete")]
    Incomplete,
    /// A character is wrong or missing somewhere.
    #[error("the invitation's checksum does not match: a part is missing or mistyped")]
    Checksum,
    /// Made by a newer program.
    #[error("the invitation has version {0}, which is not known here")]
    Version(u8),
    /// Its content.
    #[error("the invitation's content is {0}")]
    Content(#[from] CodecError),
    /// A field out of its range.
    #[error("the invitation's {0}")]
    Field(&'static str),
}

/// What a guest needs: where the Space is, and the key that opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Whom it is for.
    pub invitee: Invitee,
    /// Which Space.
    pub space: SpaceId,
    /// The grant that the invitation's key holds.
    pub grant: EnvelopeId,
    /// The invitation's key. A secret.
    pub seed: Zeroizing<[u8; 32]>,
    /// What it allows.
    pub capability: Capability,
    /// From when on it can be redeemed; none: since it was made.
    pub begin: Option<Timestamp>,
    /// Until when guests stay.
    pub end: Timestamp,
    /// Until when it can be redeemed.
    pub redeem_until: Timestamp,
    /// Where to find the Space.
    pub addresses: Vec<Bootstrap>,
}

/// What is written of an invitation: in version 1 with [`Bootstrap`]s, since then with [`Seat`]s.
#[derive(Serialize, Deserialize)]
struct Content<B> {
    space: SpaceId,
    grant: EnvelopeId,
    seed: [u8; 32],
    capability: Capability,
    end: Timestamp,
    redeem_until: Timestamp,
    addresses: Vec<B>,
}

/// What is written of an invitation that begins later.
#[derive(Serialize, Deserialize)]
struct Later<B> {
    begin: Timestamp,
    content: Content<B>,
}

/// What an invitation allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whom it is for.
    pub invitee: Invitee,
    /// Under which grant it is issued; its holder needs depth left for two more.
    pub parent: EnvelopeId,
    /// The parent's principal; an administrator may say another.
    pub principal: PrincipalId,
    /// Read, comment or write, never administer.
    pub capability: Capability,
    /// From when; a few minutes ago lets in guests whose clock is late.
    pub not_before: Timestamp,
    /// Until when guests stay.
    pub end: Timestamp,
    /// Until when it can be redeemed, at most until `end`.
    pub redeem_until: Timestamp,
    /// How many devices may redeem it; at least one.
    pub redemptions: u16,
    /// Whether what guests wrote in time counts if it arrives within three days after their end.
    pub long_grace: bool,
}

/// An invitation whose grant has yet to be signed.
pub struct Draft {
    invitee: Invitee,
    seed: Zeroizing<[u8; 32]>,
    grant: Grant,
}

impl Draft {
    /// Draws the invitation's key.
    pub fn new(terms: &Terms, entropy: &mut Entropy) -> Self {
        let seed = Zeroizing::new(entropy.bytes());
        let keys = DeviceKeys::from_seed(*seed);
        Self {
            invitee: terms.invitee,
            grant: Grant {
                audience: Audience::Author(keys.author()),
                box_key: keys.box_public(),
                principal: terms.principal,
                capability: terms.capability,
                flags: if terms.long_grace {
                    GrantFlags::INVITATION.with(GrantFlags::LONG_GRACE)
                } else {
                    GrantFlags::INVITATION
                },
                not_before: terms.not_before,
                end: terms.end,
                depth_left: 1,
                redemptions: terms.redemptions,
                redeem_until: terms.redeem_until,
                parent: Some(terms.parent),
            },
            seed,
        }
    }

    /// What the inviting author says.
    pub fn statement(&self) -> Statement {
        Statement::Grant(self.grant.clone())
    }

    /// The invitation, once its statement is in the Space as `grant`.
    pub fn issued(
        self,
        space: SpaceId,
        grant: EnvelopeId,
        addresses: Vec<Bootstrap>,
    ) -> Invitation {
        Invitation {
            invitee: self.invitee,
            space,
            grant,
            seed: self.seed,
            capability: self.grant.capability,
            begin: None,
            end: self.grant.end,
            redeem_until: self.grant.redeem_until,
            addresses,
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("invitee", &self.invitee)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

impl Invitation {
    /// The invitation's own keys: they open epochs, and sign grants to guests.
    pub fn keys(&self) -> DeviceKeys {
        DeviceKeys::from_seed(*self.seed)
    }

    /// Grants the guest's device what the invitation allows, until the access's end. Nobody
    /// needs to be online; the envelope goes to whoever stores the Space. `instance` is new and
    /// random: each redemption is a chain of its own.
    ///
    /// # Errors
    /// When `time` is out of range.
    pub fn redeem(
        &self,
        guest: &DeviceKeys,
        instance: Instance,
        time: Timestamp,
    ) -> Result<Envelope, FormError> {
        let grant = Grant {
            audience: Audience::Author(guest.author()),
            box_key: guest.box_public(),
            principal: PrincipalId::ZERO,
            capability: self.capability,
            flags: GrantFlags::NONE,
            not_before: time,
            end: self.end,
            depth_left: 0,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: Some(self.grant),
        };
        let position = Position {
            space: self.space,
            instance,
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority: self.grant,
            ancestors: Vec::new(),
            time,
        };
        envelope::control(&self.keys(), position, &Statement::Grant(grant))
    }

    /// The text to hand over, over a channel that others do not read.
    ///
    /// # Errors
    /// When a field is out of its range: too many or too long addresses.
    pub fn to_text(&self) -> Result<Zeroizing<String>, InvitationError> {
        self.check()?;
        let content = Content {
            space: self.space,
            grant: self.grant,
            seed: *self.seed,
            capability: self.capability,
            end: self.end,
            redeem_until: self.redeem_until,
            addresses: self.addresses.iter().map(Seat::from).collect(),
        };
        let (version, encoded) = match self.begin {
            None => (VERSION, codec::encode(&content)?),
            Some(begin) => (VERSION_LATER, codec::encode(&Later { begin, content })?),
        };
        let mut bytes = Zeroizing::new(vec![version]);
        bytes.extend(Zeroizing::new(encoded).iter());
        let sum = checksum(self.invitee, &bytes);
        bytes.extend(sum);
        let encoded = Zeroizing::new(BASE32_NOPAD.encode(&bytes));
        let mut text = Zeroizing::new(String::from(self.invitee.prefix()));
        text.extend(encoded.chars().map(|c| c.to_ascii_lowercase()));
        if text.len() > TEXT_LEN_CHARS_MAX {
            return Err(InvitationError::TooLong);
        }
        Ok(text)
    }

    /// Leaves out addresses, those that stand last first, until the text has at most
    /// [`SHORT_LEN_CHARS_MAX`] characters: the others are learnt from whoever is reached. One that is
    /// longer alone stays, because a code that leads nowhere is of no use.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        let is_short = |it: &Self| {
            let text = it.to_text();
            text.is_ok_and(|text| text.len() <= SHORT_LEN_CHARS_MAX)
        };
        let all = std::mem::take(&mut self.addresses);
        for peer in all.iter().take(BOOTSTRAPS_MAX) {
            let at = self.addresses.len();
            self.addresses.push(Bootstrap {
                endpoint: peer.endpoint,
                addresses: Vec::new(),
            });
            for address in peer.addresses.iter().take(ADDRESSES_MAX) {
                if let Some(kept) = self.addresses.get_mut(at) {
                    kept.addresses.push(address.clone());
                }
                if !is_short(&self)
                    && let Some(kept) = self.addresses.get_mut(at)
                {
                    kept.addresses.pop();
                }
            }
            let leads = self
                .addresses
                .get(at)
                .is_some_and(|kept| !kept.addresses.is_empty() || peer.addresses.is_empty());
            if !leads || !is_short(&self) {
                self.addresses.truncate(at);
            }
        }
        let first = all.into_iter().find(|peer| !peer.addresses.is_empty());
        if let (true, Some(mut first)) = (self.addresses.is_empty(), first) {
            first.addresses.sort_by_key(String::len);
            first.addresses.truncate(1);
            self.addresses.push(first);
        }
        self
    }

    fn check(&self) -> Result<(), InvitationError> {
        let too_long = |peer: &Bootstrap| {
            peer.addresses.len() > ADDRESSES_MAX
                || peer
                    .addresses
                    .iter()
                    .any(|address| address.len() > ADDRESS_LEN_BYTES_MAX)
        };
        let wrong = if !(Capability::Read..=Capability::Write).contains(&self.capability) {
            "capability is not read, comment or write"
        } else if self.end <= Timestamp::ZERO || self.end > Timestamp::MAX {
            "end is out of range"
        } else if self.redeem_until <= Timestamp::ZERO || self.redeem_until > self.end {
            "redemption ends after the access"
        } else if self
            .begin
            .is_some_and(|begin| begin < Timestamp::ZERO || begin > self.redeem_until)
        {
            "begin is after its redemption ends"
        } else if self.addresses.len() > BOOTSTRAPS_MAX {
            "list of peers is too long"
        } else if self.addresses.iter().any(too_long) {
            "list of addresses is too long"
        } else {
            return Ok(());
        };
        Err(InvitationError::Field(wrong))
    }

    fn from_content<B: Into<Bootstrap>>(invitee: Invitee, content: Content<B>) -> Self {
        Self {
            invitee,
            space: content.space,
            grant: content.grant,
            seed: Zeroizing::new(content.seed),
            capability: content.capability,
            begin: None,
            end: content.end,
            redeem_until: content.redeem_until,
            addresses: content.addresses.into_iter().map(Into::into).collect(),
        }
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    /// Reads the text; spaces and line breaks anywhere, as mail programs add them, and capitals are
    /// no matter.
    fn from_str(text: &str) -> Result<Self, InvitationError> {
        if text.len() > 2 * TEXT_LEN_CHARS_MAX {
            return Err(InvitationError::TooLong);
        }
        let text = letters::as_made(text);
        let (invitee, encoded) = Invitee::ALL
            .into_iter()
            .find_map(|invitee| {
                let prefix = invitee.prefix().to_ascii_uppercase();
                Some((invitee, text.strip_prefix(&prefix)?))
            })
            .ok_or(InvitationError::Prefix)?;
        if text.len() > TEXT_LEN_CHARS_MAX {
            return Err(InvitationError::TooLong);
        }
        if let Some(at) = letters::foreign_at(encoded) {
            return Err(InvitationError::Character {
                position: invitee.prefix().len() + at + 1,
            });
        }
        let bytes = Zeroizing::new(
            BASE32_NOPAD
                .decode(encoded.as_bytes())
                .map_err(|_cause| InvitationError::Incomplete)?,
        );
        let (bytes, sum) = bytes
            .split_last_chunk::<CHECKSUM_LEN_BYTES>()
            .ok_or(InvitationError::Incomplete)?;
        if checksum(invitee, bytes) != *sum {
            return Err(InvitationError::Checksum);
        }
        let invitation = match bytes.split_first() {
            Some((&VERSION, content)) => {
                Self::from_content::<Seat>(invitee, codec::decode(content)?)
            }
            Some((&VERSION_LATER, content)) => {
                let Later { begin, content } = codec::decode(content)?;
                Self {
                    begin: Some(begin),
                    ..Self::from_content::<Seat>(invitee, content)
                }
            }
            Some((&VERSION_TEXTS, content)) => {
                Self::from_content::<Bootstrap>(invitee, codec::decode(content)?)
            }
            Some((version, _content)) => return Err(InvitationError::Version(*version)),
            None => return Err(InvitationError::Incomplete),
        };
        invitation.check()?;
        Ok(invitation)
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("invitee", &self.invitee)
            .field("space", &self.space)
            .field("grant", &self.grant)
            .field("seed", &format_args!("<secret>"))
            .field("capability", &self.capability)
            .field("begin", &self.begin)
            .field("end", &self.end)
            .field("redeem_until", &self.redeem_until)
            .field("addresses", &self.addresses.len())
            .finish()
    }
}

fn checksum(invitee: Invitee, bytes: &[u8]) -> [u8; CHECKSUM_LEN_BYTES] {
    let hash = blake3::derive_key(invitee.checksum_context(), bytes);
    let mut sum = [0; CHECKSUM_LEN_BYTES];
    sum.copy_from_slice(&hash[..CHECKSUM_LEN_BYTES]);
    sum
}

#[cfg(test)]
mod tests;
