//! The verbs as people run them: the real program, workspaces of its own for each test.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

mod administrators;
#[cfg(target_os = "linux")]
mod demo;
mod devices;
mod errors;
mod everyday;
mod incident;
mod lost;
mod offline;
mod program;
mod recovery;
mod relays;
mod together;
