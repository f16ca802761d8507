//! Where in a TOML text something stands, so that an error can name line, column and field.

use std::ops::Range;

use toml::de::DeTable;

/// A line and a column, both from 1, as editors and compilers write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Place {
    /// The place of a byte; behind the end it is the end.
    pub fn of_byte(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// The bytes of a field's value, written as `check[2].kind.command.program`; places in lists count
/// from 1. Of a field that is not there: those of the innermost table or list around it.
pub fn bytes_of_field(text: &str, field: &str) -> Option<Range<usize>> {
    let whole = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(whole.get_ref());
    for step in field.split('.') {
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse().ok()),
            None => (step, None),
        };
        let Some(mut value) = table.and_then(|table| table.get(name)) else {
            break;
        };
        let item = index
            .and_then(|index: usize| index.checked_sub(1))
            .and_then(|index| value.get_ref().as_array()?.get(index));
        value = item.unwrap_or(value);
        found = Some(value.span());
        table = value.get_ref().as_table();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Größe
[[check]]
name = \"a\"
[[check]]
name = \"b\"
kind.command = { program = \"x\", arguments = [
  \"one\",
  \"two\",
] }
";

    fn place(field: &str) -> Option<String> {
        let bytes = bytes_of_field(TEXT, field)?;
        Some(Place::of_byte(TEXT, bytes.start).to_string())
    }

    #[test]
    fn a_field_is_found_where_it_stands_or_where_it_would() {
        for (field, expected) in [
            ("check[1].name", "3:8"),
            ("check[2].name", "5:8"),
            ("check[2].kind.command.program", "6:28"),
            ("check[2].kind.command.arguments[2]", "8:3"),
            ("check[2].interval_ms", "4:1"),
        ] {
            assert_eq!(place(field).as_deref(), Some(expected), "{field}");
        }
        assert_eq!(place("status"), None);
        assert_eq!(bytes_of_field("[", "x"), None);
    }

    #[test]
    fn columns_are_characters_and_the_end_is_a_place() {
        assert_eq!(Place::of_byte("ä=", 2), Place { line: 1, column: 2 });
        assert_eq!(Place::of_byte("a\n", 99), Place { line: 2, column: 1 });
    }
}
