//! The verdicts over a log, kept up to date as it grows.
//!
//! Control is evaluated as a whole when a control statement or fork arrives; content follows one by
//! one. Content waits for what it builds on, is refused with it, and vouches for it.

mod judged;
mod vouching;

use std::collections::{BTreeMap, BTreeSet};

use self::judged::Judged;
use self::vouching::is_writers;
use super::additions::Awaited;
use super::control::{CLOCK_AHEAD_MAX, Control, is_future};
use super::entry::Entry;
use super::grant_chain::grant_in;
use super::known::{Knowledge, Known};
use super::log::SpaceLog;
use super::roster::{Outsiders, Roster};
use super::verdict::{Held, Refreshed, Verdict};
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, Chain, EnvelopeId};
use crate::statement::{Capability, Statement};
use crate::time::Timestamp;

/// The verdicts over one log, and who is in its Space.
///
/// **Invariant:** follows one log only; [`Evaluation::refresh`] after every change of it.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    judged: BTreeMap<EnvelopeId, Judged>,
    waiting: BTreeMap<EnvelopeId, Vec<EnvelopeId>>,
    /// What is not clean, by its rank: it may become so when something below it is vouched for.
    unclean: BTreeSet<(u64, EnvelopeId)>,
    /// Something was vouched for since that was looked through.
    vouched_anew: bool,
    undecided: BTreeSet<EnvelopeId>,
    /// In which chains: looked at before every write.
    undecided_chains: BTreeSet<Chain>,
    live_heads: BTreeMap<Chain, (u64, EnvelopeId)>,
    named: BTreeSet<EnvelopeId>,
    /// Epochs that an administrator issued or wrote under.
    pub(super) confirmed_epochs: BTreeSet<EnvelopeId>,
    /// Epochs under which something that counts is sealed.
    sealed_under: BTreeSet<EnvelopeId>,
    control: Control,
    known: Known,
    /// Content that is cut, with the statements that cut it; none for a fork.
    cut: BTreeMap<EnvelopeId, Knowledge>,
    /// In which chains: looked at before every write, when a spammer's may be thousands.
    cut_chains: BTreeSet<Chain>,
    /// Content that never counts, by itself or for what it builds on.
    refused: BTreeSet<EnvelopeId>,
    /// Something cuts content that cut none when it was last looked which statements do.
    unknown_cut: bool,
    awaited: Awaited,
    pub(super) roster: Roster,
    pub(super) outsiders: Outsiders,
    /// How many arrivals were looked at, and of which state of control.
    arrivals: usize,
    revision: Option<u64>,
    due: Option<Timestamp>,
    ranks: u64,
}

/// Judges a whole log. [`Evaluation::refresh`] follows it as it grows.
pub fn evaluate(log: &SpaceLog, outsiders: &Outsiders, now: Timestamp) -> Evaluation {
    let mut evaluation = Evaluation::default();
    evaluation.refresh(log, outsiders, now);
    evaluation
}

impl Evaluation {
    /// Follows a log that grew, other Spaces that changed, or time that passed.
    ///
    /// Cost: a few map look-ups for each new envelope that can only add; a control statement that may
    /// take away costs one pass over control, and one over everything if it changes what earlier
    /// content counts for.
    pub fn refresh(&mut self, log: &SpaceLog, outsiders: &Outsiders, now: Timestamp) -> Refreshed {
        if self.outsiders != *outsiders {
            self.outsiders = outsiders.clone();
        }
        let due = self.due.is_some_and(|due| due <= now);
        let control = self.revision != Some(log.control_revision());
        let added = !due && control && self.add_control(log, now);
        let mut refreshed = if due || (control && !added && !self.follow_control(log, now)) {
            self.judge_all(log, now)
        } else {
            self.follow_content(log, now)
        };
        // A fork that content settled judges everything anew, members too.
        refreshed.control |= due || control;
        if refreshed.control && !(added && self.add_to_roster(log)) {
            self.roster = Roster::of(log, self, &self.control);
        }
        self.arrivals = log.len();
        self.revision = Some(log.control_revision());
        refreshed
    }

