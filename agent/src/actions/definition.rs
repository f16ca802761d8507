//! One action as its file on the host defines it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_model::action::{
    Described, MaintenanceRule, NAME_LEN_BYTES_MAX, Parameter, ParameterKind, TAIL_LEN_BYTES_MAX,
    VALUE_LEN_BYTES_MAX,
};
use regex_lite::Regex;
use serde::Deserialize;

use crate::config::{ConfigError, Span};

/// An action's file is not longer.
pub(crate) const FILE_LEN_BYTES_MAX: u64 = 64 * 1024;
const PARAMETERS_MAX: usize = 32;
const ARGUMENTS_MAX: usize = 256;
const APPROVALS_MAX: u32 = 16;
/// How often an action may be begun in one window.
const ATTEMPTS_MAX: u32 = 100;
const ATTEMPTS: u32 = 3;
const RETRY_AFTER: Duration = Duration::from_mins(5);
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
const TIMEOUT_MAX: Duration = Duration::from_hours(24);
const DIGEST_CONTEXT: &str = "aramaki action definition v1";

/// An action that this host allows.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// Of the file's whole text: whoever asks names what they saw.
    pub(crate) digest: [u8; 32],
    pub(crate) description: String,
    pub(crate) program: PathBuf,
    /// SHA-256 that the program must have, if the file says one.
    pub(crate) sha256: Option<[u8; 32]>,
    arguments: Vec<String>,
    parameters: Vec<(Parameter, Option<Regex>)>,
    pub(crate) user: Option<String>,
    pub(crate) folder: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout: Duration,
    /// How much of the end of its output a result keeps.
    pub(crate) output_limit_bytes: usize,
    pub(crate) concurrency: usize,
    pub(crate) is_read_only: bool,
    pub(crate) approvals: u32,
    pub(crate) freshness: Duration,
    pub(crate) single_flight: bool,
    pub(crate) duplicate_window: Duration,
    /// How it is run in maintenance windows; none: not at all.
    pub(crate) maintenance: Option<MaintenanceRule>,
}

/// The file as it is written; a field that is misspelt must not be silent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    description: String,
    program: PathBuf,
    #[serde(default)]
    arguments: Vec<String>,
    sha256: Option<String>,
    user: Option<String>,
    folder: Option<PathBuf>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    timeout: Option<Span>,
    output_limit: Option<usize>,
    concurrency: Option<usize>,
    #[serde(default)]
    read_only: bool,
    approvals: Option<u32>,
    freshness: Option<Span>,
    single_flight: Option<bool>,
    duplicate_window: Option<Span>,
    #[serde(default)]
    maintenance: bool,
    attempts: Option<u32>,
    retry_after: Option<Span>,
    #[serde(default)]
    parameter: Vec<ParameterFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterFile {
    name: String,
    choice: Option<Vec<String>>,
    integer: Option<Between>,
    text: Option<String>,
    max: Option<u32>,
    default: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    min: i64,
    max: i64,
}

