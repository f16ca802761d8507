//! The operations model of Aramaki: domain values, rules and Automerge documents, no I/O.
//!
//! Time and random bytes are passed in; the same inputs give the same outputs on every replica.
//! What a peer wrote is input: it is read leniently, never panics and never fails as a whole.

pub mod agent_config;
pub mod check;
pub mod check_state;
pub mod entry;
pub mod flapping;
pub mod heartbeat;
pub mod id;
pub mod observation;
pub mod perfdata;
pub mod plugin_output;
pub mod range;
pub mod severity;
mod text;
pub mod transition;
pub mod unit;
pub mod versioned;

pub use agent_config::AgentConfig;
pub use check::{Builtin, Check, CheckKind, Thresholds};
pub use check_state::CheckState;
pub use entry::{JournalEntry, TimelineEntry};
pub use heartbeat::{CheckBeat, Heartbeat};
pub use id::{CheckId, EntryId, ItemId, NoteId};
pub use observation::Observation;
pub use perfdata::Metric;
pub use plugin_output::{Exit, PluginOutput};
pub use range::Range;
pub use severity::{Severity, SeverityCounts};
pub use transition::{Hardness, Transition};
pub use unit::Unit;
