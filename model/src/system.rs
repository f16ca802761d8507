//! What people say about a System, read from its document.

use std::collections::BTreeMap;
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};
use automerge::Automerge;
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::desired::{DESIRED_MAX, Desired, DesiredPath};
use crate::doc::{self, Reading, field};
use crate::graph::{Edge, Relation};
use crate::id::{CheckId, ItemId, NoteId};
use crate::known_family::KnownFamily;
use crate::lived::Lives;
use crate::maintenance::Maintenance;
use crate::maintenance::redundancy::{GROUPS_MAX, MEMBERS_MAX, OUT_MAX, OutOfService, Redundancy};
use crate::maintenance::request::{MaintenanceRequest, REQUESTS_MAX, Withdrawn};
use crate::notify::{OnCallOverride, Policy};
use crate::observer::{OBSERVERS_MAX, Observer};
use crate::presence::Presence;
use crate::rollup::{Operator, Override};
use crate::selector::{SELECTOR_LEN_BYTES_MAX, Selector};
pub use crate::silence::{Reach, Silence};
use crate::text::clean_line;

/// How long titles, categories, names and labels may be.
pub const NAME_LEN_BYTES_MAX: usize = 256;
/// How long a purpose or a rule may be.
pub const PURPOSE_LEN_BYTES_MAX: usize = 4_096;

/// The highest weight of a part.
pub const WEIGHT_MAX: u32 = 1_000_000;
/// How many labels a System may have.
pub const LABELS_MAX: usize = 64;
/// How many families of alerts are known of one System.
pub const FAMILIES_MAX: usize = 4_096;
/// How many people of one System have a name.
pub const PEOPLE_MAX: usize = 4_096;
/// How long the reason of a grant may be.
pub const REASON_LEN_BYTES_MAX: usize = 512;
/// Of how many grants of one System it is said why they were given, and of as many why they ended.
pub const REASONS_MAX: usize = 4_096;
/// Of how many agents of one System it is said whether they may be offline.
pub const PRESENCES_MAX: usize = 4_096;
/// How many overrides of who is on call one System may have.
pub const ON_CALL_MAX: usize = 2_048;

/// What may be done without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// Go ahead.
    Freely,
    /// Ask somebody first.
    #[default]
    AskFirst,
    /// Do not touch; call.
    Escalate,
}

/// A rule of touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// What may be done.
    pub touch: Touch,
    /// To what, and when.
    pub text: String,
}

/// Whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// For what: technical, emergency, billing.
    pub role: String,
    /// Who.
    pub name: String,
    /// A telephone number or an address.
    pub reach: String,
    /// When they can be reached.
    pub hours: String,
}

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dashboard {
    /// What it shows.
    pub title: String,
    /// Its address.
    pub url: String,
}

/// A part, or something the System uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// What it is called here, for those who cannot read it.
    pub label: String,
    /// What the edge says.
    pub relation: Relation,
    /// How its states are taken here.
    pub overrides: Override,
    /// How much it counts in a percentage; none: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
}

/// An agent that observes the System, and in whose Space its journal is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentRef {
    /// The machine's name.
    pub label: String,
    /// Its key; only what it wrote itself counts. None: whatever is in its Space.
    pub author: Option<AuthorId>,
}

/// What a note is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoteKind {
    /// How to do something.
    Runbook,
    /// Anything else.
    #[default]
    Note,
    /// What the next shift must know.
    Handover,
    /// What a review found.
    Review,
    /// What went wrong and what follows.
    PostMortem,
}

/// A note's place in the index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoteRef {
    /// Its title.
    pub title: String,
    /// What it is for.
    pub kind: NoteKind,
}

/// A field that several people wrote at once; it shows one of the values until someone decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which field or item.
    pub field: String,
    /// The values and the Automerge actors that wrote them; empty for items of lists.
    pub values: Vec<(String, [u8; 16])>,
}

