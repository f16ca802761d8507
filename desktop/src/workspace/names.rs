//! What keys are called: this device, relays, people and agents by what their System calls them.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync::replica::SpaceSummary;
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use super::live::Live;
use super::roster::is_over;

/// What the key of a recovery kit is called.
pub(super) const KIT_NAME: &str = "recovery kit";
/// What stands behind the name of whoever uses this device.
const HERE: &str = ", this device";

/// Names of keys; a key without one is called by its first digits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(BTreeMap<AuthorId, String>);

impl Names {
    /// What a key is called.
    pub(crate) fn of(&self, author: AuthorId) -> String {
        let short = author.short();
        self.0
            .get(&author)
            .map_or_else(|| short.clone(), |name| format!("{name} ({short})"))
    }

    /// Whether a key is called exactly so, whatever the case.
    pub(super) fn calls(&self, author: AuthorId, wanted: &str) -> bool {
        let name = self.known(author);
        let name = name.map(|name| name.strip_suffix(HERE).unwrap_or(name).to_lowercase());
        name.is_some_and(|name| name == wanted.trim().to_lowercase())
    }

    /// Its name alone, if it has one.
    pub(crate) fn known(&self, author: AuthorId) -> Option<&str> {
        self.0.get(&author).map(String::as_str)
    }
}

/// The keys that hold a grant and are called exactly so, whatever the case; several may be.
pub(super) fn called<'a>(
    names: &Names,
    members: impl Iterator<Item = &'a Member>,
    wanted: &str,
    now: Timestamp,
) -> BTreeSet<AuthorId> {
    let named = members.filter(|it| !it.is_invitation() && !is_over(it, now));
    let named = named.filter(|it| names.calls(it.author, wanted));
    named.map(|it| it.author).collect()
}

impl Live {
    /// What people are called in the Systems that can be read here.
    pub(super) fn people(&self) -> BTreeMap<AuthorId, String> {
        self.people_of(None)
    }

    /// The same; what one System says comes before what others say.
    fn people_of(&self, first: Option<SpaceId>) -> BTreeMap<AuthorId, String> {
        let snapshot = self.snapshot();
        let systems = snapshot.systems.iter();
        let (own, others): (Vec<_>, Vec<_>) = systems.partition(|it| Some(it.space) == first);
        let mut people = BTreeMap::new();
        for system in own.into_iter().chain(others) {
            for (device, name) in &system.people {
                people.entry(*device).or_insert_with(|| name.clone());
            }
        }
        people
    }

    /// The names of everybody who holds a grant in one of these Spaces.
    pub(crate) fn names(&self, spaces: &[SpaceSummary]) -> Names {
        self.names_in(None, spaces)
    }

    /// The same, as one System calls them.
    pub(super) fn names_in(&self, system: Option<SpaceId>, spaces: &[SpaceSummary]) -> Names {
        let mut names = self.people_of(system);
        for space in spaces {
            for member in &space.members {
                if member.is_invitation() {
                    let name = match names.get(&member.author) {
                        Some(name) => format!("invitation for {name}"),
                        None => "invitation".to_owned(),
                    };
                    names.insert(member.author, name);
                } else if member.flags.has(GrantFlags::BREAK_GLASS) {
                    names.insert(member.author, "emergency key".to_owned());
                } else if member.capability == Capability::Relay {
                    names.entry(member.author).or_insert("relay".to_owned());
                }
            }
        }
        for (agent, label) in self.agent_labels() {
            let summary = spaces.iter().find(|space| space.id == agent);
            let members = summary.into_iter().flat_map(|space| &space.members);
            // Only the agent came into its Space by an invitation.
            for member in members.filter(|member| member.guest_of.is_some()) {
                names.insert(member.author, label.clone());
            }
        }
        let profile = self.profile();
        names.insert(profile.device, format!("{}{HERE}", profile.name));
        if let Some(anchor) = &profile.anchor {
            names.insert(anchor.author, KIT_NAME.to_owned());
        }
        Names(names)
    }
}
