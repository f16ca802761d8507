//! `aramaki notify show`.

use aramaki_model::Policy;
use aramaki_model::notify::duty;
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::{Value, json};

use super::policy_of;
use crate::cli::report::Lines;
use crate::cli::{CliError, Clock, Report, local};
use crate::workspace::Live;

/// Print the policy of a System, as a file that can be handed over again, and who is on call.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Of which System.
    system: String,
}

impl Show {
    /// Reads it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let policy = policy_of(live, space)?;
        let (snapshot, now) = (live.snapshot(), Clock::now());
        let system = snapshot.system(&space);
        let changes = system
            .map(|system| system.on_call.clone())
            .unwrap_or_default();
        let unread = system
            .map(|system| system.policy_unread.clone())
            .unwrap_or_default();
        let mut text = Lines::default();
        let mut on_call = Vec::new();
        for (name, schedule) in &policy.schedule {
            let Some(duty) = duty(name, schedule, &changes, now) else {
                text.add(format_args!("# on call by {name}: nobody"));
                continue;
            };
            text.add(format_args!(
                "# on call by {name}: {} until {}",
                duty.who,
                local(duty.until)
            ));
            on_call
                .push(json!({"schedule": name, "who": duty.who, "until": duty.until.to_string()}));
        }
        for unread in &unread {
            text.add(format_args!("# not understood here: {unread}"));
        }
        let equal = equal_ranks(live, space, &mut text).await;
        let mut text = text.into_text();
        text.push_str(&file(&policy)?);
        Ok(Report::new(
            text,
            &json!({
                "system": space.to_string(),
                "policy": &*policy,
                "on_call": on_call,
                "equal_ranks": equal,
                "not_understood": unread,
            }),
        ))
    }
}

/// Notifiers that tell what others tell, said as a comment; for programs as they are.
async fn equal_ranks(live: &Live, space: SpaceId, text: &mut Lines) -> Vec<Value> {
    let mut equal = live.equal_ranks(None);
    equal.retain(|it| it.policy == space);
    if equal.is_empty() {
        return Vec::new();
    }
    let names = live.names(&live.spaces().await);
    let said = equal.iter().map(|it| {
        let who: Vec<_> = it.notifiers.iter().map(|it| names.of(*it)).collect();
        text.add(format_args!(
            "# warning: {} notifiers have rank {} and tell everything, each of them: {}. Give each a `rank` of \
             its own in its notify.toml.",
            it.notifiers.len(),
            it.rank,
            who.join(", ")
        ));
        let keys: Vec<_> = it.notifiers.iter().map(ToString::to_string).collect();
        json!({"rank": it.rank, "notifiers": keys, "names": who})
    });
    said.collect()
}

/// The policy as people write it.
fn file(policy: &Policy) -> Result<String, CliError> {
    let bug = |error: &dyn std::error::Error| CliError::Bug(error.to_string());
    let mut value = toml::Value::try_from(policy).map_err(|error| bug(&error))?;
    prune(&mut value);
    toml::to_string(&value).map_err(|error| bug(&error))
}

/// Leaves out what says nothing.
fn prune(value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => {
            table.retain(|_, value| {
                prune(value);
                !matches!(value, toml::Value::Boolean(false))
                    && !value.as_str().is_some_and(str::is_empty)
                    && !value.as_table().is_some_and(toml::Table::is_empty)
                    && !value.as_array().is_some_and(Vec::is_empty)
            });
        }
        toml::Value::Array(values) => values.iter_mut().for_each(prune),
        _ => {}
    }
}
