//! What people ask of an agent, and say of each other's requests.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_sync_core::admission::CLOCK_AHEAD_MAX;
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::AlertId;
use crate::id::ItemId;
use crate::versioned::{self, DecodeError, EncodeError};

/// How long after its beginning a request that is to be run at once may end.
pub const REQUEST_SPAN_MAX: Duration = Duration::from_mins(10);
/// How far ahead one may begin.
pub const SCHEDULE_SPAN_MAX: Duration = Duration::from_hours(24);
const WISH_LEN_BYTES_MAX: usize = 64 * 1_024;
const KIND_MAINTENANCE: u16 = 131;
const KIND_REQUEST: u16 = 132;
const KIND_APPROVAL: u16 = 133;

/// What somebody writes into an agent's Space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionWish {
    /// Somebody asks for an action.
    Request(ActionRequest),
    /// Somebody agrees or objects to a request.
    Approval(Approval),
    /// Somebody asks for an action to be run in a maintenance window, as work that stands in a System's
    /// document. An older agent does not know it, and runs nothing.
    Maintenance {
        /// The request: within a window, at most [`SCHEDULE_SPAN_MAX`] from when it is signed.
        request: ActionRequest,
        /// The work it confirms.
        item: ItemId,
        /// Up to which generation the agent was told of redundancy groups, as whoever signs knows: it decides by no
        /// older ones. Written after the fields above, which older programs read alone.
        groups: u64,
    },
}

/// Somebody asks for an action to be run once.
///
/// It is known by the id of the envelope that carries it, a hash of all that was signed: so nobody can
/// make another request under which approvals or results of this one would count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// The earlier request of the same that is known to whoever asks: without it a second one within
    /// the action's window is a duplicate.
    pub again: Option<EnvelopeId>,
    /// Which agent: its own Space. One request is for one host.
    pub agent: SpaceId,
    /// The action's exact name.
    pub action: String,
    /// The digest of the definition that was seen.
    pub definition: [u8; 32],
    /// Values by parameter.
    pub arguments: BTreeMap<String, String>,
    /// Not before this.
    pub not_before: Timestamp,
    /// Not after this: at most [`REQUEST_SPAN_MAX`] later, unless it is for a maintenance window.
    pub end: Timestamp,
    /// Why.
    pub reason: String,
    /// The alert for which it is done, if there is one. Written after the fields above, which older programs
    /// read alone.
    #[serde(skip)]
    pub alert: Option<AlertId>,
}

/// Somebody agrees or objects to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// To which request.
    pub request: EnvelopeId,
    /// Whether it may be run; one objection stops it.
    pub agrees: bool,
    /// Until when this counts.
    pub end: Timestamp,
}

impl ActionRequest {
    /// From when on it counts as expired for whoever reads it and heard nothing of its agent.
    ///
    /// An agent begins nothing after the request's end, but that is by its own clock, which may be as far from the
    /// reader's as replicas bear. It writes an end itself if it can; one that is dead or cut off cannot. What it says
    /// later counts all the same.
    pub fn expires_at(&self) -> Timestamp {
        self.end.plus(CLOCK_AHEAD_MAX)
    }
}

impl ActionWish {
    /// Encodes it as the body of an `ActionRequest` envelope.
    ///
    /// # Errors
    /// When it is too long.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Request(request) => match request.alert {
                // As older programs write it.
                None => versioned::encode(KIND_REQUEST, request, WISH_LEN_BYTES_MAX),
                alert => versioned::encode(KIND_REQUEST, &(request, alert), WISH_LEN_BYTES_MAX),
            },
            Self::Approval(approval) => {
                versioned::encode(KIND_APPROVAL, approval, WISH_LEN_BYTES_MAX)
            }
            Self::Maintenance {
                request,
                item,
                groups,
            } => {
                let whole = ((request, item), groups);
                versioned::encode(KIND_MAINTENANCE, &whole, WISH_LEN_BYTES_MAX)
            }
        }
    }

    /// Reads what somebody wrote.
    ///
    /// # Errors
    /// When the bytes are of a newer version or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match versioned::split(bytes, WISH_LEN_BYTES_MAX)? {
            (KIND_REQUEST, body) => {
                let (known, alert) = versioned::body_and_later(KIND_REQUEST, body)?;
                Ok(Self::Request(ActionRequest { alert, ..known }))
            }
            (KIND_APPROVAL, body) => Ok(Self::Approval(versioned::body(KIND_APPROVAL, body)?)),
            (KIND_MAINTENANCE, body) => {
                let ((request, item), groups) = versioned::body_and_later(KIND_MAINTENANCE, body)?;
                Ok(Self::Maintenance {
                    request,
                    item,
                    groups,
                })
            }
            (other, _body) => Err(DecodeError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(alert: Option<AlertId>) -> ActionRequest {
        ActionRequest {
            again: None,
            agent: SpaceId::from_bytes([2; 32]),
            action: "flush".to_owned(),
            definition: [4; 32],
            arguments: BTreeMap::new(),
            not_before: Timestamp::from_millis(1),
            end: Timestamp::from_millis(2),
            reason: "old prices".to_owned(),
            alert,
        }
    }

    #[test]
    fn an_alert_stands_behind_what_older_agents_read() {
        let old = ActionWish::Request(request(None)).encode().unwrap();
        let new = ActionWish::Request(request(Some(AlertId([7; 32]))));
        let bytes = new.encode().unwrap();
        assert_eq!(ActionWish::decode(&bytes), Ok(new));
        assert!(bytes.starts_with(&old) && bytes.len() == old.len() + 33);
        let read = ActionWish::decode(&old);
        assert_eq!(
            read,
            Ok(ActionWish::Request(request(None))),
            "what was asked before"
        );
    }

    #[test]
    fn what_is_known_of_groups_stands_behind_what_older_agents_read() {
        let item = ItemId::from_bytes([8; 16]);
        let wish = |groups| ActionWish::Maintenance {
            request: request(None),
            item,
            groups,
        };
        let old = versioned::encode(KIND_MAINTENANCE, &(request(None), item), WISH_LEN_BYTES_MAX);
        let old = old.unwrap();
        let bytes = wish(9).encode().unwrap();
        assert!(bytes.starts_with(&old));
        assert_eq!(ActionWish::decode(&bytes), Ok(wish(9)));
        assert_eq!(ActionWish::decode(&old), Ok(wish(0)));
    }
}
