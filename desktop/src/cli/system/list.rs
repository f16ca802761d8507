//! `aramaki system list`.

use clap::Args;
use serde_json::json;

use super::{row_json, severity_word};
use crate::cli::Report;
use crate::cli::report::table;
use crate::workspace::Live;

/// List every System that is here.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this category.
    #[arg(long, value_name = "WORD")]
    category: Option<String>,
}

impl List {
    /// Lists them by title.
    pub(crate) fn run(&self, live: &Live) -> Report {
        let mut rows = live.rows();
        rows.retain(|row| {
            self.category
                .as_ref()
                .is_none_or(|wanted| *wanted == row.category)
        });
        rows.sort_by(|a, b| a.title.cmp(&b.title).then_with(|| a.id.cmp(&b.id)));
        let lines: Vec<_> = rows
            .iter()
            .map(|row| {
                vec![
                    row.id.to_string().chars().take(12).collect(),
                    severity_word(row.effective).to_owned(),
                    row.title.clone(),
                    row.category.clone(),
                ]
            })
            .collect();
        let systems: Vec<_> = rows.iter().map(row_json).collect();
        Report::new(table(&lines), &json!({"systems": systems}))
    }
}
