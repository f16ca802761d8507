//! What is desired and not yet done: which watched value changed, what is to be run, when again. Pure.
//!
//! **Invariant:** what is to be done is on disk before it is begun, and stays there until it is done, so that
//! no crash loses a change; it may be run again. What changes meanwhile is done once, with the newest value.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_model::desired::{DesiredPath, DesiredState};
use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::WatchFile;

/// Attempts at one value; after that it is left until it changes again.
const ATTEMPTS_MAX: u32 = 8;
/// Pause after the first failed attempt; twice as long after each further one.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_mins(10);

/// What became of one watched path, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedWatch {
    /// The path.
    pub(crate) path: String,
    /// The digest of the value that was acted on last; none: of none.
    done: Option<String>,
    /// What is to be done.
    wanted: Option<Wanted>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    /// As JSON; none: it is not desired any more.
    value: Option<String>,
    generation: String,
    attempts: u32,
    due: Timestamp,
}

/// An action that is to be run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) path: DesiredPath,
    pub(crate) action: String,
    /// As JSON; none: it is not desired any more.
    pub(crate) value: Option<String>,
    /// The heads of the document that says so.
    pub(crate) generation: String,
    /// Which attempt, from 1.
    pub(crate) attempt: u32,
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Done,
    Failed,
}

#[derive(Debug)]
struct Watched {
    action: String,
    saved: SavedWatch,
    running: bool,
}

/// All watched paths of this host.
#[derive(Debug, Default)]
pub(crate) struct Desires {
    watched: BTreeMap<DesiredPath, Watched>,
}

impl Desires {
    /// What the host's file watches, with what is known of it from before.
    pub(crate) fn new(watches: &[WatchFile], saved: Vec<SavedWatch>) -> Self {
        let mut known: BTreeMap<String, SavedWatch> = BTreeMap::new();
        known.extend(saved.into_iter().map(|it| (it.path.clone(), it)));
        let watched = watches.iter().map(|watch| {
            let path = watch.path.to_string();
            let saved = known.remove(&path).unwrap_or(SavedWatch {
                path,
                ..SavedWatch::default()
            });
            let watched = Watched {
                action: watch.action.clone(),
                saved,
                running: false,
            };
            (watch.path.clone(), watched)
        });
        Self {
            watched: watched.collect(),
        }
    }

    /// Takes in what is desired now; says whether something is to be done that was not.
    pub(crate) fn configure(&mut self, state: &DesiredState, now: Timestamp) -> bool {
        let mut is_news = false;
        for (path, watched) in &mut self.watched {
            let value = state.at(path);
            let saved = &mut watched.saved;
            match &saved.wanted {
                // The same is still to be done: by a newer document, which changes nothing.
                Some(wanted) if wanted.value == value => continue,
                None if saved.done == digest(value.as_deref()) => continue,
                _ => {}
            }
            if saved.done == digest(value.as_deref()) && !watched.running {
                // It was changed and changed back before anything was done.
                saved.wanted = None;
                is_news = true;
                continue;
            }
            saved.wanted = Some(Wanted {
                value,
                generation: state.heads.clone(),
                attempts: 0,
                due: now,
            });
            is_news = true;
        }
        is_news
    }

    /// What is to be begun now. It counts as begun, and must be on disk before it is.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        for (path, watched) in &mut self.watched {
            let wanted = watched.saved.wanted.as_mut();
            let Some(wanted) = wanted.filter(|it| it.due <= now && !watched.running) else {
                continue;
            };
            watched.running = true;
            wanted.attempts = wanted.attempts.saturating_add(1);
            due.push(Due {
                path: path.clone(),
                action: watched.action.clone(),
                value: wanted.value.clone(),
                generation: wanted.generation.clone(),
                attempt: wanted.attempts,
            });
        }
        due
    }

    /// An action ended; says whether it is tried again.
    pub(crate) fn ended(&mut self, due: &Due, ended: Ended, now: Timestamp) -> bool {
        let Some(watched) = self.watched.get_mut(&due.path) else {
            return false;
        };
        watched.running = false;
        let saved = &mut watched.saved;
        let is_newest = saved
            .wanted
            .as_ref()
            .is_some_and(|it| it.value == due.value);
        if !is_newest {
            if ended == Ended::Done {
                saved.done = digest(due.value.as_deref());
            }
            // What changed meanwhile is due already.
            return saved.wanted.is_some();
        }
        let is_given_up = due.attempt >= ATTEMPTS_MAX;
        if ended == Ended::Done || is_given_up {
            saved.done = digest(due.value.as_deref());
            saved.wanted = None;
            return false;
        }
        if let Some(wanted) = &mut saved.wanted {
            let doubled = RETRY_MIN.saturating_mul(1 << (due.attempt - 1).min(16));
            wanted.due = now.plus(doubled.min(RETRY_MAX));
        }
        true
    }

    /// When something is to be begun next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let waiting = self.watched.values().filter(|it| !it.running);
        let due = waiting.filter_map(|it| Some(it.saved.wanted.as_ref()?.due));
        due.min()
    }

    /// What is kept over a restart.
    pub(crate) fn saved(&self) -> Vec<SavedWatch> {
        self.watched.values().map(|it| it.saved.clone()).collect()
    }
}

