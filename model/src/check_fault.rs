//! What a check cannot mean. One set of rules for files that people write and for what is replicated.

use thiserror::Error;

use crate::address::{check_web_address, host_and_port, is_host};
use crate::check::{ARGUMENTS_MAX, Builtin, Check, CheckKind};
use crate::cron::CronError;
use crate::metric_rule::METRIC_RULES_MAX;
use crate::pattern::PATTERN_LEN_BYTES_MAX;
use crate::severity::Severity;

/// Characters of a check's name.
pub const CHECK_NAME_LEN_CHARS_MAX: usize = 128;
/// The shortest time between two runs.
pub const INTERVAL_MIN_MS: u64 = 1_000;
/// The longest span of a check: whatever is looked at less than once a year is not watched.
pub const SPAN_MAX_MS: u64 = 366 * DAY_MS;
/// Results in a row that can be asked for.
pub const ATTEMPTS_MAX: u32 = 1_000;
/// Units one check may name.
pub const UNITS_MAX: usize = 64;
const DAY_MS: u64 = 86_400_000;
/// Characters of a note's title that a check names as its runbook.
pub const RUNBOOK_LEN_CHARS_MAX: usize = 200;
/// Bytes of a path, a program, an argument or a metric's name.
const TEXT_LEN_BYTES_MAX: usize = 4_096;
/// How many pings one check may send.
const PINGS: std::ops::RangeInclusive<u8> = 1..=20;
/// Numbers that HTTP gives to answers.
const STATUS: std::ops::RangeInclusive<u16> = 100..=599;

/// Why a check is not run.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field}: {message}")]
pub struct CheckFault {
    /// The field as it is written, such as `kind.builtin.http.url` or `kind.command.arguments[1]`;
    /// places in lists count from 1.
    pub field: String,
    /// What is expected.
    pub message: String,
}

type Checked = Result<(), CheckFault>;

impl Check {
    /// Whether it can be run as it stands.
    ///
    /// # Errors
    /// The first field that cannot be meant. An agent runs no check that has one, whoever wrote it.
    pub fn examine(&self) -> Checked {
        let name = &self.name;
        let is_named = !name.trim().is_empty()
            && name.chars().count() <= CHECK_NAME_LEN_CHARS_MAX
            && !name.contains(char::is_control);
        expect("name", is_named, || {
            format!("a name of 1 to {CHECK_NAME_LEN_CHARS_MAX} characters is expected")
        })?;
        span("interval_ms", self.interval_ms, INTERVAL_MIN_MS)?;
        span("timeout_ms", self.timeout_ms, 1)?;
        expect(
            "attempts",
            (1..=ATTEMPTS_MAX).contains(&self.attempts),
            || format!("1 to {ATTEMPTS_MAX} is expected"),
        )?;
        span("retry_interval_ms", self.retry_interval_ms, INTERVAL_MIN_MS)?;
        if let Some(ttl) = self.ttl_ms {
            span("ttl_ms", ttl, INTERVAL_MIN_MS)?;
        }
        expect("quorum", self.quorum != Some(0), || {
            "at least 1 is expected".to_owned()
        })?;
        if let Some(cron) = &self.cron {
            cron.plan().map(drop).or_else(|error| {
                let field = match error {
                    CronError::Zone => "cron.zone",
                    _ => "cron.expression",
                };
                expect(field, false, || error.to_string())
            })?;
        }
        self.examine_metrics()?;
        if let Some(limits) = self.flapping {
            let is_right = limits.low <= limits.high && (1..=100).contains(&limits.high);
            expect("flapping", is_right, || {
                "low up to high, and high from 1 to 100 percent, is expected".to_owned()
            })?;
        }
        if let Some(about) = &self.about {
            let is_named = !about.trim().is_empty()
                && about.chars().count() <= CHECK_NAME_LEN_CHARS_MAX
                && !about.contains(char::is_control);
            expect("about", is_named, || {
                format!("a name of 1 to {CHECK_NAME_LEN_CHARS_MAX} characters is expected")
            })?;
        }
        if let Some(runbook) = &self.runbook {
            is_runbook(runbook).or_else(|expected| expect("runbook", false, || expected))?;
        }
        match &self.kind {
            CheckKind::Command { program, arguments } => {
                command("kind.command", program, arguments)?;
            }
            CheckKind::Builtin(builtin) => builtin.examine()?,
            CheckKind::External {} => {}
        }
        match &self.hook {
            Some(hook) => command("hook", &hook.program, &hook.arguments),
            None => Ok(()),
        }
    }