/// A field and what is wrong with it.
type Wrong = (&'static str, String);

impl Definition {
    /// Reads an action's text; `path` names it and is named in errors.
    ///
    /// # Errors
    /// With file, line and field when it says something wrong.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let file: File =
            toml::from_str(text).map_err(|error| ConfigError::syntax(path, text, &error))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::of(&name, text, file)
            .map_err(|(field, message)| ConfigError::of_field(path, text, field, message))
    }

    fn of(name: &str, text: &str, file: File) -> Result<Self, Wrong> {
        check_file(name, &file)?;
        let sha256 = file.sha256.as_deref().map(sha256).transpose()?;
        let approvals = file.approvals.unwrap_or(u32::from(!file.read_only));
        if approvals > APPROVALS_MAX {
            return Err(("approvals", format!("at most {APPROVALS_MAX} are allowed")));
        }
        let concurrency = file.concurrency.unwrap_or(1);
        if concurrency == 0 {
            return Err(("concurrency", "at least 1 is expected".to_owned()));
        }
        let span = |span: Option<Span>, default| span.map_or(default, Span::duration);
        let timeout = span(file.timeout, Duration::from_mins(1));
        if timeout.is_zero() || timeout > TIMEOUT_MAX {
            return Err((
                "timeout",
                "more than nothing and at most 1d is expected".to_owned(),
            ));
        }
        let output_limit_bytes = output_limit_bytes(&file)?;
        let maintenance = maintenance(&file)?;
        let parameters = parameters(file.parameter)?;
        let definition = Self {
            name: name.to_owned(),
            digest: blake3::derive_key(DIGEST_CONTEXT, text.as_bytes()),
            description: file.description,
            program: file.program,
            sha256,
            arguments: file.arguments,
            parameters,
            user: file.user,
            folder: file.folder.unwrap_or_else(|| PathBuf::from("/")),
            environment: file.environment,
            timeout,
            output_limit_bytes,
            concurrency,
            is_read_only: file.read_only,
            approvals,
            freshness: span(file.freshness, Duration::from_mins(15)),
            single_flight: file.single_flight.unwrap_or(true),
            duplicate_window: span(file.duplicate_window, Duration::from_mins(10)),
            maintenance,
        };
        // Every place in a template is known, before anybody asks.
        for argument in &definition.arguments {
            let known = |name: &str| {
                let mut known = definition.parameters.iter();
                known.any(|(it, _regex)| it.name == name).then(String::new)
            };
            fill(argument, known).map_err(|message| ("arguments", message))?;
        }
        Ok(definition)
    }

    /// What others may know of it.
    pub(crate) fn described(&self) -> Described {
        Described {
            description: self.description.clone(),
            definition: self.digest,
            parameters: self
                .parameters
                .iter()
                .map(|(it, _regex)| it.clone())
                .collect(),
            approvals: self.approvals,
            is_read_only: self.is_read_only,
        }
    }

    /// The arguments of the program for these values, each one argument whatever it holds: no shell
    /// reads them.
    ///
    /// # Errors
    /// When a value is missing, not known or not allowed: which.
    pub(crate) fn argv(&self, values: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
        let known = |name: &String| self.parameters.iter().any(|(it, _regex)| it.name == *name);
        if let Some(unknown) = values.keys().find(|name| !known(name)) {
            return Err(format!("there is no parameter {unknown:?}"));
        }
        let mut filled = BTreeMap::new();
        for (parameter, regex) in &self.parameters {
            let name = &parameter.name;
            let value = values.get(name).or(parameter.default.as_ref());
            let value = value.ok_or_else(|| format!("{name} is missing"))?;
            allow(parameter, regex.as_ref(), value)?;
            filled.insert(name.as_str(), value);
        }
        let value = |name: &str| filled.get(name).map(|value| (*value).clone());
        let arguments = self.arguments.iter();
        arguments.map(|argument| fill(argument, value)).collect()
    }
}

/// What stands in an action's file by itself.
fn check_file(name: &str, file: &File) -> Result<(), Wrong> {
    if !is_name(name) {
        let message = format!("the file's name {name:?} is no name: letters, digits, - and _");
        return Err(("description", message));
    }
    for (field, path) in [
        ("program", Some(&file.program)),
        ("folder", file.folder.as_ref()),
    ] {
        if path.is_some_and(|path| !path.is_absolute()) {
            return Err((field, "an absolute path is expected".to_owned()));
        }
    }
    if file.arguments.len() > ARGUMENTS_MAX {
        return Err(("arguments", format!("at most {ARGUMENTS_MAX} are allowed")));
    }
    if file.parameter.len() > PARAMETERS_MAX {
        return Err(("parameter", format!("at most {PARAMETERS_MAX} are allowed")));
    }
    Ok(())
}

/// How much of its output stays: no more than a result may carry.
fn output_limit_bytes(file: &File) -> Result<usize, Wrong> {
    match file.output_limit.unwrap_or(TAIL_LEN_BYTES_MAX) {
        limit if limit > TAIL_LEN_BYTES_MAX => {
            let message = format!("at most {TAIL_LEN_BYTES_MAX} bytes are kept");
            Err(("output_limit", message))
        }
        limit => Ok(limit),
    }
}

