//! What Alertmanager takes: `POST /api/v2/alerts`, as Prometheus and `amtool` send it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aramaki_model::Severity;
use aramaki_model::check_fault::CHECK_NAME_LEN_CHARS_MAX;
use aramaki_sync_core::Timestamp;
use serde::Deserialize;

use super::result::{ExternalResult, RESULTS_MAX, ResultError, Said};

/// An alert that is not sent again holds for so long.
pub const RESOLVE_AFTER_MS: u64 = 5 * 60_000;
/// An alert holds no longer than this, whatever it says.
const HOLDS_MS_MAX: i64 = 366 * 86_400_000;
/// Labels that one alert may have.
const LABELS_MAX: usize = 64;
/// Bytes of all labels of one alert.
const LABELS_LEN_BYTES_MAX: usize = 8 * 1024;
/// The label that names an alert.
const ALERT_NAME: &str = "alertname";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    starts_at: Option<String>,
    #[serde(default)]
    ends_at: Option<String>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
}

/// Reads alerts. Each is a check of its own by its labels; one whose end has passed is resolved.
///
/// # Errors
/// When it is no list of alerts, or one of them has no labels.
pub fn read_alerts(bytes: &[u8], now: Timestamp) -> Result<Vec<ExternalResult>, ResultError> {
    let alerts: Vec<Alert> =
        serde_json::from_slice(bytes).map_err(|error| ResultError::Form(error.to_string()))?;
    if alerts.len() > RESULTS_MAX {
        return Err(ResultError::TooMany);
    }
    alerts.into_iter().map(|alert| alert.read(now)).collect()
}

impl Alert {
    fn read(self, now: Timestamp) -> Result<ExternalResult, ResultError> {
        // To Prometheus a label without a value is no label.
        let labels: BTreeMap<&str, &str> = self
            .labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let len: usize = labels
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if labels.is_empty() || labels.len() > LABELS_MAX || len > LABELS_LEN_BYTES_MAX {
            return Err(ResultError::Field {
                field: "labels",
                expected: format!(
                    "1 to {LABELS_MAX} labels of {LABELS_LEN_BYTES_MAX} bytes together are expected"
                ),
            });
        }
        let key = identity(&labels);
        let ends = match time("endsAt", self.ends_at.as_deref())? {
            Some(ends) => ends,
            None => now.plus(std::time::Duration::from_millis(RESOLVE_AFTER_MS)),
        };
        time("startsAt", self.starts_at.as_deref())?;
        let is_over = ends <= now;
        let ends = ends.millis().min(now.millis().saturating_add(HOLDS_MS_MAX));
        let severity = severity(labels.get("severity").copied());
        let annotations = self.annotations.unwrap_or_default();
        let annotation = |name: &str| annotations.get(name).map(String::as_str);
        let words = ["summary", "message", "title", "description"];
        let summary = words.into_iter().find_map(annotation).unwrap_or(&key);
        let mut detail = String::new();
        if let Some(description) = annotation("description").filter(|it| *it != summary) {
            let _infallible = writeln!(detail, "{description}");
        }
        let more = annotations
            .iter()
            .filter(|(name, _)| !words.contains(&name.as_str()));
        for (name, value) in more {
            let _infallible = writeln!(detail, "{name}: {value}");
        }
        if let Some(url) = self.generator_url.filter(|url| !url.is_empty()) {
            let _infallible = writeln!(detail, "{url}");
        }
        // An alert that always fires says that whoever sends it lives: its silence is the problem.
        let is_sign_of_life = severity == Severity::Ok;
        Ok(ExternalResult {
            name: short(&key),
            about: None,
            said: Said::Alert {
                severity: if is_over { Severity::Ok } else { severity },
                summary: if is_over {
                    format!("resolved: {summary}")
                } else {
                    summary.to_owned()
                },
                detail,
            },
            key,
            metrics: Vec::new(),
            at: None,
            ttl_ms: is_sign_of_life.then_some(RESOLVE_AFTER_MS),
            ends: (!is_sign_of_life).then_some(Timestamp::from_millis(ends)),
        })
    }
}

/// An alert's name and its other labels, in one order.
fn identity(labels: &BTreeMap<&str, &str>) -> String {
    let mut text = labels
        .get(ALERT_NAME)
        .copied()
        .unwrap_or_default()
        .to_owned();
    let others: Vec<String> = labels
        .iter()
        // A change of severity is a change of the same alert, not another one.
        .filter(|(name, _)| ![ALERT_NAME, "severity"].contains(*name))
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    if !others.is_empty() {
        let _infallible = write!(text, "{{{}}}", others.join(","));
    }
    text
}

