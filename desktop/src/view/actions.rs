//! What can be run on the hosts of a System, and who did it last.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::action::Parameter;
use aramaki_model::{AlertId, Check, Snapshot, SystemView};
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};

use super::asked::{CHECK_PARAMETER, DISCOVER_ACTION, Proposed, SERIES_ACTION, Values};

/// How long the same counts as just done.
pub const RECENT: Duration = Duration::from_mins(10);

/// What can be run for one System, and what its hosts answered.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemActions {
    /// Which.
    pub system: SpaceId,
    /// By host and name.
    pub actions: Vec<HostAction>,
    /// What checks measured, by their names: what each host answered who asked.
    pub values: BTreeMap<String, Vec<Values>>,
    /// What could be looked at: what each host answered who asked.
    pub proposed: Vec<Proposed>,
    /// What was asked for because of alerts, newest first.
    pub taken: Vec<Taken>,
}

/// An action that somebody asked for because of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the System calls the agent.
    pub host: String,
    /// Which action.
    pub action: String,
    /// Who asked, for which alert, and what came of it.
    pub run: Run,
}

/// The alert for which something was done, as it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutAlert {
    /// Which.
    pub id: AlertId,
    /// Its check; the first digits of its id where it is not known here any more.
    pub name: String,
}

impl AboutAlert {
    /// As a snapshot names it.
    pub fn of(snapshot: &Snapshot, id: AlertId) -> Self {
        let known = snapshot.alert(&id);
        let name = known.map_or_else(|| id.short(), |alert| alert.called().into_owned());
        Self { id, name }
    }
}

/// One action of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAction {
    /// What the System calls the agent.
    pub host: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// How many others must agree.
    pub approvals: u32,
    /// Whether it changes nothing.
    pub is_read_only: bool,
    /// Who asked for it, newest first; the last one that ran is among them.
    pub runs: Vec<Run>,
    /// When its host ran it by itself because something else is desired, newest first.
    pub watched: Vec<Watched>,
}

/// A time that a host ran an action by itself because something else is desired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// When it ended, by the host's clock.
    pub at: Timestamp,
    /// The path that the host watches.
    pub path: String,
    /// What came of it.
    pub came: Came,
    /// The end of its output.
    pub tail: String,
}

/// One time that somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The envelope that carries the request.
    pub id: EnvelopeId,
    /// Who asked.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// For which alert, if for one.
    pub alert: Option<AlertId>,
    /// With which values.
    pub arguments: BTreeMap<String, String>,
    /// What came of it.
    pub came: Came,
    /// The end of its output.
    pub tail: String,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// Nothing yet.
    Waits,
    /// It runs. That an agent *claimed* it is the same: it tells so once its row is on its disk, and begins then.
    Runs,
    /// It is done.
    Done,
    /// It was run and did not succeed, in the words of the agent.
    Failed(String),
    /// It asked to be done in the next maintenance window.
    Postponed,
    /// It was not done in its maintenance window, and is not tried again there.
    Left,
    /// It was begun, and the agent ended before it knew how.
    Lost,
    /// It was begun, the time to answer is over, and its agent has not been heard since: whether and how it ended
    /// nobody knows here. Derived when it is read, as [`Came::Expired`] is.
    Unheard(Timestamp),
    /// It was not run, in the words of the agent.
    Refused(String),
    /// Its time is over, and the agent said nothing: it may be dead or cut off. Derived when it is read; what the
    /// agent says later takes its place.
    Expired,
}

impl Came {
    /// The word for it in `--json`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waits => "requested",
            Self::Runs => "running",
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Postponed => "postponed",
            Self::Left => "left",
            Self::Lost => "unknown",
            Self::Unheard(_) => "unheard",
            Self::Refused(_) => "refused",
            Self::Expired => "expired",
        }
    }

    /// Whether it began: what nobody let run changed nothing.
    pub const fn began(&self) -> bool {
        match self {
            Self::Waits | Self::Refused(_) | Self::Expired => false,
            Self::Runs
            | Self::Done
            | Self::Failed(_)
            | Self::Postponed
            | Self::Left
            | Self::Lost
            | Self::Unheard(_) => true,
        }
    }
}

