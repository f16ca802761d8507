//! One run of one check, from what is configured to an observation.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aramaki_model::evidence::WholeEvidence;
use aramaki_model::metric_rule::judged;
use aramaki_model::{Check, CheckKind, Exit, Observation, PluginOutput, Severity};
use aramaki_sync_core::Timestamp;

use crate::builtin::Builtins;
use crate::listen::statsd::Measured;
use crate::runner::{self, Plugin};

/// Where distributions install monitoring plugins.
pub const PLUGIN_FOLDERS: [&str; 5] = [
    "/usr/lib/nagios/plugins",
    "/usr/lib64/nagios/plugins",
    "/usr/local/lib/nagios/plugins",
    "/usr/lib/monitoring-plugins",
    "/usr/local/libexec/nagios",
];
/// No run takes longer, whatever a configuration says.
pub const TIMEOUT_MAX: Duration = Duration::from_mins(10);

/// How long a hook may gather evidence.
const HOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of it is told with the transition; the agent keeps the rest.
const EVIDENCE_LEN_BYTES_MAX: usize = 4 * 1024;

/// What stands where output of a program ends that said more than is read.
const DROPPED: &str = "\n… it said more: the rest was dropped";

/// Two texts, one after the other.
fn joined(one: &str, other: &str) -> String {
    let parts = [one.trim_end(), other].into_iter();
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// One result, and what is worth knowing about how it came about.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// The result.
    pub observation: Observation,
    /// How long the run took.
    pub took: Duration,
    /// The program that ran; none for a built-in check.
    pub program: Option<PathBuf>,
    /// What of the output was ignored, and why.
    pub findings: Vec<String>,
    /// All further lines, of which the result has the beginning; empty when it has all.
    pub whole: String,
}

impl Observed {
    /// A result of which nothing else is known.
    pub(crate) fn of(observation: Observation) -> Self {
        Self {
            observation,
            took: Duration::ZERO,
            program: None,
            findings: Vec::new(),
            whole: String::new(),
        }
    }

    /// The same with all further lines, of which the result has the beginning.
    pub(crate) fn with_whole(self, whole: String) -> Self {
        Self { whole, ..self }
    }

    /// The result, naming what the agent has to keep of its further lines, and that.
    pub(crate) fn into_parts(self) -> (Observation, Option<WholeEvidence>) {
        let mut observation = self.observation;
        let whole = WholeEvidence::of(&self.whole, &observation.detail);
        observation.evidence = whole.as_ref().map(|whole| whole.kept);
        (observation, whole)
    }
}

/// Runs checks on this machine.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    plugin_folders: Vec<PathBuf>,
    builtins: Builtins,
}

impl Observer {
    /// Looks plugins up by name in these folders, in order.
    pub fn new(plugin_folders: Vec<PathBuf>) -> Self {
        Self {
            plugin_folders,
            builtins: Builtins::default(),
        }
    }

    /// What programs on this machine send as `StatsD` has it: checks on it look here.
    pub(crate) fn measured(&self) -> &Measured {
        &self.builtins.measured
    }

    /// Whether a run of a check would say nothing yet.
    pub(crate) fn is_too_early(&self, check: &Check) -> bool {
        match &check.kind {
            CheckKind::Builtin(builtin) => self.builtins.is_too_early(builtin),
            CheckKind::Command { .. } | CheckKind::External {} => false,
        }
    }

    /// Runs a check once. Whatever goes wrong is an observation too, as is a check that cannot be meant:
    /// whoever wrote it, it is not run and says why.
    pub async fn observe(&self, check: &Check, now: Timestamp) -> Observed {
        let mut observed = self.run(check, now).await;
        observed.observation = judged(&check.metrics, observed.observation);
        observed
    }

    async fn run(&self, check: &Check, now: Timestamp) -> Observed {
        let started = Instant::now();
        if let Err(fault) = check.examine() {
            let summary = format!("not run: {fault}");
            let observation = Observation::of_builtin(check.id, now, Severity::Unknown, &summary);
            return Observed::of(observation);
        }
        let timeout = Duration::from_millis(check.timeout_ms).min(TIMEOUT_MAX);
        match &check.kind {
            CheckKind::External {} => {
                let summary = "its results are sent by other programs: nothing is run";
                Observed::of(Observation::of_builtin(
                    check.id,
                    now,
                    Severity::Unknown,
                    summary,
                ))
            }
            CheckKind::Builtin(builtin) => {
                let reading = self.builtins.run(builtin, timeout, now).await;
                let observation =
                    Observation::of_builtin(check.id, now, reading.severity, &reading.summary)
                        .with_detail(&reading.detail.join("\n"))
                        .with_metrics(reading.metrics);
                Observed {
                    took: started.elapsed(),
                    ..Observed::of(observation)
                }
            }
            CheckKind::Command { program, arguments } => {
                let Some(found) = self.find(program) else {
                    let exit = Exit::NotStarted(self.not_found(program));
                    let output = PluginOutput::parse(exit, b"", b"");
                    let observation = Observation::of_plugin(check.id, now, output);
                    return Observed {
                        took: started.elapsed(),
                        ..Observed::of(observation)
                    };
                };
                let arguments = arguments.iter().map(Into::into).collect();
                let run = runner::run(&Plugin {
                    program: found.clone(),
                    arguments,
                    timeout,
                })
                .await;
                let output = PluginOutput::parse(run.exit, &run.stdout, &run.stderr);
                let mut findings = output.findings.clone();
                let mut whole = output.whole.clone();
                if run.truncated {
                    findings.push("the output is too long: its end was dropped".to_owned());
                    whole.push_str(DROPPED);
                }
                let observation = Observation::of_plugin(check.id, now, output);
                Observed {
                    observation,
                    took: run.took,
                    program: Some(found),
                    findings,
                    whole,
                }
            }
        }
    }

