//! What is said of actions and requests, to people and to programs.

use std::collections::BTreeMap;

use aramaki_model::action::{Outcome, Parameter, ParameterKind, RefusedFor};
use aramaki_model::maintenance::request::{EXIT_POSTPONE, EXIT_RETRY};
use aramaki_model::proposal::Proposals;
use aramaki_model::series::SeriesAnswer;
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use serde_json::{Value, json};

use crate::cli::report::{Lines, count};
use crate::cli::{CliError, local};
use crate::view::actions::{AboutAlert, Came};
use crate::view::asked::{DISCOVER_ACTION, SERIES_ACTION};
use crate::workspace::{AgentActions, Live, RequestRow, TimelineRow};

/// Proposals of one host that are shown to people.
const PROPOSALS_SHOWN_MAX: usize = 40;

/// The request because of which this one was not run.
pub(super) fn duplicate_of(row: &RequestRow) -> Option<EnvelopeId> {
    match row.result.as_ref()?.outcome {
        Outcome::Refused(RefusedFor::DuplicateOf(first)) => Some(first),
        _ => None,
    }
}

pub(super) fn agent_text(text: &mut Lines, agent: &AgentActions) {
    text.add(format_args!("{}:", agent.label));
    if agent.actions.is_empty() {
        text.add("  its host has told of no actions");
    }
    for (name, action) in &agent.actions {
        let takes: Vec<_> = action.parameters.iter().map(takes_words).collect();
        let approvals = match action.approvals {
            0 => String::new(),
            1 => "; needs 1 approval".to_owned(),
            more => format!("; needs {more} approvals"),
        };
        text.add(format_args!(
            "  {name} {}  {}{approvals}",
            takes.join(" "),
            action.description
        ));
    }
    for row in &agent.requests {
        request_text(text, row, "  ");
    }
}

/// A parameter and what it takes, as people read it: `path=TEXT`, with the expression behind it.
fn takes_words(parameter: &Parameter) -> String {
    let takes = kind_words(&parameter.kind);
    match &parameter.default {
        Some(default) => format!("{}={takes} (else {default:?})", parameter.name),
        None => format!("{}={takes}", parameter.name),
    }
}

fn kind_words(kind: &ParameterKind) -> String {
    match kind {
        ParameterKind::Choice(choice) => choice.join("|"),
        ParameterKind::Integer { min, max } => format!("{min}..{max}"),
        ParameterKind::Text {
            pattern,
            len_bytes_max,
        } => {
            let room = format!("at most {len_bytes_max} bytes");
            match pattern.as_str() {
                ".*" | "(?s).*" => format!("TEXT ({room})"),
                pattern => format!("TEXT (as `{pattern}`, {room})"),
            }
        }
    }
}

/// Values as they are typed, each after a space.
fn values_words(values: &BTreeMap<String, String>) -> String {
    let values = values.iter().map(|(name, value)| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+".contains(c);
        if !value.is_empty() && value.chars().all(is_plain) {
            format!(" {name}={value}")
        } else {
            format!(" {name}={value:?}")
        }
    });
    values.collect()
}

/// What makes a verb that waited for a request end badly; none when nothing went wrong.
pub(super) fn fault_of(row: &RequestRow) -> Option<CliError> {
    match row.came() {
        Came::Expired => {
            return Some(CliError::NoAnswer {
                end: row.request.end,
            });
        }
        Came::Unheard(since) => return Some(CliError::Unheard { since }),
        _ => {}
    }
    let outcome = &row.result.as_ref()?.outcome;
    match outcome {
        Outcome::Exit(0) => None,
        Outcome::Refused(why) => Some(CliError::NotRun {
            reason: why.to_string(),
        }),
        failed => Some(CliError::RunFailed {
            reason: outcome_words(failed),
        }),
    }
}

pub(in crate::cli) fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exit(0) => "done".to_owned(),
        Outcome::Exit(code) => format!("failed with code {code}"),
        Outcome::Signal(signal) => format!("ended by signal {signal}"),
        Outcome::TimedOut => "took too long and was killed".to_owned(),
        Outcome::Refused(why) => format!("not run: {why}"),
        Outcome::Unknown => {
            "begun, and the agent ended before it knew how; it is not run again".to_owned()
        }
    }
}

/// What came of it; in a maintenance window two codes have a meaning of their own.
fn came_words(row: &RequestRow, outcome: &Outcome) -> String {
    match (row.maintenance, outcome) {
        (Some(_), Outcome::Exit(EXIT_POSTPONE)) => "postponed to the next window".to_owned(),
        (Some(_), Outcome::Exit(EXIT_RETRY)) => {
            "not done, and not tried again in this window".to_owned()
        }
        (_, outcome) => outcome_words(outcome),
    }
}

