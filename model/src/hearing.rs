//! Up to when this replica would have heard an agent.

use aramaki_sync_core::Timestamp;

/// How long after it began to listen a replica may not have heard yet what was said last: that
/// comes as datagrams beside the documents.
pub(crate) const SETTLING_MS: i64 = 1_000;

/// Whether what an agent says reaches this replica.
///
/// Silence says something only of the time in which somebody listened. So an agent and its checks
/// are judged at the moment up to which this replica would have heard them, and people are told
/// that moment when it is not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// It did until then; never since this replica runs when there is no time.
    Until(Option<Timestamp>),
    /// It does since then, and did before until another time.
    Since(Timestamp, Option<Timestamp>),
}

impl Default for Hearing {
    fn default() -> Self {
        Self::Until(None)
    }
}

impl Hearing {
    /// Takes in that it begins or ends; says whether that is new.
    pub(crate) fn turn(&mut self, listens: bool, now: Timestamp) -> bool {
        match (*self, listens) {
            (Self::Until(before), true) => *self = Self::Since(now, before),
            (Self::Since(from, before), false) => {
                let settled = from.millis().saturating_add(SETTLING_MS) <= now.millis();
                *self = Self::Until(if settled { Some(now) } else { before });
            }
            _ => return false,
        }
        true
    }

    /// The moment at which what an agent said last is judged; `sign` is the last sign of it. None
    /// while nothing was ever heard.
    pub(crate) fn as_of(self, sign: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let until = match self {
            Self::Since(..) if self.settles_at().is_none_or(|at| at <= now) => return Some(now),
            Self::Since(_, until) | Self::Until(until) => until,
        };
        until.max(sign).map(|at| at.min(now))
    }

    /// Up to when it did before.
    pub(crate) fn until(self) -> Option<Timestamp> {
        match self {
            Self::Since(_, until) | Self::Until(until) => until,
        }
    }

    /// When silence begins to count.
    pub(crate) fn settles_at(self) -> Option<Timestamp> {
        match self {
            Self::Since(from, _) => Some(Timestamp::from_millis(
                from.millis().saturating_add(SETTLING_MS),
            )),
            Self::Until(_) => None,
        }
    }
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
        assert_eq!(hearing.as_of(None, at(100)), None);
        assert_eq!(hearing.as_of(Some(at(10)), at(100)), Some(at(10)));
        assert!(hearing.turn(true, at(100)));
        assert!(!hearing.turn(true, at(100)));
        // What was said before may still be on its way.
        assert_eq!(hearing.as_of(Some(at(10)), at(100)), Some(at(10)));
        assert_eq!(hearing.as_of(Some(at(10)), at(101)), Some(at(101)));
        assert!(hearing.turn(false, at(200)));
        assert_eq!(hearing.as_of(Some(at(10)), at(300)), Some(at(200)));
        assert_eq!(hearing.as_of(Some(at(250)), at(300)), Some(at(250)));
    }

    #[test]
    fn a_connection_that_breaks_at_once_was_not_listening() {
        let mut hearing = Hearing::Until(Some(at(50)));
        hearing.turn(true, at(100));
        hearing.turn(false, Timestamp::from_millis(100_500));
        assert_eq!(hearing, Hearing::Until(Some(at(50))));
    }
}
