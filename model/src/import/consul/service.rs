//! A service of Consul: a System with the labels that it says of itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::Owner;
use super::{Reader, SERVICE};
use crate::address::host_and_port;
use crate::import::cell::{Cells, text_of};
use crate::import::plan::{Place, Remarks};

impl Reader<'_, '_> {
    /// The System of the service of this name.
    pub(super) fn system(
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

    /// A service with its checks, on a machine if that is known; answers the key of its System.
    pub(super) fn service(
        &mut self,
        mut cells: Cells<'_>,
        machine: Option<&str>,
    ) -> Option<String> {
        let remarks = self.drafts.remarks;
        let either = |fields| either(&cells, fields);
        let named = either(["name", "servicename"]).or_else(|| cells.text("service"));
        let Some(name) = named else {
            remarks.left(&cells.place, "name", "a service without a name");
            return None;
        };
        let id = either(["id", "serviceid"]);
        // In answers that are flat, it is the machine's.
        let id = if cells.has("serviceid") {
            cells.text("serviceid").filter(|it| !it.is_empty())
        } else {
            id
        };
        let id = id.unwrap_or_else(|| name.clone());
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
        let scope = self.scope(&place, machine);
        for known in [&id, &name] {
            let there = self.services.entry(known.clone()).or_default();
            there.entry(scope.clone()).or_insert_with(|| key.clone());
        }
        // An id is that service's, whatever else is called so.
        if let Some(there) = self.services.get_mut(&id) {
            there.insert(scope, key.clone());
        }
        let checks: Vec<_> = cells
            .inner("check")
            .into_iter()
            .chain(cells.list("checks"))
            .collect();
        let several = checks.len() > 1;
        for (number, check) in (1_usize..).zip(checks) {
            // As Consul itself calls one that has no id.
            let derived = if several {
                format!("service:{id}:{number}")
            } else {
                format!("service:{id}")
            };
            let owner = Owner {
                key: &key,
                machine,
                derived: Some(derived),
            };
            self.check(check, &owner);
        }
        cells.finish();
        Some(key)
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

const MESH: &str = "a mesh of services is no matter of monitoring";

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
        ("connect", MESH),
        ("proxy", MESH),
        ("serviceproxy", MESH),
        ("serviceconnect", MESH),
        ("token", "a secret stays where it is"),
        ("taggedaddresses", "the first address is taken"),
        ("servicetaggedaddresses", "the first address is taken"),
    ] {
        let says = cells.raw(field).is_some_and(|it| match it {
            Value::Object(map) => map.values().any(says_something),
            Value::String(text) => !text.is_empty(),
            _ => true,
        });
        if says {
            cells.leave(field, reason);
        }
    }
}

/// Interfaces write every field, most of them empty.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => map.values().any(says_something),
    }
}
