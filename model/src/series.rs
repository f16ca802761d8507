//! What a host measured, as it answers who asks it for that.
//!
//! Values stay on the host (`aramaki-agent series`); people ask for them by an action. An answer comes from a
//! program on a machine: it is read within limits and believed in nothing but its numbers.

use serde::Deserialize;
use thiserror::Error;

use crate::check::{Builtin, Check, CheckKind, Thresholds};
use crate::perfdata::{LABEL_LEN_BYTES_MAX, Metric};
use crate::text::clean_line;

/// Metrics of one answer that are kept.
pub const SERIES_MAX: usize = 64;
/// Points of one metric that are kept: the newest.
pub const SERIES_POINTS_MAX: usize = 2_000;
const UNIT_LEN_BYTES_MAX: usize = 16;

/// Why an answer is none.
#[derive(Debug, Error)]
#[error("what the host answered is no series")]
pub struct SeriesError(#[from] serde_json::Error);

/// What a check measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesAnswer {
    /// The check's name.
    pub name: String,
    /// By label.
    pub series: Vec<Series>,
    /// Metrics that had no room in the answer.
    pub left_out: u64,
}

/// One metric over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What is measured.
    pub label: String,
    /// In which base unit.
    pub unit: String,
    /// Oldest first; never empty.
    pub points: Vec<Point>,
}

/// What a span of time sums up to; numbers are finite.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Point {
    /// Its beginning, in Unix milliseconds.
    pub at: i64,
    /// The least value.
    pub min: f64,
    /// The mean of all values.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
}

impl Series {
    /// The least value, the greatest, and the last mean.
    pub fn extremes(&self) -> (f64, f64, f64) {
        let points = self.points.iter();
        let least = points
            .clone()
            .map(|it| it.min)
            .fold(f64::INFINITY, f64::min);
        let most = points.map(|it| it.max).fold(f64::NEG_INFINITY, f64::max);
        let last = self.points.last().map_or(0.0, |point| point.mean);
        (least, most, last)
    }
}

impl SeriesAnswer {
    /// Reads the JSON of `aramaki-agent --json series`.
    ///
    /// # Errors
    /// When it is none. Points that are no numbers, and metrics beyond [`SERIES_MAX`], are left out.
    pub fn parse(bytes: &[u8]) -> Result<Self, SeriesError> {
        #[derive(Deserialize)]
        struct Said {
            name: String,
            series: Vec<SaidSeries>,
            #[serde(default)]
            left_out: u64,
        }
        #[derive(Deserialize)]
        struct SaidSeries {
            label: String,
            unit: String,
            points: Vec<Option<Point>>,
        }
        let said: Said = serde_json::from_slice(bytes)?;
        let over = said.series.len().saturating_sub(SERIES_MAX);
        let mut series = Vec::new();
        for it in said.series.into_iter().take(SERIES_MAX) {
            let mut points: Vec<Point> = it.points.into_iter().flatten().collect();
            points.retain(|it| [it.min, it.mean, it.max].iter().all(|n| n.is_finite()));
            points.sort_by_key(|it| it.at);
            points.dedup_by_key(|it| it.at);
            let old = points.len().saturating_sub(SERIES_POINTS_MAX);
            points.drain(..old);
            if !points.is_empty() {
                series.push(Series {
                    label: clean_line(&it.label, LABEL_LEN_BYTES_MAX),
                    unit: clean_line(&it.unit, UNIT_LEN_BYTES_MAX),
                    points,
                });
            }
        }
        Ok(Self {
            name: clean_line(&said.name, LABEL_LEN_BYTES_MAX),
            series,
            left_out: said
                .left_out
                .saturating_add(u64::try_from(over).unwrap_or(u64::MAX)),
        })
    }
}

