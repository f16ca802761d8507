//! Nagios object configuration: hosts become Systems, services their checks, groups aggregates.

mod check;
mod fields;
mod groups;
mod macros;
mod objects;

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Drafts, Place};
use super::{ImportOptions, SourceFile};
use crate::graph::Relation;
use crate::rollup::Override;
use check::On;
use fields::left;
use groups::{Groups, Naming, chosen, groups};
use objects::{Configuration, Resolved, parse, resolve};

const HOST: &str = "host";
/// The name of the check that a host has of itself.
const HOST_CHECK: &str = "host alive";
/// Services on hosts of all files.
const EXPANDED_MAX: usize = 200_000;
/// Seconds of one unit of an interval, if `nagios.cfg` does not say.
const INTERVAL_LENGTH_S: f64 = 60.0;

pub(super) fn read(files: &[&SourceFile], options: &ImportOptions, drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    let whole = parse(files, remarks);
    settings(&whole, drafts);
    let mut users = whole.macros.clone();
    users.extend(options.macros.clone());
    let of = |kind: &str| resolve(&whole, kind, remarks);
    let (hosts, services) = (of(HOST), of("service"));
    let naming = |group, inner, member, of| Naming {
        group,
        inner,
        member,
        of,
    };
    let host_naming = naming(
        "hostgroup_name",
        "hostgroup_members",
        "host_name",
        "hostgroups",
    );
    let contact_naming = naming(
        "contactgroup_name",
        "contactgroup_members",
        "contact_name",
        "contactgroups",
    );
    let hostgroups = of("hostgroup");
    let contacts = of("contact");
    let mut reader = Reader {
        host_groups: groups(&hostgroups, &hosts, host_naming, remarks),
        contact_groups: groups(&of("contactgroup"), &contacts, contact_naming, remarks),
        contacts: named(&contacts, "contact_name"),
        commands: named(&of("command"), "command_name"),
        names: BTreeSet::new(),
        hosts: BTreeMap::new(),
        at: BTreeMap::new(),
        users,
        interval_s: interval_length(&whole),
        expanded: 0,
        drafts,
    };
    for host in hosts {
        for name in host
            .list("host_name")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
        {
            reader.host(&name, &host);
        }
    }
    for service in &services {
        reader.service(service);
    }
    reader.parents();
    reader.host_groups(&hostgroups);
    reader.service_groups(&of("servicegroup"), &services);
    for dependency in of("servicedependency").iter().chain(&of("hostdependency")) {
        reader.dependency(dependency);
    }
    reader.left_objects(&whole);
}

/// What `nagios.cfg` says beyond the objects.
fn settings(whole: &Configuration, drafts: &Drafts<'_>) {
    for (name, (value, place)) in &whole.settings {
        let reason = match name.as_str() {
            "cfg_file" | "cfg_dir" => format!("more configuration: name {value} too, if it is not"),
            "resource_file" => format!("values of macros: name {value} too, if it is not"),
            "use_regexp_matching" | "use_true_regexp_matching" if value == "1" => {
                "names are taken as they stand, not as patterns".to_owned()
            }
            _ => continue,
        };
        drafts.remarks.left(place, name, &reason);
    }
}

fn interval_length(whole: &Configuration) -> f64 {
    let set = whole.settings.get("interval_length");
    let set = set.and_then(|(value, _)| value.parse::<f64>().ok());
    set.filter(|it| (0.001..=86_400.0).contains(it))
        .unwrap_or(INTERVAL_LENGTH_S)
}

fn named(objects: &[Resolved], field: &str) -> BTreeMap<String, Resolved> {
    let named = objects.iter();
    named
        .filter_map(|it| Some((it.text(field)?.to_owned(), it.clone())))
        .collect()
}

