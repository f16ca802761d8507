//! Sensu Core 1.x: the JSON files of a folder, merged as Sensu merges them.

mod client;
mod merge;
mod template;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SourceFile;
use super::cell::{Cells, text_of};
use super::command::command;
use super::extra;
use super::plan::{Drafts, Place, Remarks};
use super::token::fill_core;
use super::tree;
use crate::check::{Check, CheckKind};
use crate::graph::Relation;
use crate::rollup::Override;
use crate::severity::Severity;
use crate::system::Contact;
use client::{Client, read_clients, read_contacts};
use merge::{Origins, merge, merge_clients};
use template::template;

const CLIENT: &str = "client";
const SUBSCRIPTION: &str = "subscription";
const AGGREGATE: &str = "aggregate";
const LOOSE: &str = "standalone";

pub(super) fn read(files: &[&SourceFile], drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    let mut whole = Map::new();
    let mut origins = Origins::default();
    let mut clients: Vec<(String, Value)> = Vec::new();
    for file in files {
        for document in tree::json(file, remarks) {
            let Value::Object(mut map) = document.value else {
                remarks.left(&document.place, "", "an object is expected");
                continue;
            };
            // One client a machine: files of several machines name several.
            if let Some(client) = map.remove(CLIENT) {
                clients.push((file.name.clone(), client));
            }
            origins.note(&map, &file.name);
            merge(&mut whole, map, 0);
        }
    }
    let whole = Value::Object(whole);
    let clients = read_clients(&merge_clients(clients), remarks, drafts);
    let Some(definitions) = Cells::of(&whole, Place::default(), remarks) else {
        return;
    };
    let contacts = read_contacts(&definitions, &origins, remarks);
    let mut reader = Reader {
        clients,
        contacts,
        places: BTreeMap::new(),
        remarks,
        drafts,
    };
    let mut wants = Vec::new();
    for (name, mut cells) in definitions.each("checks") {
        cells.place = origins.place("checks", name);
        wants.push(reader.check(name, cells));
    }
    reader.link(&wants);
    for (section, reason) in SECTIONS_LEFT {
        for name in definitions.raw(section).map(names).unwrap_or_default() {
            remarks.left(&origins.place(section, &name), "", reason);
        }
    }
    for (section, _) in definitions.others() {
        let place = origins.section(section);
        remarks.left(&place, "", "this section is not understood");
    }
}

/// What a section defines; a section that is no object, itself.
fn names(section: &Value) -> Vec<String> {
    match section {
        Value::Object(map) => map.keys().cloned().collect(),
        _ => vec![String::new()],
    }
}

/// Where a check runs: the key of a System, and the client whose tokens are filled in.
type Target = (String, Option<usize>);

/// What is linked once every check has its place.
#[derive(Debug, Default)]
struct Wants {
    place: Place,
    /// Keys of the Systems that have the check.
    at: Vec<String>,
    dependencies: Vec<String>,
    aggregates: Vec<String>,
    warning_is_critical: bool,
}

#[derive(Debug)]
struct Reader<'r, 'd> {
    clients: Vec<Client>,
    contacts: BTreeMap<String, Vec<Contact>>,
    /// Systems by the name of a check that they have.
    places: BTreeMap<String, Vec<String>>,
    remarks: &'r Remarks,
    drafts: &'d mut Drafts<'r>,
}

impl Reader<'_, '_> {
    fn check(&mut self, name: &str, cells: Cells<'_>) -> Wants {
        let place = cells.place.clone();
        let subscribers = cells.texts("subscribers");
        let source = cells.text("source");
        let standalone = cells.truth("standalone") == Some(true);
        let about = source.and_then(|source| self.source(&place, &source));
        let targets = self.targets(&place, &subscribers, about.as_ref(), standalone);
        let line = cells.text("command");
        let (template, extra) = template(name, &cells, self.remarks);
        let mut aggregates = cells.texts("aggregates");
        aggregates.extend(match cells.raw("aggregate") {
            Some(Value::Bool(true)) => Some(name.to_owned()),
            Some(Value::Bool(false)) | None => None,
            Some(value) => text_of(value),
        });
        let contacts = cells.texts("contacts");
        let wants = Wants {
            dependencies: cells.texts("dependencies"),
            aggregates,
            warning_is_critical: cells.truth("warnIsCritical") == Some(true),
            at: match &about {
                Some((key, _)) => vec![key.clone()],
                None => targets.iter().map(|(key, _)| key.clone()).collect(),
            },
            place: place.clone(),
        };
        if wants.warning_is_critical {
            let reason = "a warning is Critical to whatever lists the System, which holds for all \
                          its checks; the System itself still shows a warning";
            cells.adapt("warnIsCritical", reason);
        }
        cells.finish();
        for (key, client) in targets {
            let source = about.as_ref().and_then(|(_, known)| *known);
            let filled = self.fill(line.as_deref(), source.or(client), &place);
            let Some(kind) = filled else { continue };
            let check = Check {
                kind,
                ..template.clone()
            };
            let check = extra::add(check, &extra, &place, self.remarks);
            self.put(&place, &key, check, &contacts);
            let of = about.as_ref().map_or(&key, |(about, _)| about).clone();
            self.drafts.about(&place, &key, name, &of);
            let places = self.places.entry(name.to_owned()).or_default();
            if !places.contains(&of) {
                places.push(of);
            }
        }
        wants
    }

