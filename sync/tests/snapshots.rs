//! Snapshots on real disks and lines: a newcomer needs few bodies, and what was deleted is held all the same.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[expect(dead_code, reason = "what other tests need of it")]
mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aramaki_sync::core::statement::Capability;
use aramaki_sync::core::{DocumentId, SpaceId};
use aramaki_sync::replica::{
    InviteRequest, Keep, Limits, Quotas, REASON_NONE, Replica, ReplicaOptions, Role, VerifyReport,
};
use aramaki_sync::transport::NetworkOptions;
use common::{Device, changes, eventually, in_a_day, new_space, texts};

const TAIL: usize = 40;

fn note() -> DocumentId {
    DocumentId::named("note/1")
}

fn options(device: &Device) -> ReplicaOptions {
    let limits = Limits {
        snapshot_tail_max: TAIL,
        snapshot_settle: Duration::from_millis(50),
        ..Limits::default()
    };
    let options = ReplicaOptions::new(device.dir(), device.keys()).limits(limits);
    options.network(NetworkOptions::loopback())
}

async fn open(device: &Device) -> Replica {
    Replica::open(options(device)).await.unwrap()
}

async fn verified(replica: &Replica) -> VerifyReport {
    let report = replica.verify().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    report
}

async fn write(replica: &Replica, space: SpaceId, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let text = changes(&format!("change {number}"));
        replica.write(space, note(), text).await.unwrap();
    }
}

fn written(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("change {number}"))
        .collect()
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut lines = self
            .0
            .lock()
            .map_err(|_poisoned| std::io::ErrorKind::Other)?;
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Exported lines of a kind: all, and those with a body.
async fn exported(replica: &Replica, kind: &str) -> (usize, usize) {
    let lines = Lines::default();
    replica.export(lines.clone()).await.unwrap();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let wanted = format!("\"kind\":\"{kind}\"");
    let lines: Vec<_> = text.lines().filter(|line| line.contains(&wanted)).collect();
    let bare = lines.iter().filter(|line| line.contains("\"body\":null"));
    (lines.len(), lines.len() - bare.count())
}

