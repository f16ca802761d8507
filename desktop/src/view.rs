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
pub mod evidence;
pub mod maintenance;
pub mod observe;
pub mod runbook;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aramaki_model::evidence::AgentEvidence;
use aramaki_model::system::NoteKind;
use aramaki_model::{AlertId, Check, ItemId, NoteEdit, Perspective, Snapshot};
use aramaki_sync_core::admission::Held;
use aramaki_sync_core::engine::Reach;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};
use draft::Draft;

/// One immutable picture of everything; drawn as it is.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// How far the workspace is.
    pub stage: Stage,
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
    /// The run whose page was opened last.
    pub run: Option<actions::LookedRun>,
    /// Maintenance of the System that is looked at.
    pub work: Option<maintenance::SystemWork>,
    /// Evidence that was asked for whole.
    pub evidence: Vec<evidence::Fetched>,
    /// The demo, when this is one.
    pub demo: Option<Demo>,
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

/// What became of an incident that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentAnswer {
    /// It is there.
    Opened(SpaceId),
    /// It was not opened; the problem says why.
    Refused,
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
}

/// How far the workspace is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Being read from disk.
    #[default]
    Opening,
    /// There is none yet.
    Absent,
    /// Open.
    Open,
}

/// Where what one sees is, and how old it is.
#[derive(Clone, Debug, Default)]
pub struct SyncState {
    /// Changes made here that no other peer is known to hold.
    pub pending: u64,
    /// When news last arrived from elsewhere.
    pub newest: Option<Timestamp>,
    /// Everyone known.
    pub peers: Vec<Peer>,
    /// Systems that come as soon as somebody who has them can be reached, oldest first.
    pub awaited: Vec<Awaited>,
}

/// A System whose invitation was accepted while nobody who has it could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Its Space.
    pub space: SpaceId,
    /// From when on the invitation can be used; none: since it was made.
    pub begin: Option<Timestamp>,
    /// Until when.
    pub until: Timestamp,
    /// Whether a peer said that it lets nobody in any more.
    pub is_spent: bool,
}

impl SyncState {
    /// How many peers are connected.
    pub fn connected(&self) -> usize {
        self.peers.iter().filter(|peer| peer.path.is_some()).count()
    }

    /// Whether a relay is known, and whether one is connected.
    pub fn relay(&self) -> RelayReach {
        let relays = || {
            let peers = self.peers.iter();
            peers.filter(|peer| peer.kind == PeerKind::Relay)
        };
        if relays().next().is_none() {
            RelayReach::None
        } else if relays().any(|relay| relay.path.is_some()) {
            RelayReach::Connected
        } else {
            RelayReach::Away
        }
    }
}

/// Whether changes reach somebody who is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayReach {
    /// No relay is known.
    None,
    /// A relay is connected.
    Connected,
    /// Relays are known and none is connected.
    Away,
}

/// Another device, agent or relay.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it is called here.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// The path in words, when connected: `direct, 0.4 ms`.
    pub path: Option<String>,
    /// When it was last seen.
    pub seen: Option<Timestamp>,
    /// The most that it may do in any Space here, and until when.
    pub may: Option<(Capability, Timestamp)>,
    /// In how many Spaces that are here it takes part.
    pub spaces: usize,
    /// An agent's own Space.
    pub agent: Option<SpaceId>,
}

/// Who may read and change a System.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// What this device may do.
    pub mine: Option<Capability>,
    /// Whether a peer says that this is over, though what ended it has not come here.
    pub ended_elsewhere: bool,
    /// Changes made here that no other peer is known to hold.
    pub only_here: u64,
    /// Everyone with a grant that has not ended, most capable first.
    pub members: Vec<Member>,
    /// What came too late and waits for somebody to decide.
    pub late: Vec<Late>,
    /// Whose access was ended, newest first; known of the System whose trust page was opened last.
    pub ended: Vec<Ended>,
    /// Who signed two histories, as they are called here.
    pub two_histories: Vec<String>,
}

/// Work of one grant that came too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// Under which grant it was written.
    pub grant: EnvelopeId,
    /// What its author is called here.
    pub name: String,
    /// How many envelopes.
    pub envelopes: u64,
    /// When the last was written, by its author's clock.
    pub last: Timestamp,
    /// For what it waits.
    pub held: Held,
    /// Whether a close left it out, and how much of it came here before the access had ended; none: it is
    /// held.
    pub left_out: Option<LeftOut>,
    /// Whether this device can accept it.
    pub can_accept: bool,
}

