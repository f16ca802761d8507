//! `aramaki trust list`.

use aramaki_sync_core::statement::Capability;
use clap::Args;
use serde_json::{Value, json};

use super::{at_agent_json, at_agents_text, row_json, rows_text};
use crate::cli::emergency::{emergencies_json, emergencies_text};
use crate::cli::peers::{over_json, say_ended};
use crate::cli::report::Lines;
use crate::cli::{CliError, Clock, Report};
use crate::workspace::{Live, OverAt, TwoHistories};

/// Say who holds a grant: which, what, since and until when, through whom; those that end first first.
///
/// Four words say which key it is, to compare by voice; where much depends on it compare the key itself
/// (--json).
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of which System; of all Systems here without it.
    system: Option<String>,
    /// Only what is in the last tenth of its time and ends within three days.
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
        let (mut listed, mut grants) = (Vec::new(), Vec::new());
        let now = Clock::now();
        for space in spaces {
            let mut rows = live.grants(space).await?;
            rows.retain(|row| !self.soon || row.is_soon(now));
            let title = live.title(space).unwrap_or_else(|| space.short());
            for row in rows {
                let mut object = row_json(&row);
                if wanted.is_none() {
                    object["system"] = json!(space.to_string());
                    object["title"] = json!(title);
                }
                listed.push((wanted.is_none().then(|| title.clone()), row));
                grants.push(object);
            }
        }
        let mut at_agents = Vec::new();
        if let Some(system) = wanted {
            at_agents = live.at_agents(system).await?;
            at_agents.retain(|it| it.grant.capability < Capability::Administer);
            at_agents.retain(|it| !self.soon || it.grant.is_soon(now));
        }
        let mut emergencies = live.emergencies_now().await;
        emergencies.retain(|it| wanted.is_none_or(|wanted| wanted == it.space));
        let mut text = Lines::default();
        emergencies_text(&mut text, &emergencies);
        let forks = live.two_histories(wanted).await?;
        let mut after = String::new();
        if !at_agents.is_empty() {
            after.push_str("\nAt its agents, for actions:\n");
            after.push_str(&at_agents_text(&at_agents));
        }
        for fork in &forks {
            after.push('\n');
            after.push_str(&fork.text());
            after.push('\n');
        }
        let over = live.over_at(wanted).await;
        for it in &over {
            after.push('\n');
            after.push_str(&say_ended(&it.title, it.how));
            after.push('\n');
        }
        let two_histories: Vec<_> = forks.iter().map(fork_json).collect();
        if self.soon && listed.is_empty() && at_agents.is_empty() {
            text.add("Nobody's access ends soon.");
        }
        let lines: Vec<_> = listed
            .iter()
            .map(|(title, row)| (title.as_deref(), row))
            .collect();
        Ok(Report::new(
            format!("{}{}{after}", text.into_text(), rows_text(&lines)),
            &json!({
                "system": wanted.map(|space| space.to_string()),
                "grants": grants,
                "at_agents": at_agents.iter().map(at_agent_json).collect::<Vec<_>>(),
                "emergencies": emergencies_json(&emergencies),
                "two_histories": two_histories,
                "ended_elsewhere": over_json(&over, OverAt::is_elsewhere),
                "ended": over_json(&over, |_it| true),
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
