//! What people hold in the Spaces of a System's agents besides what they may as readers of the System: to
//! ask for actions there is a grant of its own. Who is sent away from the System is sent away there too.

use std::collections::BTreeSet;

use aramaki_sync::replica::{Keep, SpaceSummary};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, SpaceId};

use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use super::roster::GrantRow;
use crate::cli::CliError;

/// A grant in the Space of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtAgent {
    /// The agent's Space.
    pub(crate) agent: SpaceId,
    /// What the System calls it.
    pub(crate) label: String,
    /// The grant there.
    pub(crate) grant: GrantRow,
}

/// Devices that may read in a Space now.
pub(super) fn readers(summary: &SpaceSummary) -> BTreeSet<AuthorId> {
    let now = fresh::now();
    let members = summary.members.iter();
    let reading = members.filter(|it: &&Member| it.reads(now) && !it.is_invitation());
    reading.map(|it| it.author).collect()
}

impl Live {
    /// What people hold at the agents of a System, besides its own administrators and the agents themselves.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn at_agents(&self, system: SpaceId) -> Result<Vec<AtAgent>, CliError> {
        let mut found = Vec::new();
        for (agent, label) in self.agents_named(system) {
            let grants = match self.grants(agent).await {
                // It is not shared with this device.
                Err(CliError::NoSuchSystem { .. }) => continue,
                grants => grants?,
            };
            // To write there is the agent's alone; relays hold less than to comment.
            let of_people = grants
                .into_iter()
                .filter(|it| matches!(it.capability, Capability::Comment | Capability::Administer));
            found.extend(of_people.map(|grant| AtAgent {
                agent,
                label: label.clone(),
                grant,
            }));
        }
        Ok(found)
    }

    /// What these devices hold at the agents of a System from which they are sent away. Who reads another
    /// System with the same agent keeps it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn held_at_agents(
        &self,
        system: SpaceId,
        gone: &BTreeSet<AuthorId>,
    ) -> Result<Vec<AtAgent>, CliError> {
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let spaces = self.spaces().await;
        let elsewhere = |agent: SpaceId, author: AuthorId| {
            let others = spaces.iter().filter(|it| it.id != system);
            let mut others = others.filter(|it| self.agents_of(it.id).contains(&agent));
            others.any(|it| readers(it).contains(&author))
        };
        let held = self.at_agents(system).await?.into_iter();
        Ok(held
            .filter(|it| gone.contains(&it.grant.author))
            .filter(|it| !elsewhere(it.agent, it.grant.author))
            .collect())
    }

    /// Ends what these devices hold at the agents of a System.
    ///
    /// # Errors
    /// When something of it stands afterwards: it is named.
    pub(super) async fn end_at_agents(
        &self,
        system: SpaceId,
        gone: &BTreeSet<AuthorId>,
        reason: u8,
    ) -> Result<(), CliError> {
        let mut stands = Vec::new();
        for held in self.held_at_agents(system, gone).await? {
            let (agent, grant) = (held.agent, held.grant.id);
            let ended = self
                .replica()
                .revoke(agent, grant, Keep::WhatIsHere, reason);
            let refused = ended.await.err().map(|error| with_causes(&error));
            let stands_still = self.grants(agent).await?.iter().any(|it| it.id == grant);
            if stands_still {
                let why = refused.unwrap_or_else(|| "this device may not end it".to_owned());
                stands.push(format!("{} at {}: {why}", held.grant.who, held.label));
            }
        }
        if stands.is_empty() {
            return Ok(());
        }
        Err(CliError::Refused {
            what: "the revocation at the System's agents",
            reason: format!(
                "the access to the System has ended, and this stands: {}",
                stands.join("; ")
            ),
        })
    }
}
