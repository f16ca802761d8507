//! What an agent looks at, and how often.

use std::net::IpAddr;

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::cron::Cron;
use crate::flapping::FlappingLimits;
use crate::id::CheckId;
use crate::metric_rule::MetricRule;
use crate::range::Range;
use crate::severity::Severity;

/// How many arguments a command may have.
pub const ARGUMENTS_MAX: usize = 256;

/// What an agent looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Its id, the same on every replica.
    pub id: CheckId,
    /// What people call it.
    pub name: String,
    /// What is run.
    pub kind: CheckKind,
    /// Milliseconds from one run to the next.
    #[serde(default = "defaults::interval_ms")]
    pub interval_ms: u64,
    /// Milliseconds after which a run is killed.
    #[serde(default = "defaults::timeout_ms")]
    pub timeout_ms: u64,
    /// How many results in a row make a problem hard; at least 1.
    #[serde(default = "defaults::attempts")]
    pub attempts: u32,
    /// Milliseconds between runs while a problem is soft.
    #[serde(default = "defaults::retry_interval_ms")]
    pub retry_interval_ms: u64,
    /// Milliseconds without a result after which the check is Missing; none: derived from the
    /// interval by [`Check::ttl_ms`].
    #[serde(default)]
    pub ttl_ms: Option<u64>,
    /// Whether it runs at all.
    #[serde(default = "defaults::enabled")]
    pub enabled: bool,
    /// How many of the agents that look must see a problem before it counts; none: one is enough, so
    /// that the worst of what they see counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Runs when a problem begins; what it prints becomes part of the transition, as evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
    /// Runs at these times instead of at an interval; a soft problem is looked at again all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
    /// Limits on what is measured, besides those that a plugin knows itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricRule>,
    /// When it counts as flapping; none: the usual limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<FlappingLimits>,
    /// What it is about, if that is not the machine that looks: a switch, a service of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The System that it is about, if that is not the one in which it stands: there it counts, as far
    /// as that System lets this one look, and not here. `about` then is what that is called for
    /// those who cannot read it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::space_text"
    )]
    pub about_system: Option<SpaceId>,
    /// What to do about it: a web address, or the title or id of a note of its System.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

/// A program that gathers evidence; no shell is involved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// An absolute path, or a name that the agent looks up in its plugin folders.
    pub program: String,
    /// Its arguments, each passed as it is.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// How many pings are sent unless something else is said.
pub const PINGS: u8 = 5;

mod defaults {
    pub(super) const fn interval_ms() -> u64 {
        60_000
    }
    pub(super) const fn timeout_ms() -> u64 {
        30_000
    }
    pub(super) const fn attempts() -> u32 {
        1
    }
    pub(super) const fn retry_interval_ms() -> u64 {
        20_000
    }
    pub(super) const fn enabled() -> bool {
        true
    }
    pub(super) const fn pings() -> u8 {
        super::PINGS
    }
    pub(super) const fn missing() -> crate::Severity {
        crate::Severity::Unknown
    }
    /// What comes once a day comes within this time.
    pub(super) const fn external_ttl_ms() -> u64 {
        25 * 3_600_000
    }
}

impl Check {
    /// Fields that are not written while they say nothing.
    pub(crate) const OPTIONAL: [&str; 7] = [
        "quorum",
        "hook",
        "cron",
        "metrics",
        "flapping",
        "about",
        "about_system",
    ];

    /// The System that a check of `system` is about, if that is another one.
    pub fn is_about_other(&self, system: &SpaceId) -> Option<SpaceId> {
        self.about_system.filter(|about| about != system)
    }

    /// A check with the defaults: every minute, killed after 30 seconds, hard at once.
    pub fn new(id: CheckId, name: impl Into<String>, kind: CheckKind) -> Self {
        Self {
            id,
            name: name.into(),
            kind,
            interval_ms: defaults::interval_ms(),
            timeout_ms: defaults::timeout_ms(),
            attempts: defaults::attempts(),
            retry_interval_ms: defaults::retry_interval_ms(),
            ttl_ms: None,
            enabled: defaults::enabled(),
            quorum: None,
            hook: None,
            cron: None,
            metrics: Vec::new(),
            flapping: None,
            about: None,
            about_system: None,
            runbook: None,
        }
    }

