//! A list that shares what did not change with the lists that it was made from.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Flatten;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// How many values are copied at most when one is changed.
const PAGE_LEN_MAX: usize = 128;

/// A list whose copies share their pages: to copy it and change one value costs a page, however
/// long it is.
///
/// **Invariant:** no page is empty, none is longer than `PAGE_LEN_MAX`, and each knows how many
/// values there are up to its end.
pub struct SharedList<T> {
    pages: Vec<Page<T>>,
}

struct Page<T> {
    values: Arc<Vec<T>>,
    /// How many values there are up to its last.
    end: usize,
}

/// The values of a [`SharedList`], in order.
pub struct Iter<'a, T>(Flatten<slice::Iter<'a, Page<T>>>);

impl<T> SharedList<T> {
    /// How many values it has.
    pub fn len(&self) -> usize {
        self.pages.last().map_or(0, |page| page.end)
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The value at a place.
    pub fn get(&self, place: usize) -> Option<&T> {
        let (page, within) = self.locate(place)?;
        self.pages.get(page)?.values.get(within)
    }

    /// The first value.
    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    /// All values, in order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.pages.iter().flatten())
    }

    /// The values at these places, as far as there are any.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = &T> {
        let there = places.start..places.end.min(self.len());
        there.filter_map(|place| self.get(place))
    }

    /// In which page a place is, and where there.
    fn locate(&self, place: usize) -> Option<(usize, usize)> {
        let page = self.pages.partition_point(|page| page.end <= place);
        let found = self.pages.get(page)?;
        let begin = found.end.saturating_sub(found.values.len());
        Some((page, place.checked_sub(begin)?))
    }

    /// In which page a value of a sorted list is, and where there; or where it belongs.
    fn search(&self, compare: impl Fn(&T) -> Ordering) -> (usize, Result<usize, usize>) {
        let is_before = |page: &Page<T>| page.values.last().is_some_and(|it| compare(it).is_lt());
        let page = self.pages.partition_point(is_before);
        let values = self.pages.get(page).map(|page| page.values.as_slice());
        let within = values.unwrap_or_default().binary_search_by(&compare);
        (page, within)
    }

    /// Counts anew from this page on.
    fn count_from(&mut self, first: usize) {
        let before = first.checked_sub(1).and_then(|page| self.pages.get(page));
        let mut end = before.map_or(0, |page| page.end);
        for page in self.pages.iter_mut().skip(first) {
            end += page.values.len();
            page.end = end;
        }
    }
}

impl<T: Clone> SharedList<T> {
    /// Puts another value at a place where there is one.
    pub(crate) fn replace(&mut self, place: usize, value: T) {
        let Some((page, within)) = self.locate(place) else {
            return;
        };
        let page = self.pages.get_mut(page);
        let here = page.and_then(|page| Arc::make_mut(&mut page.values).get_mut(within));
        if let Some(here) = here {
            *here = value;
        }
    }

    /// Puts a value into a sorted list; `compare` says how a value stands to it.
    pub(crate) fn insert_sorted(&mut self, value: T, compare: impl Fn(&T) -> Ordering) {
        let (place, within) = self.search(compare);
        let (Ok(within) | Err(within)) = within;
        // What is greater than all goes to the end of the last page.
        let (place, within) = match self.pages.last() {
            None => {
                let values = Arc::new(vec![value]);
                return self.pages.push(Page { values, end: 1 });
            }
            Some(last) if place >= self.pages.len() => (self.pages.len() - 1, last.values.len()),
            Some(_) => (place, within),
        };
        let Some(page) = self.pages.get_mut(place) else {
            return;
        };
        let values = Arc::make_mut(&mut page.values);
        values.insert(within.min(values.len()), value);
        if values.len() > PAGE_LEN_MAX {
            let values = Arc::new(values.split_off(values.len() / 2));
            self.pages.insert(place + 1, Page { values, end: 0 });
        }
        self.count_from(place);
    }