/// A name that fits, with a trace of what it lacks.
fn short(key: &str) -> String {
    let clean: String = key
        .chars()
        .map(|c| {
            if aramaki_model::is_deceptive(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    let clean = clean.trim();
    if !clean.is_empty() && clean == key && key.chars().count() <= CHECK_NAME_LEN_CHARS_MAX {
        return key.to_owned();
    }
    let hash = blake3::hash(key.as_bytes()).to_hex();
    let begin: String = clean.chars().take(CHECK_NAME_LEN_CHARS_MAX - 10).collect();
    format!("{begin}…{}", hash.get(..8).unwrap_or_default())
}

/// How bad an alert is, by the label that most rules have.
fn severity(label: Option<&str>) -> Severity {
    match label.map(str::to_ascii_lowercase).as_deref() {
        Some("none" | "ok") => Severity::Ok,
        Some("warning" | "warn" | "minor" | "info" | "information" | "notice" | "low") => {
            Severity::Warning
        }
        Some("unknown") => Severity::Unknown,
        _ => Severity::Critical,
    }
}

/// A time; Go's zero time is none.
fn time(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, ResultError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match Timestamp::parse_rfc3339(text) {
        Some(at) => Ok(Some(at).filter(|at| *at > Timestamp::ZERO)),
        None => Err(ResultError::Field {
            field,
            expected: "a time as in 2026-01-02T03:04:05Z is expected".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn one(json: &str) -> ExternalResult {
        let mut read = read_alerts(json.as_bytes(), NOW).unwrap();
        assert_eq!(read.len(), 1);
        read.remove(0)
    }

    fn severity_of(result: &ExternalResult) -> Severity {
        match result.said {
            Said::Alert { severity, .. } => severity,
            Said::Plugin { .. } => panic!("an alert is no plugin"),
        }
    }

    /// As Prometheus 2.42 sent it.
    const FIRING: &str = r#"[{"annotations":{"description":"web1 has been down for more than 5 minutes.",
        "summary":"Instance web1 down"},"endsAt":"2023-11-14T22:17:20.000Z","startsAt":"2023-11-14T22:13:05.000Z",
        "generatorURL":"http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "labels":{"alertname":"InstanceDown","instance":"web1:9100","job":"node","severity":"page"}}]"#;

    #[test]
    fn an_alert_of_prometheus_is_a_check_by_its_labels() {
        let read = one(FIRING);
        assert_eq!(
            read.name,
            r#"InstanceDown{instance="web1:9100",job="node"}"#
        );
        assert_eq!(severity_of(&read), Severity::Critical);
        assert_eq!(read.ends, Timestamp::parse_rfc3339("2023-11-14T22:17:20Z"));
        let warning = FIRING.replace("\"page\"", "\"warning\"");
        let read_again = one(&warning);
        assert_eq!(read_again.key, read.key);
        assert_eq!(severity_of(&read_again), Severity::Warning);
        let elsewhere = FIRING.replace("web1:9100", "web2:9100");
        assert_ne!(one(&elsewhere).key, read.key);
    }

    #[test]
    fn an_end_that_passed_resolves_and_none_is_five_minutes() {
        let over = one(&FIRING.replace("22:17:20.000Z", "22:13:20.000Z"));
        assert_eq!(severity_of(&over), Severity::Ok);
        for ends in ["", r#","endsAt":"0001-01-01T00:00:00.000Z""#] {
            // As amtool 0.25 sends it.
            let json = format!(
                r#"[{{"startsAt":"0001-01-01T00:00:00.000Z"{ends},"annotations":null,
                "generatorURL":"","labels":{{"alertname":"x"}}}}]"#
            );
            let read = one(&json);
            assert_eq!(read.ends, Some(NOW.plus(std::time::Duration::from_mins(5))));
        }
    }

    #[test]
    fn an_alert_that_always_fires_is_a_sign_of_life() {
        let json = r#"[{"labels":{"alertname":"Watchdog","severity":"none"}}]"#;
        let read = one(json);
        assert_eq!((severity_of(&read), read.ends), (Severity::Ok, None));
        assert_eq!(read.ttl_ms, Some(RESOLVE_AFTER_MS));
    }

    #[test]
    fn long_and_odd_names_fit_and_stay_apart() {
        let json = |value: &str| {
            let labels = BTreeMap::from([("alertname", "x"), ("path", value)]);
            serde_json::json!([{ "labels": labels }]).to_string()
        };
        let (a, b) = (one(&json(&"p".repeat(500))), one(&json(&"p".repeat(501))));
        assert_ne!(a.name, b.name);
        assert!(a.name.chars().count() <= CHECK_NAME_LEN_CHARS_MAX);
        let hidden = one(&json("a\u{202e}b"));
        assert!(!hidden.name.chars().any(aramaki_model::is_deceptive));
    }

    #[test]
    fn what_is_no_alert_is_refused() {
        for (json, words) in [
            ("{}", "not a result"),
            (r#"[{"labels":{}}]"#, "labels: 1 to 64"),
            (r#"[{"labels":{"a":""}}]"#, "labels: 1 to 64"),
            (
                r#"[{"labels":{"a":"b"},"endsAt":"soon"}]"#,
                "endsAt: a time",
            ),
        ] {
            let error = read_alerts(json.as_bytes(), NOW).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
        let many = serde_json::json!(vec![
            serde_json::json!({"labels": {"a": "b"}});
            RESULTS_MAX + 1
        ]);
        let refused = read_alerts(many.to_string().as_bytes(), NOW);
        assert_eq!(refused, Err(ResultError::TooMany));
    }
}
