//! How a text is searched: contains, is, or matches; without regard to case, without allocating.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::scan::quoted_if_needed;
use super::{PATTERN_LEN_BYTES_MAX, QueryFault};

/// How large a compiled pattern may get, and what it remembers of texts that it saw.
const PATTERN_SIZE_BYTES_MAX: usize = 1_024 * 1_024;
/// How deep a pattern may nest.
const PATTERN_NEST_MAX: u32 = 16;

/// What a text is held against.
#[derive(Clone, Debug)]
pub(super) enum TextMatch {
    /// It contains this.
    Contains(Folded),
    /// It is this.
    Is(Folded),
    /// It matches this somewhere.
    Matches(Box<Regex>),
}

/// A word as it was written, and in lower case.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    written: String,
    lower: String,
}

impl Folded {
    pub(super) fn new(written: String) -> Self {
        let lower = written.to_lowercase();
        Self { written, lower }
    }
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Contains(a), Self::Contains(b)) | (Self::Is(a), Self::Is(b)) => {
                a.written == b.written
            }
            (Self::Matches(a), Self::Matches(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Eq for TextMatch {}

impl TextMatch {
    /// Compiles a regular expression.
    pub(super) fn pattern(source: &str) -> Result<Self, QueryFault> {
        if source.len() > PATTERN_LEN_BYTES_MAX {
            return Err(QueryFault::PatternTooLong);
        }
        if source.is_empty() {
            // Most often a parenthesis without quotation marks; it would match everything.
            return Err(QueryFault::PatternEmpty);
        }
        let built = RegexBuilder::new(source)
            .case_insensitive(true)
            .size_limit(PATTERN_SIZE_BYTES_MAX)
            .dfa_size_limit(PATTERN_SIZE_BYTES_MAX)
            .nest_limit(PATTERN_NEST_MAX)
            .build();
        match built {
            Ok(regex) => Ok(Self::Matches(Box::new(regex))),
            Err(error) => Err(QueryFault::Pattern(error.to_string())),
        }
    }

    /// Whether it holds for a text.
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Contains(word) => contains(text, &word.lower),
            Self::Is(word) => is(text, &word.lower),
            Self::Matches(regex) => regex.is_match(text),
        }
    }

    /// How dear it is, in the order of plans.
    pub(super) const fn cost(&self) -> u8 {
        match self {
            Self::Is(_) => 2,
            Self::Contains(_) => 3,
            Self::Matches(_) => 6,
        }
    }

    /// The sign that stands before it.
    pub(super) const fn sign(&self) -> &'static str {
        match self {
            Self::Contains(_) | Self::Matches(_) => ":",
            Self::Is(_) => "=",
        }
    }
}

impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(word) | Self::Is(word) => f.write_str(&quoted_if_needed(&word.written)),
            Self::Matches(regex) => write!(f, "~{}", quoted_if_needed(regex.as_str())),
        }
    }
}

fn is(text: &str, lower: &str) -> bool {
    if text.is_ascii() && lower.is_ascii() {
        return text.eq_ignore_ascii_case(lower);
    }
    text.chars().flat_map(char::to_lowercase).eq(lower.chars())
}

fn contains(text: &str, lower: &str) -> bool {
    let (bytes, needle) = (text.as_bytes(), lower.as_bytes());
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    if !lower.is_ascii() {
        return contains_any_script(text, lower);
    }
    let mut left = bytes;
    while left.len() >= needle.len() {
        let at = left
            .iter()
            .position(|byte| byte.to_ascii_lowercase() == *first);
        let Some(after) = at.and_then(|at| left.get(at + 1..)) else {
            return false;
        };
        let same = after
            .get(..rest.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(rest));
        if same {
            return true;
        }
        left = after;
    }
    false
}

fn contains_any_script(text: &str, lower: &str) -> bool {
    text.char_indices().any(|(at, _)| {
        let from = text.get(at..).unwrap_or_default();
        let mut folded = from.chars().flat_map(char::to_lowercase);
        lower.chars().all(|c| folded.next() == Some(c))
    })
}
