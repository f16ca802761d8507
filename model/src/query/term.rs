//! A query as a tree, and how it is written.

use std::fmt;

use aramaki_sync_core::Timestamp;

use super::field::{Comparison, Field, Flag, Moment, Number, Phase, SeverityField, TextField};
use super::text_match::TextMatch;
use crate::severity::Severity;

/// **Invariant:** `All` and `Any` never hold their own kind, and never exactly one expression; only
/// the whole query may be an empty `All`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Term(Term),
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Anywhere(TextMatch),
    Text(TextField, TextMatch),
    Label(String, TextMatch),
    Severity(SeverityField, Comparison, Severity),
    State(Comparison, Phase),
    Flag(Flag, Answer),
    Ago(Moment, Comparison, Span),
    Age(Comparison, Span),
    Since(Back),
    Number(Number, Comparison, u64),
    Has(TextField),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
}

/// A length of time in milliseconds: whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) i64);

/// A moment in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    By(Span),
    To(Timestamp),
}

const SECOND_MS: i64 = 1_000;
/// Units of time by their letters, largest first.
pub(super) const UNITS: [(char, i64); 5] = [
    ('w', 7 * 86_400 * SECOND_MS),
    ('d', 86_400 * SECOND_MS),
    ('h', 3_600 * SECOND_MS),
    ('m', 60 * SECOND_MS),
    ('s', SECOND_MS),
];

impl Expression {
    /// Everything must hold.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(parts) => parts,
            other => vec![other],
        });
        Self::one_or(flat.collect(), Self::All)
    }

    /// One must hold.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Any(parts) => parts,
            other => vec![other],
        });
        Self::one_or(flat.collect(), Self::Any)
    }

    fn one_or(mut parts: Vec<Self>, several: fn(Vec<Self>) -> Self) -> Self {
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                several(parts)
            }
            (None, _) => Self::All(parts),
        }
    }

    /// Written so that it stays one thing beside others.
    fn fmt_inner(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) | Self::Any(_) => write!(f, "({self})"),
            Self::Not(_) | Self::Term(_) => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Expression {
    // As deep as the parser allows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, between) = match self {
            Self::All(parts) => (parts, " "),
            Self::Any(parts) => (parts, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                return inner.fmt_inner(f);
            }
            Self::Term(term) => return term.fmt(f),
        };
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                f.write_str(between)?;
            }
            match (self, part) {
                // AND binds tighter; parentheses would go deeper than what was read.
                (Self::Any(_), Self::All(_)) => write!(f, "{part}")?,
                _ => part.fmt_inner(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anywhere(text) => text.fmt(f),
            Self::Text(field, text) => write!(f, "{}{}{text}", Field::Text(*field), text.sign()),
            Self::Label(name, text) => {
                write!(f, "{}{}{text}", Field::Label(name.clone()), text.sign())
            }
            Self::Severity(field, comparison, severity) => {
                let field = Field::Severity(*field);
                write!(f, "{field}{}{}", comparison.sign(), severity.word())
            }
            Self::State(comparison, phase) => {
                write!(f, "{}{}{}", Field::State, comparison.sign(), phase.word())
            }
            Self::Flag(flag, answer) => {
                let answer = match answer {
                    Answer::Yes => "yes",
                    Answer::No => "no",
                };
                write!(f, "{}:{answer}", Field::Flag(*flag))
            }
            Self::Ago(moment, comparison, span) => {
                write!(f, "{}{}{span}", Field::Moment(*moment), comparison.sign())
            }
            Self::Age(comparison, span) => write!(f, "{}{}{span}", Field::Age, comparison.sign()),
            Self::Since(Back::By(span)) => write!(f, "{}:{span}", Field::Since),
            Self::Since(Back::To(time)) => write!(f, "{}:{time}", Field::Since),
            Self::Number(number, comparison, count) => {
                write!(f, "{}{}{count}", Field::Number(*number), comparison.sign())
            }
            Self::Has(field) => write!(f, "{}:{}", Field::Has, Field::Text(*field)),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, unit): &(char, i64)| self.0 != 0 && self.0 % unit == 0;
        match UNITS.into_iter().find(fits) {
            Some((letter, unit)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}s", self.0 / SECOND_MS),
        }
    }
}
