//! Makes the demo's organisation through the same calls that verbs and the window use.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aramaki_model::system::NoteKind;
use aramaki_model::{CheckId, Presence};
use aramaki_sync_core::invitation::{Invitation, InvitationError};
use aramaki_sync_core::statement::{Capability, RelayAddress};
use aramaki_sync_core::{SpaceId, Timestamp};

use super::message::{AgentSeat, RelayCard};
use super::observed::Surroundings;
use super::organisation::{Organisation, Planned};
use crate::cli::CliError;
use crate::workspace::{Live, ShareRequest, SystemChange, random, relay_address};

/// How long the demo's invitations last.
const SPAN: Duration = Duration::from_hours(7 * 24);
/// The System that holds the planted marker.
const MARKED: &str = "monitoring";

/// What was made.
#[derive(Debug)]
pub(super) struct Made {
    /// For the second person: Systems and agents' Spaces come with the Systems.
    pub(super) invitations: Vec<String>,
    /// For the agents.
    pub(super) agents: Vec<AgentSeat>,
}

/// What a note of the organisation is for, as its title says.
fn kind_of(title: &str) -> NoteKind {
    if title.to_lowercase().contains("runbook") {
        NoteKind::Runbook
    } else {
        NoteKind::Note
    }
}

/// Makes everything.
///
/// # Errors
/// When the store refuses.
pub(super) async fn build(
    live: &Live,
    relay: &RelayCard,
    export: &Path,
    relay_status: &str,
    marker: Option<&str>,
) -> Result<Made, CliError> {
    let organisation = Organisation::load()?;
    let relay = relay_address(&relay.author, &relay.address)?;
    let surroundings = Surroundings {
        export,
        relay: relay_status,
    };
    let mut spaces: BTreeMap<&str, SpaceId> = BTreeMap::new();
    for system in &organisation.system {
        let space = live.create_system(said(system, surroundings)?).await?;
        live.add_relay(space, relay.clone()).await?;
        for (title, text) in &system.notes {
            live.add_note_of(space, kind_of(title), title, text).await?;
        }
        spaces.insert(&system.key, space);
    }
    let titles: BTreeMap<&str, &str> = organisation
        .system
        .iter()
        .map(|system| (system.key.as_str(), system.title.as_str()))
        .collect();
    let mut made = Made {
        invitations: Vec::new(),
        agents: Vec::new(),
    };
    for system in &organisation.system {
        let Some(space) = spaces.get(system.key.as_str()).copied() else {
            continue;
        };
        let parts: Vec<_> = system
            .parts
            .iter()
            .filter_map(|key| {
                Some(SystemChange::Part {
                    space: *spaces.get(key.as_str())?,
                    label: (*titles.get(key.as_str())?).to_owned(),
                    overrides: Vec::new(),
                    uses: false,
                })
            })
            .collect();
        if !parts.is_empty() {
            live.edit_system(space, parts).await?;
        }
        if system.key == MARKED
            && let Some(marker) = marker
        {
            live.add_note(space, "Marker", marker).await?;
        }
        if !system.observe.is_empty() {
            let name = format!("agent on {}", system.title);
            let agent = live
                .invite_agent(space, (&name, Presence::Always), SPAN)
                .await?;
            let seat = AgentSeat {
                system: system.key.clone(),
                invitation: through(&relay, &agent.code)?,
            };
            made.agents.push(seat);
        }
        let code = invite(live, space).await?;
        made.invitations.push(through(&relay, &code)?);
    }
    Ok(made)
}

async fn invite(live: &Live, space: SpaceId) -> Result<String, CliError> {
    let request = ShareRequest {
        name: String::new(),
        reason: String::new(),
        capability: Capability::Write,
        span: SPAN,
        begin: None,
        redemptions: 1,
        long_grace: false,
    };
    Ok(live.share(space, &request).await?.code)
}

/// The same invitation by way of the relay alone: two people at different places, whose only common
/// way is the relay. Stopping it cuts the cable.
fn through(relay: &RelayAddress, code: &str) -> Result<String, CliError> {
    let failed = |error: InvitationError| CliError::Demo {
        reason: error.to_string(),
    };
    let mut invitation: Invitation = code.parse().map_err(failed)?;
    invitation
        .addresses
        .retain(|peer| peer.endpoint == relay.endpoint);
    Ok(invitation.to_text().map_err(failed)?.as_str().to_owned())
}

/// What is said of a System before its parts exist.
fn said(system: &Planned, surroundings: Surroundings<'_>) -> Result<Vec<SystemChange>, CliError> {
    let mut changes = vec![
        SystemChange::Title(system.title.clone()),
        SystemChange::Category(system.category.clone()),
        SystemChange::Purpose(system.purpose.clone()),
    ];
    if let Some(operator) = &system.operator {
        changes.push(SystemChange::operator(operator)?);
    }
    for (kind, text) in &system.rules {
        changes.push(SystemChange::rule(kind, text)?);
    }
    for (role, address) in &system.contacts {
        changes.push(SystemChange::Contact {
            role: role.clone(),
            address: address.clone(),
        });
    }
    for (name, url) in &system.dashboards {
        changes.push(SystemChange::Dashboard {
            name: name.clone(),
            url: url.clone(),
        });
    }
    let mut checks = Vec::new();
    for observed in &system.observe {
        let id = CheckId::new(Timestamp::ZERO, random()?);
        checks.push(observed.check(id, surroundings));
    }
    if !checks.is_empty() {
        changes.push(SystemChange::Checks(checks));
    }
    Ok(changes)
}
