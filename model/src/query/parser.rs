//! From pieces to a tree.

use aramaki_sync_core::Timestamp;

use super::field::{Comparison, Field, Flag, Phase, SeverityField, TextField};
use super::scan::{Piece, Sign, Value, What, in_characters, scan};
use super::term::{Answer, Back, Expression, Span, Term, UNITS};
use super::text_match::{Folded, TextMatch};
use super::{
    PATTERNS_MAX, QUERY_DEPTH_MAX, QUERY_LEN_BYTES_MAX, QUERY_TERMS_MAX, QueryError, QueryFault,
};
use crate::severity::Severity;

/// The longest time that can be asked for: a hundred years.
const SPAN_MS_MAX: i64 = 100 * 365 * 86_400_000;

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Expression, QueryError> {
    let too_long = QueryError {
        at: in_characters(text, text.len().min(QUERY_LEN_BYTES_MAX)),
        fault: QueryFault::TooLong,
    };
    if text.len() > QUERY_LEN_BYTES_MAX {
        return Err(too_long);
    }
    let pieces = scan(text)?;
    if pieces.is_empty() {
        return Ok(Expression::All(Vec::new()));
    }
    let mut parser = Parser {
        text,
        pieces: &pieces,
        next: 0,
        depth: 0,
        terms: 0,
        patterns: 0,
    };
    let expression = parser.any()?;
    match parser.peek() {
        // Words that were cut short are printed whole.
        None if expression.to_string().len() > QUERY_LEN_BYTES_MAX => Err(too_long),
        None => Ok(expression),
        Some(What::Close) => Err(parser.wrong(QueryFault::NotOpened)),
        Some(_) => Err(parser.wrong(QueryFault::TermExpected)),
    }
}

