//! What people do in a workspace: Systems, notes, what is written about them.

use std::collections::BTreeSet;

use aramaki_model::entry::{Deployment, Message};
use aramaki_model::system::{NoteKind, NoteRef};
use aramaki_model::{
    Edit, EntryId, NoteEdit, NoteHistory, NoteId, System, TimelineEntry, TimelineReach, Workspace,
};
use aramaki_sync_core::{AuthorId, DocumentId, SpaceId};

use super::change::{self, SystemChange};
use super::live::Live;
use super::profile::with_causes;
use super::rows::{NoteRow, SystemPage, SystemRow, TimelineRow};
use super::{fresh, read};
use crate::cli::{CliError, select};

impl Live {
    /// Every System that can be read here.
    pub(crate) fn rows(&self) -> Vec<SystemRow> {
        let snapshot = self.snapshot();
        snapshot
            .systems
            .iter()
            .map(|system| read::row(system))
            .collect()
    }

    /// The Systems that have this very title.
    pub(crate) fn systems_called(&self, title: &str) -> Vec<SpaceId> {
        let snapshot = self.snapshot();
        let same = snapshot.systems.iter().filter(|it| it.title == title);
        same.map(|it| it.space).collect()
    }

    /// The Spaces of every System that can be read here.
    pub(crate) fn systems(&self) -> Vec<SpaceId> {
        self.snapshot()
            .systems
            .iter()
            .map(|system| system.space)
            .collect()
    }

    /// The Space that SYSTEM names.
    ///
    /// # Errors
    /// When nothing or several things match.
    pub(crate) fn find(&self, wanted: &str) -> Result<SpaceId, CliError> {
        let snapshot = self.snapshot();
        let systems = snapshot.systems.iter();
        select(
            wanted,
            systems.map(|system| (system.space, system.title.as_str())),
        )
    }

    /// A System's title, if it can be read here.
    pub(crate) fn title(&self, space: SpaceId) -> Option<String> {
        let title = self.model().system(&space)?.title.clone();
        (!title.is_empty()).then_some(title)
    }

    /// The Spaces of a System's agents.
    pub(crate) fn agents_of(&self, space: SpaceId) -> Vec<SpaceId> {
        let model = self.model();
        model
            .system(&space)
            .map(|system| system.agents.keys().copied().collect())
            .unwrap_or_default()
    }

    /// The Spaces of agents that were removed from a System, who was removed last at the beginning.
    pub(super) fn removed_agents_of(&self, space: SpaceId) -> Vec<SpaceId> {
        let model = self.model();
        let system = model.system(&space);
        let mut removed: Vec<_> = system.into_iter().flat_map(System::removals).collect();
        removed.sort_by_key(|(agent, at)| (std::cmp::Reverse(*at), *agent));
        removed.into_iter().map(|(agent, _)| agent).collect()
    }

    /// The Spaces of all agents here.
    pub(super) fn agents(&self) -> BTreeSet<SpaceId> {
        let model = self.model();
        let systems = model.spaces().filter_map(|space| model.system(&space));
        systems
            .flat_map(|system| system.agents.keys().copied())
            .collect()
    }

    /// The Systems at which an agent looks.
    pub(super) fn systems_of(&self, agent: SpaceId) -> Vec<SpaceId> {
        let model = self.model();
        let systems = model.spaces();
        systems
            .filter(|space| {
                let system = model.system(space);
                system.is_some_and(|system| system.agents.contains_key(&agent))
            })
            .collect()
    }

    /// Whose journal of an agent counts, as its Systems say; nobody where none says.
    pub(super) fn agent_authors(&self, agent: SpaceId) -> BTreeSet<AuthorId> {
        let model = self.model();
        let systems = model.spaces().filter_map(|space| model.system(&space));
        systems
            .filter_map(|system| system.agents.get(&agent)?.author)
            .collect()
    }

    /// The Spaces of all agents here, with what their Systems call them.
    pub(crate) fn agent_labels(&self) -> Vec<(SpaceId, String)> {
        let model = self.model();
        let systems = model.spaces().filter_map(|space| model.system(&space));
        systems
            .flat_map(|system| &system.agents)
            .filter(|(_agent, link)| !link.label.is_empty())
            .map(|(agent, link)| (*agent, link.label.clone()))
            .collect()
    }

    /// Whether an agent is listened to by now: whoever begins knows nothing of its silence yet.
    pub(crate) fn listens(&self) -> bool {
        let snapshot = self.snapshot();
        let mut agents = snapshot.systems.iter().flat_map(|it| &it.agents);
        let model = self.model();
        agents.any(|agent| model.is_heard(&agent.space))
    }

    /// Whether a Space holds a System, as opposed to an agent.
    pub(crate) fn is_system(&self, space: SpaceId) -> bool {
        self.model().system(&space).is_some()
    }