struct Reader<'r, 'd> {
    host_groups: Groups,
    contact_groups: Groups,
    contacts: BTreeMap<String, Resolved>,
    commands: BTreeMap<String, Resolved>,
    /// Names of all hosts.
    names: BTreeSet<String>,
    hosts: BTreeMap<String, Resolved>,
    /// Hosts by service.
    at: BTreeMap<String, BTreeSet<String>>,
    users: BTreeMap<String, String>,
    interval_s: f64,
    expanded: usize,
    drafts: &'d mut Drafts<'r>,
}

impl Reader<'_, '_> {
    fn host(&mut self, name: &str, host: &Resolved) {
        let place = Place {
            path: format!("host {name}"),
            ..host.place.clone()
        };
        let Some(system) = self.drafts.system(&place, HOST, name, "machine") else {
            return;
        };
        let said = |field: &str| host.text(field).map(str::to_owned);
        let alias = said("alias").filter(|it| it != name);
        let purpose: Vec<_> = [alias, said("notes")].into_iter().flatten().collect();
        system.purpose = purpose.join("\n");
        system
            .labels
            .extend(said("address").map(|it| ("address".to_owned(), it)));
        let key = self.drafts.key(HOST, name);
        self.names.insert(name.to_owned());
        self.hosts.insert(name.to_owned(), host.clone());
        self.pages(&key, name, host, None);
        self.ask(&key, &place, host);
        if host.text("check_command").is_some() {
            let on = On {
                host_name: name,
                host,
                service: None,
            };
            self.check(&place, on);
        }
        left(&place, host, self.drafts.remarks);
    }

    fn service(&mut self, service: &Resolved) {
        let remarks = self.drafts.remarks;
        let Some(description) = service.text("service_description") else {
            remarks.left(
                &service.place,
                "service_description",
                "a service without a name",
            );
            return;
        };
        let description = description.to_owned();
        let place = Place {
            path: format!("service {description}"),
            ..service.place.clone()
        };
        let hosts = chosen(
            &service.list("host_name"),
            &service.list("hostgroup_name"),
            &self.host_groups,
            &self.names,
        );
        if hosts.is_empty() {
            remarks.left(&place, "host_name", "it is on no host");
        }
        for name in hosts {
            let Some(host) = self.hosts.get(&name).cloned() else {
                let reason = format!("no host {name} is in these files");
                remarks.left(&place, "host_name", &reason);
                continue;
            };
            self.expanded += 1;
            if self.expanded > EXPANDED_MAX {
                let reason = format!("more than {EXPANDED_MAX} services on hosts");
                remarks.left(&place, "", &reason);
                return;
            }
            let key = self.drafts.key(HOST, &name);
            let on = On {
                host_name: &name,
                host: &host,
                service: Some(service),
            };
            self.check(&place, on);
            self.pages(&key, &name, &host, Some(service));
            self.ask(&key, &place, service);
            self.at.entry(description.clone()).or_default().insert(name);
        }
        left(&place, service, self.drafts.remarks);
    }

    fn parents(&mut self) {
        for (name, host) in &self.hosts {
            let from = self.drafts.key(HOST, name);
            for parent in host.list("parents") {
                let to = self.drafts.key(HOST, parent);
                if !self.drafts.has(HOST, parent) {
                    let reason = format!("no host {parent} is in these files");
                    self.drafts.remarks.left(&host.place, "parents", &reason);
                }
                self.drafts.edge(&from, &to, Relation::Uses, Override::NONE);
            }
        }
    }

    fn host_groups(&mut self, defined: &[Resolved]) {
        let defined = named(defined, "hostgroup_name");
        for (name, members) in std::mem::take(&mut self.host_groups) {
            let place = defined
                .get(&name)
                .map(|it| it.place.clone())
                .unwrap_or_default();
            self.group(
                "hostgroup",
                "host group",
                &name,
                defined.get(&name),
                &members,
            );
            for member in members.iter().filter(|it| !self.names.contains(*it)) {
                let reason = format!("no host {member} is in these files");
                self.drafts.remarks.left(&place, "members", &reason);
            }
        }
    }

