//! Performance data of Nagios plugins: `'label'=value[UOM];[warn];[crit];[min];[max]`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::range::Range;
use crate::text::clean_line;
use crate::unit::Unit;

/// How many metrics of one output are kept.
pub const METRICS_MAX: usize = 256;
/// How long a label may be.
pub const LABEL_LEN_BYTES_MAX: usize = 128;

/// One measured value with its thresholds, all in the base unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What was measured.
    pub label: String,
    /// The value; none when the plugin wrote `U`: it could not be determined.
    pub value: Option<f64>,
    /// The base unit of all numbers here.
    pub unit: Unit,
    /// When the plugin warns.
    pub warning: Option<Range>,
    /// When the plugin is critical.
    pub critical: Option<Range>,
    /// The least value possible.
    pub min: Option<f64>,
    /// The greatest value possible.
    pub max: Option<f64>,
}

impl Metric {
    /// A value without thresholds.
    pub fn new(label: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            label: label.into(),
            value: Some(value),
            unit,
            warning: None,
            critical: None,
            min: None,
            max: None,
        }
    }
}

impl fmt::Display for Metric {
    /// Writes performance data that [`parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| !c.is_whitespace() && c != '=' && c != '\'' && c != '|';
        if !self.label.is_empty() && self.label.chars().all(plain) {
            write!(f, "{}=", self.label)?;
        } else {
            write!(f, "'{}'=", self.label.replace('\'', "''"))?;
        }
        match self.value {
            Some(value) => write!(f, "{value}{}", self.unit)?,
            None => f.write_str("U")?,
        }
        let text = |number: Option<f64>| number.map_or_else(String::new, |n| n.to_string());
        let range = |range: Option<Range>| range.map_or_else(String::new, |r| r.to_string());
        let fields = [
            range(self.warning),
            range(self.critical),
            text(self.min),
            text(self.max),
        ];
        let last = fields.iter().rposition(|field| !field.is_empty());
        for field in fields.iter().take(last.map_or(0, |last| last + 1)) {
            write!(f, ";{field}")?;
        }
        Ok(())
    }
}

/// What was read, and what was left out and why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Perfdata {
    /// The metrics, in the order of the output.
    pub metrics: Vec<Metric>,
    /// One line for each thing ignored; bounded like the metrics.
    pub findings: Vec<String>,
}

/// Reads performance data. Never fails as a whole: what cannot be read is skipped up to the next
/// space and named in the findings, so a hostile plugin costs at most its own metrics.
pub fn parse(text: &str) -> Perfdata {
    let mut read = Perfdata::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if read.metrics.len() >= METRICS_MAX || read.findings.len() >= METRICS_MAX {
            read.findings
                .push(format!("more than {METRICS_MAX} metrics"));
            break;
        }
        let (label, after) = match label(rest) {
            Ok(split) => split,
            Err(reason) => {
                let (bad, after) = word(rest);
                read.findings.push(finding(reason, bad));
                rest = after.trim_start();
                continue;
            }
        };
        let (fields, after) = word(after);
        match metric(&label, fields) {
            Ok((metric, ignored)) => {
                read.metrics.push(metric);
                read.findings.extend(ignored);
            }
            Err(reason) => read.findings.push(finding(reason, fields)),
        }
        rest = after.trim_start();
    }
    read
}

fn finding(reason: &str, place: &str) -> String {
    format!("{reason}: {:?}", clean_line(place, 64))
}

/// Splits at the first space.
fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// Reads a label and its equals sign.
fn label(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let end = text
            .find(|c: char| c == '=' || c.is_whitespace())
            .ok_or("no value")?;
        let (label, rest) = text.split_at(end);
        let rest = rest.strip_prefix('=').ok_or("no value")?;
        return match label {
            "" => Err("no label"),
            label => Ok((label.to_owned(), rest)),
        };
    };
    let mut label = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            label.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
            chars.next();
            label.push('\'');
        } else {
            let rest = &quoted[at + 1..];
            return rest
                .strip_prefix('=')
                .map(|rest| (label, rest))
                .ok_or("no value");
        }
    }
    Err("an open quote")
}

/// The length of the number that the text begins with.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let run = bytes.iter().skip(from).take_while(|b| b.is_ascii_digit());
        from + run.count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut end = digits(sign);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    // An exponent needs its digits: `1E` alone is not one, and `1EB` is an exabyte.
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    end
}

fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn metric(label: &str, fields: &str) -> Result<(Metric, Vec<String>), &'static str> {
    let mut fields = fields.split(';');
    let value = fields.next().unwrap_or_default();
    let (value, unit, factor) = if value == "U" {
        (None, Unit::None, 1.0)
    } else {
        let (number, unit) = value.split_at(number_len(value));
        let number = finite(number).ok_or("not a number")?;
        let (unit, factor) = Unit::parse(&clean_line(unit, 16));
        let number = Some(number * factor).filter(|number| number.is_finite());
        (Some(number.ok_or("too large")?), unit, factor)
    };
    let mut ignored = Vec::new();
    let mut range = |field: Option<&str>| {
        let text = field.filter(|text| !text.is_empty())?;
        match text.parse::<Range>() {
            Ok(range) => Some(range.scaled(factor)),
            Err(error) => {
                ignored.push(finding(&error.to_string(), text));
                None
            }
        }
    };
    let (warning, critical) = (range(fields.next()), range(fields.next()));
    let mut bound = |field: Option<&str>| {
        let text = field.filter(|text| !text.is_empty())?;
        let number = finite(text);
        if number.is_none() {
            ignored.push(finding("not a bound", text));
        }
        number.map(|number| number * factor)
    };
    let (min, max) = (bound(fields.next()), bound(fields.next()));
    if fields.any(|field| !field.is_empty()) {
        ignored.push(finding("more than five fields", label));
    }
    let label = clean_line(label, LABEL_LEN_BYTES_MAX);
    let metric = Metric {
        label,
        value,
        unit,
        warning,
        critical,
        min,
        max,
    };
    Ok((metric, ignored))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Metric {
        let read = parse(text);
        assert_eq!(read.findings, Vec::<String>::new(), "{text}");
        assert_eq!(read.metrics.len(), 1, "{text}");
        read.metrics.into_iter().next().unwrap()
    }

    #[test]
    fn real_plugins_lines_are_read() {
        let load = parse(
            "load1=16.340;5.000;10.000;0; load5=16.030;4.000;8.000;0; load15=12.550;3.000;6.000;0; ",
        );
        assert!(load.findings.is_empty());
        let values: Vec<_> = load.metrics.iter().filter_map(|m| m.value).collect();
        assert_eq!(values, [16.34, 16.03, 12.55]);
        assert_eq!(load.metrics[2].critical, Some(Range::up_to(6.0)));
        assert_eq!(
            (load.metrics[2].min, load.metrics[2].max),
            (Some(0.0), None)
        );

        let disk = only("/=24981274624B;243497277849;257024904396;0;270552530944");
        assert_eq!((disk.label.as_str(), &disk.unit), ("/", &Unit::Bytes));
        assert_eq!(disk.max, Some(270_552_530_944.0));

        let age = parse(" age=2236s;10;20 size=3B;0;0;0");
        assert_eq!(age.metrics.len(), 2);
        assert_eq!(age.metrics[0].unit, Unit::Seconds);
    }

    #[test]
    fn quotes_spaces_exponents_and_unknown_values_are_read() {
        assert_eq!(only("'used space'=1.5e3KB").value, Some(1_500_000.0));
        assert_eq!(only("'it''s = here'=1").label, "it's = here");
        assert_eq!(only("x=1EB").value, Some(1e18));
        assert_eq!(only("x=U;1;2").value, None);
        assert_eq!(only("x=-2.5C;@-1:1").value, Some(-2.5));
        let time = only("time=250ms;500;1000;0;10000");
        assert_eq!(time.value, Some(0.25));
        assert_eq!(time.warning, Some(Range::up_to(0.5)));
        assert_eq!(time.max, Some(10.0));
    }

    #[test]
    fn what_cannot_be_read_costs_only_itself() {
        let read = parse("ok=1 broken =2 'open=3");
        assert_eq!(read.metrics.len(), 1);
        assert_eq!(read.findings.len(), 3);
        let read = parse("a=1,5 b=x c=2;x;3;y;9 d=4");
        let labels: Vec<_> = read.metrics.iter().map(|m| m.label.as_str()).collect();
        assert_eq!(labels, ["a", "c", "d"]);
        assert_eq!(read.metrics[1].critical, Some(Range::up_to(3.0)));
        assert_eq!(read.metrics[1].max, Some(9.0));
        assert_eq!(read.findings.len(), 3);
        assert_eq!(read.metrics[0].unit, Unit::Other(",5".to_owned()));
    }

    #[test]
    fn the_number_of_metrics_is_bounded() {
        let read = parse(&"a=1 ".repeat(10_000));
        assert_eq!(read.metrics.len(), METRICS_MAX);
        assert_eq!(read.findings.len(), 1);
        assert!(parse(&"x ".repeat(10_000)).findings.len() <= METRICS_MAX + 1);
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "a=1s;2:;@3:4;0;9",
            "'b c'=U;;5",
            "c=3",
            "'it''s'=-1.5%;~:0;;;100",
        ] {
            let metric = only(text);
            assert_eq!(only(&metric.to_string()), metric, "{text}");
        }
    }
}
