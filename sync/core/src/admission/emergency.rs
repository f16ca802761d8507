//! Emergencies: who opened a Space by an emergency grant, why, since when and until when.

use super::evaluation::Evaluation;
use super::grant_chain::{emergency_over, grant_in};
use super::log::SpaceLog;
use crate::id::{AuthorId, EnvelopeId};
use crate::statement::{GrantFlags, Statement};
use crate::time::Timestamp;

/// An emergency grant at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyUse {
    /// The emergency grant.
    pub grant: EnvelopeId,
    /// Whose key: that of the emergency envelope.
    pub author: AuthorId,
    /// The statement that says why.
    pub statement: EnvelopeId,
    /// Why, in its author's words: others' text, as long as an envelope may be.
    pub reason: String,
    /// Since when, by its author's clock. Who learns of it after a day does not count it.
    pub since: Timestamp,
    /// Until when: the end of what was opened by it, at most a day after the reason.
    pub until: Timestamp,
    /// Devices that were let in by it and still are.
    pub opened_to: Vec<AuthorId>,
}

impl Evaluation {
    /// Emergencies that last at a time, the newest last. One ends by time, by the revocation of its
    /// grant, or when everyone whom it let in has left.
    pub fn emergencies(&self, log: &SpaceLog, now: Timestamp) -> Vec<EmergencyUse> {
        let mut uses = self.emergency_uses(log);
        uses.retain(|it| it.since <= now.plus(super::CLOCK_AHEAD_MAX) && now <= it.until);
        uses
    }

    /// What emergency grants that stand were ever used for, the newest last.
    pub fn emergency_uses(&self, log: &SpaceLog) -> Vec<EmergencyUse> {
        let reasons = self.roster.reasons.iter();
        let uses = reasons.filter_map(|id| self.emergency(log, *id));
        let mut uses: Vec<_> = uses.collect();
        uses.sort_by_key(|it| (it.since, it.statement));
        uses
    }

    fn emergency(&self, log: &SpaceLog, statement: EnvelopeId) -> Option<EmergencyUse> {
        let entry = log.get(statement)?;
        let Some(Statement::BreakGlass { reason }) = &entry.statement else {
            return None;
        };
        let (grant, chain) = (entry.header.authority, entry.header.chain);
        let is_first = log
            .first_under_its_grant(entry)
            .is_some_and(|first| first.id == statement);
        let given = grant_in(log, grant)?;
        let members = &self.roster.members;
        let stands = members.iter().any(|it| it.grant == grant);
        if !given.flags.has(GrantFlags::BREAK_GLASS) || !is_first || !stands {
            return None;
        }
        let over = emergency_over(log, entry).min(given.end);
        // What its own key says counts for a day; whom that key let in may have less.
        let (mut wrote, mut let_in) = (false, false);
        for own in log.after(chain, entry.header.seq) {
            if own.header.authority == grant {
                wrote |= !own.is_control();
                let_in |= matches!(own.statement, Some(Statement::Grant(_)));
            }
        }
        let opened = members.iter().filter(|it| {
            let by = it.through.last().filter(|above| **above == grant);
            let here = log.get(it.grant).map(|it| it.header.chain);
            by.is_some() && here == Some(chain)
        });
        let until = if wrote || !let_in {
            over
        } else {
            let ends = opened.clone().map(|it| it.end);
            ends.max().map_or(Timestamp::ZERO, |end| end.min(over))
        };
        Some(EmergencyUse {
            grant,
            author: chain.author,
            statement,
            reason: reason.clone(),
            since: entry.header.time,
            until,
            opened_to: opened.map(|it| it.author).collect(),
        })
    }
}