    fn group(
        &mut self,
        kind: &str,
        category: &str,
        name: &str,
        defined: Option<&Resolved>,
        members: &BTreeSet<String>,
    ) {
        let place = defined.map(|it| it.place.clone()).unwrap_or_default();
        let Some(system) = self.drafts.system(&place, kind, name, category) else {
            return;
        };
        let alias = defined
            .and_then(|it| it.text("alias"))
            .filter(|it| *it != name);
        alias.unwrap_or_default().clone_into(&mut system.purpose);
        let key = self.drafts.key(kind, name);
        for member in members {
            let part = self.drafts.key(HOST, member);
            self.drafts
                .edge(&key, &part, Relation::Part, Override::NONE);
        }
    }

    fn service_groups(&mut self, defined: &[Resolved], services: &[Resolved]) {
        let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for group in defined {
            let Some(name) = group.text("servicegroup_name") else {
                continue;
            };
            let there = members.entry(name.to_owned()).or_default();
            // Host and service take turns.
            let listed = group.list("members");
            there.extend(
                listed
                    .chunks(2)
                    .filter_map(|it| it.first())
                    .map(|it| (*it).to_owned()),
            );
            if group.text("servicegroup_members").is_some() {
                let reason = "groups in groups of services are not followed";
                self.drafts
                    .remarks
                    .left(&group.place, "servicegroup_members", reason);
            }
        }
        for service in services {
            for name in service.list("servicegroups") {
                let at = service
                    .text("service_description")
                    .and_then(|it| self.at.get(it));
                let there = members.entry(name.to_owned()).or_default();
                there.extend(at.into_iter().flatten().cloned());
            }
        }
        let defined = named(defined, "servicegroup_name");
        for (name, hosts) in members {
            let group = defined.get(&name);
            let place = group
                .map(|it| it.place.clone())
                .unwrap_or_default()
                .inner(&name);
            let reason = "its parts are the hosts, with all their checks";
            self.drafts.remarks.adapted(&place, "members", reason);
            self.group("servicegroup", "service group", &name, group, &hosts);
        }
    }

    fn dependency(&mut self, dependency: &Resolved) {
        let on = |name: &str, group: &str| {
            let names = dependency.list(name);
            chosen(
                &names,
                &dependency.list(group),
                &self.host_groups,
                &self.names,
            )
        };
        let masters = on("host_name", "hostgroup_name");
        let mut dependents = on("dependent_host_name", "dependent_hostgroup_name");
        if dependents.is_empty() {
            dependents.clone_from(&masters);
        }
        let remarks = self.drafts.remarks;
        for from in &dependents {
            for to in &masters {
                if from == to {
                    let reason = "both are of one host: dependencies are between Systems";
                    remarks.left(&dependency.place, "", reason);
                    continue;
                }
                let (from, to) = (self.drafts.key(HOST, from), self.drafts.key(HOST, to));
                self.drafts.edge(&from, &to, Relation::Uses, Override::NONE);
            }
        }
        for field in ["inherits_parent", "dependency_period"] {
            if dependency.text(field).is_some() {
                remarks.left(&dependency.place, field, "it has no meaning here");
            }
        }
        if !masters.is_empty() {
            let reason =
                "a problem there keeps notifications of whoever uses it back; checks go on";
            remarks.adapted(&dependency.place, "", reason);
        }
    }

    /// Kinds of objects that have no counterpart.
    fn left_objects(&self, whole: &Configuration) {
        for object in &whole.objects {
            let reason = match object.kind.as_str() {
                "host" | "service" | "hostgroup" | "servicegroup" | "contact" | "contactgroup"
                | "command" | "hostdependency" | "servicedependency" => continue,
                "timeperiod" => "times are set with maintenance windows and routes",
                "hostescalation" | "serviceescalation" => "escalation is set with routes",
                "hostextinfo" | "serviceextinfo" => {
                    "what it adds to hosts and services stands there since Nagios 3"
                }
                "module" => "a setting of Nagios itself",
                _ => "this kind of object is not understood",
            };
            self.drafts.remarks.left(&object.place, "", reason);
        }
    }
}
