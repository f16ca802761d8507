//! One connection: its hello, its two streams, its heartbeat and its datagrams.
//!
//! The control stream carries the hello and single-byte heartbeats and is never blocked by the
//! engine; the frame stream carries the engine's frames and is, which is how a slow replica slows
//! its peers down.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aramaki_sync_core::AuthorId;
use bytes::Bytes;
use iroh::endpoint::{Connection, RecvStream, SendStream, Side, VarInt};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::framing::{self, FRAME_BYTES_MAX};
use super::hello::{HELLO_BYTES_MAX, Hello};
use super::{ConnectionId, Shared, TransportError, TransportEvent};

const HEARTBEAT: Duration = Duration::from_secs(2);
/// Without a word for so long, the dialer dials again in parallel.
pub(super) const SILENCE: Duration = Duration::from_secs(3);
const FRAMES_QUEUED_MAX: usize = 4_096;
const BYTES_QUEUED_MAX: usize = 32 << 20;
const PING: u8 = 1;
const PONG: u8 = 2;

/// Close codes, for the other side's log.
pub(super) const CLOSE_DONE: u32 = 0;
pub(super) const CLOSE_REPLACED: u32 = 1;
pub(super) const CLOSE_PROTOCOL: u32 = 2;
pub(super) const CLOSE_SLOW: u32 = 3;
pub(super) const CLOSE_KEYS: u32 = 4;
pub(super) const CLOSE_STRANGER: u32 = 5;

/// A connection whose hello has been checked.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: ConnectionId,
    pub(super) endpoint: [u8; 32],
    pub(super) device: AuthorId,
    pub(super) authors: BTreeSet<AuthorId>,
    pub(super) told: Told,
    pub(super) addresses: Vec<String>,
    /// The peer's process; another one means that it restarted.
    pub(super) session: u64,
    pub(super) side: Side,
    pub(super) connection: Connection,
    pub(super) since: Instant,
    heard_ms: AtomicU64,
    queue: mpsc::Sender<Bytes>,
    queued_bytes: AtomicUsize,
}

/// What our hello proved to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Which revision of our keys.
    pub(super) revision: u64,
    /// Whether those of invitations are among them.
    pub(super) invitations: bool,
}

/// What [`Link::run`] needs and nobody else touches.
pub(super) struct Streams {
    control: (SendStream, RecvStream),
    frames: (SendStream, RecvStream),
    queue: mpsc::Receiver<Bytes>,
}

impl Link {
    /// Exchanges hellos and opens the frame stream.
    pub(super) async fn greet(
        shared: &Shared,
        connection: Connection,
    ) -> Result<(Self, Streams), TransportError> {
        let side = connection.side();
        let own = *shared.endpoint.id().as_bytes();
        let endpoint = *connection.remote_id().as_bytes();
        let (hello, told) = shared.hello(&endpoint)?;
        let mut control = match side {
            Side::Client => connection.open_bi().await,
            Side::Server => connection.accept_bi().await,
        }
        .map_err(|_cause| TransportError::Lost)?;
        let hello = framing::framed(&hello).ok_or(TransportError::Lost)?;
        control
            .0
            .write_all(&hello)
            .await
            .map_err(|_cause| TransportError::Lost)?;
        let theirs = framing::read(&mut control.1, HELLO_BYTES_MAX)
            .await
            .map_err(|_cause| TransportError::Lost)?;
        let (hello, proven) = Hello::verified(&theirs, (&endpoint, &own))
            .map_err(|cause| TransportError::Hello(cause.to_string()))?;
        let frames = match side {
            Side::Client => {
                let mut frames = connection
                    .open_bi()
                    .await
                    .map_err(|_cause| TransportError::Lost)?;
                // A stream exists for the other side once it carries something.
                let opening = framing::framed(&[]).ok_or(TransportError::Lost)?;
                frames
                    .0
                    .write_all(&opening)
                    .await
                    .map_err(|_cause| TransportError::Lost)?;
                frames
            }
            Side::Server => connection
                .accept_bi()
                .await
                .map_err(|_cause| TransportError::Lost)?,
        };
        let (sender, queue) = mpsc::channel(FRAMES_QUEUED_MAX);
        let link = Self {
            id: shared.next_connection(),
            endpoint,
            device: proven.device,
            authors: proven.authors,
            told,
            addresses: hello.addresses,
            session: hello.session,
            side,
            connection,
            since: Instant::now(),
            heard_ms: AtomicU64::new(0),
            queue: sender,
            queued_bytes: AtomicUsize::new(0),
        };
        Ok((
            link,
            Streams {
                control,
                frames,
                queue,
            },
        ))
    }