fn state_words(row: &RequestRow) -> String {
    match (&row.result, row.started) {
        (Some(result), _) => format!(
            "{} {}",
            came_words(row, &result.outcome),
            local(result.ended)
        ),
        (None, Some(_)) if row.waits_for_attempt().is_some() => {
            let times = count(usize::try_from(row.starts).unwrap_or(usize::MAX), "time");
            match row.came() {
                Came::Left => format!("tried {times}, and {}", unanswered_words(row)),
                _ => format!(
                    "tried {times}, again {}",
                    local(row.waits_for_attempt().unwrap_or_default())
                ),
            }
        }
        (None, Some(at)) => match row.came() {
            Came::Unheard(since) => format!("begun {}, and {}", local(at), unheard_words(since)),
            _ => format!("runs since {}{}", local(at), silent_words(row)),
        },
        (None, None) if row.read_at > row.request.end => unanswered_words(row),
        (None, None) if row.maintenance.is_some() => format!(
            "in the maintenance window from {} to {}",
            local(row.request.not_before),
            local(row.request.end)
        ),
        (None, None) if row.lacks > 0 => format!(
            "waits until {}: {} (`aramaki action approve`){}",
            local(row.request.end),
            lacks_words(row.lacks),
            silent_words(row)
        ),
        (None, None) => format!(
            "waits until {}{}",
            local(row.request.end),
            silent_words(row)
        ),
    }
}

/// Of a run that was begun, and of whose agent nothing came in time.
fn unheard_words(since: Timestamp) -> String {
    format!(
        "it is unknown whether and how it ended: its agent has not been heard since {}",
        local(since)
    )
}

/// Of a request whose agent is silent, and that is waited for.
fn silent_words(row: &RequestRow) -> String {
    let since = row.heard_until();
    since.map_or_else(String::new, |since| {
        format!("; its agent has not been heard since {}", local(since))
    })
}

/// What whoever is about to ask a silent agent is told.
pub(super) fn silent_agent_words(label: &str, since: Timestamp) -> String {
    format!(
        "{label} has not been heard since {}: it takes a request only if it comes back in time",
        local(since)
    )
}

/// Of a request whose time is over, and of which its agent said nothing: it cannot be approved any more.
fn unanswered_words(row: &RequestRow) -> String {
    let end = local(row.request.end);
    if row.is_over() {
        format!("expired {end}: the agent did not answer")
    } else {
        format!("its time was over {end}; the agent has not answered so far")
    }
}

/// How many have to agree still.
fn lacks_words(lacks: u32) -> String {
    match lacks {
        1 => "1 more has to agree".to_owned(),
        lacks => format!("{lacks} more have to agree"),
    }
}

/// A request as an entry of its System's timeline: at the time at which it was run, if it was.
pub(crate) fn timeline_row(live: &Live, system: SpaceId, row: &RequestRow) -> TimelineRow {
    let values = values_words(&row.request.arguments);
    let came = match (&row.result, row.started) {
        (Some(result), _) => came_words(row, &result.outcome),
        (None, Some(_)) if row.came() == Came::Left => unanswered_words(row),
        (None, Some(_)) if row.waits_for_attempt().is_some() => "is tried again".to_owned(),
        (None, Some(_)) => match row.came() {
            Came::Unheard(since) => format!("begun, and {}", unheard_words(since)),
            _ => "runs".to_owned(),
        },
        (None, None) if row.read_at > row.request.end => unanswered_words(row),
        (None, None) if row.lacks > 0 => format!(
            "asked for, waits until {}: {}",
            local(row.request.end),
            lacks_words(row.lacks)
        ),
        (None, None) => format!("asked for, waits until {}", local(row.request.end)),
    };
    TimelineRow {
        entry: None,
        at: row.started.unwrap_or(row.at),
        system,
        title: live.title(system).unwrap_or_else(|| system.short()),
        kind: "action",
        severity: None,
        text: format!(
            "{}{values}: {came}; {}{}",
            row.request.action,
            row.request.reason,
            for_alert(live, row)
        ),
        who: row.who.clone(),
    }
}

/// For which alert it was, if for one.
fn for_alert(live: &Live, row: &RequestRow) -> String {
    let about = row.request.alert;
    let about = about.map(|id| AboutAlert::of(&live.snapshot(), id));
    about.map_or_else(String::new, |it| {
        format!(" (for the alert {}, {})", it.name, it.id.short())
    })
}

/// A request in a list: who asked for what, who said what to it, what came of it, and what it said.
pub(super) fn request_text(text: &mut Lines, row: &RequestRow, indent: &str) {
    request_head(text, row, indent);
    output_text(text, row, indent);
}

