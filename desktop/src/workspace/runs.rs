//! Actions of a System as the window shows them, and a wish to run one.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aramaki_model::action::{Outcome, TAIL_LEN_BYTES_MAX};
use aramaki_model::desired::DesiredRun;
use aramaki_model::maintenance::request::{EXIT_POSTPONE, EXIT_RETRY};
use aramaki_model::snapshot::AgentView;
use aramaki_model::{ItemId, is_deceptive};
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};

use super::actions::{AgentActions, RequestRow, Wanted};
use super::fresh;
use super::live::Live;
use super::names::Names;
use super::values;
use crate::cli::CliError;
use crate::view::actions::{
    AboutAlert, Again, Came, HostAction, LookedRun, Ran, Run, RunPage, RunWish, SystemActions,
    Taken, Watched, newest,
};

/// How much of an output is shown: its end, in lines.
const TAIL_LINES_MAX: usize = 12;
/// How many runs of each action are shown.
pub(super) const RUNS_MAX: usize = 5;
/// How many of a System were asked for because of alerts and are shown.
const TAKEN_MAX: usize = 200;
/// How many runs stand in the timeline of everything.
const RAN_MAX: usize = 200;

impl Live {
    /// What can be run for a System, and who asked for it last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn host_actions(&self, system: SpaceId) -> Result<SystemActions, CliError> {
        let agents = self.actions(system).await?;
        let snapshot = self.snapshot();
        let known = snapshot.system(&system);
        let known = known.map_or(&[][..], |known| known.agents.as_slice());
        Ok(SystemActions {
            actions: agents
                .iter()
                .flat_map(|agent| of_agent(agent, known))
                .collect(),
            taken: taken(&agents),
            values: values::by_check(&agents),
            proposed: values::proposed(&agents),
            ..SystemActions::new(system)
        })
    }

    /// All of one run, for its page.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn looked_run(
        &self,
        (system, request): (SpaceId, EnvelopeId),
    ) -> Result<LookedRun, CliError> {
        let agents = self.actions(system).await?.into_iter();
        let mut found = agents.filter_map(|agent| {
            let row = agent.requests.iter().find(|it| it.id == request)?;
            Some(Box::new(page(system, agent.label.clone(), row)))
        });
        let page = found.next();
        Ok(LookedRun { request, page })
    }

    /// What was run lately in all Systems, newest first.
    pub(super) fn ran(&self, names: &Names) -> Vec<Ran> {
        let (snapshot, now) = (self.snapshot(), fresh::now());
        let mut seen = BTreeSet::new();
        let mut ran = Vec::new();
        for system in &snapshot.systems {
            for agent in &system.agents {
                if !seen.insert(agent.space) {
                    continue;
                }
                let briefs = self.last_ran(agent.space);
                ran.extend(briefs.iter().flat_map(|it| it.iter()).map(|it| Ran {
                    id: it.id,
                    system: system.space,
                    host: agent.label.clone(),
                    action: it.action.clone(),
                    who: names.of(it.by),
                    at: it.at,
                    reason: it.reason.clone(),
                    alert: it.alert.map(|id| AboutAlert::of(&snapshot, id)),
                    came: it.known.came(now, agent.unheard_since()),
                }));
            }
        }
        ran.sort_by_key(|it| Reverse((it.at, it.id)));
        ran.truncate(RAN_MAX);
        ran
    }

    /// Asks an agent to run something.
    ///
    /// # Errors
    /// When this device may not, or the same was just done and nobody confirmed it.
    pub(super) async fn run_wish(&self, wish: RunWish) -> Result<(), CliError> {
        let wanted = Wanted {
            agent: &wish.host,
            action: &wish.action,
            arguments: wish.arguments,
            reason: wish.reason.trim(),
            again: wish.again == Again::Confirmed,
            alert: wish.alert,
        };
        self.request_action(wish.system, wanted).await.map(drop)
    }
}

/// What was asked for because of alerts, newest first.
fn taken(agents: &[AgentActions]) -> Vec<Taken> {
    let all = agents.iter().flat_map(|agent| {
        let rows = agent.requests.iter();
        rows.filter(|row| row.request.alert.is_some())
            .map(|row| Taken {
                host: agent.label.clone(),
                action: row.request.action.clone(),
                run: run(row),
            })
    });
    let mut taken: Vec<_> = all.collect();
    taken.sort_by_key(|it| Reverse((it.run.at, it.run.id)));
    taken.truncate(TAKEN_MAX);
    taken
}

