//! Telling people: channels of this host, what was sent, and the loop around the plan.

mod calendar;
mod channel;
mod command;
mod config;
mod gate;
mod letter;
mod outbox;
mod run;
mod smtp;
mod surface;
mod v4;
mod webhook;

pub(crate) use calendar::{Known, Taken, read_calendar, write_calendar};
pub(crate) use config::NotifyConfig;
pub(crate) use letter::Letter;
pub(crate) use run::run;
