//! Consul: definitions of services and checks, and what its agent, catalog and health interfaces
//! answer.

mod run;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SourceFile;
use super::cell::{Cells, objects, text_of};
use super::plan::{Drafts, Place, Remarks};
use super::tree;
use crate::address::host_and_port;
use crate::check::{Check, CheckKind};
use crate::graph::Relation;
use crate::id::CheckId;
use crate::rollup::Override;
use run::{LEFT, kind_of, span_of, title_of};

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
        Value::Object(map) if depth == 0 && is_by_name(map) => {
            let fields = map.iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), lowered(value, 1)))
                    .collect(),
            )
        }
        Value::Object(map) if depth < DEPTH_MAX => {
            let fields = map.iter().map(|(name, value)| {
                let lower: String = name.to_ascii_lowercase().replace('_', "");
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

fn is_by_name(map: &Map<String, Value>) -> bool {
    let is_defined = DEFINITIONS.iter().any(|field| map.contains_key(*field));
    !is_defined
        && !map.is_empty()
        && (map.values().all(Value::is_object) || map.values().all(Value::is_array))
}

struct Reader<'r, 'd> {
    /// Keys of Systems by the service's id, with its address and port.
    services: BTreeMap<String, String>,
    /// Systems whose checks stand for another service's, that service, and where it says so.
    aliases: Vec<(String, String, Place)>,
    drafts: &'d mut Drafts<'r>,
}

impl<'r> Reader<'r, '_> {
    fn document<'v>(&mut self, value: &'v Value, place: &Place, loose: &mut Vec<Cells<'v>>)
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
            Value::Object(map) => {
                let Some(cells) = Cells::of(value, place.clone(), remarks) else {
                    return;
                };
                if DEFINITIONS.iter().any(|field| map.contains_key(*field)) {
                    self.definitions(&cells, loose);
                } else if map.values().all(Value::is_object) && !map.is_empty() {
                    // `/v1/agent/services` and `/v1/agent/checks`: by id.
                    for (id, inner) in map {
                        if let Some(entry) = Cells::of(inner, place.inner(id), remarks) {
                            self.entry(entry, loose);
                        }
                    }
                } else if map.values().all(Value::is_array) && !map.is_empty() {
                    // `/v1/catalog/services`: tags by name.
                    for (name, tags) in map {
                        let tags = tags.as_array().into_iter().flatten().filter_map(text_of);
                        let tags = tags.collect();
                        self.system(place, name, tags, BTreeMap::new());
                    }
                } else {
                    self.entry(cells, loose);
                }
            }
            _ => remarks.left(place, "", "definitions of services or checks are expected"),
        }
    }

    /// A file of an agent's configuration.
    fn definitions<'v>(&mut self, cells: &Cells<'v>, loose: &mut Vec<Cells<'v>>)
    where
        'r: 'v,
    {
        for service in cells
            .inner("service")
            .into_iter()
            .chain(cells.list("services"))
        {
            self.service(service);
        }
        loose.extend(cells.inner("check").into_iter().chain(cells.list("checks")));
        for (field, _) in cells.others() {
            self.drafts
                .remarks
                .left(&cells.place, field, "a setting of Consul itself");
        }
    }

    /// One thing of an interface's answer.
    fn entry<'v>(&mut self, cells: Cells<'v>, loose: &mut Vec<Cells<'v>>)
    where
        'r: 'v,
    {
        if cells.raw("service").is_some_and(Value::is_object) {
            // `/v1/health/service/NAME`.
            let machine = cells.inner("node").and_then(|node| {
                let name = node.text("node");
                node.pass(&[
                    "id",
                    "address",
                    "datacenter",
                    "taggedaddresses",
                    "meta",
                    "createindex",
                    "modifyindex",
                    "partition",
                    "peername",
                    "locality",
                ]);
                node.finish();
                name
            });
            let service = cells.inner("service");
            let key = service.and_then(|it| self.service(it));
            self.on(&cells.place, key.as_deref(), machine.as_deref());
            loose.extend(cells.list("checks"));
            cells.finish();
        } else if cells.has("checkid")
            || cells.has("status")
            || DEFINED_BY.iter().any(|it| cells.has(it)) && !cells.has("service")
        {
            loose.push(cells);
        } else if cells.has("servicename") {
            // `/v1/catalog/service/NAME`.
            let machine = cells.text("node");
            let key = self.service(cells);
            let place = Place::default();
            self.on(&place, key.as_deref(), machine.as_deref());
        } else {
            self.service(cells);
        }
    }

    /// Aliases name services that may stand further down.
    fn link(&mut self) {
        for (from, alias, place) in std::mem::take(&mut self.aliases) {
            if let Some(to) = self.services.get(&alias) {
                self.drafts.edge(&from, to, Relation::Uses, Override::NONE);
            } else {
                let reason = format!("no service {alias} is in these files");
                self.drafts.remarks.left(&place, "alias_service", &reason);
            }
        }
    }

    /// A service uses the machine on which it runs.
    fn on(&mut self, place: &Place, service: Option<&str>, machine: Option<&str>) {
        let (Some(service), Some(machine)) = (service, machine) else {
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

    fn system(
        &mut self,
        place: &Place,
        name: &str,
        tags: Vec<String>,
        mut labels: BTreeMap<String, String>,
    ) -> Option<String> {
        let system = self.drafts.system(place, SERVICE, name, SERVICE)?;
        for tag in tags {
            // A tag is a label without a value, or `key=value` in itself.
            let (name, value) = match tag.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (tag, "yes".to_owned()),
            };
            labels.entry(name).or_insert(value);
        }
        system.labels.extend(labels);
        let key = self.drafts.key(SERVICE, name);
        Some(key)
    }

    fn service(&mut self, mut cells: Cells<'_>) -> Option<String> {
        let remarks = self.drafts.remarks;
        let either = |fields| either(&cells, fields);
        let named = either(["name", "servicename"]).or_else(|| cells.text("service"));
        let Some(name) = named else {
            remarks.left(&cells.place, "name", "a service without a name");
            return None;
        };
        let id = either(["id", "serviceid"]);
        let labels = labels_of(&cells);
        let mut tags = cells.texts("tags");
        tags.extend(cells.texts("servicetags"));
        cells.place = cells.place.inner(&name);
        leave(&cells);
        let place = cells.place.clone();
        if let Some(port) = labels.get("port") {
            let host = labels.get("address").cloned();
            let host = host.or_else(|| cells.text("node"));
            registered(&place, &name, host.as_deref(), port, remarks);
        }
        let key = self.system(&place, &name, tags, labels)?;
        self.services
            .insert(id.unwrap_or_else(|| name.clone()), key.clone());
        self.services.entry(name).or_insert_with(|| key.clone());
        for check in cells.inner("check").into_iter().chain(cells.list("checks")) {
            self.check(check, &key);
        }
        cells.finish();
        Some(key)
    }

    /// A check that stands by itself: of a service by id, or of the machine.
    fn loose(&mut self, cells: Cells<'_>) {
        let remarks = self.drafts.remarks;
        let id = cells.text("serviceid").filter(|it| !it.is_empty());
        let name = cells.text("servicename").filter(|it| !it.is_empty());
        let machine = cells.text("node").filter(|it| !it.is_empty());
        cells.pass(&["servicetags"]);
        let known = |it: &Option<String>| it.as_ref().and_then(|it| self.services.get(it)).cloned();
        let key = known(&id).or_else(|| known(&name));
        let named = name.or(id);
        let place = cells.place.clone();
        let key = match (key, named, machine) {
            (Some(key), _, _) => Some(key),
            (None, Some(service), _) => self.system(&place, &service, Vec::new(), BTreeMap::new()),
            (None, None, machine) => {
                let machine = machine.unwrap_or_else(|| {
                    let machine = named_by(&place.file);
                    let reason = format!(
                        "no service and no machine is named: it goes to a System called {machine:?}, after the file"
                    );
                    remarks.adapted(&place, "", &reason);
                    machine
                });
                let made = self
                    .drafts
                    .system(&place, MACHINE, &machine, "machine")
                    .is_some();
                made.then(|| self.drafts.key(MACHINE, &machine))
            }
        };
        match key {
            Some(key) => self.check(cells, &key),
            None => remarks.left(&place, "", "it is of no service"),
        }
    }

    fn check(&mut self, mut cells: Cells<'_>, key: &str) {
        let remarks = self.drafts.remarks;
        let id = cells.text("checkid").or_else(|| cells.text("id"));
        let name = cells.text("name").or(id).filter(|it| !it.is_empty());
        let is_serf = cells.text("checkid").as_deref() == Some("serfHealth");
        cells.pass(&[
            "status",
            "output",
            "notes",
            "type",
            "exposedport",
            "createindex",
            "modifyindex",
            "namespace",
            "partition",
            "peername",
            "servicetags",
            "checkid",
        ]);
        if is_serf {
            cells.leave(
                "checkid",
                "an agent that is not heard of is Missing by itself",
            );
            return;
        }
        // Interfaces put what is run one level deeper.
        let inner = cells.inner("definition");
        let deeper = inner.as_ref().is_some_and(|it| !it.others().is_empty());
        let run = inner.as_ref().filter(|_| deeper).unwrap_or(&cells);
        let kind = kind_of(run, remarks, &mut |alias| {
            self.aliases
                .push((key.to_owned(), alias.to_owned(), run.place.clone()));
        });
        let interval = span_of(run, "interval");
        let timeout = span_of(run, "timeout");
        let attempts = run.count("failuresbeforecritical");
        leave_rest(run, name.as_deref(), remarks);
        if let Some(kind) = kind {
            let title = name.clone().unwrap_or_else(|| title_of(&kind).to_owned());
            let mut check = Check::new(CheckId::default(), title, kind);
            if let Some(interval) = interval {
                check.interval_ms = interval;
                check.retry_interval_ms = interval;
            }
            check.timeout_ms = timeout.unwrap_or(check.timeout_ms);
            if check.kind == (CheckKind::External {}) {
                check.ttl_ms = span_of(run, "ttl");
            }
            // Consul counts failures before, here the failure itself counts.
            check.attempts = attempts.map_or(1, |it| it.saturating_add(1));
            let place = run.place.clone();
            self.drafts.check(&place, key, check);
        }
        if let Some(name) = name {
            cells.place = cells.place.inner(&name);
        }
        if let Some(inner) = inner {
            inner.finish();
        }
        cells.finish();
    }
}

/// Tells what of a check has no counterpart here, with its name.
fn leave_rest(run: &Cells<'_>, name: Option<&str>, remarks: &Remarks) {
    let place = name.map_or_else(|| run.place.clone(), |name| run.place.inner(name));
    for (field, written, reason) in LEFT {
        let says = run.raw(field).is_some_and(|it| match it {
            Value::Bool(truth) => *truth,
            Value::Object(map) => !map.is_empty(),
            Value::String(text) => !["", "0s", "0"].contains(&text.as_str()),
            Value::Number(number) => number.as_f64() != Some(0.0),
            _ => true,
        });
        if says {
            remarks.left(&place, written, reason);
        }
    }
}

/// What a System is called whose file names nothing: the file, without its folder and ending.
fn named_by(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _ending)| stem);
    let named = if stem.is_empty() { name } else { stem };
    if named.is_empty() {
        "a machine of Consul".to_owned()
    } else {
        named.to_owned()
    }
}

