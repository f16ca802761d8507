//! Who could read what, and when: told afterwards from the control statements.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::time::UNIX_EPOCH;

use aramaki_sync::core::admission::Verdict;
use aramaki_sync::core::key::DeviceKeys;
use aramaki_sync::core::statement::{Audience, Capability, WrapTo};
use aramaki_sync::core::{AuthorId, PrincipalId, Timestamp};
use aramaki_sync::replica::{
    AuditEntry, AuditEvent, CreateSpace, GrantRequest, HowEnded, InviteRequest, Keep, REASON_LOST,
    Replica, ReplicaOptions,
};

fn from_now(seconds: i64) -> Timestamp {
    let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
    Timestamp::from_millis(i64::try_from(now).unwrap() + seconds * 1_000)
}

fn grant_of(entries: &[AuditEntry], author: AuthorId) -> &AuditEntry {
    let mut found = entries.iter().filter(|it| match &it.event {
        AuditEvent::Granted { grant, .. } => grant.audience == Audience::Author(author),
        _ => false,
    });
    found.next().unwrap()
}

fn how_ended(entry: &AuditEntry) -> Option<HowEnded> {
    match &entry.event {
        AuditEvent::Granted { ended, .. } => ended.map(|it| it.how),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_says_who_was_let_in_what_ended_it_and_to_whom_keys_were_sealed() {
    let [alice, bob, carol] = [1, 2, 3].map(|seed| DeviceKeys::from_seed([seed; 32]));
    let folder = tempfile::tempdir().unwrap();
    let options = ReplicaOptions::new(folder.path().join("data"), alice);
    let a = Replica::open(options.offline()).await.unwrap();
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    let space = a.create_space(request).await.unwrap();
    let reader = |keys: &DeviceKeys, end| {
        GrantRequest::to_device(keys.author(), keys.box_public(), Capability::Read, end)
    };
    // Grants reach five minutes back, so one can have ended already.
    let past = from_now(-60);
    a.grant(space, reader(&bob, past)).await.unwrap();
    let carols = a
        .grant(space, reader(&carol, from_now(3_600)))
        .await
        .unwrap();
    a.rotate(space).await.unwrap();
    let invitation = a
        .invite(space, InviteRequest::new(Capability::Read))
        .await
        .unwrap();
    let revoked = a
        .revoke(space, carols.id, Keep::WhatIsHere, REASON_LOST)
        .await
        .unwrap();
    // Nothing stands there to be ended any more.
    let again = a.revoke(space, carols.id, Keep::WhatIsHere, 0).await;
    let again = again.unwrap();
    a.rotate(space).await.unwrap();

    let told = a.audit(space).await.unwrap();
    assert!(told.is_sorted_by_key(|it| it.at));
    assert!(told.iter().all(|it| it.verdict == Verdict::Admitted));
    let founder = grant_of(&told, a.author());
    assert_eq!(founder.by.as_bytes(), space.as_bytes());
    assert_eq!(how_ended(founder), None);
    let bobs = grant_of(&told, bob.author());
    assert_eq!(how_ended(bobs), Some(HowEnded::Time));
    let expired = told.iter().find(|it| it.event == AuditEvent::Expired);
    assert_eq!(expired.map(|it| (it.id, it.at)), Some((bobs.id, past)));
    let carols = grant_of(&told, carol.author());
    let by = HowEnded::Revoked { by: revoked.id };
    assert_eq!(how_ended(carols), Some(by));
    assert_eq!(how_ended(grant_of(&told, invitation.keys().author())), None);
    match &carols.event {
        AuditEvent::Granted { through, .. } => assert_eq!(through, &[founder.id]),
        other => panic!("{other:?}"),
    }
    let ended_by = |id| {
        let entry = told.iter().find(|it| it.id == id).unwrap();
        match &entry.event {
            AuditEvent::Revoked { ended, reason, .. } => (ended.clone(), *reason),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ended_by(revoked.id), (vec![carols.id], REASON_LOST));
    assert_eq!(ended_by(again.id), (Vec::new(), 0));

    let epochs: Vec<&Vec<WrapTo>> = told
        .iter()
        .filter_map(|it| match &it.event {
            AuditEvent::Epoch { to, .. } | AuditEvent::EpochShared { to, .. } => Some(to),
            _ => None,
        })
        .collect();
    let sealed_to = |author| move |to: &&Vec<WrapTo>| to.contains(&WrapTo::Device(author));
    let carol = carol.author();
    assert!(epochs.iter().any(|to| sealed_to(carol)(to)));
    assert!(!epochs.last().is_some_and(|to| sealed_to(carol)(to)));
    let bob = bob.author();
    assert!(!epochs.iter().any(|to| sealed_to(bob)(to)), "too late");
    a.shutdown().await;
}