    /// The same result with evidence, if a problem begins with it: what the check's hook prints.
    /// `before` is the state of the result before this one.
    pub async fn with_evidence(
        &self,
        check: &Check,
        mut observed: Observed,
        before: Severity,
    ) -> Observed {
        let is_bad = |severity| !matches!(severity, Severity::Ok | Severity::Missing);
        let Some(hook) = check.hook.as_ref().filter(|_hook| check.examine().is_ok()) else {
            return observed;
        };
        if is_bad(before) || !is_bad(observed.observation.severity) {
            return observed;
        }
        let evidence = match self.find(&hook.program) {
            None => self.not_found(&hook.program),
            Some(program) => {
                let run = runner::run(&Plugin {
                    program,
                    arguments: hook.arguments.iter().map(Into::into).collect(),
                    timeout: HOOK_TIMEOUT,
                })
                .await;
                let end = match run.exit {
                    Exit::Code(0) => String::new(),
                    exit => format!(" ({exit:?})"),
                };
                let said = [run.stdout, run.stderr]
                    .map(|said| String::from_utf8_lossy(&said).into_owned());
                let dropped = if run.truncated { DROPPED } else { "" };
                format!(
                    "{}{end}:\n{}{dropped}",
                    hook.program,
                    said.concat().trim_end()
                )
            }
        };
        let cut = evidence.floor_char_boundary(EVIDENCE_LEN_BYTES_MAX);
        let said = std::mem::take(&mut observed.observation.detail);
        if observed.whole.is_empty() {
            observed.whole.clone_from(&said);
        }
        observed.whole = joined(&observed.whole, &evidence);
        let detail = joined(&said, &evidence[..cut]);
        observed.observation = observed.observation.with_detail(&detail);
        observed
    }

    /// A path is taken as it is, a name is looked up; a relative path is refused, because it would
    /// mean another program in another folder.
    fn find(&self, program: &str) -> Option<PathBuf> {
        let path = Path::new(program);
        if path.is_absolute() {
            return Some(path.to_owned());
        }
        if program.is_empty() || program.contains('/') || program.contains('\\') {
            return None;
        }
        self.plugin_folders
            .iter()
            .map(|folder| folder.join(program))
            .find(|path| path.is_file())
    }

    fn not_found(&self, program: &str) -> String {
        let folders: Vec<_> = self
            .plugin_folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        if folders.is_empty() {
            return format!("{program} was not found: no plugin folders are configured");
        }
        format!("{program} was not found in {}", folders.join(", "))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::peer::is_there;
    use aramaki_model::{Builtin, CheckId, Hook, Thresholds};

    /// Lines of real plugins: exit code, a tab, the output.
    const REAL: &str = include_str!("../tests/plugin-output.txt");

    fn command(program: &str, arguments: &[&str]) -> Check {
        let arguments = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        let kind = CheckKind::Command {
            program: program.to_owned(),
            arguments,
        };
        Check::new(CheckId::from_bytes([1; 16]), "test", kind)
    }

    #[tokio::test]
    async fn a_check_that_cannot_be_meant_is_not_run_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("ran");
        let touch = command("touch", &[trace.to_str().unwrap()]);
        let hook = Hook {
            program: "touch".to_owned(),
            arguments: vec![trace.display().to_string()],
        };
        for (check, field) in [
            (
                Check {
                    interval_ms: 0,
                    hook: Some(hook),
                    ..touch.clone()
                },
                "interval_ms",
            ),
            (
                Check {
                    name: String::new(),
                    ..touch.clone()
                },
                "name",
            ),
            (command("touch", &["a\0"]), "kind.command.arguments[1]"),
        ] {
            let observed = observe(&check).await;
            let observer = Observer::new(vec![PathBuf::from("/usr/bin")]);
            let observed = observer.with_evidence(&check, observed, Severity::Ok).await;
            assert_eq!(observed.observation.severity, Severity::Unknown);
            let said = &observed.observation.summary;
            assert!(said.starts_with(&format!("not run: {field}: ")), "{said}");
        }
        assert!(!trace.exists());
    }

    async fn observe(check: &Check) -> Observed {
        let observer = Observer::new(vec![PathBuf::from("/bin"), PathBuf::from("/usr/bin")]);
        observer.observe(check, Timestamp::from_millis(7)).await
    }

