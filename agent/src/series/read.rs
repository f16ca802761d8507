//! Reads what was measured, also while the agent writes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use aramaki_model::CheckId;
use aramaki_sync_core::Timestamp;
use serde::Serialize;

use super::record::{Record, Sum};
use super::{FILES_LEN_BYTES_MAX, FOLDER, Kind, SUM_MS, segments};

/// Points that one answer holds of one metric.
pub(crate) const POINTS_MAX: usize = 2_000;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One metric over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Series {
    /// What is measured.
    pub label: String,
    /// In which base unit.
    pub unit: String,
    /// Oldest first.
    pub points: Vec<Point>,
}

/// What a span of time sums up to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Point {
    /// Its beginning, in Unix milliseconds.
    pub at: i64,
    /// The least value.
    pub min: f64,
    /// The mean of all values.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
    /// How many values there were.
    pub count: u32,
}

impl From<&Sum> for Point {
    fn from(sum: &Sum) -> Self {
        Self {
            at: sum.at,
            min: sum.min,
            mean: sum.total / f64::from(sum.count.max(1)),
            max: sum.max,
            count: sum.count,
        }
    }
}

/// The metrics of a check from `since` on, in steps of `step_ms`, by label. From every value where those are
/// kept, else from sums.
///
/// # Errors
/// When a file cannot be read.
pub fn read(
    data: &Path,
    check: CheckId,
    since: Timestamp,
    step_ms: i64,
) -> io::Result<Vec<Series>> {
    let folder = data.join(FOLDER);
    let step_ms = step_ms.max(1);
    let mut found: BTreeMap<(String, String), BTreeMap<i64, Sum>> = BTreeMap::new();
    // Sums may be of times of which every value is there too: those count then, also where the first value
    // lies within the sum's minutes.
    let mut values_from: BTreeMap<(String, String), i64> = BTreeMap::new();
    for kind in Kind::ALL {
        for segment in segments(&folder, kind)? {
            let end = segment.period.saturating_add(1);
            // A file holds what was written then; values may be older, sums by what they wait.
            if end.saturating_mul(kind.span_ms()) < since.millis() {
                continue;
            }
            let file = match File::open(&segment.path) {
                Ok(file) => file,
                // Dropped meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let mut file = BufReader::new(file.take(FILES_LEN_BYTES_MAX));
            let mut names: BTreeMap<u64, (String, String)> = BTreeMap::new();
            while let Some(record) = Record::read(&mut file)? {
                let (key, sum) = match record {
                    Record::Name {
                        key,
                        check: of,
                        label,
                        unit,
                    } => {
                        if of == check {
                            names.insert(key, (label, unit));
                        }
                        continue;
                    }
                    Record::Value { key, at, value } => (key, Sum::of(at, value)),
                    Record::Sum { key, sum } => (key, sum),
                };
                let Some(name) = names.get(&key) else {
                    continue;
                };
                let known = values_from.get(name).copied().unwrap_or(i64::MAX);
                match kind {
                    Kind::Raw if sum.at < known => {
                        values_from.insert(name.clone(), sum.at);
                    }
                    Kind::Sums if sum.at.saturating_add(SUM_MS) > known => continue,
                    Kind::Raw | Kind::Sums => {}
                }
                if sum.at < since.millis() {
                    continue;
                }
                let begin = sum.at.div_euclid(step_ms).saturating_mul(step_ms);
                let steps = found.entry(name.clone()).or_default();
                let step = steps.entry(begin).or_insert(Sum {
                    at: begin,
                    count: 0,
                    total: 0.0,
                    ..sum
                });
                step.add(&sum);
                if steps.len() > POINTS_MAX {
                    steps.pop_first();
                }
            }
        }
    }
    let series = found.into_iter().map(|((label, unit), steps)| Series {
        label,
        unit,
        points: steps.values().map(Point::from).collect(),
    });
    Ok(series.collect())
}

/// A line of `width` bars from `since` to `until`: means, from the least to the greatest of them. Where
/// nothing was measured there is a space.
pub fn sparkline(points: &[Point], since: Timestamp, until: Timestamp, width: usize) -> String {
    let mut sums: BTreeMap<usize, Sum> = BTreeMap::new();
    let span = i128::from(until.millis().saturating_sub(since.millis()).max(1));
    for point in points {
        let into = i128::from(point.at.saturating_sub(since.millis()));
        let place = into * i128::try_from(width).unwrap_or(0) / span;
        let Ok(place) = usize::try_from(place) else {
            continue;
        };
        let sum = Sum {
            at: point.at,
            min: point.min,
            max: point.max,
            total: point.mean * f64::from(point.count),
            count: point.count,
        };
        sums.entry(place)
            .and_modify(|there| there.add(&sum))
            .or_insert(sum);
    }
    let means: BTreeMap<usize, f64> = sums
        .iter()
        .map(|(place, sum)| (*place, sum.total / f64::from(sum.count.max(1))))
        .collect();
    let least = means.values().copied().fold(f64::INFINITY, f64::min);
    let greatest = means.values().copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |mean: f64| {
        let share = if greatest > least {
            (mean - least) / (greatest - least)
        } else {
            0.0
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of 0 to 1 makes a place of 0 to 7"
        )]
        let place = (share * 7.0).round() as usize;
        BARS.get(place).copied().unwrap_or('?')
    };
    (0..width)
        .map(|place| means.get(&place).map_or(' ', |mean| bar(*mean)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{DAY_MS, Recorder, SERIES_MAX};
    use super::*;
    use aramaki_model::{Metric, Unit};

    const CHECK: CheckId = CheckId::from_bytes([1; 16]);
    const MINUTE_MS: i64 = 60_000;
    /// A moment that begins an hour and a day.
    const T0: i64 = 20_000 * DAY_MS;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(T0 + ms)
    }

    fn metric(value: f64) -> Metric {
        Metric::new("load1", value, Unit::None)
    }

    /// A value a minute, which is the number of the minute.
    fn minutes(recorder: &mut Recorder, minutes: std::ops::Range<i32>) {
        for minute in minutes {
            let now = at(i64::from(minute) * MINUTE_MS);
            recorder.take(CHECK, now, &[metric(f64::from(minute))]);
            recorder.flush(now).unwrap();
        }
    }

    #[test]
    fn every_value_of_a_day_is_kept_also_over_a_restart_and_then_sums() {
        let folder = tempfile::tempdir().unwrap();
        let mut before = Recorder::new(folder.path());
        minutes(&mut before, 0..600);
        before.end(at(600 * MINUTE_MS)).unwrap();
        let mut after = Recorder::new(folder.path());
        minutes(&mut after, 600..1_000);
        let series = read(folder.path(), CHECK, at(0), 1).unwrap();
        assert_eq!(series.len(), 1);
        assert_eq!(
            (series[0].label.as_str(), series[0].points.len()),
            ("load1", 1_000)
        );
        let hourly = read(folder.path(), CHECK, at(0), 60 * MINUTE_MS).unwrap();
        let second = hourly[0].points[1];
        assert_eq!((second.min, second.max, second.count), (60.0, 119.0, 60));
        assert!((second.mean - 89.5).abs() < 1e-9);
        assert_eq!(
            read(folder.path(), CheckId::from_bytes([2; 16]), at(0), 1).unwrap(),
            []
        );

        // Two days later the values are gone, and their sums are not.
        minutes(&mut after, 3_880..3_890);
        let series = read(folder.path(), CHECK, at(0), SUM_MS).unwrap();
        let counts: u32 = series[0].points.iter().map(|point| point.count).sum();
        assert_eq!(counts, 1_010);
        let raw = segments(&folder.path().join(FOLDER), Kind::Raw).unwrap();
        assert_eq!(raw.len(), 1, "{raw:?}");
    }

    #[test]
    fn a_sum_of_minutes_that_have_values_counts_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::new(folder.path());
        minutes(&mut recorder, 2..4);
        recorder.end(at(4 * MINUTE_MS)).unwrap();
        for step_ms in [1, MINUTE_MS, SUM_MS, DAY_MS] {
            let series = read(folder.path(), CHECK, at(0), step_ms).unwrap();
            let counts: u32 = series[0].points.iter().map(|point| point.count).sum();
            assert_eq!(counts, 2, "{step_ms}");
        }
    }

    #[test]
    fn a_torn_file_costs_its_end_and_a_new_one_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        let mut before = Recorder::new(folder.path());
        minutes(&mut before, 0..10);
        let raw = segments(&folder.path().join(FOLDER), Kind::Raw).unwrap();
        let file = File::options().write(true).open(&raw[0].path).unwrap();
        file.set_len(file.metadata().unwrap().len() - 3).unwrap();
        let mut after = Recorder::new(folder.path());
        minutes(&mut after, 10..20);
        let series = read(folder.path(), CHECK, at(0), 1).unwrap();
        assert_eq!(series[0].points.len(), 19);
    }

    #[test]
    fn series_and_values_are_bounded_and_the_loss_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::new(folder.path());
        for n in 0..SERIES_MAX + 3 {
            let metric = Metric::new(format!("m{n}"), 1.0, Unit::None);
            recorder.take(CHECK, at(0), &[metric]);
        }
        assert_eq!(recorder.take_lost(), 3);
        for _value in 0..70_000 {
            recorder.take(CHECK, at(0), &[Metric::new("m0", 1.0, Unit::None)]);
        }
        assert!(recorder.take_lost() > 0);
        recorder.flush(at(0)).unwrap();
        // What is measured no longer makes room after a day.
        let later = at(2 * DAY_MS);
        recorder.take(CHECK, later, &[Metric::new("m0", 1.0, Unit::None)]);
        recorder.flush(later).unwrap();
        recorder.take(CHECK, later, &[Metric::new("new", 1.0, Unit::None)]);
        assert_eq!(recorder.take_lost(), 0);
    }

    #[test]
    fn a_line_of_bars_shows_the_course_and_where_nothing_was_measured() {
        let point = |minute: i64, mean| Point {
            at: T0 + minute * MINUTE_MS,
            min: mean,
            mean,
            max: mean,
            count: 1,
        };
        let line = |points: &[Point]| sparkline(points, at(0), at(4 * MINUTE_MS), 4);
        assert_eq!(line(&[point(0, 1.0), point(1, 8.0), point(3, 4.5)]), "▁█ ▅");
        assert_eq!(line(&[point(0, 3.0), point(9, 8.0)]), "▁   ");
        assert_eq!(line(&[]), "    ");
    }
}
