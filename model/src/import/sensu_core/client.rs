//! Clients and contacts of Sensu Core.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::CLIENT;
use super::merge::Origins;
use crate::import::cell::{Cells, text_of};
use crate::import::plan::{Drafts, Place, Remarks};
use crate::system::Contact;

/// A client and what its tokens mean.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) subscriptions: BTreeSet<String>,
    pub(super) attributes: Value,
}

impl Client {
    pub(super) fn attribute(&self, path: &str) -> Option<String> {
        let mut value = &self.attributes;
        for step in path.split('.') {
            value = value.get(step)?;
        }
        text_of(value)
    }
}

pub(super) fn read_clients(
    clients: &[(String, Value)],
    remarks: &Remarks,
    drafts: &mut Drafts<'_>,
) -> Vec<Client> {
    let mut read = Vec::new();
    for (file, value) in clients {
        let place = Place {
            file: file.clone(),
            line: None,
            path: CLIENT.to_owned(),
        };
        let Some(mut cells) = Cells::of(value, place.clone(), remarks) else {
            continue;
        };
        let Some(name) = cells.text("name") else {
            remarks.left(&place, "name", "a client without a name");
            continue;
        };
        let place = place.inner(&name);
        cells.place = place.clone();
        let subscriptions = cells.texts("subscriptions").into_iter().collect();
        let address = cells.text("address");
        cells.pass(&["safe_mode", "version", "redact", "bind"]);
        for (field, reason) in LEFT {
            cells.leave(field, reason);
        }
        let Some(system) = drafts.system(&place, CLIENT, &name, "machine") else {
            continue;
        };
        system
            .labels
            .extend(address.map(|it| ("address".to_owned(), it)));
        let mut left = Vec::new();
        for (field, value) in cells.others() {
            match text_of(value) {
                Some(text) if !is_secret(field) => {
                    system.labels.insert(field.to_owned(), text);
                }
                _ => left.push(field),
            }
        }
        for field in left {
            remarks.left(&place, field, "it serves tokens in commands only");
        }
        read.push(Client {
            key: drafts.key(CLIENT, &name),
            name,
            subscriptions,
            attributes: value.clone(),
        });
    }
    read
}

/// Labels are read by everyone who reads the System.
fn is_secret(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    let words = ["pass", "secret", "token", "key", "credential", "community"];
    words.iter().any(|word| field.contains(word))
}

/// Contacts by name.
pub(super) fn read_contacts(
    definitions: &Cells<'_>,
    origins: &Origins,
    remarks: &Remarks,
) -> BTreeMap<String, Vec<Contact>> {
    let mut contacts = BTreeMap::new();
    for (name, mut cells) in definitions.each("contacts") {
        cells.place = origins.place("contacts", name);
        let mut reached = Vec::new();
        for (channel, value) in cells.others() {
            let inner = Cells::of(value, cells.place.inner(channel), remarks);
            let to = inner.as_ref().and_then(|inner| {
                let fields = ["to", "room", "channel"];
                let text = fields.iter().find_map(|field| {
                    let value = inner.raw(field)?;
                    match value {
                        Value::Array(several) => {
                            let texts: Vec<_> = several.iter().filter_map(text_of).collect();
                            Some(texts.join(", "))
                        }
                        one => text_of(one),
                    }
                });
                text.filter(|text| !text.is_empty())
            });
            match to {
                Some(reach) => reached.push(Contact {
                    role: name.to_owned(),
                    name: name.to_owned(),
                    reach,
                    hours: String::new(),
                }),
                None => remarks.left(&cells.place, channel, "this channel has no address"),
            }
            if let Some(inner) = inner {
                inner.finish();
            }
        }
        contacts.insert(name.to_owned(), reached);
    }
    contacts
}

/// Fields of a client that have no counterpart.
const LEFT: [(&str, &str); 8] = [
    (
        "keepalive",
        "an agent that is not heard of is Missing by itself",
    ),
    (
        "keepalives",
        "an agent that is not heard of is Missing by itself",
    ),
    (
        "socket",
        "the agent's own listener takes results: see `[listen]` in agent.toml",
    ),
    (
        "http_socket",
        "the agent's own listener takes results: see `[listen]` in agent.toml",
    ),
    (
        "deregister",
        "an agent is removed by who administers its System",
    ),
    (
        "deregistration",
        "an agent is removed by who administers its System",
    ),
    ("registration", "an agent joins by invitation"),
    ("signature", "agents sign by themselves"),
];
