//! Work in the maintenance windows of a System, and whether it is in service.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::ItemId;
use aramaki_model::maintenance::redundancy::OutOfService;
use aramaki_model::maintenance::request::{RequestState, Wants, Window};
use aramaki_sync_core::{SpaceId, Timestamp};

use super::actions::RunWish;

/// What one System's page says of maintenance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemWork {
    /// Of which System.
    pub system: SpaceId,
    /// The window that is open, or else the next.
    pub window: Option<Window>,
    /// Why it is out of service now, if it was taken out by hand.
    pub out: Vec<OutOfService>,
    /// The redundancy groups in which it is.
    pub groups: Vec<GroupState>,
    /// Hosts and actions that may be run in maintenance windows.
    pub offers: BTreeSet<(String, String)>,
    /// Work that was asked for, what is open first.
    pub work: Vec<Work>,
}

/// A redundancy group now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// Its name.
    pub name: String,
    /// How many must stay in service.
    pub at_least: usize,
    /// How many are.
    pub in_service: usize,
    /// How many there are.
    pub members: usize,
}

/// Work that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its id.
    pub item: ItemId,
    /// On which host.
    pub host: String,
    /// Which action.
    pub action: String,
    /// With which values.
    pub arguments: BTreeMap<String, String>,
    /// Who asked.
    pub who: String,
    /// Why.
    pub reason: String,
    /// How it stands.
    pub state: RequestState,
    /// What it waits for.
    pub wants: Wants,
    /// The window that is meant.
    pub window: Option<Window>,
    /// How often its host began it.
    pub attempts: u32,
    /// When its host tries again.
    pub again_at: Option<Timestamp>,
    /// What came of it, in the words of the agent.
    pub came: String,
}

impl Work {
    /// Whether somebody is to confirm it now.
    pub fn can_be_confirmed(&self) -> bool {
        self.wants == Wants::Confirmation
    }

    /// Whether it can be taken back.
    pub fn can_be_withdrawn(&self) -> bool {
        self.state != RequestState::Running && !self.state.is_over()
    }
}

impl SystemWork {
    /// Whether a host lets an action be run in maintenance windows.
    pub fn offers(&self, host: &str, action: &str) -> bool {
        let mut offers = self.offers.iter();
        offers.any(|(on, name)| on == host && name == action)
    }
}

/// What somebody wants of work in maintenance windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkWish {
    /// Ask for it in the next window.
    Ask(RunWish),
    /// Confirm it for its window.
    Confirm(ItemId),
    /// Take it back.
    Withdraw(ItemId),
}
