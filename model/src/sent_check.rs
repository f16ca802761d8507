//! Checks as they stand in configurations and journals.
//!
//! Version 1 counts fields and kinds, so what came later follows behind: fields by check, and checks
//! of later kinds each in bytes of its own. Older programs read what they know and ignore the rest.

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::check::{Builtin, Check, CheckKind};
use crate::check_fault::is_runbook;
use crate::cron::Cron;
use crate::flapping::FlappingLimits;
use crate::id::CheckId;
use crate::metric_rule::MetricRule;

/// A check of version 1.
#[derive(Serialize, Deserialize)]
pub(crate) struct SentCheck {
    id: CheckId,
    name: String,
    kind: CheckKind,
    interval_ms: u64,
    timeout_ms: u64,
    attempts: u32,
    retry_interval_ms: u64,
    ttl_ms: Option<u64>,
    enabled: bool,
}

impl From<&Check> for SentCheck {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id,
            name: check.name.clone(),
            kind: check.kind.clone(),
            interval_ms: check.interval_ms,
            timeout_ms: check.timeout_ms,
            attempts: check.attempts,
            retry_interval_ms: check.retry_interval_ms,
            ttl_ms: check.ttl_ms,
            enabled: check.enabled,
        }
    }
}

impl From<SentCheck> for Check {
    fn from(sent: SentCheck) -> Self {
        Self {
            interval_ms: sent.interval_ms,
            timeout_ms: sent.timeout_ms,
            attempts: sent.attempts,
            retry_interval_ms: sent.retry_interval_ms,
            ttl_ms: sent.ttl_ms,
            enabled: sent.enabled,
            ..Self::new(sent.id, sent.name, sent.kind)
        }
    }
}

/// Fields that came after version 1, in the order in which they came. What came after these stands behind
/// them ([`LaterStill`]): bytes of an older program end here.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct LaterFields {
    cron: Option<Cron>,
    metrics: Vec<MetricRule>,
    flapping: Option<FlappingLimits>,
    about: Option<String>,
}

/// Fields that came after those.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct LaterStill {
    about_system: Option<SpaceId>,
}

/// Fields that came after those.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct LaterThen {
    runbook: Option<String>,
}

/// What stands behind the checks of version 1: later fields by check, and checks of later kinds. Both
/// are bytes of their own, so that one that is newer still costs only itself.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Later {
    fields: Vec<(CheckId, ByteBuf)>,
    checks: Vec<ByteBuf>,
}

/// Splits checks into those of version 1 and what stands behind them.
pub(crate) fn split(checks: &[Check]) -> Result<(Vec<SentCheck>, Later), postcard::Error> {
    let (mut sent, mut later) = (Vec::new(), Later::default());
    for check in checks {
        let as_sent = SentCheck::from(check);
        if is_later(&check.kind) {
            later.checks.push(postcard::to_stdvec(&as_sent)?.into());
        } else {
            sent.push(as_sent);
        }
        let fields = LaterFields {
            cron: check.cron.clone(),
            metrics: check.metrics.clone(),
            flapping: check.flapping,
            about: check.about.clone(),
        };
        let still = LaterStill {
            about_system: check.about_system,
        };
        let then = LaterThen {
            runbook: check.runbook.clone(),
        };
        let has_then = then != LaterThen::default();
        let has_more = has_then || still != LaterStill::default();
        if has_more || fields != LaterFields::default() {
            let mut bytes = postcard::to_stdvec(&fields)?;
            if has_more {
                bytes = postcard::to_extend(&still, bytes)?;
            }
            if has_then {
                bytes = postcard::to_extend(&then, bytes)?;
            }
            later.fields.push((check.id, bytes.into()));
        }
    }
    Ok((sent, later))
}

/// Puts together what [`split`] took apart, at most `limit` checks. What is newer than this program
/// is left out.
pub(crate) fn join(sent: Vec<SentCheck>, later: Later, limit: usize) -> Vec<Check> {
    let newer = later.checks.iter();
    let newer = newer.filter_map(|bytes| postcard::from_bytes::<SentCheck>(bytes).ok());
    let mut checks: Vec<Check> = sent
        .into_iter()
        .chain(newer)
        .take(limit)
        .map(Check::from)
        .collect();
    let places: std::collections::BTreeMap<CheckId, usize> = (0..)
        .zip(&checks)
        .map(|(place, check)| (check.id, place))
        .collect();
    for (id, bytes) in later.fields {
        let Ok((fields, rest)) = postcard::take_from_bytes::<LaterFields>(&bytes) else {
            continue;
        };
        let (still, rest): (LaterStill, _) = postcard::take_from_bytes(rest).unwrap_or_default();
        let then: LaterThen = postcard::from_bytes(rest).unwrap_or_default();
        let place = places.get(&id).copied();
        if let Some(check) = place.and_then(|place| checks.get_mut(place)) {
            check.cron = fields.cron;
            check.metrics = fields.metrics;
            check.flapping = fields.flapping;
            check.about = fields.about;
            check.about_system = still.about_system;
            check.runbook = then.runbook.filter(|it| is_runbook(it).is_ok());
        }
    }
    checks
}

/// Kinds that came after the first release of version 1.
const fn is_later(kind: &CheckKind) -> bool {
    matches!(
        kind,
        CheckKind::External {}
            | CheckKind::Builtin(
                Builtin::Statsd { .. } | Builtin::Ping { .. } | Builtin::Clock { .. }
            )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_older_programs_sent_is_read_and_they_read_what_they_know() {
        let plain = Check {
            about: Some("switch".to_owned()),
            ..Check::new(CheckId::from_bytes([1; 16]), "ping", CheckKind::External {})
        };
        let check = Check {
            about_system: Some(SpaceId::from_bytes([7; 32])),
            ..plain.clone()
        };
        let (_, later) = split(std::slice::from_ref(&check)).unwrap();
        let (id, new) = later.fields[0].clone();
        // An older program reads its own fields, and ignores what stands behind them.
        let read: LaterFields = postcard::from_bytes(&new).unwrap();
        assert_eq!(read.about, plain.about);
        assert_eq!(join(Vec::new(), later, 9), [check]);
        // What it wrote ends there.
        let (_, mut later) = split(std::slice::from_ref(&plain)).unwrap();
        let old = postcard::to_stdvec(&read).unwrap();
        assert!(new.starts_with(&old) && new.len() > old.len());
        later.fields = vec![(id, old.into())];
        assert_eq!(join(Vec::new(), later, 9), [plain]);
    }

    #[test]
    fn a_runbook_stands_behind_all_that_older_programs_know() {
        let kind = CheckKind::External {};
        let plain = Check {
            about: Some("the switch".to_owned()),
            about_system: Some(SpaceId::from_bytes([7; 32])),
            ..Check::new(CheckId::from_bytes([3; 16]), "c", kind)
        };
        let named = |runbook: &str| Check {
            runbook: Some(runbook.to_owned()),
            ..plain.clone()
        };
        let check = named("https://wiki.example.org/c");
        let (_, later) = split(std::slice::from_ref(&check)).unwrap();
        let (_, old) = split(std::slice::from_ref(&plain)).unwrap();
        assert!(later.fields[0].1.starts_with(&old.fields[0].1));
        assert_eq!(join(Vec::new(), later, 9), [check]);
        assert_eq!(join(Vec::new(), old, 9), std::slice::from_ref(&plain));
        // What cannot be one is none; the check is run all the same.
        let (_, hostile) = split(&[named("javascript://x")]).unwrap();
        assert_eq!(join(Vec::new(), hostile, 9), [plain]);
    }
}
