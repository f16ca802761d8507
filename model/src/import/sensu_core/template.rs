//! What a check of Sensu Core says beside its command and where it runs.

use crate::check::{Check, CheckKind, Hook};
use crate::check_fault::is_runbook;
use crate::id::CheckId;
use crate::import::cell::Cells;
use crate::import::command::command;
use crate::import::extra::Extra;
use crate::import::plan::Remarks;

/// All of a check but its command.
pub(super) fn template(name: &str, cells: &Cells<'_>, remarks: &Remarks) -> (Check, Extra) {
    // The command is filled for each client.
    let kind = CheckKind::Command {
        program: String::new(),
        arguments: Vec::new(),
    };
    let mut check = Check::new(CheckId::default(), name, kind);
    let extra = Extra {
        cron: cells.text("cron"),
        low_flap: cells.number("low_flap_threshold"),
        high_flap: cells.number("high_flap_threshold"),
        ..Extra::default()
    };
    if let Some(interval) = cells.span("interval") {
        check.interval_ms = interval;
        check.retry_interval_ms = interval;
    } else if extra.cron.is_none() && cells.truth("publish") != Some(false) {
        cells.adapt("interval", "there is none: every minute is taken");
    }
    check.timeout_ms = cells.span("timeout").unwrap_or(check.timeout_ms);
    check.ttl_ms = cells.span("ttl");
    check.attempts = cells.count("occurrences").unwrap_or(1).max(1);
    if cells.truth("publish") == Some(false) {
        check.enabled = false;
        cells.adapt("publish", "it is taken as a check that is off");
    }
    check.hook = hook(cells, remarks);
    check.runbook = runbook(cells);
    for (field, reason) in LEFT {
        cells.leave(field, reason);
    }
    cells.pass(&[
        "standalone",
        "auto_resolve",
        "handle",
        "truncate_output",
        "type",
    ]);
    if cells.truth("auto_resolve") == Some(false) {
        cells.leave("auto_resolve", "a problem ends when its check is OK");
    }
    if cells.truth("handle") == Some(false) {
        cells.leave(
            "handle",
            "nobody is told of it there: silence it, or leave it out of routes",
        );
    }
    if cells.truth("truncate_output") == Some(false) {
        cells.leave("truncate_output", "long output is cut");
    }
    if cells.text("type").is_some_and(|it| it == "metric") {
        cells.leave(
            "type",
            "results of metric checks are kept by state: values are in perfdata",
        );
    }
    (check, extra)
}

/// A web address as it is; another text is taken as the title of a note.
fn runbook(cells: &Cells<'_>) -> Option<String> {
    let mut runbook = None;
    for field in ["runbook", "playbook"] {
        let Some(text) = cells.text(field).filter(|it| !it.is_empty()) else {
            continue;
        };
        if runbook.is_some() {
            cells.leave(field, "a check has one runbook");
        } else if is_runbook(&text).is_err() {
            cells.leave(field, "put it into a note of kind runbook");
        } else {
            if !text.contains("://") {
                let reason = "it is taken as the title of a note: write one of that title";
                cells.adapt(field, reason);
            }
            runbook = Some(text);
        }
    }
    runbook
}

/// Sensu has a hook a state; here there is one for the beginning of a problem.
fn hook(cells: &Cells<'_>, remarks: &Remarks) -> Option<Hook> {
    const ORDER: [&str; 8] = [
        "non-zero", "critical", "2", "unknown", "3", "warning", "1", "255",
    ];
    let hooks = cells.each("hooks");
    let rank = |name: &str| ORDER.iter().position(|it| *it == name);
    let best = hooks.iter().filter_map(|(name, _)| rank(name)).min();
    let mut chosen = None;
    for (name, hook) in hooks {
        if rank(name) == best && best.is_some() {
            let line = hook.text("command").unwrap_or_default();
            chosen = command(&line, &hook.place, "command", remarks);
            hook.leave("timeout", "a hook has the time of its check");
            hook.leave("stdin", "a hook reads nothing");
            hook.finish();
            if name != "non-zero" {
                let reason = "it runs whenever a problem begins, not in this state alone";
                cells.adapt(&format!("hooks.{name}"), reason);
            }
        } else {
            let reason = "one hook a check, when a problem begins";
            remarks.left(&hook.place, "", reason);
        }
    }
    chosen.map(Hook::from)
}

const LEFT: [(&str, &str); 20] = [
    (
        "handlers",
        "who is told is set up with routes and receivers",
    ),
    ("handler", "who is told is set up with routes and receivers"),
    (
        "refresh",
        "how often one is told again is set up with routes",
    ),
    ("ttl_status", "a check without results is Missing"),
    (
        "subdue",
        "times of rest are maintenance windows: set them up again",
    ),
    ("notification", "the check's own words are shown"),
    ("severities", "who is told of what is set up with routes"),
    ("force_resolve", "results are made by agents alone"),
    ("executed", "results are made by agents alone"),
    ("extension", "no code is loaded"),
    ("stdin", "a check reads nothing"),
    ("proxy_requests", "a check is of one System: add it to each"),
    ("splay_coverage", "runs are spread by themselves"),
    (
        "truncate_output_length",
        "long output is cut at the agent's own limit",
    ),
    ("output_format", "perfdata is read by itself"),
    ("output_metric_format", "perfdata is read by itself"),
    ("env", "a check's environment is the agent's"),
    ("reset", "how often one is told again is set up with routes"),
    ("high_flap_action", "it has no meaning here"),
    (
        "ttl_handlers",
        "who is told is set up with routes and receivers",
    ),
];
