//! What the changes of a System's document wrote and took away again, of those items whose past people are shown.

use std::collections::BTreeMap;

use aramaki_sync_core::Timestamp;
use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ExpandedChange, ScalarValue};

use super::watched::Watched;
use crate::doc::genesis::{field, first_actor};
use crate::edit::ITEM_LEN_BYTES_MAX;

/// How many items of each kind are remembered: those whose keys sort last, so of dated keys the newest.
const ITEMS_MAX: usize = 2_000;
/// How long a key may be.
const KEY_LEN_BYTES_MAX: usize = 128;
/// The operations of the first change that make the maps in which such items are.
const CHECKS_OPERATION: u64 = 6;
const AGENTS_OPERATION: u64 = 7;
const SILENCES_OPERATION: u64 = 9;
const MORE_OPERATION: u64 = 10;

/// Items whose past is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PastKind {
    /// Checks of the System.
    Check,
    /// Agents of the System.
    Agent,
    /// Silences.
    Silence,
    /// Maintenance windows.
    Maintenance,
}

/// Somebody wrote an item, or took it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Act {
    /// The number of the operation: whoever knew of another one has a higher one.
    number: u64,
    /// Under which Automerge actor.
    pub(crate) actor: [u8; 16],
    /// When, by their clock, in whole seconds.
    pub(crate) at: Timestamp,
}

/// What became of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bygone {
    /// Who wrote it first.
    pub(crate) made: Option<Act>,
    /// Who took it away last; it may have been written again.
    pub(crate) taken: Option<Act>,
    /// What was written last.
    written: Option<(Act, String)>,
}

impl Bygone {
    /// What was written last, as JSON.
    pub(crate) fn text(&self) -> &str {
        self.written.as_ref().map_or("", |(_, text)| text)
    }

    fn write(&mut self, act: Act, text: &str) {
        self.made = Some(self.made.map_or(act, |made| made.min(act)));
        if self.written.as_ref().is_none_or(|(last, _)| *last < act) {
            self.written = Some((act, text.to_owned()));
        }
    }
}

/// What became of the items of a document.
///
/// **Invariant:** it follows from the set of changes, in whatever order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    items: BTreeMap<PastKind, BTreeMap<String, Bygone>>,
    watched: Watched,
}

impl Past {
    /// What became of all items of a kind, by key.
    pub(crate) fn of(&self, kind: PastKind) -> impl Iterator<Item = (&str, &Bygone)> {
        let items = self.items.get(&kind).into_iter().flatten();
        items.map(|(key, bygone)| (key.as_str(), bygone))
    }

    /// Since when checks are looked at.
    pub(crate) const fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Takes in a change that passed the gate.
    pub(super) fn take(&mut self, actor: [u8; 16], change: &ExpandedChange) {
        let at = Timestamp::from_millis(change.time.saturating_mul(1_000));
        for (number, operation) in (change.start_op.get()..).zip(&change.operations) {
            let act = Act { number, actor, at };
            if let Some((OpId(CHECKS_OPERATION, _), key)) = map_and_key(operation) {
                match &operation.action {
                    OpType::Put(ScalarValue::Str(text)) => self.watched.write(key, act, text),
                    OpType::Delete => self.watched.remove(key, act),
                    _ => {}
                }
            }
            let Some((kind, key)) = place(operation) else {
                continue;
            };
            match &operation.action {
                OpType::Put(ScalarValue::Str(text)) if text.len() <= ITEM_LEN_BYTES_MAX => {
                    self.item(kind, key, |item| item.write(act, text));
                }
                OpType::Delete => {
                    self.item(kind, key, |item| item.taken = item.taken.max(Some(act)));
                }
                _ => {}
            }
        }
    }

    fn item(&mut self, kind: PastKind, key: &str, act: impl FnOnce(&mut Bygone)) {
        let items = self.items.entry(kind).or_default();
        if !items.contains_key(key) {
            items.insert(key.to_owned(), Bygone::default());
            if items.len() > ITEMS_MAX {
                // Whatever comes later, it stays among those that are forgotten.
                items.pop_first();
            }
        }
        if let Some(item) = items.get_mut(key) {
            act(item);
        }
    }
}

/// Which map of the first change an operation is about, and which key.
fn map_and_key(operation: &Op) -> Option<(&OpId, &str)> {
    let (ObjectId::Id(map), Key::Map(key)) = (&operation.obj, &operation.key) else {
        return None;
    };
    let is_known = map.1 == first_actor() && key.len() <= KEY_LEN_BYTES_MAX;
    is_known.then_some((map, key))
}