    /// Takes a value out of a sorted list; says whether it was there.
    pub(crate) fn remove_sorted(&mut self, compare: impl Fn(&T) -> Ordering) -> bool {
        let (place, Ok(within)) = self.search(compare) else {
            return false;
        };
        let Some(page) = self.pages.get_mut(place) else {
            return false;
        };
        let values = Arc::make_mut(&mut page.values);
        values.remove(within);
        if values.is_empty() {
            self.pages.remove(place);
        } else if values.len() < PAGE_LEN_MAX / 4 {
            self.join(place);
        }
        self.count_from(place);
        true
    }

    /// Joins a short page with the next, if both are one page together.
    fn join(&mut self, place: usize) {
        let Some(next) = self.pages.get(place + 1) else {
            return;
        };
        let next = Arc::clone(&next.values);
        if let Some(page) = self.pages.get_mut(place)
            && page.values.len() + next.len() <= PAGE_LEN_MAX
        {
            Arc::make_mut(&mut page.values).extend_from_slice(&next);
            self.pages.remove(place + 1);
        }
    }
}

impl<T> FromIterator<T> for SharedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut list = Self { pages: Vec::new() };
        let mut values = values.into_iter().peekable();
        while values.peek().is_some() {
            let page: Vec<T> = values.by_ref().take(PAGE_LEN_MAX).collect();
            let end = list.len() + page.len();
            let values = Arc::new(page);
            list.pages.push(Page { values, end });
        }
        list
    }
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back()
    }
}

impl<'a, T> IntoIterator for &'a SharedList<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.values.iter()
    }
}

// Derived ones would ask of values what only their `Arc` needs.
impl<T> Clone for SharedList<T> {
    fn clone(&self) -> Self {
        let copy = |page: &Page<T>| Page {
            values: Arc::clone(&page.values),
            end: page.end,
        };
        let pages = self.pages.iter().map(copy).collect();
        Self { pages }
    }
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T: PartialEq> PartialEq for SharedList<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for SharedList<T> {}

impl<T: fmt::Debug> fmt::Debug for SharedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_sound<T>(list: &SharedList<T>) -> bool {
        let mut end = 0;
        list.pages.iter().all(|page| {
            end += page.values.len();
            (1..=PAGE_LEN_MAX).contains(&page.values.len()) && page.end == end
        })
    }

    #[test]
    fn a_copy_shares_all_pages_but_the_changed_one() {
        let first: SharedList<usize> = (0..1_000).collect();
        let mut second = first.clone();
        second.replace(300, 7);
        let pages = first.pages.iter().zip(&second.pages);
        let shared = pages.filter(|(a, b)| Arc::ptr_eq(&a.values, &b.values));
        assert_eq!(shared.count(), first.pages.len() - 1);
        assert_eq!((first.get(300), second.get(300)), (Some(&300), Some(&7)));
        assert!(second.range(998..2_000).eq([&998, &999]));
        second.replace(1_000, 1);
        assert_eq!(second.len(), 1_000);
    }

    proptest! {
        #[test]
        fn it_holds_what_a_plain_sorted_list_holds(
            begin in 0_usize..600,
            steps in proptest::collection::vec((any::<bool>(), 0_usize..900), 0..900),
        ) {
            let mut plain: Vec<usize> = (0..begin).map(|n| n * 2).collect();
            let mut list: SharedList<usize> = plain.iter().copied().collect();
            for (adds, value) in steps {
                let place = plain.binary_search(&value);
                match (adds, place) {
                    (true, Err(place)) => {
                        plain.insert(place, value);
                        list.insert_sorted(value, |other| other.cmp(&value));
                    }
                    (false, place) => {
                        let there = list.remove_sorted(|other| other.cmp(&value));
                        prop_assert_eq!(there, place.is_ok());
                        if let Ok(place) = place {
                            plain.remove(place);
                        }
                    }
                    (true, Ok(_)) => {}
                }
            }
            prop_assert!(is_sound(&list));
            prop_assert_eq!(list.len(), plain.len());
            prop_assert!(list.iter().eq(&plain));
            prop_assert!(list.iter().rev().eq(plain.iter().rev()));
            let by_place = (0..=plain.len()).map(|place| list.get(place));
            prop_assert!(by_place.eq((0..=plain.len()).map(|place| plain.get(place))));
        }
    }
}
