//! `aramaki trust audit`.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::report::table;
use crate::cli::{CliError, Report, local};
use crate::workspace::{AuditRow, Live};

/// Say who could read what and when, who let them in, what ended it, and to whom keys were sealed.
///
/// In order of time, by the clocks of those who signed. Says what this device has: what has not
/// arrived yet is missing.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Of which System; of all Spaces without it.
    system: Option<String>,
}

impl Audit {
    /// Reads the control statements.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref();
        let system = wanted.map(|system| live.find(system)).transpose()?;
        let rows = live.audit(system).await?;
        let lines: Vec<_> = rows.iter().map(row_text).collect();
        let entries: Vec<_> = rows.iter().map(row_json).collect();
        let system = system.map(|system| system.to_string());
        Ok(Report::new(
            table(&lines),
            &json!({"system": system, "entries": entries}),
        ))
    }
}

fn row_text(row: &AuditRow) -> Vec<String> {
    let id: String = row.id.to_string().chars().take(12).collect();
    let mut text = row.text.clone();
    if let Some(doubt) = &row.doubt {
        text = format!("{text} (does not count: {doubt})");
    }
    vec![
        local(row.at),
        row.title.clone(),
        row.kind.to_owned(),
        id,
        text,
    ]
}

fn row_json(row: &AuditRow) -> Value {
    json!({
        "at": row.at.to_string(),
        "received": row.received.to_string(),
        "space": row.space.to_string(),
        "title": row.title,
        "kind": row.kind,
        "id": row.id.to_string(),
        "by": row.by.as_ref().map(|(key, who)| json!({"device": key.to_string(), "who": who})),
        "text": row.text,
        "counts": row.doubt.is_none(),
        "why_not": row.doubt,
        "details": row.details,
    })
}
