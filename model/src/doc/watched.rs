//! Since when checks of a System's document are looked at: what its changes turned off and on again.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::Timestamp;
use serde::Deserialize;

use super::past::Act;

/// Of how many checks it is remembered: those whose keys sort last.
const CHECKS_MAX: usize = 4_000;
/// How many writings of one check are remembered, the last.
const WRITINGS_MAX: usize = 32;

/// What of a check says whether it is looked at; whatever else it says is for others to read.
#[derive(Deserialize)]
struct Switch {
    #[serde(default = "on")]
    enabled: bool,
}

const fn on() -> bool {
    true
}

/// Whether checks were looked at, writing by writing.
///
/// **Invariant:** it follows from the set of changes, in whatever order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watched {
    checks: BTreeMap<String, BTreeSet<(Act, bool)>>,
}

impl Watched {
    /// Takes in that a check was written. What cannot be read is not looked at.
    pub(super) fn write(&mut self, check: &str, act: Act, text: &str) {
        let is_on = serde_json::from_str::<Switch>(text).is_ok_and(|switch| switch.enabled);
        self.turn(check, act, is_on);
    }

    /// Takes in that a check was taken away.
    pub(super) fn remove(&mut self, check: &str, act: Act) {
        self.turn(check, act, false);
    }

    fn turn(&mut self, check: &str, act: Act, is_on: bool) {
        let writings = self.checks.entry(check.to_owned()).or_default();
        writings.insert((act, is_on));
        if writings.len() > WRITINGS_MAX {
            writings.pop_first();
        }
        if self.checks.len() > CHECKS_MAX {
            self.checks.pop_first();
        }
    }

    /// Whether each check is looked at, and since when without a break, by the clock of who said so; none of one
    /// that was written so often since that it is not known any more.
    pub(crate) fn since(&self) -> impl Iterator<Item = (&str, bool, Timestamp)> {
        self.checks.iter().filter_map(|(check, writings)| {
            let (_, is_on) = writings.last()?;
            let newest = writings.iter().rev();
            let (turned, _) = newest.take_while(|(_, it)| it == is_on).last()?;
            let is_known = writings.first().is_some_and(|(first, _)| first != turned);
            let is_known = is_known || writings.len() < WRITINGS_MAX;
            is_known.then_some((check.as_str(), *is_on, turned.at))
        })
    }
}
