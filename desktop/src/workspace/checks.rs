//! Checks from a TOML file, as people write them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use aramaki_model::agent_config::CHECKS_MAX;
use aramaki_model::{Check, CheckId};
use aramaki_sync::text_file;
use aramaki_sync::toml_place::{Place, bytes_of_field};
use aramaki_sync_core::SpaceId;
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::fresh;
use crate::cli::{CliError, select};

/// More than what agents can be told fits in (they take 192 KiB), however it is laid out.
const FILE_LEN_BYTES_MAX: u64 = 1024 * 1024;
/// The only field of a file: a list of tables.
const CHECK: &str = "check";
/// The fields that say what a check is about.
const ABOUT_SYSTEM: &str = "about_system";
const ABOUT: &str = "about";

/// How long the name of what a check is about may be.
const ABOUT_LEN_CHARS_MAX: usize = 128;

/// The checks that a System has, by name, and the Systems that a check can be about.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownChecks {
    checks: BTreeMap<String, Vec<CheckId>>,
    systems: Vec<(SpaceId, String)>,
}

impl KnownChecks {
    /// Which check is meant by a name alone; a new one if the System has none.
    fn id_of(&self, name: Option<&str>) -> Result<CheckId, CliError> {
        let known = name.and_then(|name| self.checks.get(name));
        match known.map(Vec::as_slice) {
            None | Some([]) => Ok(CheckId::new(fresh::now(), fresh::random()?)),
            Some([id]) => Ok(*id),
            Some(several) => Err(self.refused(name.unwrap_or_default(), several)),
        }
    }

    /// Refuses a check that would be a second one of its name.
    fn examine(&self, check: &Check) -> Result<(), CliError> {
        match self.checks.get(&check.name) {
            Some(known) if !known.contains(&check.id) => Err(self.refused(&check.name, known)),
            _ => Ok(()),
        }
    }

    /// The System that is meant by its id, the beginning of that, or its title, and what it is called
    /// here; one that cannot be read here is named by its full id.
    fn system(&self, wanted: &str) -> Result<(SpaceId, Option<String>), CliError> {
        let candidates = self.systems.iter();
        let found = select(wanted, candidates.map(|(id, title)| (*id, title.as_str())));
        let space = found.or_else(|error| wanted.trim().parse().map_err(|_not_an_id| error))?;
        let mut known = self.systems.iter();
        let known = known.find(|(id, _)| *id == space);
        Ok((space, known.map(|(_, title)| title.clone())))
    }

    #[expect(clippy::unused_self, reason = "it is said of these checks")]
    fn refused(&self, name: &str, known: &[CheckId]) -> CliError {
        let ids: Vec<_> = known.iter().map(ToString::to_string).collect();
        CliError::Refused {
            what: "the checks",
            reason: format!(
                "the System has a check {name:?} already, with id {}: give that id, another name, or remove it \
                 (`aramaki system remove-check`)",
                ids.join(" and ")
            ),
        }
    }
}

impl super::live::Live {
    /// The checks that a System has now; none: a new one.
    pub(crate) fn known_checks(&self, system: Option<SpaceId>) -> KnownChecks {
        let snapshot = self.snapshot();
        let systems = snapshot.systems.iter();
        let mut known = KnownChecks {
            checks: BTreeMap::new(),
            systems: systems.map(|it| (it.space, it.title.clone())).collect(),
        };
        let model = self.model();
        let system = system.and_then(|system| model.system(&system));
        for check in system.into_iter().flat_map(|it| it.checks.values()) {
            known
                .checks
                .entry(check.name.clone())
                .or_default()
                .push(check.id);
        }
        known
    }
}

/// Reads checks for a System that has those; one without an `id` is the one of its name, or a new one.
///
/// # Errors
/// When the file cannot be read, is malformed, holds no check, one that no agent would run, or one that
/// would be a second one of its name; the error names line and field.
pub(crate) fn read_checks(path: &Path, known: &KnownChecks) -> Result<Vec<Check>, CliError> {
    let text = text_file::read(path, FILE_LEN_BYTES_MAX)?;
    let read =
        parse(&text, |name| known.id_of(name), |name| known.system(name)).and_then(|checks| {
            let mut each = checks.iter();
            each.try_for_each(|check| known.examine(check))
                .map_err(Wrong::Id)?;
            Ok(checks)
        });
    read.map_err(|wrong| match wrong {
        Wrong::Here { line, message } => CliError::Config {
            file: path.to_owned(),
            line,
            message,
        },
        Wrong::Id(error) => error,
    })
}

