//! The pieces of a query's text, each with the bytes where it stands.

use std::ops::Range;

use super::field::{Comparison, Field, LABEL};
use super::{QueryError, QueryFault};

/// A piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where, in bytes.
    pub(super) span: Range<usize>,
    /// What.
    pub(super) what: What,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Open,
    Close,
    And,
    Or,
    Not,
    /// A word, bare or quoted, that is searched everywhere.
    Word(Value),
    /// A field, how it is compared, and with what; the value may be missing yet.
    Pair {
        name: String,
        sign: Sign,
        value: Option<Value>,
        /// Where the value begins or would begin, in bytes.
        at: usize,
    },
}

/// What stands between a field and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// `:`
    Colon,
    /// `=`
    Equal,
    /// Another.
    Other(Comparison),
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) is_pattern: bool,
}

/// Signs, longer ones first.
const SIGNS: [(&str, Sign); 7] = [
    ("!=", Sign::Other(Comparison::Unequal)),
    ("<=", Sign::Other(Comparison::AtMost)),
    (">=", Sign::Other(Comparison::AtLeast)),
    (":", Sign::Colon),
    ("=", Sign::Equal),
    ("<", Sign::Other(Comparison::Less)),
    (">", Sign::Other(Comparison::More)),
];

/// Cuts a text into pieces.
pub(super) fn scan(text: &str) -> Result<Vec<Piece>, QueryError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut pieces = Vec::new();
    loop {
        scanner.skip(char::is_whitespace);
        let begin = scanner.at;
        let what = match scanner.peek() {
            None => return Ok(pieces),
            Some('(') => scanner.single(What::Open),
            Some(')') => scanner.single(What::Close),
            Some(_) => scanner.word_or_pair()?,
        };
        pieces.push(Piece {
            span: begin..scanner.at,
            what,
        });
    }
}

/// A place in bytes as one in characters from 1.
pub(super) fn in_characters(text: &str, at: usize) -> usize {
    text.char_indices().take_while(|(i, _)| *i < at).count() + 1
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn single(&mut self, what: What) -> What {
        self.at += 1;
        what
    }

    /// Goes on while characters are of a kind, and says what was passed.
    fn skip(&mut self, is_of_kind: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_of_kind(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn sign(&mut self) -> Option<Sign> {
        let (written, sign) = SIGNS
            .into_iter()
            .find(|(written, _)| self.rest().starts_with(written))?;
        self.at += written.len();
        Some(sign)
    }

    fn word_or_pair(&mut self) -> Result<What, QueryError> {
        if self.peek() == Some('~') {
            return Ok(self.value()?.map_or_else(nothing, What::Word));
        }
        if self.peek() == Some('"') {
            let text = self.quotation()?;
            return Ok(What::Word(plain(text)));
        }
        let mut name = self.skip(is_of_name).to_owned();
        if name.eq_ignore_ascii_case(LABEL) && self.peek() == Some('"') {
            name.push_str(&self.quotation()?);
        }
        if !name.is_empty()
            && let Some(sign) = self.sign()
        {
            let at = self.at;
            let value = self.value()?;
            return Ok(What::Pair {
                name,
                sign,
                value,
                at,
            });
        }
        if self.peek() == Some('~')
            && let Some(field) = Field::of_name(&name)
        {
            // A pattern stands behind the sign.
            let at = in_characters(self.text, self.at);
            let fault = QueryFault::Comparison(field);
            return Err(QueryError { at, fault });
        }
        if name.is_empty() {
            // A sign without a field before it.
            let at = in_characters(self.text, self.at);
            let fault = QueryFault::TermExpected;
            return Err(QueryError { at, fault });
        }
        Ok(match name.to_ascii_uppercase().as_str() {
            "AND" => What::And,
            "OR" => What::Or,
            "NOT" => What::Not,
            _ => What::Word(plain(name)),
        })
    }

    /// What stands after a sign: `~` and a word, bare or quoted; none when nothing does.
    fn value(&mut self) -> Result<Option<Value>, QueryError> {
        let is_pattern = self.peek() == Some('~');
        self.at += usize::from(is_pattern);
        let is_quoted = self.peek() == Some('"');
        let text = if is_quoted {
            self.quotation()?
        } else {
            self.skip(is_of_value).to_owned()
        };
        if text.is_empty() && !is_quoted {
            return Ok(None);
        }
        Ok(Some(Value { text, is_pattern }))
    }

    /// A quotation: `\"` and `\\` stand for the character after the backslash.
    fn quotation(&mut self) -> Result<String, QueryError> {
        let begin = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = begin + offset + 1;
                    return Ok(text);
                }
                '\\' => {
                    let escaped = chars.next_if(|(_, next)| matches!(next, '"' | '\\'));
                    text.push(escaped.map_or(c, |(_, next)| next));
                }
                _ => text.push(c),
            }
        }
        Err(QueryError {
            at: in_characters(self.text, begin),
            fault: QueryFault::QuotationOpen,
        })
    }
}

/// A `~` alone: a pattern that is not there yet.
fn nothing() -> What {
    What::Word(Value {
        text: String::new(),
        is_pattern: true,
    })
}

const fn plain(text: String) -> Value {
    Value {
        text,
        is_pattern: false,
    }
}

fn is_of_name(c: char) -> bool {
    is_of_value(c) && !matches!(c, ':' | '=' | '<' | '>' | '!')
}

fn is_of_value(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '"')
}

/// A word as it must be written to be read as that word.
pub(super) fn quoted_if_needed(word: &str) -> String {
    let is_keyword = ["AND", "OR", "NOT"]
        .iter()
        .any(|keyword| keyword.eq_ignore_ascii_case(word));
    if word.is_empty() || is_keyword || word.starts_with('~') || !word.chars().all(is_of_name) {
        return format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    }
    word.to_owned()
}