    /// Takes in control that can only add. False when control must be evaluated anew.
    fn add_control(&mut self, log: &SpaceLog, now: Timestamp) -> bool {
        if self.revision.is_none() || log.forked_chains().next().is_some() {
            return false;
        }
        let arrived = log.arrived_after(self.arrivals);
        let arrived: Vec<_> = arrived.filter(|entry| entry.is_control()).collect();
        self.control.add(log, &arrived, &mut self.awaited, now)
    }

    /// Writes what was just added into the roster. False when that must be read off anew.
    fn add_to_roster(&mut self, log: &SpaceLog) -> bool {
        let added = log
            .arrived_after(self.arrivals)
            .filter(|entry| entry.is_control() && self.verdict(entry.id) == Verdict::Admitted);
        let added: Vec<_> = added.collect();
        self.roster.add_all(log, &self.control, &added)
    }

    /// Evaluates control anew. False when earlier content must be judged again.
    fn follow_control(&mut self, log: &SpaceLog, now: Timestamp) -> bool {
        let before = std::mem::replace(&mut self.control, Control::evaluate(log, now));
        if self.revision.is_none()
            || log.forked_chains().next().is_some()
            || !self.control.judges_content_like(&before)
        {
            return false;
        }
        let same = self.undecided.iter().all(|id| {
            let (Some(entry), Some(judged)) = (log.get(*id), self.judged.get(id)) else {
                return false;
            };
            self.control.judge(log, entry, now) == judged.own
        });
        // Control that counts otherwise than before is rare and may take others with it.
        same && log.control().all(|(entry, _statement)| {
            self.judged
                .get(&entry.id)
                .is_none_or(|judged| self.control.judge(log, entry, now) == judged.own)
        })
    }

    fn follow_content(&mut self, log: &SpaceLog, now: Timestamp) -> Refreshed {
        let mut admitted = self.judge_new(log, now);
        let settles_fork = |id: &EnvelopeId| {
            log.get(*id)
                .is_some_and(|entry| log.forked_at(entry.header.chain).is_some())
        };
        if !admitted.iter().any(settles_fork) && !self.unknown_cut {
            return Refreshed {
                admitted: self.by_rank(admitted.into_iter().collect()),
                ..Refreshed::default()
            };
        }
        // A branch of a fork that was vouched for just now may take others with it, and what a statement
        // cuts decides who may vouch for it.
        let mut refreshed = self.judge_all(log, now);
        refreshed.withdrawn.retain(|id| !admitted.contains(id));
        admitted.retain(|id| self.verdict(*id).counts());
        refreshed.admitted.extend(admitted);
        refreshed.admitted = self.by_rank(refreshed.admitted);
        refreshed
    }

    fn judge_all(&mut self, log: &SpaceLog, now: Timestamp) -> Refreshed {
        let counted = |judged: &BTreeMap<EnvelopeId, Judged>| -> BTreeSet<EnvelopeId> {
            let counting = judged.iter().filter(|(_id, it)| it.verdict().counts());
            counting.map(|(id, _judged)| *id).collect()
        };
        let before = counted(&self.judged);
        let control = Control::evaluate(log, now);
        let cutting: BTreeSet<_> = if control.cuts().is_empty() {
            BTreeSet::new()
        } else {
            let content = log.iter().filter(|entry| !entry.is_control());
            content
                .filter(|entry| control.judge(log, entry, now) == Verdict::Cut)
                .flat_map(|entry| control.cutting(log, entry))
                .collect()
        };
        *self = Self {
            control,
            known: Known::of(&cutting),
            outsiders: std::mem::take(&mut self.outsiders),
            ..Self::default()
        };
        self.judge_new(log, now);
        if log.forked_chains().next().is_some() {
            self.quarantine(log);
            self.find_live_heads(log);
        }
        let after = counted(&self.judged);
        Refreshed {
            admitted: self.by_rank(after.difference(&before).copied().collect()),
            withdrawn: before.difference(&after).copied().collect(),
            control: true,
        }
    }

