//! The always-on member of Spaces: a blind store-and-forward peer and an embedded transport relay.
//!
//! It holds sealed envelopes and no key that opens them. [`run`] is the whole program; the binary adds
//! a command line, signals and logging.

pub mod cli;
pub mod config;
mod error;
mod health;
mod key;
mod metrics;
mod peer;
mod run;
mod signal;
mod status;
pub mod transport;

pub use config::Config;
pub use error::RelayError;
pub use run::{RelayInfo, RelayOptions, run};
