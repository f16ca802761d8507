//! How far this machine's clock is from that of a time server.
//!
//! One exchange of SNTP (RFC 4330, RFC 5905): 48 bytes there and back, so there is no crate for it. Nothing of this
//! machine is told: the time that is sent is a random number which the answer must repeat.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aramaki_model::address::host_and_port;
use aramaki_model::{Severity, Thresholds, Unit};
use tokio::net::UdpSocket;

use super::reading::{Reading, metric};

const NTP_PORT: u16 = 123;
const PACKET_LEN_BYTES: usize = 48;
/// Datagrams get lost: this often is asked, each time for so long.
const TRIES: usize = 3;
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;
/// No warning of a leap second, version 4, a client.
const CLIENT: u8 = 0b00_100_011;
/// From 1900, where NTP begins, to 1970, in seconds.
const SINCE_1900: f64 = 2_208_988_800.0;
/// NTP counts seconds in 32 bits: an era.
const ERA_SECONDS: f64 = 4_294_967_296.0;

/// Why the time is not known.
#[derive(Debug, thiserror::Error)]
enum ClockError {
    #[error("cannot resolve {host}")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot ask {address}")]
    Ask {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("{address} does not answer")]
    Silent { address: SocketAddr },
    #[error("{host} has no address")]
    NoAddress { host: String },
    #[error("{address}: {what}")]
    Answer { address: SocketAddr, what: NoTime },
    #[error("no random bytes")]
    Random,
}

/// Why an answer does not tell the time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
enum NoTime {
    #[error("what it answered is no time")]
    Malformed,
    #[error("it answered something else than was asked")]
    NotAsked,
    #[error("its own clock is not synchronised")]
    NotSynchronised,
    #[error("it does not want to be asked ({0})")]
    Refused(String),
}

/// What a server says, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Told {
    /// How far it is ahead of this machine.
    offset: f64,
    /// There and back.
    delay: f64,
    stratum: u8,
}

/// Asks `server`, a host, or a host and a port. `offset` is held against the difference in seconds, whichever clock
/// is ahead.
pub(crate) async fn check(server: &str, offset: &Thresholds) -> Reading {
    match ask(server).await {
        Ok((address, told)) => judge(address, told, offset),
        Err(error) => {
            let severity = match error {
                ClockError::Random => Severity::Unknown,
                _ => Severity::Critical,
            };
            Reading::new(severity, crate::net::chain(&error))
        }
    }
}

fn judge(address: SocketAddr, told: Told, offset: &Thresholds) -> Reading {
    let side = if told.offset > 0.0 {
        "behind"
    } else {
        "ahead of"
    };
    let by = told.offset.abs();
    let said = if by < 1.0 {
        format!("{:.2} ms", by * 1000.0)
    } else {
        format!("{by:.2} s")
    };
    let mut reading = Reading::ok(format!(
        "the clock is {said} {side} {} (stratum {}, round trip {:.1} ms)",
        address.ip(),
        told.stratum,
        told.delay * 1000.0
    ));
    reading.judge(metric("offset", by, Unit::Seconds), offset);
    reading.measure(metric("delay", told.delay, Unit::Seconds));
    reading
}

async fn ask(server: &str) -> Result<(SocketAddr, Told), ClockError> {
    let (host, port) = host_and_port(server).unwrap_or((server, NTP_PORT));
    let resolved = tokio::net::lookup_host((host, port)).await;
    let resolved = resolved.map_err(|source| ClockError::Resolve {
        host: host.to_owned(),
        source,
    })?;
    let mut last = ClockError::NoAddress {
        host: host.to_owned(),
    };
    let addresses: Vec<_> = resolved.take(ADDRESSES_MAX).collect();
    for _ in 0..TRIES {
        for address in &addresses {
            match ask_one(*address).await {
                Ok(told) => return Ok((*address, told)),
                Err(error) => last = error,
            }
        }
        if !matches!(last, ClockError::Silent { .. }) {
            // It answered, or cannot be asked: asking again is rude and changes nothing.
            break;
        }
    }
    Err(last)
}

