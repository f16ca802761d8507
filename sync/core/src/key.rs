//! Device, Space, invitation and epoch keys, all derived from 32-byte seeds (TRUST §2).

use std::fmt;
use std::sync::OnceLock;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::statement::{EpochOpening, Wrap, WrapTo};

type BoxSecret = <X25519HkdfSha256 as hpke::Kem>::PrivateKey;
type BoxPublic = <X25519HkdfSha256 as hpke::Kem>::PublicKey;
type BoxEncapsulated = <X25519HkdfSha256 as hpke::Kem>::EncappedKey;

/// Bytes added to a plain text by sealing: nonce and tag.
pub const SEAL_OVERHEAD_BYTES: usize = 24 + 16;

/// A sealed thing that does not open, or a key that is none.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Wrong key, or altered.
    #[error("does not open with this key")]
    DoesNotOpen,
    /// Not a point on the curve.
    #[error("not a public key")]
    NotAKey,
    /// Not made by that author.
    #[error("signature does not verify")]
    BadSignature,
    /// The opened key is not the one that the epoch commits to.
    #[error("key does not match the epoch's commitment")]
    WrongKey,
}

/// Everything an author derives from its seed: what signs, what the network knows, what opens, what
/// seals its store.
pub struct DeviceKeys {
    seed: Zeroizing<[u8; 32]>,
    signing: SigningKey,
    box_secret: BoxSecret,
    box_public: [u8; 32],
}

impl DeviceKeys {
    /// Derives all keys; equal seeds give equal keys.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let signing = SigningKey::from_bytes(&blake3::derive_key("aramaki device sign v1", &*seed));
        let (box_secret, public) = X25519HkdfSha256::derive_keypair(&*Zeroizing::new(
            blake3::derive_key("aramaki device box v1", &*seed),
        ));
        Self {
            signing,
            box_public: public.to_bytes().into(),
            box_secret,
            seed,
        }
    }

    /// Whose signatures these keys make.
    pub fn author(&self) -> AuthorId {
        AuthorId::from_bytes(self.signing.verifying_key().to_bytes())
    }

    /// The X25519 public key to which epoch keys are wrapped.
    pub fn box_public(&self) -> [u8; 32] {
        self.box_public
    }

    /// Whom to grant something.
    pub fn public(&self) -> PublicKeys {
        PublicKeys {
            author: self.author(),
            box_key: self.box_public,
        }
    }

    /// The seed of the iroh endpoint key.
    pub fn endpoint_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(
            "aramaki device endpoint v1",
            &*self.seed,
        ))
    }

    /// The key that seals secrets in the store.
    pub fn store_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key("aramaki device store v1", &*self.seed))
    }

    /// The seed, for the key file and invitations only.
    pub fn expose_seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Signs within a domain, which ends in a zero byte.
    pub fn sign(&self, domain: &[u8], message: &[u8]) -> [u8; 64] {
        self.signing.sign(&[domain, message].concat()).to_bytes()
    }

    /// Opens an epoch key wrapped to this device.
    ///
    /// # Errors
    /// When it was wrapped to another key or altered.
    pub fn open_wrap(
        &self,
        space: &SpaceId,
        epoch_number: u64,
        wrap: &Wrap,
    ) -> Result<EpochKey, KeyError> {
        open_wrap(&self.box_secret, space, epoch_number, wrap)
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKeys({}, <secret>)", self.author().short())
    }
}

/// The public half of a device's keys: all that granting it something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKeys {
    /// Whose signatures.
    pub author: AuthorId,
    /// To which X25519 key epochs are wrapped.
    pub box_key: [u8; 32],
}

/// A Space's root key: signs the first grants, then is dropped (and zeroized).
pub struct SpaceKey(SigningKey);

