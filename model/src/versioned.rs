//! The encoding of values inside documents: version, kind, then postcard.
//!
//! ```text
//! version u8 = 1 | kind u16, little endian | postcard body | bytes of later versions, ignored
//! ```
//! A newer program may append fields to a body; it takes a new kind when it changes one. What
//! this program does not know it keeps and shows as such.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The version of the envelope around a value.
const VERSION: u8 = 1;
/// Version and kind.
const HEADER_LEN_BYTES: usize = 3;

/// Why a value cannot be encoded.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// It is longer than its place allows.
    #[error("a value of {length} bytes where {limit} are allowed")]
    TooLong {
        /// What it takes.
        length: usize,
        /// What there is.
        limit: usize,
    },
    /// It has more parts than whoever reads it takes.
    #[error("{count} {what} where {limit} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// It does not fit the format.
    #[error("a value that cannot be encoded")]
    Format(#[source] postcard::Error),
    /// It was read from a newer program and cannot be written anew.
    #[error("an unknown kind of value cannot be written")]
    UnknownKind,
}

/// Why bytes cannot be read as a value.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// They are longer than any value.
    #[error("a value of {length} bytes where {limit} are allowed")]
    TooLong {
        /// How long they are.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// They end before the header does.
    #[error("a value without its header")]
    Header,
    /// The version is not ours.
    #[error("a value of version {0}, written by a newer program")]
    Version(u8),
    /// The kind is not ours.
    #[error("a value of unknown kind {0}")]
    Kind(u16),
    /// The body is not what its kind says.
    #[error("a malformed value of kind {kind}")]
    Body {
        /// The kind.
        kind: u16,
        /// What is wrong with it.
        #[source]
        source: postcard::Error,
    },
}

/// Encodes a value of this kind.
pub(crate) fn encode<T: Serialize + ?Sized>(
    kind: u16,
    value: &T,
    limit: usize,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&kind.to_le_bytes());
    let out = postcard::to_extend(value, out).map_err(EncodeError::Format)?;
    let length = out.len();
    if length > limit {
        Err(EncodeError::TooLong { length, limit })
    } else {
        Ok(out)
    }
}

/// Reads the header; returns the kind and the body.
pub(crate) fn split(bytes: &[u8], limit: usize) -> Result<(u16, &[u8]), DecodeError> {
    let length = bytes.len();
    if length > limit {
        return Err(DecodeError::TooLong { length, limit });
    }
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_LEN_BYTES>() else {
        return Err(DecodeError::Header);
    };
    let [version, low, high] = *header;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    Ok((u16::from_le_bytes([low, high]), body))
}

/// Reads a body of a known kind. Bytes after it are fields of a newer program.
pub(crate) fn body<T: DeserializeOwned>(kind: u16, body: &[u8]) -> Result<T, DecodeError> {
    postcard::take_from_bytes(body)
        .map(|(value, _newer)| value)
        .map_err(|source| DecodeError::Body { kind, source })
}

/// Reads a body of a known kind to which fields were appended later. Where an older program wrote
/// none they are what they are by default; bytes after them are fields of a newer program.
pub(crate) fn body_and_later<T, L>(kind: u16, body: &[u8]) -> Result<(T, L), DecodeError>
where
    T: DeserializeOwned,
    L: DeserializeOwned + Default,
{
    let malformed = |source| DecodeError::Body { kind, source };
    let (value, later) = postcard::take_from_bytes(body).map_err(malformed)?;
    if later.is_empty() {
        return Ok((value, L::default()));
    }
    let (later, _newer) = postcard::take_from_bytes(later).map_err(malformed)?;
    Ok((value, later))
}
