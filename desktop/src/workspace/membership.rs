//! Who came and left, from the control statements of a System's Space to its timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::{Membership, MembershipChange};
use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded, REASON_LOST};
use aramaki_sync_core::statement::{Audience, Capability, Grant, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::emergency::shown_reason;
use super::live::Live;

/// What of one person ends within this is one end: whoever loses a device loses each of its grants by a
/// statement of its own.
const ONE_END: Duration = Duration::from_mins(1);

impl Live {
    /// Puts who came and left on a System's timeline.
    pub(super) async fn follow_members(&self, space: SpaceId) {
        if !self.is_system(space) {
            return;
        }
        match self.replica().audit(space).await {
            Ok(entries) => self.model().set_membership(space, changes(space, &entries)),
            Err(error) => tracing::debug!(%error, %space, "who came and left cannot be read"),
        }
    }
}

/// What is worth a line: people and agents who were let in, and whose access ended. A Space's own
/// beginning, codes that nobody used yet, and relays, which read nothing, are left to the audit.
fn changes(space: SpaceId, entries: &[AuditEntry]) -> Vec<MembershipChange> {
    let Held {
        holders,
        sealed,
        codes,
    } = held(entries);
    let mut changes = Vec::new();
    let mut forked = BTreeSet::new();
    for entry in entries {
        let change = |who: AuthorId, what| MembershipChange {
            at: entry.at,
            statement: entry.id,
            by: Some(entry.by),
            who,
            what,
        };
        match &entry.event {
            AuditEvent::Granted { grant, .. } => {
                let given = Membership::Given {
                    may: grant.capability,
                    end: grant.end,
                    by_code: grant.parent.is_some_and(|parent| codes.contains(&parent)),
                };
                let begins = entry.by.as_bytes() == space.as_bytes();
                let held = holders.get(&entry.id).filter(|_held| !begins);
                // What is no more than what they have says nothing, until that ends.
                let held = held.filter(|it| !it.is_had(&holders, (entry.id, grant.end)));
                changes.extend(held.map(|held| change(held.who, given)));
            }
            AuditEvent::Opened { grant, reason } => {
                let opened = Membership::Opened {
                    reason: shown_reason(reason),
                };
                let counts = sealed.contains(grant) && entry.verdict.counts();
                changes.extend(counts.then(|| change(entry.by, opened)));
            }
            AuditEvent::Expired => {
                let held = holders.get(&entry.id);
                let held = held.filter(|it| it.is_told(&holders, (entry.id, entry.at)));
                changes.extend(held.map(|held| MembershipChange {
                    by: None,
                    ..change(
                        held.who,
                        held.less(&holders, entry.at).unwrap_or(Membership::Expired),
                    )
                }));
            }
            AuditEvent::Revoked {
                target,
                reason,
                ended,
            } => {
                let whose = holders.get(target).map(|it| it.who);
                let ended = told(&holders, ended, entry.at);
                let what = |held: &Holding| {
                    let ended = || Membership::Ended {
                        target: *target,
                        reason: String::new(),
                        lost: *reason == REASON_LOST && whose == Some(held.who),
                    };
                    held.less(&holders, entry.at).unwrap_or_else(ended)
                };
                changes.extend(ended.map(|held| change(held.who, what(held))));
            }
            // Of several proofs of one chain the first is told.
            AuditEvent::Forked { chain, .. } if forked.insert(*chain) => {
                changes.push(change(chain.author, Membership::TwoHistories));
            }
            _ => {}
        }
    }
    changes
}

/// Of what ended at a moment, what is worth a line.
fn told<'a>(
    holders: &'a BTreeMap<EnvelopeId, Holding>,
    ended: &'a [EnvelopeId],
    at: Timestamp,
) -> impl Iterator<Item = &'a Holding> {
    let ended = ended.iter().filter_map(|id| Some((*id, holders.get(id)?)));
    let told = ended.filter(move |(id, it)| it.is_told(holders, (*id, at)));
    told.map(|(_id, held)| held)
}

/// Who held what by which grant, and which grants are nobody's.
struct Held {
    holders: BTreeMap<EnvelopeId, Holding>,
    sealed: BTreeSet<EnvelopeId>,
    codes: BTreeSet<EnvelopeId>,
}

