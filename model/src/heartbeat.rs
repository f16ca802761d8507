//! What an agent says between transitions, as an ephemeral message: it lives, and its last results.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::CheckId;
use crate::severity::Severity;
use crate::versioned::{self, DecodeError, EncodeError};

/// How long an encoded heartbeat may be, so that it fits one datagram when sealed.
pub const HEARTBEAT_LEN_BYTES_MAX: usize = 832;
/// How many results one heartbeat carries; an agent with more sends them in turn.
pub const HEARTBEAT_CHECKS_MAX: usize = 24;
/// Milliseconds from one heartbeat to the next.
pub const HEARTBEAT_INTERVAL_MS: u64 = 20_000;
/// Milliseconds without a heartbeat after which an agent is stale.
pub const HEARTBEAT_STALE_MS: u64 = 120_000;

const KIND_HEARTBEAT: u16 = 65;

/// An agent lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When, by the agent's clock.
    pub at: Timestamp,
    /// The configuration it works by.
    pub generation: u64,
    /// Last results, of some or all of its checks.
    pub checks: Vec<CheckBeat>,
}

/// The last result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckBeat {
    /// Which check.
    pub check: CheckId,
    /// When it ran last, by the agent's clock.
    pub at: Timestamp,
    /// What it said.
    pub raw: Severity,
}

impl Heartbeat {
    /// Heartbeats that carry all these results, at least one.
    pub fn batches(at: Timestamp, generation: u64, checks: &[CheckBeat]) -> Vec<Self> {
        let beat = |checks: &[CheckBeat]| Self {
            at,
            generation,
            checks: checks.to_vec(),
        };
        if checks.is_empty() {
            return vec![beat(&[])];
        }
        checks.chunks(HEARTBEAT_CHECKS_MAX).map(beat).collect()
    }

    /// Encodes it as the body of an ephemeral message.
    ///
    /// # Errors
    /// When it carries too many results.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_HEARTBEAT, self, HEARTBEAT_LEN_BYTES_MAX)
    }

    /// Reads what an agent sent.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, HEARTBEAT_LEN_BYTES_MAX)? {
            (KIND_HEARTBEAT, body) => versioned::body(KIND_HEARTBEAT, body),
            (other, _) => Err(DecodeError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_heartbeat_fits_and_reads_back() {
        let beat = CheckBeat {
            check: CheckId::from_bytes([0xff; 16]),
            at: Timestamp::MAX,
            raw: Severity::Critical,
        };
        let batches = Heartbeat::batches(Timestamp::MAX, u64::MAX, &[beat; 50]);
        assert_eq!(
            batches.iter().map(|b| b.checks.len()).collect::<Vec<_>>(),
            [24, 24, 2]
        );
        for batch in batches {
            assert_eq!(Heartbeat::decode(&batch.encode().unwrap()), Ok(batch));
        }
        assert_eq!(Heartbeat::batches(Timestamp::ZERO, 1, &[]).len(), 1);
    }
}
