//! How somebody looks at the worklist, kept under a name: which Systems, which filter, which grouping.

use std::collections::BTreeMap;

use aramaki_sync_core::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{EntryId, ItemId};
use crate::text::clean_line;

/// Perspectives of one person that are shown: the first by name.
pub const PERSPECTIVES_MAX: usize = 64;
/// How long its name may be.
pub const PERSPECTIVE_NAME_LEN_BYTES_MAX: usize = 128;
/// How many Systems it may begin at.
pub const ROOTS_MAX: usize = 64;
const FILTER_LEN_BYTES_MAX: usize = 2_048;
const WORD_LEN_BYTES_MAX: usize = 32;

/// How somebody looks at the worklist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Perspective {
    /// What they call it.
    pub name: String,
    /// Alerts of these Systems and of all below them; of all Systems when there is none.
    pub roots: Vec<SpaceId>,
    /// The filter, as it is typed.
    pub filter: String,
    /// The word of the grouping; one that is not known groups nothing.
    pub grouping: String,
    /// The word of the tab; one that is not known is the first.
    pub tab: String,
}

/// A perspective that was written: the newest of an id counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPerspective {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// Which: it stays when it is renamed.
    pub id: ItemId,
    /// What it is now; none: deleted.
    pub perspective: Option<Perspective>,
}

impl Perspective {
    /// The same within its limits, and without what terminals and eyes are deceived by.
    #[must_use]
    pub fn cleaned(&self) -> Self {
        let mut roots = self.roots.clone();
        roots.sort_unstable();
        roots.dedup();
        roots.truncate(ROOTS_MAX);
        Self {
            name: clean_line(&self.name, PERSPECTIVE_NAME_LEN_BYTES_MAX),
            roots,
            filter: clean_line(&self.filter, FILTER_LEN_BYTES_MAX),
            grouping: clean_line(&self.grouping, WORD_LEN_BYTES_MAX),
            tab: clean_line(&self.tab, WORD_LEN_BYTES_MAX),
        }
    }

    /// Whether both show the same, whatever they are called.
    pub fn shows_same(&self, other: &Self) -> bool {
        let named = |it: &Self| Self {
            name: String::new(),
            ..it.cleaned()
        };
        named(self) == named(other)
    }
}

/// What stands of everything that was written, by id: the newest; of equal times the greatest entry.
pub(crate) fn standing<'a>(
    written: impl Iterator<Item = (EntryId, &'a SavedPerspective)>,
) -> BTreeMap<ItemId, Perspective> {
    let mut newest: BTreeMap<ItemId, ((Timestamp, EntryId), &SavedPerspective)> = BTreeMap::new();
    for (entry, saved) in written {
        let order = (saved.at, entry);
        let known = newest.get(&saved.id).map(|(order, _)| *order);
        if known < Some(order) {
            newest.insert(saved.id, (order, saved));
        }
    }
    let standing = newest.into_iter().filter_map(|(id, (_, saved))| {
        let perspective = saved.perspective.as_ref()?.cleaned();
        (!perspective.name.is_empty()).then_some((id, perspective))
    });
    standing.collect()
}

/// The same as people read it: by name, not more than are shown.
pub fn by_name(standing: BTreeMap<ItemId, Perspective>) -> Vec<(ItemId, Perspective)> {
    let mut listed: Vec<_> = standing.into_iter().collect();
    listed.sort_by(|(a_id, a), (b_id, b)| {
        let key = |it: &Perspective| it.name.to_lowercase();
        (key(a), a_id).cmp(&(key(b), b_id))
    });
    listed.truncate(PERSPECTIVES_MAX);
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(at: i64, id: u8, name: &str) -> SavedPerspective {
        SavedPerspective {
            at: Timestamp::from_millis(at),
            id: ItemId::from_bytes([id; 16]),
            perspective: (!name.is_empty()).then(|| Perspective {
                name: name.to_owned(),
                ..Perspective::default()
            }),
        }
    }

    #[test]
    fn the_newest_of_an_id_counts_in_whatever_order_it_is_read() {
        let written = [
            saved(1, 1, "night"),
            saved(3, 1, "duty"),
            saved(2, 1, "old"),
            saved(1, 2, "mail"),
            saved(5, 2, ""),
            saved(1, 3, "Backup"),
            saved(9, 4, "\u{202e}"),
        ];
        let entries = (0..).map(|n: u8| EntryId::from_bytes([n; 16]));
        let mut pairs: Vec<_> = entries.zip(&written).collect();
        let names = |pairs: &[(EntryId, &SavedPerspective)]| -> Vec<String> {
            let listed = by_name(standing(pairs.iter().copied()));
            listed.into_iter().map(|(_, it)| it.name).collect()
        };
        assert_eq!(names(&pairs), ["Backup", "duty"]);
        pairs.reverse();
        assert_eq!(names(&pairs), ["Backup", "duty"]);
        // At one time the greater entry counts on every replica.
        let (a, b) = (saved(7, 1, "a"), saved(7, 1, "b"));
        let (first, second) = (EntryId::from_bytes([1; 16]), EntryId::from_bytes([2; 16]));
        assert_eq!(names(&[(first, &a), (second, &b)]), ["b"]);
        assert_eq!(names(&[(second, &b), (first, &a)]), ["b"]);
    }

    #[test]
    fn it_is_kept_within_limits_and_compared_without_its_name() {
        let space = |n: usize| SpaceId::from_bytes([u8::try_from(n).unwrap(); 32]);
        let long = Perspective {
            name: "n".repeat(999),
            roots: (0..200).map(space).chain([space(3)]).collect(),
            filter: "x".repeat(9_999),
            ..Perspective::default()
        };
        let kept = long.cleaned();
        assert_eq!(kept.name.len(), PERSPECTIVE_NAME_LEN_BYTES_MAX);
        assert_eq!(kept.roots.len(), ROOTS_MAX);
        assert_eq!(kept.filter.len(), FILTER_LEN_BYTES_MAX);
        assert!(kept.shows_same(&long));
        let renamed = Perspective {
            name: "other".to_owned(),
            ..kept.clone()
        };
        assert!(renamed.shows_same(&kept));
        let other = Perspective {
            tab: "open".to_owned(),
            ..kept.clone()
        };
        assert!(!other.shows_same(&kept));
        let many = (0..99).map(|n| (ItemId::from_bytes([n; 16]), kept.clone()));
        assert_eq!(by_name(many.collect()).len(), PERSPECTIVES_MAX);
    }
}
