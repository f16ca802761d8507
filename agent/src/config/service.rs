//! Services that run on this machine, and what it does when something is desired, as its own file says.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::desired::DesiredPath;
use aramaki_model::service::{
    ENDPOINTS_MAX, Endpoint, LEASE_MS, Places, SERVICES_MAX, ServiceCheck, ServiceClaim,
};
use aramaki_model::{Check, CheckId};
use aramaki_sync::toml_place::bytes_of_field;
use aramaki_sync_core::Timestamp;
use serde::Deserialize;

use super::check::Wrong;
use super::value::Span;

/// Paths that one host watches.
const WATCHES_MAX: usize = 64;

/// A service as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFile {
    name: String,
    #[serde(default)]
    endpoints: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    checks: Vec<String>,
    #[serde(default)]
    places: Places,
    lease: Option<Span>,
}

impl ServiceFile {
    /// What readers are told; checks are found by their names.
    pub(super) fn claim(&self, since: Timestamp, checks: &BTreeMap<&str, CheckId>) -> ServiceClaim {
        let endpoints = self.endpoints.iter();
        let speaking = self.checks.iter();
        ServiceClaim {
            name: self.name.clone(),
            endpoints: endpoints.filter_map(|it| it.parse().ok()).collect(),
            labels: self.labels.clone(),
            checks: speaking
                .map(|name| ServiceCheck {
                    name: name.clone(),
                    id: checks.get(name.as_str()).copied(),
                })
                .collect(),
            places: self.places,
            lease_ms: self.lease.map_or(LEASE_MS, |lease| lease.0),
            since,
        }
    }
}

/// The ids of checks by their names; of two with one name, the first.
pub(super) fn by_name(checks: &[Check]) -> BTreeMap<&str, CheckId> {
    let mut names = BTreeMap::new();
    for check in checks {
        names.entry(check.name.as_str()).or_insert(check.id);
    }
    names
}

/// Finds services that cannot be told.
pub(super) fn validate(text: &str, services: &[ServiceFile]) -> Result<(), Wrong> {
    let wrong = |number: usize, field: &str, message: String| {
        let field = format!("service[{number}].{field}");
        let bytes = bytes_of_field(text, &field).unwrap_or_default();
        Err((bytes, Some(field), message))
    };
    let mut names = BTreeSet::new();
    for (number, service) in (1_usize..).zip(services) {
        if number > SERVICES_MAX {
            let message = format!("at most {SERVICES_MAX} services are expected");
            return wrong(number, "name", message);
        }
        if service.endpoints.len() > ENDPOINTS_MAX {
            let message = format!("at most {ENDPOINTS_MAX} are expected");
            return wrong(number, "endpoints", message);
        }
        for (place, endpoint) in (1_usize..).zip(&service.endpoints) {
            if let Err(error) = endpoint.parse::<Endpoint>() {
                return wrong(number, &format!("endpoints[{place}]"), error.to_string());
            }
        }
        let claim = service.claim(Timestamp::ZERO, &BTreeMap::new());
        if let Err(fault) = claim.examine() {
            return wrong(number, &fault.field, fault.message);
        }
        if !names.insert(&service.name) {
            let message = "another service is called so too".to_owned();
            return wrong(number, "name", message);
        }
    }
    Ok(())
}

/// What this host does when something is desired: an action of its own catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WatchFile {
    /// A path, or what stands above several.
    pub(crate) path: DesiredPath,
    /// The name of an action of this host.
    pub(crate) action: String,
}

/// Finds watches that cannot be meant.
pub(super) fn validate_watches(text: &str, watches: &[WatchFile]) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    for (number, watch) in (1_usize..).zip(watches) {
        let message = if number > WATCHES_MAX {
            format!("at most {WATCHES_MAX} watches are expected")
        } else if watch.action.is_empty() || watch.action.contains(aramaki_model::is_deceptive) {
            "the name of an action of this host is expected".to_owned()
        } else if seen.insert(&watch.path) {
            continue;
        } else {
            "this path is watched already".to_owned()
        };
        let field = format!("watch[{number}].path");
        let bytes = bytes_of_field(text, &field).unwrap_or_default();
        return Err((bytes, Some(field), message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use aramaki_sync_core::AuthorId;

    use super::*;
    use crate::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("agent.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_service_names_checks_wherever_they_are_said() {
        let text = "[[check]]\nname = \"up\"\nuptime = {}\n[[service]]\nname = \"web\"\n\
             endpoints = [\"https://192.0.2.7:443\"]\nchecks = [\"up\", \"gone\"]\nplaces = \"one\"\nlease = \"1m\"\n";
        let config = parse(text).unwrap();
        let checks = config.checks(AuthorId::ZERO);
        let claims = config.services(Timestamp::ZERO, &checks);
        assert_eq!(claims[0].checks[0].id, Some(checks[0].id));
        assert_eq!(claims[0].checks[1].id, None);
        assert_eq!(
            (claims[0].places, claims[0].lease_ms),
            (Places::One, 60_000)
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_line_and_field() {
        let service = |rest: &str| format!("[[service]]\nname = \"web\"\n{rest}\n");
        for (text, line, expected) in [
            (
                service("endpoints = [\"web1:80\", \"nowhere\"]"),
                ":3:", "field `service[1].endpoints[2]`: a host and a port",
            ),
            (
                service("endpoints = [\"0.0.0.0:80\"]"),
                ":3:", "field `service[1].endpoints[1]`: a host and a port",
            ),
            (
                service("lease = \"5s\""),
                ":3:", "field `service[1].lease`: 30 s to 24 h",
            ),
            (
                service("[[service]]\nname = \"web\""),
                ":4:", "field `service[2].name`: another service",
            ),
            (service("port = 80"), ":3:", "field `port`: unknown field"),
            (
                "[[watch]]\npath = \"a/../b\"\naction = \"x\"\n".to_owned(),
                ":2:", "1 to 8 names",
            ),
            (
                "[[watch]]\npath = \"a\"\naction = \"x\"\n[[watch]]\npath = \"a\"\naction = \"y\"\n"
                    .to_owned(),
                ":5:", "field `watch[2].path`: this path is watched already",
            ),
        ] {
            let error = parse(&text).unwrap_err();
            let said = error.strip_prefix("agent.toml").unwrap_or(&error);
            assert!(said.starts_with(line) && said.contains(expected), "{text}\nsays {said}\nnot  {line} {expected}");
        }
    }
}