    /// The note that a document is.
    ///
    /// # Errors
    /// When the System's index does not list it.
    pub(super) fn note_of(&self, space: SpaceId, document: DocumentId) -> Result<NoteId, CliError> {
        let model = self.model();
        let notes = model.system(&space).map(|system| &system.notes);
        let found = notes.and_then(|notes| {
            notes
                .keys()
                .copied()
                .find(|note| aramaki_model::name::note(*note) == document)
        });
        found.ok_or_else(|| CliError::NoSuchNote {
            wanted: document.to_string(),
        })
    }

    /// All of one System.
    ///
    /// # Errors
    /// When it cannot be read here.
    pub(crate) fn page(&self, space: SpaceId) -> Result<SystemPage, CliError> {
        let snapshot = self.snapshot();
        let missing = || CliError::NoSuchSystem {
            wanted: space.to_string(),
            similar: Vec::new(),
        };
        snapshot.system(&space).map(read::page).ok_or_else(missing)
    }

    /// The timelines of these Systems (of all, if none is named) as one, newest first.
    pub(crate) fn timeline(
        &self,
        systems: Option<&[SpaceId]>,
        reach: TimelineReach,
    ) -> Vec<TimelineRow> {
        read::timeline(&self.looking_back(systems, reach))
    }

    /// The notes of a System.
    pub(crate) fn notes(&self, space: SpaceId) -> Vec<NoteRow> {
        self.snapshot()
            .system(&space)
            .map(read::notes)
            .unwrap_or_default()
    }

    /// A note by its id or exact title.
    ///
    /// # Errors
    /// When nothing or several notes match.
    pub(crate) fn find_note(&self, space: SpaceId, wanted: &str) -> Result<NoteRow, CliError> {
        let notes = self.notes(space);
        if let Some(note) = notes.iter().find(|note| note.id.to_string() == wanted) {
            return Ok(note.clone());
        }
        let mut named: Vec<_> = notes
            .into_iter()
            .filter(|note| note.title == wanted)
            .collect();
        match (named.pop(), named.as_slice()) {
            (None, _) => Err(CliError::NoSuchNote {
                wanted: wanted.to_owned(),
            }),
            (Some(note), []) => Ok(note),
            (Some(note), others) => Err(CliError::AmbiguousNote {
                wanted: wanted.to_owned(),
                candidates: others
                    .iter()
                    .chain([&note])
                    .map(|note| format!("{}  {}", note.id, note.title))
                    .collect(),
            }),
        }
    }

    /// Makes a System: its Space, the relays that keep all others, and what is said of it.
    ///
    /// # Errors
    /// When the store refuses.
    pub(crate) async fn create_system(
        &self,
        changes: Vec<SystemChange>,
    ) -> Result<SpaceId, CliError> {
        self.check_room(None, &changes)?;
        self.check_edit(&changes)?;
        let relays = self.usual_relays().await?;
        let space = self.create_space().await?;
        for relay in relays {
            self.add_relay(space, relay).await?;
        }
        self.seal_new(space).await;
        self.edit_system(space, changes).await?;
        self.explain_relays(space).await;
        Ok(space)
    }

    /// Refuses what cannot be said of a System, before it has a Space: else an empty one would be left.
    fn check_edit(&self, changes: &[SystemChange]) -> Result<(), CliError> {
        let (ids, chain) = (change::ids(changes.len())?, self.chain());
        let (mut scratch, space) = (Workspace::new(), SpaceId::ZERO);
        scratch.open_space(space);
        let edited = scratch.edit_system(space, &chain, fresh::now(), |edit| {
            let mut changes = changes.iter().zip(ids);
            changes.try_for_each(|(change, id)| change.apply(edit, id))
        });
        edited.map(drop).map_err(|error| CliError::Refused {
            what: "the edit",
            reason: with_causes(&error),
        })
    }

