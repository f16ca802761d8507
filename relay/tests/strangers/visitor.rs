//! A program of somebody else's: it speaks the real protocol on a real endpoint, by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aramaki_sync::transport::{ALPN, Hello, PeerAddress};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};
use iroh::endpoint::{Connection, ConnectionError, RecvStream, SendStream, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, SecretKey, TransportAddr};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

const STEP_MAX: Duration = Duration::from_secs(20);
/// Whoever is nobody is let go within this.
pub(crate) const STAY_MAX: Duration = Duration::from_secs(40);
/// Another address of this machine than the honest ones have.
const PLACE: [u8; 4] = [127, 0, 0, 2];

/// Keys, and an endpoint of its own.
pub(crate) struct Visitor {
    pub(crate) keys: Arc<DeviceKeys>,
    endpoint: Endpoint,
}

/// A greeted connection.
pub(crate) struct Visit {
    connection: Connection,
    /// What the other side said of itself.
    pub(crate) hello: Vec<u8>,
    control: (SendStream, RecvStream),
    frames: (SendStream, RecvStream),
}

/// All that came over a connection, in the order in which it came, until the other side ended it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) frames: Vec<Vec<u8>>,
    /// Which bytes there were on the control stream; how many depends on the time.
    pub(crate) beats: Vec<u8>,
    pub(crate) datagrams: Vec<Vec<u8>>,
    /// The code with which the other side closed.
    pub(crate) closed: u64,
}

fn addr(peer: &PeerAddress) -> EndpointAddr {
    let id = EndpointId::from_bytes(&peer.endpoint).unwrap();
    let ips = peer.addresses.iter().filter_map(|it| it.parse().ok());
    EndpointAddr::from_parts(id, ips.map(TransportAddr::Ip))
}

fn framed(frame: &[u8]) -> Vec<u8> {
    let len = u32::try_from(frame.len()).unwrap();
    [&len.to_be_bytes()[..], frame].concat()
}

async fn read_frame(stream: &mut RecvStream) -> Option<Vec<u8>> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await.ok()?;
    let mut frame = vec![0; usize::try_from(u32::from_be_bytes(len)).unwrap()];
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

impl Visitor {
    pub(crate) async fn new(seed: u8) -> Self {
        let keys = Arc::new(DeviceKeys::from_seed([seed; 32]));
        let endpoint = Endpoint::builder(presets::Minimal)
            .secret_key(SecretKey::from_bytes(&keys.endpoint_seed()))
            .clear_ip_transports()
            .bind_addr(SocketAddr::from((PLACE, 0)))
            .unwrap()
            .bind()
            .await
            .unwrap();
        Self { keys, endpoint }
    }

    pub(crate) fn author(&self) -> AuthorId {
        self.keys.author()
    }

    /// A connection on which nothing was said; none when it is refused.
    pub(crate) async fn dial(&self, peer: &PeerAddress, alpn: &[u8]) -> Option<Connection> {
        let dialled = timeout(STEP_MAX, self.endpoint.connect(addr(peer), alpn));
        dialled.await.expect("an answer in time").ok()
    }

    /// Greets as the protocol says, on the connection and between engines.
    pub(crate) async fn visit(&self, peer: &PeerAddress) -> Visit {
        let connection = self.dial(peer, ALPN).await.expect("it is let in");
        timeout(STEP_MAX, self.greet(connection)).await.unwrap()
    }

    async fn greet(&self, connection: Connection) -> Visit {
        let mut control = connection.open_bi().await.unwrap();
        let own = *self.endpoint.id().as_bytes();
        let theirs = *connection.remote_id().as_bytes();
        let keys = [Arc::clone(&self.keys)];
        let hello = Hello::signed(7, Vec::new(), &keys, (&own, &theirs));
        let hello = framed(&hello.encode().unwrap());
        control.0.write_all(&hello).await.unwrap();
        let hello = read_frame(&mut control.1).await.expect("a greeting");
        let mut frames = connection.open_bi().await.unwrap();
        frames.0.write_all(&framed(&[])).await.unwrap();
        let mut visit = Visit {
            connection,
            hello,
            control,
            frames,
        };
        visit.say(0, &(1_u16, 77_u64, 0_u64)).await;
        visit
    }