    /// The System that a check is about, if its machine is not the one that looks.
    fn source(&mut self, place: &Place, source: &str) -> Option<Target> {
        self.drafts.system(place, CLIENT, source, "machine")?;
        let known = self.clients.iter().position(|client| client.name == source);
        Some((self.drafts.key(CLIENT, source), known))
    }

    /// Where it runs: keys of Systems, with the client whose tokens are filled in.
    fn targets(
        &mut self,
        place: &Place,
        subscribers: &[String],
        source: Option<&Target>,
        standalone: bool,
    ) -> Vec<Target> {
        if let Some(source) = source.filter(|_| subscribers.is_empty() && !standalone) {
            let reason = "it is about this System, and the files do not say who looks: the machine \
                          that looks needs an agent there";
            self.remarks.adapted(place, "source", reason);
            return vec![source.clone()];
        }
        if source.is_some() {
            self.remarks.adapted(place, "source", LOOKED_AT);
        }
        let mut targets = self.subscribed(place, subscribers);
        if standalone {
            targets.extend(self.alone(place));
        } else if subscribers.is_empty() {
            let reason = "neither standalone nor with subscribers: Sensu runs it nowhere";
            self.remarks.left(place, "", reason);
        }
        targets.sort();
        targets.dedup_by(|a, b| a.0 == b.0);
        targets
    }

    /// Clients that subscribe; where there is none, the System of the subscription.
    fn subscribed(&mut self, place: &Place, subscribers: &[String]) -> Vec<Target> {
        let mut targets = Vec::new();
        for subscriber in subscribers {
            let own = subscriber.strip_prefix("client:");
            let is_in = |client: &Client| {
                own == Some(client.name.as_str()) || client.subscriptions.contains(subscriber)
            };
            let all = self.clients.iter().enumerate();
            let found: Vec<_> = all
                .filter(|(_, client)| is_in(client))
                .map(|(number, client)| (client.key.clone(), Some(number)))
                .collect();
            if own.is_some() && !found.is_empty() {
                targets.extend(found);
                continue;
            }
            let (kind, title, category) = match own {
                Some(name) => (CLIENT, name, "machine"),
                None => (SUBSCRIPTION, subscriber.as_str(), SUBSCRIPTION),
            };
            if self.drafts.system(place, kind, title, category).is_none() {
                continue;
            }
            let key = self.drafts.key(kind, title);
            if found.is_empty() {
                let reason = format!(
                    "no client in these files subscribes to {subscriber}: the System of that \
                     name has the check, and its agents run it"
                );
                self.remarks.adapted(place, "subscribers", &reason);
                targets.push((key, None));
                continue;
            }
            for (part, _) in &found {
                self.drafts.edge(&key, part, Relation::Part, Override::NONE);
            }
            targets.extend(found);
        }
        targets
    }

    /// The client of a check that its own machine runs.
    fn alone(&mut self, place: &Place) -> Option<Target> {
        if let [client] = self.clients.as_slice() {
            return Some((client.key.clone(), Some(0)));
        }
        self.drafts.system(place, LOOSE, LOOSE, "checks")?;
        let reason = "the files do not say on which client it runs: the System `standalone` has it";
        self.remarks.adapted(place, "standalone", reason);
        Some((self.drafts.key(LOOSE, LOOSE), None))
    }

