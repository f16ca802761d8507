//! systemd units: any that failed, or whether named ones are active.

use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::check_fault::UNITS_MAX;
use aramaki_model::{Exit, Severity, Unit};

use super::reading::{Reading, metric, number};
use crate::platform;
use crate::runner::{self, Plugin};

/// Units listed in a summary; the rest is counted.
const LISTED_MAX: usize = 5;
/// Where systemctl is; a name is not looked up in a path that others may set.
const SYSTEMCTL: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];

/// Looks at `units`, or for any failed unit when none is named.
///
/// Where systemd does not run this machine nothing is known, which is not the same as OK.
pub(crate) async fn check(units: &[String], timeout: Duration) -> Reading {
    if !platform::has_systemd() {
        return Reading::unknown("systemd does not run this machine".to_owned());
    }
    let Some(program) = SYSTEMCTL
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
    else {
        return Reading::unknown("systemctl is not installed".to_owned());
    };
    if let Some(odd) = units
        .iter()
        .find(|unit| unit.is_empty() || unit.starts_with('-'))
    {
        return Reading::unknown(format!("not the name of a unit: {odd:?}"));
    }
    let arguments: Vec<String> = if units.is_empty() {
        [
            "list-units",
            "--state=failed",
            "--plain",
            "--no-legend",
            "--no-pager",
            "--full",
        ]
        .map(str::to_owned)
        .to_vec()
    } else {
        let properties = "--property=Id,LoadState,ActiveState,SubState,Result";
        ["show", "--no-pager", properties, "--"]
            .map(str::to_owned)
            .into_iter()
            .chain(units.iter().take(UNITS_MAX).cloned())
            .collect()
    };
    let arguments = arguments.into_iter().map(Into::into).collect();
    let run = runner::run(&Plugin {
        program,
        arguments,
        timeout,
    })
    .await;
    let text = String::from_utf8_lossy(&run.stdout);
    match run.exit {
        Exit::Code(0) if units.is_empty() => failed(&text),
        Exit::Code(0) => named(&text),
        Exit::TimedOut => Reading::unknown("systemctl did not answer in time".to_owned()),
        exit => {
            let errors = String::from_utf8_lossy(&run.stderr);
            Reading::unknown(format!(
                "systemctl: {} ({exit})",
                errors.lines().next().unwrap_or("no answer")
            ))
        }
    }
}

/// Reads the list of failed units: the name is the first word of a line.
fn failed(text: &str) -> Reading {
    let units: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.trim_start_matches(['●', '*', ' '])
                .split_ascii_whitespace()
                .next()
        })
        .collect();
    let mut reading = match units.as_slice() {
        [] => Reading::ok("no unit has failed".to_owned()),
        [one] => Reading::new(Severity::Critical, format!("{one} has failed")),
        many => {
            let listed = many.get(..LISTED_MAX).unwrap_or(many).join(", ");
            Reading::new(
                Severity::Critical,
                format!("{} units have failed: {listed}", many.len()),
            )
        }
    };
    let count = number(u64::try_from(units.len()).unwrap_or(u64::MAX));
    reading.measure(metric("failed", count, Unit::None));
    reading
}

/// Reads blocks of `Key=Value`, one a unit, with an empty line between.
fn named(text: &str) -> Reading {
    let mut reading = Reading::ok(String::new());
    let mut words = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let value = |key: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .unwrap_or_default()
        };
        let (unit, active, sub) = (value("Id"), value("ActiveState"), value("SubState"));
        let severity = match (value("LoadState"), active) {
            ("not-found", _) => Severity::Unknown,
            (_, "active") => Severity::Ok,
            (_, "activating" | "deactivating" | "reloading" | "refreshing" | "maintenance") => {
                Severity::Warning
            }
            _ => Severity::Critical,
        };
        reading.raise(severity);
        words.push(match severity {
            Severity::Unknown => format!("{unit} does not exist"),
            Severity::Critical => format!("{unit} is {active} ({sub}, {})", value("Result")),
            _ => format!("{unit} is {active} ({sub})"),
        });
    }
    if words.is_empty() {
        return Reading::unknown("systemctl named no unit".to_owned());
    }
    reading.summary = words.join(", ");
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_are_listed() {
        assert_eq!(failed("").severity, Severity::Ok);
        let reading = failed(
            "● nginx.service loaded failed failed A high performance web server\n  apt-daily.service loaded failed failed Daily\n",
        );
        assert_eq!(reading.severity, Severity::Critical);
        assert_eq!(
            reading.summary,
            "2 units have failed: nginx.service, apt-daily.service"
        );
    }

    #[test]
    fn named_units_are_told_apart() {
        let text = "Id=ssh.service\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\n\n\
            Id=none.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\n";
        let reading = named(text);
        assert_eq!(reading.severity, Severity::Unknown);
        assert_eq!(
            reading.summary,
            "ssh.service is active (running), none.service does not exist"
        );
        let dead = named(
            "Id=a.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\n",
        );
        assert_eq!(dead.severity, Severity::Critical);
        assert_eq!(dead.summary, "a.service is failed (failed, exit-code)");
        assert_eq!(named("").severity, Severity::Unknown);
    }

    #[tokio::test]
    async fn without_systemd_nothing_is_known() {
        let reading = check(&[], Duration::from_secs(20)).await;
        if platform::has_systemd() {
            assert_ne!(reading.severity, Severity::Missing);
        } else {
            assert_eq!(reading.severity, Severity::Unknown);
            assert_eq!(reading.summary, "systemd does not run this machine");
        }
        let odd = check(&["--root=/".to_owned()], Duration::from_secs(20)).await;
        assert_eq!(odd.severity, Severity::Unknown);
    }
}
