//! Sensu Go: what `sensuctl dump` prints, as YAML documents, wrapped JSON, or lists of them.

mod proxies;
mod resource;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::SourceFile;
use super::cell::Cells;
use super::command::command;
use super::extra::{self, Extra};
use super::plan::Drafts;
use super::token::fill_go;
use super::tree::{self, Document};
use crate::check::Check;
use crate::graph::Relation;
use crate::rollup::Override;
use proxies::{Condition, conditions, fits};
use resource::{Resource, left};
use template::{Hooks, runbook_of, template};

const ENTITY: &str = "entity";
const SUBSCRIPTION: &str = "subscription";
/// Checks that one check of other entities becomes.
const PROXY_CHECKS_MAX: usize = 20_000;

pub(super) fn read(files: &[&SourceFile], drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    let mut resources = Vec::new();
    for file in files {
        for document in tree::either(file, remarks) {
            match document.value {
                Value::Array(values) => {
                    let place = &document.place;
                    resources.extend(values.into_iter().map(|value| Document {
                        place: place.clone(),
                        value,
                    }));
                }
                Value::Null => {}
                value => resources.push(Document { value, ..document }),
            }
        }
    }
    let read: Vec<_> = resources
        .iter()
        .filter_map(|it| Resource::of(it, remarks))
        .collect();
    let mut reader = Reader {
        hooks: BTreeMap::new(),
        entities: Vec::new(),
        drafts,
    };
    // Checks look at hooks and entities, wherever those stand.
    for resource in &read {
        match resource.kind.as_str() {
            "HookConfig" | "Hook" => reader.hook(resource),
            "Entity" | "EntityConfig" => reader.entity(resource),
            _ => {}
        }
    }
    for resource in &read {
        match resource.kind.as_str() {
            "CheckConfig" | "Check" => reader.check(resource),
            "HookConfig" | "Hook" | "Entity" | "EntityConfig" => {}
            kind => remarks.left(&resource.spec.place, "", left(kind)),
        }
    }
    for resource in read {
        let is_read = [
            "CheckConfig",
            "Check",
            "HookConfig",
            "Hook",
            "Entity",
            "EntityConfig",
        ]
        .contains(&resource.kind.as_str());
        if is_read {
            resource.spec.finish();
        }
    }
}

/// An entity and what templates mean on it.
#[derive(Debug)]
struct Entity {
    namespace: String,
    name: String,
    key: String,
    subscriptions: BTreeSet<String>,
    values: BTreeMap<String, String>,
}

/// What one check says, before it is filled for an entity.
struct Made<'a, 'v> {
    resource: &'a Resource<'v>,
    line: &'a str,
    check: &'a Check,
    extra: &'a Extra,
}

struct Reader<'r, 'd> {
    hooks: Hooks,
    entities: Vec<Entity>,
    drafts: &'d mut Drafts<'r>,
}

impl Reader<'_, '_> {
    fn hook(&mut self, resource: &Resource<'_>) {
        let spec = &resource.spec;
        let line = spec.text("command").unwrap_or_default();
        spec.pass(&["name", "namespace"]);
        spec.leave("timeout", "a hook has the time of its check");
        if spec.truth("stdin") == Some(true) {
            spec.leave("stdin", "a hook reads nothing");
        }
        spec.leave("runtime_assets", "programs are installed by other means");
        if let Some(command) = command(&line, &spec.place, "command", self.drafts.remarks) {
            let key = (resource.namespace.clone(), resource.name.clone());
            self.hooks.insert(key, command.into());
        }
    }