/// The same without what it said.
pub(in crate::cli) fn request_head(text: &mut Lines, row: &RequestRow, indent: &str) {
    text.add(format_args!(
        "{indent}{}  {}{}  {}  {}: {}",
        row.id.to_string().get(..12).unwrap_or_default(),
        row.request.action,
        values_words(&row.request.arguments),
        local(row.at),
        row.who,
        row.request.reason
    ));
    for line in progress_words(row) {
        text.add(format_args!("{indent}  {line}"));
    }
}

/// Who said what to a request, and how it stands.
pub(super) fn progress_words(row: &RequestRow) -> Vec<String> {
    let said = row.said.iter().map(|(who, agrees)| {
        let word = if *agrees { "agrees" } else { "objects" };
        format!("{who} {word}")
    });
    said.chain(std::iter::once(state_words(row))).collect()
}

/// What was said by a run, or is heard of one that goes on.
fn output_text(text: &mut Lines, row: &RequestRow, indent: &str) {
    let heard = row.heard.after(0).map(|heard| heard.bytes);
    let tail = row.result.as_ref().map(|it| it.tail.as_slice());
    let output = tail.or(heard.as_deref()).unwrap_or_default();
    if tail.is_some() && answer_text(text, &row.request.action, output, indent) {
        return;
    }
    for line in String::from_utf8_lossy(output).lines() {
        text.add(format_args!("{indent}  | {line}"));
    }
}

/// What a host answered whom asked what could be looked at, or what was measured, in words: it is JSON for the
/// window. Whether it was that.
fn answer_text(text: &mut Lines, action: &str, output: &[u8], indent: &str) -> bool {
    match action {
        DISCOVER_ACTION => {
            let Ok(found) = Proposals::parse(output) else {
                return false;
            };
            let checks = count(found.checks.len(), "check");
            text.add(format_args!("{indent}  | {checks} could be added:"));
            for check in found.checks.iter().take(PROPOSALS_SHOWN_MAX) {
                text.add(format_args!("{indent}  |   {}", check.name));
            }
            let over = found.checks.len().saturating_sub(PROPOSALS_SHOWN_MAX);
            let over = u64::try_from(over)
                .unwrap_or(u64::MAX)
                .saturating_add(found.left_out);
            if over > 0 {
                text.add(format_args!("{indent}  |   … and {over} more"));
            }
            if !found.checks.is_empty() {
                text.add(format_args!(
                    "{indent}  | The window adds them, or `aramaki-agent discover` on the host prints them as a file."
                ));
            }
            true
        }
        SERIES_ACTION => {
            let Ok(said) = SeriesAnswer::parse(output) else {
                return false;
            };
            let series = count(said.series.len(), "metric");
            text.add(format_args!(
                "{indent}  | values of {series} were told (`aramaki-agent series` on the host prints them)"
            ));
            true
        }
        _ => false,
    }
}

/// All of one request.
pub(super) fn run_text(text: &mut Lines, (host, row): (&str, &RequestRow), with_output: bool) {
    let request = &row.request;
    let values = values_words(&request.arguments);
    text.add(format_args!("{}{values} on {host}", request.action));
    text.add(format_args!("request   {}", row.id));
    text.add(format_args!("asked     {} by {}", local(row.at), row.who));
    text.add(format_args!("why       {}", request.reason));
    text.add(format_args!("until     {}", local(request.end)));
    if let Some(alert) = request.alert {
        text.add(format_args!("for alert {}", alert.short()));
    }
    if let Some(before) = request.again {
        text.add(format_args!("again     after {}", before.short()));
    }
    for (who, agrees) in &row.said {
        let word = if *agrees { "agreed   " } else { "objected " };
        text.add(format_args!("{word} {who}"));
    }
    if let Some(at) = row.started {
        text.add(format_args!("began     {}", local(at)));
    }
    text.add(format_args!("state     {}", state_words(row)));
    if let Some(result) = &row.result {
        let took = result.ended.since(result.began);
        text.add(format_args!("took      {:.1} s", took.as_secs_f64()));
        let kept = u64::try_from(result.tail.len()).unwrap_or(u64::MAX);
        let left_out = match result.len_bytes.saturating_sub(kept) {
            0 => String::new(),
            over => format!(", the first {over} are not kept"),
        };
        text.add(format_args!(
            "output    {} bytes{left_out}",
            result.len_bytes
        ));
        let hash = data_encoding::HEXLOWER.encode(&result.hash);
        text.add(format_args!("blake3    {hash}"));
    }
    if with_output {
        output_text(text, row, "");
    }
}

