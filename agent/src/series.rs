//! What was measured, kept on this machine: every value of a day, and five-minute sums of two weeks.
//!
//! Values never enter documents. They are written behind the agent's work, in files that only grow until
//! they are dropped as a whole; losing the last seconds in a crash is fine.

mod keep;
mod read;
mod record;

pub(crate) use keep::Recorder;
pub use read::{Point, Series, read, sparkline};

use std::path::{Path, PathBuf};

/// Where series lie in the data folder.
const FOLDER: &str = "series";
/// Series that are kept at once; values of further ones are counted and left out.
pub(crate) const SERIES_MAX: usize = 4_096;
/// From one sum to the next.
pub(crate) const SUM_MS: i64 = 5 * 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Bytes of all files of one kind; the oldest go first.
const FILES_LEN_BYTES_MAX: u64 = 48 * 1024 * 1024;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Every value, a file an hour.
    Raw,
    /// Sums of five minutes, a file a day.
    Sums,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Raw, Self::Sums];

    const fn word(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Sums => "sums",
        }
    }

    /// How much time one file covers.
    const fn span_ms(self) -> i64 {
        match self {
            Self::Raw => HOUR_MS,
            Self::Sums => DAY_MS,
        }
    }

    /// How long values are kept.
    const fn kept_ms(self) -> i64 {
        match self {
            Self::Raw => DAY_MS,
            Self::Sums => 14 * DAY_MS,
        }
    }
}

/// A file of values: of which kind, of which hour or day, and which one of those.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    period: i64,
    number: u32,
    path: PathBuf,
}

/// The files of one kind, oldest first.
fn segments(folder: &Path, kind: Kind) -> std::io::Result<Vec<Segment>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let named = name.and_then(|name| {
            let name = name.strip_prefix(kind.word())?.strip_prefix('-')?;
            let (period, number) = name.strip_suffix(".series")?.split_once('-')?;
            Some((period.parse().ok()?, number.parse().ok()?))
        });
        if let Some((period, number)) = named {
            segments.push(Segment {
                period,
                number,
                path,
            });
        }
    }
    segments.sort();
    Ok(segments)
}