/// What people say about a System.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    /// Its name.
    pub title: String,
    /// The team's own word for what it is.
    pub category: String,
    /// What it is for.
    pub purpose: String,
    /// Whether it stands at the top of the overview although others list it.
    pub pinned: bool,
    /// How it sums up its parts.
    pub aggregation: Operator,
    /// What may be done without asking.
    pub rules: BTreeMap<ItemId, Rule>,
    /// Whom to ask.
    pub contacts: BTreeMap<ItemId, Contact>,
    /// Where to look.
    pub dashboards: BTreeMap<ItemId, Dashboard>,
    /// Its parts and what it uses.
    pub parts: BTreeMap<SpaceId, Part>,
    /// What is looked at.
    pub checks: BTreeMap<CheckId, Check>,
    /// Who looks.
    pub agents: BTreeMap<SpaceId, AgentRef>,
    /// Whether its agents are expected to be heard of at all times.
    pub presence: Presence,
    /// The same of single agents, where it is said of them.
    pub agent_presence: BTreeMap<SpaceId, Presence>,
    /// Its notes.
    pub notes: BTreeMap<NoteId, NoteRef>,
    /// What is quiet.
    pub silences: BTreeMap<ItemId, Silence>,
    /// When problems are expected.
    pub maintenance: BTreeMap<ItemId, Maintenance>,
    /// Work that was asked for in such a window: the newest.
    pub requests: BTreeMap<ItemId, MaintenanceRequest>,
    /// Which of those were taken back.
    pub withdrawn: BTreeMap<ItemId, Withdrawn>,
    /// Why it is out of service, if it is; each until its end.
    pub out_of_service: BTreeMap<ItemId, OutOfService>,
    /// Of which Systems so many must stay in service, by name.
    pub redundancy: BTreeMap<String, Redundancy>,
    /// The Automerge actors that wrote silences and maintenance windows last: who that is, the
    /// Workspace knows.
    pub written_by: BTreeMap<ItemId, [u8; 16]>,
    /// Whom to tell of its problems and of those below it; none when nobody said.
    pub policy: Option<Arc<Policy>>,
    /// Who is on call instead, for a time.
    pub on_call: BTreeMap<ItemId, OnCallOverride>,
    /// What of the policy could not be read.
    pub policy_unread: Vec<String>,
    /// What people call whoever uses a device: the word of whoever may write here, so that a key's
    /// digits belong beside it where trust is given.
    pub people: BTreeMap<AuthorId, String>,
    /// Why grants were given: the word of whoever may write here.
    pub reasons: BTreeMap<EnvelopeId, String>,
    /// Why grants were ended: the same.
    pub revoked: BTreeMap<EnvelopeId, String>,
    /// What selectors ask for.
    pub labels: BTreeMap<String, String>,
    /// Alerts that it is known to raise, by name.
    pub families: BTreeMap<String, KnownFamily>,
    /// What should be so, by path.
    pub desired: Arc<BTreeMap<DesiredPath, Desired>>,
    /// Proposed checks that nobody wants, with their names.
    pub ignored: Arc<BTreeMap<CheckId, String>>,
    /// Systems whose agents may say how this one is.
    pub observers: BTreeMap<SpaceId, Observer>,
    /// Which Systems are its parts besides those that it lists.
    pub selector: Option<Selector>,
    /// What several people wrote at once.
    pub conflicts: Vec<Conflict>,
    /// What could not be read, and why.
    pub unreadable: Vec<String>,
    /// What became of silences, windows and agents, also of those that are gone.
    pub(crate) lives: Lives,
}

impl System {
    /// Reads a document. Fields that are missing are empty; what cannot be read is left out and
    /// named.
    pub(crate) fn read(automerge: &Automerge) -> Self {
        let mut system = Self {
            title: doc::text_field(automerge, field::TITLE, NAME_LEN_BYTES_MAX),
            category: doc::text_field(automerge, field::CATEGORY, NAME_LEN_BYTES_MAX),
            purpose: doc::text_field(automerge, field::PURPOSE, PURPOSE_LEN_BYTES_MAX),
            pinned: !doc::text_field(automerge, field::PINNED, 8).is_empty(),
            ..Self::default()
        };
        let aggregation = doc::text_field(automerge, field::AGGREGATION, 64);
        if !aggregation.is_empty() {
            match serde_json::from_str(&aggregation) {
                Ok(operator) => system.aggregation = operator,
                Err(_) => system
                    .unreadable
                    .push(format!("aggregation: {aggregation}")),
            }
        }
        let selector = doc::text_field(automerge, field::SELECTOR, SELECTOR_LEN_BYTES_MAX);
        if !selector.is_empty() {
            match selector.parse() {
                Ok(selector) => system.selector = Some(selector),
                Err(error) => system.unreadable.push(format!("selector: {error}")),
            }
        }
        let mut gather = Gather {
            automerge,
            system: &mut system,
        };
        for name in FIELDS {
            gather.conflicts(name);
        }
        let rules = gather.items(field::RULES);
        let contacts = gather.items(field::CONTACTS);
        let dashboards = gather.items(field::DASHBOARDS);
        let parts = gather.items(field::PARTS);
        let checks: BTreeMap<CheckId, Check> = gather.items(field::CHECKS);
        let agents = gather.items(field::AGENTS);
        let notes = gather.items(field::NOTES);
        let silences = gather.items(field::SILENCES);
        let mut more = gather.more();
        let written_by = gather.writers(&silences, &more);
        more.hand_over(&mut system);
        let checks = checks.into_iter().map(|(id, check)| {
            let name = clean_line(&check.name, NAME_LEN_BYTES_MAX);
            (id, Check { id, name, ..check })
        });
        Self {
            rules,
            contacts,
            dashboards,
            parts,
            checks: checks.collect(),
            agents,
            presence: more.presence,
            agent_presence: more.agent_presence,
            notes,
            silences,
            maintenance: more.maintenance,
            written_by,
            labels: more.labels,
            people: more.people,
            reasons: more.reasons,
            revoked: more.revoked,
            policy: more.policy,
            on_call: more.on_call,
            policy_unread: more.policy_unread,
            families: more.families,
            desired: Arc::new(more.desired),
            ignored: Arc::new(more.ignored),
            ..system
        }
    }

