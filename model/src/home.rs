//! A person's Home: which Spaces their devices share. It grows only.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{AuthorId, Chain, SpaceId, Timestamp};
use automerge::transaction::Transaction;
use serde::{Deserialize, Serialize};

use crate::doc::DocumentKind;
use crate::edit::{Edit, EditError};
use crate::entry::{ENTRY_LEN_BYTES_MAX, UnknownEntry};
use crate::id::{EntryId, ItemId};
use crate::name;
use crate::perspective::{self, Perspective, SavedPerspective};
use crate::versioned::{self, DecodeError, EncodeError};
use crate::workspace::{Content, Workspace};
use crate::write::{Place, append};

const KIND_FOLLOWED: u16 = 96;
const KIND_KIT: u16 = 97;
const KIND_EMERGENCY: u16 = 98;
const KIND_PERSPECTIVE: u16 = 99;

/// What a person's devices tell each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HomeEntry {
    /// A Space that the others shall hold too.
    Followed(Followed),
    /// The recovery kit that stands above what they make.
    Kit(Kit),
    /// The emergency envelope to which what they make is sealed.
    Emergency(Kit),
    /// How the person looks at the worklist.
    Perspective(SavedPerspective),
    /// Written by a newer program: kept, and passed over.
    Unknown(UnknownEntry),
}

/// A Space that the others shall hold too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// Which.
    pub space: SpaceId,
}

/// The public half of a recovery kit, or of its emergency envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kit {
    /// When it was told, by the writer's clock.
    pub at: Timestamp,
    /// Its signing key.
    pub author: AuthorId,
    /// Its X25519 key.
    pub box_key: [u8; 32],
}

/// What a person's devices told each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The Spaces that all of them hold.
    pub followed: BTreeSet<SpaceId>,
    /// The recovery kit, if there is one; of several the one that was told last.
    pub kit: Option<Kit>,
    /// The emergency envelope, if there is one; of several the one that was told last.
    pub emergency: Option<Kit>,
    /// How the person looks at the worklist.
    pub perspectives: BTreeMap<ItemId, Perspective>,
}

impl HomeEntry {
    /// Encodes it.
    ///
    /// # Errors
    /// When it is [`HomeEntry::Unknown`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Followed(followed) => {
                versioned::encode(KIND_FOLLOWED, followed, ENTRY_LEN_BYTES_MAX)
            }
            Self::Kit(kit) => versioned::encode(KIND_KIT, kit, ENTRY_LEN_BYTES_MAX),
            Self::Emergency(kit) => versioned::encode(KIND_EMERGENCY, kit, ENTRY_LEN_BYTES_MAX),
            Self::Perspective(saved) => {
                versioned::encode(KIND_PERSPECTIVE, saved, ENTRY_LEN_BYTES_MAX)
            }
            Self::Unknown(_) => Err(EncodeError::UnknownKind),
        }
    }

    /// Reads any bytes; what cannot be read is [`HomeEntry::Unknown`].
    pub fn decode(bytes: &[u8]) -> Self {
        Self::try_decode(bytes).unwrap_or_else(|reason| {
            Self::Unknown(UnknownEntry {
                reason,
                len_bytes: bytes.len(),
            })
        })
    }

    fn try_decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, ENTRY_LEN_BYTES_MAX)? {
            (KIND_FOLLOWED, body) => Ok(Self::Followed(versioned::body(KIND_FOLLOWED, body)?)),
            (KIND_KIT, body) => Ok(Self::Kit(versioned::body(KIND_KIT, body)?)),
            (KIND_EMERGENCY, body) => Ok(Self::Emergency(versioned::body(KIND_EMERGENCY, body)?)),
            (KIND_PERSPECTIVE, body) => {
                Ok(Self::Perspective(versioned::body(KIND_PERSPECTIVE, body)?))
            }
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}

impl Workspace {
    /// Tells a person's other devices something.
    ///
    /// # Errors
    /// When the Home is not open. Then nothing changed.
    pub fn append_home(
        &mut self,
        home: SpaceId,
        chain: &Chain,
        now: Timestamp,
        entries: &[(EntryId, HomeEntry)],
    ) -> Result<Edit, EditError> {
        let encoded = entries.iter().map(|(id, entry)| Ok((*id, entry.encode()?)));
        let encoded: Vec<_> = encoded.collect::<Result<_, EditError>>()?;
        let place = Place {
            space: home,
            document: name::home(),
            kind: DocumentKind::Home,
        };
        let edit = |tx: &mut Transaction<'_>| append(tx, &encoded);
        self.edit(place, chain, now, vec![edit])
    }

    /// What a person's devices told each other; nothing of a Space that is no Home.
    pub fn home(&self, space: &SpaceId) -> Home {
        let open = self.spaces.get(space);
        let place = open.and_then(|open| open.documents.get(&name::home()));
        let entries = match place.map(|place| &place.content) {
            Some(Content::Home(entries)) => entries.as_slice(),
            _ => &[],
        };
        let mut home = Home::default();
        for written in entries {
            match &written.entry {
                HomeEntry::Followed(followed) => drop(home.followed.insert(followed.space)),
                HomeEntry::Kit(kit) => {
                    home.kit = home.kit.filter(|known| known.at > kit.at).or(Some(*kit));
                }
                HomeEntry::Emergency(kit) => {
                    let known = home.emergency.filter(|known| known.at > kit.at);
                    home.emergency = known.or(Some(*kit));
                }
                HomeEntry::Perspective(_) | HomeEntry::Unknown(_) => {}
            }
        }
        let saved = entries.iter().filter_map(|written| match &written.entry {
            HomeEntry::Perspective(saved) => Some((written.id, saved)),
            _ => None,
        });
        home.perspectives = perspective::standing(saved);
        home
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_what_is_newer_is_passed_over() {
        let entry = HomeEntry::Followed(Followed {
            at: Timestamp::from_millis(1_795_370_000_000),
            space: SpaceId::from_bytes([7; 32]),
        });
        let mut bytes = entry.encode().unwrap();
        assert_eq!(HomeEntry::decode(&bytes), entry);
        let kit = HomeEntry::Emergency(Kit {
            at: Timestamp::from_millis(1_795_370_000_000),
            author: AuthorId::from_bytes([8; 32]),
            box_key: [9; 32],
        });
        assert_eq!(HomeEntry::decode(&kit.encode().unwrap()), kit);
        let saved = HomeEntry::Perspective(SavedPerspective {
            at: Timestamp::from_millis(1_795_370_000_000),
            id: ItemId::from_bytes([3; 16]),
            perspective: Some(Perspective {
                name: "Night".to_owned(),
                roots: vec![SpaceId::from_bytes([7; 32])],
                filter: "severity>=warning".to_owned(),
                grouping: "system".to_owned(),
                tab: "open".to_owned(),
            }),
        });
        assert_eq!(HomeEntry::decode(&saved.encode().unwrap()), saved);
        bytes[1] = 0xff;
        assert!(matches!(HomeEntry::decode(&bytes), HomeEntry::Unknown(_)));
        assert!(matches!(HomeEntry::decode(&[]), HomeEntry::Unknown(_)));
    }
}
