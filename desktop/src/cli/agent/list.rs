//! `aramaki agent list`.

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
        let line = |it: &AgentOf| {
            let AgentOf { title, agent, .. } = it;
            let seen = agent.seen.map(|seen| format!("{} ago", age(now, seen)));
            let version = agent.version.as_ref();
            let generation = agent.generation.map(|it| format!("configuration {it}"));
            vec![
                agent.label.clone(),
                title.clone(),
                agent_state(agent).to_owned(),
                seen.unwrap_or_default(),
                version
                    .map(|it| format!("version {it}"))
                    .unwrap_or_default(),
                generation.unwrap_or_default(),
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
                self.listen.words("agent list", now, at)
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
                "failing": agent.failing,
            })
        };
        let objects: Vec<_> = agents.iter().map(object).collect();
        Ok(Report::new(text, &json!({"agents": objects})))
    }
}
