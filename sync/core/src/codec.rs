//! The canonical encoding: postcard, and only the bytes that encoding again gives back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::guard::{Guard, holds};

/// Bytes that are no canonical encoding.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodecError {
    /// They do not decode, or something follows.
    #[error("malformed")]
    Malformed,
    /// They decode, but encode differently.
    #[error("not in canonical form")]
    NotCanonical,
    /// The value cannot be encoded.
    #[error("cannot be encoded")]
    Unencodable,
}

/// Encodes a value.
///
/// # Errors
/// [`CodecError::Unencodable`] for types that postcard cannot write; none of ours.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    postcard::to_stdvec(value).map_err(|_cause| CodecError::Unencodable)
}

/// Decodes a value that must fill `bytes` and encode to the same bytes again.
///
/// # Errors
/// [`CodecError`] says what a peer got wrong. Callers bound the length first: a decoded value takes
/// memory in proportion to its bytes, because postcard never allocates more than remains.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, rest) =
        postcard::take_from_bytes::<T>(bytes).map_err(|_cause| CodecError::Malformed)?;
    if !rest.is_empty() {
        return Err(CodecError::Malformed);
    }
    if holds(Guard::Canonical) && encode(&value)? != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

/// A field that is often all zero: one byte then, one more otherwise.
pub(crate) mod sparse {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize + Default + PartialEq,
        S: Serializer,
    {
        (*value != T::default())
            .then_some(value)
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de> + Default,
        D: Deserializer<'de>,
    {
        Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_number_is_not_canonical() {
        assert_eq!(decode::<u64>(&[0x05]), Ok(5));
        assert_eq!(decode::<u64>(&[0x85, 0x00]), Err(CodecError::NotCanonical));
        assert_eq!(decode::<u64>(&[0x05, 0x00]), Err(CodecError::Malformed));
    }
}
