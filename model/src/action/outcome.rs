//! What an agent did with a request.

use std::fmt;

use aramaki_sync_core::{EnvelopeId, Timestamp};
use serde::{Deserialize, Serialize};

use super::catalogue::Catalogue;
use crate::versioned::{self, DecodeError, EncodeError};

/// How much of an action's output a result carries: its end.
pub const TAIL_LEN_BYTES_MAX: usize = 64 * 1_024;
const RECORD_LEN_BYTES_MAX: usize = 192 * 1_024;
const KIND_CATALOGUE: u16 = 136;
const KIND_STARTED: u16 = 137;
const KIND_RESULT: u16 = 138;

/// What an agent writes about its actions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionRecord {
    /// What its host allows.
    Catalogue(Catalogue),
    /// It is about to run a request.
    Started {
        /// Which.
        request: EnvelopeId,
        /// When, by its clock.
        at: Timestamp,
    },
    /// It has done with a request.
    Result(Box<ActionResult>),
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionResult {
    /// Which.
    pub request: EnvelopeId,
    /// How it ended.
    pub outcome: Outcome,
    /// From when, by the agent's clock.
    pub began: Timestamp,
    /// Until when.
    pub ended: Timestamp,
    /// The end of its output, at most [`TAIL_LEN_BYTES_MAX`].
    #[serde(with = "serde_bytes")]
    pub tail: Vec<u8>,
    /// How long the output was.
    pub len_bytes: u64,
    /// BLAKE3 of all of it.
    pub hash: [u8; 32],
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The program ended with this code.
    Exit(i32),
    /// The program was ended by this signal.
    Signal(i32),
    /// It took too long and was killed.
    TimedOut,
    /// It was not run.
    Refused(RefusedFor),
    /// It was begun, and the agent ended before it knew how. It is not run again.
    Unknown,
}

/// Why an agent did not run a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusedFor {
    /// The host's catalogue has no such action.
    NotInCatalogue,
    /// It is for another agent.
    WrongTarget,
    /// The definition on the host is not the one that was seen.
    OtherDefinition,
    /// Whoever asked was not granted this action, or not any more.
    NotGranted,
    /// Its time is over, or it lasts longer than a request may.
    OutOfTime,
    /// The host's clock went back: nothing that ends by time can be judged.
    ClockWentBack,
    /// The agent has heard nothing of a witness or administrator for so long that it may not know of a
    /// revocation.
    StaleView,
    /// Not enough others agreed in time.
    NotApproved {
        /// How many must agree.
        needed: u32,
        /// How many did.
        given: u32,
    },
    /// Somebody who may approve it objected.
    Denied,
    /// The same was asked before; it runs, or ran a short while ago.
    DuplicateOf(EnvelopeId),
    /// It was there before this agent's records begin: it may have been run already.
    BeforeRecords,
    /// A value that the action does not take.
    Argument(String),
    /// The program could not be started.
    NotStarted(String),
}

impl fmt::Display for RefusedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInCatalogue => f.write_str("the host allows no such action"),
            Self::WrongTarget => f.write_str("it is for another agent"),
            Self::OtherDefinition => {
                f.write_str("the action was changed on the host since it was looked at")
            }
            Self::NotGranted => f.write_str("whoever asked may not ask for this"),
            Self::OutOfTime => f.write_str("its time was over"),
            Self::ClockWentBack => f.write_str("the host's clock went back"),
            Self::StaleView => {
                f.write_str("the agent has been out of touch for too long to know who may ask")
            }
            Self::NotApproved { needed, given } => {
                write!(f, "{given} of {needed} needed approvals came in time")
            }
            Self::Denied => f.write_str("somebody objected"),
            Self::DuplicateOf(request) => {
                write!(
                    f,
                    "the same was just asked for in the request {}",
                    request.short()
                )
            }
            Self::BeforeRecords => {
                f.write_str("it is older than the agent's records and may have been run already")
            }
            Self::Argument(what) => write!(f, "the action does not take this: {what}"),
            Self::NotStarted(why) => write!(f, "the program could not be started: {why}"),
        }
    }
}

impl ActionRecord {
    /// Encodes it as the body of an `ActionRecord` envelope.
    ///
    /// # Errors
    /// When it is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let limit = RECORD_LEN_BYTES_MAX;
        match self {
            Self::Catalogue(catalogue) => versioned::encode(KIND_CATALOGUE, catalogue, limit),
            Self::Started { request, at } => versioned::encode(KIND_STARTED, &(request, at), limit),
            Self::Result(result) => versioned::encode(KIND_RESULT, result, limit),
        }
    }

    /// Reads what an agent wrote.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, RECORD_LEN_BYTES_MAX)? {
            (KIND_CATALOGUE, body) => Ok(Self::Catalogue(versioned::body(KIND_CATALOGUE, body)?)),
            (KIND_STARTED, body) => {
                let (request, at) = versioned::body(KIND_STARTED, body)?;
                Ok(Self::Started { request, at })
            }
            (KIND_RESULT, body) => Ok(Self::Result(versioned::body(KIND_RESULT, body)?)),
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}
