//! What this machine tells of its services, and what it does when something is desired.

use std::collections::BTreeMap;

use aramaki_model::action::{Outcome, RefusedFor};
use aramaki_model::desired::{DesiredRun, RUN_DETAIL_LEN_BYTES_MAX};
use aramaki_model::{Check, JournalEntry};
use tokio::task::JoinSet;

use super::{Outlet, Service, now};
use crate::actions::catalogue::Actions;
use crate::actions::execute::{self, Ran};
use crate::desired::{Due, Ended};
use crate::run::ROOT;

/// What an action's program is told in its surroundings.
const PATH: &str = "ARAMAKI_PATH";
const VALUE: &str = "ARAMAKI_VALUE";
const GENERATION: &str = "ARAMAKI_GENERATION";

/// An action that ended.
pub(super) type Acted = (Due, Ran);

impl<O: Outlet> Service<O> {
    /// Tells readers which services run here, if that is something else than what they know: one write.
    pub(super) fn register(&mut self, checks: &[Check]) {
        let at = now();
        let known = &self.saved.services;
        let mut services = self.config.services(at, checks);
        let mut is_news = services.len() != known.len();
        for service in &mut services {
            match known.iter().find(|it| it.is_same(service)) {
                // It runs there since it was first told.
                Some(known) => service.since = known.since,
                None => is_news = true,
            }
        }
        if !is_news {
            return;
        }
        self.saved.services = services;
        self.saved.services_at = at;
        for entry in self.registrations() {
            self.enter(&entry);
        }
        tracing::info!(services = self.saved.services.len(), "services are told");
    }

    /// What a new segment of the journal says of services; nothing where there never were any.
    pub(super) fn registrations(&self) -> Vec<JournalEntry> {
        let at = self.saved.services_at;
        if at == aramaki_sync_core::Timestamp::ZERO {
            return Vec::new();
        }
        JournalEntry::register(at, &self.saved.services)
    }

    /// Takes in what is desired now.
    pub(super) fn desire(&mut self) {
        let Some(config) = &self.saved.config else {
            return;
        };
        if config.desired.heads.is_empty() {
            // An administrator of an older version said nothing of it: what was known holds.
            return;
        }
        if self.desires.configure(&config.desired, now()) {
            self.dirty = true;
        }
    }

    /// Begins what is desired and not done. It is on disk before anything happens: else it waits.
    pub(super) fn start_desired(&mut self, acts: &mut JoinSet<Acted>) {
        if self.desires.next_due().is_none_or(|due| due > now()) {
            return;
        }
        let due = self.desires.take_due(now());
        if let Err(error) = self.save() {
            tracing::error!(error = %crate::net::chain(&error), "nothing desired is done: the agent's state cannot be kept");
            for due in &due {
                self.desires.ended(due, Ended::Failed, now());
            }
            return;
        }
        // The host's files have the last word, as they are now.
        let actions = Actions::read(&self.config.actions_folder, ROOT);
        for due in due {
            tracing::info!(path = %due.path, action = due.action, generation = due.generation, "what is desired changed");
            let actions = actions.definitions.get(&due.action).cloned();
            acts.spawn(async move {
                let ran = match actions {
                    None => Ran::refused(RefusedFor::NotInCatalogue),
                    Some(definition) => match definition.argv(&arguments(&due, &definition)) {
                        Err(why) => Ran::refused(RefusedFor::Argument(why)),
                        Ok(argv) => {
                            let mut definition = definition;
                            definition.environment.extend(surroundings(&due));
                            execute::run(&definition, &argv).await
                        }
                    },
                };
                (due, ran)
            });
        }
    }

    /// Tells what became of it.
    pub(super) fn acted(&mut self, (due, ran): Acted) {
        let at = now();
        let ended = if ran.outcome == Outcome::Exit(0) {
            Ended::Done
        } else {
            Ended::Failed
        };
        let again = self.desires.ended(&due, ended, at);
        self.dirty = true;
        let tail: Vec<u8> = ran.output.tail.into();
        let from = tail.len().saturating_sub(RUN_DETAIL_LEN_BYTES_MAX);
        let detail = String::from_utf8_lossy(tail.get(from..).unwrap_or_default());
        tracing::info!(path = %due.path, action = due.action, outcome = ?ran.outcome, again, "a desired action ended");
        self.enter(&JournalEntry::DesiredRun(DesiredRun {
            at,
            path: due.path.to_string(),
            action: due.action,
            generation: due.generation,
            attempt: due.attempt,
            again,
            outcome: ran.outcome,
            detail: detail.trim_end().to_owned(),
        }));
    }
}

/// What stands for itself as text: a word needs no quotes.
fn plain(value: &str) -> String {
    match serde_json::from_str(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => value.to_owned(),
    }
}

/// Values for those parameters that the action has.
fn arguments(
    due: &Due,
    definition: &crate::actions::definition::Definition,
) -> BTreeMap<String, String> {
    let known = definition.described().parameters;
    let said = [
        ("path", Some(due.path.to_string())),
        ("value", due.value.as_deref().map(plain)),
        ("generation", Some(due.generation.clone())),
    ];
    let said = said
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    said.filter(|(name, _)| known.iter().any(|it| it.name == *name))
        .collect()
}

fn surroundings(due: &Due) -> impl Iterator<Item = (String, String)> {
    let said = [
        (PATH, Some(due.path.to_string())),
        (VALUE, due.value.clone()),
        (GENERATION, Some(due.generation.clone())),
    ];
    said.into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
}
