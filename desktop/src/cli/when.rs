//! Times for people: local, with their offset; JSON has UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aramaki_sync_core::Timestamp;
use chrono::{DateTime, Local, Utc};

/// The clock of the shell: the only place in the verbs that reads one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock;

impl Clock {
    /// Now, by this machine.
    pub(crate) fn now() -> Timestamp {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// `2026-11-22 18:04:05 +01:00`, in this machine's zone.
pub(crate) fn local(time: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(time.millis()).map_or_else(
        || time.to_string(),
        |time| {
            time.with_timezone(&Local)
                .format("%Y-%m-%d %H:%M:%S %:z")
                .to_string()
        },
    )
}

/// `14 min`, `3 h`, `2 days`: how long ago something was, in its largest unit.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> String {
    span(now.since(then))
}

/// A span of time in its largest unit.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_their_largest_unit() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let said = [5, 61, 7_200, 200_000].map(|seconds| age(at(seconds), at(0)));
        assert_eq!(said, ["5 s", "1 min", "2 h", "2 days"]);
        assert_eq!(
            age(at(0), at(9)),
            "0 s",
            "a clock behind is no negative age"
        );
    }

    #[test]
    fn local_time_carries_its_offset() {
        let text = local(Timestamp::from_millis(1_795_370_000_123));
        assert_eq!(text.len(), "2026-11-22 18:04:05 +01:00".len(), "{text}");
        assert!(
            DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S %:z").is_ok(),
            "{text}"
        );
    }
}
