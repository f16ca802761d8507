//! All Spaces on this device: admitted changes go in, edits come out, and a snapshot shows it all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use aramaki_sync_core::{AuthorId, Chain, DocumentId, EnvelopeId, SpaceId, Timestamp};

use crate::ancestry::{Ancestry, EnvelopeLinks};
use crate::beats::{Beats, LastHeard};
use crate::desired::heads_text;
use crate::doc::{CarriedChange, Document, DocumentKind, Genesis, WAITING_CHANGES_MAX};
use crate::entry::{JournalEntry, TimelineEntry};
use crate::finding::{Finding, Reason};
use crate::hearing::Hearing;
use crate::heartbeat::Heartbeat;
use crate::home::HomeEntry;
use crate::journal::Written;
use crate::membership::MembershipChange;
use crate::name;
use crate::note;
use crate::note_edit::NoteVersion;
use crate::snapshot::Snapshot;
use crate::system::System;

/// How many findings are remembered for each Space.
pub const FINDINGS_MAX: usize = 256;
/// How many documents of a Space wait for the change that tells their kind.
const UNPLACED_DOCUMENTS_MAX: usize = 256;

/// An envelope with changes whose verdict is *admitted*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedChange {
    /// The chain that it stands in.
    pub chain: Chain,
    /// The envelope.
    pub id: EnvelopeId,
    /// Its body: plain Automerge changes, in order.
    pub changes: Vec<Vec<u8>>,
    /// What its author may change.
    pub scope: ChangeScope,
}

/// What somebody may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangeScope {
    /// Every document.
    #[default]
    Documents,
    /// They may comment: add entries to timelines.
    Timelines,
}

/// What a document says, read once after each batch.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    System(Box<System>),
    Note(String),
    Timeline(Vec<Written<TimelineEntry>>),
    Journal(Vec<Written<JournalEntry>>),
    Home(Vec<Written<HomeEntry>>),
}

impl Content {
    fn empty(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::System => Self::System(Box::default()),
            DocumentKind::Note => Self::Note(String::new()),
            DocumentKind::Timeline => Self::Timeline(Vec::new()),
            DocumentKind::Journal => Self::Journal(Vec::new()),
            DocumentKind::Home => Self::Home(Vec::new()),
        }
    }

    /// Reads what a document says now. Logs only grow, so only what is new is decoded.
    fn update(&mut self, document: &mut Document) {
        match self {
            Self::System(system) => {
                **system = System::read(document.automerge()).with_past(document.past());
            }
            Self::Note(text) => *text = note::read(document.automerge()),
            Self::Timeline(entries) => entries.extend(fresh(document, TimelineEntry::decode)),
            Self::Journal(entries) => entries.extend(fresh(document, JournalEntry::decode)),
            Self::Home(entries) => entries.extend(fresh(document, HomeEntry::decode)),
        }
    }
}

fn fresh<E>(document: &mut Document, decode: impl Fn(&[u8]) -> E) -> Vec<Written<E>> {
    let entries = document.take_entries().into_iter();
    let read = entries.map(|(id, actor, bytes)| Written {
        id,
        actor,
        entry: decode(&bytes),
    });
    read.collect()
}

/// A document and what it says.
#[derive(Clone, Debug)]
pub(crate) struct OpenDocument {
    pub(crate) document: Document,
    pub(crate) content: Content,
}

impl OpenDocument {
    pub(crate) fn new(document: Document) -> Self {
        let content = Content::empty(document.kind());
        Self { document, content }
    }

    pub(crate) fn reread(&mut self) {
        self.content.update(&mut self.document);
    }
}

/// A Space on this device.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenSpace {
    pub(crate) documents: BTreeMap<DocumentId, OpenDocument>,
    pub(crate) actors: BTreeMap<[u8; 16], AuthorId>,
    pub(crate) beats: Beats,
    pub(crate) hearing: Hearing,
    pub(crate) findings: VecDeque<Finding>,
    pub(crate) membership: Vec<MembershipChange>,
    /// The Workspace's version when this Space changed last.
    pub(crate) version: u64,
    unplaced: BTreeMap<DocumentId, Vec<CarriedChange>>,
    ancestry: Ancestry,
}

impl OpenSpace {
    /// What people say about the System of this Space.
    pub(crate) fn system(&self) -> Option<&System> {
        match &self.documents.get(&name::system())?.content {
            Content::System(system) => Some(system),
            _ => None,
        }
    }