    /// Whether an agent is expected to be heard of: what is said of it, or of all.
    pub fn presence_of(&self, agent: &SpaceId) -> Presence {
        let own = self.agent_presence.get(agent);
        own.copied().unwrap_or(self.presence)
    }

    /// The edges of the graph that it lists.
    pub fn edges(&self) -> Vec<Edge> {
        let edge = |(part, listed): (&SpaceId, &Part)| Edge {
            part: *part,
            label: clean_line(&listed.label, NAME_LEN_BYTES_MAX),
            relation: listed.relation,
            overrides: listed.overrides,
            weight: listed.weight.unwrap_or(1).clamp(1, WEIGHT_MAX),
        };
        self.parts.iter().map(edge).collect()
    }
}

/// Fields of which one value counts.
const FIELDS: [&str; 5] = [
    field::TITLE,
    field::CATEGORY,
    field::PURPOSE,
    field::AGGREGATION,
    field::SELECTOR,
];
/// Proposals that are known as unwanted.
pub const IGNORED_MAX: usize = 1_024;
/// The one policy of its kind.
pub(crate) const POLICY_NOTIFY: &str = "notify";
/// What is said of all agents of a System, beside those that are named.
pub(crate) const PRESENCE_ALL: &str = "all";

/// What later versions added.
#[derive(Default)]
struct More {
    maintenance: BTreeMap<ItemId, Maintenance>,
    requests: BTreeMap<ItemId, MaintenanceRequest>,
    withdrawn: BTreeMap<ItemId, Withdrawn>,
    out_of_service: BTreeMap<ItemId, OutOfService>,
    redundancy: BTreeMap<String, Redundancy>,
    labels: BTreeMap<String, String>,
    people: BTreeMap<AuthorId, String>,
    reasons: BTreeMap<EnvelopeId, String>,
    revoked: BTreeMap<EnvelopeId, String>,
    families: BTreeMap<String, KnownFamily>,
    policy: Option<Arc<Policy>>,
    on_call: BTreeMap<ItemId, OnCallOverride>,
    policy_unread: Vec<String>,
    desired: BTreeMap<DesiredPath, Desired>,
    presence: Presence,
    agent_presence: BTreeMap<SpaceId, Presence>,
    ignored: BTreeMap<CheckId, String>,
    observers: BTreeMap<SpaceId, Observer>,
}

/// Keeps an item by its id, the newest `limit` of them. Says no to what it does not know.
fn keep<T: serde::de::DeserializeOwned>(
    kept: &mut BTreeMap<ItemId, T>,
    id: &str,
    value: serde_json::Value,
    limit: usize,
) -> bool {
    let Some((id, value)) = id.parse().ok().zip(serde_json::from_value(value).ok()) else {
        return false;
    };
    kept.insert(id, value);
    if kept.len() > limit {
        kept.pop_first();
    }
    true
}

impl More {
    /// Keeps what is said of maintenance; says no to what it cannot read, and nothing of other kinds.
    fn upkeep(&mut self, kind: &str, of: &str, value: &serde_json::Value) -> Option<bool> {
        let value = || value.clone();
        Some(match kind {
            field::MAINTENANCE => self.window(of, value()),
            field::REQUESTED => keep(&mut self.requests, of, value(), REQUESTS_MAX),
            field::WITHDRAWN => keep(&mut self.withdrawn, of, value(), REQUESTS_MAX),
            field::OUT_OF_SERVICE => keep(&mut self.out_of_service, of, value(), OUT_MAX),
            field::REDUNDANCY => self.group(of, value()),
            _ => return None,
        })
    }

