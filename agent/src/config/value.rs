//! Values as people write them: spans of time with a unit, and thresholds as text or number.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use aramaki_model::check_fault::SPAN_MAX_MS;
use aramaki_model::{Range, Thresholds};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// A span of time in milliseconds, written as `500ms`, `30s`, `5m`, `1h` or `2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(super) u64);

impl Span {
    /// As the standard library has it.
    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("{text:?} is not a span of time: 500ms, 30s, 5m, 1h or 2d is expected");
        let digits = text
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits).ok_or_else(expected)?;
        let number: u64 = number.parse().map_err(|_not_a_number| expected())?;
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit.trim_start())
            .ok_or_else(expected)?;
        number
            .checked_mul(*factor)
            .filter(|millis| *millis <= SPAN_MAX_MS)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is longer than {} days", SPAN_MAX_MS / 86_400_000))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new("a span of time such as \"30s\""))
    }
}

/// A Nagios range, written as text or, when it is a plain limit, as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit(pub(super) Range);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|error| format!("{error}: a range such as 80, 10: or @10:20 is expected"))
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parsed::new("a range such as 80 or \"@10:20\""))
    }
}

/// `{ warning = …, critical = … }`.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThresholdsFile {
    warning: Option<Limit>,
    critical: Option<Limit>,
}

impl From<ThresholdsFile> for Thresholds {
    fn from(file: ThresholdsFile) -> Self {
        Self {
            warning: file.warning.map(|limit| limit.0),
            critical: file.critical.map(|limit| limit.0),
        }
    }
}

/// Reads text, and numbers as their text.
struct Parsed<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<T> Parsed<T> {
    const fn new(expected: &'static str) -> Self {
        Self {
            expected,
            value: PhantomData,
        }
    }
}

impl<T: FromStr<Err = String>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_and_a_bound() {
        let read =
            ["500ms", "30s", "5m", "1h", "2d", "0s"].map(|text| text.parse::<Span>().unwrap().0);
        assert_eq!(read, [500, 30_000, 300_000, 3_600_000, 172_800_000, 0]);
        for wrong in [
            "",
            "30",
            "s",
            "-1s",
            "1.5h",
            "1w",
            "99999999999999999999s",
            "400d",
            "ä",
        ] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
