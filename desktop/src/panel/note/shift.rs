//! Two people change one text at once: where each one's change belongs after the other's.
//!
//! Every replacement here is *pure*: it inserts or deletes, never both. Of two insertions at one
//! place, one's own comes first. The document itself merges by its own rules; this keeps the
//! screen in step until then.

use aramaki_model::Splice;

/// A replacement as pure ones.
pub(super) fn pure(splice: Splice) -> Vec<Splice> {
    let Splice { at, delete, insert } = splice;
    let mut pure = Vec::new();
    if delete > 0 {
        pure.push(deletion(at, delete));
    }
    if !insert.is_empty() {
        pure.push(Splice {
            at,
            delete: 0,
            insert,
        });
    }
    pure
}

/// Applies a replacement; what lies outside the text is left out.
pub(super) fn apply(text: &mut String, splice: &Splice) {
    let range = byte(text, splice.at)..byte(text, splice.at.saturating_add(splice.delete));
    text.replace_range(range, &splice.insert);
}

/// Where a place in the text is after a replacement.
pub(super) fn moved(at: usize, splice: &Splice) -> usize {
    if at <= splice.at {
        at
    } else if at >= splice.at + splice.delete {
        at - splice.delete + length(splice)
    } else {
        splice.at
    }
}

/// How many characters a replacement brings.
pub(super) fn length(splice: &Splice) -> usize {
    splice.insert.chars().count()
}

/// Turns two sequences that begin at one text into `(own after foreign, foreign after own)`: both
/// ways end at the same text.
pub(super) fn cross(own: &[Splice], foreign: &[Splice]) -> (Vec<Splice>, Vec<Splice>) {
    let mut foreign = foreign.to_vec();
    let mut moved_own = Vec::new();
    for one in own {
        let (one, rest) = cross_one(one.clone(), &foreign);
        moved_own.extend(one);
        foreign = rest;
    }
    (moved_own, foreign)
}

/// One own replacement against a sequence.
fn cross_one(own: Splice, foreign: &[Splice]) -> (Vec<Splice>, Vec<Splice>) {
    let Some((first, rest)) = foreign.split_first() else {
        return (vec![own], Vec::new());
    };
    let own_after = after(&own, first, Tie::First);
    let mut foreign_after = after(first, &own, Tie::Second);
    // A deletion may have become two: the rest is crossed with both.
    let (own_after, rest_after) = cross(&own_after, rest);
    foreign_after.extend(rest_after);
    (own_after, foreign_after)
}

/// Which of two insertions at one place stands first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tie {
    First,
    Second,
}

/// A pure replacement as it is after another that was made at the same time.
fn after(this: &Splice, other: &Splice, tie: Tie) -> Vec<Splice> {
    let (begin, end) = (this.at, this.at + this.delete);
    match (this.delete > 0, other.delete > 0) {
        (false, false) => {
            let before = this.at < other.at || (this.at == other.at && tie == Tie::First);
            let at = if before {
                this.at
            } else {
                this.at + length(other)
            };
            vec![Splice { at, ..this.clone() }]
        }
        (false, true) => vec![Splice {
            at: moved(this.at, other),
            ..this.clone()
        }],
        // An insertion inside what is deleted stays: the deletion goes around it.
        (true, false) if begin < other.at && other.at < end => vec![
            deletion(begin, other.at - begin),
            deletion(begin + length(other), end - other.at),
        ],
        (true, false) => {
            let at = if other.at <= begin {
                begin + length(other)
            } else {
                begin
            };
            vec![deletion(at, this.delete)]
        }
        // What the other deleted too is gone already.
        (true, true) => {
            let (at, last) = (moved(begin, other), moved(end, other));
            if last > at {
                vec![deletion(at, last - at)]
            } else {
                Vec::new()
            }
        }
    }
}

fn deletion(at: usize, delete: usize) -> Splice {
    Splice {
        at,
        delete,
        insert: String::new(),
    }
}

fn byte(text: &str, place: usize) -> usize {
    text.char_indices()
        .nth(place)
        .map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insertion(at: usize, text: &str) -> Splice {
        Splice {
            at,
            delete: 0,
            insert: text.to_owned(),
        }
    }

    fn apply_all(text: &mut String, splices: &[Splice]) {
        for splice in splices {
            apply(text, splice);
        }
    }

    /// All pure replacements of a text of this length.
    fn all(len: usize, text: &str) -> Vec<Splice> {
        let insertions = (0..=len).map(|at| insertion(at, text));
        let deletions = (0..len).flat_map(|at| (1..=len - at).map(move |n| deletion(at, n)));
        insertions.chain(deletions).collect()
    }

    #[test]
    fn both_ways_around_end_at_the_same_text() {
        let text = "grün👩ab";
        let len = text.chars().count();
        for own in all(len, "ÄÖ") {
            for foreign in all(len, "xyz") {
                let mut first = text.to_owned();
                let mut second = text.to_owned();
                let (own_after, foreign_after) =
                    cross(std::slice::from_ref(&own), std::slice::from_ref(&foreign));
                apply(&mut first, &own);
                apply_all(&mut first, &foreign_after);
                apply(&mut second, &foreign);
                apply_all(&mut second, &own_after);
                assert_eq!(first, second, "{own:?} {foreign:?}");
            }
        }
    }

    #[test]
    fn sequences_end_at_the_same_text_too() {
        let text = "abcdef";
        for first_own in all(6, "ÄÖ") {
            for foreign in all(6, "xyz") {
                let mut own_text = text.to_owned();
                apply(&mut own_text, &first_own);
                let second_own = insertion(own_text.chars().count() / 2, "!");
                apply(&mut own_text, &second_own);
                let own = [first_own.clone(), second_own];
                let foreign = [foreign.clone(), insertion(0, "#")];
                let (own_after, foreign_after) = cross(&own, &foreign);
                let mut other = text.to_owned();
                apply_all(&mut other, &foreign);
                apply_all(&mut other, &own_after);
                apply_all(&mut own_text, &foreign_after);
                assert_eq!(own_text, other, "{own:?} {foreign:?}");
            }
        }
    }
}
