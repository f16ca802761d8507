//! What a check of Sensu Go says beside its command and where it runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::resource::Resource;
use crate::check::{Check, CheckKind, Hook};
use crate::check_fault::is_runbook;
use crate::id::CheckId;
use crate::import::cell::text_of;
use crate::import::extra::Extra;
use crate::import::plan::Remarks;

pub(super) fn template(
    resource: &Resource<'_>,
    hooks: &Hooks,
    remarks: &Remarks,
) -> (Check, Extra) {
    let spec = &resource.spec;
    // The command is filled for each entity.
    let kind = CheckKind::Command {
        program: String::new(),
        arguments: Vec::new(),
    };
    let mut check = Check::new(CheckId::default(), resource.name.as_str(), kind);
    let cron = spec.text("cron").filter(|it| !it.is_empty());
    let positive = |number: Option<f64>| number.filter(|it| *it > 0.0);
    let extra = Extra {
        // `CRON_TZ=Europe/Berlin 0 9 * * *`.
        zone: cron.as_deref().and_then(zone_of).map(str::to_owned),
        cron: cron.as_deref().map(|it| expression_of(it).to_owned()),
        low_flap: positive(spec.number("low_flap_threshold")),
        high_flap: positive(spec.number("high_flap_threshold")),
        never_flaps: false,
    };
    if let Some(interval) = spec.span("interval").filter(|it| *it > 0) {
        check.interval_ms = interval;
        check.retry_interval_ms = interval;
    }
    check.timeout_ms = spec
        .span("timeout")
        .filter(|it| *it > 0)
        .unwrap_or(check.timeout_ms);
    check.ttl_ms = spec.span("ttl").filter(|it| *it > 0);
    if spec.truth("publish") != Some(true) {
        check.enabled = false;
        spec.adapt("publish", "it is taken as a check that is off");
    }
    check.hook = hook_of(resource, hooks, remarks);
    check.runbook = runbook_of(resource).map(|(_, text)| text);
    spec.pass(&["name", "namespace", "scheduler"]);
    if spec.number("max_output_size").is_some_and(|it| it > 0.0) {
        spec.leave(
            "max_output_size",
            "long output is cut at the agent's own limit",
        );
    }
    let format = spec.text("output_metric_format").unwrap_or_default();
    match format.as_str() {
        "" => {}
        "nagios_perfdata" => spec.adapt("output_metric_format", "perfdata is read by itself"),
        _ => spec.leave(
            "output_metric_format",
            "values are read as perfdata alone: use a plugin that prints it",
        ),
    }
    for (field, reason) in LEFT {
        let says_nothing = spec.raw(field).is_none_or(|value| match value {
            Value::Bool(truth) => !truth,
            Value::Array(list) => list.is_empty(),
            Value::String(text) => text.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        });
        if !says_nothing {
            spec.leave(field, reason);
        }
    }
    (check, extra)
}

/// Annotations that name a runbook.
const RUNBOOKS: [&str; 3] = ["runbook", "runbook_url", "playbook"];

/// Hooks by namespace and name.
pub(super) type Hooks = BTreeMap<(String, String), Hook>;

/// Sensu has hooks a state; here there is one for the beginning of a problem.
fn hook_of(resource: &Resource<'_>, hooks: &Hooks, remarks: &Remarks) -> Option<Hook> {
    const ORDER: [&str; 8] = [
        "non-zero", "critical", "2", "unknown", "3", "warning", "1", "255",
    ];
    let spec = &resource.spec;
    let rank = |state: &str| ORDER.iter().position(|it| *it == state);
    let mut named: Vec<(Option<usize>, String)> = Vec::new();
    for value in spec
        .raw("check_hooks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        for (state, names) in value.as_object().into_iter().flatten() {
            let names = match names {
                Value::Array(names) => names.iter().filter_map(text_of).collect(),
                one => text_of(one).into_iter().collect::<Vec<_>>(),
            };
            named.extend(names.into_iter().map(|name| (rank(state), name)));
        }
    }
    let best = named
        .iter()
        .filter_map(|(rank, name)| Some(((*rank)?, name)))
        .min();
    let best = best.map(|(rank, name)| (rank, name.clone()));
    for (rank, name) in &named {
        if best != rank.map(|rank| (rank, name.clone())) {
            let field = format!("check_hooks.{name}");
            let reason = "one hook a check, when a problem begins";
            remarks.left(&spec.place, &field, reason);
        }
    }
    let (_, name) = best?;
    let found = hooks.get(&(resource.namespace.clone(), name.clone()));
    if found.is_none() {
        let reason = format!("no hook {name} is in these files");
        remarks.left(&spec.place, "check_hooks", &reason);
    }
    found.cloned()
}

/// Under which annotation people keep a runbook, and that.
pub(super) fn runbook_of(resource: &Resource<'_>) -> Option<(&'static str, String)> {
    let mut named = RUNBOOKS.into_iter().filter_map(|name| {
        let text = resource.annotations.get(name)?;
        is_runbook(text).ok().map(|()| (name, text.clone()))
    });
    named.next()
}

fn zone_of(cron: &str) -> Option<&str> {
    let rest = cron
        .strip_prefix("CRON_TZ=")
        .or_else(|| cron.strip_prefix("TZ="))?;
    rest.split_whitespace().next()
}

fn expression_of(cron: &str) -> &str {
    match zone_of(cron) {
        Some(_) => cron
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim()),
        None => cron,
    }
}

const LEFT: [(&str, &str); 19] = [
    (
        "handlers",
        "who is told is set up with routes and receivers",
    ),
    (
        "pipelines",
        "who is told is set up with routes and receivers",
    ),
    ("runtime_assets", "programs are installed by other means"),
    ("env_vars", "a check's environment is the agent's"),
    ("secrets", "secrets stay where they are"),
    ("stdin", "a check reads nothing"),
    (
        "subdue",
        "times of rest are maintenance windows: set them up again",
    ),
    (
        "subdues",
        "times of rest are maintenance windows: set them up again",
    ),
    ("round_robin", "every agent of the System looks"),
    ("output_metric_handlers", "metrics are not sent elsewhere"),
    ("output_metric_tags", "metrics are not sent elsewhere"),
    (
        "output_metric_thresholds",
        "set them as limits on metrics of the check",
    ),
    ("discard_output", "output is kept with each change of state"),
    ("executed", "results are made by agents alone"),
    ("scheduled", "results are made by agents alone"),
    ("ttl_status", "a check without results is Missing"),
    (
        "silenced",
        "silences have an end: make them again with `aramaki alert silence`",
    ),
    (
        "fallback_pipeline",
        "who is told is set up with routes and receivers",
    ),
    ("extended_attributes", "it has no meaning here"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_stands_before_the_expression() {
        let cron = "CRON_TZ=Europe/Berlin 0 9 * * *";
        assert_eq!(
            (zone_of(cron), expression_of(cron)),
            (Some("Europe/Berlin"), "0 9 * * *")
        );
        assert_eq!(
            (zone_of("@daily"), expression_of("@daily")),
            (None, "@daily")
        );
    }
}
