//! Command lines: words where words are meant, a shell where one is needed.

use super::plan::{Place, Remarks};
use crate::check::{CheckKind, Hook};

/// What runs a command that is more than words.
const SHELL: &str = "/bin/sh";

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
}

impl From<Command> for CheckKind {
    fn from(Command { program, arguments }: Command) -> Self {
        Self::Command { program, arguments }
    }
}

impl From<Command> for Hook {
    fn from(Command { program, arguments }: Command) -> Self {
        Self { program, arguments }
    }
}

/// Reads a command line as `sh` would. The programs that are imported all run theirs through a
/// shell; here none is involved, unless the line needs one: then it is `sh -c`, and that is said.
pub(super) fn command(
    line: &str,
    place: &Place,
    field: &str,
    remarks: &Remarks,
) -> Option<Command> {
    let line = line.trim();
    if line.is_empty() {
        remarks.left(place, field, "it is empty");
        return None;
    }
    let plain = words(line).filter(|words| {
        let program = words.first().map_or("", String::as_str);
        !program.contains('=') && (program.starts_with('/') || !program.contains('/'))
    });
    if let Some(mut words) = plain.filter(|words| !words.is_empty()) {
        let program = words.remove(0);
        return Some(Command {
            program,
            arguments: words,
        });
    }
    remarks.adapted(
        place,
        field,
        "it runs through `/bin/sh -c`, because it needs a shell",
    );
    Some(Command {
        program: SHELL.to_owned(),
        arguments: vec!["-c".to_owned(), line.to_owned()],
    })
}

/// Arguments as they are.
pub(super) fn arguments(mut words: Vec<String>) -> Option<Command> {
    if words.is_empty() {
        return None;
    }
    let program = words.remove(0);
    Some(Command {
        program,
        arguments: words,
    })
}

/// The words of a line in which no character asks a shell for more; none: one does.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('"'), '$' | '`') | (None, '\n') => return None,
            (Some('"'), '\\') => {
                let next = letters.next()?;
                let word = word.get_or_insert_default();
                if !"\"\\$`".contains(next) {
                    word.push('\\');
                }
                word.push(next);
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().push(letters.next()?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '#' | '~') if word.is_none() => return None,
            (None, c) if "|&;<>()$`*?[]{}!".contains(c) => return None,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does_and_more_needs_one() {
        let read = |line: &str| words(line).map(|words| words.join("|"));
        for (line, expected) in [
            ("check_disk -w 10% -p /", "check_disk|-w|10%|-p|/"),
            (r#"a "b c" 'd $e' f\ g """#, "a|b c|d $e|f g|"),
            (r#"a "x\"y\n""#, r#"a|x"y\n"#),
            ("a   b\tc", "a|b|c"),
        ] {
            assert_eq!(read(line).as_deref(), Some(expected), "{line}");
        }
        for line in [
            "a | b", "a; b", "a $X", "a > /x", "a \"$X\"", "a `b`", "a *.log", "a 'b", "~/x",
        ] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    #[test]
    fn what_needs_a_shell_gets_one_and_that_is_said() {
        let remarks = Remarks::default();
        let place = Place::default();
        let read = |line| command(line, &place, "command", &remarks).unwrap();
        assert_eq!(read("check_load -w 5").program, "check_load");
        assert!(remarks.reasons().is_empty());
        for line in ["LANG=C check_load", "./check_load", "a | b"] {
            assert_eq!(read(line).program, SHELL, "{line}");
        }
        assert_eq!(remarks.reasons().len(), 3);
        assert!(command("  ", &place, "command", &remarks).is_none());
    }
}
