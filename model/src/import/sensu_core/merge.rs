//! Definitions over several files, merged as Sensu merges them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::import::cell::text_of;
use crate::import::plan::Place;

/// How deep definitions are merged.
const DEPTH_MAX: usize = 64;

/// In which files something is defined.
#[derive(Debug, Default)]
pub(super) struct Origins(BTreeMap<(String, String), Vec<String>>);

impl Origins {
    pub(super) fn note(&mut self, map: &Map<String, Value>, file: &str) {
        for (section, value) in map {
            let mut at = |name: String| {
                let files = self.0.entry((section.clone(), name)).or_default();
                if files.len() < 8 && files.last().is_none_or(|last| last != file) {
                    files.push(file.to_owned());
                }
            };
            at(String::new());
            if let Value::Object(named) = value {
                named.keys().for_each(|name| at(name.clone()));
            }
        }
    }

    fn files(&self, section: &str, name: &str) -> String {
        let files = self.0.get(&(section.to_owned(), name.to_owned()));
        files.map(|files| files.join(", ")).unwrap_or_default()
    }

    pub(super) fn section(&self, section: &str) -> Place {
        Place {
            file: self.files(section, ""),
            line: None,
            path: section.to_owned(),
        }
    }

    pub(super) fn place(&self, section: &str, name: &str) -> Place {
        if name.is_empty() {
            return self.section(section);
        }
        Place {
            file: self.files(section, name),
            line: None,
            path: format!("{section}.{name}"),
        }
    }
}

/// As Sensu's settings do: objects merge, lists are joined without repetition, all else is replaced by
/// the file that comes later.
pub(super) fn merge(into: &mut Map<String, Value>, from: Map<String, Value>, depth: usize) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) if depth < DEPTH_MAX => {
                merge(old, new, depth + 1);
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let more: Vec<_> = new.into_iter().filter(|it| !old.contains(it)).collect();
                old.extend(more);
            }
            (Some(old), new) => *old = new,
            (None, new) => {
                into.insert(name, new);
            }
        }
    }
}

/// Clients of one name merge; a file without a name adds to the one client that there is.
pub(super) fn merge_clients(clients: Vec<(String, Value)>) -> Vec<(String, Value)> {
    let name_of = |client: &Value| client.get("name").and_then(text_of).unwrap_or_default();
    let mut named: BTreeMap<String, (String, Map<String, Value>)> = BTreeMap::new();
    let mut nameless = Vec::new();
    let mut odd = Vec::new();
    for (file, client) in clients {
        let name = name_of(&client);
        match client {
            Value::Object(map) if name.is_empty() => nameless.push((file, map)),
            Value::Object(map) => {
                let (_, there) = named.entry(name).or_insert((file, Map::new()));
                merge(there, map, 0);
            }
            other => odd.push((file, other)),
        }
    }
    let sole = named.len() == 1;
    for (file, map) in nameless {
        match named.values_mut().next().filter(|_| sole) {
            Some((_, there)) => merge(there, map, 0),
            None => odd.push((file, Value::Object(map))),
        }
    }
    let named = named.into_values();
    let named = named.map(|(file, map)| (file, Value::Object(map)));
    named.chain(odd).collect()
}
