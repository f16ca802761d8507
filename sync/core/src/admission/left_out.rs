//! What closes alone keep from counting: a larger close gives it back (TRUST §4.3).

use std::collections::BTreeSet;

use super::evaluation::Evaluation;
use super::grant_chain::{grace_of, grant_in};
use super::log::SpaceLog;
use super::verdict::Verdict;
use crate::id::{AuthorId, EnvelopeId};
use crate::statement::Statement;
use crate::time::Timestamp;

/// An envelope that counts for nothing because a close, of its grant or of one above it, left it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which envelope.
    pub id: EnvelopeId,
    /// The grants under which it was written, the root's first.
    pub path: Vec<EnvelopeId>,
    /// Whether it arrived in this store before the end and grace of each of these: then a close that left
    /// it out knew less than this device, or lied. What others say of its arrival does not count here.
    pub in_time: bool,
}

impl Evaluation {
    /// What is cut by closes alone: no revocation, fork, date or missing grant keeps it from counting.
    /// Costs what is cut and what control there is, not all content.
    pub fn left_out(&self, log: &SpaceLog) -> Vec<LeftOut> {
        if !self.control().cuts().closes_any() {
            return Vec::new();
        }
        let control = log.control().map(|(entry, _statement)| entry.id());
        let cut = control.chain(self.cut_content());
        let cut = cut.filter(|id| self.verdict(*id) == Verdict::Cut);
        cut.filter_map(|id| {
            let entry = log.get(id)?;
            let path = self.control().left_out(log, entry)?.to_vec();
            let in_time = self.came_in_time(log, id);
            Some(LeftOut { id, path, in_time })
        })
        .collect()
    }

    /// Whether an envelope arrived in this store before the end and grace of every grant under which it was
    /// written. A witness's word of an earlier arrival is not asked: it may be false.
    pub fn came_in_time(&self, log: &SpaceLog, id: EnvelopeId) -> bool {
        let entry = log.get(id);
        entry.is_some_and(|entry| self.control().came_in_time(log, entry))
    }

    /// The grants from the root's to this one, whether they have ended or not; none when it has no way to the
    /// root.
    pub fn path(&self, log: &SpaceLog, grant: EnvelopeId) -> Option<&[EnvelopeId]> {
        let rooted = self.control().grants().get(log, grant).ok()?;
        Some(&rooted.path)
    }

    /// When a grant and its grace are over; none when it is not here or has no way to the root.
    pub fn ends_with_grace(&self, log: &SpaceLog, grant: EnvelopeId) -> Option<Timestamp> {
        let path = &self.control().grants().get(log, grant).ok()?.path;
        let end = grant_in(log, grant)?.end;
        Some(end.plus(grace_of(log, path)))
    }

    /// Who closed one of these grants, by closes that count.
    pub fn closers(&self, log: &SpaceLog, grants: &[EnvelopeId]) -> BTreeSet<AuthorId> {
        let closes = log.control().filter(|(entry, statement)| {
            let closes =
                matches!(statement, Statement::Close { target, .. } if grants.contains(target));
            closes && self.verdict(entry.id).counts()
        });
        closes
            .map(|(entry, _close)| entry.header.chain.author)
            .collect()
    }
}
