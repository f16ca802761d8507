//! Whether a machine answers pings, how fast, and how many get lost.
//!
//! Echo requests go through an ICMP datagram socket, which needs no privilege where the kernel allows it
//! (`net.ipv4.ping_group_range` on Linux), and through a raw one where only that is allowed. The format is too small
//! for a crate: eight bytes before the payload (RFC 792, RFC 4443).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aramaki_model::{Severity, Thresholds, Unit};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::reading::{Reading, metric, percent};

/// From one request to the next: no unprivileged program may ask more often.
const EVERY: Duration = Duration::from_millis(200);
/// How long the last answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Longer than any answer to what is sent here, with the header that a raw socket adds.
const ANSWER_LEN_BYTES_MAX: usize = 512;
const HEADER_LEN_BYTES: usize = 8;
const TOKEN_LEN_BYTES: usize = 16;
/// Kinds of messages: request and answer of IPv4 and of IPv6.
const ECHO: (u8, u8) = (8, 0);
const ECHO_V6: (u8, u8) = (128, 129);

/// Why nobody was asked.
#[derive(Debug, thiserror::Error)]
enum PingError {
    #[error("cannot resolve {host}")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("{host} has no address")]
    NoAddress { host: String },
    #[error("{}", not_allowed())]
    NotAllowed,
    #[error("cannot send pings to {address}")]
    Socket {
        address: IpAddr,
        #[source]
        source: io::Error,
    },
    #[error("no random bytes")]
    Random,
}

/// What keeps this program from sending pings, and what to set.
fn not_allowed() -> String {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range");
    let range = range.unwrap_or_default();
    let range = range.split_whitespace().collect::<Vec<_>>().join(" ");
    let has = if range.is_empty() {
        String::new()
    } else {
        format!(" (it is \"{range}\" here)")
    };
    format!(
        "this agent may not send pings: net.ipv4.ping_group_range must contain its group{has}; set it with \
         `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`, or give the agent CAP_NET_RAW"
    )
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq)]
struct Echoes {
    sent: u32,
    times: Vec<Duration>,
    /// Why the last request was not sent, if one was not.
    failed: Option<String>,
}

/// Sends `count` echo requests to a host. `time` is the mean of the answers in seconds, `loss` the lost ones in
/// percent; a host that answers none is critical.
pub(crate) async fn check(host: &str, count: u32, time: &Thresholds, loss: &Thresholds) -> Reading {
    let (address, echoes) = match ping(host, count).await {
        Ok(answered) => answered,
        Err(error @ PingError::Resolve { .. }) => {
            return Reading::new(Severity::Critical, crate::net::chain(&error));
        }
        Err(error) => return Reading::unknown(crate::net::chain(&error)),
    };
    judge(address, &echoes, time, loss)
}

fn judge(address: IpAddr, echoes: &Echoes, time: &Thresholds, loss: &Thresholds) -> Reading {
    let answered = u32::try_from(echoes.times.len()).unwrap_or(u32::MAX);
    let (sent, lost) = (echoes.sent, echoes.sent.saturating_sub(answered));
    let lost_percent = percent(u64::from(lost), u64::from(sent));
    let total: Duration = echoes.times.iter().sum();
    let mut reading = if answered == 0 {
        let why = echoes.failed.as_ref();
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let summary = format!("{address} does not answer ({sent} pings){why}");
        Reading::new(Severity::Critical, summary)
    } else {
        let mean = total.as_secs_f64() / f64::from(answered);
        let summary = format!(
            "{address} answers in {:.2} ms, {lost} of {sent} lost",
            mean * 1000.0
        );
        let mut reading = Reading::ok(summary);
        reading.judge(metric("time", mean, Unit::Seconds), time);
        reading
    };
    reading.judge(metric("loss", lost_percent, Unit::Percent), loss);
    reading
}

async fn ping(host: &str, count: u32) -> Result<(IpAddr, Echoes), PingError> {
    let resolved = tokio::net::lookup_host((host, 0)).await;
    let mut resolved = resolved.map_err(|source| PingError::Resolve {
        host: host.to_owned(),
        source,
    })?;
    let Some(to) = resolved.next() else {
        return Err(PingError::NoAddress {
            host: host.to_owned(),
        });
    };
    let (socket, is_raw) = open(to)?;
    let mut token = [0_u8; TOKEN_LEN_BYTES];
    getrandom::fill(&mut token).map_err(|_error| PingError::Random)?;
    let echoes = exchange(&socket, (to, is_raw), count, token).await;
    Ok((to.ip(), echoes))
}