    /// Who wrote under an Automerge actor.
    pub(crate) fn author(&self, actor: &[u8; 16]) -> Option<AuthorId> {
        self.actors.get(actor).copied()
    }
}

/// What is supposed of agents that nobody had time to listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supposed {
    /// None is heard any more.
    Silence,
    /// All are heard, and tell of no check.
    Heartbeats,
}

/// All Spaces on this device.
///
/// Edits are applied here at once and returned as changes to be written to the replica; when the
/// replica admits them they come back and are recognised. If writing fails, call
/// [`Workspace::rebuild`] with what the replica holds: it forgets the edit.
///
/// **Invariant:** before a document is edited, all its admitted changes have been taken in; else
/// an edit reuses numbers of earlier ones and every replica refuses it.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    pub(crate) genesis: Genesis,
    pub(crate) spaces: BTreeMap<SpaceId, OpenSpace>,
    pub(crate) version: u64,
    /// Spaces by the version at which they changed last.
    recent: BTreeMap<u64, SpaceId>,
}

impl Workspace {
    /// A Workspace without Spaces.
    pub fn new() -> Self {
        // An empty genesis makes every document refuse everything; a test holds that it is not.
        Self {
            genesis: Genesis::new().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Opens a Space that has perhaps no documents yet.
    pub fn open_space(&mut self, space: SpaceId) {
        self.touched(space);
    }

    /// A Space that changes now; opens it if needed.
    pub(crate) fn touched(&mut self, space: SpaceId) -> &mut OpenSpace {
        self.version += 1;
        let open = self.spaces.entry(space).or_default();
        self.recent.remove(&open.version);
        self.recent.insert(self.version, space);
        open.version = self.version;
        open
    }

    /// Spaces that changed, came or went after a version.
    pub(crate) fn changed_since(&self, version: u64) -> impl Iterator<Item = SpaceId> + '_ {
        let after = self.recent.range(version.saturating_add(1)..);
        after.map(|(_, space)| *space)
    }

    /// Forgets a Space.
    pub fn close_space(&mut self, space: &SpaceId) {
        self.version += 1;
        self.recent.insert(self.version, *space);
        if let Some(closed) = self.spaces.remove(space) {
            self.recent.remove(&closed.version);
        }
    }

    /// The Spaces that are open.
    pub fn spaces(&self) -> impl Iterator<Item = SpaceId> + '_ {
        self.spaces.keys().copied()
    }

    /// Grows with everything that may change a snapshot, apart from the clock.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many envelopes of a Space [`Workspace::link`] was told of.
    pub fn linked(&self, space: &SpaceId) -> usize {
        self.spaces.get(space).map_or(0, |open| open.ancestry.len())
    }

    /// Takes in what envelopes of a Space build on, of all documents and of control, in any order
    /// again or not; opens the Space if needed. A change counts only if it depends on nothing
    /// but what its envelope builds on; until that is known it waits. Returns what was left out.
    pub fn link(&mut self, space: SpaceId, links: &[EnvelopeLinks]) -> Vec<Finding> {
        let open = self.touched(space);
        let placed: BTreeSet<_> = links
            .iter()
            .flat_map(|links| open.ancestry.link(links))
            .collect();
        let mut findings = Vec::new();
        for (document, place) in &mut open.documents {
            if !place.document.waits_for(&placed) {
                continue;
            }
            let outcome = place.document.retry(&open.ancestry);
            if outcome.changed {
                place.reread();
            }
            findings.extend(outcome.refused.into_iter().map(|(id, refusal)| Finding {
                space,
                document: *document,
                envelope: Some(id),
                reason: Reason::Refused(refusal),
            }));
        }
        remember(open, findings)
    }

