//! `aramaki notify on-call`.

use std::time::Duration;

use aramaki_model::notify::{OnCallOverride, duties};
use aramaki_model::{ItemId, Policy};
use aramaki_sync_core::Timestamp;
use clap::Args;
use serde_json::json;

use super::{policy_of, schedule_of};
use crate::cli::parse::parse_line;
use crate::cli::report::table;
use crate::cli::{CliError, Clock, Report, local, parse_span};
use crate::workspace::{Live, random};

/// How many changes are shown to people.
const CHANGES_SHOWN_MAX: usize = 50;

/// Say who is on call by a schedule, or put somebody else on call for a time.
#[derive(Debug, Args)]
pub(crate) struct OnCall {
    /// Of which System.
    system: String,
    /// The schedule, as the policy calls it.
    schedule: String,
    /// How far ahead.
    #[arg(long, value_name = "SPAN", default_value = "4w", value_parser = parse_span)]
    ahead: Duration,
    /// Who takes over, as the policy calls them.
    #[arg(long, value_name = "RECEIVER", value_parser = parse_line, requires = "until")]
    who: Option<String>,
    /// From when, such as 2026-07-04T09:00:00Z or with an offset; else from now.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "who")]
    from: Option<Timestamp>,
    /// Until when.
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "who")]
    until: Option<Timestamp>,
    /// Why.
    #[arg(long, value_parser = parse_line, requires = "who")]
    reason: Option<String>,
    /// Take such a change back, by its id.
    #[arg(long, value_name = "ID", conflicts_with = "who")]
    remove: Option<ItemId>,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no time: 2026-07-04T09:00:00Z is expected"))
}

impl OnCall {
    /// The change that was asked for, if one was.
    fn change(&self, policy: &Policy, now: Timestamp) -> Result<Option<OnCallOverride>, CliError> {
        let (Some(who), Some(until)) = (&self.who, self.until) else {
            return Ok(None);
        };
        if !policy.receiver.contains_key(who) {
            return Err(CliError::Setting {
                what: "receiver",
                value: who.clone(),
                reason: "the policy has no receiver of that name".to_owned(),
            });
        }
        let from = self.from.unwrap_or(now);
        if until <= from || until <= now {
            let wrong = "--until is not after --from and now";
            return Err(CliError::Usage(wrong.to_owned()));
        }
        Ok(Some(OnCallOverride {
            schedule: self.schedule.clone(),
            who: who.clone(),
            from,
            until,
            reason: self.reason.clone().unwrap_or_default(),
        }))
    }

    /// Reads, or writes a change first.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let policy = policy_of(live, space)?;
        let schedule = schedule_of(&policy, &self.schedule)?;
        let now = Clock::now();
        if let Some(change) = self.change(&policy, now)? {
            let id = ItemId::new(now, random()?);
            live.put_on_call(space, vec![(id, Some(change))]).await?;
        }
        if let Some(id) = self.remove {
            live.put_on_call(space, vec![(id, None)]).await?;
        }
        let snapshot = live.snapshot();
        let changes = snapshot.system(&space).map(|system| &system.on_call);
        let changes = changes.cloned().unwrap_or_default();
        let plan = duties(
            &self.schedule,
            schedule,
            &changes,
            now,
            now.plus(self.ahead),
        );
        let rows: Vec<_> = plan
            .iter()
            .map(|duty| vec![local(duty.from), local(duty.until), duty.who.clone()])
            .collect();
        let mut text = if rows.is_empty() {
            "Nobody is on call.\n".to_owned()
        } else {
            table(&rows)
        };
        let plan: Vec<_> = plan
            .iter()
            .map(|duty| {
                json!({"from": duty.from.to_string(), "until": duty.until.to_string(), "who": duty.who})
            })
            .collect();
        let own: Vec<_> = changes
            .iter()
            .filter(|(_, change)| change.schedule == self.schedule && change.until > now)
            .collect();
        text.push_str(&changes_text(&own));
        let own = own.into_iter();
        let own: Vec<_> = own
            .map(|(id, change)| {
                json!({
                    "id": id.to_string(),
                    "who": change.who,
                    "from": change.from.to_string(),
                    "until": change.until.to_string(),
                    "reason": change.reason,
                })
            })
            .collect();
        Ok(Report::new(
            text,
            &json!({"schedule": self.schedule, "duties": plan, "overrides": own}),
        ))
    }
}

/// Changes for people, with the ids by which they are taken back.
fn changes_text(changes: &[(&ItemId, &OnCallOverride)]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut changes = changes.to_vec();
    changes.sort_by_key(|(id, change)| (change.from, **id));
    let more = changes.len().saturating_sub(CHANGES_SHOWN_MAX);
    let rows = changes.iter().take(CHANGES_SHOWN_MAX).map(|(id, change)| {
        vec![
            id.to_string(),
            local(change.from),
            local(change.until),
            change.who.clone(),
            change.reason.clone(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let mut text = format!(
        "\nInstead of the schedule (--remove ID takes one back):\n{}",
        table(&rows)
    );
    if more > 0 {
        text.push_str(&format!("… and {more} later ones: --json shows them\n"));
    }
    text
}
