//! One signed, sealed entry of an author's chain in a Space (TRUST §3).
//!
//! [`RawEnvelope`] is what a peer sent; [`Envelope`] exists only after [`RawEnvelope::verify`], so
//! that nothing unverified can be stored or forwarded.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use thiserror::Error;

use crate::codec::{self, CodecError};
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, SpaceId};
use crate::key::{self, DeviceKeys, EpochKey, KeyError, Place, SealPurpose, SpaceKey};
use crate::statement::{Audience, Body, Capability, Grant, Kind, Statement};
use crate::time::Timestamp;

/// The format that this build writes, and the only one it reads; others are held by the engine.
pub const VERSION: u8 = 1;
/// The largest envelope: header, signature and body.
pub const ENVELOPE_BYTES_MAX: usize = 256 << 10;
/// The largest header.
pub const HEADER_BYTES_MAX: usize = 2 << 10;
/// How many heads of other chains a header can name.
pub const ANCESTORS_MAX: usize = 16;

const ID_CONTEXT: &str = "aramaki envelope id v1";
const BODY_CONTEXT: &str = "aramaki body hash v1";
const DOMAIN: &[u8] = b"aramaki-env-v1\0";

/// What an envelope says of itself, signed and readable by everyone who stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u8,
    /// In which Space.
    pub space: SpaceId,
    /// In which chain.
    pub chain: Chain,
    /// Position in the chain, from 1.
    pub seq: u64,
    /// The envelope before, zero at position 1.
    pub previous: EnvelopeId,
    /// The grant under which the author acts; zero in the genesis, which the Space key signs.
    pub authority: EnvelopeId,
    /// Heads of other chains on which this builds, sorted.
    pub ancestors: Vec<EnvelopeId>,
    /// Which document.
    pub document: DocumentId,
    /// What the body is.
    pub kind: Kind,
    /// The epoch statement whose key seals the body; zero for control.
    #[serde(with = "codec::sparse")]
    pub epoch: EnvelopeId,
    /// The author's clock.
    pub time: Timestamp,
    /// Keyed hash of the plain body; zero for control, whose body hash says the same.
    #[serde(with = "codec::sparse")]
    pub content_hash: [u8; 32],
    /// Hash of the body as stored.
    pub body_hash: [u8; 32],
    /// Its length in bytes.
    pub body_len: u32,
}

impl Header {
    /// Whether a body, as stored, is the one that the author signed.
    pub fn is_body(&self, body: &[u8]) -> bool {
        usize::try_from(self.body_len) == Ok(body.len()) && body_hash_of(body) == self.body_hash
    }

    /// Whether a plain body is the one that the author signed; `key` is that of the header's epoch.
    pub(crate) fn is_content(&self, key: &EpochKey, plain: &[u8]) -> bool {
        key.content_hash(plain) == self.content_hash
    }

    /// The sealed body, made again from the plain one; `key` is that of the header's epoch. None when the
    /// plain body is another than the author signed, or was sealed in a way that nobody can repeat.
    pub(crate) fn seal_again(&self, key: &EpochKey, plain: &[u8]) -> Option<Vec<u8>> {
        let sealed = key.seal_again(&self.place(&self.aad().ok()?), plain).ok()?;
        self.is_body(&sealed).then_some(sealed)
    }

    /// Reads a plain body that [`Header::is_content`].
    pub(crate) fn read_content(&self, plain: &[u8]) -> Result<Body, FormError> {
        let body: Body = codec::decode(plain)?;
        if body.kind() != self.kind {
            return Err(FormError::Field("body is of another kind"));
        }
        Ok(body)
    }

    fn place<'a>(&self, aad: &'a [u8]) -> Place<'a> {
        Place {
            purpose: SealPurpose::Envelope,
            chain: self.chain,
            position: self.seq,
            aad,
        }
    }

    /// What the seal binds: all but the hash and length of the sealed body itself.
    fn aad(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(&Self {
            body_hash: [0; 32],
            body_len: 0,
            ..self.clone()
        })
    }
}

/// An envelope as it travels: nothing is known of it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawEnvelope {
    /// The canonical header.
    pub header: ByteBuf,
    /// Ed25519 over the domain and the id.
    pub signature: ByteBuf,
    /// The sealed (or, for control, plain) body; may be fetched later for other kinds.
    pub body: Option<ByteBuf>,
}

