//! A change of a check's state: what enters journals and timelines.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::evidence::KeptEvidence;
use crate::id::CheckId;
use crate::perfdata::Metric;
use crate::plugin_output::Exit;
use crate::severity::Severity;

/// Whether a state has lasted for all attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hardness {
    /// Seen, not yet in all attempts: raw state only.
    Soft,
    /// Counts for status, alerts and people.
    Hard,
}

/// A change of a check's state.
///
/// A soft transition goes from the raw state before to the raw state now, a hard one from the
/// hard state before to the hard state now. The first result of a check is hard, from Missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Which check.
    pub check: CheckId,
    /// When, by the agent's clock.
    pub at: Timestamp,
    /// The state before.
    pub from: Severity,
    /// The state now.
    pub to: Severity,
    /// Whether it counts.
    pub hardness: Hardness,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// How many attempts make it hard.
    pub attempts: u32,
    /// Whether the check is flapping.
    pub flapping: bool,
    /// How the process ended; none for a built-in check.
    pub raw_exit: Option<Exit>,
    /// What the check said.
    pub summary: String,
    /// Evidence: further lines.
    pub detail: String,
    /// Values measured at that moment, the first few.
    pub metrics: Vec<Metric>,
    /// What stands for the whole of the evidence, if `detail` is only its beginning: its agent keeps it.
    /// Written after the fields above, which older programs read alone.
    #[serde(skip)]
    pub evidence: Option<KeptEvidence>,
}
