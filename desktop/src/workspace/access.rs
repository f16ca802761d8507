//! Who could read what, from when until when and through whom: the periods that an audit adds up to, for
//! every person in all Systems.

use std::collections::BTreeMap;

use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded};
use aramaki_sync_core::statement::{Audience, Capability, Grant, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::live::Live;
use super::profile::with_causes;
use super::reason::Reasons;
use crate::cli::CliError;

/// One period in which a key could read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessRow {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it, or its short id.
    pub(crate) title: String,
    /// Whose key.
    pub(crate) device: AuthorId,
    /// What that key is called.
    pub(crate) who: String,
    /// What it could do.
    pub(crate) capability: Capability,
    /// From when.
    pub(crate) begin: Timestamp,
    /// Until when: its end, or what ended it earlier.
    pub(crate) end: Timestamp,
    /// What ended it; none: it lasts.
    pub(crate) ended: Option<&'static str>,
    /// Who gave it, by what that key is called; none: the Space's own key.
    pub(crate) by: Option<String>,
    /// As a reader of another Space, by its title.
    pub(crate) as_reader_of: Option<String>,
    /// The grant.
    pub(crate) grant: EnvelopeId,
    /// Why it was given, if somebody said.
    pub(crate) reason: Option<String>,
    /// Why it was ended: the same.
    pub(crate) end_reason: Option<String>,
}

/// A grant that counted, and for how long it did.
struct Period {
    audience: Audience,
    capability: Capability,
    begin: Timestamp,
    end: Timestamp,
    ended: Option<&'static str>,
    by: AuthorId,
    grant: EnvelopeId,
    reason: Option<String>,
    end_reason: Option<String>,
}

impl Live {
    /// Who could read what: in one Space, or in all that are here, by name and time.
    ///
    /// # Errors
    /// When a Space is not here.
    pub(crate) async fn access(&self, wanted: Option<SpaceId>) -> Result<Vec<AccessRow>, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let mut periods: BTreeMap<SpaceId, Vec<Period>> = BTreeMap::new();
        for space in &spaces {
            let audited = self.replica().audit(space.id).await;
            let entries = audited.map_err(|error| CliError::Refused {
                what: "the audit",
                reason: with_causes(&error),
            })?;
            let reasons = self.reasons(space.id, &entries);
            let own = entries.iter().filter_map(|entry| period(entry, &reasons));
            periods.insert(space.id, own.collect());
        }
        let title = |space: SpaceId| self.space_title(space).unwrap_or_else(|| space.short());
        let mut rows = Vec::new();
        for (space, own) in &periods {
            if wanted.is_some_and(|wanted| wanted != *space) {
                continue;
            }
            for period in own {
                let by = (period.by.as_bytes() != space.as_bytes()).then(|| names.of(period.by));
                let row = |device, (begin, end), ended, as_reader_of| AccessRow {
                    space: *space,
                    title: title(*space),
                    device,
                    who: names.of(device),
                    capability: period.capability,
                    begin,
                    end,
                    ended,
                    by: by.clone(),
                    as_reader_of,
                    grant: period.grant,
                    reason: period.reason.clone(),
                    end_reason: period.end_reason.clone(),
                };
                match period.audience {
                    Audience::Author(device) => {
                        let span = (period.begin, period.end);
                        rows.push(row(device, span, period.ended, None));
                    }
                    Audience::ReadersOf(other) => {
                        for reader in periods.get(&other).into_iter().flatten() {
                            let Audience::Author(device) = reader.audience else {
                                continue;
                            };
                            let begin = period.begin.max(reader.begin);
                            let end = period.end.min(reader.end);
                            let ended = if reader.end < period.end {
                                reader.ended
                            } else {
                                period.ended
                            };
                            if begin <= end {
                                rows.push(row(device, (begin, end), ended, Some(title(other))));
                            }
                        }
                    }
                }
            }
        }
        rows.sort_by(|a, b| {
            (&a.who, a.device, &a.title, a.begin).cmp(&(&b.who, b.device, &b.title, b.begin))
        });
        Ok(rows)
    }
}

/// A grant by which somebody could read. A code counts as long as it could be used.
fn period(entry: &AuditEntry, reasons: &Reasons) -> Option<Period> {
    let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
        return None;
    };
    let ended = match ended.map(|it| (it.at, it.how)) {
        // It never counted here.
        Some((_at, HowEnded::NotStanding)) => return None,
        Some((at, HowEnded::Revoked { .. })) => Some((at, "revoked")),
        Some((at, HowEnded::Closed { .. })) => Some((at, "closed")),
        Some((at, _time)) => Some((at, "time")),
        None => None,
    };
    let Grant {
        audience,
        capability,
        ..
    } = *grant;
    (capability >= Capability::Read).then(|| Period {
        audience,
        capability: if grant.flags.has(GrantFlags::INVITATION) {
            Capability::Read
        } else {
            capability
        },
        // It may reach back, for peers whose clock is late; nobody had it before it was signed.
        begin: grant.not_before.max(entry.at),
        end: ended.map_or(last_use(grant), |(at, _how)| at.min(last_use(grant))),
        ended: ended.map(|(_at, how)| how),
        by: entry.by,
        grant: entry.id,
        reason: reasons.given(entry.id, grant).cloned(),
        end_reason: reasons.ended(entry.id).cloned(),
    })
}

fn last_use(grant: &Grant) -> Timestamp {
    if grant.flags.has(GrantFlags::INVITATION) {
        grant.redeem_until
    } else {
        grant.end
    }
}
