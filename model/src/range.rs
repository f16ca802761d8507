//! Nagios threshold ranges: `[@]start:end`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why text is not a range.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RangeError {
    /// There is nothing to read.
    #[error("an empty range")]
    Empty,
    /// A bound is not a number.
    #[error("not a number in a range: {0:?}")]
    Number(String),
    /// Start is above end.
    #[error("a range that starts above its end")]
    Reversed,
}

/// When a value alerts: outside `start..=end`, or inside it when written with `@`.
///
/// **Invariant:** `start <= end`, and neither is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range {
    start: f64,
    end: f64,
    inside: bool,
}

impl Range {
    /// Alerts above `limit` and below zero: the meaning of a plain number.
    #[must_use]
    pub fn up_to(limit: f64) -> Self {
        Self {
            start: 0.0,
            end: limit.max(0.0),
            inside: false,
        }
    }

    /// Alerts below `limit`: written `limit:`.
    #[must_use]
    pub fn at_least(limit: f64) -> Self {
        Self {
            start: limit,
            end: f64::INFINITY,
            inside: false,
        }
    }

    /// The lower bound.
    pub const fn start(&self) -> f64 {
        self.start
    }

    /// The upper bound.
    pub const fn end(&self) -> f64 {
        self.end
    }

    /// Whether it alerts inside its bounds instead of outside.
    pub const fn is_inside(&self) -> bool {
        self.inside
    }

    /// Whether this value alerts. A value that is not a number always does.
    pub fn alerts(&self, value: f64) -> bool {
        let within = self.start <= value && value <= self.end;
        value.is_nan() || within == self.inside
    }

    /// The same range in a unit `factor` times smaller.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            start: self.start * factor,
            end: self.end * factor,
            inside: self.inside,
        }
    }
}

/// Reads a number as C locale prints it; infinity and NaN are refused.
fn number(text: &str) -> Result<f64, RangeError> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
        .ok_or_else(|| RangeError::Number(text.chars().take(32).collect()))
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let text = text.trim();
        let (inside, bounds) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if bounds.is_empty() {
            return Err(RangeError::Empty);
        }
        let (start, end) = match bounds.split_once(':') {
            None => (0.0, number(bounds)?),
            Some((start, end)) => {
                let start = match start {
                    "" => 0.0,
                    "~" => f64::NEG_INFINITY,
                    other => number(other)?,
                };
                let end = if end.is_empty() {
                    f64::INFINITY
                } else {
                    number(end)?
                };
                (start, end)
            }
        };
        if start > end {
            return Err(RangeError::Reversed);
        }
        Ok(Self { start, end, inside })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        if self.start == f64::NEG_INFINITY {
            f.write_str("~:")?;
        } else if self.start != 0.0 || self.end == f64::INFINITY {
            write!(f, "{}:", self.start)?;
        }
        if self.end == f64::INFINITY {
            Ok(())
        } else {
            write!(f, "{}", self.end)
        }
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.to_string()
    }
}

impl TryFrom<String> for Range {
    type Error = RangeError;

    fn try_from(text: String) -> Result<Self, RangeError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    #[test]
    fn alerts_as_the_plugin_guidelines_say() {
        let table: [(&str, &[f64], &[f64]); 8] = [
            ("10", &[-0.1, 10.1], &[0.0, 5.0, 10.0]),
            ("10:", &[9.9, -5.0], &[10.0, 1e9]),
            ("~:10", &[10.1], &[-1e9, 10.0]),
            ("10:20", &[9.9, 20.1], &[10.0, 20.0]),
            ("@10:20", &[10.0, 15.0, 20.0], &[9.9, 20.1]),
            ("@:30", &[0.0, 30.0], &[-1.0, 31.0]),
            ("-5:1.5e1", &[-6.0, 15.1], &[-5.0, 15.0]),
            ("0", &[1.0, -1.0], &[0.0]),
        ];
        for (text, alerts, quiet) in table {
            for value in alerts {
                assert!(range(text).alerts(*value), "{text} should alert at {value}");
            }
            for value in quiet {
                assert!(
                    !range(text).alerts(*value),
                    "{text} should be quiet at {value}"
                );
            }
        }
    }

    #[test]
    fn text_reads_back_to_the_same_range() {
        for text in [
            "10", "10:", "~:10", "10:20", "@10:20", "@30", "0:", "~:", "-5:15", "~:-3",
        ] {
            assert_eq!(range(&range(text).to_string()), range(text), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        assert_eq!("".parse::<Range>(), Err(RangeError::Empty));
        assert_eq!("@".parse::<Range>(), Err(RangeError::Empty));
        assert_eq!("20:10".parse::<Range>(), Err(RangeError::Reversed));
        assert_eq!(
            "inf".parse::<Range>(),
            Err(RangeError::Number("inf".to_owned()))
        );
        assert_eq!(
            "1:x".parse::<Range>(),
            Err(RangeError::Number("x".to_owned()))
        );
    }

    #[test]
    fn what_is_not_a_number_always_alerts() {
        assert!(range("~:").alerts(f64::NAN));
        assert!(range("@1:2").alerts(f64::NAN));
    }
}
