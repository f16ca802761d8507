//! What waits for the disk, in the order in which it came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::Engine;
use super::draft::Draft;
use super::io::{BatchId, ConnectionId, Input, Output, WriteError, WriteId};
use crate::envelope::Envelope;
use crate::id::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::key::{DeviceKeys, PublicKeys};
use crate::statement::{Body, Statement};
use crate::time::Timestamp;

/// Something to be stored.
#[derive(Debug)]
pub(super) enum Work {
    Received {
        from: Option<(ConnectionId, u64)>,
        envelope: Arc<Envelope>,
    },
    Write {
        write: WriteId,
        space: SpaceId,
        document: DocumentId,
        body: Body,
        made_in: Option<Instance>,
    },
    Control {
        write: Option<WriteId>,
        space: SpaceId,
        statement: Statement,
    },
    Create {
        write: WriteId,
        anchor: Option<PublicKeys>,
        principal: PrincipalId,
        end: Timestamp,
    },
    Join {
        write: WriteId,
        space: SpaceId,
        invitation: Option<Box<DeviceKeys>>,
    },
    Redeem {
        space: SpaceId,
    },
    Body {
        from: Option<(ConnectionId, u64)>,
        space: SpaceId,
        envelope: EnvelopeId,
        body: Vec<u8>,
    },
    Forget {
        write: WriteId,
        space: SpaceId,
    },
    /// A snapshot of this device's own accord.
    Snapshot {
        space: SpaceId,
        document: DocumentId,
        body: Body,
    },
    /// Bodies that a snapshot holds: what was sealed of them goes, if it is here.
    Cover {
        write: Option<WriteId>,
        space: SpaceId,
        by: EnvelopeId,
        ids: Vec<EnvelopeId>,
    },
}
/// What waits for the disk, and what is under way to it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) works: VecDeque<Work>,
    pub(super) received_bytes: usize,
    pub(super) writes: usize,
    pub(super) in_flight: Option<InFlight>,
    pub(super) next_batch: u64,
    pub(super) retry_at: Option<Timestamp>,
    pub(super) instance_dirty: bool,
    pub(super) cursors_dirty: BTreeSet<(AuthorId, SpaceId)>,
    /// Ephemeral counters that must be reserved before a message that waits is heard.
    pub(super) counters_due: BTreeMap<(SpaceId, Chain), u64>,
}

/// The batch that the store was given.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) batch: BatchId,
    pub(super) draft: Draft,
}
impl Queue {
    pub(super) fn push(&mut self, work: Work) {
        if let Work::Received { envelope, .. } = &work {
            self.received_bytes += envelope.raw().len_bytes();
        }
        if let Work::Body { body, .. } = &work {
            self.received_bytes += body.len();
        }
        self.works.push_back(work);
    }

    pub(super) fn push_received(&mut self, from: (ConnectionId, u64), envelope: Envelope) {
        self.push(Work::Received {
            from: Some(from),
            envelope: Arc::new(envelope),
        });
    }

    pub(super) fn is_own_in_flight(&self, id: EnvelopeId) -> bool {
        self.in_flight
            .as_ref()
            .is_some_and(|it| it.draft.ids.contains(&id))
    }

    pub(super) fn writes(&self) -> usize {
        self.writes
    }
}
impl Engine {
    pub(super) fn enqueue(&mut self, input: Input) {
        let Some((write, work)) = work_of(input) else {
            return;
        };
        if self.queue.writes >= self.limits.writes_max {
            self.fail(write, WriteError::Busy);
            return;
        }
        self.queue.writes += 1;
        self.queue.push(work);
    }

    pub(super) fn fail(&mut self, write: WriteId, error: WriteError) {
        self.outputs.push_back(Output::Written {
            write,
            result: Err(error),
        });
    }
}

/// What a shell asks to be stored, as work; none of what is handled elsewhere.
#[expect(clippy::too_many_lines, reason = "one arm an input")]
fn work_of(input: Input) -> Option<(WriteId, Work)> {
    Some(match input {
        Input::Write {
            write,
            space,
            document,
            body,
            made_in,
        } => (
            write,
            Work::Write {
                write,
                space,
                document,
                body,
                made_in,
            },
        ),
        Input::WriteControl {
            write,
            space,
            statement,
        } => (
            write,
            Work::Control {
                write: Some(write),
                space,
                statement,
            },
        ),
        Input::CreateSpace {
            write,
            anchor,
            principal,
            end,
        } => (
            write,
            Work::Create {
                write,
                anchor,
                principal,
                end,
            },
        ),
        Input::Join {
            write,
            space,
            invitation,
        } => (
            write,
            Work::Join {
                write,
                space,
                invitation,
            },
        ),
        Input::Forget { write, space } => (write, Work::Forget { write, space }),
        Input::Cover {
            write,
            space,
            by,
            ids,
        } => (
            write,
            Work::Cover {
                write: Some(write),
                space,
                by,
                ids,
            },
        ),
        _elsewhere => return None,
    })
}
