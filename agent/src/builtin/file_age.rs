//! How long ago a file was changed.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aramaki_model::{Severity, Thresholds, Unit};

use super::reading::{Reading, bytes, metric, number, span};

/// Reads a file's age in seconds.
///
/// A file that is missing is critical: what should have written it did not.
pub(crate) fn check(path: &Path, age: &Thresholds, now: SystemTime) -> Reading {
    let name = path.display();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Reading::new(Severity::Critical, format!("{name} does not exist"));
        }
        Err(error) => return Reading::unknown(format!("{name} cannot be read: {error}")),
    };
    let changed = match metadata.modified() {
        Ok(changed) => changed,
        Err(error) => return Reading::unknown(format!("age of {name} is not known: {error}")),
    };
    // A time in the future (another machine's clock) counts as now.
    let old = now.duration_since(changed).unwrap_or(Duration::ZERO);
    let mut reading = Reading::ok(format!(
        "{name} is {} old and has {}",
        span(old),
        bytes(metadata.len())
    ));
    reading.judge(metric("age", old.as_secs_f64().floor(), Unit::Seconds), age);
    reading.measure(metric("size", number(metadata.len()), Unit::Bytes));
    reading
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;

    #[test]
    fn a_new_an_old_and_a_missing_file_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.log");
        std::fs::write(&path, "done\n").unwrap();
        let age = thresholds("3600", "86400");
        let now = SystemTime::now();
        let severity = |later_s| check(&path, &age, now + Duration::from_secs(later_s)).severity;
        assert_eq!(severity(0), Severity::Ok);
        assert_eq!(severity(7_200), Severity::Warning);
        assert_eq!(severity(90_000), Severity::Critical);
        let missing = check(&folder.path().join("none"), &age, now);
        assert_eq!(missing.severity, Severity::Critical);
        assert!(missing.summary.contains("does not exist"));
    }

    #[test]
    fn a_file_from_the_future_counts_as_new() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let earlier = SystemTime::now() - Duration::from_secs(100_000);
        assert_eq!(
            check(file.path(), &thresholds("60", "120"), earlier).severity,
            Severity::Ok
        );
    }
}
