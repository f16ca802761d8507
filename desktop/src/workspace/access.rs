//! Who could read what, from when until when and through whom: the periods that an audit adds up to, for
//! every person in all Systems.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded};
use aramaki_sync_core::statement::{Audience, Capability, Grant, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::fresh;
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
    /// Of the key in an invitation, which is nobody: what became of it.
    pub(crate) code: Option<Code>,
}

/// What became of an invitation's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// It lets somebody in still.
    Open,
    /// It lets nobody in any more, and nobody came by it.
    Unused,
    /// It lets nobody in any more: who came by it has access of their own.
    Used,
}

impl AccessRow {
    /// Whether it ever counted. What a lost device gave after its end, or a clock that is ahead, was over before
    /// it began. A code that lets nobody in any more is no reader: whoever came by it is one.
    pub(crate) fn counted(&self) -> bool {
        self.begin <= self.end && matches!(self.code, None | Some(Code::Open))
    }
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
    code: Option<Code>,
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
            let (used_up, used) = (used_up(&entries), used(&entries));
            let own = entries.iter().filter_map(|entry| {
                let period = period(entry, (&reasons, &entries))?;
                let period = until_used_up(period, &used_up);
                let code = period.code.map(|_| code(&period, &used));
                Some(Period { code, ..period })
            });
            periods.insert(space.id, own.collect());
        }
        let people = self.people();
        // A code that has ended is no person, whoever it was for.
        let invitations = periods.values().flatten().filter(|it| it.code.is_some());
        let codes: BTreeSet<AuthorId> = invitations
            .filter_map(|it| match it.audience {
                Audience::Author(code) => Some(code),
                Audience::ReadersOf(_) => None,
            })
            .collect();
        let called = |device: AuthorId| match people.get(&device) {
            _ if !codes.contains(&device) => names.of(device),
            Some(name) => format!("invitation for {name} ({})", device.short()),
            None => format!("invitation ({})", device.short()),
        };
        let title = |space: SpaceId| self.space_title(space).unwrap_or_else(|| space.short());
        let mut rows = Vec::new();
        for (space, own) in &periods {
            if wanted.is_some_and(|wanted| wanted != *space) {
                continue;
            }
            for period in own {
                let by = (period.by.as_bytes() != space.as_bytes()).then(|| called(period.by));
                let spans = spans(period, &periods).into_iter();
                rows.extend(spans.map(|span| AccessRow {
                    space: *space,
                    title: title(*space),
                    device: span.device,
                    who: called(span.device),
                    capability: period.capability,
                    begin: span.begin,
                    end: span.end,
                    ended: span.ended,
                    by: by.clone(),
                    as_reader_of: span.as_reader_of.map(title),
                    grant: period.grant,
                    reason: period.reason.clone(),
                    end_reason: period.end_reason.clone(),
                    code: span.code,
                }));
            }
        }
        rows.sort_by(|a, b| {
            (&a.who, a.device, &a.title, a.begin).cmp(&(&b.who, b.device, &b.title, b.begin))
        });
        Ok(rows)
    }
}

/// When one device could read by a grant, itself or as a reader of another Space.
struct Span {
    device: AuthorId,
    begin: Timestamp,
    end: Timestamp,
    ended: Option<&'static str>,
    as_reader_of: Option<SpaceId>,
    code: Option<Code>,
}

/// The invitations by which somebody came.
fn used(entries: &[AuditEntry]) -> BTreeSet<EnvelopeId> {
    let grants = entries.iter().filter_map(|entry| match &entry.event {
        AuditEvent::Granted { grant, ended, .. } => Some((grant, ended.map(|it| it.how))),
        _ => None,
    });
    let stood = grants.filter(|(_grant, how)| *how != Some(HowEnded::NotStanding));
    stood.filter_map(|(grant, _how)| grant.parent).collect()
}

/// What became of an invitation.
fn code(period: &Period, used: &BTreeSet<EnvelopeId>) -> Code {
    if period.ended.is_none() && fresh::now() < period.end {
        Code::Open
    } else if used.contains(&period.grant) {
        Code::Used
    } else {
        Code::Unused
    }
}

