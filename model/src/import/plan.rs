//! What would be made of the texts, gathered within limits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::Format;
use crate::agent_config::CHECKS_MAX;
use crate::check::Check;
use crate::graph::Relation;
use crate::id::{CheckId, ItemId};
use crate::known_family::KnownFamily;
use crate::observer::OBSERVERS_MAX;
use crate::rollup::Override;
use crate::system::{Contact, Dashboard, LABELS_MAX, NAME_LEN_BYTES_MAX, PURPOSE_LEN_BYTES_MAX};
use crate::text::{clean, clean_line};

/// Systems of one import.
pub const SYSTEMS_MAX: usize = 5_000;
/// Remarks that are kept; the others are counted.
pub const REMARKS_MAX: usize = 20_000;
/// The label by which an imported System is found again.
pub const IMPORT_LABEL: &str = "imported-from";
/// Contacts, dashboards and edges of one System.
const ITEMS_MAX: usize = 2_000;
/// Families of one System.
const FAMILIES_MAX: usize = 2_000;
/// A reason is a sentence, not a page.
const REASON_LEN_BYTES_MAX: usize = 300;

/// What would be made of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportPlan {
    /// By key.
    pub systems: Vec<PlannedSystem>,
    /// What is not taken, or taken otherwise; by place.
    pub remarks: Vec<Remark>,
    /// Remarks above [`REMARKS_MAX`].
    pub remarks_left_out: usize,
}

/// A System that would be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedSystem {
    /// Where it comes from, by the other program's names: the same in every import.
    pub key: String,
    /// Its name.
    pub title: String,
    /// What it is.
    pub category: String,
    /// What it is for.
    pub purpose: String,
    /// Besides [`IMPORT_LABEL`].
    pub labels: BTreeMap<String, String>,
    /// Whom to ask.
    pub contacts: Vec<Contact>,
    /// Where to look.
    pub dashboards: Vec<Dashboard>,
    /// What is looked at; each passes [`Check::examine`].
    pub checks: Vec<Check>,
    /// Alerts that other programs may send.
    pub families: BTreeMap<String, KnownFamily>,
    /// Its parts and what it uses.
    pub edges: Vec<PlannedEdge>,
    /// Which of its checks are about another System: that one's key and name by the check's name.
    pub abouts: BTreeMap<String, (String, String)>,
    /// Systems whose agents look at this one: name by key, at most [`OBSERVERS_MAX`].
    pub observers: BTreeMap<String, String>,
}

/// A part of a System that would be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEdge {
    /// Which.
    pub key: String,
    /// What the edge says.
    pub relation: Relation,
    /// How states are taken there.
    pub overrides: Override,
}

/// Where something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// In which file, or files.
    pub file: String,
    /// In which line, from 1, if that is known.
    pub line: Option<usize>,
    /// What it belongs to: `checks.disk`.
    pub path: String,
}

impl Place {
    /// One level deeper.
    #[must_use]
    pub(super) fn inner(&self, name: &str) -> Self {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Self {
            path,
            ..self.clone()
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        Ok(())
    }
}

/// What became of something that was not simply taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The file cannot be read from here on.
    Broken,
    /// Not taken.
    Left,
    /// Taken, but it means something else here.
    Adapted,
}

/// Something that was not simply taken. It never holds a value of a field that is not understood:
/// that could be a password.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// Which field; empty: all of it.
    pub field: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Remarks as they are made; shared, so that readers can make some while they read.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    list: RefCell<Vec<Remark>>,
    left_out: Cell<usize>,
}

impl Remarks {
    fn add(&self, place: &Place, field: &str, verdict: Verdict, reason: &str) {
        let mut list = self.list.borrow_mut();
        if list.len() >= REMARKS_MAX && verdict != Verdict::Broken {
            self.left_out.set(self.left_out.get().saturating_add(1));
            return;
        }
        list.push(Remark {
            place: Place {
                file: clean_line(&place.file, NAME_LEN_BYTES_MAX),
                line: place.line,
                path: clean_line(&place.path, NAME_LEN_BYTES_MAX),
            },
            field: clean_line(field, NAME_LEN_BYTES_MAX),
            verdict,
            reason: clean_line(reason, REASON_LEN_BYTES_MAX),
        });
    }

    /// All of them, sorted, each once, and how many were left out.
    pub(super) fn finish(self) -> (Vec<Remark>, usize) {
        let mut list = self.list.into_inner();
        list.sort();
        list.dedup();
        (list, self.left_out.get())
    }

    /// A file cannot be read from here on.
    pub(super) fn broken(&self, place: &Place, reason: &str) {
        self.add(place, "", Verdict::Broken, reason);
    }

    /// Something is not taken.
    pub(super) fn left(&self, place: &Place, field: &str, reason: &str) {
        self.add(place, field, Verdict::Left, reason);
    }

    /// Something means something else here.
    pub(super) fn adapted(&self, place: &Place, field: &str, reason: &str) {
        self.add(place, field, Verdict::Adapted, reason);
    }
}

