//! Keeps a connection to each peer that we look for: dials, watches for silence, dials again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::endpoint::ALPN;
use super::link::{Link, SILENCE};
use super::{Shared, TransportError};

const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A connection that lived shorter says nothing about the path.
const SETTLED: Duration = Duration::from_secs(5);

/// Waits between attempts, doubling, with jitter so that many peers do not come at once.
struct Backoff(Duration);

impl Backoff {
    fn next(&mut self) -> Duration {
        let base = self.0;
        self.0 = (base * 2).min(BACKOFF_MAX);
        let mut random = [0; 2];
        // Without randomness the jitter is lost, nothing else.
        if getrandom::fill(&mut random).is_err() {
            return base;
        }
        let part = u32::from(u16::from_le_bytes(random));
        base / 2 + base * part / u32::from(u16::MAX) / 2
    }
}

/// Runs until the transport stops or the peer is no longer looked for.
pub(super) async fn keep_connected(shared: Arc<Shared>, endpoint: [u8; 32]) {
    let mut backoff = Backoff(BACKOFF_MIN);
    loop {
        if let Some(link) = shared.link_to(&endpoint) {
            lost_or_silent(&link).await;
            if link.since.elapsed() > SETTLED {
                backoff = Backoff(BACKOFF_MIN);
            }
        }
        let Some(target) = shared.target(&endpoint) else {
            return;
        };
        let Some(address) = shared.dialled(&target) else {
            return;
        };
        let before = Instant::now();
        let dialed = timeout(DIAL_TIMEOUT, async {
            let connection = shared
                .endpoint
                .connect(address, ALPN)
                .await
                .map_err(|_cause| TransportError::Lost)?;
            let (link, streams) = Link::greet(&shared, connection).await?;
            shared.register(link, streams);
            Ok::<_, TransportError>(())
        })
        .await;
        match dialed {
            Ok(Ok(())) => {
                // A connection that the other side replaces at once must not make a busy loop.
                if shared.link_to(&endpoint).is_some() {
                    continue;
                }
            }
            Ok(Err(cause)) => tracing::debug!(%cause, "dial failed"),
            Err(_elapsed) => tracing::debug!(elapsed = ?before.elapsed(), "dial timed out"),
        }
        tokio::select! {
            () = sleep(backoff.next()) => {}
            () = shared.network_changed.notified() => {}
        }
    }
}

/// Returns when the connection is closed or the peer was not heard for [`SILENCE`].
async fn lost_or_silent(link: &Link) {
    loop {
        let silent = link.silent_for();
        if silent >= SILENCE {
            return;
        }
        tokio::select! {
            _closed = link.connection.closed() => return,
            () = sleep(SILENCE.saturating_sub(silent)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_between_its_limits() {
        let mut backoff = Backoff(BACKOFF_MIN);
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next()).collect();
        assert!(waits[0] >= BACKOFF_MIN / 2 && waits[0] <= BACKOFF_MIN);
        assert!(waits.iter().all(|wait| *wait <= BACKOFF_MAX));
        assert!(waits[11] >= BACKOFF_MAX / 2);
    }
}
