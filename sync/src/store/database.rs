//! [`Store`] on redb: one file, every commit durable before it returns.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, Instance, SpaceId, contain};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase as _,
    ReadableTable as _, ReadableTableMetadata as _, StorageError, TableDefinition, TableError,
    WriteTransaction,
};
use serde_bytes::ByteBuf;

use super::folder::io_error;
use super::overlay::Overlay;
use super::row::{self, RowKey};
use super::seal::Sealer;
use super::{
    Bodies, FORMAT_VERSION, Folder, Identity, NamedValue, Operation, Secret, Store, StoreError,
    StoredRow,
};
use crate::keys::private;

type Bytes = &'static [u8];
const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
const HEADERS: TableDefinition<'_, &RowKey, Bytes> = TableDefinition::new("headers");
const POSITIONS: TableDefinition<'_, &[u8; 32], &RowKey> = TableDefinition::new("positions");
const ARRIVALS: TableDefinition<'_, u64, &RowKey> = TableDefinition::new("arrivals");
const BODIES: TableDefinition<'_, &[u8; 32], Bytes> = TableDefinition::new("bodies");
const VALUES: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("values");
const SECRETS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("secrets");
const CACHE: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("cache");

const CACHE_BYTES: usize = 64 << 20;
const COPY_BATCH: usize = 4_096;

type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The database, and how often it was opened: who saw an error closes that one, not the next.
struct Handle {
    open: Open,
    opened: u64,
}

impl Handle {
    fn set(&mut self, open: Open) {
        let before = std::mem::replace(&mut self.open, open);
        self.opened += 1;
        // A database that is closed writes; on a damaged one that may panic as well.
        if let Err(panicked) = contain::run(|| drop(before)) {
            tracing::debug!(panicked, "the damaged store was closed");
        }
    }
}

/// How the file is open.
enum Open {
    /// Not, since an error.
    Closed,
    /// To be read while it cannot be written.
    Reading(Database),
    /// As it should be.
    Writing(Database),
}

/// The store of every binary: one redb file in the data folder.
///
/// redb refuses everything after an error of its file until it is opened again, so a failed commit
/// closes the database and the next call opens it. That is how a full disk recovers; until then
/// everything that was committed can be read through an in-memory overlay.
pub struct RedbStore {
    path: PathBuf,
    open: Opener,
    database: RwLock<Handle>,
    sealer: Sealer,
    identity: RwLock<Identity>,
    /// The last to go: who gets its lock next finds the database closed.
    folder: Folder,
}

impl std::fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedbStore({})", self.path.display())
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.guard_mut().set(Open::Closed);
    }
}

impl RedbStore {
    /// Opens the store in a folder, or makes it.
    ///
    /// # Errors
    /// When another process holds it, a later program or another device wrote it, reading fails, or
    /// the database of a folder in use is gone.
    pub fn open(folder: Folder, keys: &DeviceKeys) -> Result<Self, StoreError> {
        folder.refuse_lost()?;
        let file = folder.database();
        Self::open_with(folder, keys, Box::new(move || create(&file)))
    }

    /// Opens with a backend of one's own, to make it fail.
    pub(super) fn open_with(
        folder: Folder,
        keys: &DeviceKeys,
        open: Opener,
    ) -> Result<Self, StoreError> {
        let path = folder.database();
        contain::run(|| Self::open_at(path.clone(), folder, keys, open))
            .unwrap_or_else(|panicked| Err(damaged(&path, &panicked)))
    }

    fn open_at(
        path: PathBuf,
        folder: Folder,
        keys: &DeviceKeys,
        open: Opener,
    ) -> Result<Self, StoreError> {
        let database = opened(&path, &open)?;
        let identity = if let Some(identity) = read_identity(&database, &path)? {
            identity
        } else {
            folder.write_format()?;
            let identity = new_identity(keys.author())?;
            write_identity(&database, identity, &path)?;
            identity
        };
        if identity.author != keys.author() {
            return Err(StoreError::Foreign {
                path: folder.path().to_owned(),
                owner: identity.author.to_string(),
            });
        }
        Ok(Self {
            folder,
            path,
            open,
            database: RwLock::new(Handle {
                open: Open::Writing(database),
                opened: 0,
            }),
            sealer: Sealer::new(&keys.store_key()),
            identity: RwLock::new(identity),
        })
    }

