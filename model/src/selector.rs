//! Selectors: which Systems an aggregate takes as its parts, by their labels and category.
//!
//! ```text
//! category=storage AND site=rzob
//! (site=rzob OR site="Falkenberg 2") AND NOT stage=test AND backup
//! ```
//! `key=value` and `key!=value` compare a label, `key` alone asks whether it is there; `category`
//! is the System's category. Words compare without regard to ASCII case. `NOT` binds tighter than
//! `AND`, that tighter than `OR`. What a selector selects is generated where it is read, never
//! stored.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How long a selector may be.
pub const SELECTOR_LEN_BYTES_MAX: usize = 1_024;
/// How deep parentheses and `NOT` may go.
const DEPTH_MAX: usize = 32;

/// Why a text is no selector.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("at character {at}: {expected}")]
pub struct SelectorError {
    /// Where, counted in characters from 1.
    pub at: usize,
    /// What is wrong there.
    pub expected: &'static str,
}

/// A rule over labels and category. Made by parsing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    text: String,
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Is { key: String, value: String },
    Has(String),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Selector {
    /// Whether it selects a System with this category and these labels.
    pub fn selects(&self, category: &str, labels: &BTreeMap<String, String>) -> bool {
        self.rule.holds(category, labels)
    }
}

/// The selector of one label with its value, as it is written; none for what no selector can say.
///
/// Words that would be read otherwise are quoted.
pub fn label_term(key: &str, value: &str) -> Option<String> {
    let word = |text: &str| {
        let is_plain = !text.is_empty()
            && !is_keyword(text)
            && !text
                .chars()
                .any(|char| char.is_whitespace() || "()=!\"".contains(char));
        if is_plain {
            return Some(text.to_owned());
        }
        // A quotation has no way to say its own sign.
        (!text.contains('"')).then(|| format!("\"{text}\""))
    };
    let term = format!("{}={}", word(key)?, word(value)?);
    (term.len() <= SELECTOR_LEN_BYTES_MAX).then_some(term)
}

