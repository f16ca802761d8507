//! Items of a System from their beginning to their end, also those that its document does not hold any more.

use std::collections::BTreeMap;
use std::str::FromStr;

use aramaki_sync_core::{SpaceId, Timestamp};
use serde::de::DeserializeOwned;

use crate::check::Check;
use crate::doc::{Act, Past, PastKind};
use crate::id::{CheckId, ItemId};
use crate::maintenance::Maintenance;
use crate::silence::Silence;
use crate::system::{AgentRef, NAME_LEN_BYTES_MAX, System};
use crate::text::clean_line;

/// An item, who wrote it first, and who took it away.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lived<T> {
    /// What it says, or said last.
    pub(crate) what: T,
    pub(crate) made: Act,
    /// None while it is there.
    pub(crate) taken: Option<Act>,
}

/// All items of a System whose past is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lives {
    /// Since when checks are looked at, by the clock of who turned them on.
    pub(crate) checks_on: BTreeMap<CheckId, Timestamp>,
    /// Since when others are not that once were written: they were turned off or taken away.
    pub(crate) checks_off: BTreeMap<CheckId, Timestamp>,
    pub(crate) silences: Vec<(ItemId, Lived<Silence>)>,
    pub(crate) maintenance: Vec<(ItemId, Lived<Maintenance>)>,
    pub(crate) agents: Vec<(SpaceId, Lived<AgentRef>)>,
    /// Checks that were removed, each with the moment.
    pub(crate) checks: Vec<(CheckId, Check, Timestamp)>,
}

impl System {
    /// The same with what became of its items.
    pub(crate) fn with_past(self, past: &Past) -> Self {
        let lives = Lives {
            checks_on: turned(past, Turned::On),
            checks_off: turned(past, Turned::Off),
            silences: lives(past, PastKind::Silence, &self.silences),
            maintenance: lives(past, PastKind::Maintenance, &self.maintenance),
            agents: lives(past, PastKind::Agent, &self.agents),
            checks: removed_checks(past, &self.checks),
        };
        Self { lives, ..self }
    }

    /// Agents that were removed, each with the moment.
    pub fn removals(&self) -> impl Iterator<Item = (SpaceId, Timestamp)> + '_ {
        let removed = self.removed_agents();
        removed.map(|(agent, _, taken)| (agent, taken.at))
    }

    /// Agents that were removed, and as what they were known.
    pub(crate) fn removed_agents(&self) -> impl Iterator<Item = (SpaceId, &AgentRef, Act)> {
        let agents = self.lives.agents.iter();
        agents.filter_map(|(agent, lived)| Some((*agent, &lived.what, lived.taken?)))
    }
}

/// Checks that are not there any more and can still be read. One that was turned off before stays as it was.
fn removed_checks(
    past: &Past,
    there: &BTreeMap<CheckId, Check>,
) -> Vec<(CheckId, Check, Timestamp)> {
    let removed = past.of(PastKind::Check).filter_map(|(key, bygone)| {
        let id: CheckId = key.parse().ok()?;
        let taken = bygone.taken.filter(|_| !there.contains_key(&id))?;
        let check: Check = serde_json::from_str(bygone.text()).ok()?;
        let name = clean_line(&check.name, NAME_LEN_BYTES_MAX);
        Some((id, Check { id, name, ..check }, taken.at))
    });
    removed.collect()
}

/// What is there, and what was taken away and can still be read.
fn lives<K: FromStr + Ord, T: Clone + DeserializeOwned>(
    past: &Past,
    kind: PastKind,
    there: &BTreeMap<K, T>,
) -> Vec<(K, Lived<T>)> {
    let lived = past.of(kind).filter_map(|(key, bygone)| {
        let key: K = key.parse().ok()?;
        let made = bygone.made?;
        let (what, taken) = if let Some(what) = there.get(&key) {
            (what.clone(), None)
        } else {
            let what = serde_json::from_str(bygone.text()).ok()?;
            (what, Some(bygone.taken?))
        };
        Some((key, Lived { what, made, taken }))
    });
    lived.collect()
}

/// Whether a check is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turned {
    On,
    Off,
}

/// Since when checks are looked at, or are not.
fn turned(past: &Past, on: Turned) -> BTreeMap<CheckId, Timestamp> {
    let turned = past.watched().since();
    let wanted = turned.filter(|(_, is_on, _)| *is_on == (on == Turned::On));
    wanted
        .filter_map(|(check, _, at)| Some((check.parse().ok()?, at)))
        .collect()
}
