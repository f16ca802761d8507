//! `aramaki notify preview`.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::Snapshot;
use aramaki_model::notify::{Facts, Item, Notifier, Plan, Target, alerts, policies};
use aramaki_model::snapshot::SystemView;
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::{Value, json};

use super::policy::NOT_MISSING;
use crate::cli::report::{Lines, table};
use crate::cli::{CliError, Clock, Report, local};
use crate::workspace::Live;

/// Say who would hear what now, and who would not and why.
#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// Only of this System's problems, or decided by its policy.
    system: Option<String>,
}

impl Preview {
    /// Plans without sending.
    pub(crate) fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref().map(|it| live.find(it)).transpose()?;
        let snapshot = live.snapshot();
        let record = live.told();
        let all = alerts(&snapshot, &record);
        let plan = Notifier::new(0).look(&Facts {
            now: Clock::now(),
            graph: &snapshot.graph,
            policies: policies(&snapshot),
            alerts: &all,
            record: &record,
            unsettled: BTreeMap::new(),
            busy: &BTreeSet::new(),
        });
        let rows = rows(&snapshot, &plan, wanted);
        let lines: Vec<_> = rows.iter().map(Row::line).collect();
        let objects: Vec<_> = rows.iter().map(Row::object).collect();
        let mut text = table(&lines);
        let mut last = Lines::default();
        if rows.is_empty() {
            last.add("Nobody would hear anything: no open problem meets a policy.");
        }
        let mut unread = Vec::new();
        for system in &snapshot.systems {
            for line in &system.policy_unread {
                last.add(format_args!(
                    "Not understood in the policy of {}: {line}",
                    system.title
                ));
                unread.push(json!({"system": system.space.to_string(), "what": line}));
            }
        }
        text.push_str(&last.into_text());
        let deaf = deaf(&snapshot, wanted);
        let ids: Vec<_> = deaf.iter().map(|it| it.space.to_string()).collect();
        let mut report = Report::new(
            text,
            &json!({
                "notifications": objects,
                "not_understood": unread,
                "not_missing": ids,
            }),
        );
        if !deaf.is_empty() {
            let titles: Vec<_> = deaf.iter().map(|it| it.title.as_str()).collect();
            let titles = titles.join(", ");
            report.warn(format!("policy of {titles}: {NOT_MISSING}"));
        }
        Ok(report)
    }
}

/// The Systems whose policy tells nobody of silence.
fn deaf(snapshot: &Snapshot, wanted: Option<SpaceId>) -> Vec<&SystemView> {
    let systems = snapshot.systems.iter().map(AsRef::as_ref);
    let systems = systems.filter(|it: &&SystemView| wanted.is_none_or(|space| space == it.space));
    let deaf = systems.filter(|it| it.policy.as_ref().is_some_and(|it| !it.takes_missing()));
    deaf.collect()
}

fn way(snapshot: &Snapshot, item: &Item) -> String {
    let name = |space: &SpaceId| {
        let system = snapshot.system(space);
        system.map_or_else(|| space.short(), |system| system.title.clone())
    };
    item.path.iter().map(name).collect::<Vec<_>>().join(" → ")
}

/// One notification and when it goes.
struct Row<'a> {
    target: &'a Target,
    receiver: &'a str,
    item: &'a Item,
    policy: SpaceId,
    path: String,
    when: String,
    why: Option<&'static str>,
}

impl Row<'_> {
    fn line(&self) -> Vec<String> {
        vec![
            self.when.clone(),
            format!("{}: {}", self.receiver, self.target),
            self.item.state.word().to_owned(),
            self.path.clone(),
            format!("{}: {}", self.item.called(), self.item.summary),
        ]
    }

    fn object(&self) -> Value {
        json!({
            "when": self.when,
            "why_not_now": self.why,
            "receiver": self.receiver,
            "via": self.target.via,
            "to": self.target.to,
            "state": self.item.state.word(),
            "system": self.item.system.to_string(),
            "policy": self.policy.to_string(),
            "path": self.path,
            "check": self.item.name,
            "machine": self.item.machine,
            "summary": self.item.summary,
            "step": self.item.step,
            "repeat": self.item.repeat,
            "notification": self.item.id.short(),
        })
    }
}

/// What goes now, then what waits in its order.
fn rows<'a>(snapshot: &Snapshot, plan: &'a Plan, wanted: Option<SpaceId>) -> Vec<Row<'a>> {
    let concerns = |item: &Item, policy: SpaceId| {
        wanted.is_none_or(|wanted| item.system == wanted || policy == wanted)
    };
    let now = plan.due.iter().flat_map(|message| {
        message.items.iter().map(move |item| Row {
            target: &message.target,
            receiver: &message.receiver,
            item,
            policy: message.policy,
            path: way(snapshot, item),
            when: "now".to_owned(),
            why: None,
        })
    });
    let mut waiting: Vec<_> = plan.waiting.iter().collect();
    waiting.sort_by_key(|it| (it.at.is_none(), it.at));
    let later = waiting.into_iter().map(|it| {
        let words = it.why.words();
        let at = it.at.map(|at| format!("{}, {words}", local(at)));
        Row {
            target: &it.target,
            receiver: &it.receiver,
            item: &it.item,
            policy: it.policy,
            path: way(snapshot, &it.item),
            when: at.unwrap_or_else(|| words.to_owned()),
            why: Some(words),
        }
    });
    let all = now.chain(later);
    all.filter(|row| concerns(row.item, row.policy)).collect()
}
