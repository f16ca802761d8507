//! `aramaki service serve`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aramaki_model::service::Targets;
use aramaki_sync::loopback::{Limits, Page, page, serve_http, text};
use clap::Args;
use hyper::header::{ALLOW, CACHE_CONTROL, HOST, ORIGIN};
use hyper::http::HeaderValue;
use hyper::{Method, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::export::log_change;
use super::source::{Source, Told};
use crate::cli::report::printable;
use crate::cli::{CliError, Config, Report, interrupted};

/// From one look to the next.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// What was looked at so long ago is not served any more: leases may have ended meanwhile.
const LOOK_AGE_MAX: Duration = Duration::from_secs(10);
const STALE: &str = "x-aramaki-stale";
const CONFLICTS: &str = "x-aramaki-conflicts";

/// Serve the services that are believed now to Prometheus on this machine (`http_sd_configs`).
///
/// GET /targets answers the list; services whose lease is over are left out and counted in the header
/// x-aramaki-stale. Until every known agent was heard of, or its lease ran out since the start, the answer is 503:
/// Prometheus keeps what it had then. It works until it is ended, beside the running app or without it.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Only those of this System.
    system: Option<String>,
    /// The address; only one of this machine itself is taken.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7490", value_parser = parse_loopback)]
    listen: SocketAddr,
}

fn parse_loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_none| "an address such as 127.0.0.1:7490 is expected".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only loopback is listened on, as 127.0.0.1:7490: whoever reaches it learns what runs where".to_owned())
    }
}

/// What was seen last, and when.
type Seen = Arc<RwLock<Option<(Instant, Targets)>>>;

impl Serve {
    pub(super) async fn stay(&self, config: &Config) -> Result<Report, CliError> {
        let refused = |source| CliError::Listen {
            address: self.listen,
            source,
        };
        let listener = TcpListener::bind(self.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let seen = Seen::default();
        let stop = CancellationToken::new();
        let shown = Arc::clone(&seen);
        let answer = move |request: Request<_>| {
            let page = answer(&request, &shown);
            async move { page }
        };
        let serving = tokio::spawn(serve_http(listener, Limits::PAGES, stop.clone(), answer));
        self.say_address(address);
        let mut source = Source::new(config, self.system.clone(), None);
        let looked = tokio::select! {
            looked = look(&mut source, &seen) => looked,
            () = interrupted() => Ok(()),
        };
        stop.cancel();
        if serving.await.is_err() {
            tracing::debug!("the listener had ended");
        }
        source.close().await;
        looked.map(|()| Report::default())
    }

    /// Says once where somebody finds what, on standard error: whoever starts it by hand sees nothing else of it.
    fn say_address(&self, address: SocketAddr) {
        let of = self.system.as_deref().unwrap_or("all Systems");
        let line =
            format!("serving the services of {of} for Prometheus at http://{address}/targets");
        // Where nobody reads it works all the same.
        drop(writeln!(std::io::stderr().lock(), "{}", printable(&line)));
    }
}

/// Looks again and again.
async fn look(source: &mut Source, seen: &Seen) -> Result<(), CliError> {
    let mut before: Option<Targets> = None;
    loop {
        let targets = source.targets().await?;
        if source.judge(&targets) == Told::Later {
            source.pause(LOOK_PAUSE).await;
            continue;
        }
        if before.as_ref() != Some(&targets) {
            log_change(&targets);
            before = Some(targets.clone());
        }
        *seen.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), targets));
        source.pause(LOOK_PAUSE).await;
    }
}

fn answer<B>(request: &Request<B>, seen: &Seen) -> Page {
    // A page in a browser on this machine can ask here too: by its origin, or by a name that it made lead here.
    let is_here = request.headers().get(HOST).is_none_or(is_this_machine);
    if request.headers().contains_key(ORIGIN) || !is_here {
        return text(StatusCode::FORBIDDEN, "not for pages in a browser\n");
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(ALLOW, allowed);
        return refused;
    }
    let seen = seen.read().unwrap_or_else(PoisonError::into_inner);
    let known = seen.as_ref().filter(|(at, _)| at.elapsed() <= LOOK_AGE_MAX);
    match (request.uri().path(), known) {
        ("/targets" | "/healthz", None) => {
            let why = "what runs is not known now: agents are listened for\n";
            text(StatusCode::SERVICE_UNAVAILABLE, why)
        }
        ("/healthz", Some(_)) => text(StatusCode::OK, "ok\n"),
        ("/targets", Some((_, targets))) => {
            let mut list = page(StatusCode::OK, "application/json", targets.json());
            let headers = list.headers_mut();
            headers.insert(STALE, HeaderValue::from(targets.stale));
            headers.insert(CONFLICTS, HeaderValue::from(targets.conflicts));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            list
        }
        _ => text(StatusCode::NOT_FOUND, "/targets or /healthz\n"),
    }
}

fn is_this_machine(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let ip = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    name == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, path: &str, headers: &[(&str, &str)], seen: &Seen) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(&request.body(()).unwrap(), seen)
    }

    #[test]
    fn only_what_was_seen_lately_is_served_and_only_to_this_machine() {
        let seen = Seen::default();
        let status = |path: &str| asked(Method::GET, path, &[], &seen).status().as_u16();
        assert_eq!((status("/targets"), status("/healthz")), (503, 503));
        let targets = Targets {
            stale: 2,
            ..Targets::default()
        };
        *seen.write().unwrap() = Some((Instant::now(), targets.clone()));
        let list = asked(
            Method::GET,
            "/targets",
            &[("host", "127.0.0.1:7490")],
            &seen,
        );
        assert_eq!(list.status(), 200);
        assert_eq!(list.headers()["content-type"], "application/json");
        assert_eq!(list.headers()[STALE], "2");
        assert_eq!((status("/healthz"), status("/")), (200, 404));
        let post = asked(Method::POST, "/targets", &[], &seen);
        assert_eq!(post.status(), 405);
        for header in [("origin", "https://x"), ("host", "evil.example:7490")] {
            let refused = asked(Method::GET, "/targets", &[header], &seen);
            assert_eq!(refused.status(), 403, "{header:?}");
        }
        for host in ["localhost:7490", "[::1]:7490", "localhost"] {
            let list = asked(Method::GET, "/targets", &[("host", host)], &seen);
            assert_eq!(list.status(), 200, "{host}");
        }
        let old = Instant::now().checked_sub(LOOK_AGE_MAX + Duration::from_secs(1));
        *seen.write().unwrap() = Some((old.unwrap(), targets));
        assert_eq!(status("/targets"), 503);
    }

    #[test]
    fn only_loopback_is_listened_on() {
        assert!(parse_loopback("127.0.0.1:0").is_ok() && parse_loopback("[::1]:1").is_ok());
        for text in ["0.0.0.0:1", "192.0.2.7:1", "localhost:1", "x"] {
            assert!(parse_loopback(text).is_err(), "{text}");
        }
    }
}
