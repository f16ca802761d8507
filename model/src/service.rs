//! Services that agents say run on their machines: where they answer, and what speaks for their health.
//!
//! An agent owns its claims: they stand in its own journal, and nobody else can write them. A claim is a
//! lease that its agent renews by being heard of, so nothing is written while nothing changes; whether it
//! holds is asked when it is read ([`registry()`]).

mod endpoint;
mod prometheus;
mod registry;

use std::collections::BTreeMap;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::heartbeat::HEARTBEAT_STALE_MS;
use crate::id::CheckId;
use crate::text::{clean_line, is_deceptive};

pub use endpoint::{Endpoint, EndpointError};
pub use prometheus::{TargetGroup, Targets, targets};
pub use registry::{ARCHIVE_AFTER_MS, Conflict, Health, Lease, ServiceView, registry, services_of};

/// Services of one machine.
pub const SERVICES_MAX: usize = 256;
/// Endpoints of one service.
pub const ENDPOINTS_MAX: usize = 16;
/// Labels of one service.
pub const SERVICE_LABELS_MAX: usize = 16;
/// Checks that speak for one service.
pub const SERVICE_CHECKS_MAX: usize = 8;
/// Bytes of a name, a label or its value.
pub const SERVICE_TEXT_LEN_BYTES_MAX: usize = 128;
/// Milliseconds that a lease lasts at least: one lost heartbeat ends none.
pub const LEASE_MS_MIN: u64 = 30_000;
/// Milliseconds that a lease lasts at most.
pub const LEASE_MS_MAX: u64 = 24 * 3_600_000;
/// Milliseconds that a lease lasts if nobody says otherwise.
pub const LEASE_MS: u64 = HEARTBEAT_STALE_MS;

/// A service as its agent tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceClaim {
    /// What it is called, the same on every machine that may run it.
    pub name: String,
    /// Where it answers.
    pub endpoints: Vec<Endpoint>,
    /// What else is said of it.
    pub labels: BTreeMap<String, String>,
    /// The checks that speak for its health; none: only that its agent is heard of.
    pub checks: Vec<ServiceCheck>,
    /// How many claims of this name a System may have at once.
    pub places: Places,
    /// Milliseconds without a sign of its agent after which it is not believed any more.
    pub lease_ms: u64,
    /// Since when this agent says so.
    pub since: Timestamp,
}

/// A check that speaks for a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCheck {
    /// What it is called.
    pub name: String,
    /// Which one; none: its agent has no check of that name.
    pub id: Option<CheckId>,
}

/// In how many places a service runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Places {
    /// In any number.
    #[default]
    Many,
    /// In one of its System only, so that two are a conflict.
    One,
}

impl Default for ServiceClaim {
    fn default() -> Self {
        Self {
            name: String::new(),
            endpoints: Vec::new(),
            labels: BTreeMap::new(),
            checks: Vec::new(),
            places: Places::Many,
            lease_ms: LEASE_MS,
            since: Timestamp::ZERO,
        }
    }
}

/// A field of a claim that cannot be meant, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct ClaimFault {
    /// Which, as `labels.tier` or `endpoints[2]`.
    pub field: String,
    /// What is expected instead.
    pub message: String,
}

impl ServiceClaim {
    /// Whether it can be meant.
    ///
    /// # Errors
    /// The first field that cannot.
    pub fn examine(&self) -> Result<(), ClaimFault> {
        let most = SERVICE_TEXT_LEN_BYTES_MAX;
        let is_text = |text: &str| {
            (1..=most).contains(&text.len()) && !text.contains(is_deceptive) && text.trim() == text
        };
        let text = || format!("1 to {most} bytes on one line are expected");
        let at_most = |limit: usize| format!("at most {limit} are expected");
        let fault = |field: &str, message: String| {
            let field = field.to_owned();
            Err(ClaimFault { field, message })
        };
        if !is_text(&self.name) {
            return fault("name", text());
        }
        if self.endpoints.len() > ENDPOINTS_MAX {
            return fault("endpoints", at_most(ENDPOINTS_MAX));
        }
        if self.checks.len() > SERVICE_CHECKS_MAX {
            return fault("checks", at_most(SERVICE_CHECKS_MAX));
        }
        for (number, check) in (1_usize..).zip(&self.checks) {
            if !is_text(&check.name) {
                return fault(&format!("checks[{number}]"), text());
            }
        }
        if self.labels.len() > SERVICE_LABELS_MAX {
            return fault("labels", at_most(SERVICE_LABELS_MAX));
        }
        for (name, value) in &self.labels {
            if !is_text(name) || !is_text(value) {
                return fault(&format!("labels.{}", clean_line(name, most)), text());
            }
        }
        if !(LEASE_MS_MIN..=LEASE_MS_MAX).contains(&self.lease_ms) {
            let (min, max) = (LEASE_MS_MIN / 1_000, LEASE_MS_MAX / 3_600_000);
            return fault("lease", format!("{min} s to {max} h are expected"));
        }
        Ok(())
    }