struct Parser<'a> {
    text: &'a str,
    pieces: &'a [Piece],
    next: usize,
    depth: usize,
    terms: usize,
    patterns: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a What> {
        self.pieces.get(self.next).map(|piece| &piece.what)
    }

    fn takes(&mut self, what: &What) -> bool {
        let is_it = self.peek() == Some(what);
        self.next += usize::from(is_it);
        is_it
    }

    fn wrong(&self, fault: QueryFault) -> QueryError {
        let piece = self.pieces.get(self.next);
        let at = piece.map_or(self.text.len(), |piece| piece.span.start);
        self.wrong_at(at, fault)
    }

    fn wrong_at(&self, at: usize, fault: QueryFault) -> QueryError {
        QueryError {
            at: in_characters(self.text, at),
            fault,
        }
    }

    fn any(&mut self) -> Result<Expression, QueryError> {
        let mut parts = vec![self.all()?];
        while self.takes(&What::Or) {
            parts.push(self.all()?);
        }
        Ok(Expression::any(parts))
    }

    fn all(&mut self) -> Result<Expression, QueryError> {
        let mut parts = vec![self.one()?];
        loop {
            let is_joined = self.takes(&What::And);
            let ends = matches!(self.peek(), None | Some(What::Or | What::Close));
            if ends && !is_joined {
                return Ok(Expression::all(parts));
            }
            parts.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Expression, QueryError> {
        if self.depth == QUERY_DEPTH_MAX {
            return Err(self.wrong(QueryFault::TooDeep));
        }
        self.depth += 1;
        let one = self.one_at_depth();
        self.depth -= 1;
        one
    }

    fn one_at_depth(&mut self) -> Result<Expression, QueryError> {
        if self.takes(&What::Not) {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        if self.takes(&What::Open) {
            let inner = self.any()?;
            if !self.takes(&What::Close) {
                return Err(self.wrong(QueryFault::CloseExpected));
            }
            return Ok(inner);
        }
        if self.terms == QUERY_TERMS_MAX {
            return Err(self.wrong(QueryFault::TooMany));
        }
        self.terms += 1;
        let Some(piece) = self.pieces.get(self.next) else {
            return Err(self.wrong(QueryFault::TermExpected));
        };
        let made = match &piece.what {
            What::Word(value) => {
                let text = self.text_match(value, Sign::Colon, piece.span.start)?;
                Expression::Term(Term::Anywhere(text))
            }
            What::Pair {
                name,
                sign,
                value,
                at,
            } => self.pair((name, piece.span.start), *sign, (value.as_ref(), *at))?,
            What::Open | What::Close | What::And | What::Or | What::Not => {
                return Err(self.wrong(QueryFault::TermExpected));
            }
        };
        self.next += 1;
        Ok(made)
    }

    fn text_match(
        &mut self,
        value: &Value,
        sign: Sign,
        at: usize,
    ) -> Result<TextMatch, QueryError> {
        if !value.is_pattern {
            let word = Folded::new(value.text.clone());
            return Ok(match sign {
                Sign::Colon => TextMatch::Contains(word),
                Sign::Equal | Sign::Other(_) => TextMatch::Is(word),
            });
        }
        if self.patterns == PATTERNS_MAX {
            return Err(self.wrong_at(at, QueryFault::PatternsTooMany));
        }
        self.patterns += 1;
        TextMatch::pattern(&value.text).map_err(|fault| self.wrong_at(at, fault))
    }

    fn pair(
        &mut self,
        (name, name_at): (&str, usize),
        sign: Sign,
        (value, at): (Option<&Value>, usize),
    ) -> Result<Expression, QueryError> {
        let Some(field) = Field::of_name(name) else {
            let fault = QueryFault::NoSuchField {
                name: name.to_owned(),
                similar: Field::similar_to(name),
            };
            return Err(self.wrong_at(name_at, fault));
        };
        let Some(value) = value else {
            return Err(self.wrong_at(at, QueryFault::ValueExpected(field)));
        };
        if let Field::Text(_) | Field::Label(_) = field {
            return self.text_pair(field, sign, (value, at));
        }
        if value.is_pattern {
            return Err(self.wrong_at(at, QueryFault::PatternOfNoText(field)));
        }
        let comparison = match sign {
            Sign::Colon | Sign::Equal => Comparison::Equal,
            Sign::Other(comparison) => comparison,
        };
        term_of(&field, comparison, &value.text)
            .map(Expression::Term)
            .map_err(|fault| {
                let is_of_sign = matches!(fault, QueryFault::Comparison(_));
                self.wrong_at(if is_of_sign { name_at } else { at }, fault)
            })
    }

    fn text_pair(
        &mut self,
        field: Field,
        sign: Sign,
        (value, at): (&Value, usize),
    ) -> Result<Expression, QueryError> {
        let is_unequal = sign == Sign::Other(Comparison::Unequal);
        if matches!(sign, Sign::Other(_)) && !is_unequal {
            return Err(self.wrong_at(at, QueryFault::Comparison(field)));
        }
        let text = self.text_match(value, sign, at)?;
        let term = match field {
            Field::Text(field) => Term::Text(field, text),
            Field::Label(name) => Term::Label(name, text),
            other => return Err(self.wrong_at(at, QueryFault::ValueExpected(other))),
        };
        let term = Expression::Term(term);
        Ok(if is_unequal {
            Expression::Not(Box::new(term))
        } else {
            term
        })
    }
}

/// A field that is no text, compared with a value.
fn term_of(field: &Field, comparison: Comparison, text: &str) -> Result<Term, QueryFault> {
    let is_equality = comparison == Comparison::Equal;
    let word = || {
        let chosen = word_of(field.words(), text);
        chosen.ok_or(QueryFault::WordExpected {
            field: field.clone(),
        })
    };
    let refused = || QueryFault::Comparison(field.clone());
    match field {
        Field::Severity(which) => severity_term(*which, comparison, word()?),
        Field::State if is_equality || comparison == Comparison::Unequal => {
            let word = word()?;
            let phase = Phase::ALL.into_iter().find(|phase| phase.word() == word);
            Ok(Term::State(comparison, phase.unwrap_or(Phase::Open)))
        }
        Field::Flag(flag) if is_equality => Ok(flag_term(*flag, word()?)),
        Field::Has if is_equality => Ok(Term::Has(match word()? {
            "owner" => TextField::Owner,
            "category" => TextField::Category,
            _ => TextField::Summary,
        })),
        Field::Since if is_equality => back_of(text).map(Term::Since),
        Field::Age if !is_equality && comparison != Comparison::Unequal => {
            Ok(Term::Age(comparison, span_of(text)?))
        }
        Field::Moment(moment) if !is_equality && comparison != Comparison::Unequal => {
            Ok(Term::Ago(*moment, comparison, span_of(text)?))
        }
        Field::Number(number) => {
            let count = text.parse().ok().ok_or(QueryFault::NumberExpected)?;
            Ok(Term::Number(*number, comparison, count))
        }
        Field::Text(_)
        | Field::Label(_)
        | Field::State
        | Field::Flag(_)
        | Field::Has
        | Field::Since
        | Field::Age
        | Field::Moment(_) => Err(refused()),
    }
}

fn severity_term(
    which: SeverityField,
    comparison: Comparison,
    word: &str,
) -> Result<Term, QueryFault> {
    match word.parse::<Severity>() {
        Ok(severity) => Ok(Term::Severity(which, comparison, severity)),
        Err(_) => Err(QueryFault::WordExpected {
            field: Field::Severity(which),
        }),
    }
}

fn flag_term(flag: Flag, word: &str) -> Term {
    let answer = if word == "yes" {
        Answer::Yes
    } else {
        Answer::No
    };
    Term::Flag(flag, answer)
}

/// The word that begins like this, whatever its case.
fn word_of(words: &[&'static str], text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &&&str| !text.is_empty() && word.starts_with(&text);
    words.iter().find(begins).copied()
}

/// `90s`, `5m`, `2h`, `1d12h`.
fn span_of(text: &str) -> Result<Span, QueryFault> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        let (number, unit) = digits
            .and_then(|at| rest.split_at_checked(at))
            .ok_or(QueryFault::SpanExpected)?;
        let mut letters = unit.chars();
        let letter = letters.next().map(|letter| letter.to_ascii_lowercase());
        let (_, unit_ms) = UNITS
            .into_iter()
            .find(|(known, _)| Some(*known) == letter)
            .ok_or(QueryFault::SpanExpected)?;
        total = number
            .parse::<i64>()
            .ok()
            .and_then(|number| number.checked_mul(unit_ms))
            .and_then(|span| span.checked_add(total))
            .filter(|span| *span <= SPAN_MS_MAX)
            .ok_or(QueryFault::SpanExpected)?;
        rest = letters.as_str();
    }
    if text.is_empty() {
        return Err(QueryFault::SpanExpected);
    }
    Ok(Span(total))
}

/// A length of time back from now, a date in UTC, or RFC 3339.
fn back_of(text: &str) -> Result<Back, QueryFault> {
    if let Ok(span) = span_of(text) {
        return Ok(Back::By(span));
    }
    let time = Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .filter(|time| (Timestamp::ZERO..=Timestamp::MAX).contains(time));
    time.map(Back::To).ok_or(QueryFault::TimeExpected)
}