    fn entity(&mut self, resource: &Resource<'_>) {
        let spec = &resource.spec;
        let class = spec.text("entity_class").unwrap_or_default();
        let subscriptions: BTreeSet<_> = spec.texts("subscriptions").into_iter().collect();
        spec.pass(&[
            "name",
            "namespace",
            "last_seen",
            "redact",
            "user",
            "sensu_agent_version",
        ]);
        for field in ["keepalive_handlers", "keepalive_pipelines"] {
            if !spec.texts(field).is_empty() {
                spec.leave(field, "who is told is set up with routes and receivers");
            }
        }
        for (field, reason) in [
            (
                "deregister",
                "an agent is removed by who administers its System",
            ),
            (
                "deregistration",
                "an agent is removed by who administers its System",
            ),
        ] {
            let says = spec.raw(field).is_some_and(|it| match it {
                Value::Bool(truth) => *truth,
                Value::Object(map) => !map.is_empty(),
                _ => true,
            });
            if says {
                spec.leave(field, reason);
            }
        }
        let mut values = BTreeMap::new();
        let mut labels = resource.labels.clone();
        machine(spec, &mut values, &mut labels);
        for (name, value) in &resource.labels {
            values.insert(format!("labels.{name}"), value.clone());
        }
        for (name, value) in &resource.annotations {
            values.insert(format!("annotations.{name}"), value.clone());
        }
        values.insert("entity_class".to_owned(), class.clone());
        values.insert("name".to_owned(), resource.name.clone());
        values.insert("namespace".to_owned(), resource.namespace.clone());
        let title = resource.qualified(&resource.name);
        let category = if class == "proxy" { "proxy" } else { "machine" };
        let Some(system) = self.drafts.system(&spec.place, ENTITY, &title, category) else {
            return;
        };
        system.labels.extend(labels);
        for name in resource.annotations.keys() {
            self.drafts.remarks.left(
                &spec.place,
                &format!("annotations.{name}"),
                "it serves templates only",
            );
        }
        self.entities.push(Entity {
            namespace: resource.namespace.clone(),
            name: resource.name.clone(),
            key: self.drafts.key(ENTITY, &title),
            subscriptions,
            values,
        });
    }

    fn check(&mut self, resource: &Resource<'_>) {
        let remarks = self.drafts.remarks;
        let spec = &resource.spec;
        let subscriptions = spec.texts("subscriptions");
        let proxy = spec.text("proxy_entity_name").filter(|it| !it.is_empty());
        let line = spec.text("command").unwrap_or_default();
        let (check, extra) = template(resource, &self.hooks, remarks);
        let runbook = runbook_of(resource).map(|(name, _)| name);
        for (name, _) in resource.labels.iter().chain(&resource.annotations) {
            if Some(name.as_str()) == runbook {
                continue;
            }
            remarks.left(
                &spec.place,
                &format!("metadata.{name}"),
                "a check has no labels",
            );
        }
        let made = Made {
            resource,
            line: &line,
            check: &check,
            extra: &extra,
        };
        match conditions(spec) {
            None => {}
            Some(Ok(wanted)) => return self.each(&made, &subscriptions, &wanted),
            Some(Err(expression)) => {
                // Run on whoever subscribes, it would look at the wrong thing.
                let reason = format!(
                    "only `entity.X == 'Y'` is understood, not {expression}: add the check to each System"
                );
                return remarks.left(&spec.place, "proxy_requests", &reason);
            }
        }
        let about = proxy.and_then(|proxy| self.proxy(resource, &proxy));
        for (key, entity) in self.targets(resource, &subscriptions, about.as_ref()) {
            let known = about.as_ref().and_then(|(_, known)| *known);
            let about = about.as_ref().map(|(key, _)| key.as_str());
            self.add(&made, &key, known.or(entity), &resource.name, about);
        }
    }

    /// Adds a check to each System that looks, for each entity that fits.
    fn each(&mut self, made: &Made<'_, '_>, subscriptions: &[String], wanted: &[Condition]) {
        let (remarks, resource) = (self.drafts.remarks, made.resource);
        let place = &resource.spec.place;
        let all = self.entities.iter().enumerate();
        let found: Vec<(usize, String, String)> = all
            .filter(|(_, it)| it.namespace == resource.namespace && fits(wanted, &it.values))
            .map(|(number, it)| (number, it.key.clone(), it.name.clone()))
            .collect();
        if found.is_empty() {
            let reason = "no entity in these files fits: nothing would be looked at";
            return remarks.left(place, "proxy_requests", reason);
        }
        let reason = format!(
            "it becomes a check of each entity that fits, with its name behind ({})",
            found.len()
        );
        remarks.adapted(place, "proxy_requests", &reason);
        let mut count = 0;
        for (key, _) in self.targets(resource, subscriptions, None) {
            for (number, about, entity) in &found {
                count += 1;
                if count > PROXY_CHECKS_MAX {
                    let reason = format!("more than {PROXY_CHECKS_MAX} checks of it");
                    return remarks.left(place, "proxy_requests", &reason);
                }
                let name = format!("{}: {entity}", resource.name);
                self.add(made, &key, Some(*number), &name, Some(about));
            }
        }
    }

