//! What a notifier looks at.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{SpaceId, Timestamp};

use super::id::NotificationId;
use super::policy::Policy;
use super::record::Record;
use super::rotation::OnCallOverride;
use crate::alert::AlertId;
use crate::graph::Graph;
use crate::id::{CheckId, ItemId};
use crate::severity::Severity;

/// Why nobody is told of a problem. It stops no recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Muted {
    /// Somebody silenced it.
    Silenced,
    /// It is expected: a maintenance window is open.
    Maintenance,
    /// It follows from another problem.
    Inhibited,
    /// It changes too often: that is for a review, not for a pager.
    Flapping,
}

/// That somebody took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// When.
    pub at: Timestamp,
    /// What people call whoever did.
    pub by: String,
    /// Their words.
    pub text: String,
}

/// An alert, as far as telling people of it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertFact {
    /// Its id, the same on every replica.
    pub alert: AlertId,
    /// Of which System.
    pub system: SpaceId,
    /// Of which check.
    pub check: CheckId,
    /// What the check is called: routes name it so.
    pub name: String,
    /// The machine, if it alone has the check and its System has others beside it.
    pub machine: Option<String>,
    /// What it said last.
    pub summary: String,
    /// How bad it is now.
    pub severity: Severity,
    /// How bad it was at the worst; what was told of something less bad is told again.
    pub worst: Severity,
    /// When it opened.
    pub opened: Timestamp,
    /// Since when it is worth telling: since it is so bad, or since what muted it ended.
    pub since: Timestamp,
    /// When it was over; none while it is open.
    pub resolved: Option<Timestamp>,
    /// Who took it.
    pub acknowledged: Option<Acknowledged>,
    /// Why nobody is told of it now.
    pub muted: Option<Muted>,
    /// Systems on the way whose silence keeps it quiet there and above.
    pub quiet: BTreeSet<SpaceId>,
    /// Systems that see nothing of a check because of it: it concerns them and all above too.
    pub blind: BTreeSet<SpaceId>,
    /// Whether the same id may begin again, as that of something that is not heard does.
    pub recurrence: Recurrence,
    /// Of something that is only not heard: its last sign. What was told before was told of another time.
    pub heard: Option<Timestamp>,
}

/// Whether an alert that is over may begin again under its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recurrence {
    /// What begins has an id of its own.
    #[default]
    Never,
    /// What was told before it opened was told of another time.
    Possible,
}

/// A System's policy and what changes in it for a time.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFact<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Who is on call instead, for a time.
    pub overrides: &'a BTreeMap<ItemId, OnCallOverride>,
}

/// Everything that a notifier looks at. Two notifiers with the same facts plan the same.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The clock that was passed in.
    pub now: Timestamp,
    /// Systems and their parts.
    pub graph: &'a Graph,
    /// Policies by System.
    pub policies: BTreeMap<SpaceId, PolicyFact<'a>>,
    /// Open alerts, and those that were over not long ago.
    pub alerts: &'a [AlertFact],
    /// What was told before.
    pub record: &'a Record,
    /// Systems whose silences may not have arrived yet, and until when that is waited for.
    pub unsettled: BTreeMap<SpaceId, Timestamp>,
    /// What this notifier is sending at the moment.
    pub busy: &'a BTreeSet<NotificationId>,
}