/// Where a service runs its own agent tells, as long as it runs: what that agent's file has to say.
fn registered(place: &Place, name: &str, host: Option<&str>, port: &str, remarks: &Remarks) {
    let host = host.unwrap_or("HOST");
    let endpoint = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    if host_and_port(&endpoint).is_none() {
        remarks.left(place, "port", "an address with a port is expected");
        return;
    }
    let name = Value::from(name);
    let reason = format!(
        "the agent that runs it tells so; in its agent.toml: [[service]] name = {name}, endpoints = [\"{endpoint}\"]"
    );
    remarks.adapted(place, "port", &reason);
}

/// By these a file of an agent's configuration is known.
const DEFINITIONS: [&str; 4] = ["service", "services", "check", "checks"];
/// By these a check is known.
const DEFINED_BY: [&str; 8] = [
    "http",
    "tcp",
    "args",
    "scriptargs",
    "script",
    "ttl",
    "grpc",
    "osservice",
];

/// Each interface has its own word for the same.
fn either(cells: &Cells<'_>, fields: [&str; 2]) -> Option<String> {
    let texts = fields.map(|field| cells.text(field));
    texts.into_iter().flatten().find(|it| !it.is_empty())
}

/// Metadata, address and port.
fn labels_of(cells: &Cells<'_>) -> BTreeMap<String, String> {
    let either = |fields| either(cells, fields);
    let mut labels = BTreeMap::new();
    for field in ["meta", "servicemeta"] {
        let map = cells.raw(field).and_then(Value::as_object);
        for (name, value) in map.into_iter().flatten() {
            labels.extend(text_of(value).map(|value| (name.clone(), value)));
        }
    }
    let port = either(["port", "serviceport"]).filter(|it| it != "0");
    let address = either(["serviceaddress", "address"]);
    labels.extend(port.map(|it| ("port".to_owned(), it)));
    labels.extend(address.map(|it| ("address".to_owned(), it)));
    labels
}

