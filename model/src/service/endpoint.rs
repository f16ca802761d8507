//! Where a service answers: a host and a port, and the scheme by which it is spoken to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::address::host_and_port;

/// How long an endpoint may be.
const ENDPOINT_LEN_BYTES_MAX: usize = 128;
/// How long its scheme may be.
const SCHEME_LEN_BYTES_MAX: usize = 24;

/// Why a text is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a host and a port, as in 192.0.2.7:8080 or https://web1.example.org:8443, of at most \
     {ENDPOINT_LEN_BYTES_MAX} bytes is expected; no path, and no address that means every interface"
)]
pub struct EndpointError;

/// Where a service answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    scheme: Option<String>,
    address: String,
}

impl Endpoint {
    /// How it is spoken to, in lower case: `https`; none: it is not said.
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_deref()
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether only the machine itself reaches it: the same address is another place elsewhere.
    pub(crate) fn is_local(&self) -> bool {
        let Some((host, _port)) = host_and_port(&self.address) else {
            return false;
        };
        let ip = host.parse::<std::net::IpAddr>();
        ip.map_or(host == "localhost", |ip| ip.is_loopback())
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text.len() > ENDPOINT_LEN_BYTES_MAX {
            return Err(EndpointError);
        }
        let (scheme, address) = match text.split_once("://") {
            Some((scheme, address)) => (Some(scheme), address),
            None => (None, text),
        };
        let is_scheme = |scheme: &str| {
            let odd = |c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c);
            scheme.len() <= SCHEME_LEN_BYTES_MAX
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && !scheme.contains(odd)
        };
        let (host, _port) = host_and_port(address).ok_or(EndpointError)?;
        let ip = host.parse::<std::net::IpAddr>();
        let is_everywhere = ip.is_ok_and(|ip| ip.is_unspecified());
        if is_everywhere || !scheme.is_none_or(is_scheme) {
            return Err(EndpointError);
        }
        Ok(Self {
            scheme: scheme.map(str::to_ascii_lowercase),
            address: address.to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scheme {
            Some(scheme) => write!(f, "{scheme}://{}", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_a_host_and_a_port() {
        for text in [
            "192.0.2.7:8080",
            "https://web1.example.org:8443",
            "[2001:db8::1]:53",
            "postgresql://db:5432",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        let https: Endpoint = "HTTPS://Web1:8443".parse().unwrap();
        assert_eq!(
            (https.scheme(), https.address()),
            (Some("https"), "web1:8443")
        );
        for text in [
            "",
            "web1",
            "web1:0",
            "0.0.0.0:80",
            "[::]:80",
            "http://web1:80/path",
            "http://user@web1:80",
            "1http://web1:80",
            "://web1:80",
            "a b://web1:80",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError), "{text}");
        }
        assert!("x".repeat(200).parse::<Endpoint>().is_err());
        let is_local = |text: &str| text.parse::<Endpoint>().unwrap().is_local();
        assert!(is_local("127.0.0.1:1") && is_local("[::1]:1") && is_local("localhost:1"));
        assert!(!is_local("192.0.2.7:1"));
    }

    #[test]
    fn an_endpoint_and_its_scheme_have_a_length() {
        let long = |count: usize| format!("{}b:80", "a.".repeat(count));
        assert!(long(62).len() <= ENDPOINT_LEN_BYTES_MAX);
        assert!(long(62).parse::<Endpoint>().is_ok());
        assert!(long(63).parse::<Endpoint>().is_err());
        let scheme = |count: usize| format!("{}://db:80", "s".repeat(count));
        assert!(scheme(SCHEME_LEN_BYTES_MAX).parse::<Endpoint>().is_ok());
        assert!(
            scheme(SCHEME_LEN_BYTES_MAX + 1)
                .parse::<Endpoint>()
                .is_err()
        );
    }
}