fn digest(value: Option<&str>) -> Option<String> {
    value.map(|value| blake3::hash(value.as_bytes()).to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "web/ports";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn state(value: Option<&str>, heads: &str) -> DesiredState {
        let values = value.map(|value| (PATH.parse().unwrap(), value.to_owned()));
        DesiredState {
            heads: heads.to_owned(),
            values: values.into_iter().collect(),
        }
    }

    fn desires(saved: Vec<SavedWatch>) -> Desires {
        let watch = WatchFile {
            path: "web".parse().unwrap(),
            action: "reload".to_owned(),
        };
        Desires::new(&[watch], saved)
    }

    #[test]
    fn a_value_is_acted_on_once_and_again_only_when_it_changed() {
        let mut desires = desires(Vec::new());
        assert!(
            !desires.configure(&state(None, "a"), at(0)),
            "nothing was ever desired"
        );
        assert!(desires.configure(&state(Some("80"), "b"), at(1)));
        let due = desires.take_due(at(1));
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].value.as_deref(), Some(r#"{"ports":80}"#));
        assert_eq!((due[0].generation.as_str(), due[0].attempt), ("b", 1));
        assert!(desires.take_due(at(1)).is_empty(), "it runs");
        assert!(!desires.ended(&due[0], Ended::Done, at(2)));
        assert!(
            !desires.configure(&state(Some("80"), "c"), at(3)),
            "other heads, the same value"
        );
        assert_eq!(desires.next_due(), None);
        assert!(desires.configure(&state(None, "d"), at(4)));
        assert_eq!(desires.take_due(at(4))[0].value, None);
    }

    #[test]
    fn changes_while_it_runs_are_done_once_with_the_newest() {
        let mut desires = desires(Vec::new());
        desires.configure(&state(Some("1"), "a"), at(0));
        let first = desires.take_due(at(0)).remove(0);
        for value in ["2", "3", "4"] {
            desires.configure(&state(Some(value), value), at(1));
        }
        assert!(desires.take_due(at(1)).is_empty());
        assert!(desires.ended(&first, Ended::Done, at(2)));
        let next = desires.take_due(at(2)).remove(0);
        assert_eq!((next.generation.as_str(), next.attempt), ("4", 1));
        assert!(!desires.ended(&next, Ended::Done, at(3)));
        // Back to the value that runs: once more, because what ran meanwhile may have begun with another.
        desires.configure(&state(Some("5"), "5"), at(4));
        let fifth = desires.take_due(at(4)).remove(0);
        desires.configure(&state(Some("4"), "6"), at(4));
        assert!(desires.ended(&fifth, Ended::Done, at(5)));
        assert_eq!(desires.take_due(at(5))[0].generation, "6");
    }

    #[test]
    fn a_crash_in_between_repeats_and_loses_nothing() {
        let mut before = desires(Vec::new());
        before.configure(&state(Some("1"), "a"), at(0));
        assert_eq!(before.take_due(at(0)).len(), 1);
        let mut after = desires(before.saved());
        assert!(!after.configure(&state(Some("1"), "a"), at(1)));
        let again = after.take_due(at(1)).remove(0);
        assert_eq!(again.attempt, 2);
        after.ended(&again, Ended::Done, at(2));
        let mut third = desires(after.saved());
        assert!(
            !third.configure(&state(Some("1"), "a"), at(3)) && third.take_due(at(3)).is_empty()
        );
    }

    #[test]
    fn what_fails_is_tried_again_ever_later_and_given_up() {
        let mut desires = desires(Vec::new());
        desires.configure(&state(Some("1"), "a"), at(0));
        let mut now = at(0);
        let mut attempts = 0;
        while let Some(due_at) = desires.next_due() {
            assert!(due_at.since(now) <= RETRY_MAX);
            now = due_at;
            let due = desires.take_due(now).remove(0);
            attempts += 1;
            let again = desires.ended(&due, Ended::Failed, now);
            assert_eq!(again, attempts < ATTEMPTS_MAX);
        }
        assert_eq!(attempts, ATTEMPTS_MAX);
        assert!(
            !desires.configure(&state(Some("1"), "b"), now),
            "given up until it changes"
        );
        assert!(desires.configure(&state(Some("2"), "c"), now));
    }
}
