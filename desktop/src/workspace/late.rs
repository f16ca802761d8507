//! Work that waits: it came after its grant had ended, by an invitation that was used up, or a close left it
//! out.

use std::collections::BTreeSet;

use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded};
use aramaki_sync_core::admission::{CLOCK_AHEAD_MAX, Held, Verdict, guest_principal};
use aramaki_sync_core::engine::{Doubtful, Reach};
use aramaki_sync_core::statement::{Audience, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, PrincipalId, SpaceId, Timestamp};

use super::live::Live;
use super::names::Names;
use super::profile::with_causes;
use crate::cli::{CliError, local};

/// Shorter prefixes of a grant's id are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// Envelopes of one grant that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LateWork {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it.
    pub(crate) title: Option<String>,
    /// Under which grant they were written.
    pub(crate) grant: EnvelopeId,
    /// Who wrote them.
    pub(crate) who: String,
    /// For what they wait.
    pub(crate) waits: Waits,
    /// How many they are.
    pub(crate) envelopes: u64,
    /// The first and the last, by their author's clock.
    pub(crate) span: (Timestamp, Timestamp),
}

/// For what work waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// It is held, and shown nowhere else.
    Held(Held),
    /// A close left it out.
    LeftOut {
        /// How many of them came to this device before the access had ended.
        in_time: u64,
        /// Who closed so.
        closers: Vec<String>,
    },
}

/// Envelopes of one author that came and count for nothing, or only because others' work stands on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Questioned {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it.
    pub(crate) title: Option<String>,
    /// Who wrote them.
    pub(crate) who: String,
    /// Why, in words.
    pub(crate) why: String,
    /// Which, how many and since when.
    pub(crate) work: Doubtful,
}

/// Something that came and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ignored {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it, or its short id.
    pub(crate) title: String,
    /// In which envelope, if it came with one.
    pub(crate) envelope: Option<EnvelopeId>,
    /// Why, in words.
    pub(crate) why: String,
}

impl LateWork {
    /// Whether an administrator can accept it. Other work waits for something else: a grant, a clock,
    /// or a fork that is settled.
    pub(crate) fn can_be_accepted(&self) -> bool {
        matches!(
            self.waits,
            Waits::Held(Held::Expired | Held::RedeemedLate) | Waits::LeftOut { .. }
        )
    }

    /// Why nobody can accept it, and what happens or can be done instead.
    fn refusal(&self) -> CliError {
        let reason = match &self.waits {
            Waits::Held(Held::Future) => format!(
                "it is held until {} by this device's clock, because it is dated later, and then it counts by itself: \
                 compare both clocks",
                local(self.span.1.minus(CLOCK_AHEAD_MAX))
            ),
            _ => format!("{}: {}", self.why(), self.next()),
        };
        CliError::Refused {
            what: "the late work",
            reason,
        }
    }

    /// Whether nothing can make it count: it came by a code that had let in as many as it may.
    pub(crate) fn is_for_nothing(&self) -> bool {
        self.waits == Waits::Held(Held::Redeemed)
    }

    /// What can be done about it, in words.
    pub(crate) const fn next(&self) -> &'static str {
        match &self.waits {
            Waits::LeftOut { .. } | Waits::Held(Held::Expired) => {
                "`aramaki trust accept` takes it in"
            }
            Waits::Held(Held::RedeemedLate) => {
                "`aramaki trust grant` lets its author in, and `aramaki trust accept` takes it in once the access \
                 of the code has ended"
            }
            Waits::Held(Held::Redeemed) => {
                "nothing makes it count: let its author in by a new code, and ask them to write it again"
            }
            Waits::Held(Held::Future) => "it counts when its time comes: compare both clocks",
            Waits::Held(Held::Quarantined) => {
                "ask its author which history is theirs, and to write it again"
            }
            Waits::Held(_) => "it counts once what it waits for is here",
        }
    }

    /// Why it does not count, in words.
    pub(crate) fn why(&self) -> String {
        match &self.waits {
            Waits::Held(held) => held.to_string(),
            Waits::LeftOut { in_time, closers } => format!(
                "{} closed this grant without it; {in_time} of {} came here before it had ended",
                closers.join(", "),
                self.envelopes
            ),
        }
    }
}

/// A device that came by a code, and is in nowhere: it was too late, as far as is known here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    /// Its key.
    pub(super) device: AuthorId,
    /// Where epochs are sealed for it.
    pub(super) box_key: [u8; 32],
    /// Who is behind it.
    pub(super) principal: PrincipalId,
}

/// The grant of an invitation.
fn code(entry: &AuditEntry) -> Option<EnvelopeId> {
    match &entry.event {
        AuditEvent::Granted { grant, .. } if grant.flags.has(GrantFlags::INVITATION) => {
            Some(entry.id)
        }
        _ => None,
    }
}

