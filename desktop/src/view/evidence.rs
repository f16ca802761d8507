//! Evidence that is too long for a transition, as it is fetched from the agent that keeps it.

use std::sync::Arc;

use aramaki_model::evidence::{AgentEvidence, GatherError, NoEvidence};
use thiserror::Error;

/// Evidence that was asked for from this window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Which, and from whom.
    pub of: AgentEvidence,
    /// What came of it.
    pub came: FetchedState,
}

/// How far fetching is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedState {
    /// So many bytes came.
    Comes(u64),
    /// All of it, and it is what the transition names.
    Whole(Arc<str>),
    /// Nothing that can be shown.
    Failed(EvidenceFault),
}

/// Why evidence cannot be shown whole.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceFault {
    /// This device may not read the agent's Space now.
    #[error("this device may not read what the agent says")]
    NotAllowed,
    /// This device reads what the agent says as a reader of a System that the agent does not keep: where it may
    /// ask, the agent does not hear it.
    #[error(
        "this device reads the agent through its System alone, and the agent does not hear that System yet"
    )]
    MayNotAsk,
    /// Nobody answered in time.
    #[error("the agent does not answer; it may be off, or nobody passes messages on to it")]
    NobodyAnswers,
    /// Nobody answered who was asked by a reader of the System.
    #[error(
        "the agent does not answer this device, which reads it through its System alone; it may be off, of an older version that hears no readers of its System, or nobody passes messages on to it"
    )]
    NobodyAnswersReaders,
    /// It has no such text.
    #[error("the agent does not keep it any more")]
    Gone,
    /// It was asked for too much.
    #[error("the agent was asked for too much evidence lately")]
    Busy,
    /// Others are fetched.
    #[error("too much evidence is being fetched at once")]
    TooMany,
    /// What came, or what should come, is not to be believed.
    #[error("it is not shown: {0}")]
    Untrue(GatherError),
    /// The workspace was closed meanwhile.
    #[error("the workspace was closed")]
    Closed,
}

impl EvidenceFault {
    /// What to do about it.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::NotAllowed => "`aramaki trust list SYSTEM` says who may read",
            Self::MayNotAsk => {
                "it hears it once a device of whoever administers both was online; what came with the alert is shown without it"
            }
            Self::NobodyAnswersReaders => {
                "whoever administers the System can fetch it from any version; `aramaki agent list` says when it was heard last"
            }
            Self::NobodyAnswers => {
                "`aramaki agent list` says when it was heard last; what came with the alert is shown without it"
            }
            Self::Gone => {
                "an agent keeps 32 MiB for 30 days; what came with the alert is shown without it"
            }
            Self::Busy => "try again in ten minutes",
            Self::TooMany | Self::Closed => "try again",
            Self::Untrue(_) => {
                "somebody who may write there gives out something else: look at the machine itself"
            }
        }
    }
}

impl From<NoEvidence> for EvidenceFault {
    fn from(why: NoEvidence) -> Self {
        match why {
            NoEvidence::Gone => Self::Gone,
            NoEvidence::Busy => Self::Busy,
        }
    }
}

/// A length for people: `38 KiB`.
pub fn size_words(len_bytes: u64) -> String {
    if len_bytes < 1_024 {
        format!("{len_bytes} B")
    } else {
        format!("{} KiB", len_bytes.div_ceil(1_024))
    }
}
