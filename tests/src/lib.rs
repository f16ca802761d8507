//! Tests that need several crates at once: the simulation in `tests/simulation`, the rules of the
//! source tree in `tests/tidy.rs`, and real processes: `tests/faults`, `tests/peers`.
//!
//! This library is what the process tests share. It fails, and never skips, when something is missing.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

mod agent;
pub mod decoders;
mod disk;
mod host;
pub mod measure;
mod notifier;
mod person;
mod process;
mod relay;
mod sink;
mod webshop;

pub use agent::Agent;
pub use disk::Disk;
pub use host::{Host, Lan};
pub use notifier::Notifier;
pub use person::Person;
pub use process::{Running, eventually, program};
pub use relay::Relay;
pub use sink::Sink;
pub use webshop::Webshop;
