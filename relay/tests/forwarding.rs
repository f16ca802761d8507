//! Two people who are never there at the same time, and a relay between them that reads nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails its test"
)]

mod common;

use std::path::Path;

use aramaki_sync::keys;
use aramaki_sync::replica::{CreateSpace, InviteRequest, Replica, ReplicaOptions};
use aramaki_sync::transport::{NetworkOptions, PeerAddress};
use aramaki_sync_core::statement::{Body, Capability};
use aramaki_sync_core::{DocumentId, PrincipalId, SpaceId, Timestamp};
use common::{Relay, STEP_MAX};
use tokio::time::timeout;

const SECRET: &[u8] = b"a plain text that no relay may hold";
/// 1 January 2100.
const FAR_MS: i64 = 4_102_444_800_000;

async fn person(folder: &Path) -> Replica {
    std::fs::create_dir_all(folder).unwrap();
    let keys = keys::read_or_create(&folder.join("device.key"), None).unwrap();
    let options = ReplicaOptions::new(folder, keys).network(NetworkOptions::loopback());
    Replica::open(options).await.unwrap()
}

fn note() -> DocumentId {
    DocumentId::named("note/1")
}

fn body(text: &[u8]) -> Body {
    Body::Changes(vec![text.to_vec().into()])
}

/// Waits until a relay said that it holds everything that this replica wrote.
async fn on_relay(replica: &Replica, space: SpaceId) {
    let waiting = async {
        let mut events = replica.subscribe();
        while replica
            .space(space)
            .await
            .unwrap()
            .receipts
            .on_relays()
            .is_empty()
        {
            // An event that was missed is as good as one that came.
            drop(events.recv().await);
        }
    };
    timeout(STEP_MAX, waiting)
        .await
        .expect("the relay holds it");
}

async fn count_reaches(replica: &Replica, space: SpaceId, count: usize) {
    let waiting = async {
        let mut events = replica.subscribe();
        while replica.bodies(space, note()).await.unwrap().len() < count {
            drop(events.recv().await);
        }
    };
    timeout(STEP_MAX, waiting)
        .await
        .expect("everything arrives");
}

fn holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        let content = std::fs::read(path).unwrap();
        content.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_wrote_reaches_the_other_who_was_away_and_the_relay_reads_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let relay = Relay::start(&at("relay")).await;

    let first = person(&at("first")).await;
    let principal = PrincipalId::from_bytes([1; 16]);
    let space = first
        .create_space(CreateSpace::new(principal))
        .await
        .unwrap();
    let far = Timestamp::from_millis(FAR_MS);
    first.add_relay(space, relay.address(), far).await.unwrap();
    first.write(space, note(), body(SECRET)).await.unwrap();
    let invitation = first
        .invite(space, InviteRequest::new(Capability::Write))
        .await
        .unwrap();
    on_relay(&first, space).await;
    first.shutdown().await;

    // The relay restarts between the two: what it acknowledged is on its disk. It may have other
    // ports afterwards, as the invitation's addresses are only hints.
    relay.stop().await;
    assert!(!holds(&at("relay"), SECRET));
    let relay = Relay::start(&at("relay")).await;

    let second = person(&at("second")).await;
    let address = relay.address();
    second.add_peer(PeerAddress::from(&address));
    second.join(&invitation).await.unwrap();
    timeout(STEP_MAX, second.joined(space))
        .await
        .unwrap()
        .unwrap();
    count_reaches(&second, space, 1).await;
    assert_eq!(
        second.bodies(space, note()).await.unwrap()[0].body,
        Some(body(SECRET))
    );
    second
        .write(space, note(), body(b"an answer"))
        .await
        .unwrap();
    on_relay(&second, space).await;
    second.shutdown().await;

    let first = person(&at("first")).await;
    first.add_peer(PeerAddress::from(&address));
    count_reaches(&first, space, 2).await;
    first.shutdown().await;
    relay.stop().await;
    assert!(!holds(&at("relay"), b"an answer"));
    assert!(
        holds(&at("relay"), space.as_bytes()),
        "the search finds what is there"
    );
}
