//! A device is stolen; the recovery kit lets a new one in and cuts the old one off.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod common;

use std::time::Duration;

use aramaki_sync::core::statement::{Capability, RelayAddress};
use aramaki_sync::core::{DocumentId, PrincipalId, SpaceId};
use aramaki_sync::replica::{
    CreateSpace, InviteRequest, Keep, Quotas, Recovery, Replica, ReplicaEvent, Role, Staying,
};
use common::{Device, changes, eventually, in_a_day, texts};

fn note() -> DocumentId {
    DocumentId::named("note/1")
}

/// What a peer says that it has and that is not here.
fn offered(replica: &Replica) -> impl Future<Output = SpaceId> {
    let mut events = replica.subscribe();
    let offer = async move {
        loop {
            if let ReplicaEvent::Offered { space } = events.recv().await.unwrap() {
                return space;
            }
        }
    };
    async {
        tokio::time::timeout(Duration::from_secs(30), offer)
            .await
            .unwrap()
    }
}

/// A Space of alice's, held by a relay, with bob as guest; alice's device is stolen and used.
struct Theft {
    alice: Device,
    kit: Device,
    space: SpaceId,
    relay: Replica,
    b: Replica,
    _folders: [Device; 2],
}

async fn theft() -> Theft {
    let [alice, bob, carol, kit] = [1, 2, 3, 4].map(Device::new);
    let relay = carol.open_as(Role::Relay(Quotas::default())).await;
    let a = alice.open().await;
    let request = CreateSpace {
        anchor: Some(kit.keys().public()),
        ..CreateSpace::new(PrincipalId::from_bytes([9; 16]))
    };
    let space = a.create_space(request).await.unwrap();
    a.add_relay(space, relay.relay_address().unwrap(), in_a_day())
        .await
        .unwrap();
    a.write(space, note(), changes("before")).await.unwrap();
    let invitation = a
        .invite(space, InviteRequest::new(Capability::Write))
        .await
        .unwrap();
    let b = bob.open().await;
    b.join(&invitation).await.unwrap();
    for replica in [&b, &relay] {
        eventually("everyone has what a wrote", async || {
            let entries = replica.bodies(space, note()).await;
            entries.is_ok_and(|entries| entries.len() == 1)
        })
        .await;
    }
    a.shutdown().await;
    // The thief writes at once, while nobody can hear it.
    let thief = alice.open_offline().await;
    thief.write(space, note(), changes("forged")).await.unwrap();
    thief.shutdown().await;
    Theft {
        alice,
        kit,
        space,
        relay,
        b,
        _folders: [bob, carol],
    }
}