/// Why checks are not taken.
pub(super) enum Wrong {
    /// The text says what cannot be meant.
    Here {
        line: Option<usize>,
        message: String,
    },
    /// A new id cannot be drawn.
    Id(CliError),
}

fn parse(
    text: &str,
    mut new_id: impl FnMut(Option<&str>) -> Result<CheckId, CliError>,
    system: impl Fn(&str) -> Result<(SpaceId, Option<String>), CliError>,
) -> Result<Vec<Check>, Wrong> {
    let whole = DeTable::parse(text).map_err(|error| malformed(text, "", error))?;
    let whole = whole.into_inner();
    if let Some((odd, _)) = whole.iter().find(|(name, _)| *name.get_ref() != CHECK) {
        let name = odd.get_ref();
        return Err(wrong(text, name, "only `[[check]]` tables are expected"));
    }
    let list = whole.get(CHECK).map(Spanned::get_ref);
    let tables = match list.map(DeValue::as_array) {
        Some(Some(tables)) if !tables.is_empty() => tables,
        Some(None) => return Err(wrong(text, CHECK, "`[[check]]` tables are expected")),
        _ => {
            let message = "there is no `[[check]]` in it, so nothing would change: to stop a check, \
                           hand it over again with its id and `enabled = false`";
            return Err(Wrong::Here {
                line: None,
                message: message.to_owned(),
            });
        }
    };
    if tables.len() > CHECKS_MAX {
        let message = format!("at most {CHECKS_MAX} checks are expected");
        return Err(wrong(
            text,
            &format!("{CHECK}[{}]", CHECKS_MAX + 1),
            &message,
        ));
    }
    let mut checks: Vec<Check> = Vec::new();
    let (mut ids, mut names) = (BTreeMap::new(), BTreeMap::new());
    for (number, table) in (1..).zip(tables.iter()) {
        let check = one(text, number, table.clone(), &mut new_id, &system)?;
        let same_id = ids.insert(check.id, number);
        let same_name = names.insert(check.name.clone(), number);
        for (field, other) in [("id", same_id), ("name", same_name)] {
            if let Some(other) = other {
                let message = format!("the same as that of {CHECK}[{other}]");
                return Err(wrong(text, &format!("{CHECK}[{number}].{field}"), &message));
            }
        }
        checks.push(check);
    }
    Ok(checks)
}

fn one(
    text: &str,
    number: usize,
    mut value: Spanned<DeValue<'_>>,
    new_id: &mut impl FnMut(Option<&str>) -> Result<CheckId, CliError>,
    system: &impl Fn(&str) -> Result<(SpaceId, Option<String>), CliError>,
) -> Result<Check, Wrong> {
    let place = format!("{CHECK}[{number}]");
    let span = value.span();
    let DeValue::Table(table) = value.get_mut() else {
        return Err(wrong(text, &place, "a `[[check]]` table is expected"));
    };
    let written_about = table.contains_key(ABOUT);
    if !table.contains_key("id") {
        let name = table.get("name").and_then(|name| name.get_ref().as_str());
        let id = new_id(name).map_err(Wrong::Id)?;
        let id = DeValue::String(Cow::Owned(id.to_string()));
        let key = Spanned::new(span.clone(), Cow::Borrowed("id"));
        table.insert(key, Spanned::new(span.clone(), id));
    }
    let about = table.get(ABOUT_SYSTEM).map(Spanned::get_ref);
    if let Some(wanted) = about.and_then(DeValue::as_str).map(str::to_owned) {
        let place = format!("{place}.{ABOUT_SYSTEM}");
        let (space, title) =
            system(&wanted).map_err(|error| wrong(text, &place, &error.message()))?;
        let mut put = |name: &'static str, value: String| {
            let key = Spanned::new(span.clone(), Cow::Borrowed(name));
            let value = DeValue::String(Cow::Owned(value));
            table.insert(key, Spanned::new(span.clone(), value));
        };
        put(ABOUT_SYSTEM, space.to_string());
        // For those who cannot read that System; a word of one's own stays.
        let title = title.filter(|title| !title.is_empty());
        if let (Some(title), true) = (title, !written_about) {
            put(ABOUT, title.chars().take(ABOUT_LEN_CHARS_MAX).collect());
        }
    }
    let written = table.clone();
    let check = Check::deserialize(ValueDeserializer::from(value))
        .map_err(|error| malformed(text, &format!("{place}."), error))?;
    // What is replicated may have fields of newer programs; what is typed has none but typing errors.
    let known = toml::Table::try_from(&check)
        .map_err(|error| Wrong::Id(CliError::Bug(error.to_string())))?;
    if let Some(field) = first_unknown(&written, &known) {
        return Err(wrong(text, &format!("{place}.{field}"), "unknown field"));
    }
    check
        .examine()
        .map_err(|fault| wrong(text, &format!("{place}.{}", fault.field), &fault.message))?;
    Ok(check)
}