    fn examine_metrics(&self) -> Checked {
        expect("metrics", self.metrics.len() <= METRIC_RULES_MAX, || {
            format!("at most {METRIC_RULES_MAX} are expected")
        })?;
        for (place, rule) in (1..).zip(&self.metrics) {
            let name = &rule.metric.0;
            let is_named = (1..=PATTERN_LEN_BYTES_MAX).contains(&name.len());
            let is_named = is_named && !name.contains(char::is_control);
            expect(&format!("metrics[{place}].metric"), is_named, || {
                format!("the label of a metric, of 1 to {PATTERN_LEN_BYTES_MAX} bytes, is expected")
            })?;
            missing(&format!("metrics[{place}].missing"), rule.missing)?;
        }
        Ok(())
    }
}

/// Whether a text can name a runbook.
///
/// # Errors
/// What is expected instead, in words.
pub fn is_runbook(text: &str) -> Result<(), String> {
    if text.contains("://") {
        return check_web_address(text);
    }
    let is_title = !text.trim().is_empty()
        && text.chars().count() <= RUNBOOK_LEN_CHARS_MAX
        && !text.chars().any(crate::text::is_deceptive);
    if is_title {
        return Ok(());
    }
    Err(format!(
        "a web address, or the title of a note in 1 to {RUNBOOK_LEN_CHARS_MAX} characters, is expected"
    ))
}

/// What a metric that is missing can mean.
fn missing(field: &str, severity: Severity) -> Checked {
    expect(field, severity != Severity::Missing, || {
        "ok, warning, unknown or critical is expected".to_owned()
    })
}

impl Builtin {
    fn examine(&self) -> Checked {
        match self {
            Self::Load(_) | Self::Memory(_) | Self::Swap(_) | Self::Uptime(_) => Ok(()),
            Self::Disk { path, .. } => text("kind.builtin.disk.path", path),
            Self::FileAge { path, .. } => text("kind.builtin.file_age.path", path),
            Self::Process { name, .. } => text("kind.builtin.process.name", name),
            Self::Systemd { units } => {
                let field = "kind.builtin.systemd.units";
                expect(field, units.len() <= UNITS_MAX, || {
                    format!("at most {UNITS_MAX} are expected")
                })?;
                each(field, units, "the name of a unit", |unit| {
                    !unit.starts_with('-') && is_text(unit)
                })
            }
            Self::Tcp { address, .. } => expect(
                "kind.builtin.tcp.address",
                host_and_port(address).is_some(),
                || {
                    "a host and a port from 1 to 65535, as in mail.example.org:25, is expected"
                        .to_owned()
                },
            ),
            Self::Http { url, status, .. } => {
                web_address("kind.builtin.http.url", url)?;
                let is_status = status.is_none_or(|status| STATUS.contains(&status));
                expect("kind.builtin.http.status", is_status, || {
                    format!("{} to {} is expected", STATUS.start(), STATUS.end())
                })
            }
            Self::Prometheus { url, metric, .. } => {
                web_address("kind.builtin.prometheus.url", url)?;
                text("kind.builtin.prometheus.metric", metric)
            }
            Self::Statsd {
                metric,
                missing: means,
                ..
            } => {
                text("kind.builtin.statsd.metric", metric)?;
                missing("kind.builtin.statsd.missing", *means)
            }
            Self::Ping { host, count, .. } => {
                let is_address = host.parse::<std::net::IpAddr>().is_ok();
                expect(
                    "kind.builtin.ping.host",
                    is_address || is_host(host),
                    || "the name of a host or an address is expected".to_owned(),
                )?;
                expect("kind.builtin.ping.count", PINGS.contains(count), || {
                    format!("{} to {} are expected", PINGS.start(), PINGS.end())
                })
            }
            Self::Clock { server, .. } => {
                let is_right = is_host(server) || host_and_port(server).is_some();
                expect("kind.builtin.clock.server", is_right, || {
                    "a host, or a host and a port, as in ntp.example.org, is expected".to_owned()
                })
            }
            Self::Dns { name, .. } => expect("kind.builtin.dns.name", is_host(name), || {
                "the name of a host is expected".to_owned()
            }),
        }
    }
}

fn expect(field: &str, is_right: bool, message: impl FnOnce() -> String) -> Checked {
    if is_right {
        return Ok(());
    }
    Err(CheckFault {
        field: field.to_owned(),
        message: message(),
    })
}

