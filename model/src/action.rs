//! Remote actions as signed statements (TRUST §9): who may ask, who asks what, what an agent can and did.

mod catalogue;
mod outcome;
mod wish;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::versioned::{self, DecodeError, EncodeError};

pub use catalogue::{ACTIONS_MAX, Catalogue, Described, MaintenanceRule, Parameter, ParameterKind};
pub use outcome::{ActionRecord, ActionResult, Attempt, Outcome, RefusedFor, TAIL_LEN_BYTES_MAX};
pub use wish::{ActionRequest, ActionWish, Approval, REQUEST_SPAN_MAX, SCHEDULE_SPAN_MAX};

/// How long names of actions, parameters and values may be.
pub const NAME_LEN_BYTES_MAX: usize = 128;
/// How long the value of a parameter may be.
pub const VALUE_LEN_BYTES_MAX: usize = 4 * 1_024;
/// How long a reason may be.
pub const REASON_LEN_BYTES_MAX: usize = 1_024;
const GRANT_LEN_BYTES_MAX: usize = 16 * 1_024;
const KIND_GRANT: u16 = 128;

/// What somebody may do about an agent's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ActionPower {
    /// Ask for one to be run.
    Request,
    /// Agree to somebody else's request, or object.
    Approve,
}

/// An administrator lets a device ask for actions of one agent, or approve them. Several add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionGrant {
    /// Whose device.
    pub grantee: AuthorId,
    /// Of which agent: its own Space.
    pub agent: SpaceId,
    /// The exact names of the actions.
    pub actions: Vec<String>,
    /// To ask or to approve.
    pub power: ActionPower,
    /// Until when. An earlier end in a later grant for the same takes it back.
    pub end: Timestamp,
}

impl ActionGrant {
    /// Encodes it as the body of an `ActionGrant` envelope.
    ///
    /// # Errors
    /// When it is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(KIND_GRANT, self, GRANT_LEN_BYTES_MAX)
    }

    /// Reads what an administrator wrote.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, GRANT_LEN_BYTES_MAX)? {
            (KIND_GRANT, body) => versioned::body(KIND_GRANT, body),
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}
