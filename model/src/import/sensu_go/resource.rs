//! Resources as `sensuctl dump` wraps them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::import::cell::{Cells, text_of};
use crate::import::plan::Remarks;
use crate::import::tree::Document;

/// Namespaces are left out of names where there is only this one.
const DEFAULT: &str = "default";

pub(super) fn left(kind: &str) -> &'static str {
    match kind {
        "Handler"
        | "EventFilter"
        | "Filter"
        | "Pipeline"
        | "SumoLogicMetricsHandler"
        | "TCPStreamHandler" => "who is told is set up with routes and receivers",
        "Mutator" => "events are not rewritten here",
        "Asset" => "programs are installed by other means",
        "Silenced" => "silences have an end: make them again with `aramaki alert silence`",
        "Namespace" => "Systems need no namespaces",
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" | "User" | "APIKey"
        | "ldap" | "ad" | "oidc" => "who may do what is given by invitation",
        "Event" => "states come from agents",
        "Secret" | "Env" | "VaultProvider" | "SecretsProvider" => "secrets stay where they are",
        "BusinessService" | "ServiceComponent" | "RuleTemplate" => {
            "link Systems as parts instead: see `aramaki system link`"
        }
        "ClusterConfig" | "TessenConfig" | "EtcdReplicator" | "Replicator" | "Cluster"
        | "PostgresConfig" | "License" | "GlobalConfig" | "Searches" | "Search" => {
            "a setting of Sensu itself"
        }
        _ => "this type is not understood",
    }
}

/// One resource of a dump.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) spec: Cells<'a>,
}

impl<'a> Resource<'a> {
    pub(super) fn of(document: &'a Document, remarks: &'a Remarks) -> Option<Self> {
        let mut outer = Cells::of(&document.value, document.place.clone(), remarks)?;
        let Some(kind) = outer.text("type") else {
            remarks.left(&outer.place, "type", "a resource without a type");
            return None;
        };
        outer.pass(&["api_version"]);
        // Before Sensu Go 5.10 the metadata stood inside.
        let mut spec = outer.inner("spec")?;
        let metadata = outer.inner("metadata").or_else(|| spec.inner("metadata"));
        spec.pass(&["metadata"]);
        let word = |field: &str| metadata.as_ref().and_then(|it| it.text(field));
        let name = word("name")
            .or_else(|| spec.text("name"))
            .unwrap_or_default();
        let namespace = word("namespace").or_else(|| spec.text("namespace"));
        let texts = |field: &str| {
            let map = metadata.as_ref().and_then(|it| it.raw(field));
            let map = map.and_then(Value::as_object).into_iter().flatten();
            map.filter_map(|(name, value)| Some((name.clone(), text_of(value)?)))
                .collect::<BTreeMap<_, _>>()
        };
        let (labels, annotations) = (texts("labels"), texts("annotations"));
        if let Some(metadata) = metadata {
            metadata.pass(&["created_by"]);
            metadata.finish();
        }
        outer.place = outer.place.inner(&format!("{kind}.{name}"));
        spec.place = outer.place.clone();
        outer.finish();
        Some(Self {
            kind,
            name,
            namespace: namespace.unwrap_or_else(|| DEFAULT.to_owned()),
            labels,
            annotations,
            spec,
        })
    }

    pub(super) fn qualified(&self, name: &str) -> String {
        if self.namespace == DEFAULT {
            name.to_owned()
        } else {
            format!("{}/{name}", self.namespace)
        }
    }
}