/// Work that a close left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many of the envelopes came to this device before the access had ended.
    pub in_time: u64,
    /// What those are called who closed so.
    pub closers: Vec<String>,
}

/// Somebody's access that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What its holder is called here.
    pub name: String,
    /// Who ended it; none: its time came.
    pub by: Option<String>,
    /// When, by their clock.
    pub at: Timestamp,
    /// Whether they said that the device was lost.
    pub was_lost: bool,
    /// Why, in the words of whoever may write there; empty when nobody said.
    pub reason: String,
    /// How many others' access ended with it.
    pub others: u64,
}

/// Whose access is to end, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndWhat {
    /// The System on whose page it was asked.
    pub space: SpaceId,
    /// The grant there.
    pub grant: EnvelopeId,
    /// Everything that its holder may anywhere, because the device was lost; else that grant.
    pub everywhere: bool,
    /// With all that they ever wrote there; else what is here now stays. Of one grant alone.
    pub from_the_start: bool,
}

/// What ending somebody's access would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What was asked.
    pub what: EndWhat,
    /// System by System.
    pub places: Vec<EndingPlace>,
    /// Where the access stays, because this device stands no nearer the System's own key.
    pub beyond: Vec<String>,
}

/// What ends in one System or agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingPlace {
    /// What it is called.
    pub title: String,
    /// Whose access ends.
    pub ends: Vec<String>,
    /// Who keeps which power until when, by another grant.
    pub kept: Vec<(String, Capability, Timestamp)>,
    /// How much of what they wrote would no longer count, and how much would although they are to go
    /// from the start: others wrote on top of it.
    pub written: (u64, u64),
    /// How much of what waits for somebody's word would never count.
    pub discarded: u64,
    /// How many more devices the code by which they came let in, and until when: it ends with them, and
    /// others who came by it stay.
    pub code: Option<(u16, Timestamp)>,
}

/// Why an invitation lets in nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeEnd {
    /// As many devices came by it as it lets in.
    Used,
    /// Somebody who came by it was sent away.
    GuestSentAway,
}

/// Somebody with a grant.
#[derive(Clone, Debug)]
pub struct Member {
    /// Their key.
    pub key: AuthorId,
    /// What it is called here.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// What it may do.
    pub may: Capability,
    /// From when.
    pub begin: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Through whom it came.
    pub through: Through,
    /// The grant itself.
    pub grant: EnvelopeId,
    /// Why, in the words of whoever may write there; empty when nobody said.
    pub reason: String,
    /// When it was last connected here, as far as is known.
    pub seen: Option<Timestamp>,
    /// Whether it is connected here now.
    pub presence: Presence,
    /// Why it is an invitation that lets in nobody else.
    pub code_end: Option<CodeEnd>,
    /// Of an invitation: how many more devices it lets in, and until when its code works.
    pub left: Option<(u16, Timestamp)>,
    /// Of an emergency key: when it was last opened, and why; none: never.
    pub opened: Option<(Timestamp, String)>,
    /// Whether this device can end it.
    pub can_end: bool,
    /// Whether this device can give it anew.
    pub can_renew: bool,
}

/// Access that ends is pointed out this long before at most.
const SOON_MAX: Duration = Duration::from_hours(72);
/// It is pointed out in the last of so many parts of its time.
const SOON_PARTS: u32 = 10;

/// Whether what lasts from the one time until the other ends soon: in the last tenth of its time, and
/// within three days.
pub fn ends_soon(now: Timestamp, (begin, end): (Timestamp, Timestamp)) -> bool {
    let soon = (end.since(begin) / SOON_PARTS).min(SOON_MAX);
    begin <= now && now <= end && end <= now.plus(soon)
}

impl Member {
    /// Whether somebody loses access soon: time to give it anew. A relay whose time has come stores and
    /// forwards no more.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        let is_holder = matches!(
            self.kind,
            PeerKind::Here | PeerKind::Device | PeerKind::Agent | PeerKind::Relay
        );
        is_holder && ends_soon(now, (self.begin, self.end))
    }
}

