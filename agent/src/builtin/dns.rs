//! Whether a name resolves, to what, and how fast.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use aramaki_model::{Severity, Thresholds, Unit};

use super::reading::{Reading, metric};

/// Addresses that are named in a summary.
const SHOWN_MAX: usize = 8;

/// Resolves `name` as this machine does. `expected` are addresses of which all must be among the
/// answer; `time` is in seconds.
pub(crate) async fn check(name: &str, expected: &[IpAddr], time: &Thresholds) -> Reading {
    let started = Instant::now();
    let found: BTreeSet<IpAddr> = match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(error) => {
            return Reading::new(
                Severity::Critical,
                format!("{name} does not resolve: {error}"),
            );
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let missing: Vec<_> = expected
        .iter()
        .filter(|address| !found.contains(address))
        .map(ToString::to_string)
        .collect();
    let shown: Vec<_> = found
        .iter()
        .take(SHOWN_MAX)
        .map(ToString::to_string)
        .collect();
    let shown = shown.join(", ");
    let mut reading = if found.is_empty() {
        Reading::new(Severity::Critical, format!("{name} has no address"))
    } else if missing.is_empty() {
        Reading::ok(format!("{name} is {shown} ({:.1} ms)", seconds * 1000.0))
    } else {
        Reading::new(
            Severity::Critical,
            format!("{name} is {shown}, without {}", missing.join(", ")),
        )
    };
    reading.judge(metric("time", seconds, Unit::Seconds), time);
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_ok_when_it_has_the_expected_addresses() {
        let any = Thresholds::default();
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let elsewhere: IpAddr = "192.0.2.1".parse().unwrap();
        let found = check("127.0.0.1", &[here], &any).await;
        assert_eq!(found.severity, Severity::Ok, "{}", found.summary);
        let other = check("127.0.0.1", &[here, elsewhere], &any).await;
        assert_eq!(other.severity, Severity::Critical);
        assert!(
            other.summary.contains("without 192.0.2.1"),
            "{}",
            other.summary
        );
        let slow = check("127.0.0.1", &[], &Thresholds::above(-1.0, -1.0)).await;
        assert_eq!(slow.severity, Severity::Critical);
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_critical() {
        let nowhere = check("no name has a space", &[], &Thresholds::default()).await;
        assert_eq!(nowhere.severity, Severity::Critical);
        assert!(
            nowhere.summary.contains("does not resolve"),
            "{}",
            nowhere.summary
        );
    }
}
