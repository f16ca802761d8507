//! Services for a program that stays: from the running app or notifier, or from the workspace itself.

use std::time::Duration;

use aramaki_model::service::{TargetGroup, Targets, targets};
use serde_json::Value;
use tokio::time::Instant;

use super::list::find;
use super::views;
use crate::cli::{CliError, Config};
use crate::workspace::{Answer, Call, Live, Serving, Tenure, ask, wait_for_next};

/// How long whoever holds the workspace may take until it answers, or lets go of it.
const TAKEN_TIME: Duration = Duration::from_secs(20);
const TAKEN_PAUSE: Duration = Duration::from_millis(200);

/// Who says what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Teller {
    /// This process.
    Own,
    /// Another one, which has the workspace.
    Other,
}

/// Whether a list may be told to others by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It may.
    Now,
    /// Whoever tells it only began to listen: what is left out may run all the same.
    Later,
}

/// Where targets come from.
pub(super) struct Source {
    config: Config,
    system: Option<String>,
    /// The workspace, if nobody else has it.
    own: Option<(Live, Option<Serving>)>,
    began: Beginning,
}

/// The beginning with one teller: until every agent that it knows was heard of, or its lease ran out since.
#[derive(Clone, Copy, Debug, Default)]
struct Beginning {
    /// Who tells, and since when.
    teller: Option<(Teller, Instant)>,
    is_over: bool,
    /// It takes no longer than this.
    most: Option<Duration>,
}

impl Beginning {
    fn tells(&mut self, teller: Teller, now: Instant) {
        if self.teller.is_none_or(|(before, _)| before != teller) {
            self.teller = Some((teller, now));
            self.is_over = false;
        }
    }

    /// Who told was not to be asked: whoever answers next may have been started a moment ago.
    fn silent(&mut self) {
        self.teller = None;
    }

    fn judge(&mut self, unheard: Duration, now: Instant) -> Told {
        let since = self.teller.map_or(now, |(_, since)| since);
        let least = self.most.map_or(unheard, |most| unheard.min(most));
        self.is_over |= now.duration_since(since) >= least;
        if self.is_over { Told::Now } else { Told::Later }
    }
}

impl Source {
    /// At the beginning it listens at most for `wait`, or as long as the longest lease.
    pub(super) fn new(config: &Config, system: Option<String>, wait: Option<Duration>) -> Self {
        Self {
            config: config.clone(),
            system,
            own: None,
            began: Beginning {
                most: wait,
                ..Beginning::default()
            },
        }
    }

    /// Whether a list that was just read may be told.
    pub(super) fn judge(&mut self, targets: &Targets) -> Told {
        let unheard = Duration::from_millis(targets.unheard_ms);
        self.began.judge(unheard, Instant::now())
    }