fn of_agent<'a>(
    agent: &'a AgentActions,
    known: &'a [AgentView],
) -> impl Iterator<Item = HostAction> + 'a {
    agent.actions.iter().map(|(name, described)| {
        let requests = agent.requests.iter();
        let runs = requests.filter(|row| row.request.action == *name);
        let itself = known.iter().filter(|it| it.space == agent.agent);
        let itself = itself.flat_map(|it| &it.desired);
        let itself = itself.filter(|run| run.action == *name);
        let mut watched: Vec<_> = itself.map(watched).collect();
        watched.sort_by_key(|it| Reverse(it.at));
        watched.truncate(RUNS_MAX);
        HostAction {
            host: agent.label.clone(),
            name: name.clone(),
            description: described.description.clone(),
            parameters: described.parameters.clone(),
            approvals: described.approvals,
            is_read_only: described.is_read_only,
            runs: last_runs(runs, RUNS_MAX).into_iter().map(run).collect(),
            watched,
        }
    })
}

/// The newest requests, at most so many; what really ran last is among them.
pub(super) fn last_runs<'a>(
    requests: impl Iterator<Item = &'a RequestRow>,
    most: usize,
) -> Vec<&'a RequestRow> {
    newest(requests.collect(), most, |row| row.came().began())
}

/// A run of its own accord, as it is shown.
fn watched(run: &DesiredRun) -> Watched {
    Watched {
        at: run.at,
        path: harmless(&run.path),
        came: ended(&run.outcome),
        tail: shown(run.detail.as_bytes()),
    }
}

/// One time that somebody asked, as it is shown.
pub(super) fn run(row: &RequestRow) -> Run {
    let heard = row.heard.after(0).map(|heard| heard.bytes);
    let tail = row.result.as_ref().map(|result| result.tail.as_slice());
    let tail = tail.or(heard.as_deref());
    Run {
        id: row.id,
        who: row.who.clone(),
        at: row.at,
        reason: row.request.reason.clone(),
        alert: row.request.alert,
        arguments: row.request.arguments.clone(),
        came: row.came(),
        tail: shown(tail.unwrap_or_default()),
    }
}

/// What is known of a request, as far as it tells what came of it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// When its agent began.
    pub(super) started: Option<Timestamp>,
    /// When it is tried again, if it waits for that.
    pub(super) again_at: Option<Timestamp>,
    /// The work in a maintenance window that it confirms.
    pub(super) maintenance: Option<ItemId>,
    /// How it ended.
    pub(super) outcome: Option<Outcome>,
    /// From when on nothing is waited for.
    pub(super) expires_at: Timestamp,
}

impl Known {
    /// What came of it by now; in a maintenance window two codes have a meaning of their own.
    ///
    /// Nobody writes the end of what a dead agent was asked for: that its time is over is found out by whoever reads,
    /// and an answer, however late, comes before that. How long a run may last only its host knows: so it goes on for
    /// as long as its agent, heard last then if it is `unheard`, is heard of; of a silent one nothing is waited for
    /// beyond the time at which the request expires.
    pub(super) fn came(&self, now: Timestamp, unheard: Option<Timestamp>) -> Came {
        let is_over = now > self.expires_at;
        match (&self.outcome, self.maintenance) {
            // Its window closed before another attempt.
            (None, _) if is_over && self.again_at.is_some() => Came::Left,
            (None, _) if self.started.is_some() => match heard_until(self.started, unheard) {
                Some(at) if is_over => Came::Unheard(at),
                _ => Came::Runs,
            },
            (None, _) if is_over => Came::Expired,
            (None, _) => Came::Waits,
            (Some(Outcome::Exit(EXIT_POSTPONE)), Some(_)) => Came::Postponed,
            (Some(Outcome::Exit(EXIT_RETRY)), Some(_)) => Came::Left,
            (Some(outcome), _) => ended(outcome),
        }
    }
}

/// Up to when an agent was heard that is not now: that it began something was a sign of it too.
pub(super) fn heard_until(
    started: Option<Timestamp>,
    unheard: Option<Timestamp>,
) -> Option<Timestamp> {
    unheard.map(|at| started.map_or(at, |started| started.max(at)))
}

fn ended(outcome: &Outcome) -> Came {
    match outcome {
        Outcome::Exit(0) => Came::Done,
        Outcome::Exit(code) => Came::Failed(format!("exit {code}")),
        Outcome::Signal(signal) => Came::Failed(format!("signal {signal}")),
        Outcome::TimedOut => Came::Failed("time limit".to_owned()),
        Outcome::Unknown => Came::Lost,
        Outcome::Refused(why) => Came::Refused(why.to_string()),
    }
}

