//! What content that counts carries of what is below it, and what of that is cut by what its author knew.

use std::collections::BTreeSet;

use super::Evaluation;
use super::judged::Judged;
use crate::admission::entry::Entry;
use crate::admission::grant_chain::grant_in;
use crate::admission::known::Knowledge;
use crate::admission::log::SpaceLog;
use crate::admission::verdict::Verdict;
use crate::guard::{Guard, holds};
use crate::id::EnvelopeId;
use crate::statement::{Capability, Kind};

/// Whether its author may write documents: only then could they have written what it builds on.
pub(super) fn is_writers(log: &SpaceLog, entry: &Entry) -> bool {
    let authority = grant_in(log, entry.header.authority);
    authority.is_some_and(|grant| grant.capability >= Capability::Write)
}

impl Evaluation {
    /// After something was vouched for: what stands on it may be clean now.
    pub(super) fn clean_anew(&mut self, log: &SpaceLog) {
        for (rank, id) in std::mem::take(&mut self.unclean) {
            let (Some(entry), Some(judged)) = (log.get(id), self.judged.get(&id)) else {
                continue;
            };
            if !self.stands_clean(entry, judged.knows) {
                self.unclean.insert((rank, id));
            } else if let Some(judged) = self.judged.get_mut(&id) {
                judged.clean = true;
                self.raise_live_head(log, entry);
            }
        }
    }

    /// Whether all content below an envelope counts, or is cut by what it builds on.
    pub(super) fn stands_clean(&self, entry: &Entry, knows: Knowledge) -> bool {
        entry.links.iter().all(|link| {
            self.judged.get(link).is_none_or(|below| match below.kind {
                Kind::Control => below.clean,
                _ => below.verdict().counts() || self.knows_cut(knows, *link),
            })
        })
    }

    /// Remembers content that counts for nothing by itself.
    pub(super) fn note_doubtful(&mut self, log: &SpaceLog, entry: &Entry, judged: &Judged) {
        if entry.is_control() {
            return;
        }
        if judged.tainted || judged.is_refused_content() {
            self.refused.insert(entry.id);
        }
        if judged.own == Verdict::Cut {
            self.note_cut(log, entry);
        }
    }

    /// Remembers which statements cut content.
    fn note_cut(&mut self, log: &SpaceLog, entry: &Entry) {
        let cutting = self.control.cutting(log, entry);
        self.unknown_cut |= !cutting.iter().all(|by| self.known.covers(*by));
        let by = self.known.set(cutting);
        self.cut.insert(entry.id, by);
        self.cut_chains.insert(entry.header.chain);
    }

    /// Whether who knows this much knows that an envelope is cut.
    pub(super) fn knows_cut(&self, knows: Knowledge, id: EnvelopeId) -> bool {
        holds(Guard::KnownCuts)
            && self
                .cut
                .get(&id)
                .is_some_and(|by| self.known.meet(knows, *by))
    }

    /// Content that counts, by a writer, carries what is below it: its author could have written
    /// the same. Control and agents' configuration are never carried, nor what is cut by a statement
    /// that it builds on: who knew of that did not build on what it cuts.
    ///
    /// What is carried carries in turn, as one who knew less.
    pub(super) fn vouch(
        &mut self,
        log: &SpaceLog,
        by: &Entry,
        counting: &mut BTreeSet<EnvelopeId>,
    ) {
        let Some(judged) = self.judged.get_mut(&by.id) else {
            return;
        };
        judged.vouches = true;
        let knows = judged.knows;
        let mut open: Vec<_> = by.links.iter().map(|link| (*link, knows)).collect();
        let mut seen = BTreeSet::new();
        while let Some((id, knows)) = open.pop() {
            let known_cut = self.knows_cut(knows, id);
            let (Some(judged), Some(entry)) = (self.judged.get_mut(&id), log.get(id)) else {
                continue;
            };
            // Who vouched here itself knew no more.
            if judged.vouches {
                continue;
            }
            match judged.swept {
                Some(swept) if self.known.is_within(swept, knows) => continue,
                Some(swept) if !self.known.is_within(knows, swept) => {
                    if !seen.insert((id, knows)) {
                        continue;
                    }
                }
                _more_knowing => judged.swept = Some(knows),
            }
            let content = matches!(
                judged.kind,
                Kind::Changes | Kind::Snapshot | Kind::Merge | Kind::Entries
            );
            let carried = (content || !holds(Guard::OnlyContentVouched))
                && matches!(judged.own, Verdict::Held(_) | Verdict::Cut)
                && !known_cut;
            let knows = if carried {
                judged.vouches = true;
                judged.knows
            } else {
                knows
            };
            if carried && !judged.vouched {
                judged.vouched = true;
                self.vouched_anew = true;
                counting.insert(id);
                self.sealed_under.insert(entry.header.epoch);
                self.raise_live_head(log, entry);
            }
            open.extend(entry.links.iter().map(|link| (*link, knows)));
        }
    }
}
