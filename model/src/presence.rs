//! Whether a machine is expected to be heard of at all times.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whether a machine is expected to be heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// At all times: when it is not, that is a matter for people.
    #[default]
    Always,
    /// It may be off, as laptops are: then it is shown as offline, with its age, and nobody is told.
    MayBeOffline,
}

impl Presence {
    /// As people write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::MayBeOffline => "may-be-offline",
        }
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is neither.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("always or may-be-offline is expected")]
pub struct PresenceError;

impl FromStr for Presence {
    type Err = PresenceError;

    fn from_str(text: &str) -> Result<Self, PresenceError> {
        let all = [Self::Always, Self::MayBeOffline];
        let found = all.into_iter().find(|it| it.word() == text);
        found.ok_or(PresenceError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for presence in [Presence::Always, Presence::MayBeOffline] {
            assert_eq!(presence.to_string().parse(), Ok(presence));
        }
        assert_eq!("sometimes".parse::<Presence>(), Err(PresenceError));
    }
}