    /// Judges what arrived. Returns what counts now and did not before.
    fn judge_new(&mut self, log: &SpaceLog, now: Timestamp) -> BTreeSet<EnvelopeId> {
        let mut counting = BTreeSet::new();
        let mut open = Vec::new();
        for entry in log.arrived_after(self.arrivals) {
            open.push(entry.id);
            while let Some(id) = open.pop() {
                let Some(entry) = log.get(id) else { continue };
                self.settle(log, entry, now, &mut counting);
                if self.judged.get(&id).is_some_and(|judged| !judged.waits) {
                    open.extend(self.waiting.remove(&id).unwrap_or_default());
                }
            }
        }
        if std::mem::take(&mut self.vouched_anew) {
            self.clean_anew(log);
        }
        counting
    }

    fn by_rank(&self, mut ids: Vec<EnvelopeId>) -> Vec<EnvelopeId> {
        ids.sort_by_cached_key(|id| self.judged.get(id).map(|judged| judged.rank));
        ids
    }

    fn settle(
        &mut self,
        log: &SpaceLog,
        entry: &Entry,
        now: Timestamp,
        counting: &mut BTreeSet<EnvelopeId>,
    ) {
        if is_future(entry, now) {
            let due = entry.header.time.minus(CLOCK_AHEAD_MAX);
            self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        }
        let counted = self.verdict(entry.id).counts();
        let own = self.control.judge(log, entry, now);
        self.awaited.note(entry, own);
        if !entry.is_control() && matches!(own, Verdict::Held(_)) {
            self.undecided.insert(entry.id);
            self.undecided_chains.insert(entry.header.chain);
        }
        let mut judged = Judged {
            own,
            kind: entry.header.kind,
            waits: false,
            tainted: false,
            vouched: false,
            quarantined: false,
            clean: true,
            vouches: false,
            swept: None,
            knows: Knowledge::default(),
            rank: self.ranks,
        };
        self.ranks += 1;
        if let Some(Statement::Revoke { .. } | Statement::Close { .. }) = &entry.statement {
            judged.knows = self.known.set([entry.id]);
        }
        for link in &entry.links {
            match self.judged.get(link).filter(|below| !below.waits) {
                None => {
                    judged.waits = true;
                    self.waiting.entry(*link).or_default().push(entry.id);
                    break;
                }
                Some(below) => {
                    let tainted = below.tainted || below.is_refused_content();
                    judged.tainted |= tainted && holds(Guard::Tainted);
                    judged.quarantined |= below.quarantined;
                    judged.knows = self.known.union(judged.knows, below.knows);
                }
            }
        }
        judged.clean = self.stands_clean(entry, judged.knows);
        self.note_doubtful(log, entry, &judged);
        if entry.is_control() {
            self.judged.insert(entry.id, judged);
        } else {
            // What vouches leaves nothing below that does not count.
            let vouches = is_writers(log, entry) || !holds(Guard::WritersVouch);
            judged.clean |= vouches;
            self.judged.insert(entry.id, judged);
            if vouches && judged.own == Verdict::Admitted && !judged.waits && !judged.tainted {
                self.vouch(log, entry, counting);
            }
        }
        if !judged.clean {
            self.unclean.insert((judged.rank, entry.id));
        }
        if judged.verdict().counts() && !counted {
            counting.insert(entry.id);
        }
        if judged.verdict().counts() && !entry.is_control() {
            self.sealed_under.insert(entry.header.epoch);
        }
        self.raise_live_head(log, entry);
    }

