//! What each chain said last of each document in ephemeral messages, for who connects a moment later: without it,
//! somebody who opens the app waits for every agent's next heartbeat.
//!
//! Only memory: nothing is stored, and who hears it checks it like any other message.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::ephemeral::{CLOCK_TOLERANCE, Ephemeral};
use crate::id::{Chain, DocumentId};
use crate::time::Timestamp;

/// Messages of one chain about one document that are this close in time belong together: a heartbeat of many checks.
const ROUND: Duration = Duration::from_secs(5);
/// Messages kept of one chain about one document.
const MESSAGES_PER_CHAIN_MAX: usize = 8;
/// Chains of a Space whose messages are kept.
const CHAINS_MAX: usize = 64;
/// Documents of one chain of which messages are kept: a run's output must not push out a heartbeat.
const DOCUMENTS_PER_CHAIN_MAX: usize = 4;

/// The last messages of a Space.
#[derive(Debug, Default)]
pub(super) struct LastWords(BTreeMap<Chain, Words>);

/// Of one chain, by document.
type Words = BTreeMap<DocumentId, VecDeque<Ephemeral>>;

impl LastWords {
    /// Keeps a message that was heard.
    pub(super) fn keep(&mut self, message: &Ephemeral, now: Timestamp) {
        let chain = message.header().chain;
        if !self.0.contains_key(&chain) && self.0.len() >= CHAINS_MAX {
            self.0
                .retain(|_chain, words| words.values().any(|it| last_is_current(it, now)));
            if self.0.len() >= CHAINS_MAX {
                return;
            }
        }
        let documents = self.0.entry(chain).or_default();
        let document = message.header().document;
        if !documents.contains_key(&document) && documents.len() >= DOCUMENTS_PER_CHAIN_MAX {
            documents.retain(|_document, words| last_is_current(words, now));
            if documents.len() >= DOCUMENTS_PER_CHAIN_MAX {
                return;
            }
        }
        let words = documents.entry(document).or_default();
        let time = message.header().time;
        words.retain(|word| time.since(word.header().time) <= ROUND);
        if words.len() >= MESSAGES_PER_CHAIN_MAX {
            words.pop_front();
        }
        words.push_back(message.clone());
    }

    /// What is still worth telling, each chain's in the order in which it was said.
    pub(super) fn current(&self, now: Timestamp) -> Vec<Ephemeral> {
        let words = self.0.values().flat_map(BTreeMap::values).flatten();
        let words = words.filter(|it| is_current(it, now));
        let mut current: Vec<_> = words.cloned().collect();
        // Counters rise over all documents of a chain: what came first is told first, or it is not heard.
        current.sort_by_key(|it| (it.header().chain, it.header().counter));
        current
    }
}

fn last_is_current(words: &VecDeque<Ephemeral>, now: Timestamp) -> bool {
    words.back().is_some_and(|it| is_current(it, now))
}

fn is_current(message: &Ephemeral, now: Timestamp) -> bool {
    now.since(message.header().time) < CLOCK_TOLERANCE
}