fn held(entries: &[AuditEntry]) -> Held {
    let mut holders: BTreeMap<EnvelopeId, Holding> = BTreeMap::new();
    let mut sealed: BTreeSet<EnvelopeId> = BTreeSet::new();
    let mut codes: BTreeSet<EnvelopeId> = BTreeSet::new();
    for entry in entries {
        let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
            continue;
        };
        if grant.flags.has(GrantFlags::BREAK_GLASS) {
            sealed.insert(entry.id);
        }
        if grant.flags.has(GrantFlags::INVITATION) {
            codes.insert(entry.id);
        }
        let Some(who) = reader(grant) else {
            continue;
        };
        // What never counted gave nobody anything, whoever wrote it; nor does a second grant to oneself.
        // Nor does what was over before its time came: of a lost device that goes on, or of a clock that is ahead.
        let stood = match ended {
            None => entry.verdict.counts(),
            Some(ending) => ending.how != HowEnded::NotStanding && ending.at > entry.at,
        };
        if who != entry.by && stood {
            let end = ended.map_or(grant.end, |ending| ending.at.min(grant.end));
            holders.insert(
                entry.id,
                Holding {
                    who,
                    may: grant.capability,
                    time: (entry.at, end),
                },
            );
        }
    }
    Held {
        holders,
        sealed,
        codes,
    }
}

/// What somebody held by one grant, from when it was given until it ended.
struct Holding {
    who: AuthorId,
    may: Capability,
    time: (Timestamp, Timestamp),
}

impl Holding {
    /// Whether its holder may do as much until as late by another grant that was there before.
    fn is_had(
        &self,
        holders: &BTreeMap<EnvelopeId, Self>,
        (id, end): (EnvelopeId, Timestamp),
    ) -> bool {
        let given = |it: &Self| it.time.0;
        holders.iter().any(|(other, it)| {
            let before = (given(it), *other) < (given(self), id);
            it.who == self.who && before && it.may >= self.may && it.time.1 >= end
        })
    }

    /// Whether its end is worth a line: its holder loses something by it, and it is the last of what ends in
    /// one step.
    fn is_told(
        &self,
        holders: &BTreeMap<EnvelopeId, Self>,
        (id, at): (EnvelopeId, Timestamp),
    ) -> bool {
        let is_later = |other: &EnvelopeId, it: &Self| {
            let (given, end) = it.time;
            let in_step = at <= end && end <= at.plus(ONE_END);
            it.who == self.who && given <= at && in_step && (end, *other) > (at, id)
        };
        let goes_on = self.keeps(holders, at).is_some_and(|it| it.may >= self.may);
        !goes_on && !holders.iter().any(|(other, it)| is_later(other, it))
    }

    /// What its holder keeps when it ends, if that is anything.
    fn less(&self, holders: &BTreeMap<EnvelopeId, Self>, at: Timestamp) -> Option<Membership> {
        let less = self.keeps(holders, at)?;
        Some(Membership::Given {
            may: less.may,
            end: less.time.1,
            by_code: false,
        })
    }

    /// The most that its holder may after a moment by other grants: a renewal, or what was given anew to
    /// whoever stays when a device above them was lost.
    fn keeps<'a>(
        &self,
        holders: &'a BTreeMap<EnvelopeId, Self>,
        at: Timestamp,
    ) -> Option<&'a Self> {
        let others = holders.values().filter(|other| {
            let (given, end) = other.time;
            other.who == self.who && given <= at && end > at.plus(ONE_END)
        });
        others.max_by_key(|it| (it.may, it.time.1))
    }
}

