//! An import into the workspace: all of it or nothing, and twice is once.
//!
//! Systems live in Spaces of their own, and no store writes several at once. So an import has a
//! point before which nothing can be seen, and after which it is finished whatever happens:
//! 1. everything is examined, without a write;
//! 2. Spaces are made for new Systems: without a document nobody sees them, and one that an
//!    interrupted import left is used by the next;
//! 3. all that will be written goes to a file, durably: from here on it happens;
//! 4. documents are written, each once however often it is tried; then the file goes. While it is
//!    there, opening the workspace goes on where it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use aramaki_model::import::{IMPORT_LABEL, ImportPlan, PlannedChange, PlannedSystem};
use aramaki_model::{KnownFamily, Relation, Workspace};
use aramaki_sync_core::SpaceId;
use aramaki_sync_core::statement::{Capability, RelayAddress};
use serde::{Deserialize, Serialize};

use super::change::{self, SystemChange};
use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use crate::cli::CliError;

/// What will be written.
const PENDING_FILE: &str = "import-pending.json";
/// Spaces that were made for it.
const SPACES_FILE: &str = "import-spaces";
/// What a pending import may hold: all files of one, and what is around.
const PENDING_LEN_BYTES_MAX: u64 = 512 << 20;

/// One System of an import.
#[derive(Clone, Debug)]
pub(crate) struct ImportStep {
    /// What it would be.
    pub(crate) planned: PlannedSystem,
    /// The System that an earlier import made; none: it is new.
    pub(crate) space: Option<SpaceId>,
    /// What is done to it.
    pub(crate) changes: Vec<PlannedChange>,
}

impl ImportStep {
    fn is_written(&self) -> bool {
        self.changes.iter().any(PlannedChange::is_written)
    }
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Imported {
    /// How many Systems were made or changed.
    pub(crate) systems: usize,
    /// Every System of the import by its key.
    pub(crate) spaces: BTreeMap<String, SpaceId>,
}

/// What is in the file of a pending import.
#[derive(Debug, Serialize, Deserialize)]
struct Pending {
    /// Parts before those that list them.
    steps: Vec<PlannedSystem>,
    spaces: BTreeMap<String, SpaceId>,
    titles: BTreeMap<String, String>,
    /// The System that takes them as parts, and which.
    into: Option<(SpaceId, Vec<String>)>,
}

impl Live {
    /// Systems that imports made, by the key of what they come from. Two people may have imported the
    /// same apart from each other: the lower id is the one.
    fn imported(&self) -> BTreeMap<String, SpaceId> {
        let model = self.model();
        let mut found = BTreeMap::new();
        for space in model.spaces() {
            let label = model
                .system(&space)
                .and_then(|it| it.labels.get(IMPORT_LABEL));
            if let Some(key) = label {
                let there = found.entry(key.clone()).or_insert(space);
                *there = (*there).min(space);
            }
        }
        found
    }

    /// A System's labels.
    pub(crate) fn labels(&self, space: SpaceId) -> BTreeMap<String, String> {
        let model = self.model();
        model
            .system(&space)
            .map(|it| it.labels.clone())
            .unwrap_or_default()
    }

    /// Alerts that a System is known to raise.
    pub(crate) fn families(&self, space: SpaceId) -> BTreeMap<String, KnownFamily> {
        let model = self.model();
        model
            .system(&space)
            .map(|it| it.families.clone())
            .unwrap_or_default()
    }

    /// What an import would do.
    pub(crate) fn preview_import(
        &self,
        plan: &ImportPlan,
        into: Option<SpaceId>,
    ) -> Vec<ImportStep> {
        let known = self.imported();
        let model = self.model();
        let steps = plan.systems.iter().map(|planned| {
            let space = known
                .get(&planned.key)
                .copied()
                .filter(|it| Some(*it) != into);
            let before = space.and_then(|space| model.system(&space));
            ImportStep {
                changes: planned.changes(before, &known),
                planned: planned.clone(),
                space,
            }
        });
        steps.collect()
    }