impl SpaceKey {
    /// A new Space.
    pub fn generate(entropy: &mut Entropy) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(entropy.bytes())))
    }

    /// The Space's id.
    pub fn space(&self) -> SpaceId {
        SpaceId::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Signs within a domain.
    pub fn sign(&self, domain: &[u8], message: &[u8]) -> [u8; 64] {
        self.0.sign(&[domain, message].concat()).to_bytes()
    }
}

impl fmt::Debug for SpaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpaceKey(<secret>)")
    }
}

/// Checks a signature strictly: no small-order keys, no second encodings.
///
/// # Errors
/// When the key is none or the signature is not by it.
pub fn verify(
    author: &[u8; 32],
    domain: &[u8],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), KeyError> {
    VerifyingKey::from_bytes(author)
        .map_err(|_cause| KeyError::NotAKey)?
        .verify_strict(
            &[domain, message].concat(),
            &Signature::from_bytes(signature),
        )
        .map_err(|_cause| KeyError::BadSignature)
}

/// The symmetric key that seals a Space's bodies during an epoch.
#[derive(Clone)]
pub struct EpochKey {
    bytes: Zeroizing<[u8; 32]>,
    /// Every write compares it with what the epoch says, and it takes a multiplication on the curve.
    public: OnceLock<[u8; 32]>,
}

impl EpochKey {
    /// A new key.
    pub fn generate(entropy: &mut Entropy) -> Self {
        Self::from_bytes(entropy.bytes())
    }