/// Why something counts for nothing by itself, in words.
fn why_not(work: &Doubtful, names: &Names) -> String {
    let by: Vec<_> = work.cut_by.iter().map(|by| names.of(*by)).collect();
    match work.verdict {
        Verdict::Refused(refusal) => refusal.to_string(),
        Verdict::Vouched if by.is_empty() => {
            "vouched for: it waits by itself, or is on a fork".to_owned()
        }
        Verdict::Vouched => format!(
            "vouched for: beyond what {} left when they ended this access",
            by.join(", ")
        ),
        _ if by.is_empty() => "its author signed two histories".to_owned(),
        _ => format!(
            "beyond what {} left when they ended this access",
            by.join(", ")
        ),
    }
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the late work",
        reason: with_causes(error),
    }
}

impl Live {
    /// What was ignored in a System and its agents' Spaces, or everywhere.
    pub(crate) fn ignored(&self, wanted: Option<SpaceId>) -> Vec<Ignored> {
        let asked = wanted.map(|system| {
            let mut spaces = self.agents_of(system);
            spaces.push(system);
            spaces
        });
        let snapshot = self.snapshot();
        let findings = snapshot.findings.iter();
        let findings = findings.filter(|it| {
            asked
                .as_ref()
                .is_none_or(|spaces| spaces.contains(&it.space))
        });
        let ignored = findings.map(|it| Ignored {
            space: it.space,
            title: self
                .space_title(it.space)
                .unwrap_or_else(|| it.space.short()),
            envelope: it.envelope,
            why: it.reason.to_string(),
        });
        ignored.collect()
    }

