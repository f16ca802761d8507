//! What keys are called here: people's names, labels of agents, words for relays, else a key's first digits.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync::replica::SpaceSummary;
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, SpaceId};

use super::live::Live;
use super::lookalike;
use crate::view::PeerKind;

/// Who is who, from rosters and from what Systems say of their agents.
#[derive(Debug)]
pub(super) struct Who {
    here: AuthorId,
    person: String,
    recovery_kit: Option<AuthorId>,
    relays: BTreeSet<AuthorId>,
    invitations: BTreeSet<AuthorId>,
    /// Keys that are sealed for emergencies.
    sealed: BTreeSet<AuthorId>,
    agents: BTreeMap<AuthorId, (SpaceId, String)>,
    people: BTreeMap<AuthorId, String>,
    /// How many have a name that looks so, this person among them.
    looks: BTreeMap<String, usize>,
    /// Whom invitations are for.
    invited: BTreeMap<AuthorId, String>,
}

impl Who {
    /// From all that is known now.
    pub(super) fn of(live: &Live, spaces: &[SpaceSummary]) -> Self {
        let profile = live.profile();
        let labels: BTreeMap<_, _> = live.agent_labels().into_iter().collect();
        let mut agents = BTreeMap::new();
        let (mut relays, mut others) = (BTreeSet::new(), BTreeSet::new());
        let (mut invitations, mut sealed) = (BTreeSet::new(), BTreeSet::new());
        for space in spaces {
            let label = labels.get(&space.id);
            for member in &space.members {
                if member.flags.has(GrantFlags::INVITATION) {
                    invitations.insert(member.author);
                    continue;
                }
                if member.flags.has(GrantFlags::BREAK_GLASS) {
                    sealed.insert(member.author);
                    continue;
                }
                if member.capability == Capability::Relay {
                    relays.insert(member.author);
                } else {
                    others.insert(member.author);
                }
                if let (Some(label), Capability::Write) = (label, member.capability) {
                    agents.insert(member.author, (space.id, label.clone()));
                }
            }
        }
        let people = live.people();
        let (invited, people): (BTreeMap<_, _>, BTreeMap<_, _>) = people
            .into_iter()
            .partition(|(author, _name)| invitations.contains(author));
        let named = people.iter().filter(|(it, _name)| **it != profile.device);
        let named = named.map(|(_author, name)| name.as_str());
        let mut looks = BTreeMap::new();
        for name in named.chain([profile.name.as_str()]) {
            *looks.entry(lookalike::looks(name)).or_insert(0) += 1;
        }
        Self {
            here: profile.device,
            person: profile.name.clone(),
            recovery_kit: profile.anchor.as_ref().map(|anchor| anchor.author),
            relays: &relays - &others,
            invitations,
            sealed,
            agents,
            people,
            looks,
            invited,
        }
    }

    /// What a key belongs to.
    pub(super) fn kind(&self, author: &AuthorId) -> PeerKind {
        if *author == self.here {
            PeerKind::Here
        } else if self.recovery_kit.as_ref() == Some(author) {
            PeerKind::RecoveryKit
        } else if self.invitations.contains(author) {
            PeerKind::Invitation
        } else if self.sealed.contains(author) {
            PeerKind::Emergency
        } else if self.relays.contains(author) {
            PeerKind::Relay
        } else if self.agents.contains_key(author) {
            PeerKind::Agent
        } else {
            PeerKind::Device
        }
    }

    /// What a key is called. A person's name is the word of whoever may write in a System: where two
    /// keys have names that look alike, the first digits of each are shown too, also of an impostor's.
    pub(super) fn name(&self, author: &AuthorId) -> String {
        if *author == self.here {
            return self.person.clone();
        }
        if self.invitations.contains(author) {
            return self.invited.get(author).cloned().unwrap_or_default();
        }
        match (self.agents.get(author), self.people.get(author)) {
            (Some((_, label)), _) if !label.is_empty() => label.clone(),
            (_, Some(name)) if self.is_shared(name) => {
                format!("{name} ({})", author.short())
            }
            (_, Some(name)) => name.clone(),
            _ => author.short(),
        }
    }

    /// The same; a code that is for nobody by name is called by its key.
    pub(super) fn name_or_key(&self, author: &AuthorId) -> String {
        let name = self.name(author);
        if name.is_empty() {
            author.short()
        } else {
            name
        }
    }

    fn is_shared(&self, name: &str) -> bool {
        let alike = self.looks.get(&lookalike::looks(name));
        alike.is_some_and(|count| *count > 1)
    }

    /// The own Space of an agent.
    pub(super) fn agent_space(&self, author: &AuthorId) -> Option<SpaceId> {
        self.agents.get(author).map(|(space, _)| *space)
    }
}