/// Why an envelope has no form. A peer that sends such is refused by name.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormError {
    /// Larger than a limit.
    #[error("larger than the limit")]
    TooLarge,
    /// The header's encoding.
    #[error("header is {0}")]
    Codec(#[from] CodecError),
    /// Made by a newer program.
    #[error("version {0} is not known here")]
    Version(u8),
    /// Signature or key.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// Fields that contradict each other.
    #[error("{0}")]
    Field(&'static str),
    /// The body is not the one that was signed.
    #[error("body does not match its hash")]
    Body,
}

/// An envelope whose form is verified: canonical, signed by its author, its body the signed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    id: EnvelopeId,
    header: Header,
    raw: RawEnvelope,
    statement: Option<Statement>,
}

impl RawEnvelope {
    /// How many bytes it takes.
    pub fn len_bytes(&self) -> usize {
        self.header.len() + self.signature.len() + self.body.as_ref().map_or(0, |body| body.len())
    }

    /// The id that it has if it has form: the hash of the header.
    pub fn id(&self) -> EnvelopeId {
        id_of(&self.header)
    }

    /// Checks everything that needs no other envelope.
    ///
    /// # Errors
    /// The first thing that is wrong. Cost is bounded by [`ENVELOPE_BYTES_MAX`] and one signature.
    pub fn verify(self) -> Result<Envelope, FormError> {
        let envelope = self.recall()?;
        let signature: [u8; 64] = envelope
            .raw
            .signature
            .as_slice()
            .try_into()
            .map_err(|_length| FormError::Key(KeyError::BadSignature))?;
        let author = envelope.header.chain.author;
        if holds(Guard::Signature) {
            key::verify(
                author.as_bytes(),
                DOMAIN,
                envelope.id.as_bytes(),
                &signature,
            )?;
        }
        Ok(envelope)
    }

    /// Like [`RawEnvelope::verify`] without the signature: for what this device's own store gives
    /// back, which was verified when it came.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn recall(self) -> Result<Envelope, FormError> {
        if self.header.len() > HEADER_BYTES_MAX || self.len_bytes() > ENVELOPE_BYTES_MAX {
            return Err(FormError::TooLarge);
        }
        match self.header.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(FormError::Version(version)),
            None => return Err(FormError::Codec(CodecError::Malformed)),
        }
        let header: Header = codec::decode(&self.header)?;
        check_fields(&header)?;
        let mut envelope = Envelope {
            id: id_of(&self.header),
            header,
            raw: Self {
                header: self.header,
                signature: self.signature,
                body: None,
            },
            statement: None,
        };
        match self.body {
            Some(body) => envelope.attach_body(body.into_vec())?,
            None if envelope.header.kind == Kind::Control => {
                return Err(FormError::Field("a control envelope needs its body"));
            }
            None => {}
        }
        Ok(envelope)
    }
}

/// Checks a header and its signature, without the body: what a proof of a fork shows.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_header(encoded: &[u8], signature: &[u8]) -> Result<(EnvelopeId, Header), FormError> {
    if encoded.len() > HEADER_BYTES_MAX {
        return Err(FormError::TooLarge);
    }
    match encoded.first() {
        Some(&VERSION) => {}
        Some(&version) => return Err(FormError::Version(version)),
        None => return Err(FormError::Codec(CodecError::Malformed)),
    }
    let header: Header = codec::decode(encoded)?;
    check_fields(&header)?;
    let signature: [u8; 64] = signature
        .try_into()
        .map_err(|_length| FormError::Key(KeyError::BadSignature))?;
    let id = id_of(encoded);
    if holds(Guard::Signature) {
        let author = header.chain.author;
        key::verify(author.as_bytes(), DOMAIN, id.as_bytes(), &signature)?;
    }
    Ok((id, header))
}