    /// A key from the store.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self {
            bytes: Zeroizing::new(bytes),
            public: OnceLock::new(),
        }
    }

    /// The bytes, for the sealed key table only.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// What an epoch statement says of its key.
    pub fn commit(&self) -> [u8; 32] {
        self.opening().commit()
    }

    /// What proves to everyone which public half belongs to the committed key.
    pub fn opening(&self) -> EpochOpening {
        EpochOpening {
            check: blake3::derive_key("aramaki epoch check v1", &*self.bytes),
            box_seed: blake3::derive_key("aramaki epoch box v1", &*self.bytes),
        }
    }

    fn box_pair(&self) -> (BoxSecret, BoxPublic) {
        let seed = Zeroizing::new(blake3::derive_key("aramaki epoch box v1", &*self.bytes));
        X25519HkdfSha256::derive_keypair(&*seed)
    }

    /// The public half of the epoch box: others seal to whoever reads in this epoch.
    pub fn public(&self) -> [u8; 32] {
        *self
            .public
            .get_or_init(|| self.box_pair().1.to_bytes().into())
    }

    /// Opens a key that another Space wrapped to this epoch's box.
    ///
    /// # Errors
    /// When it was wrapped to another epoch or altered.
    pub fn open_wrap(
        &self,
        space: &SpaceId,
        epoch_number: u64,
        wrap: &Wrap,
    ) -> Result<Self, KeyError> {
        open_wrap(&self.box_pair().0, space, epoch_number, wrap)
    }

    /// Wraps this key to a box key.
    ///
    /// # Errors
    /// When the recipient's box key is no key.
    pub fn wrap(
        &self,
        space: &SpaceId,
        epoch_number: u64,
        to: WrapTo,
        box_key: &[u8; 32],
        entropy: &mut Entropy,
    ) -> Result<Wrap, KeyError> {
        let public = BoxPublic::from_bytes(box_key).map_err(|_cause| KeyError::NotAKey)?;
        let (enc, sealed) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &public,
                &wrap_info(space),
                &*self.bytes,
                &epoch_number.to_be_bytes(),
                entropy,
            )
            .map_err(|_cause| KeyError::NotAKey)?;
        Ok(Wrap {
            to,
            enc: enc.to_bytes().into(),
            sealed,
        })
    }

    /// The key of the keyed hash over a plain body.
    pub fn content_hash(&self, plain: &[u8]) -> [u8; 32] {
        let key = Zeroizing::new(blake3::derive_key("aramaki content hash v1", &*self.bytes));
        *blake3::keyed_hash(&key, plain).as_bytes()
    }

    fn cipher(&self, place: &Place<'_>) -> XChaCha20Poly1305 {
        let mut hasher = blake3::Hasher::new_derive_key(place.purpose.context());
        hasher.update(&*self.bytes);
        hasher.update(place.chain.author.as_bytes());
        hasher.update(&place.chain.instance.0.to_be_bytes());
        hasher.update(&place.position.to_be_bytes());
        let key = Zeroizing::new(*hasher.finalize().as_bytes());
        XChaCha20Poly1305::new((&*key).into())
    }

    /// Seals a body at its place: nonce, then cipher text.
    ///
    /// # Errors
    /// Never below the cipher's own limit, which is far above an envelope's.
    pub fn seal(
        &self,
        place: &Place<'_>,
        plain: &[u8],
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, KeyError> {
        self.seal_with(entropy.bytes(), place, plain)
    }

    /// Seals what is sealed once at its place, so that whoever has this key and the plain body makes the
    /// same bytes again. The nonce is a hash under this key of everything that the seal binds; `aad` must
    /// name the plain body, by its [`EpochKey::content_hash`]: so that no two bodies share a nonce.
    ///
    /// # Errors
    /// As [`EpochKey::seal`].
    pub fn seal_again(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki body nonce v1");
        hasher.update(&*self.bytes);
        hasher.update(place.chain.author.as_bytes());
        hasher.update(&place.chain.instance.0.to_be_bytes());
        hasher.update(&place.position.to_be_bytes());
        hasher.update(place.aad);
        let mut nonce = [0; 24];
        hasher.finalize_xof().fill(&mut nonce);
        self.seal_with(nonce, place, plain)
    }

    fn seal_with(
        &self,
        nonce: [u8; 24],
        place: &Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let payload = Payload {
            msg: plain,
            aad: place.aad,
        };
        let sealed = self
            .cipher(place)
            .encrypt(&nonce.into(), payload)
            .map_err(|_cause| KeyError::DoesNotOpen)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`EpochKey::seal`] or [`EpochKey::seal_again`] made.
    ///
    /// # Errors
    /// When anything differs: key, place or bytes.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (nonce, sealed) = sealed.split_at_checked(24).ok_or(KeyError::DoesNotOpen)?;
        let nonce: [u8; 24] = nonce.try_into().map_err(|_cause| KeyError::DoesNotOpen)?;
        let payload = Payload {
            msg: sealed,
            aad: place.aad,
        };
        self.cipher(place)
            .decrypt(&nonce.into(), payload)
            .map_err(|_cause| KeyError::DoesNotOpen)
    }

    /// Seals the key of the epoch before under this one.
    ///
    /// # Errors
    /// Never for a key; the cipher's own limit is far above 32 bytes.
    pub fn seal_previous(
        &self,
        previous_id: &EnvelopeId,
        previous: &Self,
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, KeyError> {
        self.seal(&Place::of_previous(previous_id), previous.expose(), entropy)
    }

    /// Opens the key of the epoch before.
    ///
    /// # Errors
    /// When it was not sealed under this epoch for that id.
    pub fn open_previous(&self, previous_id: &EnvelopeId, sealed: &[u8]) -> Result<Self, KeyError> {
        let plain = Zeroizing::new(self.open(&Place::of_previous(previous_id), sealed)?);
        let bytes: [u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_cause| KeyError::DoesNotOpen)?;
        Ok(Self::from_bytes(bytes))
    }
}

impl EpochOpening {
    /// The commitment that it opens.
    pub fn commit(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki epoch commit v1");
        hasher.update(&self.check);
        hasher.update(&self.box_seed);
        *hasher.finalize().as_bytes()
    }

    /// The public half that belongs to the committed key.
    pub fn public(&self) -> [u8; 32] {
        let (_secret, public) = X25519HkdfSha256::derive_keypair(&self.box_seed);
        public.to_bytes().into()
    }
}

