//! YAML and JSON as one kind of tree, bounded: an alias costs what it repeats.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::SourceFile;
use super::plan::{Place, Remarks};

/// Values of one file, with what aliases repeat.
const NODES_MAX: usize = 500_000;
/// Bytes of all texts of one file, with what aliases repeat.
const TEXT_LEN_BYTES_MAX: usize = 16 << 20;
/// How deep values may go.
const DEPTH_MAX: usize = 64;
/// Names of one file that are told because they stand somewhere more than once.
const DOUBLES_MAX: usize = 100;
/// What is said of a name that stands in one map more than once.
const TWICE: &str = "it stands there more than once: the last counts";
/// Documents of one file.
const DOCUMENTS_MAX: usize = 50_000;

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    /// Where it begins.
    pub(super) place: Place,
    /// What it says.
    pub(super) value: Value,
}

/// The place of a whole file.
pub(super) fn place_of(file: &SourceFile) -> Place {
    Place {
        file: file.name.clone(),
        ..Place::default()
    }
}

/// Reads a file of JSON values, one after another. What stands before an error counts.
pub(super) fn json(file: &SourceFile, remarks: &Remarks) -> Vec<Document> {
    let mut documents = Vec::new();
    let place = place_of(file);
    let text = file.text.trim_start_matches('\u{feff}');
    let mut reader = serde_json::Deserializer::from_str(text);
    let doubles = RefCell::default();
    while reader.end().is_err() {
        match (Noticing { doubles: &doubles }).deserialize(&mut reader) {
            Ok(value) if documents.len() < DOCUMENTS_MAX => documents.push(Document {
                place: place.clone(),
                value,
            }),
            Ok(_) => {
                remarks.left(&place, "", &too_many_documents());
                break;
            }
            Err(error) => {
                let at = Place {
                    line: Some(error.line()),
                    ..place.clone()
                };
                remarks.broken(&at, &format!("no JSON from here on: {error}"));
                break;
            }
        }
    }
    for name in doubles.into_inner() {
        remarks.left(&place, &name, TWICE);
    }
    documents
}

/// Reads a JSON value, and notices keys that stand in one object more than once.
#[derive(Clone, Copy)]
struct Noticing<'a> {
    doubles: &'a RefCell<BTreeSet<String>>,
}

impl<'de> DeserializeSeed<'de> for Noticing<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Noticing<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(self)?;
            if map.contains_key(&name) && self.doubles.borrow().len() < DOUBLES_MAX {
                self.doubles.borrow_mut().insert(name.clone());
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Reads a file of YAML documents. What stands before an error counts.
pub(super) fn yaml(file: &SourceFile, remarks: &Remarks) -> Vec<Document> {
    let mut builder = Builder {
        place: place_of(file),
        ..Builder::default()
    };
    for event in Parser::new_from_str(&file.text) {
        let wrong = match event {
            Ok((event, span)) => {
                let line = span.start.line();
                builder.take(event, line).err().map(|why| (line, why))
            }
            Err(error) => {
                let line = error.marker().line();
                Some((line, format!("no YAML from here on: {}", error.info())))
            }
        };
        if let Some((line, why)) = wrong {
            let at = Place {
                line: Some(line),
                ..place_of(file)
            };
            remarks.broken(&at, &why);
            break;
        }
    }
    for (line, name) in builder.doubles {
        let at = Place {
            line: Some(line),
            ..place_of(file)
        };
        remarks.left(&at, &name, TWICE);
    }
    builder.documents
}

/// Reads what begins like JSON as JSON, and all else as YAML.
pub(super) fn either(file: &SourceFile, remarks: &Remarks) -> Vec<Document> {
    match file.text.trim_start_matches('\u{feff}').trim_start() {
        text if text.starts_with(['{', '[']) => json(file, remarks),
        _ => yaml(file, remarks),
    }
}

fn too_many_documents() -> String {
    format!("more than {DOCUMENTS_MAX} documents: the last are left out")
}

/// What a value costs: values and bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    nodes: usize,
    bytes: usize,
}

