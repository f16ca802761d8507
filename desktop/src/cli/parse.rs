//! Readers of small values on the command line.

use std::time::Duration;

use aramaki_sync_core::Timestamp;
use chrono::DateTime;

const SPAN_SECONDS_MAX: u64 = 100 * 366 * 86_400;

/// Reads `30s`, `15m`, `8h`, `3d`, `2w` or a sum of these such as `1h30m`.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time: 30s, 15m, 8h, 3d or 2w is expected");
    let mut seconds = 0_u64;
    let mut digits = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(wrong()),
        };
        let count: u64 = digits.parse().map_err(|_none| wrong())?;
        digits.clear();
        seconds = count
            .checked_mul(unit)
            .and_then(|more| seconds.checked_add(more))
            .ok_or_else(wrong)?;
    }
    if !digits.is_empty() || text.is_empty() || seconds == 0 {
        return Err(wrong());
    }
    if seconds > SPAN_SECONDS_MAX {
        return Err("longer than a hundred years".to_owned());
    }
    Ok(Duration::from_secs(seconds))
}

/// A moment that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// By the calendar.
    At(Timestamp),
    /// So long from now.
    In(Duration),
}

impl Moment {
    /// When that is.
    pub(crate) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::In(span) => now.plus(span),
        }
    }

    /// The same where a span means how long ago it was.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::In(span) => now.minus(span),
        }
    }
}

/// Reads a time with its zone, as `2026-12-24T18:00Z`, or a span from now on.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    if let Ok(span) = parse_span(text) {
        return Ok(Moment::In(span));
    }
    let exact = DateTime::parse_from_rfc3339(text);
    let minutes = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%#z");
    match exact.or_else(|_cause| minutes()) {
        Ok(at) => Ok(Moment::At(Timestamp::from_millis(at.timestamp_millis()))),
        Err(_cause) => Err(format!(
            "`{text}` is no time: 2026-12-24T18:00Z, 2026-12-24T19:00+01:00 or a span such as 3h is expected"
        )),
    }
}

/// Reads `key=value`, both not empty.
pub(crate) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{text}` has no `=` with something on both sides")),
    }
}

/// Reads a text of one line that is not empty.
pub(crate) fn parse_line(text: &str) -> Result<String, String> {
    const LINE_LEN_CHARS_MAX: usize = 200;
    let text = text.trim();
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else if text.chars().any(aramaki_model::is_deceptive) {
        Err("must be one line without control or invisible characters".to_owned())
    } else if text.chars().count() > LINE_LEN_CHARS_MAX {
        Err(format!("longer than {LINE_LEN_CHARS_MAX} characters"))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        let seconds = |text| parse_span(text).map(|span| span.as_secs());
        assert_eq!(seconds("30s"), Ok(30));
        assert_eq!(seconds("1h30m"), Ok(5_400));
        assert_eq!(seconds("2w"), Ok(1_209_600));
        for wrong in [
            "",
            "8",
            "h",
            "-8h",
            "8y",
            "0s",
            "99999999999999999999d",
            "9999999w",
        ] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pairs_and_lines_refuse_what_is_empty() {
        assert_eq!(
            parse_pair("a = b=c"),
            Ok(("a".to_owned(), "b=c".to_owned()))
        );
        assert!(parse_pair("a=").is_err());
        assert!(parse_pair("ab").is_err());
        assert!(parse_line(" \t").is_err());
        assert!(parse_line("a\nb").is_err());
        assert!(parse_line("a\u{202e}b").is_err());
    }

    #[test]
    fn a_moment_is_a_time_with_its_zone_or_a_span_from_now() {
        let now = Timestamp::from_millis(1_000);
        let at = |text: &str| parse_moment(text).map(|it| it.at(now).to_string());
        for text in [
            "2026-12-24T18:00Z",
            "2026-12-24T18:00:00Z",
            "2026-12-24T19:00+01:00",
        ] {
            assert_eq!(at(text).unwrap(), "2026-12-24T18:00:00.000Z", "{text}");
        }
        assert_eq!(at("2s").unwrap(), Timestamp::from_millis(3_000).to_string());
        for text in ["", "tomorrow", "2026-12-24", "2026-12-24T18:00"] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