/// What a service says that has no counterpart.
fn leave(cells: &Cells<'_>) {
    let kind = cells
        .text("kind")
        .filter(|it| !it.is_empty() && it != "typical");
    if kind.is_some() {
        cells.leave("kind", "gateways and proxies are services like others");
    }
    cells.pass(&[
        "node",
        "datacenter",
        "createindex",
        "modifyindex",
        "contenthash",
        "weights",
        "serviceweights",
        "enabletagoverride",
        "serviceenabletagoverride",
        "nodemeta",
        "servicekind",
        "peername",
        "partition",
        "namespace",
        "locality",
        "servicelocality",
        "servicesocketpath",
        "socketpath",
    ]);
    for (field, reason) in [
        ("connect", "a mesh of services is no matter of monitoring"),
        ("proxy", "a mesh of services is no matter of monitoring"),
        (
            "serviceproxy",
            "a mesh of services is no matter of monitoring",
        ),
        (
            "serviceconnect",
            "a mesh of services is no matter of monitoring",
        ),
        ("token", "a secret stays where it is"),
        ("taggedaddresses", "the first address is taken"),
        ("servicetaggedaddresses", "the first address is taken"),
    ] {
        let says = cells.raw(field).is_some_and(|it| match it {
            Value::Object(map) => map
                .values()
                .any(|it| !it.is_null() && it != &Value::Bool(false)),
            Value::String(text) => !text.is_empty(),
            _ => true,
        });
        if says {
            cells.leave(field, reason);
        }
    }
}