    fn raise_live_head(&mut self, log: &SpaceLog, entry: &Entry) {
        if !self.judged.get(&entry.id).is_some_and(Judged::is_clean) {
            return;
        }
        let authority = grant_in(log, entry.header.authority);
        if authority.is_some_and(|grant| grant.capability == Capability::Administer) {
            let epoch = if entry.is_control() {
                entry.id
            } else {
                entry.header.epoch
            };
            self.confirmed_epochs.insert(epoch);
        }
        self.named.extend(&entry.header.ancestors);
        let place = (entry.header.seq, entry.id);
        let head = self.live_heads.entry(entry.header.chain).or_insert(place);
        if head.0 < place.0 {
            *head = place;
        }
    }

    fn find_live_heads(&mut self, log: &SpaceLog) {
        self.live_heads.clear();
        self.named.clear();
        self.confirmed_epochs.clear();
        for entry in log.iter() {
            self.raise_live_head(log, entry);
        }
    }

    /// Where two branches of a fork both count, one stands: what is admitted before what is
    /// vouched for, then the lower id. What rests on the other waits.
    fn quarantine(&mut self, log: &SpaceLog) {
        let mut above: BTreeMap<EnvelopeId, Vec<EnvelopeId>> = BTreeMap::new();
        for entry in log.iter() {
            for link in &entry.links {
                above.entry(*link).or_default().push(entry.id);
            }
        }
        let places: BTreeSet<(u64, Chain)> = log
            .forked_chains()
            .flat_map(|(chain, seq)| log.after(chain, seq - 1))
            .map(|entry| (entry.header.seq, entry.header.chain))
            .collect();
        // From below: a lower decision takes what rests on its loser out of the higher ones.
        for (seq, chain) in places {
            let standing = |id: EnvelopeId| {
                let judged = self.judged.get(&id).filter(|it| !it.quarantined)?;
                let verdict = judged.verdict();
                verdict.counts().then_some((verdict, id))
            };
            let mut live: Vec<_> = log.at(chain, seq).filter_map(standing).collect();
            live.sort_unstable();
            let mut open: Vec<_> = live.into_iter().skip(1).map(|(_verdict, id)| id).collect();
            while let Some(id) = open.pop() {
                let Some(judged) = self.judged.get_mut(&id) else {
                    continue;
                };
                if !std::mem::replace(&mut judged.quarantined, true) {
                    open.extend(above.get(&id).into_iter().flatten());
                }
            }
        }
    }

    pub(super) fn control(&self) -> &Control {
        &self.control
    }

