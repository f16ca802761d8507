//! The real database in a temporary folder, and one whose disk can be full.

use std::sync::atomic::{AtomicBool, Ordering};

use aramaki_sync_core::envelope::{self, Position};
use aramaki_sync_core::key::{DeviceKeys, EpochKey};
use aramaki_sync_core::statement::{Body, Statement};
use aramaki_sync_core::{DocumentId, Entropy};
use redb::{Builder, StorageBackend};
use serde_bytes::ByteBuf;
use tokio::sync::oneshot;

use super::*;

fn keys() -> DeviceKeys {
    DeviceKeys::from_seed([1; 32])
}

fn position(seq: u64) -> Position {
    Position {
        space: SpaceId::from_bytes([2; 32]),
        instance: Instance(3),
        seq,
        previous: EnvelopeId::from_bytes([u8::from(seq > 1); 32]),
        authority: EnvelopeId::ZERO,
        ancestors: Vec::new(),
        time: Timestamp::from_millis(1_000),
    }
}

fn written(seq: u64) -> Envelope {
    let mut entropy = Entropy::from_seed([4; 32]);
    let key = EpochKey::generate(&mut entropy);
    let body = Body::Changes(vec![ByteBuf::from(seq.to_be_bytes())]);
    let epoch = (EnvelopeId::from_bytes([5; 32]), &key);
    let document = DocumentId::named("system");
    envelope::sealed(&keys(), position(seq), document, &body, epoch).unwrap()
}

fn stated(seq: u64) -> Envelope {
    let statement = Statement::BreakGlass {
        reason: "a test".to_owned(),
    };
    envelope::control(&keys(), position(seq), &statement).unwrap()
}

fn put(envelope: &Envelope) -> Operation {
    Operation::PutEnvelope {
        envelope: Arc::new(envelope.clone()),
        received: Timestamp::from_millis(9),
    }
}

fn rows(store: &dyn Store, bodies: Bodies) -> Vec<StoredRow> {
    let mut rows = Vec::new();
    store
        .scan(bodies, &mut |row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    rows
}

fn open(path: &Path) -> RedbStore {
    RedbStore::open(Folder::open(path).unwrap(), &keys()).unwrap()
}

#[test]
fn what_was_committed_is_there_again_in_order_of_arrival() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let envelopes = [written(2), stated(1), written(3)];
    let identity = {
        let store = open(&path);
        store.commit(&envelopes.each_ref().map(put)).unwrap();
        store.commit(&[put(&envelopes[0])]).unwrap();
        store.identity()
    };
    let store = open(&path);
    assert_eq!(store.identity(), identity);
    let all = rows(&store, Bodies::All);
    assert_eq!(all.len(), 3, "the second put changed nothing");
    for (row, envelope) in all.iter().zip(&envelopes) {
        assert_eq!(&row.raw, envelope.raw());
        assert_eq!(row.received, Timestamp::from_millis(9));
    }
    let control = rows(&store, Bodies::Control);
    let with_body: Vec<bool> = control.iter().map(|row| row.raw.body.is_some()).collect();
    assert_eq!(with_body, [false, true, false]);
    let header = envelopes[0].header();
    let chain = store
        .chain(header.space, header.chain, 1, usize::MAX)
        .unwrap();
    let found: Vec<_> = chain.into_iter().map(|row| row.raw).collect();
    assert_eq!(
        found,
        [envelopes[0].raw().clone(), envelopes[2].raw().clone()]
    );
    let unknown = EnvelopeId::from_bytes([7; 32]);
    assert_eq!(
        store
            .envelopes(&[unknown, envelopes[1].id()])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn secrets_are_sealed_in_the_file_and_open_for_their_device() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let marker = b"a marker that is nowhere in the file";
    let key = b"epoch/1".to_vec();
    {
        let store = open(&path);
        let value = Secret::from(&marker[..]);
        let cached = Operation::PutCache {
            key: key.clone(),
            value: value.clone(),
        };
        let secret = Operation::PutSecret {
            key: key.clone(),
            value,
        };
        store.commit(&[secret, cached]).unwrap();
        assert_eq!(store.secrets(b"epoch/").unwrap()[0].1.0.as_slice(), marker);
        assert_eq!(store.cached(&key).unwrap().unwrap().0.as_slice(), marker);
        store.commit(&[Operation::RemoveSecret { key }]).unwrap();
        assert!(store.secrets(b"").unwrap().is_empty());
    }
    let bytes = std::fs::read(path.join("store.redb")).unwrap();
    assert!(!bytes.windows(marker.len()).any(|window| window == marker));
}

#[test]
fn a_folder_is_held_by_one_process_and_the_error_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let held = Folder::open(&path).unwrap();
    let Err(StoreError::InUse { pid, .. }) = Folder::open(&path) else {
        panic!("the folder is held");
    };
    assert_eq!(pid, std::process::id().to_string());
    drop(held);
    Folder::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(&path);
    store.backup(&folder.path().join("backup")).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for name in ["store.redb", "lock", "format"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&folder.path().join("backup")), 0o600);
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(open(&path));
    std::fs::write(path.join("format"), "7\n").unwrap();
    let before = std::fs::read(path.join("store.redb")).unwrap();
    assert!(matches!(
        Folder::open(&path),
        Err(StoreError::Newer {
            found: 7,
            known: FORMAT_VERSION,
            ..
        })
    ));
    assert_eq!(std::fs::read(path.join("store.redb")).unwrap(), before);
}

