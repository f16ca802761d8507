//! Listening before a verb answers: how agents are is told by them, and stands on no disk.

use std::time::Duration;

use aramaki_model::status::AgentLife;
use aramaki_sync_core::Timestamp;
use clap::Args;
use tokio::time::{Instant, sleep, timeout_at};

use super::{age, parse_span};
use crate::workspace::Live;

/// What came in step with the agents may bring more that was written before.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// An agent of which nothing is known may have joined elsewhere: so long it is waited for what it wrote.
const UNSEEN_TIME: Duration = Duration::from_secs(5);
/// What is derived changes by time as well.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

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
    pub(crate) fn words(self, verb: &str, now: Timestamp, at: Timestamp) -> String {
        let age = age(now, at);
        match self.wait {
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

/// Whether there are agents, and all that is shown of them is of now; of those that were never heard of only
/// when they are waited for.
fn is_heard(live: &Live, waits_for_unseen: bool) -> bool {
    let snapshot = live.snapshot();
    let mut agents = snapshot.systems.iter().flat_map(|system| &system.agents);
    let of_now = snapshot.systems.iter().all(|it| it.status.as_of.is_none());
    let unseen = agents.clone().any(|agent| agent.life == AgentLife::Unseen);
    agents.next().is_some() && of_now && !(unseen && waits_for_unseen)
}
