//! What an agent is told to do, by generation.

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Hook};
use crate::desired::DesiredState;
use crate::id::CheckId;
use crate::sent_check::{self, Later, SentCheck};
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
    /// What should be so; its host says what it does when that changes.
    #[serde(default)]
    pub desired: DesiredState,
}

/// Generation, System and checks as sent.
type Sent = (u64, SpaceId, Vec<SentCheck>);
/// Hooks by check, which came later.
type Hooks = Vec<(CheckId, Hook)>;
/// Heads and values, which came later still.
type SentDesired = (String, Vec<(String, String)>);
/// What stands behind the hooks.
type Behind = (Later, SentDesired);

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
        let (checks, later) = sent_check::split(&self.checks).map_err(EncodeError::Format)?;
        let hooked = self.checks.iter();
        let hooks: Hooks = hooked
            .filter_map(|check| Some((check.id, check.hook.clone()?)))
            .collect();
        let desired = self.desired.values.iter();
        let desired: Vec<_> = desired
            .map(|(path, value)| (path.as_str(), value.as_str()))
            .collect();
        let desired = (self.desired.heads.as_str(), desired);
        let sent = (
            (self.generation, self.system, checks),
            hooks,
            (later, desired),
        );
        versioned::encode(KIND_AGENT_CONFIG, &sent, AGENT_CONFIG_LEN_BYTES_MAX)
    }

    /// Reads what an administrator wrote. Checks above [`CHECKS_MAX`] are left out.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, AGENT_CONFIG_LEN_BYTES_MAX)? {
            (KIND_AGENT_CONFIG, body) => {
                // Those of older administrators end behind what came later, the hooks, or the checks.
                let sent: (Sent, Hooks, Behind) = versioned::body(KIND_AGENT_CONFIG, body)
                    .or_else(|_| {
                        let (sent, hooks, later) = versioned::body(KIND_AGENT_CONFIG, body)?;
                        Ok((sent, hooks, (later, SentDesired::default())))
                    })
                    .or_else(|_: DecodeError| {
                        let (sent, hooks) = versioned::body(KIND_AGENT_CONFIG, body)?;
                        Ok((sent, hooks, Behind::default()))
                    })
                    .or_else(|_: DecodeError| {
                        let sent = versioned::body(KIND_AGENT_CONFIG, body)?;
                        Ok::<_, DecodeError>((sent, Hooks::new(), Behind::default()))
                    })?;
                let (sent, hooks, (later, (heads, desired))) = sent;
                let (generation, system, checks) = sent;
                let mut checks = sent_check::join(checks, later, CHECKS_MAX);
                for (id, hook) in hooks {
                    if let Some(check) = checks.iter_mut().find(|check| check.id == id) {
                        check.hook = Some(hook);
                    }
                }
                Ok(Self {
                    generation,
                    system,
                    checks,
                    desired: DesiredState::lenient(&heads, desired),
                })
            }
            (other, _) => Err(DecodeError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, CheckKind, Thresholds};
    use crate::cron::Cron;
    use crate::flapping::FlappingLimits;
    use crate::metric_rule::MetricRule;
    use crate::pattern::Pattern;
    use crate::severity::Severity;

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
            desired: DesiredState {
                heads: "ab".repeat(32),
                values: [("web/ports".parse().unwrap(), "[80]".to_owned())].into(),
            },
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

    fn newest_kinds() -> [CheckKind; 2] {
        let ping = Builtin::Ping {
            host: "192.0.2.1".to_owned(),
            count: 5,
            time: Thresholds::above(0.1, 0.5),
            loss: Thresholds::above(20.0, 60.0),
        };
        let clock = Builtin::Clock {
            server: "ntp.example.org".to_owned(),
            offset: Thresholds::above(0.5, 2.0),
        };
        [ping, clock].map(CheckKind::Builtin)
    }

    #[test]
    fn later_fields_and_kinds_read_back_and_cost_older_agents_nothing_else() {
        let uptime = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        let statsd = CheckKind::Builtin(Builtin::Statsd {
            metric: "queue".to_owned(),
            value: Thresholds::above(1.0, 2.0),
            missing: Severity::Ok,
        });
        let [ping, clock] = newest_kinds();
        let check = |n: u8, kind| Check::new(CheckId::from_bytes([n; 16]), format!("c{n}"), kind);
        let config = AgentConfig {
            generation: 1,
            system: SpaceId::ZERO,
            checks: vec![
                check(1, uptime.clone()),
                Check {
                    cron: Some(Cron {
                        expression: "0 3 * * *".to_owned(),
                        zone: "Europe/Berlin".to_owned(),
                    }),
                    metrics: vec![MetricRule {
                        metric: Pattern("load*".to_owned()),
                        warning: "10".parse().ok(),
                        critical: None,
                        missing: Severity::Critical,
                    }],
                    flapping: Some(FlappingLimits { low: 5, high: 10 }),
                    about: Some("switch-1".to_owned()),
                    ..check(2, uptime)
                },
                check(3, statsd),
                check(5, ping),
                check(6, clock),
                Check {
                    about: Some("switch-2".to_owned()),
                    ..check(4, CheckKind::External {})
                },
            ],
            desired: DesiredState::default(),
        };
        let bytes = config.encode().unwrap();
        assert_eq!(AgentConfig::decode(&bytes), Ok(config.clone()));
        // An agent of before reads the checks that it can run, and ignores what stands behind them.
        let (_, body) = versioned::split(&bytes, AGENT_CONFIG_LEN_BYTES_MAX).unwrap();
        let ((_, _, checks), hooks): (Sent, Hooks) =
            versioned::body(KIND_AGENT_CONFIG, body).unwrap();
        let checks: Vec<Check> = checks.into_iter().map(Check::from).collect();
        assert_eq!(checks[0], config.checks[0]);
        assert_eq!((checks.len(), hooks.len()), (2, 0));
        // So does one that knows nothing of what is desired, whose own configurations end there.
        let (before, _, later): (Sent, Hooks, Later) =
            versioned::body(KIND_AGENT_CONFIG, body).unwrap();
        let old = (before, Hooks::new(), later);
        let old = versioned::encode(KIND_AGENT_CONFIG, &old, AGENT_CONFIG_LEN_BYTES_MAX).unwrap();
        assert!(bytes.starts_with(&old));
        assert_eq!(AgentConfig::decode(&old), Ok(config.clone()));
        // What such an administrator wrote is read too.
        let sent: Vec<_> = config.checks[..1].iter().map(SentCheck::from).collect();
        let old = ((1_u64, SpaceId::ZERO, sent), Hooks::new());
        let old = versioned::encode(KIND_AGENT_CONFIG, &old, AGENT_CONFIG_LEN_BYTES_MAX).unwrap();
        assert_eq!(
            AgentConfig::decode(&old).unwrap().checks,
            config.checks[..1]
        );
    }

    #[test]
    fn more_checks_than_an_agent_runs_are_refused_instead_of_left_out() {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        let mut config = AgentConfig {
            generation: 1,
            system: SpaceId::ZERO,
            checks: vec![Check::new(CheckId::from_bytes([1; 16]), "x", kind); CHECKS_MAX],
            desired: DesiredState::default(),
        };
        assert!(config.encode().is_ok());
        config.checks.push(config.checks[0].clone());
        let refused = config.encode().unwrap_err();
        assert_eq!(refused.to_string(), "1001 checks where 1000 are allowed");
    }
}
