//! Spans of time as other programs write them.

/// Milliseconds of `90`, `"90"` (seconds), `10s`, `1m30s`, `500ms`, `1.5h`, `2d`, `1w`.
pub(super) fn span_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return millis(seconds, 1_000.0);
    }
    let (mut rest, mut sum) = (text, 0_u64);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let end = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let unit_ms = match unit {
            "ns" => 1e-6,
            "us" | "µs" => 1e-3,
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            "w" => 604_800_000.0,
            "y" => 31_536_000_000.0,
            _ => return None,
        };
        sum = sum.checked_add(millis(number.parse().ok()?, unit_ms)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

/// Whole milliseconds of a number of units.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is in range"
)]
pub(super) fn millis(number: f64, unit_ms: f64) -> Option<u64> {
    /// A thousand years: no check waits longer.
    const MILLIS_MAX: f64 = 3.2e13;
    let millis = (number * unit_ms).round();
    (0.0..=MILLIS_MAX)
        .contains(&millis)
        .then_some(millis as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_the_programs_write_them() {
        for (text, millis) in [
            ("60", Some(60_000)),
            ("0.5", Some(500)),
            ("10s", Some(10_000)),
            ("1m30s", Some(90_000)),
            ("500ms", Some(500)),
            ("1.5h", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("", None),
            ("s", None),
            ("10", Some(10_000)),
            ("10x", None),
            ("-5", None),
            ("nan", None),
            ("1e300", None),
            ("1..5s", None),
            ("5s10", None),
        ] {
            assert_eq!(span_ms(text), millis, "{text}");
        }
    }
}
