//! Up to when this replica would have heard an agent.

use std::time::Duration;

use aramaki_sync_core::Timestamp;

use crate::heartbeat::{HEARTBEAT_INTERVAL_MS, HEARTBEAT_STALE_MS};

/// How many stretches of listening are remembered.
const STRETCHES_MAX: usize = 8;

/// How long after it began to listen a replica may not have heard yet what was said last: that
/// comes as datagrams beside the documents.
const SETTLING_MS: u64 = 1_000;
/// The same of whom nothing was heard in this life: what they said last may have been lost on its way, and the
/// next heartbeat comes within this time.
const UNHEARD_MS: u64 = HEARTBEAT_INTERVAL_MS + 5_000;

/// A time in which a replica would have heard an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// When it began to listen.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
}

impl Stretch {
    /// Whether silence of so long can be seen in it.
    fn lasts(self, span_ms: u64) -> bool {
        self.from.plus(Duration::from_millis(span_ms)) <= self.until
    }
}

/// Whether what an agent says reaches this replica.
///
/// Silence says something only of the time in which somebody listened. So an agent and its checks
/// are judged at the moment up to which this replica would have heard them, and people are told
/// that moment when it is not now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hearing {
    /// Since when it does; none while it does not.
    since: Option<Timestamp>,
    /// When it did before since this replica runs, the last time.
    lived: Option<Stretch>,
    /// When it did before, also in former lives, newest last. One that is no longer than a later one says nothing
    /// more than that, so each is longer than the next.
    before: Vec<Stretch>,
}

impl Hearing {
    /// Takes in that it begins or ends; says whether that is new.
    pub(crate) fn turn(&mut self, listens: bool, now: Timestamp) -> bool {
        match (self.since, listens) {
            (None, true) => self.since = Some(now),
            (Some(from), false) => {
                let stretch = Stretch { from, until: now };
                if stretch.lasts(UNHEARD_MS) {
                    self.lived = Some(stretch);
                    self.add(stretch);
                }
                self.since = None;
            }
            _ => return false,
        }
        true
    }

    fn add(&mut self, new: Stretch) {
        let span = |stretch: Stretch| stretch.until.since(stretch.from);
        (self.before).retain(|known| known.from < new.from && span(*known) > span(new));
        self.before.push(new);
        if self.before.len() > STRETCHES_MAX {
            self.before.remove(0);
        }
    }

    /// Takes in when it listened in former lives. It says what was silent then; people are told nothing by that alone.
    pub(crate) fn remember(&mut self, before: &[Stretch]) {
        let lived = std::mem::take(&mut self.before);
        let mut all: Vec<Stretch> = before.iter().copied().chain(lived).collect();
        all.sort_by_key(|stretch| stretch.from);
        for stretch in all.into_iter().filter(|it| it.lasts(UNHEARD_MS)) {
            self.add(stretch);
        }
    }

    /// When it listened up to `now`, also in former lives.
    pub(crate) fn stretches(&self, now: Timestamp) -> Vec<Stretch> {
        let mut all = self.clone();
        all.turn(false, now);
        all.before
    }

    /// As if it had always listened.
    pub(crate) const fn always() -> Self {
        Self {
            since: Some(Timestamp::ZERO),
            lived: None,
            before: Vec::new(),
        }
    }

    /// The moment at which what an agent said last is judged; `sign` is the last sign of it, and whether
    /// that was heard in this life. None while nothing was ever heard.
    pub(crate) fn as_of(
        &self,
        (sign, is_heard): (Option<Timestamp>, bool),
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.settled(is_heard, now).is_some() {
            return Some(now);
        }
        self.until().max(sign).map(|at| at.min(now))
    }

    /// The same of one check, whose last sign this is. A heartbeat that names it speaks for it;
    /// without one its silence counts after `ttl_ms` of listening, because messages get lost and
    /// what was heard is not remembered over a restart.
    pub(crate) fn as_of_check(
        &self,
        (sign, is_named): (Option<Timestamp>, bool),
        ttl_ms: u64,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let counts = self
            .settled(is_named, now)
            .is_some_and(|from| is_named || from.plus(Duration::from_millis(ttl_ms)) <= now);
        if counts {
            return Some(now);
        }
        let mut before = self.before.iter().rev();
        let counted = before.find(|stretch| {
            let is_told = is_named || sign.is_some_and(|sign| sign >= stretch.from);
            is_told || stretch.lasts(ttl_ms)
        });
        let until = counted.map(|stretch| stretch.until);
        until.max(sign).map(|at| at.min(now))
    }

    /// Since when it does, if silence counts by now: of whom something was heard in this life, or not.
    fn settled(&self, is_heard: bool, now: Timestamp) -> Option<Timestamp> {
        let span = if is_heard { SETTLING_MS } else { UNHEARD_MS };
        self.since.filter(|from| settles(*from, span) <= now)
    }

    /// From when people may be told that something is silent, of whom nothing is heard: whoever
    /// begins to listen listens for as long as silence may last. None while that did not happen.
    pub(crate) fn sure_from(&self, now: Timestamp) -> Option<Timestamp> {
        let sure = |from: Timestamp| from.plus(Duration::from_millis(HEARTBEAT_STALE_MS));
        match (self.settled(true, now), self.lived) {
            (Some(from), _) => Some(sure(from)),
            (None, Some(lived)) => Some(sure(lived.from)).filter(|sure| *sure <= lived.until),
            (None, None) => None,
        }
    }

