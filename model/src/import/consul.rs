//! Consul: definitions of services and checks, and what its agent, catalog and health interfaces
//! answer.

mod check;
mod run;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::SourceFile;
use super::cell::{Cells, objects, text_of};
use super::plan::{Drafts, Place};
use super::tree;
use crate::graph::Relation;
use crate::rollup::Override;
use run::Alias;

const SERVICE: &str = "service";
const MACHINE: &str = "node";

pub(super) fn read(files: &[&SourceFile], drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    let mut loose = Vec::new();
    let documents: Vec<_> = files
        .iter()
        .flat_map(|file| tree::json(file, remarks))
        .collect();
    let lower: Vec<_> = documents
        .iter()
        .map(|it| (it.place.clone(), lowered(&it.value, 0)))
        .collect();
    let mut reader = Reader {
        agents: agents(&lower),
        services: BTreeMap::new(),
        aliases: Vec::new(),
        drafts,
    };
    for (place, value) in &lower {
        reader.document(value, place, &mut loose);
    }
    // Checks name services that another file may define.
    for check in loose {
        reader.loose(check);
    }
    reader.link();
}

/// Interfaces write `ServiceID`, files `service_id`: names are compared without case and strokes. What
/// people named (tags, metadata) stays as it is.
fn lowered(value: &Value, depth: usize) -> Value {
    /// Deeper than any definition.
    const DEPTH_MAX: usize = 16;
    match value {
        // Of a map by id or name, those are what people named.
        Value::Object(map) if depth == 0 && (is_by_id(map) || is_by_name(map)) => {
            let fields = map.iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), lowered(value, 1)))
                    .collect(),
            )
        }
        Value::Object(map) if depth < DEPTH_MAX => {
            let fields = map.iter().map(|(name, value)| {
                let lower = plain(name);
                let is_free = [
                    "meta",
                    "servicemeta",
                    "nodemeta",
                    "weights",
                    "taggedaddresses",
                    "header",
                ]
                .contains(&lower.as_str());
                let value = if is_free {
                    value.clone()
                } else {
                    lowered(value, depth + 1)
                };
                (lower, value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(list) if depth < DEPTH_MAX => {
            Value::Array(list.iter().map(|it| lowered(it, depth + 1)).collect())
        }
        other => other.clone(),
    }
}

fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "")
}

/// `/v1/agent/services` and `/v1/agent/checks`: by id, and each says what it is.
fn is_by_id(map: &Map<String, Value>) -> bool {
    let says_what = |value: &Value| {
        value.as_object().is_some_and(|inner| {
            inner.iter().any(|(name, value)| {
                let name = plain(name);
                name == "checkid" || name == "service" && value.is_string()
            })
        })
    };
    !map.is_empty() && map.values().all(says_what)
}

/// `/v1/catalog/services`: tags by name.
fn is_by_name(map: &Map<String, Value>) -> bool {
    let is_tags = |value: &Value| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().all(Value::is_string))
    };
    let is_definition = map.keys().all(|it| DEFINITIONS.contains(&it.as_str()));
    !map.is_empty() && !is_definition && map.values().all(is_tags)
}

/// The folder of a file: one agent reads all that is in it.
fn folder_of(file: &str) -> &str {
    file.rsplit_once(['/', '\\'])
        .map_or("", |(folder, _)| folder)
}

/// What machines are called whose files these are: by file, and by folder if it names one alone.
fn agents(documents: &[(Place, Value)]) -> BTreeMap<String, String> {
    let mut by_file: BTreeMap<String, String> = BTreeMap::new();
    let mut by_folder: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (place, value) in documents {
        let name = value.get("nodename").and_then(text_of);
        if let Some(name) = name.filter(|it| !it.is_empty()) {
            let folder = by_folder
                .entry(folder_of(&place.file).to_owned())
                .or_default();
            folder.insert(name.clone());
            by_file.insert(place.file.clone(), name);
        }
    }
    for (folder, names) in by_folder {
        if let (1, Some(name)) = (names.len(), names.into_iter().next()) {
            by_file.entry(folder).or_insert(name);
        }
    }
    by_file
}

/// A check that stands by itself, and on which machine that is if its surroundings say so.
struct Loose<'v> {
    cells: Cells<'v>,
    machine: Option<String>,
}

struct Reader<'r, 'd> {
    /// Names of machines by the files and folders that are theirs.
    agents: BTreeMap<String, String>,
    /// Keys of Systems by the service's id, and within that by the machine or folder where it has it:
    /// an id is one machine's.
    services: BTreeMap<String, BTreeMap<String, String>>,
    /// Systems whose checks stand for another service's or a machine's, and where they say so.
    aliases: Vec<(String, Alias, Place)>,
    drafts: &'d mut Drafts<'r>,
}

