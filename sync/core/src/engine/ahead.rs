//! That this device's clock is ahead of everybody else's: what it says counts for nobody until its time comes.

use std::time::Duration;

use super::Engine;
use crate::admission::CLOCK_AHEAD_MAX;
use crate::id::SpaceId;
use crate::time::Timestamp;

/// How far a clock is ahead, as witnesses of what was written by it say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockAhead {
    /// At least so far: between writing and a witness's clock something may have waited.
    pub by: Duration,
    /// By their clocks the last that they have of it counts from then on.
    pub counts_from: Timestamp,
}

impl Engine {
    /// Whether all who gave receipts for what this device wrote last in a Space saw it before its time, and
    /// that has not come by their clocks. None while nobody gave one.
    ///
    /// A witness that lies about its clock makes this device warn, and changes nothing else.
    pub fn clock_ahead(&self, space: SpaceId) -> Option<ClockAhead> {
        let held = self.spaces.get(&space)?;
        // A clock that was put right goes on in another chain.
        let chain = self.chain();
        let receipts = held.evaluation.receipts(chain).into_iter();
        let said = receipts.filter_map(|(_witness, seq, at)| {
            let mut named = held.log.at(chain, seq).filter_map(|id| held.log.get(id));
            Some((named.next()?.header().time, at))
        });
        let (written, at) = said.max_by_key(|(written, at)| (*written, *at))?;
        let by = written.since(at);
        let theirs = self.now.minus(by);
        let counts_from = written.minus(CLOCK_AHEAD_MAX);
        let waits = at < counts_from && theirs < counts_from;
        waits.then_some(ClockAhead { by, counts_from })
    }
}