    /// Changes what is said of a System, all or nothing.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn edit_system(
        &self,
        space: SpaceId,
        changes: Vec<SystemChange>,
    ) -> Result<(), CliError> {
        self.edit_to_heads(space, changes).await.map(drop)
    }

    /// The same; gives the heads of the System's document, which its agents were told if it concerns them.
    ///
    /// # Errors
    /// As [`Live::edit_system`].
    pub(crate) async fn edit_to_heads(
        &self,
        space: SpaceId,
        changes: Vec<SystemChange>,
    ) -> Result<String, CliError> {
        let ids = change::ids(changes.len())?;
        let checks = changes.iter().filter_map(|change| match change {
            SystemChange::Checks(checks) => Some(checks.clone()),
            _ => None,
        });
        let checks: Vec<_> = checks.flatten().collect();
        let new_checks = !checks.is_empty();
        let tells_agents = new_checks
            || changes.iter().any(|change| {
                matches!(
                    change,
                    SystemChange::Desire(..)
                        | SystemChange::Undesire(_)
                        | SystemChange::RemoveChecks(_)
                )
            });
        let mut keeping = None;
        if tells_agents {
            self.check_room(Some(space), &changes)?;
            keeping = Some(self.let_agents_keep(space).await);
        }
        let before = self.model().system(&space).map(|it| it.checks.clone());
        let told = [
            change::of_checks(&before.unwrap_or_default(), &checks),
            change::of_presence(self.model().system(&space), &changes),
        ];
        self.edit(space, |model, chain, now| {
            model.edit_system(space, chain, now, |edit| {
                changes
                    .iter()
                    .zip(ids)
                    .try_for_each(|(change, id)| change.apply(edit, id))
            })
        })
        .await?;
        if tells_agents {
            self.configure_agents(space).await?;
        }
        let heads = self.heads_of(space);
        drop(keeping);
        // Who wonders later why nothing was seen finds it there.
        for told in told.into_iter().flatten() {
            self.say(space, &told).await?;
        }
        Ok(heads)
    }

    /// Adds a note.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn add_note(
        &self,
        space: SpaceId,
        title: &str,
        text: &str,
    ) -> Result<NoteId, CliError> {
        self.add_note_of(space, NoteKind::Note, title, text).await
    }

    /// Adds a note of some kind.
    ///
    /// # Errors
    /// As [`Live::add_note`].
    pub(crate) async fn add_note_of(
        &self,
        space: SpaceId,
        kind: NoteKind,
        title: &str,
        text: &str,
    ) -> Result<NoteId, CliError> {
        let note = NoteId::new(fresh::now(), fresh::random()?);
        // The text first: an index entry without its note would be seen by others.
        self.edit(space, |model, chain, now| {
            model.set_note(space, note, chain, now, text)
        })
        .await?;
        let place = NoteRef {
            title: title.to_owned(),
            kind,
        };
        self.edit(space, |model, chain, now| {
            model.edit_system(space, chain, now, |edit| edit.put_note(note, &place))
        })
        .await?;
        Ok(note)
    }

    /// Gives a note another text by the smallest change.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn set_note(
        &self,
        space: SpaceId,
        note: NoteId,
        text: &str,
    ) -> Result<(), CliError> {
        self.edit(space, |model, chain, now| {
            model.set_note(space, note, chain, now, text)
        })
        .await
    }

    /// Edits a note while somebody types, on the version that they saw; written a moment later.
    ///
    /// # Errors
    /// When the version is not known, or the place is outside its text.
    pub(crate) fn type_note(
        &self,
        space: SpaceId,
        edit: &NoteEdit,
        history: &mut NoteHistory,
    ) -> Result<(), CliError> {
        self.type_edit(space, |model, chain, now| {
            model.edit_note(chain, now, edit, history)
        })
    }

    /// Takes back the last step of a note; nothing when there is none.
    ///
    /// # Errors
    /// When the note is not here.
    pub(crate) fn undo_note(
        &self,
        space: SpaceId,
        document: DocumentId,
        history: &mut NoteHistory,
    ) -> Result<(), CliError> {
        self.type_edit(space, |model, chain, now| {
            let edit = model.undo_note(chain, now, history)?;
            Ok(edit.unwrap_or_else(|| nothing(document)))
        })
    }

    /// Does again what was taken back last; nothing when there is none.
    ///
    /// # Errors
    /// When the note is not here.
    pub(crate) fn redo_note(
        &self,
        space: SpaceId,
        document: DocumentId,
        history: &mut NoteHistory,
    ) -> Result<(), CliError> {
        self.type_edit(space, |model, chain, now| {
            let edit = model.redo_note(chain, now, history)?;
            Ok(edit.unwrap_or_else(|| nothing(document)))
        })
    }

    /// Adds a few words to a System's timeline.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn say(&self, space: SpaceId, text: &str) -> Result<(), CliError> {
        let id = EntryId::new(fresh::now(), fresh::random()?);
        let text = text.to_owned();
        self.edit(space, |model, chain, now| {
            let entry = TimelineEntry::Message(Message { at: now, text });
            model.append_timeline(space, chain, now, &[(id, entry)])
        })
        .await
    }

    /// Puts on a timeline that something was deployed or configured.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn deployed(
        &self,
        space: SpaceId,
        deployment: Deployment,
    ) -> Result<(), CliError> {
        let id = EntryId::new(fresh::now(), fresh::random()?);
        self.edit(space, |model, chain, now| {
            let entry = TimelineEntry::Deployment(deployment);
            model.append_timeline(space, chain, now, &[(id, entry)])
        })
        .await
    }
}

/// An edit that changes nothing.
fn nothing(document: DocumentId) -> Edit {
    Edit {
        document,
        ..Edit::default()
    }
}
