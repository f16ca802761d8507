//! What became of trust, in words: for those who ask who could read what, and when.

use std::collections::BTreeMap;

use aramaki_sync::replica::{AuditEntry, AuditEvent, Ending, HowEnded, REASON_LOST};
use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::statement::{Audience, Capability, Cut, Grant, GrantFlags, WrapTo};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};
use serde_json::{Value, json};

use super::emergency::shown_reason;
use super::joined::capability_word;
use super::live::Live;
use super::names::Names;
use super::profile::with_causes;
use super::reason::Reasons;
use crate::cli::{CliError, local};

/// What the key of an invitation is, also when that is over.
const INVITATION: &str = "invitation";

/// One line of an audit.
#[derive(Clone, Debug)]
pub(crate) struct AuditRow {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it, or its short id.
    pub(crate) title: String,
    /// The statement; of what time did by itself, the grant.
    pub(crate) id: EnvelopeId,
    /// One word.
    pub(crate) kind: &'static str,
    /// When, by the signer's clock.
    pub(crate) at: Timestamp,
    /// When this device first had it.
    pub(crate) received: Timestamp,
    /// Who signed it, and what that key is called; none: time alone.
    pub(crate) by: Option<(AuthorId, String)>,
    /// In words.
    pub(crate) text: String,
    /// Why it does not count.
    pub(crate) doubt: Option<String>,
    /// For programs.
    pub(crate) details: Value,
}

/// What is known of a Space's grants, those that ended too.
struct Told<'a> {
    live: &'a Live,
    names: &'a Names,
    space: SpaceId,
    reasons: Reasons,
    grants: BTreeMap<EnvelopeId, Grant>,
    /// What keys are that are no device's, from the grants that they ever had.
    kinds: BTreeMap<AuthorId, &'static str>,
}

impl Live {
    /// What became of trust in a System, or in all Spaces here, in order of time.
    ///
    /// # Errors
    /// When a Space is not here.
    pub(crate) async fn audit(&self, system: Option<SpaceId>) -> Result<Vec<AuditRow>, CliError> {
        let spaces = self.spaces().await;
        let mut rows = Vec::new();
        for space in spaces.iter().map(|it| it.id) {
            if system.is_some_and(|wanted| wanted != space) {
                continue;
            }
            let names = self.names_in(Some(space), &spaces);
            let audited = self.replica().audit(space).await;
            let entries = audited.map_err(|error| CliError::Refused {
                what: "the audit",
                reason: with_causes(&error),
            })?;
            let told = Told::of(self, &names, space, &entries);
            rows.extend(entries.iter().map(|entry| told.row(entry)));
        }
        rows.sort_by_key(|row| (row.at, row.received, row.id));
        Ok(rows)
    }
}

impl<'a> Told<'a> {
    fn of(live: &'a Live, names: &'a Names, space: SpaceId, entries: &[AuditEntry]) -> Self {
        let mut told = Self {
            live,
            names,
            space,
            reasons: live.reasons(space, entries),
            grants: BTreeMap::new(),
            kinds: BTreeMap::new(),
        };
        for entry in entries {
            let AuditEvent::Granted { grant, .. } = &entry.event else {
                continue;
            };
            if let Audience::Author(author) = grant.audience {
                if grant.flags.has(GrantFlags::INVITATION) {
                    told.kinds.insert(author, INVITATION);
                } else if grant.flags.has(GrantFlags::BREAK_GLASS) {
                    told.kinds.insert(author, "emergency key");
                } else if grant.capability == Capability::Relay {
                    told.kinds.insert(author, "relay");
                }
            }
            told.grants.insert(entry.id, grant.clone());
        }
        told
    }

    fn row(&self, entry: &AuditEntry) -> AuditRow {
        let by = self.who(entry.by);
        let (kind, text, details) = self.said(entry, &by);
        let by_time = matches!(entry.event, AuditEvent::Expired);
        AuditRow {
            space: self.space,
            title: self.title(self.space),
            id: entry.id,
            kind,
            at: entry.at,
            received: entry.received,
            by: (!by_time).then_some((entry.by, by)),
            text,
            doubt: doubt(entry),
            details,
        }
    }

