//! Names of Spaces, authors, chains, documents and envelopes: newtypes that do not mix.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Text that is not an id.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not an id: {expected} hexadecimal digits are expected")]
pub struct IdError {
    expected: usize,
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name([u8; $len]);

        impl $name {
            /// All bytes zero: "none" where a format has no option.
            pub const ZERO: Self = Self([0; $len]);

            /// Takes the bytes as they are.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Whether this is [`Self::ZERO`].
            pub fn is_zero(&self) -> bool {
                self.0 == [0; $len]
            }

            /// The first eight hexadecimal digits: for people, never for look-ups.
            pub fn short(&self) -> String {
                self.to_string().chars().take(8).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = || IdError { expected: $len * 2 };
                let bytes = HEXLOWER_PERMISSIVE
                    .decode(text.as_bytes())
                    .map_err(|_not_hex| refused())?;
                Ok(Self(bytes.try_into().map_err(|_length| refused())?))
            }
        }
    };
}

byte_id! {
    /// A Space: the public half of its Ed25519 root key.
    ///
    /// Ids of different things do not mix:
    /// ```compile_fail
    /// use aramaki_sync_core::{AuthorId, SpaceId};
    /// let space: SpaceId = AuthorId::ZERO;
    /// ```
    SpaceId, 32
}
byte_id! {
    /// Whose key signed: the public signing key of a device, agent, relay or invitation.
    AuthorId, 32
}
byte_id! {
    /// A document in a Space.
    DocumentId, 16
}
byte_id! {
    /// An envelope: BLAKE3 (`aramaki envelope id v1`) of its canonical header.
    EnvelopeId, 32
}
byte_id! {
    /// A person or program behind one or more devices; random, names live in sealed documents.
    PrincipalId, 16
}

impl DocumentId {
    /// The document with a well-known name: `control`, `system`, `note/ULID`, `timeline/YYYY-MM`,
    /// `journal/YYYY-MM-DD`, `agent-config`.
    pub fn named(name: &str) -> Self {
        let hash = blake3::derive_key("aramaki document id v1", name.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

/// One database of an author. A restored or rolled-back database takes a new one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instance(pub u64);

/// An append-only log: one author's envelopes from one database in a Space.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Chain {
    /// Whose key signs it.
    pub author: AuthorId,
    /// Which database of that author.
    pub instance: Instance,
}

impl Chain {
    /// The only Automerge actor that changes in this chain may bear.
    pub fn actor_bytes(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki automerge actor v1");
        hasher.update(self.author.as_bytes());
        hasher.update(&self.instance.0.to_be_bytes());
        let mut actor = [0; 16];
        hasher.finalize_xof().fill(&mut actor);
        actor
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:016x}", self.author.short(), self.instance.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_an_id_reads_back_and_other_text_is_refused() {
        let id = SpaceId::from_bytes([0xa7; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("a7".parse::<SpaceId>().is_err());
        assert!("z".repeat(64).parse::<SpaceId>().is_err());
    }

    #[test]
    fn each_instance_of_an_author_has_its_own_actor() {
        let chain = |instance| Chain {
            author: AuthorId::from_bytes([1; 32]),
            instance: Instance(instance),
        };
        assert_ne!(chain(1).actor_bytes(), chain(2).actor_bytes());
    }
}
