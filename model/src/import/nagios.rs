//! Nagios object configuration: hosts become Systems, services their checks, groups aggregates.

mod check;
mod fields;
mod groups;
mod macros;
mod objects;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Drafts, Place, Remarks};
use super::{ImportOptions, SourceFile};
use crate::address::check_web_address;
use crate::graph::Relation;
use crate::rollup::Override;
use crate::system::Dashboard;
use check::On;
use fields::{left, left_of};
use groups::{Groups, Naming, chosen, groups, unknown};
use objects::{Configuration, Resolved, parse, resolve};

const HOST: &str = "host";
/// The name of the check that a host has of itself.
const HOST_CHECK: &str = "host alive";
/// Services on hosts of all files.
const EXPANDED_MAX: usize = 200_000;
/// Seconds of one unit of an interval, if `nagios.cfg` does not say.
const INTERVAL_LENGTH_S: f64 = 60.0;

const HOST_NAMING: Naming = Naming {
    group: "hostgroup_name",
    inner: "hostgroup_members",
    member: "host_name",
    of: "hostgroups",
};
const CONTACT_NAMING: Naming = Naming {
    group: "contactgroup_name",
    inner: "contactgroup_members",
    member: "contact_name",
    of: "contactgroups",
};

pub(super) fn read(files: &[&SourceFile], options: &ImportOptions, drafts: &mut Drafts<'_>) {
    let remarks = drafts.remarks;
    let whole = parse(files, remarks);
    settings::tell(&whole, remarks);
    let mut users = whole.macros.clone();
    users.extend(options.macros.clone());
    let of = |kind: &str| resolve(&whole, kind, remarks);
    let (hosts, services) = (of(HOST), of("service"));
    let hostgroups = of("hostgroup");
    let (contacts, commands) = (of("contact"), of("command"));
    let (contactgroups, servicegroups) = (of("contactgroup"), of("servicegroup"));
    for (kind, objects) in [
        ("hostgroup", &hostgroups),
        ("servicegroup", &servicegroups),
        ("contactgroup", &contactgroups),
        ("contact", &contacts),
        ("command", &commands),
    ] {
        left_of_all(kind, objects, remarks);
    }
    let mut reader = Reader {
        host_groups: groups(&hostgroups, &hosts, HOST_NAMING, remarks),
        contact_groups: groups(&contactgroups, &contacts, CONTACT_NAMING, remarks),
        contacts: named(&contacts, "contact_name", remarks),
        commands: named(&commands, "command_name", remarks),
        names: BTreeSet::new(),
        hosts: BTreeMap::new(),
        at: BTreeMap::new(),
        users,
        interval_s: settings::seconds(&whole, "interval_length", INTERVAL_LENGTH_S, remarks),
        service_timeout_ms: settings::timeout_ms(&whole, "service_check_timeout", 60.0, remarks),
        host_timeout_ms: settings::timeout_ms(&whole, "host_check_timeout", 30.0, remarks),
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
    reader.service_groups(&servicegroups, &services);
    for dependency in of("servicedependency").iter().chain(&of("hostdependency")) {
        reader.dependency(dependency);
    }
    reader.left_objects(&whole);
}

/// Tells what objects of one kind say that has no counterpart.
fn left_of_all(kind: &str, objects: &[Resolved], remarks: &Remarks) {
    for object in objects {
        let name = object.text(&format!("{kind}_name")).unwrap_or_default();
        let place = Place {
            path: format!("{kind} {name}"),
            ..object.place.clone()
        };
        left_of(kind, &place, object, remarks);
    }
}

fn named(objects: &[Resolved], field: &str, remarks: &Remarks) -> BTreeMap<String, Resolved> {
    let mut named: BTreeMap<String, Resolved> = BTreeMap::new();
    for object in objects {
        let Some(name) = object.text(field) else {
            remarks.left(&object.place, field, "it has no name");
            continue;
        };
        if let Some(before) = named.insert(name.to_owned(), object.clone()) {
            let reason = format!("{name} stands in {} too: this one counts", before.place);
            remarks.adapted(&object.place, field, &reason);
        }
    }
    named
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
    service_timeout_ms: u64,
    host_timeout_ms: u64,
    expanded: usize,
    drafts: &'d mut Drafts<'r>,
}

impl Reader<'_, '_> {
    fn host(&mut self, name: &str, host: &Resolved) {
        let place = Place {
            path: format!("host {name}"),
            ..host.place.clone()
        };
        if let Some(before) = self.hosts.get(name) {
            let reason = format!("{name} stands in {} too: this one counts", before.place);
            self.drafts.remarks.adapted(&place, "host_name", &reason);
        }
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
        system
            .labels
            .extend(said("address6").map(|it| ("address6".to_owned(), it)));
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
        let groups = service.list("hostgroup_name");
        for group in unknown(&groups, &self.host_groups) {
            let reason = format!("no host group {group} is in these files");
            remarks.left(&place, "hostgroup_name", &reason);
        }
        let hosts = chosen(
            &service.list("host_name"),
            &groups,
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
        let defined = named(defined, "hostgroup_name", self.drafts.remarks);
        // Dependencies name them too.
        for (name, members) in self.host_groups.clone() {
            let place = self.place_of(defined.get(&name), &members);
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

    /// Where a group is said: in its definition, or by the first that says that it is in it.
    fn place_of(&self, defined: Option<&Resolved>, members: &BTreeSet<String>) -> Place {
        let first = || members.iter().find_map(|it| self.hosts.get(it));
        let said = defined.or_else(first);
        said.map(|it| it.place.clone()).unwrap_or_default()
    }

    fn group(
        &mut self,
        kind: &str,
        category: &str,
        name: &str,
        defined: Option<&Resolved>,
        members: &BTreeSet<String>,
    ) {
        let place = self.place_of(defined, members);
        let Some(system) = self.drafts.system(&place, kind, name, category) else {
            return;
        };
        let said = |field: &str| defined.and_then(|it| it.text(field));
        let alias = said("alias").filter(|it| *it != name);
        let purpose: Vec<_> = [alias, said("notes")].into_iter().flatten().collect();
        system.purpose = purpose.join("\n");
        let key = self.drafts.key(kind, name);
        let pages = [("notes_url", "notes"), ("action_url", "actions")].map(|(field, title)| {
            let url = said(field)?;
            if check_web_address(url).is_ok() {
                return Some(Dashboard {
                    title: format!("{name}: {title}"),
                    url: url.to_owned(),
                });
            }
            self.drafts.remarks.left(&place, field, "no web address");
            None
        });
        let pages: Vec<_> = pages.into_iter().flatten().collect();
        self.drafts.dashboards(&key, &pages);
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
        let defined = named(defined, "servicegroup_name", self.drafts.remarks);
        for (name, hosts) in members {
            let group = defined.get(&name);
            let place = self.place_of(group, &hosts).inner(&name);
            for gone in hosts.iter().filter(|it| !self.names.contains(*it)) {
                let reason = format!("no host {gone} is in these files");
                self.drafts.remarks.left(&place, "members", &reason);
            }
            let reason = "its parts are the hosts, with all their checks";
            self.drafts.remarks.adapted(&place, "members", reason);
            self.group("servicegroup", "service group", &name, group, &hosts);
        }
    }

    fn dependency(&mut self, dependency: &Resolved) {
        let remarks = self.drafts.remarks;
        let on = |name: &str, group: &str| {
            let groups = dependency.list(group);
            for gone in unknown(&groups, &self.host_groups) {
                let reason = format!("no host group {gone} is in these files");
                remarks.left(&dependency.place, group, &reason);
            }
            let hosts = chosen(
                &dependency.list(name),
                &groups,
                &self.host_groups,
                &self.names,
            );
            for gone in hosts.iter().filter(|it| !self.names.contains(*it)) {
                let reason = format!("no host {gone} is in these files");
                remarks.left(&dependency.place, name, &reason);
            }
            hosts
        };
        let masters = on("host_name", "hostgroup_name");
        let mut dependents = on("dependent_host_name", "dependent_hostgroup_name");
        if dependents.is_empty() {
            dependents.clone_from(&masters);
        }
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
