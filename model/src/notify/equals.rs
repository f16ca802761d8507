//! Notifiers of equal rank: neither waits for the other, so people hear everything twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use super::id::NotificationId;
use super::receipt::{Receipt, Stage};
use crate::entry::TimelineEntry;
use crate::workspace::{Content, Workspace};

/// What a notifier told before that says nothing of the notifiers that run now.
const LOOK_BACK: Duration = Duration::from_hours(7 * 24);
/// Receipts of one notifier for one policy that are looked at: the newest.
const RECEIPTS_MAX: usize = 1_000;

/// Notifiers that tell what the others tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EqualRank {
    /// Whose policy they follow.
    pub policy: SpaceId,
    /// The rank of all of them.
    pub rank: u8,
    /// Which.
    pub notifiers: BTreeSet<AuthorId>,
}

/// What a notifier told since it has its present rank.
#[derive(Clone, Debug)]
struct Told {
    rank: u8,
    first: Timestamp,
    last: Timestamp,
    sent: BTreeSet<NotificationId>,
}

impl Told {
    /// Of receipts, newest first; none without any.
    fn of<'a>(receipts: impl Iterator<Item = &'a Receipt>) -> Option<Self> {
        let mut receipts = receipts.peekable();
        let newest = receipts.peek()?;
        let (rank, last) = (newest.rank, newest.at);
        let mut told = Self {
            rank,
            first: last,
            last,
            sent: BTreeSet::new(),
        };
        for receipt in receipts.take_while(|receipt| receipt.rank == rank) {
            told.first = receipt.at.min(told.first);
            if receipt.stage == Stage::Sent {
                told.sent.extend(receipt.items.iter().map(|item| item.id));
            }
        }
        Some(told)
    }

    /// Whether both told at the same time. One that took the place of another did not.
    fn is_beside(&self, other: &Self) -> bool {
        let overlap = self.first < other.last && other.first < self.last;
        self.rank == other.rank && (overlap || !self.sent.is_disjoint(&other.sent))
    }
}

/// Notifiers of equal rank among those whose receipts these are: whose policy, who wrote it, what it says.
pub(super) fn equal_ranks<'a>(
    receipts: impl Iterator<Item = (SpaceId, AuthorId, &'a Receipt)>,
    now: Timestamp,
) -> Vec<EqualRank> {
    let begin = now.minus(LOOK_BACK);
    let mut by: BTreeMap<SpaceId, BTreeMap<AuthorId, Vec<&Receipt>>> = BTreeMap::new();
    for (policy, author, receipt) in receipts.filter(|(_, _, receipt)| receipt.at >= begin) {
        let of_policy = by.entry(policy).or_default();
        of_policy.entry(author).or_default().push(receipt);
    }
    let mut found: BTreeSet<EqualRank> = BTreeSet::new();
    for (policy, notifiers) in by {
        let told: Vec<_> = notifiers
            .into_iter()
            .filter_map(|(author, mut receipts)| {
                receipts.sort_by_key(|receipt| std::cmp::Reverse(receipt.at));
                let receipts = receipts.into_iter().take(RECEIPTS_MAX);
                Some((author, Told::of(receipts)?))
            })
            .collect();
        for (author, one) in &told {
            let beside = told.iter().filter(|(_, other)| one.is_beside(other));
            let mut notifiers: BTreeSet<_> = beside.map(|(other, _)| *other).collect();
            notifiers.insert(*author);
            if notifiers.len() > 1 {
                let rank = one.rank;
                found.insert(EqualRank {
                    policy,
                    rank,
                    notifiers,
                });
            }
        }
    }
    found.into_iter().collect()
}

