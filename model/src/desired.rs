//! What should be so: values by path in a System's document, which agents watch and act on.
//!
//! A value says what is wanted, never what is run: that is said by the host of each agent, in its own file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::Outcome;
use crate::text::is_deceptive;

/// Values of one System.
pub const DESIRED_MAX: usize = 256;
/// Bytes of a path.
pub const PATH_LEN_BYTES_MAX: usize = 128;
/// Names in a path.
const PATH_DEPTH_MAX: usize = 8;
/// Bytes of a value, as JSON without spaces.
pub const VALUE_LEN_BYTES_MAX: usize = 4 * 1_024;
/// Bytes of all paths and values of a System together: agents are told all of them at once.
pub const DESIRED_LEN_BYTES_MAX: usize = 48 * 1_024;
/// Words that a value may be one of.
const CHOICES_MAX: usize = 64;
/// How much of what an action printed a run carries: its end.
pub const RUN_DETAIL_LEN_BYTES_MAX: usize = 1_024;

/// Where a value stands: names of small letters, digits, `-`, `_` and `.`, with strokes between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DesiredPath(String);

/// A text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "1 to {PATH_DEPTH_MAX} names with `/` between, of small letters, digits, `-`, `_` and `.`, in at most \
     {PATH_LEN_BYTES_MAX} bytes are expected, as in varnish/backends"
)]
pub struct PathError;

impl DesiredPath {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this one, or stands below it.
    pub fn is_within(&self, above: &Self) -> bool {
        let rest = self.0.strip_prefix(&above.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for DesiredPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let odd = |c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && !"-_.".contains(c);
        let is_name =
            |name: &str| !name.is_empty() && !name.contains(odd) && !name.starts_with('.');
        let is_path = text.len() <= PATH_LEN_BYTES_MAX
            && text.split('/').count() <= PATH_DEPTH_MAX
            && text.split('/').all(is_name);
        if is_path {
            Ok(Self(text.to_owned()))
        } else {
            Err(PathError)
        }
    }
}

impl fmt::Display for DesiredPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DesiredPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<DesiredPath> for String {
    fn from(path: DesiredPath) -> Self {
        path.0
    }
}

/// What a value may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schema {
    /// Any JSON value.
    #[default]
    Any,
    /// Text on one line.
    Text,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer {
        /// At least, if there is such a limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// At most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// One of these words.
    Choice {
        /// The words.
        of: Vec<String>,
    },
    /// A list of texts.
    List,
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueFault(pub String);

impl Schema {
    /// Reads what people type as a value of this kind: text needs no quotes.
    ///
    /// # Errors
    /// When it is none; what is expected.
    pub fn read(&self, typed: &str) -> Result<Value, ValueFault> {
        let text = || Value::from(typed);
        let value = match self {
            Self::Text | Self::Choice { .. } => text(),
            Self::Any => serde_json::from_str(typed).unwrap_or_else(|_| text()),
            Self::List if !typed.trim_start().starts_with('[') => {
                let words = typed.split(',').map(str::trim);
                words.filter(|word| !word.is_empty()).collect()
            }
            Self::Boolean | Self::Integer { .. } | Self::List => {
                serde_json::from_str(typed).map_err(|_malformed| ValueFault(self.expected()))?
            }
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Whether a value is of this kind, and not too long.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn check(&self, value: &Value) -> Result<(), ValueFault> {
        let is_line = |text: &str| !text.contains(is_deceptive);
        let fits = match (self, value) {
            (Self::Any, _) | (Self::Boolean, Value::Bool(_)) => true,
            (Self::Text, Value::String(text)) => is_line(text),
            (Self::Integer { min, max }, Value::Number(number)) => {
                let within = |number: i64| {
                    min.is_none_or(|min| min <= number) && max.is_none_or(|max| number <= max)
                };
                number.as_i64().is_some_and(within)
            }
            (Self::Choice { of }, Value::String(text)) => of.contains(text),
            (Self::List, Value::Array(items)) => {
                items.iter().all(|item| item.as_str().is_some_and(is_line))
            }
            _ => false,
        };
        if !fits {
            return Err(ValueFault(self.expected()));
        }
        let length = value.to_string().len();
        if length > VALUE_LEN_BYTES_MAX {
            let message =
                format!("it takes {length} bytes where {VALUE_LEN_BYTES_MAX} are allowed");
            return Err(ValueFault(message));
        }
        Ok(())
    }

    fn expected(&self) -> String {
        match self {
            Self::Any => "a value is expected".to_owned(),
            Self::Text => "text on one line is expected".to_owned(),
            Self::Boolean => "true or false is expected".to_owned(),
            Self::Integer { min, max } => match (min, max) {
                (Some(min), Some(max)) => format!("a whole number from {min} to {max} is expected"),
                (Some(min), None) => format!("a whole number of at least {min} is expected"),
                (None, Some(max)) => format!("a whole number of at most {max} is expected"),
                (None, None) => "a whole number is expected".to_owned(),
            },
            Self::Choice { of } => format!("one of {} is expected", of.join(", ")),
            Self::List => "a list of texts, as in a, b, c, is expected".to_owned(),
        }
    }

    /// Whether it can be meant.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn examine(&self) -> Result<(), ValueFault> {
        match self {
            Self::Integer {
                min: Some(min),
                max: Some(max),
            } if min > max => Err(ValueFault(format!("{min} is above {max}"))),
            Self::Choice { of } if of.is_empty() || of.len() > CHOICES_MAX => {
                Err(ValueFault(format!("1 to {CHOICES_MAX} words are expected")))
            }
            _ => Ok(()),
        }
    }
}

/// What should be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// What.
    pub value: Value,
    /// What it may be; whoever sets it next is held to that.
    #[serde(default)]
    pub schema: Schema,
}

/// All that is desired of a System, as agents are told: values as JSON, and which version of the document
/// says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredState {
    /// The heads of the System's document, as hexadecimal digits.
    pub heads: String,
    /// The values as JSON without spaces.
    pub values: BTreeMap<DesiredPath, String>,
}

impl DesiredState {
    /// Of these values; none when agents could not be told all of them.
    ///
    /// # Errors
    /// When they are too many or too long.
    pub fn new(
        heads: String,
        desired: &BTreeMap<DesiredPath, Desired>,
    ) -> Result<Self, ValueFault> {
        let values = desired.iter();
        let values: BTreeMap<_, _> = values
            .map(|(path, desired)| (path.clone(), desired.value.to_string()))
            .collect();
        let state = Self { heads, values };
        let length = state.len_bytes();
        if state.values.len() > DESIRED_MAX || length > DESIRED_LEN_BYTES_MAX {
            return Err(ValueFault(format!(
                "a System has at most {DESIRED_MAX} values in {DESIRED_LEN_BYTES_MAX} bytes; these are {} in \
                 {length}",
                state.values.len()
            )));
        }
        Ok(state)
    }

