//! What a benchmark asks of the machine: the time, and what its own process used.

use std::time::{Duration, SystemTime};

use aramaki_sync_core::Timestamp;

/// One tick of the processor's clock, as Linux tells it.
const TICK_MS: u64 = 10;

/// Whether this run is to measure: benches are built along with the tests, where nothing is.
pub fn is_wanted() -> bool {
    std::env::args().any(|word| word == "--bench")
}

/// The time now.
///
/// # Panics
/// With a clock before 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(i64::try_from(since.unwrap().as_millis()).unwrap())
}

/// What this process used of its processors, all threads together.
///
/// # Panics
/// Anywhere but on Linux.
pub fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The second field is the program's name in brackets; times are the 14th and 15th.
    let (_name, rest) = stat.rsplit_once(") ").unwrap();
    let ticks = rest.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|text| text.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * TICK_MS)
}

/// What this process has in memory, in bytes.
///
/// # Panics
/// Anywhere but on Linux.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.unwrap().trim().parse::<u64>().unwrap() * 1_024
}

/// How busy the machine was in the last minute.
///
/// # Panics
/// Anywhere but on Linux.
pub fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().unwrap_or_default().to_owned()
}
