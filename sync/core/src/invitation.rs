//! An invitation: a secret, short-lived text that lets its holder in (TRUST §6).
//!
//! The text is `aramaki1` for a person, `aramakiagent1` for an agent or `aramakidevice1` for another
//! device of the same person, and lower-case base32 of a version, the content and a checksum. Whoever has it can sign one grant to its own device while it
//! can be redeemed: treat it as a password.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::codec::{self, CodecError};
use crate::entropy::Entropy;
use crate::envelope::{self, Envelope, FormError, Position};
use crate::id::{EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::key::DeviceKeys;
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
/// How many peers an invitation can name.
pub const BOOTSTRAPS_MAX: usize = 4;
/// How many addresses of one peer it can name.
pub const ADDRESSES_MAX: usize = 4;
/// How long one address can be.
pub const ADDRESS_LEN_BYTES_MAX: usize = 255;

const VERSION: u8 = 1;
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
    /// Until when guests stay.
    pub end: Timestamp,
    /// Until when it can be redeemed.
    pub redeem_until: Timestamp,
    /// Where to find the Space.
    pub addresses: Vec<Bootstrap>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    space: SpaceId,
    grant: EnvelopeId,
    seed: [u8; 32],
    capability: Capability,
    end: Timestamp,
    redeem_until: Timestamp,
    addresses: Vec<Bootstrap>,
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
        let content = Content {
            space: self.space,
            grant: self.grant,
            seed: *self.seed,
            capability: self.capability,
            end: self.end,
            redeem_until: self.redeem_until,
            addresses: self.addresses.clone(),
        };
        check(&content)?;
        let mut bytes = Zeroizing::new(vec![VERSION]);
        bytes.extend(Zeroizing::new(codec::encode(&content)?).iter());
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
}

impl FromStr for Invitation {
    type Err = InvitationError;

