//! One result of a check.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::evidence::KeptEvidence;
use crate::id::CheckId;
use crate::perfdata::Metric;
use crate::plugin_output::{DETAIL_LEN_BYTES_MAX, Exit, PluginOutput, SUMMARY_LEN_BYTES_MAX};
use crate::severity::Severity;
use crate::text::{clean, clean_line};

/// One result of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Of which check.
    pub check: CheckId,
    /// When it was made, by the agent's clock.
    pub at: Timestamp,
    /// What it says.
    pub severity: Severity,
    /// How the process ended; none for a built-in check.
    pub raw_exit: Option<Exit>,
    /// One line.
    pub summary: String,
    /// Further lines.
    pub detail: String,
    /// Measured values.
    pub metrics: Vec<Metric>,
    /// What stands for the whole of the further lines, if `detail` is only their beginning.
    #[serde(skip)]
    pub evidence: Option<KeptEvidence>,
}

impl Observation {
    /// The result of a plugin.
    pub fn of_plugin(check: CheckId, at: Timestamp, output: PluginOutput) -> Self {
        Self {
            check,
            at,
            severity: output.severity,
            raw_exit: Some(output.exit),
            summary: output.summary,
            detail: output.detail,
            metrics: output.metrics,
            evidence: None,
        }
    }

    /// The result of a built-in check.
    pub fn of_builtin(check: CheckId, at: Timestamp, severity: Severity, summary: &str) -> Self {
        Self {
            check,
            at,
            severity,
            raw_exit: None,
            summary: clean_line(summary, SUMMARY_LEN_BYTES_MAX),
            detail: String::new(),
            metrics: Vec::new(),
            evidence: None,
        }
    }

    /// The same with further lines.
    #[must_use]
    pub fn with_detail(mut self, detail: &str) -> Self {
        self.detail = clean(detail, DETAIL_LEN_BYTES_MAX);
        self
    }

    /// The same with measured values.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Vec<Metric>) -> Self {
        self.metrics = metrics;
        self.metrics.truncate(crate::perfdata::METRICS_MAX);
        self
    }
}