/// A socket for pings to an address, and whether it shows whatever comes in.
fn open(to: SocketAddr) -> Result<(UdpSocket, bool), PingError> {
    let (domain, protocol) = match to {
        SocketAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        SocketAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let refused = |source| PingError::Socket {
        address: to.ip(),
        source,
    };
    let is_denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    let (socket, is_raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (socket, false),
        Err(error) if is_denied(&error) => match Socket::new(domain, Type::RAW, Some(protocol)) {
            Ok(socket) => (socket, true),
            Err(error) if is_denied(&error) => return Err(PingError::NotAllowed),
            Err(source) => return Err(refused(source)),
        },
        Err(source) => return Err(refused(source)),
    };
    socket.set_nonblocking(true).map_err(refused)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(refused)?;
    Ok((socket, is_raw))
}

/// Sends the requests and takes their answers.
async fn exchange(
    socket: &UdpSocket,
    (to, is_raw): (SocketAddr, bool),
    count: u32,
    token: [u8; TOKEN_LEN_BYTES],
) -> Echoes {
    let mut echoes = Echoes::default();
    let mut waiting: Vec<Option<Instant>> = Vec::new();
    let mut buffer = [0_u8; ANSWER_LEN_BYTES_MAX];
    let mut send_at = Instant::now();
    let mut end = send_at + ANSWER_WITHIN;
    loop {
        let all_sent = echoes.sent >= count;
        if all_sent && waiting.iter().all(Option::is_none) {
            return echoes;
        }
        let wake = if all_sent { end } else { send_at };
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((len, from)) = received else { continue };
                let answer = buffer.get(..len).unwrap_or_default();
                if from.ip() != to.ip() {
                    continue;
                }
                let sequence = answered(answer, (to.is_ipv4(), is_raw), &token);
                let began = sequence
                    .and_then(|sequence| waiting.get_mut(usize::from(sequence)))
                    .and_then(Option::take);
                echoes.times.extend(began.map(|began| began.elapsed()));
            }
            () = tokio::time::sleep_until(wake) => {
                if all_sent {
                    return echoes;
                }
                let sequence = u16::try_from(echoes.sent).unwrap_or(u16::MAX);
                let request = request(to.is_ipv4(), sequence, &token);
                let began = Instant::now();
                echoes.sent += 1;
                match socket.send_to(&request, to).await {
                    Ok(_len) => waiting.push(Some(began)),
                    Err(error) => {
                        echoes.failed = Some(error.to_string());
                        waiting.push(None);
                    }
                }
                send_at = began + EVERY;
                end = began + ANSWER_WITHIN;
            }
        }
    }
}

/// An echo request. The kernel puts in the identifier, and the checksum of IPv6.
fn request(is_v4: bool, sequence: u16, token: &[u8; TOKEN_LEN_BYTES]) -> Vec<u8> {
    let (kind, _) = if is_v4 { ECHO } else { ECHO_V6 };
    let mut bytes = vec![kind, 0, 0, 0];
    // The identifier of a raw socket's requests: part of the token is as good.
    bytes.extend(token.iter().take(2));
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(token);
    if is_v4 {
        let sum = checksum(&bytes).to_be_bytes();
        for (place, byte) in bytes.iter_mut().skip(2).zip(sum) {
            *place = byte;
        }
    }
    bytes
}

/// The sum of the Internet protocols (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        u32::from(u16::from_be_bytes([high, low]))
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