/// Alice, a relay that has everything, and a document with a snapshot and a tail of two.
async fn written_at_alice(alice: &Device, of_relay: &Device) -> (Replica, Replica, SpaceId) {
    let a = open(alice).await;
    let relay = of_relay.open_as(Role::Relay(Quotas::default())).await;
    let space = new_space(&a).await;
    let address = relay.relay_address().unwrap();
    a.add_relay(space, address, in_a_day()).await.unwrap();
    write(&a, space, 0..TAIL).await;
    eventually("alice writes a snapshot", async || {
        exported(&a, "snapshot").await.0 == 1
    })
    .await;
    write(&a, space, TAIL..TAIL + 2).await;
    eventually("the relay has it all", async || {
        let here = a.space(space).await.unwrap();
        let there = relay.space(space).await;
        there.is_ok_and(|there| there.digest == here.digest)
            && here.receipts.on_relays().len() == 1
            && here.receipts.only_here == 0
    })
    .await;
    (a, relay, space)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_reads_out_of_a_snapshot_what_it_never_fetched() {
    let (alice, of_relay, bob) = (Device::new(1), Device::new(9), Device::new(2));
    let (a, relay, space) = written_at_alice(&alice, &of_relay).await;
    let request = InviteRequest::new(Capability::Write);
    let invitation = a.invite(space, request).await.unwrap();
    let b = open(&bob).await;
    b.join(&invitation).await.unwrap();
    eventually("bob reads everything", async || {
        texts(&b, space, note()).await == written(TAIL + 2)
    })
    .await;
    let report = verified(&b).await;
    assert_eq!(report.bodies_in_snapshots, u64::try_from(TAIL).unwrap());
    assert_eq!(report.bodies_missing, 0);
    assert_eq!(exported(&b, "changes").await, (TAIL + 2, 2));
    // And writes on what it read: everybody has it.
    b.write(space, note(), changes("bob")).await.unwrap();
    eventually("alice reads bob", async || {
        texts(&a, space, note()).await.last().map(String::as_str) == Some("bob")
    })
    .await;
    assert_eq!(verified(&relay).await.bodies_missing, 0);
    b.shutdown().await;
    let b = bob.open_offline().await;
    assert_eq!(texts(&b, space, note()).await.len(), TAIL + 3);
    for replica in [a, b, relay] {
        replica.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_bodies_were_deleted_everything_reads_verifies_and_restores_as_before() {
    let (alice, of_relay) = (Device::new(1), Device::new(9));
    let (a, relay, space) = written_at_alice(&alice, &of_relay).await;
    let done = a.compact(space).await.unwrap();
    assert_eq!(
        (done.snapshots, done.bodies),
        (1, u64::try_from(TAIL).unwrap())
    );
    assert_eq!(a.compact(space).await.unwrap().bodies, 0, "deleted twice");
    a.shrink().await.unwrap();
    assert_eq!(exported(&a, "changes").await, (TAIL + 2, 2));
    assert_eq!(exported(&a, "snapshot").await, (1, 1));
    assert_eq!(texts(&a, space, note()).await, written(TAIL + 2));
    let report = verified(&a).await;
    assert_eq!(report.bodies_in_snapshots, u64::try_from(TAIL).unwrap());
    // A copy has what the store has, under another instance.
    let folder = tempfile::tempdir().unwrap();
    let (copy, restored) = (folder.path().join("copy"), folder.path().join("restored"));
    a.backup(&copy).await.unwrap();
    a.shutdown().await;
    Replica::restore(&copy, &restored, &alice.keys())
        .await
        .unwrap();
    let again = ReplicaOptions::new(&restored, alice.keys()).offline();
    let again = Replica::open(again).await.unwrap();
    assert_eq!(texts(&again, space, note()).await, written(TAIL + 2));
    assert_eq!(
        verified(&again).await.bodies_in_snapshots,
        report.bodies_in_snapshots
    );
    again.shutdown().await;
    // So has the store when it is opened again, and what is written goes on.
    let a = open(&alice).await;
    assert_eq!(texts(&a, space, note()).await, written(TAIL + 2));
    write(&a, space, TAIL + 2..TAIL + 3).await;
    assert_eq!(texts(&a, space, note()).await, written(TAIL + 3));
    for replica in [a, relay] {
        replica.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_shrinks_is_read_anew_out_of_the_snapshot() {
    let (alice, of_relay, bob) = (Device::new(1), Device::new(9), Device::new(2));
    let (a, relay, space) = written_at_alice(&alice, &of_relay).await;
    let request = InviteRequest::new(Capability::Write);
    let invitation = a.invite(space, request).await.unwrap();
    let b = open(&bob).await;
    b.join(&invitation).await.unwrap();
    b.joined(space).await.unwrap();
    b.write(space, note(), changes("bob")).await.unwrap();
    let bobs = b.author();
    eventually("alice reads bob", async || {
        texts(&a, space, note()).await.len() == TAIL + 3
    })
    .await;
    b.shutdown().await;
    assert!(a.compact(space).await.unwrap().bodies > 0);
    a.revoke_device(space, bobs, Keep::Nothing, REASON_NONE)
        .await
        .unwrap();
    assert_eq!(texts(&a, space, note()).await, written(TAIL + 2));
    verified(&a).await;
    for replica in [a, relay] {
        replica.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_relay_is_filled_by_who_deleted_what_was_sealed() {
    let (alice, of_relay) = (Device::new(1), Device::new(9));
    let a = open(&alice).await;
    let space = new_space(&a).await;
    write(&a, space, 0..TAIL).await;
    eventually("alice writes a snapshot", async || {
        exported(&a, "snapshot").await.0 == 1
    })
    .await;
    let done = a.compact(space).await.unwrap();
    assert_eq!(
        (done.snapshots, done.bodies),
        (1, u64::try_from(TAIL).unwrap())
    );
    let unknown = SpaceId::from_bytes([7; 32]);
    assert!(a.compact(unknown).await.is_err());
    // Nobody but alice ever had them, and she has them in a snapshot alone.
    let relay = of_relay.open_as(Role::Relay(Quotas::default())).await;
    let address = relay.relay_address().unwrap();
    a.add_relay(space, address, in_a_day()).await.unwrap();
    eventually("the relay has every body", async || {
        let receipts = a.space(space).await.unwrap().receipts;
        receipts.on_relays().len() == 1 && receipts.only_here == 0
    })
    .await;
    assert_eq!(exported(&relay, "changes").await, (TAIL, TAIL));
    assert_eq!(verified(&relay).await.bodies_missing, 0);
    assert_eq!(texts(&a, space, note()).await, written(TAIL));
    assert_eq!(verified(&a).await.bodies_missing, 0);
    for replica in [a, relay] {
        replica.shutdown().await;
    }
}
