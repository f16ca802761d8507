//! What the log says of results that were not taken.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why a result was refused is told once in this time: a client that repeats itself fills no log.
const TOLD_AGAIN: Duration = Duration::from_mins(1);

/// Tells in the log why results are refused: the answer is one word, and a datagram gets none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<Option<Instant>>>);

impl Refusals {
    pub(crate) fn tell(&self, why: &dyn Display) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < TOLD_AGAIN) {
            tracing::debug!(%why, "a result was refused");
            return;
        }
        *last = Some(Instant::now());
        tracing::warn!(%why, "a result was refused; for a minute others are not told of here");
    }
}
