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
const KIND_ATTEMPT: u16 = 143;

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
    /// A run in a maintenance window wants to be tried again.
    Attempt(Attempt),
}

/// A run in a maintenance window that ended, and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// For which request.
    pub request: EnvelopeId,
    /// The how-manyth it was, from 1 on.
    pub number: u32,
    /// From when, by the agent's clock.
    pub began: Timestamp,
    /// Until when.
    pub ended: Timestamp,
    /// When the next begins.
    pub again_at: Timestamp,
    /// The end of its output, at most [`TAIL_LEN_BYTES_MAX`].
    #[serde(with = "serde_bytes")]
    pub tail: Vec<u8>,
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
    /// The host does not let this action be run in maintenance windows.
    NotMaintenance,
    /// Too few of a redundancy group would stay in service.
    WouldBreak {
        /// The group's name.
        group: String,
        /// How many would stay.
        in_service: u32,
        /// How many must.
        at_least: u32,
    },
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
            Self::NotMaintenance => {
                f.write_str("the host does not let it be run in maintenance windows")
            }
            Self::WouldBreak {
                group,
                in_service,
                at_least,
            } => write!(
                f,
                "of the redundancy group {group} only {in_service} would stay in service, and {at_least} must"
            ),
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
            Self::Catalogue(catalogue) if catalogue.maintenance.is_empty() => {
                versioned::encode(KIND_CATALOGUE, catalogue, limit)
            }
            Self::Catalogue(catalogue) => {
                let sent = (catalogue, &catalogue.maintenance);
                versioned::encode(KIND_CATALOGUE, &sent, limit)
            }
            Self::Started { request, at } => versioned::encode(KIND_STARTED, &(request, at), limit),
            Self::Result(result) => versioned::encode(KIND_RESULT, result, limit),
            Self::Attempt(attempt) => versioned::encode(KIND_ATTEMPT, attempt, limit),
        }
    }

    /// Reads what an agent wrote.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, RECORD_LEN_BYTES_MAX)? {
            (KIND_CATALOGUE, body) => {
                let (catalogue, maintenance) = versioned::body_and_later(KIND_CATALOGUE, body)?;
                Ok(Self::Catalogue(Catalogue {
                    maintenance,
                    ..catalogue
                }))
            }
            (KIND_ATTEMPT, body) => Ok(Self::Attempt(versioned::body(KIND_ATTEMPT, body)?)),
            (KIND_STARTED, body) => {
                let (request, at) = versioned::body(KIND_STARTED, body)?;
                Ok(Self::Started { request, at })
            }
            (KIND_RESULT, body) => Ok(Self::Result(versioned::body(KIND_RESULT, body)?)),
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::{Described, MaintenanceRule};
    use super::*;

    fn catalogue() -> Catalogue {
        let described = Described {
            description: "new kernel".to_owned(),
            definition: [4; 32],
            parameters: Vec::new(),
            approvals: 0,
            is_read_only: false,
        };
        Catalogue {
            actions: [("upgrade".to_owned(), described)].into(),
            ..Catalogue::default()
        }
    }

    #[test]
    fn catalogues_of_older_agents_read_as_before_and_older_programs_read_ours() {
        // As an agent wrote it that knows nothing of maintenance.
        let old = versioned::encode(KIND_CATALOGUE, &catalogue(), RECORD_LEN_BYTES_MAX).unwrap();
        assert_eq!(
            ActionRecord::Catalogue(catalogue()).encode(),
            Ok(old.clone())
        );
        let read = ActionRecord::decode(&old);
        assert_eq!(read, Ok(ActionRecord::Catalogue(catalogue())));
        let rule = MaintenanceRule {
            attempts: 3,
            retry_after_ms: 60_000,
        };
        let ours = Catalogue {
            maintenance: [("upgrade".to_owned(), rule)].into(),
            ..catalogue()
        };
        let new = ActionRecord::Catalogue(ours.clone()).encode().unwrap();
        assert!(
            new.starts_with(&old),
            "what came later stands behind the rest"
        );
        assert_eq!(
            ActionRecord::decode(&new),
            Ok(ActionRecord::Catalogue(ours))
        );
        let (_, body) = versioned::split(&new, RECORD_LEN_BYTES_MAX).unwrap();
        let by_older: Catalogue = versioned::body(KIND_CATALOGUE, body).unwrap();
        assert_eq!(by_older, catalogue());
    }

    #[test]
    fn an_older_program_passes_over_an_attempt_and_takes_it_for_no_result() {
        let attempt = Attempt {
            request: EnvelopeId::from_bytes([3; 32]),
            number: 2,
            began: Timestamp::ZERO,
            ended: Timestamp::ZERO,
            again_at: Timestamp::ZERO,
            tail: b"locked".to_vec(),
        };
        let bytes = ActionRecord::Attempt(attempt.clone()).encode().unwrap();
        let (kind, _body) = versioned::split(&bytes, RECORD_LEN_BYTES_MAX).unwrap();
        assert!(![KIND_CATALOGUE, KIND_STARTED, KIND_RESULT].contains(&kind));
        assert_eq!(
            ActionRecord::decode(&bytes),
            Ok(ActionRecord::Attempt(attempt))
        );
    }
}
