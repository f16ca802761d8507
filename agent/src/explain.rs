//! One run of a check, explained: what came out, what was read of it, and what it would mean.

use std::fmt::Write as _;

use aramaki_model::{Check, CheckKind, CheckState, Hardness, Metric, Observation, Severity};
use serde::Serialize;

use crate::builtin;
use crate::observe::Observed;

/// Where a check was configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// In the agent's own file.
    File,
    /// On the System, by an administrator.
    System,
}

impl Origin {
    const fn words(self) -> &'static str {
        match self {
            Self::File => "from the agent's file",
            Self::System => "from the System",
        }
    }
}

/// A run and everything said about it.
#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    schema: u32,
    check: &'a Check,
    origin: Origin,
    at: String,
    took_ms: u128,
    program: Option<String>,
    result: &'a Observation,
    judged: Vec<Judged>,
    ignored: &'a [String],
    meaning: String,
}

/// A metric held against its own thresholds.
#[derive(Debug, Serialize)]
struct Judged {
    metric: String,
    severity: Severity,
    words: String,
}

impl<'a> Explanation<'a> {
    /// Explains a run, given the state that the check had before it.
    pub fn new(
        check: &'a Check,
        origin: Origin,
        observed: &'a Observed,
        before: Option<&CheckState>,
    ) -> Self {
        Self {
            schema: 1,
            check,
            origin,
            at: observed.observation.at.to_string(),
            took_ms: observed.took.as_millis(),
            program: observed
                .program
                .as_ref()
                .map(|path| path.display().to_string()),
            judged: observed.observation.metrics.iter().map(judge).collect(),
            result: &observed.observation,
            ignored: &observed.findings,
            meaning: meaning(check, before, &observed.observation),
        }
    }

    /// The explanation for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let mut lines = value.lines();
            let _infallible = writeln!(text, "{name:<9} {}", lines.next().unwrap_or_default());
            for more in lines {
                let _infallible = writeln!(text, "          {more}");
            }
        };
        line(
            "check",
            &format!(
                "{} ({}, {})",
                self.check.name,
                what(&self.check.kind),
                self.origin.words()
            ),
        );
        line(
            "result",
            &format!(
                "{} after {} ms",
                self.result.severity.word().to_uppercase(),
                self.took_ms
            ),
        );
        if let Some(program) = &self.program {
            line("program", program);
        }
        if let Some(exit) = &self.result.raw_exit {
            let contract = if exit.is_contract() {
                ""
            } else {
                ": outside the plugin contract, so UNKNOWN"
            };
            line("exit", &format!("{exit}{contract}"));
        }
        line("summary", &self.result.summary);
        if !self.result.detail.is_empty() {
            line("detail", &self.result.detail);
        }
        for judged in &self.judged {
            line("metric", &judged.words);
        }
        for ignored in self.ignored {
            line("ignored", ignored);
        }
        line("meaning", &self.meaning);
        text
    }
}

/// What a check looks at, in a word or two.
pub(crate) fn what(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Command { program, .. } => format!("plugin {program}"),
        CheckKind::Builtin(kind) => format!("built-in {}", builtin::word(kind)),
        CheckKind::External {} => "external".to_owned(),
    }
}

fn judge(metric: &Metric) -> Judged {
    let alerts = |range: Option<aramaki_model::Range>| {
        range
            .zip(metric.value)
            .is_some_and(|(range, value)| range.alerts(value))
    };
    let severity = match () {
        () if metric.value.is_none() => Severity::Unknown,
        () if alerts(metric.critical) => Severity::Critical,
        () if alerts(metric.warning) => Severity::Warning,
        () => Severity::Ok,
    };
    let value = metric.value.map_or_else(
        || "not known".to_owned(),
        |value| format!("{value}{}", metric.unit),
    );
    let mut words = format!("{} = {value}", metric.label);
    for (name, range) in [("warning", metric.warning), ("critical", metric.critical)] {
        if let Some(range) = range {
            let _infallible = write!(words, ", {name} {}", range_words(range));
        }
    }
    if severity != Severity::Ok {
        let _infallible = write!(words, ": {severity}");
    }
    Judged {
        metric: metric.to_string(),
        severity,
        words,
    }
}

