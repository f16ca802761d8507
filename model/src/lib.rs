//! The operations model of Aramaki: domain values, rules and Automerge documents, no I/O.
//!
//! Time and random bytes are passed in; the same inputs give the same outputs on every replica.
//! What a peer wrote is input: it is read leniently, never panics and never fails as a whole.

pub mod agent_config;
mod ancestry;
pub mod check;
pub mod check_state;
pub mod doc;
pub mod edit;
pub mod entry;
pub mod finding;
pub mod flapping;
pub mod graph;
pub mod heartbeat;
pub mod id;
pub mod journal;
pub mod maintenance;
pub mod name;
pub mod note;
pub mod note_edit;
pub mod observation;
pub mod perfdata;
pub mod plugin_output;
mod project;
pub mod range;
pub mod rollup;
pub mod selector;
pub mod severity;
pub mod snapshot;
pub mod status;
pub mod system;
mod text;
pub mod transition;
pub mod unit;
pub mod versioned;
pub mod workspace;
mod write;

pub use agent_config::AgentConfig;
pub use ancestry::EnvelopeLinks;
pub use check::{Builtin, Check, CheckKind, Hook, Thresholds};
pub use check_state::CheckState;
pub use edit::{Edit, EditError, SystemEdit};
pub use entry::{JournalEntry, TimelineEntry};
pub use finding::{Finding, Reason};
pub use graph::{Graph, Relation};
pub use heartbeat::{CheckBeat, Heartbeat};
pub use id::{CheckId, EntryId, ItemId, NoteId};
pub use maintenance::Maintenance;
pub use note::Splice;
pub use note_edit::{NoteEdit, NoteHistory, NoteVersion};
pub use observation::Observation;
pub use perfdata::Metric;
pub use plugin_output::{Exit, PluginOutput};
pub use project::View;
pub use range::Range;
pub use rollup::{Operator, Override};
pub use selector::{Selector, SelectorError};
pub use severity::{Severity, SeverityCounts};
pub use snapshot::{Snapshot, SystemView};
pub use system::System;
pub use text::is_deceptive;
pub use transition::{Hardness, Transition};
pub use unit::Unit;
pub use workspace::{AdmittedChange, Workspace};
