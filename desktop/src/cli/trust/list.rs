//! `aramaki trust list`.

use clap::Args;
use serde_json::{Value, json};

use super::{row_json, row_text};
use crate::cli::report::table;
use crate::cli::{CliError, Report};
use crate::workspace::{Live, TwoHistories};

/// Say who holds a grant: which, what, until when, through whom; those that end first first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of which System.
    system: String,
}

impl List {
    /// Reads the roster.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let rows = live.grants(space).await?;
        let lines: Vec<_> = rows.iter().map(row_text).collect();
        let grants: Vec<_> = rows.iter().map(row_json).collect();
        let forks = live.two_histories(Some(space)).await?;
        let mut text = table(&lines);
        for fork in &forks {
            text.push('\n');
            text.push_str(&fork.text());
            text.push('\n');
        }
        let two_histories: Vec<_> = forks.iter().map(fork_json).collect();
        Ok(Report::new(
            text,
            &json!({
                "system": space.to_string(),
                "grants": grants,
                "two_histories": two_histories,
            }),
        ))
    }
}

/// The same for programs.
pub(crate) fn fork_json(fork: &TwoHistories) -> Value {
    json!({
        "system": fork.space.to_string(),
        "title": fork.title,
        "author": fork.author.to_string(),
        "who": fork.who,
        "seq": fork.seq,
        "both_here": fork.both_here,
    })
}
