//! Random bytes as a value: a seed that the shell drew, stretched as far as one operation needs.

use std::convert::Infallible;
use std::fmt;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

/// A stream of random bytes from a 32-byte seed (BLAKE3 in extendable-output mode).
///
/// The shell draws a new seed from the operating system for each operation; the simulation derives
/// seeds from its own, so that a run replays exactly.
pub struct Entropy {
    stream: blake3::OutputReader,
}

impl Entropy {
    /// A stream from a seed, which must never be used for a second one.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let mut hasher = blake3::Hasher::new_derive_key("aramaki entropy v1");
        hasher.update(&*seed);
        Self {
            stream: hasher.finalize_xof(),
        }
    }

    /// The next bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.fill(&mut bytes);
        bytes
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(<secret>)")
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.stream.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}
