//! Up to when this replica would have heard an agent.

use std::time::Duration;

use aramaki_sync_core::Timestamp;

use crate::heartbeat::{HEARTBEAT_INTERVAL_MS, HEARTBEAT_STALE_MS};

/// How long after it began to listen a replica may not have heard yet what was said last: that
/// comes as datagrams beside the documents.
const SETTLING_MS: u64 = 1_000;
/// The same of whom nothing was heard in this life: what they said last may have been lost on its way, and the
/// next heartbeat comes within this time.
const UNHEARD_MS: u64 = HEARTBEAT_INTERVAL_MS + 5_000;

/// Whether what an agent says reaches this replica.
///
/// Silence says something only of the time in which somebody listened. So an agent and its checks
/// are judged at the moment up to which this replica would have heard them, and people are told
/// that moment when it is not now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hearing {
    /// Since when it does; none while it does not.
    since: Option<Timestamp>,
    /// From when to when it did before; never since this replica runs when there is none.
    before: Option<(Timestamp, Timestamp)>,
}

impl Hearing {
    /// Takes in that it begins or ends; says whether that is new.
    pub(crate) fn turn(&mut self, listens: bool, now: Timestamp) -> bool {
        match (self.since, listens) {
            (None, true) => self.since = Some(now),
            (Some(from), false) => {
                if settles(from, UNHEARD_MS) <= now {
                    self.before = Some((from, now));
                }
                self.since = None;
            }
            _ => return false,
        }
        true
    }

    /// As if it had always listened.
    pub(crate) const fn always() -> Self {
        Self {
            since: Some(Timestamp::ZERO),
            before: None,
        }
    }

    /// The moment at which what an agent said last is judged; `sign` is the last sign of it, and whether
    /// that was heard in this life. None while nothing was ever heard.
    pub(crate) fn as_of(
        self,
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
        self,
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
        self.until().max(sign).map(|at| at.min(now))
    }

    /// Since when it does, if silence counts by now: of whom something was heard in this life, or not.
    fn settled(self, is_heard: bool, now: Timestamp) -> Option<Timestamp> {
        let span = if is_heard { SETTLING_MS } else { UNHEARD_MS };
        self.since.filter(|from| settles(*from, span) <= now)
    }

    /// From when people may be told that something is silent, of whom nothing is heard: whoever
    /// begins to listen listens for as long as silence may last. None while that did not happen.
    pub(crate) fn sure_from(self, now: Timestamp) -> Option<Timestamp> {
        let sure = |from: Timestamp| from.plus(Duration::from_millis(HEARTBEAT_STALE_MS));
        match (self.settled(true, now), self.before) {
            (Some(from), _) => Some(sure(from)),
            (None, Some((from, until))) => Some(sure(from)).filter(|sure| *sure <= until),
            (None, None) => None,
        }
    }

    /// Since when it does; none while it does not.
    pub(crate) fn since(self) -> Option<Timestamp> {
        self.since
    }

    /// Up to when it did before.
    pub(crate) fn until(self) -> Option<Timestamp> {
        self.before.map(|(_from, until)| until)
    }

    /// When silence begins to count: of whom something was heard, and of whom nothing was.
    pub(crate) fn settles_at(self) -> [Option<Timestamp>; 2] {
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
        let mut hearing = Hearing {
            since: None,
            before: Some((at(20), at(50))),
        };
        let before = hearing;
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
        let mut short = hearing;
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
}