    fn said(&self, entry: &AuditEntry, by: &str) -> (&'static str, String, Value) {
        match &entry.event {
            AuditEvent::Granted {
                grant,
                through,
                ended,
            } => self.granted((entry.id, grant), through, *ended, by),
            AuditEvent::Expired => {
                let whose = self.holder(entry.id);
                let text = format!("{whose}: its time came");
                ("end", text, json!({"grant": entry.id.to_string()}))
            }
            AuditEvent::Revoked {
                target,
                reason,
                ended,
            } => {
                let why = if *reason == REASON_LOST {
                    "lost"
                } else {
                    "none"
                };
                let ends: Vec<_> = ended.iter().map(|it| self.holder(*it)).collect();
                let ends = match ends.as_slice() {
                    [] => "ended nothing".to_owned(),
                    ends => format!("ended {}", ends.join(", ")),
                };
                let whose = self.holder(*target);
                let words = self.reasons.ended(*target);
                let said = words.map_or(why, String::as_str);
                let text = format!("{by} revoked the grant of {whose}, reason {said}: {ends}");
                let details = json!({
                    "grant": target.to_string(),
                    "reason": why,
                    "words": words,
                    "ended": ended.iter().map(ToString::to_string).collect::<Vec<_>>(),
                });
                ("revoke", text, details)
            }
            AuditEvent::Closed { target, accepted } => self.closed(*target, accepted, by),
            AuditEvent::Opened { grant, reason } => {
                let reason = shown_reason(reason);
                let text = format!("{by} opened it in an emergency: {reason}");
                let details = json!({"grant": grant.to_string(), "reason": reason});
                ("emergency", text, details)
            }
            AuditEvent::Forked { chain, seq } => {
                let whose = self.who(chain.author);
                let text = format!(
                    "{whose} signed two histories from position {seq} on: its key is in two hands, or a \
                     copy of its disk was brought back; what no witness saw of them does not count"
                );
                let details = json!({
                    "device": chain.author.to_string(),
                    "instance": format!("{:016x}", chain.instance.0),
                    "seq": seq,
                });
                ("fork", text, details)
            }
            event => self.of_keys(event, by),
        }
    }

    /// What a witness had when a grant's time had come.
    fn closed(
        &self,
        target: EnvelopeId,
        accepted: &[Cut],
        by: &str,
    ) -> (&'static str, String, Value) {
        let whose = self.holder(target);
        let last: Vec<_> = accepted
            .iter()
            .map(|cut| format!("{} of {}", cut.seq, self.who(cut.chain.author)))
            .collect();
        let counts = match last.as_slice() {
            [] => "nothing of it had come, and nothing counts".to_owned(),
            last => format!(
                "up to position {} counts; later work does not",
                last.join(", ")
            ),
        };
        let text = format!("{by} closed the grant of {whose}: {counts}");
        let accepted = accepted.iter().map(|cut| {
            json!({
                "device": cut.chain.author.to_string(),
                "instance": format!("{:016x}", cut.chain.instance.0),
                "seq": cut.seq,
            })
        });
        let details = json!({
            "grant": target.to_string(),
            "accepted": accepted.collect::<Vec<_>>(),
        });
        ("close", text, details)
    }

    /// What became of the Space's keys.
    fn of_keys(&self, event: &AuditEvent, by: &str) -> (&'static str, String, Value) {
        match event {
            AuditEvent::Epoch { number, to } => {
                let (readers, details) = self.sealed_to(to);
                let text = format!("{by} made key {number}, sealed to {readers}");
                let details = json!({"number": number, "sealed_to": details});
                ("key", text, details)
            }
            AuditEvent::EpochShared { epoch, to } => {
                let (readers, details) = self.sealed_to(to);
                let text = format!("{by} sealed the key {} to {readers} too", epoch.short());
                let details = json!({"key": epoch.to_string(), "sealed_to": details});
                ("key", text, details)
            }
            AuditEvent::EpochRejected { epoch } => {
                let text = format!("{by} found the key {} unfit", epoch.short());
                ("key", text, json!({"key": epoch.to_string()}))
            }
            _ => (
                "unknown",
                "written by a newer program".to_owned(),
                json!({}),
            ),
        }
    }

