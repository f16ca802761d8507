//! Alerts: conditions that people work on, from their beginning to their end.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::day::{Days, Present};
use crate::evidence::AgentEvidence;
use crate::id::{CheckId, EntryId, ItemId};
use crate::journal::Try;
use crate::observer::SeenFrom;
use crate::perfdata::Metric;
use crate::severity::Severity;
use crate::snapshot::WasObserved;

/// For how many days a resolved alert is shown.
pub const RESOLVED_DAYS: u32 = 14;
/// How many resolved alerts of one check are shown, the newest.
pub const RESOLVED_OF_CHECK_MAX: usize = 16;
/// Over how many days the strip of an alert goes, with today.
pub const STRIP_DAYS: u32 = 90;
/// How many digits of an id tell alerts apart on a screen.
const SHORT_LEN_CHARS: usize = 8;

/// An alert; the same facts give the same id on every replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertId(pub [u8; 32]);

impl AlertId {
    /// The alert of a System's check that something opened: the id of the entry that did.
    pub(crate) fn of(system: &SpaceId, check: &CheckId, opened_by: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki alert id v1");
        hasher.update(system.as_bytes());
        hasher.update(check.as_bytes());
        hasher.update(opened_by);
        Self(*hasher.finalize().as_bytes())
    }

    /// The first digits, for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(SHORT_LEN_CHARS).collect()
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlertId({})", self.short())
    }
}

/// Text that is not the id of an alert.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not the id of an alert: 64 hexadecimal digits are expected")]
pub struct AlertIdError;

impl FromStr for AlertId {
    type Err = AlertIdError;

    fn from_str(text: &str) -> Result<Self, AlertIdError> {
        // The same form as that of a Space.
        let space: SpaceId = text.parse().map_err(|_not_hexadecimal| AlertIdError)?;
        Ok(Self(*space.as_bytes()))
    }
}

/// The name under which people acknowledge, claim and silence that an agent is not heard: no check
/// has it, so programs that know nothing of such alerts take it for one that is not there.
pub fn agent_check(agent: &SpaceId) -> CheckId {
    CheckId::from_bytes(stand_in(
        "aramaki agent that is not heard v1",
        agent.as_bytes(),
    ))
}

/// Sixteen bytes that stand for something else where a check is named.
pub(crate) fn stand_in(context: &str, what: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(what);
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(hasher.finalize().as_bytes()) {
        *place = *byte;
    }
    bytes
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertKind {
    /// A check that is not OK.
    Problem,
    /// A check without a fresh result, though its agent was heard when that was due.
    Missing,
    /// An agent that is not heard any more: one alert instead of one for each of its checks.
    Silent {
        /// The agent's own Space.
        agent: SpaceId,
    },
}

/// How far people are with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// It is there.
    Open,
    /// It is there, and somebody knows.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl AlertState {
    /// One lower-case English word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Somebody knows of it. Several at once are all kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The entry, by which it can be taken back.
    pub entry: EntryId,
    /// When, by their clock.
    pub at: Timestamp,
    /// Whose device; none when that is not known here.
    pub who: Option<AuthorId>,
    /// What they are called here.
    pub name: String,
    /// Why it may stay so.
    pub text: String,
    /// Until when; none: until it recovers.
    pub until: Option<Timestamp>,
    /// Whether it holds now; one that ended by itself is still shown.
    pub holds: bool,
}

/// Somebody works on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The entry, by which it can be released.
    pub entry: EntryId,
    /// When, by their clock.
    pub at: Timestamp,
    /// Whose device; none when that is not known here.
    pub who: Option<AuthorId>,
    /// What they are called here.
    pub name: String,
    /// What they said.
    pub text: String,
    /// Until when.
    pub until: Timestamp,
    /// Whether it holds now.
    pub holds: bool,
}

/// What keeps it from being told now, besides an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A silence.
    Silence {
        /// The item in the System's document.
        item: ItemId,
        /// Why.
        reason: String,
        /// Until when at the latest.
        until: Timestamp,
        /// What of the System is quiet, in the words of the silence; see `Silence::until_resolved`
        /// for whether it ends with the alert.
        until_resolved: bool,
        /// Who wrote it last, as they are called here; empty when not known.
        name: String,
    },
    /// A maintenance window that is open.
    Maintenance {
        /// The item in the System's document.
        item: ItemId,
        /// What is done.
        reason: String,
        /// When the window closes.
        until: Timestamp,
        /// Who wrote it last, as they are called here; empty when not known.
        name: String,
    },
    /// Something that the System uses is broken itself, and told of by another alert.
    Inhibited {
        /// The way from this System to the one with that alert: this one first.
        path: Vec<SpaceId>,
        /// That alert.
        by: AlertId,
    },
}

/// A System that an alert concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// The System.
    pub system: SpaceId,
    /// The shortest way down: this System first, the one with the alert last.
    pub path: Vec<SpaceId>,
    /// Whether a silence with its subtree, of a System on the way, keeps it quiet here.
    pub is_quiet: bool,
}

/// A name with the machine that it is about, where there is one to tell apart.
pub(crate) fn on_machine<'a>(name: &'a str, machine: Option<&str>) -> Cow<'a, str> {
    machine.map_or(Cow::Borrowed(name), |machine| {
        Cow::Owned(format!("{name} ({machine})"))
    })
}

