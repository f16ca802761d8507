//! The lines of a calendar: properties of its events, with the lines where they stand.

use std::collections::BTreeMap;

use super::event::CalendarError;

/// Events of one file.
const EVENTS_MAX: usize = 1_000;
/// Lines of one event.
const PROPERTIES_MAX: usize = 2_000;

/// A property: its parameters and its value as they stand there.
#[derive(Clone, Debug, Default)]
pub(super) struct Property {
    /// In which line.
    pub(super) line: usize,
    /// `TZID`.
    pub(super) zone: Option<String>,
    /// `VALUE`, in capitals.
    pub(super) kind: Option<String>,
    /// `RANGE`.
    pub(super) range: Option<String>,
    pub(super) value: String,
}

/// The properties of one event, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    /// Where it begins.
    pub(super) line: usize,
    properties: BTreeMap<String, Vec<Property>>,
}

impl Event {
    /// A property that stands there at most once.
    pub(super) fn one(&self, name: &str) -> Result<Option<&Property>, CalendarError> {
        match self.all(name) {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            [_, second, ..] => Err(CalendarError::at(
                second.line,
                format!("{name} stands in one event more than once"),
            )),
        }
    }

    /// A property that may stand there more often.
    pub(super) fn all(&self, name: &str) -> &[Property] {
        self.properties.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The events; what stands inside of them, such as alarms, is passed over.
pub(super) fn events(text: &str) -> Result<Vec<Event>, CalendarError> {
    let mut found: Vec<Event> = Vec::new();
    let (mut in_event, mut inside) = (false, 0_usize);
    for (number, line) in unfolded(text) {
        if line.trim().is_empty() {
            continue;
        }
        let Some((name, property)) = property(number, &line) else {
            if in_event && inside == 0 {
                let message = "this line is not understood: `NAME:value` is expected";
                return Err(CalendarError::at(number, message.to_owned()));
            }
            continue;
        };
        let is_event = property.value.eq_ignore_ascii_case("VEVENT");
        match name.as_str() {
            "BEGIN" if in_event => inside += 1,
            "BEGIN" if is_event => {
                if found.len() >= EVENTS_MAX {
                    let message = format!("more than {EVENTS_MAX} events");
                    return Err(CalendarError::at(number, message));
                }
                in_event = true;
                found.push(Event {
                    line: number,
                    ..Event::default()
                });
            }
            "END" if inside > 0 => inside -= 1,
            "END" if is_event => in_event = false,
            _ if in_event && inside == 0 => {
                if let Some(event) = found.last_mut() {
                    let there = event.properties.entry(name).or_default();
                    if there.len() >= PROPERTIES_MAX {
                        let message = format!("more than {PROPERTIES_MAX} such lines in one event");
                        return Err(CalendarError::at(number, message));
                    }
                    there.push(property);
                }
            }
            _ => {}
        }
    }
    match found.last() {
        Some(event) if in_event => Err(CalendarError::at(
            event.line,
            "the file ends within this event".to_owned(),
        )),
        _ => Ok(found),
    }
}

/// Lines with their numbers; one that begins with a space goes on where the one before ended.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1_usize..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, last))) => last.push_str(more),
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// `NAME;PARAMETER=VALUE:VALUE`; a quoted parameter may hold colons and semicolons.
fn property(line: usize, text: &str) -> Option<(String, Property)> {
    let mut quoted = false;
    let is_end = |c: char| {
        quoted ^= c == '"';
        c == ':' && !quoted
    };
    let (head, value) = text.split_at(text.find(is_end)?);
    let mut parts = head.split(';');
    let name = parts.next()?.trim().to_ascii_uppercase();
    let parameters: Vec<(String, String)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| {
            let value = value.trim().trim_matches('"').to_owned();
            (key.trim().to_ascii_uppercase(), value)
        })
        .collect();
    let parameter = |wanted: &str| {
        let found = parameters.iter().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.clone())
    };
    let property = Property {
        line,
        zone: parameter("TZID"),
        kind: parameter("VALUE").map(|it| it.to_ascii_uppercase()),
        range: parameter("RANGE"),
        value: value.get(1..).unwrap_or_default().trim().to_owned(),
    };
    Some((name, property))
}

/// A text without its strokes.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}
