//! Prometheus alerting rules: the names of alerts become families that a System is known to raise.

use super::SourceFile;
use super::cell::Cells;
use super::plan::{Drafts, Place};
use super::span::span_ms;
use super::tree;
use crate::address::check_web_address;
use crate::known_family::KnownFamily;
use crate::text::clean_line;

/// The System that knows them.
const TITLE: &str = "Prometheus alerts";
/// How long a summary of a family may be.
const SUMMARY_LEN_BYTES_MAX: usize = 1_024;
/// How long the name of a family may be.
const NAME_LEN_BYTES_MAX: usize = 200;

pub(super) fn read(files: &[&SourceFile], drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    for file in files {
        for document in tree::either(file, remarks) {
            let Some(whole) = Cells::of(&document.value, document.place, remarks) else {
                continue;
            };
            // As the operator for Kubernetes wraps them.
            let spec = if whole.has("groups") {
                None
            } else {
                whole.inner("spec")
            };
            if spec.is_some() {
                whole.pass(&["apiVersion", "kind", "metadata"]);
            }
            for group in spec.as_ref().unwrap_or(&whole).list("groups") {
                read_group(group, drafts);
            }
            spec.into_iter().for_each(Cells::finish);
            whole.finish();
        }
    }
}

fn read_group(mut group: Cells<'_>, drafts: &mut Drafts<'_>) {
    if let Some(name) = group.text("name") {
        group.place = Place {
            path: format!("groups.{name}"),
            ..group.place
        };
    }
    group.pass(&[
        "interval",
        "limit",
        "query_offset",
        "labels",
        "partial_response_strategy",
    ]);
    for rule in group.list("rules") {
        read_rule(rule, drafts);
    }
    group.finish();
}

fn read_rule(mut rule: Cells<'_>, drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    if rule.has("record") {
        remarks.left(&rule.place, "", "a recorded series raises no alert");
        return;
    }
    let Some(name) = rule.text("alert") else {
        remarks.left(&rule.place, "alert", "a rule without a name");
        return;
    };
    let name = clean_line(&name, NAME_LEN_BYTES_MAX);
    rule.place = rule.place.inner(&name);
    // Prometheus goes on to compute it.
    rule.pass(&["expr", "keep_firing_for"]);
    let labels = rule.inner("labels");
    let severity = labels.as_ref().and_then(|labels| labels.text("severity"));
    let annotations = rule.inner("annotations");
    let said = |field: &str| annotations.as_ref().and_then(|it| it.text(field));
    let summary = said("summary")
        .or_else(|| said("message"))
        .or_else(|| said("description"));
    let runbook = said("runbook_url").or_else(|| said("runbook"));
    let holds = rule.text("for");
    let holds_ms = holds.as_deref().and_then(span_ms);
    if holds.is_some() && holds_ms.is_none() {
        remarks.left(&rule.place, "for", "a span of time such as 5m is expected");
    }
    let runbook = runbook.filter(|url| match check_web_address(url) {
        Ok(()) => true,
        Err(expected) => {
            remarks.left(&rule.place, "annotations.runbook_url", &expected);
            false
        }
    });
    let family = KnownFamily {
        severity: clean_line(&severity.unwrap_or_default(), NAME_LEN_BYTES_MAX),
        summary: clean_line(&summary.unwrap_or_default(), SUMMARY_LEN_BYTES_MAX),
        holds_ms: holds_ms.unwrap_or_default(),
        runbook: runbook.unwrap_or_default(),
    };
    let place = rule.place.clone();
    rule.finish();
    if name.is_empty() {
        remarks.left(&place, "alert", "a rule without a name");
        return;
    }
    let Some(system) = drafts.system(&place, "alerts", TITLE, "monitoring") else {
        return;
    };
    match system.families.get(&name) {
        // The same alert at several severities is one family.
        Some(there) if there.severity != family.severity => {
            let both = format!("{}, {}", there.severity, family.severity);
            let severity = clean_line(&both, NAME_LEN_BYTES_MAX);
            let merged = KnownFamily {
                severity,
                ..there.clone()
            };
            system.families.insert(name, merged);
        }
        Some(_) => {}
        None => {
            system.families.insert(name, family);
        }
    }
}
