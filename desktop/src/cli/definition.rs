//! What a check is: what is run, when, and its limits, in one line and as an object.

use aramaki_model::Check;
use aramaki_model::check::CheckKind;
use serde_json::{Map, Value, json};

/// How much of it a line shows.
const LINE_LEN_CHARS_MAX: usize = 400;

/// As an object; what is not said is left out.
pub(crate) fn definition_json(check: &Check) -> Value {
    // Its id and name stand beside it, and whether it runs too.
    let mut fields = fields(check);
    for name in ["id", "name", "enabled"] {
        fields.remove(name);
    }
    Value::Object(fields)
}

fn fields(check: &Check) -> Map<String, Value> {
    match serde_json::to_value(check) {
        Ok(Value::Object(fields)) => fields,
        // Numbers, texts and lists have a form always.
        _ => Map::new(),
    }
}

/// In one line: `check_disk -w 10% -c 5%, every 5 min, 3 attempts`.
pub(crate) fn definition_words(check: &Check) -> String {
    let runs = match &check.kind {
        CheckKind::Command { program, arguments } => {
            let words = std::iter::once(program).chain(arguments);
            words.map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
        }
        CheckKind::Builtin(builtin) => {
            let mut words = Vec::new();
            settings("", &json!(builtin), &mut words);
            words.join(" ")
        }
        CheckKind::External {} => "sent by other programs".to_owned(),
    };
    let mut words = vec![runs];
    match (&check.kind, &check.cron) {
        (CheckKind::External {}, _) => {}
        (_, Some(cron)) => words.push(format!("at {} {}", cron.expression, cron.zone)),
        (_, None) => words.push(format!("every {}", seconds(check.interval_ms))),
    }
    if check.attempts > 1 {
        let retry = seconds(check.retry_interval_ms);
        words.push(format!("{} attempts, again after {retry}", check.attempts));
    }
    if let Some(quorum) = check.quorum {
        words.push(format!("{quorum} must agree"));
    }
    if !check.metrics.is_empty() {
        words.push(format!("limits {}", json!(check.metrics)));
    }
    if let Some(hook) = &check.hook {
        words.push(format!("then {}", quoted(&hook.program)));
    }
    if !check.enabled {
        words.push("off".to_owned());
    }
    let line = words.join(", ");
    let harmless = line.chars().filter(|c| !aramaki_model::is_deceptive(*c));
    harmless.take(LINE_LEN_CHARS_MAX).collect()
}

/// What is set, each as `name=value`: `disk path=/ space.warning=80`. The kind stands alone at the beginning.
fn settings(name: &str, value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                if words.is_empty() {
                    words.push(field.clone());
                    settings("", value, words);
                } else if name.is_empty() {
                    settings(field, value, words);
                } else {
                    settings(&format!("{name}.{field}"), value, words);
                }
            }
        }
        Value::Null => {}
        Value::Array(values) if values.is_empty() => {}
        Value::Array(values) => {
            let values = values.iter().map(plain).collect::<Vec<_>>();
            words.push(format!("{name}={}", values.join(",")));
        }
        Value::String(kind) if name.is_empty() => words.push(kind.clone()),
        value => words.push(format!("{name}={}", plain(value))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), quoted)
}

fn seconds(ms: u64) -> String {
    match (ms / 1_000, ms % 1_000) {
        (seconds, 0) => format!("{seconds} s"),
        _ => format!("{ms} ms"),
    }
}

/// As a shell would take it, where that is not plain.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("{word:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::CheckId;
    use aramaki_model::cron::Cron;

    #[test]
    fn a_check_that_the_agent_brings_along_is_told_by_its_settings() {
        let disk = json!({"disk": {
            "path": "/srv/a b", "space": {"warning": "80", "critical": "90"}, "inodes": {}
        }});
        let units = json!({"systemd": {"units": ["nginx", "sshd"]}});
        for (kind, expected) in [
            (
                disk,
                "disk path=\"/srv/a b\" space.critical=90 space.warning=80",
            ),
            (units, "systemd units=nginx,sshd"),
            (json!({"load": {"warning": "2"}}), "load warning=2"),
        ] {
            let kind = CheckKind::Builtin(serde_json::from_value(kind).unwrap());
            let words = definition_words(&Check::new(CheckId::from_bytes([1; 16]), "c", kind));
            assert_eq!(words.split(", every").next(), Some(expected), "{words}");
        }
    }

    #[test]
    fn a_line_tells_command_times_and_attempts_and_the_object_all_of_it() {
        let kind = CheckKind::Command {
            program: "check_disk".to_owned(),
            arguments: vec!["-w".to_owned(), "10 %".to_owned()],
        };
        let check = Check {
            interval_ms: 300_000,
            attempts: 3,
            ..Check::new(CheckId::from_bytes([1; 16]), "disk", kind)
        };
        let words = definition_words(&check);
        assert!(
            words.starts_with("check_disk -w \"10 %\", every 300 s, 3 attempts"),
            "{words}"
        );
        let object = definition_json(&check);
        assert_eq!(object["interval_ms"], 300_000);
        assert!(object["kind"].to_string().contains("10 %"), "{object}");
        assert_eq!(object.get("name"), None);
        let clock = Check {
            cron: Some(Cron {
                expression: "0 4 * * *".to_owned(),
                zone: "Europe/Berlin".to_owned(),
            }),
            ..check
        };
        assert!(definition_words(&clock).contains("at 0 4 * * * Europe/Berlin"));
    }
}