/// At most so many of what was asked, newest first. What really ran last is among them, however often the same
/// was asked and not run since.
pub fn newest<T>(asked: Vec<T>, most: usize, began: impl Fn(&T) -> bool) -> Vec<T> {
    let ran_at = asked.iter().position(&began);
    let before = most.saturating_sub(1);
    let kept = |place: usize| match ran_at {
        Some(ran_at) if ran_at >= most => place < before || place == ran_at && most > 0,
        _ => place < most,
    };
    let asked = asked.into_iter().enumerate();
    let asked = asked.filter(|(place, _)| kept(*place));
    asked.map(|(_, it)| it).collect()
}

impl HostAction {
    /// Whether it tells what a check measured.
    pub fn tells_values(&self) -> bool {
        let mut parameters = self.parameters.iter();
        let names_check = parameters.any(|it| it.name == CHECK_PARAMETER);
        self.name == SERIES_ACTION && self.is_read_only && names_check
    }

    /// Whether it tells what could be looked at.
    pub fn tells_proposals(&self) -> bool {
        self.name == DISCOVER_ACTION && self.is_read_only
    }

    /// Whether it is asked for at its own place, and not run by name.
    pub fn has_own_place(&self) -> bool {
        self.tells_values() || self.tells_proposals()
    }

    /// A run of the same that is so young, or goes on still, that somebody just did it.
    pub fn just_done(&self, arguments: &BTreeMap<String, String>, now: Timestamp) -> Option<&Run> {
        self.runs.iter().find(|run| {
            let is_same = run.arguments == *arguments;
            let ran = match run.came {
                Came::Waits | Came::Refused(_) | Came::Expired => false,
                // Of a silent agent nobody knows that it does not go on.
                Came::Runs | Came::Unheard(_) => true,
                Came::Done | Came::Failed(_) | Came::Postponed | Came::Left | Came::Lost => {
                    now.since(run.at) < RECENT
                }
            };
            is_same && ran
        })
    }
}

impl SystemActions {
    /// A System whose hosts let nothing be run.
    pub const fn new(system: SpaceId) -> Self {
        Self {
            system,
            actions: Vec::new(),
            values: BTreeMap::new(),
            proposed: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Whether a host lets be asked for what checks measured.
    pub fn tells_values(&self) -> bool {
        self.actions.iter().any(HostAction::tells_values)
    }

    /// Whether a host lets be asked for what could be looked at.
    pub fn tells_proposals(&self) -> bool {
        self.actions.iter().any(HostAction::tells_proposals)
    }

    /// What hosts propose that the System neither looks at nor ignores, each with its host.
    pub fn proposals<'a>(
        &'a self,
        system: &'a SystemView,
    ) -> impl Iterator<Item = (&'a str, &'a Check)> {
        let mut seen = BTreeSet::new();
        let answers = self.proposed.iter();
        let open = answers.flat_map(move |asked| {
            let answer = asked
                .last
                .iter()
                .flat_map(move |(_, answer)| answer.open(system));
            answer.map(move |check| (asked.host.as_str(), check))
        });
        open.filter(move |(_, check)| seen.insert(check.id))
    }

    /// What was asked for because of an alert, newest first.
    pub fn taken_for(&self, alert: AlertId) -> impl Iterator<Item = &Taken> {
        let taken = self.taken.iter();
        taken.filter(move |it| it.run.alert == Some(alert))
    }

    /// What each host answered of a check.
    pub fn values_of(&self, check: &str) -> &[Values] {
        self.values.get(check).map_or(&[], Vec::as_slice)
    }

    /// What ran in a span of time before a moment, newest first. What nobody let run changed
    /// nothing.
    pub fn ran_before(&self, at: Timestamp, span: Duration) -> Vec<(&HostAction, &Run)> {
        let begin = at.minus(span);
        // Who only looked changed nothing.
        let runs = self.actions.iter().filter(|it| !it.is_read_only);
        let runs = runs.flat_map(|action| action.runs.iter().map(move |run| (action, run)));
        let mut ran: Vec<_> = runs
            .filter(|(_, run)| (begin..=at).contains(&run.at))
            .filter(|(_, run)| run.came.began())
            .collect();
        ran.sort_by_key(|(_, run)| std::cmp::Reverse(run.at));
        ran
    }
}

/// A wish to run something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunWish {
    /// For which System.
    pub system: SpaceId,
    /// On which host.
    pub host: String,
    /// Which action.
    pub action: String,
    /// Values by parameter.
    pub arguments: BTreeMap<String, String>,
    /// Why.
    pub reason: String,
    /// Whether it is wanted although the same was just done.
    pub again: Again,
    /// For which alert, if for one.
    pub alert: Option<AlertId>,
}