impl<'r> Reader<'r, '_> {
    fn document<'v>(&mut self, value: &'v Value, place: &Place, loose: &mut Vec<Loose<'v>>)
    where
        'r: 'v,
    {
        let remarks = self.drafts.remarks;
        match value {
            Value::Array(list) => {
                for entry in objects(list, place, remarks) {
                    self.entry(entry, loose);
                }
            }
            Value::Object(map) if is_by_name(map) => {
                for (name, tags) in map {
                    let tags = tags.as_array().into_iter().flatten().filter_map(text_of);
                    let tags = tags.collect();
                    self.system(place, name, tags, BTreeMap::new());
                }
            }
            Value::Object(map) if is_by_id(map) => {
                for (id, inner) in map {
                    if let Some(entry) = Cells::of(inner, place.inner(id), remarks) {
                        self.entry(entry, loose);
                    }
                }
            }
            Value::Object(map) => {
                let Some(cells) = Cells::of(value, place.clone(), remarks) else {
                    return;
                };
                let is_definition = DEFINITIONS.iter().any(|field| map.contains_key(*field))
                    || map.contains_key("nodename");
                if is_definition
                    && !map.contains_key("node")
                    && !map.contains_key("aggregatedstatus")
                {
                    self.definitions(&cells, loose);
                } else {
                    self.entry(cells, loose);
                }
            }
            _ => remarks.left(place, "", "definitions of services or checks are expected"),
        }
    }

    /// A file of an agent's configuration.
    fn definitions<'v>(&mut self, cells: &Cells<'v>, loose: &mut Vec<Loose<'v>>)
    where
        'r: 'v,
    {
        let machine = self.machine_of(&cells.place);
        let services = cells.inner("service").into_iter();
        let services = services.chain(cells.list("services"));
        self.on_machine(machine.as_deref(), services, (cells, loose));
        cells.pass(&["nodename"]);
        for (field, _) in cells.others() {
            self.drafts
                .remarks
                .left(&cells.place, field, "a setting of Consul itself");
        }
    }

    /// Whose configuration a file is.
    fn machine_of(&self, place: &Place) -> Option<String> {
        let by_file = self.agents.get(&place.file);
        by_file
            .or_else(|| self.agents.get(folder_of(&place.file)))
            .cloned()
    }

    /// One thing of an interface's answer.
    fn entry<'v>(&mut self, cells: Cells<'v>, loose: &mut Vec<Loose<'v>>)
    where
        'r: 'v,
    {
        let holds = |field: &str| {
            cells
                .raw(field)
                .is_some_and(|it| it.is_object() || it.is_array())
        };
        let has_inner = DEFINITIONS.iter().any(|field| holds(field));
        if has_inner && (cells.has("node") || holds("service")) {
            self.instances(cells, loose);
        } else if cells.has("checkid")
            || cells.has("status")
            || DEFINED_BY.iter().any(|it| cells.has(it)) && !cells.has("service")
        {
            let machine = self.machine_of(&cells.place);
            loose.push(Loose { cells, machine });
        } else if cells.has("servicename") {
            // `/v1/catalog/service/NAME`.
            let machine = cells.text("node");
            let place = cells.place.clone();
            let key = self.service(cells, machine.as_deref());
            self.on(&place, key.as_deref(), machine.as_deref());
        } else if cells.has("node") && !cells.has("service") && !cells.has("name") {
            // `/v1/catalog/nodes`.
            self.machine(cells);
        } else {
            self.service(cells, None);
        }
    }

    /// The services of a machine, and the checks beside them.
    fn on_machine<'v>(
        &mut self,
        machine: Option<&str>,
        services: impl IntoIterator<Item = Cells<'v>>,
        (cells, loose): (&Cells<'v>, &mut Vec<Loose<'v>>),
    ) where
        'r: 'v,
    {
        for service in services {
            let place = service.place.clone();
            let key = self.service(service, machine);
            self.on(&place, key.as_deref(), machine);
        }
        let checks = cells.inner("check").into_iter().chain(cells.list("checks"));
        loose.extend(checks.map(|cells| Loose {
            cells,
            machine: machine.map(str::to_owned),
        }));
    }

    /// A machine with its services and checks: `/v1/health/service/NAME`, `/v1/catalog/node/NAME` and what
    /// is sent to `/v1/catalog/register`.
    fn instances<'v>(&mut self, cells: Cells<'v>, loose: &mut Vec<Loose<'v>>)
    where
        'r: 'v,
    {
        let machine = if cells.raw("node").is_some_and(Value::is_object) {
            cells.inner("node").and_then(|node| self.machine(node))
        } else {
            cells.pass(&["id", "address", "datacenter", "taggedaddresses", "nodemeta"]);
            cells.text("node")
        };
        let mut services: Vec<Cells<'v>> = Vec::new();
        services.extend(cells.inner("service"));
        if cells.raw("services").is_some_and(Value::is_object) {
            services.extend(cells.each("services").into_iter().map(|(_, it)| it));
        } else {
            services.extend(cells.list("services"));
        }
        self.on_machine(machine.as_deref(), services, (&cells, loose));
        cells.pass(&[
            "aggregatedstatus",
            "skipnodeupdate",
            "partition",
            "namespace",
        ]);
        cells.finish();
    }

    /// A machine as interfaces describe it.
    fn machine(&mut self, node: Cells<'_>) -> Option<String> {
        node.pass(&[
            "id",
            "datacenter",
            "taggedaddresses",
            "createindex",
            "modifyindex",
            "partition",
            "peername",
            "locality",
        ]);
        let name = node.text("node").filter(|it| !it.is_empty());
        let address = node.text("address").filter(|it| !it.is_empty());
        let meta = node.raw("meta").or_else(|| node.raw("nodemeta"));
        let meta = meta.and_then(Value::as_object).into_iter().flatten();
        let meta: Vec<_> = meta
            .filter_map(|(name, value)| Some((name.clone(), text_of(value)?)))
            .collect();
        if let Some(name) = &name
            && let Some(system) = self.drafts.system(&node.place, MACHINE, name, "machine")
        {
            system.labels.extend(meta);
            system
                .labels
                .extend(address.map(|it| ("address".to_owned(), it)));
        }
        node.finish();
        name
    }

    /// Where ids of services count: a machine, or else what one agent reads.
    fn scope(&self, place: &Place, machine: Option<&str>) -> String {
        let machine = machine
            .map(str::to_owned)
            .or_else(|| self.machine_of(place));
        machine.unwrap_or_else(|| folder_of(&place.file).to_owned())
    }

    /// The System of the service that has this id there, or anywhere if that is one System alone.
    fn service_of(&self, id: &str, scope: &str) -> Option<String> {
        let known = self.services.get(id)?;
        let anywhere: BTreeSet<&String> = known.values().collect();
        let alone = (anywhere.len() == 1).then(|| anywhere.first().copied());
        known.get(scope).or(alone.flatten()).cloned()
    }

    /// Aliases name services that may stand further down.
    fn link(&mut self) {
        for (from, alias, place) in std::mem::take(&mut self.aliases) {
            let (field, to, named) = match (&alias.service, &alias.machine) {
                (Some(service), machine) => {
                    let scope = self.scope(&place, machine.as_deref().or(alias.on.as_deref()));
                    let to = self.service_of(service, &scope);
                    ("alias_service", to, format!("service {service}"))
                }
                (None, machine) => {
                    let machine = machine.as_deref().unwrap_or_default();
                    let is_there = self.drafts.has(MACHINE, machine);
                    let to = is_there.then(|| self.drafts.key(MACHINE, machine));
                    ("alias_node", to, format!("machine {machine}"))
                }
            };
            if let Some(to) = to {
                self.drafts.edge(&from, &to, Relation::Uses, Override::NONE);
                let reason = "the System uses that one";
                self.drafts.remarks.adapted(&place, field, reason);
            } else {
                let reason = format!("no {named} is in these files");
                self.drafts.remarks.left(&place, field, &reason);
            }
        }
    }

    /// A service uses the machine on which it runs.
    fn on(&mut self, place: &Place, service: Option<&str>, machine: Option<&str>) {
        let (Some(service), Some(machine)) = (service, machine.filter(|it| !it.is_empty())) else {
            return;
        };
        if self
            .drafts
            .system(place, MACHINE, machine, "machine")
            .is_some()
        {
            let to = self.drafts.key(MACHINE, machine);
            self.drafts
                .edge(service, &to, Relation::Uses, Override::NONE);
        }
    }
}

/// By these a file of an agent's configuration is known.
const DEFINITIONS: [&str; 4] = ["service", "services", "check", "checks"];
/// By these a check is known.
const DEFINED_BY: [&str; 12] = [
    "http",
    "tcp",
    "args",
    "scriptargs",
    "script",
    "ttl",
    "grpc",
    "osservice",
    "udp",
    "h2ping",
    "aliasservice",
    "aliasnode",
];
