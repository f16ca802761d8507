//! What verbs say of Systems: plain rows, one place between the model's snapshot and any output.

use aramaki_model::observer::{ObserverView, SeenFrom, Standing};
use aramaki_model::snapshot::Attempt;
use aramaki_model::system::NoteKind;
use aramaki_model::{Check, EntryId, NoteId, Presence, Severity};
use aramaki_sync_core::{SpaceId, Timestamp};

/// A System in a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SystemRow {
    /// Its Space.
    pub(crate) id: SpaceId,
    /// What people call it.
    pub(crate) title: String,
    /// Their word for what it is.
    pub(crate) category: String,
    /// What is observed; none when nothing below is.
    pub(crate) raw: Option<Severity>,
    /// The same after acknowledgement, silence and maintenance.
    pub(crate) effective: Option<Severity>,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// The moment of which its checks tell, if nobody listened to its agents since.
    pub(crate) as_of: Option<Timestamp>,
    /// How many parts it lists.
    pub(crate) parts: usize,
    /// Whether it stands at the top of the overview.
    pub(crate) anchor: bool,
    /// The way to what makes it as bad as it is, in words.
    pub(crate) why: String,
}

/// A part of a System.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartRow {
    /// Its Space.
    pub(crate) id: SpaceId,
    /// Its title, or what the aggregate calls it.
    pub(crate) label: String,
    /// Whether it can be read here.
    pub(crate) readable: bool,
    /// Its state, as the aggregate takes it.
    pub(crate) effective: Option<Severity>,
}

/// A check of a System.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckRow {
    /// What people call it.
    pub(crate) name: String,
    /// The machine, if it alone has the check and its System has others beside it.
    pub(crate) machine: Option<String>,
    /// What is run, when, and its limits.
    pub(crate) check: Check,
    /// Whether it runs; one that is turned off counts for nothing.
    pub(crate) enabled: bool,
    /// What is observed.
    pub(crate) raw: Severity,
    /// The same after acknowledgement and silence.
    pub(crate) effective: Severity,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// When it was last heard of.
    pub(crate) seen: Option<Timestamp>,
    /// What it said.
    pub(crate) summary: String,
    /// Its last result, while that does not count yet.
    pub(crate) attempt: Option<Attempt>,
    /// What each agent of the System sees, if several must agree: its Space and name.
    pub(crate) vantages: Vec<(SpaceId, String, Severity)>,
    /// From where it is seen, if agents of other Systems look.
    pub(crate) seen_from: Vec<SeenFrom>,
}

/// A check that agents of a System look at for another one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OtherCheckRow {
    /// What it sees.
    pub(crate) check: CheckRow,
    /// What it is about.
    pub(crate) system: SpaceId,
    /// What that is called.
    pub(crate) title: String,
    /// Whether it counts there.
    pub(crate) standing: Standing,
}

/// An agent of a System.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgentRow {
    /// Its Space.
    pub(crate) id: SpaceId,
    /// The machine's name.
    pub(crate) name: String,
    /// Whether it is heard of, in words.
    pub(crate) state: &'static str,
    /// Whether it is expected to be.
    pub(crate) presence: Presence,
    /// The last sign of it.
    pub(crate) seen: Option<Timestamp>,
}

/// A note of a System.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoteRow {
    /// Its id.
    pub(crate) id: NoteId,
    /// Its title.
    pub(crate) title: String,
    /// What it is for.
    pub(crate) kind: NoteKind,
    /// When it was begun.
    pub(crate) made: Timestamp,
    /// Markdown.
    pub(crate) text: String,
}

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimelineRow {
    /// Which entry; none for what stands on no timeline by itself.
    pub(crate) entry: Option<EntryId>,
    /// When.
    pub(crate) at: Timestamp,
    /// In which System.
    pub(crate) system: SpaceId,
    /// Its title.
    pub(crate) title: String,
    /// Of what kind, one word.
    pub(crate) kind: &'static str,
    /// The state that it tells of, for transitions.
    pub(crate) severity: Option<Severity>,
    /// In words.
    pub(crate) text: String,
    /// Whose device or agent.
    pub(crate) who: String,
}

/// All that can be said of one System.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SystemPage {
    /// As in a list.
    pub(crate) row: SystemRow,
    /// What it is for.
    pub(crate) purpose: String,
    /// Kind and text.
    pub(crate) rules: Vec<(&'static str, String)>,
    /// Role, and how to reach it.
    pub(crate) contacts: Vec<(String, String)>,
    /// Title and address.
    pub(crate) dashboards: Vec<(String, String)>,
    /// What it lists.
    pub(crate) parts: Vec<PartRow>,
    /// Who lists it: id and title.
    pub(crate) aggregates: Vec<(SpaceId, String)>,
    /// What is looked at.
    pub(crate) checks: Vec<CheckRow>,
    /// What its agents look at for others.
    pub(crate) for_others: Vec<OtherCheckRow>,
    /// Whom it lets look.
    pub(crate) observers: Vec<ObserverView>,
    /// Who looks.
    pub(crate) agents: Vec<AgentRow>,
    /// What people wrote down.
    pub(crate) notes: Vec<NoteRow>,
}
