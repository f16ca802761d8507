//! Replicas without a path to each other but an own transport relay, and one that dies.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use aramaki_sync::core::DocumentId;
use aramaki_sync::core::statement::{Capability, Card, Statement};
use aramaki_sync::replica::{InviteRequest, Replica, ReplicaOptions};
use aramaki_sync::transport::{NetworkOptions, Path};
use iroh_relay::server::{RelayConfig, Server, ServerConfig};

use crate::common::{Device, changes, eventually, new_space, texts};

async fn transport_relay() -> (Server, String) {
    let mut config = ServerConfig::default();
    config.relay = Some(RelayConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    let server = Server::spawn(config).await.unwrap();
    let url = format!("http://{}/", server.http_addr().unwrap());
    (server, url)
}

/// Opens a device that listens at one address and uses these relays.
async fn open(device: &Device, bind: impl Into<SocketAddr>, relays: &[String]) -> Replica {
    let network = NetworkOptions {
        bind: vec![bind.into()],
        transport_relays: relays.to_vec(),
        ..NetworkOptions::default()
    };
    let options = ReplicaOptions::new(device.dir(), device.keys()).network(network);
    Replica::open(options).await.unwrap()
}

fn note() -> DocumentId {
    DocumentId::named("note/1")
}

/// By which transport relay a peer is reached.
fn relayed_by(replica: &Replica) -> Option<String> {
    let peers = replica.peers();
    let path = peers.first()?.path.clone()?;
    assert!(!matches!(path, Path::Direct(_)), "there is no direct path");
    match path {
        Path::Relayed(url) => Some(url),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_without_a_direct_path_meet_at_a_transport_relay_and_move_when_it_dies() {
    let (alice, bob) = (Device::new(1), Device::new(2));
    let (one, other) = (transport_relay().await, transport_relay().await);
    let relays = [one.1.clone(), other.1.clone()];
    // Datagrams of two address families never meet; both reach the relays by TCP.
    let a = open(&alice, (Ipv6Addr::LOCALHOST, 0), &relays).await;
    let b = open(&bob, (Ipv4Addr::LOCALHOST, 0), &relays).await;
    eventually("a has a home relay", async || {
        let addresses = a.address().unwrap().addresses;
        addresses.iter().any(|address| relays.contains(address))
    })
    .await;
    let space = new_space(&a).await;
    a.write(space, note(), changes("from a")).await.unwrap();
    let request = InviteRequest::new(Capability::Write);
    let invitation = a.invite(space, request).await.unwrap();
    b.join(&invitation).await.unwrap();
    eventually("b reads what a wrote", async || {
        texts(&b, space, note()).await == ["from a"]
    })
    .await;
    eventually("the path is known", async || relayed_by(&a).is_some()).await;

    // The relay that carries them stops; what is written meanwhile arrives by the other.
    let used = relayed_by(&a).unwrap();
    let (dying, staying) = if used == one.1 {
        (one, other)
    } else {
        (other, one)
    };
    dying.0.shutdown().await.unwrap();
    b.write(space, note(), changes("from b")).await.unwrap();
    eventually("a reads what b wrote", async || {
        texts(&a, space, note()).await == ["from a", "from b"]
    })
    .await;
    eventually("they moved", async || {
        relayed_by(&a).as_deref() == Some(staying.1.as_str())
    })
    .await;
    a.shutdown().await;
    b.shutdown().await;
    staying.0.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn members_who_never_met_find_each_other_by_their_cards() {
    let (alice, bob, carol) = (Device::new(1), Device::new(2), Device::new(3));
    let (relay, url) = transport_relay().await;
    let relays = [url];
    let local = (Ipv4Addr::LOCALHOST, 0);
    let a = open(&alice, local, &relays).await;
    let b = open(&bob, local, &relays).await;
    let c = open(&carol, local, &relays).await;
    let space = new_space(&a).await;
    for guest in [&b, &c] {
        let request = InviteRequest::new(Capability::Write);
        let invitation = a.invite(space, request).await.unwrap();
        guest.join(&invitation).await.unwrap();
        guest.joined(space).await.unwrap();
    }
    let card = Card {
        endpoint: c.address().unwrap().endpoint,
        box_key: c.box_public(),
        box_generation: 0,
    };
    c.write_control(space, Statement::Card(card)).await.unwrap();
    eventually(
        "b is connected with c, of whom nobody told it an address",
        async || {
            let peers = b.peers();
            peers.iter().any(|peer| peer.device == Some(c.author()))
        },
    )
    .await;
    for replica in [a, b, c] {
        replica.shutdown().await;
    }
    relay.shutdown().await.unwrap();
}
