//! The verbs as people run them: the real program, workspaces of its own for each test.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

mod administrators;
mod again;
mod alerts;
mod comment;
#[cfg(target_os = "linux")]
mod delivered;
mod demo;
mod devices;
mod emergency;
mod errors;
mod everyday;
mod imports;
mod incident;
mod later;
mod lost;
mod offline;
mod presence;
mod program;
mod reasons;
mod recovery;
mod relays;
mod secrets;
mod services;
mod together;