/// All of one run.
fn page(system: SpaceId, host: String, row: &RequestRow) -> RunPage {
    let heard = row.heard.after(0).map(|heard| heard.bytes);
    let result = row.result.as_deref();
    let output = result.map(|it| it.tail.as_slice()).or(heard.as_deref());
    let output = output.unwrap_or_default();
    let len_bytes = result.map_or_else(|| row.heard.end(), |it| it.len_bytes);
    let kept = u64::try_from(output.len()).unwrap_or(u64::MAX);
    RunPage {
        system,
        host,
        action: row.request.action.clone(),
        run: Run {
            tail: harmless(&String::from_utf8_lossy(output)),
            ..run(row)
        },
        end: row.request.end,
        again: row.request.again,
        said: row.said.clone(),
        began: row.started,
        ended: result.map(|it| it.ended),
        len_bytes,
        left_out_bytes: len_bytes.saturating_sub(kept),
    }
}

/// A text without what would deceive whoever reads it.
fn harmless(text: &str) -> String {
    let kept = |c: &char| !is_deceptive(*c) || matches!(c, '\n' | '\t');
    text.chars().filter(kept).collect()
}

/// The end of an output, harmless.
pub(super) fn shown(tail: &[u8]) -> String {
    let from = tail.len().saturating_sub(TAIL_LEN_BYTES_MAX);
    let text = String::from_utf8_lossy(tail.get(from..).unwrap_or_default());
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES_MAX);
    let last = lines.get(from..).unwrap_or_default().join("\n");
    harmless(&last)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const END: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn known(outcome: Option<Outcome>, window: Option<ItemId>) -> Known {
        Known {
            started: outcome.is_some().then_some(END),
            again_at: None,
            maintenance: window,
            outcome,
            expires_at: END,
        }
    }

    fn window() -> ItemId {
        ItemId::new(Timestamp::ZERO, [1; 10])
    }

    #[test]
    fn what_is_postponed_in_a_window_did_not_fail_and_outside_of_one_it_did() {
        let came = |code, window| known(Some(Outcome::Exit(code)), window).came(END, None);
        assert_eq!(came(EXIT_POSTPONE, Some(window())), Came::Postponed);
        assert_eq!(came(EXIT_RETRY, Some(window())), Came::Left);
        assert_eq!(came(0, Some(window())), Came::Done);
        let failed = |code: i32| Came::Failed(format!("exit {code}"));
        assert_eq!(came(1, Some(window())), failed(1));
        assert_eq!(came(EXIT_POSTPONE, None), failed(EXIT_POSTPONE));
    }

    #[test]
    fn what_no_agent_answered_expires_and_a_late_answer_counts() {
        let late = END.plus(Duration::from_secs(1));
        let asked = known(None, None);
        assert_eq!(asked.came(END, None), Came::Waits);
        assert_eq!(asked.came(late, None), Came::Expired);
        assert_eq!(asked.came(late, Some(END)), Came::Expired, "it never began");
        assert!(!asked.came(late, None).began());
        let begun = Known {
            started: Some(END),
            ..asked
        };
        assert_eq!(begun.came(late, None), Came::Runs, "a run may last longer");
        let tried = Known {
            again_at: Some(END),
            maintenance: Some(window()),
            ..begun
        };
        assert_eq!(tried.came(END, None), Came::Runs);
        assert_eq!(tried.came(late, None), Came::Left, "its window closed");
        let answered = known(Some(Outcome::Exit(0)), None);
        assert_eq!(answered.came(late, None), Came::Done);
        let refused = Outcome::Refused(aramaki_model::action::RefusedFor::OutOfTime);
        let refused = known(Some(refused), None).came(late, None);
        assert_eq!(refused, Came::Refused("its time was over".to_owned()));
    }

    #[test]
    fn how_a_run_ended_whose_agent_is_silent_is_not_known_and_a_late_answer_counts() {
        let (late, before) = (
            END.plus(Duration::from_secs(1)),
            END.minus(Duration::from_secs(20)),
        );
        let begun = Known {
            started: Some(END),
            ..known(None, None)
        };
        assert_eq!(begun.came(END, Some(late)), Came::Runs, "not for a moment");
        assert_eq!(begun.came(late, None), Came::Runs, "its agent is heard of");
        let came = begun.came(late, Some(late));
        assert_eq!(came, Came::Unheard(late));
        assert!(came.began(), "whoever asks for it again is told of it");
        let came = begun.came(late, Some(before));
        assert_eq!(came, Came::Unheard(END), "it was heard when it began");
        let answered = known(Some(Outcome::Exit(0)), None);
        assert_eq!(answered.came(late, Some(before)), Came::Done);
        let tried = Known {
            again_at: Some(END),
            maintenance: Some(window()),
            ..begun
        };
        assert_eq!(tried.came(late, Some(before)), Came::Left);
    }
}
