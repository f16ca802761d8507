//! What the window shows and what people ask of it: plain values, no egui.

pub mod actions;
pub mod alert;
pub mod alerts;
pub mod asked;
pub mod begin;
pub mod cause;
pub mod check_runbook;
pub mod deed;
pub mod draft;
pub mod earlier;
pub mod evidence;
mod intent;
pub mod maintenance;
pub mod new_kit;
pub mod observe;
mod route;
pub mod runbook;
mod sync;
mod trust;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aramaki_model::{ItemId, Perspective, Snapshot};
use aramaki_sync_core::{AuthorId, DocumentId, SpaceId, Timestamp};

pub use intent::{Handed, IncidentAnswer, Intent, ShareBy, ShareFor};
pub use route::{AccessFilter, LookedBack, Route};
pub use sync::{Awaited, OverQuota, Peer, PeerKind, RelayReach, SyncState};
pub use trust::{
    CodeEnd, EndWhat, Ended, Ending, EndingPlace, Ends, Late, LeftOut, LetIn, Member, Presence,
    Through, Trust, WhyCut, ends_soon,
};

/// One immutable picture of everything; drawn as it is.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// How far the workspace is.
    pub stage: Stage,
    /// Who works in it, while it is taken.
    pub taken: String,
    /// The person's name on this device.
    pub person: String,
    /// Systems, states and timelines.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Where all this is, and how old.
    pub sync: SyncState,
    /// Who may do what, by System.
    pub trust: BTreeMap<SpaceId, Trust>,
    /// What was done to notes from here since the app was opened.
    pub notes: BTreeMap<DocumentId, NoteWork>,
    /// How the person looks at the worklist, by name.
    pub perspectives: Vec<(ItemId, Perspective)>,
    /// What can be run for the System that is looked at.
    pub actions: Option<actions::SystemActions>,
    /// Requests that wait, in all Systems; the one that ends first at the beginning.
    pub waiting: Vec<actions::Waiting>,
    /// What was asked for and run lately in all Systems, newest first.
    pub ran: Vec<actions::Ran>,
    /// What was read further back, when that was asked last.
    pub earlier: Option<Arc<earlier::Earlier>>,
    /// The run whose page was opened last.
    pub run: Option<actions::LookedRun>,
    /// Maintenance of the System that is looked at.
    pub work: Option<maintenance::SystemWork>,
    /// Evidence that was asked for whole.
    pub evidence: Vec<evidence::Fetched>,
    /// The demo, when this is one.
    pub demo: Option<Demo>,
    /// Whether no recovery kit stands above this device: what it made goes with it.
    pub without_kit: bool,
    /// This person's devices, those that wait for being accepted last.
    pub devices: Vec<OwnDevice>,
    /// An invitation that was asked for.
    pub invitation: Option<MadeInvitation>,
    /// What ending somebody's access would do, when that was asked.
    pub ending: Option<Ending>,
    /// What became of the incident that was asked for.
    pub incident: Option<IncidentAnswer>,
    /// Who is in by an emergency key now.
    pub emergencies: Vec<Emergency>,
    /// Notifiers that tell the same, each of them.
    pub equal_ranks: Vec<EqualRank>,
    /// What went wrong last; shown until closed.
    pub problem: Option<Problem>,
}

/// Notifiers of one rank: people hear everything from each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EqualRank {
    /// Whose policy they follow.
    pub system: SpaceId,
    /// What it is called.
    pub title: String,
    /// The rank of all of them.
    pub rank: u8,
    /// Who they are.
    pub notifiers: Vec<String>,
}

/// Who is called into an incident when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledIn {
    /// What the others call them; empty when nobody says.
    pub name: String,
    /// What for.
    pub what: ShareFor,
    /// For how many hours.
    pub hours: u32,
}

/// Somebody is in a System by an emergency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// Where.
    pub space: SpaceId,
    /// What it is called.
    pub title: String,
    /// Who was let in; empty before that.
    pub who: String,
    /// Why, in their words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Whether it is this device.
    pub here: bool,
}

/// One of this person's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnDevice {
    /// Its key.
    pub key: AuthorId,
    /// Whether it is this one.
    pub here: bool,
    /// Whether it was accepted, or waits.
    pub accepted: bool,
    /// In how many Systems and agents this device could not end its access, were it lost.
    pub beyond: usize,
}

/// How far the workspace is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Being read from disk.
    #[default]
    Opening,
    /// Another program works in it: it opens when that lets go.
    Taken,
    /// There is none yet.
    Absent,
    /// Open.
    Open,
}

/// What was done to a note from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoteWork {
    /// The newest edit that was carried out or refused: the snapshot shows it and all before it.
    pub seen: Typed,
    /// Whether there is something to undo.
    pub can_undo: bool,
    /// Whether there is something to do again.
    pub can_redo: bool,
}

/// Which edit of a note: the number within one draft on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The draft.
    pub session: u64,
    /// Its edit, from 1.
    pub edit: u64,
}

/// The demo's controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demo {
    /// Whether its relay runs.
    pub relay: RelayState,
}

/// Whether the demo's relay runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayState {
    /// It stores and forwards.
    Running,
    /// The cable is pulled.
    Stopped,
}

/// An invitation to show once; its text is a secret.
#[derive(Clone)]
pub struct MadeInvitation {
    /// For which System.
    pub space: SpaceId,
    /// What to send.
    pub text: String,
    /// From when on the guest may use it; none: at once.
    pub begin: Option<Timestamp>,
    /// Until when the guest may use it.
    pub end: Timestamp,
    /// Until when its code lets somebody in.
    pub redeem_until: Timestamp,
    /// Whether a relay keeps the System; without one, this device has to be online for joining.
    pub relayed: bool,
    /// Whether it is for another device of the same person.
    pub for_device: bool,
    /// How it is handed over.
    pub handed: Handed,
}

impl fmt::Debug for MadeInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MadeInvitation({:?}, <secret>)", self.space)
    }
}

/// What went wrong; what it means and what helps is said in the reader's language by its code.
#[derive(Clone, Debug)]
pub struct Problem {
    /// A stable code, `A-nnn`.
    pub code: String,
    /// What happened, in detail and as logs and terminals tell it.
    pub message: String,
}

/// The workspace behind the window.
pub trait Backend: Send + 'static {
    /// The newest picture; cheap.
    fn frame(&self) -> Arc<Frame>;
    /// Passes a wish on without waiting.
    fn send(&self, intent: Intent);
    /// Calls `wake` whenever [`Backend::frame`] has changed; coalesced by the caller.
    fn on_change(&self, wake: Box<dyn Fn() + Send + Sync>);
}