impl Trust {
    /// Whose access ends soon; who has another that lasts is left out.
    pub fn ending_soon(&self, now: Timestamp) -> impl Iterator<Item = &Member> {
        let lasts = move |soon: &Member| {
            self.members.iter().any(|it| {
                let as_much = it.key == soon.key && it.may >= soon.may;
                as_much && it.end > soon.end && !it.ends_soon(now)
            })
        };
        let members = self.members.iter();
        members.filter(move |it| it.ends_soon(now) && !lasts(it))
    }
}

/// Whether somebody is connected here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Now.
    Here,
    /// Not now.
    #[default]
    Away,
}

/// Through whom somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Through {
    /// The System's own key: it began there.
    Root,
    /// A grant of this one.
    Member(String),
    /// An invitation of this one.
    Invitation(String),
}

/// What a peer is, in the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerKind {
    /// This one.
    Here,
    /// A relay.
    Relay,
    /// A person's device.
    Device,
    /// An agent.
    Agent,
    /// The key on paper that can restore a workspace.
    RecoveryKit,
    /// The key inside an invitation.
    Invitation,
    /// The key inside an emergency envelope.
    Emergency,
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

/// How an invitation that was made is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// By its text; the guest needs a network.
    Online,
    /// By its text, which needs no network and can be used as long as the access lasts.
    Offline,
    /// By the file that it was written to, in the same way.
    File(PathBuf),
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

/// What an invitation lets its guest do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareFor {
    /// Read.
    Reading,
    /// Read, and add to the timeline and notes.
    Commenting,
    /// Read and change.
    Writing,
}

/// How an invitation is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareBy {
    /// A short code; its guest needs a network.
    Code,
    /// A long code that carries the grants and nothing else.
    Inline,
    /// A new file that carries the System: where, as it was typed.
    File(String),
}

