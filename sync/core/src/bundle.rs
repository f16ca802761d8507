//! A bundle: envelopes in a file or a text, for two machines without a network between them (DESIGN §5).
//!
//! A file is a peer. Its envelopes are those of the wire, sealed and signed by their authors, and are
//! judged as if they had come from anybody; nothing else in a bundle says what counts. With an
//! invitation inside it is a secret, and whoever has it is let in by it; without one it tells those who
//! are no members nothing but what a relay sees.
//!
//! The line `aramaki bundle 1`, a canonical head (an invitation's text or none; of each Space how many
//! envelopes follow), the canonical envelopes in the order in which they arrived, and 32 bytes of
//! BLAKE3 over all before. As text: [`TEXT_PREFIX`] and base32 of the same, deflated.

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::admission::{Outsiders, SpaceLog, evaluate};
use crate::codec::{self, CodecError};
use crate::envelope::{Envelope, FormError, RawEnvelope};
use crate::id::SpaceId;
use crate::invitation::{Invitation, InvitationError};
use crate::letters;
use crate::time::Timestamp;

/// With what a bundle's file begins.
pub const MAGIC: &[u8] = b"aramaki bundle ";
/// With what the text of a bundle begins.
pub const TEXT_PREFIX: &str = "aramakibundle1";
/// The largest bundle.
pub const BUNDLE_LEN_BYTES_MAX: usize = 64 << 20;
/// The longest text: as many letters and digits as a QR code holds.
pub const TEXT_LEN_CHARS_MAX: usize = 4_296;
/// How many Spaces it can hold: a System and its agents.
pub const SPACES_MAX: usize = 257;

const VERSION: &[u8] = b"1\n";
const CHECKSUM_LEN_BYTES: usize = 32;
const CHECKSUM_CONTEXT: &str = "aramaki bundle checksum v1";
/// A header, a signature and their lengths take more: bounds how many a bundle of some length claims.
const ENVELOPE_LEN_BYTES_MIN: usize = 128;
/// What a text unfolds to at most.
const TEXT_UNFOLDED_BYTES_MAX: usize = 64 << 10;
/// The best that the library does; a text is made once.
const DEFLATE_LEVEL: u8 = 10;

/// Why bytes are no bundle. Nothing of them is taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// It begins otherwise.
    #[error("it is no bundle of this program")]
    Foreign,
    /// Made by a newer program.
    #[error("it has a version that is not known here")]
    Version,
    /// More than [`BUNDLE_LEN_BYTES_MAX`], or a text longer than [`TEXT_LEN_CHARS_MAX`].
    #[error("it is longer than a bundle gets")]
    TooLong,
    /// Cut off, or altered.
    #[error("its checksum is another one: it is damaged, or its end is missing")]
    Checksum,
    /// What it says of itself.
    #[error("its head is {0}")]
    Head(CodecError),
    /// Too many or repeated Spaces, or more envelopes than it has bytes for.
    #[error("its head says {0}")]
    Claim(&'static str),
    /// One of its envelopes does not decode.
    #[error("its entry {number} is {cause}")]
    Envelope {
        /// Counted from 1.
        number: usize,
        /// Why.
        cause: CodecError,
    },
    /// One of its envelopes has no form.
    #[error("its entry {number} is not acceptable: {cause}")]
    Form {
        /// Counted from 1.
        number: usize,
        /// Why.
        cause: FormError,
    },
    /// Something follows the last envelope.
    #[error("something follows its last entry")]
    Rest,
    /// The invitation in it.
    #[error("{0}")]
    Invitation(#[from] InvitationError),
    /// What it holds does not let the invitation's holder in.
    #[error("what it holds does not let anybody in by the invitation in it")]
    NotInvited,
    /// A character that does not occur in a bundle's text.
    #[error("character {position} does not occur in a bundle")]
    Character {
        /// Counted from 1, the prefix included.
        position: usize,
    },
}

/// Envelopes of one Space, in the order in which they arrived where the bundle was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Which Space.
    pub space: SpaceId,
    /// What travels; content may come without its body.
    pub envelopes: Vec<RawEnvelope>,
}

/// What a bundle carries. Nothing in it is verified: see [`Bundle::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// A way in, for somebody who is no member yet.
    pub invitation: Option<Invitation>,
    /// Spaces, each at most once.
    pub sections: Vec<Section>,
}

/// Envelopes of one Space that have form.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Which Space.
    pub space: SpaceId,
    /// In the bundle's order.
    pub envelopes: Vec<Envelope>,
    /// How many of a newer version were left out: nothing of them can be checked here.
    pub newer: usize,
}

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    invitation: Option<&'a str>,
    sections: Vec<(SpaceId, u32)>,
}

