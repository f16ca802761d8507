//! When checks and agents ceased to be looked at.

use std::collections::BTreeMap;

use aramaki_sync_core::Timestamp;

use super::Seen;
use crate::alert::agent_check;
use crate::id::CheckId;
use crate::severity::Severity;
use crate::system::System;

impl Seen<'_> {
    /// When it was known last that a check is looked at no more: it was turned off or taken away, a machine let it
    /// out, or its agent wrote down that its problem ends. An agent that was removed stands where a check does.
    pub(super) fn ended(&self, system: &System) -> BTreeMap<CheckId, Timestamp> {
        let mut ended = system.lives.checks_off.clone();
        let mut add = |check, at: Timestamp| {
            let last = ended.entry(check).or_insert(at);
            *last = at.max(*last);
        };
        for (agent, link, taken) in system.removed_agents() {
            add(agent_check(&agent), taken.at);
            let journal = self.view.journals.get(&(agent, link.author));
            for check in journal.into_iter().flat_map(|it| it.declared.keys()) {
                add(*check, taken.at);
            }
        }
        let links = system.agents.iter().map(|(agent, it)| (*agent, it.author));
        for journal in links.filter_map(|link| self.view.journals.get(&link)) {
            for (check, former) in &journal.former {
                add(*check, former.since);
            }
            let records = journal.checks.iter();
            let records = records.filter(|(_, it)| it.hard == Severity::Missing);
            for (check, record) in records {
                add(*check, record.hard_since);
            }
        }
        ended
    }
}
