//! How bad something is.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The state of a check, a part or a System.
///
/// **Invariant:** the order is that of concern, `Ok < Missing < Warning < Unknown < Critical`.
/// Missing stands apart in meaning (there is no answer), and where it does in the order follows
/// from two rules: what is missing never looks OK, and never hides or outweighs a real state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Needs a look.
    Warning,
    /// The check could not tell.
    Unknown,
    /// Broken.
    Critical,
    /// There is no result: never observed, too old, or not readable here.
    #[default]
    Missing,
}

impl Severity {
    /// Every severity, least concern first.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Missing,
        Self::Warning,
        Self::Unknown,
        Self::Critical,
    ];

    /// What a Nagios plugin means by its exit code; any other code is [`Severity::Unknown`].
    pub const fn from_exit_code(code: i32) -> Self {
        match code {
            0 => Self::Ok,
            1 => Self::Warning,
            2 => Self::Critical,
            _ => Self::Unknown,
        }
    }

    /// The exit code of a Nagios plugin; Missing has none of its own and is 3.
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown | Self::Missing => 3,
        }
    }

    /// The place in the order of concern, 0 to 4.
    pub const fn concern(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Missing => 1,
            Self::Warning => 2,
            Self::Unknown => 3,
            Self::Critical => 4,
        }
    }

    /// The inverse of [`Severity::concern`]; higher numbers are Critical.
    pub const fn from_concern(concern: u8) -> Self {
        match concern {
            0 => Self::Ok,
            1 => Self::Missing,
            2 => Self::Warning,
            3 => Self::Unknown,
            _ => Self::Critical,
        }
    }

    /// Whether everything is as it should be.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }

    /// One lower-case English word, which [`FromStr`] reads back.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
            Self::Missing => "missing",
        }
    }
}

impl Ord for Severity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.concern().cmp(&other.concern())
    }
}

impl PartialOrd for Severity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A word that names no severity.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not a severity: ok, warning, unknown, critical or missing is expected")]
pub struct SeverityError;

impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.word().eq_ignore_ascii_case(text))
            .ok_or(SeverityError)
    }
}

/// How many of something are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCounts {
    /// As they should be.
    pub ok: u32,
    /// Need a look.
    pub warning: u32,
    /// Could not tell.
    pub unknown: u32,
    /// Broken.
    pub critical: u32,
    /// Without a result.
    pub missing: u32,
}

impl SeverityCounts {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Ok => &mut self.ok,
            Severity::Warning => &mut self.warning,
            Severity::Unknown => &mut self.unknown,
            Severity::Critical => &mut self.critical,
            Severity::Missing => &mut self.missing,
        };
        *count = count.saturating_add(1);
    }

    /// How many are in this state.
    pub const fn of(&self, severity: Severity) -> u32 {
        match severity {
            Severity::Ok => self.ok,
            Severity::Warning => self.warning,
            Severity::Unknown => self.unknown,
            Severity::Critical => self.critical,
            Severity::Missing => self.missing,
        }
    }

    /// How many there are.
    pub const fn total(&self) -> u32 {
        self.ok
            .saturating_add(self.warning)
            .saturating_add(self.unknown)
            .saturating_add(self.critical)
            .saturating_add(self.missing)
    }
}

impl FromIterator<Severity> for SeverityCounts {
    fn from_iter<I: IntoIterator<Item = Severity>>(severities: I) -> Self {
        let mut counts = Self::default();
        for severity in severities {
            counts.add(severity);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_neither_ok_nor_worse_than_a_real_problem() {
        assert!(Severity::Ok < Severity::Missing);
        assert!(Severity::Missing < Severity::Warning);
        assert!(Severity::Warning < Severity::Unknown);
        assert!(Severity::Unknown < Severity::Critical);
    }

    #[test]
    fn exit_codes_outside_the_plugin_contract_are_unknown() {
        let read = [0, 1, 2, 3, 4, 127, -1].map(Severity::from_exit_code);
        let (unknown, critical) = (Severity::Unknown, Severity::Critical);
        assert_eq!(
            read,
            [
                Severity::Ok,
                Severity::Warning,
                critical,
                unknown,
                unknown,
                unknown,
                unknown
            ]
        );
    }

    #[test]
    fn words_and_concerns_read_back() {
        for severity in Severity::ALL {
            assert_eq!(severity.word().parse(), Ok(severity));
            assert_eq!(Severity::from_concern(severity.concern()), severity);
        }
        assert!("green".parse::<Severity>().is_err());
    }
}