    /// Writes an import.
    ///
    /// # Errors
    /// When something of it is not allowed or does not fit: then nothing was written. When the store
    /// fails after it began: then it goes on when the workspace opens next, and the error says so.
    pub(crate) async fn import(
        &self,
        plan: &ImportPlan,
        steps: &[ImportStep],
        into: Option<SpaceId>,
    ) -> Result<Imported, CliError> {
        let _order = self.shared.importing.lock().await;
        self.redo_pending().await?;
        let roots = roots(plan);
        let mut spaces: BTreeMap<String, SpaceId> = steps
            .iter()
            .filter_map(|step| Some((step.planned.key.clone(), step.space?)))
            .collect();
        let is_linked = |key: &String| {
            let model = self.model();
            let part = spaces.get(key);
            let system = into.and_then(|into| model.system(&into));
            system
                .zip(part)
                .is_some_and(|(system, part)| system.parts.contains_key(part))
        };
        let unlinked: Vec<_> = roots
            .into_iter()
            .filter(|key| into.is_some() && !is_linked(key))
            .collect();
        let written: Vec<&ImportStep> = steps.iter().filter(|it| it.is_written()).collect();
        if written.is_empty() && unlinked.is_empty() {
            return Ok(Imported { systems: 0, spaces });
        }
        self.examine(&written, into.filter(|_| !unlinked.is_empty()))
            .await?;
        let mut spare = self.spare_spaces();
        let relays = self.usual_relays().await?;
        for step in written.iter().filter(|it| it.space.is_none()) {
            let space = if let Some(space) = spare.pop() {
                space
            } else {
                self.spare_space(&relays).await?
            };
            spaces.insert(step.planned.key.clone(), space);
        }
        let titles = steps
            .iter()
            .map(|it| (it.planned.key.clone(), it.planned.title.clone()));
        let pending = Pending {
            steps: parts_first(&written),
            titles: titles.collect(),
            into: into
                .filter(|_| !unlinked.is_empty())
                .map(|into| (into, unlinked)),
            spaces,
        };
        self.commit(&pending)?;
        let systems = self.redo(&pending).await?;
        Ok(Imported {
            systems,
            spaces: pending.spaces,
        })
    }

    /// Goes on with an import that was interrupted after it began to write; says how many Systems that
    /// were.
    ///
    /// # Errors
    /// When the store still fails.
    pub(super) async fn finish_import(&self) -> Result<usize, CliError> {
        let _order = self.shared.importing.lock().await;
        self.redo_pending().await
    }

    async fn redo_pending(&self) -> Result<usize, CliError> {
        let path = self.shared.data.join(PENDING_FILE);
        if !path.exists() {
            return Ok(0);
        }
        let text = aramaki_sync::text_file::read(&path, PENDING_LEN_BYTES_MAX)?;
        let pending: Pending = serde_json::from_str(&text).map_err(|error| CliError::Config {
            line: Some(error.line()),
            message: format!("an import that cannot be read: {error}"),
            file: path,
        })?;
        self.redo(&pending).await
    }

    /// Looks at everything that could be refused, before the first write.
    async fn examine(&self, steps: &[&ImportStep], into: Option<SpaceId>) -> Result<(), CliError> {
        let summaries = self.spaces().await;
        let may_write = |space: SpaceId| {
            let summary = summaries.iter().find(|it| it.id == space);
            summary.and_then(|it| it.capability) >= Some(Capability::Write)
        };
        let mut touched = steps.iter().filter_map(|it| it.space).chain(into);
        if let Some(space) = touched.find(|space| !may_write(*space)) {
            let title = self.title(space).unwrap_or_else(|| space.short());
            return Err(CliError::Refused {
                what: "the import",
                reason: format!("this device may not write to {title}; nothing was changed"),
            });
        }
        let chain = self.chain();
        // Spaces that are not there yet stand for those that will be.
        let stand_in = |number: usize| {
            let mut bytes = [0; 32];
            let number = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
            bytes
                .iter_mut()
                .zip(number)
                .for_each(|(byte, digit)| *byte = digit);
            SpaceId::from_bytes(bytes)
        };
        let numbered = (1_usize..).zip(steps);
        let spaces: BTreeMap<_, _> = numbered
            .map(|(number, step)| (step.planned.key.clone(), stand_in(number)))
            .collect();
        for step in steps {
            let planned = &step.planned;
            let failed = |reason: String| CliError::Refused {
                what: "the import",
                reason: format!("{}: {reason}; nothing was changed", planned.title),
            };
            let checks = SystemChange::Checks(planned.checks.clone());
            self.check_room(step.space, &[checks])
                .map_err(|error| failed(error.message()))?;
            let mut scratch = Workspace::new();
            scratch.open_space(SpaceId::ZERO);
            for piece in planned.pieces() {
                let edited = scratch.edit_system(SpaceId::ZERO, &chain, fresh::now(), |edit| {
                    piece.write(None, &spaces, &BTreeMap::new(), edit)
                });
                edited
                    .map(drop)
                    .map_err(|error| failed(with_causes(&error)))?;
            }
        }
        Ok(())
    }

