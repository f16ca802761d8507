//! From the model's snapshot to rows for verbs.

use aramaki_model::action::Outcome;
use aramaki_model::desired::DesiredRun;
use aramaki_model::notify::{Receipt, Stage};
use aramaki_model::snapshot::{
    Access, AgentView, CheckView, NoteView, Observed, Rank, Snapshot, SystemView, TimelineEvent,
    TimelineItem,
};
use aramaki_model::status::AgentLife;
use aramaki_model::system::Touch;
use aramaki_model::{EntryId, Membership, NoteId, Severity};
use aramaki_sync_core::{SpaceId, Timestamp};

use super::rows::{
    AgentRow, CheckRow, NoteRow, OtherCheckRow, PartRow, SystemPage, SystemRow, TimelineRow,
};

/// So much of a generation is shown to people.
const GENERATION_SHOWN_CHARS: usize = 10;

/// A System in a list.
pub(super) fn row(system: &SystemView) -> SystemRow {
    let observed = system.status.observed == Observed::Yes;
    let status = &system.status;
    let is_fine = status.effective.is_ok() || !observed;
    SystemRow {
        id: system.space,
        title: system.title.clone(),
        category: system.category.clone(),
        raw: observed.then_some(status.raw),
        effective: observed.then_some(status.effective),
        since: if observed { status.since } else { None },
        as_of: if observed { status.as_of } else { None },
        parts: system.parts.len(),
        anchor: system.rank == Rank::Anchor,
        why: if is_fine {
            String::new()
        } else if status.is_unseen() {
            format!("no result yet: {}", status.words())
        } else if status.is_agent_missed() {
            format!("agent not heard any more: {}", status.words())
        } else if let Some(at) = status.stood_at() {
            let at = crate::cli::local(at);
            format!("not heard any more; last heard {at}: {}", status.words())
        } else if status.is_silent() {
            format!("not heard any more; last: {}", status.words())
        } else {
            status.words()
        },
    }
}

/// All of one System.
pub(super) fn page(system: &SystemView) -> SystemPage {
    let touch = |touch| match touch {
        Touch::Freely => "touch freely",
        Touch::AskFirst => "ask first",
        Touch::Escalate => "escalate",
    };
    SystemPage {
        row: row(system),
        purpose: system.purpose.clone(),
        rules: system
            .rules
            .iter()
            .map(|(_, rule)| (touch(rule.touch), rule.text.clone()))
            .collect(),
        contacts: system
            .contacts
            .iter()
            .map(|(_, contact)| {
                let said = [&contact.name, &contact.reach, &contact.hours];
                let said: Vec<_> = said
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .cloned()
                    .collect();
                (contact.role.clone(), said.join(", "))
            })
            .collect(),
        dashboards: system
            .dashboards
            .iter()
            .map(|(_, dashboard)| (dashboard.title.clone(), dashboard.url.clone()))
            .collect(),
        parts: system
            .parts
            .iter()
            .map(|part| PartRow {
                id: part.space,
                label: part.label.clone(),
                readable: part.access == Access::Readable,
                effective: part.effective,
            })
            .collect(),
        aggregates: system.aggregates.clone(),
        checks: system.checks.iter().map(|it| check(system, it)).collect(),
        for_others: system
            .for_others
            .iter()
            .map(|other| OtherCheckRow {
                check: check(system, &other.view),
                system: other.system,
                title: other.title.clone(),
                standing: other.standing,
            })
            .collect(),
        observers: system.observers.clone(),
        agents: system.agents.iter().map(agent).collect(),
        notes: notes(system),
    }
}

fn check(system: &SystemView, view: &CheckView) -> CheckRow {
    let vantage = |(agent, severity): &(SpaceId, Severity)| {
        let mut agents = system.agents.iter();
        let agent_of = agents.find(|it| it.space == *agent);
        let label = agent_of.map_or_else(|| agent.short(), |it| it.label.clone());
        (*agent, label, *severity)
    };
    CheckRow {
        name: view.check.name.clone(),
        machine: view.machine.clone(),
        check: view.check.clone(),
        enabled: view.check.enabled,
        raw: view.status.raw,
        effective: view.status.effective,
        since: view.status.since,
        seen: view.status.seen,
        summary: view.summary.clone(),
        attempt: view.attempt(),
        vantages: view.vantages.iter().map(vantage).collect(),
        seen_from: view.seen_from.clone(),
    }
}

