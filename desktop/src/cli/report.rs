//! What a verb answers: lines for people and an object for programs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{CliError, ErrorLine};

/// The version of every JSON object that a verb prints.
pub(crate) const SCHEMA: u32 = 1;

/// What a verb answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// For people; ends with a line feed unless it is empty.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
    /// What whoever reads it must know besides; none of what was asked failed.
    #[serde(default)]
    pub(crate) warning: Option<String>,
    /// Why what was asked did not come about, though there is something to tell.
    #[serde(default)]
    pub(crate) failed: Option<ErrorLine>,
}

impl Report {
    /// Joins lines and an object; `schema` is put first.
    pub(crate) fn new(text: impl Into<String>, json: &Value) -> Self {
        let mut text = text.into();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let mut object = Map::new();
        object.insert("schema".to_owned(), json!(SCHEMA));
        if let Value::Object(fields) = json {
            object.extend(fields.clone());
        }
        Self {
            text,
            json: Value::Object(object),
            warning: None,
            failed: None,
        }
    }

    /// Says that what was asked did not come about; programs find it in their object too.
    #[must_use]
    pub(crate) fn but(mut self, error: &CliError) -> Self {
        if let (Value::Object(object), Value::Object(said)) = (&mut self.json, error.json()) {
            object.extend(said);
        }
        self.failed = Some(error.line());
        self
    }

    /// Warns; programs find it in their object.
    pub(crate) fn warn(&mut self, warning: String) {
        if let Value::Object(object) = &mut self.json {
            object.insert("warning".to_owned(), json!(warning));
        }
        self.warning = Some(warning);
    }
}

/// Text that grows by lines.
#[derive(Debug, Default)]
pub(crate) struct Lines(String);

impl Lines {
    /// Adds a line.
    pub(crate) fn add(&mut self, line: impl std::fmt::Display) {
        self.0.push_str(&line.to_string());
        self.0.push('\n');
    }

    /// The text.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// `1 relay`, `2 relays`.
pub(crate) fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// Text for a terminal: what would move the cursor, colour or reverse is shown as its code.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if aramaki_model::is_deceptive(c) && !matches!(c, '\n' | '\t') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Columns as wide as their widest cell, two spaces between, nothing after the last.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let gap = width.saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', gap));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_letters_of_two_bytes() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            table(&[row(["über", "x"]), row(["a", "y"])]),
            "über  x\na     y\n"
        );
    }

    #[test]
    fn nothing_reaches_a_terminal_that_it_would_obey() {
        let shown = printable("a\u{1b}[2J\tb\u{202e}c\u{7}\n");
        assert_eq!(shown, "a\\u{1b}[2J\tb\\u{202e}c\\u{7}\n");
        assert_eq!(printable("wörld 👩‍🚀"), "wörld 👩‍🚀");
    }

    #[test]
    fn an_object_names_its_schema() {
        let report = Report::new("done", &json!({"id": 1}));
        assert_eq!(report.json, json!({"schema": 1, "id": 1}));
        assert_eq!(report.text, "done\n");
    }
}
