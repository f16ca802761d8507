//! Seals secrets and cached documents under the device's store key.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use zeroize::Zeroizing;

use super::{Secret, StoreError};

const NONCE_LEN_BYTES: usize = 24;

/// The cipher of one database.
pub(super) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub(super) fn new(store_key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(store_key.into()))
    }

    /// Nonce, then cipher text; bound to the table and the name.
    pub(super) fn seal(
        &self,
        table: &str,
        key: &[u8],
        secret: &Secret,
    ) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LEN_BYTES];
        getrandom::fill(&mut nonce).map_err(|_cause| StoreError::Sealed)?;
        let payload = Payload {
            msg: &secret.0,
            aad: &aad(table, key),
        };
        let sealed = self
            .0
            .encrypt(&nonce.into(), payload)
            .map_err(|_cause| StoreError::Sealed)?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(super) fn open(
        &self,
        table: &str,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, StoreError> {
        let (nonce, sealed) = sealed
            .split_at_checked(NONCE_LEN_BYTES)
            .ok_or(StoreError::Sealed)?;
        let nonce: [u8; NONCE_LEN_BYTES] = nonce.try_into().map_err(|_cause| StoreError::Sealed)?;
        let payload = Payload {
            msg: sealed,
            aad: &aad(table, key),
        };
        let plain = self
            .0
            .decrypt(&nonce.into(), payload)
            .map_err(|_cause| StoreError::Sealed)?;
        Ok(Secret(Zeroizing::new(plain)))
    }
}

fn aad(table: &str, key: &[u8]) -> Vec<u8> {
    [table.as_bytes(), b"\0", key].concat()
}
