//! From a planned System to its document: what would change, and the edit.

use std::collections::BTreeMap;

use aramaki_sync_core::SpaceId;

use serde::Serialize;

use super::plan::{IMPORT_LABEL, PlannedSystem, check_id, item_id};
use crate::check::Check;
use crate::check_fault::CHECK_NAME_LEN_CHARS_MAX;
use crate::edit::{EditError, SystemEdit};
use crate::id::ItemId;
use crate::observer::Observer;
use crate::system::{Contact, Dashboard, Part, System};

/// Bytes of items in one piece; a change may have 256 KiB, with what Automerge adds.
const PIECE_LEN_BYTES_MAX: usize = 96 << 10;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The System itself.
    System,
    /// A check.
    Check,
    /// A part, or something used.
    Part,
    /// A label.
    Label,
    /// A contact.
    Contact,
    /// A dashboard.
    Dashboard,
    /// A System whose agents look at it.
    Observer,
    /// A known family of alerts.
    Family,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is new.
    Added,
    /// It is there and becomes otherwise.
    Changed,
    /// An earlier import made it and the texts name it no more: it stays.
    Kept,
    /// A check that people turned off stays off.
    StaysOff,
}

/// One thing that an import does to a System.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedChange {
    /// What it is about.
    pub kind: ChangeKind,
    /// What becomes of it.
    pub how: How,
    /// What it is called.
    pub name: String,
}

impl PlannedChange {
    /// Whether something is written.
    pub const fn is_written(&self) -> bool {
        matches!(self.how, How::Added | How::Changed)
    }
}

impl PlannedSystem {
    fn contact_items(&self) -> impl Iterator<Item = (ItemId, &Contact)> {
        let items = self.contacts.iter();
        items.map(|it| {
            let name = format!("{}\n{}\n{}", it.role, it.name, it.reach);
            (item_id(&self.key, "contact", &name), it)
        })
    }

    fn dashboard_items(&self) -> impl Iterator<Item = (ItemId, &Dashboard)> {
        let items = self.dashboards.iter();
        items.map(|it| (item_id(&self.key, "dashboard", &it.title), it))
    }

