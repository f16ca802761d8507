//! Ids, envelopes, trust and the replication engine of Aramaki: pure values, no I/O, no Automerge.

pub mod admission;
pub mod bundle;
pub mod codec;
pub mod contain;
pub mod engine;
pub mod entropy;
pub mod envelope;
pub mod ephemeral;
mod guard;
pub mod id;
pub mod invitation;
pub mod key;
mod letters;
pub mod statement;
pub mod time;

pub use entropy::Entropy;
pub use id::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId};
pub use time::Timestamp;
