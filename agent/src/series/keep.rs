//! Keeps what is measured: memory first, then files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use aramaki_model::{CheckId, Metric};
use aramaki_sync_core::Timestamp;

use super::record::{Record, Sum};
use super::{FILES_LEN_BYTES_MAX, FOLDER, Kind, SERIES_MAX, SUM_MS, segments};
use crate::platform;

/// Records that wait for a file; above it values are lost, and counted.
const WAITING_MAX: usize = 65_536;
/// A sum waits so long for values that come late.
const LATE_MS: i64 = 60_000;

/// A metric of a check as files name it.
type Named = (CheckId, String, String);

/// Keeps what is measured.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    names: BTreeMap<u64, Named>,
    /// When each was measured last.
    seen: BTreeMap<u64, i64>,
    open: BTreeMap<u64, Sum>,
    values: Vec<Record>,
    sums: Vec<Record>,
    files: [Option<OpenFile>; 2],
    /// Values that were not kept, and whether that was said.
    lost: u64,
}

/// A file that is written.
#[derive(Debug)]
struct OpenFile {
    period: i64,
    file: BufWriter<File>,
    /// The keys that it names already.
    named: BTreeSet<u64>,
}

impl Recorder {
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            folder: data.join(FOLDER),
            names: BTreeMap::new(),
            seen: BTreeMap::new(),
            open: BTreeMap::new(),
            values: Vec::new(),
            sums: Vec::new(),
            files: [None, None],
            lost: 0,
        }
    }

    /// Takes in what a check measured.
    pub(crate) fn take(&mut self, check: CheckId, at: Timestamp, metrics: &[Metric]) {
        for metric in metrics {
            let Some(value) = metric.value.filter(|value| value.is_finite()) else {
                continue;
            };
            let unit = metric.unit.to_string();
            let key = key(check, &metric.label);
            if !self.names.contains_key(&key) {
                if self.names.len() >= SERIES_MAX {
                    self.lost = self.lost.saturating_add(1);
                    continue;
                }
                self.names.insert(key, (check, metric.label.clone(), unit));
            }
            let at = at.millis();
            self.seen.insert(key, at);
            if self.values.len() >= WAITING_MAX {
                self.lost = self.lost.saturating_add(1);
                continue;
            }
            self.values.push(Record::Value { key, at, value });
            self.sum(key, at, value);
        }
    }

    fn sum(&mut self, key: u64, at: i64, value: f64) {
        let begin = at.div_euclid(SUM_MS).saturating_mul(SUM_MS);
        let new = Sum::of(begin, value);
        match self.open.get_mut(&key) {
            Some(open) if open.at == begin => open.add(&new),
            Some(open) if open.at < begin => {
                let sum = std::mem::replace(open, new);
                self.sums.push(Record::Sum { key, sum });
            }
            // Late: readers add what is of one moment.
            Some(_) => self.sums.push(Record::Sum { key, sum: new }),
            None => {
                self.open.insert(key, new);
            }
        }
    }

    /// Writes what waits, and drops what is too old.
    ///
    /// # Errors
    /// When a file cannot be written; what waited is lost then.
    pub(crate) fn flush(&mut self, now: Timestamp) -> io::Result<()> {
        let now = now.millis();
        let over: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, sum)| sum.at.saturating_add(SUM_MS + LATE_MS) <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            if let Some(sum) = self.open.remove(&key) {
                self.sums.push(Record::Sum { key, sum });
            }
        }
        self.write(now)
    }

    /// Writes everything, also sums that are not whole.
    ///
    /// # Errors
    /// As [`Recorder::flush`].
    pub(crate) fn end(&mut self, now: Timestamp) -> io::Result<()> {
        for (key, sum) in std::mem::take(&mut self.open) {
            self.sums.push(Record::Sum { key, sum });
        }
        self.write(now.millis())
    }

    /// How many values were not kept since this was asked last.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    fn write(&mut self, now: i64) -> io::Result<()> {
        let values = std::mem::take(&mut self.values);
        let sums = std::mem::take(&mut self.sums);
        let mut result = Ok(());
        for ((kind, records), place) in Kind::ALL.into_iter().zip([values, sums]).zip(0..) {
            if records.is_empty() {
                continue;
            }
            let file = self.files.get_mut(place).and_then(Option::take);
            // After a failure the end of a file may be torn: a new one is begun.
            match append(&self.folder, kind, file, now, &records, &self.names) {
                Ok(file) => {
                    if let Some(place) = self.files.get_mut(place) {
                        *place = Some(file);
                    }
                }
                Err(error) => result = Err(error),
            }
        }
        // A metric that is measured no longer makes room for others.
        let old = now.saturating_sub(Kind::Raw.kept_ms());
        self.seen.retain(|_, at| *at > old);
        self.names.retain(|key, _| self.seen.contains_key(key));
        result
    }
}

/// Which number a metric of a check has in files.
fn key(check: CheckId, label: &str) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("aramaki series key v1");
    hasher.update(check.as_bytes());
    hasher.update(label.as_bytes());
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn append(
    folder: &Path,
    kind: Kind,
    file: Option<OpenFile>,
    now: i64,
    records: &[Record],
    names: &BTreeMap<u64, Named>,
) -> io::Result<OpenFile> {
    let period = now.div_euclid(kind.span_ms());
    let mut file = match file {
        Some(file) if file.period == period => file,
        _ => begin(folder, kind, period)?,
    };
    for record in records {
        let (Record::Value { key, .. } | Record::Sum { key, .. } | Record::Name { key, .. }) =
            record;
        if !file.named.contains(key)
            && let Some((check, label, unit)) = names.get(key)
        {
            let name = Record::Name {
                key: *key,
                check: *check,
                label: label.clone(),
                unit: unit.clone(),
            };
            name.write(&mut file.file)?;
            file.named.insert(*key);
        }
        record.write(&mut file.file)?;
    }
    file.file.flush()?;
    Ok(file)
}

/// Begins a file, after what is too old or too much is dropped.
fn begin(folder: &Path, kind: Kind, period: i64) -> io::Result<OpenFile> {
    platform::private_folder(folder)?;
    let mut there = segments(folder, kind)?;
    let oldest = period.saturating_sub(kind.kept_ms() / kind.span_ms());
    let mut len = 0_u64;
    // Newest first: what is beyond the limit is dropped. Files from a clock that was ahead go too.
    there.reverse();
    for segment in &there {
        len = len.saturating_add(std::fs::metadata(&segment.path)?.len());
        let is_of_time = (oldest..=period).contains(&segment.period);
        if !is_of_time || len > FILES_LEN_BYTES_MAX {
            std::fs::remove_file(&segment.path)?;
        }
    }
    let same = there.iter().filter(|segment| segment.period == period);
    let number = same.map(|segment| segment.number + 1).max().unwrap_or(0);
    let path = folder.join(format!("{}-{period}-{number}.series", kind.word()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    platform::owner_only(&mut options);
    Ok(OpenFile {
        period,
        file: BufWriter::new(options.open(path)?),
        named: BTreeSet::new(),
    })
}
