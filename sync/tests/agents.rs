//! An agent, whose Space is read by the readers of a System that it cannot read itself.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "common/mod.rs"]
#[expect(dead_code, reason = "what other tests need of it")]
mod common;

use std::time::{Duration, UNIX_EPOCH};

use aramaki_sync::core::statement::{Capability, WrapTo};
use aramaki_sync::core::{DocumentId, EnvelopeId, SpaceId, Timestamp};
use aramaki_sync::replica::{AuditEvent, GrantRequest, InviteRequest, Replica};
use common::{Device, changes, eventually, in_a_day, new_space, texts};

fn journal() -> DocumentId {
    DocumentId::named("journal")
}

/// The newest epoch of a Space, and to whom it was sealed.
async fn last_epoch(replica: &Replica, space: SpaceId) -> (EnvelopeId, Vec<WrapTo>) {
    let told = replica.audit(space).await.unwrap();
    let epochs = told.into_iter().filter_map(|entry| match entry.event {
        AuditEvent::Epoch { number, to } => Some((number, entry.id, to)),
        _ => None,
    });
    let (_number, id, to) = epochs.max_by_key(|(number, ..)| *number).unwrap();
    (id, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_seals_to_who_still_reads_its_system_and_cannot_read_it() {
    let [alice, robot, carol] = [1, 2, 3].map(Device::new);
    let (a, r) = (alice.open().await, robot.open().await);
    let system = new_space(&a).await;
    let soon = UNIX_EPOCH.elapsed().unwrap() + Duration::from_secs(3);
    let soon = Timestamp::from_millis(i64::try_from(soon.as_millis()).unwrap());
    let carol = carol.keys();
    let guest = GrantRequest::to_device(carol.author(), carol.box_public(), Capability::Read, soon);
    a.grant(system, guest).await.unwrap();
    a.write(system, journal(), changes("in the System"))
        .await
        .unwrap();
    let agent = new_space(&a).await;
    let readers = GrantRequest::to_readers_of(system, in_a_day());
    a.grant(agent, readers).await.unwrap();
    a.rotate(agent).await.unwrap();
    let invitation = a.invite(agent, InviteRequest::for_agent()).await.unwrap();
    r.join(&invitation).await.unwrap();
    r.joined(agent).await.unwrap();
    let keeper = GrantRequest::to_keeper(r.author(), in_a_day());
    a.grant(system, keeper).await.unwrap();
    r.follow(system).await.unwrap();
    r.write(agent, journal(), changes("seen")).await.unwrap();
    let (first, _) = last_epoch(&a, system).await;
    let wrapped = |epoch| WrapTo::Epoch {
        space: system,
        epoch,
    };
    let told = a.audit(system).await.unwrap();
    assert!(told.iter().any(|entry| match &entry.event {
        AuditEvent::EpochShared { epoch, to } =>
            *epoch == first && to.contains(&WrapTo::Device(carol.author())),
        _ => false,
    }));
    eventually("the agent keeps its System", async || {
        let (in_step, _instance) = r.in_step(system).await.unwrap();
        in_step.contains(&a.author())
    })
    .await;
    assert!(last_epoch(&r, agent).await.1.contains(&wrapped(first)));

    // The guest's time comes; whoever writes next in the System seals it anew, and so does the agent.
    let ended = soon.plus(Duration::from_millis(200));
    let wait = ended.since(Timestamp::from_millis(
        i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap(),
    ));
    tokio::time::sleep(wait).await;
    a.write(system, journal(), changes("later")).await.unwrap();
    let (second, without_carol) = last_epoch(&a, system).await;
    assert!(!without_carol.contains(&WrapTo::Device(carol.author())));
    eventually("the agent knows the new epoch", async || {
        last_epoch(&r, system).await.0 == second
    })
    .await;
    r.write(agent, journal(), changes("seen later"))
        .await
        .unwrap();
    let (_own, to) = last_epoch(&r, agent).await;
    assert!(to.contains(&wrapped(second)) && !to.contains(&wrapped(first)));
    eventually("who reads the System reads on", async || {
        texts(&a, agent, journal()).await == ["seen", "seen later"]
    })
    .await;
    assert_eq!(texts(&r, system, journal()).await, Vec::<String>::new());
    assert!(r.verify().await.unwrap().is_sound());
    a.shutdown().await;
    r.shutdown().await;
}
