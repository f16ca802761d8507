//! Names inside documents: ULIDs as newtypes that do not mix.

use std::fmt;
use std::str::FromStr;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use ulid::Ulid;

/// Text that is not a ULID.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not an id: 26 letters and digits of a ULID are expected")]
pub struct UlidError;

/// Builds the sixteen bytes of a ULID from a time and ten random bytes.
fn compose(at: Timestamp, random: [u8; 10]) -> [u8; 16] {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new name from the time and ten random bytes.
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                Self(compose(at, random))
            }

            /// Takes the bytes as they are.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// When it was made, as its maker says.
            pub fn at(&self) -> Timestamp {
                let millis = Ulid::from_bytes(self.0).timestamp_ms();
                Timestamp::from_millis(i64::try_from(millis).unwrap_or(0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                f.write_str(Ulid::from_bytes(self.0).array_to_str(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = UlidError;

            /// Reads the canonical form only, so that one id has one spelling.
            fn from_str(text: &str) -> Result<Self, UlidError> {
                let id = Ulid::from_string(text).map_err(|_not_a_ulid| UlidError)?;
                let mut buffer = [0; ulid::ULID_LEN];
                if id.array_to_str(&mut buffer) == text {
                    Ok(Self(id.to_bytes()))
                } else {
                    Err(UlidError)
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

ulid_id! {
    /// A check, in the System document and in everything about it.
    ///
    /// ```compile_fail
    /// use aramaki_model::{CheckId, EntryId};
    /// let check: CheckId = EntryId::from_bytes([0; 16]);
    /// ```
    CheckId
}
ulid_id! {
    /// An entry of a journal or timeline; entries sort by it.
    EntryId
}
ulid_id! {
    /// A note of a System; its document is `note/ULID`.
    NoteId
}
ulid_id! {
    /// An item in a list of the System document: a rule, a contact, a dashboard.
    ItemId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling_and_remembers_when_it_was_made() {
        let at = Timestamp::from_millis(1_795_370_000_123);
        let id = CheckId::new(at, [0xab; 10]);
        let text = id.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(id.at(), at);
        assert!(text.to_lowercase().parse::<CheckId>().is_err());
        assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<CheckId>().is_err());
    }

    #[test]
    fn text_of_later_ids_sorts_after_earlier_ones() {
        let id = |millis| EntryId::new(Timestamp::from_millis(millis), [7; 10]);
        assert!(id(1).to_string() < id(2).to_string());
        assert!(id(1) < id(2));
    }
}