    /// From here on it happens.
    fn commit(&self, pending: &Pending) -> Result<(), CliError> {
        let data = &self.shared.data;
        let path = data.join(PENDING_FILE);
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(data)?;
            serde_json::to_writer(io::BufWriter::new(file.as_file_mut()), pending)?;
            file.flush()?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            fs::File::open(data)?.sync_all()
        };
        write().map_err(|source| file_error("write", path.clone(), source))
    }

    /// Writes what is pending; what was written before changes nothing.
    async fn redo(&self, pending: &Pending) -> Result<usize, CliError> {
        let all = pending.steps.len();
        let mut done = 0;
        let outcome = async {
            for planned in &pending.steps {
                if let Some(space) = pending.spaces.get(&planned.key) {
                    self.write_planned(*space, planned, pending).await?;
                }
                done += 1;
            }
            if let Some((into, keys)) = &pending.into {
                let parts = keys.iter().filter_map(|key| {
                    Some(SystemChange::Part {
                        space: *pending.spaces.get(key)?,
                        label: pending.titles.get(key).cloned().unwrap_or_default(),
                        overrides: Vec::new(),
                        uses: false,
                    })
                });
                self.edit_system(*into, parts.collect()).await?;
            }
            Ok(())
        };
        let outcome: Result<(), CliError> = outcome.await;
        outcome.map_err(|error| CliError::ImportUnfinished {
            done,
            all,
            reason: error.message(),
        })?;
        for name in [PENDING_FILE, SPACES_FILE] {
            let path = self.shared.data.join(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(file_error("remove", path, source));
                }
                _ => {}
            }
        }
        Ok(all)
    }

    async fn write_planned(
        &self,
        space: SpaceId,
        planned: &PlannedSystem,
        pending: &Pending,
    ) -> Result<(), CliError> {
        let checks_of = || self.model().system(&space).map(|it| it.checks.clone());
        let before = checks_of().unwrap_or_default();
        for piece in planned.pieces() {
            self.edit(space, |model, chain, now| {
                let there = model.system(&space).cloned();
                model.edit_system(space, chain, now, |edit| {
                    piece.write(there.as_ref(), &pending.spaces, &pending.titles, edit)
                })
            })
            .await?;
        }
        let after: Vec<_> = checks_of().unwrap_or_default().into_values().collect();
        let told = change::of_checks(&before, &after);
        if before.len() != after.len() || told.is_some() {
            self.configure_agents(space).await?;
        }
        if let Some(told) = told {
            self.say(space, &told).await?;
        }
        Ok(())
    }

    /// Spaces that an import made and did not use.
    fn spare_spaces(&self) -> Vec<SpaceId> {
        let path = self.shared.data.join(SPACES_FILE);
        let text = aramaki_sync::text_file::read(&path, PENDING_LEN_BYTES_MAX).unwrap_or_default();
        let known = text.lines().filter_map(|line| line.parse::<SpaceId>().ok());
        let model = self.model();
        let here: BTreeSet<_> = model.spaces().collect();
        known
            .filter(|space| here.contains(space) && model.system(space).is_none())
            .collect()
    }

    /// A Space for a System of an import.
    async fn spare_space(&self, relays: &[RelayAddress]) -> Result<SpaceId, CliError> {
        let space = self.create_space().await?;
        for relay in relays {
            self.add_relay(space, relay.clone()).await?;
        }
        self.keep_spare(space)?;
        Ok(space)
    }

    /// Remembers a Space until it is used.
    fn keep_spare(&self, space: SpaceId) -> Result<(), CliError> {
        let path = self.shared.data.join(SPACES_FILE);
        let append = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)?;
            writeln!(file, "{space}")
        };
        append().map_err(|source| file_error("write", path.clone(), source))
    }
}

const fn file_error(action: &'static str, path: PathBuf, source: io::Error) -> CliError {
    CliError::File {
        action,
        path,
        source,
    }
}

/// Keys of those that are no part of another of the plan.
fn roots(plan: &ImportPlan) -> Vec<String> {
    let edges = plan.systems.iter().flat_map(|it| &it.edges);
    let parts = edges.filter(|edge| edge.relation == Relation::Part);
    let below: BTreeSet<_> = parts.map(|edge| edge.key.as_str()).collect();
    let keys = plan.systems.iter().map(|it| it.key.clone());
    keys.filter(|key| !below.contains(key.as_str())).collect()
}

/// Those without parts come first, so that what is listed is there.
fn parts_first(steps: &[&ImportStep]) -> Vec<PlannedSystem> {
    let mut sorted: Vec<_> = steps.iter().map(|it| it.planned.clone()).collect();
    sorted.sort_by_key(|it| it.edges.len());
    sorted
}

#[cfg(test)]
mod tests;
