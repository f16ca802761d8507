//! Checks everything that is on disk, as if a stranger had sent it.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::admission::SpaceLog;
use aramaki_sync_core::{EnvelopeId, SpaceId};

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
    /// Bodies that are not here.
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

/// Reads everything: signatures, hashes, chains. Takes about 0.1 ms an envelope.
pub(crate) fn verify(store: &dyn Store) -> Result<VerifyReport, StoreError> {
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
    Ok(report)
}
