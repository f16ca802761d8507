//! Prometheus alerting rules: the names of alerts become families that a System is known to raise.

use super::SourceFile;
use super::cell::Cells;
use super::plan::{Drafts, Place, Remarks};
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
    // How Prometheus computes them.
    group.pass(&[
        "interval",
        "limit",
        "query_offset",
        "partial_response_strategy",
    ]);
    // Those of a group are each rule's, unless it has its own.
    let labels = group.inner("labels");
    let severity = labels.as_ref().and_then(|it| it.text("severity"));
    for rule in group.list("rules") {
        read_rule(rule, severity.as_deref(), drafts);
    }
    if let Some(labels) = labels {
        leave_each(&labels, "labels", LABELS, drafts.remarks);
    }
    group.finish();
}

const LABELS: &str = "an alert that is sent brings it along; a known family has a severity alone";

/// Tells what is left of a map of words, each by its name.
fn leave_each(words: &Cells<'_>, map: &str, reason: &str, remarks: &Remarks) {
    for (name, _) in words.others() {
        let place = Place {
            path: words
                .place
                .path
                .strip_suffix(&format!(".{map}"))
                .unwrap_or(&words.place.path)
                .to_owned(),
            ..words.place.clone()
        };
        remarks.left(&place, &format!("{map}.{name}"), reason);
    }
}

fn read_rule(mut rule: Cells<'_>, of_group: Option<&str>, drafts: &mut Drafts<'_>) {
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
    let severity = severity.or_else(|| of_group.map(str::to_owned));
    let annotations = rule.inner("annotations");
    let said = |field: &str| annotations.as_ref().and_then(|it| it.text(field));
    let mut summaries = ["summary", "message", "description"]
        .into_iter()
        .filter(|field| annotations.as_ref().is_some_and(|it| it.has(field)));
    let summary = summaries.next().and_then(said);
    let runbook = said("runbook_url").or_else(|| said("runbook"));
    if let Some(labels) = &labels {
        leave_each(labels, "labels", LABELS, remarks);
    }
    if let Some(annotations) = &annotations {
        let reason =
            "an alert that is sent brings it along; a known family has a summary and a runbook";
        leave_each(annotations, "annotations", reason, remarks);
    }
    let holds = rule.text("for");
    let holds_ms = holds.as_deref().and_then(span_ms);
    if holds.is_some() && holds_ms.is_none() {
        remarks.left(&rule.place, "for", "a span of time such as 5m is expected");
    }
    let plain = |field: &str, text: Option<String>| {
        let text = text.unwrap_or_default();
        let plain = words(&text, &name);
        if plain.contains(OPEN) {
            let reason = "what Prometheus fills in stands there by its name";
            remarks.adapted(&rule.place, field, reason);
        }
        plain
    };
    let runbook = runbook.and_then(|url| runbook_of(&rule.place, &words(&url, &name), remarks));
    let severity = plain("labels.severity", severity);
    let summary = plain("annotations.summary", summary);
    let family = KnownFamily {
        severity: clean_line(&severity, NAME_LEN_BYTES_MAX),
        summary: clean_line(&summary, SUMMARY_LEN_BYTES_MAX),
        holds_ms: holds_ms.unwrap_or_default(),
        runbook: runbook.unwrap_or_default(),
    };
    let place = rule.place.clone();
    rule.finish();
    if name.is_empty() {
        remarks.left(&place, "alert", "a rule without a name");
        return;
    }
    add(&place, name, family, drafts);
}

/// An address that is the same for every alert of a family.
fn runbook_of(place: &Place, url: &str, remarks: &Remarks) -> Option<String> {
    let wrong = if url.contains(OPEN) {
        let wrong = "Prometheus fills it in for each alert: an address of all of them is expected";
        Some(wrong.to_owned())
    } else {
        check_web_address(url).err()
    };
    match wrong {
        None => Some(url.to_owned()),
        Some(wrong) => {
            remarks.left(place, "annotations.runbook_url", &wrong);
            None
        }
    }
}

/// The same alert at several severities is one family.
fn add(place: &Place, name: String, family: KnownFamily, drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    let Some(system) = drafts.system(place, "alerts", TITLE, "monitoring") else {
        return;
    };
    let Some(there) = system.families.get_mut(&name) else {
        system.families.insert(name, family);
        return;
    };
    let same = KnownFamily {
        severity: there.severity.clone(),
        ..family.clone()
    };
    if *there != same {
        let reason = "the rule before it has this name too: its summary, time and runbook count";
        remarks.adapted(place, "alert", reason);
    }
    let is_known = there.severity.split(", ").any(|it| it == family.severity);
    if !is_known {
        let both = [there.severity.as_str(), &family.severity];
        let both: Vec<_> = both.into_iter().filter(|it| !it.is_empty()).collect();
        there.severity = clean_line(&both.join(", "), NAME_LEN_BYTES_MAX);
    }
}

/// Stands before what is filled in later.
const OPEN: char = '⟨';

/// A template as people read it: what is known of every alert is filled in, what is not stands by its
/// name: `{{ $labels.instance }}` is ⟨instance⟩.
fn words(text: &str, alert: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, behind)) = after.split_once("}}") else {
            break;
        };
        out.push_str(before);
        rest = behind;
        let inner = inner.trim_matches(['-', ' ', '\t', '\n']);
        let first = inner.split(['|', ' ']).next().unwrap_or_default();
        let label = first
            .strip_prefix("$labels.")
            .or_else(|| first.strip_prefix(".Labels."));
        match (label, first) {
            (Some("alertname"), _) => out.push_str(alert),
            (Some(label), _) => {
                out.push(OPEN);
                out.push_str(label);
                out.push('⟩');
            }
            (None, "$value" | ".Value") => out.push_str("⟨value⟩"),
            // A condition or a loop says nothing by itself.
            (None, "if" | "else" | "end" | "range" | "with" | "/*") => {}
            _ => out.push_str("⟨…⟩"),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_read_as_words() {
        let read = |text| words(text, "HostDown");
        assert_eq!(
            read("{{ $labels.instance }} is at {{$value | humanize}}%"),
            "⟨instance⟩ is at ⟨value⟩%"
        );
        assert_eq!(
            read("https://wiki/{{ $labels.alertname }}"),
            "https://wiki/HostDown"
        );
        assert_eq!(
            read("{{ if gt $value 1.0 }}much{{ end }} {{ printf \"%d\" 1 }}"),
            "much ⟨…⟩"
        );
        assert_eq!(read("plain {{ open"), "plain {{ open");
    }
}
