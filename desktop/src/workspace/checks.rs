//! Checks from a TOML file, as people write them.

use std::path::Path;

use aramaki_model::{Check, CheckId};
use serde::Deserialize;
use toml::{Table, Value};

use super::fresh;
use crate::cli::CliError;

/// `[[check]]` tables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    check: Vec<Table>,
}

/// Reads checks; one without an `id` gets a new one.
///
/// # Errors
/// When the file cannot be read, is malformed, or a check is; the error names the check.
pub(crate) fn read_checks(path: &Path) -> Result<Vec<Check>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let malformed = |line, message: String| CliError::Config {
        file: path.to_owned(),
        line,
        message,
    };
    let file: File = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map(|span| text[..span.start].matches('\n').count() + 1);
        malformed(line, error.message().to_owned())
    })?;
    let mut checks = Vec::new();
    for (number, mut table) in file.check.into_iter().enumerate() {
        if !table.contains_key("id") {
            let id = CheckId::new(fresh::now(), fresh::random()?);
            table.insert("id".to_owned(), Value::String(id.to_string()));
        }
        let check = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| {
                malformed(None, format!("check {}: {}", number + 1, error.message()))
            })?;
        checks.push(check);
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::unwrap_in_result,
        reason = "only the answer of the code under test counts"
    )]
    fn read(text: &str) -> Result<Vec<Check>, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checks.toml");
        std::fs::write(&path, text).unwrap();
        read_checks(&path)
    }

    #[test]
    fn checks_read_and_get_ids_of_their_own() {
        let checks = read(
            "[[check]]\nname = \"load\"\nkind.builtin.load = { warning = \"2\", critical = \"4\" }\n\
             [[check]]\nname = \"disk\"\nkind.command.program = \"check_disk\"\n",
        )
        .unwrap();
        assert_eq!(checks.len(), 2);
        assert_ne!(checks[0].id, checks[1].id);
    }

    #[test]
    fn the_example_is_what_the_readme_says() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checks.toml.example");
        let checks = read_checks(&example).unwrap();
        assert_eq!(checks.len(), 6);
        assert_eq!(read_checks(&example).unwrap()[0].id, checks[0].id);
    }

    #[test]
    fn a_malformed_check_is_named() {
        let message = read("[[check]]\nname = \"a\"\nkind = 5\n")
            .unwrap_err()
            .message();
        assert!(message.contains("check 1"), "{message}");
        let message = read("[[check]]\n[[chek]]\n").unwrap_err().message();
        assert!(message.contains(":2:"), "{message}");
    }
}
