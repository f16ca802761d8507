//! iCalendar in and out: who is on call, for the calendars that people look at.
//!
//! Of RFC 5545 what such calendars need: events with a beginning and an end, and those that come again. The
//! crates that know more call themselves for each nested component, draw clocks and random names when
//! they write, or let a rule run through the hours of a change of the clock as they please.

mod event;
mod recur;
mod text;
mod time;

use aramaki_model::notify::Duty;
use aramaki_sync_core::{SpaceId, Timestamp};
use chrono::DateTime;

pub(crate) use event::{Known, Taken, read_calendar};

/// A line is folded after so many bytes.
const LINE_LEN_BYTES_MAX: usize = 74;
const STAMP: &str = "%Y%m%dT%H%M%S";

/// Writes duties as a calendar.
pub(crate) fn write_calendar(
    system: SpaceId,
    title: &str,
    schedule: &str,
    duties: &[Duty],
    now: Timestamp,
) -> String {
    let mut out = Lines::default();
    out.add("BEGIN", "VCALENDAR");
    out.add("VERSION", "2.0");
    out.add("PRODID", "-//Aramaki//on call//EN");
    out.add("X-WR-CALNAME", &escaped(&format!("{title}: {schedule}")));
    for duty in duties {
        // The same duty has the same name in each export, so that calendars replace it.
        let seed = format!("{system}/{schedule}/{}", duty.from.millis());
        let uid = blake3::hash(seed.as_bytes()).to_hex();
        out.add("BEGIN", "VEVENT");
        out.add("UID", &format!("{}@aramaki", uid.get(..32).unwrap_or(&uid)));
        for (name, at) in [
            ("DTSTAMP", now),
            ("DTSTART", duty.from),
            ("DTEND", duty.until),
        ] {
            let at = DateTime::from_timestamp_millis(at.millis()).unwrap_or_default();
            out.add(name, &format!("{}Z", at.format(STAMP)));
        }
        out.add("SUMMARY", &escaped(&duty.who));
        out.add(
            "DESCRIPTION",
            &escaped(&format!("On call for {title} ({schedule})")),
        );
        out.add("END", "VEVENT");
    }
    out.add("END", "VCALENDAR");
    out.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a line, folded between characters.
    fn add(&mut self, name: &str, value: &str) {
        let mut len = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if len + c.len_utf8() > LINE_LEN_BYTES_MAX {
                self.0.push_str("\r\n ");
                len = 1;
            }
            self.0.push(c);
            len += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