    fn len_bytes(&self) -> usize {
        let values = self.values.iter();
        values.map(|(path, value)| path.0.len() + value.len()).sum()
    }

    /// What was sent, as far as it can be meant.
    pub(crate) fn lenient(heads: &str, values: Vec<(String, String)>) -> Self {
        let is_value = |text: &str| {
            text.len() <= VALUE_LEN_BYTES_MAX && serde_json::from_str::<Value>(text).is_ok()
        };
        let values = values.into_iter().take(DESIRED_MAX);
        let values = values.filter_map(|(path, value)| {
            let path = path.parse().ok()?;
            is_value(&value).then_some((path, value))
        });
        Self {
            heads: crate::text::clean_line(heads, HEADS_LEN_BYTES_MAX),
            values: values.collect(),
        }
    }

    /// The value at a path, or an object of all below it; none where nothing is desired.
    pub fn at(&self, path: &DesiredPath) -> Option<String> {
        if let Some(value) = self.values.get(path) {
            return Some(value.clone());
        }
        let below = self.values.iter().filter(|(it, _)| it.is_within(path));
        let below = below.filter_map(|(it, value)| {
            let name = it.0.get(path.0.len() + 1..)?.to_owned();
            Some((name, serde_json::from_str(value).ok()?))
        });
        let below: serde_json::Map<String, Value> = below.collect();
        (!below.is_empty()).then(|| Value::Object(below).to_string())
    }
}

/// Bytes of heads: of so many concurrent versions no one speaks.
pub const HEADS_LEN_BYTES_MAX: usize = 512;

/// The heads of a document as text: the generation that an action is told.
pub(crate) fn heads_text(heads: &[[u8; 32]]) -> String {
    let mut text = String::new();
    for head in heads {
        if !text.is_empty() {
            text.push(',');
        }
        for byte in head {
            for digit in [byte >> 4, byte & 0xf] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
    }
    if text.len() <= HEADS_LEN_BYTES_MAX {
        return text;
    }
    // Many people wrote at once: the last head, and how many there are.
    let last: String = text.chars().skip(text.len().saturating_sub(64)).collect();
    format!("{last}+{}", heads.len().saturating_sub(1))
}

/// An agent acted on what is desired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredRun {
    /// When it ended, by the agent's clock.
    pub at: Timestamp,
    /// The path that its host watches.
    pub path: String,
    /// The action of its host.
    pub action: String,
    /// The heads of the document that it acted on.
    pub generation: String,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// Whether it is tried again if it failed.
    pub again: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The end of what it printed.
    pub detail: String,
}

impl DesiredRun {
    /// Whether what is desired is so now, as far as the action knows.
    pub fn is_done(&self) -> bool {
        self.outcome == Outcome::Exit(0)
    }
}

#[cfg(test)]
mod tests;
