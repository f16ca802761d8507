//! A check of Consul: whose it is, what it is called, what it runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::run::{Alias, LEFT, kind_of, span_of, title_of};
use super::{Loose, MACHINE, Reader};
use crate::address::check_web_address;
use crate::check::{Check, CheckKind};
use crate::id::CheckId;
use crate::import::cell::Cells;
use crate::import::plan::{Place, Remarks};

/// Checks of one name in one System.
const SAME_NAME_MAX: usize = 100;

/// Whose a check is.
pub(super) struct Owner<'a> {
    /// The key of its System.
    pub(super) key: &'a str,
    /// The machine on which it stands.
    pub(super) machine: Option<&'a str>,
    /// The id that Consul makes for one that has none.
    pub(super) derived: Option<String>,
}

impl Reader<'_, '_> {
    /// A check that stands by itself: of a service by name or id, or of the machine.
    pub(super) fn loose(&mut self, check: Loose<'_>) {
        let remarks = self.drafts.remarks;
        let cells = check.cells;
        let said = |field: &str| cells.text(field).filter(|it| !it.is_empty());
        let (id, name) = (said("serviceid"), said("servicename"));
        let machine = said("node").or_else(|| said("nodename")).or(check.machine);
        cells.pass(&["servicetags"]);
        let place = cells.place.clone();
        let none = BTreeMap::new;
        let key = match (name, id) {
            (Some(name), _) => self.system(&place, &name, Vec::new(), none()),
            (None, Some(id)) => {
                let scope = self.scope(&place, machine.as_deref());
                self.service_of(&id, &scope).or_else(|| {
                    let reason = format!(
                        "no service {id} is in these files: it goes to a System of that name"
                    );
                    remarks.adapted(&place, "service_id", &reason);
                    self.system(&place, &id, Vec::new(), none())
                })
            }
            (None, None) => {
                let machine = machine.clone().unwrap_or_else(|| {
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
        let Some(key) = key else {
            remarks.left(&place, "", "it is of no service");
            return;
        };
        self.on(&place, Some(&key), machine.as_deref());
        let owner = Owner {
            key: &key,
            machine: machine.as_deref(),
            derived: None,
        };
        self.check(cells, &owner);
    }

    /// A check of a System.
    pub(super) fn check(&mut self, mut cells: Cells<'_>, owner: &Owner<'_>) {
        let remarks = self.drafts.remarks;
        let said = |field: &str| cells.text(field).filter(|it| !it.is_empty());
        // In answers `ID` is the machine's.
        let own = said("id");
        let id = said("checkid").or(own).or_else(|| owner.derived.clone());
        cells.pass(&PASSED);
        if let Some((is_taken, reason)) = id.as_deref().and_then(of_consul) {
            if is_taken {
                cells.adapt("checkid", reason);
            } else {
                remarks.left(&cells.place, "checkid", reason);
            }
            return;
        }
        let name = said("name").or_else(|| id.clone());
        // Interfaces put what is run one level deeper.
        let inner = cells.inner("definition");
        let deeper = inner.as_ref().is_some_and(|it| !it.others().is_empty());
        let run = inner.as_ref().filter(|_| deeper).unwrap_or(&cells);
        let kind = kind_of(run, remarks, &mut |alias| {
            let alias = Alias {
                on: owner.machine.map(str::to_owned),
                ..alias
            };
            self.aliases
                .push((owner.key.to_owned(), alias, run.place.clone()));
        });
        // Beside a definition that says nothing of them, they stand outside.
        let span = |field: &str| span_of(run, field).or_else(|| span_of(&cells, field));
        let (interval, timeout) = (span("interval"), span("timeout"));
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
            check.runbook = runbook_of(&cells);
            let place = run.place.clone();
            self.add(&place, owner, id.as_deref(), check);
        }
        if let Some(name) = name {
            cells.place = cells.place.inner(&name);
        }
        if let Some(inner) = inner {
            inner.finish();
        }
        cells.finish();
    }

    /// Adds a check under its name, or, where another one has that, under one of its own: Consul calls
    /// all checks of a service the same.
    fn add(&mut self, place: &Place, owner: &Owner<'_>, id: Option<&str>, check: Check) {
        let remarks = self.drafts.remarks;
        let name = check.name.clone();
        let on = owner.machine.map(|machine| format!("{name} on {machine}"));
        let others = id.map(str::to_owned).into_iter().chain(on);
        let numbered = (2..=SAME_NAME_MAX).map(|number| format!("{name} {number}"));
        for candidate in [name.clone()].into_iter().chain(others).chain(numbered) {
            let Some(there) = self.drafts.check_of(owner.key, &candidate) else {
                if candidate != name {
                    let reason = format!("another check is called {name}: this one is {candidate}");
                    remarks.adapted(place, "name", &reason);
                }
                let check = Check {
                    name: candidate,
                    ..check
                };
                self.drafts.check(place, owner.key, check);
                return;
            };
            let same = Check {
                id: there.id,
                name: there.name.clone(),
                ..check.clone()
            };
            if *there == same {
                let reason = format!("{candidate} stands there already, and is the same");
                remarks.adapted(place, "", &reason);
                return;
            }
        }
        let reason = format!("more than {SAME_NAME_MAX} checks are called {name}");
        remarks.left(place, "name", &reason);
    }
}

/// What says nothing of a check itself.
const PASSED: [&str; 11] = [
    "status",
    "output",
    "notes",
    "exposedport",
    "createindex",
    "modifyindex",
    "namespace",
    "partition",
    "peername",
    "servicetags",
    "type",
];

/// Notes that are an address lead to what is to be done; others are told.
fn runbook_of(cells: &Cells<'_>) -> Option<String> {
    let notes = cells.text("notes").filter(|it| !it.is_empty())?;
    if check_web_address(&notes).is_ok() {
        return Some(notes);
    }
    let reason = "write it to the System as a note: the check can name that as its runbook";
    cells.leave("notes", reason);
    None
}

/// Checks that Consul makes itself: whether something here does the same, and what is said of it.
fn of_consul(id: &str) -> Option<(bool, &'static str)> {
    if id == "serfHealth" {
        return Some((true, "the agent's heartbeat replaces it"));
    }
    let is_rest = id == "_node_maintenance" || id.starts_with("_service_maintenance:");
    is_rest.then_some((
        false,
        "it is in maintenance there: say so again with `aramaki maintenance`",
    ))
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
        if says && !reason.is_empty() {
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
