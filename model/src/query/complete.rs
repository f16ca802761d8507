//! What may come at the cursor: fields, signs and values that are known in what is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::field::{Field, LABEL, TextField};
use super::scan::quoted_if_needed;

/// How many candidates are offered at once.
pub const CANDIDATES_MAX: usize = 12;
/// How many values of one field are remembered.
pub const KNOWN_VALUES_MAX: usize = 2_000;
/// How long a value may be to be offered.
const VALUE_LEN_BYTES_MAX: usize = 80;
/// Times that are offered where one is expected.
const SPANS: [&str; 6] = ["15m", "1h", "8h", "1d", "7d", "30d"];
const SIGNS: [&str; 7] = ["!=", "<=", ">=", ":", "=", "<", ">"];

/// The values of fields that occur in what is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownValues {
    texts: BTreeMap<TextField, BTreeSet<String>>,
    labels: BTreeMap<String, BTreeSet<String>>,
}

impl KnownValues {
    /// Remembers a value of a field.
    pub fn add(&mut self, field: TextField, value: &str) {
        if !value.is_empty() {
            remember(self.texts.entry(field).or_default(), value);
        }
    }

    /// Remembers a label.
    pub fn add_label(&mut self, name: &str, value: &str) {
        if let Some(values) = self.labels.get_mut(name) {
            remember(values, value);
        } else if self.labels.len() < KNOWN_VALUES_MAX {
            let values = self.labels.entry(name.to_owned()).or_default();
            remember(values, value);
        }
    }

    fn of(&self, field: &Field) -> Option<&BTreeSet<String>> {
        match field {
            Field::Text(field) => self.texts.get(field),
            Field::Label(name) => self
                .labels
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, values)| values),
            _ => None,
        }
    }
}

fn remember(values: &mut BTreeSet<String>, value: &str) {
    let is_offered = value.len() <= VALUE_LEN_BYTES_MAX && values.len() < KNOWN_VALUES_MAX;
    if is_offered && !values.contains(value) {
        values.insert(value.to_owned());
    }
}

/// What may come at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Which bytes of the text a candidate takes the place of.
    pub replaces: Range<usize>,
    /// At most [`CANDIDATES_MAX`], the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// One thing that may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What would stand there.
    pub text: String,
    /// The field that it is, or whose value it is; none for AND, OR and NOT.
    pub field: Option<Field>,
    /// Whether the term is complete with it, so that another may follow.
    pub ends_term: bool,
}

/// What may come at a place, in bytes, of a text.
pub(super) fn complete(text: &str, cursor: usize, known: &KnownValues) -> Completion {
    let cursor = text.floor_char_boundary(cursor.min(text.len()));
    let before = text.get(..cursor).unwrap_or_default();
    let begin = term_begin(before);
    let typed = before.get(begin..).unwrap_or_default();
    let sign = SIGNS
        .into_iter()
        .filter_map(|sign| typed.find(sign).map(|at| (at, sign)))
        .min_by_key(|(at, sign)| (*at, std::cmp::Reverse(sign.len())));
    let (replaces, mut candidates) = match sign {
        Some((at, sign)) if !typed.starts_with(['"', '~']) => {
            let value_at = begin + at + sign.len();
            let value = before.get(value_at..).unwrap_or_default();
            let name = typed.get(..at).unwrap_or_default();
            let name = name.replace('"', "");
            let candidates = Field::of_name(&name)
                .map(|field| values(&field, value, known))
                .unwrap_or_default();
            (value_at..cursor, candidates)
        }
        _ => {
            let earlier = before.get(..begin).unwrap_or_default();
            (begin..cursor, fields(typed, earlier, known))
        }
    };
    candidates.truncate(CANDIDATES_MAX);
    Completion {
        replaces,
        candidates,
    }
}

/// Where the term begins whose end is the end of this text.
fn term_begin(before: &str) -> usize {
    let mut begin = 0;
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, c) in before.char_indices() {
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            c if !is_quoted && (c.is_whitespace() || c == '(' || c == ')') => {
                begin = at + c.len_utf8();
            }
            _ => {}
        }
        is_escaped = is_quoted && c == '\\' && !is_escaped;
    }
    begin
}

fn fields(typed: &str, earlier: &str, known: &KnownValues) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let named = Field::NAMED
        .into_iter()
        .map(|field| (field.to_string(), field));
    let labels = known.labels.keys().map(|name| {
        let field = Field::Label(name.clone());
        (field.to_string(), field)
    });
    let all: Vec<_> = named.chain(labels).collect();
    let begins = |(name, _): &&(String, Field)| name.to_lowercase().starts_with(&typed);
    // `site` finds `label.site`.
    let within = |(name, field): &&(String, Field)| {
        let is_label = matches!(field, Field::Label(_));
        let name = name.to_lowercase();
        let rest = name.get(LABEL.len()..).unwrap_or_default();
        is_label && !typed.is_empty() && rest.trim_start_matches('"').starts_with(&typed)
    };
    let chosen = all
        .iter()
        .filter(begins)
        .chain(all.iter().filter(|it| !begins(it) && within(it)));
    let mut candidates: Vec<_> = chosen
        .map(|(name, field)| Candidate {
            text: format!("{name}{}", field.first_sign()),
            field: Some(field.clone()),
            ends_term: false,
        })
        .collect();
    let earlier = earlier.trim_end();
    let follows = !earlier.is_empty() && !earlier.ends_with('(');
    let keywords: &[&str] = if follows {
        &["AND", "OR", "NOT"]
    } else {
        &["NOT"]
    };
    let typed = typed.to_uppercase();
    let keywords = keywords
        .iter()
        .filter(|keyword| !typed.is_empty() && keyword.starts_with(&typed));
    candidates.extend(keywords.map(|keyword| Candidate {
        text: (*keyword).to_owned(),
        field: None,
        ends_term: true,
    }));
    candidates
}

fn values(field: &Field, typed: &str, known: &KnownValues) -> Vec<Candidate> {
    if typed.starts_with('~') {
        return Vec::new();
    }
    let typed = typed.trim_start_matches('"').to_lowercase();
    let spans: &[&str] = match field {
        Field::Age | Field::Since | Field::Moment(_) => &SPANS,
        _ => &[],
    };
    let fixed = field
        .words()
        .iter()
        .chain(spans)
        .map(|word| (*word).to_owned());
    let known = known.of(field).into_iter().flatten();
    let all: Vec<String> = fixed.chain(known.cloned()).collect();
    let begins = |value: &&String| value.to_lowercase().starts_with(&typed);
    let contains = |value: &&String| value.to_lowercase().contains(&typed);
    let begin = all.iter().filter(begins);
    let within = all.iter().filter(|it| !begins(it) && contains(it));
    begin
        .chain(within)
        .take(CANDIDATES_MAX)
        .map(|value| Candidate {
            text: quoted_if_needed(value),
            field: Some(field.clone()),
            ends_term: true,
        })
        .collect()
}
