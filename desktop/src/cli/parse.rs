//! Readers of small values on the command line.

use std::time::Duration;

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
}
