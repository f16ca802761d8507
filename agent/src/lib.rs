//! An agent: observes the machine it runs on, keeps a journal of what changed, and works offline.

mod actions;
mod answered;
mod builtin;
pub mod cli;
pub mod config;
mod days;
mod desired;
mod discover;
mod evidence;
pub mod explain;
mod external;
mod forgotten;
mod link;
pub mod listen;
mod metrics;
mod net;
pub mod observe;
#[cfg(test)]
mod peer;
mod platform;
mod run;
pub mod runner;
pub mod schedule;
pub mod series;
mod service;
pub mod state;
mod watch;

pub use config::Config;
pub use run::{AgentError, AgentOptions, Joined, join, run};
