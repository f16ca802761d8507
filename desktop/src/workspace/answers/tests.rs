//! Who may answer, as a table, and two people who do.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_model::Presence;
use aramaki_model::action::{ActionRecord, Catalogue, Described};
use aramaki_model::name;
use aramaki_sync_core::PrincipalId;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::statement::GrantFlags;
use serde_bytes::ByteBuf;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ACTION: &str = "flush";

fn key(n: u8) -> AuthorId {
    AuthorId::from_bytes([n; 32])
}

fn member(n: u8, person: u8) -> Member {
    Member {
        author: key(n),
        box_key: [0; 32],
        principal: PrincipalId::from_bytes([person; 16]),
        guest_of: None,
        capability: Capability::Comment,
        flags: GrantFlags::NONE,
        not_before: Timestamp::ZERO,
        end: Timestamp::MAX,
        grace: Duration::ZERO,
        redeem_until: Timestamp::ZERO,
        redemptions_left: 0,
        is_over: false,
        depth_left: 0,
        through: Vec::new(),
        grant: EnvelopeId::from_bytes([n; 32]),
    }
}

fn approve(n: u8, end: Timestamp) -> ActionGrant {
    ActionGrant {
        grantee: key(n),
        agent: SpaceId::ZERO,
        actions: vec![ACTION.to_owned()],
        power: ActionPower::Approve,
        end,
    }
}

/// The rule of `agent::actions::decide`, seen from the other side.
#[test]
fn only_another_person_with_the_power_to_approve_may_agree() {
    let me = 1;
    let may = |members: &[Member], grants: &[ActionGrant], by: u8, agreed| {
        let standing = Standing {
            me: key(me),
            members,
            grants,
            agent: SpaceId::ZERO,
            now: NOW,
        };
        standing.may_answer((key(by), ACTION), agreed)
    };
    let asker = member(2, 20);
    let mine = [member(me, 10), asker.clone()];
    let granted = [approve(me, Timestamp::MAX)];
    assert_eq!(may(&mine, &granted, 2, false), MayAnswer::Both);
    assert_eq!(may(&mine, &granted, me, false), MayAnswer::Withdraw);
    assert_eq!(
        may(&mine, &granted, 2, true),
        MayAnswer::Refuse(WhyNot::Agreed)
    );
    let nothing = MayAnswer::Nothing(WhyNot::NotGranted);
    assert_eq!(may(&mine, &[], 2, false), nothing);
    assert_eq!(
        may(std::slice::from_ref(&asker), &granted, 2, false),
        nothing
    );
    // A later grant takes an earlier one back.
    let ended = [
        approve(me, Timestamp::MAX),
        approve(me, NOW.minus(Duration::from_secs(1))),
    ];
    assert_eq!(may(&mine, &ended, 2, false), nothing);
    let same = [member(me, 20), asker.clone()];
    let same = may(&same, &granted, 2, false);
    assert_eq!(same, MayAnswer::Refuse(WhyNot::SamePerson));
    let mut guest = member(me, 10);
    guest.guest_of = Some(EnvelopeId::from_bytes([9; 32]));
    let guest = may(&[guest, asker], &granted, 2, false);
    assert_eq!(guest, MayAnswer::Nothing(WhyNot::Guest));
    assert!(why_not(guest, Say::Refuse).is_some() && why_not(guest, Say::Agree).is_some());
    assert!(why_not(MayAnswer::Withdraw, Say::Agree).is_some());
    assert_eq!(why_not(MayAnswer::Withdraw, Say::Refuse), None);
    assert_eq!(why_not(MayAnswer::Both, Say::Agree), None);
}

/// Limit of every wait.
const LIMIT: Duration = Duration::from_mins(1);

async fn waits(live: &Live) -> Vec<Waiting> {
    let spaces = live.spaces().await;
    live.waiting(&spaces, &live.names(&spaces)).await
}

/// What waits there, once that is so.
async fn until(live: &Live, what: &str, is_so: impl Fn(&[Waiting]) -> bool) -> Vec<Waiting> {
    let end = tokio::time::Instant::now() + LIMIT;
    loop {
        let waiting = waits(live).await;
        if is_so(&waiting) {
            return waiting;
        }
        assert!(tokio::time::Instant::now() < end, "{what}: {waiting:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What an agent would tell.
async fn tell_catalogue(live: &Live, agent: SpaceId) {
    let described = Described {
        description: "flushes".to_owned(),
        definition: [1; 32],
        parameters: Vec::new(),
        approvals: 1,
        is_read_only: false,
    };
    let catalogue = Catalogue {
        at: fresh::now(),
        actions: BTreeMap::from([(ACTION.to_owned(), described)]),
        maintenance: BTreeMap::new(),
    };
    let record = ActionRecord::Catalogue(catalogue).encode().unwrap();
    let body = Body::ActionRecord(ByteBuf::from(record));
    let written = live.replica().write(agent, name::actions(), body);
    written.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_asks_at_the_window_and_another_agrees_there() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = crate::workspace::opened(&folders[0]).await;
    let second = crate::workspace::opened(&folders[1]).await;
    let title = crate::workspace::SystemChange::Title("Webshop".to_owned());
    let system = first.create_system(vec![title]).await.unwrap();
    let agent = ("web1", Presence::default());
    let span = Duration::from_hours(1);
    let agent = first.invite_agent(system, agent, span).await.unwrap().space;
    tell_catalogue(&first, agent).await;
    // The other person is let in, and may approve.
    let request = crate::workspace::ShareRequest {
        name: "second".to_owned(),
        reason: String::new(),
        capability: Capability::Write,
        begin: None,
        span,
        redemptions: 1,
        long_grace: false,
    };
    let code = first.share(system, &request).await.unwrap().code;
    second.join_by(&code).await.unwrap();
    let device = second.profile().device.to_string();
    let actions = [ACTION.to_owned()];
    let allowance = |device| crate::workspace::Allowance {
        agent: "web1",
        device,
        actions: &actions,
        powers: &[ActionPower::Approve],
        span,
    };
    let end = tokio::time::Instant::now() + LIMIT;
    // Once their access is known here.
    while let Err(error) = first.allow_action(system, &allowance(&device)).await {
        let is_late = tokio::time::Instant::now() >= end;
        assert!(!is_late, "{}", error.message());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let wish = crate::view::actions::RunWish {
        system,
        host: "web1".to_owned(),
        action: ACTION.to_owned(),
        arguments: BTreeMap::new(),
        reason: "prices are old".to_owned(),
        again: crate::view::actions::Again::No,
        alert: None,
    };
    first.run_wish(wish).await.unwrap();

    let own = waits(&first).await;
    assert_eq!((own.len(), own[0].may), (1, MayAnswer::Withdraw), "{own:?}");
    assert!(own[0].needs_people(fresh::now()));
    let id = own[0].id;
    let refused = first.answer_wish(system, (id, Say::Agree)).await;
    assert!(refused.is_err(), "nobody agrees to what they asked for");

    let seen = until(&second, "the other may agree", |it| {
        it.first().is_some_and(|it| it.may == MayAnswer::Both)
    });
    let seen = seen.await;
    assert_eq!(
        (seen[0].id, seen[0].reason.as_str()),
        (id, "prices are old")
    );
    second.answer_wish(system, (id, Say::Agree)).await.unwrap();
    let agreed = waits(&second).await;
    assert_eq!(agreed[0].may, MayAnswer::Refuse(WhyNot::Agreed));
    until(&first, "whoever asked sees it", |it| {
        it.first().is_some_and(|it| it.missing() == 0)
    })
    .await;
    first.close().await;
    second.close().await;
}
