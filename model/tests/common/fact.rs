//! Alerts as a notifier sees them, without any documents.

use std::collections::BTreeSet;

use aramaki_model::alert::AlertId;
use aramaki_model::notify::{AlertFact, Recurrence};
use aramaki_model::{CheckId, Severity};
use aramaki_sync_core::{SpaceId, Timestamp};

/// So many seconds after the beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// A Space of the tests.
pub(crate) fn space(n: u8) -> SpaceId {
    SpaceId::from_bytes([n; 32])
}

/// An open problem of a System.
pub(crate) fn alert(n: u8, system: u8, worst: Severity, opened: i64) -> AlertFact {
    AlertFact {
        alert: AlertId([n; 32]),
        system: space(system),
        check: CheckId::from_bytes([n; 16]),
        name: format!("check {n}"),
        machine: None,
        summary: "it is full".to_owned(),
        severity: worst,
        worst,
        opened: at(opened),
        since: at(opened),
        resolved: None,
        acknowledged: None,
        muted: None,
        quiet: BTreeSet::new(),
        blind: BTreeSet::new(),
        recurrence: Recurrence::Never,
        heard: None,
    }
}
