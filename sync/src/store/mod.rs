//! What a replica keeps on disk. The only owner of `redb`.
//!
//! **Invariant:** an operation that was reported done survives `kill -9` and power loss; one that
//! failed left nothing behind. Every call can fail, and a failure never loses what was there.

mod database;
mod folder;
mod overlay;
mod row;
mod seal;
mod writer;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aramaki_sync_core::envelope::{Envelope, FormError, RawEnvelope};
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, Instance, SpaceId, Timestamp};
use thiserror::Error;
use zeroize::Zeroizing;

pub use database::RedbStore;
pub use folder::Folder;
pub use writer::{Answer, Batch, Writer};

/// The format of what is on disk; a newer one is refused unchanged.
pub const FORMAT_VERSION: u32 = 1;

/// Why the store did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room. Works again when there is some.
    #[error("the disk is full")]
    Full,
    /// The file system refused.
    #[error("{path}: cannot be read or written")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{path} is in use by process {pid}")]
    InUse {
        /// Which folder.
        path: PathBuf,
        /// Who holds it, as far as the lock file says.
        pid: String,
    },
    /// A later program wrote it.
    #[error("{path} has format {found}, and this program knows up to {known}: use a newer program")]
    Newer {
        /// Which folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// It belongs to another device.
    #[error("{path} belongs to device {owner}, not to this one")]
    Foreign {
        /// Which folder.
        path: PathBuf,
        /// Whose it is.
        owner: String,
    },
    /// Something is there already.
    #[error("{path} exists already")]
    Exists {
        /// What.
        path: PathBuf,
    },
    /// What is on disk is damaged.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// What an operation rests on is not here; nothing was done.
    #[error("{0} is not on this disk")]
    Missing(String),
    /// A sealed value does not open with this device's key.
    #[error("a sealed value does not open with this device's key")]
    Sealed,
    /// The database.
    #[error("the database failed: {0}")]
    Database(String),
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
}

/// Which database this is. Drawn when it is made, and again when it is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose.
    pub author: AuthorId,
    /// Names this database in the author's chains.
    pub instance: Instance,
    /// Tells peers that cursors given to an earlier database mean nothing here.
    pub epoch: u64,
}

/// One change of the store. A batch of them happens as a whole or not at all.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Keeps an envelope. Keeping it twice changes nothing.
    PutEnvelope {
        /// Verified; control statements have their body.
        envelope: Arc<Envelope>,
        /// When it came.
        received: Timestamp,
    },
    /// Keeps the sealed body of an envelope that was kept without it.
    PutBody {
        /// Whose.
        id: EnvelopeId,
        /// As sealed; its header names its hash.
        body: Vec<u8>,
    },
    /// Deletes a sealed body that is not needed: the body of `by`, a snapshot that was opened and checked,
    /// holds the plain one. Without the body of `by` nothing of the batch happens.
    DropBody {
        /// Whose.
        id: EnvelopeId,
        /// The snapshot.
        by: EnvelopeId,
    },
    /// Writes under this instance from now on.
    SetInstance(Instance),
    /// Keeps a small plain value, for instance a peer's cursor.
    PutValue {
        /// Its name.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
    },
    /// Forgets a plain value.
    RemoveValue {
        /// Its name.
        key: Vec<u8>,
    },
    /// Keeps a value sealed under the device's store key.
    PutSecret {
        /// Its name, plain.
        key: Vec<u8>,
        /// The secret.
        value: Secret,
    },
    /// Forgets a sealed value.
    RemoveSecret {
        /// Its name.
        key: Vec<u8>,
    },
    /// Keeps something that can be made again, sealed.
    PutCache {
        /// Its name, plain.
        key: Vec<u8>,
        /// The value.
        value: Secret,
    },
}

/// Bytes that are wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// An envelope on disk, verified before it was stored. Whoever reads it calls
/// [`StoredRow::recall`], or [`RawEnvelope::verify`] to trust nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// Under which id it was stored.
    pub id: EnvelopeId,
    /// As it travelled; without its body when only headers were asked for.
    pub raw: RawEnvelope,
    /// When it came.
    pub received: Timestamp,
    /// Counts arrivals in this database.
    pub arrival: u64,
}

impl StoredRow {
    /// The envelope, if it still has the id under which it was stored: then header and body are
    /// those whose signature was verified when it came, and that need not be done again.
    ///
    /// # Errors
    /// When a bit of it changed since.
    pub fn recall(self) -> Result<Envelope, FormError> {
        let envelope = self.raw.recall()?;
        if envelope.id() != self.id {
            return Err(FormError::Field("it is not what was stored"));
        }
        Ok(envelope)
    }
}

/// A name and its value.
pub type NamedValue = (Vec<u8>, Vec<u8>);

/// What of a store is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// Headers, and the bodies of control statements.
    Control,
    /// Everything.
    All,
}

/// A place that keeps envelopes, values and secrets.
///
/// Methods block; the driver calls them from threads of their own.
pub trait Store: Send + Sync + 'static {
    /// Which database this is.
    fn identity(&self) -> Identity;

    /// Does all of a batch, durably, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`] and others; the store is as it was before.
    fn commit(&self, operations: &[Operation]) -> Result<(), StoreError>;

    /// Hands every envelope to `each`, by arrival; stops when that fails.
    ///
    /// # Errors
    /// When reading fails, or what `each` said.
    fn scan(
        &self,
        bodies: Bodies,
        each: &mut dyn FnMut(StoredRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Envelopes by id with their bodies; unknown ones are left out.
    ///
    /// # Errors
    /// When reading fails.
    fn envelopes(&self, ids: &[EnvelopeId]) -> Result<Vec<StoredRow>, StoreError>;

    /// Envelopes of a chain after a position, by position, until `bytes_max` is reached.
    ///
    /// # Errors
    /// When reading fails.
    fn chain(
        &self,
        space: SpaceId,
        chain: Chain,
        after: u64,
        bytes_max: usize,
    ) -> Result<Vec<StoredRow>, StoreError>;

    /// Plain values whose name begins with `prefix`.
    ///
    /// # Errors
    /// When reading fails.
    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError>;

    /// Secrets whose name begins with `prefix`, opened.
    ///
    /// # Errors
    /// When reading fails or one does not open.
    fn secrets(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Secret)>, StoreError>;

    /// A cached value; damaged ones are as good as none.
    ///
    /// # Errors
    /// When reading fails.
    fn cached(&self, key: &[u8]) -> Result<Option<Secret>, StoreError>;

    /// Writes a consistent copy into a new file, while others go on writing.
    ///
    /// # Errors
    /// When the file exists or cannot be made durable.
    fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// How many bytes it takes on disk.
    ///
    /// # Errors
    /// When that cannot be told.
    fn len_bytes(&self) -> Result<u64, StoreError>;

    /// Gives room that was freed back to the disk, where that can be done. Others wait meanwhile.
    ///
    /// # Errors
    /// When writing fails; nothing is lost.
    fn shrink(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