/// A plan that grows.
#[derive(Debug)]
pub(super) struct Drafts<'r> {
    format: Format,
    systems: BTreeMap<String, PlannedSystem>,
    /// Where each System was first named.
    places: BTreeMap<String, Place>,
    /// Remarks so far.
    pub(super) remarks: &'r Remarks,
}

impl<'r> Drafts<'r> {
    pub(super) const fn new(format: Format, remarks: &'r Remarks) -> Self {
        Self {
            format,
            systems: BTreeMap::new(),
            places: BTreeMap::new(),
            remarks,
        }
    }

    /// The key of a thing that the other program calls so.
    pub(super) fn key(&self, kind: &str, name: &str) -> String {
        clean_line(
            &format!("{}:{kind}/{name}", self.format),
            NAME_LEN_BYTES_MAX,
        )
    }

    /// The System of a key; made with this title and category if there is none yet. None: there are
    /// too many.
    pub(super) fn system(
        &mut self,
        place: &Place,
        kind: &str,
        name: &str,
        category: &str,
    ) -> Option<&mut PlannedSystem> {
        let key = self.key(kind, name);
        let title = clean_line(name, NAME_LEN_BYTES_MAX);
        if title.is_empty() {
            self.remarks.left(place, "", "it has no name");
            return None;
        }
        if !self.systems.contains_key(&key) && self.systems.len() >= SYSTEMS_MAX {
            let reason = format!("more than {SYSTEMS_MAX} Systems: import fewer files at a time");
            self.remarks.left(place, "", &reason);
            return None;
        }
        self.places
            .entry(key.clone())
            .or_insert_with(|| place.clone());
        let planned = self.systems.entry(key);
        Some(planned.or_insert_with_key(|key| PlannedSystem {
            key: key.clone(),
            title,
            category: category.to_owned(),
            ..PlannedSystem::default()
        }))
    }

    /// Whether there is such a System.
    pub(super) fn has(&self, kind: &str, name: &str) -> bool {
        self.systems.contains_key(&self.key(kind, name))
    }

    /// The check of this name that a System has.
    pub(super) fn check_of(&self, key: &str, name: &str) -> Option<&Check> {
        let id = check_id(key, &clean_line(name, NAME_LEN_BYTES_MAX));
        let system = self.systems.get(key)?;
        system.checks.iter().find(|it| it.id == id)
    }

    /// Adds a check to a System that is there. One that no agent would run is left out.
    pub(super) fn check(&mut self, place: &Place, key: &str, check: Check) {
        let Some(system) = self.systems.get_mut(key) else {
            return;
        };
        // As it will be read again: else every import would change it.
        let name = clean_line(&check.name, NAME_LEN_BYTES_MAX);
        let check = Check {
            id: check_id(key, &name),
            name,
            ..check
        };
        if let Err(fault) = check.examine() {
            let reason = format!("an agent would not run it: {}", fault.message);
            self.remarks.left(place, &fault.field, &reason);
        } else if system.checks.iter().any(|there| there.id == check.id) {
            let reason = format!("{} has a check of this name already", system.title);
            self.remarks.left(place, "", &reason);
        } else if system.checks.len() >= CHECKS_MAX {
            let reason = format!("{} has {CHECKS_MAX} checks already", system.title);
            self.remarks.left(place, "", &reason);
        } else {
            system.checks.push(check);
        }
    }

    /// Says that the check of this name is about another System, and lets the one look at the other; both
    /// are there.
    pub(super) fn about(&mut self, place: &Place, from: &str, check: &str, to: &str) {
        let name = clean_line(check, NAME_LEN_BYTES_MAX);
        let title = |key: &str| self.systems.get(key).map(|it| it.title.clone());
        let (Some(from_title), Some(to_title)) = (title(from), title(to)) else {
            return;
        };
        let Some(looked_at) = self.systems.get_mut(to).filter(|_| from != to) else {
            return;
        };
        let observers = &mut looked_at.observers;
        if !observers.contains_key(from) && observers.len() >= OBSERVERS_MAX {
            let reason = format!(
                "{to_title} is looked at from {OBSERVERS_MAX} Systems already: not from {from_title}"
            );
            self.remarks.left(place, "", &reason);
        } else {
            observers.insert(from.to_owned(), from_title);
        }
        if let Some(looks) = self.systems.get_mut(from)
            && looks.checks.iter().any(|it| it.name == name)
        {
            looks.abouts.insert(name, (to.to_owned(), to_title));
        }
    }

    /// Makes one System a part of another, or something that it uses; both by key.
    pub(super) fn edge(&mut self, from: &str, to: &str, relation: Relation, overrides: Override) {
        if from == to || !self.systems.contains_key(to) {
            return;
        }
        let Some(system) = self.systems.get_mut(from) else {
            return;
        };
        let count = system.edges.len();
        match system.edges.iter_mut().find(|edge| edge.key == to) {
            // A part is more than something used.
            Some(edge) if relation == Relation::Part => edge.relation = Relation::Part,
            Some(_) => {}
            None if count >= ITEMS_MAX => {
                let place = self.places.get(from).cloned().unwrap_or_default();
                let reason = format!("{from} has {ITEMS_MAX} parts already");
                self.remarks.left(&place, "", &reason);
            }
            None => system.edges.push(PlannedEdge {
                key: to.to_owned(),
                relation,
                overrides,
            }),
        }
    }