    /// The same without a command's arguments and folder, and without its hook: those are for the
    /// machine alone.
    #[must_use]
    pub fn without_arguments(&self) -> Self {
        let kind = match &self.kind {
            CheckKind::Command { program, .. } => CheckKind::Command {
                program: program.rsplit('/').next().unwrap_or_default().to_owned(),
                arguments: Vec::new(),
            },
            other @ (CheckKind::Builtin(_) | CheckKind::External {}) => other.clone(),
        };
        Self {
            kind,
            hook: None,
            ..self.clone()
        }
    }

    /// Milliseconds without a result after which it is Missing: as configured, or three
    /// intervals and the time limit, but never below two minutes; with times of the clock, the longest
    /// gap between two and an hour; a result that others send, 25 hours.
    pub fn ttl_ms(&self) -> u64 {
        if let Some(ttl) = self.ttl_ms {
            return ttl;
        }
        match (&self.kind, &self.cron) {
            (CheckKind::External {}, _) => defaults::external_ttl_ms(),
            (_, Some(cron)) => cron.gap_ms().saturating_add(self.timeout_ms),
            (_, None) => {
                let derived = self.interval_ms.saturating_mul(3);
                derived.saturating_add(self.timeout_ms).max(120_000)
            }
        }
    }
}

/// What a check runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A Nagios plugin or any program with its exit codes; no shell is involved.
    Command {
        /// An absolute path, or a name that the agent looks up in its plugin folders.
        program: String,
        /// Its arguments, each passed as it is.
        #[serde(default)]
        arguments: Vec<String>,
    },
    /// A check that the agent brings along.
    Builtin(Builtin),
    /// Nothing: other programs on the machine send results under the check's name.
    External {},
}

/// When a measured value alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Warning.
    #[serde(default)]
    pub warning: Option<Range>,
    /// Critical; looked at first.
    #[serde(default)]
    pub critical: Option<Range>,
}

impl Thresholds {
    /// Alerts above these limits.
    #[must_use]
    pub fn above(warning: f64, critical: f64) -> Self {
        Self {
            warning: Some(Range::up_to(warning)),
            critical: Some(Range::up_to(critical)),
        }
    }

    /// Alerts below these limits.
    #[must_use]
    pub fn below(warning: f64, critical: f64) -> Self {
        Self {
            warning: Some(Range::at_least(warning)),
            critical: Some(Range::at_least(critical)),
        }
    }

    /// What these thresholds say of a value.
    pub fn severity(&self, value: f64) -> Severity {
        let alerts = |range: &Option<Range>| range.is_some_and(|range| range.alerts(value));
        if alerts(&self.critical) {
            Severity::Critical
        } else if alerts(&self.warning) {
            Severity::Warning
        } else {
            Severity::Ok
        }
    }
}

