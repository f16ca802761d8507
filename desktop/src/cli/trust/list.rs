//! `aramaki trust list`.

use clap::Args;
use serde_json::{Value, json};

use super::{row_json, row_text};
use crate::cli::emergency::{emergencies_json, emergencies_text};
use crate::cli::report::{Lines, table};
use crate::cli::{CliError, Clock, Report};
use crate::workspace::{Live, TwoHistories};

/// Say who holds a grant: which, what, since and until when, through whom; those that end first first.
///
/// Four words say which key it is, to compare by voice; where much depends on it compare the key itself
/// (--json).
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of which System; of all Systems here without it.
    system: Option<String>,
    /// Only what ends within three days, and was given for longer.
    #[arg(long)]
    soon: bool,
}

impl List {
    /// Reads the roster.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref();
        let wanted = wanted.map(|system| live.find(system)).transpose()?;
        let mut spaces = wanted.map_or_else(|| live.systems(), |space| vec![space]);
        spaces.sort();
        let (mut lines, mut grants) = (Vec::new(), Vec::new());
        let now = Clock::now();
        for space in spaces {
            let mut rows = live.grants(space).await?;
            rows.retain(|row| !self.soon || row.is_soon(now));
            let title = live.title(space).unwrap_or_else(|| space.short());
            for row in &rows {
                let mut line = row_text(row);
                let mut object = row_json(row);
                if wanted.is_none() {
                    line.insert(0, title.clone());
                    object["system"] = json!(space.to_string());
                    object["title"] = json!(title);
                }
                lines.push(line);
                grants.push(object);
            }
        }
        let mut emergencies = live.emergencies_now().await;
        emergencies.retain(|it| wanted.is_none_or(|wanted| wanted == it.space));
        let mut text = Lines::default();
        emergencies_text(&mut text, &emergencies);
        let forks = live.two_histories(wanted).await?;
        let mut after = String::new();
        for fork in &forks {
            after.push('\n');
            after.push_str(&fork.text());
            after.push('\n');
        }
        let two_histories: Vec<_> = forks.iter().map(fork_json).collect();
        Ok(Report::new(
            format!("{}{}{after}", text.into_text(), table(&lines)),
            &json!({
                "system": wanted.map(|space| space.to_string()),
                "grants": grants,
                "emergencies": emergencies_json(&emergencies),
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