#[test]
fn another_devices_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(open(&path));
    let other = DeviceKeys::from_seed([2; 32]);
    assert!(matches!(
        RedbStore::open(Folder::open(&path).unwrap(), &other),
        Err(StoreError::Foreign { .. })
    ));
}

#[test]
fn a42_a_restored_backup_takes_a_new_instance() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("store"), folder.path().join("backup"));
    let store = open(&path);
    store.commit(&[put(&stated(1)), put(&written(2))]).unwrap();
    store.backup(&file).unwrap();
    assert!(
        matches!(store.backup(&file), Err(StoreError::Io { .. })),
        "never over a file"
    );
    store.commit(&[put(&written(3))]).unwrap();
    let second = Folder::open(&folder.path().join("second")).unwrap();
    let restored = RedbStore::restore(&file, second, &keys()).unwrap();
    assert_eq!(rows(&restored, Bodies::All).len(), 2);
    assert_ne!(restored.identity().instance, store.identity().instance);
    assert_ne!(restored.identity().epoch, store.identity().epoch);
    drop(restored);
    let again = Folder::open(&folder.path().join("second")).unwrap();
    assert!(matches!(
        RedbStore::restore(&file, again, &keys()),
        Err(StoreError::Exists { .. })
    ));
}

/// A file on a disk that is full while the switch is on.
#[derive(Debug)]
struct FullDisk {
    file: redb::backends::FileBackend,
    full: Arc<AtomicBool>,
}

impl FullDisk {
    fn room(&self) -> Result<(), io::Error> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }
}

impl StorageBackend for FullDisk {
    fn len(&self) -> Result<u64, io::Error> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.room()?;
        self.file.set_len(len)
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        self.room()?;
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.room()?;
        self.file.write(offset, data)
    }
    fn close(&self) -> Result<(), io::Error> {
        self.file.close()
    }
}

/// A store whose disk is full while the switch is on.
pub(crate) fn on_a_small_disk(path: &Path, keys: &DeviceKeys) -> (RedbStore, Arc<AtomicBool>) {
    let folder = Folder::open(path).unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let (switch, file) = (Arc::clone(&full), folder.database());
    let open = move || {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&file).map_err(redb::StorageError::Io)?;
        Builder::new().create_with_backend(FullDisk {
            file: redb::backends::FileBackend::new(file)?,
            full: Arc::clone(&switch),
        })
    };
    let store = RedbStore::open_with(folder, keys, Box::new(open)).unwrap();
    (store, full)
}

#[test]
fn a_full_disk_loses_nothing_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (store, full) = on_a_small_disk(&folder.path().join("store"), &keys());
    store.commit(&[put(&stated(1))]).unwrap();
    full.store(true, Ordering::SeqCst);
    for _attempt in 0..3 {
        let refused = store.commit(&[put(&written(2))]);
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        assert_eq!(
            rows(&store, Bodies::All).len(),
            1,
            "what was there is read, and nothing half done"
        );
    }
    full.store(false, Ordering::SeqCst);
    store.commit(&[put(&written(2))]).unwrap();
    drop(store);
    let store = open(&folder.path().join("store"));
    assert_eq!(rows(&store, Bodies::All).len(), 2);
}