/// Whether a second run within the window is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// Not unless somebody says so.
    #[default]
    No,
    /// It was confirmed.
    Confirmed,
}

/// One run as all timelines show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The envelope that carries the request.
    pub id: EnvelopeId,
    /// A System that the agent observes.
    pub system: SpaceId,
    /// What it calls the agent.
    pub host: String,
    /// Which action.
    pub action: String,
    /// Who asked.
    pub who: String,
    /// When it began, or was asked for.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// For which alert, if for one.
    pub alert: Option<AboutAlert>,
    /// What came of it.
    pub came: Came,
}

/// The run that a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedRun {
    /// Which.
    pub request: EnvelopeId,
    /// All of it; none where nothing is known of it.
    pub page: Option<Box<RunPage>>,
}

/// All of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPage {
    /// Of which System.
    pub system: SpaceId,
    /// What it calls the agent.
    pub host: String,
    /// Which action.
    pub action: String,
    /// Who asked, why, with which values, and all of its output that is known.
    pub run: Run,
    /// Until when it could begin.
    pub end: Timestamp,
    /// The earlier run of the same that was known to whoever asked.
    pub again: Option<EnvelopeId>,
    /// Who agreed, and who objected.
    pub said: Vec<(String, bool)>,
    /// When it began and ended, by the host's clock.
    pub began: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How much it said in all, in bytes.
    pub len_bytes: u64,
    /// How much of that is left out at the beginning.
    pub left_out_bytes: u64,
}

/// A request of which nothing came yet, as whoever may answer it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The envelope that carries it.
    pub id: EnvelopeId,
    /// A System that the agent observes.
    pub system: SpaceId,
    /// The agent's Space.
    pub agent: SpaceId,
    /// What the System calls the agent.
    pub host: String,
    /// Which action.
    pub action: String,
    /// What it does.
    pub description: String,
    /// Who asks.
    pub who: String,
    /// When, by the asker's clock.
    pub at: Timestamp,
    /// Until when it can begin.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
    /// With which values.
    pub arguments: BTreeMap<String, String>,
    /// Who agreed, and who objected.
    pub said: Vec<(String, bool)>,
    /// How many have to agree; none where the host does not offer the action now.
    pub needed: Option<u32>,
    /// What this device may say to it.
    pub may: MayAnswer,
    /// The last times that somebody asked for the same action, newest first.
    pub last: Vec<Run>,
}

impl Waiting {
    /// How many still have to agree.
    pub fn missing(&self) -> u32 {
        let agreed = self.said.iter().filter(|(_, agrees)| *agrees).count();
        let agreed = u32::try_from(agreed).unwrap_or(u32::MAX);
        self.needed.unwrap_or(0).saturating_sub(agreed)
    }

    /// Whether somebody has to say something to it.
    pub fn needs_people(&self, now: Timestamp) -> bool {
        let refused = self.said.iter().any(|(_, agrees)| !agrees);
        self.missing() > 0 && !refused && now <= self.end
    }
}

/// What somebody says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// It may be run.
    Agree,
    /// It may not; whoever asked takes it back so.
    Refuse,
}

/// What this device may say to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayAnswer {
    /// Agree and refuse.
    Both,
    /// Only refuse.
    Refuse(WhyNot),
    /// Take it back: it asked itself.
    Withdraw,
    /// Nothing.
    Nothing(WhyNot),
}

/// Why this device cannot agree to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// It asked itself.
    Own,
    /// Another device of the same person asked.
    SamePerson,
    /// It agreed already.
    Agreed,
    /// It is a guest's: who that is nobody vouched for.
    Guest,
    /// It was not given that.
    NotGranted,
}
