//! What others have to say: results that come in, alerts that end, and what could be looked at.

use std::collections::BTreeMap;

use aramaki_model::agent_config::CHECKS_MAX;
use aramaki_model::entry::PROPOSED_MAX;
use aramaki_model::metric_rule::judged;
use aramaki_model::{Check, JournalEntry, Transition};

use aramaki_sync_core::Timestamp;
use tokio::sync::oneshot;

use super::{Outlet, Service, merged, now};
use crate::discover::{self, Found};
use crate::listen::{Answer, Answering, Arrival, ExternalResult, Unanswered};
use crate::metrics::{CheckFigures, Figures, render};
use crate::observe::Observed;
use crate::state::StateError;

/// A result that was taken in, and when it came.
type Taken = (Timestamp, ExternalResult);
/// Who waits for an answer, and what it is.
type Waiting = (oneshot::Sender<Result<Answer, Unanswered>>, Answer);

impl<O: Outlet> Service<O> {
    /// Tells readers what could be looked at, if that is something else than the last time.
    pub(super) fn propose(&mut self, found: &Found) {
        let known: Vec<Check> = merged(&self.config, self.saved.config.as_ref(), self.agent)
            .into_iter()
            .map(|(check, _origin)| check)
            .collect();
        let mut checks = discover::propose(found, &known, self.agent);
        checks.truncate(PROPOSED_MAX);
        let ids: Vec<_> = checks.iter().map(|check| check.id).collect();
        if ids == self.saved.proposed {
            return;
        }
        self.saved.proposed = ids;
        self.enter(&JournalEntry::Proposed { at: now(), checks });
    }

    /// Takes in what came, and answers who waits: together, once what was taken of it is on disk.
    pub(super) fn take(&mut self, arrived: impl Iterator<Item = Arrival>, running: usize) {
        let (mut taken, mut waiting) = (Vec::new(), Vec::new());
        for arrival in arrived {
            self.arrived(arrival, running, (&mut taken, &mut waiting));
        }
        let is_kept = taken.is_empty() || self.keep_answered(taken);
        for (sender, answer) in waiting {
            let answer = is_kept.then_some(answer).ok_or(Unanswered::NotKept);
            if sender.send(answer).is_err() {
                tracing::debug!("whoever sent results waits no longer");
            }
        }
    }

    /// Writes down what is about to be answered; if that fails, all that is known.
    fn keep_answered(&mut self, taken: Vec<Taken>) -> bool {
        let Err(error) = self.answered.append(taken) else {
            return true;
        };
        let why = crate::net::chain(&error);
        tracing::debug!(why, "results are kept with the whole state");
        let saved = self.save().inspect_err(|error| {
            tracing::error!(error = %crate::net::chain(error), "what came cannot be kept");
        });
        saved.is_ok()
    }

    /// Takes in what was answered before the agent ended without keeping its state.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn take_answered(&mut self) -> Result<(), StateError> {
        let folder = self.folder.clone();
        let read = self.answered.read();
        let records = read.map_err(|source| StateError::Answered { folder, source })?;
        if records.is_empty() {
            return Ok(());
        }
        tracing::info!(
            results = records.len(),
            "results that were answered before are taken in"
        );
        // What they add is added to this.
        self.declare();
        for record in records {
            if let Err(reason) = self.external(&record.result, record.at) {
                tracing::warn!(
                    reason,
                    "a result that was answered before is not taken any more"
                );
            }
        }
        Ok(())
    }

    fn arrived(
        &mut self,
        arrival: Arrival,
        running: usize,
        (taken, waiting): (&mut Vec<Taken>, &mut Vec<Waiting>),
    ) {
        let (results, answering) = match arrival {
            Arrival::Results(results, answering) => (results, answering),
            Arrival::Asked(answer) => {
                if answer.send(render(&self.figures(running))).is_err() {
                    tracing::debug!("whoever asked for metrics waits no longer");
                }
                return;
            }
        };
        let (mut refused, at) = (Vec::new(), now());
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let all = results.len();
        let waits = matches!(answering, Answering::Sender(_));
        for result in results {
            match self.external(&result, at) {
                Ok(()) if waits => taken.push((at, result)),
                Ok(()) => {}
                Err(reason) => refused.push(reason),
            }
        }
        self.counts.refused += count(refused.len());
        self.counts.external += count(all.saturating_sub(refused.len()));
        match answering {
            Answering::Sender(sender) => waiting.push((sender, Answer { refused })),
            Answering::Log(_) if refused.is_empty() => {}
            Answering::Log(refusals) => refusals.tell_each(&refused),
        }
    }

    /// How the agent is.
    fn figures(&self, running: usize) -> Figures {
        let config = self.saved.config.as_ref();
        let beats = self.watch.beats().into_iter();
        let last: BTreeMap<_, _> = beats
            .map(|beat| (beat.check, (beat.at, beat.raw)))
            .collect();
        let checks = self.watch.checks().map(|check| CheckFigures {
            id: check.id,
            name: check.name.clone(),
            last: last.get(&check.id).copied(),
        });
        Figures {
            now: now(),
            started: self.started,
            generation: config.map_or(0, |config| config.generation),
            counts: self.counts,
            running,
            pending: self.watch.pending().count(),
            arrivals: self.arrivals.len(),
            checks: checks.collect(),
        }
    }

    fn external(&mut self, result: &ExternalResult, at: Timestamp) -> Result<(), String> {
        let taken = self.externals.take(result, at).inspect_err(|reason| {
            self.dirty = true;
            tracing::debug!(reason, "a result was refused");
        })?;
        let Some(taken) = taken else {
            return Ok(());
        };
        if let Some(check) = taken.news {
            let is_new = self.watch.check(&check.id).is_none();
            if is_new && self.watch.len() >= CHECKS_MAX {
                return Err(format!("there are {CHECKS_MAX} checks already"));
            }
            self.watch.add(check.clone(), at);
            self.declared = self.declarations();
            // Of the same time as the others, so it adds to them.
            for entry in JournalEntry::declare(self.declared_at, &[check]) {
                self.enter(&entry);
            }
        }
        let Some(check) = self.watch.check(&taken.check) else {
            return Err("its check is not observed".to_owned());
        };
        let observation = result.observation(taken.check, at);
        let observation = judged(&check.metrics, observation);
        self.observed(Observed::of(observation).with_whole(result.whole()), at);
        Ok(())
    }

    /// Lets out what the host wants to hear no more of.
    pub(super) fn let_out(&mut self) {
        let Some(names) = self.forgotten.look() else {
            return;
        };
        tracing::info!(names = names.len(), "names are let out");
        let gone = self.externals.let_out(names);
        if !gone.is_empty() {
            let ended = self.watch.remove(&gone, now());
            self.ended(ended);
            self.declare();
            self.dirty = true;
        }
    }

    /// Tells of problems at which nobody looks any more.
    pub(super) fn ended(&mut self, problems: Vec<Transition>) {
        for problem in problems {
            self.enter(&JournalEntry::Transition(problem));
        }
    }

    /// Alerts that were not sent again are over; what was over for long is forgotten.
    pub(super) fn end_alerts(&mut self) {
        let at = now();
        if self.externals.next_end().is_none_or(|end| end > at) {
            return;
        }
        for over in self.externals.over(at) {
            if let Err(reason) = self.external(&over, at) {
                tracing::warn!(reason, "the end of an alert was not taken in");
            }
        }
        let forgotten = self.externals.forget(at);
        if !forgotten.is_empty() {
            let ended = self.watch.remove(&forgotten, at);
            self.ended(ended);
            self.declare();
        }
    }
}
