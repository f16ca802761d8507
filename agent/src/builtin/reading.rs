//! What a built-in check found out, and how its values stand against thresholds.

use std::fmt::{self, Write as _};
use std::time::Duration;

use aramaki_model::{Metric, Severity, Thresholds, Unit};

/// A severity, a summary, reasons, and metrics.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    pub(crate) detail: Vec<String>,
    pub(crate) metrics: Vec<Metric>,
}

impl Reading {
    pub(crate) fn new(severity: Severity, summary: String) -> Self {
        Self {
            severity,
            summary,
            detail: Vec::new(),
            metrics: Vec::new(),
        }
    }

    pub(crate) fn ok(summary: String) -> Self {
        Self::new(Severity::Ok, summary)
    }

    pub(crate) fn unknown(summary: String) -> Self {
        Self::new(Severity::Unknown, summary)
    }

    /// Says more in the summary.
    pub(crate) fn say(&mut self, words: fmt::Arguments<'_>) {
        let _infallible = self.summary.write_fmt(words);
    }

    /// Makes it as bad as `severity`, never better.
    pub(crate) fn raise(&mut self, severity: Severity) {
        self.severity = self.severity.max(severity);
    }

    /// Holds a metric against thresholds, keeps it with them, and says why when one is crossed.
    ///
    /// A value that is not a number is [`Severity::Unknown`]; one that is not finite is kept as "not
    /// known", because performance data has no form for it.
    pub(crate) fn judge(&mut self, mut metric: Metric, thresholds: &Thresholds) {
        let value = metric.value.unwrap_or(f64::NAN);
        let severity = if value.is_nan() {
            Severity::Unknown
        } else {
            thresholds.severity(value)
        };
        self.raise(severity);
        let limit = match severity {
            Severity::Critical => thresholds
                .critical
                .map(|range| format!("critical: {range}")),
            Severity::Warning => thresholds.warning.map(|range| format!("warning: {range}")),
            Severity::Ok => None,
            Severity::Unknown | Severity::Missing => Some("not a number".to_owned()),
        };
        if let Some(limit) = limit {
            let shown = rounded(value);
            self.detail.push(format!(
                "{} is {shown}{} ({limit})",
                metric.label, metric.unit
            ));
        }
        metric.warning = thresholds.warning;
        metric.critical = thresholds.critical;
        self.measure(metric);
    }

    /// Keeps a metric that has no thresholds.
    pub(crate) fn measure(&mut self, mut metric: Metric) {
        metric.value = metric.value.filter(|value| value.is_finite()).map(rounded);
        self.metrics.push(metric);
    }
}

/// A metric of something that is never below zero.
pub(crate) fn metric(label: impl Into<String>, value: f64, unit: Unit) -> Metric {
    Metric {
        min: Some(0.0),
        ..Metric::new(label, value, unit)
    }
}

/// A metric in percent.
pub(crate) fn share(label: impl Into<String>, percent: f64) -> Metric {
    Metric {
        max: Some(100.0),
        ..metric(label, percent, Unit::Percent)
    }
}

/// A metric in bytes, of at most `max`.
pub(crate) fn size(label: impl Into<String>, bytes: u64, max: u64) -> Metric {
    Metric {
        max: Some(number(max)),
        ..metric(label, number(bytes), Unit::Bytes)
    }
}

/// A count as the number of a metric.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53, which no reading here reaches"
)]
pub(crate) const fn number(count: u64) -> f64 {
    count as f64
}

/// Four digits after the point are enough for any built-in metric.
pub(crate) fn rounded(value: f64) -> f64 {
    if value.abs() < 1e11 {
        (value * 1e4).round() / 1e4
    } else {
        value
    }
}

/// A share in percent; of nothing it is zero.
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        number(part) / number(whole) * 100.0
    }
}

/// Bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut size = number(count) / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    format!("{size:.1} {unit}")
}

/// A span of time for people: its two largest units.
pub(crate) fn span(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut rest = duration.as_secs();
    let mut words = Vec::new();
    for (length, unit) in UNITS {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            words.push(format!("{count} {unit}"));
        }
        if words.len() == 2 || (count == 0 && !words.is_empty()) {
            break;
        }
    }
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    }
}

/// Thresholds from text; empty text is none.
#[cfg(test)]
pub(crate) fn thresholds(warning: &str, critical: &str) -> Thresholds {
    let range = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    Thresholds {
        warning: range(warning),
        critical: range(critical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_value_decides_and_says_why() {
        let mut reading = Reading::ok("queue".to_owned());
        let limits = thresholds("5", "@10:20");
        reading.judge(metric("a", 3.0, Unit::None), &limits);
        reading.judge(metric("b", 15.0, Unit::Seconds), &limits);
        reading.judge(metric("c", 6.0, Unit::None), &limits);
        assert_eq!(reading.severity, Severity::Critical);
        assert_eq!(
            reading.detail,
            ["b is 15s (critical: @10:20)", "c is 6 (warning: 5)"]
        );
        assert_eq!(reading.metrics[1].to_string(), "b=15s;5;@10:20;0");
    }

    #[test]
    fn what_is_not_a_number_is_unknown_and_infinity_is_judged() {
        let mut reading = Reading::ok(String::new());
        reading.judge(metric("a b", f64::NAN, Unit::None), &thresholds("5", "10"));
        assert_eq!(reading.severity, Severity::Unknown);
        assert_eq!(reading.metrics[0].value, None);
        reading.judge(
            metric("c", f64::INFINITY, Unit::None),
            &thresholds("5", "10"),
        );
        assert_eq!(reading.severity, Severity::Critical);
        assert_eq!(reading.metrics[1].value, None);
    }

    #[test]
    fn sizes_and_spans_are_short() {
        let sizes = [0, 1023, 1024, 1 << 30, u64::MAX].map(bytes);
        assert_eq!(
            sizes,
            ["0 B", "1023 B", "1.0 KiB", "1.0 GiB", "16384.0 PiB"]
        );
        let spans = [0, 59, 3600, 90_061, 86_405].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["0 s", "59 s", "1 h", "1 d 1 h", "1 d"]);
        assert!(percent(1, 0).abs() < f64::EPSILON);
    }
}