async fn ask_one(address: SocketAddr) -> Result<Told, ClockError> {
    let failed = |source| ClockError::Ask { address, source };
    let any: SocketAddr = if address.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0_u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any).await.map_err(failed)?;
    socket.connect(address).await.map_err(failed)?;
    let mut token = [0_u8; 8];
    getrandom::fill(&mut token).map_err(|_error| ClockError::Random)?;
    let (sent_at, began) = (unix(SystemTime::now()), Instant::now());
    socket.send(&request(token)).await.map_err(failed)?;
    let mut buffer = [0_u8; PACKET_LEN_BYTES * 4];
    let receive = async {
        loop {
            let len = socket.recv(&mut buffer).await.map_err(failed)?;
            let took = began.elapsed().as_secs_f64();
            let answer = buffer.get(..len).unwrap_or_default();
            match read(answer, token, (sent_at, sent_at + took)) {
                // Somebody else may have sent it: the answer may still come.
                Err(NoTime::NotAsked | NoTime::Malformed) => {}
                Err(what) => return Err(ClockError::Answer { address, what }),
                Ok(told) => return Ok(told),
            }
        }
    };
    let received = tokio::time::timeout(ANSWER_WITHIN, receive).await;
    received.unwrap_or(Err(ClockError::Silent { address }))
}

fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

fn request(token: [u8; 8]) -> [u8; PACKET_LEN_BYTES] {
    let mut packet = [0; PACKET_LEN_BYTES];
    packet[0] = CLIENT;
    packet[40..].copy_from_slice(&token);
    packet
}

/// Reads an answer to a request with this token, sent and received at these Unix times.
fn read(answer: &[u8], token: [u8; 8], (sent, received): (f64, f64)) -> Result<Told, NoTime> {
    let answer = answer.first_chunk::<PACKET_LEN_BYTES>();
    let answer = answer.ok_or(NoTime::Malformed)?;
    let [head, stratum, ..] = *answer;
    if head & 0b111 != 4 {
        return Err(NoTime::Malformed);
    }
    if answer[24..32] != token {
        return Err(NoTime::NotAsked);
    }
    match stratum {
        0 => {
            let code = answer[12..16].iter().map(|byte| char::from(*byte));
            let code = code.filter(char::is_ascii_alphanumeric).collect();
            return Err(NoTime::Refused(code));
        }
        1..16 if head >> 6 != 3 => {}
        _ => return Err(NoTime::NotSynchronised),
    }
    let arrived = time(&answer[32..40], sent).ok_or(NoTime::Malformed)?;
    let left = time(&answer[40..48], sent).ok_or(NoTime::Malformed)?;
    Ok(Told {
        offset: f64::midpoint(arrived - sent, left - received),
        delay: ((received - sent) - (left - arrived)).max(0.0),
        stratum,
    })
}