impl Workspace {
    /// Notifiers that told people the same at the same rank lately; `own` is this device and the rank that
    /// it has by now, if it is one.
    pub fn equal_ranks(&self, now: Timestamp, own: Option<(AuthorId, u8)>) -> Vec<EqualRank> {
        let receipts = self.spaces.iter().flat_map(|(space, open)| {
            let timelines = open.documents.values();
            let entries = timelines.filter_map(|place| match &place.content {
                Content::Timeline(entries) => Some(entries),
                _ => None,
            });
            entries.flatten().filter_map(move |written| {
                let TimelineEntry::Notification(receipt) = &written.entry else {
                    return None;
                };
                let author = open.author(&written.actor)?;
                let before = own.is_some_and(|(own, rank)| author == own && receipt.rank != rank);
                (!before).then_some((*space, author, receipt))
            })
        });
        equal_ranks(receipts, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::receipt::{ReceiptItem, Target};
    use super::*;
    use crate::id::CheckId;

    const POLICY: SpaceId = SpaceId::from_bytes([9; 32]);
    const MINUTE_MS: i64 = 60_000;

    fn author(n: u8) -> AuthorId {
        AuthorId::from_bytes([n; 32])
    }

    fn receipt(minute: i64, rank: u8, what: u8) -> Receipt {
        Receipt {
            at: Timestamp::from_millis(1_795_370_000_000 + minute * MINUTE_MS),
            stage: Stage::Sent,
            rank,
            receiver: "ops".to_owned(),
            target: Target::default(),
            group: POLICY,
            items: vec![ReceiptItem {
                id: NotificationId([what; 32]),
                alert: [what; 32],
                system: POLICY,
                check: CheckId::from_bytes([1; 16]),
                state: 4,
                step: 0,
                repeat: 0,
                opened: None,
            }],
            detail: String::new(),
        }
    }

    /// Who is found beside whom, of receipts (author, minute, rank, what) looked at in a minute.
    fn found(receipts: &[(u8, i64, u8, u8)], minute: i64) -> Vec<(u8, Vec<AuthorId>)> {
        let all: Vec<_> = receipts
            .iter()
            .map(|(by, minute, rank, what)| (author(*by), receipt(*minute, *rank, *what)))
            .collect();
        let now = receipt(minute, 0, 0).at;
        let all = all.iter().map(|(by, receipt)| (POLICY, *by, receipt));
        let found = equal_ranks(all, now).into_iter();
        found
            .map(|it| (it.rank, it.notifiers.into_iter().collect()))
            .collect()
    }

    #[test]
    fn two_of_one_rank_that_told_the_same_or_in_the_same_hours_are_named() {
        let both = vec![(0, vec![author(1), author(2)])];
        assert_eq!(found(&[(1, 0, 0, 1), (2, 0, 0, 1)], 1), both, "the same");
        let hours = [(1, 0, 0, 1), (2, 5, 0, 2), (1, 9, 0, 3), (2, 12, 0, 4)];
        assert_eq!(found(&hours, 13), both, "in the same hours");
        assert_eq!(found(&[(1, 0, 0, 1), (2, 0, 1, 1)], 1), [], "a standby");
        assert_eq!(found(&[(1, 0, 0, 1), (1, 1, 0, 2)], 2), [], "one alone");
    }

    #[test]
    fn who_took_anothers_place_or_has_another_rank_by_now_is_not() {
        let replaced = [(1, 0, 0, 1), (1, 5, 0, 2), (2, 9, 0, 3), (2, 12, 0, 4)];
        assert_eq!(found(&replaced, 13), []);
        let changed = [(1, 0, 0, 1), (2, 0, 0, 1), (2, 5, 1, 2)];
        assert_eq!(found(&changed, 6), []);
        let old = [(1, 0, 0, 1), (2, 0, 0, 1)];
        assert_eq!(found(&old, 8 * 24 * 60), [], "long ago");
    }

    #[test]
    fn what_was_told_at_a_rank_that_is_no_more_makes_nobody_equal() {
        let changed = [(1, 0, 1, 1), (2, 0, 0, 1), (2, 5, 1, 2)];
        assert_eq!(found(&changed, 6), []);
    }
}
