//! Agents of a System that are not heard any more.

use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::alerts::{said, without_sign};
use super::care::Care;
use crate::alert::{Alert, AlertId, AlertKind, agent_check};
use crate::beats::Beats;
use crate::heartbeat::HEARTBEAT_STALE_MS;
use crate::journal::Journal;
use crate::severity::Severity;
use crate::silence::Matter;
use crate::status::AgentLife;

/// What they are grouped under.
const SILENT_FAMILY: &str = "agent not heard";

/// An agent of a System that is not heard any more.
pub(super) struct Silent {
    pub(super) agent: SpaceId,
    id: AlertId,
    name: String,
    /// The last sign.
    seen: Option<Timestamp>,
    since: Timestamp,
    /// From when people may be told.
    sure_from: Option<Timestamp>,
}

impl Silent {
    /// Whether, and since when, an agent is not heard at the moment up to which it would have been.
    /// One that stopped in good order is, when it does not come back within the time that every
    /// agent has.
    pub(super) fn of(
        (system, agent): (SpaceId, SpaceId),
        label: &str,
        journal: &Journal,
        beats: &Beats,
        (life, as_of, sure_from): (AgentLife, Timestamp, Option<Timestamp>),
    ) -> Option<Self> {
        let seen = beats.last().max(journal.last_at.map(|at| at.min(as_of)));
        let last = match life {
            AgentLife::Alive | AgentLife::Unseen => None,
            AgentLife::Stale => seen,
            AgentLife::Stopped => journal.stopped_at,
        };
        let since = last?.plus(Duration::from_millis(HEARTBEAT_STALE_MS));
        if since >= as_of {
            return None;
        }
        let started = journal.started.as_ref().map(|started| started.host.clone());
        let label = Some(label.to_owned()).filter(|label| !label.is_empty());
        Some(Self {
            agent,
            id: without_sign(&system, &agent_check(&agent), journal.last_id),
            name: label.or(started).unwrap_or_else(|| agent.short()),
            seen,
            since,
            sure_from,
        })
    }

    /// As people's words are matched against it; its family is the same for all agents.
    pub(super) fn matter(&self) -> Matter<'static> {
        Matter {
            alert: Some(self.id),
            check: agent_check(&self.agent),
            family: SILENT_FAMILY,
            opened: Some(self.since),
            resolved: None,
            heard: self.seen,
        }
    }

    pub(super) fn alert(&self, space: SpaceId, title: &str, care: &Care<'_>) -> Alert {
        let kind = AlertKind::Silent { agent: self.agent };
        Alert {
            name: self.name.clone(),
            kind,
            seen: self.seen,
            is_stale: true,
            sure_from: self.sure_from,
            ..said(care, space, title, &self.matter(), Severity::Missing)
        }
    }
}
