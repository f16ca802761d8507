//! Why a text is no query: where, and what was expected there.

use thiserror::Error;

use super::{
    Field, PATTERN_LEN_BYTES_MAX, PATTERNS_MAX, QUERY_DEPTH_MAX, QUERY_LEN_BYTES_MAX,
    QUERY_TERMS_MAX,
};

/// Why a text is no query.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("at character {at}: {fault}")]
pub struct QueryError {
    /// Where, counted in characters from 1.
    pub at: usize,
    /// What is wrong there.
    #[source]
    pub fault: QueryFault,
}

/// What is wrong at a place of a query.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryFault {
    /// The text is too long.
    #[error("a filter has at most {QUERY_LEN_BYTES_MAX} bytes")]
    TooLong,
    /// There are too many terms.
    #[error("a filter has at most {QUERY_TERMS_MAX} terms")]
    TooMany,
    /// Parentheses and NOT go too deep.
    #[error("parentheses go at most {QUERY_DEPTH_MAX} deep")]
    TooDeep,
    /// A word, a field or a parenthesis should come.
    #[error("a word, a field or ( is expected")]
    TermExpected,
    /// A parenthesis should close.
    #[error(") is expected")]
    CloseExpected,
    /// A parenthesis closes that was not opened.
    #[error("no ( was opened before this )")]
    NotOpened,
    /// A quotation has no end.
    #[error("the quotation that begins here has no end")]
    QuotationOpen,
    /// There is no such field.
    #[error("there is no field {name}; {}", suggestion(.similar.as_ref()))]
    NoSuchField {
        /// What stands there.
        name: String,
        /// A field that is written alike.
        similar: Option<Field>,
    },
    /// A field needs a value.
    #[error("a value is expected after {0}")]
    ValueExpected(Field),
    /// A field does not compare so.
    #[error("{0} is compared by {comparisons}", comparisons = .0.comparisons())]
    Comparison(Field),
    /// A field knows these words only.
    #[error("{field} is one of {words}", words = .field.words().join(", "))]
    WordExpected {
        /// The field.
        field: Field,
    },
    /// A length of time should come.
    #[error("a time such as 30s, 5m, 2h, 7d or 1w is expected")]
    SpanExpected,
    /// A time in the past should come.
    #[error("a time such as 2h, or a date such as 2026-11-28, is expected")]
    TimeExpected,
    /// A whole number should come.
    #[error("a whole number is expected")]
    NumberExpected,
    /// A regular expression is not one.
    #[error("this regular expression cannot be read: {0}")]
    Pattern(String),
    /// A regular expression is empty.
    #[error(
        "a regular expression is expected after ~; one with spaces or ( stands in quotation marks"
    )]
    PatternEmpty,
    /// A regular expression is too long.
    #[error("a regular expression has at most {PATTERN_LEN_BYTES_MAX} bytes")]
    PatternTooLong,
    /// There are too many regular expressions.
    #[error("a filter has at most {PATTERNS_MAX} regular expressions")]
    PatternsTooMany,
    /// A field cannot be searched with a regular expression.
    #[error("{0} is no text, so no regular expression can be held against it")]
    PatternOfNoText(Field),
}

fn suggestion(similar: Option<&Field>) -> String {
    match similar {
        Some(field) => format!("is {field} meant? In quotation marks the word itself is searched"),
        None => "in quotation marks the word itself is searched".to_owned(),
    }
}