    /// Reads the text; spaces and line breaks anywhere, as mail programs add them, and capitals are
    /// no matter.
    fn from_str(text: &str) -> Result<Self, InvitationError> {
        if text.len() > 2 * TEXT_LEN_CHARS_MAX {
            return Err(InvitationError::TooLong);
        }
        let text: Zeroizing<String> = Zeroizing::new(
            text.chars()
                .filter(|c| !c.is_whitespace())
                .map(|c| c.to_ascii_uppercase())
                .collect(),
        );
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
        let foreign = |c: char| !matches!(c, 'A'..='Z' | '2'..='7');
        if let Some(at) = encoded.chars().position(foreign) {
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
        let content: Content = match bytes.split_first() {
            Some((&VERSION, content)) => codec::decode(content)?,
            Some((version, _content)) => return Err(InvitationError::Version(*version)),
            None => return Err(InvitationError::Incomplete),
        };
        check(&content)?;
        Ok(Self {
            invitee,
            space: content.space,
            grant: content.grant,
            seed: Zeroizing::new(content.seed),
            capability: content.capability,
            end: content.end,
            redeem_until: content.redeem_until,
            addresses: content.addresses,
        })
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
            .field("end", &self.end)
            .field("redeem_until", &self.redeem_until)
            .field("addresses", &self.addresses.len())
            .finish()
    }
}

fn check(content: &Content) -> Result<(), InvitationError> {
    let too_long = |peer: &Bootstrap| {
        peer.addresses.len() > ADDRESSES_MAX
            || peer
                .addresses
                .iter()
                .any(|address| address.len() > ADDRESS_LEN_BYTES_MAX)
    };
    let wrong = if !(Capability::Read..=Capability::Write).contains(&content.capability) {
        "capability is not read, comment or write"
    } else if content.end <= Timestamp::ZERO || content.end > Timestamp::MAX {
        "end is out of range"
    } else if content.redeem_until <= Timestamp::ZERO || content.redeem_until > content.end {
        "redemption ends after the access"
    } else if content.addresses.len() > BOOTSTRAPS_MAX {
        "list of peers is too long"
    } else if content.addresses.iter().any(too_long) {
        "list of addresses is too long"
    } else {
        return Ok(());
    };
    Err(InvitationError::Field(wrong))
}

fn checksum(invitee: Invitee, bytes: &[u8]) -> [u8; CHECKSUM_LEN_BYTES] {
    let hash = blake3::derive_key(invitee.checksum_context(), bytes);
    let mut sum = [0; CHECKSUM_LEN_BYTES];
    sum.copy_from_slice(&hash[..CHECKSUM_LEN_BYTES]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation() -> Invitation {
        Invitation {
            invitee: Invitee::Person,
            space: SpaceId::from_bytes([1; 32]),
            grant: EnvelopeId::from_bytes([2; 32]),
            seed: Zeroizing::new([0xab; 32]),
            capability: Capability::Write,
            end: Timestamp::from_millis(1_795_370_000_000),
            redeem_until: Timestamp::from_millis(1_790_000_000_000),
            addresses: vec![Bootstrap {
                endpoint: [4; 32],
                addresses: vec!["relay.example.org:4433".to_owned()],
            }],
        }
    }

    #[test]
    fn the_text_reads_back_and_is_short() {
        let text = invitation().to_text().unwrap();
        assert!(
            text.starts_with(PREFIX) && text.len() <= 300,
            "{}",
            text.len()
        );
        assert_eq!(text.parse(), Ok(invitation()));
        let mailed = format!("  {}\r\n {}\n", &text[..70].to_uppercase(), &text[70..]);
        assert_eq!(mailed.parse(), Ok(invitation()));
    }

    #[test]
    fn an_agents_invitation_is_told_by_its_beginning_and_never_read_as_a_persons() {
        let mut invitation = invitation();
        invitation.invitee = Invitee::Agent;
        let text = invitation.to_text().unwrap();
        let rest = text.strip_prefix(AGENT_PREFIX).unwrap();
        assert_eq!(text.parse(), Ok(invitation));
        assert_eq!(
            format!("{PREFIX}{rest}").parse::<Invitation>(),
            Err(InvitationError::Checksum)
        );
    }

    #[test]
    fn every_mistyped_character_is_noticed_and_the_place_is_named() {
        let text = invitation().to_text().unwrap();
        for at in 0..text.len() {
            let replacement = if &text[at..=at] == "b" { "c" } else { "b" };
            let mut mistyped = text.to_string();
            mistyped.replace_range(at..=at, replacement);
            assert!(mistyped.parse::<Invitation>().is_err(), "character {at}");
        }
        let foreign = format!("{}!{}", &text[..20], &text[21..]);
        let position = 21;
        assert_eq!(
            foreign.parse::<Invitation>(),
            Err(InvitationError::Character { position })
        );
        assert_eq!(
            "https://x".parse::<Invitation>(),
            Err(InvitationError::Prefix)
        );
        assert_eq!(
            PREFIX.parse::<Invitation>(),
            Err(InvitationError::Incomplete)
        );
        assert_eq!(
            text[..text.len() - 8].parse::<Invitation>(),
            Err(InvitationError::Checksum)
        );
        let long = "a".repeat(10_000);
        assert_eq!(long.parse::<Invitation>(), Err(InvitationError::TooLong));
    }

    #[test]
    fn an_invitation_never_administers_and_names_few_peers() {
        let mut powerful = invitation();
        powerful.capability = Capability::Administer;
        assert!(matches!(powerful.to_text(), Err(InvitationError::Field(_))));
        let mut crowded = invitation();
        crowded.addresses = vec![crowded.addresses[0].clone(); BOOTSTRAPS_MAX + 1];
        assert!(matches!(crowded.to_text(), Err(InvitationError::Field(_))));
    }

    #[test]
    fn a_newer_version_is_told_from_a_broken_text() {
        let mut bytes = vec![VERSION + 1, 1, 2, 3];
        bytes.extend(checksum(Invitee::Person, &bytes));
        let text = format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_lowercase());
        assert_eq!(
            text.parse::<Invitation>(),
            Err(InvitationError::Version(VERSION + 1))
        );
    }

    #[test]
    fn the_secret_is_never_printed() {
        let invitation = invitation();
        let text = format!("{invitation:?}");
        assert!(text.contains("<secret>"));
        assert!(!text.contains("171") && !text.contains("abab") && !text.contains("0xab"));
    }
}
