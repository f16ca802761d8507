//! How fast an author may write to a relay: a bucket of envelopes that fills with time.

use std::collections::BTreeMap;

use super::options::Quotas;
use crate::id::AuthorId;
use crate::time::Timestamp;

/// Authors who are remembered before those who have been quiet are forgotten.
const AUTHORS_MAX: usize = 4_096;
/// An envelope, in the unit that a millisecond adds at one envelope a second.
const ENVELOPE: u64 = 1_000;

/// What each author may still send.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<AuthorId, Bucket>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u64,
    at: Timestamp,
}

impl Bucket {
    fn full(quotas: &Quotas) -> u64 {
        u64::from(quotas.envelopes_burst_max) * ENVELOPE
    }

    /// What is in it now; a clock that went back adds nothing.
    fn at(self, now: Timestamp, quotas: &Quotas) -> Self {
        let millis = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let more = millis.saturating_mul(quotas.envelopes_per_second_max.into());
        let left = self.left.saturating_add(more).min(Self::full(quotas));
        Self { left, at: now }
    }
}

impl Rates {
    /// Takes an author's next envelope; false when it has to come later.
    pub(super) fn take(&mut self, author: AuthorId, now: Timestamp, quotas: &Quotas) -> bool {
        let full = Bucket::full(quotas);
        if self.0.len() >= AUTHORS_MAX && !self.0.contains_key(&author) {
            // A full bucket says what a missing one says.
            self.0.retain(|_author, it| it.at(now, quotas).left < full);
        }
        let new = Bucket {
            left: full,
            at: now,
        };
        let bucket = self.0.entry(author).or_insert(new);
        *bucket = bucket.at(now, quotas);
        match bucket.left.checked_sub(ENVELOPE) {
            Some(left) => {
                bucket.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_author_sends_a_burst_and_then_so_many_a_second() {
        let quotas = Quotas {
            envelopes_per_second_max: 10,
            envelopes_burst_max: 50,
            ..Quotas::default()
        };
        let (one, other) = (AuthorId::from_bytes([1; 32]), AuthorId::from_bytes([2; 32]));
        let mut rates = Rates::default();
        let mut taken = |author, now| {
            (0..1_000)
                .filter(|_| rates.take(author, now, &quotas))
                .count()
        };
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(taken(one, now), 50);
        assert_eq!(taken(other, now), 50, "one author's pace is another's");
        assert_eq!(taken(one, now.plus(Duration::from_millis(1_500))), 15);
        assert_eq!(taken(one, now), 0, "a clock that went back gives nothing");
        assert_eq!(taken(one, now.plus(Duration::from_hours(1))), 50);
    }

    #[test]
    fn quiet_authors_are_forgotten() {
        let quotas = Quotas::default();
        let mut rates = Rates::default();
        for number in 0..3 * u64::try_from(AUTHORS_MAX).unwrap() {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            let later = Timestamp::from_millis(i64::try_from(number).unwrap() * 1_000);
            assert!(rates.take(AuthorId::from_bytes(bytes), later, &quotas));
            assert!(rates.0.len() <= AUTHORS_MAX);
        }
    }
}