/// A time of NTP as Unix time: of all eras the one that is nearest to now.
fn time(bytes: &[u8], now: f64) -> Option<f64> {
    let bytes: [u8; 8] = bytes.try_into().ok()?;
    let number = u64::from_be_bytes(bytes);
    if number == 0 {
        return None;
    }
    let seconds = f64::from(u32::try_from(number >> 32).ok()?);
    let fraction = f64::from(u32::try_from(number & u64::from(u32::MAX)).ok()?);
    let time = seconds + fraction / ERA_SECONDS - SINCE_1900;
    let eras = ((now - time) / ERA_SECONDS).round();
    Some(time + eras * ERA_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;

    /// What NTP writes for a Unix time.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time of now"
    )]
    fn written(time: f64) -> [u8; 8] {
        let since = (time + SINCE_1900).rem_euclid(ERA_SECONDS);
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&(since as u32).to_be_bytes());
        bytes[4..].copy_from_slice(&((since.fract() * ERA_SECONDS) as u32).to_be_bytes());
        bytes
    }

    fn answer(request: &[u8], head: u8, stratum: u8, ahead: f64) -> Vec<u8> {
        let mut answer = vec![0; PACKET_LEN_BYTES];
        answer[0] = head;
        answer[1] = stratum;
        answer[12..16].copy_from_slice(b"RATE");
        answer[24..32].copy_from_slice(&request[40..48]);
        let now = written(unix(SystemTime::now()) + ahead);
        answer[32..40].copy_from_slice(&now);
        answer[40..48].copy_from_slice(&now);
        answer
    }

    /// A real server that answers each request with this, and loses the first `lost`.
    async fn server(head: u8, stratum: u8, ahead: f64, lost: usize) -> String {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            let mut seen = 0;
            while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
                seen += 1;
                if seen > lost {
                    assert_eq!((len, buffer[0]), (48, 0x23));
                    // Noise of somebody else comes first.
                    socket.send_to(b"noise", from).await.unwrap();
                    let answer = answer(&buffer[..len], head, stratum, ahead);
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        address
    }

    const SERVER: u8 = 0x24;

    #[tokio::test]
    async fn a_clock_that_is_right_is_ok_and_a_wrong_one_says_by_how_much() {
        let limits = thresholds("30", "60");
        let right = check(&server(SERVER, 2, 0.0, 0).await, &limits).await;
        assert_eq!(right.severity, Severity::Ok, "{}", right.summary);
        assert!(right.summary.contains("stratum 2"), "{}", right.summary);
        let behind = check(&server(SERVER, 2, 120.0, 0).await, &limits).await;
        assert_eq!(behind.severity, Severity::Critical);
        assert!(
            behind.summary.contains("s behind 127"),
            "{}",
            behind.summary
        );
        assert!((behind.metrics[0].value.unwrap() - 120.0).abs() < 20.0);
        let ahead = check(&server(SERVER, 2, -45.0, 0).await, &limits).await;
        assert_eq!(ahead.severity, Severity::Warning);
        assert!(
            ahead.summary.contains("s ahead of 127"),
            "{}",
            ahead.summary
        );
    }

    #[tokio::test]
    async fn a_lost_datagram_is_asked_for_again() {
        let reading = check(&server(SERVER, 1, 0.0, 1).await, &Thresholds::default()).await;
        assert_eq!(reading.severity, Severity::Ok, "{}", reading.summary);
    }

    #[tokio::test]
    async fn a_server_without_the_time_is_critical() {
        for (head, stratum, words) in [
            (SERVER, 0, "does not want to be asked (RATE)"),
            (SERVER, 16, "not synchronised"),
            (0xe4, 2, "not synchronised"),
        ] {
            let server = server(head, stratum, 0.0, 0).await;
            let reading = check(&server, &Thresholds::default()).await;
            assert_eq!(reading.severity, Severity::Critical);
            assert!(reading.summary.contains(words), "{}", reading.summary);
        }
        let nobody = check("no name has a space", &Thresholds::default()).await;
        assert!(
            nobody.summary.contains("cannot resolve"),
            "{}",
            nobody.summary
        );
    }

    #[test]
    fn times_are_of_the_nearest_era_and_answers_are_what_was_asked() {
        for now in [
            1_800_000_000.25,
            2_085_978_495.5,
            2_085_978_497.75,
            4_000_000_000.5,
        ] {
            assert!((time(&written(now), now + 3.0).unwrap() - now).abs() < 0.001);
        }
        let request = request([9; 8]);
        let good = answer(&request, SERVER, 3, 0.0);
        let now = unix(SystemTime::now());
        assert!(read(&good, [9; 8], (now, now)).is_ok());
        assert_eq!(read(&good, [8; 8], (now, now)), Err(NoTime::NotAsked));
        assert_eq!(read(&request, [9; 8], (now, now)), Err(NoTime::Malformed));
        for len in 0..PACKET_LEN_BYTES {
            assert_eq!(
                read(&good[..len], [9; 8], (now, now)),
                Err(NoTime::Malformed)
            );
        }
    }
}
