//! Strangers on the real transport: valid keys, the real protocol, a real relay and real replicas over
//! loopback. What engines owe strangers is in `sync/core/src/engine/tests/strangers.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails its test"
)]

#[path = "../common/mod.rs"]
mod common;
mod visitor;

use std::path::Path;
use std::time::{Duration, Instant};

use aramaki_sync::replica::{
    CreateSpace, GrantRequest, InviteRequest, Keep, Replica, ReplicaOptions, Role,
};
use aramaki_sync::transport::{ALPN, NetworkOptions, PeerAddress};
use aramaki_sync_core::engine::Quotas;
use aramaki_sync_core::envelope::{Envelope, Position, control};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Body, Capability, Statement};
use aramaki_sync_core::{
    AuthorId, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId, Timestamp,
};
use common::{Relay, STEP_MAX};
use tokio::time::timeout;
use visitor::{Heard, STAY_MAX, Visit, Visitor};

/// 1 January 2100.
const FAR: Timestamp = Timestamp::from_millis(4_102_444_800_000);
const SECRET: &str = "zitronenfalter";
/// Kinds of frames, and how strangers are let go.
const GREETING: u8 = 0;
const ACCESS_IS_OVER: u8 = 11;
const LET_GO: u64 = 5;

/// A relay, and two people in one Space who meet through it; the second came by a code.
struct Honest {
    folder: tempfile::TempDir,
    relay: Relay,
    alice: Replica,
    bob: Replica,
    space: SpaceId,
    /// The key of bob's code.
    code: AuthorId,
}

fn note() -> DocumentId {
    DocumentId::named("note/1")
}

async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < STEP_MAX, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn person(folder: &Path, seed: u8) -> Replica {
    let keys = DeviceKeys::from_seed([seed; 32]);
    let options = ReplicaOptions::new(folder, keys).network(NetworkOptions::loopback());
    Replica::open(options).await.unwrap()
}

async fn write(replica: &Replica, space: SpaceId, text: &str) {
    let body = Body::Changes(vec![text.as_bytes().to_vec().into()]);
    replica.write(space, note(), body).await.unwrap();
}

/// Whether somebody reads that here.
async fn reads(replica: &Replica, space: SpaceId, text: &str) -> bool {
    let Ok(entries) = replica.bodies(space, note()).await else {
        return false;
    };
    let said = |body: &Body| match body {
        Body::Changes(changes) => changes.iter().any(|it| it.as_slice() == text.as_bytes()),
        _ => false,
    };
    let mut bodies = entries.iter().filter_map(|entry| entry.body.as_ref());
    bodies.any(said)
}

impl Honest {
    async fn meet() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relay = Relay::start(&at("relay")).await;
        let alice = person(&at("alice"), 1).await;
        let principal = PrincipalId::from_bytes([1; 16]);
        let space = alice
            .create_space(CreateSpace::new(principal))
            .await
            .unwrap();
        alice.add_relay(space, relay.address(), FAR).await.unwrap();
        write(&alice, space, SECRET).await;
        let invitation = alice
            .invite(space, InviteRequest::new(Capability::Write))
            .await
            .unwrap();
        let bob = person(&at("bob"), 2).await;
        bob.join(&invitation).await.unwrap();
        let honest = Self {
            folder,
            relay,
            alice,
            bob,
            space,
            code: invitation.keys().author(),
        };
        eventually("bob reads what alice wrote", async || {
            reads(&honest.bob, space, SECRET).await
        })
        .await;
        honest.goes_on("before").await;
        honest
    }

    /// Where the relay and bob are reached.
    fn peers(&self) -> [PeerAddress; 2] {
        [self.relay.peer(), self.bob.address().unwrap()]
    }

    /// What each of them writes reaches the other, and the relay holds it.
    async fn goes_on(&self, when: &str) {
        for (from, to) in [(&self.alice, &self.bob), (&self.bob, &self.alice)] {
            let text = format!("{when} {}", from.author());
            write(from, self.space, &text).await;
            eventually("an entry arrives", async || {
                reads(to, self.space, &text).await
            })
            .await;
        }
        eventually("the relay holds it", async || {
            let summary = self.bob.space(self.space).await.unwrap();
            summary.receipts.on_relays() == [self.relay.info.author]
        })
        .await;
    }

    /// Nobody stored anything that these keys said, holds another Space, or believes that theirs is over.
    async fn stayed_as_it_was(self, strangers: &[AuthorId]) {
        for person in [&self.alice, &self.bob] {
            let spaces = person.spaces().await.unwrap();
            let held: Vec<_> = spaces.iter().map(|it| it.id).collect();
            assert_eq!(held, [self.space]);
            assert_eq!(spaces[0].ended_elsewhere, None);
            assert!(person.verify().await.unwrap().is_sound());
            person.shutdown().await;
        }
        self.relay.stop().await;
        let data = self.folder.path().join("relay");
        let keys = aramaki_sync::keys::read_or_create(&data.join("device.key"), None).unwrap();
        let relay = ReplicaOptions::new(&data, keys).offline();
        let relay = relay.role(Role::Relay(Quotas::default()));
        let relay = Replica::open(relay).await.unwrap();
        let held = relay.spaces().await.unwrap();
        assert_eq!(
            held.iter().map(|it| it.id).collect::<Vec<_>>(),
            [self.space]
        );
        assert!(relay.verify().await.unwrap().is_sound());
        relay.shutdown().await;
        let folder = self.folder.path();
        assert!(holds(folder, self.space.as_bytes()), "this looks right");
        for stranger in strangers {
            assert!(!holds(folder, stranger.as_bytes()), "of {stranger:?}");
        }
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        contains(&std::fs::read(path).unwrap(), needle)
    })
}

