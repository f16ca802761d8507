//! Store, transport and driver around the replication engine: what makes a replica of a machine.
//!
//! [`replica::Replica`] is the whole of it for a shell; its example is the place to begin.

pub mod credential;
mod driver;
pub mod keys;
pub mod loopback;
mod records;
pub mod replica;
pub mod store;
pub mod text_file;
pub mod toml_place;
pub mod transport;
mod visitors;

pub use aramaki_sync_core as core;
