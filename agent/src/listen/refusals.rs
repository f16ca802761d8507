//! What the log says of results that were not taken.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why a result was refused is told once in this time: a client that repeats itself fills no log.
const TOLD_AGAIN: Duration = Duration::from_mins(1);
/// So many reasons are told in that time; a reason names the result.
const REASONS_MAX: usize = 32;
/// So much of a reason is compared.
const REASON_LEN_BYTES_MAX: usize = 512;

/// Tells in the log why results are refused: the answer is one word, and a datagram gets none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<Told>>);

/// What the log said lately, and when.
#[derive(Debug, Default)]
struct Told {
    reasons: BTreeMap<String, Instant>,
    /// When it was said that there are more.
    more: Option<Instant>,
}

/// What to say of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Say {
    /// Why.
    Reason,
    /// That there are more reasons than are told.
    More,
    /// Nothing: it was said.
    Nothing,
}

impl Told {
    fn say(&mut self, why: &str, now: Instant) -> Say {
        let is_lately = |at: Instant| now.saturating_duration_since(at) < TOLD_AGAIN;
        let why = why
            .get(..why.floor_char_boundary(REASON_LEN_BYTES_MAX))
            .unwrap_or_default();
        self.reasons.retain(|_, at| is_lately(*at));
        if self.reasons.contains_key(why) {
            Say::Nothing
        } else if self.reasons.len() < REASONS_MAX {
            self.reasons.insert(why.to_owned(), now);
            Say::Reason
        } else if self.more.is_some_and(is_lately) {
            Say::Nothing
        } else {
            self.more = Some(now);
            Say::More
        }
    }
}

impl Refusals {
    pub(crate) fn tell(&self, why: &dyn Display) {
        let why = why.to_string();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.say(&why, Instant::now()) {
            Say::Reason => {
                tracing::warn!(
                    why,
                    "a result was refused; for a minute this is not told again"
                );
            }
            Say::More => tracing::warn!(
                why,
                "results are refused for more reasons than are told in a minute"
            ),
            Say::Nothing => tracing::debug!(why, "a result was refused"),
        }
    }

    /// Tells of several, each by itself.
    pub(crate) fn tell_each(&self, reasons: &[String]) {
        for why in reasons {
            self.tell(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_told_once_a_minute_whatever_others_were_refused_and_their_number_is_bounded() {
        let (mut told, now) = (Told::default(), Instant::now());
        assert_eq!(told.say("no check is called \"a\"", now), Say::Reason);
        assert_eq!(told.say("no check is called \"b\"", now), Say::Reason);
        assert_eq!(told.say("no check is called \"a\"", now), Say::Nothing);
        for n in 2..REASONS_MAX {
            assert_eq!(told.say(&format!("n{n}"), now), Say::Reason);
        }
        assert_eq!(told.say("one more", now), Say::More);
        assert_eq!(told.say("and another", now), Say::Nothing);
        assert_eq!(told.reasons.len(), REASONS_MAX);
        let later = now + TOLD_AGAIN;
        assert_eq!(told.say("no check is called \"a\"", later), Say::Reason);
        let long = "ä".repeat(REASON_LEN_BYTES_MAX);
        assert_eq!(told.say(&long, later), Say::Reason);
        assert_eq!(told.say(&long, later), Say::Nothing);
    }
}
