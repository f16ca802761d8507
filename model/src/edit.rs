//! Edits of a System document and of notes.

use std::fmt::Display;

use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId};
use automerge::transaction::{Transactable as _, Transaction};
use automerge::{AutomergeError, ObjId, ROOT, ReadDoc as _, ScalarValue, Value};
use serde::Serialize;
use thiserror::Error;

use crate::check::Check;
use crate::desired::{Desired, DesiredPath};
use crate::doc::{EditFailure, Refusal, field};
use crate::id::{CheckId, ItemId, NoteId};
use crate::known_family::KnownFamily;
use crate::maintenance::Maintenance;
use crate::maintenance::redundancy::{OutOfService, Redundancy};
use crate::maintenance::request::{MaintenanceRequest, Withdrawn};
use crate::note::NOTE_LEN_CHARS_MAX;
use crate::notify::{OnCallOverride, Policy};
use crate::observer::Observer;
use crate::presence::Presence;
use crate::rollup::Operator;
use crate::selector::Selector;
use crate::system::{
    AgentRef, Contact, Dashboard, NAME_LEN_BYTES_MAX, NoteRef, POLICY_NOTIFY, PRESENCE_ALL,
    PURPOSE_LEN_BYTES_MAX, Part, REASON_LEN_BYTES_MAX, Rule, Silence,
};
use crate::text::{clean, clean_line};
use crate::versioned::EncodeError;

/// How long one item of a System document may be when written.
pub const ITEM_LEN_BYTES_MAX: usize = 16 * 1_024;

