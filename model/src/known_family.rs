//! Families of alerts that a System is known to raise, before one was ever raised.

use serde::{Deserialize, Serialize};

/// An alert by its name, as the program that raises it describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownFamily {
    /// The word of its author: `critical`, `page`.
    pub severity: String,
    /// What it says.
    pub summary: String,
    /// Milliseconds for which the condition holds before it is raised.
    pub holds_ms: u64,
    /// What to do, as a web address.
    pub runbook: String,
}
