//! What a host allows, as its agent tells people: enough to ask, without what only the host knows.

use std::collections::BTreeMap;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

/// How many actions a host may allow.
pub const ACTIONS_MAX: usize = 200;

/// What a host allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// When it was read, by the host's clock; the newest counts.
    pub at: Timestamp,
    /// The actions by name.
    pub actions: BTreeMap<String, Described>,
    /// Those that may be run in maintenance windows, and how often. It came later, and stands behind the
    /// rest.
    #[serde(skip)]
    pub maintenance: BTreeMap<String, MaintenanceRule>,
}

/// How an action is run in a maintenance window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceRule {
    /// How often it is begun in one window, at most.
    pub attempts: u32,
    /// After how many milliseconds it is tried again.
    pub retry_after_ms: u64,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// What it does, in words.
    pub description: String,
    /// The digest of its whole definition: who asks names it.
    pub definition: [u8; 32],
    /// What it takes, in the order of the host's file.
    pub parameters: Vec<Parameter>,
    /// How many others must agree.
    pub approvals: u32,
    /// Whether it changes nothing.
    pub is_read_only: bool,
}

/// A value that an action takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub kind: ParameterKind,
    /// What it is if nothing is said; without one it must be said.
    pub default: Option<String>,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterKind {
    /// One of these.
    Choice(Vec<String>),
    /// A whole number within these, both included.
    Integer {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// Text that this expression matches as a whole.
    Text {
        /// The expression, of the `regex` crate.
        pattern: String,
        /// How long it may be, in bytes.
        len_bytes_max: u32,
    },
}
