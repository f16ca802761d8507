//! What a window or a terminal shows: plain values, derived from all documents and a clock.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};

use crate::alert::{Alert, AlertId, agent_check, on_machine};
use crate::check::Check;
use crate::day::Days;
use crate::desired::{Desired, DesiredPath, DesiredRun};
use crate::entry::{Acknowledgement, Claim, Deployment, Message, UnknownEntry, Withdrawal};
use crate::finding::Finding;
use crate::graph::{Concerned, Graph, Relation};
use crate::id::{CheckId, EntryId, ItemId, NoteId};
use crate::maintenance::Maintenance;
use crate::membership::Membership;
use crate::note_edit::NoteVersion;
use crate::notify::{OnCallOverride, Policy, Receipt};
use crate::observer::{ObserverView, OtherCheck, SeenFrom};
use crate::presence::Presence;
use crate::quiet::Quiet;
use crate::rollup::{Operator, Override};
use crate::selector::Selector;
use crate::service::ServiceClaim;
use crate::severity::{Severity, SeverityCounts};
use crate::shared_list::SharedList;
use crate::status::{AgentLife, CheckStatus};
use crate::system::{Conflict, Contact, Dashboard, NoteKind, Rule, Silence};

/// How many timeline items of a System, and of all together, a snapshot holds.
pub const TIMELINE_ITEMS_MAX: usize = 500;
/// How many days the history strip has.
pub const HISTORY_DAYS: usize = 30;

/// Everything that can be seen here at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// When: the clock that was passed in.
    pub now: Timestamp,
    /// The Workspace's version that it shows.
    pub version: u64,
    /// Every System that can be read here, by title.
    pub systems: SharedList<Arc<SystemView>>,
    /// Categories by name, each with its anchors: worst first, then by title.
    pub categories: Vec<CategoryView>,
    /// How many anchors are in each effective state.
    pub counts: SeverityCounts,
    /// All timelines merged, newest first.
    pub timeline: Vec<Arc<TimelineItem>>,
    /// What was ignored, and why.
    pub findings: SharedList<Finding>,
    /// What people work on: open alerts and those resolved lately, in the order of a worklist
    /// ([`Alert::order`]). None of Systems that cannot be read here.
    pub alerts: SharedList<Arc<Alert>>,
    /// The graph behind it.
    pub graph: Arc<Graph>,
    /// Where in `systems` each one stands.
    pub(crate) places: Arc<BTreeMap<SpaceId, usize>>,
}

impl Snapshot {
    /// A System by its Space.
    pub fn system(&self, space: &SpaceId) -> Option<&SystemView> {
        let place = self.places.get(space)?;
        self.systems.get(*place).map(Arc::as_ref)
    }

    /// An alert by its id.
    pub fn alert(&self, id: &AlertId) -> Option<&Arc<Alert>> {
        self.alerts.iter().find(|alert| alert.id == *id)
    }

    /// The alert that an entry of a timeline opened, if it is shown.
    pub fn opened_by(&self, item: &TimelineItem) -> Option<&Arc<Alert>> {
        let TimelineEvent::Transition { check, .. } = &item.event else {
            return None;
        };
        self.alert(&AlertId::of(&item.system, check, item.id.as_bytes()))
    }

    /// What an acknowledgement or a claim is of, also one that was taken back: a check or an agent. None for what is of
    /// all that was open then, and for entries of other kinds.
    pub fn about(&self, item: &TimelineItem) -> Option<Cow<'_, str>> {
        let system = self.system(&item.system)?;
        let check = match &item.event {
            TimelineEvent::Withdrawal(back) => {
                let mut taken = system.timeline.iter();
                let taken = taken.find(|taken| taken.id == back.entry)?;
                said_of(&taken.event)
            }
            event => said_of(event),
        };
        system.called(&check?)
    }

    /// Whom a problem of a System concerns, each once, with the way to it.
    pub fn concerned(&self, space: SpaceId) -> Vec<Concerned> {
        self.graph.concerned(space)
    }

    /// The timelines of some Systems merged, newest first.
    pub fn timeline_of(&self, spaces: &[SpaceId]) -> Vec<&Arc<TimelineItem>> {
        let chosen = self
            .systems
            .iter()
            .filter(|system| spaces.contains(&system.space));
        let mut items: Vec<_> = chosen.flat_map(|system| &system.timeline).collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.order()));
        items
    }
}

/// Of which check people say something; none if of none alone.
const fn said_of(event: &TimelineEvent) -> Option<CheckId> {
    match event {
        TimelineEvent::Acknowledgement(said) => said.check,
        TimelineEvent::Claim(said) => said.check,
        _ => None,
    }
}