    /// How long ago the peer was heard.
    pub(super) fn silent_for(&self) -> Duration {
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        self.since.elapsed().saturating_sub(heard)
    }

    fn heard(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(now, Ordering::Relaxed);
    }

    /// Queues a frame. A peer that reads too slowly for the engine's own flow control is let go:
    /// it comes back with its cursor, and nothing grows meanwhile.
    pub(super) fn send(&self, frame: &[u8]) {
        let Some(bytes) = framing::framed(frame) else {
            tracing::error!(
                connection = self.id.0,
                len = frame.len(),
                "frame over the limit"
            );
            return;
        };
        let len = bytes.len();
        let queued = self.queued_bytes.fetch_add(len, Ordering::Relaxed) + len;
        if queued > BYTES_QUEUED_MAX || self.queue.try_send(bytes).is_err() {
            self.close(CLOSE_SLOW);
        }
    }

    pub(super) fn close(&self, code: u32) {
        self.connection.close(VarInt::from_u32(code), b"");
    }

    /// Carries frames both ways until the connection ends, however it ends.
    pub(super) async fn run(&self, shared: &Shared, streams: Streams) {
        let Streams {
            control,
            frames: (frames_out, frames_in),
            queue,
        } = streams;
        let code = tokio::select! {
            code = self.heartbeat(control) => code,
            code = self.write(frames_out, queue) => code,
            code = self.read(shared, frames_in) => code,
            code = self.read_datagrams(shared) => code,
            _closed = self.connection.closed() => CLOSE_DONE,
        };
        self.close(code);
    }

    async fn heartbeat(&self, (mut out, mut input): (SendStream, RecvStream)) -> u32 {
        let mut tick = interval(HEARTBEAT);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bytes = [0; 64];
        loop {
            let answer = tokio::select! {
                _now = tick.tick() => Some(PING),
                read = input.read(&mut bytes) => match read {
                    Ok(Some(len)) => {
                        self.heard();
                        bytes.iter().take(len).any(|byte| *byte == PING).then_some(PONG)
                    }
                    Ok(None) | Err(_) => return CLOSE_DONE,
                },
            };
            if let Some(byte) = answer
                && out.write_all(&[byte]).await.is_err()
            {
                return CLOSE_DONE;
            }
        }
    }

    async fn write(&self, mut out: SendStream, mut queue: mpsc::Receiver<Bytes>) -> u32 {
        while let Some(frame) = queue.recv().await {
            let len = frame.len();
            if out.write_chunk(frame).await.is_err() {
                return CLOSE_DONE;
            }
            self.queued_bytes.fetch_sub(len, Ordering::Relaxed);
        }
        CLOSE_DONE
    }

    async fn read(&self, shared: &Shared, mut input: RecvStream) -> u32 {
        loop {
            let frame = match framing::read(&mut input, FRAME_BYTES_MAX).await {
                Ok(frame) => frame,
                Err(framing::FrameError::TooLong(_)) => return CLOSE_PROTOCOL,
                Err(framing::FrameError::Stream(_)) => return CLOSE_DONE,
            };
            self.heard();
            if frame.is_empty() {
                continue;
            }
            let event = TransportEvent::Frame {
                connection: self.id,
                frame,
            };
            if shared.events.send(event).await.is_err() {
                return CLOSE_DONE;
            }
        }
    }

    async fn read_datagrams(&self, shared: &Shared) -> u32 {
        while let Ok(bytes) = self.connection.read_datagram().await {
            self.heard();
            // Ephemeral by definition: dropped first when the engine is behind.
            let event = TransportEvent::Datagram {
                connection: self.id,
                bytes: bytes.to_vec(),
            };
            if let Err(mpsc::error::TrySendError::Closed(_)) = shared.events.try_send(event) {
                break;
            }
        }
        CLOSE_DONE
    }
}