pub(super) fn wrong(text: &str, field: &str, message: &str) -> Wrong {
    let bytes = bytes_of_field(text, field);
    Wrong::Here {
        line: bytes.map(|bytes| Place::of_byte(text, bytes.start).line),
        message: format!("{field}: {message}"),
    }
}

/// An error of the TOML reader, with the field that it has read `within`.
pub(super) fn malformed(text: &str, within: &str, mut error: toml::de::Error) -> Wrong {
    let line = error
        .span()
        .map(|span| Place::of_byte(text, span.start).line);
    let message = error.message().trim().replace('\n', ", ");
    error.set_input(None); // its text then ends with the field's path instead of a picture
    let said = error.to_string();
    let field = said
        .lines()
        .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    let field = match field {
        Some(field) => format!("{within}{field}: "),
        None if within.is_empty() => String::new(),
        None => format!("{}: ", within.trim_end_matches('.')),
    };
    Wrong::Here {
        line,
        message: format!("{field}{message}"),
    }
}

/// The path of the first field that is written and not in `known`, which is what was made of it.
pub(super) fn first_unknown(written: &DeTable<'_>, known: &toml::Table) -> Option<String> {
    written.iter().find_map(|(name, value)| {
        let name = name.get_ref().as_ref();
        match known.get(name) {
            None => Some(name.to_owned()),
            Some(known) => unknown_in(value.get_ref(), known).map(|inner| format!("{name}{inner}")),
        }
    })
}