fn reader(grant: &Grant) -> Option<AuthorId> {
    let reads = grant.capability >= Capability::Read;
    match grant.audience {
        Audience::Author(who) if reads && !grant.flags.has(GrantFlags::INVITATION) => {
            // A key that lies in an envelope is nobody yet.
            (!grant.flags.has(GrantFlags::BREAK_GLASS)).then_some(who)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aramaki_sync::replica::{Ending, REASON_NONE};
    use aramaki_sync_core::PrincipalId;
    use aramaki_sync_core::admission::Verdict;

    use super::*;

    const DAY: i64 = 24 * 3_600_000;

    fn id(n: u8) -> EnvelopeId {
        EnvelopeId::from_bytes([n; 32])
    }

    fn at(time: i64) -> Timestamp {
        Timestamp::from_millis(time)
    }

    fn entry(n: u8, time: i64, event: AuditEvent) -> AuditEntry {
        AuditEntry {
            id: id(n),
            by: AuthorId::from_bytes([1; 32]),
            at: at(time),
            received: at(time),
            verdict: Verdict::Admitted,
            event,
        }
    }

    /// The colleague is given something, which ends by itself or before.
    fn given(n: u8, time: i64, (may, end): (Capability, i64), over: Option<i64>) -> AuditEntry {
        let grant = Grant {
            audience: Audience::Author(AuthorId::from_bytes([2; 32])),
            box_key: [0; 32],
            principal: PrincipalId::from_bytes([2; 16]),
            capability: may,
            flags: GrantFlags::NONE,
            not_before: at(time),
            end: at(end),
            depth_left: 0,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: Some(id(200)),
        };
        let ended = over.map(|over| Ending {
            at: at(over),
            how: HowEnded::Revoked { by: id(100 + n) },
        });
        let through = Vec::new();
        entry(
            n,
            time,
            AuditEvent::Granted {
                grant,
                through,
                ended,
            },
        )
    }

    fn revoked(n: u8, time: i64) -> AuditEntry {
        let event = AuditEvent::Revoked {
            target: id(n),
            reason: REASON_NONE,
            ended: vec![id(n)],
        };
        entry(100 + n, time, event)
    }

    fn lines(entries: &[AuditEntry]) -> Vec<(i64, String)> {
        let told = changes(SpaceId::from_bytes([9; 32]), entries).into_iter();
        told.map(|it| {
            let what = match it.what {
                Membership::Given { may, .. } => format!("{may:?}"),
                other => format!("{other:?}").chars().take(5).collect(),
            };
            (it.at.millis(), what)
        })
        .collect()
    }

    #[test]
    fn who_loses_two_accesses_in_one_step_loses_them_once() {
        use Capability::{Administer, Write};
        for [first, second] in [[1, 2], [2, 1]] {
            let over = |n: u8| Some(if n == first { 500 } else { 503 });
            let entries = [
                given(1, 0, (Write, DAY), over(1)),
                given(2, 10, (Administer, 9 * DAY), over(2)),
                revoked(first, 500),
                revoked(second, 503),
            ];
            let all = [(0, "Write"), (10, "Administer"), (503, "Ended")];
            assert_eq!(lines(&entries), all.map(|(at, it)| (at, it.to_owned())));
        }
    }

    #[test]
    fn of_two_accesses_that_end_by_themselves_the_first_leaves_what_the_second_gives() {
        use Capability::{Read, Write};
        let entries = [
            given(1, 0, (Write, 500_000), None),
            given(2, 10, (Read, 900_000), None),
            entry(1, 500_000, AuditEvent::Expired),
            entry(2, 900_000, AuditEvent::Expired),
        ];
        let all = [
            (0, "Write"),
            (10, "Read"),
            (500_000, "Read"),
            (900_000, "Expir"),
        ];
        assert_eq!(lines(&entries), all.map(|(at, it)| (at, it.to_owned())));
    }

    #[test]
    fn who_was_let_in_after_that_was_over_already_was_never_let_in() {
        use Capability::Write;
        let entries = [
            given(1, 600, (Write, DAY), Some(500)),
            revoked(1, 500),
            given(2, 700, (Write, DAY), None),
        ];
        assert_eq!(lines(&entries), [(700, "Write".to_owned())]);
    }

    #[test]
    fn an_access_that_gives_no_more_than_another_is_told_when_that_ends() {
        use Capability::Write;
        let second = given(2, 10, (Write, DAY), None);
        let first = |over| given(1, 0, (Write, 2 * DAY), over);
        let quiet = [first(None), second.clone()];
        assert_eq!(lines(&quiet), [(0, "Write".to_owned())]);
        let entries = [first(Some(500)), second, revoked(1, 500)];
        let both = [0, 10].map(|at| (at, "Write".to_owned()));
        assert_eq!(lines(&entries), both);
    }
}
