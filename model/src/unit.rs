//! Units of performance data, normalised to a base unit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a metric's number counts, after normalisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A plain number.
    #[default]
    None,
    /// Seconds.
    Seconds,
    /// Percent.
    Percent,
    /// Bytes.
    Bytes,
    /// Bits.
    Bits,
    /// A number that only grows.
    Counter,
    /// Ampere.
    Amperes,
    /// Volt.
    Volts,
    /// Watt.
    Watts,
    /// Watt hour.
    WattHours,
    /// Ampere hour.
    AmpereHours,
    /// Ohm.
    Ohms,
    /// Lumen.
    Lumens,
    /// Decibel milliwatt.
    DecibelMilliwatts,
    /// Degree Celsius.
    Celsius,
    /// Degree Fahrenheit.
    Fahrenheit,
    /// Kelvin.
    Kelvin,
    /// Gram.
    Grams,
    /// Litre.
    Litres,
    /// Packets.
    Packets,
    /// A unit this version does not know; its numbers are as the plugin wrote them.
    Other(String),
}

/// Units that are written as they are, or with a metric prefix.
const METRIC: [(&str, Unit); 8] = [
    ("Wh", Unit::WattHours),
    ("Ah", Unit::AmpereHours),
    ("A", Unit::Amperes),
    ("V", Unit::Volts),
    ("W", Unit::Watts),
    ("O", Unit::Ohms),
    ("g", Unit::Grams),
    ("l", Unit::Litres),
];

/// Units that are written in one way, with their factor to the base unit.
const FIXED: [(&str, Unit, f64); 17] = [
    ("", Unit::None, 1.0),
    ("%", Unit::Percent, 1.0),
    ("c", Unit::Counter, 1.0),
    ("s", Unit::Seconds, 1.0),
    ("ms", Unit::Seconds, 1e-3),
    ("us", Unit::Seconds, 1e-6),
    ("ns", Unit::Seconds, 1e-9),
    ("m", Unit::Seconds, 60.0),
    ("min", Unit::Seconds, 60.0),
    ("h", Unit::Seconds, 3_600.0),
    ("d", Unit::Seconds, 86_400.0),
    ("lm", Unit::Lumens, 1.0),
    ("dBm", Unit::DecibelMilliwatts, 1.0),
    ("C", Unit::Celsius, 1.0),
    ("F", Unit::Fahrenheit, 1.0),
    ("K", Unit::Kelvin, 1.0),
    ("packets", Unit::Packets, 1.0),
];

/// The factor of a prefix of bytes or bits; `binary` when an `i` follows it.
fn power(prefix: char, binary: bool) -> Option<f64> {
    let exponent = match prefix.to_ascii_uppercase() {
        'K' => 1,
        'M' => 2,
        'G' => 3,
        'T' => 4,
        'P' => 5,
        'E' => 6,
        _ => return None,
    };
    Some(if binary { 1_024_f64 } else { 1_000_f64 }.powi(exponent))
}

impl Unit {
    /// Reads a unit of performance data; returns it and the factor that its numbers take.
    pub fn parse(text: &str) -> (Self, f64) {
        if let Some((_, unit, factor)) = FIXED.iter().find(|(name, ..)| *name == text) {
            return (unit.clone(), *factor);
        }
        for (suffix, unit) in METRIC {
            let factor = match text.strip_suffix(suffix) {
                Some("") => 1.0,
                Some("n") => 1e-9,
                Some("u") => 1e-6,
                Some("m") => 1e-3,
                Some("k") => 1e3,
                Some("M") => 1e6,
                Some("G") => 1e9,
                _ => continue,
            };
            return (unit, factor);
        }
        for (suffix, unit) in [('B', Self::Bytes), ('b', Self::Bits)] {
            let Some(prefix) = text.strip_suffix(suffix) else {
                continue;
            };
            let mut chars = prefix.chars();
            let factor = match (chars.next(), chars.next(), chars.next()) {
                (None, ..) => Some(1.0),
                (Some(prefix), None, _) => power(prefix, false),
                (Some(prefix), Some('i'), None) => power(prefix, true),
                _ => None,
            };
            if let Some(factor) = factor {
                return (unit, factor);
            }
        }
        (Self::Other(text.to_owned()), 1.0)
    }

    /// The base unit as performance data writes it.
    pub fn symbol(&self) -> &str {
        match self {
            Self::Bytes => "B",
            Self::Bits => "b",
            Self::Other(text) => text,
            known => METRIC
                .iter()
                .map(|(name, unit)| (*name, unit))
                .chain(FIXED.iter().map(|(name, unit, _)| (*name, unit)))
                .find(|(_, unit)| *unit == known)
                .map_or("", |(name, _)| name),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_down_to_their_base() {
        let table = [
            ("", Unit::None, 1.0),
            ("ms", Unit::Seconds, 0.001),
            ("m", Unit::Seconds, 60.0),
            ("KB", Unit::Bytes, 1_000.0),
            ("kB", Unit::Bytes, 1_000.0),
            ("MiB", Unit::Bytes, 1_048_576.0),
            ("TB", Unit::Bytes, 1e12),
            ("kb", Unit::Bits, 1_000.0),
            ("Mb", Unit::Bits, 1e6),
            ("mA", Unit::Amperes, 0.001),
            ("kWh", Unit::WattHours, 1_000.0),
            ("dBm", Unit::DecibelMilliwatts, 1.0),
            ("lm", Unit::Lumens, 1.0),
            ("kg", Unit::Grams, 1_000.0),
            ("req/s", Unit::Other("req/s".to_owned()), 1.0),
            ("XiB", Unit::Other("XiB".to_owned()), 1.0),
        ];
        for (text, unit, factor) in table {
            let (read, by) = Unit::parse(text);
            assert_eq!(read, unit, "{text}");
            assert!((by - factor).abs() < factor * 1e-12, "{text}: {by}");
        }
    }

    #[test]
    fn symbols_read_back() {
        for text in [
            "", "s", "%", "c", "B", "b", "A", "Wh", "O", "C", "packets", "dBm",
        ] {
            assert_eq!(Unit::parse(text).0.symbol(), text);
        }
    }
}
