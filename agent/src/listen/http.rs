//! The HTTP interfaces of Sensu's agent and of Alertmanager: as much of them as scripts send to.

use std::time::Duration;

use aramaki_sync::loopback::{self, Limits, Page, text};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, ORIGIN};
use hyper::http::HeaderValue;
use hyper::{Method, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::result::MESSAGE_LEN_BYTES_MAX;
use super::{Answer, Inbox, alertmanager, sensu};
use crate::service::now;

/// A request's body is there within this time.
const BODY_TIME_MAX: Duration = Duration::from_secs(5);
/// Reasons that one answer names.
const REASONS_MAX: usize = 10;
/// The kind of Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whose interface it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// That of Sensu's agent.
    SensuEvents,
    /// That of Alertmanager.
    Alertmanager,
}

impl Api {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::SensuEvents => "Sensu's events",
            Self::Alertmanager => "Alertmanager's alerts",
        }
    }
}

/// Serves until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    api: Api,
    host: String,
    inbox: Inbox,
    stop: CancellationToken,
) {
    let answer = move |request| {
        let (host, inbox) = (host.clone(), inbox.clone());
        async move { answer(request, api, &host, &inbox).await }
    };
    loopback::serve_http(listener, Limits::MESSAGES, stop, answer).await;
}

/// Serves `/metrics` and `/healthz` until `stop`.
pub(super) async fn serve_metrics(listener: TcpListener, inbox: Inbox, stop: CancellationToken) {
    let answer = move |request: Request<Incoming>| {
        let inbox = inbox.clone();
        async move { metrics(request.method(), request.uri().path(), &inbox).await }
    };
    loopback::serve_http(listener, Limits::PAGES, stop, answer).await;
}

async fn answer(request: Request<Incoming>, api: Api, host: &str, inbox: &Inbox) -> Page {
    // A page in a browser on this machine can send here too, and says so.
    if request.headers().contains_key(ORIGIN) {
        return text(StatusCode::FORBIDDEN, "not for pages in a browser\n");
    }
    let path = request.uri().path().trim_end_matches('/');
    match (api, path) {
        (Api::SensuEvents, "/healthz") | (Api::Alertmanager, "/-/healthy" | "/-/ready") => {
            return text(StatusCode::OK, "ok");
        }
        (Api::SensuEvents, "/events") | (Api::Alertmanager, "/api/v2/alerts") => {}
        (Api::SensuEvents, _) => return text(StatusCode::NOT_FOUND, "POST /events\n"),
        (Api::Alertmanager, _) => return text(StatusCode::NOT_FOUND, "POST /api/v2/alerts\n"),
    }
    if request.method() != Method::POST {
        return only("POST");
    }
    let body = Limited::new(request.into_body(), MESSAGE_LEN_BYTES_MAX);
    let body = match timeout(BODY_TIME_MAX, body.collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => return wrong(api, &error.to_string()),
        Err(_elapsed) => return text(StatusCode::REQUEST_TIMEOUT, "the body did not come\n"),
    };
    let results = match api {
        Api::SensuEvents => sensu::read_event(&body, host).map(|result| vec![result]),
        Api::Alertmanager => alertmanager::read_alerts(&body, now()),
    };
    let results = match results {
        Ok(results) => results,
        Err(error) => return wrong(api, &error.to_string()),
    };
    match inbox.submit(results).await {
        Ok(Answer { refused }) if refused.is_empty() => match api {
            Api::SensuEvents => text(StatusCode::CREATED, ""),
            Api::Alertmanager => text(StatusCode::OK, ""),
        },
        Ok(Answer { mut refused }) => {
            let more = refused.len().saturating_sub(REASONS_MAX);
            refused.truncate(REASONS_MAX);
            if more > 0 {
                refused.push(format!("and {more} more"));
            }
            wrong(api, &refused.join("; "))
        }
        Err(why) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{why}, try again\n"),
        ),
    }
}

/// How the agent is. Who has no answer in time knows that it does not work.
async fn metrics(method: &Method, path: &str, inbox: &Inbox) -> Page {
    if method != Method::GET && method != Method::HEAD {
        return only("GET, HEAD");
    }
    if !matches!(path, "/metrics" | "/healthz") {
        return text(StatusCode::NOT_FOUND, "/healthz or /metrics\n");
    }
    match inbox.figures().await {
        Ok(_figures) if path == "/healthz" => text(StatusCode::OK, "ok\n"),
        Ok(figures) => loopback::page(StatusCode::OK, METRICS, figures),
        Err(_busy) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the agent does not answer\n",
        ),
    }
}

fn only(methods: &'static str) -> Page {
    let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, format!("only {methods}\n"));
    let allowed = HeaderValue::from_static(methods);
    refused.headers_mut().insert(ALLOW, allowed);
    refused
}

/// Alertmanager's clients read an error as JSON.
fn wrong(api: Api, reason: &str) -> Page {
    match api {
        Api::SensuEvents => text(StatusCode::BAD_REQUEST, format!("{reason}\n")),
        Api::Alertmanager => {
            let json = serde_json::Value::from(reason).to_string();
            loopback::page(StatusCode::BAD_REQUEST, "application/json", json)
        }
    }
}
