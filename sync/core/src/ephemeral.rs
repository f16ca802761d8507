//! Signed, sealed messages that are not stored: heartbeats, last values, presence (TRUST §3).
//!
//! Form is checked by [`RawEphemeral::verify`], the right to speak, the counter and the clock by
//! [`Ephemeral::check`]. A message that fails is dropped; nothing else depends on it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::admission::Evaluation;
use crate::codec::{self, CodecError};
use crate::entropy::Entropy;
use crate::guard::{Guard, holds};
use crate::id::{Chain, DocumentId, EnvelopeId, Instance, SpaceId};
use crate::key::{self, DeviceKeys, EpochKey, KeyError, Place, SealPurpose};
use crate::statement::Capability;
use crate::time::Timestamp;

/// The format that this build writes and reads.
pub const VERSION: u8 = 1;
/// The largest message as it travels: one datagram on every path.
pub const EPHEMERAL_BYTES_MAX: usize = 1_162;
/// How far its time may be from the local clock.
pub const CLOCK_TOLERANCE: Duration = Duration::from_mins(2);

const DOMAIN: &[u8] = b"aramaki-eph-v1\0";

/// What a message says of itself, signed and readable by everyone who forwards it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EphemeralHeader {
    /// [`VERSION`].
    pub version: u8,
    /// In which Space.
    pub space: SpaceId,
    /// Who speaks, from which database.
    pub chain: Chain,
    /// Under which grant.
    pub authority: EnvelopeId,
    /// Of which document.
    pub document: DocumentId,
    /// The epoch statement whose key seals the body.
    pub epoch: EnvelopeId,
    /// Rises with each message of the chain.
    pub counter: u64,
    /// The author's clock.
    pub time: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    header: EphemeralHeader,
    sealed: ByteBuf,
}

/// A message as it travels: nothing is known of it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawEphemeral {
    /// Canonical header and sealed body.
    pub message: ByteBuf,
    /// Ed25519 over its own domain and the message.
    pub signature: ByteBuf,
}

/// A message whose form is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ephemeral {
    header: EphemeralHeader,
    sealed: Vec<u8>,
    raw: RawEphemeral,
}

/// Why a message is dropped.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EphemeralError {
    /// More than [`EPHEMERAL_BYTES_MAX`].
    #[error("larger than a datagram")]
    TooLarge,
    /// Its encoding.
    #[error("message is {0}")]
    Codec(#[from] CodecError),
    /// Made by a newer program.
    #[error("version {0} is not known here")]
    Version(u8),
    /// Signature, key or seal.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// Its grant does not let it speak now.
    #[error("its author may not speak here now")]
    Authority,
    /// A counter at or below the last one (A05, A53).
    #[error("it was heard before")]
    Replayed,
    /// More than [`CLOCK_TOLERANCE`] from the local clock.
    #[error("its time is too far from this clock")]
    Clock,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// In which Space.
    pub space: SpaceId,
    /// Which database of the author.
    pub instance: Instance,
    /// Under which grant.
    pub authority: EnvelopeId,
    /// Of which document.
    pub document: DocumentId,
    /// Above the last one that was used, also before a restart.
    pub counter: u64,
    /// The author's clock.
    pub time: Timestamp,
}

/// Seals and signs a message.
///
/// # Errors
/// [`EphemeralError::TooLarge`] when `plain` does not fit; about 850 bytes do.
pub fn seal(
    keys: &DeviceKeys,
    slot: &Slot,
    plain: &[u8],
    (epoch, epoch_key): (EnvelopeId, &EpochKey),
    entropy: &mut Entropy,
) -> Result<Ephemeral, EphemeralError> {
    let header = EphemeralHeader {
        version: VERSION,
        space: slot.space,
        chain: Chain {
            author: keys.author(),
            instance: slot.instance,
        },
        authority: slot.authority,
        document: slot.document,
        epoch,
        counter: slot.counter,
        time: slot.time,
    };
    let sealed = epoch_key.seal(&header.place(&codec::encode(&header)?), plain, entropy)?;
    let message = codec::encode(&Signed {
        header: header.clone(),
        sealed: ByteBuf::from(sealed.clone()),
    })?;
    let raw = RawEphemeral {
        signature: ByteBuf::from(keys.sign(DOMAIN, &message)),
        message: ByteBuf::from(message),
    };
    if raw.len_bytes() > EPHEMERAL_BYTES_MAX {
        return Err(EphemeralError::TooLarge);
    }
    Ok(Ephemeral {
        header,
        sealed,
        raw,
    })
}

impl EphemeralHeader {
    fn place<'a>(&self, aad: &'a [u8]) -> Place<'a> {
        Place {
            purpose: SealPurpose::Ephemeral,
            chain: self.chain,
            position: self.counter,
            aad,
        }
    }
}

impl RawEphemeral {
    /// How many bytes it takes, with the lengths of its two parts.
    pub fn len_bytes(&self) -> usize {
        self.message.len() + self.signature.len() + 3
    }