/// A statement about a Space that nobody let the visitor make.
fn made_up(visitor: &Visitor, space: SpaceId) -> Envelope {
    let position = Position {
        space,
        instance: Instance(1),
        seq: 1,
        previous: EnvelopeId::ZERO,
        authority: EnvelopeId::from_bytes([8; 32]),
        ancestors: Vec::new(),
        time: Timestamp::from_millis(1_800_000_000_000),
    };
    let statement = Statement::Receipt {
        cuts: Vec::new(),
        at: Timestamp::ZERO,
    };
    control(&visitor.keys, position, &statement).unwrap()
}

/// Visits a peer, asks for a Space in every way, and hears it out: the greeting of the connection, who it
/// proves to be, and the rest.
async fn asks(
    visitor: &Visitor,
    peer: &PeerAddress,
    space: SpaceId,
) -> (Vec<u8>, Vec<AuthorId>, Heard) {
    let envelope = made_up(visitor, space);
    let mut visit = visitor.visit(peer).await;
    visit.ask_for(space, envelope.raw()).await;
    let (hello, proven) = (visit.hello.clone(), visit.proven(visitor));
    (hello, proven, visit.hear_out().await)
}

/// Whatever a stranger asks of a Space, it hears what it hears of one that nobody ever made: a greeting.
/// Then it is let go. Neither relay nor member keeps anything of it.
#[tokio::test(flavor = "multi_thread")]
async fn a47_a_stranger_who_speaks_the_protocol_hears_a_greeting_and_is_let_go() {
    let honest = Honest::meet().await;
    let invented = SpaceId::from_bytes([7; 32]);
    let [relay, bob] = honest.peers();
    let mut visitors = Vec::new();
    for seed in 101..=104 {
        visitors.push(Visitor::new(seed).await);
    }
    let (of_relay, nothing_of_relay, of_bob, nothing_of_bob, ()) = tokio::join!(
        asks(&visitors[0], &relay, honest.space),
        asks(&visitors[1], &relay, invented),
        asks(&visitors[2], &bob, honest.space),
        asks(&visitors[3], &bob, invented),
        honest.goes_on("meanwhile"),
    );
    let members = [honest.alice.author(), honest.bob.author(), honest.code];
    let pairs = [
        (of_relay, nothing_of_relay, honest.relay.info.author),
        (of_bob, nothing_of_bob, honest.bob.author()),
    ];
    for ((hello, proven, heard), (other_hello, other_proven, other), own) in pairs {
        assert_eq!(heard, other, "of {own:?}");
        let [greeting] = &heard.frames[..] else {
            panic!("{heard:?}");
        };
        assert_eq!(greeting[0], GREETING);
        assert_eq!(heard.closed, LET_GO);
        assert!(heard.datagrams.is_empty());
        assert_eq!(hello.len(), other_hello.len());
        assert_eq!(proven, [own], "it says who it is, and nothing of codes");
        assert_eq!(other_proven, proven);
        let others = members.iter().filter(|it| **it != own);
        let names = others
            .map(AuthorId::as_bytes)
            .chain([honest.space.as_bytes()]);
        for name in names {
            assert!(!contains(&hello, name) && !contains(greeting, name));
        }
    }
    honest.goes_on("afterwards").await;
    let strangers: Vec<_> = visitors.iter().map(Visitor::author).collect();
    honest.stayed_as_it_was(&strangers).await;
}

