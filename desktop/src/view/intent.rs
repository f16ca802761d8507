//! What people ask of the window.

use std::fmt;
use std::path::PathBuf;

use aramaki_model::evidence::AgentEvidence;
use aramaki_model::system::NoteKind;
use aramaki_model::{Check, ItemId, NoteEdit, Perspective, TimelineReach};
use aramaki_sync_core::engine::Reach;
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};

use super::draft::Draft;
use super::new_kit::NewKit;
use super::observe::{Let, ObserveWish};
use super::{CalledIn, EndWhat, LookedBack, Typed, actions, deed, maintenance};

/// What became of an incident that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentAnswer {
    /// It is there.
    Opened(SpaceId),
    /// It was not opened; the problem says why.
    Refused,
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
        /// The recovery kit, if there is to be one.
        kit: Option<NewKit>,
    },
    /// Use an invitation.
    Join {
        /// Its text, a secret.
        invitation: String,
        /// The person's name.
        name: String,
        /// The recovery kit of the workspace that begins by it, if there is to be one.
        kit: Option<NewKit>,
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
    /// Read timelines further back: of a System and its parts, or of all.
    ReadBack(Option<SpaceId>, TimelineReach),
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
    Observe(ObserveWish),
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
            Self::ReadBack(..) => "ReadBack",
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
                Let::Look => "LetLook",
                Let::End => "EndLook",
            },
            Self::StopRelay => "StopRelay",
            Self::StartRelay => "StartRelay",
        };
        f.write_str(name)
    }
}