    /// Turns a backup file into a new database in an empty folder, under a new instance.
    ///
    /// # Errors
    /// When the folder holds a database, or the file is none of this device's.
    pub fn restore(file: &Path, folder: Folder, keys: &DeviceKeys) -> Result<Self, StoreError> {
        let path = folder.database();
        if path.exists() {
            return Err(StoreError::Exists { path });
        }
        contain::run(|| Self::copy_backup(file, folder, keys))
            .unwrap_or_else(|panicked| Err(damaged(file, &panicked)))
    }

    fn copy_backup(file: &Path, folder: Folder, keys: &DeviceKeys) -> Result<Self, StoreError> {
        let backup = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .open_read_only(file)
            .map_err(|cause| database_error(file, cause))?;
        let owner = {
            let read = backup
                .begin_read()
                .map_err(|cause| StoreError::Database(cause.to_string()))?;
            identity_in(&read, file)?
                .ok_or_else(|| StoreError::Corrupt("the backup has no identity".to_owned()))?
        };
        if owner.author != keys.author() {
            return Err(StoreError::Foreign {
                path: file.to_owned(),
                owner: owner.author.to_string(),
            });
        }
        let store = Self::open(folder, keys)?;
        let read = backup
            .begin_read()
            .map_err(|cause| StoreError::Database(cause.to_string()))?;
        store.with(|database| {
            copy_tables(&read, database).map_err(|cause| storage_error(&store.path, cause))
        })?;
        Ok(store)
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Runs with a database that can be written; opens it again if an error closed it.
    fn with<T>(
        &self,
        run: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !matches!(self.guard().open, Open::Writing(_)) {
            let mut handle = self.guard_mut();
            if !matches!(handle.open, Open::Writing(_)) {
                let again = opened(&self.path, &self.open)?;
                handle.set(Open::Writing(again));
            }
        }
        let handle = self.guard();
        let Open::Writing(database) = &handle.open else {
            return Err(StoreError::Database("it failed again".to_owned()));
        };
        let done = self.contained(|| run(database));
        self.finish(handle, done)
    }

    /// redb panics on some damaged pages.
    fn contained<T>(&self, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        contain::run(run).unwrap_or_else(|panicked| Err(damaged(&self.path, &panicked)))
    }

    fn guard(&self) -> RwLockReadGuard<'_, Handle> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard_mut(&self) -> RwLockWriteGuard<'_, Handle> {
        let guard = self.database.write();
        guard.unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the database after an error that redb does not forget.
    fn finish<T>(
        &self,
        handle: RwLockReadGuard<'_, Handle>,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let opened = handle.opened;
        drop(handle);
        if let Err(
            StoreError::Full
            | StoreError::Io { .. }
            | StoreError::Corrupt(_)
            | StoreError::Database(_),
        ) = &done
        {
            let mut handle = self.guard_mut();
            if handle.opened == opened {
                handle.set(Open::Closed);
            }
        }
        done
    }

    /// Opens a closed database, for reading alone if there is no room to write.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut handle = self.guard_mut();
        if matches!(handle.open, Open::Closed) {
            let open = match opened(&self.path, &self.open) {
                Ok(database) => Open::Writing(database),
                Err(cause @ StoreError::Corrupt(_)) => return Err(cause),
                Err(cause) => {
                    tracing::warn!(%cause, "the store can only be read at the moment");
                    let overlay = || {
                        Builder::new()
                            .set_cache_size(CACHE_BYTES)
                            .create_with_backend(Overlay::open(&self.path)?)
                    };
                    Open::Reading(opened(&self.path, &overlay)?)
                }
            };
            handle.set(open);
        }
        Ok(())
    }

    /// Reads. A failure of someone else's write in between closes the database under a reader, who
    /// then looks once more.
    fn read<T>(
        &self,
        run: impl Fn(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.read_once(&run) {
            Err(StoreError::Full | StoreError::Io { .. } | StoreError::Database(_)) => {
                self.read_once(run)
            }
            done => done,
        }
    }

    fn read_once<T>(
        &self,
        run: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if matches!(self.guard().open, Open::Closed) {
            self.reopen()?;
        }
        let handle = self.guard();
        let (Open::Writing(database) | Open::Reading(database)) = &handle.open else {
            return Err(StoreError::Database("it failed again".to_owned()));
        };
        let done = self.contained(|| {
            let began = database.begin_read().map_err(|cause| self.failed(cause));
            began.and_then(|transaction| run(&transaction))
        });
        self.finish(handle, done)
    }

    fn failed(&self, cause: impl Into<redb::Error>) -> StoreError {
        storage_error(&self.path, cause.into())
    }

    fn apply(
        &self,
        transaction: &WriteTransaction,
        operations: &[Operation],
    ) -> Result<(), StoreError> {
        let failed_table = |cause: TableError| self.failed(cause);
        let failed = |cause: StorageError| self.failed(cause);
        let mut meta = transaction.open_table(META).map_err(failed_table)?;
        let mut headers = transaction.open_table(HEADERS).map_err(failed_table)?;
        let mut positions = transaction.open_table(POSITIONS).map_err(failed_table)?;
        let mut arrivals = transaction.open_table(ARRIVALS).map_err(failed_table)?;
        let mut bodies = transaction.open_table(BODIES).map_err(failed_table)?;
        let mut values = transaction.open_table(VALUES).map_err(failed_table)?;
        let mut secrets = transaction.open_table(SECRETS).map_err(failed_table)?;
        let mut cache = transaction.open_table(CACHE).map_err(failed_table)?;
        let mut arrival = arrivals
            .last()
            .map_err(failed)?
            .map_or(0, |(arrival, _key)| arrival.value());
        for operation in operations {
            match operation {
                Operation::PutEnvelope { envelope, received } => {
                    let key = row::key(envelope);
                    let id = envelope.id();
                    if positions.get(id.as_bytes()).map_err(failed)?.is_none() {
                        arrival += 1;
                        let row = row::encode(envelope, *received, arrival)?;
                        headers.insert(&key, row.as_slice()).map_err(failed)?;
                        positions.insert(id.as_bytes(), &key).map_err(failed)?;
                        arrivals.insert(arrival, &key).map_err(failed)?;
                    }
                    if envelope.statement().is_none()
                        && let Some(body) = envelope.body()
                    {
                        bodies.insert(id.as_bytes(), body).map_err(failed)?;
                    }
                }
                Operation::PutBody { id, body } => {
                    bodies
                        .insert(id.as_bytes(), body.as_slice())
                        .map_err(failed)?;
                }
                Operation::DropBody { id, by } => self.drop_body(&mut bodies, *id, *by)?,
                Operation::RemoveValue { key } => {
                    values.remove(key.as_slice()).map_err(failed)?;
                }
                Operation::SetInstance(instance) => {
                    meta.insert("instance", &instance.0.to_be_bytes()[..])
                        .map_err(failed)?;
                }
                Operation::PutValue { key, value } => {
                    values
                        .insert(key.as_slice(), value.as_slice())
                        .map_err(failed)?;
                }
                Operation::PutSecret { key, value } => {
                    let sealed = self.sealer.seal("secrets", key, value)?;
                    secrets
                        .insert(key.as_slice(), sealed.as_slice())
                        .map_err(failed)?;
                }
                Operation::RemoveSecret { key } => {
                    secrets.remove(key.as_slice()).map_err(failed)?;
                }
                Operation::PutCache { key, value } => {
                    let sealed = self.sealer.seal("cache", key, value)?;
                    cache
                        .insert(key.as_slice(), sealed.as_slice())
                        .map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

impl RedbStore {
    /// Deletes a body beside the snapshot that holds it.
    fn drop_body(
        &self,
        bodies: &mut redb::Table<'_, &'static [u8; 32], Bytes>,
        id: EnvelopeId,
        by: EnvelopeId,
    ) -> Result<(), StoreError> {
        let failed = |cause: StorageError| self.failed(cause);
        if bodies.get(by.as_bytes()).map_err(failed)?.is_none() {
            let what = format!("the body of snapshot {}", by.short());
            return Err(StoreError::Missing(what));
        }
        bodies.remove(id.as_bytes()).map_err(failed)?;
        Ok(())
    }
}

impl Store for RedbStore {
    fn identity(&self) -> Identity {
        *self.identity.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, operations: &[Operation]) -> Result<(), StoreError> {
        self.with(|database| {
            let mut transaction = database.begin_write().map_err(|cause| self.failed(cause))?;
            transaction
                .set_durability(Durability::Immediate)
                .map_err(|cause| StoreError::Database(cause.to_string()))?;
            self.apply(&transaction, operations)?;
            transaction.commit().map_err(|cause| self.failed(cause))
        })?;
        for operation in operations {
            if let Operation::SetInstance(instance) = operation {
                let mut identity = self
                    .identity
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                identity.instance = *instance;
            }
        }
        Ok(())
    }

    fn scan(
        &self,
        bodies: Bodies,
        each: &mut dyn FnMut(StoredRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Not again: `each` has seen some by then.
        self.read_once(|transaction| {
            let arrivals = transaction
                .open_table(ARRIVALS)
                .map_err(|cause| self.failed(cause))?;
            let tables = Tables::open(transaction).map_err(|cause| self.failed(cause))?;
            for entry in arrivals.iter().map_err(|cause| self.failed(cause))? {
                let (_arrival, key) = entry.map_err(|cause| self.failed(cause))?;
                if let Some(row) = tables.row(key.value(), bodies, self)? {
                    each(row)?;
                }
            }
            Ok(())
        })
    }

    fn envelopes(&self, ids: &[EnvelopeId]) -> Result<Vec<StoredRow>, StoreError> {
        self.read(|transaction| {
            let positions = transaction
                .open_table(POSITIONS)
                .map_err(|cause| self.failed(cause))?;
            let tables = Tables::open(transaction).map_err(|cause| self.failed(cause))?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let position = positions
                    .get(id.as_bytes())
                    .map_err(|cause| self.failed(cause))?;
                if let Some(key) = position
                    && let Some(row) = tables.row(key.value(), Bodies::All, self)?
                {
                    rows.push(row);
                }
            }
            Ok(rows)
        })
    }

    fn chain(
        &self,
        space: SpaceId,
        chain: Chain,
        after: u64,
        bytes_max: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let first = row::bound(space, chain, after.saturating_add(1), EnvelopeId::ZERO);
        let last = row::bound(space, chain, u64::MAX, EnvelopeId::from_bytes([0xff; 32]));
        self.read(|transaction| {
            let tables = Tables::open(transaction).map_err(|cause| self.failed(cause))?;
            let range = tables
                .headers
                .range::<&RowKey>(&first..=&last)
                .map_err(|cause| self.failed(cause))?;
            let (mut rows, mut bytes) = (Vec::new(), 0);
            for entry in range {
                let (key, _row) = entry.map_err(|cause| self.failed(cause))?;
                if let Some(row) = tables.row(key.value(), Bodies::All, self)? {
                    bytes += row.raw.len_bytes();
                    if bytes > bytes_max && !rows.is_empty() {
                        break;
                    }
                    rows.push(row);
                }
            }
            Ok(rows)
        })
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        self.read(|transaction| self.prefixed(transaction, VALUES, prefix))
    }

    fn secrets(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Secret)>, StoreError> {
        let sealed = self.read(|transaction| self.prefixed(transaction, SECRETS, prefix))?;
        sealed
            .into_iter()
            .map(|(key, sealed)| {
                let secret = self.sealer.open("secrets", &key, &sealed)?;
                Ok((key, secret))
            })
            .collect()
    }

    fn cached(&self, key: &[u8]) -> Result<Option<Secret>, StoreError> {
        let sealed = self.read(|transaction| {
            let table = transaction
                .open_table(CACHE)
                .map_err(|cause| self.failed(cause))?;
            let value = table.get(key).map_err(|cause| self.failed(cause))?;
            Ok(value.map(|value| value.value().to_vec()))
        })?;
        Ok(sealed.and_then(|sealed| self.sealer.open("cache", key, &sealed).ok()))
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        private(&mut options);
        let file = options.open(to).map_err(|source| io_error(to, source))?;
        let copied = self.read_once(|transaction| {
            let copy = FileBackend::new(file)
                .and_then(|file| Builder::new().create_with_backend(file))
                .map_err(|cause| database_error(to, cause))?;
            write_identity(&copy, self.identity(), to)?;
            copy_tables(transaction, &copy).map_err(|cause| storage_error(to, cause))
        });
        if copied.is_err() {
            // Half a backup is worse than none; the first error is the one that matters.
            drop(std::fs::remove_file(to));
        }
        copied
    }

    fn len_bytes(&self) -> Result<u64, StoreError> {
        std::fs::metadata(&self.path)
            .map(|metadata| metadata.len())
            .map_err(|source| io_error(&self.path, source))
    }

    fn shrink(&self) -> Result<(), StoreError> {
        // Opens it again first if an error closed it.
        self.with(|_database| Ok(()))?;
        let mut handle = self.guard_mut();
        let Open::Writing(database) = &mut handle.open else {
            return Ok(());
        };
        let shrunk = self.contained(|| {
            database
                .compact()
                .map_err(|cause| StoreError::Database(cause.to_string()))
        });
        if shrunk.is_err() {
            handle.set(Open::Closed);
        }
        shrunk.map(drop)
    }
}

impl RedbStore {
    fn prefixed(
        &self,
        transaction: &ReadTransaction,
        table: TableDefinition<'_, Bytes, Bytes>,
        prefix: &[u8],
    ) -> Result<Vec<NamedValue>, StoreError> {
        let table = transaction
            .open_table(table)
            .map_err(|cause| self.failed(cause))?;
        let mut found = Vec::new();
        for entry in table.range(prefix..).map_err(|cause| self.failed(cause))? {
            let (key, value) = entry.map_err(|cause| self.failed(cause))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            found.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(found)
    }
}

#[cfg(test)]
impl RedbStore {
    /// Flips a bit of the content hash in the header of a stored body, as a bad disk would.
    pub(crate) fn damage_header(&self, id: EnvelopeId) -> Result<(), StoreError> {
        // From the end of a row: no statement, a signature, a short length, the body's hash.
        self.damage_row(id, 1 + 65 + 2 + 32 + 1)
    }

    /// Flips a bit of the signature of a stored body.
    pub(crate) fn damage_signature(&self, id: EnvelopeId) -> Result<(), StoreError> {
        self.damage_row(id, 1 + 1)
    }

    fn damage_row(&self, id: EnvelopeId, from_end: usize) -> Result<(), StoreError> {
        self.damage(|transaction| {
            let mut headers = transaction.open_table(HEADERS)?;
            let positions = transaction.open_table(POSITIONS)?;
            let key = *positions.get(id.as_bytes())?.expect("it is stored").value();
            let mut row = headers.get(&key)?.expect("it is stored").value().to_vec();
            let at = row.len() - from_end;
            row[at] ^= 1;
            headers.insert(&key, row.as_slice())?;
            Ok(())
        })
    }

    /// Flips a bit of a stored body, as a bad disk would.
    pub(crate) fn damage_body(&self, id: EnvelopeId) -> Result<(), StoreError> {
        self.damage(|transaction| {
            let mut bodies = transaction.open_table(BODIES)?;
            let mut body = bodies
                .get(id.as_bytes())?
                .expect("it is stored")
                .value()
                .to_vec();
            body[0] ^= 1;
            bodies.insert(id.as_bytes(), body.as_slice())?;
            Ok(())
        })
    }

    fn damage(
        &self,
        how: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        self.with(|database| {
            let transaction = database.begin_write().map_err(|cause| self.failed(cause))?;
            how(&transaction).map_err(|cause| self.failed(cause))?;
            transaction.commit().map_err(|cause| self.failed(cause))
        })
    }
}

struct Tables {
    headers: redb::ReadOnlyTable<&'static RowKey, Bytes>,
    bodies: redb::ReadOnlyTable<&'static [u8; 32], Bytes>,
}

impl Tables {
    fn open(transaction: &ReadTransaction) -> Result<Self, TableError> {
        Ok(Self {
            headers: transaction.open_table(HEADERS)?,
            bodies: transaction.open_table(BODIES)?,
        })
    }

    fn row(
        &self,
        key: &RowKey,
        bodies: Bodies,
        store: &RedbStore,
    ) -> Result<Option<StoredRow>, StoreError> {
        let Some(row) = self.headers.get(key).map_err(|cause| store.failed(cause))? else {
            return Ok(None);
        };
        let mut row = row::decode(key, row.value())?;
        if bodies == Bodies::All && row.raw.body.is_none() {
            let body = self
                .bodies
                .get(row.id.as_bytes())
                .map_err(|cause| store.failed(cause))?;
            row.raw.body = body.map(|body| ByteBuf::from(body.value()));
        }
        Ok(Some(row))
    }
}

/// Opens; redb panics on some damaged pages.
fn opened(
    path: &Path,
    open: &dyn Fn() -> Result<Database, DatabaseError>,
) -> Result<Database, StoreError> {
    contain::run(open)
        .map_err(|panicked| damaged(path, &panicked))?
        .map_err(|cause| database_error(path, cause))
}

fn damaged(path: &Path, panicked: &str) -> StoreError {
    StoreError::Corrupt(format!("{} cannot be read: {panicked}", path.display()))
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let file = options
        .open(path)
        .map_err(|cause| DatabaseError::Storage(StorageError::Io(cause)))?;
    Builder::new()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(FileBackend::new(file)?)
}

fn new_identity(author: AuthorId) -> Result<Identity, StoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|_cause| StoreError::Database("no random bytes".to_owned()))?;
    let (mut instance, mut epoch) = ([0; 8], [0; 8]);
    instance.copy_from_slice(&random[..8]);
    epoch.copy_from_slice(&random[8..]);
    Ok(Identity {
        author,
        instance: Instance(u64::from_le_bytes(instance)),
        epoch: u64::from_le_bytes(epoch),
    })
}

fn read_identity(database: &Database, path: &Path) -> Result<Option<Identity>, StoreError> {
    let read = database
        .begin_read()
        .map_err(|cause| storage_error(path, cause.into()))?;
    identity_in(&read, path)
}

fn identity_in(read: &ReadTransaction, path: &Path) -> Result<Option<Identity>, StoreError> {
    let meta = match read.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(cause) => return Err(storage_error(path, cause.into())),
    };
    let field = |name: &str| -> Result<Vec<u8>, StoreError> {
        meta.get(name)
            .map_err(|cause| storage_error(path, cause.into()))?
            .map(|value| value.value().to_vec())
            .ok_or_else(|| StoreError::Corrupt(format!("`{name}` is missing")))
    };
    let wrong = |name: &str| StoreError::Corrupt(format!("`{name}` has another length"));
    let format = field("format")?
        .try_into()
        .map_err(|_length| wrong("format"))?;
    let format = u32::from_be_bytes(format);
    if format > FORMAT_VERSION {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found: format,
            known: FORMAT_VERSION,
        });
    }
    let author: [u8; 32] = field("author")?
        .try_into()
        .map_err(|_length| wrong("author"))?;
    let instance = field("instance")?
        .try_into()
        .map_err(|_length| wrong("instance"))?;
    let epoch = field("epoch")?
        .try_into()
        .map_err(|_length| wrong("epoch"))?;
    Ok(Some(Identity {
        author: AuthorId::from_bytes(author),
        instance: Instance(u64::from_be_bytes(instance)),
        epoch: u64::from_be_bytes(epoch),
    }))
}

fn write_identity(database: &Database, identity: Identity, path: &Path) -> Result<(), StoreError> {
    let written = (|| -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            meta.insert("format", &FORMAT_VERSION.to_be_bytes()[..])?;
            meta.insert("author", &identity.author.as_bytes()[..])?;
            meta.insert("instance", &identity.instance.0.to_be_bytes()[..])?;
            meta.insert("epoch", &identity.epoch.to_be_bytes()[..])?;
            // Every table exists from the start, so that reading never has to ask.
            transaction.open_table(HEADERS)?;
            transaction.open_table(POSITIONS)?;
            transaction.open_table(ARRIVALS)?;
            transaction.open_table(BODIES)?;
            transaction.open_table(VALUES)?;
            transaction.open_table(SECRETS)?;
            transaction.open_table(CACHE)?;
        }
        transaction.commit()?;
        Ok(())
    })();
    written.map_err(|cause| storage_error(path, cause))
}

/// Copies everything but who the database is.
fn copy_tables(from: &ReadTransaction, to: &Database) -> Result<(), redb::Error> {
    copy_table(from, to, HEADERS)?;
    copy_table(from, to, POSITIONS)?;
    copy_table(from, to, ARRIVALS)?;
    copy_table(from, to, BODIES)?;
    copy_table(from, to, VALUES)?;
    copy_table(from, to, SECRETS)
}

fn copy_table<K: redb::Key + 'static, V: redb::Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'_, K, V>,
) -> Result<(), redb::Error> {
    let source = from.open_table(table)?;
    tracing::debug!(%table, rows = source.len()?, "copying");
    let mut rows = source.iter()?;
    loop {
        let transaction = to.begin_write()?;
        let mut copied = 0;
        {
            let mut target = transaction.open_table(table)?;
            for row in rows.by_ref().take(COPY_BATCH) {
                let (key, value) = row?;
                target.insert(key.value(), value.value())?;
                copied += 1;
            }
        }
        transaction.commit()?;
        if copied < COPY_BATCH {
            return Ok(());
        }
    }
}

fn database_error(path: &Path, cause: DatabaseError) -> StoreError {
    match cause {
        DatabaseError::Storage(cause) => storage_error(path, cause.into()),
        other => StoreError::Database(other.to_string()),
    }
}

fn storage_error(path: &Path, cause: redb::Error) -> StoreError {
    match cause {
        redb::Error::Io(source) => io_error(path, source),
        redb::Error::Corrupted(what) => StoreError::Corrupt(what),
        other => StoreError::Database(other.to_string()),
    }
}
