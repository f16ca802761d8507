//! Patterns over names: `*` stands for anything, also for nothing.

use serde::{Deserialize, Serialize};

/// Bytes of a pattern.
pub const PATTERN_LEN_BYTES_MAX: usize = 256;

/// A pattern over names; without a `*` it is a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether a name is like that. Costs at most the product of both lengths.
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.0.split('*');
        // There is always a first piece, and the last one is another only behind a `*`.
        let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = pieces.next_back() else {
            return rest.is_empty();
        };
        for piece in pieces {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether more than one name can be like that.
    pub fn is_open(&self) -> bool {
        self.0.contains('*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let is = |pattern: &str, name: &str| Pattern(pattern.to_owned()).matches(name);
        for (pattern, name) in [
            ("*", ""),
            ("*", "load"),
            ("load", "load"),
            ("backup-*", "backup-"),
            ("backup-*", "backup-db1"),
            ("*/ping", "switch-1/ping"),
            ("a*b*c", "a--b--c"),
            ("a**c", "ac"),
            ("ü*", "über"),
        ] {
            assert!(is(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "x"),
            ("load", "load1"),
            ("load", "loa"),
            ("backup-*", "backup"),
            ("a*b*c", "acb"),
            ("ab*ba", "aba"),
            ("*x", "xy"),
        ] {
            assert!(!is(pattern, name), "{pattern} {name}");
        }
    }
}
