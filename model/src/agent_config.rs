//! What an agent is told to do, by generation.

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::versioned::{self, DecodeError, EncodeError};

/// How long an encoded configuration may be: it fits one envelope.
pub const AGENT_CONFIG_LEN_BYTES_MAX: usize = 192 * 1_024;
/// How many checks an agent runs at most.
pub const CHECKS_MAX: usize = 1_000;

const KIND_AGENT_CONFIG: u16 = 64;

/// What an agent is told to do. The highest admitted generation counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentConfig {
    /// Grows with every change.
    pub generation: u64,
    /// The System it observes.
    pub system: SpaceId,
    /// What it looks at.
    pub checks: Vec<Check>,
}

impl AgentConfig {
    /// Encodes it as the body of an `AgentConfig` envelope.
    ///
    /// # Errors
    /// When it is longer than [`AGENT_CONFIG_LEN_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_AGENT_CONFIG, self, AGENT_CONFIG_LEN_BYTES_MAX)
    }

    /// Reads what an administrator wrote. Checks above [`CHECKS_MAX`] are left out.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, AGENT_CONFIG_LEN_BYTES_MAX)? {
            (KIND_AGENT_CONFIG, body) => {
                let mut config: Self = versioned::body(KIND_AGENT_CONFIG, body)?;
                config.checks.truncate(CHECKS_MAX);
                Ok(config)
            }
            (other, _) => Err(DecodeError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, CheckKind, Thresholds};
    use crate::id::CheckId;

    #[test]
    fn a_configuration_reads_back_and_garbage_is_refused() {
        let command = CheckKind::Command {
            program: "check_disk".to_owned(),
            arguments: vec!["-w".to_owned(), "10%".to_owned()],
        };
        let disk = CheckKind::Builtin(Builtin::Disk {
            path: "/".to_owned(),
            space: Thresholds::above(80.0, 90.0),
            inodes: Thresholds::default(),
        });
        let config = AgentConfig {
            generation: 7,
            system: SpaceId::from_bytes([3; 32]),
            checks: vec![
                Check::new(CheckId::from_bytes([1; 16]), "disk", command),
                Check::new(CheckId::from_bytes([2; 16]), "root", disk),
            ],
        };
        let bytes = config.encode().unwrap();
        assert_eq!(AgentConfig::decode(&bytes), Ok(config));
        assert!(AgentConfig::decode(&bytes[..bytes.len() - 1]).is_err());
        assert_eq!(AgentConfig::decode(&[]), Err(DecodeError::Header));
        assert_eq!(AgentConfig::decode(&[1, 1, 0]), Err(DecodeError::Kind(1)));
    }
}