/// Whether an agent is heard of, in words.
pub(crate) fn agent_state(agent: &AgentView) -> &'static str {
    match agent.life {
        _ if agent.access != Access::Readable => "not readable here",
        _ if agent.is_offline() => "offline",
        AgentLife::Alive => "heard",
        AgentLife::Stopped => "stopped",
        AgentLife::Stale => "not heard",
        AgentLife::Unseen => "never heard",
    }
}

fn agent(agent: &AgentView) -> AgentRow {
    AgentRow {
        id: agent.space,
        name: agent.label.clone(),
        state: agent_state(agent),
        presence: agent.presence,
        seen: agent.seen,
    }
}

/// The notes of a System that its index lists.
pub(super) fn notes(system: &SystemView) -> Vec<NoteRow> {
    system.notes.iter().filter_map(note).collect()
}

fn note(note: &NoteView) -> Option<NoteRow> {
    let id: NoteId = note.note?;
    Some(NoteRow {
        id,
        title: note.title.clone(),
        kind: note.kind,
        made: id.at(),
        text: note.text.clone(),
    })
}

/// The timelines as one, newest first.
pub(super) fn timeline(snapshot: &Snapshot) -> Vec<TimelineRow> {
    let items = snapshot.timeline.iter();
    items.map(|item| timeline_row(snapshot, item)).collect()
}

/// An entry of a timeline.
pub(crate) fn timeline_row(snapshot: &Snapshot, item: &TimelineItem) -> TimelineRow {
    let (kind, severity, text) = said(&item.event);
    let text = match snapshot.about(item) {
        Some(name) => format!("{name}: {text}"),
        None => text,
    };
    let who = match &item.event {
        // It says so itself.
        TimelineEvent::AgentStarted { host, .. } if *host == item.who => "",
        _ => item.who.as_str(),
    };
    TimelineRow {
        entry: Some(item.id),
        at: item.at,
        system: item.system,
        title: snapshot
            .system(&item.system)
            .map(|system| system.title.clone())
            .unwrap_or_default(),
        kind,
        severity,
        text,
        who: who.to_owned(),
    }
}

/// What an agent did on what is desired.
fn acted(run: &DesiredRun) -> String {
    let (path, action) = (&run.path, &run.action);
    let generation: String = run
        .generation
        .chars()
        .take(GENERATION_SHOWN_CHARS)
        .collect();
    let how = match &run.outcome {
        Outcome::Exit(0) => "done".to_owned(),
        Outcome::Exit(code) => format!("failed with exit code {code}"),
        Outcome::Signal(signal) => format!("was ended by signal {signal}"),
        Outcome::TimedOut => "took too long and was killed".to_owned(),
        Outcome::Refused(why) => format!("was not run: {why}"),
        Outcome::Unknown => "began, and how it ended is not known".to_owned(),
    };
    let then = match (run.is_done(), run.again) {
        (true, _) => String::new(),
        (false, true) => format!(" (attempt {}, tried again)", run.attempt),
        (false, false) => format!(" (attempt {}, given up until it changes)", run.attempt),
    };
    let detail = run.detail.lines().last().unwrap_or_default();
    let colon = if detail.is_empty() { "" } else { ": " };
    format!("desired {path} at {generation}: {action} {how}{then}{colon}{detail}")
}

