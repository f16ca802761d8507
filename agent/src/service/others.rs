//! What others have to say: results that come in, alerts that end, and what could be looked at.

use std::collections::BTreeMap;

use aramaki_model::agent_config::CHECKS_MAX;
use aramaki_model::entry::PROPOSED_MAX;
use aramaki_model::metric_rule::judged;
use aramaki_model::{Check, JournalEntry, Transition};

use super::{Outlet, Service, merged, now};
use crate::discover::{self, Found};
use crate::listen::{Answer, Answering, Arrival, ExternalResult};
use crate::metrics::{CheckFigures, Figures, render};
use crate::observe::Observed;

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

    /// Takes results of others in, and answers who waits.
    pub(super) fn arrived(&mut self, arrival: Arrival, running: usize) {
        let (results, answering) = match arrival {
            Arrival::Results(results, answering) => (results, answering),
            Arrival::Asked(answer) => {
                if answer.send(render(&self.figures(running))).is_err() {
                    tracing::debug!("whoever asked for metrics waits no longer");
                }
                return;
            }
        };
        let mut refused = Vec::new();
        for result in &results {
            if let Err(reason) = self.external(result) {
                refused.push(reason);
            }
        }
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.counts.refused += count(refused.len());
        self.counts.external += count(results.len().saturating_sub(refused.len()));
        match answering {
            Answering::Sender(answer) => {
                if answer.send(Answer { refused }).is_err() {
                    tracing::debug!("whoever sent results waits no longer");
                }
            }
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

    fn external(&mut self, result: &ExternalResult) -> Result<(), String> {
        let at = now();
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
        self.observed(Observed::of(observation).with_whole(result.whole()));
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
            if let Err(reason) = self.external(&over) {
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
