//! Two and three endpoints over loopback.

use super::*;

async fn endpoint(seed: u8) -> (Transport, mpsc::Receiver<TransportEvent>, Arc<DeviceKeys>) {
    let keys = Arc::new(DeviceKeys::from_seed([seed; 32]));
    let (transport, events) = Transport::bind(&NetworkOptions::loopback(), Arc::clone(&keys), 0)
        .await
        .unwrap();
    (transport, events, keys)
}

async fn next(events: &mut mpsc::Receiver<TransportEvent>) -> TransportEvent {
    timeout(Duration::from_secs(20), events.recv())
        .await
        .expect("an event within the limit")
        .expect("the transport lives")
}

async fn connected(
    events: &mut mpsc::Receiver<TransportEvent>,
) -> (ConnectionId, BTreeSet<AuthorId>) {
    loop {
        if let TransportEvent::Connected {
            connection,
            authors,
            ..
        } = next(events).await
        {
            return (connection, authors);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_and_datagrams_reach_a_peer_that_proved_its_author() {
    let (a, mut events_a, keys_a) = endpoint(1).await;
    let (b, mut events_b, keys_b) = endpoint(2).await;
    a.look_for(b.address());
    let (to_b, authors) = connected(&mut events_a).await;
    assert_eq!(authors, BTreeSet::from([keys_b.author()]));
    let (_to_a, authors) = connected(&mut events_b).await;
    assert_eq!(authors, BTreeSet::from([keys_a.author()]));
    let long = vec![7; 300_000];
    a.send(to_b, &long);
    let TransportEvent::Frame { frame, .. } = next(&mut events_b).await else {
        panic!("a frame was sent");
    };
    assert_eq!(frame, long);
    a.send_datagram(to_b, vec![9; 1_000]);
    let TransportEvent::Datagram { bytes, .. } = next(&mut events_b).await else {
        panic!("a datagram was sent");
    };
    assert_eq!(bytes, vec![9; 1_000]);
    let links = a.links();
    assert!(matches!(links[0].path, Path::Direct(_)));
    a.shutdown().await;
    assert!(matches!(
        next(&mut events_b).await,
        TransportEvent::Disconnected { .. }
    ));
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_dial_each_other_at_once_keep_one_connection() {
    let (a, mut events_a, _keys) = endpoint(1).await;
    let (b, mut events_b, _keys) = endpoint(2).await;
    a.look_for(b.address());
    b.look_for(a.address());
    connected(&mut events_a).await;
    connected(&mut events_b).await;
    // Whatever was replaced is reported gone, and one link stays that carries frames.
    timeout(Duration::from_secs(20), async {
        loop {
            let (links_a, links_b) = (a.links(), b.links());
            if let ([to_b], [_to_a]) = (&links_a[..], &links_b[..]) {
                a.send(to_b.connection, b"hello");
                if let Ok(Some(TransportEvent::Frame { frame, .. })) =
                    timeout(Duration::from_millis(500), events_b.recv()).await
                {
                    assert_eq!(frame, b"hello");
                    break;
                }
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_added_is_proved_and_a_restarted_peer_comes_back() {
    let (a, mut events_a, _keys) = endpoint(1).await;
    let (b, mut events_b, keys_b) = endpoint(2).await;
    b.look_for(a.address());
    connected(&mut events_a).await;
    connected(&mut events_b).await;
    let invitation = DeviceKeys::from_seed([9; 32]);
    b.prove([DeviceKeys::from_seed([9; 32])]);
    let (_connection, authors) = connected(&mut events_a).await;
    assert_eq!(
        authors,
        BTreeSet::from([keys_b.author(), invitation.author()])
    );
    drop(b);
    let (again, mut events_again, _keys) = endpoint(2).await;
    again.look_for(a.address());
    connected(&mut events_again).await;
    let (_connection, authors) = connected(&mut events_a).await;
    assert_eq!(authors, BTreeSet::from([keys_b.author()]));
    again.shutdown().await;
    a.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_keys_than_a_hello_holds_leave_out_the_least_needed() {
    let (a, mut events_a, _keys) = endpoint(1).await;
    let (b, _events_b, keys_b) = endpoint(2).await;
    let invitation = |seed: u8| DeviceKeys::from_seed([seed; 32]);
    b.prove((100..=250).map(invitation));
    b.look_for(a.address());
    let (_connection, authors) = connected(&mut events_a).await;
    assert_eq!(authors.len(), PROOFS_MAX);
    assert!(authors.contains(&keys_b.author()) && authors.contains(&invitation(100).author()));
    assert!(!authors.contains(&invitation(250).author()));
    // One that is needed now comes in before the others, and those that are not go.
    b.prove([250, 100].map(invitation));
    let (_connection, authors) = connected(&mut events_a).await;
    let needed = [250, 100].map(|seed| invitation(seed).author());
    let proved: BTreeSet<_> = needed.into_iter().chain([keys_b.author()]).collect();
    assert_eq!(authors, proved);
    b.shutdown().await;
    a.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_advertised_is_told_first() {
    let (a, mut events_a, _keys) = endpoint(1).await;
    let keys = Arc::new(DeviceKeys::from_seed([2; 32]));
    let options = NetworkOptions {
        advertise: vec![SocketAddr::from(([192, 0, 2, 1], 7410))],
        ..NetworkOptions::loopback()
    };
    let (b, _events_b) = Transport::bind(&options, keys, 0).await.unwrap();
    assert_eq!(b.address().addresses[0], "192.0.2.1:7410");
    b.look_for(a.address());
    loop {
        if let TransportEvent::Connected { addresses, .. } = next(&mut events_a).await {
            assert_eq!(addresses, b.address().addresses);
            assert!(addresses.len() > 1, "where it listens is told too");
            break;
        }
    }
    b.shutdown().await;
    a.shutdown().await;
}

/// Somebody at another address, who knows where this endpoint is.
async fn stranger(to: &Transport) -> (Endpoint, EndpointAddr) {
    let address = SocketAddr::from(([127, 0, 0, 2], 0));
    let stranger = Endpoint::builder(iroh::endpoint::presets::Minimal)
        .clear_ip_transports()
        .bind_addr(address)
        .unwrap()
        .bind()
        .await
        .unwrap();
    let ip = to.shared.endpoint.bound_sockets();
    let ip = ip.into_iter().map(TransportAddr::Ip);
    let at = EndpointAddr::from_parts(to.shared.endpoint.id(), ip);
    (stranger, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn a46_who_connects_and_says_little_keeps_nobody_else_out_and_is_closed() {
    const MORE_THAN_ONE_PLACE_HAS: usize = 40;
    let (a, _events_a, _keys) = endpoint(1).await;
    let (stranger, at) = stranger(&a).await;
    let mut silent = Vec::new();
    let mut refused = 0;
    for _ in 0..MORE_THAN_ONE_PLACE_HAS {
        match stranger.connect(at.clone(), ALPN).await {
            Ok(connection) => silent.push(connection),
            Err(_refused) => refused += 1,
        }
    }
    assert!(
        refused > 0 && !silent.is_empty(),
        "{} came in",
        silent.len()
    );
    let (b, mut events_b, _keys) = endpoint(2).await;
    b.look_for(a.address());
    connected(&mut events_b).await;
    // A byte now and then does not prolong it: the greeting as a whole has a time.
    let (mut drip, _answer) = silent[0].open_bi().await.unwrap();
    let dripping = async {
        while drip.write_all(&[0]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let ended = async {
        for connection in &silent {
            connection.closed().await;
        }
    };
    timeout(HANDSHAKE_TIMEOUT * 4, async {
        tokio::join!(dripping, ended)
    })
    .await
    .expect("each of them is closed");
    assert!(
        stranger.connect(at, ALPN).await.is_ok(),
        "there is room again"
    );
    stranger.close().await;
    b.shutdown().await;
    a.shutdown().await;
}
