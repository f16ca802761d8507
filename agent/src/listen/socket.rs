//! The client socket of older Sensu: JSON over TCP, answered with `ok` or `invalid`, and over UDP.

use std::time::Duration;

use aramaki_sync::loopback::{self, Limits};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::refusals::Refusals;
use super::result::MESSAGE_LEN_BYTES_MAX;
use super::{Inbox, sensu};

/// A connection that says nothing for so long, with a result begun, sent an invalid one.
const SILENCE_INSIDE: Duration = Duration::from_millis(500);
/// A connection that says nothing for so long is ended.
const SILENCE_BETWEEN: Duration = Duration::from_secs(10);
/// How often a result that comes in pieces is tried: each try reads it from its beginning.
const TRIES_MAX: u32 = 64;
/// How long an answer may take to be taken.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// A datagram is not longer.
const DATAGRAM_LEN_BYTES_MAX: usize = 64 * 1024;
/// Pause after a failed read of datagrams.
const RETRY: Duration = Duration::from_millis(200);

/// Serves connections until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    host: String,
    inbox: Inbox,
    stop: CancellationToken,
) {
    let (stopped, refusals) = (stop.clone(), Refusals::default());
    let serve = move |stream| {
        let (host, inbox, stop) = (host.clone(), inbox.clone(), stopped.clone());
        let refusals = refusals.clone();
        async move {
            tokio::select! {
                () = connection(stream, &host, (&inbox, &refusals)) => {}
                () = stop.cancelled() => {}
            }
        }
    };
    loopback::accept(listener, Limits::MESSAGES, stop, serve).await;
}

/// Takes datagrams until `stop`. They are never answered: whoever sent one may not be who it says.
pub(super) async fn serve_datagrams(
    socket: UdpSocket,
    host: String,
    inbox: Inbox,
    stop: CancellationToken,
) {
    let refusals = Refusals::default();
    let mut buffer = vec![0; DATAGRAM_LEN_BYTES_MAX];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        let len = match received {
            Ok((len, _from)) => len,
            Err(error) => {
                tracing::warn!(%error, "datagrams with results cannot be read");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        let datagram = buffer.get(..len).unwrap_or_default();
        if datagram.trim_ascii() == b"ping" {
            continue;
        }
        let read = serde_json::from_slice(datagram)
            .map_err(|error| error.to_string())
            .and_then(|value| sensu::read_results(value, &host).map_err(|error| error.to_string()));
        match read {
            Ok(results) => {
                if inbox.offer(results, &refusals).is_err() {
                    tracing::warn!("too many results wait: a datagram was dropped");
                }
            }
            Err(error) => refusals.tell(&error),
        }
    }
}

/// What stands at the beginning of what came in.
#[derive(Debug, PartialEq)]
enum Head {
    /// Nothing yet, or a piece of a result.
    Open,
    /// The word that asks whether anybody is there.
    Ping,
    /// A result or several, and how many bytes they take.
    Results(Value, usize),
    /// What will never be one.
    Invalid,
}

fn head(bytes: &[u8]) -> Head {
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() || (trimmed.len() < 4 && b"ping".starts_with(trimmed)) {
        return Head::Open;
    }
    if trimmed == b"ping" {
        return Head::Ping;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) if value.is_object() || value.is_array() => {
            Head::Results(value, values.byte_offset())
        }
        Some(Err(error)) if error.is_eof() => Head::Open,
        None => Head::Open,
        Some(_) => Head::Invalid,
    }
}

async fn connection(mut stream: TcpStream, host: &str, (inbox, refusals): (&Inbox, &Refusals)) {
    let mut buffer = Vec::new();
    let mut tries = 0_u32;
    loop {
        // A result ends with a bracket, so nothing is tried before one came.
        let may_end = matches!(buffer.trim_ascii_end().last(), Some(b'}' | b']' | b'g'));
        let head = if may_end || !looks_like_json(&buffer) {
            tries += 1;
            head(&buffer)
        } else {
            Head::Open
        };
        let said: &[u8] = match head {
            Head::Open if tries <= TRIES_MAX && buffer.len() <= MESSAGE_LEN_BYTES_MAX => {
                let is_between = buffer.trim_ascii().is_empty();
                let limit = if is_between {
                    SILENCE_BETWEEN
                } else {
                    SILENCE_INSIDE
                };
                match timeout(limit, stream.read_buf(&mut buffer)).await {
                    Ok(Ok(0) | Err(_)) | Err(_) if is_between => return,
                    Ok(Ok(0) | Err(_)) | Err(_) => b"invalid",
                    Ok(Ok(_read)) => continue,
                }
            }
            Head::Open | Head::Invalid => b"invalid",
            Head::Ping => {
                buffer.clear();
                b"pong"
            }
            Head::Results(value, len) => {
                buffer.drain(..len.min(buffer.len()));
                match sensu::read_results(value, host) {
                    Ok(results) => match inbox.submit(results).await {
                        Ok(answer) if answer.refused.is_empty() => b"ok",
                        Ok(answer) => {
                            refusals.tell_each(&answer.refused);
                            b"invalid"
                        }
                        Err(why) => {
                            refusals.tell(&why);
                            b"invalid"
                        }
                    },
                    Err(error) => {
                        refusals.tell(&error);
                        b"invalid"
                    }
                }
            }
        };
        tries = 0;
        let is_over = said == b"invalid";
        let answered = timeout(ANSWER_TIME_MAX, stream.write_all(said)).await;
        if is_over || !matches!(answered, Ok(Ok(()))) {
            return;
        }
    }
}

/// Whether a result may have begun: what begins otherwise is judged at once.
fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_what_came_is_told_apart() {
        for (bytes, expected) in [
            ("", Head::Open),
            (" \n", Head::Open),
            ("pi", Head::Open),
            ("ping\n", Head::Ping),
            ("pong", Head::Invalid),
            ("{\"name\":\"a", Head::Open),
            ("{\"name\";", Head::Invalid),
            ("3", Head::Invalid),
        ] {
            assert_eq!(head(bytes.as_bytes()), expected, "{bytes}");
        }
        let Head::Results(value, len) = head(b"{\"name\":\"a\"}\n{\"na") else {
            panic!("a result");
        };
        assert_eq!((value["name"].as_str(), len), (Some("a"), 12));
    }
}
