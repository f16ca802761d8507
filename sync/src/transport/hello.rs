//! The first message on a connection: who is behind this endpoint, and how to reach it again.
//!
//! TLS proves the endpoint keys of both sides. Each side then signs both endpoint keys with its
//! author keys (device, held invitations), which binds the authors to this endpoint for this peer
//! and is of no use to anyone else.

use std::collections::BTreeSet;
use std::sync::Arc;

use aramaki_sync_core::AuthorId;
use aramaki_sync_core::key::{self, DeviceKeys};
use halves::Signature;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::address::{ADDRESS_LEN_BYTES_MAX, ADDRESSES_MAX};

const DOMAIN: &[u8] = b"aramaki-hello-v1\0";
/// How many author keys one endpoint can prove.
pub const PROOFS_MAX: usize = 64;
/// The longest hello.
pub(super) const HELLO_BYTES_MAX: usize = 16 << 10;

/// A signature as serde can carry it.
mod halves {
    use serde::{Deserialize, Serialize};

    /// Two halves, because serde knows arrays up to 32.
    #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    pub(super) struct Signature(pub(super) [u8; 32], pub(super) [u8; 32]);
}

/// What both sides send first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Drawn when the process started: tells a restarted peer from a second connection.
    pub session: u64,
    /// Where the sender can be reached.
    pub addresses: Vec<String>,
    proofs: Vec<(AuthorId, Signature)>,
}

/// Who is behind an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Its device, which signs first.
    pub device: AuthorId,
    /// All its keys.
    pub authors: BTreeSet<AuthorId>,
}

/// A first message that proves nothing.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum HelloError {
    /// Its bytes are no hello, or too much of one.
    #[error("hello is malformed")]
    Malformed,
    /// A key that it names did not sign these two endpoints.
    #[error("hello names an author that did not sign it")]
    NotProven,
}

fn statement(from: &[u8; 32], to: &[u8; 32]) -> [u8; 64] {
    let mut both = [0; 64];
    both[..32].copy_from_slice(from);
    both[32..].copy_from_slice(to);
    both
}

impl Hello {
    /// Signs a hello from endpoint `from` to endpoint `to` with every key held.
    #[must_use]
    pub fn signed(
        session: u64,
        addresses: Vec<String>,
        keys: &[Arc<DeviceKeys>],
        (from, to): (&[u8; 32], &[u8; 32]),
    ) -> Self {
        let statement = statement(from, to);
        let proofs = keys
            .iter()
            .take(PROOFS_MAX)
            .map(|keys| {
                let signature = keys.sign(DOMAIN, &statement);
                let (mut left, mut right) = ([0; 32], [0; 32]);
                left.copy_from_slice(&signature[..32]);
                right.copy_from_slice(&signature[32..]);
                (keys.author(), Signature(left, right))
            })
            .collect();
        Self {
            session,
            addresses,
            proofs,
        }
    }

    /// The bytes that are sent.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn encode(&self) -> Result<Vec<u8>, HelloError> {
        postcard::to_stdvec(self).map_err(|_cause| HelloError::Malformed)
    }

    /// Reads and checks a peer's hello; what follows a known part is left to later versions.
    ///
    /// # Errors
    /// If it is malformed, or names a key that did not sign these two endpoints.
    pub fn verified(
        bytes: &[u8],
        (from, to): (&[u8; 32], &[u8; 32]),
    ) -> Result<(Self, Proven), HelloError> {
        let (mut hello, _rest) =
            postcard::take_from_bytes::<Self>(bytes).map_err(|_cause| HelloError::Malformed)?;
        if hello.proofs.len() > PROOFS_MAX {
            return Err(HelloError::Malformed);
        }
        let statement = statement(from, to);
        let (device, _signature) = hello.proofs.first().ok_or(HelloError::NotProven)?;
        let device = *device;
        let mut authors = BTreeSet::new();
        for (author, Signature(left, right)) in &hello.proofs {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(left);
            signature[32..].copy_from_slice(right);
            key::verify(author.as_bytes(), DOMAIN, &statement, &signature)
                .map_err(|_cause| HelloError::NotProven)?;
            authors.insert(*author);
        }
        hello.addresses.truncate(ADDRESSES_MAX);
        hello
            .addresses
            .retain(|address| address.len() <= ADDRESS_LEN_BYTES_MAX);
        Ok((hello, Proven { device, authors }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_proves_its_authors_to_this_peer_alone() {
        let keys = [1, 2].map(|seed| Arc::new(DeviceKeys::from_seed([seed; 32])));
        let (a, b, c) = ([1; 32], [2; 32], [3; 32]);
        let bytes = Hello::signed(7, Vec::new(), &keys, (&a, &b))
            .encode()
            .unwrap();
        let (hello, proven) = Hello::verified(&bytes, (&a, &b)).unwrap();
        assert_eq!(hello.session, 7);
        assert_eq!(proven.device, keys[0].author());
        assert_eq!(
            proven.authors,
            keys.iter().map(|keys| keys.author()).collect()
        );
        for (from, to) in [(&a, &c), (&c, &b), (&b, &a)] {
            assert_eq!(
                Hello::verified(&bytes, (from, to)).err(),
                Some(HelloError::NotProven)
            );
        }
    }

    #[test]
    fn no_altered_or_shortened_hello_panics() {
        let keys = [Arc::new(DeviceKeys::from_seed([1; 32]))];
        let (a, b) = ([1; 32], [2; 32]);
        let bytes = Hello::signed(7, vec!["127.0.0.1:1".to_owned()], &keys, (&a, &b))
            .encode()
            .unwrap();
        for at in 0..bytes.len() {
            assert!(Hello::verified(&bytes[..at], (&a, &b)).is_err());
            let mut altered = bytes.clone();
            altered[at] ^= 0x80;
            drop(Hello::verified(&altered, (&a, &b)));
        }
    }
}