    /// Adds a check under a name, filled with what is known of an entity.
    fn add(
        &mut self,
        made: &Made<'_, '_>,
        key: &str,
        entity: Option<usize>,
        name: &str,
        about: Option<&str>,
    ) {
        let (remarks, spec) = (self.drafts.remarks, &made.resource.spec);
        let entity = entity.and_then(|number| self.entities.get(number));
        let filled = fill_go(made.line, &|path| entity?.values.get(path).cloned());
        if !filled.missing.is_empty() {
            let whom = entity.map_or("the entity", |it| it.name.as_str());
            let missing = filled.missing.join(", ");
            let reason =
                format!("nothing is known of {missing} of {whom}, and there is no default");
            remarks.left(&spec.place, "command", &reason);
            return;
        }
        let Some(command) = command(&filled.text, &spec.place, "command", remarks) else {
            return;
        };
        let check = Check {
            name: name.to_owned(),
            kind: command.into(),
            ..made.check.clone()
        };
        let check = extra::add(check, made.extra, &spec.place, remarks);
        self.drafts.check(&spec.place, key, check);
        if let Some(about) = about {
            self.drafts.about(&spec.place, key, name, about);
        }
    }

    /// The System that a check is about, if its machine is not the one that looks.
    fn proxy(&mut self, resource: &Resource<'_>, proxy: &str) -> Option<(String, Option<usize>)> {
        let title = resource.qualified(proxy);
        let place = &resource.spec.place;
        self.drafts.system(place, ENTITY, &title, "proxy")?;
        let is_same = |it: &Entity| it.name == proxy && it.namespace == resource.namespace;
        let known = self.entities.iter().position(is_same);
        Some((self.drafts.key(ENTITY, &title), known))
    }

    fn targets(
        &mut self,
        resource: &Resource<'_>,
        subscriptions: &[String],
        about: Option<&(String, Option<usize>)>,
    ) -> Vec<(String, Option<usize>)> {
        let place = &resource.spec.place;
        if let Some(about) = about {
            let reason = if subscriptions.is_empty() {
                "it is about this System, and the files do not say who looks: the machine that looks \
                 needs an agent there"
            } else {
                "a System of that name is looked at from those whose machines run it, and counts for \
                 itself"
            };
            let remarks = self.drafts.remarks;
            remarks.adapted(place, "proxy_entity_name", reason);
            if subscriptions.is_empty() {
                return vec![about.clone()];
            }
        }
        let mut targets = Vec::new();
        for subscription in subscriptions {
            let own = subscription.strip_prefix("entity:");
            let all = self.entities.iter().enumerate();
            let found: Vec<_> = all
                .filter(|(_, it)| it.namespace == resource.namespace)
                .filter(|(_, it)| {
                    own == Some(it.name.as_str()) || it.subscriptions.contains(subscription)
                })
                .map(|(number, it)| (it.key.clone(), Some(number)))
                .collect();
            let (kind, name, category) = match own {
                Some(name) => (ENTITY, name, "machine"),
                None => (SUBSCRIPTION, subscription.as_str(), SUBSCRIPTION),
            };
            let title = resource.qualified(name);
            if own.is_some() && !found.is_empty() {
                targets.extend(found);
                continue;
            }
            if self.drafts.system(place, kind, &title, category).is_none() {
                continue;
            }
            let key = self.drafts.key(kind, &title);
            if found.is_empty() {
                let reason = format!(
                    "no entity in these files subscribes to {subscription}: the System of that \
                     name has the check, and its agents run it"
                );
                self.drafts.remarks.adapted(place, "subscriptions", &reason);
                targets.push((key, None));
                continue;
            }
            for (part, _) in &found {
                self.drafts.edge(&key, part, Relation::Part, Override::NONE);
            }
            targets.extend(found);
        }
        if subscriptions.is_empty() {
            let reason = "no subscription: Sensu runs it nowhere";
            self.drafts.remarks.left(place, "subscriptions", reason);
        }
        targets.sort();
        targets.dedup_by(|a, b| a.0 == b.0);
        targets
    }
}

/// What an entity says of its machine: values for templates, and labels.
fn machine(
    spec: &Cells<'_>,
    values: &mut BTreeMap<String, String>,
    labels: &mut BTreeMap<String, String>,
) {
    if let Some(system) = spec.inner("system") {
        for field in [
            "hostname",
            "os",
            "platform",
            "platform_family",
            "platform_version",
            "arch",
        ] {
            if let Some(value) = system.text(field).filter(|it| !it.is_empty()) {
                values.insert(format!("system.{field}"), value.clone());
                if field != "hostname" {
                    labels.entry(field.to_owned()).or_insert(value);
                }
            }
        }
        // What a machine is, its agent tells itself.
        system.pass(&[
            "network",
            "processes",
            "libc_type",
            "vm_system",
            "vm_role",
            "cloud_provider",
            "float_type",
        ]);
        system.finish();
    }
}
