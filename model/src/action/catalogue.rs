//! What a host allows, as its agent tells people: enough to ask, without what only the host knows.

use std::collections::BTreeMap;

use aramaki_sync_core::Timestamp;
use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::VALUE_LEN_BYTES_MAX;

/// How many actions a host may allow.
pub const ACTIONS_MAX: usize = 200;

/// What a host allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// When it was read, by the host's clock; the newest counts.
    pub at: Timestamp,
    /// The actions by name.
    pub actions: BTreeMap<String, Described>,
    /// Those that may be run in maintenance windows, and how often. It came later, and stands behind the
    /// rest.
    #[serde(skip)]
    pub maintenance: BTreeMap<String, MaintenanceRule>,
}

/// How an action is run in a maintenance window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceRule {
    /// How often it is begun in one window, at most.
    pub attempts: u32,
    /// After how many milliseconds it is tried again.
    pub retry_after_ms: u64,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// What it does, in words.
    pub description: String,
    /// The digest of its whole definition: who asks names it.
    pub definition: [u8; 32],
    /// What it takes, in the order of the host's file.
    pub parameters: Vec<Parameter>,
    /// How many others must agree.
    pub approvals: u32,
    /// Whether it changes nothing.
    pub is_read_only: bool,
}

/// A value that an action takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub kind: ParameterKind,
    /// What it is if nothing is said; without one it must be said.
    pub default: Option<String>,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterKind {
    /// One of these.
    Choice(Vec<String>),
    /// A whole number within these, both included.
    Integer {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// Text that this expression matches as a whole.
    Text {
        /// The expression, of the `regex` crate.
        pattern: String,
        /// How long it may be, in bytes.
        len_bytes_max: u32,
    },
}

/// Why a host would not take the values of a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentFault {
    /// The action has no such parameter.
    #[error("there is no parameter {0:?}")]
    Unknown(String),
    /// Nothing was said, and the host has nothing to take instead.
    #[error("{0} is missing")]
    Missing(String),
    /// Longer than any value may be, or with a zero byte in it.
    #[error("{0} is too long, or holds a zero byte")]
    Unfit(String),
    /// Not what the parameter takes.
    #[error("{name} cannot be {value:?}")]
    NotAllowed {
        /// Which.
        name: String,
        /// What was said.
        value: String,
    },
}

impl Described {
    /// Checks values as far as it can be known away from the host, which judges them again.
    ///
    /// # Errors
    /// The first that the host would not take.
    pub fn check(&self, values: &BTreeMap<String, String>) -> Result<(), ArgumentFault> {
        let known = |name: &String| self.parameters.iter().any(|it| it.name == *name);
        if let Some(unknown) = values.keys().find(|name| !known(name)) {
            return Err(ArgumentFault::Unknown(unknown.clone()));
        }
        for parameter in &self.parameters {
            match values.get(&parameter.name) {
                Some(value) => parameter.check(value)?,
                None if parameter.default.is_some() => {}
                None => return Err(ArgumentFault::Missing(parameter.name.clone())),
            }
        }
        Ok(())
    }
}

impl Parameter {
    /// Checks one value. An expression that this program cannot read is left to the host.
    ///
    /// # Errors
    /// When the parameter does not take it.
    pub fn check(&self, value: &str) -> Result<(), ArgumentFault> {
        if value.len() > VALUE_LEN_BYTES_MAX || value.contains('\0') {
            return Err(ArgumentFault::Unfit(self.name.clone()));
        }
        let allowed = match &self.kind {
            ParameterKind::Choice(choice) => choice.iter().any(|it| it == value),
            ParameterKind::Integer { min, max } => {
                let number = value.parse::<i64>();
                number.is_ok_and(|number| (*min..=*max).contains(&number))
            }
            ParameterKind::Text {
                pattern,
                len_bytes_max,
            } => {
                let fits = u32::try_from(value.len()).is_ok_and(|len| len <= *len_bytes_max);
                // The host anchors it in the same way; this crate bounds what an expression may cost.
                let regex = Regex::new(&format!("^(?:{pattern})$"));
                fits && regex.map_or(true, |regex| regex.is_match(value))
            }
        };
        if allowed {
            Ok(())
        } else {
            Err(ArgumentFault::NotAllowed {
                name: self.name.clone(),
                value: value.to_owned(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, kind: ParameterKind) -> Parameter {
        Parameter {
            name: name.to_owned(),
            kind,
            default: None,
        }
    }

    #[test]
    fn what_a_host_would_not_take_is_known_before_it_is_asked() {
        let text = ParameterKind::Text {
            pattern: "/[a-z]*".to_owned(),
            len_bytes_max: 5,
        };
        let unreadable = ParameterKind::Text {
            pattern: "(".to_owned(),
            len_bytes_max: 5,
        };
        let count = Parameter {
            default: Some("3".to_owned()),
            ..parameter("count", ParameterKind::Integer { min: 1, max: 9 })
        };
        let choice = ParameterKind::Choice(vec!["hot".to_owned(), "cold".to_owned()]);
        let described = Described {
            description: String::new(),
            definition: [0; 32],
            parameters: vec![parameter("path", text), count, parameter("how", choice)],
            approvals: 0,
            is_read_only: false,
        };
        let check = |values: &[(&str, &str)]| {
            let values = values.iter();
            let values = values.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            described
                .check(&values.collect())
                .map_err(|it| it.to_string())
        };
        assert_eq!(check(&[("path", "/a"), ("how", "hot")]), Ok(()));
        for (values, fault) in [
            (&[("how", "hot")][..], "path is missing"),
            (&[("path", "/a"), ("how", "warm")], "how cannot be \"warm\""),
            (&[("path", "a"), ("how", "hot")], "path cannot be \"a\""),
            (
                &[("path", "/abcdef"), ("how", "hot")],
                "path cannot be \"/abcdef\"",
            ),
            (
                &[("path", "/a/b"), ("how", "hot")],
                "path cannot be \"/a/b\"",
            ),
            (
                &[("path", "/a"), ("how", "hot"), ("count", "10")],
                "count cannot be \"10\"",
            ),
            (&[("where", "x")], "there is no parameter \"where\""),
            (
                &[("path", "/\0"), ("how", "hot")],
                "path is too long, or holds a zero byte",
            ),
        ] {
            assert_eq!(check(values), Err(fault.to_owned()));
        }
        assert_eq!(parameter("x", unreadable).check("y"), Ok(()));
    }
}