impl Bundle {
    /// The bytes of its file. They are a secret if an invitation is in it.
    ///
    /// # Errors
    /// [`BundleError::TooLong`], and [`BundleError::Claim`] for too many Spaces.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BundleError> {
        let invitation = self.invitation.as_ref().map(Invitation::to_text);
        let invitation = invitation.transpose()?;
        let counted = self.sections.iter().map(|section| {
            let count = u32::try_from(section.envelopes.len());
            Ok((section.space, count.map_err(|_many| BundleError::TooLong)?))
        });
        let head = Head {
            invitation: invitation.as_ref().map(|text| text.as_str()),
            sections: counted.collect::<Result<_, BundleError>>()?,
        };
        check_head(&head)?;
        let mut bytes = Zeroizing::new([MAGIC, VERSION].concat());
        bytes.extend(Zeroizing::new(codec::encode(&head).map_err(BundleError::Head)?).iter());
        let all = self.sections.iter().flat_map(|it| &it.envelopes);
        for (number, raw) in (1..).zip(all) {
            let encoded =
                codec::encode(raw).map_err(|cause| BundleError::Envelope { number, cause })?;
            if bytes.len() + encoded.len() + CHECKSUM_LEN_BYTES > BUNDLE_LEN_BYTES_MAX {
                return Err(BundleError::TooLong);
            }
            bytes.extend(encoded);
        }
        let sum = checksum(&bytes);
        bytes.extend(sum);
        Ok(bytes)
    }

    /// Reads the bytes of a file. Costs memory in proportion to them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > BUNDLE_LEN_BYTES_MAX {
            return Err(BundleError::TooLong);
        }
        let after = bytes.strip_prefix(MAGIC).ok_or(BundleError::Foreign)?;
        if !after.starts_with(VERSION) {
            return Err(BundleError::Version);
        }
        let sealed = bytes.split_last_chunk::<CHECKSUM_LEN_BYTES>();
        let (content, sum) = sealed.ok_or(BundleError::Checksum)?;
        if checksum(content) != *sum {
            return Err(BundleError::Checksum);
        }
        let start = MAGIC.len() + VERSION.len();
        let content = content.get(start..).ok_or(BundleError::Checksum)?;
        let (head, mut rest) = postcard::take_from_bytes::<Head<'_>>(content)
            .map_err(|_cause| BundleError::Head(CodecError::Malformed))?;
        let canonical = Zeroizing::new(codec::encode(&head).map_err(BundleError::Head)?);
        if !content.starts_with(&canonical) || content.len() - rest.len() != canonical.len() {
            return Err(BundleError::Head(CodecError::NotCanonical));
        }
        check_head(&head)?;
        let claimed = head
            .sections
            .iter()
            .try_fold(0_usize, |all, (_space, count)| {
                all.checked_add(usize::try_from(*count).ok()?)
            });
        if claimed.is_none_or(|claimed| claimed > rest.len() / ENVELOPE_LEN_BYTES_MIN) {
            return Err(BundleError::Claim("that it holds more than it does"));
        }
        let mut sections = Vec::with_capacity(head.sections.len());
        let mut number = 0;
        for (space, count) in &head.sections {
            let mut envelopes = Vec::new();
            for _entry in 0..*count {
                number += 1;
                let wrong = |cause| BundleError::Envelope { number, cause };
                let (raw, after) = postcard::take_from_bytes::<RawEnvelope>(rest)
                    .map_err(|_cause| wrong(CodecError::Malformed))?;
                let encoded = codec::encode(&raw).map_err(wrong)?;
                if rest.len() - after.len() != encoded.len() || !rest.starts_with(&encoded) {
                    return Err(wrong(CodecError::NotCanonical));
                }
                rest = after;
                envelopes.push(raw);
            }
            sections.push(Section {
                space: *space,
                envelopes,
            });
        }
        if !rest.is_empty() {
            return Err(BundleError::Rest);
        }
        Ok(Self {
            invitation: head.invitation.map(str::parse).transpose()?,
            sections,
        })
    }

    /// Whether a text is meant to be a bundle's.
    pub fn is_text(text: &str) -> bool {
        let begins = text.trim_start().get(..TEXT_PREFIX.len());
        begins.is_some_and(|begin| begin.eq_ignore_ascii_case(TEXT_PREFIX))
    }

    /// Its text, for a QR code: capitals and digits, because a code holds most of those.
    ///
    /// # Errors
    /// [`BundleError::TooLong`] when no QR code holds it.
    pub fn to_text(&self) -> Result<Zeroizing<String>, BundleError> {
        let bytes = self.encode()?;
        if bytes.len() > TEXT_UNFOLDED_BYTES_MAX {
            return Err(BundleError::TooLong);
        }
        let folded = Zeroizing::new(miniz_oxide::deflate::compress_to_vec(&bytes, DEFLATE_LEVEL));
        let mut text = Zeroizing::new(TEXT_PREFIX.to_ascii_uppercase());
        text.push_str(&Zeroizing::new(BASE32_NOPAD.encode(&folded)));
        if text.len() > TEXT_LEN_CHARS_MAX {
            return Err(BundleError::TooLong);
        }
        Ok(text)
    }

    /// Reads a text; spaces and line breaks anywhere, and capitals, are no matter.
    ///
    /// # Errors
    /// The first thing that is wrong. What it unfolds to is bounded.
    pub fn from_text(text: &str) -> Result<Self, BundleError> {
        if text.len() > 2 * TEXT_LEN_CHARS_MAX {
            return Err(BundleError::TooLong);
        }
        let text = letters::as_made(text);
        let encoded = text
            .strip_prefix(&TEXT_PREFIX.to_ascii_uppercase())
            .ok_or(BundleError::Foreign)?;
        if text.len() > TEXT_LEN_CHARS_MAX {
            return Err(BundleError::TooLong);
        }
        if let Some(at) = letters::foreign_at(encoded) {
            let position = TEXT_PREFIX.len() + at + 1;
            return Err(BundleError::Character { position });
        }
        let folded = BASE32_NOPAD.decode(encoded.as_bytes());
        let folded = Zeroizing::new(folded.map_err(|_cause| BundleError::Checksum)?);
        let bytes =
            miniz_oxide::inflate::decompress_to_vec_with_limit(&folded, TEXT_UNFOLDED_BYTES_MAX);
        Self::decode(&Zeroizing::new(
            bytes.map_err(|_cause| BundleError::Checksum)?,
        ))
    }

    /// Checks every signature and hash. What has no form spoils the whole: an honest bundle holds none.
    /// What a newer program wrote is left out and counted.
    ///
    /// # Errors
    /// Names the first entry that has no form or is of another Space.
    pub fn verify(self) -> Result<Vec<Verified>, BundleError> {
        let mut number = 0;
        let sections = self.sections.into_iter().map(|section| {
            let mut verified = Verified {
                space: section.space,
                envelopes: Vec::with_capacity(section.envelopes.len()),
                newer: 0,
            };
            for raw in section.envelopes {
                number += 1;
                let cause = match raw.verify() {
                    Ok(envelope) if envelope.header().space == verified.space => {
                        verified.envelopes.push(envelope);
                        continue;
                    }
                    Ok(_elsewhere) => FormError::Field("it is of another Space"),
                    Err(FormError::Version(_newer)) => {
                        verified.newer += 1;
                        continue;
                    }
                    Err(cause) => cause,
                };
                return Err(BundleError::Form { number, cause });
            }
            Ok(verified)
        });
        sections.collect()
    }
}