#[tokio::test]
async fn the_writer_answers_every_batch_after_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(open(&folder.path().join("store")));
    let mut writer = Writer::start(Arc::clone(&store)).unwrap();
    let mut waiting = Vec::new();
    for seq in 1..=50 {
        let (done, answer) = oneshot::channel();
        let operations = vec![put(&written(seq))];
        let answer_with = Box::new(move |result: Result<(), StoreError>| {
            assert!(done.send(result).is_ok());
        });
        let batch = Batch {
            operations,
            answer: answer_with,
        };
        writer.commit(batch).await;
        waiting.push(answer);
    }
    for answer in waiting {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(rows(&*store, Bodies::Control).len(), 50);
    writer.stop();
}

/// An emptied workspace must not look like one with nothing in it.
#[test]
fn a_used_folder_without_its_database_is_refused_and_left_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(open(&path));
    let database = Folder::open(&path).unwrap().database();
    for lose in [
        |file: &Path| std::fs::write(file, b"").unwrap(),
        |file: &Path| std::fs::remove_file(file).unwrap(),
    ] {
        lose(&database);
        let refused = RedbStore::open(Folder::open(&path).unwrap(), &keys());
        let shown = refused.err().unwrap().to_string();
        assert!(shown.contains("store.redb is missing or empty"), "{shown}");
        let left = std::fs::metadata(&database).map_or(0, |file| file.len());
        assert_eq!(left, 0, "something new was made in its place");
    }
}

#[test]
fn a_damaged_database_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let envelopes = [written(2), stated(1), written(3)];
    {
        let store = open(&path);
        store.commit(&envelopes.each_ref().map(put)).unwrap();
    }
    let file = path.join("store.redb");
    let sound = std::fs::read(&file).unwrap();
    let mut random = Entropy::from_seed([7; 32]);
    let mut refused = 0;
    for attempt in 0..120_usize {
        let mut bytes = sound.clone();
        // Across the header, and anywhere else: a byte, or a page of them.
        let at = match attempt {
            0..60 => attempt * 5,
            _ => usize::try_from(random.next_u64()).unwrap_or(0) % bytes.len(),
        };
        let damaged = if attempt % 3 == 0 { 512 } else { 1 };
        let end = bytes.len().min(at + damaged);
        for byte in &mut bytes[at..end] {
            *byte ^= 0x55;
        }
        std::fs::write(&file, &bytes).unwrap();
        let used = std::panic::catch_unwind(|| -> Result<(), StoreError> {
            let store = RedbStore::open(Folder::open(&path)?, &keys())?;
            store.scan(Bodies::All, &mut |_row| Ok(()))?;
            store.values(b"")?;
            store.secrets(b"")?;
            store.commit(&[put(&written(4))])
        });
        refused += usize::from(used.expect("no panic").is_err());
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn a_body_is_deleted_only_beside_the_snapshot_that_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store"));
    let [one, snapshot] = [written(1), written(2)];
    let (id, by) = (one.id(), snapshot.id());
    store.commit(&[put(&one)]).unwrap();
    let key = b"note".to_vec();
    let value = by.as_bytes().to_vec();
    let note = Operation::PutValue { key, value };
    let drop_body = [note, Operation::DropBody { id, by }];
    assert!(matches!(
        store.commit(&drop_body),
        Err(StoreError::Missing(_))
    ));
    let body = |id| store.envelopes(&[id]).unwrap().remove(0).raw.body;
    assert_eq!(body(id), one.raw().body, "deleted without evidence");
    assert!(store.values(b"note").unwrap().is_empty());
    store.commit(&[put(&snapshot)]).unwrap();
    store.commit(&drop_body).unwrap();
    assert_eq!(body(id), None);
    assert_eq!(body(by), snapshot.raw().body);
    assert_eq!(store.values(b"note").unwrap().len(), 1);
    store.shrink().unwrap();
    assert_eq!(rows(&store, Bodies::All).len(), 2);
}