    /// Takes admitted changes of a document in, in any order; opens the Space if needed. Returns
    /// what was left out. Changes that are here already are passed over. What their envelopes
    /// build on comes through [`Workspace::link`].
    pub fn admit(
        &mut self,
        space: SpaceId,
        document: DocumentId,
        admitted: &[AdmittedChange],
    ) -> Vec<Finding> {
        self.touched(space);
        let genesis = &self.genesis;
        let open = self.spaces.entry(space).or_default();
        let mut changes = open.unplaced.remove(&document).unwrap_or_default();
        for envelope in admitted {
            let chain = envelope.chain;
            open.actors.insert(chain.actor_bytes(), chain.author);
            changes.extend(envelope.changes.iter().map(|bytes| CarriedChange {
                chain,
                envelope: envelope.id,
                bytes: bytes.clone(),
                scope: envelope.scope,
            }));
        }
        let finding = |envelope, reason| Finding {
            space,
            document,
            envelope,
            reason,
        };
        let mut findings = Vec::new();
        if !open.documents.contains_key(&document) {
            let is_system = document == name::system();
            let may_begin = |change: &CarriedChange, kind| {
                change.scope == ChangeScope::Documents || kind == DocumentKind::Timeline
            };
            let mut supposed = changes.iter().filter_map(|change| {
                let kind = Document::kind_supposed(&change.bytes, genesis)?;
                may_begin(change, kind).then_some(kind)
            });
            let kind = if is_system {
                let mut changes = changes.iter();
                let begins = changes.any(|change| may_begin(change, DocumentKind::System));
                begins.then_some(DocumentKind::System)
            } else {
                supposed.next()
            };
            if !is_system && kind == Some(DocumentKind::System) {
                findings.push(finding(None, Reason::Kind));
                return remember(open, findings);
            }
            let Some(fresh) = kind.and_then(|kind| Document::new(kind, genesis)) else {
                // Nothing here builds on a first change: the ones between are still to come.
                changes.truncate(WAITING_CHANGES_MAX);
                findings.push(finding(None, Reason::Waiting(changes.len())));
                if open.unplaced.len() < UNPLACED_DOCUMENTS_MAX {
                    open.unplaced.insert(document, changes);
                }
                return remember(open, findings);
            };
            open.documents.insert(document, OpenDocument::new(fresh));
        }
        if let Some(place) = open.documents.get_mut(&document) {
            let outcome = place.document.admit(&changes, &open.ancestry);
            if outcome.changed {
                place.reread();
            }
            let refused = outcome.refused.into_iter();
            findings
                .extend(refused.map(|(id, refusal)| finding(Some(id), Reason::Refused(refusal))));
        }
        remember(open, findings)
    }

    /// Whether a document is a timeline, to which somebody who may comment can add.
    pub fn is_timeline(&self, space: &SpaceId, document: &DocumentId) -> bool {
        let open = self.spaces.get(space);
        let place = open.and_then(|open| open.documents.get(document));
        place.is_some_and(|place| place.document.kind() == DocumentKind::Timeline)
    }

    /// The documents of a Space that are open.
    pub fn open_documents(&self, space: &SpaceId) -> Vec<DocumentId> {
        let open = self.spaces.get(space);
        let documents = open.map(|open| open.documents.keys().chain(open.unplaced.keys()));
        documents.into_iter().flatten().copied().collect()
    }

    /// Begins a document anew from everything that is admitted, and forgets it when that is nothing: after
    /// the admitted set shrank, and after an edit could not be written.
    pub fn rebuild(
        &mut self,
        space: SpaceId,
        document: DocumentId,
        admitted: &[AdmittedChange],
    ) -> Vec<Finding> {
        if let Some(open) = self.spaces.get_mut(&space) {
            open.documents.remove(&document);
            open.unplaced.remove(&document);
            // What was found in a snapshot is no part of what is read anew.
            let of_snapshot = |it: &Finding| matches!(it.reason, Reason::Snapshot(_));
            open.findings
                .retain(|finding| finding.document != document || of_snapshot(finding));
        }
        if admitted.is_empty() {
            self.touched(space);
            return Vec::new();
        }
        self.admit(space, document, admitted)
    }

    /// Takes in something that was left out before it came here.
    pub fn note_finding(&mut self, finding: Finding) {
        let open = self.touched(finding.space);
        remember(open, vec![finding]);
    }

    /// Takes a heartbeat in that came as an ephemeral message in an agent's Space.
    pub fn heartbeat(&mut self, space: SpaceId, heartbeat: &Heartbeat, now: Timestamp) {
        self.touched(space).beats.take(heartbeat, now);
    }

    /// Takes in when an agent was heard last and listened to before this replica was started. That says nothing
    /// of now, but since when it and its checks are silent.
    pub fn heard_before(&mut self, space: SpaceId, before: &LastHeard) {
        let open = self.touched(space);
        open.beats.remember(before);
        open.hearing.remember(&before.listened);
    }