pub(super) fn agent_json(agent: &AgentActions) -> Value {
    let actions = agent.actions.iter().map(|(name, action)| {
        json!({
            "name": name,
            "description": action.description,
            "definition": data_encoding::HEXLOWER.encode(&action.definition),
            "parameters": action.parameters.iter().map(|it| json!({
                "name": it.name,
                "takes": kind_words(&it.kind),
                "pattern": match &it.kind {
                    ParameterKind::Text { pattern, .. } => Some(pattern),
                    _ => None,
                },
                "default": it.default,
            })).collect::<Vec<_>>(),
            "approvals": action.approvals,
            "read_only": action.is_read_only,
        })
    });
    json!({
        "agent": agent.agent.to_string(),
        "label": agent.label,
        "unheard_since": agent.unheard.map(|at| at.to_string()),
        "actions": actions.collect::<Vec<_>>(),
        "requests": agent.requests.iter().map(request_json).collect::<Vec<_>>(),
    })
}

pub(in crate::cli) fn request_json(row: &RequestRow) -> Value {
    let result = row.result.as_ref().map(|it| {
        json!({
            "outcome": outcome_word(&it.outcome),
            "text": outcome_words(&it.outcome),
            "exit": match it.outcome { Outcome::Exit(code) => Some(code), _ => None },
            "began": it.began.to_string(),
            "ended": it.ended.to_string(),
            "output": String::from_utf8_lossy(&it.tail),
            "output_bytes": it.len_bytes,
            "output_blake3": data_encoding::HEXLOWER.encode(&it.hash),
        })
    });
    json!({
        "request": row.id.to_string(),
        "action": row.request.action,
        "arguments": row.request.arguments,
        "by": row.who,
        "at": row.at.to_string(),
        "not_before": row.request.not_before.to_string(),
        "end": row.request.end.to_string(),
        "maintenance": row.maintenance.map(|item| item.to_string()),
        "starts": row.starts,
        "again": row.request.again.map(|it| it.to_string()),
        "reason": row.request.reason,
        "alert": row.request.alert.map(|id| id.to_string()),
        "said": row.said.iter().map(|(who, agrees)| json!({"who": who, "agrees": agrees})).collect::<Vec<_>>(),
        "started": row.started.map(|at| at.to_string()),
        "state": row.came().word(),
        "agent_unheard_since": row.heard_until().map(|at| at.to_string()),
        "heard": row.heard.after(0).map(|it| String::from_utf8_lossy(&it.bytes).into_owned()),
        "result": result,
    })
}

const fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Exit(_) => "exit",
        Outcome::Signal(_) => "signal",
        Outcome::TimedOut => "timeout",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_discovery_found_is_told_in_words() {
        let said = json!({"schema": 1, "left_out": 2, "checks": [{
            "id": "01JD0000000000000000000001",
            "name": "disk /srv",
            "kind": {"builtin": {"systemd": {"units": []}}},
        }]});
        let words = |action: &str, output: &str| {
            let mut text = Lines::default();
            let is_told = answer_text(&mut text, action, output.as_bytes(), "");
            (is_told, text.into_text())
        };
        let (is_told, text) = words(DISCOVER_ACTION, &said.to_string());
        assert!(is_told);
        assert!(
            text.contains("1 check could be added") && text.contains("disk /srv"),
            "{text}"
        );
        assert!(text.contains("and 2 more") && !text.contains('{'), "{text}");
        // What is no answer is shown as it is, as is what other actions say.
        assert!(!words(DISCOVER_ACTION, "permission denied").0);
        assert!(!words("restart", &said.to_string()).0);
    }

    #[test]
    fn patterns_and_values_are_told_so_that_they_can_be_typed() {
        let text = |pattern: &str| Parameter {
            name: "path".to_owned(),
            kind: ParameterKind::Text {
                pattern: pattern.to_owned(),
                len_bytes_max: 200,
            },
            default: None,
        };
        let words = takes_words(&text("/[A-Za-z0-9/_-]*"));
        assert_eq!(
            words,
            "path=TEXT (as `/[A-Za-z0-9/_-]*`, at most 200 bytes)"
        );
        assert_eq!(
            takes_words(&text("(?s).*")),
            "path=TEXT (at most 200 bytes)"
        );
        let count = Parameter {
            name: "count".to_owned(),
            kind: ParameterKind::Integer { min: 1, max: 9 },
            default: Some("3".to_owned()),
        };
        assert_eq!(takes_words(&count), "count=1..9 (else \"3\")");
        let values = [("a", "/x-1"), ("b", "two words"), ("c", "")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            values_words(&values.into()),
            " a=/x-1 b=\"two words\" c=\"\""
        );
    }
}