/// Systems at the top with one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryView {
    /// The team's word; empty for Systems without one.
    pub name: String,
    /// Its anchors.
    pub anchors: Vec<SpaceId>,
}

/// A System.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemView {
    /// Its Space.
    pub space: SpaceId,
    /// Its name; a short form of its id while it has none.
    pub title: String,
    /// The team's own word for what it is.
    pub category: String,
    /// What it is for.
    pub purpose: String,
    /// Where it stands in the overview.
    pub rank: Rank,
    /// Its states.
    pub status: StatusView,
    /// Checks of it and of everything below it that can be read, in each raw state.
    pub counts: SeverityCounts,
    /// How many Systems below it cannot be read here.
    pub unreadable_parts: u32,
    /// How it sums up its parts.
    pub aggregation: Operator,
    /// Its parts and what it uses, worst first.
    pub parts: Vec<PartView>,
    /// Who lists it and can be read here, by title.
    pub aggregates: Vec<(SpaceId, String)>,
    /// What may be done without asking: freely first.
    pub rules: Vec<(ItemId, Rule)>,
    /// Whom to ask.
    pub contacts: Vec<(ItemId, Contact)>,
    /// Where to look.
    pub dashboards: Vec<(ItemId, Dashboard)>,
    /// Its notes, by title.
    pub notes: Vec<NoteView>,
    /// Its checks, worst first.
    pub checks: Vec<CheckView>,
    /// Checks that were removed from it.
    pub former_checks: Vec<FormerCheck>,
    /// Checks that its agents look at for other Systems, worst first: they count there.
    pub for_others: Vec<OtherCheck>,
    /// Whom it lets look, by name.
    pub observers: Vec<ObserverView>,
    /// Its own alerts, in the order of a worklist.
    pub alerts: Vec<Arc<Alert>>,
    /// Who observes it.
    pub agents: Vec<AgentView>,
    /// What is quiet, running or to come.
    pub silences: Vec<(ItemId, Silence)>,
    /// When problems are expected, now or at other times.
    pub maintenance: Vec<(ItemId, Maintenance)>,
    /// Whom to tell of its problems and of those below it; none when nobody said.
    pub policy: Option<Arc<Policy>>,
    /// Who is on call instead, for a time.
    pub on_call: BTreeMap<ItemId, OnCallOverride>,
    /// What of the policy could not be read.
    pub policy_unread: Vec<String>,
    /// What people call whoever uses a device.
    pub people: BTreeMap<AuthorId, String>,
    /// Why grants were given: the word of whoever may write here.
    pub reasons: BTreeMap<EnvelopeId, String>,
    /// Why grants were ended: the same.
    pub revoked: BTreeMap<EnvelopeId, String>,
    /// What selectors ask for.
    pub labels: BTreeMap<String, String>,
    /// What should be so, by path.
    pub desired: Arc<BTreeMap<DesiredPath, Desired>>,
    /// Proposed checks that nobody wants, with their names.
    pub ignored: Arc<BTreeMap<CheckId, String>>,
    /// Which Systems are its parts besides those that it lists.
    pub selector: Option<Selector>,
    /// When it was known last that a check is looked at no more, and what stands for an agent that was removed.
    pub ended: BTreeMap<CheckId, Timestamp>,
    /// What happened to it, newest first.
    pub timeline: Vec<Arc<TimelineItem>>,
    /// The worst state of its checks and of those below it on each of the last [`HISTORY_DAYS`]
    /// days in UTC, oldest first; Missing where nothing is known.
    pub history: Vec<Severity>,
    /// What several people wrote at once.
    pub conflicts: Vec<Conflict>,
}

impl SystemView {
    /// What a check is or was called, or an agent, where one stands for a check: also what nobody looks at any more.
    pub fn called(&self, check: &CheckId) -> Option<Cow<'_, str>> {
        let mut agents = self.agents.iter();
        if let Some(agent) = agents.find(|agent| agent_check(&agent.space) == *check) {
            return Some(Cow::Borrowed(&agent.label));
        }
        let (machine, name) = self.name_of(check)?;
        Some(on_machine(name, machine))
    }

    /// The machine of a check, if it alone has or had it and others are beside it, and its name.
    pub(crate) fn name_of(&self, check: &CheckId) -> Option<(Option<&str>, &str)> {
        let mut here = self.checks.iter();
        if let Some(view) = here.find(|view| view.check.id == *check) {
            return Some((view.machine.as_deref(), &view.check.name));
        }
        let of_machine = self.agents.iter().find_map(|agent| {
            let mut former = agent.former.iter();
            let (_, name) = former.find(|(id, _)| id == check)?;
            let machine = Some(agent.label.as_str()).filter(|_| self.agents.len() > 1);
            Some((machine, name.as_str()))
        });
        let mut removed = self.former_checks.iter();
        let removed = removed.find(|former| former.id == *check);
        let removed = removed.map(|former| {
            let machine = former.machine.as_deref();
            let beside = !self.agents.is_empty();
            (machine.filter(|_| beside), former.name.as_str())
        });
        of_machine.or(removed)
    }
}

