//! What each chain said last in ephemeral messages, for who connects a moment later: without it,
//! somebody who opens the app waits for every agent's next heartbeat.
//!
//! Only memory: nothing is stored, and who hears it checks it like any other message.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::ephemeral::{CLOCK_TOLERANCE, Ephemeral};
use crate::id::Chain;
use crate::time::Timestamp;

/// Messages of one chain that are this close in time belong together: a heartbeat of many checks.
const ROUND: Duration = Duration::from_secs(5);
/// Messages kept of one chain.
const MESSAGES_PER_CHAIN_MAX: usize = 8;
/// Chains of a Space whose messages are kept.
const CHAINS_MAX: usize = 64;

/// The last messages of a Space.
#[derive(Debug, Default)]
pub(super) struct LastWords(BTreeMap<Chain, VecDeque<Ephemeral>>);

impl LastWords {
    /// Keeps a message that was heard.
    pub(super) fn keep(&mut self, message: &Ephemeral, now: Timestamp) {
        let chain = message.header().chain;
        if !self.0.contains_key(&chain) && self.0.len() >= CHAINS_MAX {
            self.0
                .retain(|_chain, words| words.back().is_some_and(|it| is_current(it, now)));
            if self.0.len() >= CHAINS_MAX {
                return;
            }
        }
        let words = self.0.entry(chain).or_default();
        let time = message.header().time;
        words.retain(|word| time.since(word.header().time) <= ROUND);
        if words.len() >= MESSAGES_PER_CHAIN_MAX {
            words.pop_front();
        }
        words.push_back(message.clone());
    }

    /// What is still worth telling, each chain's in the order in which it was said.
    pub(super) fn current(&self, now: Timestamp) -> Vec<Ephemeral> {
        let words = self.0.values().flatten();
        words.filter(|it| is_current(it, now)).cloned().collect()
    }
}

fn is_current(message: &Ephemeral, now: Timestamp) -> bool {
    now.since(message.header().time) < CLOCK_TOLERANCE
}
