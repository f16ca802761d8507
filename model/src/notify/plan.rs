//! What is due, what waits, and why.

use std::borrow::Cow;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::facts::Muted;
use super::id::NotificationId;
use super::receipt::{ReceiptItem, State, Target};
use crate::alert::{AlertId, on_machine};
use crate::id::CheckId;
use crate::severity::Severity;

/// How many notifications one message tells; the rest goes into the next.
pub const MESSAGE_ITEMS_MAX: usize = 1_000;

/// What a notifier does now, and when it looks again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Messages to send now.
    pub due: Vec<Message>,
    /// What is not sent now.
    pub waiting: Vec<Waiting>,
    /// When time alone changes that.
    pub next: Option<Timestamp>,
}

/// Something to tell somebody, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub target: Target,
    /// What the policy calls whom it is for.
    pub receiver: String,
    /// Whose policy decided.
    pub policy: SpaceId,
    /// The System that stands for the group.
    pub group: SpaceId,
    /// What: worst first.
    pub items: Vec<Item>,
}

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name, the same on every notifier.
    pub id: NotificationId,
    /// Under which name receivers know it: that, or another one when the alert began again under its id and the
    /// same was told of the time before. It follows from receipts, so notifiers that have the same agree on it.
    pub sent_as: NotificationId,
    /// Of which alert.
    pub alert: AlertId,
    /// Of which System.
    pub system: SpaceId,
    /// Of which check.
    pub check: CheckId,
    /// What the check is called.
    pub name: String,
    /// What it said last.
    pub summary: String,
    /// How bad it is now.
    pub severity: Severity,
    /// How bad it was when this target was told of it first; none: it was not told yet.
    pub told_first: Option<Severity>,
    /// The machine, if it alone has the check and its System has others beside it.
    pub machine: Option<String>,
    /// When it opened.
    pub opened: Timestamp,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// What of it is told.
    pub state: State,
    /// Who took it, and their words.
    pub acknowledged: Option<(String, String)>,
    /// Which step of the escalation, from 0.
    pub step: u16,
    /// How often it was told before.
    pub repeat: u16,
    /// From the System whose policy decided down to the one with the problem.
    pub path: Vec<SpaceId>,
}

impl Item {
    /// What the check is called among others: with its machine, where there are several.
    pub fn called(&self) -> Cow<'_, str> {
        on_machine(&self.name, self.machine.as_deref())
    }

    /// As a receipt names it.
    pub fn receipt(&self) -> ReceiptItem {
        ReceiptItem {
            id: self.id,
            alert: self.alert.0,
            system: self.system,
            check: self.check,
            state: self.state.code(),
            step: self.step,
            repeat: self.repeat,
            opened: Some(self.opened),
        }
    }
}

/// Why something is not sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Its time has not come.
    Time,
    /// The step before comes first.
    Step,
    /// It is told only at other times.
    Hours,
    /// It waits for more of its group.
    Group,
    /// Another notifier comes first.
    Standby,
    /// Another notifier is at it.
    Trying,
    /// Silences may not have arrived yet.
    Unsettled,
    /// The channel did not take it; it is tried again.
    Failed,
    /// The channel did not take it so often that it is not tried again.
    GivenUp,
    /// Somebody took it.
    Acknowledged,
    /// Nobody is told of it.
    Muted(Muted),
}

impl Held {
    /// In English words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Time => "its time has not come",
            Self::Step => "the step before comes first",
            Self::Hours => "only at other times",
            Self::Group => "waits for more of its group",
            Self::Standby => "another notifier comes first",
            Self::Trying => "another notifier is at it",
            Self::Unsettled => "silences may not have arrived yet",
            Self::Failed => "the channel did not take it; it is tried again",
            Self::GivenUp => "the channel did not take it; it is not tried again",
            Self::Acknowledged => "somebody acknowledged it",
            Self::Muted(Muted::Silenced) => "silenced",
            Self::Muted(Muted::Maintenance) => "expected: maintenance",
            Self::Muted(Muted::Inhibited) => "follows from another problem",
            Self::Muted(Muted::Flapping) => "changes too often: for a review",
        }
    }
}

/// Something that is not sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What.
    pub item: Item,
    /// Where it would go.
    pub target: Target,
    /// What the policy calls whom it is for.
    pub receiver: String,
    /// Whose policy decided.
    pub policy: SpaceId,
    /// When it goes, if nothing changes; none when time alone changes nothing.
    pub at: Option<Timestamp>,
    /// Why not now.
    pub why: Held,
}
