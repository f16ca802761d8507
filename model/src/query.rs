//! The filter of worklists: parsed once, printed back, and held against rows without allocating.
//!
//! ```text
//! severity>=warning AND NOT silenced:yes          fields, compared
//! system:db (check:replication OR check:lag)      side by side means AND
//! opened<7d since:2h                              how long ago
//! summary:~"lag [0-9]+ s" label.site=rzob has:owner
//! checkout "no space left"                        bare words are searched everywhere
//! ```
//! `:` asks whether a text contains a word, `=` whether it is that word, `~` begins a regular
//! expression; none of them regards case. `NOT` binds tighter than `AND`, that tighter than `OR`.

mod alert;
mod complete;
mod fault;
mod field;
mod parser;
mod plan;
mod scan;
mod term;
mod text_match;

use std::fmt;
use std::str::FromStr;

use aramaki_sync_core::Timestamp;

pub use alert::AlertRow;
pub use complete::{CANDIDATES_MAX, Candidate, Completion, KNOWN_VALUES_MAX, KnownValues};
pub use fault::{QueryError, QueryFault};
pub use field::{Comparison, Field, Flag, Moment, Number, Phase, SeverityField, TextField};
pub use plan::{Plan, Row, SEARCHED_LEN_BYTES_MAX};
use term::Expression;

/// How long a query may be.
pub const QUERY_LEN_BYTES_MAX: usize = 1_024;
/// How many terms a query may have.
pub const QUERY_TERMS_MAX: usize = 64;
/// How deep parentheses and `NOT` may go.
pub const QUERY_DEPTH_MAX: usize = 32;
/// How long a regular expression may be.
pub const PATTERN_LEN_BYTES_MAX: usize = 256;
/// How many regular expressions a query may have.
pub const PATTERNS_MAX: usize = 8;

/// A filter over rows; the default lets every row through.
///
/// **Invariant:** what it prints reads back as the same query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    expression: Expression,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            expression: Expression::All(Vec::new()),
        }
    }
}

impl Query {
    /// Whether it lets every row through.
    pub fn is_empty(&self) -> bool {
        self.expression == Expression::All(Vec::new())
    }

    /// The query at a moment: relative times are counted back from `now`, cheap terms come first.
    pub fn plan(&self, now: Timestamp) -> Plan {
        Plan::of(&self.expression, now)
    }

    /// What may stand at a place of a text that need not be a query yet; `cursor` in bytes.
    pub fn complete(text: &str, cursor: usize, known: &KnownValues) -> Completion {
        complete::complete(text, cursor, known)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let expression = parser::parse(text)?;
        Ok(Self { expression })
    }
}

#[cfg(test)]
mod tests;
