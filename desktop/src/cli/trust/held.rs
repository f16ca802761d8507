//! `aramaki trust held` and `aramaki trust accept`.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::report::table;
use crate::cli::{CliError, Report, local};
use crate::workspace::{LateWork, Live};

/// Say what waits: work that came after its grant had ended, or by a code that was used up.
///
/// It is kept and shown nowhere else until somebody decides.
#[derive(Debug, Args)]
pub(crate) struct Held {
    /// In which System; in all without it.
    system: Option<String>,
}

/// Let work count that came after its grant had ended: as much of it as is here.
///
/// For somebody who worked offline for longer than their access lasted. What they send after that is
/// over. Only an administrator can; ask the author first whether it is theirs.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// In which System.
    system: String,
    /// The grant, as `aramaki trust held` shows it.
    grant: String,
}

impl Held {
    /// Asks the replica.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref();
        let system = wanted.map(|system| live.find(system)).transpose()?;
        let late = live.late_work(system).await?;
        let rows: Vec<_> = late.iter().map(row).collect();
        let text = if rows.is_empty() {
            "Nothing waits.".to_owned()
        } else {
            table(&rows)
        };
        let work: Vec<_> = late.iter().map(value).collect();
        Ok(Report::new(text, &json!({"held": work})))
    }
}

impl Accept {
    /// Accepts it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let work = live.accept_late(space, &self.grant).await?;
        Ok(Report::new(
            format!(
                "What {} wrote until {} counts now.",
                work.who,
                local(work.span.1)
            ),
            &json!({"accepted": value(&work)}),
        ))
    }
}

fn row(work: &LateWork) -> Vec<String> {
    let count = work.envelopes;
    vec![
        work.grant.to_string().chars().take(12).collect(),
        work.title.clone().unwrap_or_else(|| work.space.short()),
        work.who.clone(),
        if count == 1 {
            "1 envelope".to_owned()
        } else {
            format!("{count} envelopes")
        },
        format!("written {} to {}", local(work.span.0), local(work.span.1)),
        work.held.to_string(),
    ]
}

fn value(work: &LateWork) -> Value {
    json!({
        "system": work.space.to_string(),
        "title": work.title,
        "grant": work.grant.to_string(),
        "who": work.who,
        "envelopes": work.envelopes,
        "first": work.span.0.to_string(),
        "last": work.span.1.to_string(),
        "why": work.held.to_string(),
        "can_be_accepted": work.can_be_accepted(),
    })
}
