//! One thread writes: it drains its queue into one durable commit, then answers everyone.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use super::{Operation, Store, StoreError};

const QUEUE_MAX: usize = 1_024;
const OPERATIONS_MAX: usize = 4_096;
const BYTES_MAX: usize = 16 << 20;

/// Called once, with how the batch ended.
pub type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Operations that happen together.
pub struct Batch {
    /// In order.
    pub operations: Vec<Operation>,
    /// Who waits.
    pub answer: Answer,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} operations)", self.operations.len())
    }
}

/// The way to the writing thread, which ends when all of these are dropped.
#[derive(Debug)]
pub struct Writer {
    queue: Option<mpsc::Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: Arc<dyn Store>) -> std::io::Result<Self> {
        let (queue, batches) = mpsc::channel(QUEUE_MAX);
        let thread = thread::Builder::new()
            .name("aramaki-store".to_owned())
            .spawn(move || run(&*store, batches))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Queues a batch; waits while the queue is full.
    pub async fn commit(&self, batch: Batch) {
        let refused = match &self.queue {
            Some(queue) => match queue.send(batch).await {
                Ok(()) => return,
                Err(refused) => refused.0,
            },
            None => batch,
        };
        (refused.answer)(Err(StoreError::Closed));
    }

    /// Lets the thread finish what is queued, and waits for it.
    pub fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

fn run(store: &dyn Store, mut batches: mpsc::Receiver<Batch>) {
    while let Some(first) = batches.blocking_recv() {
        let mut group = vec![first];
        let (mut operations, mut bytes) = weight(&group[0]);
        while operations < OPERATIONS_MAX
            && bytes < BYTES_MAX
            && let Ok(next) = batches.try_recv()
        {
            let (more, heavier) = weight(&next);
            operations += more;
            bytes += heavier;
            group.push(next);
        }
        commit(store, group);
    }
}

fn weight(batch: &Batch) -> (usize, usize) {
    let bytes = batch.operations.iter().map(|operation| match operation {
        Operation::PutEnvelope { envelope, .. } => envelope.raw().len_bytes(),
        Operation::PutValue { value, .. } => value.len(),
        Operation::PutSecret { value, .. } | Operation::PutCache { value, .. } => value.0.len(),
        Operation::PutBody { body, .. } => body.len(),
        Operation::DropBody { .. }
        | Operation::RemoveSecret { .. }
        | Operation::RemoveValue { .. }
        | Operation::SetInstance(_) => 0,
    });
    (batch.operations.len(), bytes.sum())
}

/// One commit for all; if it fails, one for each in order, so that one bad batch harms no other.
fn commit(store: &dyn Store, group: Vec<Batch>) {
    if group.len() > 1 {
        let operations = group.iter().flat_map(|batch| &batch.operations);
        let all: Vec<Operation> = operations.cloned().collect();
        match store.commit(&all) {
            Ok(()) => {
                for batch in group {
                    (batch.answer)(Ok(()));
                }
                return;
            }
            Err(cause) => {
                tracing::warn!(%cause, batches = group.len(), "commit failed, trying one by one");
            }
        }
    }
    for batch in group {
        (batch.answer)(store.commit(&batch.operations));
    }
}
