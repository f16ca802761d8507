//! The demo's organisation, read from a file beside this one.

use serde::Deserialize;

use crate::cli::CliError;

/// Systems of an invented organisation; people appear by role only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Organisation {
    /// Its Systems.
    pub(crate) system: Vec<Planned>,
}

/// A System to be made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    /// Its name in this file.
    pub(crate) key: String,
    /// Its title.
    pub(crate) title: String,
    /// The organisation's word for what it is.
    pub(crate) category: String,
    /// One sentence.
    pub(crate) purpose: String,
    /// How parts roll up: `worst`, `best`, `at least N`, `percent N`.
    #[serde(default)]
    pub(crate) operator: Option<String>,
    /// Keys of its parts.
    #[serde(default)]
    pub(crate) parts: Vec<String>,
    /// Kind and text.
    #[serde(default)]
    pub(crate) rules: Vec<(String, String)>,
    /// Role and address.
    #[serde(default)]
    pub(crate) contacts: Vec<(String, String)>,
    /// Name and address.
    #[serde(default)]
    pub(crate) dashboards: Vec<(String, String)>,
    /// Title and text.
    #[serde(default)]
    pub(crate) notes: Vec<(String, String)>,
    /// What an agent observes for it, on this machine.
    #[serde(default)]
    pub(crate) observe: Vec<Observed>,
}

/// What an agent can observe on any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Observed {
    /// Load average.
    Load,
    /// Memory in use.
    Memory,
    /// Swap in use.
    Swap,
    /// Space of the root file system.
    Disk,
    /// Time since the start.
    Uptime,
    /// How many processes run.
    Processes,
    /// A file that is written every few seconds.
    Export,
    /// A file that is written once.
    Restore,
    /// The demo's relay.
    Relay,
}

impl Organisation {
    /// Reads it.
    ///
    /// # Errors
    /// Never in a tested build.
    pub(crate) fn load() -> Result<Self, CliError> {
        toml::from_str(include_str!("organisation.toml"))
            .map_err(|error| CliError::Bug(format!("the demo's organisation: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_part_exists_and_every_component_says_whom_to_call() {
        let organisation = Organisation::load().unwrap();
        let keys: BTreeSet<_> = organisation
            .system
            .iter()
            .map(|system| &system.key)
            .collect();
        assert_eq!(keys.len(), organisation.system.len(), "keys are distinct");
        for system in &organisation.system {
            for part in &system.parts {
                assert!(keys.contains(part), "{} has no part {part}", system.key);
            }
            assert!(!system.contacts.is_empty(), "{} has no contact", system.key);
            assert!(
                system.parts.is_empty() || system.observe.is_empty(),
                "{}",
                system.key
            );
        }
    }

    #[test]
    fn it_is_small_and_has_three_categories() {
        let organisation = Organisation::load().unwrap();
        let categories: BTreeSet<_> = organisation
            .system
            .iter()
            .map(|system| &system.category)
            .collect();
        assert_eq!(categories.len(), 3);
        assert!((35..=55).contains(&organisation.system.len()));
    }
}