fn spans(period: &Period, periods: &BTreeMap<SpaceId, Vec<Period>>) -> Vec<Span> {
    let other = match period.audience {
        Audience::ReadersOf(other) => other,
        Audience::Author(device) => {
            return vec![Span {
                device,
                begin: period.begin,
                end: period.end,
                ended: period.ended,
                as_reader_of: None,
                code: period.code,
            }];
        }
    };
    let readers = periods.get(&other).into_iter().flatten();
    let spans = readers.filter_map(|reader| {
        let Audience::Author(device) = reader.audience else {
            return None;
        };
        let span = Span {
            device,
            begin: period.begin.max(reader.begin),
            end: period.end.min(reader.end),
            ended: if reader.end < period.end {
                reader.ended
            } else {
                period.ended
            },
            as_reader_of: Some(other),
            code: reader.code,
        };
        (span.begin <= span.end).then_some(span)
    });
    spans.collect()
}

/// A grant by which somebody could read. A code counts as long as it could be used.
fn period(entry: &AuditEntry, (reasons, entries): (&Reasons, &[AuditEntry])) -> Option<Period> {
    let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
        return None;
    };
    // Why somebody wanted to end what stands says nothing of it.
    let mut end_reason = None;
    let ended = match ended.map(|it| (it.at, it.how)) {
        // It never counted here.
        Some((_at, HowEnded::NotStanding)) => return None,
        Some((at, HowEnded::Revoked { by })) => {
            end_reason = ended_why(entries, by, entry.id, reasons);
            Some((at, "revoked"))
        }
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
        end_reason,
        // What became of it is known once all is read.
        code: (grant.flags.has(GrantFlags::INVITATION)).then_some(Code::Open),
    })
}

/// Why a grant was ended by a revocation, of it or of one above it.
fn ended_why(
    entries: &[AuditEntry],
    by: EnvelopeId,
    grant: EnvelopeId,
    reasons: &Reasons,
) -> Option<String> {
    let mut named = entries.iter().filter(|it| it.id == by);
    let target = named.find_map(|it| match &it.event {
        AuditEvent::Revoked { target, .. } => Some(*target),
        _ => None,
    });
    let words = reasons.ended(grant).or_else(|| reasons.ended(target?));
    words.cloned()
}

/// When an invitation's key stopped to read, of each that lets in nobody else: as the last device came that it
/// lets in, or one that came by it was sent away.
fn used_up(entries: &[AuditEntry]) -> BTreeMap<EnvelopeId, (Timestamp, &'static str)> {
    let mut allowed = BTreeMap::new();
    let mut came: BTreeMap<EnvelopeId, BTreeMap<Audience, Timestamp>> = BTreeMap::new();
    let mut sent_away: BTreeMap<EnvelopeId, Timestamp> = BTreeMap::new();
    for entry in entries {
        let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
            continue;
        };
        if grant.flags.has(GrantFlags::INVITATION) {
            allowed.insert(entry.id, usize::from(grant.redemptions));
        }
        let Some(parent) = grant.parent else {
            continue;
        };
        let how = ended.map(|it| it.how);
        if let (Some(HowEnded::Revoked { by }), Some(ended)) = (how, ended)
            && names(entries, by, entry.id)
        {
            let at = sent_away.entry(parent).or_insert(ended.at);
            *at = (*at).min(ended.at);
        }
        if !matches!(how, Some(HowEnded::NotStanding)) {
            let devices = came.entry(parent).or_default();
            let at = devices.entry(grant.audience).or_insert(entry.at);
            *at = (*at).min(entry.at);
        }
    }
    let ends = allowed.into_iter().filter_map(|(invitation, allowed)| {
        let devices = came.get(&invitation)?;
        let mut times: Vec<_> = devices.values().copied().collect();
        times.sort_unstable();
        let used = allowed.checked_sub(1).and_then(|last| times.get(last));
        let used = used.map(|at| (*at, "used"));
        let over = sent_away
            .get(&invitation)
            .map(|at| (*at, "guest sent away"));
        Some((invitation, used.into_iter().chain(over).min()?))
    });
    ends.collect()
}

/// Whether a revocation names this grant itself.
fn names(entries: &[AuditEntry], revocation: EnvelopeId, grant: EnvelopeId) -> bool {
    let mut named = entries.iter().filter(|it| it.id == revocation);
    named.any(|it| matches!(it.event, AuditEvent::Revoked { target, .. } if target == grant))
}

fn until_used_up(
    period: Period,
    used_up: &BTreeMap<EnvelopeId, (Timestamp, &'static str)>,
) -> Period {
    match used_up.get(&period.grant) {
        Some((at, how)) if *at < period.end => Period {
            // By the clock of a guest, which may be late.
            end: (*at).max(period.begin),
            ended: Some(how),
            end_reason: None,
            ..period
        },
        _ => period,
    }
}

fn last_use(grant: &Grant) -> Timestamp {
    if grant.flags.has(GrantFlags::INVITATION) {
        grant.redeem_until
    } else {
        grant.end
    }
}