fn said(event: &TimelineEvent) -> (&'static str, Option<Severity>, String) {
    match event {
        TimelineEvent::Transition {
            name,
            from,
            to,
            summary,
            attempt,
            ..
        } => {
            let attempt = match attempt {
                (_, 0 | 1) => String::new(),
                _ if to.is_ok() => String::new(),
                (attempt, attempts) => format!(" (attempt {attempt} of {attempts})"),
            };
            (
                "transition",
                Some(*to),
                format!("{name}: {from} → {to}{attempt}  {summary}"),
            )
        }
        TimelineEvent::AgentStarted { host, version } => {
            ("agent", None, format!("agent {version} began on {host}"))
        }
        TimelineEvent::AgentStopped => ("agent", None, "agent stopped".to_owned()),
        TimelineEvent::AgentRemoved { name } => {
            ("agent", None, format!("agent {name} was removed"))
        }
        TimelineEvent::Quiet(quiet) => ("quiet", None, super::quiet_words::words(quiet)),
        TimelineEvent::NoteEdited { title } => ("note", None, format!("wrote in the note {title}")),
        TimelineEvent::Message(message) => ("message", None, message.text.clone()),
        TimelineEvent::Deployment(deployment) => (
            "deployment",
            None,
            format!("deployed {} {}", deployment.title, deployment.reference)
                .trim_end()
                .to_owned(),
        ),
        TimelineEvent::Acknowledgement(known) => (
            "acknowledgement",
            None,
            format!("acknowledged: {}", known.text),
        ),
        TimelineEvent::Notification(receipt) => ("notification", None, told(receipt)),
        TimelineEvent::DesiredRun(run) => ("desired", None, acted(run)),
        TimelineEvent::Claim(claim) => ("claim", None, format!("works on it: {}", claim.text)),
        TimelineEvent::Withdrawal(back) if back.text.is_empty() => (
            "withdrawal",
            None,
            "took back an acknowledgement or a claim".to_owned(),
        ),
        TimelineEvent::Withdrawal(back) => (
            "withdrawal",
            None,
            format!("took back an acknowledgement or a claim: {}", back.text),
        ),
        TimelineEvent::Membership { name, what } => {
            let (kind, text) = access_words(name, what);
            (kind, None, text)
        }
        TimelineEvent::Unknown(entry) => (
            "unknown",
            None,
            format!("written by a newer program ({} bytes)", entry.len_bytes),
        ),
        _ => ("unknown", None, "written by a newer program".to_owned()),
    }
}

fn access_words(name: &str, what: &Membership) -> (&'static str, String) {
    let text = match what {
        Membership::Opened { reason } => {
            return (
                "emergency",
                format!("opened by the emergency key: {reason}"),
            );
        }
        Membership::Given { may, end, .. } => {
            let may = super::capability_word(*may);
            format!("{name} may {may} until {}", crate::cli::local(*end))
        }
        Membership::Ended { reason, lost, .. } => {
            let lost = if *lost { "the device was lost" } else { "" };
            let ended = format!("the access of {name} was ended");
            let why = [lost, reason].into_iter().filter(|it| !it.is_empty());
            let said: Vec<_> = std::iter::once(ended.as_str()).chain(why).collect();
            said.join(": ")
        }
        Membership::Expired => format!("the access of {name} ended by itself"),
        Membership::TwoHistories => format!(
            "two histories were signed by {name}: it was restored from a copy, or its key is in two hands"
        ),
    };
    ("access", text)
}

/// Who was told, or was not.
fn told(receipt: &Receipt) -> String {
    let Receipt {
        receiver,
        target,
        detail,
        ..
    } = receipt;
    match receipt.stage {
        Stage::Sent => format!("told {receiver} through {target}: {detail}"),
        Stage::Failed => format!("did not reach {receiver} through {target}: {detail}"),
        Stage::Unsure => format!("may have reached {receiver} through {target}: {detail}"),
        Stage::Trying { .. } => format!("is telling {receiver} through {target}: {detail}"),
    }
}

/// Every transition here: its System, entry and time.
pub(crate) fn transitions(
    snapshot: &Snapshot,
) -> impl Iterator<Item = (SpaceId, EntryId, Timestamp)> + '_ {
    snapshot
        .systems
        .iter()
        .flat_map(|system| &system.timeline)
        .filter(|item| matches!(item.event, TimelineEvent::Transition { .. }))
        .map(|item| (item.system, item.id, item.at))
}