/// Whether something can be wrapped to a box key: all-zero and other small-order points are none.
pub fn is_box_key(box_key: &[u8; 32]) -> bool {
    let probe = x25519_dalek::StaticSecret::from([1; 32]);
    let public = x25519_dalek::PublicKey::from(*box_key);
    probe.diffie_hellman(&public).was_contributory()
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochKey(<secret>)")
    }
}

/// Where sealed bytes belong: they open nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What is sealed.
    pub purpose: SealPurpose,
    /// In which chain.
    pub chain: Chain,
    /// An envelope's position, an ephemeral message's counter.
    pub position: u64,
    /// What else is bound.
    pub aad: &'a [u8],
}

impl<'a> Place<'a> {
    fn of_previous(id: &'a EnvelopeId) -> Self {
        Self {
            purpose: SealPurpose::PreviousEpoch,
            chain: Chain::default(),
            position: 0,
            aad: id.as_bytes(),
        }
    }
}

/// What is sealed under an epoch key: each purpose has its own derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPurpose {
    /// The body of an envelope.
    Envelope,
    /// The body of an ephemeral message.
    Ephemeral,
    /// The key of the epoch before.
    PreviousEpoch,
}

impl SealPurpose {
    const fn context(self) -> &'static str {
        match self {
            Self::Envelope => "aramaki envelope body v1",
            Self::Ephemeral => "aramaki ephemeral body v1",
            Self::PreviousEpoch => "aramaki previous epoch v1",
        }
    }
}

fn wrap_info(space: &SpaceId) -> Vec<u8> {
    [b"aramaki epoch v1", &space.as_bytes()[..]].concat()
}

fn open_wrap(
    secret: &BoxSecret,
    space: &SpaceId,
    epoch_number: u64,
    wrap: &Wrap,
) -> Result<EpochKey, KeyError> {
    let enc = BoxEncapsulated::from_bytes(&wrap.enc).map_err(|_cause| KeyError::NotAKey)?;
    let plain = Zeroizing::new(
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            secret,
            &enc,
            &wrap_info(space),
            &wrap.sealed,
            &epoch_number.to_be_bytes(),
        )
        .map_err(|_cause| KeyError::DoesNotOpen)?,
    );
    let bytes: [u8; 32] = plain
        .as_slice()
        .try_into()
        .map_err(|_cause| KeyError::DoesNotOpen)?;
    Ok(EpochKey::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(seed: u8) -> Entropy {
        Entropy::from_seed([seed; 32])
    }

    #[test]
    fn a_wrapped_epoch_key_opens_for_its_reader_only() {
        let (reader, other) = (
            DeviceKeys::from_seed([1; 32]),
            DeviceKeys::from_seed([2; 32]),
        );
        let space = SpaceId::from_bytes([9; 32]);
        let key = EpochKey::generate(&mut entropy(3));
        let wrap = key
            .wrap(
                &space,
                1,
                WrapTo::Device(reader.author()),
                &reader.box_public(),
                &mut entropy(4),
            )
            .unwrap();
        let opened = reader.open_wrap(&space, 1, &wrap).unwrap();
        assert_eq!(opened.commit(), key.commit());
        assert!(other.open_wrap(&space, 1, &wrap).is_err());
        assert!(
            reader.open_wrap(&space, 2, &wrap).is_err(),
            "bound to its number"
        );
    }

    #[test]
    fn secrets_are_never_printed() {
        let seed = [0xab; 32];
        let text = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            DeviceKeys::from_seed(seed),
            EpochKey::from_bytes(seed),
            Entropy::from_seed(seed),
            SpaceKey(SigningKey::from_bytes(&seed)),
            crate::engine::SecretSeed(Zeroizing::new(seed))
        );
        assert!(!text.contains("ab, ") && !text.contains("abab") && !text.contains("171"));
    }
}