fn check_fields(header: &Header) -> Result<(), FormError> {
    let control = header.document == DocumentId::named("control");
    let wrong = if header.seq == 0 {
        "positions begin at 1"
    } else if (header.seq == 1) != header.previous.is_zero() {
        "previous is missing or should not be there"
    } else if header.ancestors.len() > ANCESTORS_MAX {
        "too many ancestors"
    } else if !header.ancestors.is_sorted_by(|a, b| a < b) {
        "ancestors are not sorted"
    } else if holds(Guard::KindFitsDocument) && control != (header.kind == Kind::Control) {
        "kind does not fit the document"
    } else if holds(Guard::EpochFits) && control != header.epoch.is_zero() {
        "epoch does not fit the kind"
    } else if holds(Guard::NoContentHash) && control && header.content_hash != [0; 32] {
        "a control envelope has no content hash"
    } else if !control && is_by_space_key(header) {
        "the Space key signs its first grants alone"
    } else if holds(Guard::TimeInRange)
        && (header.time < Timestamp::ZERO || header.time > Timestamp::MAX)
    {
        "time is out of range"
    } else if usize::try_from(header.body_len).unwrap_or(usize::MAX) > ENVELOPE_BYTES_MAX {
        return Err(FormError::TooLarge);
    } else {
        return Ok(());
    };
    Err(FormError::Field(wrong))
}

fn is_by_space_key(header: &Header) -> bool {
    header.chain.author.as_bytes() == header.space.as_bytes()
}

/// The Space key signs the root grant and, if that is to an anchor kept offline, one grant below it
/// in the anchor's stead, to the device that made the Space. Nothing else by it has form (A06).
fn check_founding(header: &Header, statement: &Statement) -> Result<(), FormError> {
    if !is_by_space_key(header) || !holds(Guard::SpaceKeySignsTwice) {
        return Ok(());
    }
    let founds = match statement {
        Statement::Grant(grant) if header.seq == 1 => {
            grant.parent.is_none() && header.authority.is_zero()
        }
        Statement::Grant(grant) if header.seq == 2 => {
            grant.parent == Some(header.previous)
                && header.authority == header.previous
                && grant.capability == Capability::Administer
                && matches!(grant.audience, Audience::Author(_))
        }
        _ => false,
    };
    if founds && header.chain.instance == Instance(0) && header.ancestors.is_empty() {
        Ok(())
    } else {
        Err(FormError::Field(
            "the Space key signs its first grants alone",
        ))
    }
}

fn id_of(header: &[u8]) -> EnvelopeId {
    EnvelopeId::from_bytes(blake3::derive_key(ID_CONTEXT, header))
}

fn body_hash_of(body: &[u8]) -> [u8; 32] {
    blake3::derive_key(BODY_CONTEXT, body)
}

impl Envelope {
    /// Its id.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The plain statement of a control envelope.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    /// The body as stored, if it is here.
    pub fn body(&self) -> Option<&[u8]> {
        self.raw.body.as_ref().map(|body| body.as_slice())
    }

    /// What travels and is stored.
    pub fn raw(&self) -> &RawEnvelope {
        &self.raw
    }

    /// Adds a body that came later.
    ///
    /// # Errors
    /// When it is not the one that the author signed, or is no statement in a control envelope.
    pub fn attach_body(&mut self, body: Vec<u8>) -> Result<(), FormError> {
        if holds(Guard::BodyHash) && !self.header.is_body(&body) {
            return Err(FormError::Body);
        }
        if self.header.kind == Kind::Control {
            let statement = codec::decode(&body)?;
            check_founding(&self.header, &statement)?;
            self.statement = Some(statement);
        }
        self.raw.body = Some(ByteBuf::from(body));
        Ok(())
    }

    /// Opens the body and checks it against the author's signed content hash.
    ///
    /// # Errors
    /// When the key is another epoch's, or what was sealed is not what was signed.
    pub fn open(&self, key: &EpochKey) -> Result<Body, FormError> {
        let sealed = self.body().ok_or(FormError::Field("body is not here"))?;
        let plain = key.open(&self.header.place(&self.header.aad()?), sealed)?;
        if !self.header.is_content(key, &plain) {
            return Err(FormError::Body);
        }
        self.header.read_content(&plain)
    }
}

/// Where the next envelope of a chain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// In which Space.
    pub space: SpaceId,
    /// Which database of the author.
    pub instance: Instance,
    /// The next position.
    pub seq: u64,
    /// The envelope before it.
    pub previous: EnvelopeId,
    /// Under which grant.
    pub authority: EnvelopeId,
    /// Heads of other chains, in any order.
    pub ancestors: Vec<EnvelopeId>,
    /// The author's clock.
    pub time: Timestamp,
}

/// Signs a control statement.
///
/// # Errors
/// When it is larger than an envelope may be, or the position contradicts itself.
pub fn control(
    keys: &DeviceKeys,
    position: Position,
    statement: &Statement,
) -> Result<Envelope, FormError> {
    let body = codec::encode(statement)?;
    let header = control_header(keys.author(), position, &body);
    sign(header, body, |id| keys.sign(DOMAIN, id))
}

