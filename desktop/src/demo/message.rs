//! What the demo and its processes tell each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A relay as others need to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RelayCard {
    /// Its author key.
    pub(crate) author: String,
    /// Its endpoint key and addresses.
    pub(crate) address: String,
}

/// What an agent needs to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AgentSeat {
    /// The key of its System in the organisation.
    pub(crate) system: String,
    /// Its invitation.
    pub(crate) invitation: String,
}

/// To a person's replica.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PersonOrder {
    /// Make the organisation; answered by [`PersonEvent::Built`].
    Build {
        /// The relay for every Space.
        relay: RelayCard,
        /// The file that the nightly export writes.
        export: PathBuf,
        /// `ip:port` where the relay answers.
        relay_status: String,
        /// Planted in a note.
        marker: Option<String>,
    },
    /// Join these; answered by [`PersonEvent::Joined`].
    Join {
        /// Invitations.
        invitations: Vec<String>,
    },
    /// Write a note; answered by [`PersonEvent::Wrote`].
    Write {
        /// Its text.
        text: String,
    },
    /// Deploy something, and acknowledge what breaks then.
    Attend,
    /// The relay runs or not: for the demo bar.
    Relay {
        /// Whether it runs.
        running: bool,
    },
    /// Say what is here; answered by [`PersonEvent::Figures`].
    Report,
    /// Draw the overview; answered by [`PersonEvent::Drawn`].
    Draw {
        /// The PNG file.
        file: PathBuf,
    },
}

/// From a person's replica.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PersonEvent {
    /// The workspace is open.
    Ready,
    /// The organisation is there.
    Built {
        /// For the second replica.
        invitations: Vec<String>,
        /// For the agents.
        agents: Vec<AgentSeat>,
        /// Milliseconds that it took.
        took_ms: u64,
    },
    /// Every Space is joined.
    Joined {
        /// How many.
        spaces: usize,
    },
    /// The note is durable.
    Wrote,
    /// What is here.
    Figures(Figures),
    /// The picture is written.
    Drawn {
        /// Its size, bytes.
        bytes: usize,
    },
    /// Somebody pressed a button in the demo bar.
    RelayWanted {
        /// Whether it should run.
        running: bool,
    },
    /// The window was closed.
    Closed,
    /// No window can be opened.
    NoWindow {
        /// Why.
        reason: String,
    },
    /// Something did not work.
    Failed {
        /// What.
        reason: String,
    },
}

/// What a replica holds and what it measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Over all Spaces: their ids and summaries.
    pub(crate) digest: String,
    /// Spaces that this replica holds.
    pub(crate) spaces: usize,
    /// Envelopes in all of them.
    pub(crate) envelopes: u64,
    /// Those that others wrote: they came over the network.
    pub(crate) envelopes_received: u64,
    /// Their bytes.
    pub(crate) bytes_received: u64,
    /// Transitions that arrived, as (made by the agent, arrived here), Unix milliseconds.
    pub(crate) arrivals: Vec<(i64, i64)>,
    /// Envelopes with transitions, as (sealed by the agent, arrived here), Unix milliseconds.
    pub(crate) envelope_arrivals: Vec<(i64, i64)>,
}

/// To the agents' process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AgentOrder {
    /// Begin.
    Start {
        /// One for each agent.
        seats: Vec<AgentSeat>,
    },
}

/// From the agents' process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AgentEvent {
    /// They run.
    Started {
        /// How many.
        agents: usize,
    },
    /// One of them ended.
    Failed {
        /// Why.
        reason: String,
    },
}

/// From the relay's process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RelayEvent {
    /// It takes connections.
    Ready {
        /// How to reach it.
        relay: RelayCard,
    },
    /// It ended.
    Failed {
        /// Why.
        reason: String,
    },
}

/// To the relay's process: nothing; closing its input stops it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum RelayOrder {}