    /// When which Spaces' agents were heard last and listened to.
    pub fn last_heard(&self, now: Timestamp) -> impl Iterator<Item = (SpaceId, LastHeard)> {
        let spaces = self.spaces.iter();
        let heard = spaces.map(move |(space, open)| {
            let heard = LastHeard {
                listened: open.hearing.stretches(now),
                ..open.beats.last_heard()
            };
            (*space, heard)
        });
        heard.filter(|(_, heard)| !heard.is_empty())
    }

    /// What would be seen here now by somebody who had always listened and heard nothing more than is known here.
    ///
    /// Alerts of what is not heard are named after what is on disk. So one that was told elsewhere can be
    /// recognised before anybody had time to listen; whether it is there is not known by that.
    pub fn view_supposing(&mut self, supposed: Supposed, now: Timestamp) -> Snapshot {
        let mut known = Vec::new();
        for open in self.spaces.values_mut() {
            let beats = Beats {
                at: match supposed {
                    Supposed::Silence => open.beats.at,
                    Supposed::Heartbeats => Some(now),
                },
                ..open.beats.clone()
            };
            known.push((
                std::mem::replace(&mut open.beats, beats),
                std::mem::replace(&mut open.hearing, Hearing::always()),
            ));
        }
        let snapshot = self.view(now);
        for (open, (beats, hearing)) in self.spaces.values_mut().zip(known) {
            (open.beats, open.hearing) = (beats, hearing);
        }
        snapshot
    }

    /// Takes in whether what an agent says in its Space reaches this replica from now on. Until it
    /// is told, it does not: what is recorded counts, however old, and is shown with its age.
    pub fn hears(&mut self, space: SpaceId, hears: bool, now: Timestamp) {
        let known = self.spaces.get(&space);
        let mut hearing = known.map_or_else(Default::default, |open| open.hearing.clone());
        if hearing.turn(hears, now) {
            self.touched(space).hearing = hearing;
        }
    }

    /// Whether what an agent says in its Space is taken to reach this replica.
    #[must_use]
    pub fn is_heard(&self, space: &SpaceId) -> bool {
        let open = self.spaces.get(space);
        open.is_some_and(|open| open.hearing.since().is_some())
    }

    /// A digest of every document's newest changes: two replicas that took in the same changes
    /// have the same.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki workspace digest v1");
        for (space, open) in &self.spaces {
            for (document, open) in &open.documents {
                hasher.update(space.as_bytes());
                hasher.update(document.as_bytes());
                for head in open.document.heads() {
                    hasher.update(&head);
                }
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// The text of a note.
    pub fn note_text(&self, space: &SpaceId, note: crate::NoteId) -> Option<&str> {
        match &self
            .spaces
            .get(space)?
            .documents
            .get(&name::note(note))?
            .content
        {
            Content::Note(text) => Some(text),
            _ => None,
        }
    }

    /// The version of a note that [`Workspace::note_text`] is of.
    pub fn note_version(&self, space: &SpaceId, note: crate::NoteId) -> Option<NoteVersion> {
        let open = self.spaces.get(space)?;
        let place = open.documents.get(&name::note(note))?;
        Some(NoteVersion(place.document.heads()))
    }

    /// What people say about the System of a Space.
    pub fn system(&self, space: &SpaceId) -> Option<&System> {
        self.spaces.get(space)?.system()
    }

    /// Who writes in a Space under an Automerge actor.
    pub fn author_of(&self, space: &SpaceId, actor: &[u8; 16]) -> Option<AuthorId> {
        self.spaces.get(space)?.author(actor)
    }

    /// The heads of a System's document, as an agent that acts on it is told; empty while there is none.
    pub fn system_heads(&self, space: &SpaceId) -> String {
        let open = self.spaces.get(space);
        let place = open.and_then(|open| open.documents.get(&name::system()));
        place.map_or_else(String::new, |place| heads_text(&place.document.heads()))
    }
}

/// Keeps the newest findings of a Space; returns those of this call.
fn remember(open: &mut OpenSpace, findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &findings {
        if open.findings.contains(finding) {
            continue;
        }
        if open.findings.len() >= FINDINGS_MAX {
            open.findings.pop_front();
        }
        open.findings.push_back(finding.clone());
    }
    findings
}
