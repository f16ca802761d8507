//! Listening before a verb answers: how agents are is told by them, and stands on no disk.

use std::sync::Arc;
use std::time::Duration;

use aramaki_model::Alert;
use aramaki_model::status::AgentLife;
use aramaki_sync_core::Timestamp;
use clap::Args;
use tokio::time::{Instant, sleep, timeout_at};

use super::{CliError, Clock, age, local, parse_span, parts};
use crate::workspace::Live;

/// What came in step with the agents may bring more that was written before.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// An agent of which nothing is known may have joined elsewhere: so long it is waited for what it wrote.
const UNSEEN_TIME: Duration = Duration::from_secs(5);
/// What is derived changes by time as well.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// So long it is listened for an alert of which nothing stands on disk.
const ALERT_TIME_MAX: Duration = Duration::from_secs(30);
/// After so long without it people are told what is waited for.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// How long to listen.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Listen {
    /// Listen to peers for as long as it takes to hear of every agent, and no longer than this: agents tell how
    /// they are, which is not on disk. Who was silent for half a minute is not waited for. The app listens all
    /// the time.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait: Option<Duration>,
}

impl Listen {
    /// At most so long; not at all without.
    pub(crate) const fn of(wait: Option<Duration>) -> Self {
        Self { wait }
    }

    /// Returns as soon as every agent was heard of, or its silence says something, or the time is over.
    pub(crate) async fn run(self, live: &Live) {
        let Some(wait) = self.wait else {
            return;
        };
        let (begin, end) = (Instant::now(), Instant::now() + wait);
        let mut changed = live.watch();
        while !is_heard(live, begin.elapsed() < UNSEEN_TIME) {
            let look = end.min(Instant::now() + LOOK_AGAIN);
            // Whether something changed or time passed: it is looked again.
            let _either = timeout_at(look, changed.changed()).await;
            if Instant::now() >= end {
                return;
            }
            changed.mark_unchanged();
        }
        sleep(AFTERWARDS.min(end.saturating_duration_since(Instant::now()))).await;
    }

    /// From when what is shown is, in words; `verb` is the one that listens first.
    pub(crate) fn words(self, verb: &str, live: &Live, at: Timestamp) -> String {
        let age = age(Clock::now(), at);
        match self.wait {
            None if live.listens() => format!(
                "As recorded {age} ago: listening to the agents has just begun, and their silence says nothing yet."
            ),
            None => format!(
                "As recorded {age} ago: nobody listened to the agents since. `aramaki {verb} --wait 30s` does."
            ),
            Some(_) => format!(
                "As recorded {age} ago: some agents could not be heard in this time, and their silence says \
                 nothing yet. `aramaki peers` says who is reached."
            ),
        }
    }
}

/// The alert that an id or a unique prefix of one names. That a result or an agent is missing follows from what
/// is heard, not from what stands on disk. Where it would be there if nothing else were heard it is taken at
/// once, and that is said; otherwise it is listened first.
///
/// # Errors
/// When none or several match, also after the agents were heard.
pub(crate) async fn find_alert(live: &Live, wanted: &str) -> Result<Arc<Alert>, CliError> {
    let found = live.find_alert(wanted);
    if !matches!(found, Err(CliError::NoSuchAlert { .. })) || is_heard(live, true) {
        return found;
    }
    let Some(alert) = live.suppose_alert(wanted) else {
        return hear_alert(live, wanted).await;
    };
    parts::say_waits(supposed_words(&alert)).await;
    Ok(alert)
}

/// What is said of an alert that nobody had time to hear of here.
fn supposed_words(alert: &Alert) -> String {
    let (title, name) = (&alert.title, alert.called());
    let seen = alert.seen.map(local);
    let since = seen.map_or_else(String::new, |seen| format!(" since {seen}"));
    format!(
        "{title}: {name}: nothing was heard here{since}; whether that is over by now is not known before \
         somebody listens\n"
    )
}

/// The same where what is heard now matters: without supposing anything.
///
/// # Errors
/// As [`find_alert`].
pub(crate) async fn hear_alert(live: &Live, wanted: &str) -> Result<Arc<Alert>, CliError> {
    let (begin, end) = (Instant::now(), Instant::now() + ALERT_TIME_MAX);
    let mut changed = live.watch();
    let (mut is_told, mut heard_until) = (false, None);
    loop {
        let found = live.find_alert(wanted);
        let is_missing = matches!(found, Err(CliError::NoSuchAlert { .. }));
        if !is_missing || !Live::names_alerts(wanted) || !has_agents(live) {
            return found;
        }
        if heard_until.is_none() && is_heard(live, begin.elapsed() < UNSEEN_TIME) {
            // What was written before comes along.
            heard_until = Some(end.min(Instant::now() + AFTERWARDS));
        }
        let end = heard_until.unwrap_or(end);
        if Instant::now() >= end {
            return found;
        }
        if !is_told && begin.elapsed() >= TELL_AFTER {
            is_told = true;
            let most = ALERT_TIME_MAX.as_secs();
            parts::say_waits(format!(
                "nothing here has the id {wanted}: listening to the agents, at most {most} s\n"
            ))
            .await;
        }
        changed.mark_unchanged();
        let look = end.min(Instant::now() + LOOK_AGAIN);
        // Whether something changed or time passed: it is looked again.
        let _either = timeout_at(look, changed.changed()).await;
    }
}

/// The alerts that these name.
///
/// # Errors
/// As for one.
pub(crate) async fn find_alerts(
    live: &Live,
    wanted: &[String],
) -> Result<Vec<Arc<Alert>>, CliError> {
    let mut found = Vec::new();
    for wanted in wanted {
        found.push(find_alert(live, wanted).await?);
    }
    Ok(found)
}

fn has_agents(live: &Live) -> bool {
    let snapshot = live.snapshot();
    snapshot.systems.iter().any(|it| !it.agents.is_empty())
}

/// Whether there are agents, and all that is shown of them is of now; of those that were never heard of only
/// when they are waited for.
fn is_heard(live: &Live, waits_for_unseen: bool) -> bool {
    let snapshot = live.snapshot();
    let mut agents = snapshot.systems.iter().flat_map(|system| &system.agents);
    let of_now = snapshot.systems.iter().all(|it| it.status.as_of.is_none());
    let unseen = agents.clone().any(|agent| agent.life == AgentLife::Unseen);
    agents.next().is_some() && of_now && !(unseen && waits_for_unseen)
}