    pub(crate) async fn leave(self) {
        self.endpoint.close().await;
    }
}

impl Visit {
    /// Who the other side says that it is.
    pub(crate) fn proven(&self, visitor: &Visitor) -> Vec<AuthorId> {
        let (theirs, own) = (self.connection.remote_id(), visitor.endpoint.id());
        let ends = (theirs.as_bytes(), own.as_bytes());
        let (_hello, proven) = Hello::verified(&self.hello, ends).unwrap();
        proven.authors.into_iter().collect()
    }

    /// Says a frame of a kind; a connection that was ended swallows it.
    pub(crate) async fn say(&mut self, kind: u8, body: &impl Serialize) {
        let mut frame = vec![kind];
        frame.extend(postcard::to_stdvec(body).unwrap());
        drop(self.frames.0.write_all(&framed(&frame)).await);
    }

    /// Asks for a Space in every way that there is, as if it were there, and hands it something.
    pub(crate) async fn ask_for(&mut self, space: SpaceId, envelope: &impl Serialize) {
        let nothing = Vec::<u8>::new();
        let digest = [9_u8; 32];
        let id = EnvelopeId::ZERO;
        self.say(1, &vec![(space, digest)]).await;
        self.say(2, &(space, 0_u64, digest)).await;
        self.say(10, &(space, &nothing)).await;
        self.say(3, &(space, &nothing, true)).await;
        self.say(4, &(space, 1_u64, 0_u64, 1_u64, vec![envelope]))
            .await;
        self.say(5, &(1_u64, Vec::<(EnvelopeId, u32)>::new())).await;
        self.say(6, &(space, vec![envelope])).await;
        self.say(7, &(space, None::<Vec<[u8; 16]>>)).await;
        self.say(8, &(space, vec![id])).await;
        self.say(9, &(space, vec![(id, [0_u8; 4].to_vec())])).await;
        self.say(11, &(space, 1_u32)).await;
        self.say(12, &(space, true, (0_u32, 0_u32))).await;
        self.say(200, &space).await;
        drop(
            self.connection
                .send_datagram(space.as_bytes().to_vec().into()),
        );
    }

    /// Listens until the other side ends the connection.
    pub(crate) async fn hear_out(self) -> Heard {
        let (frames, beats) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let datagrams = Mutex::new(Vec::new());
        let (mut frames_in, mut control_in) = (self.frames.1, self.control.1);
        let listening = async {
            tokio::join!(
                async {
                    while let Some(frame) = read_frame(&mut frames_in).await {
                        frames.lock().await.push(frame);
                    }
                },
                async {
                    let mut byte = [0; 1];
                    while control_in.read_exact(&mut byte).await.is_ok() {
                        let mut beats = beats.lock().await;
                        if !beats.contains(&byte[0]) {
                            beats.push(byte[0]);
                        }
                    }
                },
                async {
                    while let Ok(bytes) = self.connection.read_datagram().await {
                        datagrams.lock().await.push(bytes.to_vec());
                    }
                },
            );
            self.connection.closed().await
        };
        let closed = timeout(STAY_MAX, listening).await;
        let ConnectionError::ApplicationClosed(closed) = closed.expect("it is ended in time")
        else {
            panic!("the other side went away without a word");
        };
        Heard {
            frames: frames.into_inner(),
            beats: beats.into_inner(),
            datagrams: datagrams.into_inner(),
            closed: closed.error_code.into_inner(),
        }
    }

    /// Whether the other side takes one more stream.
    pub(crate) async fn opens_another(&self, wait: Duration) -> bool {
        timeout(wait, self.connection.open_bi()).await.is_ok()
    }

    /// The same for one that only this side writes.
    pub(crate) async fn opens_one_way(&self, wait: Duration) -> bool {
        timeout(wait, self.connection.open_uni()).await.is_ok()
    }
}
