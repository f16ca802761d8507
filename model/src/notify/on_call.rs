//! Who is on call for a System now, by its own policy and those of the Systems that it belongs to.

use aramaki_sync_core::{SpaceId, Timestamp};

use super::rotation::{Duty, duty};
use crate::snapshot::Snapshot;

/// How many Systems around are looked at.
const POLICIES_MAX: usize = 64;

/// A schedule that decides for a System, and whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// Whose policy has it: the System itself, or one that it belongs to.
    pub policy: SpaceId,
    /// What that System is called.
    pub title: String,
    /// The schedule.
    pub schedule: String,
    /// Whose turn it is; none before its first handoff.
    pub duty: Option<Duty>,
    /// How whoever it is can be reached, as the policy says; empty if it does not.
    pub reach: String,
}

impl Snapshot {
    /// Who is on call for a System at a moment, the nearest policy first.
    pub fn on_call(&self, system: SpaceId, at: Timestamp) -> Vec<OnCall> {
        let around = self.graph.concerned(system).into_iter().take(POLICIES_MAX);
        let views = around.filter_map(|concern| self.system(&concern.system));
        let mut found = Vec::new();
        for view in views {
            let Some(policy) = &view.policy else {
                continue;
            };
            for (name, schedule) in &policy.schedule {
                let duty = duty(name, schedule, &view.on_call, at);
                let receiver = duty.as_ref().and_then(|it| policy.receiver.get(&it.who));
                found.push(OnCall {
                    policy: view.space,
                    title: view.title.clone(),
                    schedule: name.clone(),
                    reach: receiver.map(|it| it.to.clone()).unwrap_or_default(),
                    duty,
                });
            }
        }
        found
    }
}
