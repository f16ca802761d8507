//! A receipt: who was told what, by whom, and how it went; an entry of the timeline.

use std::fmt;

use aramaki_sync_core::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::id::NotificationId;
use crate::alert::AlertId;
use crate::id::CheckId;
use crate::severity::Severity;
use crate::text::clean_line;

/// How many notifications one receipt tells of: it must fit an entry of the timeline.
pub const RECEIPT_ITEMS_MAX: usize = 40;
/// How long names and addresses in a receipt may be.
const WORD_LEN_BYTES_MAX: usize = 256;
/// How long the words on how it went may be.
const DETAIL_LEN_BYTES_MAX: usize = 512;

/// Where a message goes: a channel of the notifier's own file, and an address in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The channel.
    pub via: String,
    /// The address; may be empty.
    pub to: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.via.as_str(), self.to.as_str()) {
            (via, "") => f.write_str(via),
            (via, to) => write!(f, "{to} ({via})"),
        }
    }
}

/// What of an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is open, and was as bad as this at the worst.
    Problem(Severity),
    /// Somebody acknowledged it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl State {
    /// As it is stored and as it goes into an id.
    pub const fn code(self) -> u8 {
        match self {
            Self::Problem(severity) => severity.concern(),
            Self::Acknowledged => 16,
            Self::Resolved => 17,
        }
    }

    /// The inverse; other codes are of newer programs.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0..=4 => Some(Self::Problem(Severity::from_concern(code))),
            16 => Some(Self::Acknowledged),
            17 => Some(Self::Resolved),
            _ => None,
        }
    }

    /// One lower-case English word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Problem(severity) => severity.word(),
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// How far a notifier came with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// It is at it until then; nobody else needs to.
    Trying {
        /// Until when others leave it to this notifier.
        until: Timestamp,
    },
    /// The channel took it.
    Sent,
    /// The channel did not take it.
    Failed,
    /// The notifier was interrupted: it may have arrived or not.
    Unsure,
}

impl Stage {
    /// Whether whoever it was for may have got it.
    pub const fn may_have_arrived(self) -> bool {
        !matches!(self, Self::Failed)
    }
}

/// One notification of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptItem {
    /// Which.
    pub id: NotificationId,
    /// Of which alert.
    pub alert: [u8; 32],
    /// Of which System.
    pub system: SpaceId,
    /// Of which check.
    pub check: CheckId,
    /// What of it, as [`State::code`].
    pub state: u8,
    /// Which step of the escalation, from 0.
    pub step: u16,
    /// How often it was told before.
    pub repeat: u16,
    /// Since when the alert was open, as it was told; none: a notifier told it that did not write this down.
    /// Written after all items, which older programs read alone.
    #[serde(skip)]
    pub opened: Option<Timestamp>,
}

impl ReceiptItem {
    /// Of which alert.
    pub const fn alert(&self) -> AlertId {
        AlertId(self.alert)
    }
}

/// Who was told what, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When, by the notifier's clock.
    pub at: Timestamp,
    /// How far it came.
    pub stage: Stage,
    /// The place of the notifier among others: 0 sends first.
    pub rank: u8,
    /// What the policy calls whom it is for.
    pub receiver: String,
    /// Where it went.
    pub target: Target,
    /// The System that stands for the group.
    pub group: SpaceId,
    /// What was told.
    pub items: Vec<ReceiptItem>,
    /// The alert in words, and how it went.
    pub detail: String,
}

impl Receipt {
    /// Since when the alerts were open of which it tells, in the order of its items.
    pub fn opened(&self) -> Vec<Option<Timestamp>> {
        self.items.iter().map(|item| item.opened).collect()
    }

    /// The same with what [`Self::opened`] said; items of which it says nothing keep what they have.
    #[must_use]
    pub fn with_opened(mut self, opened: Vec<Option<Timestamp>>) -> Self {
        for (item, opened) in self.items.iter_mut().zip(opened) {
            item.opened = opened;
        }
        self
    }

    /// The same, short enough for an entry.
    pub(crate) fn short(&self) -> Self {
        let word = |text: &str| clean_line(text, WORD_LEN_BYTES_MAX);
        let target = Target {
            via: word(&self.target.via),
            to: word(&self.target.to),
        };
        let mut items = self.items.clone();
        items.truncate(RECEIPT_ITEMS_MAX);
        Self {
            at: self.at,
            stage: self.stage,
            rank: self.rank,
            receiver: word(&self.receiver),
            target,
            group: self.group,
            items,
            detail: clean_line(&self.detail, DETAIL_LEN_BYTES_MAX),
        }
    }
}