    fn group(&mut self, name: &str, value: serde_json::Value) -> bool {
        let Ok(mut group) = serde_json::from_value::<Redundancy>(value) else {
            return false;
        };
        while group.members.len() > MEMBERS_MAX {
            group.members.pop_last();
        }
        if self.redundancy.len() < GROUPS_MAX {
            let name = clean_line(name, NAME_LEN_BYTES_MAX);
            self.redundancy.insert(name, group);
        }
        true
    }

    /// Hands over what is said of work and service, and who may look.
    fn hand_over(&mut self, system: &mut System) {
        system.requests = std::mem::take(&mut self.requests);
        system.withdrawn = std::mem::take(&mut self.withdrawn);
        system.out_of_service = std::mem::take(&mut self.out_of_service);
        system.redundancy = std::mem::take(&mut self.redundancy);
        system.observers = std::mem::take(&mut self.observers);
    }

    /// Keeps a maintenance window. One by a clock that cannot be read is kept as coming once; a time that
    /// never comes is looked for here, and not with each picture.
    fn window(&mut self, id: &str, value: serde_json::Value) -> bool {
        let (Ok(id), Ok(mut window)) = (id.parse(), serde_json::from_value::<Maintenance>(value))
        else {
            return false;
        };
        let is_read = window.cron.as_ref().is_none_or(|it| it.plan().is_ok());
        if !is_read {
            window.cron = None;
        }
        self.maintenance.insert(id, window);
        is_read
    }

    /// Keeps who may look; says no to what it cannot read.
    fn let_look(&mut self, system: &str, value: serde_json::Value) -> bool {
        let read = system.parse().ok().zip(serde_json::from_value(value).ok());
        let Some((system, Observer { label })) = read else {
            return false;
        };
        if self.observers.len() < OBSERVERS_MAX {
            let label = clean_line(&label, NAME_LEN_BYTES_MAX);
            self.observers.insert(system, Observer { label });
        }
        true
    }

    /// Keeps whether agents are expected to be heard of; says no to what it does not know. A class of a
    /// newer program is told like any other machine.
    fn expect(&mut self, of: &str, value: &serde_json::Value) -> bool {
        let Ok(presence) = serde_json::from_value(value.clone()) else {
            return false;
        };
        match (of, of.parse()) {
            (PRESENCE_ALL, _) => self.presence = presence,
            (_, Ok(agent)) => {
                if self.agent_presence.len() < PRESENCES_MAX {
                    self.agent_presence.insert(agent, presence);
                }
            }
            _ => return false,
        }
        true
    }
}

/// Keeps why something became of a grant; what says nothing, or of no grant, is passed over.
fn say_why(reasons: &mut BTreeMap<EnvelopeId, String>, grant: &str, value: &serde_json::Value) {
    let reason = clean_line(value.as_str().unwrap_or_default(), REASON_LEN_BYTES_MAX);
    if let (Ok(grant), false, true) = (
        grant.parse(),
        reason.is_empty(),
        reasons.len() < REASONS_MAX,
    ) {
        reasons.insert(grant, reason);
    }
}

struct Gather<'a> {
    automerge: &'a Automerge,
    system: &'a mut System,
}

