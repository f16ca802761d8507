//! When an agent did not look, and since when a result is missed in spite of that.

use std::time::Duration;

use aramaki_sync_core::Timestamp;

/// How many are remembered.
const ABSENCES_MAX: usize = 64;
/// Whoever looks for less than that between two absences was not back: as a program that is started, dies and is
/// started again.
const BACK_MIN: Duration = Duration::from_mins(1);

/// A time in which an agent did not look at anything: it was stopped, or nobody heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absence {
    /// From when; none when nothing is known of before.
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Timestamp,
}

/// When an agent did not look, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Absences(Vec<Absence>);

impl Absences {
    /// Takes in that the agent is back.
    pub(crate) fn add(&mut self, absence: Absence) {
        if let Some(last) = self.0.last_mut()
            && (absence.from).is_none_or(|from| from < last.until.plus(BACK_MIN))
        {
            last.until = last.until.max(absence.until);
            return;
        }
        self.0.push(absence);
        if self.0.len() > ABSENCES_MAX {
            self.0.remove(0);
            if let Some(first) = self.0.first_mut() {
                first.from = None;
            }
        }
    }

    /// The one in which a moment lies, or which ends with it.
    pub(crate) fn around(&self, at: Timestamp) -> Option<Absence> {
        let mut all = self.0.iter().copied();
        all.find(|it| it.from.is_none_or(|from| from < at) && at <= it.until)
    }

    /// When it was back for the first time that is known.
    pub(crate) fn first_back(&self) -> Option<Timestamp> {
        self.0.first().map(|absence| absence.until)
    }

    /// When it was back last.
    pub(crate) fn last_back(&self) -> Option<Timestamp> {
        self.0.last().map(|absence| absence.until)
    }
}

/// From when a result has been awaited that did not come since `sign`: whoever is away sees nothing, and is given its
/// whole time when it is back, unless it was missed before already.
///
/// Who is killed writes no word of it, so that an absence may have begun later than is known: `heard_before` says when
/// somebody heard it last before it was back.
pub(crate) fn awaited_from(
    known: [&Absences; 2],
    heard_before: impl Fn(Timestamp) -> Option<Timestamp>,
    sign: Timestamp,
    ttl: Duration,
) -> Timestamp {
    let mut absences: Vec<&Absence> = known.into_iter().flat_map(|it| &it.0).collect();
    absences.sort_by_key(|absence| absence.until);
    let mut from = sign;
    for absence in absences.into_iter().filter(|it| it.until > sign) {
        let left = absence.from.max(heard_before(absence.until));
        if left.is_some_and(|left| from.plus(ttl) < left) {
            return from;
        }
        from = from.max(absence.until);
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn absences(all: &[(i64, i64)]) -> Absences {
        let mut absences = Absences::default();
        for (from, until) in all {
            absences.add(Absence {
                from: Some(at(*from)),
                until: at(*until),
            });
        }
        absences
    }

    fn awaited(stops: &[(i64, i64)], gaps: &[(i64, i64)], sign: i64) -> i64 {
        let (stops, gaps) = (absences(stops), absences(gaps));
        let ttl = Duration::from_mins(5);
        awaited_from([&stops, &gaps], |_| None, at(sign), ttl).millis() / 1_000
    }

    #[test]
    fn what_was_missed_while_a_killed_agent_was_heard_stays_missed() {
        let (killed, none) = (absences(&[(110, 5_000)]), Absences::default());
        let awaited = |heard: Option<i64>| {
            let heard = move |_| heard.map(at);
            awaited_from([&killed, &none], heard, at(100), Duration::from_mins(5))
        };
        assert_eq!(awaited(None), at(5_000));
        assert_eq!(awaited(Some(400)), at(5_000), "not missed yet");
        assert_eq!(awaited(Some(401)), at(100));
    }

    #[test]
    fn whoever_was_away_is_given_the_whole_time_and_what_was_missed_before_stays_missed() {
        assert_eq!(awaited(&[], &[], 100), 100);
        assert_eq!(awaited(&[(200, 5_000)], &[], 100), 5_000, "not missed yet");
        assert_eq!(awaited(&[(401, 5_000)], &[], 100), 100, "missed from 400");
        assert_eq!(awaited(&[(1, 50)], &[], 100), 100, "it was away before");
        assert_eq!(awaited(&[], &[(200, 5_000)], 100), 5_000);
        // Missed in the run between the two.
        let stops = [(200, 1_000), (1_400, 9_000)];
        assert_eq!(awaited(&stops, &[], 100), 1_000);
        assert_eq!(awaited(&[(200, 1_000), (1_200, 9_000)], &[], 100), 9_000);
        assert_eq!(awaited(&stops[..1], &stops[1..], 100), 1_000);
        let around = |moment| absences(&stops).around(at(moment)).map(|it| it.until);
        assert_eq!(
            [200, 201, 1_000].map(around),
            [None, Some(at(1_000)), Some(at(1_000))]
        );
        // Nobody heard of the start either.
        assert_eq!(awaited(&[(200, 1_000)], &[(190, 1_020)], 100), 1_020);
    }

    #[test]
    fn who_dies_again_and_again_was_not_back() {
        let loops: Vec<_> = (0..500).map(|n| (200 + n * 10, 205 + n * 10)).collect();
        let known = absences(&loops);
        assert_eq!((known.0.len(), known.last_back()), (1, Some(at(5_195))));
        assert_eq!(awaited(&loops, &[], 100), 5_195);
    }

    #[test]
    fn of_what_is_forgotten_nothing_is_concluded() {
        let nights: Vec<_> = (1..=200).map(|n| (n * 1_000, n * 1_000 + 900)).collect();
        let known = absences(&nights);
        assert_eq!(known.0.len(), ABSENCES_MAX);
        assert_eq!(known.first_back(), Some(at(137_900)));
        assert_eq!(awaited(&nights, &[], 100), 200_900, "no run was so long");
    }
}
