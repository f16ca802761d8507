//! A replica whose disk is full for a while.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aramaki_sync_core::{EnvelopeId, PrincipalId};
use serde_bytes::ByteBuf;
use tokio::time::timeout;

use super::*;
use crate::store::tests::on_a_small_disk;

fn text(text: &str) -> Body {
    Body::Changes(vec![ByteBuf::from(text.as_bytes())])
}

async fn read(replica: &Replica, space: SpaceId, document: DocumentId) -> Vec<Body> {
    let entries = replica.bodies(space, document).await.unwrap();
    entries.into_iter().filter_map(|entry| entry.body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_witness_states_by_itself_is_nothing_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let keys = DeviceKeys::from_seed([1; 32]);
    let options = ReplicaOptions::new(folder.path().join("store"), keys);
    let replica = Replica::open(options).await.unwrap();
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    let space = replica.create_space(request).await.unwrap();
    let document = DocumentId::named("system");
    replica.write(space, document, text("first")).await.unwrap();
    let before = replica.space(space).await.unwrap();
    let receipt = Statement::Receipt {
        cuts: Vec::new(),
        at: driver::now(),
    };
    replica.write_control(space, receipt).await.unwrap();
    let after = replica.space(space).await.unwrap();
    assert_eq!(after.envelopes, before.envelopes + 1);
    assert!(before.receipts.only_here > 0);
    assert_eq!(after.receipts, before.receipts);
    replica.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_acknowledging_but_not_reading_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let keys = Arc::new(DeviceKeys::from_seed([1; 32]));
    let (store, full) = on_a_small_disk(&path, &keys);
    let replica = Replica::open_on(Arc::new(store), Arc::clone(&keys), None, Role::Member)
        .await
        .unwrap();
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    let space = replica.create_space(request).await.unwrap();
    let document = DocumentId::named("system");
    replica.write(space, document, text("first")).await.unwrap();

    full.store(true, Ordering::SeqCst);
    let refused = timeout(
        Duration::from_secs(2),
        replica.write(space, document, text("no room")),
    )
    .await;
    assert!(!matches!(refused, Ok(Ok(_))), "acknowledged on a full disk");
    for _time in 0..3 {
        assert_eq!(read(&replica, space, document).await, [text("first")]);
    }
    assert!(replica.verify().await.unwrap().is_sound());

    full.store(false, Ordering::SeqCst);
    timeout(Duration::from_secs(20), async {
        while replica
            .write(space, document, text("second"))
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    replica.shutdown().await;

    let store = RedbStore::open(Folder::open(&path).unwrap(), &keys).unwrap();
    let replica = Replica::open_on(Arc::new(store), keys, None, Role::Member)
        .await
        .unwrap();
    let bodies = read(&replica, space, document).await;
    assert!(bodies.contains(&text("first")) && bodies.contains(&text("second")));
    assert!(replica.verify().await.unwrap().is_sound());
    replica.shutdown().await;
}

/// Writes two entries, damages the second on disk, and opens again.
async fn damaged(
    folder: &Path,
    damage: impl FnOnce(&RedbStore, EnvelopeId) -> Result<(), StoreError>,
) -> (Replica, SpaceId) {
    let path = folder.join("store");
    let keys = || DeviceKeys::from_seed([1; 32]);
    let open = async || {
        let options = ReplicaOptions::new(&path, keys()).offline();
        Replica::open(options).await.unwrap()
    };
    let replica = open().await;
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    let space = replica.create_space(request).await.unwrap();
    let mut ids = Vec::new();
    for part in ["sound", "damaged"] {
        let document = DocumentId::named("system");
        let written = replica.write(space, document, text(part)).await.unwrap();
        ids.push(written.id);
    }
    replica.shutdown().await;
    let store = RedbStore::open(Folder::open(&path).unwrap(), &keys()).unwrap();
    damage(&store, ids[1]).unwrap();
    drop(store);
    (open().await, space)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_header_is_not_taken_for_what_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (replica, space) = damaged(folder.path(), RedbStore::damage_header).await;
    let document = DocumentId::named("system");
    let entries = replica.bodies(space, document).await.unwrap();
    assert_eq!(entries.len(), 1, "no entry under an id that nobody signed");
    assert_eq!(entries[0].body, Some(text("sound")));
    assert_eq!(replica.verify().await.unwrap().wrong, 1);
    replica.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_signature_is_found_by_verify_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (replica, space) = damaged(folder.path(), RedbStore::damage_signature).await;
    // Header and body are those that were verified when they came.
    let bodies = read(&replica, space, DocumentId::named("system")).await;
    assert_eq!(bodies, [text("sound"), text("damaged")]);
    assert_eq!(replica.verify().await.unwrap().wrong, 1);
    replica.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_found_by_verify_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let keys = DeviceKeys::from_seed([1; 32]);
    let open = async || {
        let options = ReplicaOptions::new(&path, DeviceKeys::from_seed([1; 32])).offline();
        Replica::open(options).await.unwrap()
    };
    let replica = open().await;
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    let space = replica.create_space(request).await.unwrap();
    let document = DocumentId::named("system");
    let id = replica
        .write(space, document, text("sound"))
        .await
        .unwrap()
        .id;
    let report = replica.verify().await.unwrap();
    assert!(report.is_sound() && report.signatures == report.envelopes);
    replica.shutdown().await;

    let store = RedbStore::open(Folder::open(&path).unwrap(), &keys).unwrap();
    store.damage_body(id).unwrap();
    drop(store);
    let replica = open().await;
    let report = replica.verify().await.unwrap();
    assert_eq!(report.wrong, 1);
    let entries = replica.bodies(space, document).await.unwrap();
    assert_eq!((entries[0].id, &entries[0].body), (id, &None));
    assert_eq!(replica.damaged(), 1, "whoever reads it can say so");
    replica.shutdown().await;
}
