//! Where one is in the app.

use aramaki_model::AlertId;
use aramaki_sync_core::{DocumentId, EnvelopeId, SpaceId};

/// Where one is in the app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Route {
    /// All anchors.
    #[default]
    Overview,
    /// Every alert.
    Alerts,
    /// One alert.
    Alert(AlertId),
    /// Everything in order of time.
    Timeline,
    /// Every device, agent and relay.
    Peers,
    /// One System.
    System(SpaceId),
    /// One note of a System.
    Note(SpaceId, DocumentId),
    /// One run of an action.
    Run(SpaceId, EnvelopeId),
    /// Who may read and change a System.
    Trust(SpaceId),
    /// Who may do what, in all Systems.
    Access(AccessFilter),
}

/// Whose access is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AccessFilter {
    /// Everyone's.
    #[default]
    All,
    /// What ends soon.
    Soon,
    /// People's devices.
    People,
    /// Agents and relays.
    Machines,
    /// Invitations that can be used.
    Invitations,
    /// What has ended.
    Ended,
}

/// Where it is asked whose access has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookedBack {
    /// In one System.
    In(SpaceId),
    /// In all of them.
    Everywhere,
}

impl LookedBack {
    /// Whether it is asked of a System.
    pub fn covers(self, space: SpaceId) -> bool {
        match self {
            Self::In(one) => one == space,
            Self::Everywhere => true,
        }
    }
}

impl Route {
    /// The System that it is about.
    pub const fn system(&self) -> Option<SpaceId> {
        match self {
            Self::System(space)
            | Self::Note(space, _)
            | Self::Run(space, _)
            | Self::Trust(space) => Some(*space),
            Self::Overview
            | Self::Alerts
            | Self::Alert(_)
            | Self::Timeline
            | Self::Peers
            | Self::Access(_) => None,
        }
    }
}
