//! An agent: observes the machine it runs on, keeps a journal of what changed, and works offline.

mod builtin;
pub mod config;
mod net;
pub mod observe;
mod platform;
pub mod runner;
pub mod schedule;
