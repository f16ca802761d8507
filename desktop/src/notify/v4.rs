//! A message as Alertmanager's webhook says it, version 4: what receivers of it read already.

use std::collections::BTreeMap;

use aramaki_model::Severity;
use aramaki_model::notify::{Item, Message, State};
use aramaki_sync_core::SpaceId;
use serde_json::{Value, json};

use super::letter::hex;

/// Alerts in one message; of the rest it says how many they are, as Alertmanager does.
const ALERTS_MAX: usize = 500;
/// What Alertmanager says of an end that has not come.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// The whole body.
pub(super) fn json(
    message: &Message,
    external_url: &str,
    name: impl Fn(&SpaceId) -> String,
) -> Value {
    let all: Vec<_> = message
        .items
        .iter()
        .map(|item| (labels(item, &name), annotations(item, &name)))
        .collect();
    let shown = message.items.iter().zip(&all).take(ALERTS_MAX);
    let alerts = shown.map(|(item, (labels, annotations))| {
        json!({
            "status": status(item),
            "labels": labels,
            "annotations": annotations,
            "startsAt": item.opened.to_string(),
            "endsAt": item.resolved.map_or_else(|| NO_END.to_owned(), |at| at.to_string()),
            "generatorURL": external_url,
            "fingerprint": hex(&item.alert.0, 8),
        })
    });
    let alerts: Vec<_> = alerts.collect();
    let firing = message
        .items
        .iter()
        .any(|item| item.state != State::Resolved);
    let group = BTreeMap::from([("group", name(&message.group))]);
    json!({
        "version": "4",
        "groupKey": format!("{{}}/{{receiver=\"{}\"}}:{{group=\"{}\"}}", message.receiver, message.group),
        "truncatedAlerts": message.items.len().saturating_sub(ALERTS_MAX),
        "status": if firing { "firing" } else { "resolved" },
        "receiver": message.receiver,
        "groupLabels": group,
        "commonLabels": common(all.iter().map(|(labels, _)| labels)),
        "commonAnnotations": common(all.iter().map(|(_, annotations)| annotations)),
        "externalURL": external_url,
        "alerts": alerts,
    })
}

type Words = BTreeMap<&'static str, String>;

const fn status(item: &Item) -> &'static str {
    match item.state {
        State::Resolved => "resolved",
        _ => "firing",
    }
}

fn labels(item: &Item, name: impl Fn(&SpaceId) -> String) -> Words {
    // Labels are the identity of an alert there: they stay what they were when it was told first.
    let first = item.told_first.unwrap_or_else(|| worst(item));
    let mut words = Words::from([
        ("alertname", item.name.clone()),
        ("system", name(&item.system)),
        ("severity", first.word().to_owned()),
        ("space", item.system.to_string()),
        ("alert", hex(&item.alert.0, 32)),
    ]);
    if let Some(machine) = &item.machine {
        words.insert("machine", machine.clone());
    }
    words
}

const fn worst(item: &Item) -> Severity {
    match item.state {
        State::Problem(severity) => severity,
        _ => item.severity,
    }
}

fn annotations(item: &Item, name: impl Fn(&SpaceId) -> String) -> Words {
    let way: Vec<_> = item.path.iter().map(name).collect();
    let mut words = Words::from([("summary", item.summary.clone()), ("path", way.join(" → "))]);
    words.insert("severity", worst(item).word().to_owned());
    if let Some((by, text)) = &item.acknowledged {
        words.insert("acknowledged_by", by.clone());
        words.insert("acknowledgement", text.clone());
    }
    words
}

fn common<'a>(mut all: impl Iterator<Item = &'a Words>) -> Words {
    let mut same = all.next().cloned().unwrap_or_default();
    for words in all {
        same.retain(|name, value| words.get(name) == Some(value));
    }
    same
}

#[cfg(test)]
mod real;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::letter::tests::{message, name};

    /// The names of what an object has.
    fn fields(value: &Value) -> Vec<&str> {
        let names = value.as_object().unwrap().keys();
        names.map(String::as_str).collect()
    }

    #[test]
    fn labels_stay_those_of_the_first_telling_and_the_present_state_is_an_annotation() {
        let mut told = message(&[State::Problem(Severity::Critical), State::Resolved]);
        told.items[0].told_first = Some(Severity::Missing);
        told.items[1].told_first = Some(Severity::Warning);
        told.items[1].severity = Severity::Ok;
        told.items[1].machine = Some("p2".to_owned());
        let body = json(&told, "", name);
        let of = |n: usize, what: &str| body["alerts"][n][what].clone();
        assert_eq!(of(0, "labels")["severity"], "missing");
        assert_eq!(of(0, "annotations")["severity"], "critical");
        assert_eq!(of(1, "labels")["severity"], "warning");
        assert_eq!(of(1, "annotations")["severity"], "ok");
        assert_eq!(of(1, "labels")["alertname"], "disk");
        assert_eq!(of(1, "labels")["machine"], "p2");
        assert_eq!(of(0, "labels").get("machine"), None);
    }

    #[test]
    fn the_body_has_every_field_that_version_4_has() {
        let body = json(
            &message(&[State::Problem(Severity::Critical), State::Resolved]),
            "https://x.example.org",
            name,
        );
        let mut expected = vec![
            "version",
            "groupKey",
            "truncatedAlerts",
            "status",
            "receiver",
            "groupLabels",
            "commonLabels",
            "commonAnnotations",
            "externalURL",
            "alerts",
        ];
        expected.sort_unstable();
        assert_eq!(fields(&body), expected);
        let mut expected = vec![
            "status",
            "labels",
            "annotations",
            "startsAt",
            "endsAt",
            "generatorURL",
            "fingerprint",
        ];
        expected.sort_unstable();
        for alert in body["alerts"].as_array().unwrap() {
            assert_eq!(fields(alert), expected);
            assert_eq!(alert["startsAt"], "2026-11-22T17:53:20.123Z");
            assert_eq!(alert["generatorURL"], "https://x.example.org");
        }
        assert_eq!(
            (&body["status"], &body["version"]),
            (&json!("firing"), &json!("4"))
        );
        let alert = &body["alerts"][1];
        assert_eq!(alert["status"], "resolved");
        assert_eq!(alert["endsAt"], "2026-11-22T17:54:20.000Z");
        assert_eq!(body["alerts"][0]["endsAt"], NO_END);
        assert_eq!(alert["fingerprint"], "0202020202020202");
        assert_eq!(
            body["commonLabels"],
            json!({"alertname": "disk"})
                .as_object()
                .map(|it| {
                    let mut it = it.clone();
                    it.insert("severity".to_owned(), json!("critical"));
                    Value::Object(it)
                })
                .unwrap()
        );
        assert_eq!(
            json(&message(&[State::Resolved]), "", name)["status"],
            "resolved"
        );
    }

    #[test]
    fn what_is_too_many_is_left_out_and_counted() {
        let mut many = message(&[State::Problem(Severity::Critical)]);
        let item = many.items[0].clone();
        for (all, left_out) in [(ALERTS_MAX, 0), (ALERTS_MAX + 3, 3)] {
            many.items = vec![item.clone(); all];
            let body = json(&many, "", name);
            assert_eq!(body["alerts"].as_array().unwrap().len(), ALERTS_MAX);
            assert_eq!(body["truncatedAlerts"], left_out);
        }
        many.items[..ALERTS_MAX]
            .iter_mut()
            .for_each(|item| item.state = State::Resolved);
        let body = json(&many, "", name);
        assert_eq!(body["status"], "firing", "one of those that are left out");
    }
}