/// Which item an operation is about, if it is of those that are remembered.
fn place(operation: &Op) -> Option<(PastKind, &str)> {
    let (map, key) = map_and_key(operation)?;
    match map.0 {
        CHECKS_OPERATION => Some((PastKind::Check, key)),
        AGENTS_OPERATION => Some((PastKind::Agent, key)),
        SILENCES_OPERATION => Some((PastKind::Silence, key)),
        MORE_OPERATION => {
            let (name, key) = key.split_once('/')?;
            (name == field::MAINTENANCE).then_some((PastKind::Maintenance, key))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::genesis::{DocumentKind, Genesis};
    use automerge::{ObjId, ROOT, ReadDoc as _};

    fn act(number: u64) -> Act {
        Act {
            number,
            actor: [1; 16],
            at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn the_maps_are_where_the_first_change_makes_them() {
        let genesis = Genesis::new().unwrap();
        let state = genesis.state(DocumentKind::System).unwrap();
        for (name, number) in [
            (field::CHECKS, CHECKS_OPERATION),
            (field::AGENTS, AGENTS_OPERATION),
            (field::SILENCES, SILENCES_OPERATION),
            (field::MORE, MORE_OPERATION),
        ] {
            let (_, id) = state.get(ROOT, name).unwrap().unwrap();
            assert!(
                matches!(id, ObjId::Id(made, ..) if made == number),
                "{name}"
            );
        }
    }

    #[test]
    fn of_too_many_items_the_last_are_remembered_in_whatever_order_they_come() {
        let mut forward = Past::default();
        let mut backward = Past::default();
        let keys: Vec<_> = (0..ITEMS_MAX + 100).map(|n| format!("{n:08}")).collect();
        for key in &keys {
            forward.item(PastKind::Silence, key, |item| item.write(act(1), key));
        }
        for key in keys.iter().rev() {
            backward.item(PastKind::Silence, key, |item| item.write(act(1), key));
        }
        assert_eq!(forward, backward);
        assert_eq!(forward.of(PastKind::Silence).count(), ITEMS_MAX);
        let first = forward.of(PastKind::Silence).next().unwrap();
        assert_eq!(first.0, keys[100]);
    }

    #[test]
    fn a_check_is_looked_at_since_it_was_turned_on_last_in_whatever_order_that_is_heard() {
        let (on, off) = (r#"{"name":"web"}"#, r#"{"enabled":false}"#);
        let written = |n: u64| Act {
            at: Timestamp::from_millis(i64::try_from(n).unwrap()),
            ..act(n)
        };
        let of = |turns: &[(u64, &str)]| {
            let mut watched = [Watched::default(), Watched::default()];
            for (n, text) in turns {
                watched[0].write("web", written(*n), text);
            }
            for (n, text) in turns.iter().rev() {
                watched[1].write("web", written(*n), text);
            }
            assert_eq!(watched[0], watched[1]);
            let since = watched[0].since().next();
            since.map(|(_, is_on, at)| (is_on, at.millis()))
        };
        assert_eq!(of(&[(1, on), (2, on)]), Some((true, 1)));
        assert_eq!(of(&[(1, on), (2, off)]), Some((false, 2)));
        assert_eq!(of(&[(1, on), (2, off), (3, on), (4, on)]), Some((true, 3)));
        assert_eq!(of(&[(1, on), (2, "{"), (3, off)]), Some((false, 2)));
        let mut taken = Watched::default();
        taken.write("web", written(1), on);
        taken.remove("web", written(2));
        assert_eq!(taken.since().next(), Some(("web", false, written(2).at)));
        taken.write("web", written(3), on);
        assert_eq!(taken.since().next(), Some(("web", true, written(3).at)));
        let many: Vec<_> = (1..1_000).map(|n| (n, on)).collect();
        assert_eq!(of(&many), None, "that is long ago");
    }

    #[test]
    fn who_wrote_first_made_it_and_what_was_written_last_counts() {
        let mut ahead = Bygone::default();
        ahead.write(act(3), "later");
        ahead.write(act(1), "first");
        ahead.write(act(2), "between");
        assert_eq!((ahead.made, ahead.text()), (Some(act(1)), "later"));
    }
}