/// Whether a word connects rules.
fn is_keyword(word: &str) -> bool {
    ["and", "or", "not"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

impl Rule {
    // As deep as the parser allows.
    fn holds(&self, category: &str, labels: &BTreeMap<String, String>) -> bool {
        let value_of = |key: &str| {
            let label = labels
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key));
            match label {
                Some((_, value)) => Some(value.as_str()),
                None if key.eq_ignore_ascii_case("category") => Some(category),
                None => None,
            }
        };
        match self {
            Self::Is { key, value } => {
                value_of(key).is_some_and(|found| found.eq_ignore_ascii_case(value))
            }
            Self::Has(key) => value_of(key).is_some_and(|value| !value.is_empty()),
            Self::Not(rule) => !rule.holds(category, labels),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(category, labels)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(category, labels)),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        if text.len() > SELECTOR_LEN_BYTES_MAX {
            return Err(SelectorError {
                at: text.chars().count(),
                expected: "a selector of at most 1,024 bytes is expected",
            });
        }
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
            end: text.chars().count() + 1,
            depth: 0,
        };
        let rule = parser.any()?;
        match parser.peek() {
            None => Ok(Self {
                text: text.trim().to_owned(),
                rule,
            }),
            Some(_) => Err(parser.wrong("AND, OR or the end is expected")),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Equal,
    Unequal,
    Open,
    Close,
}

/// Words and signs, each with where it begins.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, SelectorError> {
    let mut tokens = Vec::new();
    let mut chars = (1..).zip(text.chars()).peekable();
    while let Some((at, char)) = chars.next() {
        let token = match char {
            char if char.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '=' => Token::Equal,
            '!' if chars.next_if(|(_, next)| *next == '=').is_some() => Token::Unequal,
            '!' => {
                let expected = "= is expected after !";
                return Err(SelectorError { at, expected });
            }
            '"' => {
                let mut quoted = String::new();
                loop {
                    match chars.next() {
                        Some((_, '"')) => break,
                        Some((_, char)) => quoted.push(char),
                        None => {
                            let expected = "the quotation that begins here has no end";
                            return Err(SelectorError { at, expected });
                        }
                    }
                }
                Token::Quoted(quoted)
            }
            first => {
                let mut word = String::from(first);
                let is_more = |char: char| !char.is_whitespace() && !"()=!\"".contains(char);
                while let Some((_, char)) = chars.next_if(|(_, char)| is_more(*char)) {
                    word.push(char);
                }
                Token::Word(word)
            }
        };
        tokens.push((at, token));
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn wrong(&self, expected: &'static str) -> SelectorError {
        let at = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        SelectorError { at, expected }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let is_it =
            matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(is_it);
        is_it
    }

    fn any(&mut self) -> Result<Rule, SelectorError> {
        let mut rules = vec![self.all()?];
        while self.takes("or") {
            rules.push(self.all()?);
        }
        Ok(single(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, SelectorError> {
        let mut rules = vec![self.one()?];
        while self.takes("and") {
            rules.push(self.one()?);
        }
        Ok(single(rules, Rule::All))
    }

    fn one(&mut self) -> Result<Rule, SelectorError> {
        if self.depth >= DEPTH_MAX {
            return Err(self.wrong("nothing deeper is allowed"));
        }
        self.depth += 1;
        let rule = if self.takes("not") {
            Rule::Not(Box::new(self.one()?))
        } else if self.peek() == Some(&Token::Open) {
            self.next += 1;
            let rule = self.any()?;
            if self.peek() != Some(&Token::Close) {
                return Err(self.wrong("AND, OR or ) is expected"));
            }
            self.next += 1;
            rule
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(rule)
    }

    fn comparison(&mut self) -> Result<Rule, SelectorError> {
        let key = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => word.clone(),
            Some(Token::Quoted(word)) => word.clone(),
            _ => return Err(self.wrong("a label is expected")),
        };
        self.next += 1;
        let is_equal = match self.peek() {
            Some(Token::Equal) => true,
            Some(Token::Unequal) => false,
            _ => return Ok(Rule::Has(key)),
        };
        self.next += 1;
        let value = match self.peek() {
            Some(Token::Word(word) | Token::Quoted(word)) => word.clone(),
            _ => return Err(self.wrong("a value is expected")),
        };
        self.next += 1;
        let rule = Rule::Is { key, value };
        Ok(if is_equal {
            rule
        } else {
            Rule::Not(Box::new(rule))
        })
    }
}

fn single(mut rules: Vec<Rule>, many: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.pop() {
        Some(rule) if rules.is_empty() => rule,
        last => {
            rules.extend(last);
            many(rules)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn selects(text: &str) -> bool {
        let labels = [
            ("site", "rzob"),
            ("stage", "prod"),
            ("backup", "daily"),
            ("empty", ""),
        ];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let selector: Selector = text.parse().unwrap();
        selector.selects("storage", &labels.into_iter().collect())
    }

    #[test]
    fn selectors_select_by_label_and_category() {
        for text in [
            "category=storage AND site=rzob",
            "CATEGORY=Storage and not stage=test",
            "site=x OR backup",
            "site!=x AND (stage=test OR stage=\"prod\")",
            "missing!=x",
            "NOT missing",
            "site=x OR site=rzob AND stage=prod",
        ] {
            assert!(selects(text), "{text}");
        }
        for text in [
            "category=service",
            "missing",
            "missing=rzob",
            "empty",
            "NOT (site=rzob OR x)",
            "(site=rzob OR x) AND stage=test",
        ] {
            assert!(!selects(text), "{text}");
        }
    }

    #[test]
    fn errors_say_where() {
        let error = |text: &str| text.parse::<Selector>().unwrap_err();
        for (text, at, expected) in [
            ("", 1, "a label is expected"),
            ("site=", 6, "a value is expected"),
            ("site=a b=c", 8, "AND, OR or the end is expected"),
            ("(site=a", 8, "AND, OR or ) is expected"),
            ("ü=a AND", 8, "a label is expected"),
            ("site=a AND OR", 12, "a label is expected"),
            ("site!a", 5, "= is expected after !"),
            ("x=\"a", 3, "the quotation that begins here has no end"),
        ] {
            assert_eq!(error(text), SelectorError { at, expected }, "{text}");
        }
        assert_eq!(
            error("site=").to_string(),
            "at character 6: a value is expected"
        );
        assert!(error(&"(".repeat(900)).expected.contains("deeper"));
        assert!(error(&"x".repeat(2_000)).expected.contains("1,024"));
    }

    proptest! {
        #[test]
        fn a_label_as_it_is_written_selects_what_has_it(
            key in "[ ()=!a-cANDORT]{1,6}",
            value in "[ ()=!\"a-cANDORT]{0,6}",
        ) {
            let term = label_term(&key, &value);
            prop_assert_eq!(term.is_none(), value.contains('"'));
            if let Some(term) = term {
                let selector: Selector = term.parse().unwrap();
                let with = |value: String| BTreeMap::from([(key.clone(), value)]);
                prop_assert!(selector.selects("", &with(value.clone())), "{term}");
                prop_assert!(!selector.selects("", &with(format!("{value}x"))), "{term}");
            }
        }

        #[test]
        fn any_text_is_a_selector_or_an_error_with_a_place(text in "[ ()=!\"a-cANDORT]{0,40}") {
            match text.parse::<Selector>() {
                Ok(selector) => {
                    let again: Selector = selector.to_string().parse().unwrap();
                    prop_assert_eq!(selector, again);
                }
                Err(error) => {
                    prop_assert!((1..=text.chars().count() + 1).contains(&error.at));
                }
            }
        }
    }
}
