//! A result that another program on this machine found.

use aramaki_model::check_fault::{CHECK_NAME_LEN_CHARS_MAX, SPAN_MAX_MS};
use aramaki_model::plugin_output::DETAIL_LEN_BYTES_MAX;
use aramaki_model::{CheckId, Exit, Metric, Observation, PluginOutput, Severity};
use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Results that one message may bring.
pub const RESULTS_MAX: usize = 1_000;
/// Bytes of one message.
pub const MESSAGE_LEN_BYTES_MAX: usize = 1024 * 1024;
/// What is told late counts for when it was found, up to this long ago.
const LATE_MS_MAX: i64 = 86_400_000;

/// Why a message is no result.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultError {
    /// It is no JSON, or not of this form.
    #[error("not a result: {0}")]
    Form(String),
    /// A field cannot be meant.
    #[error("{field}: {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is expected there.
        expected: String,
    },
    /// There are too many in it.
    #[error("more than {RESULTS_MAX} results in one message")]
    TooMany,
}

/// A result that another program on this machine found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExternalResult {
    /// What makes it the same check the next time; for most their name.
    pub key: String,
    /// What people call the check.
    pub name: String,
    /// What it is about, if that is not this machine.
    pub about: Option<String>,
    /// What was found.
    pub said: Said,
    /// Values that came apart from the words.
    pub metrics: Vec<Metric>,
    /// When it was found, in Unix milliseconds; none: now.
    pub at: Option<Timestamp>,
    /// Milliseconds after which silence means that nothing is known any more.
    pub ttl_ms: Option<u64>,
    /// Until when it holds if nothing more is said of it; then it is over.
    pub ends: Option<Timestamp>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// As a plugin says it.
    Plugin {
        /// Its exit code.
        status: i32,
        /// What it printed.
        output: String,
    },
    /// As an alert says it.
    Alert {
        /// How bad it is.
        severity: Severity,
        /// One line.
        summary: String,
        /// More lines.
        detail: String,
    },
}

impl ExternalResult {
    /// The result as an observation of the check that it belongs to.
    pub fn observation(&self, check: CheckId, now: Timestamp) -> Observation {
        let at = self.at.map_or(now, |at| {
            let earliest = now.millis().saturating_sub(LATE_MS_MAX);
            Timestamp::from_millis(at.millis().clamp(earliest, now.millis()))
        });
        let mut observation = match &self.said {
            Said::Plugin { status, output } => {
                let output = PluginOutput::parse(Exit::Code(*status), output.as_bytes(), b"");
                Observation::of_plugin(check, at, output)
            }
            Said::Alert {
                severity,
                summary,
                detail,
            } => Observation::of_builtin(check, at, *severity, summary).with_detail(detail),
        };
        let mut metrics = std::mem::take(&mut observation.metrics);
        metrics.extend(self.metrics.iter().cloned());
        observation.with_metrics(metrics)
    }
}

impl ExternalResult {
    /// All further lines, of which the observation has the beginning; empty when it has all.
    pub(crate) fn whole(&self) -> String {
        match &self.said {
            Said::Plugin { status, output } if output.len() > DETAIL_LEN_BYTES_MAX => {
                PluginOutput::parse(Exit::Code(*status), output.as_bytes(), b"").whole
            }
            Said::Alert { detail, .. } if detail.len() > DETAIL_LEN_BYTES_MAX => detail.clone(),
            Said::Plugin { .. } | Said::Alert { .. } => String::new(),
        }
    }
}

/// A name that a check can have.
pub(super) fn name(field: &'static str, text: &str) -> Result<String, ResultError> {
    let text = text.trim();
    let is_name = !text.is_empty()
        && text.chars().count() <= CHECK_NAME_LEN_CHARS_MAX
        && !text.chars().any(aramaki_model::is_deceptive);
    if is_name {
        return Ok(text.to_owned());
    }
    Err(ResultError::Field {
        field,
        expected: format!("a name of 1 to {CHECK_NAME_LEN_CHARS_MAX} characters is expected"),
    })
}

/// A time to live in seconds; 0 is none.
pub(super) fn ttl_ms(field: &'static str, seconds: i64) -> Result<Option<u64>, ResultError> {
    let millis = u64::try_from(seconds)
        .ok()
        .and_then(|it| it.checked_mul(1_000));
    match millis {
        Some(0) => Ok(None),
        Some(millis) if millis <= SPAN_MAX_MS => Ok(Some(millis)),
        _ => Err(ResultError::Field {
            field,
            expected: format!("0 to {} seconds are expected", SPAN_MAX_MS / 1_000),
        }),
    }
}