/// Where a System stands in the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// At the top: nothing that can be read here lists it, or it was put there.
    Anchor,
    /// Below another.
    Below,
}

/// The states of a System.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    /// Its own checks, and that agents of its own are missed; none when it has neither.
    pub own: Option<Severity>,
    /// Checks and parts; Missing when nothing is observed.
    pub raw: Severity,
    /// The same after acknowledgements and silences.
    pub effective: Severity,
    /// Whether anything in it or below it is observed.
    pub observed: Observed,
    /// Since when it is as bad as it is, as far as known.
    pub since: Option<Timestamp>,
    /// The moment of which it tells, when nobody listened since to an agent that looks at it or at
    /// something below; none while what is shown is how it is now.
    pub as_of: Option<Timestamp>,
    /// The way to what makes it as bad as it is: itself first, titles or labels.
    pub worst_path: Vec<(SpaceId, String)>,
    /// The check at the end of the way and what it says, or the agent that is not heard.
    pub cause: Option<Cause>,
}

impl StatusView {
    /// Whether it is so bad because nothing is heard any more: the end of [`StatusView::words`] is old then.
    pub fn is_silent(&self) -> bool {
        let cause = self.cause.as_ref();
        cause.is_some_and(|cause| cause.heard.is_some() || cause.severity == Severity::Missing)
    }

    /// Whether it is so because nothing was ever heard of a check.
    pub fn is_unseen(&self) -> bool {
        let cause = self.cause.as_ref().filter(|_| self.is_silent());
        let is_nothing = |severity: Severity| severity == Severity::Missing;
        cause.is_some_and(|it| it.summary.is_empty() && !it.is_agent && is_nothing(it.severity))
    }

    /// When that was heard last which makes it so bad, if it was a problem then: nobody knows that it is over.
    pub fn stood_at(&self) -> Option<Timestamp> {
        let cause = self.cause.as_ref();
        let stands = cause.filter(|cause| cause.severity > Severity::Missing);
        stands.and_then(|cause| cause.heard)
    }

    /// Whether it is so because an agent is not heard, and no check is worse or as bad.
    pub fn is_agent_missed(&self) -> bool {
        let cause = self.cause.as_ref();
        cause.is_some_and(|cause| cause.is_agent)
    }

    /// The way and its end in one line: `checkout → db02: replication: lag 41 s`.
    pub fn words(&self) -> String {
        let names: Vec<_> = self
            .worst_path
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        let way = names.join(" → ");
        match &self.cause {
            Some(cause) if cause.summary.is_empty() => format!("{way}: {}", cause.check),
            Some(cause) => format!("{way}: {}: {}", cause.check, cause.summary),
            None => way,
        }
    }
}

/// Whether anything looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A check in it or below it, or a part that cannot be read.
    Yes,
    /// Nothing is looked at.
    No,
}

/// Why a System is as bad as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The check's name, or the agent's.
    pub check: String,
    /// Its state.
    pub severity: Severity,
    /// What it said last.
    pub summary: String,
    /// Whether it is an agent that is not heard, and no check.
    pub is_agent: bool,
    /// When it was heard last, if it is not heard now: what was open then is open still.
    pub heard: Option<Timestamp>,
}

/// A problem that was open when its check was heard last: that it is over nobody knows, so it counts still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How bad it was.
    pub severity: Severity,
    /// The same after what people said of it.
    pub effective: Severity,
    /// Since when.
    pub since: Timestamp,
}

/// A part, or something that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartView {
    /// Which System.
    pub space: SpaceId,
    /// Its title, or what the aggregate calls it when it cannot be read.
    pub label: String,
    /// What the edge says.
    pub relation: Relation,
    /// Whether it can be read here.
    pub access: Access,
    /// Its raw state as taken here; none when nothing in it is observed.
    pub raw: Option<Severity>,
    /// Its effective state as taken here.
    pub effective: Option<Severity>,
    /// How its states are taken.
    pub overrides: Override,
}

