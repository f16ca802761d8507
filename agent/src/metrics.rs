//! The Prometheus text of `/metrics`: what the agent does, and the age and state of each of its checks.

use std::fmt::Write as _;

use aramaki_model::{CheckId, Severity};
use aramaki_sync_core::Timestamp;

/// What is counted since the agent runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Runs of checks that ended.
    pub(crate) runs: u64,
    /// Results of others that were taken in, and that were not.
    pub(crate) external: u64,
    pub(crate) refused: u64,
    /// Results that changed a state.
    pub(crate) transitions: u64,
    /// Entries that are durable in the journal, and that were given up because too many waited.
    pub(crate) written: u64,
    pub(crate) lost: u64,
    /// Writes of the journal that failed and are tried again.
    pub(crate) retries: u64,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckFigures {
    pub(crate) id: CheckId,
    pub(crate) name: String,
    /// The last result, and when; none before the first.
    pub(crate) last: Option<(Timestamp, Severity)>,
}

/// All that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) now: Timestamp,
    pub(crate) started: Timestamp,
    pub(crate) generation: u64,
    pub(crate) counts: Counts,
    /// Checks that run now.
    pub(crate) running: usize,
    /// Entries that are not durable yet.
    pub(crate) pending: usize,
    /// Messages of others that were not looked at yet.
    pub(crate) arrivals: usize,
    pub(crate) checks: Vec<CheckFigures>,
}

/// Renders everything in Prometheus' text format.
pub(crate) fn render(figures: &Figures) -> String {
    let mut text = Text::default();
    let version = format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    text.head("aramaki_agent_build_info", "The running version.", "gauge");
    text.line("aramaki_agent_build_info", &version, 1);
    gauges(&mut text, figures);
    counters(&mut text, figures);
    results(&mut text, figures);
    text.0
}

fn gauges(text: &mut Text, figures: &Figures) {
    let up = seconds(figures.now, figures.started);
    let gauges = [
        ("up", "It works: it answered.", 1),
        ("uptime_seconds", "How long it runs.", up),
        (
            "config_generation",
            "The System's configuration that it works by.",
            figures.generation,
        ),
        (
            "checks",
            "Checks that it knows.",
            count(figures.checks.len()),
        ),
        (
            "checks_running",
            "Checks that run now.",
            count(figures.running),
        ),
        (
            "pending_entries",
            "Entries that are not in the journal yet.",
            count(figures.pending),
        ),
        (
            "waiting_messages",
            "Messages of others that wait to be taken in.",
            count(figures.arrivals),
        ),
    ];
    for (name, help, value) in gauges {
        text.whole(&format!("aramaki_agent_{name}"), help, "gauge", value);
    }
}

fn counters(text: &mut Text, figures: &Figures) {
    let counts = &figures.counts;
    let counters = [
        ("runs", "Runs of checks that ended.", counts.runs),
        (
            "external_results",
            "Results of other programs that were taken in.",
            counts.external,
        ),
        (
            "external_refused",
            "Results of other programs that were refused.",
            counts.refused,
        ),
        (
            "transitions",
            "Results that changed a state.",
            counts.transitions,
        ),
        (
            "entries_written",
            "Entries that are durable in the journal.",
            counts.written,
        ),
        (
            "entries_lost",
            "Entries given up because too many waited.",
            counts.lost,
        ),
        (
            "journal_retries",
            "Writes of the journal that failed and are tried again.",
            counts.retries,
        ),
    ];
    for (name, help, value) in counters {
        text.whole(
            &format!("aramaki_agent_{name}_total"),
            help,
            "counter",
            value,
        );
    }
}

/// The last result of each check that has one.
fn results(text: &mut Text, figures: &Figures) {
    let told = figures
        .checks
        .iter()
        .filter_map(|check| Some((check, check.last?)));
    let told: Vec<_> = told.collect();
    let age = "aramaki_agent_check_last_result_age_seconds";
    text.head(age, "How long ago the last result of a check was.", "gauge");
    for (check, (at, _)) in &told {
        text.line(age, &labels(check), seconds(figures.now, *at));
    }
    let state = "aramaki_agent_check_state";
    let help = "The last result as a plugin says it: 0 OK, 1 warning, 2 critical, 3 unknown.";
    text.head(state, help, "gauge");
    for (check, (_, severity)) in &told {
        let code = u64::try_from(severity.exit_code()).unwrap_or(3);
        text.line(state, &labels(check), code);
    }
}

/// Names may be equal: the id tells them apart.
fn labels(check: &CheckFigures) -> String {
    let name = check.name.replace('\\', "\\\\").replace('"', "\\\"");
    // Names are one line each where they are read; what is not would break the whole page.
    let name = name.replace(char::is_control, " ");
    format!("{{check=\"{name}\",id=\"{}\"}}", check.id)
}

fn seconds(now: Timestamp, then: Timestamp) -> u64 {
    now.since(then).as_secs()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn whole(&mut self, name: &str, help: &str, kind: &str, value: u64) {
        self.head(name, help, kind);
        self.line(name, "", value);
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a String cannot fail.
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: u64) {
        _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_its_help_and_type_once_and_a_name_breaks_no_line() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let check = |n: u8, name: &str, last| CheckFigures {
            id: CheckId::from_bytes([n; 16]),
            name: name.to_owned(),
            last,
        };
        let figures = Figures {
            now: at(100),
            started: at(40),
            generation: 3,
            counts: Counts {
                runs: 7,
                ..Counts::default()
            },
            running: 1,
            pending: 2,
            arrivals: 4,
            checks: vec![
                check(1, "a \\ \"b\"\nc", Some((at(90), Severity::Critical))),
                check(2, "new", None),
                // A clock that went back makes no age below nothing.
                check(3, "ahead", Some((at(200), Severity::Ok))),
            ],
        };
        let text = render(&figures);
        for line in [
            "aramaki_agent_uptime_seconds 60",
            "aramaki_agent_checks 3",
            "aramaki_agent_runs_total 7",
            "aramaki_agent_pending_entries 2",
            "aramaki_agent_waiting_messages 4",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
        }
        let id = CheckId::from_bytes([1; 16]);
        let series = format!("{{check=\"a \\\\ \\\"b\\\" c\",id=\"{id}\"}}");
        let age = format!("\naramaki_agent_check_last_result_age_seconds{series} 10\n");
        assert!(text.contains(&age), "{text}");
        assert!(
            text.contains(&format!("_check_state{series} 2\n")),
            "{text}"
        );
        assert!(!text.contains("new"), "{text}");
        let ahead = text.lines().find(|line| line.contains("ahead"));
        assert!(ahead.is_some_and(|line| line.ends_with(" 0")), "{text}");
        let mut series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let all = series.len();
        for line in &series {
            let name = line.split(['{', ' ']).next().unwrap();
            let types = text.matches(&format!("# TYPE {name} ")).count();
            assert_eq!(types, 1, "{line}");
        }
        series.sort_unstable();
        series.dedup_by_key(|line| line.rsplit_once(' ').map(|(series, _)| series));
        assert_eq!(series.len(), all);
    }
}
