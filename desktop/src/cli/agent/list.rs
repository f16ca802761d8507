//! `aramaki agent list`.

use std::collections::BTreeMap;

use aramaki_model::snapshot::AgentView;
use aramaki_sync_core::Timestamp;
use clap::Args;
use serde_json::json;

use crate::cli::listen::Listen;
use crate::cli::report::table;
use crate::cli::{CliError, Clock, Report, age};
use crate::workspace::{AgentOf, Live, agent_state};

/// List agents: at which System each looks, when it was last heard of, and how many of its checks fail.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this System.
    system: Option<String>,
    #[command(flatten)]
    listen: Listen,
}

impl List {
    /// Lists them.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        self.listen.run(live).await;
        let system = self.system.as_deref();
        let system = system.map(|system| live.find(system)).transpose()?;
        let now = Clock::now();
        let mut agents = live.agents_with_systems(system);
        agents.sort_by(|a, b| (&a.title, &a.agent.label).cmp(&(&b.title, &b.agent.label)));
        let mut told = BTreeMap::new();
        for it in &agents {
            told.insert(it.agent.space, live.told_generation(it.agent.space).await?);
        }
        let told = |agent: &AgentView| told.get(&agent.space).copied().flatten();
        let line = |it: &AgentOf| {
            let AgentOf { title, agent, .. } = it;
            let seen = agent.seen.map(|seen| format!("{} ago", age(now, seen)));
            let version = agent.version.as_ref();
            let generation = configuration(agent.generation, told(agent), now);
            vec![
                agent.label.clone(),
                title.clone(),
                agent_state(agent).to_owned(),
                seen.unwrap_or_default(),
                version
                    .map(|it| format!("version {it}"))
                    .unwrap_or_default(),
                generation,
                match agent.failing {
                    0 => String::new(),
                    failing => format!("{failing} failing"),
                },
            ]
        };
        let lines: Vec<_> = agents.iter().map(line).collect();
        let mut text = if lines.is_empty() {
            "No agents: `aramaki agent invite` makes one.".to_owned()
        } else {
            table(&lines)
        };
        if let Some(at) = agents.iter().filter_map(|it| it.agent.as_of).min() {
            text = format!(
                "{}\n\n{}",
                text.trim_end(),
                self.listen.words("agent list", live, at)
            );
        }
        let object = |it: &AgentOf| {
            let agent = &it.agent;
            json!({
                "id": agent.space.to_string(),
                "name": agent.label,
                "system": it.system.to_string(),
                "title": it.title,
                "state": agent_state(agent),
                "presence": agent.presence.word(),
                "seen": agent.seen.map(|at| at.to_string()),
                "as_of": agent.as_of.map(|at| at.to_string()),
                "version": agent.version,
                "generation": agent.generation,
                "told_generation": told(agent),
                "failing": agent.failing,
            })
        };
        let objects: Vec<_> = agents.iter().map(object).collect();
        Ok(Report::new(text, &json!({"agents": objects})))
    }
}

/// By which configuration an agent works, in words: each is named by when it was told.
fn configuration(works: Option<u64>, told: Option<u64>, now: Timestamp) -> String {
    let at = |generation: u64| {
        let millis = i64::try_from(generation).unwrap_or(i64::MAX);
        age(now, Timestamp::from_millis(millis))
    };
    match (works, told) {
        (None, None) => String::new(),
        (None, Some(told)) => format!("no configuration yet; told one {} ago", at(told)),
        (Some(works), Some(told)) if works < told => {
            format!(
                "older configuration, of {} ago; told another {} ago",
                at(works),
                at(told)
            )
        }
        (Some(works), _) => format!("configuration of {} ago", at(works)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_an_agent_works_by_an_older_configuration_is_said() {
        let now = Timestamp::from_millis(600_000);
        let words = |works, told| configuration(works, told, now);
        assert_eq!(words(None, None), "");
        assert_eq!(
            words(None, Some(0)),
            "no configuration yet; told one 10 min ago"
        );
        assert_eq!(words(Some(0), Some(0)), "configuration of 10 min ago");
        assert_eq!(words(Some(0), None), "configuration of 10 min ago");
        assert_eq!(
            words(Some(0), Some(300_000)),
            "older configuration, of 10 min ago; told another 5 min ago"
        );
    }
}