impl Theft {
    /// On a new machine: the kit and the relay's address are all that is left, and suffice.
    async fn recover(&self, new: &Device) -> Replica {
        let space = self.space;
        let k = self.kit.open().await;
        let offer = offered(&k);
        k.add_peer(self.relay.address().unwrap());
        assert_eq!(offer.await, space);
        k.follow(space).await.unwrap();
        k.joined(space).await.unwrap();
        eventually("the kit has what b has", async || {
            let (here, there) = (k.space(space).await, self.b.space(space).await);
            here.unwrap().digest == there.unwrap().digest
        })
        .await;
        assert_eq!(texts(&k, space, note()).await, ["before"]);
        let stays = [self.b.author(), self.relay.author()];
        let members = k.space(space).await.unwrap().members.into_iter();
        let grants = members.filter(|it| stays.contains(&it.author));
        let recovery = Recovery {
            space,
            device: new.keys().public(),
            end: in_a_day(),
            lost: [self.alice.keys().author()].into(),
            keep: Staying {
                grants: grants.map(|it| it.grant).collect(),
                ..Staying::default()
            },
        };
        k.recover(recovery).await.unwrap();
        eventually("the relay has it", async || {
            k.space(space).await.unwrap().receipts.only_here == 0
        })
        .await;
        k.shutdown().await;
        std::fs::remove_dir_all(self.kit.dir()).unwrap();
        let n = new.open().await;
        n.add_peer(self.relay.address().unwrap());
        n.follow(space).await.unwrap();
        n.joined(space).await.unwrap();
        n
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_workspace_works_and_the_stolen_device_is_cut() {
    let theft = theft().await;
    let (space, b) = (theft.space, &theft.b);
    let new = Device::new(5);
    let n = theft.recover(&new).await;
    n.write(space, note(), changes("after")).await.unwrap();
    eventually("b reads what the new device wrote", async || {
        texts(b, space, note()).await == ["before", "after"]
    })
    .await;
    let invited = n.invite(space, InviteRequest::new(Capability::Read)).await;
    assert!(invited.is_ok(), "the new device administers");

    // The thief comes back and does what it can: revoke the kit and the new device, and write.
    let thief = theft.alice.open_offline().await;
    let stolen = theft.alice.keys().author();
    for member in thief.space(space).await.unwrap().members {
        if member.author != stolen {
            let revoked = thief.revoke(space, member.grant, Keep::Nothing, 0).await;
            assert!(revoked.is_ok(), "it believes that it still may");
        }
    }
    thief.shutdown().await;
    let thief = theft.alice.open().await;
    thief.add_peer(b.address().unwrap());
    thief.add_peer(n.address().unwrap());
    eventually("the thief is connected to both", async || {
        let peers = thief.peers();
        let connected = peers.iter().filter(|it| it.is_connected()).count();
        connected >= 2
    })
    .await;
    let again = thief.write(space, note(), changes("again")).await;
    assert!(again.is_ok(), "nobody tells it anything any more");
    b.write(space, note(), changes("b goes on")).await.unwrap();
    for replica in [b, &n] {
        eventually(
            "honest replicas agree and show nothing forged",
            async || texts(replica, space, note()).await == ["before", "after", "b goes on"],
        )
        .await;
        let summary = replica.space(space).await.unwrap();
        assert!(summary.capability.is_some());
        assert!(summary.members.iter().all(|it| it.author != stolen));
    }
    let read = texts(&thief, space, note()).await;
    assert!(
        !read
            .iter()
            .any(|text| text == "after" || text == "b goes on"),
        "what was sealed after the recovery stays closed to the thief: {read:?}"
    );
    for replica in [&thief, b, &n, &theft.relay] {
        replica.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_with_keys_that_do_not_stand_above_is_refused() {
    let [alice, other] = [1, 2].map(Device::new);
    let a = alice.open_offline().await;
    let space = common::new_space(&a).await;
    let stranger = other.open_offline().await;
    let recovery = Recovery {
        space,
        device: other.keys().public(),
        end: in_a_day(),
        lost: [alice.keys().author()].into(),
        keep: Staying::default(),
    };
    assert!(stranger.recover(recovery).await.is_err());
    assert_eq!(
        a.space(space).await.unwrap().capability,
        Some(Capability::Administer)
    );
    stranger.shutdown().await;
    a.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_below_a_kit_lets_a_relay_in_until_its_own_end_at_the_latest() {
    let [alice, relay, kit] = [1, 2, 3].map(Device::new);
    let a = alice.open_offline().await;
    let end = in_a_day();
    let request = CreateSpace {
        anchor: Some(kit.keys().public()),
        end,
        ..CreateSpace::new(PrincipalId::from_bytes([9; 16]))
    };
    let space = a.create_space(request).await.unwrap();
    let address = RelayAddress {
        author: relay.keys().author(),
        endpoint: [0; 32],
        addresses: Vec::new(),
    };
    let later = end.plus(Duration::from_hours(1));
    a.add_relay(space, address, later).await.unwrap();
    let invitation = InviteRequest {
        end: later,
        ..InviteRequest::new(Capability::Read)
    };
    let invited = a.invite(space, invitation).await.unwrap();
    assert_eq!(invited.end, end);
    let members = a.space(space).await.unwrap().members;
    for author in [relay.keys().author(), invited.keys().author()] {
        let member = members.iter().find(|it| it.author == author).unwrap();
        assert_eq!(member.end, end, "a longer grant would count nowhere");
    }
    a.shutdown().await;
}
