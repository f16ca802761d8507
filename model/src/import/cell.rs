//! Fields of a JSON object, read leniently; whatever was not asked for is told at the end.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::plan::{Place, Remarks};
use super::span::{millis, span_ms};

/// Texts of one list.
const LIST_MAX: usize = 10_000;

/// An object under reading.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    /// Where it stands.
    pub(super) place: Place,
    map: &'a Map<String, Value>,
    asked: RefCell<BTreeSet<String>>,
    remarks: &'a Remarks,
}

impl<'a> Cells<'a> {
    /// Reads an object; something else is told.
    pub(super) fn of(value: &'a Value, place: Place, remarks: &'a Remarks) -> Option<Self> {
        let Value::Object(map) = value else {
            remarks.left(
                &place,
                "",
                &format!("an object is expected, not {}", kind(value)),
            );
            return None;
        };
        Some(Self {
            place,
            map,
            asked: RefCell::default(),
            remarks,
        })
    }

    /// The value as it is.
    pub(super) fn raw(&self, name: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Whether the field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, expected: &str, value: &Value) {
        let reason = format!("{expected} is expected, not {}", kind(value));
        self.remarks.left(&self.place, name, &reason);
    }

    /// A text; a number or a truth value counts as its digits or word.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.raw(name)?;
        let text = text_of(value);
        if text.is_none() {
            self.wrong(name, "a text", value);
        }
        text
    }

    /// Milliseconds: a number of seconds, or a text such as `10s`.
    pub(super) fn span(&self, name: &str) -> Option<u64> {
        let value = self.raw(name)?;
        let span = match value {
            Value::Number(number) => number.as_f64().and_then(|it| millis(it, 1_000.0)),
            Value::String(text) => span_ms(text),
            _ => None,
        };
        if span.is_none() {
            self.wrong(name, "a span of time", value);
        }
        span
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let value = self.raw(name)?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.wrong(name, "a number", value);
        }
        number
    }

    /// A whole number that fits.
    pub(super) fn count(&self, name: &str) -> Option<u32> {
        let number = self.number(name)?;
        let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        if !fits {
            self.remarks
                .left(&self.place, name, "a whole number from 0 is expected");
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range"
        )]
        Some(number as u32)
    }

    /// A truth value.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        let value = self.raw(name)?;
        let truth = match value {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        if truth.is_none() {
            self.wrong(name, "true or false", value);
        }
        truth
    }

    /// Texts: a list, or one alone.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.raw(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => {
                if values.len() > LIST_MAX {
                    let reason = format!("more than {LIST_MAX}: the last are left out");
                    self.remarks.left(&self.place, name, &reason);
                }
                let texts = values.iter().take(LIST_MAX).filter_map(|value| {
                    let text = text_of(value);
                    if text.is_none() {
                        self.wrong(name, "a list of texts", value);
                    }
                    text
                });
                texts.collect()
            }
            Some(value) => {
                let text = text_of(value);
                if text.is_none() {
                    self.wrong(name, "a list of texts", value);
                }
                text.into_iter().collect()
            }
        }
    }

    /// An object inside.
    pub(super) fn inner(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?, self.place.inner(name), self.remarks)
    }

    /// Objects by name inside.
    pub(super) fn each(&self, name: &str) -> Vec<(&'a str, Self)> {
        let Some(Value::Object(map)) = self.raw(name) else {
            // Something else is told by `inner`.
            drop(self.inner(name));
            return Vec::new();
        };
        let place = self.place.inner(name);
        map.iter()
            .filter_map(|(key, value)| {
                Some((
                    key.as_str(),
                    Self::of(value, place.inner(key), self.remarks)?,
                ))
            })
            .collect()
    }

    /// Objects of a list inside.
    pub(super) fn list(&self, name: &str) -> Vec<Self> {
        match self.raw(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => objects(values, &self.place.inner(name), self.remarks),
            Some(value) => {
                self.wrong(name, "a list", value);
                Vec::new()
            }
        }
    }

    /// A field that is known and has no counterpart here: told if it is there.
    pub(super) fn leave(&self, name: &str, reason: &str) {
        if self.raw(name).is_some() {
            self.remarks.left(&self.place, name, reason);
        }
    }

    /// A field that is taken otherwise.
    pub(super) fn adapt(&self, name: &str, reason: &str) {
        self.remarks.adapted(&self.place, name, reason);
    }

    /// A field that says nothing that could be lost.
    pub(super) fn pass(&self, names: &[&str]) {
        let mut asked = self.asked.borrow_mut();
        asked.extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// Fields that nobody asked for, with their scalar values.
    pub(super) fn others(&self) -> Vec<(&'a str, &'a Value)> {
        let asked = self.asked.borrow();
        let others = self.map.iter().filter(|(name, _)| !asked.contains(*name));
        others.map(|(name, value)| (name.as_str(), value)).collect()
    }

    /// Tells what nobody asked for.
    pub(super) fn finish(self) {
        for (name, _) in self.others() {
            self.remarks
                .left(&self.place, name, "this field is not understood");
        }
    }
}

/// The objects of a list.
pub(super) fn objects<'a>(
    values: &'a [Value],
    place: &Place,
    remarks: &'a Remarks,
) -> Vec<Cells<'a>> {
    let numbered = (1_usize..).zip(values);
    numbered
        .filter_map(|(number, value)| {
            let place = Place {
                path: format!("{}[{number}]", place.path),
                ..place.clone()
            };
            Cells::of(value, place, remarks)
        })
        .collect()
}

/// A scalar as text.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