/// A condition that people work on.
///
/// Derived from facts and a clock, never stored. What an agent told makes the same alert on every
/// replica that has it. That something is *not* heard is known only where somebody listened, so
/// [`AlertKind::Missing`] and [`AlertKind::Silent`] come and go with what is heard here, leave no
/// resolved alert behind, and have the same id again when the same thing begins again before
/// anything was written: whoever told people of its end tells them again.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Which System.
    pub system: SpaceId,
    /// The System's title.
    pub title: String,
    /// What is wrong.
    pub kind: AlertKind,
    /// Which check; for an agent [`agent_check`].
    pub check: CheckId,
    /// What the check, or the agent, is called.
    pub name: String,
    /// The same for all problems of this sort, wherever and whenever: `family::family`.
    pub family: String,
    /// How far people are with it.
    pub state: AlertState,
    /// How bad it is; when resolved, how bad it was last.
    pub severity: Severity,
    /// How bad it was at its worst.
    pub worst: Severity,
    /// The same as `severity` after acknowledgements, silences and maintenance: OK when somebody
    /// knows or it is to be quiet, and when it is over. Inhibition does not change it.
    pub effective: Severity,
    /// When it began.
    pub opened: Timestamp,
    /// From when it is sure enough to wake somebody: what is only not heard is told by who listened for
    /// as long as silence may last. None while nobody did.
    pub sure_from: Option<Timestamp>,
    /// Since when it is as bad as it is.
    pub since: Timestamp,
    /// When it ended.
    pub resolved: Option<Timestamp>,
    /// The last sign of the check or agent.
    pub seen: Option<Timestamp>,
    /// Whether that is too old: it may have changed since, and nothing is heard.
    pub is_stale: bool,
    /// Who knows, oldest first.
    pub acknowledgements: Vec<Acknowledged>,
    /// Who works on it, oldest first.
    pub claims: Vec<Claimed>,
    /// What keeps it from being told now, and why.
    pub holds: Vec<Hold>,
    /// Whether the check changes too often: for review, not for a pager.
    pub is_flapping: bool,
    /// What the check said last about it; of an agent or a check without result, what it said last.
    pub summary: String,
    /// Evidence: further lines.
    pub detail: String,
    /// What agents keep of it whole, if that is more: of the last change, and of the problem's beginning.
    pub evidence: Vec<AgentEvidence>,
    /// Values measured at the last change.
    pub metrics: Vec<Metric>,
    /// Results in a row with this state, counted by the check's interval from the last change to
    /// the last sign: results are not written, changes are.
    pub occurrences: u32,
    /// The longest such row of this alert, kept when it is resolved.
    pub watermark: u32,
    /// When the check was first known not to be OK.
    pub first_seen: Option<Timestamp>,
    /// When it was last OK, as far as known.
    pub last_ok: Option<Timestamp>,
    /// How often the check became a problem within the strip.
    pub flaps: u32,
    /// Hard states of the check within the last [`STRIP_DAYS`] days, oldest first, and the last one
    /// before: always broken, or just happened?
    pub transitions: Vec<(Timestamp, Severity)>,
    /// With what it began, before it counted, oldest first.
    pub tries: Vec<Try>,
    /// What is known of the days of the check.
    pub days: Arc<Days>,
    /// What is known of it now.
    pub present: Present,
    /// The machine, if it alone has the check and its System has others beside it.
    pub machine: Option<String>,
    /// What each agent that looks sees, if several do.
    pub vantages: Vec<(SpaceId, Severity)>,
    /// Who saw it, if that agent was removed since: it ended then at the latest, as nobody looks any more.
    pub was_observed: Option<WasObserved>,
    /// From where it is seen, if agents of other Systems look; `vantages` is empty then.
    pub seen_from: Vec<SeenFrom>,
    /// Of an agent that is not heard: Systems of others that nothing else looks at for some check now.
    pub blind: BTreeSet<SpaceId>,
    /// Whom it concerns: the System itself, then all that reach it, nearest first; then Systems that are blind
    /// because of it, and all that reach those.
    pub concerns: Arc<[Concern]>,
}

impl Alert {
    /// What it is called among others: with the machine that it is about, where there are several.
    pub fn called(&self) -> Cow<'_, str> {
        on_machine(&self.name, self.machine.as_deref())
    }

    /// Whether it ended because nobody looks any more, and not because it is over.
    pub fn was_left(&self) -> bool {
        let Some(end) = self.resolved else {
            return false;
        };
        let was = self.was_observed.as_ref().map(|was| was.until);
        was == Some(end) || self.transitions.contains(&(end, Severity::Missing))
    }

    /// Whether it is there.
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, AlertState::Resolved)
    }

    /// Whether it asks for somebody: open, and nobody knows, nothing keeps it quiet.
    pub const fn needs_attention(&self) -> bool {
        self.is_open() && !self.effective.is_ok()
    }

    /// Whether people may be told that it began: nothing that holds now is against it. Somebody who
    /// was told of it is told of its end in any case.
    pub fn may_notify(&self) -> bool {
        self.needs_attention() && self.holds.is_empty() && !self.is_flapping
    }

    /// Who works on it now.
    pub fn claimed_by(&self) -> impl Iterator<Item = &Claimed> {
        self.claims.iter().filter(|claim| claim.holds)
    }

    /// What suppresses it: another alert of something that the System uses.
    pub fn inhibited_by(&self) -> Option<AlertId> {
        self.holds.iter().find_map(|hold| match hold {
            Hold::Inhibited { by, .. } => Some(*by),
            Hold::Silence { .. } | Hold::Maintenance { .. } => None,
        })
    }

    /// The order of a worklist: what asks for somebody first, the worst, then the oldest; what is
    /// over last, the newest first.
    pub fn order(&self) -> impl Ord + use<> {
        let over = self.resolved.map(Reverse);
        let severity = (Reverse(self.effective), Reverse(self.severity));
        (over, severity, self.opened, self.id)
    }
}
