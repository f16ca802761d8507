//! Checks about a System that another one's agents look at, by leave of both.
//!
//! Whoever may write a System says what its checks are about; whoever may write the other one says
//! whose word counts there. One without the other changes nothing for the System that is looked at.

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::alert::stand_in;
use crate::id::CheckId;
use crate::severity::Severity;

/// How many Systems may be let look at one.
pub const OBSERVERS_MAX: usize = 64;
/// How many checks of observers one System has.
pub const OBSERVED_CHECKS_MAX: usize = 1_024;

/// A System whose agents may say how another one is, as that one's document has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observer {
    /// What it is called here, for those who cannot read it.
    pub label: String,
}

/// The id of a check about a System under a name, whichever observers look: the same on every
/// replica, and no matter which of them it may read.
pub fn observed_check(system: &SpaceId, name: &str) -> CheckId {
    let mut what = system.as_bytes().to_vec();
    what.extend(name.as_bytes());
    CheckId::from_bytes(stand_in("aramaki check about another system v1", &what))
}

/// From where a check about a System is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFrom {
    /// The System whose agent looks.
    pub system: SpaceId,
    /// What it is called.
    pub title: String,
    /// The agent's Space; none when no agent of it can be read here.
    pub agent: Option<SpaceId>,
    /// The machine's name; empty when there is none.
    pub label: String,
    /// The check's id in that System.
    pub check: CheckId,
    /// What it sees.
    pub severity: Severity,
}

/// Who is let look at a System, as far as it can be seen here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObserverView {
    /// Which System.
    pub space: SpaceId,
    /// Its title, or what it is called where it cannot be read.
    pub label: String,
    /// How many checks of it are about this System; none when it cannot be read here, and so what
    /// it sees is not known.
    pub checks: Option<usize>,
}

/// A check of a System that is about another one: it counts there and not here.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherCheck {
    /// What it sees.
    pub view: crate::snapshot::CheckView,
    /// What it is about.
    pub system: SpaceId,
    /// What that is called.
    pub title: String,
    /// Whether it counts there.
    pub standing: Standing,
}

/// Whether a check about another System counts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Both agree.
    Counts,
    /// The other System does not let this one look.
    NotLet,
    /// The other System cannot be read here, so it is not known.
    NotShared,
}

impl Standing {
    /// In a word, for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::NotLet => "not-let",
            Self::NotShared => "not-shared",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_about_a_system_is_another_one_for_each_system_and_name() {
        let [one, two] = [1, 2].map(|n| SpaceId::from_bytes([n; 32]));
        let id = observed_check(&one, "https");
        assert_eq!(id, observed_check(&one, "https"));
        assert_ne!(id, observed_check(&two, "https"));
        assert_ne!(id, observed_check(&one, "http"));
    }
}