/// What somebody asked for. The window changes nothing itself.
#[derive(Clone)]
#[non_exhaustive]
pub enum Intent {
    /// Begin a workspace.
    CreateWorkspace {
        /// The person's name.
        name: String,
    },
    /// Use an invitation.
    Join {
        /// Its text, a secret.
        invitation: String,
        /// The person's name.
        name: String,
    },
    /// Start the demo beside this.
    OpenDemo,
    /// Add a System.
    NewSystem {
        /// Its title.
        title: String,
        /// The team's word for what it is.
        category: String,
        /// What it is for.
        purpose: String,
    },
    /// Add an empty note.
    NewNote {
        /// To which System.
        space: SpaceId,
        /// Its title.
        title: String,
        /// What it is for.
        kind: NoteKind,
    },
    /// Draft a note from what is known.
    Draft(Box<Draft>),
    /// Change a note's text.
    EditNote {
        /// Of which System.
        space: SpaceId,
        /// Which note.
        document: DocumentId,
        /// What changed, in code points, and on which version of the text.
        edit: NoteEdit,
        /// Which edit it is; the frame tells when it was carried out.
        typed: Typed,
    },
    /// Take back what was done last to a note from here.
    UndoNote {
        /// Of which System.
        space: SpaceId,
        /// Which note.
        document: DocumentId,
    },
    /// Do again what was taken back last.
    RedoNote {
        /// Of which System.
        space: SpaceId,
        /// Which note.
        document: DocumentId,
    },
    /// Make an invitation.
    Share {
        /// To which System.
        space: SpaceId,
        /// For whom; empty when nobody says.
        name: String,
        /// Why; empty when nobody says.
        reason: String,
        /// What for.
        what: ShareFor,
        /// From when on; none: at once.
        begin: Option<Timestamp>,
        /// For how many hours.
        hours: u32,
        /// How many devices it lets in.
        uses: u16,
        /// How it is handed over.
        by: ShareBy,
    },
    /// Open an incident.
    OpenIncident {
        /// Of which System.
        system: SpaceId,
        /// What people call it.
        title: String,
        /// Who is invited to it at once.
        called: Option<CalledIn>,
    },
    /// What became of the incident was seen.
    ForgetIncident,
    /// Fetch evidence whole from the agent that keeps it.
    ShowEvidence(AgentEvidence),
    /// Fetch or show it no longer.
    HideEvidence(AgentEvidence),
    /// Wait no more for a System.
    GiveUp(SpaceId),
    /// Say what ending somebody's access would do.
    AskEnd(EndWhat),
    /// End it.
    End {
        /// Which, and where.
        what: EndWhat,
        /// Why; empty when nobody says.
        reason: String,
    },
    /// It is not to end after all.
    ForgetEnding,
    /// Give somebody anew what they have, for as long as it was given for.
    Renew {
        /// In which System.
        space: SpaceId,
        /// By which grant.
        grant: EnvelopeId,
    },
    /// Give up what this device has by an emergency key, everywhere.
    EndEmergency,
    /// Let late work count.
    AcceptLate {
        /// In which System.
        space: SpaceId,
        /// Of which grant.
        grant: EnvelopeId,
        /// Of what a close left out, how much.
        reach: Reach,
    },
    /// Make a code for another device of the same person.
    AddDevice,
    /// Let a device that waits do what this one may.
    AcceptDevice {
        /// Its key.
        key: AuthorId,
    },
    /// The invitation was seen.
    ForgetInvitation,
    /// The problem was seen.
    ForgetProblem,
    /// Do something about alerts.
    Deed(deed::Deed),
    /// Take back what was done about alerts last from here.
    UndoDeed,
    /// The page is about this System now: say what can be run there.
    LookAt(SpaceId),
    /// A run's page was opened: say all of it.
    LookAtRun(SpaceId, EnvelopeId),
    /// A System's trust page was opened: say whose access was ended there.
    LookBack(LookedBack),
    /// Run an action.
    Run(actions::RunWish),
    /// Say something to somebody's request.
    Answer {
        /// In which System.
        system: SpaceId,
        /// To which.
        request: EnvelopeId,
        /// What.
        say: actions::Say,
    },
    /// Ask for, confirm or take back work in a maintenance window.
    Work(maintenance::WorkWish),
    /// Keep how one looks at the worklist.
    SavePerspective {
        /// In place of which; none: beside the others.
        id: Option<ItemId>,
        /// How.
        perspective: Perspective,
    },
    /// Keep it no longer.
    DeletePerspective(ItemId),
    /// Ask the hosts of a System what could be looked at.
    AskProposals(SpaceId),
    /// Look at what was proposed.
    AcceptProposals {
        /// For which System.
        system: SpaceId,
        /// What.
        checks: Vec<Check>,
    },
    /// Do not have it proposed again.
    IgnoreProposals {
        /// For which System.
        system: SpaceId,
        /// What.
        checks: Vec<Check>,
    },
    /// Ask the hosts of a System what a check measured.
    AskValues {
        /// Which System.
        system: SpaceId,
        /// The check's name.
        check: String,
    },
    /// Let the agents of another System say how one is, or end that.
    Observe(observe::ObserveWish),
    /// Pull the demo's cable.
    StopRelay,
    /// Put it back.
    StartRelay,
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::CreateWorkspace { .. } => "CreateWorkspace",
            Self::Join { .. } => "Join(<secret>)",
            Self::OpenDemo => "OpenDemo",
            Self::NewSystem { .. } => "NewSystem",
            Self::NewNote { .. } => "NewNote",
            Self::Draft(_) => "Draft",
            Self::EditNote { .. } => "EditNote",
            Self::UndoNote { .. } => "UndoNote",
            Self::RedoNote { .. } => "RedoNote",
            Self::Share { .. } => "Share",
            Self::OpenIncident { .. } => "OpenIncident",
            Self::ForgetIncident => "ForgetIncident",
            Self::GiveUp(_) => "GiveUp",
            Self::AskEnd(_) => "AskEnd",
            Self::End { .. } => "End",
            Self::ForgetEnding => "ForgetEnding",
            Self::Renew { .. } => "Renew",
            Self::EndEmergency => "EndEmergency",
            Self::AcceptLate { .. } => "AcceptLate",
            Self::AddDevice => "AddDevice",
            Self::AcceptDevice { .. } => "AcceptDevice",
            Self::ForgetInvitation => "ForgetInvitation",
            Self::ForgetProblem => "ForgetProblem",
            Self::Work(maintenance::WorkWish::Ask(_)) => "AskWork",
            Self::Work(maintenance::WorkWish::Confirm(_)) => "ConfirmWork",
            Self::Work(maintenance::WorkWish::Withdraw(_)) => "WithdrawWork",
            Self::Deed(deed) => match deed.kind {
                deed::DeedKind::Acknowledge => "Acknowledge",
                deed::DeedKind::Claim => "Claim",
                deed::DeedKind::Silence => "Silence",
                deed::DeedKind::Say => "Say",
            },
            Self::UndoDeed => "UndoDeed",
            Self::LookAt(_) => "LookAt",
            Self::LookAtRun(..) => "LookAtRun",
            Self::LookBack(_) => "LookBack",
            Self::Run(_) => "Run",
            Self::Answer { say, .. } => match say {
                actions::Say::Agree => "Agree",
                actions::Say::Refuse => "Refuse",
            },
            Self::SavePerspective { .. } => "SavePerspective",
            Self::DeletePerspective(_) => "DeletePerspective",
            Self::AskProposals(_) => "AskProposals",
            Self::AcceptProposals { .. } => "AcceptProposals",
            Self::IgnoreProposals { .. } => "IgnoreProposals",
            Self::AskValues { .. } => "AskValues",
            Self::ShowEvidence(_) => "ShowEvidence",
            Self::HideEvidence(_) => "HideEvidence",
            Self::Observe(wish) => match wish.what {
                observe::Let::Look => "LetLook",
                observe::Let::End => "EndLook",
            },
            Self::StopRelay => "StopRelay",
            Self::StartRelay => "StartRelay",
        };
        f.write_str(name)
    }
}