    #[tokio::test]
    async fn a_hook_gathers_evidence_when_a_problem_begins_and_only_then() {
        let hook = |script: &str| Hook {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
        };
        let check = |code: &str, script: &str| Check {
            hook: Some(hook(script)),
            ..command("sh", &["-c", "echo said; exit \"$0\"", code])
        };
        let detail = async |check: Check, before| {
            let observer = Observer::new(vec![PathBuf::from("/bin"), PathBuf::from("/usr/bin")]);
            let observed = observe(&check).await;
            let observed = observer.with_evidence(&check, observed, before).await;
            observed.observation.detail
        };
        let began = detail(check("2", "echo who; echo why >&2; exit 3"), Severity::Ok).await;
        assert_eq!(began, "sh (Code(3)):\nwho\nwhy");
        assert!(
            detail(check("1", "echo x"), Severity::Missing)
                .await
                .contains('x')
        );
        for (code, before) in [("0", Severity::Ok), ("2", Severity::Warning)] {
            assert_eq!(detail(check(code, "echo x"), before).await, "");
        }
        let long = detail(check("2", "yes ü | head -c 100000"), Severity::Ok).await;
        assert!(long.len() <= EVIDENCE_LEN_BYTES_MAX && long.len() > 4_000);
    }

    #[tokio::test]
    async fn real_plugin_output_passes_through_unchanged() {
        let mut seen = 0;
        for line in REAL.lines().filter(|line| !line.starts_with('#')) {
            let (code, text) = line.split_once('\t').unwrap();
            let check = command(
                "sh",
                &["-c", "printf '%s\\n' \"$1\"; exit \"$0\"", code, text],
            );
            let observed = observe(&check).await;
            let code: i32 = code.parse().unwrap();
            assert_eq!(observed.observation.raw_exit, Some(Exit::Code(code)));
            assert_eq!(
                observed.observation.severity,
                Severity::from_exit_code(code)
            );
            assert_eq!(
                observed.observation.summary,
                text.split('|').next().unwrap().trim()
            );
            assert_eq!(
                observed.observation.metrics.is_empty(),
                !text.contains('|'),
                "{text}"
            );
            assert_eq!(observed.findings, [] as [String; 0], "{text}");
            seen += 1;
        }
        assert_eq!(seen, 5);
    }

    #[tokio::test]
    async fn odd_exit_codes_are_unknown_and_keep_their_code() {
        for (script, exit) in [
            ("exit 4", Exit::Code(4)),
            ("exit 255", Exit::Code(255)),
            ("kill -9 $$", Exit::Signal(9)),
        ] {
            let observed = observe(&command("sh", &["-c", script])).await;
            assert_eq!(observed.observation.severity, Severity::Unknown, "{script}");
            assert_eq!(observed.observation.raw_exit, Some(exit), "{script}");
        }
    }

    #[tokio::test]
    async fn a_plugin_out_of_time_is_unknown_with_what_it_said() {
        let mut check = command("sh", &["-c", "echo half; sleep 300"]);
        check.timeout_ms = 300;
        let observed = observe(&check).await;
        assert_eq!(observed.observation.raw_exit, Some(Exit::TimedOut));
        assert_eq!(observed.observation.summary, "timed out: half");
    }

    #[tokio::test]
    async fn missing_and_relative_programs_say_where_was_looked() {
        for (program, words) in [
            ("check_nothing", "not found in /bin, /usr/bin"),
            ("./check", "an absolute path, or a name"),
        ] {
            let observed = observe(&command(program, &[])).await;
            assert_eq!(observed.observation.severity, Severity::Unknown);
            assert!(
                observed.observation.summary.contains(words),
                "{}",
                observed.observation.summary
            );
        }
    }

    #[tokio::test]
    async fn a_built_in_check_has_no_exit_and_keeps_its_thresholds() {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::below(-1.0, -2.0)));
        let observed = observe(&Check::new(CheckId::from_bytes([2; 16]), "uptime", kind)).await;
        assert_eq!(observed.observation.raw_exit, None);
        assert_eq!(observed.observation.severity, Severity::Ok);
        assert!(
            observed.observation.metrics[0]
                .to_string()
                .ends_with("s;-1:;-2:;0")
        );
    }

    #[tokio::test]
    async fn installed_monitoring_plugins_run_unchanged() {
        if !is_there(Path::new("/usr/lib/nagios/plugins/check_load")) {
            return;
        }
        let observer = Observer::new(PLUGIN_FOLDERS.map(PathBuf::from).to_vec());
        let check = command(
            "check_load",
            &["-w", "1000,1000,1000", "-c", "2000,2000,2000"],
        );
        let observed = observer.observe(&check, Timestamp::ZERO).await;
        assert_eq!(observed.observation.severity, Severity::Ok);
        let mut metrics = observed.observation.metrics.iter();
        assert!(metrics.any(|metric| metric.label == "load1"));
    }
}
