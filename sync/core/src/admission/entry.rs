//! What a log keeps of an envelope: its header, its statement if it is control, when it came.

use crate::envelope::{Envelope, Header};
use crate::id::{Chain, EnvelopeId};
use crate::statement::{Kind, Statement};
use crate::time::Timestamp;

/// An envelope in a [`SpaceLog`](super::SpaceLog): sealed bodies stay in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) id: EnvelopeId,
    pub(super) header: Header,
    pub(super) statement: Option<Statement>,
    pub(super) received: Timestamp,
    pub(super) links: Vec<EnvelopeId>,
}

/// A place in a chain, as cuts, receipts and summaries name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Which chain.
    pub chain: Chain,
    /// Which position.
    pub seq: u64,
    /// Which envelope there.
    pub id: EnvelopeId,
}

impl Entry {
    pub(super) fn new(envelope: &Envelope, received: Timestamp) -> Self {
        let header = envelope.header().clone();
        let mut links = header.ancestors.clone();
        if !header.previous.is_zero() {
            links.push(header.previous);
        }
        Self {
            id: envelope.id(),
            statement: envelope.statement().cloned(),
            header,
            received,
            links,
        }
    }

    /// Its id.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The plain statement of a control envelope.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    /// When this store first had it.
    pub fn received(&self) -> Timestamp {
        self.received
    }

    /// Where it is.
    pub fn link(&self) -> Link {
        Link {
            chain: self.header.chain,
            seq: self.header.seq,
            id: self.id,
        }
    }

    /// Whether it is a control statement.
    pub fn is_control(&self) -> bool {
        self.header.kind == Kind::Control
    }

    /// What it directly builds on: the envelope before and the heads of other chains.
    pub fn links(&self) -> &[EnvelopeId] {
        &self.links
    }
}