    /// What waits in one Space, or in all.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn late_work(
        &self,
        wanted: Option<SpaceId>,
    ) -> Result<Vec<LateWork>, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let mut late = Vec::new();
        for space in spaces.iter().map(|it| it.id) {
            if wanted.is_some_and(|wanted| wanted != space) {
                continue;
            }
            let title = self.space_title(space);
            let waiting = self.replica().waiting(space).await;
            for work in waiting.map_err(|error| refused(&error))? {
                late.push(LateWork {
                    space,
                    title: title.clone(),
                    grant: work.grant,
                    who: names.of(work.author),
                    waits: Waits::Held(work.held),
                    envelopes: work.envelopes,
                    span: work.span,
                });
            }
            let cut_off = self.replica().cut_off(space).await;
            for work in cut_off.map_err(|error| refused(&error))? {
                let closers = work.closers.iter().map(|closer| names.of(*closer));
                late.push(LateWork {
                    space,
                    title: title.clone(),
                    grant: work.grant,
                    who: names.of(work.author),
                    waits: Waits::LeftOut {
                        in_time: work.in_time,
                        closers: closers.collect(),
                    },
                    envelopes: work.envelopes,
                    span: work.span,
                });
            }
        }
        Ok(late)
    }

    /// What is refused, what revocations and forks cut, and what of that is vouched for, in one System and its
    /// agents' Spaces or in all.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn questioned(
        &self,
        wanted: Option<SpaceId>,
    ) -> Result<Vec<Questioned>, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let asked = wanted.map(|system| [self.agents_of(system), vec![system]].concat());
        let mut questioned = Vec::new();
        for space in spaces.iter().map(|it| it.id) {
            if asked.as_ref().is_some_and(|asked| !asked.contains(&space)) {
                continue;
            }
            let mut found = self.replica().not_counting(space).await;
            if let (Ok(found), Ok(vouched)) = (&mut found, self.replica().vouched(space).await) {
                found.extend(vouched);
            }
            for work in found.map_err(|error| refused(&error))? {
                questioned.push(Questioned {
                    space,
                    title: self.space_title(space),
                    who: names.of(work.author),
                    why: why_not(&work, &names),
                    work,
                });
            }
        }
        Ok(questioned)
    }

    /// Who came by a code too late, by their key or a prefix of it.
    ///
    /// # Errors
    /// When the Space is not here.
    pub(super) async fn newcomer(
        &self,
        space: SpaceId,
        wanted: &str,
    ) -> Result<Option<Newcomer>, CliError> {
        if wanted.len() < PREFIX_LEN_CHARS_MIN {
            return Ok(None);
        }
        let entries = self.replica().audit(space).await;
        let entries = entries.map_err(|error| refused(&error))?;
        let codes: BTreeSet<_> = entries.iter().filter_map(code).collect();
        let mut came = entries.iter().filter_map(|entry| {
            let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
                return None;
            };
            let late = [Held::RedeemedLate, Held::Expired].map(Verdict::Held);
            // Whose time came is no other than who came after it. Who was sent away needs a code.
            let how = ended.map(|it| it.how);
            let is_over = matches!(how, Some(HowEnded::Time | HowEnded::Closed { .. }));
            let code = grant.parent.filter(|code| codes.contains(code))?;
            let Audience::Author(device) = grant.audience else {
                return None;
            };
            let is_meant = (is_over || late.contains(&entry.verdict))
                && device.to_string().starts_with(wanted);
            is_meant.then_some(Newcomer {
                device,
                box_key: grant.box_key,
                principal: guest_principal(code),
            })
        });
        let first = came.next();
        let is_one = came.all(|it| first.is_some_and(|first| first.device == it.device));
        Ok(first.filter(|_first| is_one))
    }

    /// Why nothing can be accepted of a grant: there is none of that id, or all that came by it is decided.
    async fn nothing_waits(&self, space: SpaceId, wanted: &str, prefix: &str) -> CliError {
        let entries = self.replica().audit(space).await.unwrap_or_default();
        let is_meant = |it: &AuditEntry| {
            let is_grant = matches!(it.event, AuditEvent::Granted { .. });
            is_grant && it.id.to_string().starts_with(prefix)
        };
        if prefix.len() < PREFIX_LEN_CHARS_MIN || !entries.iter().any(is_meant) {
            return CliError::NoSuchGrant {
                wanted: wanted.to_owned(),
            };
        }
        CliError::Refused {
            what: "the late work",
            reason: format!(
                "nothing of the grant {wanted} waits: all that came of it counts, or was decided before; `aramaki trust \
                 held SYSTEM` shows what waits"
            ),
        }
    }

    /// Lets late work count that was written under a grant, as much of it as is here; of what a close left
    /// out as much as is wanted.
    ///
    /// # Errors
    /// When nothing of it waits, or this device does not administer the Space.
    pub(crate) async fn accept_late(
        &self,
        space: SpaceId,
        wanted: &str,
        reach: Reach,
    ) -> Result<LateWork, CliError> {
        let late = self.late_work(Some(space)).await?;
        let prefix = wanted.trim().to_ascii_lowercase();
        let named = late.into_iter().filter(|it| {
            let named = it.grant.to_string().starts_with(&prefix);
            named && prefix.len() >= PREFIX_LEN_CHARS_MIN
        });
        let (found, others): (Vec<_>, Vec<_>) = named.partition(LateWork::can_be_accepted);
        let Some(first) = found.first().cloned() else {
            return Err(match others.first() {
                Some(other) => other.refusal(),
                None => self.nothing_waits(space, wanted, &prefix).await,
            });
        };
        if found.iter().any(|it| it.grant != first.grant) {
            return Err(CliError::NoSuchGrant {
                wanted: wanted.to_owned(),
            });
        }
        let mut given = false;
        for work in &found {
            let accepted = match work.waits {
                Waits::Held(_) => self.replica().accept_late(space, work.grant).await,
                Waits::LeftOut { .. } => self.replica().give_back(space, work.grant, reach).await,
            };
            given |= accepted.map_err(|error| refused(&error))?;
        }
        let by_late_code = |it: &LateWork| it.waits == Waits::Held(Held::RedeemedLate);
        if !given && found.iter().any(by_late_code) {
            return Err(CliError::Refused {
                what: "the late work",
                reason: "the access that its code gives has not ended, and what lasts is not closed: let the \
                         device in with `aramaki trust grant SYSTEM KEY` until then, and accept what it \
                         wrote afterwards"
                    .to_owned(),
            });
        }
        if !given {
            return Err(CliError::Refused {
                what: "the late work",
                reason:
                    "none of it came here before the access had ended; ask its author, then accept \
                         all of it with --all"
                        .to_owned(),
            });
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever accepts what waits for something else is told for what, and not that there is no such grant.
    #[test]
    fn what_nobody_can_accept_says_until_when_it_waits_or_what_to_do() {
        let at = |hour: i64| Timestamp::from_millis(1_800_000_000_000 + hour * 3_600_000);
        let work = |held| LateWork {
            space: SpaceId::from_bytes([7; 32]),
            title: None,
            grant: EnvelopeId::from_bytes([5; 32]),
            who: "a guest".to_owned(),
            waits: Waits::Held(held),
            envelopes: 2,
            span: (at(24), at(25)),
        };
        let early = work(Held::Future).refusal();
        let until = local(at(25).minus(CLOCK_AHEAD_MAX));
        assert!(early.message().contains(&until), "{}", early.message());
        assert_eq!(early.code(), "A-111");
        let used_up = work(Held::Redeemed).refusal().message();
        assert!(used_up.contains("by a new code"), "{used_up}");
    }
}