    /// Since when it does; none while it does not.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Up to when it did before.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.before.last().map(|stretch| stretch.until)
    }

    /// When silence begins to count: of whom something was heard, and of whom nothing was.
    pub(crate) fn settles_at(&self) -> [Option<Timestamp>; 2] {
        [SETTLING_MS, UNHEARD_MS].map(|span| Some(settles(self.since?, span)))
    }
}

fn settles(from: Timestamp, span_ms: u64) -> Timestamp {
    from.plus(Duration::from_millis(span_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn silence_counts_only_while_somebody_listens() {
        let mut hearing = Hearing::default();
        let (never, old) = ((None, false), (Some(at(10)), false));
        assert_eq!(hearing.as_of(never, at(100)), None);
        assert_eq!(hearing.as_of(old, at(100)), Some(at(10)));
        assert!(hearing.turn(true, at(100)));
        assert!(!hearing.turn(true, at(100)));
        // What was said before may still be on its way, or be lost; a heartbeat comes then.
        assert_eq!(hearing.as_of(old, at(124)), Some(at(10)));
        assert_eq!(hearing.as_of(old, at(125)), Some(at(125)));
        let heard = (Some(at(10)), true);
        assert_eq!(hearing.as_of(heard, at(100)), Some(at(10)));
        assert_eq!(hearing.as_of(heard, at(101)), Some(at(101)));
        assert!(hearing.turn(false, at(200)));
        assert_eq!(hearing.as_of(old, at(300)), Some(at(200)));
        assert_eq!(
            hearing.as_of((Some(at(250)), false), at(300)),
            Some(at(250))
        );
    }

    #[test]
    fn a_connection_that_breaks_at_once_was_not_listening() {
        let mut hearing = Hearing::default();
        hearing.turn(true, at(20));
        hearing.turn(false, at(50));
        let before = hearing.clone();
        hearing.turn(true, at(100));
        hearing.turn(false, Timestamp::from_millis(124_500));
        assert_eq!(hearing, before);
    }

    #[test]
    fn a_check_that_no_heartbeat_named_is_given_its_time_after_listening_began() {
        let mut hearing = Hearing::default();
        hearing.turn(true, at(1_000));
        let sign = Some(at(10));
        let as_of = |named, now| hearing.as_of_check((sign, named), 60_000, at(now));
        assert_eq!(as_of(false, 1_059), sign);
        assert_eq!(as_of(false, 1_060), Some(at(1_060)));
        assert_eq!(as_of(true, 1_001), Some(at(1_001)));
    }

    #[test]
    fn nobody_is_woken_by_who_listens_for_a_moment() {
        let mut hearing = Hearing::default();
        assert_eq!(hearing.sure_from(at(5)), None);
        hearing.turn(true, at(10));
        assert_eq!(hearing.sure_from(at(20)), Some(at(130)));
        let mut short = hearing.clone();
        short.turn(false, at(129));
        assert_eq!(short.sure_from(at(500)), None, "it listened too short");
        hearing.turn(false, at(131));
        assert_eq!(hearing.sure_from(at(500)), Some(at(130)));
    }

    #[test]
    fn who_begins_to_listen_again_is_as_sure_as_before_until_that_settled() {
        let mut hearing = Hearing::default();
        hearing.turn(true, at(10));
        hearing.turn(false, at(500));
        hearing.turn(true, at(600));
        assert_eq!(hearing.sure_from(at(600)), Some(at(130)));
        assert_eq!(hearing.sure_from(at(601)), Some(at(720)));
    }

    fn stretch(from: i64, until: i64) -> Stretch {
        Stretch {
            from: at(from),
            until: at(until),
        }
    }

    #[test]
    fn what_was_silent_in_a_former_life_is_silent_after_it_and_nobody_is_told_by_that_alone() {
        let mut hearing = Hearing::default();
        hearing.remember(&[stretch(100, 1_000)]);
        let sign = (Some(at(10)), false);
        assert_eq!(hearing.as_of(sign, at(2_000)), Some(at(1_000)));
        assert_eq!(
            hearing.as_of_check(sign, 300_000, at(2_000)),
            Some(at(1_000))
        );
        assert_eq!(hearing.sure_from(at(2_000)), None);
        hearing.turn(true, at(2_000));
        assert_eq!(hearing.as_of(sign, at(2_024)), Some(at(1_000)));
        assert_eq!(hearing.as_of(sign, at(2_025)), Some(at(2_025)));
    }

    #[test]
    fn who_listened_for_a_moment_does_not_forget_what_was_silent_for_long() {
        let mut hearing = Hearing::default();
        hearing.remember(&[stretch(100, 1_000)]);
        hearing.turn(true, at(2_000));
        hearing.turn(false, at(2_030));
        let as_of = |sign| hearing.as_of_check((Some(at(sign)), false), 300_000, at(5_000));
        assert_eq!(as_of(10), Some(at(1_000)), "missing then, not known since");
        assert_eq!(as_of(1_500), Some(at(1_500)), "as recorded");
        assert_eq!(as_of(2_010), Some(at(2_030)), "heard then");
        let known = hearing.stretches(at(5_000));
        assert_eq!(known, [stretch(100, 1_000), stretch(2_000, 2_030)]);
        hearing.turn(true, at(6_000));
        assert_eq!(
            hearing.stretches(at(9_000)),
            [stretch(6_000, 9_000)],
            "a longer one says more"
        );
    }
}