impl Cost {
    const fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// A list or a map that is not complete yet.
#[derive(Debug)]
struct Open {
    anchor: usize,
    cost: Cost,
    holds: Holds,
}

#[derive(Debug)]
enum Holds {
    List(Vec<Value>),
    Map(Keyed),
}

/// A map that is not complete yet.
#[derive(Debug, Default)]
struct Keyed {
    map: Map<String, Value>,
    key: Option<Key>,
    /// Names that stand in it themselves: those that it merges from elsewhere may be said again.
    own: BTreeSet<String>,
}

/// The key whose value comes next.
#[derive(Debug)]
enum Key {
    Text(String),
    /// `<<`: what follows is merged.
    Merge,
}

#[derive(Debug, Default)]
struct Builder {
    place: Place,
    documents: Vec<Document>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Value, Cost)>,
    /// Of the whole file.
    spent: Cost,
    /// Names that stand in one map more than once, with their lines.
    doubles: BTreeSet<(usize, String)>,
    begins: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => {
                self.begins = line;
                self.anchors.clear();
                Ok(())
            }
            Event::MappingStart(anchor, _) => self.begin(anchor, Holds::Map(Keyed::default())),
            Event::SequenceStart(anchor, _) => self.begin(anchor, Holds::List(Vec::new())),
            Event::MappingEnd | Event::SequenceEnd => self.end(line),
            Event::Scalar(text, style, anchor, tag) => {
                let cost = Cost {
                    nodes: 1,
                    bytes: text.len(),
                };
                let value = scalar(&text, style, tag.as_deref());
                let is_merge = style == ScalarStyle::Plain && text == "<<";
                self.spend(cost)?;
                self.remember(anchor, &value, cost)?;
                self.put(value, cost, is_merge, line)
            }
            Event::Alias(anchor) => {
                let Some((value, cost)) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias of something that is not complete".to_owned());
                };
                // Before it is copied once more.
                self.spend(cost)?;
                self.put(value, cost, false, line)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn spend(&mut self, cost: Cost) -> Result<(), String> {
        self.spent = self.spent.plus(cost);
        if self.spent.nodes > NODES_MAX || self.spent.bytes > TEXT_LEN_BYTES_MAX {
            return Err(format!(
                "more than {NODES_MAX} values or {TEXT_LEN_BYTES_MAX} bytes, counting what aliases repeat: the rest is left out"
            ));
        }
        Ok(())
    }

    /// Keeping a copy for aliases costs as much again.
    fn remember(&mut self, anchor: usize, value: &Value, cost: Cost) -> Result<(), String> {
        if anchor != 0 {
            self.spend(cost)?;
            self.anchors.insert(anchor, (value.clone(), cost));
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, holds: Holds) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("values deeper than {DEPTH_MAX}"));
        }
        let cost = Cost { nodes: 1, bytes: 0 };
        self.spend(cost)?;
        self.open.push(Open {
            anchor,
            cost,
            holds,
        });
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), String> {
        let Some(Open {
            anchor,
            cost,
            holds,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let value = match holds {
            Holds::List(list) => Value::Array(list),
            Holds::Map(keyed) => Value::Object(keyed.map),
        };
        self.remember(anchor, &value, cost)?;
        self.put(value, cost, false, line)
    }

    fn put(&mut self, value: Value, cost: Cost, is_merge: bool, line: usize) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            if self.documents.len() >= DOCUMENTS_MAX {
                return Err(too_many_documents());
            }
            self.documents.push(Document {
                place: Place {
                    line: Some(self.begins),
                    ..self.place.clone()
                },
                value,
            });
            return Ok(());
        };
        open.cost = open.cost.plus(cost);
        match &mut open.holds {
            Holds::List(list) => list.push(value),
            Holds::Map(keyed) => match keyed.key.take() {
                None if is_merge => keyed.key = Some(Key::Merge),
                None => {
                    let name = key_text(&value);
                    if !keyed.own.insert(name.clone()) && self.doubles.len() < DOUBLES_MAX {
                        self.doubles.insert((line, name.clone()));
                    }
                    keyed.key = Some(Key::Text(name));
                }
                Some(Key::Text(name)) => {
                    keyed.map.insert(name, value);
                }
                Some(Key::Merge) => merge(&mut keyed.map, value),
            },
        }
        Ok(())
    }
}

