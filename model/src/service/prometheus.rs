//! Services as Prometheus reads them, over HTTP (`http_sd`) and from files (`file_sd`): both read the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Lease, ServiceView};
use crate::severity::Severity;

/// What Prometheus may use for service discovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Places that are believed, each with its endpoints of one scheme.
    pub groups: Vec<TargetGroup>,
    /// Places that were left out because their lease is over.
    pub stale: usize,
    /// Places of which two cannot both be right; they are in it, and marked.
    pub conflicts: usize,
    /// The longest lease, milliseconds, of those that were left out although their agents may only not have been
    /// heard of yet: nobody listens to them, or began a moment ago. 0 when there are none.
    pub unheard_ms: u64,
}

/// Endpoints with the same labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// `HOST:PORT`.
    pub targets: Vec<String>,
    /// Labels, for `relabel_configs`.
    pub labels: BTreeMap<String, String>,
}

impl Targets {
    /// The list, as text.
    pub fn json(&self) -> String {
        // Strings in lists and maps have a form always.
        let mut text =
            serde_json::to_string_pretty(&self.groups).unwrap_or_else(|_| "[]".to_owned());
        text.push('\n');
        text
    }
}

/// What of these is believed; what is not is counted.
pub fn targets(views: &[ServiceView]) -> Targets {
    let mut targets = Targets::default();
    for view in views {
        match view.lease {
            Lease::Fresh => groups(view, &mut targets.groups),
            Lease::Stale => {
                targets.stale += 1;
                let is_unheard = view.as_of.is_some();
                let lease_ms = if is_unheard { view.claim.lease_ms } else { 0 };
                targets.unheard_ms = targets.unheard_ms.max(lease_ms);
            }
            Lease::Archived => {}
        }
        targets.conflicts += usize::from(view.conflict.is_some());
    }
    targets
}

fn groups(view: &ServiceView, out: &mut Vec<TargetGroup>) {
    let mut by_scheme: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for endpoint in &view.claim.endpoints {
        let addresses = by_scheme.entry(endpoint.scheme()).or_default();
        addresses.push(endpoint.address().to_owned());
    }
    out.extend(by_scheme.into_iter().map(|(scheme, targets)| {
        let mut labels = labels(view);
        if let Some(scheme) = scheme {
            labels.insert("__meta_aramaki_scheme".to_owned(), scheme.to_owned());
            // Prometheus' own word for how it asks.
            if matches!(scheme, "http" | "https") {
                labels.insert("__scheme__".to_owned(), scheme.to_owned());
            }
        }
        TargetGroup { targets, labels }
    }));
}

fn labels(view: &ServiceView) -> BTreeMap<String, String> {
    let health = view.health.map(|health| health.severity);
    let own = [
        ("service", view.claim.name.clone()),
        ("system", view.title.clone()),
        ("system_id", view.system.to_string()),
        ("machine", view.machine.clone()),
        ("agent_id", view.agent.to_string()),
        (
            "health",
            health.map_or("unobserved", Severity::word).to_owned(),
        ),
        ("conflict", view.conflict.is_some().to_string()),
    ];
    let own = own.map(|(name, value)| (format!("__meta_aramaki_{name}"), value));
    let said = view.claim.labels.iter().map(|(name, value)| {
        let name = format!("__meta_aramaki_label_{}", label_name(name));
        (name, value.clone())
    });
    said.chain(own).collect()
}

/// Prometheus allows letters, digits and underlines.
fn label_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use aramaki_sync_core::SpaceId;

    use super::*;
    use crate::service::ServiceClaim;

    #[test]
    fn only_what_is_believed_is_told_with_its_labels_and_the_rest_is_counted() {
        let view = |machine: &str, lease| ServiceView {
            system: SpaceId::ZERO,
            title: "Webshop".to_owned(),
            agent: SpaceId::ZERO,
            machine: machine.to_owned(),
            claim: ServiceClaim {
                name: "checkout".to_owned(),
                endpoints: ["192.0.2.7:9100", "https://192.0.2.7:8443", "192.0.2.7:9101"]
                    .map(|it| it.parse().unwrap())
                    .to_vec(),
                labels: [("tier-1".to_owned(), "yes".to_owned())].into(),
                ..ServiceClaim::default()
            },
            lease,
            seen: None,
            as_of: None,
            health: None,
            conflict: None,
        };
        // Of whom nothing could be heard yet it is said how long they may still run all the same.
        let mut unheard = view("web4", Lease::Stale);
        unheard.claim.lease_ms = 60_000;
        assert_eq!(targets(std::slice::from_ref(&unheard)).unheard_ms, 0);
        unheard.as_of = Some(aramaki_sync_core::Timestamp::ZERO);
        assert_eq!(targets(&[unheard]).unheard_ms, 60_000);
        let targets = targets(&[
            view("web1", Lease::Fresh),
            view("web2", Lease::Stale),
            view("web3", Lease::Archived),
        ]);
        assert_eq!(targets.stale, 1);
        let json: serde_json::Value = serde_json::from_str(&targets.json()).unwrap();
        let groups = json.as_array().unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(
            groups[0]["targets"],
            serde_json::json!(["192.0.2.7:9100", "192.0.2.7:9101"])
        );
        let labels = &groups[1]["labels"];
        for (name, value) in [
            ("__scheme__", "https"),
            ("__meta_aramaki_scheme", "https"),
            ("__meta_aramaki_service", "checkout"),
            ("__meta_aramaki_machine", "web1"),
            ("__meta_aramaki_health", "unobserved"),
            ("__meta_aramaki_conflict", "false"),
            ("__meta_aramaki_label_tier_1", "yes"),
        ] {
            assert_eq!(labels[name], value, "{name}");
        }
        assert_eq!(Targets::default().json(), "[]\n");
    }
}
