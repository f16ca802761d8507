//! Channels through which notifiers told somebody: what a policy names beside these may be nobody's.

use std::collections::BTreeSet;

use super::policy::Policy;
use super::receipt::Stage;
use crate::entry::TimelineEntry;
use crate::workspace::{Content, Workspace};

/// How many channels are remembered.
const CHANNELS_MAX: usize = 1_000;

impl Workspace {
    /// Channels that took a message of some notifier, as far as receipts that can be read here say. Only a
    /// notifier's own host knows which it has.
    pub fn channels_used(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        let documents = self
            .spaces
            .values()
            .flat_map(|open| open.documents.values());
        for place in documents {
            let Content::Timeline(entries) = &place.content else {
                continue;
            };
            for written in entries {
                if let TimelineEntry::Notification(receipt) = &written.entry
                    && receipt.stage == Stage::Sent
                    && used.len() < CHANNELS_MAX
                    && !used.contains(&receipt.target.via)
                {
                    used.insert(receipt.target.via.clone());
                }
            }
        }
        used
    }
}

impl Policy {
    /// Channels that the policy names, each with the receivers that are told through it.
    pub fn channels(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let names: BTreeSet<&str> = self.receiver.values().map(|it| it.via.as_str()).collect();
        names.into_iter().filter(|via| !via.is_empty()).map(|via| {
            let receivers = self.receiver.iter().filter(|(_, it)| it.via == via);
            (via, receivers.map(|(name, _)| name.as_str()).collect())
        })
    }
}
