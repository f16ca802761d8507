//! Telling programs by HTTP, in the words of Alertmanager's webhook.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, StatusCode, Url, redirect};

use super::channel::SendError;
use super::letter::Letter;

const USER_AGENT: &str = concat!("aramaki/", env!("CARGO_PKG_VERSION"));
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause that a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);

/// An address and how to prove who calls. Both may be secrets.
pub(super) struct Webhook {
    client: Client,
    url: Url,
    token: Option<HeaderValue>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("url", &"<secret>")
            .finish_non_exhaustive()
    }
}

impl Webhook {
    /// Takes settings.
    ///
    /// # Errors
    /// What is wrong with them, without the address.
    pub(super) fn new(
        url: &str,
        token: Option<&str>,
        ca: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("no http or https address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("an http or https address is expected".to_owned());
        }
        let token = match token {
            Some(token) => {
                let value = HeaderValue::from_str(&format!("Bearer {token}"));
                let mut value = value.map_err(|_odd| "the token is no header's text".to_owned())?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        // A second call keeps the first; all of this program's TLS is of this provider.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .connect_timeout(timeout)
            // Whoever redirects may be somebody else: the token is not for them.
            .redirect(redirect::Policy::none());
        if let Some(pem) = ca {
            let roots = Certificate::from_pem_bundle(pem);
            let roots = roots.map_err(|_odd| "ca_file is no bundle in PEM".to_owned())?;
            client = client.tls_certs_merge(roots);
        }
        let client = client.build().map_err(clean)?;
        Ok(Self { client, url, token })
    }

    /// Posts it once.
    pub(super) async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", &letter.id)
            .body(letter.json.to_string());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        match request.send().await {
            Ok(answer) => judge(&answer),
            Err(error) if error.is_connect() => Err(SendError::failed(clean(error), PAUSE)),
            Err(error) if error.is_builder() => Err(SendError::refused(clean(error))),
            // What was sent may have been taken before the connection broke.
            Err(error) => Err(SendError::unsure(clean(error))),
        }
    }
}

fn judge(answer: &Response) -> Result<(), SendError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let why = format!("the server answered {status}");
    let later = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    if !later {
        return Err(SendError::refused(why));
    }
    let asked = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let asked = asked
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_secs);
    let pause = asked.unwrap_or(PAUSE).clamp(PAUSE, RETRY_AFTER_MAX);
    Err(SendError::failed(why, pause))
}

/// An error without the address, which may hold a secret.
fn clean(error: reqwest::Error) -> String {
    crate::workspace::with_causes(&error.without_url())
}
