//! A `[[check]]` of the configuration file.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;

use aramaki_model::check::PINGS;
use aramaki_model::{
    Builtin, Check, CheckId, CheckKind, Cron, FlappingLimits, Hook, MetricRule, Pattern, Severity,
};
use aramaki_sync::toml_place::bytes_of_field;
use aramaki_sync_core::{AuthorId, SpaceId};
use serde::Deserialize;
use toml::Spanned;

use super::CHECKS_MAX;
use super::value::{Limit, Span, ThresholdsFile};

/// One check as it is written: its name, when it runs, and exactly one thing to look at.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckFile {
    name: Spanned<String>,
    interval: Option<Span>,
    timeout: Option<Span>,
    attempts: Option<u32>,
    retry_interval: Option<Span>,
    ttl: Option<Span>,
    enabled: Option<bool>,
    command: Option<CommandFile>,
    load: Option<ThresholdsFile>,
    memory: Option<ThresholdsFile>,
    swap: Option<ThresholdsFile>,
    disk: Option<DiskFile>,
    systemd: Option<SystemdFile>,
    process: Option<ProcessFile>,
    file_age: Option<FileAgeFile>,
    uptime: Option<ThresholdsFile>,
    tcp: Option<TcpFile>,
    http: Option<HttpFile>,
    dns: Option<DnsFile>,
    prometheus: Option<PrometheusFile>,
    statsd: Option<StatsdFile>,
    ping: Option<PingFile>,
    clock: Option<ClockFile>,
    external: Option<ExternalFile>,
    hook: Option<CommandFile>,
    cron: Option<CronFile>,
    #[serde(default)]
    metrics: Vec<MetricFile>,
    flapping: Option<FlappingFile>,
    about: Option<String>,
    #[serde(default, with = "aramaki_model::space_text")]
    about_system: Option<SpaceId>,
    runbook: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalFile {}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CronFile {
    expression: String,
    zone: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricFile {
    metric: String,
    warning: Option<Limit>,
    critical: Option<Limit>,
    missing: Option<Severity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlappingFile {
    low: u8,
    high: u8,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatsdFile {
    metric: String,
    value: ThresholdsFile,
    missing: Option<Severity>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandFile {
    program: String,
    #[serde(default)]
    arguments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiskFile {
    path: String,
    #[serde(default)]
    space: ThresholdsFile,
    #[serde(default)]
    inodes: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemdFile {
    #[serde(default)]
    units: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessFile {
    name: String,
    count: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAgeFile {
    path: String,
    age: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpFile {
    address: String,
    #[serde(default)]
    time: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpFile {
    url: String,
    status: Option<u16>,
    #[serde(default)]
    time: ThresholdsFile,
    #[serde(default)]
    certificate_days: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DnsFile {
    name: String,
    #[serde(default)]
    addresses: Vec<IpAddr>,
    #[serde(default)]
    time: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrometheusFile {
    url: String,
    metric: String,
    value: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PingFile {
    host: String,
    count: Option<u8>,
    #[serde(default)]
    time: ThresholdsFile,
    #[serde(default)]
    loss: ThresholdsFile,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockFile {
    server: String,
    #[serde(default)]
    offset: ThresholdsFile,
}

impl CheckFile {
    /// Everything it says to look at: one, if it is right.
    fn kinds(&self) -> Vec<CheckKind> {
        let command = self
            .command
            .clone()
            .map(|CommandFile { program, arguments }| CheckKind::Command { program, arguments });
        let builtins = [
            self.load.map(|file| Builtin::Load(file.into())),
            self.memory.map(|file| Builtin::Memory(file.into())),
            self.swap.map(|file| Builtin::Swap(file.into())),
            self.disk.clone().map(|file| Builtin::Disk {
                path: file.path,
                space: file.space.into(),
                inodes: file.inodes.into(),
            }),
            self.systemd
                .clone()
                .map(|file| Builtin::Systemd { units: file.units }),
            self.process.clone().map(|file| Builtin::Process {
                name: file.name,
                count: file.count.into(),
            }),
            self.file_age.clone().map(|file| Builtin::FileAge {
                path: file.path,
                age: file.age.into(),
            }),
            self.uptime.map(|file| Builtin::Uptime(file.into())),
            self.tcp.clone().map(|file| Builtin::Tcp {
                address: file.address,
                time: file.time.into(),
            }),
            self.http.clone().map(|file| Builtin::Http {
                url: file.url,
                status: file.status,
                time: file.time.into(),
                certificate_days: file.certificate_days.into(),
            }),
            self.dns.clone().map(|file| Builtin::Dns {
                name: file.name,
                addresses: file.addresses,
                time: file.time.into(),
            }),
            self.prometheus.clone().map(|file| Builtin::Prometheus {
                url: file.url,
                metric: file.metric,
                value: file.value.into(),
            }),
            self.statsd.clone().map(|file| Builtin::Statsd {
                metric: file.metric,
                value: file.value.into(),
                missing: file.missing.unwrap_or(Severity::Unknown),
            }),
            self.ping.clone().map(|file| Builtin::Ping {
                host: file.host,
                count: file.count.unwrap_or(PINGS),
                time: file.time.into(),
                loss: file.loss.into(),
            }),
            self.clock.clone().map(|file| Builtin::Clock {
                server: file.server,
                offset: file.offset.into(),
            }),
        ];
        let external = self.external.map(|ExternalFile {}| CheckKind::External {});
        command
            .into_iter()
            .chain(external)
            .chain(builtins.into_iter().flatten().map(CheckKind::Builtin))
            .collect()
    }

    /// The check; none only before [`validate`] has refused it.
    pub(super) fn to_check(&self, agent: AuthorId) -> Option<Check> {
        let name = self.name.get_ref();
        let default = Check::new(
            local_check_id(agent, name),
            name.clone(),
            self.kinds().into_iter().next()?,
        );
        let millis = |span: Option<Span>| span.map(|span| span.0);
        Some(Check {
            interval_ms: millis(self.interval).unwrap_or(default.interval_ms),
            timeout_ms: millis(self.timeout).unwrap_or(default.timeout_ms),
            attempts: self.attempts.unwrap_or(default.attempts),
            retry_interval_ms: millis(self.retry_interval).unwrap_or(default.retry_interval_ms),
            ttl_ms: millis(self.ttl),
            enabled: self.enabled.unwrap_or(default.enabled),
            hook: self
                .hook
                .clone()
                .map(|CommandFile { program, arguments }| Hook { program, arguments }),
            cron: self.cron.clone().map(|file| Cron {
                expression: file.expression,
                zone: file.zone.unwrap_or_else(|| "UTC".to_owned()),
            }),
            metrics: self.metrics.iter().map(MetricFile::rule).collect(),
            flapping: self.flapping.map(|file| FlappingLimits {
                low: file.low,
                high: file.high,
            }),
            about: self.about.clone(),
            about_system: self.about_system,
            runbook: self.runbook.clone(),
            ..default
        })
    }
}

impl MetricFile {
    fn rule(&self) -> MetricRule {
        MetricRule {
            metric: Pattern(self.metric.clone()),
            warning: self.warning.map(|limit| limit.0),
            critical: self.critical.map(|limit| limit.0),
            missing: self.missing.unwrap_or(Severity::Unknown),
        }
    }
}

/// The id of a check that only this machine knows: the same as long as its name is.
pub(crate) fn local_check_id(agent: AuthorId, name: &str) -> CheckId {
    let mut hasher = blake3::Hasher::new_derive_key("aramaki local check id v1");
    hasher.update(agent.as_bytes());
    hasher.update(name.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    CheckId::from_bytes(bytes)
}

/// Where, which field, and what is wrong.
pub(super) type Wrong = (Range<usize>, Option<String>, String);

/// Finds what the form of the file cannot express.
pub(super) fn validate(text: &str, checks: &[CheckFile]) -> Result<(), Wrong> {
    let mut names = BTreeSet::new();
    for (index, check) in checks.iter().enumerate() {
        let span = check.name.span();
        let name = check.name.get_ref();
        let wrong = |message: String| (span.clone(), Some("name".to_owned()), message);
        if index >= CHECKS_MAX {
            return Err(wrong(format!("more than {CHECKS_MAX} checks")));
        }
        if !names.insert(name.as_str()) {
            return Err(wrong(format!("another check is called {name:?} too")));
        }
        let kinds = check.kinds().len();
        let looked_at = match check.to_check(AuthorId::ZERO) {
            Some(looked_at) if kinds == 1 => looked_at,
            Some(_) => {
                return Err(wrong(format!(
                    "the check {name:?} looks at {kinds} things, one is expected"
                )));
            }
            None => {
                return Err(wrong(format!(
                    "the check {name:?} says nothing to look at: add command, load, disk, http or another"
                )));
            }
        };
        if let Err(fault) = looked_at.examine() {
            let field = as_written(&fault.field);
            let bytes = bytes_of_field(text, &format!("check[{}].{field}", index + 1));
            return Err((
                bytes.unwrap_or_else(|| span.clone()),
                Some(field.to_owned()),
                fault.message,
            ));
        }
    }
    Ok(())
}

/// A field of the model as this file has it: `http.url` and `interval`, not `kind.builtin.http.url` and
/// `interval_ms`.
fn as_written(field: &str) -> &str {
    let field = field.strip_prefix("kind.").unwrap_or(field);
    let field = field.strip_prefix("builtin.").unwrap_or(field);
    field.strip_suffix("_ms").unwrap_or(field)
}
