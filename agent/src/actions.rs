//! Remote actions (TRUST §9): what this host allows, whether a request is run, and running it once.
//!
//! The host's own files have the last word: nothing runs that they do not name. A request is decided
//! by [`decide`], written into the journal, and only then run; a crash in between leaves *unknown*, and it
//! is never run again.

mod attempts;
pub(crate) mod catalogue;
mod decide;
pub(crate) mod definition;
pub(crate) mod execute;
mod journal;
mod report;
mod said;
mod tell;
mod worker;

pub(crate) use worker::Worker;
