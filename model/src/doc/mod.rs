//! The only place that touches Automerge: constructors, the gate for what others wrote, edits.
//!
//! Automerge sees a change only after the gate found it harmless; its own `load` and sync never
//! see bytes from outside. Documents begin from a change that every replica makes itself.

mod document;
mod gate;
mod genesis;
mod past;
mod read;
mod scan;
mod watched;

pub(crate) use document::{CarriedChange, Document, EditFailure};
pub use document::{WAITING_CHANGES_MAX, WAITING_LEN_BYTES_MAX};
pub use gate::{CHANGE_LEN_BYTES_MAX, Refusal};
pub use genesis::DocumentKind;
pub(crate) use genesis::{ENTRIES, Genesis, TEXT, field};
pub(crate) use past::{Act, Past, PastKind};
pub(crate) use read::{Reading, actor_of_item, conflicts, json_items, text_field};