    /// Adds contacts to a System that is there; each once.
    pub(super) fn contacts(&mut self, key: &str, contacts: &[Contact]) {
        if let Some(system) = self.systems.get_mut(key) {
            for contact in contacts {
                if !system.contacts.contains(contact) && system.contacts.len() <= ITEMS_MAX {
                    system.contacts.push(contact.clone());
                }
            }
        }
    }

    /// Adds pages to look at to a System that is there; each once.
    pub(super) fn dashboards(&mut self, key: &str, dashboards: &[Dashboard]) {
        if let Some(system) = self.systems.get_mut(key) {
            for page in dashboards {
                if !system.dashboards.contains(page) && system.dashboards.len() <= ITEMS_MAX {
                    system.dashboards.push(page.clone());
                }
            }
        }
    }

    /// How every aggregate takes the states of a System.
    pub(super) fn override_to(&mut self, part: &str, overrides: Override) {
        let edges = self.systems.values_mut().flat_map(|it| &mut it.edges);
        for edge in edges.filter(|edge| edge.key == part && edge.relation == Relation::Part) {
            edge.overrides = overrides;
        }
    }

    /// The Systems, sorted, cleaned and within limits.
    pub(super) fn finish(self) -> Vec<PlannedSystem> {
        let systems = self.systems.into_values().map(|system| {
            let place = self.places.get(&system.key).cloned().unwrap_or_default();
            tidy(system, &place, self.remarks)
        });
        systems.collect()
    }
}

fn tidy(mut system: PlannedSystem, first: &Place, remarks: &Remarks) -> PlannedSystem {
    let place = Place {
        path: system.key.clone(),
        ..first.clone()
    };
    let over = |what: &str, count: usize, limit: usize| {
        if count > limit {
            let reason = format!("{count} where {limit} are allowed: the last are left out");
            remarks.left(&place, what, &reason);
        }
    };
    over("labels", system.labels.len(), LABELS_MAX - 1);
    over("contacts", system.contacts.len(), ITEMS_MAX);
    over("dashboards", system.dashboards.len(), ITEMS_MAX);
    over("families", system.families.len(), FAMILIES_MAX);
    let line = |text: &str| clean_line(text, NAME_LEN_BYTES_MAX);
    system.category = line(&system.category);
    system.purpose = clean(system.purpose.trim(), PURPOSE_LEN_BYTES_MAX);
    let labels = std::mem::take(&mut system.labels).into_iter();
    let labels = labels.map(|(name, value)| (label_name(&name), line(&value)));
    system.labels = labels
        .filter(|(name, value)| !name.is_empty() && !value.is_empty() && name != IMPORT_LABEL)
        .take(LABELS_MAX - 1)
        .collect();
    for contact in &mut system.contacts {
        for text in [
            &mut contact.role,
            &mut contact.name,
            &mut contact.reach,
            &mut contact.hours,
        ] {
            *text = line(text);
        }
    }
    dedup(&mut system.contacts);
    dedup(&mut system.dashboards);
    system.contacts.truncate(ITEMS_MAX);
    system.dashboards.truncate(ITEMS_MAX);
    let families = std::mem::take(&mut system.families).into_iter();
    system.families = families.take(FAMILIES_MAX).collect();
    system.checks.sort_by(|a, b| a.name.cmp(&b.name));
    system.edges.sort_by(|a, b| a.key.cmp(&b.key));
    system
}

fn dedup<T: PartialEq>(items: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::new();
    for item in std::mem::take(items) {
        if !kept.contains(&item) && kept.len() <= ITEMS_MAX {
            kept.push(item);
        }
    }
    *items = kept;
}

/// A label's name holds no character that selectors use themselves.
fn label_name(name: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let name = name.trim().chars().take(64);
    name.map(|c| if allowed(c) { c } else { '-' }).collect()
}

/// The id of a check, the same in every import.
pub(super) fn check_id(system: &str, check: &str) -> CheckId {
    CheckId::new(
        EPOCH,
        digest("aramaki import check id v1", &[system, check]),
    )
}

/// The id of a contact or dashboard, the same in every import.
pub(super) fn item_id(system: &str, kind: &str, name: &str) -> ItemId {
    ItemId::new(
        EPOCH,
        digest("aramaki import item id v1", &[system, kind, name]),
    )
}

/// Ids of imports have no time of their own: it would differ from import to import.
const EPOCH: Timestamp = Timestamp::from_millis(0);

fn digest(context: &str, words: &[&str]) -> [u8; 10] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for word in words {
        // A zero byte ends each: names have none.
        hasher.update(word.as_bytes());
        hasher.update(&[0]);
    }
    let mut bytes = [0; 10];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

#[cfg(test)]
impl Remarks {
    /// Every reason so far.
    pub(super) fn reasons(&self) -> Vec<String> {
        let list = self.list.borrow();
        list.iter().map(|remark| remark.reason.clone()).collect()
    }
}