/// How it is run in maintenance windows, if at all.
fn maintenance(file: &File) -> Result<Option<MaintenanceRule>, Wrong> {
    let given = [
        ("attempts", file.attempts.is_some()),
        ("retry_after", file.retry_after.is_some()),
    ];
    if !file.maintenance {
        return match given.into_iter().find(|(_field, is_given)| *is_given) {
            Some((field, _)) => Err((field, "it needs `maintenance = true`".to_owned())),
            None => Ok(None),
        };
    }
    let attempts = file.attempts.unwrap_or(ATTEMPTS);
    if !(1..=ATTEMPTS_MAX).contains(&attempts) {
        return Err(("attempts", format!("1 to {ATTEMPTS_MAX} are allowed")));
    }
    let after = file.retry_after.map_or(RETRY_AFTER, Span::duration);
    if !(RETRY_AFTER_MIN..=RETRY_AFTER_MAX).contains(&after) {
        return Err(("retry_after", "1s to 1d is expected".to_owned()));
    }
    Ok(Some(MaintenanceRule {
        attempts,
        retry_after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
    }))
}

fn parameters(files: Vec<ParameterFile>) -> Result<Vec<(Parameter, Option<Regex>)>, Wrong> {
    let mut parameters: Vec<(Parameter, Option<Regex>)> = Vec::new();
    for file in files {
        let parameter = file.check()?;
        let name = &parameter.0.name;
        if parameters.iter().any(|(it, _regex)| it.name == *name) {
            return Err(("parameter", format!("there are two with the name {name:?}")));
        }
        parameters.push(parameter);
    }
    Ok(parameters)
}

impl ParameterFile {
    fn check(self) -> Result<(Parameter, Option<Regex>), Wrong> {
        let wrong = |message: String| ("parameter", message);
        let name = self.name;
        if !is_name(&name) {
            return Err(wrong(format!(
                "{name:?} is no name: letters, digits, - and _"
            )));
        }
        let (kind, regex) = match (self.choice, self.integer, self.text) {
            (Some(choice), None, None) if !choice.is_empty() => {
                (ParameterKind::Choice(choice), None)
            }
            (None, Some(Between { min, max }), None) if min <= max => {
                (ParameterKind::Integer { min, max }, None)
            }
            (None, None, Some(pattern)) => {
                // Anchored whatever the expression says: it matches the whole value.
                let regex = Regex::new(&format!("^(?:{pattern})$"))
                    .map_err(|error| wrong(format!("text of {name}: {error}")))?;
                let len_bytes_max = self.max.ok_or_else(|| {
                    wrong(format!("{name} needs `max`, the longest text in bytes"))
                })?;
                let kind = ParameterKind::Text {
                    pattern,
                    len_bytes_max,
                };
                (kind, Some(regex))
            }
            _ => {
                let message = "needs one of `choice = [...]`, `integer = { min, max }` and `text = \"expression\"`";
                return Err(wrong(format!("{name} {message}")));
            }
        };
        let parameter = Parameter {
            name,
            kind,
            default: self.default,
        };
        if let Some(default) = &parameter.default {
            allow(&parameter, regex.as_ref(), default).map_err(wrong)?;
        }
        Ok((parameter, regex))
    }
}

/// Whether a parameter may be this.
fn allow(parameter: &Parameter, regex: Option<&Regex>, value: &str) -> Result<(), String> {
    let name = &parameter.name;
    if value.len() > VALUE_LEN_BYTES_MAX || value.contains('\0') {
        return Err(format!("{name} is too long, or holds a zero byte"));
    }
    let allowed = match &parameter.kind {
        ParameterKind::Choice(choice) => choice.iter().any(|it| it == value),
        ParameterKind::Integer { min, max } => {
            let number = value.parse::<i64>();
            number.is_ok_and(|number| (*min..=*max).contains(&number))
        }
        ParameterKind::Text { len_bytes_max, .. } => {
            let fits = u32::try_from(value.len()).is_ok_and(|len| len <= *len_bytes_max);
            fits && regex.is_some_and(|regex| regex.is_match(value))
        }
    };
    if allowed {
        Ok(())
    } else {
        Err(format!("{name} cannot be {value:?}"))
    }
}

