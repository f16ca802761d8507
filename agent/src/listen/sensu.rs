//! What Sensu takes: events of its agent's HTTP interface, and results of its older client socket.

use aramaki_model::{Metric, Unit, perfdata};
use aramaki_sync_core::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::result::{ExternalResult, RESULTS_MAX, ResultError, Said, name, ttl_ms};

/// An event as `POST /events` takes it. What is not named here means nothing to us.
#[derive(Deserialize)]
struct Event {
    check: EventCheck,
    #[serde(default)]
    entity: Option<Entity>,
    #[serde(default)]
    metrics: Option<EventMetrics>,
}

#[derive(Deserialize)]
struct EventCheck {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    proxy_entity_name: Option<String>,
    #[serde(flatten)]
    result: SentResult,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct EventMetrics {
    #[serde(default)]
    points: Option<Vec<Point>>,
}

#[derive(Deserialize)]
struct Point {
    name: String,
    value: f64,
}

/// A result as both know it.
#[derive(Deserialize)]
struct SentResult {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    output: Option<Value>,
    #[serde(default)]
    status: Option<i64>,
    #[serde(default)]
    executed: Option<f64>,
    #[serde(default)]
    ttl: Option<i64>,
    /// An extension that is in use: whoever sets it wants no warning.
    #[serde(default, rename = "warnIsCritical")]
    warn_is_critical: bool,
}

/// Reads an event; `host` is what this machine is called.
///
/// # Errors
/// When it is no event, or names nothing that can be a check.
pub fn read_event(bytes: &[u8], host: &str) -> Result<ExternalResult, ResultError> {
    let event: Event = serde_json::from_slice(bytes).map_err(|error| form(&error))?;
    let check = event.check;
    let named = check.metadata.and_then(|metadata| metadata.name);
    let entity = event.entity.and_then(|entity| entity.metadata);
    let about = check
        .proxy_entity_name
        .filter(|name| !name.is_empty())
        .or_else(|| entity.and_then(|metadata| metadata.name));
    let mut result = check.result;
    result.name = named.or(result.name);
    result.source = about.or(result.source);
    let mut read = result.read(host)?;
    let points = event.metrics.and_then(|metrics| metrics.points);
    let points = points.into_iter().flatten();
    read.metrics = points
        .filter(|point| point.value.is_finite())
        .take(perfdata::METRICS_MAX)
        .map(|point| {
            let cut = point
                .name
                .floor_char_boundary(perfdata::LABEL_LEN_BYTES_MAX);
            let label = point.name.get(..cut).unwrap_or_default();
            Metric::new(label, point.value, Unit::None)
        })
        .collect();
    Ok(read)
}

/// Reads what came over the client socket: a result, or several in a list.
///
/// # Errors
/// When one of them is no result; then none counts.
pub fn read_results(value: Value, host: &str) -> Result<Vec<ExternalResult>, ResultError> {
    let values = match value {
        Value::Array(values) if values.len() > RESULTS_MAX => return Err(ResultError::TooMany),
        Value::Array(values) => values,
        value => vec![value],
    };
    let read = |value| {
        let result: SentResult = serde_json::from_value(value).map_err(|error| form(&error))?;
        result.read(host)
    };
    values.into_iter().map(read).collect()
}

impl SentResult {
    fn read(self, host: &str) -> Result<ExternalResult, ResultError> {
        let check = name("name", self.name.as_deref().unwrap_or_default())?;
        let source = self.source.filter(|source| !source.is_empty());
        let about = source
            .filter(|source| source != host)
            .map(|source| name("source", &source))
            .transpose()?;
        let check = match &about {
            Some(about) => name("name", &format!("{about}/{check}"))?,
            None => check,
        };
        let status = self.status.unwrap_or(0);
        let status = if status == 1 && self.warn_is_critical {
            2
        } else {
            // Whatever is no code of a plugin is unknown, also when it is no code at all.
            i32::try_from(status).unwrap_or(i32::MAX)
        };
        let output = match self.output {
            Some(Value::String(output)) => output,
            None | Some(Value::Null) => String::new(),
            Some(_) => {
                return Err(ResultError::Field {
                    field: "output",
                    expected: "a text is expected".to_owned(),
                });
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time beyond all times is held at the last one, and then at now"
        )]
        let at = self
            .executed
            .filter(|seconds| *seconds > 0.0)
            .map(|seconds| Timestamp::from_millis((seconds * 1_000.0) as i64));
        Ok(ExternalResult {
            key: check.clone(),
            name: check,
            about,
            said: Said::Plugin { status, output },
            metrics: Vec::new(),
            at,
            ttl_ms: ttl_ms("ttl", self.ttl.unwrap_or(0))?,
            ends: None,
        })
    }
}

fn form(error: &serde_json::Error) -> ResultError {
    ResultError::Form(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::{CheckId, Severity};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn event(json: &str) -> Result<ExternalResult, ResultError> {
        read_event(json.as_bytes(), "web1")
    }

    fn line(json: &str) -> Result<Vec<ExternalResult>, ResultError> {
        let value = serde_json::from_str(json).unwrap_or_default();
        read_results(value, "web1")
    }

    #[test]
    fn the_event_of_sensus_documentation_is_read() {
        let read = event(
            r#"{"check":{"metadata":{"name":"check-mysql-status"},"status":1,"output":"could not connect to mysql"}}"#,
        )
        .unwrap();
        assert_eq!(
            (read.name.as_str(), read.about.as_deref()),
            ("check-mysql-status", None)
        );
        let observation = read.observation(CheckId::default(), NOW);
        assert_eq!(observation.severity, Severity::Warning);
        assert_eq!(observation.summary, "could not connect to mysql");
        assert_eq!(observation.at, NOW);
        let read = event(
            r#"{"entity":{"entity_class":"proxy","metadata":{"name":"switch-1","namespace":"default"}},
               "check":{"name":"ping","output":"PING OK | rta=0.5ms;100;500;0","status":0,"ttl":120,
               "interval":30,"handlers":["slack"],"executed":1699999990},
               "metrics":{"handlers":[],"points":[{"name":"a.b","value":4,"timestamp":1,"tags":[]}]}}"#,
        )
        .unwrap();
        assert_eq!(read.name, "switch-1/ping");
        assert_eq!(read.about.as_deref(), Some("switch-1"));
        assert_eq!(read.ttl_ms, Some(120_000));
        let observation = read.observation(CheckId::default(), NOW);
        assert_eq!(observation.at.millis(), 1_699_999_990_000);
        let labels: Vec<_> = observation
            .metrics
            .iter()
            .map(|it| it.label.as_str())
            .collect();
        assert_eq!(labels, ["rta", "a.b"]);
    }

    #[test]
    fn an_event_about_this_machine_is_about_nothing_else() {
        let read = event(
            r#"{"entity":{"metadata":{"name":"web1"}},"check":{"metadata":{"name":"x"},"status":0}}"#,
        );
        assert_eq!(read.unwrap().about, None);
    }

    #[test]
    fn results_of_the_socket_are_read_alone_and_as_a_list() {
        let read = line(
            r#"{"name":"app_01","output":"could not connect to mysql","status":1,"source":"db-7",
               "executed":1700000000,"duration":0.3,"handlers":["default"],"ttl":90}"#,
        )
        .unwrap();
        assert_eq!(read[0].name, "db-7/app_01");
        let read = line(
            r#"[{"name":"a","output":"x","status":9},{"name":"b","output":"","status":1,"warnIsCritical":true}]"#,
        )
        .unwrap();
        let seen: Vec<_> = read
            .iter()
            .map(|it| it.observation(CheckId::default(), NOW).severity)
            .collect();
        assert_eq!(seen, [Severity::Unknown, Severity::Critical]);
    }

    #[test]
    fn what_is_no_result_is_refused_with_the_field() {
        for (json, words) in [
            ("[]x", "not a result"),
            ("{}", "missing field `check`"),
            (r#"{"check":{"status":1}}"#, "name: a name of 1 to 128"),
            (r#"{"check":{"name":"a\nb","status":1}}"#, "name: a name"),
            (r#"{"check":{"name":"a","status":"1"}}"#, "invalid type"),
            (r#"{"check":{"name":"a","ttl":-1}}"#, "ttl: 0 to"),
            (r#"{"check":{"name":"a","output":{}}}"#, "output: a text"),
        ] {
            let error = event(json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
        let many = format!("[{}1]", "1,".repeat(RESULTS_MAX));
        assert_eq!(line(&many), Err(ResultError::TooMany));
        assert!(line(r#"[{"name":"a","status":0},{"status":0}]"#).is_err());
    }
}
