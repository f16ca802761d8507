//! All receipts together: what was told of which alert, to whom, and when.

use std::collections::BTreeMap;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::id::NotificationId;
use super::receipt::{Receipt, ReceiptItem, Stage, State, Target};
use crate::alert::AlertId;
use crate::id::CheckId;

/// Marks that are kept of one alert; a notifier that writes more is broken.
const MARKS_MAX: usize = 4_096;

/// Whether this notifier wrote a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This one.
    Own,
    /// Another one.
    Other,
}

/// What one receipt says of one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which notification.
    pub id: NotificationId,
    /// What of the alert; none: a state of a newer program.
    pub state: Option<State>,
    /// Which step, from 0.
    pub step: u16,
    /// When.
    pub at: Timestamp,
    /// Since when the alert was open, as it was told.
    pub opened: Option<Timestamp>,
    /// How far it came.
    pub stage: Stage,
    /// Whose receipt it is.
    pub whose: Whose,
    /// What the policy called whom it was for.
    pub receiver: String,
    /// Where it went.
    pub target: Target,
    /// Whose policy decided: the System in whose timeline the receipt is.
    pub policy: SpaceId,
    /// The group.
    pub group: SpaceId,
    /// Of which System the alert is.
    pub system: SpaceId,
    /// Of which check.
    pub check: CheckId,
}

/// All receipts together.
///
/// **Invariant:** it does not matter in which order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    alerts: BTreeMap<AlertId, Vec<Mark>>,
    flushed: BTreeMap<(Target, SpaceId), Timestamp>,
}

impl Record {
    /// Takes a receipt in, from the timeline of the System whose policy decided.
    pub fn take(&mut self, policy: SpaceId, receipt: &Receipt, whose: Whose) {
        if receipt.stage == Stage::Sent {
            let group = (receipt.target.clone(), receipt.group);
            let last = self.flushed.entry(group).or_insert(receipt.at);
            *last = receipt.at.max(*last);
        }
        let mark = |item: &ReceiptItem| Mark {
            id: item.id,
            state: State::from_code(item.state),
            step: item.step,
            at: receipt.at,
            opened: item.opened,
            stage: receipt.stage,
            whose,
            receiver: receipt.receiver.clone(),
            target: receipt.target.clone(),
            policy,
            group: receipt.group,
            system: item.system,
            check: item.check,
        };
        for item in &receipt.items {
            let marks = self.alerts.entry(item.alert()).or_default();
            if marks.len() < MARKS_MAX {
                marks.push(mark(item));
            }
        }
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// The alerts of which anything was told.
    pub fn alerts(&self) -> impl Iterator<Item = (&AlertId, &[Mark])> {
        self.alerts
            .iter()
            .map(|(alert, marks)| (alert, marks.as_slice()))
    }

    /// What was told of an alert.
    pub fn of(&self, alert: &AlertId) -> &[Mark] {
        self.alerts.get(alert).map_or(&[], Vec::as_slice)
    }

    /// When a group's last message went out.
    pub(super) fn flushed(&self, target: &Target, group: SpaceId) -> Option<Timestamp> {
        self.flushed.get(&(target.clone(), group)).copied()
    }

    /// Whom a problem may have reached, each once, as the last receipt has them.
    pub(super) fn told(&self, alert: &AlertId) -> Vec<&Mark> {
        let mut told: BTreeMap<&Target, &Mark> = BTreeMap::new();
        for mark in self.of(alert) {
            let is_problem = matches!(mark.state, Some(State::Problem(_)));
            if !is_problem || !mark.stage.may_have_arrived() {
                continue;
            }
            let newest = told.entry(&mark.target).or_insert(mark);
            // Equal times are told apart by what does not depend on the order of arrival.
            if (newest.at, newest.policy, newest.id) < (mark.at, mark.policy, mark.id) {
                *newest = mark;
            }
        }
        told.into_values().collect()
    }
}
