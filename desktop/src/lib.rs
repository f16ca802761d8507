//! The Aramaki app and its verbs: a window over a replica and the model of what it holds.
//!
//! `view` is what is shown, as plain values; `panel` draws it and returns what somebody asked for;
//! `workspace` does it. The verbs of `cli` go the same way without a window.

pub mod app;
pub mod cli;
mod demo;
mod fingerprint;
mod notify;
pub mod panel;
pub mod screenshot;
pub mod text;
pub mod theme;
pub mod view;
pub mod widget;
pub mod window;
mod workspace;
