//! Spans of time as people write them: `30s`, `5m`, `4h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
/// The longest span.
const SPAN_MAX_MS: u64 = 400 * 86_400_000;

/// A span of time in milliseconds, at most 400 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

/// Text that is no span of time.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not a span of time: 30s, 5m, 4h or 2d is expected, of at most 400 days")]
pub struct SpanError;

impl Span {
    /// So many milliseconds; more than 400 days are 400 days.
    pub const fn from_millis(millis: u64) -> Self {
        if millis > SPAN_MAX_MS {
            Self(SPAN_MAX_MS)
        } else {
            Self(millis)
        }
    }

    /// In milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(SpanError)?;
        let (number, unit) = text.split_at_checked(digits).ok_or(SpanError)?;
        let number: u64 = number.parse().map_err(|_not_a_number| SpanError)?;
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start());
        let millis = unit.and_then(|(_, factor)| number.checked_mul(*factor));
        millis
            .filter(|millis| *millis <= SPAN_MAX_MS)
            .map(Self)
            .ok_or(SpanError)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor));
        match whole {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => f.write_str("0s"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_as_they_are_shown() {
        for text in ["30s", "5m", "4h", "2d", "1500ms", "0s", "400d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "5",
            "m",
            "-5m",
            "5 weeks",
            "401d",
            "99999999999999999999s",
            "ä",
        ] {
            assert_eq!(wrong.parse::<Span>(), Err(SpanError), "{wrong}");
        }
    }
}