    fn fill(&self, line: Option<&str>, client: Option<usize>, place: &Place) -> Option<CheckKind> {
        let Some(line) = line else {
            let reason = "a check without a command, or an extension: nothing runs";
            self.remarks.left(place, "command", reason);
            return None;
        };
        let client = client.and_then(|number| self.clients.get(number));
        let filled = fill_core(line, &|path| client?.attribute(path));
        if !filled.missing.is_empty() {
            let whom = client.map_or("the client", |client| client.name.as_str());
            let reason = format!(
                "nothing is known of {} of {whom}, and there is no default",
                filled.missing.join(", ")
            );
            self.remarks.left(place, "command", &reason);
            return None;
        }
        if filled.by_default && client.is_none() {
            let reason = "tokens have their defaults, as no client is known";
            self.remarks.adapted(place, "command", reason);
        }
        let command = command(&filled.text, place, "command", self.remarks)?;
        Some(command.into())
    }

    fn put(&mut self, place: &Place, key: &str, check: Check, contacts: &[String]) {
        self.drafts.check(place, key, check);
        for name in contacts {
            if let Some(reached) = self.contacts.get(name) {
                self.drafts.contacts(key, reached);
            } else {
                let reason = format!("no contact {name} is defined in these files");
                self.remarks.left(place, "contacts", &reason);
            }
        }
    }

    /// Dependencies and aggregates, once every check has its place.
    fn link(&mut self, wants: &[Wants]) {
        for want in wants {
            for dependency in &want.dependencies {
                let (client, check) = match dependency.split_once('/') {
                    Some((client, check)) => (Some(client), check),
                    None => (None, dependency.as_str()),
                };
                let at = self.places.get(check).cloned().unwrap_or_default();
                let of_client = client.map(|client| self.drafts.key(CLIENT, client));
                let on = |key: &&String| of_client.as_ref().is_none_or(|of| of == *key);
                let others: Vec<_> = at.iter().filter(on).collect();
                if others.is_empty() {
                    let reason = format!("no check {dependency} is in these files");
                    self.remarks.left(&want.place, "dependencies", &reason);
                }
                for from in &want.at {
                    // Without a client's name, that of the same client is meant.
                    if others.contains(&from) {
                        let reason = format!(
                            "{dependency} is of the same System: dependencies are between Systems"
                        );
                        self.remarks.left(&want.place, "dependencies", &reason);
                        continue;
                    }
                    for to in &others {
                        self.drafts.edge(from, to, Relation::Uses, Override::NONE);
                    }
                }
            }
            let overrides = if want.warning_is_critical {
                Override {
                    warning: Some(Severity::Critical),
                    ..Override::NONE
                }
            } else {
                Override::NONE
            };
            for aggregate in &want.aggregates {
                if self
                    .drafts
                    .system(&want.place, AGGREGATE, aggregate, AGGREGATE)
                    .is_none()
                {
                    continue;
                }
                let reason = "its parts are whole Systems, with all their checks";
                self.remarks.adapted(&want.place, "aggregates", reason);
                let key = self.drafts.key(AGGREGATE, aggregate);
                for part in &want.at {
                    self.drafts.edge(&key, part, Relation::Part, overrides);
                }
            }
            if want.warning_is_critical {
                for part in &want.at {
                    self.drafts.override_to(part, overrides);
                }
            }
        }
    }
}

/// What becomes of a check about another System.
const LOOKED_AT: &str =
    "a System of that name is looked at from those whose machines run it, and counts for itself";

/// Sections that have no counterpart.
const SECTIONS_LEFT: [(&str, &str); 16] = [
    (
        "handlers",
        "who is told is set up with routes and receivers",
    ),
    ("mutators", "events are not rewritten here"),
    (
        "filters",
        "who is told, and when, is set up with routes, silences and maintenance",
    ),
    ("extensions", "no code is loaded"),
    ("transport", "a setting of Sensu itself"),
    ("rabbitmq", "a setting of Sensu itself"),
    ("redis", "a setting of Sensu itself"),
    ("api", "a setting of Sensu itself"),
    ("sensu", "a setting of Sensu itself"),
    ("settings", "a setting of Sensu itself"),
    ("uchiwa", "a setting of Uchiwa"),
    ("dashboard", "a setting of Uchiwa"),
    ("asset", "programs are installed by other means"),
    (
        "silence",
        "silences have an end: make them again with `aramaki alert silence`",
    ),
    ("routing", "who is told is set up with routes and receivers"),
    ("tags", "it has no meaning here"),
];