/// Where one is in the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// All anchors.
    #[default]
    Overview,
    /// Every alert.
    Alerts,
    /// One alert.
    Alert(AlertId),
    /// Everything in order of time.
    Timeline,
    /// Every device, agent and relay.
    Peers,
    /// One System.
    System(SpaceId),
    /// One note of a System.
    Note(SpaceId, DocumentId),
    /// One run of an action.
    Run(SpaceId, EnvelopeId),
    /// Who may read and change a System.
    Trust(SpaceId),
    /// Who may do what, in all Systems.
    Access(AccessFilter),
}

/// Whose access is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessFilter {
    /// Everyone's.
    #[default]
    All,
    /// What ends soon.
    Soon,
    /// People's devices.
    People,
    /// Agents and relays.
    Machines,
    /// Invitations that can be used.
    Invitations,
    /// What has ended.
    Ended,
}

/// Where it is asked whose access has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookedBack {
    /// In one System.
    In(SpaceId),
    /// In all of them.
    Everywhere,
}

impl LookedBack {
    /// Whether it is asked of a System.
    pub fn covers(self, space: SpaceId) -> bool {
        match self {
            Self::In(one) => one == space,
            Self::Everywhere => true,
        }
    }
}

impl Route {
    /// The System that it is about.
    pub const fn system(&self) -> Option<SpaceId> {
        match self {
            Self::System(space)
            | Self::Note(space, _)
            | Self::Run(space, _)
            | Self::Trust(space) => Some(*space),
            Self::Overview
            | Self::Alerts
            | Self::Alert(_)
            | Self::Timeline
            | Self::Peers
            | Self::Access(_) => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// An access of eight hours is pointed out too, in its last tenth; one of years three days before.
    #[test]
    fn access_ends_soon_in_the_last_tenth_of_its_time_and_within_three_days() {
        let begin = Timestamp::from_millis(1_800_000_000_000);
        for (span, before, soon) in [
            (8 * HOUR, HOUR, false),
            (8 * HOUR, HOUR / 2, true),
            (8 * HOUR, Duration::ZERO, true),
            (240 * HOUR, 25 * HOUR, false),
            (240 * HOUR, 23 * HOUR, true),
            (24 * 365 * HOUR, 73 * HOUR, false),
            (24 * 365 * HOUR, 71 * HOUR, true),
        ] {
            let end = begin.plus(span);
            let now = end.minus(before);
            assert_eq!(ends_soon(now, (begin, end)), soon, "{span:?} {before:?}");
            assert!(!ends_soon(end.plus(HOUR), (begin, end)), "it is over");
            assert!(!ends_soon(begin.minus(HOUR), (begin, end)), "it comes");
        }
    }
}
