//! What became of trust in a Space, in order of time: read off the stored control statements.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::admission::{Entry, Evaluation, Fork, SpaceLog, Verdict};
use aramaki_sync_core::statement::{Cut, Grant, Statement, Wrap, WrapTo};
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, SpaceId, Timestamp};

use super::{Replica, ReplicaError};
use crate::driver;

/// One thing that became of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The statement; of what time did by itself, the grant.
    pub id: EnvelopeId,
    /// Whose key signed it.
    pub by: AuthorId,
    /// When, by the signer's clock: nothing proves it.
    pub at: Timestamp,
    /// When this device first had it.
    pub received: Timestamp,
    /// What it counts for now.
    pub verdict: Verdict,
    /// What it says.
    pub event: AuditEvent,
}

/// What a statement did to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent {
    /// Somebody was let in.
    Granted {
        /// As it was given.
        grant: Grant,
        /// The grants from which it descends, nearest the root first, as far as they are here.
        through: Vec<EnvelopeId>,
        /// What ended it; none: it holds.
        ended: Option<Ending>,
    },
    /// A grant's time came.
    Expired,
    /// Somebody ended a grant and all below it.
    Revoked {
        /// Which.
        target: EnvelopeId,
        /// Why, as a code.
        reason: u8,
        /// The grants that it ended; none when it was not heeded, or others were first.
        ended: Vec<EnvelopeId>,
    },
    /// A witness stated what it had when a grant's time had come.
    Closed {
        /// Which grant.
        target: EnvelopeId,
        /// The last statement that counts of each who used it or a grant below it.
        accepted: Vec<Cut>,
    },
    /// A new key for what is written from then on.
    Epoch {
        /// Its number.
        number: u64,
        /// To whom it was sealed.
        to: Vec<WrapTo>,
    },
    /// An epoch's key, sealed to readers that came late.
    EpochShared {
        /// Which epoch.
        epoch: EnvelopeId,
        /// To whom it was sealed.
        to: Vec<WrapTo>,
    },
    /// An emergency grant was opened.
    Opened {
        /// Which grant.
        grant: EnvelopeId,
        /// Why, in the words of whoever did it.
        reason: String,
    },
    /// An author signed two histories: its key is in two hands, or a copy of its disk was brought back.
    Forked {
        /// Whose chain, from which position on.
        chain: Chain,
        /// The position.
        seq: u64,
    },
    /// A reader found an epoch unfit.
    EpochRejected {
        /// Which epoch.
        epoch: EnvelopeId,
    },
}

/// How a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When, by the clock of whoever ended it.
    pub at: Timestamp,
    /// What ended it.
    pub how: HowEnded,
}

/// What ended a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HowEnded {
    /// Its own time.
    Time,
    /// A revocation, of it or of a grant above it.
    Revoked {
        /// The statement.
        by: EnvelopeId,
    },
    /// A close of it or of a grant above it, before which its time had come.
    Closed {
        /// The statement.
        by: EnvelopeId,
    },
    /// It counts no longer, or not yet: its verdict says why.
    NotStanding,
}

impl Replica {
    /// Who was let into a Space, through whom, what ended it, and to whom its keys were sealed, in
    /// order of time.
    ///
    /// # Errors
    /// When the Space is not here.
    pub async fn audit(&self, space: SpaceId) -> Result<Vec<AuditEntry>, ReplicaError> {
        let now = driver::now();
        self.inspect(move |engine| {
            let (log, evaluation) = (engine.log(space)?, engine.evaluation(space)?);
            Some(audit(log, evaluation, now))
        })
        .await?
        .ok_or(ReplicaError::UnknownSpace(space))
    }
}

fn audit(log: &SpaceLog, evaluation: &Evaluation, now: Timestamp) -> Vec<AuditEntry> {
    let standing: BTreeSet<EnvelopeId> = evaluation
        .members()
        .iter()
        .map(|member| member.grant)
        .chain(evaluation.audiences().iter().map(|it| it.grant))
        .collect();
    let mut entries = Vec::new();
    let mut ended_by: BTreeMap<EnvelopeId, Vec<EnvelopeId>> = BTreeMap::new();
    for (entry, statement) in log.control() {
        let Statement::Grant(grant) = statement else {
            continue;
        };
        let through = through(log, grant);
        let mut path = through.clone();
        path.push(entry.id());
        let ended = if standing.contains(&entry.id()) {
            (grant.end < now).then_some(Ending {
                at: grant.end,
                how: HowEnded::Time,
            })
        } else {
            Some(ending(log, evaluation, entry, grant, &path))
        };
        match ended.map(|it| it.how) {
            Some(HowEnded::Revoked { by }) => ended_by.entry(by).or_default().push(entry.id()),
            Some(HowEnded::Time) => entries.push(AuditEntry {
                at: grant.end,
                ..line(entry, evaluation, AuditEvent::Expired)
            }),
            _ => {}
        }
        let event = AuditEvent::Granted {
            grant: grant.clone(),
            through,
            ended,
        };
        entries.push(line(entry, evaluation, event));
    }
    for (entry, statement) in log.control() {
        let event = event(log, entry, statement, &mut ended_by);
        entries.extend(event.map(|event| line(entry, evaluation, event)));
    }
    for (chain, _proven) in log.forked_chains() {
        let Some(seq) = log.fork_seq(chain) else {
            continue;
        };
        let branches = log.at(chain, seq).filter_map(|id| log.get(id));
        // The last to arrive showed it.
        if let Some(entry) = branches.max_by_key(|entry| (entry.received(), entry.id())) {
            // That it forked is so, whatever becomes of what it wrote.
            entries.push(AuditEntry {
                verdict: Verdict::Admitted,
                ..line(entry, evaluation, AuditEvent::Forked { chain, seq })
            });
        }
    }
    // Within one millisecond a chain keeps its own order.
    let seq = |id| log.get(id).map(|entry| entry.header().seq);
    entries.sort_by_key(|entry| (entry.at, entry.received, seq(entry.id), entry.id));
    entries
}