/// Whether what a bundle holds lets its holder in, before anything is stored.
///
/// # Errors
/// [`BundleError::NotInvited`].
pub fn check_invited(
    invitation: &Invitation,
    sections: &[Verified],
    now: Timestamp,
) -> Result<(), BundleError> {
    let section = sections.iter().find(|it| it.space == invitation.space);
    let section = section.ok_or(BundleError::NotInvited)?;
    let mut log = SpaceLog::new(invitation.space);
    for envelope in &section.envelopes {
        // What has no place in the log counts for nothing.
        let _inserted = log.insert(envelope, now);
    }
    let evaluation = evaluate(&log, &Outsiders::none(), now);
    let invited = invitation.keys().author();
    let is_in = evaluation.members().iter().any(|member| {
        member.author == invited && member.grant == invitation.grant && member.is_live(now)
    });
    if is_in {
        Ok(())
    } else {
        Err(BundleError::NotInvited)
    }
}

fn check_head(head: &Head<'_>) -> Result<(), BundleError> {
    if head.sections.len() > SPACES_MAX {
        return Err(BundleError::Claim("that it holds too many Spaces"));
    }
    let mut spaces: Vec<_> = head.sections.iter().map(|(space, _count)| *space).collect();
    spaces.sort_unstable();
    spaces.dedup();
    if spaces.len() != head.sections.len() {
        return Err(BundleError::Claim("that it holds a Space twice"));
    }
    Ok(())
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN_BYTES] {
    blake3::derive_key(CHECKSUM_CONTEXT, bytes)
}

#[cfg(test)]
mod tests;
