//! Errors of a configuration file, with their place.

use std::ops::Range;
use std::path::Path;

use aramaki_sync::text_file::TextFileError;
use aramaki_sync::toml_place::{Place, bytes_of_field};

/// Why a configuration file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read, or is no configuration at all.
    #[error(transparent)]
    File(#[from] TextFileError),
    /// It says something that cannot be meant.
    #[error("{place}: {}{message}", field.as_ref().map(|field| format!("field `{field}`: ")).unwrap_or_default())]
    Wrong {
        /// File, line and column, as editors and compilers write them.
        place: String,
        /// The field, if there is one.
        field: Option<String>,
        /// What is wrong, and what was expected.
        message: String,
    },
}

impl ConfigError {
    /// An error of the TOML reader.
    pub(crate) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', ", ");
        let Some(span) = error.span() else {
            return Self::Wrong {
                place: path.display().to_string(),
                field: None,
                message,
            };
        };
        let field = named_in(&message).or_else(|| field_before(text, span.start));
        Self::at(path, text, span, field, message)
    }

    /// An error in a field.
    pub(crate) fn of_field(path: &Path, text: &str, field: &str, message: String) -> Self {
        let bytes = bytes_of_field(text, field).unwrap_or_default();
        Self::at(path, text, bytes, Some(field.to_owned()), message)
    }

    /// An error at a place of the text.
    pub(super) fn at(
        path: &Path,
        text: &str,
        span: Range<usize>,
        field: Option<String>,
        message: String,
    ) -> Self {
        let at = Place::of_byte(text, span.start);
        Self::Wrong {
            place: format!("{}:{at}", path.display()),
            field,
            message,
        }
    }
}

/// The field that an error of the reader names itself.
fn named_in(message: &str) -> Option<String> {
    let rest = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))?;
    rest.split('`').next().map(str::to_owned)
}

/// The key before the equals sign that comes last before `at`, on the same line.
fn field_before(text: &str, at: usize) -> Option<String> {
    let line = text.get(..at)?.rsplit('\n').next()?;
    let (before, _) = line.rsplit_once('=')?;
    let odd =
        |character: char| !(character.is_alphanumeric() || matches!(character, '_' | '-' | '.'));
    let field = before.trim_end().rsplit(odd).next()?;
    (!field.is_empty()).then(|| field.to_owned())
}