/// What a statement did to trust, grants apart; none for what did nothing to it.
fn event(
    log: &SpaceLog,
    entry: &Entry,
    statement: &Statement,
    ended_by: &mut BTreeMap<EnvelopeId, Vec<EnvelopeId>>,
) -> Option<AuditEvent> {
    Some(match statement {
        Statement::Revoke { target, reason, .. } => AuditEvent::Revoked {
            target: *target,
            reason: *reason,
            ended: ended_by.remove(&entry.id()).unwrap_or_default(),
        },
        Statement::Close { target, cuts } => AuditEvent::Closed {
            target: *target,
            accepted: cuts.clone(),
        },
        Statement::Epoch(epoch) => AuditEvent::Epoch {
            number: epoch.number,
            to: to(&epoch.wraps),
        },
        Statement::EpochShare { epoch, wraps } => AuditEvent::EpochShared {
            epoch: *epoch,
            to: to(wraps),
        },
        Statement::EpochReject { epoch, .. } => AuditEvent::EpochRejected { epoch: *epoch },
        Statement::BreakGlass { reason } => AuditEvent::Opened {
            grant: entry.header().authority,
            reason: reason.clone(),
        },
        // A fork of which both branches are here is told by them.
        Statement::ForkProof { .. } => {
            let Fork { chain, seq, .. } = Fork::proven(log.space(), statement)?;
            if log.fork_seq(chain).is_some() {
                return None;
            }
            AuditEvent::Forked { chain, seq }
        }
        _ => return None,
    })
}

fn line(entry: &Entry, evaluation: &Evaluation, event: AuditEvent) -> AuditEntry {
    // Whoever gives up their own access cuts that statement with it, and it counts all the same.
    let ends = match event {
        AuditEvent::Revoked { target, .. } | AuditEvent::Closed { target, .. } => {
            evaluation.ended_by(target).any(|it| it == entry.id())
        }
        _ => false,
    };
    let verdict = if ends {
        Verdict::Admitted
    } else {
        evaluation.verdict(entry.id())
    };
    AuditEntry {
        id: entry.id(),
        by: entry.header().chain.author,
        at: entry.header().time,
        received: entry.received(),
        verdict,
        event,
    }
}

/// The grants above one, nearest the root first; a row that leads in a circle ends where it began.
fn through(log: &SpaceLog, grant: &Grant) -> Vec<EnvelopeId> {
    let mut through = Vec::new();
    let mut parent = grant.parent;
    while let Some(id) = parent.filter(|id| !through.contains(id)) {
        let above = log.get(id).and_then(|entry| entry.statement());
        let Some(Statement::Grant(above)) = above else {
            break;
        };
        through.push(id);
        parent = above.parent;
    }
    through.reverse();
    through
}

/// What ended a grant that stands no longer: the first that counts and names it or one above it.
fn ending(
    log: &SpaceLog,
    evaluation: &Evaluation,
    entry: &Entry,
    grant: &Grant,
    path: &[EnvelopeId],
) -> Ending {
    let ends = log.control().filter_map(|(other, statement)| {
        let by = other.id();
        let (target, how) = match statement {
            Statement::Revoke { target, .. } => (target, HowEnded::Revoked { by }),
            Statement::Close { target, .. } => (target, HowEnded::Closed { by }),
            _ => return None,
        };
        let counts = path.contains(target) && evaluation.ended_by(*target).any(|it| it == by);
        let at = other.header().time;
        counts.then_some((Ending { at, how }, (at, other.header().seq, by)))
    });
    let first = ends.min_by_key(|(_ending, place)| *place);
    match first {
        // Its time had come before anybody said so.
        Some((ending, _place)) if grant.end < ending.at => Ending {
            at: grant.end,
            how: HowEnded::Time,
        },
        Some((ending, _place)) => ending,
        None => Ending {
            at: entry.header().time,
            how: HowEnded::NotStanding,
        },
    }
}

fn to(wraps: &[Wrap]) -> Vec<WrapTo> {
    wraps.iter().map(|wrap| wrap.to).collect()
}
