//! A host's check of itself, and a service on a host.

use super::groups::{chosen, unknown};
use super::macros::{Meaning, split};
use super::objects::Resolved;
use super::{HOST, HOST_CHECK, Reader};
use crate::address::check_web_address;
use crate::check::{Check, CheckKind};
use crate::id::CheckId;
use crate::import::command::command;
use crate::import::extra::{self, Extra};
use crate::import::plan::Place;
use crate::import::span::millis;
use crate::system::{Contact, Dashboard};

/// A host, or a service on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct On<'a> {
    pub(super) host_name: &'a str,
    pub(super) host: &'a Resolved,
    pub(super) service: Option<&'a Resolved>,
}

impl Reader<'_, '_> {
    /// Adds what a host or a service on it runs.
    pub(super) fn check(&mut self, place: &Place, on: On<'_>) {
        let remarks = self.drafts.remarks;
        let from = on.service.unwrap_or(on.host);
        let Some(check_command) = from.text("check_command") else {
            remarks.left(place, "check_command", "there is none: nothing runs");
            return;
        };
        let (name, arguments) = split(check_command);
        let known = self.commands.get(&name);
        let Some(line) = known.and_then(|it| it.text("command_line")) else {
            let reason = format!("no command {name} is in these files");
            remarks.left(place, "check_command", &reason);
            return;
        };
        let meaning = Meaning {
            host: on.host,
            host_name: on.host_name,
            service: on.service,
            users: &self.users,
            arguments,
        };
        let line = match meaning.fill(line) {
            Ok(line) => line,
            Err(unknown) => {
                let reason = format!(
                    "nothing is known of ${unknown}$; give it with --macro {unknown}=VALUE"
                );
                remarks.left(place, "check_command", &reason);
                return;
            }
        };
        let Some(command) = command(&line, place, "check_command", remarks) else {
            return;
        };
        let title = on.service.and_then(|it| it.text("service_description"));
        let title = title.unwrap_or(HOST_CHECK);
        let mut check = Check::new(CheckId::default(), title, CheckKind::from(command));
        // `pages` tells of one that is no web address.
        let runbook = from.text("notes_url");
        let runbook =
            runbook.map(|url| meaning.fill(url).unwrap_or_else(|_unknown| url.to_owned()));
        check.runbook = runbook.filter(|url| check_web_address(url).is_ok());
        if on.service.is_some() && from.text("parents").is_some() {
            let reason = "services have no parents here: link the Systems";
            remarks.left(place, "parents", reason);
        }
        let check = self.timed(check, place, from);
        let key = self.drafts.key(HOST, on.host_name);
        self.drafts.check(place, &key, check);
    }

    /// How often, how long, and when it counts.
    fn timed(&self, mut check: Check, place: &Place, from: &Resolved) -> Check {
        let remarks = self.drafts.remarks;
        let units = |field: &str| {
            let text = from.text(field)?;
            let number = text.parse().ok();
            let span = number.and_then(|it: f64| millis(it, self.interval_s * 1_000.0));
            match span {
                None => remarks.left(place, field, "a number is expected"),
                Some(0) => remarks.adapted(
                    place,
                    field,
                    "0 means only when asked there: it is looked at every so often as if nothing was said",
                ),
                Some(_) => {}
            }
            span.filter(|it| *it > 0)
        };
        let usual = |number: f64| millis(number, self.interval_s * 1_000.0);
        let set = |field| {
            units(field).or_else(|| usual(if field == "check_interval" { 5.0 } else { 1.0 }))
        };
        check.interval_ms = set("check_interval").unwrap_or(300_000);
        check.retry_interval_ms = set("retry_interval").unwrap_or(60_000);
        check.timeout_ms = if from.text("service_description").is_some() {
            self.service_timeout_ms
        } else {
            self.host_timeout_ms
        };
        let attempts = from.text("max_check_attempts");
        check.attempts = attempts.and_then(|it| it.parse().ok()).unwrap_or(1);
        if attempts.is_some_and(|it| it.parse::<u32>().is_err()) {
            remarks.left(place, "max_check_attempts", "a whole number is expected");
        }
        let positive = |field: &str| {
            let number = from.text(field).and_then(|it| it.parse::<f64>().ok());
            number.filter(|it| *it > 0.0)
        };
        if from.text("check_freshness") == Some("1") {
            let seconds = positive("freshness_threshold");
            check.ttl_ms = seconds.and_then(|it| millis(it, 1_000.0));
            if check.ttl_ms.is_none() {
                let reason = "no threshold: as Nagios does, it is derived from the interval";
                remarks.adapted(place, "check_freshness", reason);
            }
        }
        if from.is_off("active_checks_enabled") && from.is_off("passive_checks_enabled") {
            check.enabled = false;
            let reason = "it is taken as a check that is off";
            remarks.adapted(place, "active_checks_enabled", reason);
        } else if from.is_off("active_checks_enabled") {
            check.kind = CheckKind::External {};
            let reason =
                "nothing is run: its results are taken by the agent's own listener, under its name";
            remarks.adapted(place, "active_checks_enabled", reason);
        }
        let extra = Extra {
            low_flap: positive("low_flap_threshold"),
            high_flap: positive("high_flap_threshold"),
            never_flaps: from.is_off("flap_detection_enabled"),
            ..Extra::default()
        };
        extra::add(check, &extra, place, remarks)
    }

    /// Pages to look at.
    pub(super) fn pages(
        &mut self,
        key: &str,
        name: &str,
        host: &Resolved,
        service: Option<&Resolved>,
    ) {
        let from = service.unwrap_or(host);
        let meaning = Meaning {
            host,
            host_name: name,
            service,
            users: &self.users,
            arguments: Vec::new(),
        };
        let what = from.text("service_description").unwrap_or(name);
        let mut found = Vec::new();
        for (field, title) in [("notes_url", "notes"), ("action_url", "actions")] {
            let Some(url) = from.text(field) else {
                continue;
            };
            let url = meaning.fill(url).unwrap_or_else(|_unknown| url.to_owned());
            if check_web_address(&url).is_ok() {
                found.push(Dashboard {
                    title: format!("{what}: {title}"),
                    url,
                });
            } else {
                self.drafts
                    .remarks
                    .left(&from.place, field, "no web address");
            }
        }
        self.drafts.dashboards(key, &found);
    }

    /// Whom to ask.
    pub(super) fn ask(&mut self, key: &str, place: &Place, from: &Resolved) {
        let everyone = self.contacts.keys().cloned().collect();
        let groups = from.list("contact_groups");
        for group in unknown(&groups, &self.contact_groups) {
            let reason = format!("no contact group {group} is in these files");
            self.drafts.remarks.left(place, "contact_groups", &reason);
        }
        let names = chosen(
            &from.list("contacts"),
            &groups,
            &self.contact_groups,
            &everyone,
        );
        let mut found = Vec::new();
        for name in names {
            let Some(contact) = self.contacts.get(&name) else {
                let reason = format!("no contact {name} is in these files");
                self.drafts.remarks.left(place, "contacts", &reason);
                continue;
            };
            let mut ways: Vec<_> = [contact.text("email"), contact.text("pager")]
                .into_iter()
                .flatten()
                .collect();
            if ways.is_empty() {
                ways.push("");
            }
            found.extend(ways.into_iter().map(|reach| Contact {
                role: "technical".to_owned(),
                name: contact.text("alias").unwrap_or(&name).to_owned(),
                reach: reach.to_owned(),
                hours: String::new(),
            }));
        }
        self.drafts.contacts(key, &found);
    }
}