/// Whether something can be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is open here.
    Readable,
    /// It is not shared with this device, or unknown: counted, never guessed.
    NotShared,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteView {
    /// Its name; none when the System's index does not list it.
    pub note: Option<NoteId>,
    /// Its document.
    pub document: DocumentId,
    /// Its title, or its first line.
    pub title: String,
    /// What it is for.
    pub kind: NoteKind,
    /// Markdown.
    pub text: String,
    /// The version that this text is of: what an edit of it names as its base.
    pub version: NoteVersion,
}

/// A check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckView {
    /// What is looked at.
    pub check: Check,
    /// Its states.
    pub status: CheckStatus,
    /// Its open alert, if its problem's beginning is known.
    pub alert: Option<AlertId>,
    /// The problem that is open though nothing is heard of it, if that is worse than its state.
    pub stands: Option<Standing>,
    /// What it said last.
    pub summary: String,
    /// Further lines.
    pub detail: String,
    /// Whether it changes too often.
    pub flapping: bool,
    /// When it was last OK, as far as known.
    pub last_ok: Option<Timestamp>,
    /// Hard states by time, oldest first.
    pub history: Vec<(Timestamp, Severity)>,
    /// What is known of its days.
    pub days: Arc<Days>,
    /// The machine, if it alone has the check and its System has others beside it.
    pub machine: Option<String>,
    /// What each agent that looks sees, if several do; how many must agree is [`Check::quorum`].
    pub vantages: Vec<(SpaceId, Severity)>,
    /// From where it is seen, if agents of other Systems look: each vantage that counts. `vantages` is
    /// empty then.
    pub seen_from: Vec<SeenFrom>,
    /// Who looked last and was removed, if nobody looked since.
    pub was_observed: Option<WasObserved>,
}

/// A check that was removed from its System, or what stands for an agent that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerCheck {
    /// Which.
    pub id: CheckId,
    /// What it was called.
    pub name: String,
    /// The machine that alone had it, if one had.
    pub machine: Option<String>,
    /// Whether it is an agent.
    pub is_agent: bool,
    /// When it was removed, by the clock of who did.
    pub removed: Timestamp,
}

/// Somebody looked at a check, until it or the agent was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WasObserved {
    /// What the machine was called.
    pub by: String,
    /// When the check or its agent was removed.
    pub until: Timestamp,
}

/// A result that does not count yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "people say attempt 2 of 3")]
pub struct Attempt {
    /// What came.
    pub raw: Severity,
    /// What counts.
    pub hard: Severity,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How many make it count.
    pub attempts: u32,
}

impl CheckView {
    /// How bad it is for its System: a problem that was open when nothing was heard any more is one still.
    pub fn worst(&self) -> Severity {
        let stands = self.stands.map(|stands| stands.severity);
        stands.map_or(self.status.raw, |it| it.max(self.status.raw))
    }

    /// The same after what people said.
    pub fn worst_effective(&self) -> Severity {
        let stands = self.stands.map(|stands| stands.effective);
        stands.map_or(self.status.effective, |it| it.max(self.status.effective))
    }

    /// Since when it is so bad.
    pub fn worst_since(&self) -> Option<Timestamp> {
        self.stands.map(|stands| stands.since).or(self.status.since)
    }

    /// What it is called among others: with the machine that it is about, where there are several.
    pub fn called(&self) -> Cow<'_, str> {
        on_machine(&self.check.name, self.machine.as_deref())
    }

    /// The last result, while it does not count yet.
    pub fn attempt(&self) -> Option<Attempt> {
        let (raw, hard) = (self.status.soft?, self.status.last?);
        let attempts = self.check.attempts.max(1);
        Some(Attempt {
            raw,
            hard,
            attempt: self.status.attempt?.clamp(1, attempts),
            attempts,
        })
    }
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// Its Space.
    pub space: SpaceId,
    /// The machine's name.
    pub label: String,
    /// Whether its Space can be read here.
    pub access: Access,
    /// Whether it is heard of, or was at `as_of`.
    pub life: AgentLife,
    /// Whether it is expected to be heard of at all times.
    pub presence: Presence,
    /// Up to when this replica would have heard it; none while it would hear it now.
    pub as_of: Option<Timestamp>,
    /// The last sign of it.
    pub seen: Option<Timestamp>,
    /// The configuration that it works by.
    pub generation: Option<u64>,
    /// The program's version.
    pub version: Option<String>,
    /// The last sign of it that is not in the future: a wrong clock keeps no lease.
    pub heard: Option<Timestamp>,
    /// Services that it says run on its machine, by name.
    pub services: Vec<ServiceClaim>,
    /// What it last did on what is desired, by path.
    pub desired: Vec<DesiredRun>,
    /// When it was heard again after it was not for long, if that was heard here.
    pub back: Option<Timestamp>,
    /// How many checks of the System it last told not to be OK.
    pub failing: u32,
    /// What checks were called that only its machine had, and at which it looks no more.
    pub former: Vec<(CheckId, String)>,
}