    fn granted(
        &self,
        (id, grant): (EnvelopeId, &Grant),
        through: &[EnvelopeId],
        ended: Option<Ending>,
        by: &str,
    ) -> (&'static str, String, Value) {
        let whose = self.audience(grant.audience);
        let may = capability_word(grant.capability);
        let until = if grant.end == Timestamp::MAX {
            "without an end".to_owned()
        } else {
            format!("until {}", local(grant.end))
        };
        let mut said = vec![format!("{by} let {whose} {may} {until}")];
        if grant.flags.has(GrantFlags::BREAK_GLASS) {
            said.push("sealed for an emergency".to_owned());
        }
        if grant.flags.has(GrantFlags::INVITATION) {
            let until = local(grant.redeem_until);
            said.push(format!("its code works until {until}"));
        }
        let is_marked =
            grant.flags.has(GrantFlags::INVITATION) || grant.flags.has(GrantFlags::BREAK_GLASS);
        if grant.depth_left > 0 && grant.capability < Capability::Administer && !is_marked {
            said.push(format!("may give it on, {} deep", grant.depth_left));
        }
        let chain: Vec<_> = through.iter().map(|it| self.holder(*it)).collect();
        if !chain.is_empty() {
            said.push(format!("through {}", chain.join(" → ")));
        }
        let reason = self.reasons.given(id, grant);
        if let Some(reason) = reason {
            said.push(format!("for: {reason}"));
        }
        let how = ended.map(|it| match it.how {
            HowEnded::Time => "time",
            HowEnded::Revoked { .. } => "revoked",
            HowEnded::Closed { .. } => "closed",
            _ => "not standing",
        });
        let statement = ended.and_then(|it| match it.how {
            HowEnded::Revoked { by } | HowEnded::Closed { by } => Some(by.to_string()),
            _ => None,
        });
        if let (Some(ended), Some(how)) = (ended, how.filter(|how| *how != "not standing")) {
            said.push(format!("ended {} ({how})", local(ended.at)));
        }
        let through = through.iter().zip(&chain);
        let details = json!({
            "audience": audience_json(grant.audience),
            "who": whose,
            "capability": may,
            "reason": reason,
            "reads": grant.capability >= Capability::Read,
            "invitation": grant.flags.has(GrantFlags::INVITATION),
            "emergency": grant.flags.has(GrantFlags::BREAK_GLASS),
            "begin": grant.not_before.to_string(),
            "end": grant.end.to_string(),
            "depth_left": grant.depth_left,
            "through": through
                .map(|(grant, who)| json!({"grant": grant.to_string(), "who": who}))
                .collect::<Vec<_>>(),
            "ended": ended.map(|it| json!({"at": it.at.to_string(), "how": how, "statement": statement})),
        });
        ("grant", said.join("; "), details)
    }

    fn sealed_to(&self, to: &[WrapTo]) -> (String, Value) {
        let audience = |to: &WrapTo| match to {
            WrapTo::Device(author) => Audience::Author(*author),
            WrapTo::Epoch { space, .. } => Audience::ReadersOf(*space),
        };
        let names: Vec<_> = to.iter().map(|to| self.audience(audience(to))).collect();
        let details: Vec<_> = to
            .iter()
            .zip(&names)
            .map(|(to, who)| json!({"audience": audience_json(audience(to)), "who": who}))
            .collect();
        let names = match names.as_slice() {
            [] => "nobody".to_owned(),
            names => names.join(", "),
        };
        (names, json!(details))
    }

    /// To whom a grant was given.
    fn holder(&self, grant: EnvelopeId) -> String {
        let known = self.grants.get(&grant);
        known.map_or_else(|| grant.short(), |it| self.audience(it.audience))
    }

    fn audience(&self, audience: Audience) -> String {
        match audience {
            Audience::Author(author) => self.who(author),
            Audience::ReadersOf(space) => format!("readers of {}", self.title(space)),
        }
    }

    fn who(&self, author: AuthorId) -> String {
        if author.as_bytes() == self.space.as_bytes() {
            return "the System's own key".to_owned();
        }
        let kind = self.kinds.get(&author);
        match (self.names.known(author), kind) {
            (None, Some(kind)) => format!("{kind} ({})", author.short()),
            // Its key is nobody: whom it was for has another.
            (Some(name), Some(&INVITATION)) if !name.starts_with(INVITATION) => {
                format!("{INVITATION} for {name} ({})", author.short())
            }
            _ => self.names.of(author),
        }
    }

    fn title(&self, space: SpaceId) -> String {
        let labels = self.live.agent_labels().into_iter();
        let agent = || {
            let mut own = labels.filter(|(agent, _label)| *agent == space);
            own.next().map(|(_agent, label)| format!("agent {label}"))
        };
        self.live
            .title(space)
            .or_else(agent)
            .unwrap_or_else(|| space.short())
    }
}

fn audience_json(audience: Audience) -> Value {
    match audience {
        Audience::Author(author) => json!({"device": author.to_string()}),
        Audience::ReadersOf(space) => json!({"readers_of": space.to_string()}),
    }
}

fn doubt(entry: &AuditEntry) -> Option<String> {
    match entry.verdict {
        Verdict::Admitted | Verdict::Vouched => None,
        Verdict::Held(held) => Some(held.to_string()),
        Verdict::Cut => Some("its signer's trust ended before it".to_owned()),
        Verdict::Refused(refusal) => Some(refusal.to_string()),
    }
}