fn unknown_in(value: &DeValue<'_>, known: &toml::Value) -> Option<String> {
    match (value, known) {
        (DeValue::Table(table), toml::Value::Table(known)) => {
            first_unknown(table, known).map(|field| format!(".{field}"))
        }
        (DeValue::Array(values), toml::Value::Array(known)) => values
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(index, (value, known))| {
                let inner = unknown_in(value.get_ref(), known)?;
                Some(format!("[{}]{inner}", index + 1))
            }),
        _ => None,
    }
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
        read_checks(&path, &KnownChecks::default())
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
        let checks = read_checks(&example, &KnownChecks::default()).unwrap();
        assert_eq!(checks.len(), 11);
        assert_eq!(
            read_checks(&example, &KnownChecks::default()).unwrap()[0].id,
            checks[0].id
        );
    }

    #[test]
    fn what_no_agent_would_run_is_refused_with_line_and_field() {
        let uptime = "kind.builtin.uptime = {}\n";
        let named = |rest: &str| format!("[[check]]\nname = \"a\"\n{uptime}{rest}");
        for (text, expected) in [
            ("[[check]]\nname = \"a\"\nkind = 5\n".to_owned(), ":3: check[1].kind: "),
            ("[[check]]\n[[chek]]\n".to_owned(), ":2: chek: only `[[check]]`"),
            ("check = 5\n".to_owned(), ":1: check: `[[check]]` tables"),
            ("check = [5]\n".to_owned(), ":1: check[1]: a `[[check]]` table"),
            (String::new(), ": there is no `[[check]]` in it"),
            ("check = []\n".to_owned(), ": there is no `[[check]]` in it"),
            ("[[check]\n".to_owned(), ":1: "),
            (format!("[[check]]\nname = \"\"\n{uptime}"), ":2: check[1].name: a name of 1 to 128"),
            (named("interval_ms = 0\n"), ":4: check[1].interval_ms: 1 s to"),
            (named("interval_ms = 9223372036854775807\n"), ":4: check[1].interval_ms: "),
            (named("interval_ms = -1\n"), ":4: check[1].interval_ms: "),
            (named("timeout_ms = 0\n"), ":4: check[1].timeout_ms: "),
            (named("attempts = 0\n"), ":4: check[1].attempts: 1 to"),
            (named("atempts = 2\n"), ":4: check[1].atempts: unknown field"),
            (named("id = \"x\"\n"), ":4: check[1].id: not an id"),
            (
                named("[[check]]\nname = \"a\"\nkind.builtin.swap = {}\n"),
                ":5: check[2].name: the same as that of check[1]",
            ),
            (
                named("[[check]]\nname = \"b\"\nkind.builtin.load = { warnig = \"2\" }\n"),
                ":6: check[2].kind.builtin.load.warnig: unknown field",
            ),
            (
                "[[check]]\nname = \"a\"\nkind.builtin.http.url = \"nourl\"\n".to_owned(),
                ":3: check[1].kind.builtin.http.url: http://",
            ),
            (
                "[[check]]\nname = \"a\"\nkind.builtin.tcp.address = \"a:99999\"\n".to_owned(),
                ":3: check[1].kind.builtin.tcp.address: a host and a port",
            ),
            (
                "[[check]]\nname = \"a\"\nkind.command.program = \"\"\n".to_owned(),
                ":3: check[1].kind.command.program: ",
            ),
            (
                "[[check]]\nname = \"a\"\n[check.kind.command]\nprogram = \"x\"\narguments = [\n\"\\u0000\"]\n"
                    .to_owned(),
                ":6: check[1].kind.command.arguments[1]: ",
            ),
        ] {
            let message = read(&text).unwrap_err().message();
            let (_, said) = message.split_once("checks.toml").unwrap();
            assert!(said.starts_with(expected), "{text}\nsays {said}\nnot  {expected}");
        }
    }

    #[test]
    fn two_checks_with_one_id_are_refused_instead_of_losing_the_first() {
        let one = |name: &str| {
            format!(
                "[[check]]\nid = \"01JD0000000000000000000001\"\nname = \"{name}\"\nkind.builtin.uptime = {{}}\n"
            )
        };
        let message = read(&(one("a") + &one("b"))).unwrap_err().message();
        assert!(
            message.ends_with("checks.toml:6: check[2].id: the same as that of check[1]"),
            "{message}"
        );
    }

    #[test]
    fn a_check_is_about_a_system_by_its_title_or_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checks.toml");
        let [switch, other] = [7, 8].map(|n| SpaceId::from_bytes([n; 32]));
        let known = KnownChecks {
            systems: vec![(switch, "Switch 1".to_owned())],
            ..KnownChecks::default()
        };
        let read = |about: &str| {
            let text = format!(
                "[[check]]\nname = \"a\"\n{about}\nkind.builtin.ping.host = \"192.0.2.1\"\n"
            );
            std::fs::write(&path, text).unwrap();
            read_checks(&path, &known).map(|mut checks| {
                let check = checks.remove(0);
                (check.about_system, check.about)
            })
        };
        let named = (Some(switch), Some("Switch 1".to_owned()));
        for wanted in ["Switch 1", &switch.to_string(), &switch.to_string()[..8]] {
            assert_eq!(
                read(&format!("about_system = \"{wanted}\"")).unwrap(),
                named
            );
        }
        let own_word = read("about_system = \"Switch 1\"\nabout = \"the core\"").unwrap();
        assert_eq!(own_word, (Some(switch), Some("the core".to_owned())));
        let hidden = read(&format!("about_system = \"{other}\"")).unwrap();
        assert_eq!(hidden, (Some(other), None));
        let message = read("about_system = \"Switch 2\"").unwrap_err().message();
        assert!(
            message.contains("checks.toml:3: check[1].about_system: ")
                && message.contains("Switch 2"),
            "{message}"
        );
        let message = read("about_system = 5").unwrap_err().message();
        assert!(message.contains(":3: check[1].about_system: "), "{message}");
    }

    #[test]
    fn whatever_a_check_can_say_is_known() {
        let text = "[[check]]\nname = \"a\"\ninterval_ms = 5000\ntimeout_ms = 1000\nattempts = 2\n\
             retry_interval_ms = 1000\nttl_ms = 60000\nenabled = false\nquorum = 2\n\
             hook = { program = \"x\", arguments = [\"y\"] }\n\
             cron = { expression = \"0 3 * * *\", zone = \"Europe/Berlin\" }\nabout = \"x\"\n\
             flapping = { low = 5, high = 10 }\n\
             metrics = [{ metric = \"a\", warning = \"1\", critical = \"2\", missing = \"ok\" }]\n\
             [check.kind.builtin.dns]\nname = \"a\"\naddresses = [\"::1\"]\ntime = { warning = \"1\" }\n";
        let checks = read(text).unwrap();
        assert_eq!(
            (checks[0].ttl_ms, checks[0].quorum),
            (Some(60_000), Some(2))
        );
    }
}