    /// Content that is cut by itself; some of it may be vouched for.
    pub(super) fn cut_content(&self) -> impl Iterator<Item = EnvelopeId> + '_ {
        self.cut.keys().copied()
    }

    /// When time alone may change a verdict: call [`Evaluation::refresh`] then.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.due
    }

    /// What an envelope counts for.
    pub fn verdict(&self, id: EnvelopeId) -> Verdict {
        let unknown = Verdict::Held(Held::Unknown);
        self.judged.get(&id).map_or(unknown, Judged::verdict)
    }

    /// The statements that end a grant. Whoever gives up their own cuts that statement too, and it ends it
    /// all the same.
    pub fn ended_by(&self, grant: EnvelopeId) -> impl Iterator<Item = EnvelopeId> {
        self.control.cuts().statements(grant)
    }

    /// Everything that counts, each after what it builds on.
    pub fn in_order(&self) -> Vec<EnvelopeId> {
        let counting = self.judged.iter().filter(|(_id, it)| it.verdict().counts());
        self.by_rank(counting.map(|(id, _judged)| *id).collect())
    }

    /// What is refused, and content that is cut: shown, never dropped in silence. What closes alone cut is among it
    /// ([`Evaluation::left_out`]). Costs what there is of that and what control there is, not all content.
    pub fn not_counting(&self, log: &SpaceLog) -> Vec<(EnvelopeId, Verdict)> {
        let refused = |id: &EnvelopeId| matches!(self.verdict(*id), Verdict::Refused(_));
        let control = log.control().map(|(entry, _statement)| entry.id);
        let mut ids: BTreeSet<_> = control.filter(refused).collect();
        ids.extend(self.refused.iter().filter(|id| refused(id)));
        ids.extend(
            self.cut
                .keys()
                .filter(|id| self.verdict(**id) == Verdict::Cut),
        );
        ids.into_iter().map(|id| (id, self.verdict(id))).collect()
    }

    /// Content that is cut or waits by itself and counts because honest work stands on it. Costs what there is of that.
    pub fn vouched(&self) -> Vec<(EnvelopeId, Verdict)> {
        let doubtful = self.cut.keys().chain(&self.undecided);
        let judged = doubtful.map(|id| (*id, self.verdict(*id)));
        judged.filter(|(_id, it)| *it == Verdict::Vouched).collect()
    }

    /// Who ended a grant so that an envelope is cut; nobody when a fork cut it.
    pub fn cut_by(&self, log: &SpaceLog, id: EnvelopeId) -> BTreeSet<AuthorId> {
        let Some(entry) = log.get(id) else {
            return BTreeSet::new();
        };
        let statements = self.control.cutting(log, entry);
        let statements = statements.iter().filter_map(|by| log.get(*by));
        statements.map(|by| by.header.chain.author).collect()
    }

    /// Everything that waits, with the reason. Costs what waits and what control there is, not all
    /// content, unless a chain is forked.
    pub fn held(&self, log: &SpaceLog) -> Vec<(EnvelopeId, Held)> {
        let held = |id: EnvelopeId| match self.verdict(id) {
            Verdict::Held(held) => Some((id, held)),
            _ => None,
        };
        if log.forked_chains().next().is_some() {
            return self.judged.keys().copied().filter_map(held).collect();
        }
        let mut ids = self.undecided.clone();
        ids.extend(log.control().map(|(entry, _statement)| entry.id));
        ids.extend(self.waiting.values().flatten());
        ids.into_iter().filter_map(held).collect()
    }

    /// The heads of what counts in other chains, on which nothing else that counts builds: what the
    /// next envelope of `chain` names as ancestors. Who names an envelope vouches for all below it,
    /// so nothing cut, held or refused is ever below these. May be longer than one header can
    /// name: then merge envelopes go first.
    pub fn frontier(&self, chain: Chain) -> Vec<EnvelopeId> {
        let mut frontier: Vec<_> = self
            .live_heads
            .iter()
            .filter(|(other, (_seq, id))| **other != chain && !self.named.contains(id))
            .map(|(_other, (_seq, id))| *id)
            .collect();
        frontier.sort_unstable();
        frontier
    }

    /// Epochs under which something that counts was sealed, by id; they may not count themselves.
    pub(super) fn sealed_under(&self) -> &BTreeSet<EnvelopeId> {
        &self.sealed_under
    }

    /// Whether what is written next in this chain can count: a chain with refused content at or
    /// below its head is over, and its author begins a new instance. So does who was let in again after
    /// something of theirs was cut, and whose clock was ahead when they wrote: documents without what is cut
    /// or waits count their changes otherwise.
    pub fn is_chain_usable(&self, log: &SpaceLog, chain: Chain) -> bool {
        let refused = log.branch_heads(chain).any(|(_seq, id)| {
            self.judged
                .get(&id)
                .is_none_or(|it| it.tainted || it.is_refused_content())
        });
        let is_missing_here = |id: &EnvelopeId| {
            let entry = log.get(*id).filter(|entry| entry.header.chain == chain);
            entry.is_some() && !self.verdict(*id).counts()
        };
        let cut = self.cut_chains.contains(&chain) && self.cut.keys().any(is_missing_here);
        let waits =
            self.undecided_chains.contains(&chain) && self.undecided.iter().any(is_missing_here);
        !refused && !cut && !waits
    }

    /// Per witness the highest position of a chain that it says it holds, and when it said so.
    pub fn receipts(&self, chain: Chain) -> Vec<(AuthorId, u64, Timestamp)> {
        self.control.receipts().of(chain)
    }
}