    /// Checks everything that needs nothing else.
    ///
    /// # Errors
    /// The first thing that is wrong. Cost is bounded by [`EPHEMERAL_BYTES_MAX`] and one signature.
    pub fn verify(self) -> Result<Ephemeral, EphemeralError> {
        if self.len_bytes() > EPHEMERAL_BYTES_MAX {
            return Err(EphemeralError::TooLarge);
        }
        match self.message.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(EphemeralError::Version(version)),
            None => return Err(EphemeralError::Codec(CodecError::Malformed)),
        }
        let Signed { header, sealed } = codec::decode(&self.message)?;
        let signature: [u8; 64] = self
            .signature
            .as_slice()
            .try_into()
            .map_err(|_length| EphemeralError::Key(KeyError::BadSignature))?;
        let author = header.chain.author;
        key::verify(author.as_bytes(), DOMAIN, &self.message, &signature)?;
        Ok(Ephemeral {
            header,
            sealed: sealed.into_vec(),
            raw: self,
        })
    }
}

impl Ephemeral {
    /// What it says of itself.
    pub fn header(&self) -> &EphemeralHeader {
        &self.header
    }

    /// What travels.
    pub fn raw(&self) -> &RawEphemeral {
        &self.raw
    }

    /// Whether it may be shown and forwarded. `last_counter` is the highest one accepted from its
    /// chain, zero for none; the caller keeps it, also over restarts.
    ///
    /// # Errors
    /// When the author may not speak, repeats itself, or has another time.
    pub fn check(
        &self,
        evaluation: &Evaluation,
        last_counter: u64,
        now: Timestamp,
    ) -> Result<(), EphemeralError> {
        let header = &self.header;
        if holds(Guard::Counter) && header.counter <= last_counter {
            return Err(EphemeralError::Replayed);
        }
        if now.since(header.time).max(header.time.since(now)) > CLOCK_TOLERANCE {
            return Err(EphemeralError::Clock);
        }
        evaluation
            .members()
            .iter()
            .find(|member| member.grant == header.authority)
            .filter(|member| member.author == header.chain.author && member.is_live(now))
            .filter(|member| member.capability >= Capability::Read && !member.is_invitation())
            .map(|_speaker| ())
            .ok_or(EphemeralError::Authority)
    }

    /// Opens the body.
    ///
    /// # Errors
    /// When the key is another epoch's.
    pub fn open(&self, key: &EpochKey) -> Result<Vec<u8>, EphemeralError> {
        let aad = codec::encode(&self.header)?;
        Ok(key.open(&self.header.place(&aad), &self.sealed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(counter: u64, at: i64) -> Slot {
        Slot {
            space: SpaceId::from_bytes([1; 32]),
            instance: Instance(2),
            authority: EnvelopeId::from_bytes([3; 32]),
            document: DocumentId::named("system"),
            counter,
            time: Timestamp::from_millis(at),
        }
    }

    fn said(plain: &[u8]) -> Result<(Ephemeral, EpochKey), EphemeralError> {
        let mut entropy = Entropy::from_seed([4; 32]);
        let key = EpochKey::generate(&mut entropy);
        let keys = DeviceKeys::from_seed([5; 32]);
        let epoch = (EnvelopeId::from_bytes([6; 32]), &key);
        let message = seal(&keys, &slot(7, 1_000), plain, epoch, &mut entropy)?;
        Ok((message, key))
    }

    #[test]
    fn a_message_verifies_opens_and_fits_a_datagram() {
        let (message, key) = said(&[9; 850]).unwrap();
        assert!(codec::encode(message.raw()).unwrap().len() <= EPHEMERAL_BYTES_MAX);
        let received = message.raw().clone().verify().unwrap();
        assert_eq!(received, message);
        assert_eq!(received.open(&key), Ok(vec![9; 850]));
        assert!(received.open(&EpochKey::from_bytes([0; 32])).is_err());
        assert_eq!(said(&[9; 1_000]).err(), Some(EphemeralError::TooLarge));
    }

    #[test]
    fn every_altered_byte_is_refused() {
        let (message, _key) = said(b"beat").unwrap();
        let raw = message.raw();
        for at in 0..raw.message.len() {
            let mut altered = raw.clone();
            altered.message[at] ^= 1;
            assert!(altered.verify().is_err(), "byte {at}");
        }
        for at in 0..raw.signature.len() {
            let mut altered = raw.clone();
            altered.signature[at] ^= 1;
            assert!(altered.verify().is_err(), "signature {at}");
        }
    }

    #[test]
    fn a53_a_repeated_or_late_message_keeps_nothing_green() {
        let (message, _key) = said(b"beat").unwrap();
        let nobody = Evaluation::default();
        let check = |last, at| message.check(&nobody, last, Timestamp::from_millis(at));
        assert_eq!(check(7, 1_000), Err(EphemeralError::Replayed));
        assert_eq!(check(6, 122_000), Err(EphemeralError::Clock));
        assert_eq!(check(6, -120_000), Err(EphemeralError::Clock));
        assert_eq!(check(6, 1_000), Err(EphemeralError::Authority));
    }
}