impl Gather<'_> {
    fn conflicts(&mut self, name: &str) {
        let values = doc::conflicts(self.automerge, name, PURPOSE_LEN_BYTES_MAX);
        if !values.is_empty() {
            self.system.conflicts.push(Conflict {
                field: name.to_owned(),
                values,
            });
        }
    }

    /// What stands in the map of later additions, by the first part of the key. Additions of newer
    /// programs stay where they are.
    fn more(&mut self) -> More {
        let items: BTreeMap<String, serde_json::Value> = self.items(field::MORE);
        let mut more = More::default();
        for (key, value) in items {
            match key.split_once('/') {
                Some((kind, of)) if more.upkeep(kind, of, &value) == Some(false) => {
                    self.system.unreadable.push(clean_line(&key, 128));
                }
                Some((field::LABEL, name)) if more.labels.len() < LABELS_MAX => {
                    let value = value.as_str().unwrap_or_default();
                    let name = clean_line(name, NAME_LEN_BYTES_MAX);
                    more.labels
                        .insert(name, clean_line(value, NAME_LEN_BYTES_MAX));
                }
                Some((field::PERSON, device)) if more.people.len() < PEOPLE_MAX => {
                    let name = clean_line(value.as_str().unwrap_or_default(), NAME_LEN_BYTES_MAX);
                    if let (Ok(device), false) = (device.parse(), name.is_empty()) {
                        more.people.insert(device, name);
                    }
                }
                Some((field::IGNORED, check)) if more.ignored.len() < IGNORED_MAX => {
                    let name = clean_line(value.as_str().unwrap_or_default(), NAME_LEN_BYTES_MAX);
                    if let Ok(check) = check.parse() {
                        more.ignored.insert(check, name);
                    }
                }
                Some((field::REASON, grant)) => say_why(&mut more.reasons, grant, &value),
                Some((field::REVOKED, grant)) => say_why(&mut more.revoked, grant, &value),
                Some((field::FAMILY, name)) if more.families.len() < FAMILIES_MAX => {
                    match serde_json::from_value(value) {
                        Ok(family) => {
                            let name = clean_line(name, NAME_LEN_BYTES_MAX);
                            drop(more.families.insert(name, family));
                        }
                        Err(_) => self.system.unreadable.push(clean_line(&key, 128)),
                    }
                }
                Some((field::POLICY, POLICY_NOTIFY)) => {
                    let (policy, unread) = Policy::read(&value);
                    more.policy = Some(Arc::new(policy));
                    more.policy_unread = unread;
                }
                Some((field::ON_CALL, id)) if more.on_call.len() < ON_CALL_MAX => {
                    match id.parse().ok().zip(serde_json::from_value(value).ok()) {
                        Some((id, change)) => drop(more.on_call.insert(id, change)),
                        None => self.system.unreadable.push(clean_line(&key, 128)),
                    }
                }
                Some((field::OBSERVER, of)) if !more.let_look(of, value.clone()) => {
                    self.system.unreadable.push(clean_line(&key, 128));
                }
                Some((field::PRESENCE, of)) if !more.expect(of, &value) => {
                    self.system.unreadable.push(clean_line(&key, 128));
                }
                Some((field::DESIRED, path)) if more.desired.len() < DESIRED_MAX => {
                    let read = path.parse().ok().zip(serde_json::from_value(value).ok());
                    // What does not fit its own schema was merged from two that did.
                    let read = read.filter(|(_, desired): &(_, Desired)| {
                        desired.schema.check(&desired.value).is_ok()
                    });
                    match read {
                        Some((path, desired)) => drop(more.desired.insert(path, desired)),
                        None => self.system.unreadable.push(clean_line(&key, 128)),
                    }
                }
                _ => {}
            }
        }
        more
    }

    /// Who wrote silences, windows, requests and marks last.
    fn writers(
        &self,
        silences: &BTreeMap<ItemId, Silence>,
        more: &More,
    ) -> BTreeMap<ItemId, [u8; 16]> {
        let silences = silences
            .keys()
            .map(|id| (*id, (field::SILENCES, id.to_string())));
        let windows = more.maintenance.keys().map(|id| (id, field::MAINTENANCE));
        let requests = more.requests.keys().map(|id| (id, field::REQUESTED));
        let outs = more.out_of_service.keys();
        let outs = outs.map(|id| (id, field::OUT_OF_SERVICE));
        let later = windows.chain(requests).chain(outs);
        let later = later.map(|(id, kind)| (*id, (field::MORE, format!("{kind}/{id}"))));
        let written = silences.chain(later).filter_map(|(id, (map, key))| {
            Some((id, doc::actor_of_item(self.automerge, map, &key)?))
        });
        written.collect()
    }

    fn items<K, V>(&mut self, name: &str) -> BTreeMap<K, V>
    where
        K: std::str::FromStr + Ord,
        V: serde::de::DeserializeOwned,
    {
        let reading: Reading<K, V> = doc::json_items(self.automerge, name);
        let place = |key: &String| format!("{name}/{key}");
        let conflict = |key| Conflict {
            field: place(key),
            values: Vec::new(),
        };
        self.system
            .conflicts
            .extend(reading.conflicts.iter().map(conflict));
        let unreadable = reading.unreadable.iter();
        let named = unreadable.map(|(key, reason)| format!("{}: {reason}", place(key)));
        self.system.unreadable.extend(named);
        reading.items.into_iter().collect()
    }
}
