//! Addresses as people write them: of web pages, and of a host with a port. Nothing is resolved.

use std::net::Ipv6Addr;

/// How long a web address may be.
pub const WEB_ADDRESS_LEN_BYTES_MAX: usize = 2_048;

const WEB_ADDRESS_EXPECTED: &str =
    "http:// or https:// with a host, as in https://www.example.org/, is expected";

/// Accepts `http://HOST…` and `https://HOST…`, and nothing that a program might take for a script, a
/// local file or a password.
///
/// # Errors
/// What is expected instead, in words.
pub fn check_web_address(text: &str) -> Result<(), String> {
    if text.len() > WEB_ADDRESS_LEN_BYTES_MAX {
        return Err(format!(
            "at most {WEB_ADDRESS_LEN_BYTES_MAX} bytes are expected"
        ));
    }
    let expected = || Err(WEB_ADDRESS_EXPECTED.to_owned());
    let odd = |character: char| character.is_whitespace() || character.is_control();
    let Some((scheme, rest)) = text.split_once("://") else {
        return expected();
    };
    let is_web = ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    if !is_web || text.contains(odd) {
        return expected();
    }
    // Browsers take a backslash for a slash: whatever stands behind it is no part of the host.
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or(rest);
    if authority.contains('@') {
        return Err("an address without a user and a password is expected".to_owned());
    }
    let is_bare = is_host(authority) || bracketed(authority).is_some();
    if is_bare || host_and_port(authority).is_some() {
        Ok(())
    } else {
        expected()
    }
}

/// Splits `HOST:PORT`; an IPv6 address stands in brackets, and port 0 is none.
pub fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let inside = bracketed(host);
    let host = inside.or_else(|| is_host(host).then_some(host))?;
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let port: u16 = port.parse().ok().filter(|port| is_number && *port > 0)?;
    Some((host, port))
}

/// Whether it can be the name of a host or an IPv4 address.
pub fn is_host(text: &str) -> bool {
    const HOST_LEN_BYTES_MAX: usize = 253;
    let is_allowed = |character: char| character.is_alphanumeric() || "-._".contains(character);
    (1..=HOST_LEN_BYTES_MAX).contains(&text.len())
        && text.chars().all(is_allowed)
        && text.contains(char::is_alphanumeric)
        && !text.starts_with('.')
        && !text.contains("..")
}

/// The IPv6 address between brackets.
fn bracketed(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    inside.parse::<Ipv6Addr>().ok().map(|_address| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_have_a_scheme_and_a_host() {
        for right in [
            "http://a",
            "HTTPS://www.example.org:8443/d/x?y=1#z",
            "https://[::1]:3000/",
            "https://[2001:db8::1]/x",
            "https://wiki.example.org/Übersicht",
            "http://127.0.0.1?x",
        ] {
            assert_eq!(check_web_address(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "nourl",
            "javascript:alert(1)",
            "javascript://a/%0aalert(1)",
            "file:///etc/passwd",
            "ftp://example.org",
            "https://",
            "https:///x",
            "https:example.org",
            "https://:80/",
            "https://a:0/",
            "https://a:99999/",
            "https://a:+80/",
            "https://a:80:80/",
            "https://[::1/",
            "https://..",
            "https://a b/",
            "https://a/\n",
            "https://user:word@example.org/",
            "https://\\evil.example.org",
            " https://a",
        ] {
            assert!(check_web_address(wrong).is_err(), "{wrong:?}");
        }
        let long = format!("https://a/{}", "x".repeat(WEB_ADDRESS_LEN_BYTES_MAX));
        assert!(check_web_address(&long).is_err());
    }

    #[test]
    fn a_host_and_a_port_are_told_apart() {
        assert_eq!(host_and_port("[::1]:25"), Some(("::1", 25)));
        assert_eq!(host_and_port("example.org:443"), Some(("example.org", 443)));
        for wrong in [
            "",
            "example.org",
            ":25",
            "a:b",
            "::1:25",
            "a:65536",
            "a:0",
            "a:+1",
            "a b:1",
            "[x]:1",
            "a\0:1",
        ] {
            assert_eq!(host_and_port(wrong), None, "{wrong:?}");
        }
    }
}
