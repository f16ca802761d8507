//! What a Nagios plugin printed and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::perfdata::{self, Metric};
use crate::severity::Severity;
use crate::text::{clean, clean_line};

/// How long a summary may be.
pub const SUMMARY_LEN_BYTES_MAX: usize = 512;
/// How long the long text kept with a transition may be.
pub const DETAIL_LEN_BYTES_MAX: usize = 4 * 1_024;

/// How a check's process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ran longer than allowed and was killed.
    TimedOut,
    /// It could not be started; the reason.
    NotStarted(String),
}

impl Exit {
    /// What this end alone says.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Code(code) => Severity::from_exit_code(*code),
            Self::Signal(_) | Self::TimedOut | Self::NotStarted(_) => Severity::Unknown,
        }
    }

    /// Whether it is one of the four codes of the plugin contract.
    pub const fn is_contract(&self) -> bool {
        matches!(self, Self::Code(0..=3))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted(reason) => write!(f, "could not be started: {reason}"),
        }
    }
}

/// A plugin's result, read.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginOutput {
    /// What the exit says.
    pub severity: Severity,
    /// How it ended.
    pub exit: Exit,
    /// The first line, up to `|`; never empty.
    pub summary: String,
    /// Further lines; after an exit outside the contract also what was written to stderr.
    pub detail: String,
    /// The same whole, as it was printed.
    pub whole: String,
    /// Performance data of the first line and of the long part.
    pub metrics: Vec<Metric>,
    /// What was ignored, and why.
    pub findings: Vec<String>,
}

impl PluginOutput {
    /// Reads a plugin's output; bytes that are not UTF-8 are replaced. Output of any size and
    /// content is accepted: text is cut to its limits, metrics are bounded.
    pub fn parse(exit: Exit, stdout: &[u8], stderr: &[u8]) -> Self {
        let stdout = String::from_utf8_lossy(stdout);
        let stderr = String::from_utf8_lossy(stderr);
        let mut lines = stdout.lines();
        let first = lines.next().unwrap_or_default();
        let (summary, mut perfdata) = match first.split_once('|') {
            Some((summary, perfdata)) => (summary, perfdata.to_owned()),
            None => (first, String::new()),
        };
        let mut detail = String::new();
        let mut in_perfdata = false;
        for line in lines {
            if in_perfdata {
                perfdata.push(' ');
                perfdata.push_str(line);
            } else if let Some((text, data)) = line.split_once('|') {
                in_perfdata = true;
                detail.push_str(text);
                perfdata.push(' ');
                perfdata.push_str(data);
            } else {
                detail.push_str(line);
                detail.push('\n');
            }
        }
        if !exit.is_contract() && !stderr.trim().is_empty() {
            detail.push_str("stderr: ");
            detail.push_str(&stderr);
        }
        let read = perfdata::parse(&perfdata);
        Self {
            severity: exit.severity(),
            summary: summary_of(&exit, summary, &stderr),
            detail: clean(detail.trim_end(), DETAIL_LEN_BYTES_MAX),
            whole: detail,
            metrics: read.metrics,
            findings: read.findings,
            exit,
        }
    }
}

/// The first line, or else the first line of stderr, or else how the process ended. An end
/// outside the plugin contract is always named.
fn summary_of(exit: &Exit, summary: &str, stderr: &str) -> String {
    // Cleaned first: a line of control characters says nothing.
    let said = |line: &str| {
        let line = clean_line(line.trim(), SUMMARY_LEN_BYTES_MAX);
        (!line.trim().is_empty()).then_some(line)
    };
    let said = said(summary).or_else(|| stderr.lines().find_map(said));
    let text = match (said, exit.is_contract()) {
        (Some(said), true) => said,
        (Some(said), false) => format!("{exit}: {said}"),
        (None, true) => format!("no output ({exit})"),
        (None, false) => exit.to_string(),
    };
    clean_line(&text, SUMMARY_LEN_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(code: i32, stdout: &str) -> PluginOutput {
        PluginOutput::parse(Exit::Code(code), stdout.as_bytes(), b"")
    }

    #[test]
    fn a_line_of_control_characters_says_nothing() {
        assert_eq!(parse(2, "\u{2}\u{7}").summary, "no output (exit code 2)");
        assert_eq!(parse(0, "\u{1b}OK").summary, "OK");
    }

    #[test]
    fn real_plugins_lines_are_read() {
        let disk = parse(
            0,
            "DISK OK - free space: / 69228MiB (74% inode=96%);| /=24981274624B;243497277849;257024904396;0;270552530944\n",
        );
        assert_eq!(disk.severity, Severity::Ok);
        assert_eq!(
            disk.summary,
            "DISK OK - free space: / 69228MiB (74% inode=96%);"
        );
        assert_eq!(disk.metrics.len(), 1);
        let refused = parse(
            2,
            "connect to address 127.0.0.1 and port 1: Connection refused\n",
        );
        assert_eq!(refused.severity, Severity::Critical);
        assert!(refused.metrics.is_empty() && refused.findings.is_empty());
    }

    #[test]
    fn performance_data_follows_both_pipes() {
        let read = parse(1, "summary | a=1\nlong one\nlong two | b=2\nc=3\n");
        assert_eq!(read.summary, "summary");
        assert_eq!(read.detail, "long one\nlong two");
        let labels: Vec<_> = read.metrics.iter().map(|m| m.label.as_str()).collect();
        assert_eq!(labels, ["a", "b", "c"]);
    }

    #[test]
    fn other_ends_are_unknown_and_keep_code_signal_and_stderr() {
        let read = PluginOutput::parse(Exit::Code(127), b"", b"sh: check_x: not found\n");
        assert_eq!(read.severity, Severity::Unknown);
        assert_eq!(read.exit, Exit::Code(127));
        assert_eq!(read.summary, "exit code 127: sh: check_x: not found");
        assert_eq!(read.detail, "stderr: sh: check_x: not found");
        let killed = PluginOutput::parse(Exit::TimedOut, b"half a li", b"");
        assert_eq!(killed.summary, "timed out: half a li");
        assert_eq!(parse(0, "").summary, "no output (exit code 0)");
    }

    #[test]
    fn bytes_and_sizes_of_any_kind_are_bounded() {
        let huge = vec![0xff; 1 << 20];
        let read = PluginOutput::parse(Exit::Code(0), &huge, &huge);
        assert!(read.summary.len() <= SUMMARY_LEN_BYTES_MAX);
        let long = "x\n".repeat(1 << 19);
        let read = PluginOutput::parse(Exit::Signal(9), long.as_bytes(), long.as_bytes());
        assert!(read.detail.len() <= DETAIL_LEN_BYTES_MAX);
    }
}
