//! Connections that others opened and nobody here looks for. Who has no part in any Space here may stay a
//! while, because what lets them in may be on its way, and a few may at once. Then they are let go: who is
//! somebody by then comes back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aramaki_sync_core::engine::ConnectionId;

/// How long a stranger may stay. Who was let in after this device last heard shows that within two
/// comparisons of digests.
const STAY: Duration = Duration::from_secs(20);
/// How often is looked who has stayed that long.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Strangers at once: as many devices may wait at a relay for one that lets them in.
const STRANGERS_MAX: usize = 512;

/// One such connection.
#[derive(Clone, Copy, Debug)]
struct Visit {
    /// When it came, or was last known to be of somebody.
    since: Instant,
    is_stranger: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Visitors {
    visits: BTreeMap<ConnectionId, Visit>,
    next_look: Option<Instant>,
}

impl Visitors {
    /// One more. Gives whom to let go for it: the stranger that came first.
    pub(crate) fn came(
        &mut self,
        connection: ConnectionId,
        now: Instant,
        is_stranger: impl Fn(ConnectionId) -> bool,
    ) -> Option<ConnectionId> {
        let visit = Visit {
            since: now,
            is_stranger: is_stranger(connection),
        };
        self.visits.insert(connection, visit);
        self.next_look.get_or_insert(now + LOOK_INTERVAL);
        let strangers = self.visits.values().filter(|it| it.is_stranger);
        if !visit.is_stranger || strangers.count() <= STRANGERS_MAX {
            return None;
        }
        // Connections are numbered in the order in which they came. Who is known since makes room by that.
        let mut visits = self.visits.iter_mut();
        let (first, visit) = visits.find(|(_id, it)| it.is_stranger)?;
        visit.is_stranger = is_stranger(*first);
        visit.is_stranger.then_some(*first)
    }

    /// One is gone.
    pub(crate) fn went(&mut self, connection: ConnectionId) {
        self.visits.remove(&connection);
    }

    /// When somebody may have stayed too long.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// Whom to let go now.
    pub(crate) fn overdue(
        &mut self,
        now: Instant,
        is_stranger: impl Fn(ConnectionId) -> bool,
    ) -> Vec<ConnectionId> {
        if self.next_look.is_none_or(|at| now < at) {
            return Vec::new();
        }
        let mut overdue = Vec::new();
        for (id, visit) in &mut self.visits {
            if now.duration_since(visit.since) < STAY {
                continue;
            }
            visit.is_stranger = is_stranger(*id);
            if visit.is_stranger {
                overdue.push(*id);
            } else {
                visit.since = now;
            }
        }
        self.next_look = (!self.visits.is_empty()).then(|| now + LOOK_INTERVAL);
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn strangers_go_after_a_while_and_who_is_known_by_then_stays() {
        let start = Instant::now();
        let mut visitors = Visitors::default();
        for number in 1..=3 {
            assert_eq!(visitors.came(ConnectionId(number), start, |_id| true), None);
        }
        visitors.went(ConnectionId(3));
        let is_stranger = |id| id == ConnectionId(1);
        assert!(visitors.overdue(after(start, 10), is_stranger).is_empty());
        assert_eq!(
            visitors.overdue(after(start, 21), is_stranger),
            [ConnectionId(1)]
        );
        visitors.went(ConnectionId(1));
        assert!(visitors.overdue(after(start, 30), is_stranger).is_empty());
        let sent_away = visitors.overdue(after(start, 45), |_id| true);
        assert_eq!(sent_away, [ConnectionId(2)], "who is nobody since goes too");
        visitors.went(ConnectionId(2));
        assert!(visitors.overdue(after(start, 60), |_id| true).is_empty());
        assert_eq!(
            visitors.next_look(),
            None,
            "nothing wakes anybody for nobody"
        );
    }

    #[test]
    fn too_many_at_once_push_out_the_first_of_them_and_nobody_else() {
        let start = Instant::now();
        let mut visitors = Visitors::default();
        let member = ConnectionId(0);
        let is_stranger = |id| id != member;
        assert_eq!(visitors.came(member, start, is_stranger), None);
        let max = u64::try_from(STRANGERS_MAX).unwrap();
        for number in 1..=max {
            assert_eq!(
                visitors.came(ConnectionId(number), start, is_stranger),
                None
            );
        }
        let one_more = visitors.came(ConnectionId(max + 1), start, is_stranger);
        assert_eq!(one_more, Some(ConnectionId(1)));
        visitors.went(ConnectionId(1));
        // The next was let in meanwhile, and makes room by that.
        let known = |id| id != ConnectionId(2);
        assert_eq!(visitors.came(ConnectionId(max + 2), start, known), None);
    }
}