/// Who was a member and was sent away hears that their access is over, which names the Space that they
/// knew, and nothing else that a stranger does not hear.
#[tokio::test(flavor = "multi_thread")]
async fn a47_a_former_member_hears_that_it_is_over_and_is_let_go_like_a_stranger() {
    let honest = Honest::meet().await;
    let (mallory, stranger) = (Visitor::new(111).await, Visitor::new(112).await);
    let keys = mallory.keys.public();
    let request = GrantRequest::to_device(keys.author, keys.box_key, Capability::Write, FAR);
    honest.alice.grant(honest.space, request).await.unwrap();
    honest.goes_on("with mallory").await;
    honest
        .alice
        .revoke_device(honest.space, mallory.author(), Keep::Nothing, 0)
        .await
        .unwrap();
    honest.goes_on("without mallory").await;
    let [relay, bob] = honest.peers();
    for peer in [relay, bob] {
        let (former, nobody) = tokio::join!(
            asks(&mallory, &peer, honest.space),
            asks(&stranger, &peer, honest.space),
        );
        let ((_hello, proven, mut former), (_nobodys, nobodys, nobody)) = (former, nobody);
        assert_eq!(proven, nobodys);
        let over: Vec<_> = former
            .frames
            .extract_if(.., |frame| frame[0] == ACCESS_IS_OVER)
            .collect();
        assert_eq!(over.len(), 1, "it is said once");
        assert_eq!(
            over[0].len(),
            1 + 32 + 1,
            "which Space, and that it is over"
        );
        assert_eq!(former, nobody);
        assert_eq!(former.closed, LET_GO);
    }
    honest.goes_on("afterwards").await;
    honest.stayed_as_it_was(&[stranger.author()]).await;
}

/// Many who say little, of one place: some greet and are silent, some do not even greet. They have two
/// streams each, are let go, and somebody who comes by a code meanwhile is served.
#[tokio::test(flavor = "multi_thread")]
async fn a46_who_greets_and_is_silent_has_two_streams_and_is_let_go() {
    const SILENT: u8 = 20;
    const MUTE: usize = 40;
    let honest = Honest::meet().await;
    let [relay, _bob] = honest.peers();
    let mut visitors = Vec::new();
    let mut visits: Vec<Visit> = Vec::new();
    for seed in 121..121 + SILENT {
        let visitor = Visitor::new(seed).await;
        visits.push(visitor.visit(&relay).await);
        visitors.push(visitor);
    }
    let mut mute = Vec::new();
    let nobody = Visitor::new(200).await;
    for _connection in 0..MUTE {
        mute.extend(nobody.dial(&relay, ALPN).await);
    }
    assert!(!mute.is_empty() && mute.len() < MUTE, "{} came", mute.len());
    let wait = Duration::from_millis(500);
    assert!(!visits[0].opens_another(wait).await, "a third stream");
    assert!(!visits[0].opens_one_way(wait).await);

    let invitation = honest
        .alice
        .invite(honest.space, InviteRequest::new(Capability::Write))
        .await
        .unwrap();
    let carol = person(&honest.folder.path().join("carol"), 3).await;
    carol.join(&invitation).await.unwrap();
    eventually("carol is served meanwhile", async || {
        reads(&carol, honest.space, SECRET).await
    })
    .await;
    carol.shutdown().await;
    for visit in visits {
        let heard = visit.hear_out().await;
        assert_eq!((heard.frames.len(), heard.closed), (1, LET_GO));
    }
    for connection in mute {
        let closed = timeout(STAY_MAX, connection.closed());
        closed.await.expect("who does not greet is let go too");
    }
    assert!(nobody.dial(&relay, ALPN).await.is_some(), "there is room");
    honest.goes_on("afterwards").await;
    let mut strangers: Vec<_> = visitors.iter().map(Visitor::author).collect();
    strangers.push(nobody.author());
    nobody.leave().await;
    honest.stayed_as_it_was(&strangers).await;
}

/// Another protocol is another door, and there is none.
#[tokio::test(flavor = "multi_thread")]
async fn a47_who_asks_for_another_protocol_is_refused() {
    let honest = Honest::meet().await;
    let visitor = Visitor::new(141).await;
    for peer in honest.peers() {
        for alpn in [
            &b"aramaki/sync/0"[..],
            b"aramaki/sync/2",
            b"h3",
            b"/iroh-bytes/4",
        ] {
            assert!(visitor.dial(&peer, alpn).await.is_none(), "{alpn:?}");
        }
        assert!(visitor.dial(&peer, ALPN).await.is_some());
    }
    visitor.leave().await;
    honest.goes_on("afterwards").await;
}