/// A Space's first envelopes.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The root grant.
    pub root: Envelope,
    /// The grant below it to the device that made the Space, if the root's is to an anchor.
    pub device: Option<Envelope>,
}

impl Founding {
    /// In the order of their chain.
    pub fn into_envelopes(self) -> impl Iterator<Item = Envelope> {
        std::iter::once(self.root).chain(self.device)
    }
}

/// Signs a Space's first grants with its key, which is zeroized then: `root` to whoever holds the
/// Space in the last resort, `device` below it in the anchor's stead, so that the anchor's secret
/// need not be at hand.
///
/// # Errors
/// When `root` has a parent, or `device` is not to administer.
pub fn found(
    space_key: SpaceKey,
    root: Grant,
    device: Option<Grant>,
    time: Timestamp,
) -> Result<Founding, FormError> {
    let space = space_key.space();
    let author = AuthorId::from_bytes(*space.as_bytes());
    let mut position = Position {
        space,
        instance: Instance(0),
        seq: 1,
        previous: EnvelopeId::ZERO,
        authority: EnvelopeId::ZERO,
        ancestors: Vec::new(),
        time,
    };
    let say = |position: Position, grant: Grant| {
        let body = codec::encode(&Statement::Grant(grant))?;
        let header = control_header(author, position, &body);
        sign(header, body, |id| space_key.sign(DOMAIN, id))
    };
    let root = say(position.clone(), root)?;
    position.seq = 2;
    position.previous = root.id();
    position.authority = root.id();
    let device = device.map(|mut device| {
        device.parent = Some(root.id());
        say(position, device)
    });
    let device = device.transpose()?;
    drop(space_key);
    Ok(Founding { root, device })
}

/// Seals and signs a body. The same body at the same place is sealed to the same bytes: whoever reads it
/// can give them back to who lost them ([`EpochKey::seal_again`]).
///
/// # Errors
/// When it is larger than an envelope may be, or the position contradicts itself.
pub fn sealed(
    keys: &DeviceKeys,
    position: Position,
    document: DocumentId,
    body: &Body,
    (epoch, epoch_key): (EnvelopeId, &EpochKey),
) -> Result<Envelope, FormError> {
    let plain = codec::encode(body)?;
    let mut header = header(keys.author(), position, document, body.kind());
    header.epoch = epoch;
    header.content_hash = epoch_key.content_hash(&plain);
    let stored = epoch_key.seal_again(&header.place(&header.aad()?), &plain)?;
    set_body(&mut header, &stored);
    sign(header, stored, |id| keys.sign(DOMAIN, id))
}

/// Seals as no honest program does: under a nonce of which nobody else knows where it comes from.
#[cfg(test)]
pub(crate) fn sealed_at_random(
    keys: &DeviceKeys,
    position: Position,
    document: DocumentId,
    body: &Body,
    (epoch, epoch_key): (EnvelopeId, &EpochKey),
    entropy: &mut crate::entropy::Entropy,
) -> Result<Envelope, FormError> {
    let plain = codec::encode(body)?;
    let mut header = header(keys.author(), position, document, body.kind());
    header.epoch = epoch;
    header.content_hash = epoch_key.content_hash(&plain);
    let stored = epoch_key.seal(&header.place(&header.aad()?), &plain, entropy)?;
    set_body(&mut header, &stored);
    sign(header, stored, |id| keys.sign(DOMAIN, id))
}

fn header(author: AuthorId, position: Position, document: DocumentId, kind: Kind) -> Header {
    let mut ancestors = position.ancestors;
    ancestors.sort_unstable();
    ancestors.dedup();
    Header {
        version: VERSION,
        space: position.space,
        chain: Chain {
            author,
            instance: position.instance,
        },
        seq: position.seq,
        previous: position.previous,
        authority: position.authority,
        ancestors,
        document,
        kind,
        epoch: EnvelopeId::ZERO,
        time: position.time,
        content_hash: [0; 32],
        body_hash: [0; 32],
        body_len: 0,
    }
}

fn control_header(author: AuthorId, position: Position, body: &[u8]) -> Header {
    let document = DocumentId::named("control");
    let mut header = header(author, position, document, Kind::Control);
    set_body(&mut header, body);
    header
}