/// When a metric of a check alerts, as far as it is known here: by the check's own rules, by what was told with
/// its last change, or because the check measures this alone.
pub fn limits_of(check: Option<&Check>, told: &[Metric], label: &str) -> Thresholds {
    let rules = check.into_iter().flat_map(|check| &check.metrics);
    let rule = rules
        .filter(|rule| rule.metric.matches(label))
        .map(|rule| Thresholds {
            warning: rule.warning,
            critical: rule.critical,
        });
    let told = told.iter().filter(|metric| metric.label == label);
    let told = told.map(|metric| Thresholds {
        warning: metric.warning,
        critical: metric.critical,
    });
    let only = check.and_then(|check| match &check.kind {
        CheckKind::Builtin(
            Builtin::Load(limits) | Builtin::Memory(limits) | Builtin::Swap(limits),
        ) => Some(*limits),
        _ => None,
    });
    rule.chain(told)
        .chain(only)
        .find(|it| it.warning.is_some() || it.critical.is_some())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric_rule::MetricRule;
    use crate::range::Range;
    use crate::{CheckId, Pattern, Severity, Unit};

    fn parsed(series: &serde_json::Value) -> SeriesAnswer {
        let said = serde_json::json!({"schema": 1, "name": "load", "series": series});
        SeriesAnswer::parse(said.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_is_read_oldest_first_and_what_is_no_number_is_left_out() {
        let point = |at: i64, mean: f64| serde_json::json!({"at": at, "min": 0.5, "mean": mean, "max": 9.0, "count": 3});
        let answer = parsed(&serde_json::json!([
            {"label": "load1\u{202e}", "unit": "s", "points": [point(20, 2.0), null, point(10, 1.0), point(20, 3.0)]},
            {"label": "none", "unit": "", "points": []},
        ]));
        assert_eq!(answer.series.len(), 1, "a metric without values is none");
        let series = &answer.series[0];
        assert!(!series.label.contains('\u{202e}'));
        let at: Vec<_> = series.points.iter().map(|it| it.at).collect();
        assert_eq!(at, [10, 20]);
        assert_eq!(series.extremes(), (0.5, 9.0, 2.0));
    }

    #[test]
    fn what_is_too_much_is_cut_and_what_is_no_answer_is_refused() {
        let point = serde_json::json!({"at": 1, "min": 1, "mean": 1, "max": 1});
        let one = serde_json::json!({"label": "a", "unit": "", "points": [point]});
        let answer = parsed(&serde_json::Value::from(vec![one; SERIES_MAX + 5]));
        assert_eq!((answer.series.len(), answer.left_out), (SERIES_MAX, 5));
        let points: Vec<_> = (0..SERIES_POINTS_MAX + 3)
            .map(|at| serde_json::json!({"at": at, "min": 1, "mean": 1, "max": 1}))
            .collect();
        let answer = parsed(&serde_json::json!([{"label": "a", "unit": "", "points": points}]));
        let points = &answer.series[0].points;
        assert_eq!(
            (points.len(), points[0].at),
            (SERIES_POINTS_MAX, 3),
            "the newest stay"
        );
        for text in ["", "{", "[]", "{\"name\":\"x\"}", "\u{0}"] {
            assert!(SeriesAnswer::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn limits_are_those_of_the_check_before_those_that_were_told() {
        let id = CheckId::from_bytes([1; 16]);
        let load = CheckKind::Builtin(Builtin::Load(Thresholds::above(4.0, 8.0)));
        let mut check = Check::new(id, "load", load);
        let mut told = Metric::new("load5", 1.0, Unit::None);
        let critical =
            |check: &Check, told: &[Metric]| limits_of(Some(check), told, "load5").severity(7.0);
        assert_eq!(critical(&check, &[]), Severity::Warning);
        told.critical = Some(Range::up_to(6.0));
        assert_eq!(critical(&check, &[told.clone()]), Severity::Critical);
        check.metrics.push(MetricRule {
            metric: Pattern("load*".to_owned()),
            warning: Some(Range::up_to(7.5)),
            critical: None,
            missing: Severity::Unknown,
        });
        assert_eq!(critical(&check, &[told]), Severity::Ok);
        assert_eq!(limits_of(None, &[], "load5"), Thresholds::default());
    }
}
