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
    /// How many results in a row were not OK while that does not count yet; 0 when it does. Written after all
    /// results, which older programs read alone.
    #[serde(skip)]
    pub attempt: u8,
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
        let attempts: Vec<u8> = self.checks.iter().map(|beat| beat.attempt).collect();
        versioned::encode(KIND_HEARTBEAT, &(self, attempts), HEARTBEAT_LEN_BYTES_MAX)
    }

    /// Reads what an agent sent.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, HEARTBEAT_LEN_BYTES_MAX)? {
            (KIND_HEARTBEAT, body) => {
                let (mut beat, attempts): (Self, Vec<u8>) =
                    versioned::body_and_later(KIND_HEARTBEAT, body)?;
                for (check, attempt) in beat.checks.iter_mut().zip(attempts) {
                    check.attempt = attempt;
                }
                Ok(beat)
            }
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
            attempt: u8::MAX,
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

    #[test]
    fn what_an_older_agent_sends_is_read_and_what_is_new_does_not_disturb_it() {
        let beat = CheckBeat {
            check: CheckId::from_bytes([7; 16]),
            at: Timestamp::from_millis(9),
            raw: Severity::Critical,
            attempt: 2,
        };
        let beat = &Heartbeat::batches(Timestamp::from_millis(9), 4, &[beat])[0];
        let old = versioned::encode(KIND_HEARTBEAT, beat, HEARTBEAT_LEN_BYTES_MAX).unwrap();
        let read = Heartbeat::decode(&old).unwrap();
        assert_eq!((read.generation, read.checks[0].attempt), (4, 0));
        // As an older program reads what is sent now.
        let new = beat.encode().unwrap();
        let (kind, body) = versioned::split(&new, HEARTBEAT_LEN_BYTES_MAX).unwrap();
        assert_eq!(versioned::body::<Heartbeat>(kind, body), Ok(read));
        assert_eq!(Heartbeat::decode(&new).unwrap().checks[0].attempt, 2);
    }
}