/// Puts values in the places `{name}` of a template; `{{` and `}}` are braces.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = brace.strip_prefix("{{") {
            filled.push('{');
            rest = after;
        } else if let Some(after) = brace.strip_prefix("}}") {
            filled.push('}');
            rest = after;
        } else {
            let inside = brace.strip_prefix('{').and_then(|it| it.split_once('}'));
            let (name, after) =
                inside.ok_or_else(|| format!("{template:?} has a brace without its other half"))?;
            let value = value(name).ok_or_else(|| format!("there is no parameter {name:?}"))?;
            filled.push_str(&value);
            rest = after;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(name: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    (1..=NAME_LEN_BYTES_MAX).contains(&name.len()) && name.chars().all(allowed)
}

fn sha256(text: &str) -> Result<[u8; 32], Wrong> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes());
    let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(("sha256", "64 hexadecimal digits are expected".to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const FLUSH: &str = r#"
description = "Empty the cache below a path"
program = "/usr/bin/varnishadm"
arguments = ["ban", "req.url ~ {path}", "{{literal}}", "{level}"]

[[parameter]]
name = "path"
text = "/[a-z/]*"
max = 32

[[parameter]]
name = "level"
integer = { min = 1, max = 3 }
default = "1"
"#;

    pub(crate) fn flush() -> Definition {
        Definition::parse(FLUSH, Path::new("flush.toml")).unwrap()
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    }

    #[test]
    fn only_a_file_that_says_so_is_run_in_maintenance_windows() {
        assert_eq!(flush().maintenance, None);
        let parse = |more: &str| {
            let text = FLUSH.replace(
                "[[parameter]]\nname = \"path\"",
                &format!("{more}\n[[parameter]]\nname = \"path\""),
            );
            Definition::parse(&text, Path::new("flush.toml"))
        };
        let rule = parse("maintenance = true").unwrap().maintenance.unwrap();
        assert_eq!((rule.attempts, rule.retry_after_ms), (3, 300_000));
        let own = "maintenance = true\nattempts = 2\nretry_after = \"1s\"";
        let rule = parse(own).unwrap().maintenance.unwrap();
        assert_eq!((rule.attempts, rule.retry_after_ms), (2, 1_000));
        for (wrong, field) in [
            ("attempts = 2", "attempts"),
            ("retry_after = \"1m\"", "retry_after"),
            ("maintenance = true\nattempts = 0", "attempts"),
            ("maintenance = true\nattempts = 101", "attempts"),
            ("maintenance = true\nretry_after = \"2d\"", "retry_after"),
        ] {
            let error = crate::net::chain(&parse(wrong).unwrap_err());
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn values_fill_their_places_and_defaults_the_rest() {
        let definition = flush();
        assert_eq!((definition.approvals, definition.concurrency), (1, 1));
        let argv = definition.argv(&values(&[("path", "/shop/")])).unwrap();
        assert_eq!(argv, ["ban", "req.url ~ /shop/", "{literal}", "1"]);
    }

    #[test]
    fn a40_what_a_shell_would_obey_is_refused_or_one_argument() {
        let definition = flush();
        for hostile in [
            "/a; rm -rf /",
            "$(id)",
            "/a\n/b",
            "/a && b",
            "",
            "/ABC",
            "/a\0",
        ] {
            let refused = definition.argv(&values(&[("path", hostile)]));
            assert!(refused.is_err(), "{hostile:?}");
        }
        let text = FLUSH.replace("/[a-z/]*", "(?s).*");
        let definition = Definition::parse(&text, Path::new("flush.toml")).unwrap();
        let argv = definition.argv(&values(&[("path", "$(id); `id` {level}")]));
        assert_eq!(argv.unwrap()[1], "req.url ~ $(id); `id` {level}");
    }

    #[test]
    fn values_beyond_what_is_allowed_are_named() {
        let definition = flush();
        let error = |pairs: &[(&str, &str)]| definition.argv(&values(pairs)).unwrap_err();
        assert!(error(&[]).contains("path is missing"));
        assert!(error(&[("path", "/"), ("other", "1")]).contains("no parameter \"other\""));
        assert!(error(&[("path", "/"), ("level", "4")]).contains("level"));
        assert!(error(&[("path", &format!("/{}", "a".repeat(32)))]).contains("path"));
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_with_line_and_field() {
        for (from, to, field) in [
            ("/usr/bin/varnishadm", "varnishadm", "program"),
            ("{level}", "{lvel}", "arguments"),
            ("{level}", "{level", "arguments"),
            ("max = 32", "", "parameter"),
            ("max = 3 }", "max = 0 }", "parameter"),
            ("name = \"level\"", "name = \"path\"", "parameter"),
            ("description =", "sha256 = \"ab\"\ndescription =", "sha256"),
            (
                "description =",
                "timeout = \"0s\"\ndescription =",
                "timeout",
            ),
            (
                "description =",
                "output_limit = 65537\ndescription =",
                "output_limit",
            ),
            ("description =", "shell = true\ndescription =", "shell"),
        ] {
            let text = FLUSH.replacen(from, to, 1);
            assert_ne!(text, FLUSH, "{from}");
            let error = Definition::parse(&text, Path::new("flush.toml"));
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains("flush.toml:") && error.contains(field),
                "{error}"
            );
        }
    }

    #[test]
    fn the_example_that_reads_series_takes_a_check_and_no_option() {
        let example = include_str!("../../../docs/series.toml.example");
        let definition = Definition::parse(example, Path::new("series.toml")).unwrap();
        let run = |check: &str| definition.argv(&values(&[("check", check), ("since", "6h")]));
        assert_eq!(
            run("root file system").unwrap(),
            ["--json", "series", "root file system", "--since", "6h"]
        );
        assert!(run("--config=/etc/shadow").is_err());
    }

    #[test]
    fn the_example_is_an_action_and_shows_every_field_with_its_default() {
        let example = include_str!("../../../docs/action.toml.example");
        let definition = Definition::parse(example, Path::new("flush-cache.toml")).unwrap();
        let argv = definition.argv(&values(&[("path", "/shop")])).unwrap();
        assert_eq!(argv, ["ban", "req.url ~ ^/shop"]);
        let shown = example.replace("#: ", "");
        for left_out in ["sha256 = \"\"", "user = \"\"", "default = \"\""] {
            assert!(shown.contains(left_out), "{left_out}");
        }
        let shown = shown
            .replace("sha256 = \"\"", "")
            .replace("user = \"\"", "");
        let shown = shown.replace("default = \"\"", "default = \"/\"");
        // What is said of attempts needs it.
        assert!(shown.contains("\nmaintenance = false\n") && definition.maintenance.is_none());
        let shown = shown.replace("maintenance = false", "maintenance = true");
        let shown = Definition::parse(&shown, Path::new("flush-cache.toml")).unwrap();
        assert_eq!(
            (
                shown.timeout,
                shown.concurrency,
                shown.approvals,
                shown.freshness
            ),
            (
                definition.timeout,
                definition.concurrency,
                definition.approvals,
                definition.freshness
            )
        );
        let own = MaintenanceRule {
            attempts: ATTEMPTS,
            retry_after_ms: u64::try_from(RETRY_AFTER.as_millis()).unwrap(),
        };
        assert_eq!(shown.maintenance, Some(own));
        assert_eq!(shown.output_limit_bytes, definition.output_limit_bytes);
        assert_eq!(shown.duplicate_window, definition.duplicate_window);
        assert_eq!(shown.folder, definition.folder);
    }

    #[test]
    fn every_change_of_the_file_is_another_definition() {
        let other = FLUSH.replace("below a path", "below a Path");
        let other = Definition::parse(&other, Path::new("flush.toml")).unwrap();
        assert_ne!(other.digest, flush().digest);
    }
}