    /// Whether an agent says the same, since whenever.
    pub fn is_same(&self, other: &Self) -> bool {
        let since = self.since;
        *self
            == Self {
                since,
                ..other.clone()
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_named_by_field() {
        let claim = |name: &str| ServiceClaim {
            name: name.to_owned(),
            ..ServiceClaim::default()
        };
        assert_eq!(claim("db").examine(), Ok(()));
        let field = |claim: ServiceClaim| claim.examine().unwrap_err().field;
        assert_eq!(field(claim("")), "name");
        assert_eq!(field(claim("a\u{202e}b")), "name");
        assert_eq!(field(claim(&"x".repeat(129))), "name");
        let mut labelled = claim("db");
        labelled.labels.insert("a".to_owned(), String::new());
        assert_eq!(field(labelled), "labels.a");
        let short = ServiceClaim {
            lease_ms: LEASE_MS_MIN - 1,
            ..claim("db")
        };
        assert_eq!(field(short), "lease");
        let checked = ServiceClaim {
            checks: vec![ServiceCheck {
                name: "a\nb".to_owned(),
                id: None,
            }],
            ..claim("db")
        };
        assert_eq!(field(checked), "checks[1]");
    }

    #[test]
    fn the_largest_claim_fits_an_entry() {
        let text = |n: usize| format!("{n:03}{}", "ü".repeat(62));
        let host = format!("{}.example", "a".repeat(53));
        let claim = ServiceClaim {
            name: text(0),
            endpoints: (0..ENDPOINTS_MAX)
                .map(|n| {
                    format!("postgresql-tls://{host}:{}", 50_000 + n)
                        .parse()
                        .unwrap()
                })
                .collect(),
            labels: (0..SERVICE_LABELS_MAX)
                .map(|n| (text(n), text(n)))
                .collect(),
            checks: (0..SERVICE_CHECKS_MAX)
                .map(|n| ServiceCheck {
                    name: text(n),
                    id: Some(CheckId::from_bytes([9; 16])),
                })
                .collect(),
            places: Places::One,
            lease_ms: LEASE_MS_MAX,
            since: Timestamp::MAX,
        };
        assert_eq!(claim.examine(), Ok(()));
        let entries = crate::JournalEntry::register(Timestamp::MAX, &[claim.clone(), claim]);
        assert_eq!(entries.len(), 2);
        for entry in entries {
            assert_eq!(crate::JournalEntry::decode(&entry.encode().unwrap()), entry);
        }
    }

    #[test]
    fn a_claim_has_limits_and_what_is_just_within_them_is_one() {
        let claim = |name: &str| ServiceClaim {
            name: name.to_owned(),
            ..ServiceClaim::default()
        };
        let field = |claim: ServiceClaim| claim.examine().map_err(|fault| fault.field);
        let is = |name: &str| Err(name.to_owned());
        assert_eq!(field(claim(" db")), is("name"));
        assert_eq!(field(claim(&"x".repeat(128))), Ok(()));
        let endpoints = |count: usize| ServiceClaim {
            endpoints: vec!["db:1".parse().unwrap(); count],
            ..claim("db")
        };
        assert_eq!(field(endpoints(ENDPOINTS_MAX)), Ok(()));
        assert_eq!(field(endpoints(ENDPOINTS_MAX + 1)), is("endpoints"));
        let check = ServiceCheck {
            name: "c".to_owned(),
            id: None,
        };
        let checks = |count: usize| ServiceClaim {
            checks: vec![check.clone(); count],
            ..claim("db")
        };
        assert_eq!(field(checks(SERVICE_CHECKS_MAX)), Ok(()));
        assert_eq!(field(checks(SERVICE_CHECKS_MAX + 1)), is("checks"));
        let labelled = |count: usize| ServiceClaim {
            labels: (0..count)
                .map(|n| (n.to_string(), "x".to_owned()))
                .collect(),
            ..claim("db")
        };
        assert_eq!(field(labelled(SERVICE_LABELS_MAX)), Ok(()));
        assert_eq!(field(labelled(SERVICE_LABELS_MAX + 1)), is("labels"));
        let mut unnamed = claim("db");
        unnamed.labels.insert(String::new(), "x".to_owned());
        assert_eq!(field(unnamed), is("labels."));
        let lease = |lease_ms: u64| ServiceClaim {
            lease_ms,
            ..claim("db")
        };
        assert_eq!(field(lease(LEASE_MS_MIN)), Ok(()));
        assert_eq!(field(lease(LEASE_MS_MAX)), Ok(()));
        assert_eq!(field(lease(LEASE_MS_MAX + 1)), is("lease"));
        let later = ServiceClaim {
            since: Timestamp::MAX,
            ..claim("db")
        };
        assert!(claim("db").is_same(&later) && !claim("db2").is_same(&later));
    }
}