fn span(field: &str, millis: u64, least: u64) -> Checked {
    expect(field, (least..=SPAN_MAX_MS).contains(&millis), || {
        let (least, unit) = match least / 1_000 {
            0 => (least, "ms"),
            seconds => (seconds, "s"),
        };
        let most = SPAN_MAX_MS / DAY_MS;
        format!("{least} {unit} to {most} days is expected")
    })
}

fn web_address(field: &str, url: &str) -> Checked {
    let checked = check_web_address(url);
    checked.or_else(|message| expect(field, false, || message))
}

fn is_text(text: &str) -> bool {
    (1..=TEXT_LEN_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
}

fn text(field: &str, value: &str) -> Checked {
    expect(field, is_text(value), || {
        format!("1 to {TEXT_LEN_BYTES_MAX} bytes without control characters are expected")
    })
}

/// A path from the root, or a bare name: anything else would mean another program in another folder.
fn command(field: &str, program: &str, arguments: &[String]) -> Checked {
    let place = format!("{field}.program");
    text(&place, program)?;
    expect(
        &place,
        program.starts_with('/') || !program.contains('/'),
        || {
            "an absolute path, or a name that is looked up in the plugin folders, is expected"
                .to_owned()
        },
    )?;
    let place = format!("{field}.arguments");
    expect(&place, arguments.len() <= ARGUMENTS_MAX, || {
        format!("at most {ARGUMENTS_MAX} are expected")
    })?;
    // Line feeds and the like are an argument's own business; a zero byte ends it.
    each(
        &place,
        arguments,
        "a text without a zero byte",
        |argument| argument.len() <= TEXT_LEN_BYTES_MAX && !argument.contains('\0'),
    )
}

fn each(field: &str, values: &[String], what: &str, is_right: impl Fn(&str) -> bool) -> Checked {
    match values.iter().position(|value| !is_right(value)) {
        None => Ok(()),
        Some(index) => expect(&format!("{field}[{}]", index + 1), false, || {
            format!("{what} of at most {TEXT_LEN_BYTES_MAX} bytes is expected")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Hook, Thresholds};
    use crate::cron::Cron;
    use crate::flapping::FlappingLimits;
    use crate::id::CheckId;
    use crate::metric_rule::MetricRule;
    use crate::pattern::Pattern;

    fn uptime() -> Check {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check::new(CheckId::from_bytes([1; 16]), "uptime", kind)
    }

    fn fault(change: impl FnOnce(&mut Check)) -> String {
        let mut check = uptime();
        change(&mut check);
        check.examine().unwrap_err().field
    }

    fn fault_of(kind: CheckKind) -> String {
        fault(|check| check.kind = kind)
    }

    fn run(program: &str, arguments: &[&str]) -> CheckKind {
        CheckKind::Command {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn ranges_and_names_are_held() {
        assert_eq!(uptime().examine(), Ok(()));
        for name in ["", " ", "a\0b", "a\nb", &"x".repeat(129)] {
            assert_eq!(fault(|check| check.name = name.to_owned()), "name");
        }
        for interval in [0, 1, 999, SPAN_MAX_MS + 1, i64::MAX as u64, u64::MAX] {
            assert_eq!(fault(|check| check.interval_ms = interval), "interval_ms");
        }
        assert_eq!(fault(|check| check.timeout_ms = 0), "timeout_ms");
        assert_eq!(fault(|check| check.timeout_ms = u64::MAX), "timeout_ms");
        assert_eq!(fault(|check| check.attempts = 0), "attempts");
        assert_eq!(fault(|check| check.attempts = u32::MAX), "attempts");
        assert_eq!(
            fault(|check| check.retry_interval_ms = 0),
            "retry_interval_ms"
        );
        assert_eq!(fault(|check| check.ttl_ms = Some(0)), "ttl_ms");
        assert_eq!(fault(|check| check.quorum = Some(0)), "quorum");
    }

    #[test]
    fn times_limits_and_names_that_cannot_be_meant_are_refused() {
        let cron = |expression: &str, zone: &str| {
            Some(Cron {
                expression: expression.to_owned(),
                zone: zone.to_owned(),
            })
        };
        assert_eq!(
            fault(|check| check.cron = cron("0 3 * *", "UTC")),
            "cron.expression"
        );
        assert_eq!(
            fault(|check| check.cron = cron("0 3 * * *", "Mars")),
            "cron.zone"
        );
        let limits = |low, high| Some(FlappingLimits { low, high });
        for (low, high) in [(31, 30), (0, 0), (1, 101)] {
            assert_eq!(
                fault(|check| check.flapping = limits(low, high)),
                "flapping"
            );
        }
        let rule = |metric: &str, missing| MetricRule {
            metric: Pattern(metric.to_owned()),
            warning: None,
            critical: None,
            missing,
        };
        let good = rule("load*", Severity::Ok);
        for (wrong, field) in [
            (rule("", Severity::Ok), "metrics[2].metric"),
            (rule("a\0", Severity::Ok), "metrics[2].metric"),
            (rule("a", Severity::Missing), "metrics[2].missing"),
        ] {
            assert_eq!(
                fault(|check| check.metrics = vec![good.clone(), wrong]),
                field
            );
        }
        let many = vec![good; METRIC_RULES_MAX + 1];
        assert_eq!(fault(|check| check.metrics = many), "metrics");
        for about in ["", " ", "a\nb", &"x".repeat(129)] {
            assert_eq!(fault(|check| check.about = Some(about.to_owned())), "about");
        }
    }

    #[test]
    fn programs_and_arguments_are_what_can_be_started() {
        for right in ["check_disk", "/usr/bin/true"] {
            let check = Check {
                kind: run(right, &["", "-w", "10%\n"]),
                ..uptime()
            };
            assert_eq!(check.examine(), Ok(()), "{right}");
        }
        for wrong in ["", "a\0", "bin/true", "../x"] {
            assert_eq!(fault_of(run(wrong, &[])), "kind.command.program", "{wrong}");
        }
        assert_eq!(
            fault_of(run("x", &["a", "\0"])),
            "kind.command.arguments[2]"
        );
        let many = vec!["x"; ARGUMENTS_MAX + 1];
        assert_eq!(fault_of(run("x", &many)), "kind.command.arguments");
        let hook = Hook {
            program: String::new(),
            arguments: Vec::new(),
        };
        assert_eq!(fault(|check| check.hook = Some(hook)), "hook.program");
    }

    #[test]
    fn what_a_builtin_looks_at_can_be_looked_at() {
        let any = Thresholds::default();
        let http = |url: &str, status| Builtin::Http {
            url: url.to_owned(),
            status,
            time: any,
            certificate_days: any,
        };
        let tcp = |address: &str| Builtin::Tcp {
            address: address.to_owned(),
            time: any,
        };
        let units = |units: Vec<String>| Builtin::Systemd { units };
        let disk = |path: &str| Builtin::Disk {
            path: path.to_owned(),
            space: any,
            inodes: any,
        };
        let dns = |name: &str| Builtin::Dns {
            name: name.to_owned(),
            addresses: Vec::new(),
            time: any,
        };
        let queue = |url: &str, metric: &str| Builtin::Prometheus {
            url: url.to_owned(),
            metric: metric.to_owned(),
            value: any,
        };
        for (wrong, field) in [
            (http("nourl", None), "http.url"),
            (http("ftp://a", None), "http.url"),
            (http("http://a", Some(0)), "http.status"),
            (http("http://a", Some(999)), "http.status"),
            (tcp("a:99999"), "tcp.address"),
            (tcp("a:0"), "tcp.address"),
            (units(vec![String::new()]), "systemd.units[1]"),
            (units(vec!["-x".to_owned()]), "systemd.units[1]"),
            (units(vec!["x".to_owned(); 65]), "systemd.units"),
            (disk(""), "disk.path"),
            (disk("/\0"), "disk.path"),
            (dns("a b"), "dns.name"),
            (dns(""), "dns.name"),
            (queue("x", "y"), "prometheus.url"),
            (queue("http://a", ""), "prometheus.metric"),
        ] {
            let found = fault_of(CheckKind::Builtin(wrong));
            assert_eq!(found, format!("kind.builtin.{field}"));
        }
        for right in [
            http("http://a", Some(204)),
            tcp("[::1]:1"),
            units(Vec::new()),
            disk("/"),
            dns("_sip._tcp.example.org"),
            queue("http://a", "up{job=\"x\"}"),
        ] {
            let check = Check {
                kind: CheckKind::Builtin(right.clone()),
                ..uptime()
            };
            assert_eq!(check.examine(), Ok(()), "{right:?}");
        }
    }
}
