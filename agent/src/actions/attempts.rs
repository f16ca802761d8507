//! What follows a run in a maintenance window: nothing more, or another attempt in the same window.

use std::time::Duration;

use aramaki_model::action::{MaintenanceRule, Outcome};
use aramaki_model::maintenance::request::EXIT_RETRY;
use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a request may still be begun. It stands in the journal, so that a restart forgets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempts {
    /// How often it was begun.
    pub(crate) begun: u32,
    /// At most.
    pub(crate) max: u32,
    /// After how many milliseconds again.
    pub(crate) retry_after_ms: u64,
    /// When the window closes.
    pub(crate) end: Timestamp,
    /// When it is tried again; none while it runs, and when it is done.
    pub(crate) again_at: Option<Timestamp>,
}

impl Attempts {
    /// The first, of a request that ends then.
    pub(crate) const fn first(rule: MaintenanceRule, end: Timestamp) -> Self {
        Self {
            begun: 1,
            max: rule.attempts,
            retry_after_ms: rule.retry_after_ms,
            end,
            again_at: None,
        }
    }

    /// The next one begins.
    pub(crate) const fn next(self) -> Self {
        Self {
            begun: self.begun.saturating_add(1),
            again_at: None,
            ..self
        }
    }

    /// When it is tried again after it ended so; none when that was all.
    pub(crate) fn after(&self, outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
        let wants = *outcome == Outcome::Exit(EXIT_RETRY) && self.begun < self.max;
        let again_at = now.plus(Duration::from_millis(self.retry_after_ms));
        (wants && again_at < self.end).then_some(again_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn who_asks_for_it_is_tried_again_until_attempts_or_window_end() {
        let rule = MaintenanceRule {
            attempts: 3,
            retry_after_ms: 60_000,
        };
        let minutes = |n| NOW.plus(Duration::from_mins(n));
        let mut attempts = Attempts::first(rule, minutes(10));
        let retry = Outcome::Exit(EXIT_RETRY);
        for other in [
            Outcome::Exit(0),
            Outcome::Exit(1),
            Outcome::Exit(69),
            Outcome::TimedOut,
            Outcome::Unknown,
        ] {
            assert_eq!(attempts.after(&other, NOW), None, "{other:?}");
        }
        assert_eq!(attempts.after(&retry, NOW), Some(minutes(1)));
        assert_eq!(attempts.after(&retry, minutes(9)), None, "it closes then");
        attempts = attempts.next();
        assert_eq!(attempts.after(&retry, NOW), Some(minutes(1)));
        attempts = attempts.next();
        assert_eq!((attempts.begun, attempts.after(&retry, NOW)), (3, None));
    }
}