/// To which request this is the answer; none if it is another message.
fn answered(
    bytes: &[u8],
    (is_v4, is_raw): (bool, bool),
    token: &[u8; TOKEN_LEN_BYTES],
) -> Option<u16> {
    let (_, kind) = if is_v4 { ECHO } else { ECHO_V6 };
    // Raw sockets of IPv4, and those of some systems without privilege, show the header of the packet too.
    let first = bytes.first().copied()?;
    let with_header = is_v4 && first >> 4 == 4 && (is_raw || first != kind);
    let skipped = if with_header {
        usize::from(first & 0xf) * 4
    } else {
        0
    };
    let message = bytes.get(skipped..)?;
    let (header, payload) = message.split_at_checked(HEADER_LEN_BYTES)?;
    let is_ours = header.first() == Some(&kind) && header.get(1) == Some(&0) && payload == token;
    let sequence = [header.get(6).copied()?, header.get(7).copied()?];
    is_ours.then_some(u16::from_be_bytes(sequence))
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;

    const ANY: Thresholds = Thresholds {
        warning: None,
        critical: None,
    };

    /// Where pings are allowed the answer is real; where they are not, it says what to set.
    async fn loopback(host: &str, count: u32) -> Option<Reading> {
        let reading = check(host, count, &ANY, &ANY).await;
        if reading.severity == Severity::Unknown {
            let said = &reading.summary;
            let is_known = said.contains("ping_group_range") || said.contains("Address family");
            assert!(is_known, "{said}");
            return None;
        }
        Some(reading)
    }

    #[tokio::test]
    async fn this_machine_answers_its_own_pings() {
        if let Some(reading) = loopback("127.0.0.1", 3).await {
            assert_eq!(reading.severity, Severity::Ok, "{}", reading.summary);
            assert!(reading.summary.starts_with("127.0.0.1 answers in "));
            assert!(
                reading.summary.ends_with("0 of 3 lost"),
                "{}",
                reading.summary
            );
            assert_eq!(reading.metrics.len(), 2);
        }
        if let Some(reading) = loopback("::1", 2).await
            && reading.severity == Severity::Ok
        {
            assert!(
                reading.summary.ends_with("0 of 2 lost"),
                "{}",
                reading.summary
            );
        }
    }

    #[tokio::test]
    async fn limits_on_time_and_loss_decide() {
        let echoes = Echoes {
            sent: 4,
            times: vec![Duration::from_millis(100), Duration::from_millis(300)],
            failed: None,
        };
        let here = "192.0.2.7".parse().unwrap();
        let reading = judge(
            here,
            &echoes,
            &thresholds("0.15", ""),
            &thresholds("20", "40"),
        );
        assert_eq!(reading.severity, Severity::Critical);
        assert_eq!(
            reading.summary,
            "192.0.2.7 answers in 200.00 ms, 2 of 4 lost"
        );
        assert_eq!(reading.metrics[1].value, Some(50.0));
        let none = Echoes {
            times: Vec::new(),
            failed: Some("Network is unreachable".to_owned()),
            ..echoes
        };
        let reading = judge(here, &none, &ANY, &ANY);
        assert_eq!(reading.severity, Severity::Critical);
        assert_eq!(
            reading.summary,
            "192.0.2.7 does not answer (4 pings): Network is unreachable"
        );
    }

    #[tokio::test]
    async fn a_name_without_address_is_critical() {
        let reading = check("no name has a space", 1, &ANY, &ANY).await;
        assert_eq!(reading.severity, Severity::Critical);
        assert!(
            reading.summary.contains("cannot resolve"),
            "{}",
            reading.summary
        );
    }

    #[test]
    fn only_answers_to_what_was_sent_count() {
        let token = [7; TOKEN_LEN_BYTES];
        let request = request(true, 3, &token);
        assert_eq!(checksum(&request), 0, "the sum with its own is zero");
        let mut answer = request.clone();
        answer[0] = ECHO.1;
        let of = |bytes: &[u8], raw| answered(bytes, (true, raw), &token);
        assert_eq!(of(&request, false), None, "a request is no answer");
        assert_eq!(of(&answer, false), Some(3));
        let mut with_header = vec![0x45; 20];
        with_header.extend(&answer);
        assert_eq!(of(&with_header, true), Some(3));
        assert_eq!(answered(&answer, (true, false), &[8; 16]), None);
        for len in 0..with_header.len() {
            assert_eq!(of(&with_header[..len], true), None);
            let _any = of(&with_header[..len], false);
        }
        // A header that says it is longer than the packet.
        let mut long = with_header;
        long[0] = 0x4f;
        assert_eq!(of(&long, true), None);
    }
}
