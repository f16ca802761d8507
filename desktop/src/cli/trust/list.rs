//! `aramaki trust list`.

use clap::Args;
use serde_json::json;

use super::{row_json, row_text};
use crate::cli::report::table;
use crate::cli::{CliError, Report};
use crate::workspace::Live;

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
        Ok(Report::new(
            table(&lines),
            &json!({"system": space.to_string(), "grants": grants}),
        ))
    }
}