/// A range in words: Nagios' own notation is short, not clear.
fn range_words(range: aramaki_model::Range) -> String {
    let (start, end) = (range.start(), range.end());
    match (range.is_inside(), start.is_finite(), end.is_finite()) {
        (true, ..) => format!("from {start} to {end} ({range})"),
        (false, true, false) => format!("below {start} ({range})"),
        (false, false, true) => format!("above {end} ({range})"),
        (false, false, false) => format!("never ({range})"),
        (false, true, true) if start == 0.0 => format!("above {end}"),
        (false, true, true) => format!("below {start} or above {end} ({range})"),
    }
}

/// What the running agent would make of this result.
fn meaning(check: &Check, before: Option<&CheckState>, observation: &Observation) -> String {
    let mut state = before.cloned().unwrap_or_else(|| CheckState::new(check.id));
    let was = state.hard;
    let transition = state.observe(check, observation);
    let now = observation.severity;
    match transition {
        None if state.is_soft() => format!(
            "still {now}, attempt {} of {}: it does not count yet, {was} does; next run in {}",
            state.attempt,
            check.attempts,
            seconds(state.next_interval_ms(check))
        ),
        None => format!("still {now}, as before: nothing enters the journal"),
        Some(transition) if transition.from == Severity::Missing => {
            format!("the first result: missing becomes {now} at once, and that enters the journal")
        }
        Some(transition) if transition.hardness == Hardness::Soft && now.is_ok() => {
            format!(
                "{now} again before the problem counted; this enters the journal as a soft change"
            )
        }
        Some(transition) if transition.hardness == Hardness::Soft => format!(
            "{} becomes {now}, attempt {} of {}: a soft change enters the journal, {was} still counts; next run in {}",
            transition.from,
            transition.attempt,
            transition.attempts,
            seconds(state.next_interval_ms(check))
        ),
        Some(transition) => format!(
            "{} becomes {now}: it counts, and that enters the journal",
            transition.from
        ),
    }
}

fn seconds(millis: u64) -> String {
    format!("{} s", millis / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::{CheckId, Exit, PluginOutput};
    use aramaki_sync_core::Timestamp;
    use std::time::Duration;

    fn explain(code: i32, output: &str, before: &[Severity]) -> String {
        let kind = CheckKind::Command {
            program: "check_load".to_owned(),
            arguments: Vec::new(),
        };
        let check = Check {
            attempts: 2,
            ..Check::new(CheckId::from_bytes([1; 16]), "load", kind)
        };
        let mut state = CheckState::new(check.id);
        for severity in before {
            state.observe(
                &check,
                &Observation::of_builtin(check.id, Timestamp::ZERO, *severity, ""),
            );
        }
        let output = PluginOutput::parse(Exit::Code(code), output.as_bytes(), b"");
        let findings = output.findings.clone();
        let observation = Observation::of_plugin(check.id, Timestamp::ZERO, output);
        let observed = Observed {
            observation,
            took: Duration::from_millis(3),
            program: None,
            findings,
            whole: String::new(),
        };
        Explanation::new(&check, Origin::File, &observed, Some(&state)).to_text()
    }

    #[test]
    fn a_result_is_explained_with_its_metrics_thresholds_and_meaning() {
        let text = explain(2, "LOAD CRITICAL|load1=16.340;5.000;10.000;0; junk", &[]);
        let expected = "check     load (plugin check_load, from the agent's file)\n\
            result    CRITICAL after 3 ms\n\
            exit      exit code 2\n\
            summary   LOAD CRITICAL\n\
            metric    load1 = 16.34, warning above 5, critical above 10: critical\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains("ignored   ") && text.contains("junk"),
            "{text}"
        );
        assert!(
            text.contains("meaning   the first result: missing becomes critical at once"),
            "{text}"
        );
    }

    #[test]
    fn the_meaning_follows_the_state_before() {
        use Severity::{Critical, Ok};
        let meaning = |code, before: &[Severity]| {
            explain(code, "x", before)
                .lines()
                .last()
                .unwrap()
                .to_owned()
        };
        assert!(meaning(0, &[Ok]).contains("still ok, as before"));
        assert!(meaning(2, &[Ok]).contains(
            "attempt 1 of 2: a soft change enters the journal, ok still counts; next run in 20 s"
        ));
        assert!(meaning(2, &[Ok, Critical]).contains("ok becomes critical: it counts"));
        assert!(meaning(0, &[Ok, Critical]).contains("ok again before the problem counted"));
        assert!(
            explain(7, "x", &[]).contains("exit code 7: outside the plugin contract, so UNKNOWN")
        );
    }
}