/// What is there wins.
fn merge(map: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(more) => {
            for (name, value) in more {
                map.entry(name).or_insert(value);
            }
        }
        Value::Array(several) => {
            for value in several {
                if value.is_object() {
                    merge(map, value);
                }
            }
        }
        _ => {}
    }
}

fn key_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The core schema of YAML 1.2, and yes and no as words.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let string = || Value::String(text.to_owned());
    if style != ScalarStyle::Plain
        || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str")
    {
        return string();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !is_number {
        return string();
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Value::Number(whole.into());
    }
    let number = text.parse::<f64>().ok().and_then(Number::from_f64);
    number.map_or_else(string, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> (Vec<Value>, Vec<String>) {
        let remarks = Remarks::default();
        let file = SourceFile {
            name: "a.yaml".to_owned(),
            text: text.to_owned(),
        };
        let documents = either(&file, &remarks);
        (
            documents.into_iter().map(|it| it.value).collect(),
            remarks.reasons(),
        )
    }

    #[test]
    fn yaml_reads_as_the_same_tree_as_json() {
        let (read_yaml, remarks) = read(
            "a: &x\n  b: [1, 2.5, 'no', yes, ~]\nc: *x\nd:\n  <<: *x\n  e: |\n    l\n---\nsecond: true\n",
        );
        let b = json!([1, 2.5, "no", "yes", null]);
        assert_eq!(
            read_yaml,
            [
                json!({"a": {"b": b}, "c": {"b": b}, "d": {"b": b, "e": "l\n"}}),
                json!({"second": true}),
            ]
        );
        assert!(remarks.is_empty());
        assert_eq!(read("{\"a\": 1}\n{\"b\": 2}\n").0.len(), 2);
    }

    #[test]
    fn a_name_that_stands_twice_is_told_in_both_notations() {
        let places = |name: &str, text: &str| {
            let remarks = Remarks::default();
            let file = SourceFile {
                name: name.to_owned(),
                text: text.to_owned(),
            };
            drop(either(&file, &remarks));
            let (told, _) = remarks.finish();
            told.into_iter()
                .map(|it| (it.place.line, it.field))
                .collect::<Vec<_>>()
        };
        let yaml = "a: 1\nspec:\n  interval: 60\n  timeout: 5\n  interval: 30\n";
        assert_eq!(places("a.yaml", yaml), [(Some(5), "interval".to_owned())]);
        let json = "{\"a\": 1, \"b\": 1, \"a\": 2}";
        assert_eq!(places("a.json", json), [(None, "a".to_owned())]);
        // The same name in another map, or over one that is merged, is no second time.
        let fine = "x: &x {a: 1}\ny:\n  <<: *x\n  a: 2\nz: [{a: 1}, {a: 2}]\n";
        assert_eq!(places("a.yaml", fine), []);
        assert_eq!(read("a: 1\na: 2\n").0, [json!({"a": 2})]);
    }

    #[test]
    fn what_stands_before_an_error_counts() {
        let (documents, remarks) = read("a: 1\n---\nb: [1\n---\n");
        assert_eq!(documents, [json!({"a": 1})]);
        assert_eq!(remarks.len(), 1);
        let (documents, remarks) = read("{\"a\": 1} {");
        assert_eq!((documents.len(), remarks.len()), (1, 1));
    }

    #[test]
    fn laughter_and_depth_are_bounded() {
        let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        let floors = (1..12).map(|n| {
            let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
            format!("a{n}: &a{n} [{aliases}]\n")
        });
        laughs += &floors.collect::<String>();
        let (documents, remarks) = read(&laughs);
        assert!(documents.is_empty());
        assert!(
            remarks[0].contains("counting what aliases repeat"),
            "{remarks:?}"
        );
        let long = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(1 << 20),
            "*a, ".repeat(1_000)
        );
        assert!(read(&long).1[0].contains("counting what aliases repeat"));
        assert!(!read(&"[".repeat(5_000)).1.is_empty());
        assert!(read(&format!("a: {}", "[".repeat(100))).1[0].contains("deeper than"));
    }
}
