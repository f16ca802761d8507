//! Times as people read them: local clock, and how long ago.

use aramaki_sync_core::Timestamp;
use chrono::{DateTime, Local, Utc};

use super::Look;

/// How long ago, in the largest fitting unit.
pub fn age(look: Look<'_>, then: Timestamp) -> String {
    let seconds = look.now.since(then).as_secs();
    match seconds {
        0..5 => look.texts.get("age-now"),
        5..120 => look.texts.count("age-seconds", seconds),
        120..7_200 => look.texts.count("age-minutes", seconds / 60),
        7_200..172_800 => look.texts.count("age-hours", seconds / 3_600),
        _ => look.texts.count("age-days", seconds / 86_400),
    }
}

/// The same as a point in the past: `4 s ago`.
pub fn ago(look: Look<'_>, then: Timestamp) -> String {
    let age = age(look, then);
    if look.now.since(then).as_secs() < 5 {
        return age;
    }
    look.texts.with("age-ago", &[("age", &age)])
}

fn local(time: Timestamp) -> Option<DateTime<Local>> {
    DateTime::<Utc>::from_timestamp_millis(time.millis()).map(|utc| utc.with_timezone(&Local))
}

/// Local wall clock: the time today, else with its date.
pub fn clock(look: Look<'_>, time: Timestamp) -> String {
    match (local(time), local(look.now)) {
        (Some(time), Some(now)) if time.date_naive() == now.date_naive() => {
            time.format("%H:%M:%S").to_string()
        }
        (Some(time), _) => time.format("%Y-%m-%d %H:%M").to_string(),
        (None, _) => time.to_string(),
    }
}

/// A time to the minute, with its date unless that is today.
pub fn minute(look: Look<'_>, time: Timestamp) -> String {
    match (local(time), local(look.now)) {
        (Some(time), Some(now)) if time.date_naive() == now.date_naive() => {
            time.format("%H:%M").to_string()
        }
        (Some(time), _) => time.format("%Y-%m-%d %H:%M").to_string(),
        (None, _) => time.to_string(),
    }
}

/// Who ends later than this does not end: 2900-01-01.
const NEVER_MS: i64 = 29_348_006_400_000;

/// When something ends: the local time, with its date unless that is today.
pub fn until(look: Look<'_>, time: Timestamp) -> String {
    if time.millis() > NEVER_MS {
        return look.texts.get("age-never");
    }
    match (local(time), local(look.now)) {
        (Some(time), Some(now)) if time.date_naive() == now.date_naive() => {
            time.format("%H:%M").to_string()
        }
        (Some(time), Some(_)) if time.timestamp() - look.now.millis() / 1_000 > 172_800 => {
            time.format("%Y-%m-%d").to_string()
        }
        (Some(time), _) => time.format("%Y-%m-%d %H:%M").to_string(),
        (None, _) => time.to_string(),
    }
}