/// Why something could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no such Space here.
    #[error("a Space that is not open here")]
    UnknownSpace,
    /// There is no such document here, or it is of another kind.
    #[error("a document that is not here or of another kind")]
    UnknownDocument,
    /// An item is longer than its place allows.
    #[error("an item is too long: {length} bytes where {limit} are allowed")]
    ItemTooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A note is longer than [`NOTE_LEN_CHARS_MAX`]. It is written in pieces, so the piece that does
    /// not fit says nothing of the whole length.
    #[error("a note has at most {NOTE_LEN_CHARS_MAX} characters")]
    NoteTooLong,
    /// A place in the text that does not exist.
    #[error("a place outside the text")]
    Place,
    /// An entry cannot be encoded.
    #[error("an entry that cannot be written")]
    Entry(#[from] EncodeError),
    /// An item cannot be encoded.
    #[error("an item that cannot be written")]
    Item(#[source] serde_json::Error),
    /// Automerge failed.
    #[error("the document could not be edited")]
    Automerge(#[from] AutomergeError),
    /// Others would refuse the change: it is too large, or the actor has written elsewhere.
    #[error("an edit that others would refuse")]
    Refused(#[source] Refusal),
}

impl From<EditFailure> for EditError {
    fn from(EditFailure(refusal): EditFailure) -> Self {
        Self::Refused(refusal)
    }
}

/// Changes that were made and applied here, and must now be written to the replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "changes that are not written are lost"]
pub struct Edit {
    /// In which document.
    pub document: DocumentId,
    /// Plain changes, in order; none if nothing changed.
    pub changes: Vec<Vec<u8>>,
    /// Whether the document began with them.
    pub is_new_document: bool,
}

/// Edits a System document; given to the closure of `Workspace::edit_system`.
#[derive(Debug)]
pub struct SystemEdit<'a, 'b> {
    transaction: &'a mut Transaction<'b>,
}

impl<'a, 'b> SystemEdit<'a, 'b> {
    pub(crate) const fn new(transaction: &'a mut Transaction<'b>) -> Self {
        Self { transaction }
    }

    /// Names it.
    ///
    /// # Errors
    /// When the document cannot be edited; so for all others here.
    pub fn title(&mut self, title: &str) -> Result<(), EditError> {
        self.text(field::TITLE, clean_line(title, NAME_LEN_BYTES_MAX))
    }

    /// Says what it is, in the team's own word.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn category(&mut self, category: &str) -> Result<(), EditError> {
        self.text(field::CATEGORY, clean_line(category, NAME_LEN_BYTES_MAX))
    }

    /// Says what it is for.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn purpose(&mut self, purpose: &str) -> Result<(), EditError> {
        self.text(field::PURPOSE, clean(purpose, PURPOSE_LEN_BYTES_MAX))
    }

    /// Puts it at the top of the overview although others list it.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn pin(&mut self) -> Result<(), EditError> {
        self.text(field::PINNED, "pinned".to_owned())
    }

    /// Leaves its place to where it is listed.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn unpin(&mut self) -> Result<(), EditError> {
        self.text(field::PINNED, String::new())
    }

    /// Says how it sums up its parts.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn aggregation(&mut self, operator: Operator) -> Result<(), EditError> {
        let text = serde_json::to_string(&operator).map_err(EditError::Item)?;
        self.text(field::AGGREGATION, text)
    }

    /// Says which Systems are its parts besides those that it lists; none: no others. The parts
    /// are found where this is read, by labels and category.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn selector(&mut self, selector: Option<&Selector>) -> Result<(), EditError> {
        let text = selector.map(ToString::to_string).unwrap_or_default();
        self.text(field::SELECTOR, text)
    }

    /// Gives it a label, for selectors.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn put_label(&mut self, name: &str, value: &str) -> Result<(), EditError> {
        let value = clean_line(value, NAME_LEN_BYTES_MAX);
        self.put(field::MORE, more(field::LABEL, name), &value)
    }

    /// Takes a label away.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_label(&mut self, name: &str) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::LABEL, name))
    }

    /// Says what people call whoever uses a device.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn put_person(&mut self, device: AuthorId, name: &str) -> Result<(), EditError> {
        let name = clean_line(name, NAME_LEN_BYTES_MAX);
        self.put(field::MORE, more(field::PERSON, device), &name)
    }

    /// Says why a grant was given. Control statements carry no words: relays would read them.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn put_reason(&mut self, grant: EnvelopeId, reason: &str) -> Result<(), EditError> {
        let reason = clean_line(reason, REASON_LEN_BYTES_MAX);
        self.put(field::MORE, more(field::REASON, grant), &reason)
    }

    /// Says why a grant was ended.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn put_revoked(&mut self, grant: EnvelopeId, reason: &str) -> Result<(), EditError> {
        let reason = clean_line(reason, REASON_LEN_BYTES_MAX);
        self.put(field::MORE, more(field::REVOKED, grant), &reason)
    }

    /// Adds or changes a family of alerts that it is known to raise.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_family(&mut self, name: &str, family: &KnownFamily) -> Result<(), EditError> {
        self.put(field::MORE, more(field::FAMILY, name), family)
    }

    /// Removes a family of alerts.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_family(&mut self, name: &str) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::FAMILY, name))
    }

    /// Adds or changes a maintenance window.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_maintenance(&mut self, id: ItemId, window: &Maintenance) -> Result<(), EditError> {
        self.put(field::MORE, more(field::MAINTENANCE, id), window)
    }

    /// Removes a maintenance window.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_maintenance(&mut self, id: ItemId) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::MAINTENANCE, id))
    }

    /// Asks for work in a maintenance window.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_request(&mut self, id: ItemId, asked: &MaintenanceRequest) -> Result<(), EditError> {
        self.put(field::MORE, more(field::REQUESTED, id), asked)
    }

    /// Takes a request back. It stays, so that everybody sees what became of it.
    ///
    /// # Errors
    /// When the reason is too long, or the document cannot be edited.
    pub fn put_withdrawn(&mut self, id: ItemId, withdrawn: &Withdrawn) -> Result<(), EditError> {
        self.put(field::MORE, more(field::WITHDRAWN, id), withdrawn)
    }

    /// Forgets a request that is over, and whether it was withdrawn.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_request(&mut self, id: ItemId) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::REQUESTED, id))?;
        self.remove(field::MORE, more(field::WITHDRAWN, id))
    }

    /// Takes the System out of service.
    ///
    /// # Errors
    /// When the reason is too long, or the document cannot be edited.
    pub fn put_out(&mut self, id: ItemId, out: &OutOfService) -> Result<(), EditError> {
        self.put(field::MORE, more(field::OUT_OF_SERVICE, id), out)
    }

    /// Ends one reason for which it is out of service.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_out(&mut self, id: ItemId) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::OUT_OF_SERVICE, id))
    }

    /// Says of which Systems so many must stay in service.
    ///
    /// # Errors
    /// When there are too many members, or the document cannot be edited.
    pub fn put_redundancy(&mut self, name: &str, group: &Redundancy) -> Result<(), EditError> {
        let name = clean_line(name, NAME_LEN_BYTES_MAX);
        self.put(field::MORE, more(field::REDUNDANCY, name), group)
    }

    /// Removes such a group.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_redundancy(&mut self, name: &str) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::REDUNDANCY, name))
    }

    /// Says whom to tell of its problems and of those below it.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_policy(&mut self, policy: &Policy) -> Result<(), EditError> {
        self.put(field::MORE, more(field::POLICY, POLICY_NOTIFY), policy)
    }

    /// Tells nobody any more.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_policy(&mut self) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::POLICY, POLICY_NOTIFY))
    }

    /// Puts somebody else on call for a time.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_on_call(&mut self, id: ItemId, change: &OnCallOverride) -> Result<(), EditError> {
        self.put(field::MORE, more(field::ON_CALL, id), change)
    }

    /// Takes such a change back.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_on_call(&mut self, id: ItemId) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::ON_CALL, id))
    }

    /// Says what should be so.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_desired(&mut self, path: &DesiredPath, desired: &Desired) -> Result<(), EditError> {
        self.put(field::MORE, more(field::DESIRED, path), desired)
    }

    /// Wants nothing there any more.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_desired(&mut self, path: &DesiredPath) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::DESIRED, path))
    }

    /// Says whether an agent, or every agent of which nothing else is said, is expected to be heard of
    /// at all times.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn put_presence(
        &mut self,
        agent: Option<SpaceId>,
        presence: Presence,
    ) -> Result<(), EditError> {
        let of = agent.map_or_else(|| PRESENCE_ALL.to_owned(), |agent| agent.to_string());
        self.put(field::MORE, more(field::PRESENCE, of), &presence)
    }

    /// Keeps a proposed check from being proposed here again.
    ///
    /// # Errors
    /// When the name is too long, or the document cannot be edited.
    pub fn put_ignored(&mut self, check: CheckId, name: &str) -> Result<(), EditError> {
        let name = clean_line(name, NAME_LEN_BYTES_MAX);
        self.put(field::MORE, more(field::IGNORED, check), &name)
    }

    /// Lets another System's agents say how this one is.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn put_observer(&mut self, system: SpaceId, observer: &Observer) -> Result<(), EditError> {
        self.put(field::MORE, more(field::OBSERVER, system), observer)
    }

    /// Lets it look no longer.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_observer(&mut self, system: SpaceId) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::OBSERVER, system))
    }

    /// Lets it be proposed again.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_ignored(&mut self, check: CheckId) -> Result<(), EditError> {
        self.remove(field::MORE, more(field::IGNORED, check))
    }

    fn text(&mut self, name: &str, text: String) -> Result<(), EditError> {
        let is_same = self
            .transaction
            .get_all(ROOT, name)?
            .iter()
            .all(|(value, _)| {
                matches!(value, Value::Scalar(scalar)
                if matches!(scalar.as_ref(), ScalarValue::Str(old) if *old == text))
            });
        // One equal value needs no change; several are a conflict, which writing resolves.
        let count = self.transaction.get_all(ROOT, name)?.len();
        if count == 1 && is_same || count == 0 && text.is_empty() {
            return Ok(());
        }
        self.transaction.put(ROOT, name, text)?;
        Ok(())
    }

    /// Writes an item. Fields of it that this program does not know are kept.
    fn put(
        &mut self,
        name: &str,
        key: impl Display,
        item: &impl Serialize,
    ) -> Result<(), EditError> {
        self.put_anew(name, key, item, &[])
    }

    /// Writes an item. Fields of it that this program does not know are kept; of those that it does
    /// and leaves out, nothing is.
    fn put_anew(
        &mut self,
        name: &str,
        key: impl Display,
        item: &impl Serialize,
        left_out: &[&str],
    ) -> Result<(), EditError> {
        let (map, key) = (self.map(name)?, key.to_string());
        let mut item = serde_json::to_value(item).map_err(EditError::Item)?;
        let old = match self.transaction.get(&map, &key)? {
            Some((Value::Scalar(scalar), _)) => match scalar.as_ref() {
                ScalarValue::Str(text) => Some(text.to_string()),
                _ => None,
            },
            _ => None,
        };
        let known = old
            .as_deref()
            .and_then(|old| serde_json::from_str(old).ok());
        if let (Some(serde_json::Value::Object(old)), Some(item)) = (known, item.as_object_mut()) {
            for (name, value) in old {
                if !left_out.contains(&name.as_str()) {
                    item.entry(name).or_insert(value);
                }
            }
        }
        let text = item.to_string();
        if text.len() > ITEM_LEN_BYTES_MAX {
            let (length, limit) = (text.len(), ITEM_LEN_BYTES_MAX);
            return Err(EditError::ItemTooLong { length, limit });
        }
        if old.as_deref() != Some(&text) || self.transaction.get_all(&map, &key)?.len() > 1 {
            self.transaction.put(&map, key, text)?;
        }
        Ok(())
    }

    fn remove(&mut self, name: &str, key: impl Display) -> Result<(), EditError> {
        let (map, key) = (self.map(name)?, key.to_string());
        if self.transaction.get(&map, &key)?.is_some() {
            self.transaction.delete(&map, key)?;
        }
        Ok(())
    }

    fn map(&mut self, name: &str) -> Result<ObjId, EditError> {
        match self.transaction.get(ROOT, name)? {
            Some((Value::Object(_), map)) => Ok(map),
            _ => Err(EditError::UnknownDocument),
        }
    }
}