    /// What is believed now.
    ///
    /// # Errors
    /// When the System is not known, or the workspace does not open.
    pub(super) async fn targets(&mut self) -> Result<Targets, CliError> {
        if let Some((live, _)) = &self.own {
            return Ok(targets(&views(live, find(live, self.system.as_deref())?)));
        }
        // Programs that were started at once all want the workspace: one gets it, and answers the others a moment later.
        let limit = Instant::now() + TAKEN_TIME;
        loop {
            if let Some(targets) = self.asked().await? {
                self.began.tells(Teller::Other, Instant::now());
                return Ok(targets);
            }
            self.began.silent();
            match Live::open_unless_served(&self.config).await {
                Ok(Some(live)) => return self.keep(live),
                Ok(None) | Err(CliError::InUse { .. }) if Instant::now() < limit => {}
                Ok(None) => {
                    return Err(CliError::InUse {
                        data: self.config.data.clone(),
                        reason: "the program that has it does not answer".to_owned(),
                    });
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(TAKEN_PAUSE).await;
        }
    }

    /// From now on this process has the workspace, and answers others.
    fn keep(&mut self, live: Live) -> Result<Targets, CliError> {
        self.began.tells(Teller::Own, Instant::now());
        let serving = Serving::begin(&self.config, &live, Tenure::Yields);
        let found =
            find(&live, self.system.as_deref()).map(|system| targets(&views(&live, system)));
        self.own = Some((live, serving));
        found
    }

    /// What the process says that has the workspace; none when there is none.
    async fn asked(&self) -> Result<Option<Targets>, CliError> {
        let mut arguments = ["aramaki", "service", "export", "--json"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(self.system.iter().cloned());
        let call = Call {
            arguments,
            folder: std::path::PathBuf::new(),
            input: None,
        };
        let answered = ask(&self.config.socket, &call).await;
        match answered.map_err(|source| CliError::File {
            action: "ask the app at",
            path: self.config.socket.clone(),
            source,
        })? {
            Some(Answer::Done(report)) => read(&report.json).map(Some),
            Some(Answer::Failed(line)) => Err(line.into()),
            None => Ok(None),
        }
    }

    /// Waits for the next look; lets go of the workspace if a program wants it that stays.
    pub(super) async fn pause(&mut self, pause: Duration) {
        let wanted = async {
            match &self.own {
                Some((_, Some(serving))) => serving.wanted().await,
                _ => std::future::pending().await,
            }
        };
        if tokio::time::timeout(pause, wanted).await.is_ok() {
            tracing::info!("the workspace is left to a program that stays");
            if let Some((live, serving)) = self.own.take() {
                if let Some(serving) = serving {
                    serving.end().await;
                }
                live.close().await;
            }
            wait_for_next(&self.config).await;
        }
    }

    /// Lets go of the workspace; nobody is waited for.
    pub(super) async fn close(&mut self) {
        if let Some((live, serving)) = self.own.take() {
            drop(serving);
            live.close().await;
        }
    }
}

fn read(json: &Value) -> Result<Targets, CliError> {
    let groups: Vec<TargetGroup> =
        serde_json::from_value(json.get("targets").cloned().unwrap_or_default())
            .map_err(|error| CliError::Bug(error.to_string()))?;
    let number = |name: &str| {
        let number = json.get(name).and_then(Value::as_u64);
        usize::try_from(number.unwrap_or(0)).unwrap_or(usize::MAX)
    };
    Ok(Targets {
        groups,
        stale: number("stale"),
        conflicts: number("conflicts"),
        // Programs before this one do not say it.
        unheard_ms: json.get("unheard_ms").and_then(Value::as_u64).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_when_every_agent_was_heard_or_its_lease_ran_out() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let lease = Duration::from_mins(1);
        let mut began = Beginning::default();
        began.tells(Teller::Own, at(0));
        assert_eq!(began.judge(lease, at(4)), Told::Later);
        assert_eq!(began.judge(lease, at(59)), Told::Later);
        assert_eq!(began.judge(lease, at(60)), Told::Now);
        // It began once: who is lost later is left out at once.
        assert_eq!(began.judge(2 * lease, at(61)), Told::Now);
        // Another teller begins anew, and so does one that was not there for a moment.
        began.tells(Teller::Other, at(70));
        assert_eq!(began.judge(lease, at(71)), Told::Later);
        assert_eq!(began.judge(Duration::ZERO, at(72)), Told::Now);
        began.tells(Teller::Other, at(73));
        assert_eq!(began.judge(lease, at(74)), Told::Now);
        began.silent();
        began.tells(Teller::Other, at(75));
        assert_eq!(began.judge(lease, at(76)), Told::Later);
        let mut short = Beginning {
            most: Some(Duration::from_secs(5)),
            ..Beginning::default()
        };
        short.tells(Teller::Own, at(0));
        assert_eq!(short.judge(lease, at(4)), Told::Later);
        assert_eq!(short.judge(lease, at(5)), Told::Now);
    }

    #[test]
    fn what_another_program_says_is_read_back_and_an_older_one_says_less() {
        let says =
            serde_json::json!({"targets": [], "stale": 2, "conflicts": 1, "unheard_ms": 60_000});
        let read_back = read(&says).unwrap();
        assert_eq!((read_back.stale, read_back.unheard_ms), (2, 60_000));
        let old = read(&serde_json::json!({"targets": [], "stale": 2})).unwrap();
        assert_eq!((old.stale, old.unheard_ms), (2, 0));
    }
}
