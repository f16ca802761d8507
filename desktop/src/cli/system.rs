//! `aramaki system`.

mod add;
mod edit;
mod fields;
mod link;
mod list;
mod object;
mod observe;
mod remove_check;
mod show;

use std::path::PathBuf;

use clap::Subcommand;

use super::{CliError, Report};
use crate::workspace::Live;

pub(crate) use object::{
    attempt_json, attempt_words, row_json, seen_from_json, seen_from_words, severity_word,
    system_json,
};

/// Add, list, show, link and edit Systems.
#[derive(Debug, Subcommand)]
pub(crate) enum System {
    Add(add::Add),
    List(list::List),
    Show(show::Show),
    Link(link::Link),
    Edit(edit::Edit),
    Observe(observe::Observe),
    RemoveCheck(remove_check::RemoveCheck),
}

impl System {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Add(verb) => verb.fields.path(),
            Self::Edit(verb) => verb.fields.path(),
            Self::List(_)
            | Self::Show(_)
            | Self::Link(_)
            | Self::Observe(_)
            | Self::RemoveCheck(_) => None,
        }
    }

    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::Add(verb) => verb.run(live).await,
            Self::List(verb) => Ok(verb.run(live)),
            Self::Show(verb) => verb.run(live),
            Self::Link(verb) => verb.run(live).await,
            Self::Edit(verb) => verb.run(live).await,
            Self::Observe(verb) => verb.run(live).await,
            Self::RemoveCheck(verb) => verb.run(live).await,
        }
    }
}
