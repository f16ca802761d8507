//! Thresholds on what programs on this machine send as `StatsD` has it.

use std::time::Instant;

use aramaki_model::{Metric, Severity, Thresholds, Unit};

use super::reading::Reading;
use crate::listen::statsd::Measured;

/// Names that are suggested when there is none like that.
const NAMES_MAX: usize = 5;

/// Holds the last value of `metric` against `thresholds`; `missing` is what it means if there is none.
pub(crate) fn check(
    measured: &Measured,
    metric: &str,
    thresholds: &Thresholds,
    missing: Severity,
) -> Reading {
    if let Some(value) = measured.value(metric, Instant::now()) {
        let mut reading = Reading::ok(format!("{metric} is {value}"));
        reading.judge(Metric::new(metric, value, Unit::None), thresholds);
        return reading;
    }
    let mut reading = Reading::new(missing, format!("nothing came under the name {metric}"));
    let names = measured.names();
    let stem = metric.split(['.', '{']).next().unwrap_or_default();
    let like: Vec<&str> = names
        .iter()
        .filter(|name| name.starts_with(stem))
        .map(String::as_str)
        .take(NAMES_MAX)
        .collect();
    if !like.is_empty() {
        reading.detail.push(format!("there is {}", like.join(", ")));
    }
    reading
}
