//! The first change of every document, which each replica makes for itself.
//!
//! Two people who create the same document at the same time must get the same objects in it. So
//! its maps and texts come from a change that nobody sends: by an actor of zeros, at time zero,
//! always the same bytes for a kind. Every sent change depends on it, directly or not, which also
//! tells the kind of a document whose name is not known here.

use std::collections::BTreeMap;

use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, Automerge, AutomergeError, ChangeHash, ObjType, ROOT, TextEncoding};

/// The entries of a journal, timeline or home.
pub(crate) const ENTRIES: &str = "entries";
/// The text of a note.
pub(crate) const TEXT: &str = "text";

/// Names in documents.
pub(crate) mod field {
    pub(crate) const KIND: &str = "kind";
    pub(crate) const TITLE: &str = "title";
    pub(crate) const CATEGORY: &str = "category";
    pub(crate) const PURPOSE: &str = "purpose";
    pub(crate) const PINNED: &str = "pinned";
    pub(crate) const AGGREGATION: &str = "aggregation";
    pub(crate) const RULES: &str = "rules";
    pub(crate) const CONTACTS: &str = "contacts";
    pub(crate) const DASHBOARDS: &str = "dashboards";
    pub(crate) const PARTS: &str = "parts";
    pub(crate) const CHECKS: &str = "checks";
    pub(crate) const AGENTS: &str = "agents";
    pub(crate) const NOTES: &str = "notes";
    pub(crate) const SILENCES: &str = "silences";
    pub(crate) const SELECTOR: &str = "selector";
    /// Keys in the map of later additions begin with these and a stroke.
    pub(crate) const MAINTENANCE: &str = "maintenance";
    pub(crate) const REQUESTED: &str = "maintenance-request";
    pub(crate) const WITHDRAWN: &str = "maintenance-withdrawn";
    pub(crate) const OUT_OF_SERVICE: &str = "out-of-service";
    pub(crate) const REDUNDANCY: &str = "redundancy";
    pub(crate) const LABEL: &str = "label";
    pub(crate) const PERSON: &str = "person";
    pub(crate) const REASON: &str = "reason";
    pub(crate) const REVOKED: &str = "revoked";
    pub(crate) const FAMILY: &str = "family";
    pub(crate) const POLICY: &str = "policy";
    pub(crate) const ON_CALL: &str = "on-call";
    pub(crate) const DESIRED: &str = "desired";
    pub(crate) const PRESENCE: &str = "presence";
    pub(crate) const IGNORED: &str = "ignored";
    pub(crate) const OBSERVER: &str = "observer";
    /// Maps of later versions go below this one, so that the first change stays as it is.
    pub(crate) const MORE: &str = "more";
}

/// What a document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// What people say about a System.
    System,
    /// A text.
    Note,
    /// Entries of people and adapters.
    Timeline,
    /// Entries of an agent.
    Journal,
    /// What a person's devices tell each other.
    Home,
}

impl DocumentKind {
    const ALL: [Self; 5] = [
        Self::System,
        Self::Note,
        Self::Timeline,
        Self::Journal,
        Self::Home,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Note => "note",
            Self::Timeline => "timeline",
            Self::Journal => "journal",
            Self::Home => "home",
        }
    }

    /// Whether it holds immutable entries only, so that the strict whitelist applies.
    pub(crate) const fn is_log(self) -> bool {
        matches!(self, Self::Timeline | Self::Journal | Self::Home)
    }
}

/// The first state of every kind of document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Genesis {
    states: BTreeMap<DocumentKind, Automerge>,
    kinds: BTreeMap<ChangeHash, DocumentKind>,
}

impl Genesis {
    /// Makes the first states.
    ///
    /// # Errors
    /// Never with the Automerge that this crate is built with; a test holds it to that.
    pub(crate) fn new() -> Result<Self, AutomergeError> {
        let mut genesis = Self {
            states: BTreeMap::new(),
            kinds: BTreeMap::new(),
        };
        for kind in DocumentKind::ALL {
            let state = first_state(kind)?;
            for hash in state.get_heads() {
                genesis.kinds.insert(hash, kind);
            }
            genesis.states.insert(kind, state);
        }
        Ok(genesis)
    }

    /// The first state of a document of this kind.
    pub(crate) fn state(&self, kind: DocumentKind) -> Option<&Automerge> {
        self.states.get(&kind)
    }

    /// Whose first change this is.
    pub(crate) fn kind_of(&self, hash: &ChangeHash) -> Option<DocumentKind> {
        self.kinds.get(hash).copied()
    }
}

/// The actor of first changes. No chain has it: actors of chains are hashes.
pub(crate) fn first_actor() -> ActorId {
    ActorId::from([0; 16])
}

fn first_state(kind: DocumentKind) -> Result<Automerge, AutomergeError> {
    let mut state = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
    state.set_actor(first_actor());
    let options = |(): &()| CommitOptions::default().with_time(0);
    let made = state.transact_with(options, |tx| {
        tx.put(ROOT, field::KIND, kind.word())?;
        match kind {
            DocumentKind::Timeline | DocumentKind::Journal | DocumentKind::Home => {
                tx.put_object(ROOT, ENTRIES, ObjType::Map)?;
            }
            DocumentKind::Note => {
                tx.put_object(ROOT, TEXT, ObjType::Text)?;
            }
            DocumentKind::System => {
                for name in [
                    field::RULES,
                    field::CONTACTS,
                    field::DASHBOARDS,
                    field::PARTS,
                    field::CHECKS,
                    field::AGENTS,
                    field::NOTES,
                    field::SILENCES,
                ] {
                    tx.put_object(ROOT, name, ObjType::Map)?;
                }
            }
        }
        tx.put_object(ROOT, field::MORE, ObjType::Map)?;
        Ok::<_, AutomergeError>(())
    });
    made.map_err(|failure| failure.error)?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_changes_never_change() {
        let genesis = Genesis::new().unwrap();
        let hashes = DocumentKind::ALL.map(|kind| {
            let heads = genesis.state(kind).unwrap().get_heads();
            assert_eq!(heads.len(), 1);
            assert_eq!(genesis.kind_of(&heads[0]), Some(kind));
            heads[0].to_string()
        });
        // Documents of every installed version depend on these: a change here splits them.
        assert_eq!(
            hashes,
            [
                "0b67ee0b32a2816c606daf24eef8e5e192d06d6d58898d3c66c4a5c0e23724d3",
                "52c721182205a1fa2a58ca20b173ed4b55743b7c287eea3f352758ca745dcff0",
                "3ad4044aa9c9a897df5e06f2a78f9e2bfc9767c93b8ababc94fe2e1aa4c03f74",
                "d137882608deef5f9f5bb4899acfb4f20c925d3a061190d482b539f251f6637a",
                "1270278c77fde520bf17b138f813d33a8508692d641181237bac9e3cd9c8ae6d",
            ]
        );
    }
}
