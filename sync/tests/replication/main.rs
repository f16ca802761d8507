//! Real stores and real connections over loopback: what replicas owe each other.

#[path = "../common/mod.rs"]
mod common;
mod transport_relay;

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync::core::statement::Capability;
use aramaki_sync::core::{DocumentId, SpaceId};
use aramaki_sync::replica::{GrantRequest, InviteRequest, ReplicaEvent, Role};
use common::{Device, changes, eventually, in_a_day, new_space, texts};

fn note() -> DocumentId {
    DocumentId::named("note/1")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_converge_directly() {
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (a, b) = (alice.open().await, bob.open().await);
    let space = new_space(&a).await;
    a.write(space, note(), changes("from a")).await.unwrap();
    let invitation = a
        .invite(space, InviteRequest::new(Capability::Write))
        .await
        .unwrap();
    b.join(&invitation).await.unwrap();
    eventually("b reads what a wrote", async || {
        texts(&b, space, note()).await == ["from a"]
    })
    .await;
    b.write(space, note(), changes("from b")).await.unwrap();
    eventually("a reads what b wrote", async || {
        texts(&a, space, note()).await == ["from a", "from b"]
    })
    .await;
    eventually("both hold the same", async || {
        let (here, there) = (a.space(space).await.unwrap(), b.space(space).await.unwrap());
        here.digest == there.digest
    })
    .await;
    eventually("a knows that b holds it", async || {
        let receipts = a.space(space).await.unwrap().receipts;
        receipts.on_devices() == 1 && receipts.only_here == 0
    })
    .await;
    let peers = a.peers();
    assert!(
        peers
            .iter()
            .any(|peer| peer.is_connected() && peer.rtt.is_some())
    );
    assert!(a.verify().await.unwrap().is_sound());
    assert!(b.verify().await.unwrap().is_sound());
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_those_in_which_something_counts() {
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (a, b) = (alice.open().await, bob.open().await);
    let space = new_space(&a).await;
    assert!(a.documents(space).await.unwrap().is_empty());
    let other = DocumentId::named("note/2");
    for document in [note(), note(), other] {
        a.write(space, document, changes("text")).await.unwrap();
    }
    let both = BTreeSet::from([note(), other]);
    assert_eq!(a.documents(space).await.unwrap(), both);
    // Another member's count too; a Space that is not here has none to name.
    let request = InviteRequest::new(Capability::Write);
    let invitation = a.invite(space, request).await.unwrap();
    b.join(&invitation).await.unwrap();
    b.joined(space).await.unwrap();
    let third = DocumentId::named("note/3");
    b.write(space, third, changes("alone")).await.unwrap();
    let all = BTreeSet::from([note(), other, third]);
    eventually("b knows all three", async || {
        b.documents(space).await.unwrap() == all
    })
    .await;
    assert!(b.documents(SpaceId::from_bytes([7; 32])).await.is_err());
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_offline_flows_through_a_relay_that_cannot_read_it() {
    let (alice, bob, carol) = (Device::new(1), Device::new(2), Device::new(3));
    let relay = carol
        .open_as(Role::Relay(aramaki_sync::replica::Quotas::default()))
        .await;
    let a = alice.open().await;
    let space = new_space(&a).await;
    a.add_relay(space, relay.relay_address().unwrap(), in_a_day())
        .await
        .unwrap();
    a.write(space, note(), changes("a marker in plain text"))
        .await
        .unwrap();
    let invitation = a
        .invite(space, InviteRequest::new(Capability::Write))
        .await
        .unwrap();
    eventually("the relay holds what a wrote", async || {
        let receipts = a.space(space).await.unwrap().receipts;
        receipts.on_relays() == [relay.author()]
    })
    .await;
    // A goes; B comes later and finds everything at the relay alone.
    a.shutdown().await;
    let b = bob.open().await;
    b.join(&invitation).await.unwrap();
    eventually("b reads what a wrote", async || {
        texts(&b, space, note()).await == ["a marker in plain text"]
    })
    .await;
    b.write(space, note(), changes("b answers")).await.unwrap();
    // A writes without a network, and meets the relay again.
    let a = alice.open_offline().await;
    a.write(space, note(), changes("a offline")).await.unwrap();
    a.shutdown().await;
    let a = alice.open().await;
    let mut all = vec!["a marker in plain text", "a offline", "b answers"];
    all.sort_unstable();
    for replica in [&a, &b] {
        eventually("both read everything", async || {
            let mut read = texts(replica, space, note()).await;
            read.sort_unstable();
            read == all
        })
        .await;
    }
    let at_relay = relay.bodies(space, note()).await.unwrap();
    assert_eq!(at_relay.len(), 3);
    assert!(at_relay.iter().all(|entry| entry.body.is_none()));
    for replica in [a, b, relay] {
        assert!(replica.verify().await.unwrap().is_sound());
        replica.shutdown().await;
    }
    let bytes = std::fs::read(carol.dir().join("store.redb")).unwrap();
    let marker = b"a marker in plain text";
    assert!(!bytes.windows(marker.len()).any(|window| window == marker));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_dropped_without_shutdown_loses_nothing_acknowledged() {
    let alice = Device::new(1);
    let a = alice.open_offline().await;
    let space = new_space(&a).await;
    let mut written = Vec::new();
    for at in 0..20 {
        let text = format!("entry {at:02}");
        a.write(space, note(), changes(&text)).await.unwrap();
        written.push(text);
    }
    let instance = a.chain().instance;
    drop(a);
    let a = alice.open_offline().await;
    assert_eq!(a.chain().instance, instance);
    assert_eq!(texts(&a, space, note()).await, written);
    a.write(space, note(), changes("entry 20")).await.unwrap();
    assert!(a.verify().await.unwrap().is_sound());
    a.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_writes_under_a_new_instance_and_gets_back_what_it_lost() {
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (a, b) = (alice.open().await, bob.open().await);
    let space = new_space(&a).await;
    a.write(space, note(), changes("before")).await.unwrap();
    let file = alice.dir().join("../backup");
    a.backup(&file).await.unwrap();
    let invitation = a
        .invite(space, InviteRequest::new(Capability::Write))
        .await
        .unwrap();
    a.write(space, note(), changes("after")).await.unwrap();
    b.join(&invitation).await.unwrap();
    eventually("b has both", async || {
        texts(&b, space, note()).await.len() == 2
    })
    .await;
    let instance = a.chain().instance;
    a.shutdown().await;
    std::fs::remove_dir_all(alice.dir()).unwrap();
    aramaki_sync::replica::Replica::restore(&file, alice.dir(), &alice.keys())
        .await
        .unwrap();
    let a = alice.open().await;
    assert_ne!(a.chain().instance, instance);
    a.add_peer(b.address().unwrap());
    a.write(space, note(), changes("restored")).await.unwrap();
    let mut all = vec!["after", "before", "restored"];
    all.sort_unstable();
    for replica in [&a, &b] {
        eventually("both read everything", async || {
            let mut read = texts(replica, space, note()).await;
            read.sort_unstable();
            read == all
        })
        .await;
    }
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_reach_readers_and_are_not_stored() {
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (a, b) = (alice.open().await, bob.open().await);
    let space = new_space(&a).await;
    let request = GrantRequest::to_device(b.author(), b.box_public(), Capability::Read, in_a_day());
    a.write(space, note(), changes("something")).await.unwrap();
    a.grant(space, request).await.unwrap();
    b.follow(space).await.unwrap();
    b.add_peer(a.address().unwrap());
    eventually("b is a reader", async || {
        !texts(&b, space, note()).await.is_empty()
    })
    .await;
    let mut events = b.subscribe();
    let envelopes = b.space(space).await.unwrap().envelopes;
    let heard = async {
        loop {
            if let ReplicaEvent::Ephemeral { bytes, .. } = events.recv().await.unwrap() {
                return bytes;
            }
        }
    };
    a.send_ephemeral(space, note(), b"alive".to_vec())
        .await
        .unwrap();
    let bytes = tokio::time::timeout(Duration::from_secs(20), heard)
        .await
        .unwrap();
    assert_eq!(bytes, b"alive");
    assert_eq!(b.space(space).await.unwrap().envelopes, envelopes);
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_names_every_envelope_and_shows_no_content() {
    let alice = Device::new(1);
    let a = alice.open_offline().await;
    let space = new_space(&a).await;
    a.write(space, note(), changes("a marker in plain text"))
        .await
        .unwrap();
    let file = alice.dir().join("export.jsonl");
    let count = a
        .export(std::fs::File::create(&file).unwrap())
        .await
        .unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(count, a.space(space).await.unwrap().envelopes);
    assert_eq!(u64::try_from(text.lines().count()).unwrap(), count);
    assert!(!text.contains("a marker"));
    a.shutdown().await;
}
