//! The settle gate: nothing is sent from a System whose silences may not have arrived yet.

use std::time::Duration;

use aramaki_sync_core::Timestamp;

/// How long to wait for somebody to be in step with, unless the notifier's file says otherwise.
pub const SETTLE_DEFAULT_MS: u64 = 60_000;
/// The longest such time: after it a notifier that is alone must speak.
pub const SETTLE_MAX_MS: u64 = 600_000;
/// What was compared and found equal still has to reach the model.
const TAKEN_IN_MS: u64 = 1_000;
/// How long a connection that comes after the wait is given before it counts as nothing.
const CONNECTION_MS: u64 = 10_000;

/// Whether a System's silences, acknowledgements and maintenance are here as others know them.
///
/// Open once this replica was in step with a peer since the last time it was alone; and open when
/// that did not happen within a bound, because silence must not come from a cut cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settling {
    /// Since when it is in step.
    in_step: Option<Timestamp>,
    /// Since when it waits.
    waits_since: Timestamp,
    /// When somebody was connected last without being in step.
    connected: Option<Timestamp>,
    /// How long it waits.
    wait_ms: u64,
}

/// Whom a notifier can hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Nobody.
    Alone,
    /// A peer that is not in step with it yet.
    Connected,
    /// A peer that holds the same.
    InStep,
}

impl Settling {
    /// Begins to wait.
    pub const fn new(now: Timestamp, wait_ms: u64) -> Self {
        Self {
            in_step: None,
            waits_since: now,
            connected: None,
            wait_ms: if wait_ms > SETTLE_MAX_MS {
                SETTLE_MAX_MS
            } else {
                wait_ms
            },
        }
    }

    /// Takes in who can be heard.
    pub fn look(&mut self, now: Timestamp, contact: Contact) {
        match (contact == Contact::InStep, self.in_step) {
            (true, None) => self.in_step = Some(now),
            (false, Some(_)) => {
                self.in_step = None;
                self.waits_since = now;
                self.connected = None;
            }
            _ => {}
        }
        // Somebody came who may know better, after the wait was over: their word is worth a moment,
        // once for each time of being alone, so that a bad cable does not silence for ever.
        if contact == Contact::Connected && self.connected.is_none() {
            self.connected = Some(now);
        }
    }

    /// From when on it is open, if nothing changes.
    pub fn opens_at(&self) -> Timestamp {
        if let Some(since) = self.in_step {
            return since.plus(Duration::from_millis(TAKEN_IN_MS));
        }
        let alone = self.waits_since.plus(Duration::from_millis(self.wait_ms));
        match self.connected {
            Some(since) if since > alone => since.plus(Duration::from_millis(CONNECTION_MS)),
            _ => alone,
        }
    }

    /// Whether it is open.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.opens_at() <= now
    }

    /// Whether it is open only because nobody answered.
    pub fn is_alone(&self, now: Timestamp) -> bool {
        self.in_step.is_none() && self.is_open(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn it_opens_when_in_step_and_after_a_bound_without_anybody() {
        let mut gate = Settling::new(at(0), 60_000);
        assert!(!gate.is_open(at(59)));
        assert!(gate.is_open(at(60)) && gate.is_alone(at(60)));
        gate.look(at(5), Contact::InStep);
        assert!(!gate.is_open(at(5)), "what is in step is not yet taken in");
        assert!(gate.is_open(at(6)) && !gate.is_alone(at(6)));
        gate.look(at(100), Contact::Alone);
        assert!(!gate.is_open(at(101)), "alone again");
        assert!(gate.is_open(at(160)));
    }

    #[test]
    fn who_comes_after_the_bound_is_waited_for_once_and_a_bad_cable_does_not_silence() {
        let mut gate = Settling::new(at(0), 60_000);
        gate.look(at(100), Contact::Connected);
        assert!(!gate.is_open(at(101)));
        for second in 101..130 {
            let contact = if second % 2 == 0 {
                Contact::Connected
            } else {
                Contact::Alone
            };
            gate.look(at(second), contact);
        }
        assert!(gate.is_open(at(110)));
        assert!(gate.is_open(at(130)));
    }
}