fn set_body(header: &mut Header, stored: &[u8]) {
    header.body_hash = body_hash_of(stored);
    header.body_len = u32::try_from(stored.len()).unwrap_or(u32::MAX);
}

fn sign(
    header: Header,
    body: Vec<u8>,
    signer: impl FnOnce(&[u8]) -> [u8; 64],
) -> Result<Envelope, FormError> {
    check_fields(&header)?;
    let encoded = codec::encode(&header)?;
    let id = id_of(&encoded);
    let raw = RawEnvelope {
        signature: ByteBuf::from(signer(id.as_bytes())),
        header: ByteBuf::from(encoded),
        body: None,
    };
    if raw.len_bytes() + body.len() > ENVELOPE_BYTES_MAX || raw.header.len() > HEADER_BYTES_MAX {
        return Err(FormError::TooLarge);
    }
    let mut envelope = Envelope {
        id,
        header,
        raw,
        statement: None,
    };
    envelope.attach_body(body)?;
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(space: SpaceId) -> Position {
        Position {
            space,
            instance: Instance(7),
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority: EnvelopeId::from_bytes([5; 32]),
            ancestors: vec![
                EnvelopeId::from_bytes([9; 32]),
                EnvelopeId::from_bytes([8; 32]),
            ],
            time: Timestamp::from_millis(1_000),
        }
    }

    fn written() -> (Envelope, EpochKey) {
        let key = EpochKey::from_bytes([1; 32]);
        let body = Body::Changes(vec![ByteBuf::from(*b"a plain change")]);
        let envelope = sealed(
            &DeviceKeys::from_seed([2; 32]),
            position(SpaceId::from_bytes([3; 32])),
            DocumentId::named("system"),
            &body,
            (EnvelopeId::from_bytes([4; 32]), &key),
        )
        .unwrap();
        (envelope, key)
    }

    #[test]
    fn what_was_sealed_and_signed_verifies_and_opens() {
        let (envelope, key) = written();
        let received = envelope.raw().clone().verify().unwrap();
        assert_eq!(received, envelope);
        let Body::Changes(changes) = received.open(&key).unwrap() else {
            panic!("another kind");
        };
        assert_eq!(changes[0].as_slice(), b"a plain change");
        assert!(received.open(&EpochKey::from_bytes([0; 32])).is_err());
    }

    #[test]
    fn every_single_altered_byte_is_refused() {
        let (envelope, _key) = written();
        let raw = envelope.raw();
        for part in 0..3 {
            let len = [
                raw.header.len(),
                raw.signature.len(),
                raw.body.as_ref().unwrap().len(),
            ][part];
            for at in 0..len {
                let mut altered = raw.clone();
                match part {
                    0 => altered.header[at] ^= 1,
                    1 => altered.signature[at] ^= 1,
                    _ => altered.body.as_mut().unwrap()[at] ^= 1,
                }
                assert!(altered.verify().is_err(), "part {part} byte {at}");
            }
        }
    }

    /// The most that an envelope takes besides its plain body, by how many other chains it builds on, today and
    /// for a long while: `docs/benchmarks.md` says what for.
    #[test]
    fn overhead_is_what_the_papers_say() {
        let key = EpochKey::from_bytes([1; 32]);
        let body = Body::Changes(vec![ByteBuf::from(*b"a plain change")]);
        let plain = codec::encode(&body).unwrap().len();
        for (ancestors, most) in [(0, 371), (1, 403), (2, 435), (ANCESTORS_MAX, 883)] {
            let id = |at: usize| EnvelopeId::from_bytes([u8::try_from(at).unwrap() + 9; 32]);
            let position = Position {
                instance: Instance(u64::MAX),
                seq: 10_000_000,
                previous: EnvelopeId::from_bytes([6; 32]),
                ancestors: (0..ancestors).map(id).collect(),
                time: Timestamp::from_millis(2_500_000_000_000),
                ..position(SpaceId::from_bytes([3; 32]))
            };
            let epoch = (EnvelopeId::from_bytes([4; 32]), &key);
            let document = DocumentId::named("system");
            let keys = DeviceKeys::from_seed([2; 32]);
            let envelope = sealed(&keys, position, document, &body, epoch).unwrap();
            let overhead = envelope.raw().len_bytes() - plain;
            assert_eq!(overhead, most, "with {ancestors} ancestors");
        }
    }
}
