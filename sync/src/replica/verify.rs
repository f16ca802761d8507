//! Checks everything that is on disk, as if a stranger had sent it.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::admission::{Entry, SpaceLog};
use aramaki_sync_core::{EnvelopeId, SpaceId};

use super::inspect::EpochKeys;
use super::read;
use crate::records;
use crate::store::{Bodies, Store, StoreError};

/// How many findings are listed; all are counted.
pub const FINDINGS_MAX: usize = 100;

/// What a check of the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Spaces seen.
    pub spaces: u64,
    /// Envelopes read.
    pub envelopes: u64,
    /// Signatures that verified, one an envelope.
    pub signatures: u64,
    /// Bodies whose hash is the signed one.
    pub bodies: u64,
    /// Bodies that a snapshot holds, whose hash of the plain body is the signed one.
    pub bodies_in_snapshots: u64,
    /// Bodies that are not here in any form.
    pub bodies_missing: u64,
    /// Links to the envelope before that hold.
    pub links: u64,
    /// How many things are wrong.
    pub wrong: u64,
    /// The first of them.
    pub findings: Vec<VerifyFinding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyFinding {
    /// Counts rows by arrival.
    pub arrival: u64,
    /// Which envelope, if its header can be read.
    pub envelope: Option<EnvelopeId>,
    /// What is wrong.
    pub what: String,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.wrong == 0
    }

    fn found(&mut self, finding: VerifyFinding) {
        self.wrong += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Reads everything: signatures, hashes, chains, and what snapshots hold, which the keys open. Takes
/// about 0.1 ms an envelope.
pub(super) fn verify(
    store: &dyn Store,
    keys: &BTreeMap<SpaceId, EpochKeys>,
) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport::default();
    let mut logs: BTreeMap<SpaceId, SpaceLog> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    store.scan(Bodies::All, &mut |row| {
        report.envelopes += 1;
        let (arrival, received) = (row.arrival, row.received);
        let envelope = match row.raw.verify() {
            Ok(envelope) => envelope,
            Err(cause) => {
                report.found(VerifyFinding {
                    arrival,
                    envelope: None,
                    what: cause.to_string(),
                });
                return Ok(());
            }
        };
        report.signatures += 1;
        match envelope.body() {
            Some(_body) => report.bodies += 1,
            None => report.bodies_missing += 1,
        }
        let mut wrong = None;
        if !seen.insert(envelope.id()) {
            wrong = Some("is stored twice".to_owned());
        }
        let space = envelope.header().space;
        let log = logs.entry(space).or_insert_with(|| SpaceLog::new(space));
        match log.insert(&envelope, received) {
            Ok(_inserted) => report.links += 1,
            Err(cause) => wrong = Some(cause.to_string()),
        }
        if let Some(what) = wrong {
            report.found(VerifyFinding {
                arrival,
                envelope: Some(envelope.id()),
                what,
            });
        }
        Ok(())
    })?;
    report.spaces = u64::try_from(logs.len()).unwrap_or(u64::MAX);
    verify_snapshots(store, &logs, keys, &mut report)?;
    Ok(report)
}

/// Opens every snapshot in whose place sealed bodies were deleted or never fetched.
fn verify_snapshots(
    store: &dyn Store,
    logs: &BTreeMap<SpaceId, SpaceLog>,
    keys: &BTreeMap<SpaceId, EpochKeys>,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut covered: BTreeMap<(SpaceId, EnvelopeId), BTreeSet<EnvelopeId>> = BTreeMap::new();
    for (key, value) in store.values(records::BODILESS_PREFIX)? {
        if let Some((space, id)) = records::bodiless(&key)
            && let Some(by) = records::covered_by(&value)
        {
            covered.entry((space, by)).or_default().insert(id);
        }
    }
    let none = EpochKeys::new();
    for ((space, by), ids) in covered {
        let (log, keys) = (logs.get(&space), keys.get(&space).unwrap_or(&none));
        let row = store.envelopes(&[by])?.into_iter().next();
        let arrival = row.as_ref().map_or(0, |row| row.arrival);
        let header = |id| {
            let entry = log.filter(|_log| ids.contains(&id))?.get(id);
            entry.map(Entry::header)
        };
        let held = match row {
            Some(row) => read::held_in(row, keys, header),
            None => Err("is not here".to_owned()),
        };
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        report.bodies_missing = report.bodies_missing.saturating_sub(count);
        let wrong = match held {
            Ok(held) => {
                let sound = u64::try_from(held.len()).unwrap_or(u64::MAX);
                report.bodies_in_snapshots += sound;
                let lost = count.saturating_sub(sound);
                (lost > 0).then(|| format!("snapshot lacks {lost} of {count} bodies"))
            }
            Err(cause) => Some(format!("snapshot that holds {count} bodies: {cause}")),
        };
        if let Some(what) = wrong {
            report.found(VerifyFinding {
                arrival,
                envelope: Some(by),
                what,
            });
        }
    }
    Ok(())
}