    /// The check as it would be written: what people decided of one that is there holds.
    fn merged(
        &self,
        check: &Check,
        there: Option<&Check>,
        spaces: &BTreeMap<String, SpaceId>,
    ) -> Check {
        let mut check = check.clone();
        if let Some((key, title)) = self.abouts.get(&check.name) {
            check.about_system = spaces.get(key).copied();
            check.about = Some(title.chars().take(CHECK_NAME_LEN_CHARS_MAX).collect());
        }
        if let Some(there) = there {
            check.enabled = check.enabled && there.enabled;
            check.quorum = check.quorum.or(there.quorum);
            check.about_system = check.about_system.or(there.about_system);
        }
        check
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = std::iter::once((IMPORT_LABEL, self.key.as_str()));
        let labels = self.labels.iter();
        own.chain(labels.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The same in pieces, each of which fits one change: written one after another they are the whole.
    #[must_use]
    pub fn pieces(&self) -> Vec<Self> {
        let frame = Self {
            key: self.key.clone(),
            title: self.title.clone(),
            category: self.category.clone(),
            purpose: self.purpose.clone(),
            // Only looked into for the checks of a piece.
            abouts: self.abouts.clone(),
            ..Self::default()
        };
        let mut pieces = Pieces {
            done: Vec::new(),
            piece: Self {
                labels: self.labels.clone(),
                observers: self.observers.clone(),
                ..frame.clone()
            },
            frame,
            bytes: 0,
        };
        for item in &self.contacts {
            pieces.room(item).contacts.push(item.clone());
        }
        for item in &self.dashboards {
            pieces.room(item).dashboards.push(item.clone());
        }
        for (name, item) in &self.families {
            let piece = pieces.room(item);
            piece.families.insert(name.clone(), item.clone());
        }
        for item in &self.checks {
            pieces.room(item).checks.push(item.clone());
        }
        for item in &self.edges {
            pieces.room(item).edges.push(item.clone());
        }
        pieces.done.push(pieces.piece);
        pieces.done
    }

    /// What writing it would do; `spaces` has the Spaces of other planned Systems that exist. Nothing
    /// is ever removed: what people and other imports wrote stays.
    pub fn changes(
        &self,
        before: Option<&System>,
        spaces: &BTreeMap<String, SpaceId>,
    ) -> Vec<PlannedChange> {
        let nothing = System::default();
        let there = before.unwrap_or(&nothing);
        let mut changes = Vec::new();
        let mut add = |kind, how: Option<How>, name: &str| {
            changes.extend(how.map(|how| PlannedChange {
                kind,
                how,
                name: name.to_owned(),
            }));
        };
        let is_new = before.is_none().then_some(How::Added);
        add(ChangeKind::System, is_new, &self.title);
        for check in &self.checks {
            let old = there.checks.get(&check.id);
            let merged = self.merged(check, old, spaces);
            let how = difference(old, &merged);
            let off = (check.enabled && !merged.enabled).then_some(How::StaysOff);
            add(ChangeKind::Check, how.or(off), &check.name);
        }
        let is_planned = |old: &Check| self.checks.iter().any(|check| check.id == old.id);
        for old in there.checks.values() {
            let is_imported = old.id == check_id(&self.key, &old.name);
            let kept = (is_imported && !is_planned(old)).then_some(How::Kept);
            add(ChangeKind::Check, kept, &old.name);
        }
        for (name, value) in self.labels() {
            let old = there.labels.get(name).map(String::as_str);
            let how = difference(old.as_ref(), &value);
            // That an import made it is no news.
            let how = how.filter(|_| name != IMPORT_LABEL || before.is_some());
            add(ChangeKind::Label, how, name);
        }
        for (id, contact) in self.contact_items() {
            let how = difference(there.contacts.get(&id), contact);
            add(ChangeKind::Contact, how, &contact.name);
        }
        for (id, dashboard) in self.dashboard_items() {
            let how = difference(there.dashboards.get(&id), dashboard);
            add(ChangeKind::Dashboard, how, &dashboard.title);
        }
        for (name, family) in &self.families {
            add(
                ChangeKind::Family,
                difference(there.families.get(name), family),
                name,
            );
        }
        for (key, name) in &self.observers {
            let is_there = spaces
                .get(key)
                .is_some_and(|space| there.observers.contains_key(space));
            let how = (!is_there).then_some(How::Added);
            add(ChangeKind::Observer, how, name);
        }
        for edge in &self.edges {
            let is_there = spaces
                .get(&edge.key)
                .is_some_and(|space| there.parts.contains_key(space));
            let how = (!is_there).then_some(How::Added);
            let (_, name) = edge.key.rsplit_once('/').unwrap_or(("", &edge.key));
            add(ChangeKind::Part, how, name);
        }
        changes
    }

    /// Writes it. Twice is once; title, category and purpose are people's once it exists.
    ///
    /// # Errors
    /// When an item is too long, or the document cannot be edited.
    pub fn write(
        &self,
        before: Option<&System>,
        spaces: &BTreeMap<String, SpaceId>,
        titles: &BTreeMap<String, String>,
        edit: &mut SystemEdit<'_, '_>,
    ) -> Result<(), EditError> {
        if before.is_none_or(|it| it.title.is_empty()) {
            edit.title(&self.title)?;
            edit.category(&self.category)?;
            edit.purpose(&self.purpose)?;
        }
        for (name, value) in self.labels() {
            edit.put_label(name, value)?;
        }
        for (id, contact) in self.contact_items() {
            edit.put_contact(id, contact)?;
        }
        for (id, dashboard) in self.dashboard_items() {
            edit.put_dashboard(id, dashboard)?;
        }
        for (name, family) in &self.families {
            edit.put_family(name, family)?;
        }
        for check in &self.checks {
            let old = before.and_then(|it| it.checks.get(&check.id));
            edit.put_check(&self.merged(check, old, spaces))?;
        }
        for (key, label) in &self.observers {
            let Some(space) = spaces.get(key) else {
                continue;
            };
            if before.is_none_or(|it| !it.observers.contains_key(space)) {
                let label = label.clone();
                edit.put_observer(*space, &Observer { label })?;
            }
        }
        for edge in &self.edges {
            let Some(space) = spaces.get(&edge.key) else {
                continue;
            };
            let is_there = before.is_some_and(|it| it.parts.contains_key(space));
            if !is_there {
                let part = Part {
                    label: titles.get(&edge.key).cloned().unwrap_or_default(),
                    relation: edge.relation,
                    overrides: edge.overrides,
                    ..Part::default()
                };
                edit.put_part(*space, &part)?;
            }
        }
        Ok(())
    }
}

struct Pieces {
    done: Vec<PlannedSystem>,
    piece: PlannedSystem,
    frame: PlannedSystem,
    /// Of the items in `piece`.
    bytes: usize,
}

impl Pieces {
    /// The piece that takes one more item.
    fn room(&mut self, item: &impl Serialize) -> &mut PlannedSystem {
        /// What the document keeps beside an item: its id, and Automerge's own columns.
        const AROUND_BYTES: usize = 128;
        let length = serde_json::to_string(item).map_or(0, |text| text.len()) + AROUND_BYTES;
        if self.bytes + length > PIECE_LEN_BYTES_MAX && self.bytes > 0 {
            self.done
                .push(std::mem::replace(&mut self.piece, self.frame.clone()));
            self.bytes = 0;
        }
        self.bytes += length;
        &mut self.piece
    }
}

fn difference<T: PartialEq>(old: Option<&T>, new: &T) -> Option<How> {
    match old {
        None => Some(How::Added),
        Some(old) if old == new => None,
        Some(_) => Some(How::Changed),
    }
}