/// A key in the map of later additions.
fn more(kind: &str, key: impl Display) -> String {
    clean_line(&format!("{kind}/{key}"), NAME_LEN_BYTES_MAX)
}

macro_rules! items {
    ($($field:path, $put:ident, $remove:ident, $key:ty, $item:ty, $what:literal;)*) => {
        impl SystemEdit<'_, '_> {
            $(
                #[doc = concat!("Adds or changes ", $what, ".")]
                ///
                /// # Errors
                /// When it is too long, or the document cannot be edited.
                pub fn $put(&mut self, key: $key, item: &$item) -> Result<(), EditError> {
                    self.put($field, key, item)
                }

                #[doc = concat!("Removes ", $what, ".")]
                ///
                /// # Errors
                /// When the document cannot be edited.
                pub fn $remove(&mut self, key: $key) -> Result<(), EditError> {
                    self.remove($field, key)
                }
            )*
        }
    };
}

items! {
    field::RULES, put_rule, remove_rule, ItemId, Rule, "a rule of touch";
    field::CONTACTS, put_contact, remove_contact, ItemId, Contact, "a contact";
    field::DASHBOARDS, put_dashboard, remove_dashboard, ItemId, Dashboard, "a dashboard";
    field::PARTS, put_part, remove_part, SpaceId, Part, "a part or something it uses";
    field::AGENTS, put_agent, remove_agent, SpaceId, AgentRef, "an agent by its Space";
    field::NOTES, put_note, remove_note, NoteId, NoteRef, "a note's place in the index";
    field::SILENCES, put_silence, remove_silence, ItemId, Silence, "a silence";
}

impl SystemEdit<'_, '_> {
    /// Adds or changes a check.
    ///
    /// # Errors
    /// When it is too long, or the document cannot be edited.
    pub fn put_check(&mut self, check: &Check) -> Result<(), EditError> {
        self.put_anew(field::CHECKS, check.id, check, &Check::OPTIONAL)
    }

    /// Removes a check.
    ///
    /// # Errors
    /// When the document cannot be edited.
    pub fn remove_check(&mut self, check: CheckId) -> Result<(), EditError> {
        self.remove(field::CHECKS, check)
    }
}
