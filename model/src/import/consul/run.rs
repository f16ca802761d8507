//! What a check of Consul runs, and how often.

use serde_json::Value;

use crate::check::{Builtin, CheckKind, Thresholds};
use crate::import::cell::{Cells, text_of};
use crate::import::command::{arguments, command};
use crate::import::plan::Remarks;
use crate::import::span::span_ms;

pub(super) fn span_of(cells: &Cells<'_>, field: &str) -> Option<u64> {
    // A bare number is nanoseconds in answers, as the language Go counts.
    let value = cells.raw(field)?;
    let span = match value {
        Value::Number(number) => number.as_u64().map(|nanos| nanos / 1_000_000),
        value => text_of(value).as_deref().and_then(span_ms),
    };
    span.filter(|it| *it > 0)
}

/// A check that stands for what is looked at elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Alias {
    /// The id of a service.
    pub(super) service: Option<String>,
    /// A machine: the service's, or itself.
    pub(super) machine: Option<String>,
    /// The machine on which the check stands.
    pub(super) on: Option<String>,
}

/// What a check runs; none: nothing that could be run here, which was told.
pub(super) fn kind_of(
    cells: &Cells<'_>,
    remarks: &Remarks,
    uses: &mut dyn FnMut(Alias),
) -> Option<CheckKind> {
    let place = &cells.place;
    let said = |field: &str| cells.text(field).filter(|it| !it.is_empty());
    if said("dockercontainerid").is_some() {
        // Run on the machine itself, it would look at something else.
        cells.leave(
            "dockercontainerid",
            "there are no containers here: use a plugin",
        );
        cells.pass(&[
            "args",
            "scriptargs",
            "script",
            "shell",
            "http",
            "tcp",
            "ttl",
            "method",
        ]);
        return None;
    }
    if let Some(url) = cells.text("http").filter(|it| !it.is_empty()) {
        let method = cells.text("method").filter(|it| !it.is_empty());
        if method.is_some_and(|it| !it.eq_ignore_ascii_case("get")) {
            cells.adapt("method", "the page is fetched with GET");
        }
        return Some(CheckKind::Builtin(Builtin::Http {
            url,
            status: None,
            time: Thresholds::default(),
            certificate_days: Thresholds::default(),
        }));
    }
    cells.pass(&["method"]);
    if let Some(address) = cells.text("tcp").filter(|it| !it.is_empty()) {
        return Some(CheckKind::Builtin(Builtin::Tcp {
            address,
            time: Thresholds::default(),
        }));
    }
    if let Some(unit) = cells.text("osservice").filter(|it| !it.is_empty()) {
        cells.adapt("os_service", "it is taken as a unit of systemd");
        return Some(CheckKind::Builtin(Builtin::Systemd { units: vec![unit] }));
    }
    if let Some(command) = command_of(cells, remarks) {
        return Some(command);
    }
    let alias = Alias {
        service: said("aliasservice"),
        machine: said("aliasnode"),
        on: None,
    };
    if alias.service.is_some() || alias.machine.is_some() {
        uses(alias);
        return None;
    }
    if span_of(cells, "ttl").is_some() {
        let reason = "its results are taken by the agent's own listener, under its name";
        cells.adapt("ttl", reason);
        return Some(CheckKind::External {});
    }
    for (field, reason) in NO_CHECK {
        if cells.has(field) {
            cells.leave(field, reason);
            return None;
        }
    }
    let of = said("type").map_or_else(String::new, |it| format!(" (it is of type {it})"));
    let reason =
        format!("what it runs is not told here{of}: import the file in which it is defined too");
    remarks.left(place, "", &reason);
    None
}

/// A program, if it runs one.
fn command_of(cells: &Cells<'_>, remarks: &Remarks) -> Option<CheckKind> {
    for field in ["args", "scriptargs"] {
        let words = cells.texts(field);
        if let Some(command) = arguments(words) {
            return Some(command.into());
        }
    }
    let line = cells.text("script").filter(|it| !it.is_empty())?;
    command(&line, &cells.place, "script", remarks).map(Into::into)
}

/// Checks for which there are none here.
const NO_CHECK: [(&str, &str); 4] = [
    ("ttl", "a span of time is expected"),
    ("grpc", "there is no such check: use a plugin"),
    ("h2ping", "there is no such check: use a plugin"),
    ("udp", "there is no such check: use a plugin"),
];

/// What a check without a name is called after what it does.
pub(super) const fn title_of(kind: &CheckKind) -> &'static str {
    match kind {
        CheckKind::Builtin(Builtin::Http { .. }) => "http",
        CheckKind::Builtin(Builtin::Tcp { .. }) => "tcp",
        CheckKind::Builtin(_) => "unit",
        CheckKind::Command { .. } => "script",
        CheckKind::External {} => "ttl",
    }
}

/// Fields that have no counterpart here: as they are looked for, as people write them, and why.
pub(super) const LEFT: [(&str, &str, &str); 17] = [
    (
        "header",
        "header",
        "a page is fetched as anybody fetches it",
    ),
    ("body", "body", "a page is fetched as anybody fetches it"),
    (
        "tlsskipverify",
        "tls_skip_verify",
        "certificates are looked at",
    ),
    (
        "tlsservername",
        "tls_server_name",
        "certificates are looked at",
    ),
    (
        "tcpusetls",
        "tcp_use_tls",
        "there is no such check: use a plugin",
    ),
    (
        "grpcusetls",
        "grpc_use_tls",
        "there is no such check: use a plugin",
    ),
    (
        "h2pingusetls",
        "h2ping_use_tls",
        "there is no such check: use a plugin",
    ),
    (
        "disableredirects",
        "disable_redirects",
        "redirections are not followed",
    ),
    (
        "outputmaxsize",
        "output_max_size",
        "long output is cut at the agent's own limit",
    ),
    (
        "deregistercriticalserviceafter",
        "deregister_critical_service_after",
        "a service is archived by people",
    ),
    (
        "successbeforepassing",
        "success_before_passing",
        "one good result ends a problem",
    ),
    (
        "failuresbeforewarning",
        "failures_before_warning",
        "a problem is soft until it counts",
    ),
    ("shell", "shell", "there are no containers here"),
    ("token", "token", "a secret stays where it is"),
    ("intervalduration", "IntervalDuration", ""),
    ("timeoutduration", "TimeoutDuration", ""),
    (
        "deregistercriticalserviceafterduration",
        "DeregisterCriticalServiceAfterDuration",
        "",
    ),
];
