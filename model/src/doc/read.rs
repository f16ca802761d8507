//! Lenient, bounded reading of documents.

use automerge::{Automerge, ObjId, ROOT, ReadDoc as _, ScalarValue, Value};
use serde::de::DeserializeOwned;

use crate::text::clean;

/// How many items of a map are read.
const ITEMS_MAX: usize = 10_000;

/// A value of a field that several people wrote at once: its text and the actor that wrote it.
pub(crate) type Written = (String, [u8; 16]);

/// What was read of a map of items, and what could not be.
#[derive(Debug)]
pub(crate) struct Reading<K, V> {
    /// Items by key.
    pub(crate) items: Vec<(K, V)>,
    /// Keys of items that could not be read, and why.
    pub(crate) unreadable: Vec<(String, String)>,
    /// Keys of items that several people wrote at once.
    pub(crate) conflicts: Vec<String>,
}

fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Str(text) => Some(text.to_string()),
            _ => None,
        },
        Value::Object(_) => None,
    }
}

fn actor_of(id: &ObjId) -> [u8; 16] {
    match id {
        ObjId::Id(_, actor, _) => actor.to_bytes().try_into().unwrap_or_default(),
        ObjId::Root => [0; 16],
    }
}

/// A text at the root, cut to a length; empty when it is not there or not a text.
pub(crate) fn text_field(automerge: &Automerge, name: &str, limit_bytes: usize) -> String {
    let value = automerge.get(ROOT, name).ok().flatten();
    let text = value.and_then(|(value, _)| text_of(&value));
    clean(&text.unwrap_or_default(), limit_bytes)
}

/// All values of a field at the root if several people wrote it at once, else nothing.
pub(crate) fn conflicts(automerge: &Automerge, name: &str, limit_bytes: usize) -> Vec<Written> {
    let values = automerge.get_all(ROOT, name).unwrap_or_default();
    if values.len() < 2 {
        return Vec::new();
    }
    values
        .iter()
        .map(|(value, id)| {
            let text = text_of(value).unwrap_or_else(|| "?".to_owned());
            (clean(&text, limit_bytes), actor_of(id))
        })
        .collect()
}

/// The actor that wrote an item of a map at the root last, as every replica agrees.
pub(crate) fn actor_of_item(automerge: &Automerge, name: &str, key: &str) -> Option<[u8; 16]> {
    let Ok(Some((Value::Object(_), map))) = automerge.get(ROOT, name) else {
        return None;
    };
    let (_, id) = automerge.get(&map, key).ok().flatten()?;
    Some(actor_of(&id))
}

/// Items that are JSON texts in a map at the root.
pub(crate) fn json_items<K: std::str::FromStr, V: DeserializeOwned>(
    automerge: &Automerge,
    name: &str,
) -> Reading<K, V> {
    let mut reading = Reading {
        items: Vec::new(),
        unreadable: Vec::new(),
        conflicts: Vec::new(),
    };
    let Ok(Some((Value::Object(_), map))) = automerge.get(ROOT, name) else {
        return reading;
    };
    for key in automerge.keys(&map).take(ITEMS_MAX) {
        let short = clean(&key, 64);
        let values = automerge.get_all(&map, &key).unwrap_or_default();
        if values.len() > 1 {
            reading.conflicts.push(short.clone());
        }
        // The last is the one that every replica agrees on.
        let Some(text) = values.last().and_then(|(value, _)| text_of(value)) else {
            reading.unreadable.push((short, "not a text".to_owned()));
            continue;
        };
        let Ok(key) = key.parse::<K>() else {
            reading
                .unreadable
                .push((short, "not a known key".to_owned()));
            continue;
        };
        match serde_json::from_str::<V>(&text) {
            Ok(item) => reading.items.push((key, item)),
            Err(error) => reading
                .unreadable
                .push((short, clean(&error.to_string(), 256))),
        }
    }
    reading
}