impl AgentView {
    /// Whether it is not heard of, and need not be: a laptop that is shut.
    pub fn is_offline(&self) -> bool {
        let is_away = matches!(self.life, AgentLife::Stale | AgentLife::Stopped);
        is_away && self.presence == Presence::MayBeOffline
    }

    /// Since when it is not heard of: of one that is silent or said that it stops, its last sign. None while it is
    /// heard of, or nobody here would have heard it for long enough; also of one that never was.
    pub fn unheard_since(&self) -> Option<Timestamp> {
        match self.life {
            AgentLife::Stale | AgentLife::Stopped => self.heard.or(self.seen),
            AgentLife::Alive | AgentLife::Unseen => None,
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineItem {
    /// When, as its writer says.
    pub at: Timestamp,
    /// To which System.
    pub system: SpaceId,
    /// Its entry.
    pub id: EntryId,
    /// Who wrote it.
    pub author: Option<AuthorId>,
    /// What they are called here, or the machine; empty when not known.
    pub who: String,
    /// What.
    pub event: TimelineEvent,
}

impl TimelineItem {
    /// The order of a merged timeline.
    pub fn order(&self) -> (Timestamp, EntryId, SpaceId, Option<AuthorId>) {
        (self.at, self.id, self.system, self.author)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TimelineEvent {
    /// A check's state that counts changed.
    Transition {
        /// Which check.
        check: CheckId,
        /// What it is called.
        name: String,
        /// The state before.
        from: Severity,
        /// The state after.
        to: Severity,
        /// What the check said.
        summary: String,
        /// The attempt that made it count, and how many there are.
        attempt: (u32, u32),
    },
    /// An agent began to observe.
    AgentStarted {
        /// On which machine.
        host: String,
        /// Its version.
        version: String,
    },
    /// An agent stopped in good order.
    AgentStopped,
    /// An agent was taken out of the System.
    AgentRemoved {
        /// What it was called.
        name: String,
    },
    /// A silence or a maintenance window began or ended.
    Quiet(Quiet),
    /// A few words.
    Message(Message),
    /// Somebody wrote in a note: the last time alone, of each note that is there.
    NoteEdited {
        /// Which note.
        title: String,
    },
    /// Something was deployed or configured.
    Deployment(Deployment),
    /// Somebody knows of a problem.
    Acknowledgement(Acknowledgement),
    /// Somebody works on it.
    Claim(Claim),
    /// An acknowledgement or a claim was taken back.
    Withdrawal(Withdrawal),
    /// Somebody was told of a problem, or could not be.
    Notification(Receipt),
    /// An agent acted on what is desired.
    DesiredRun(DesiredRun),
    /// Somebody's access began or ended.
    Membership {
        /// What they are called.
        name: String,
        /// What became of it.
        what: Membership,
    },
    /// An entry of a newer program.
    Unknown(UnknownEntry),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_of_an_agent_that_is_known_to_be_silent_it_is_said_since_when() {
        let at = Timestamp::from_millis;
        let since = |life, heard| {
            let agent = AgentView {
                space: SpaceId::ZERO,
                label: "m1".to_owned(),
                access: Access::Readable,
                life,
                presence: Presence::Always,
                as_of: None,
                seen: Some(at(9)),
                generation: None,
                version: None,
                heard,
                services: Vec::new(),
                desired: Vec::new(),
                back: None,
                failing: 0,
                former: Vec::new(),
            };
            agent.unheard_since()
        };
        assert_eq!(since(AgentLife::Alive, Some(at(5))), None);
        assert_eq!(since(AgentLife::Unseen, None), None);
        assert_eq!(since(AgentLife::Stale, Some(at(5))), Some(at(5)));
        assert_eq!(since(AgentLife::Stopped, Some(at(5))), Some(at(5)));
        // Its clock is ahead, and nothing else of it is here.
        assert_eq!(since(AgentLife::Stale, None), Some(at(9)));
    }
}
