//! What an agent is told to do, by generation.

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::check::{Check, CheckKind, Hook};
use crate::id::CheckId;
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

/// A check as it stands in configurations and journals since version 1. Fields that came later
/// follow behind all checks, so that older programs read the rest.
#[derive(Serialize, Deserialize)]
pub(crate) struct SentCheck {
    id: CheckId,
    name: String,
    kind: CheckKind,
    interval_ms: u64,
    timeout_ms: u64,
    attempts: u32,
    retry_interval_ms: u64,
    ttl_ms: Option<u64>,
    enabled: bool,
}

/// Generation, System and checks as sent.
type Sent = (u64, SpaceId, Vec<SentCheck>);
/// Hooks by check, which came later.
type Hooks = Vec<(CheckId, Hook)>;

impl From<&Check> for SentCheck {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id,
            name: check.name.clone(),
            kind: check.kind.clone(),
            interval_ms: check.interval_ms,
            timeout_ms: check.timeout_ms,
            attempts: check.attempts,
            retry_interval_ms: check.retry_interval_ms,
            ttl_ms: check.ttl_ms,
            enabled: check.enabled,
        }
    }
}

impl From<SentCheck> for Check {
    fn from(sent: SentCheck) -> Self {
        Self {
            interval_ms: sent.interval_ms,
            timeout_ms: sent.timeout_ms,
            attempts: sent.attempts,
            retry_interval_ms: sent.retry_interval_ms,
            ttl_ms: sent.ttl_ms,
            enabled: sent.enabled,
            ..Self::new(sent.id, sent.name, sent.kind)
        }
    }
}

impl AgentConfig {
    /// Encodes it as the body of an `AgentConfig` envelope.
    ///
    /// # Errors
    /// When it is longer than [`AGENT_CONFIG_LEN_BYTES_MAX`], or has more than [`CHECKS_MAX`] checks, of
    /// which an agent would leave the last out.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        if self.checks.len() > CHECKS_MAX {
            return Err(EncodeError::TooMany {
                what: "checks",
                count: self.checks.len(),
                limit: CHECKS_MAX,
            });
        }
        let checks: Vec<_> = self.checks.iter().map(SentCheck::from).collect();
        let hooked = self.checks.iter();
        let hooks: Hooks = hooked
            .filter_map(|check| Some((check.id, check.hook.clone()?)))
            .collect();
        let sent = ((self.generation, self.system, checks), hooks);
        versioned::encode(KIND_AGENT_CONFIG, &sent, AGENT_CONFIG_LEN_BYTES_MAX)
    }

    /// Reads what an administrator wrote. Checks above [`CHECKS_MAX`] are left out.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, AGENT_CONFIG_LEN_BYTES_MAX)? {
            (KIND_AGENT_CONFIG, body) => {
                let (sent, hooks): (Sent, Hooks) = match versioned::body(KIND_AGENT_CONFIG, body) {
                    Ok(whole) => whole,
                    // An older administrator's ends behind the checks.
                    Err(_) => (versioned::body(KIND_AGENT_CONFIG, body)?, Hooks::new()),
                };
                let (generation, system, checks) = sent;
                let mut checks: Vec<Check> = checks.into_iter().map(Check::from).collect();
                checks.truncate(CHECKS_MAX);
                for (id, hook) in hooks {
                    if let Some(check) = checks.iter_mut().find(|check| check.id == id) {
                        check.hook = Some(hook);
                    }
                }
                Ok(Self {
                    generation,
                    system,
                    checks,
                })
            }
            (other, _) => Err(DecodeError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, Thresholds};

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
                Check {
                    hook: Some(Hook {
                        program: "df".to_owned(),
                        arguments: vec!["-h".to_owned()],
                    }),
                    ..Check::new(CheckId::from_bytes([2; 16]), "root", disk)
                },
            ],
        };
        let bytes = config.encode().unwrap();
        assert_eq!(AgentConfig::decode(&bytes), Ok(config.clone()));
        assert!(AgentConfig::decode(&bytes[..bytes.len() / 2]).is_err());
        // What an administrator of an older version wrote ends behind the checks.
        let checks: Vec<_> = config.checks.iter().map(SentCheck::from).collect();
        let old = (config.generation, config.system, checks);
        let old = versioned::encode(KIND_AGENT_CONFIG, &old, AGENT_CONFIG_LEN_BYTES_MAX).unwrap();
        assert_eq!(bytes[..old.len()], old);
        let read = AgentConfig::decode(&old).unwrap();
        assert_eq!(read.checks.len(), 2);
        assert!(read.checks.iter().all(|check| check.hook.is_none()));
        assert_eq!(AgentConfig::decode(&[]), Err(DecodeError::Header));
        assert_eq!(AgentConfig::decode(&[1, 1, 0]), Err(DecodeError::Kind(1)));
    }

    #[test]
    fn more_checks_than_an_agent_runs_are_refused_instead_of_left_out() {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        let mut config = AgentConfig {
            generation: 1,
            system: SpaceId::ZERO,
            checks: vec![Check::new(CheckId::from_bytes([1; 16]), "x", kind); CHECKS_MAX],
        };
        assert!(config.encode().is_ok());
        config.checks.push(config.checks[0].clone());
        let refused = config.encode().unwrap_err();
        assert_eq!(refused.to_string(), "1001 checks where 1000 are allowed");
    }
}