/// A check that the agent brings along. New ones go to the end: sent configurations count them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Load average of five minutes, divided by the number of CPUs.
    Load(Thresholds),
    /// Memory in use, percent.
    Memory(Thresholds),
    /// Swap in use, percent.
    Swap(Thresholds),
    /// A file system.
    Disk {
        /// Any path on it.
        path: String,
        /// Space in use, percent.
        space: Thresholds,
        /// Inodes in use, percent.
        #[serde(default)]
        inodes: Thresholds,
    },
    /// Systemd units that must be active; without any, no unit may have failed.
    Systemd {
        /// Names of units.
        #[serde(default)]
        units: Vec<String>,
    },
    /// Running processes by name.
    Process {
        /// The name of the command.
        name: String,
        /// How many there must be.
        count: Thresholds,
    },
    /// Seconds since a file was changed.
    FileAge {
        /// Which file.
        path: String,
        /// Its age, seconds.
        age: Thresholds,
    },
    /// Seconds since the machine started.
    Uptime(Thresholds),
    /// A TCP connection.
    Tcp {
        /// `host:port`.
        address: String,
        /// Seconds to connect.
        #[serde(default)]
        time: Thresholds,
    },
    /// A web address.
    Http {
        /// `http://` or `https://`.
        url: String,
        /// The expected status; none: any of 200 to 399.
        #[serde(default)]
        status: Option<u16>,
        /// Seconds to answer.
        #[serde(default)]
        time: Thresholds,
        /// Days until the certificate ends.
        #[serde(default)]
        certificate_days: Thresholds,
    },
    /// One metric of a Prometheus text endpoint.
    Prometheus {
        /// `http://` or `https://`.
        url: String,
        /// The metric's name, with labels if there are any: `up{job="web"}`.
        metric: String,
        /// Its value.
        value: Thresholds,
    },
    /// A name in the domain name system.
    Dns {
        /// The name.
        name: String,
        /// Addresses that must be among the answer.
        #[serde(default)]
        addresses: Vec<IpAddr>,
        /// Seconds to answer.
        #[serde(default)]
        time: Thresholds,
    },
    /// One metric that programs on this machine send as `StatsD` has it.
    Statsd {
        /// Its name; of a timer with what is looked at, as in `checkout.time.p95`.
        metric: String,
        /// Its value: a counter's per second, a gauge's, a timer's in seconds, how many a set holds.
        value: Thresholds,
        /// What it means when nothing came under that name.
        #[serde(default = "defaults::missing")]
        missing: Severity,
    },
    /// Whether a machine answers pings.
    Ping {
        /// The name of a host, or its address.
        host: String,
        /// How many are sent.
        #[serde(default = "defaults::pings")]
        count: u8,
        /// The mean of the answers, seconds.
        #[serde(default)]
        time: Thresholds,
        /// How many get lost, percent. When all do, it is critical whatever this says.
        #[serde(default)]
        loss: Thresholds,
    },
    /// How far the clock is from a time server's.
    Clock {
        /// The name of a host, or `host:port`.
        server: String,
        /// The difference in seconds, whichever is ahead.
        #[serde(default)]
        offset: Thresholds,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_in_json_needs_only_what_has_no_default() {
        let json = r#"{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","name":"load",
            "kind":{"builtin":{"load":{"warning":"2","critical":"4"}}}}"#;
        let check: Check = serde_json::from_str(json).unwrap();
        assert_eq!(
            check.kind,
            CheckKind::Builtin(Builtin::Load(Thresholds::above(2.0, 4.0)))
        );
        assert_eq!(
            (check.interval_ms, check.attempts, check.enabled),
            (60_000, 1, true)
        );
        assert_eq!(check.ttl_ms(), 210_000);
    }

    #[test]
    fn a_system_that_a_check_is_about_is_named_by_the_text_of_its_id() {
        let space = SpaceId::from_bytes([0xa7; 32]);
        let about = Check {
            about_system: Some(space),
            ..Check::new(CheckId::default(), "ping", CheckKind::External {})
        };
        let json = serde_json::to_value(&about).unwrap();
        assert_eq!(json["about_system"], space.to_string());
        assert_eq!(serde_json::from_value::<Check>(json).unwrap(), about);
        let other = serde_json::json!({"id": about.id, "name": "x", "kind": {"external": {}}, "about_system": "x"});
        let error = serde_json::from_value::<Check>(other).unwrap_err();
        assert!(error.to_string().contains("the id of a System"), "{error}");
    }

    #[test]
    fn critical_is_looked_at_before_warning() {
        let thresholds = Thresholds::above(80.0, 90.0);
        let read = [50.0, 85.0, 95.0].map(|value| thresholds.severity(value));
        assert_eq!(read, [Severity::Ok, Severity::Warning, Severity::Critical]);
        assert_eq!(Thresholds::default().severity(f64::NAN), Severity::Ok);
    }
}
